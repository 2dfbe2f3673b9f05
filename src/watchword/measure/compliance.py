"""Compliance (K5): what controls demand is evidenced to hold, to fail, or is not known; old evidence fades, and none is never a pass."""

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

TELEMETRY: Final = 1.0
"""Quality of what machines report."""
SAMPLED: Final = 0.9
"""Quality of a test that people did on some of the things."""
ATTESTED: Final = 0.6
"""Quality of a statement."""
LEAST_FRESH: Final = 0.25
"""A pass below this (older than three times its TTL) is insufficient."""
DAY: Final = timedelta(days=1)


class Result(StrEnum):
    """What a test says of one control on one thing."""

    PASS = "pass"  # noqa: S105 - no password: the outcome of a test
    FAIL = "fail"
    INSUFFICIENT = "insufficient"
    NOT_APPLICABLE = "not applicable"


class Way(StrEnum):
    """How evidence came about."""

    TELEMETRY = "telemetry"
    SAMPLED = "sampled"
    ATTESTED = "attested"

    @property
    def quality(self) -> float:
        """Return what it counts for."""
        return {Way.TELEMETRY: TELEMETRY, Way.SAMPLED: SAMPLED, Way.ATTESTED: ATTESTED}[self]


@dataclass(frozen=True, slots=True)
class Held:
    """The newest evidence of one control on one thing, as plain values."""

    control: str
    asset: str
    result: Result
    collected: datetime
    ttl: timedelta
    quality: float = TELEMETRY
    weight: float = 1.0
    """How much the thing counts within its control."""
    telemetry: bool = True
    evidence: str = ""
    """Uid of the evidence."""


@dataclass(frozen=True, slots=True)
class Span:
    """That one result stood for a while, over one thing."""

    asset: str
    result: Result
    since: datetime
    until: datetime
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Compliance:
    """The three shares, which always stand together and sum to 1; None throughout: nothing applies."""

    passed: float | None
    failed: float | None
    unknown: float | None
    n: int
    """Pairs of control and thing that apply."""
    controls: int = 0

    @property
    def known(self) -> float:
        """Return the share of what is known: coverage."""
        return 0.0 if self.unknown is None else 1.0 - self.unknown


def freshness(age: timedelta, ttl: timedelta) -> float:
    """Return f: 1 up to the TTL, then halved with every further TTL."""
    over = (age - ttl) / ttl if ttl > timedelta() else 0.0
    return 1.0 if over <= 0 else float(2.0**-over)


def standing(held: Held, now: datetime) -> Result:
    """Return what evidence says now: a pass that is too old is insufficient, a fail stays one until a newer result."""
    if held.result is Result.PASS and freshness(now - held.collected, held.ttl) < LEAST_FRESH:
        return Result.INSUFFICIENT
    return held.result


def of_control(held: Iterable[Held], now: datetime) -> Compliance:
    """Return the shares of one control over the things that it applies to (K5)."""
    total = passed = failed = 0.0
    n = 0
    for each in held:
        if each.result is Result.NOT_APPLICABLE or each.weight <= 0:
            continue
        n += 1
        total += each.weight
        result = standing(each, now)
        if result is Result.PASS:
            passed += each.weight * freshness(now - each.collected, each.ttl) * min(1.0, max(0.0, each.quality))
        elif result is Result.FAIL:
            failed += each.weight
    if not total:
        return Compliance(None, None, None, 0)
    good, bad = passed / total, failed / total
    return Compliance(good, bad, max(0.0, 1.0 - good - bad), n, 1)


def of_all(controls: Iterable[Sequence[Held]], now: datetime) -> Compliance:
    """Return the mean over controls, each counting the same, so that many doors do not outweigh one plan."""
    found = [each for held in controls if (each := of_control(held, now)).n]
    if not found:
        return Compliance(None, None, None, 0)
    good = statistics.fmean(each.passed or 0.0 for each in found)
    bad = statistics.fmean(each.failed or 0.0 for each in found)
    return Compliance(good, bad, max(0.0, 1.0 - good - bad), sum(each.n for each in found), len(found))


def pass_metric(controls: Iterable[Sequence[Held]], now: datetime) -> float | None:
    """Return the share evidenced to pass; None when nothing applies."""
    return of_all(controls, now).passed


def fail_metric(controls: Iterable[Sequence[Held]], now: datetime) -> float | None:
    """Return the share evidenced to fail."""
    return of_all(controls, now).failed


def unknown_metric(controls: Iterable[Sequence[Held]], now: datetime) -> float | None:
    """Return the share that is neither evidenced to pass nor to fail."""
    return of_all(controls, now).unknown


def automation(held: Iterable[Held]) -> float | None:
    """Return the share of evidence that machines collected, among what says anything; None when there is none."""
    telling = [each for each in held if each.result in {Result.PASS, Result.FAIL}]
    return sum(each.telemetry for each in telling) / len(telling) if telling else None


def evidence_age(held: Iterable[Held], now: datetime) -> float | None:
    """Return the median age, in days, of the newest evidence that says anything; None when there is none."""
    ages = [(now - each.collected) / DAY for each in held if each.result in {Result.PASS, Result.FAIL}]
    return statistics.median(ages) if ages else None


def drift(spans: Iterable[Span], since: datetime, until: datetime) -> float:
    """Return the hours within a window in which things stood failed that had passed before."""
    by_asset: dict[str, list[Span]] = {}
    for span in spans:
        by_asset.setdefault(span.asset, []).append(span)
    total = timedelta()
    for line in by_asset.values():
        had_passed = False
        for span in sorted(line, key=lambda each: each.since):
            if span.result is Result.PASS:
                had_passed = True
            elif span.result is Result.FAIL and had_passed:
                total += max(timedelta(), min(span.until, until) - max(span.since, since))
    return total / timedelta(hours=1)


def reliability(spans: Iterable[Span], since: datetime, until: datetime) -> float | None:
    """Return the share of time, over things, in which a control was evidenced working: `rel_k` of K4.

    Time about which nothing is known counts as not working. None: no thing that applies was ever looked at in the window.
    """
    working: dict[str, timedelta] = {}
    weights: dict[str, float] = {}
    for span in spans:
        length = min(span.until, until) - max(span.since, since)
        if span.result is Result.NOT_APPLICABLE or length <= timedelta():
            continue
        weights[span.asset] = span.weight
        working.setdefault(span.asset, timedelta())
        if span.result is Result.PASS:
            working[span.asset] += length
    total = sum(weights.values())
    if not total or until <= since:
        return None
    return min(1.0, sum(weights[asset] * (length / (until - since)) for asset, length in working.items()) / total)
