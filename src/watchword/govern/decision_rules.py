"""Rules by which a body decides: working days, quorum in total and per domain, majorities, and the hash of what is decided."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from math import ceil
from typing import Any, Final
from zoneinfo import ZoneInfo

SATURDAY: Final = 5
SUPERMAJORITY: Final = 2 / 3
"""Share of all members, present or not."""


class Fallback(StrEnum):
    """What a body does with what consent could not settle."""

    SUPERMAJORITY = "supermajority"
    DECIDER = "decider"
    TABLE = "table"
    """It is tabled: nothing is decided."""


@dataclass(frozen=True, slots=True)
class Roll:
    """Who decides by which rule, as it stood when a text was put to them."""

    seats: Mapping[str, str]
    """Account → ``it``, ``physical`` or ``other``."""
    quorum: int
    per_domain: Mapping[str, int]
    fallback: Fallback = Fallback.SUPERMAJORITY
    decider: str = ""
    silence_consents: bool = False
    zone: str = "UTC"
    holidays: tuple[date, ...] = ()
    question_days: int = 3
    objection_days: int = 2

    def as_json(self) -> dict[str, Any]:
        """Return it as the log keeps it."""
        return {**asdict(self), "seats": dict(self.seats), "per_domain": dict(self.per_domain), "fallback": self.fallback.value} | {
            "holidays": [day.isoformat() for day in self.holidays]
        }

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> "Roll":
        """Return it from the log."""
        holidays = tuple(date.fromisoformat(day) for day in kept["holidays"])
        return cls(**{**kept, "fallback": Fallback(kept["fallback"]), "holidays": holidays})

    def quorum_lack(self, people: Iterable[str]) -> list[str]:
        """Return, in words, what is missing for a quorum when these people take part; empty: it is met."""
        here = [person for person in set(people) if person in self.seats]
        lack = [] if len(here) >= self.quorum else [f"{len(here)} of {self.quorum} members"]
        for domain, least in sorted(self.per_domain.items()):
            count = sum(self.seats[person] == domain for person in here)
            if count < least:
                lack.append(f"{count} of {least} for {'IT' if domain == 'it' else domain}")
        return lack

    @property
    def majority(self) -> int:
        """Return how many members must agree after an escalation."""
        return ceil(len(self.seats) * SUPERMAJORITY - 1e-9)


def is_working(day: date, holidays: Iterable[date]) -> bool:
    """Tell whether a day is Monday to Friday and none of the body's holidays."""
    return day.weekday() < SATURDAY and day not in set(holidays)


def working_days_after(moment: datetime, days: int, zone: str, holidays: tuple[date, ...] = ()) -> datetime:
    """Return the moment so many working days later, at the same time of day by the body's clock (aware UTC).

    A round that begins on a day off begins with the next working day's first minute.
    """
    tz = ZoneInfo(zone)
    local = moment.astimezone(tz)
    day, clock = local.date(), local.time()
    if not is_working(day, holidays):
        clock = clock.replace(hour=0, minute=0, second=0, microsecond=0)
        while not is_working(day, holidays):
            day += timedelta(days=1)
    left = days
    while left:
        day += timedelta(days=1)
        left -= is_working(day, holidays)
    return datetime.combine(day, clock, tz).astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Text:
    """What a body is asked to decide, word for word: all of this is frozen and hashed."""

    title: str
    question: str
    choice: str
    because: str
    review_on: date
    expects: Mapping[str, Any]
    """``metric, direction, size, by, subject``, as JSON holds them."""
    sets: Mapping[str, Any] = field(default_factory=dict)
    metrics: tuple[str, ...] = ()
    expires: date | None = None
    kind: str = "decision"
    subject: str = ""
    supersedes: str = ""

    def canonical(self) -> str:
        """Return the one JSON text of it: keys sorted, no spaces."""
        plain = {name: getattr(self, name) for name in self.__slots__}
        plain |= {"review_on": self.review_on.isoformat(), "expires": self.expires.isoformat() if self.expires else None}
        return canonical(plain | {"expects": dict(self.expects), "sets": dict(self.sets), "metrics": list(self.metrics)})

    @classmethod
    def parse(cls, kept: str) -> "Text":
        """Return it from its canonical JSON."""
        plain = json.loads(kept)
        expires = date.fromisoformat(plain["expires"]) if plain["expires"] else None
        return cls(**plain | {"review_on": date.fromisoformat(plain["review_on"]), "expires": expires, "metrics": tuple(plain["metrics"])})

    @property
    def hash(self) -> str:
        """Return the SHA-256 of its canonical JSON (64 hex digits)."""
        return sha256(self.canonical().encode()).hexdigest()


def canonical(value: Any) -> str:
    """Return the one JSON text of a value: keys sorted, no spaces."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
