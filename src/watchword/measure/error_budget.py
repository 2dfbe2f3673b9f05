"""Error budgets (K2): how much of the promised uptime may still be lost, how fast it goes, and when that calls somebody."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from watchword.measure.uptime import ZERO, Span, State, clip
from watchword.model.metric import Window
from watchword.model.uptime import ServiceObjective

LEAST_EVENTS: Final = 10
LEAST_BAD: Final = 2
"""An indicator that counts events alerts only with so many in the long window, and so many bad ones."""


class AlertKind(StrEnum):
    """How loud a burning budget is."""

    PAGE = "page"
    TICKET = "ticket"


@dataclass(frozen=True, slots=True)
class BurnRule:
    """Burning faster than `over` in both windows calls somebody: the long one says it matters, the short one that it is still so."""

    kind: AlertKind
    over: float
    long: timedelta
    short: timedelta


RULES: Final = (
    BurnRule(AlertKind.PAGE, 14.4, timedelta(hours=1), timedelta(minutes=5)),
    BurnRule(AlertKind.PAGE, 6.0, timedelta(hours=6), timedelta(minutes=30)),
    BurnRule(AlertKind.TICKET, 1.0, timedelta(days=3), timedelta(hours=6)),
)
"""Google SRE Workbook, alerting on SLOs: 2 %, 5 % and 10 % of a 30-day budget."""


@dataclass(frozen=True, slots=True)
class Budget:
    """A budget at one moment."""

    objective: ServiceObjective
    window: Window
    allowed: timedelta
    """B = (1 - SLO) · T, of the window less planned work."""
    spent: timedelta
    """Time neither up nor planned: unknown counts as spent."""
    unknown: timedelta
    """How much of `spent` was unknown: the budget may be better than it looks by so much, and not more."""

    @property
    def left(self) -> timedelta:
        """What may still be lost; below zero: overdrawn."""
        return self.allowed - self.spent

    @property
    def left_share(self) -> float:
        """Share of the budget that is left, at most 1; below zero: overdrawn."""
        return self.left / self.allowed if self.allowed else 0.0

    @property
    def exhausted(self) -> bool:
        """Tell whether it is used up: then no change that is not urgent is made on that service."""
        return self.left <= ZERO


def bad_time(spans: Sequence[Span], window: Window) -> tuple[timedelta, timedelta, timedelta]:
    """Return (bad, unknown, exposure): time neither up nor planned, the part of it that was unknown, and time that counts.

    What no span speaks of lies before the first thing that was heard, and is left out: a budget begins with the watch.
    """
    bad = unknown = exposure = ZERO
    for span in clip(spans, window):
        if span.state is State.PLANNED:
            continue
        exposure += span.length
        if span.state is not State.UP:
            bad += span.length
        if span.state is State.UNKNOWN:
            unknown += span.length
    return bad, unknown, exposure


def budget(objective: ServiceObjective, spans: Sequence[Span], now: datetime) -> Budget:
    """Return the budget of the rolling window that ends now. The window is whole even where the watch is younger."""
    window = Window(now - objective.window, now)
    bad, unknown, _ = bad_time(spans, window)
    planned = sum((span.length for span in clip(spans, window) if span.state is State.PLANNED), ZERO)
    return Budget(objective, window, (1 - objective.share) * (objective.window - planned), bad, unknown)


def burn(spans: Sequence[Span], share: float, long: timedelta, now: datetime) -> float:
    """Return burn = (bad / w) / (1 - SLO) over the window w that ends now: 1 uses the budget up exactly at its end."""
    bad, _, _ = bad_time(spans, Window(now - long, now))
    return bad / long / (1 - share)


def burn_of_events(good: int, bad: int, share: float) -> float:
    """Return the burn of an indicator that counts events (door opens, alarms); 0 without events."""
    return bad / (good + bad) / (1 - share) if good + bad else 0.0


@dataclass(frozen=True, slots=True)
class Alert:
    """A budget that burns too fast."""

    rule: BurnRule
    burn: float
    """Over the long window."""
    short_burn: float


def alerts(spans: Sequence[Span], share: float, now: datetime) -> list[Alert]:
    """Return the rules that fire now, the loudest first; of two pages the faster burn alone."""
    found: list[Alert] = []
    for rule in RULES:
        long, short = burn(spans, share, rule.long, now), burn(spans, share, rule.short, now)
        if long > rule.over and short > rule.over and not any(each.rule.kind is rule.kind for each in found):
            found.append(Alert(rule, long, short))
    return found


def alerts_of_events(long: tuple[int, int], short: tuple[int, int], rule: BurnRule, share: float) -> Alert | None:
    """Return whether the rule fires for (good, bad) events of its two windows.

    Few events say little: it is silent below `LEAST_EVENTS` events or `LEAST_BAD` bad ones in the long window.
    """
    if sum(long) < LEAST_EVENTS or long[1] < LEAST_BAD:
        return None
    slow, fast = burn_of_events(*long, share), burn_of_events(*short, share)
    return Alert(rule, slow, fast) if slow > rule.over and fast > rule.over else None
