# ruff: noqa: PT012 - a transaction that fails is a block
"""The spool: kept means fsynced, refused means nothing kept, two processes at once, nothing acknowledged lost by kill -9."""

import asyncio
import os
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest

from watchword.ingest.ports import Receipt, SpoolDepth
from watchword.kit.errors import Full, Unavailable
from watchword.stores.spool import PENDING_BYTES, SqliteSpool

APPENDER = """
import os, sys, threading
from datetime import UTC, datetime
from pathlib import Path
from watchword.model import RawRecord
from watchword.stores.spool import SqliteSpool
spool = SqliteSpool(Path(sys.argv[1]))
at = datetime(2026, 3, 2, tzinfo=UTC)
def work(number):
    count = 0
    while True:
        uids = [os.urandom(16).hex() for _ in range(1 + count % 7)]
        spool.append([RawRecord(uid, "s", at, uid.encode() * 20) for uid in uids], once=number % 2 == 0)
        os.write(1, (" ".join(uids) + "\\n").encode())
        count += 1
for number in range(4):
    threading.Thread(target=work, args=(number,)).start()
"""


@pytest.fixture
def spool(tmp_path: Path):
    opened = SqliteSpool(tmp_path / "spool.sqlite3")
    yield opened
    opened.close()


def test_appended_records_come_back_verbatim_in_order(spool: SqliteSpool, make) -> None:
    records = make.records(5)
    assert spool.append(records, once=False) == Receipt(5, 0)
    assert spool.append([], once=True) == Receipt(0, 0)
    (batch,) = spool.pending(100)
    assert batch.records == tuple(records)
    assert spool.depth() == SpoolDepth(1, 5, sum(len(record.body) for record in records))
    assert spool.waiting() == [batch.uid]
    spool.release([batch.uid, 12345])
    spool.release([batch.uid])
    assert spool.depth() == SpoolDepth(0, 0, 0)
    assert spool.pending(100) == []


def test_once_drops_what_was_ever_kept_also_within_one_delivery_and_after_release(spool: SqliteSpool, make) -> None:
    one, two = make.record(), make.record()
    assert spool.append([one, one], once=True) == Receipt(1, 1)
    spool.release(spool.waiting())
    assert spool.append([one, two], once=True) == Receipt(1, 1)
    assert spool.append([one], once=False) == Receipt(1, 0)
    assert [record.uid for batch in spool.pending(10) for record in batch.records] == [two.uid, one.uid]


def test_purged_uids_count_as_new_again(spool: SqliteSpool, make) -> None:
    old, new = make.record(at=make.noon - timedelta(days=30)), make.record()
    spool.append([old, new], once=True)
    assert spool.purge_seen(make.noon - timedelta(days=1)) == 1
    assert spool.append([old, new], once=True) == Receipt(1, 1)


def test_a_batch_has_one_arrival_date_and_a_bound_on_records_and_bytes(spool: SqliteSpool, make) -> None:
    midnight = make.noon.replace(hour=0)
    records = make.records(3, at=midnight - timedelta(milliseconds=1)) + make.records(1500, at=midnight)
    records += [make.record(body=b"x" * 2_500_000) for _ in range(3)] + [make.record(body=b"y" * 9_000_000)]
    spool.append(records, once=True)
    batches = spool.pending(10_000)
    assert [len(batch.records) for batch in batches] == [3, 1000, 501, 1, 1, 1]
    assert [record for batch in batches for record in batch.records] == records
    assert all(len({record.received.date() for record in batch.records}) == 1 for batch in batches)


def test_pending_returns_whole_batches_at_least_one(spool: SqliteSpool, make) -> None:
    for size in (10, 10, 10):
        spool.append(make.records(size), once=False)
    assert [len(spool.pending(records)) for records in (1, 10, 19, 20, 29, 1000)] == [1, 1, 1, 2, 2, 3]


def test_pending_is_bounded_in_bytes_too(spool: SqliteSpool, make) -> None:
    spool.append([make.record(body=bytes([number]) * 3_000_000) for number in range(25)], once=True)
    handed = spool.pending(10_000)
    assert 1 < len(handed) <= PENDING_BYTES // 3_000_000
    spool.release([batch.uid for batch in handed])
    assert spool.pending(10_000)[0].records[0].body[:1] == bytes([len(handed)])


def test_room_in_the_file_is_given_back_to_a_full_disk(tmp_path: Path, make, monkeypatch: pytest.MonkeyPatch) -> None:
    path, size, used = tmp_path / "spool.sqlite3", 60_000_000, shutil.disk_usage

    def small(_: Path) -> object:
        taken = sum(each.stat().st_size for each in tmp_path.iterdir())
        return used(tmp_path)._replace(free=size - taken)

    monkeypatch.setattr("watchword.stores.spool.shutil.disk_usage", small)
    spool = SqliteSpool(path, reserve_bytes=10_000_000)
    with pytest.raises(Full):
        while True:
            spool.append([make.record(body=os.urandom(1_000_000))], once=True)
    grown = path.stat().st_size
    assert grown > 15_000_000
    spool.release(spool.waiting())
    spool.append([make.record(body=b"x" * 1_000_000)], once=True)
    assert path.stat().st_size < grown / 2
    assert [len(batch.records) for batch in spool.pending(10)] == [1]
    spool.close()


def test_batch_numbers_never_come_again_even_in_a_new_file(tmp_path: Path, make) -> None:
    numbers: list[int] = []
    for name in ("one", "one", "two"):
        spool = SqliteSpool(tmp_path / name)
        spool.append(make.records(1), once=False)
        numbers += spool.waiting()
        spool.release(spool.waiting())
        spool.close()
    assert numbers == sorted(set(numbers))


@pytest.mark.parametrize("bounds", [{"max_records": 10}, {"max_bytes": 1000}])
def test_a_full_spool_refuses_the_delivery_whole_and_takes_it_after_release(tmp_path: Path, make, bounds) -> None:
    spool = SqliteSpool(tmp_path / "spool", **bounds)
    first, second = ([make.record(body=b"x" * 90) for _ in range(6)] for _ in range(2))
    spool.append(first, once=True)
    with pytest.raises(Full, match="is full") as caught:
        spool.append(second, once=True)
    assert "send it again" in str(caught.value)
    assert spool.depth().records == 6
    spool.release(spool.waiting())
    assert spool.append(second, once=True) == Receipt(6, 0)
    spool.close()


def test_a_refused_delivery_does_not_take_others_of_the_same_commit_with_it(tmp_path: Path, make) -> None:
    spool = SqliteSpool(tmp_path / "spool", max_records=50)
    futures = [spool.submit(make.records(size), once=False) for size in (1, 5, 100, 5, 60, 5)]
    results = [future.exception() or future.result() for future in futures]
    assert [type(result).__name__ for result in results] == ["Receipt", "Receipt", "Full", "Receipt", "Full", "Receipt"]
    assert spool.depth().records == 16
    spool.close()


def test_disk_full_is_refused_with_nothing_lost(tmp_path: Path, make) -> None:
    spool = SqliteSpool(tmp_path / "spool")
    kept = make.records(20)
    spool.append(kept, once=True)
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    refused = [make.record(body=b"x" * 3_000_000) for _ in range(3)]
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, limit[1]))
        with pytest.raises(Full, match="refused the write"):
            spool.append(refused, once=True)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
        signal.signal(signal.SIGXFSZ, handler)
    assert [record for batch in spool.pending(1000) for record in batch.records] == kept
    assert spool.append([*kept, *refused], once=True) == Receipt(3, 20)
    spool.close()


def test_sqlite_running_out_of_pages_is_refused_with_nothing_lost(tmp_path: Path, make, monkeypatch) -> None:
    connect = SqliteSpool._connect

    def bounded(self: SqliteSpool) -> sqlite3.Connection:
        connection = connect(self)
        connection.execute("PRAGMA max_page_count=300").close()
        return connection

    monkeypatch.setattr(SqliteSpool, "_connect", bounded)
    spool = SqliteSpool(tmp_path / "spool")
    kept = 0
    with pytest.raises(Full, match="database or disk is full"):
        while True:
            kept += spool.append([make.record(body=os.urandom(50_000)) for _ in range(3)], once=True).accepted
    assert kept > 3
    assert spool.depth().records == kept == sum(len(batch.records) for batch in spool.pending(10_000))
    spool.release(spool.waiting())
    assert spool.append(make.records(3), once=True) == Receipt(3, 0)
    spool.close()


def test_appends_leave_room_on_the_disk_so_that_the_spool_can_be_emptied(tmp_path: Path, make, monkeypatch) -> None:
    spool = SqliteSpool(tmp_path / "spool", reserve_bytes=1_000_000)
    spool.append(make.records(3), once=True)
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=1_000_100))
    with pytest.raises(Full, match="make room"):
        spool.append([make.record(body=b"x" * 60)], once=True)
    spool.release(spool.waiting())
    monkeypatch.undo()
    assert spool.append(make.records(3), once=True) == Receipt(3, 0)
    spool.close()


def test_many_callers_share_fsyncs(spool: SqliteSpool, make) -> None:
    deliveries = [make.records(2) for _ in range(300)]

    async def go() -> list[Receipt]:
        return await asyncio.gather(*(asyncio.wrap_future(spool.submit(records, once=True)) for records in deliveries))

    assert asyncio.run(go()) == [Receipt(2, 0)] * 300
    assert spool.depth().records == 600
    assert spool.depth().batches < 60


def test_a_caller_that_goes_away_does_not_disturb_the_rest(spool: SqliteSpool, make) -> None:
    async def go() -> None:
        tasks = [asyncio.ensure_future(asyncio.wrap_future(spool.submit(make.records(1), once=False))) for _ in range(20)]
        for task in tasks[::2]:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    asyncio.run(go())
    spool.append(make.records(1), once=False)
    assert spool.depth().records == 21


def test_a_closed_spool_has_kept_what_it_was_handed_and_refuses_more(tmp_path: Path, make) -> None:
    spool = SqliteSpool(tmp_path / "spool")
    futures = [spool.submit(make.records(1), once=False) for _ in range(50)]
    spool.close()
    spool.close()
    assert [future.result() for future in futures] == [Receipt(1, 0)] * 50
    with pytest.raises(Unavailable, match="closed"):
        spool.append(make.records(1), once=False)


def test_one_process_appends_while_another_releases(tmp_path: Path, make) -> None:
    path = tmp_path / "spool"
    gateway, worker = SqliteSpool(path), SqliteSpool(path)
    sent = [make.records(3) for _ in range(120)]
    threads = [
        threading.Thread(target=lambda part=part: [gateway.append(records, once=True) for records in sent[part::4]]) for part in range(4)
    ]
    for thread in threads:
        thread.start()
    got: list[str] = []
    until = time.monotonic() + 30
    while len(got) < 360 and time.monotonic() < until:
        batches = worker.pending(50)
        got += [record.uid for batch in batches for record in batch.records]
        worker.release([batch.uid for batch in batches])
    for thread in threads:
        thread.join()
    assert Counter(got) == Counter(record.uid for records in sent for record in records)
    assert gateway.depth() == SpoolDepth(0, 0, 0)
    gateway.close()
    worker.close()


def test_kill_9_while_appending_loses_and_doubles_nothing(tmp_path: Path) -> None:
    path = tmp_path / "spool"
    acknowledged: list[str] = []
    seen: Counter[str] = Counter()
    for number in range(5):
        child = subprocess.Popen([sys.executable, "-c", APPENDER, str(path)], stdout=subprocess.PIPE)
        assert child.stdout is not None
        head = child.stdout.readline()  # it appends now
        worker = SqliteSpool(path)
        until = time.monotonic() + 0.15 + 0.05 * number
        while time.monotonic() < until:  # the worker takes batches meanwhile
            batches = worker.pending(20)
            seen.update(record.uid for batch in batches for record in batch.records)
            worker.release([batch.uid for batch in batches])
            time.sleep(0.01)
        child.send_signal(signal.SIGKILL)
        rest = child.stdout.read()
        child.wait()
        child.stdout.close()
        acknowledged += [uid for line in (head + rest).decode().splitlines() for uid in line.split() if len(uid) == 32]
        worker.close()
    after = SqliteSpool(path)
    seen.update(record.uid for batch in after.pending(10**6) for record in batch.records)
    assert after.depth().records == sum(len(batch.records) for batch in after.pending(10**6))
    after.close()
    assert len(acknowledged) > 100
    assert set(acknowledged) <= set(seen)
    assert max(seen.values()) == 1
