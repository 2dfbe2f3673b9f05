"""The writer against a raw insert of ready columns, both over HTTP, at 10,000 rows; and HTTP against chDB in process.

Usage: python bench/store_insert.py [--segments 20]
"""

import argparse
import json
import os
import statistics
import tempfile
import time
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

import pyarrow as pa
from store_rows import ROWS, SINCE, segment

from watchword.stores.archive import FileArchive
from watchword.stores.columns import SegmentColumns, event_batch
from watchword.stores.eventlog import EVENT_DDL, ClickHouseEventLog
from watchword.stores.owner import OwnedStore


def stream(batch: pa.RecordBatch) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as out:
        out.write_batch(batch)
    return sink.getvalue().to_pybytes()


def report(name: str, times: list[float]) -> float:
    rate = ROWS / statistics.median(times)
    print(
        json.dumps(
            {
                "figure": name,
                "events_per_s": round(rate),
                "p50_ms": round(statistics.median(times) * 1000, 1),
                "max_ms": round(max(times) * 1000, 1),
            }
        )
    )
    return rate


def timed(work: Any) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--segments", type=int, default=20)
    count = parser.parse_args().segments
    made = [segment(n, SINCE, timedelta(milliseconds=7), bodies=False) for n in range(1, count * 3 + 1)]
    with tempfile.TemporaryDirectory() as aside:
        with OwnedStore(Path(aside)) as store:
            columns = SegmentColumns()
            log = ClickHouseEventLog(store.url, store.token, columns)
            log.prepare()
            archive = FileArchive(Path(aside) / "archive", columns)
            client = log._client(writing=True)  # noqa: SLF001 - the floor: the same client, ready columns
            writer, sealed, raw = [], [], []
            for n in range(count):  # interleaved, so that other load weighs on all alike
                one, two, three = made[n * 3 : n * 3 + 3]
                content = stream(event_batch(one.uid, one.events))
                settings = {"insert_deduplication_token": f"raw-{n}", "async_insert": "0"}
                names = event_batch(one.uid, ()).schema.names
                raw.append(
                    timed(lambda c=content, s=settings, m=names: client.raw_insert(log.events_table, m, c, settings=s, fmt="ArrowStream"))
                )
                writer.append(timed(lambda s=two: log.insert(s)))
                sealed.append(timed(lambda s=three: (archive.write(s, SINCE.date()), log.insert(s))))
            floor = report("raw insert of ready columns, HTTP", raw)
            print(json.dumps({"figure": "writer v raw", "ratio": round(report("writer: objects to rows, HTTP", writer) / floor, 2)}))
            print(json.dumps({"figure": "archive + writer v raw", "ratio": round(report("archive file, then writer", sealed) / floor, 2)}))
            log.close()
        session = import_module("chdb.session").Session(f"{aside}/inside")
        session.query("CREATE DATABASE w")
        session.query(EVENT_DDL.format(table="w.event"))
        inside = []
        for n in range(count):
            content = stream(event_batch(made[n].uid, made[n].events))
            descriptor = os.memfd_create("bench")
            os.write(descriptor, content)
            settings = f"insert_deduplication_token = '{n}', async_insert = 0"
            sql = f"INSERT INTO w.event FROM INFILE '/proc/self/fd/{descriptor}' SETTINGS {settings} FORMAT ArrowStream"
            inside.append(timed(lambda s=sql: session.query(s)))
            os.close(descriptor)
        session.close()
        print(
            json.dumps(
                {"figure": "HTTP v in process", "ratio": round(floor / report("raw insert of ready columns, in process", inside), 2)}
            )
        )


if __name__ == "__main__":
    main()
