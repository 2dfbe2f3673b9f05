"""Treatments of a risk: accept, reduce, transfer, avoid; the state that was seen when it was decided, and when it has changed too much."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final

from watchword.govern.appetite import Appetite, Stand, percent, stand_of
from watchword.measure.intervals import Interval

CHANGED: Final = 0.25
"""A mean that moved by more than this share since the Decision is a change worth a look …"""
RELIED: Final = 0.2
"""… and so is a safeguard's reliability that fell by this much."""


class Treats(StrEnum):
    """What is done about a risk."""

    ACCEPT = "accept"
    REDUCE = "reduce"
    TRANSFER = "transfer"
    AVOID = "avoid"


@dataclass(frozen=True, slots=True)
class RiskState:
    """A scenario's risk as it was seen at one moment: frozen into the Decision that stood on it."""

    scenario: str
    at: datetime
    run: str
    """Uid of the computation."""
    mean: float
    mean_band: Interval
    over: float
    over_band: Interval
    appetite: float
    appetite_share: float
    events: int
    reliability: Mapping[str, float]
    """Safeguard → the share of time in which it worked."""

    @property
    def stand(self) -> Stand:
        """Return where it stood towards the appetite."""
        return stand_of(Appetite(self.appetite, self.appetite_share), self.over, self.over_band)


@dataclass(frozen=True, slots=True)
class Treatment:
    """One treatment of one scenario. It ends by its expiry, by a later one, or when a material change reopens it."""

    uid: str
    scenario: str
    kind: Treats
    since: datetime
    by: str
    note: str = ""
    decision: str = ""
    """Uid of the Decision; an acceptance always has one."""
    expires: date | None = None
    safeguard: str = ""
    """Of a reduction."""
    retention: float = 0.0
    """Of a transfer: what each event leaves to the house …"""
    cover: float = 0.0
    """… and the insurer's most above it."""
    ended: datetime | None = None
    ended_why: str = ""
    reopened: str = ""
    """What changed materially since; empty: nothing."""
    frozen: RiskState | None = None

    def in_force(self, now: datetime) -> bool:
        """Tell whether it counts now."""
        return self.ended is None and (self.expires is None or self.expires >= now.date())


def material_change(then: RiskState, now: RiskState) -> str:
    """Return what changed materially since a risk was decided on, in one sentence; empty: nothing did.

    Less risk is a change too when the appetite is crossed, but a mean that merely fell reopens nothing.
    """
    if (now.appetite, now.appetite_share) != (then.appetite, then.appetite_share):
        return "The appetite is another."
    over = {Stand.OVER, Stand.SURELY_OVER}
    if now.stand in over and then.stand not in over:
        return f"It has crossed the appetite: P(L > appetite) was {percent(then.over)}, now {percent(now.over)}."
    if now.events > then.events:
        return f"{now.events - then.events} more of its events have been seen."
    return _less_reliable(then, now) or _dearer(then, now)


def _less_reliable(then: RiskState, now: RiskState) -> str:
    for name, share in sorted(then.reliability.items()):
        left = now.reliability.get(name, 0.0)
        if share - left > RELIED:
            return f"{name} worked {percent(share)} of the time, now {percent(left)}."
    return ""


def _dearer(then: RiskState, now: RiskState) -> str:
    beyond = now.mean > then.mean * (1 + CHANGED) and now.mean > then.mean_band[1]
    if beyond or now.mean > then.mean * (1 + 2 * CHANGED):
        return f"The expected loss was € {then.mean:,.0f} a year and is now € {now.mean:,.0f}" + (
            ", above the band seen then." if beyond else "."
        )
    return ""


def state_plain(state: RiskState) -> dict[str, Any]:
    """Return a state as plain JSON values."""
    return {**asdict(state), "at": state.at.isoformat(), "reliability": dict(state.reliability)}


def state_of(plain: Mapping[str, Any]) -> RiskState:
    """Return a state from its plain values."""
    values = dict(plain) | {"at": datetime.fromisoformat(plain["at"])}
    for field in ("mean_band", "over_band"):
        values[field] = tuple(plain[field])
    return RiskState(**values)
