# ruff: noqa: S608 - only names of our own tables are put into the text
"""kill -9 of gateway, worker and store in turn while records come in: everything acknowledged is in the event log exactly once."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from watchword.ingest.ledger import Ledger
from watchword.ingest.sealing import Sealer
from watchword.ingest.segments import SegmentState
from watchword.kit.clock import SystemClock
from watchword.stores.archive import FileArchive
from watchword.stores.eventlog import ClickHouseEventLog
from watchword.stores.owner import OwnedStore
from watchword.stores.records import open_records
from watchword.stores.spool import SqliteSpool

ROUNDS = 12

GATEWAY = """
import os, sys, threading, time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from watchword.kit.clock import to_millisecond
from watchword.model import RawRecord
from watchword.stores.spool import SqliteSpool
spool = SqliteSpool(Path(sys.argv[1]) / "spool.sqlite3")
def work(number):
    count = 0
    while True:
        at = to_millisecond(datetime.now(UTC)) - timedelta(days=count % 3)  # several arrival dates
        uids = [os.urandom(16).hex() for _ in range(1 + count % 50)]
        spool.append([RawRecord(uid, f"s{number}", at, uid.encode() * 5) for uid in uids], once=True)
        os.write(1, (" ".join(uids) + "\\n").encode())
        count += 1
        time.sleep(0.05)
for number in range(3):
    threading.Thread(target=work, args=(number,)).start()
"""

WORKER = """
import json, sys, time
from datetime import timedelta
from pathlib import Path
from watchword.ingest.ledger import Ledger
from watchword.ingest.sealing import Sealer
from watchword.kit.clock import SystemClock
from watchword.kit.errors import Unavailable
from watchword.kit.ids import uid_of
from watchword.model import Event, SourceStatus
from watchword.stores.archive import FileArchive
from watchword.stores.columns import SegmentColumns
from watchword.stores.eventlog import ClickHouseEventLog
from watchword.stores.records import open_records
from watchword.stores.spool import SqliteSpool
data = Path(sys.argv[1])
spool = SqliteSpool(data / "spool.sqlite3")
ledger = Ledger(open_records(f"sqlite:///{data}/records.sqlite3"))
def events_of(record):
    return [Event(uid_of("event", record.uid, str(n)), record.uid, record.source, record.received - timedelta(hours=n), record.received, 3002, 1) for n in range(2)]
while True:
    try:
        columns = SegmentColumns()
        url = json.loads((data / "run" / "store.json").read_text())["url"]
        log = ClickHouseEventLog(url, (data / "keys" / "store.token").read_text(), columns)
        log.prepare()
        sealer = Sealer(spool, FileArchive(data / "archive", columns), ledger, log, SystemClock())
        sealer.recover()
        while True:
            batches = sealer.pending(5000)
            if not batches:
                time.sleep(0.02)
                continue
            records = [record for batch in batches for record in batch.records]
            tally = [SourceStatus("all", accepted=len(records))]
            segment = sealer.seal([batch.uid for batch in batches], records, [event for record in records for event in events_of(record)], (), tally)
            sealer.store(segment)
            sealer.mark_judged([segment.uid])
    except (Unavailable, OSError, ValueError):
        time.sleep(0.05)
"""


@pytest.mark.slow
def test_kill_9_of_each_process_in_turn_loses_and_doubles_nothing(tmp_path: Path) -> None:
    chance = random.Random(11)
    records = open_records(f"sqlite:///{tmp_path}/records.sqlite3")
    records.migrate()
    acknowledged: list[str] = []
    sink = tmp_path / "acknowledged"

    def start(code: str) -> subprocess.Popen[bytes]:
        with sink.open("ab") as out:
            return subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=out)

    with OwnedStore(tmp_path, serving=True) as store:
        gateway, worker = start(GATEWAY), start(WORKER)
        ledger = Ledger(records)
        for number in range(ROUNDS):
            position, until = ledger.last_position(), time.monotonic() + 15
            while ledger.last_position() <= position and time.monotonic() < until:
                time.sleep(0.02)  # until something is sealed again: a kill before the first step proves little
            time.sleep(chance.uniform(0, 0.3))
            victim = number % 3
            if victim == 0:
                _kill(gateway)
                gateway = start(GATEWAY)
            elif victim == 1:
                _kill(worker)
                worker = start(WORKER)
            else:
                assert store.child is not None
                os.kill(store.child.pid, signal.SIGKILL)
                store.restart()
        _kill(gateway)
        spool = SqliteSpool(tmp_path / "spool.sqlite3")
        until = time.monotonic() + 60
        while spool.depth().records and time.monotonic() < until:
            assert worker.poll() is None
            time.sleep(0.1)
        _kill(worker)
        assert spool.depth().records == 0

        log = ClickHouseEventLog(store.url, store.token)
        sealer = Sealer(spool, FileArchive(tmp_path / "archive"), ledger, log, SystemClock())
        sealer.recover()
        acknowledged = [uid for line in sink.read_text().splitlines() for uid in line.split() if len(uid) == 32]
        _check(log, set(acknowledged), ledger)
        verdict = sealer.verify_segments()
        assert verdict.faults == []
        assert sealer.segments.counts()[SegmentState.SEALED] == 0
        log.close()
        spool.close()
        records.close()
        print(json.dumps({"rounds": ROUNDS, "acknowledged": len(acknowledged), "segments": verdict.segments}))  # noqa: T201 - figures for the log


def _check(log: ClickHouseEventLog, acknowledged: set[str], ledger: Ledger) -> None:
    client = log._client(writing=True)
    held = {row[0] for row in client.query(f"SELECT lower(hex(uid)) FROM {log.records_table}").result_rows}
    assert len(acknowledged) > 1000
    assert acknowledged <= held
    for table, per_record in ((log.records_table, 1), (log.events_table, 2)):
        ((rows, different),) = client.query(f"SELECT count(), uniqExact(uid) FROM {table}").result_rows
        assert rows == different == per_record * len(held)
    assert ledger.status("all").accepted == len(held)


def _kill(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGKILL)
    process.wait()
