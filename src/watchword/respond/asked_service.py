"""Requests for approval as they are kept: the request with its answers, whether it stands for an action, and who merely clicks through."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, Connection, Row, case, func, select, type_coerce

from watchword.model.action import Action
from watchword.respond.action_tables import action as actions
from watchword.respond.action_tables import approval_vote
from watchword.respond.approval import QUICK, ApprovalRule, ApprovalState, Vote, say_rule, stricter, tally
from watchword.respond.rendering import action_of, rule_of


@dataclass(frozen=True, slots=True)
class ApprovalView:
    """One request with its answers."""

    uid: str
    run: str
    path: str
    digest: str
    action: Action
    rule: ApprovalRule
    state: ApprovalState
    asked_by: str
    asked_at: datetime
    expires_at: datetime
    decided_at: datetime | None
    votes: tuple[Vote, ...]
    glass: bool = False
    """The glass was broken: one named role in place of the approvers."""
    used_by: str = ""
    """Key of the action that it was used for; an approval is good for one."""

    @property
    def missing(self) -> str:
        """Say what is still missing, in words; empty when nothing is."""
        count = tally(self.rule, self.votes, self.asked_by)
        if self.state is not ApprovalState.WAITING:
            return ""
        return f"{count.people} of {say_rule(self.rule)}"


@dataclass(frozen=True, slots=True)
class Fatigue:
    """How one approver has answered lately: a person who always says yes, at once, is no safeguard."""

    account: str
    decisions: int
    yes: int
    quick: int
    """Yeses within five seconds of being shown."""

    @property
    def tired(self) -> bool:
        """Tell whether it looks like clicking through: five answers or more, all of them yes, half of them at once."""
        return self.decisions >= 5 and self.yes == self.decisions and self.quick * 2 >= self.decisions


def fatigue_of(connection: Connection, since: datetime) -> list[Fatigue]:
    """Return how each approver answered since a moment, those who clicked through first."""
    table = approval_vote
    took = type_coerce(table.c.at, BigInteger) - type_coerce(table.c.shown_at, BigInteger)
    quick = case((table.c.yes & (took <= QUICK // timedelta(milliseconds=1)), 1), else_=0)
    query = (
        select(table.c.account, func.count(), func.sum(case((table.c.yes, 1), else_=0)), func.sum(quick))
        .where(table.c.at >= since)
        .group_by(table.c.account)
        .order_by(table.c.account)
    )
    found = [Fatigue(account, int(count), int(yes), int(soon)) for account, count, yes, soon in connection.execute(query)]
    return sorted(found, key=lambda each: (not each.tired, -each.quick, each.account))


def fault_of(view: ApprovalView, action: Action, rule: ApprovalRule, now: datetime) -> str:
    """Return why an approval does not stand for an action, or ''."""
    whole = stricter(rule, view.rule)
    lasts = view.decided_at is not None and now <= view.decided_at + whole.expires_after
    counts = (tally(whole, view.votes, requester).complete for requester in (view.asked_by, action.requested_by))
    tests = (
        ("approval-void", view.digest == action.digest == view.action.digest),
        ("approval-elsewhere", (view.run, view.path) == (action.run, action.path)),
        ("vetoed", view.state is not ApprovalState.VETOED and all(vote.yes for vote in view.votes)),
        ("approval-expired", view.state is not ApprovalState.EXPIRED),
        ("approval-incomplete", view.state is ApprovalState.GRANTED),
        ("approval-expired", lasts),
        ("approval-incomplete", view.glass or all(counts)),
    )
    return next((code for code, holds in tests if not holds), "")


def came_to_nothing(connection: Connection, key: str) -> bool:
    """Tell whether the action that an approval was used for did nothing, so that it may be tried again."""
    state = connection.execute(select(actions.c.state).where(actions.c.key == key)).scalar()
    return state in {"refused", "failed"}


def votes_of(connection: Connection, uid: str) -> tuple[Vote, ...]:
    """Return the answers to a request, in order."""
    table = approval_vote
    rows = connection.execute(select(table).where(table.c.approval == uid).order_by(table.c.at, table.c.identity))
    return tuple(Vote(row.identity, row.account, row.name, row.team, row.yes, row.at, row.shown_at, row.reason) for row in rows)


def view_of(row: Row[Any], votes: tuple[Vote, ...]) -> ApprovalView:
    """Return a request as kept, with its answers."""
    return ApprovalView(
        row.uid,
        row.run,
        row.path,
        row.digest,
        action_of(row.body),
        rule_of(row.rule),
        ApprovalState(row.state),
        row.asked_by,
        row.asked_at,
        row.expires_at,
        row.decided_at,
        votes,
        row.glass,
        row.used_by,
    )
