"""The uids that a spool has ever kept: the newest appended commit by commit and mirrored in memory, the older ones in a sorted table.

A uid is a hash: put into a sorted table one by one, each falls on a page of its own, and a commit of 500 records writes 500 pages. So a
commit appends its uids as one row, and many such rows are folded into the table together, in order, outside of any acknowledgement.
"""

import sqlite3
from collections.abc import Sequence
from itertools import repeat
from typing import Final

from watchword.kit.ids import UID_BYTES

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS seen (uid BLOB PRIMARY KEY, at INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS recent (id INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, uids BLOB NOT NULL);
"""
FOLD_AT: Final = 50_000
"""From so many appended uids on, folding them is worth the while."""
FOLD_MUST: Final = 200_000
"""No more than about so many stay appended: each costs 80 bytes of memory in every process that appends."""
_SLICE: Final = 2_000
"""Uids that one transaction folds: acknowledgements wait for it."""
_ASKED: Final = 500


class Seen:
    """What one appending connection knows of the uids. Every method is called inside of that connection's transaction."""

    def __init__(self) -> None:
        self._uids: set[bytes] = set()
        self._now: set[bytes] = set()
        self._rows: dict[int, list[bytes]] = {}
        self._last = 0

    @property
    def appended(self) -> int:
        """How many uids are not folded yet, as far as was read."""
        return len(self._uids)

    def add(self, connection: sqlite3.Connection, keys: Sequence[tuple[bytes, int]]) -> list[bool]:
        """Keep (uid, arrival in ms) of records, and tell of each whether it is new: not kept before, nor earlier in this transaction."""
        known = self._in_table(connection, keys)
        fresh: dict[int, list[bytes]] = {}
        told = []
        for uid, at in keys:
            new = uid not in self._uids and uid not in self._now and uid not in known
            told.append(new)
            if new:
                self._now.add(uid)
                fresh.setdefault(at, []).append(uid)
        connection.executemany("INSERT INTO recent (at, uids) VALUES (?, ?)", [(at, b"".join(uids)) for at, uids in fresh.items()])
        return told

    def catch_up(self, connection: sqlite3.Connection) -> None:
        """Begin a transaction: read what this or another process has appended or folded since."""
        self._now.clear()
        for number, uids in connection.execute("SELECT id, uids FROM recent WHERE id > ? ORDER BY id", (self._last,)):
            parts = _cut(uids)
            self._rows[number] = parts
            self._uids.update(parts)
            self._last = number
        oldest = connection.execute("SELECT min(id) FROM recent").fetchone()[0]
        for number in [number for number in self._rows if oldest is None or number < oldest]:
            self._uids.difference_update(self._rows.pop(number))

    @staticmethod
    def _in_table(connection: sqlite3.Connection, keys: Sequence[tuple[bytes, int]]) -> set[bytes]:
        known: set[bytes] = set()
        for start in range(0, len(keys), _ASKED):
            part = [uid for uid, _ in keys[start : start + _ASKED]]
            marks = ",".join(repeat("?", len(part)))
            known.update(uid for (uid,) in connection.execute(f"SELECT uid FROM seen WHERE uid IN ({marks})", part))  # noqa: S608 - marks only
        return known


class Fold:
    """One folding of appended uids into the sorted table, slice by slice; broken off anywhere, it does no harm."""

    def __init__(self, connection: sqlite3.Connection, least: int = 1) -> None:
        """Read what there is to fold; nothing when it is fewer than `least` uids."""
        self._until = self._at = 0
        todo: list[tuple[bytes, int]] = []
        if (connection.execute("SELECT sum(length(uids)) FROM recent").fetchone()[0] or 0) < least * UID_BYTES:
            self._todo = todo
            return
        rows = connection.execute("SELECT id, at, uids FROM recent ORDER BY id")
        for number, at, uids in rows:
            self._until = number
            todo += ((uid, at) for uid in _cut(uids))
            if len(todo) >= FOLD_MUST:
                break
        rows.close()
        self._todo = sorted(todo)

    def step(self, connection: sqlite3.Connection) -> int:
        """Fold a slice, inside of the caller's transaction; return how many uids it had, 0 when all is done."""
        part = self._todo[self._at : self._at + _SLICE]
        if not part:
            return 0
        connection.executemany("INSERT OR IGNORE INTO seen VALUES (?, ?)", part)
        self._at += len(part)
        if self._at >= len(self._todo):
            connection.execute("DELETE FROM recent WHERE id <= ?", (self._until,))
        return len(part)


def _cut(uids: bytes) -> list[bytes]:
    return [uids[at : at + UID_BYTES] for at in range(0, len(uids), UID_BYTES)]
