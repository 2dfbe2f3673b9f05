"""Agenda candidates: what a rule, or a member, would have a body talk about, and how its weight is made up."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

LONGEST_AHEAD: Final = 30
"""Days before a due date from which it begins to press."""


class IsoInput(StrEnum):
    """What a management review is owed (ISO/IEC 27001, 9.3), in our words; each once a quarter."""

    ACTIONS = "earlier actions"
    CHANGES = "changes"
    NONCONFORMITIES = "nonconformities"
    MEASUREMENTS = "measurements"
    AUDITS = "audits"
    OBJECTIVES = "objectives"
    RISKS = "risk status"
    IMPROVEMENT = "improvement"


@dataclass(frozen=True, slots=True)
class Candidate:
    """One thing that could be on an agenda. Other rooms hand these in; the body's rule chooses among them."""

    kind: str
    """``risk``, ``budget``, ``evidence``, ``exception``, ``action``, ``conflict``, ``review``, ``metric``, ``skill``, ``item`` …"""
    title: str
    why: str
    """One sentence: what is the matter, with its numbers."""
    delta_risk_eur: float | None = None
    """Euro a year that hang on it; None: unpriced, it takes the body's floor value."""
    urgency: float = 1.0
    """1 (30 days before it is due) to 3 (overdue); see `urgency_of`."""
    staleness: float = 1.0
    """1 (fresh) to 3 (three times its time to live); see `staleness_of`."""
    minutes: int = 10
    domain: str = "joint"
    """``it``, ``physical`` or ``joint``; joint minutes count for both."""
    iso_input: IsoInput | None = None
    refs: tuple[str, ...] = ()
    """What it is about, as ``KIND:UID``."""
    metrics: tuple[str, ...] = ()
    """Uids of the Metrics to be frozen with it."""

    @property
    def key(self) -> str:
        """Return what makes it the same thing at the next meeting: its kind and what it is about, else its title."""
        return f"{self.kind}|{'|'.join(sorted(self.refs)) or self.title}"


def urgency_of(due: date, today: date, ahead: int = LONGEST_AHEAD) -> float:
    """Return 1 at `ahead` days before the due date or earlier, 2 halfway, 3 on the day and after."""
    left = (due - today).days
    return 3.0 - 2.0 * min(max(left, 0), ahead) / ahead


def staleness_of(age_days: float, ttl_days: float) -> float:
    """Return 1 within the time to live, rising to 3 at three times it."""
    if ttl_days <= 0:
        return 3.0
    return min(3.0, max(1.0, age_days / ttl_days))


def value_of(candidate: Candidate, passed_over: int, floor_eur: float) -> float:
    """Return the weight v = Δrisk (€) · urgency · staleness · (1 + meetings passed over); unpriced things take the floor."""
    worth = floor_eur if candidate.delta_risk_eur is None else max(0.0, candidate.delta_risk_eur)
    return worth * min(max(candidate.urgency, 1.0), 3.0) * min(max(candidate.staleness, 1.0), 3.0) * (1 + max(0, passed_over))
