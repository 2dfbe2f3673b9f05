"""Rows of evidence as values: pieces, links of their chains, and which incidents an incident has taken up."""

import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import Connection, select

from watchword.respond.custody import CustodyEntry, Deed
from watchword.respond.evidence_tables import custody
from watchword.respond.evidence_view import About, EvidenceKind, Piece
from watchword.respond.incident_tables import incident as incident_table
from watchword.respond.incident_tables import incident_entry

MS: Final = timedelta(milliseconds=1)
WALK: Final = 2_000


def merged_into(connection: Connection, incident: str) -> Sequence[str]:
    """Return an incident and every one that was merged into it, or into one of those."""
    found, new = [incident], [incident]
    while new:
        query = select(incident_table.c.uid).where(incident_table.c.merged_into.in_(new))
        new = [uid for uid in connection.execute(query).scalars() if uid not in found]
        found += new
    return found


def piece_of(row: Any) -> Piece:
    """Return the piece of a row."""
    about = About(
        EvidenceKind(row.kind),
        row.name,
        row.media,
        row.source,
        row.place,
        row.since,
        row.until,
        None if row.clock_offset is None else row.clock_offset * MS,
        row.player,
        row.note,
    )
    return Piece(
        row.uid, row.incident, about, row.sha256, row.size, row.by, row.team, row.acquired_at, row.custodian, row.offered_to,
        row.sealed, row.released, row.entries, row.head,
    )  # fmt: skip


def entry_of(row: Any) -> CustodyEntry:
    """Return the custody entry of a row. What cannot be read stands in its detail, and then the chain does not fit."""
    detail, deed = {"unreadable": f"{row.deed} {row.detail}"}, Deed.VIEWED
    with suppress(ValueError):
        deed, detail = Deed(row.deed), json.loads(row.detail)
    made = CustodyEntry(row.evidence, row.seq, deed, row.by, row.team, row.at, row.to, row.reason, detail)
    return replace(made, key=row.key, head=row.head, signature=row.signature)


def entries_of(connection: Connection, uid: str) -> list[CustodyEntry]:
    """Return a piece's chain of custody, the acquisition first."""
    rows = connection.execute(select(custody).where(custody.c.evidence == uid).order_by(custody.c.seq))
    return [entry_of(row) for row in rows]


def rows_of(connection: Connection, incident: str, last: int) -> Iterator[Any]:
    """Yield the rows of an incident's timeline up to an entry, in order, a batch at a time."""
    seen = 0
    while seen < last:
        query = select(incident_entry).where(incident_entry.c.incident == incident, incident_entry.c.seq > seen)
        rows = connection.execute(query.where(incident_entry.c.seq <= last).order_by(incident_entry.c.seq).limit(WALK)).all()
        if not rows:
            return
        yield from rows
        seen = rows[-1].seq
