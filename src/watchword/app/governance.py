"""The governance of a running house: bodies, meetings, proposals and decisions, and what the other slices add to them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from watchword.app.audit import Audit
from watchword.govern.candidate import Candidate
from watchword.govern.decision_service import Decisions
from watchword.kit.clock import Clock
from watchword.kit.records import Records


@dataclass(slots=True)
class Governance:
    """Everything that decides. Part of a `Watchword`; each slice adds its services here."""

    decisions: Decisions
    candidates: list[Callable[[datetime], list[Candidate]]] = field(default_factory=list)
    """What could be on an agenda now; each slice appends its own."""


def open_governance(records: Records, clock: Clock, audit: Audit) -> Governance:
    """Put the parts together; nothing is done yet."""
    return Governance(Decisions(records, clock, audit))
