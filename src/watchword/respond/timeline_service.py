"""The timeline of an incident: read in pages, corrected by new entries, verified link by link; and who was mentioned in it."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select, update

from watchword.kit.chain import link
from watchword.kit.errors import InputError, NotFound
from watchword.model.incident import TimelineEntry
from watchword.respond import incident_tables as tables
from watchword.respond.casebook_service import Casebook, canonical, first_head
from watchword.respond.chat import mentions

PAGE = 200
WALK = 2_000
"""Rows read at once while verifying: bounds the memory of a check."""
Entries = tuple[TimelineEntry, ...]


@dataclass(frozen=True, slots=True)
class Mention:
    """That somebody was mentioned."""

    incident: str
    seq: int
    name: str
    at: datetime
    text: str
    by: str


class Timeline:
    """Reads, corrects and verifies what `Casebook.append` writes."""

    def __init__(self, casebook: Casebook) -> None:
        self._casebook = casebook

    def page(self, uid: str, after: int = 0, limit: int = PAGE, *, before: int = 0, kinds: Sequence[str] = ()) -> Entries:
        """Return entries in order of entry: after a seq, oldest first; with `before`, the newest ones before it, newest first.

        `before` = -1 starts at the newest. `kinds` restricts.
        """
        table = tables.incident_entry
        query = select(table).where(table.c.incident == uid).limit(max(1, min(limit, WALK)))
        if kinds:
            query = query.where(table.c.kind.in_(list(kinds)))
        if before:
            query = query.order_by(table.c.seq.desc())
            query = query.where(table.c.seq < before) if before > 0 else query
        else:
            query = query.where(table.c.seq > after).order_by(table.c.seq)
        with self._casebook.records.read() as connection:
            return tuple(entry_of(row) for row in connection.execute(query))

    def by_occurrence(self, uid: str, after: tuple[datetime, int] | None = None, limit: int = PAGE) -> Entries:
        """Return entries in the order in which things happened, oldest first; `after` is (occurred_at, seq) of the last one seen."""
        table = tables.incident_entry
        query = select(table).where(table.c.incident == uid).order_by(table.c.occurred_at, table.c.seq).limit(max(1, min(limit, WALK)))
        if after is not None:
            when, seq = after
            query = query.where((table.c.occurred_at > when) | ((table.c.occurred_at == when) & (table.c.seq > seq)))
        with self._casebook.records.read() as connection:
            return tuple(entry_of(row) for row in connection.execute(query))

    def correct(self, uid: str, seq: int, text: str, *, by: str, team: str = "", occurred_at: datetime | None = None) -> TimelineEntry:
        """Append an entry that corrects an earlier one, which stays as it is.

        Raises:
            NotFound: there is no such entry.
            InputError: the correction is empty.
        """
        if not text.strip():
            raise InputError("Say what is right.", "text")
        with self._casebook.begin() as connection:
            table = tables.incident_entry
            row = connection.execute(select(table).where(table.c.incident == uid, table.c.seq == seq)).one_or_none()
            if row is None:
                raise NotFound(f"Incident {uid} has no entry {seq}.")
            entry = self._casebook.append(
                connection,
                uid,
                "correction",
                text,
                recorded_by=by,
                occurred_at=occurred_at or row.occurred_at,
                team=team,
                corrects=seq,
            )
            self._casebook.audit(connection, by, "correct", uid, detail={"entry": seq})
            return entry

    def say(self, uid: str, text: str, *, by: str, team: str = "") -> TimelineEntry:
        """Append what somebody says to the others, and note whom they mention (``@name``, ``@physical``).

        Raises:
            InputError: nothing is said.
        """
        if not text.strip():
            raise InputError("Say something.", "text")
        with self._casebook.begin() as connection:
            named = mentions(text)
            refs = {"mentions": " ".join(named)} if named else {}
            entry = self._casebook.append(connection, uid, "said", text.strip(), recorded_by=by, team=team, refs=refs)
            rows = [{"incident": entry.incident, "seq": entry.seq, "name": name, "at": entry.entered_at} for name in named]
            if rows:
                connection.execute(insert(tables.incident_mention), rows)
            self._casebook.change(connection, entry.incident, touched=True)
            self._casebook.audit(connection, by, "say", entry.incident, detail={"entry": entry.seq})
            return entry

    def mentioned(self, names: Sequence[str], limit: int = 50) -> list[Mention]:
        """Return the unseen mentions of a person and their teams, newest first."""
        table, entry = tables.incident_mention, tables.incident_entry
        joined = table.join(entry, (entry.c.incident == table.c.incident) & (entry.c.seq == table.c.seq))
        query = (
            select(table, entry.c.text, entry.c.recorded_by)
            .select_from(joined)
            .where(table.c.name.in_(list(names)), table.c.seen_at.is_(None))
            .order_by(table.c.at.desc())
            .limit(limit)
        )
        with self._casebook.records.read() as connection:
            rows = connection.execute(query).all()
        return [Mention(row.incident, row.seq, row.name, row.at, row.text, row.recorded_by) for row in rows]

    def saw(self, uid: str, name: str) -> int:
        """Note that somebody has seen the mentions of them in an incident, and return how many those were."""
        table = tables.incident_mention
        with self._casebook.records.begin() as connection:
            seen = update(table).where(table.c.incident == uid, table.c.name == name, table.c.seen_at.is_(None))
            return connection.execute(seen.values(seen_at=self._casebook.now())).rowcount

    def verify(self, uid: str) -> list[str]:
        """Walk an incident's chain and return what is wrong with it, in words; an empty list means intact.

        Raises:
            NotFound: there is no such incident.
        """
        with self._casebook.records.read() as connection:
            kept = self._casebook.find(connection, uid)
            return list(_problems(connection, uid, kept.entries, kept.head))


def entry_of(row: Any) -> TimelineEntry:
    """Return the timeline entry of a row."""
    try:
        refs = json.loads(row.refs)
    except ValueError:
        refs = {"unreadable": row.refs}
    return TimelineEntry(
        row.incident,
        row.seq,
        row.kind,
        row.text,
        row.occurred_at,
        row.entered_at,
        row.recorded_by,
        row.team,
        refs,
        row.corrects,
        row.head,
    )


def _rows(connection: Connection, uid: str) -> Iterator[Any]:
    table, seen = tables.incident_entry, -(2**31)
    while True:
        query = select(table).where(table.c.incident == uid, table.c.seq > seen).order_by(table.c.seq).limit(WALK)
        rows = connection.execute(query).all()
        if not rows:
            return
        yield from rows
        seen = rows[-1].seq


def _problems(connection: Connection, uid: str, entries: int, kept_head: str) -> Iterator[str]:
    expected, head = 1, first_head(uid)
    for row in _rows(connection, uid):
        if row.seq > expected:
            yield f"entries {expected} to {row.seq - 1} are missing"
        elif row.seq < expected:
            yield f"entry {row.seq} stands out of order"
        elif link(head, canonical(row._mapping)) != row.head:  # noqa: SLF001 - SQLAlchemy's documented row view
            yield f"entry {row.seq} was changed, or one before it was replaced"
        expected, head = row.seq + 1, row.head
    if expected - 1 < entries:
        yield f"the newest entries are missing: the timeline should reach entry {entries}"
    elif (expected - 1, head) != (entries, kept_head):
        yield "the record of the newest entry does not match the timeline"
