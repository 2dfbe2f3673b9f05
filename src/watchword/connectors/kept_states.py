"""What a responder must know to set a state back, kept on disk before it changes anything: a card's rights, a port's network."""

import sqlite3
import threading
from contextlib import closing
from pathlib import Path
from typing import Final

_TABLE: Final = (
    "CREATE TABLE IF NOT EXISTS kept (thing TEXT NOT NULL, why TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (thing, why)) WITHOUT ROWID"
)


class KeptStates:
    """Values by thing and reason. Several reasons may hold one thing; it is set back when the last lets go."""

    def __init__(self, path: Path) -> None:
        self._path, self._lock, self._made = path, threading.Lock(), False

    def keep(self, thing: str, why: str, value: str) -> None:
        """Keep a value, safe on disk when this returns; a newer one replaces it."""
        with self._lock, closing(self._open()) as connection:
            connection.execute("INSERT INTO kept VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value", (thing, why, value))

    def of(self, thing: str) -> dict[str, str]:
        """Return the values by reason."""
        with self._lock, closing(self._open()) as connection:
            return dict(connection.execute("SELECT why, value FROM kept WHERE thing = ?", (thing,)).fetchall())

    def under(self, why: str) -> dict[str, str]:
        """Return the values by thing that one reason holds."""
        with self._lock, closing(self._open()) as connection:
            return dict(connection.execute("SELECT thing, value FROM kept WHERE why = ?", (why,)).fetchall())

    def drop(self, thing: str, why: str) -> None:
        """Let go."""
        with self._lock, closing(self._open()) as connection:
            connection.execute("DELETE FROM kept WHERE thing = ? AND why = ?", (thing, why))

    def _open(self) -> sqlite3.Connection:
        if not self._made:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._path.touch(mode=0o600)
        connection = sqlite3.connect(self._path, timeout=30, isolation_level=None)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        if not self._made:
            connection.execute(_TABLE)
            self._made = True
        return connection
