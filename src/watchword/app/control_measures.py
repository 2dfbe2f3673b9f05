"""What controls give to others: the measures of compliance, and what of them could be on an agenda."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from watchword.govern.candidate import Candidate, IsoInput, staleness_of, urgency_of
from watchword.govern.control_service import Controls
from watchword.measure.calculator import Measured, measured
from watchword.measure.compliance import Held, Result, automation, drift, evidence_age, of_all
from watchword.measure.definitions import definition
from watchword.measure.intervals import wilson
from watchword.model.metric import MetricDefinition, Window

DAY: Final = timedelta(days=1)
SOON: Final = timedelta(days=30)
SHARES: Final = ("compliance.pass", "compliance.fail", "compliance.unknown")
NAMES: Final = (*SHARES, "compliance.automation", "compliance.evidence_age", "compliance.drift")
MOST_READ: Final = 2_000
"""Pieces of evidence named as inputs of one value."""


@dataclass(frozen=True, slots=True)
class ComplianceCalculator:
    """Computes the measures of K5 from the evidence kept."""

    controls: Controls
    names: Sequence[str] = NAMES
    historic: bool = False
    """Evidence fades from day to day and only its present state is kept whole: past windows are not made up."""

    def earliest(self) -> datetime | None:
        """Return None: there is no history to compute."""
        return None

    def compute(self, window: Window, now: datetime) -> Iterable[Measured]:
        """Return pass, fail and unknown of all controls and of each side, automation, age of the evidence, and drift."""
        states = self.controls.results(window.until)
        for subject in ("", "it", "physical"):
            mine = [state for state in states if not subject or state.domain in {subject, "joint"}]
            held = [[each.held() for each in state.evidence] for state in mine]
            yield from _shares(held, subject, window, now)
        flat = [each for state in states for each in (one.held() for one in state.evidence)]
        telling = [each for each in flat if each.result in {Result.PASS, Result.FAIL}]
        uids = [("evidence", each.evidence) for each in telling[:MOST_READ]]
        share = automation(flat)
        lo, hi = _bounds(share, len(telling))
        yield measured(
            definition("compliance.automation"), window, now, value=share, lo=lo, hi=hi, n=len(telling), uids=uids,
            words=f"{sum(each.telemetry for each in telling)} of {len(telling)} results were told by machines.",
        )  # fmt: skip
        age = evidence_age(flat, window.until)
        yield measured(definition("compliance.evidence_age"), window, now, value=age, lo=age, hi=age, n=len(telling), uids=uids)
        yield self._drift(definition("compliance.drift"), window, now)

    def _drift(self, what: MetricDefinition, window: Window, now: datetime) -> Measured:
        spans = self.controls.spans(window.since, window.until)
        hours = sum(drift(each, window.since, window.until) for each in spans.values())
        return measured(what, window, now, value=hours, lo=hours, hi=hours, n=sum(len(each) for each in spans.values()))


def _shares(held: Sequence[Sequence[Held]], subject: str, window: Window, now: datetime) -> Iterable[Measured]:
    found = of_all(held, window.until)
    uids = [("evidence", each.evidence) for group in held for each in group][:MOST_READ]
    said = ", ".join(f"{_percent(x)} {w}" for w, x in (("pass", found.passed), ("fail", found.failed), ("unknown", found.unknown)))
    words = f"{found.controls} controls on {found.n} things: {said}."
    for name, value in zip(SHARES, (found.passed, found.failed, found.unknown), strict=True):
        lo, hi = _bounds(value, found.n)
        coverage = 1.0 if name == "compliance.unknown" else found.known
        yield measured(
            definition(name), window, now, value=value, lo=lo, hi=hi, n=found.n, coverage=coverage, subject=subject, words=words, uids=uids
        )


def _bounds(share: float | None, n: int) -> tuple[float | None, float | None]:
    """Return Wilson's interval of a share, as if each thing were one observation."""
    return (None, None) if share is None or not n else wilson(min(n, round(share * n)), n)


def _percent(share: float | None) -> str:
    return "unknown" if share is None else f"{share:.0%}"


def candidates(controls: Controls, now: datetime) -> list[Candidate]:
    """Return what of controls could be on an agenda: exceptions that ran out or soon will, and evidence that nobody renewed."""
    found = []
    for each in controls.exemptions.all():
        if each.until - now > SOON:
            continue
        word = "has run out" if each.until <= now else "runs out"
        why = f"The exception from {each.control} {word} on {each.until:%d %b %Y}: {each.reason[:200]}"
        urgency = urgency_of(each.until.date(), now.date())
        refs = (f"control:{each.control}", f"exception:{each.uid}", f"decision:{each.decision}")
        found.append(
            Candidate(
                "exception", f"Exception from {each.control} {word}", why, None, urgency, 1.0, 10, "joint", IsoInput.NONCONFORMITIES, refs
            )
        )
    for state in controls.results(now):
        old = [e for e in state.evidence if e.result in {Result.PASS, Result.FAIL} and e.expires <= now]
        if not old:
            continue
        worst = max(old, key=lambda each: now - each.collected)
        stale = staleness_of((now - worst.collected) / DAY, worst.ttl / DAY)
        why = f"{len(old)} results of {state.control} are older than their time to live; the oldest is of {worst.collected:%d %b %Y}."
        title, about = f"Evidence of {state.control} has expired", (f"control:{state.control}",)
        found.append(Candidate("evidence", title, why, None, 2.0, stale, 5, state.domain, IsoInput.AUDITS, about))
    return found
