"""Evidence of controls: what a test found of one thing, from when to when, and what was read for it; and exceptions from a control."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from hashlib import sha256
from typing import Final

from watchword.measure.compliance import Compliance, Held, Result, Span, Way

LOOKER: Final = "watchword"
"""Collector of what the tests find."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """One result of one control on one thing, for as long as it stands. Status is computed from this, never typed."""

    uid: str
    control: str
    test: str
    """Name of the test; empty: somebody's word."""
    version: int
    asset: str
    result: Result
    way: Way
    quality: float
    weight: float
    first: datetime
    """Since when the result stands."""
    collected: datetime
    """When it was last found so."""
    expires: datetime
    period_since: datetime
    period_until: datetime
    collector: str
    because: str
    inputs: str
    """Hash of what was read."""
    read: int
    digest: str = ""
    current: bool = True

    @property
    def ttl(self) -> timedelta:
        """Return for how long it is fresh."""
        return self.expires - self.collected

    def held(self) -> Held:
        """Return it as K5 reads it."""
        telemetry = self.way is Way.TELEMETRY
        return Held(self.control, self.asset, self.result, self.collected, self.ttl, self.quality, self.weight, telemetry, self.uid)

    def span(self, now: datetime) -> Span:
        """Return the time for which its result stood: a pass no longer than it was fresh, a fail until something newer was found."""
        until = min(self.expires, now) if self.result is Result.PASS or not self.current else now
        return Span(self.asset, self.result, self.first, max(self.collected, until), self.weight)

    def hashed(self) -> str:
        """Return SHA-256 over everything but the digest itself and whether it is current."""
        said = {key: value for key, value in asdict(self).items() if key not in {"digest", "current"}}
        return sha256(json.dumps(said, sort_keys=True, default=str).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Exemption:
    """That a control need not hold somewhere for a while, as a Decision says, and what is done instead."""

    uid: str
    control: str
    asset: str
    reason: str
    compensating: str
    since: datetime
    until: datetime
    decision: str
    ended: bool = False
    by: str = ""

    def in_force(self, now: datetime) -> bool:
        """Tell whether it holds."""
        return not self.ended and self.since <= now < self.until

    def expired(self, now: datetime) -> bool:
        """Tell whether it ran out and nobody ended it: an agenda item."""
        return not self.ended and self.until <= now


@dataclass(frozen=True, slots=True)
class ControlState:
    """A control as it stands: three shares, its evidence, its exceptions."""

    control: str
    title: str
    domain: str
    passes: str
    shares: Compliance
    fresh: float | None
    """Share of its telling evidence that is within its TTL; None: there is none."""
    newest: datetime | None
    evidence: tuple[Evidence, ...] = ()
    exemptions: tuple[Exemption, ...] = ()
    tests: tuple[str, ...] = ()
    csf: tuple[str, ...] = ()
    iso27001: tuple[str, ...] = ()

    @property
    def word(self) -> str:
        """Return fail when anything fails, unknown when not everything is known, pass otherwise; or that it does not apply at all."""
        if self.shares.n == 0:
            return Result.NOT_APPLICABLE.value if self.evidence else "unknown"
        if (self.shares.failed or 0.0) > 0:
            return "fail"
        return "pass" if (self.shares.passed or 0.0) >= 0.5 and not self._gaps() else "unknown"

    def _gaps(self) -> bool:
        return any(each.result is Result.INSUFFICIENT for each in self.evidence)

    def counts(self) -> Mapping[Result, int]:
        """Return how many things have each result."""
        return {result: sum(each.result is result for each in self.evidence) for result in Result}


def due_on(until: datetime) -> date:
    """Return the day on which something runs out."""
    return until.date()
