"""The after-action review: what happened, real or exercised, and what we change."""

from dataclasses import dataclass
from datetime import date, datetime

from watchword.model.decision import Effect, Expectation


@dataclass(frozen=True, slots=True)
class CorrectiveAction:
    """One thing that is changed after an incident; done and worked are two columns."""

    uid: str
    text: str
    owner: str
    team: str
    due: date
    expects: Expectation
    verify_on: date
    done: datetime | None = None
    effect: Effect = Effect.TOO_EARLY
    effect_because: str = ""
    carried: int = 0
    """In how many later reviews it stood open."""


@dataclass(frozen=True, slots=True)
class AfterAction:
    """A blameless review of one incident; at most three corrective actions."""

    uid: str
    of: str
    """Uid of the incident."""
    held: datetime
    facilitator: str
    present: tuple[tuple[str, str], ...]
    """Person and team."""
    helped: tuple[str, ...] = ()
    hindered: tuple[str, ...] = ()
    skills_used: tuple[str, ...] = ()
    skills_missing: tuple[str, ...] = ()
    actions: tuple[CorrectiveAction, ...] = ()
