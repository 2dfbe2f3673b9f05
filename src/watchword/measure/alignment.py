"""Policy alignment (K7) over plain values: statements aligned, parameters in conflict, and the two-clock gap of leavers."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from watchword.measure.calculator import hours
from watchword.measure.response_times import ShareFigures, share_of
from watchword.measure.survival import CENSORED, EVENT, Life
from watchword.model.metric import Window

LIMIT: Final = timedelta(hours=24)
"""How long after the end of work a right may live where no policy says otherwise."""


@dataclass(frozen=True, slots=True)
class StatementFacts:
    """What alignment asks of one policy statement in force."""

    uid: str
    owner_it: str
    owner_physical: str
    tested_controls: int
    """Controls that it is mapped to and that have a test."""
    review_by: date | None
    expired_exceptions: int = 0
    conflicts: int = 0


FAULTS: Final = ("owner", "control", "review", "exception", "conflict")


def faults_of(statement: StatementFacts, today: date) -> tuple[str, ...]:
    """Return what keeps a statement from being aligned: words of `FAULTS`; empty: it is aligned."""
    broken = {
        "owner": not (statement.owner_it.strip() and statement.owner_physical.strip()),
        "control": statement.tested_controls < 1,
        "review": statement.review_by is None or statement.review_by < today,
        "exception": statement.expired_exceptions > 0,
        "conflict": statement.conflicts > 0,
    }
    return tuple(word for word in FAULTS if broken[word])


def policy_alignment(statements: Sequence[StatementFacts], today: date) -> ShareFigures:
    """Return the share of statements with owners in both domains, a tested control, a review on time, no expired exception, no conflict."""
    return share_of(sum(not faults_of(statement, today) for statement in statements), len(statements))


def policy_conflict(conflicting: int, shared: int) -> ShareFigures:
    """Return the share of the parameters that both domains bind which conflict."""
    return share_of(conflicting, shared)


def expired_exceptions(ends: Iterable[date | None], today: date) -> int:
    """Return how many open exceptions are past their end."""
    return sum(end is not None and end < today for end in ends)


def acknowledged(done: int, concerned: int) -> ShareFigures:
    """Return the share of the people concerned who have acknowledged. It is reported, and never part of alignment."""
    return share_of(done, concerned)


@dataclass(frozen=True, slots=True)
class Leaver:
    """One person who left: when each kind of right ended. None: it is still alive, as far as we know."""

    person: str
    left: datetime
    account_off: datetime | None
    badge_off: datetime | None
    has_account: bool = True
    has_badge: bool = True

    def end_of_rights(self) -> datetime | None:
        """Return when the last right ended; None: one is alive."""
        ends = [end for end, there in ((self.account_off, self.has_account), (self.badge_off, self.has_badge)) if there]
        known = [end for end in ends if end is not None]
        return max(known) if ends and len(known) == len(ends) else None


def two_clock_gap(leavers: Iterable[Leaver], window: Window) -> list[tuple[Leaver, Life]]:
    """Return, for each person who left inside the window and had both, the hours between the end of the account and of the badge.

    A right that still lived at the window's end counts as waiting.
    """
    found = []
    for leaver in leavers:
        if not (leaver.has_account and leaver.has_badge and window.since <= leaver.left < window.until):
            continue
        ends = [min(end, window.until) if end is not None else window.until for end in (leaver.account_off, leaver.badge_off)]
        ended = [end is not None and end < window.until for end in (leaver.account_off, leaver.badge_off)]
        if not any(ended):
            found.append((leaver, Life(max(0.0, hours(window.until - leaver.left)), CENSORED)))
            continue
        found.append((leaver, Life(abs(hours(ends[0] - ends[1])), EVENT if all(ended) else CENSORED)))
    return found


def late_share(leavers: Iterable[Leaver], window: Window, limit: timedelta = LIMIT) -> ShareFigures:
    """Return the share of the people who left inside the window whose last right outlived their last day by more than the limit.

    Who left so lately that the limit has not passed, and still holds a right, is not counted yet.
    """
    late = known = 0
    for leaver in leavers:
        if not window.since <= leaver.left < window.until or not (leaver.has_account or leaver.has_badge):
            continue
        end = leaver.end_of_rights()
        due = leaver.left + limit
        if end is None and due >= window.until:
            continue
        known += 1
        late += end is None or end > due
    return share_of(late, known)
