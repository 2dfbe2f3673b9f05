"""The audit log: who read or did what, and why; each entry binds the one before it, so that a changed or missing entry shows."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select, text, update

from watchword.app import tables
from watchword.ingest.ledger import CHANGE_LOCK
from watchword.kit.chain import GENESIS, link
from watchword.kit.clock import Clock, to_millisecond
from watchword.kit.errors import Corrupt
from watchword.kit.instant import to_ms
from watchword.kit.records import Records

PAGE = 5_000
"""Rows read at once while verifying: bounds the memory of a check."""
FIRST_HEAD = "INSERT INTO audit_head (id, seq, head) VALUES (:id, 0, :head) ON CONFLICT (id) DO NOTHING"
"""The same words in SQLite and PostgreSQL; two processes may say them at once."""
TARGET_LENGTH = 400
TEXT_LENGTH = 4_000


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One entry: an actor read or did something to a target, for a reason."""

    seq: int
    """Position in the log, from 1 without gaps."""
    time: datetime
    actor: str
    """Account name, ``token:<name>``, ``cli:<user>`` or ``system``."""
    action: str
    """Noun and verb: ``trail.read``, ``finding.acknowledge``, ``session.log_in``."""
    target: str
    """Uid of what was read or changed."""
    reason: str = ""
    detail: Mapping[str, Any] = field(default_factory=dict)
    head: str = ""
    """Hash chain head after this entry (64 hex digits)."""


@dataclass(frozen=True, slots=True)
class AuditCheck:
    """The outcome of one verification of the chain."""

    time: datetime
    entries: int
    head: str
    problems: tuple[str, ...] = ()

    @property
    def intact(self) -> bool:
        """Tell whether nothing was found wrong."""
        return not self.problems


class Audit:
    """Writes, lists and verifies the audit log kept in `Records`."""

    def __init__(self, records: Records, clock: Clock) -> None:
        self._records = records
        self._clock = clock

    def write(
        self,
        actor: str,
        action: str,
        target: str = "",
        reason: str = "",
        detail: Mapping[str, Any] | None = None,
        *,
        connection: Connection | None = None,
    ) -> AuditEntry:
        """Append an entry; with a connection, in its transaction, so that deed and entry are kept or lost together."""
        if connection is None:
            with self._records.begin() as own:
                return self._write(own, actor, action, target, reason, detail or {})
        return self._write(connection, actor, action, target, reason, detail or {})

    def _write(self, connection: Connection, actor: str, action: str, target: str, reason: str, detail: Mapping[str, Any]) -> AuditEntry:
        seq, previous = self._next(connection)
        said = json.dumps(detail, sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=str)[:TEXT_LENGTH]
        moment = to_millisecond(self._clock.now())
        row: dict[str, Any] = {
            "seq": seq,
            "time": moment,
            "actor": _storable(actor)[:200],
            "action": _storable(action)[:64],
            "target": _storable(target)[:TARGET_LENGTH],
            "reason": _storable(reason)[:TEXT_LENGTH],
            "detail": _storable(said),
        }
        head = link(previous, _canonical(row))
        connection.execute(insert(tables.audit).values(**row, head=head))
        connection.execute(update(tables.audit_head).where(tables.audit_head.c.id == tables.HEAD_ROW).values(head=head))
        return AuditEntry(seq, moment, row["actor"], row["action"], row["target"], row["reason"], dict(detail), head)

    def _next(self, connection: Connection) -> tuple[int, str]:
        """Take the head row's lock, so that two writers never build on the same entry; return the next seq and the head before it."""
        if connection.dialect.name == "postgresql":
            # The lock of the news comes first, whoever writes what first: else one waits for the other's lock, and that one for this.
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": CHANGE_LOCK})
        heads = tables.audit_head
        step = update(heads).where(heads.c.id == tables.HEAD_ROW).values(seq=heads.c.seq + 1).returning(heads.c.seq, heads.c.head)
        row = connection.execute(step).one_or_none()
        if row is None:
            connection.execute(text(FIRST_HEAD), {"id": tables.HEAD_ROW, "head": GENESIS})
            row = connection.execute(step).one()
        return row.seq, row.head

    def entries(
        self,
        *,
        before: int | None = None,
        limit: int = 100,
        actor: str = "",
        action: str = "",
        target: str = "",
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> list[AuditEntry]:
        """Return entries, newest first; `before` is the cursor: the seq of the last entry already seen. `action` matches by prefix."""
        table = tables.audit
        query = select(table).order_by(table.c.seq.desc()).limit(limit)
        if before is not None:
            query = query.where(table.c.seq < before)
        if actor:
            query = query.where(table.c.actor == actor)
        if action:
            query = query.where(table.c.action.startswith(action, autoescape=True))
        if target:
            query = query.where(table.c.target == target)
        if since is not None:
            query = query.where(table.c.time >= since)
        if until is not None:
            query = query.where(table.c.time < until)
        with self._records.read() as connection:
            return [_entry(row) for row in connection.execute(query)]

    def head(self) -> tuple[int, str]:
        """Return the newest entry's seq and chain head: what to write down elsewhere to anchor the log."""
        with self._records.read() as connection:
            row = connection.execute(select(tables.audit_head.c.seq, tables.audit_head.c.head)).one_or_none()
        return (row.seq, row.head) if row else (0, GENESIS)

    def verify(self, *, anchor: tuple[int, str] | None = None) -> list[str]:
        """Walk the whole chain and return what is wrong with it, in words; an empty list means intact.

        `anchor` is a (seq, head) that was written down elsewhere: a log that was rewritten as a whole no longer contains it.
        """
        with self._records.read() as connection:
            return list(_problems(connection, anchor))

    def check(self) -> AuditCheck:
        """Verify, keep the outcome so that the Audit page can show when the chain was last verified, and return it."""
        problems = tuple(self.verify()[:100])
        seq, head = self.head()
        outcome = AuditCheck(to_millisecond(self._clock.now()), seq, head, problems)
        with self._records.begin() as connection:
            connection.execute(tables.audit_check.delete().where(tables.audit_check.c.time == outcome.time))
            connection.execute(
                insert(tables.audit_check).values(time=outcome.time, entries=outcome.entries, head=head, problems=list(problems))
            )
        return outcome

    def last_check(self) -> AuditCheck | None:
        """Return the newest kept verification, or None when there was none yet."""
        with self._records.read() as connection:
            row = connection.execute(select(tables.audit_check).order_by(tables.audit_check.c.time.desc()).limit(1)).one_or_none()
        return None if row is None else AuditCheck(row.time, row.entries, row.head, tuple(row.problems))

    def require_intact(self) -> None:
        """Raise `Corrupt` with the first problem when the chain does not hold."""
        problems = self.verify()
        if problems:
            raise Corrupt(f"The audit log does not verify: {problems[0]} (and {len(problems) - 1} more)")


def _storable(text: str) -> str:
    """Replace what PostgreSQL cannot keep in text: NUL and lone surrogates."""
    return text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()


def _canonical(row: Mapping[str, Any]) -> bytes:
    values: Sequence[Any] = (row["seq"], to_ms(row["time"]), row["actor"], row["action"], row["target"], row["reason"], row["detail"])
    return json.dumps(values, ensure_ascii=False, separators=(",", ":")).encode()


def _entry(row: Any) -> AuditEntry:
    try:
        detail = json.loads(row.detail)
    except ValueError:
        detail = {"text": row.detail}
    return AuditEntry(row.seq, row.time, row.actor, row.action, row.target, row.reason, detail, row.head)


def _rows(connection: Connection) -> Iterator[Any]:
    table = tables.audit
    seen = -1
    while rows := connection.execute(select(table).where(table.c.seq > seen).order_by(table.c.seq).limit(PAGE)).all():
        yield from rows
        seen = rows[-1].seq


def _problems(connection: Connection, anchor: tuple[int, str] | None) -> Iterator[str]:
    expected, head = 1, GENESIS
    anchored = anchor is None or anchor == (0, GENESIS)
    # Read before the entries: entries written meanwhile are then only ever ahead of it.
    kept = connection.execute(select(tables.audit_head.c.seq, tables.audit_head.c.head)).one_or_none()
    kept_found = kept is None or kept.seq == 0
    for row in _rows(connection):
        if row.seq != expected:
            yield f"entries {expected} to {row.seq - 1} are missing" if row.seq > expected else f"entry {row.seq} stands out of order"
        computed = link(head, _canonical(row._mapping))  # noqa: SLF001 - SQLAlchemy's documented row view
        if computed != row.head and row.seq == expected:
            yield f"entry {row.seq} was changed, or one before it was replaced"
        expected, head = row.seq + 1, row.head
        anchored = anchored or (row.seq, row.head) == anchor
        kept_found = kept_found or (kept is not None and (row.seq, row.head) == (kept.seq, kept.head))
    if not kept_found and kept is not None:
        yield f"the newest entries are missing: the log should reach entry {kept.seq}"
    if kept is None and expected > 1:
        yield "the record of the newest entry is missing"
    if not anchored and anchor is not None:
        yield f"the log does not contain entry {anchor[0]} as it was anchored"
