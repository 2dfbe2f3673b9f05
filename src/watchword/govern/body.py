"""Bodies: who sits in them for which domain, what makes a quorum, how often they meet, and what is wrong with a body's rules."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from enum import StrEnum
from typing import Final
from zoneinfo import available_timezones

from watchword.govern.decision_rules import Fallback

MOST_MEMBERS: Final = 60
MOST_ROLES: Final = 5
CHAIR, FACILITATOR, SCRIBE = "chair", "facilitator", "scribe"


class Seat(StrEnum):
    """For which side of the house a member speaks."""

    IT = "it"
    PHYSICAL = "physical"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody who sits in a body."""

    person: str
    """Account name."""
    seat: Seat
    mail: str = ""
    """Where invitations go; empty: none are sent."""
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class BodyRules:
    """What a body gave itself."""

    purpose: str = ""
    quorum: int = 3
    quorum_it: int = 1
    quorum_physical: int = 1
    fallback: Fallback = Fallback.SUPERMAJORITY
    decider: str = ""
    """Who decides after an escalation, where the fallback is a decider."""
    silence_consents: bool = False
    """Whether whoever says nothing counts towards the quorum; everywhere else silence is not consent."""
    zone: str = "UTC"
    cadence: str = "FREQ=MONTHLY;BYDAY=1TU"
    """RFC 5545 recurrence rule; empty: meetings are called by hand."""
    first: date = date(2026, 1, 1)
    at: time = time(10)
    """Local time at which meetings begin."""
    minutes: int = 60
    domain_share: float = 0.25
    """Least share of a meeting's minutes for each domain, as far as there is something to say; joint minutes count for both."""
    floor_eur: float = 5_000.0
    """What an unpriced thing weighs, in euro a year."""
    roles: tuple[str, ...] = (CHAIR, FACILITATOR, SCRIBE)
    takes: tuple[str, ...] = ()
    """Kinds of candidates that its agenda takes; empty: all."""
    holidays: tuple[date, ...] = ()
    question_days: int = 3
    objection_days: int = 2
    invite_days: int = 7
    """Days before a meeting on which invitations go out and the agenda's numbers freeze."""


@dataclass(frozen=True, slots=True)
class Body:
    """A body: a committee, board or circle that decides."""

    uid: str
    name: str
    rules: BodyRules
    members: tuple[Member, ...] = ()
    version: int = 1
    changed_at: datetime | None = None
    changed_by: str = ""

    @property
    def seats(self) -> Mapping[str, str]:
        """Return the domain of each member, by account name."""
        return {each.person: each.seat.value for each in self.members}

    @property
    def converged(self) -> bool:
        """Tell whether both sides of the house sit in it."""
        seats = {each.seat for each in self.members}
        return Seat.IT in seats and Seat.PHYSICAL in seats


@dataclass(slots=True)
class _Faults:
    found: list[str] = field(default_factory=list)

    def unless(self, holds: bool, words: str) -> None:
        if not holds:
            self.found.append(words)


def faults_of(name: str, rules: BodyRules, members: tuple[Member, ...]) -> list[str]:
    """Return, in words, everything that keeps a body from working as its rules say."""
    found = _Faults()
    seats = [each.seat for each in members]
    people = [each.person for each in members]
    found.unless(bool(name.strip()) and len(name) <= 100 and name.isprintable(), "it has no name of 1 to 100 characters")
    found.unless(0 < len(members) <= MOST_MEMBERS, f"it has 1 to {MOST_MEMBERS} members")
    found.unless(len(set(people)) == len(people), "somebody sits in it twice")
    found.unless(1 <= rules.quorum <= max(1, len(members)), f"a quorum of {rules.quorum} cannot be met by {len(members)} members")
    for seat, least in ((Seat.IT, rules.quorum_it), (Seat.PHYSICAL, rules.quorum_physical)):
        here = seats.count(seat)
        found.unless(0 <= least <= here, f"a quorum of {least} cannot be met by {here} members for {seat.value}")
        found.unless(least > 0 or not here, f"members for {seat.value} sit in it, and yet its quorum asks for none of them")
    found.unless(rules.fallback is not Fallback.DECIDER or rules.decider in people, "its decider is no member")
    found.unless(rules.zone in available_timezones(), f"{rules.zone[:40]!r} is no time zone")
    found.unless(5 <= rules.minutes <= 480, "a meeting lasts 5 to 480 minutes")
    found.unless(0 <= rules.domain_share <= 0.5, "the share of each domain lies between 0 and .5")
    found.unless(0 <= rules.floor_eur <= 1e9, "the floor value lies between 0 and 1,000,000,000 euro")
    roles = rules.roles
    found.unless(0 < len(roles) <= MOST_ROLES and len(set(roles)) == len(roles) and CHAIR in roles, "its roles name a chair, each once")
    found.unless(0 < rules.question_days <= 30 and 0 < rules.objection_days <= 30, "rounds last 1 to 30 working days")
    found.unless(1 <= rules.invite_days <= 60, "invitations go out 1 to 60 days ahead")
    return found.found
