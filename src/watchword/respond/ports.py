"""What respond asks the world to fill: responders that set states, channels that reach people, and facts about people's safety."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from sqlalchemy import Connection

from watchword.model.action import Action, Outcome
from watchword.respond.fire_fact import FireFact, FireState

__all__ = [
    "Auditor",
    "Channel",
    "Delivery",
    "FireFact",
    "FireState",
    "Heads",
    "IncidentLog",
    "Pages",
    "Responder",
    "SafetyFacts",
    "Sent",
]


class Responder(Protocol):
    """One product that can be told to set states. Asked again under the same key, it answers again and does nothing twice."""

    name: str
    verbs: frozenset[str]
    """Verbs of the catalogue that it carries out."""

    def do(self, action: Action, *, dry_run: bool = False) -> Outcome:
        """Set the state (or, on a dry run, say what would be sent); never raises for what the product answers."""
        ...

    def read(self, action: Action) -> Mapping[str, str] | None:
        """Read the state that the action would set; None when this product cannot be read."""
        ...


class SafetyFacts(Protocol):
    """Where the interlock learns of fire; the answer is never older than the call."""

    def fire(self, building: str) -> FireFact:
        """Return the fire state of a building (place uid) as of now; `unknown` when no panel speaks for it."""
        ...


class Delivery(StrEnum):
    """What a channel said of one message."""

    SENT = "sent"
    FAILED = "failed"
    TIMED_OUT = "timed_out"


@dataclass(frozen=True, slots=True)
class Sent:
    """The outcome of one attempt to send."""

    delivery: Delivery
    detail: str = ""


class Channel(Protocol):
    """One way of reaching people: mail, push, chat, SMS."""

    name: str
    kind: str

    def send(self, title: str, body: str, *, to: Sequence[str] = ()) -> Sent:
        """Send within a bounded time; never raises for what the other side does."""
        ...


class Auditor(Protocol):
    """Writes the audit log; with a connection, in its transaction."""

    def write(
        self,
        actor: str,
        action: str,
        target: str = "",
        reason: str = "",
        detail: Mapping[str, Any] | None = None,
        *,
        connection: Connection | None = None,
    ) -> object:
        """Append an entry."""
        ...


class IncidentLog(Protocol):
    """How runs, actions, pages and evidence write on an incident, within the transaction of what they did."""

    def append(
        self,
        connection: Connection,
        incident: str,
        kind: str,
        text: str,
        *,
        occurred_at: datetime,
        recorded_by: str,
        team: str = "",
        refs: Mapping[str, str] | None = None,
    ) -> None:
        """Append one timeline entry; `kind` is a word such as ``action``, ``page`` or ``step``; `refs` names uids."""
        ...

    def mark(
        self, connection: Connection, incident: str, moment: str, at: datetime, *, source: str, team: str = "", evidence: str = ""
    ) -> None:
        """Record a canonical moment (``t0`` … ``t12``) by machine; a later better knowledge is a revision, never an overwrite."""
        ...


class Pages(Protocol):
    """How actions and approvals have people called; within the transaction of what happened, once per key."""

    def page(
        self,
        connection: Connection,
        *,
        incident: str,
        severity: int,
        teams: Sequence[str],
        title: str,
        place: str,
        what_to_do: str,
        exercise: bool,
        key: str,
    ) -> object:
        """Call the teams' people on duty; severity 1 is the gravest."""
        ...


class Heads(Protocol):
    """Who is where now, in numbers."""

    def people_in(self, zone: str) -> int | None:
        """Return how many people are in a zone (place uid) now; None when the doors do not say."""
        ...
