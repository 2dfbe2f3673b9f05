"""Exceptions kept: a Decision of kind *exception* about a control makes one, with its end; what ran out stays visible until it is ended."""

from datetime import UTC, datetime, time, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Row, insert, select, update

from watchword.govern import control_tables as tables
from watchword.govern.control_evidence import Exemption
from watchword.ingest.ledger import Ledger
from watchword.kit.clock import Clock, to_millisecond
from watchword.kit.errors import InputError, NotFound
from watchword.kit.ids import uid_of
from watchword.kit.records import Records
from watchword.model.decision import Decision
from watchword.respond.ports import Auditor

KIND: Final = "exception"
SUBJECT: Final = "control:"
"""A Decision's subject: ``control:ID`` or ``control:ID@ASSET``; exceptions of other subjects belong to others."""


class Exemptions:
    """Keeps exceptions from controls."""

    def __init__(self, records: Records, clock: Clock, auditor: Auditor) -> None:
        self._records, self._clock, self._auditor = records, clock, auditor
        self._ledger = Ledger(records)

    def on_decided(self, connection: Connection, decision: Decision) -> None:
        """Take an exception from a Decision, in its transaction; one that it supersedes ends.

        Raises:
            InputError: it has no expiry, or names no control.
        """
        if decision.kind != KIND or not decision.subject.startswith(SUBJECT):
            return
        control, _, asset = decision.subject.removeprefix(SUBJECT).partition("@")
        if not control:
            raise InputError("An exception names its control: control:pe-3, or control:pe-3@THING", "subject")
        if decision.expires is None:
            raise InputError("An exception needs the day on which it ends", "expires")
        table = tables.exemption
        if decision.supersedes:
            connection.execute(update(table).where(table.c.decision == decision.supersedes).values(ended=True))
        until = datetime.combine(decision.expires + timedelta(days=1), time(), UTC)
        row = Exemption(
            uid_of("exemption", decision.uid), control, asset, decision.because, decision.choice, to_millisecond(decision.in_force), until,
            decision.uid, False, decision.body,
        )  # fmt: skip
        connection.execute(insert(table).values(**{name: getattr(row, name) for name in Exemption.__dataclass_fields__}))
        self._ledger.append_change(connection, "control", control, {"exception": until.isoformat()}, self._clock.now())

    def end(self, uid: str, reason: str, *, by: str) -> None:
        """Say that an exception is no longer needed.

        Raises:
            NotFound: there is none that is open.
            InputError: no reason is given.
        """
        if len(reason.strip()) < 3:
            raise InputError("Say in a few words why it is no longer needed", "reason")
        table = tables.exemption
        with self._records.begin() as connection:
            row = connection.execute(
                update(table).where(table.c.uid == uid, table.c.ended.is_(False)).values(ended=True).returning(table.c.control)
            ).first()
            if row is None:
                raise NotFound("there is no such exception, or it was ended already")
            self._auditor.write(by, "control.exception.end", uid, reason.strip(), {"control": row.control}, connection=connection)
            self._ledger.append_change(connection, "control", row.control, {"exception": "ended"}, self._clock.now())

    def all(self, control: str = "") -> list[Exemption]:
        """Return exceptions that were not ended, those that run out first before the others."""
        table = tables.exemption
        query = select(table).where(table.c.ended.is_(False)).order_by(table.c.until, table.c.uid)
        if control:
            query = query.where(table.c.control == control)
        with self._records.read() as connection:
            return [_exemption(row) for row in connection.execute(query)]


def _exemption(row: Row[Any]) -> Exemption:
    return Exemption(**row._mapping)  # noqa: SLF001 - SQLAlchemy's public way to a row's names
