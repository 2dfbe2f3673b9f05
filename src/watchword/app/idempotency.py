"""Idempotency: a request with a key that came before gets the answer of then, and does nothing a second time."""

from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import Final

from sqlalchemy import delete, insert, select
from sqlalchemy.exc import IntegrityError

from watchword.app.tables import idempotent as table
from watchword.kit.clock import Clock, to_millisecond
from watchword.kit.errors import Conflict
from watchword.kit.records import Records

KEPT: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer as it was given."""

    status: int
    body: str


class KeyReused(Conflict):
    """The key came before with another request."""


@dataclass(frozen=True, slots=True)
class Idempotency:
    """Keeps answers by caller and key for a day."""

    records: Records
    clock: Clock

    def find(self, caller: str, key: str, request: bytes) -> Answer | None:
        """Return the answer that this key got before, None when it is new.

        Raises:
            KeyReused: it came before with another request.
        """
        with self.records.read() as connection:
            row = connection.execute(select(table).where(table.c.key == _key(caller, key))).one_or_none()
        if row is None or row.at < to_millisecond(self.clock.now()) - KEPT:
            return None
        if row.request != sha256(request).hexdigest():
            raise KeyReused("This Idempotency-Key came before with another request; use a new key for a new deed")
        return Answer(row.status, row.body)

    def keep(self, caller: str, key: str, request: bytes, answer: Answer) -> None:
        """Keep an answer; one that another process kept a moment earlier stays."""
        now = to_millisecond(self.clock.now())
        values = {"key": _key(caller, key), "request": sha256(request).hexdigest(), "status": answer.status, "body": answer.body, "at": now}
        try:
            with self.records.begin() as connection:
                connection.execute(delete(table).where(table.c.at < now - KEPT))
                connection.execute(insert(table).values(**values))
        except IntegrityError:
            return


def _key(caller: str, key: str) -> str:
    return sha256(f"{caller}\0{key}".encode()).hexdigest()
