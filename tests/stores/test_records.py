# ruff: noqa: PT012 - a transaction that fails is a block
"""Records on both engines: transactions, waiting writers, migrations equal to the declared tables."""

import threading
from datetime import UTC, datetime

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import func, insert, inspect, select

from watchword.ingest import tables
from watchword.kit.errors import Unavailable
from watchword.stores.catalogue import load
from watchword.stores.records import SqlRecords, open_records

AT = datetime(2026, 3, 2, 12, 0, 0, 123_000, tzinfo=UTC)


def _add(records: SqlRecords, uid: str) -> None:
    with records.begin() as connection:
        connection.execute(insert(tables.change).values(at=AT, kind="test", uid=uid, summary="{}"))


def _count(records: SqlRecords) -> int:
    with records.read() as connection:
        return connection.execute(select(func.count()).select_from(tables.change)).scalar_one()


def test_a_transaction_commits_on_leaving_and_rolls_back_on_an_exception(records: SqlRecords) -> None:
    _add(records, "kept")
    with pytest.raises(RuntimeError), records.begin() as connection:
        connection.execute(insert(tables.change).values(at=AT, kind="test", uid="lost", summary="{}"))
        raise RuntimeError
    with records.read() as connection:
        assert [tuple(row) for row in connection.execute(select(tables.change.c.uid, tables.change.c.at))] == [("kept", AT)]


def test_a_reader_sees_one_state_and_keeps_nothing(records: SqlRecords) -> None:
    _add(records, "one")
    with records.read() as connection:
        before = connection.execute(select(func.count()).select_from(tables.change)).scalar_one()
        _add(records, "two")
        assert connection.execute(select(func.count()).select_from(tables.change)).scalar_one() == before
    assert _count(records) == before + 1


def test_writers_wait_for_each_other_instead_of_failing(records: SqlRecords) -> None:
    errors: list[BaseException] = []

    def work(name: int) -> None:
        try:
            for number in range(15):
                with records.begin() as connection:
                    seen = connection.execute(select(func.count()).select_from(tables.change)).scalar_one()
                    connection.execute(insert(tables.change).values(at=AT, kind="test", uid=f"{name}-{number}", summary=str(seen)))
        except BaseException as error:  # noqa: BLE001 - the test wants every one
            errors.append(error)

    threads = [threading.Thread(target=work, args=(name,)) for name in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert _count(records) == 90


def test_the_migrated_schema_is_the_declared_one(records: SqlRecords) -> None:
    with records.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, load()) == []
    with records.read() as connection:
        assert set(inspect(connection).get_table_names()) == {*load().tables, "alembic_version"}


def test_migrating_twice_and_from_several_processes_at_once_changes_nothing(records_url: str) -> None:
    many = [open_records(records_url) for _ in range(4)]
    threads = [threading.Thread(target=one.migrate) for one in many]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    have, want = many[0].revision()
    assert have == want is not None
    many[0].migrate()
    assert _count(many[0]) == 0
    for one in many:
        one.close()


def test_sqlite_fsyncs_every_commit_and_checks_foreign_keys(tmp_path) -> None:
    records = open_records(f"sqlite:///{tmp_path}/deep/er/records.sqlite3")
    with records.read() as connection:
        found = [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("journal_mode", "synchronous", "foreign_keys")]
    assert found == ["wal", 2, 1]
    records.close()


def test_an_absent_database_is_named_without_its_password(tmp_path) -> None:
    records = open_records(f"postgresql://me:secret@/nothing?host={tmp_path}")
    with pytest.raises(Unavailable, match="does not answer") as caught, records.begin():
        pass
    assert "secret" not in str(caught.value)
    records.close()
