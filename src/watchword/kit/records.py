"""The port to the relational store: SQLite or PostgreSQL behind one SQLAlchemy text."""

from contextlib import AbstractContextManager
from typing import Protocol

from sqlalchemy import Connection


class Records(Protocol):
    """Where rows are kept. Services own their transactions through it."""

    def begin(self) -> AbstractContextManager[Connection]:
        """Open a transaction: committed on leaving, rolled back on an exception."""
        ...

    def read(self) -> AbstractContextManager[Connection]:
        """Open a connection for reading only."""
        ...
