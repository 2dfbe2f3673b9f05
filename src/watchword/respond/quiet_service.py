"""Maintenance windows as people plan, approve and end them; they end by themselves as well."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Row, insert, select, update

from watchword.kit.clock import Clock, to_millisecond
from watchword.kit.errors import Conflict, Forbidden, InputError, NotFound
from watchword.kit.ids import random_uid
from watchword.kit.records import Records
from watchword.respond import paging_tables as tables
from watchword.respond.escalation import Status
from watchword.respond.ports import Auditor
from watchword.respond.quiet import Window, faults
from watchword.respond.speaker import account_of

SHOWN: Final = timedelta(days=30)
"""How long a window that is over stays in the list."""


class QuietWindows:
    """Keeps maintenance windows in `Records`; every deed is audited in the same transaction."""

    def __init__(self, records: Records, clock: Clock, auditor: Auditor) -> None:
        self._records = records
        self._clock = clock
        self._auditor = auditor

    def plan(self, place: str, since: datetime, until: datetime, ticket: str, *, by: str) -> Window:
        """Plan a window; it mutes nothing until somebody else approves it.

        Raises:
            InputError: every reason why it cannot be planned.
        """
        now = to_millisecond(self._clock.now())
        window = Window(random_uid(), place.strip(), to_millisecond(since), to_millisecond(until), ticket.strip()[:200], by)
        if found := faults(window, now):
            raise InputError("the window " + "; it ".join(found), "window")
        with self._records.begin() as connection:
            row = {"uid": window.uid, "place": window.place, "since": window.since, "until": window.until, "ticket": window.ticket}
            values = {**row, "planned_by": by, "planned_at": now, "approved_by": "", "ended_by": ""}
            connection.execute(insert(tables.maintenance_window).values(**values))
            self._auditor.write(by, "window.plan", window.uid, window.ticket, {"place": window.place}, connection=connection)
        return window

    def approve(self, uid: str, *, by: str) -> Window:
        """Approve a planned window.

        Raises:
            NotFound: there is none.
            Forbidden: who planned it approves it.
            Conflict: it is approved, ended or over.
        """
        now = to_millisecond(self._clock.now())
        table = tables.maintenance_window
        with self._records.begin() as connection:
            window = self._one(connection, uid)
            if account_of(window.planned_by) == account_of(by):
                raise Forbidden("who plans a window does not approve it; ask somebody else")
            free = (table.c.uid == uid) & (table.c.approved_by == "") & (table.c.ended_by == "") & (table.c.until > now)
            if not connection.execute(update(table).where(free).values(approved_by=by, approved_at=now)).rowcount:
                raise Conflict("this window is approved already, ended, or over")
            self._auditor.write(by, "window.approve", uid, window.ticket, {"place": window.place}, connection=connection)
            return self._one(connection, uid)

    def end(self, uid: str, *, by: str) -> None:
        """End a window before its time.

        Raises:
            NotFound: there is none.
            Conflict: it is over.
        """
        now = to_millisecond(self._clock.now())
        table = tables.maintenance_window
        with self._records.begin() as connection:
            self._one(connection, uid)
            running = (table.c.uid == uid) & (table.c.until > now) & (table.c.ended_by == "")
            if not connection.execute(update(table).where(running).values(until=now, ended_by=by)).rowcount:
                raise Conflict("this window is over already")
            muted = tables.page_track.c.status == Status.MUTED  # those that another window covers are muted again when they are looked at
            connection.execute(update(tables.page_track).where(muted).values(due=now))
            self._auditor.write(by, "window.end", uid, connection=connection)

    def windows(self) -> list[Window]:
        """Return windows to come, running, and over for less than `SHOWN`, in order of time."""
        table = tables.maintenance_window
        with self._records.read() as connection:
            query = select(table).where(table.c.until > self._clock.now() - SHOWN).order_by(table.c.since, table.c.uid)
            return [_window(row) for row in connection.execute(query)]

    def running(self, connection: Connection, at: datetime) -> Sequence[Window]:
        """Return the approved windows that run at a moment, within a transaction."""
        table = tables.maintenance_window
        query = select(table).where((table.c.since <= at) & (table.c.until > at) & (table.c.approved_by != ""))
        return [_window(row) for row in connection.execute(query)]

    def _one(self, connection: Connection, uid: str) -> Window:
        row = connection.execute(select(tables.maintenance_window).where(tables.maintenance_window.c.uid == uid)).first()
        if row is None:
            raise NotFound("there is no such maintenance window")
        return _window(row)


def _window(row: Row[Any]) -> Window:
    return Window(row.uid, row.place, row.since, row.until, row.ticket, row.planned_by, row.approved_by)
