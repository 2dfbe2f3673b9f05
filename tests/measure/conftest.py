"""What the tests of measure share: records on both engines."""

import importlib.util
from collections.abc import Iterator
from pathlib import Path

import pytest

from watchword.stores.records import SqlRecords, open_records

_spec = importlib.util.spec_from_file_location("fixtures_postgres", Path(__file__).parents[1] / "fixtures_postgres.py")
assert _spec is not None
assert _spec.loader is not None
_fixtures = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_fixtures)
postgres_cluster, postgres_database = _fixtures.postgres_cluster, _fixtures.postgres_database


@pytest.fixture(params=["sqlite", "postgresql"])
def records_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/records.sqlite3"
    return request.getfixturevalue("postgres_database")()


@pytest.fixture
def records(records_url: str) -> Iterator[SqlRecords]:
    opened = open_records(records_url)
    opened.migrate()
    yield opened
    opened.close()


@pytest.fixture
def on_sqlite(tmp_path: Path) -> Iterator[SqlRecords]:
    """Records on SQLite alone: for what no engine does otherwise."""
    opened = open_records(f"sqlite:///{tmp_path}/records.sqlite3")
    opened.migrate()
    yield opened
    opened.close()
