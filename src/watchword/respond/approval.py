"""Approval rules: how many people of how many teams must agree to an action, who may not, for how long their word holds."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from watchword.model.action import Action, Hazard
from watchword.respond.speaker import account_of

EXPIRY: Final = timedelta(minutes=10)
"""How long a request waits, and how long a complete approval may be used."""
QUICK: Final = timedelta(seconds=5)
"""A yes so soon after the request was shown cannot have been read."""


@dataclass(frozen=True, slots=True)
class ApprovalRule:
    """N distinct people from M distinct teams; none when `count` is 0."""

    count: int = 0
    teams: int = 0
    """From how many teams they must be."""
    of: frozenset[str] = frozenset()
    """Teams that may answer; empty: all."""
    exclude_requester: bool = True
    expires_after: timedelta = EXPIRY

    @property
    def needed(self) -> bool:
        """Tell whether anybody must agree at all."""
        return self.count > 0


BY_HAZARD: Final = {
    Hazard.H0: ApprovalRule(),
    Hazard.H1: ApprovalRule(),
    Hazard.H2: ApprovalRule(1, 1),
    Hazard.H3: ApprovalRule(2, 2),
}
"""What a verb's hazard asks for when its entry in the catalogue says nothing else."""


def stricter(one: ApprovalRule, other: ApprovalRule) -> ApprovalRule:
    """Return the rule that satisfies both: a playbook may ask for more than the catalogue, never for less."""
    both = one.of & other.of if one.of and other.of else one.of | other.of
    if one.of and other.of and not both:
        both = one.of  # no team would do for both; the catalogue's own word stands
    return ApprovalRule(
        max(one.count, other.count),
        max(one.teams, other.teams),
        both,
        one.exclude_requester or other.exclude_requester,
        min(one.expires_after, other.expires_after),
    )


@dataclass(frozen=True, slots=True)
class Approver:
    """Who answers: the account that is logged in, whose it is, and for which team it speaks."""

    account: str
    name: str
    team: str
    role: str = ""
    person: str = ""
    """Uid of the person; two accounts of one person are one approver."""

    @property
    def identity(self) -> str:
        """Return what is counted: the person, or the account when nobody knows whose it is."""
        return self.person or self.account


class ApprovalState(StrEnum):
    """Where a request stands."""

    WAITING = "waiting"
    GRANTED = "granted"
    VETOED = "vetoed"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Vote:
    """One person's answer."""

    identity: str
    account: str
    name: str
    team: str
    yes: bool
    at: datetime
    shown_at: datetime | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Tally:
    """What the answers so far amount to."""

    state: ApprovalState
    people: int
    teams: frozenset[str]

    @property
    def complete(self) -> bool:
        """Tell whether enough people of enough teams said yes and nobody said no."""
        return self.state is ApprovalState.GRANTED


def tally(rule: ApprovalRule, votes: Sequence[Vote], requester: str = "") -> Tally:
    """Count the answers: one no stops; the same person counts once; the requester does not count where the rule leaves him out."""
    yes: dict[str, str] = {}
    asking, vetoed = account_of(requester), False
    for vote in votes:
        if not vote.yes:
            vetoed = True
        elif not (rule.exclude_requester and asking and asking in {account_of(vote.account), vote.identity}) and (
            not rule.of or vote.team in rule.of
        ):
            yes.setdefault(vote.identity, vote.team)
    teams = frozenset(team for team in yes.values() if team)
    if vetoed:
        return Tally(ApprovalState.VETOED, len(yes), teams)
    complete = len(yes) >= rule.count and len(teams) >= rule.teams
    return Tally(ApprovalState.GRANTED if complete else ApprovalState.WAITING, len(yes), teams)


def say_rule(rule: ApprovalRule) -> str:
    """Return the rule in words: ``2 people from 2 teams``."""
    if not rule.needed:
        return "nobody"
    people = "1 person" if rule.count == 1 else f"{rule.count} people"
    teams = f" from {rule.teams} teams" if rule.teams > 1 else ""
    of = f" of {', '.join(sorted(rule.of))}" if rule.of else ""
    return f"{people}{teams}{of}" + (", not the one who asks" if rule.exclude_requester else "")


def longer(action: Action, total: timedelta) -> Action:
    """Return the action that stands for extending a temporary state to a new total duration; its digest is its own."""
    return replace(action, revert_after=total, path=f"{action.path}#extend", key="")
