"""What the tests of stores share: real engines, and makers of records and events."""

import importlib.util
import itertools
import os
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from watchword.ingest.ports import Segment
from watchword.kit.ids import uid_of
from watchword.model import Event, RawRecord
from watchword.stores.eventlog import ClickHouseEventLog
from watchword.stores.owner import OwnedStore
from watchword.stores.records import SqlRecords, open_records

_spec = importlib.util.spec_from_file_location("fixtures_postgres", Path(__file__).parents[1] / "fixtures_postgres.py")
assert _spec is not None
assert _spec.loader is not None
_fixtures = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_fixtures)
postgres_cluster, postgres_database = _fixtures.postgres_cluster, _fixtures.postgres_database

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
_names = itertools.count(1)


class Make:
    """Makes records, events and segments, the same ones for the same seed."""

    def __init__(self, seed: int = 1) -> None:
        self.chance = random.Random(seed)
        self.noon = NOON

    def uid(self) -> str:
        return self.chance.randbytes(16).hex()

    def record(self, source: str = "doors", *, at: datetime = NOON, body: bytes | None = None) -> RawRecord:
        uid = self.uid()
        return RawRecord(uid, source, at, uid.encode() + b"\x00\xff \xc3\xbc" if body is None else body)

    def records(self, count: int, **options) -> list[RawRecord]:
        return [self.record(**options) for _ in range(count)]

    def event(self, record: RawRecord | None = None, **fields) -> Event:
        record = record or self.record(at=NOON + timedelta(milliseconds=self.chance.randrange(3_600_000)))
        r = self.chance
        account = f"account:user{r.randrange(9)}"
        made = {
            "uid": uid_of("event", record.uid, "0"), "record": record.uid, "source": record.source, "received": record.received,
            "time": record.received - timedelta(milliseconds=r.randrange(200_000_000)),
            "class_uid": r.choice([3002, 4001, 7731001]), "activity_id": r.randrange(1, 12), "severity_id": r.randrange(1, 6),
            "person": r.choice(["", *(f"person:{n}" for n in range(7))]), "asset": r.choice(["", "asset:ws-1", "asset:ws-2"]),
            "place": r.choice(["", "harbour/main/1/office", "harbour/main/1", "harbour/doors/front", "harbourside/main", "mill/main/0/lab"]),
            "credential": r.choice(["", account, "badge:" + "ab" * 16]),
            "src_ip": r.choice(["", "10.0.0.1", "10.0.0.2", "2001:db8::1"]), "dst_ip": r.choice(["", "10.0.0.1", "198.51.100.7"]),
            "message": r.choice(["Accepted password for root", "FAILED password for ünïcode user", "door forced: Tür 7", "", "it's 100% \\ done\n"]),
            "data": {"user": {"name": account}, "list": [1, 2.5, None, True], "text": "Zoë's \\ \"quote\"", "big": r.randrange(2**53)},
        } | fields  # fmt: skip
        return Event(**made)

    def segment(self, uid: int, count: int = 20, *, at: datetime = NOON) -> Segment:
        records = self.records(count, at=at)
        events = sorted((self.event(record) for record in records), key=lambda event: event.order)
        return Segment(uid, (uid,), tuple(records), tuple(events))


@pytest.fixture
def make() -> Make:
    return Make()


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


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnedStore]:
    """One running store process for all tests of the session; each test takes a database of its own in it."""
    with OwnedStore(tmp_path_factory.mktemp("store")) as running:
        yield running


SERVER = os.environ.get("WATCHWORD_TEST_CLICKHOUSE_URL", "")
"""A ClickHouse server: with it, every test of the event log runs there too. Without, servers and clusters go untested."""


@pytest.fixture(params=["store", *(["server"] if SERVER else [])])
def log(request: pytest.FixtureRequest) -> Iterator[ClickHouseEventLog]:
    if request.param == "server":
        opened = ClickHouseEventLog(f"{SERVER.rstrip('/')}/watchword_test_{os.getpid()}_{next(_names)}")
    else:
        store = request.getfixturevalue("store")
        opened = ClickHouseEventLog(f"{store.url}/t{next(_names)}", store.token)
    opened.prepare()
    yield opened
    opened.close()
