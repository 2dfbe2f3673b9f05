"""Meetings kept: the series by a body's rule, who takes which role, who is there, what is on the shared screen, and the end."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from watchword.govern import committee_tables as tables
from watchword.govern.body import CHAIR, Body
from watchword.govern.committee_service import Committees
from watchword.govern.meeting import ItemState, Meeting, MeetingState, Present
from watchword.govern.meeting_calendar import occurrences
from watchword.govern.rotation import Term, rotate
from watchword.ingest.ledger import Ledger
from watchword.kit.clock import Clock, to_millisecond
from watchword.kit.errors import Conflict, InputError, NotFound
from watchword.kit.ids import random_uid
from watchword.kit.records import Records
from watchword.respond.ports import Auditor

AHEAD: Final = 6
"""Meetings planned ahead."""
LONGEST: Final = 4_000
MOST: Final = 500
EARLIEST_OPENING: Final = timedelta(hours=2)
UNDER_WAY: Final = frozenset({MeetingState.FROZEN, MeetingState.OPEN})


class Meetings:
    """Keeps meetings in `Records`; every change is audited in the same transaction and told to the pages."""

    def __init__(self, records: Records, clock: Clock, auditor: Auditor, committees: Committees) -> None:
        self._records, self._clock, self._auditor, self._committees = records, clock, auditor, committees
        self._ledger = Ledger(records)

    # the series

    def plan(self, body: str, *, by: str = "watchword") -> int:
        """Make the meetings ahead that a body's rule asks for, and give roles to those that have none; return how many were made.

        Raises:
            NotFound: there is no such body.
        """
        kept, now = self._committees.get(body), to_millisecond(self._clock.now())
        table, made = tables.meeting, 0
        with self._records.begin() as connection:
            have = {row.starts for row in connection.execute(select(table.c.starts).where(table.c.body == kept.uid))}
            for starts in occurrences(kept.rules, now, AHEAD):
                if starts not in have:
                    self._make(connection, kept, starts, kept.rules.minutes)
                    made += 1
            if made:
                self._auditor.write(by, "meeting.plan", kept.uid, detail={"made": made}, connection=connection)
        if made or self._bare(kept):
            self.assign(kept.uid, by=by)
        return made

    def call(self, body: str, starts: datetime, minutes: int, *, by: str) -> str:
        """Call a meeting by hand and return its uid.

        Raises:
            InputError: it lies in the past, or lasts too long.
            Conflict: the body meets then already.
            Forbidden: whoever calls it does not sit in the body.
        """
        now = to_millisecond(self._clock.now())
        if starts < now - timedelta(minutes=15) or not 5 <= minutes <= 480:
            raise InputError("a meeting begins from now on and lasts 5 to 480 minutes", "starts")
        with self._records.begin() as connection:
            kept = self._committees.within(connection, body)
            self._committees.seat(connection, kept.uid, by)
            table, start = tables.meeting, to_millisecond(starts)
            if connection.execute(select(table.c.uid).where(table.c.body == kept.uid, table.c.starts == start)).first() is not None:
                raise Conflict("this body meets then already")
            uid = self._make(connection, kept, start, minutes)
            self._auditor.write(by, "meeting.call", uid, detail={"body": kept.uid, "starts": start.isoformat()}, connection=connection)
            self._ledger.append_change(connection, "meeting", uid, {"body": kept.uid}, now)
        self.assign(kept.uid, by=by)
        return uid

    def cancel(self, uid: str, *, by: str, reason: str) -> None:
        """Cancel a meeting that has not begun.

        Raises:
            InputError: no reason is given.
            Conflict: it has begun or is over.
            Forbidden: whoever cancels it does not sit in the body.
        """
        if not reason.strip() or len(reason) > LONGEST:
            raise InputError("say why the meeting does not take place", "reason")
        with self._records.begin() as connection:
            row = self._row(connection, uid)
            self._committees.seat(connection, row.body, by)
            if row.state not in {MeetingState.PLANNED.value, MeetingState.FROZEN.value}:
                raise Conflict(f"this meeting is {row.state}")
            self._set(connection, row, {"state": MeetingState.CANCELLED.value, "version": row.version + 1}, by, "cancel", reason)

    def assign(self, body: str, *, by: str, anew: bool = False) -> Sequence[str]:
        """Give the roles of the planned meetings: those that have none, or all of them (`anew`: members or absences changed).

        Returns:
            The rules that could not hold, in words.
        """
        kept, table = self._committees.get(body), tables.meeting
        absences = self._committees.absences(kept.uid)
        with self._records.begin() as connection:
            query = select(table).where(table.c.body == kept.uid, table.c.state != MeetingState.CANCELLED.value)
            rows = list(connection.execute(query.order_by(table.c.starts)))
            wanted = [row for row in rows if row.state == MeetingState.PLANNED.value and (anew or not row.roles)]
            if not wanted:
                return ()
            chosen = {row.uid for row in wanted}
            before = [row for row in rows if row.uid not in chosen and row.roles]
            zone = ZoneInfo(kept.rules.zone)
            days = [row.starts.astimezone(zone).date() for row in wanted]
            away = {(each.person, number) for each in absences for number, day in enumerate(days) if each.since <= day <= each.until}
            earlier = [row.roles for row in before if row.starts < wanted[0].starts]
            term = Term(
                dict(kept.seats),
                len(wanted),
                kept.rules.roles,
                frozenset(away),
                _count(before, only=CHAIR),
                _count(before),
                earlier[-1].get(CHAIR, "") if earlier else "",
            )
            found = rotate(term)
            for row, roles in zip(wanted, found.roles, strict=True):
                values = {"roles": dict(roles), "dropped": list(found.dropped)}
                connection.execute(update(table).where(table.c.uid == row.uid).values(**values))
            detail = {"meetings": len(wanted), "dropped": list(found.dropped), "spread": found.spread}
            self._auditor.write(by, "meeting.roles", kept.uid, detail=detail, connection=connection)
            self._ledger.append_change(connection, "meeting", kept.uid, {"body": kept.uid}, self._clock.now())
        return found.dropped

    def _bare(self, body: Body) -> bool:
        return any(not each.roles for each in self.list(body.uid, ahead=True) if each.state is MeetingState.PLANNED)

    def _make(self, connection: Connection, body: Body, starts: datetime, minutes: int) -> str:
        table, uid = tables.meeting, random_uid()
        last = connection.execute(select(func.coalesce(func.max(table.c.number), 0)).where(table.c.body == body.uid)).scalar_one()
        times = {"starts": starts, "ends": starts + timedelta(minutes=minutes)}
        bare = {"state": MeetingState.PLANNED.value, "roles": {}, "dropped": [], "agenda_dropped": [], "current": "", "version": 1}
        connection.execute(insert(table).values(uid=uid, body=body.uid, number=last + 1, **times, **bare))
        return uid

    # at the meeting

    def open(self, uid: str, *, by: str) -> None:
        """Open a meeting whose agenda stands.

        Raises:
            Conflict: its agenda does not stand yet, it is long before its time, or it is over.
            Forbidden: whoever opens it does not sit in the body.
        """
        now = to_millisecond(self._clock.now())
        with self._records.begin() as connection:
            row = self._row(connection, uid)
            seat = self._committees.seat(connection, row.body, by)
            if row.state != MeetingState.FROZEN.value:
                raise Conflict(
                    f"this meeting is {row.state}: its agenda is frozen first" if row.state == "planned" else f"it is {row.state}"
                )
            if now < row.starts - EARLIEST_OPENING:
                raise Conflict("it is too early: a meeting opens at most two hours before its time")
            self._set(connection, row, {"state": MeetingState.OPEN.value, "opened": now}, by, "open")
            self._attend(connection, uid, by, seat, here=True, now=now)

    def attend(self, uid: str, person: str, *, here: bool, by: str) -> None:
        """Say that a member is there, or excused.

        Raises:
            Conflict: the meeting is over.
            Forbidden: they, or whoever says so, do not sit in the body.
        """
        now = to_millisecond(self._clock.now())
        with self._records.begin() as connection:
            row = self._row(connection, uid)
            self._committees.seat(connection, row.body, by)
            seat = self._committees.seat(connection, row.body, person)
            if row.state in {MeetingState.CLOSED.value, MeetingState.CANCELLED.value}:
                raise Conflict(f"this meeting is {row.state}")
            self._attend(connection, uid, person, seat, here=here, now=now)
            detail = {"person": person, "here": here}
            self._auditor.write(by, "meeting.attend", uid, detail=detail, connection=connection)
            self._ledger.append_change(connection, "meeting", uid, {"body": row.body}, now)

    def _attend(self, connection: Connection, uid: str, person: str, seat: str, *, here: bool, now: datetime) -> None:
        table = tables.presence
        connection.execute(delete(table).where(table.c.meeting == uid, table.c.person == person))
        state = "present" if here else "excused"
        connection.execute(insert(table).values(meeting=uid, person=person, domain=seat, state=state, at=now))

    def show(self, uid: str, item: str, *, by: str) -> None:
        """Put an item on the shared screen; empty: the agenda.

        Raises:
            Conflict: the meeting is not open.
        """
        with self._records.begin() as connection:
            row = self._row(connection, uid)
            self._committees.seat(connection, row.body, by)
            self._open_now(row)
            self._set(connection, row, {"current": item[:32]}, by, "show")

    def settle(self, item: str, outcome: str, *, done: bool, by: str) -> None:
        """Say what came of an item; not done, it is carried to the next meeting.

        Raises:
            InputError: nothing is said of an item that is done.
            Conflict: the meeting is not open.
            NotFound: there is no such item.
        """
        words, table, now = outcome.strip(), tables.agenda_item, to_millisecond(self._clock.now())
        if (done and not words) or len(words) > LONGEST:
            raise InputError(f"say in at most {LONGEST:,} characters what came of it", "outcome")
        with self._records.begin() as connection:
            found = connection.execute(select(table).where(table.c.uid == item)).first()
            if found is None:
                raise NotFound("there is no such item")
            row = self._row(connection, found.meeting)
            self._committees.seat(connection, row.body, by)
            self._open_now(row)
            state = ItemState.DONE if done else ItemState.CARRIED
            connection.execute(update(table).where(table.c.uid == item).values(state=state.value, outcome=words, closed=now))
            self._set(connection, row, {}, by, "settle", words[:1000])

    def close(self, uid: str, *, by: str) -> None:
        """Close a meeting: what is open is carried, and members' items of it go to the next one.

        Raises:
            Conflict: it is not open.
        """
        now, items = to_millisecond(self._clock.now()), tables.agenda_item
        with self._records.begin() as connection:
            row = self._row(connection, uid)
            self._committees.seat(connection, row.body, by)
            self._open_now(row)
            still = (items.c.meeting == uid) & (items.c.state == ItemState.OPEN.value) & (items.c.position > 0)
            connection.execute(update(items).where(still).values(state=ItemState.CARRIED.value))
            self._carry(connection, row)
            self._set(connection, row, {"state": MeetingState.CLOSED.value, "closed": now, "current": ""}, by, "close")

    def _carry(self, connection: Connection, row: Row[Any]) -> None:
        table, items = tables.meeting, tables.agenda_item
        after = select(table.c.uid).where(table.c.body == row.body, table.c.starts > row.starts, table.c.state == "planned")
        following = connection.execute(after.order_by(table.c.starts).limit(1)).scalar()
        if following is None:
            return
        waiting = select(items).where(items.c.meeting == row.uid, items.c.added_by != "", items.c.state != ItemState.DONE.value)
        for item in connection.execute(waiting).mappings().all():
            fresh = {"uid": random_uid(), "meeting": following, "position": 0, "state": ItemState.OPEN.value, "closed": None}
            connection.execute(insert(items).values(**{**item, **fresh}))

    @staticmethod
    def _open_now(row: Row[Any]) -> None:
        if row.state != MeetingState.OPEN.value:
            raise Conflict(f"this meeting is {row.state}")

    # invitations

    def invited(self, uid: str, sent: Mapping[str, str]) -> None:
        """Keep that invitations went out: account → what went wrong, empty when the server took it."""
        now = to_millisecond(self._clock.now())
        with self._records.begin() as connection:
            row = self._row(connection, uid)
            _keep_letters(connection, uid, row.version, sent, now)
            if not any(sent.values()):
                connection.execute(update(tables.meeting).where(tables.meeting.c.uid == uid).values(invited=now))

    def reminded(self, decision: str, sent: Mapping[str, str]) -> None:
        """Keep that members were reminded of a decision's review: account → what went wrong, empty when the server took it."""
        with self._records.begin() as connection:
            _keep_letters(connection, decision, 1, sent, to_millisecond(self._clock.now()))

    def invitations(self, uid: str) -> Mapping[str, tuple[int, str]]:
        """Return account → (version that was sent, what went wrong), of a meeting or of a decision's reminder."""
        table = tables.invitation
        with self._records.read() as connection:
            rows = connection.execute(select(table).where(table.c.meeting == uid))
            return {row.person: (row.version, row.fault) for row in rows}

    # reading

    def get(self, uid: str) -> Meeting:
        """Return a meeting.

        Raises:
            NotFound: there is none.
        """
        with self._records.read() as connection:
            return meeting_of(self._row(connection, uid))

    def present(self, uid: str) -> list[Present]:
        """Return who said, or of whom was said, that they are there or excused."""
        table = tables.presence
        with self._records.read() as connection:
            rows = connection.execute(select(table).where(table.c.meeting == uid).order_by(table.c.at, table.c.person))
            return [Present(row.person, row.domain, row.state == "present", row.at) for row in rows]

    def list(self, body: str = "", *, ahead: bool | None = None) -> list[Meeting]:
        """Return meetings: those not over, the next first (`ahead`); those over, the newest first (False); or all by time (None)."""
        table = tables.meeting
        over = table.c.state.in_([MeetingState.CLOSED.value, MeetingState.CANCELLED.value])
        query = select(table).order_by(table.c.starts.desc() if ahead is False else table.c.starts).limit(MOST)
        if body:
            query = query.where(table.c.body == body)
        if ahead is not None:
            query = query.where(~over if ahead else over)
        with self._records.read() as connection:
            return [meeting_of(row) for row in connection.execute(query)]

    def _row(self, connection: Connection, uid: str) -> Row[Any]:
        row = connection.execute(select(tables.meeting).where(tables.meeting.c.uid == uid)).first()
        if row is None:
            raise NotFound("there is no such meeting")
        return row

    def _set(self, connection: Connection, row: Row[Any], values: Mapping[str, Any], by: str, deed: str, reason: str = "") -> None:
        if values:
            connection.execute(update(tables.meeting).where(tables.meeting.c.uid == row.uid).values(**values))
        self._auditor.write(by, f"meeting.{deed}", row.uid, reason, connection=connection)
        summary = {"body": row.body, "deed": deed}
        self._ledger.append_change(connection, "meeting", row.uid, summary, to_millisecond(self._clock.now()))


def _keep_letters(connection: Connection, uid: str, version: int, sent: Mapping[str, str], now: datetime) -> None:
    table = tables.invitation
    for person, fault in sent.items():
        connection.execute(delete(table).where(table.c.meeting == uid, table.c.person == person))
        values = {"meeting": uid, "person": person, "version": version, "at": now, "fault": fault[:1000]}
        connection.execute(insert(table).values(**values))


def _count(rows: Sequence[Row[Any]], only: str = "") -> dict[str, int]:
    found: dict[str, int] = {}
    for row in rows:
        for role, person in row.roles.items():
            if not only or role == only:
                found[person] = found.get(person, 0) + 1
    return found


def meeting_of(row: Row[Any]) -> Meeting:
    """Return a meeting from its row."""
    names = ("uid", "body", "number", "starts", "ends", "frozen", "invited", "opened", "closed", "current", "version")
    plain = {name: getattr(row, name) for name in names}
    return Meeting(
        **plain,
        state=MeetingState(row.state),
        roles=dict(row.roles),
        dropped=tuple(row.dropped),
        agenda_dropped=tuple(row.agenda_dropped),
    )
