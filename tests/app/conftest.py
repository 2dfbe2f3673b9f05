"""A small real record store for the tests of this room."""

from contextlib import contextmanager

import pytest
from sqlalchemy import create_engine, event

import watchword.app.tables  # noqa: F401 - declares the tables
from watchword.kit.tables import metadata


class SqliteRecords:
    """Records in one SQLite file, each transaction begun at once, as the real store does."""

    def __init__(self, path):
        self.engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": 30, "isolation_level": None})

        @event.listens_for(self.engine, "begin")
        def begin(connection):
            connection.exec_driver_sql("BEGIN IMMEDIATE")

    @contextmanager
    def begin(self):
        with self.engine.begin() as connection:
            yield connection

    read = begin


@pytest.fixture
def records(tmp_path):
    kept = SqliteRecords(tmp_path / "records.sqlite3")
    metadata.create_all(kept.engine)
    yield kept
    kept.engine.dispose()
