"""Deeds: the rows of actions: intents committed before acting, their outcomes, the temporary states in force and when they end."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, or_, select, update

from watchword.kit.ids import uid_of
from watchword.kit.records import Records
from watchword.model.action import Action, Outcome, OutcomeStatus
from watchword.respond.action_tables import action as table
from watchword.respond.rendering import action_of, body_of, outcome_body, outcome_of

OPEN = "open"
"""The state of an intent without outcome."""


@dataclass(frozen=True, slots=True)
class Deed:
    """One action as kept: what was asked, what came of it, whether its state still holds."""

    uid: str
    sent: Action
    """As handed to the responder, with a zone's doors filled in."""
    digest: str
    """Of the action as it was asked for and approved."""
    securing: bool
    buildings: tuple[str, ...]
    approval: str
    reverts: str
    """Key of the action that this one undoes."""
    state: str
    """``open``, or the outcome's status."""
    fence: int
    intended_at: datetime
    claimed_at: datetime
    outcome: Outcome | None = None
    outcome_at: datetime | None = None
    cancelled_at: datetime | None = None
    revert_at: datetime | None = None
    revert_tries: int = 0
    ended_at: datetime | None = None
    ended_by: str = ""
    told: bool = False

    @property
    def key(self) -> str:
        """Return the idempotency key."""
        return self.sent.key


class Deeds:
    """Keeps and finds deeds. Methods that take a connection join the caller's transaction."""

    def __init__(self, records: Records) -> None:
        self.records = records

    # writing

    def intend(self, connection: Connection, deed: Deed) -> None:
        """Keep a new intent, or a refusal with its outcome."""
        connection.execute(
            insert(table).values(
                uid=deed.uid,
                key=deed.key,
                digest=deed.digest,
                verb=deed.sent.verb,
                target=deed.sent.target[:300],
                body=body_of(deed.sent),
                incident=deed.sent.incident,
                run=deed.sent.run,
                exercise=deed.sent.exercise,
                securing=deed.securing,
                buildings=list(deed.buildings),
                approval=deed.approval,
                reverts=deed.reverts,
                state=deed.state,
                fence=deed.fence,
                intended_at=deed.intended_at,
                claimed_at=deed.claimed_at,
                outcome=None if deed.outcome is None else outcome_body(deed.outcome),
                outcome_at=deed.outcome_at,
                cancelled_at=None,
                revert_at=deed.revert_at,
                revert_tries=0,
                ended_at=deed.ended_at,
                ended_by=deed.ended_by,
                told=False,
            )
        )

    def take_up(self, connection: Connection, uid: str, now: datetime) -> Deed | None:
        """Take an open intent over; whoever had it before can no longer conclude it. None when it is concluded."""
        step = update(table).where(table.c.uid == uid, table.c.state == OPEN).values(fence=table.c.fence + 1, claimed_at=now)
        row = connection.execute(step.returning(table)).first()
        return None if row is None else _deed(row)

    def conclude(
        self,
        connection: Connection,
        deed: Deed,
        outcome: Outcome,
        *,
        revert_at: datetime | None,
        ended_at: datetime | None,
        ended_by: str = "",
        cancelled: bool = False,
    ) -> bool:
        """Keep the outcome of an open intent; False when another took it up, or a fire alarm cancelled it and `cancelled` is not said."""
        mine = (table.c.uid == deed.uid) & (table.c.fence == deed.fence) & (table.c.state == OPEN)
        if not cancelled:
            mine &= table.c.cancelled_at.is_(None)
        values = {
            "state": outcome.status.value,
            "outcome": outcome_body(outcome),
            "outcome_at": outcome.at,
            "revert_at": revert_at,
            "ended_at": ended_at,
            "ended_by": ended_by,
        }
        return bool(connection.execute(update(table).where(mine).values(**values)).rowcount)

    def cancel(self, connection: Connection, uids: Iterable[str], now: datetime) -> list[Deed]:
        """Mark securing deeds as cancelled by an alarm and return those that were not over, as they stand now."""
        step = (
            update(table)
            .where(table.c.uid.in_(list(uids)), table.c.ended_at.is_(None), table.c.cancelled_at.is_(None))
            .values(cancelled_at=now, revert_at=now)  # should its release fail, it is due at once and tried again
            .returning(table)
        )
        return [_deed(row) for row in connection.execute(step).all()]

    def end(self, connection: Connection, uids: Iterable[str], now: datetime, by: str) -> int:
        """Say that states hold no longer."""
        step = update(table).where(table.c.uid.in_(list(uids)), table.c.ended_at.is_(None)).values(ended_at=now, ended_by=by[:200])
        return connection.execute(step).rowcount

    def claim_revert(self, connection: Connection, deed: Deed, again_at: datetime) -> bool:
        """Take one due revert: True for one caller only; it becomes due again at a moment unless the state ends before."""
        due = (table.c.uid == deed.uid) & (table.c.revert_tries == deed.revert_tries) & table.c.ended_at.is_(None)
        step = update(table).where(due).values(revert_tries=table.c.revert_tries + 1, revert_at=again_at)
        return bool(connection.execute(step).rowcount)

    def extend(self, connection: Connection, uid: str, revert_at: datetime) -> bool:
        """Move the end of a temporary state; False when it is over, or being ended."""
        still = table.c.ended_at.is_(None) & table.c.cancelled_at.is_(None) & (table.c.revert_tries == 0)
        return bool(connection.execute(update(table).where(table.c.uid == uid, still).values(revert_at=revert_at)).rowcount)

    def mark_told(self, uid: str) -> None:
        """Say that a deed was handed to the front door."""
        with self.records.begin() as connection:
            connection.execute(update(table).where(table.c.uid == uid).values(told=True))

    # finding

    def find(self, connection: Connection, key: str) -> Deed | None:
        """Return the deed of a key."""
        row = connection.execute(select(table).where(table.c.key == key)).first()
        return None if row is None else _deed(row)

    def get(self, uid: str) -> Deed | None:
        """Return a deed by its uid."""
        found = self._list(select(table).where(table.c.uid == uid))
        return found[0] if found else None

    def of_key(self, key: str) -> Deed | None:
        """Return the deed of a key, outside of any transaction."""
        found = self._list(select(table).where(table.c.key == key))
        return found[0] if found else None

    def standing(self) -> list[Deed]:
        """Return what may still hold in the world: everything not over, open intents included, oldest first."""
        return self._list(select(table).where(table.c.ended_at.is_(None)).order_by(table.c.intended_at, table.c.uid))

    def open_before(self, moment: datetime) -> list[Deed]:
        """Return intents that nobody has carried on since a moment."""
        return self._list(select(table).where(table.c.state == OPEN, table.c.claimed_at < moment).order_by(table.c.intended_at))

    def due(self, now: datetime, limit: int = 100) -> list[Deed]:
        """Return concluded temporary states whose time is over."""
        over = table.c.ended_at.is_(None) & (table.c.revert_at <= now) & (table.c.state != OPEN)
        return self._list(select(table).where(over).order_by(table.c.revert_at, table.c.uid).limit(limit))

    def untold(self, before: datetime, limit: int = 100) -> list[Deed]:
        """Return concluded deeds that were not handed to the front door though they should have been."""
        query = select(table).where(table.c.told.is_(False), table.c.state != OPEN, table.c.outcome_at < before)
        return self._list(query.order_by(table.c.outcome_at).limit(limit))

    def search(self, *, incident: str = "", run: str = "", target: str = "", limit: int = 200) -> list[Deed]:
        """Return deeds of an incident, run or target, newest first."""
        query = select(table).order_by(table.c.intended_at.desc(), table.c.uid).limit(limit)
        for column, value in ((table.c.incident, incident), (table.c.run, run), (table.c.target, target)):
            if value:
                query = query.where(column == value)
        return self._list(query)

    def holding(self, connection: Connection, verbs: Iterable[str], target: str, but: str = "") -> list[Deed]:
        """Return the states on a target, set by one of the verbs, that are in force or may be."""
        query = select(table).where(
            table.c.target == target[:300],
            table.c.verb.in_(list(verbs)),
            table.c.ended_at.is_(None),
            table.c.uid != but,
            or_(table.c.state != OPEN, table.c.cancelled_at.is_(None)),
        )
        return [_deed(row) for row in connection.execute(query.order_by(table.c.intended_at)).all()]

    def _list(self, query: Any) -> list[Deed]:
        with self.records.read() as connection:
            return [_deed(row) for row in connection.execute(query).all()]


def new_deed(sent: Action, digest: str, now: datetime, **more: Any) -> Deed:
    """Return the deed of an action that begins now."""
    values = {"securing": False, "buildings": (), "approval": "", "reverts": "", "state": OPEN, **more}
    return Deed(uid_of("action", sent.key), sent, digest, fence=1, intended_at=now, claimed_at=now, **values)


def refused(sent: Action, digest: str, outcome: Outcome, **more: Any) -> Deed:
    """Return the deed of an action that was refused: over as soon as it began."""
    return new_deed(
        sent, digest, outcome.at, state=OutcomeStatus.REFUSED.value, outcome=outcome, outcome_at=outcome.at, ended_at=outcome.at, **more
    )


def _deed(row: Row[Any]) -> Deed:
    return Deed(
        row.uid,
        action_of(row.body),
        row.digest,
        row.securing,
        tuple(row.buildings),
        row.approval,
        row.reverts,
        row.state,
        row.fence,
        row.intended_at,
        row.claimed_at,
        None if row.outcome is None else outcome_of(row.outcome),
        row.outcome_at,
        row.cancelled_at,
        row.revert_at,
        row.revert_tries,
        row.ended_at,
        row.ended_by,
        row.told,
    )
