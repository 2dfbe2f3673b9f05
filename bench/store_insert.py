"""The writer against a raw insert of ready columns, both over HTTP, at 10,000 rows; and HTTP against chDB in process.

Usage: python bench/store_insert.py [--segments 20]
"""

import argparse
import os
import statistics
import time
from collections.abc import Sequence
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

import pyarrow as pa
from house import passing_folder, say
from store_rows import ROWS, SINCE, segment

from watchword.cli.logs import log_to_stderr
from watchword.ingest.ports import Segment
from watchword.stores.archive import FileArchive
from watchword.stores.columns import SegmentColumns, event_batch
from watchword.stores.eventlog import EVENT_DDL, ClickHouseEventLog
from watchword.stores.owner import OwnedStore

TARGETS = {"writer v raw": 0.8, "HTTP v in process": 0.7}


def stream(batch: pa.RecordBatch) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as out:
        out.write_batch(batch)
    return sink.getvalue().to_pybytes()


def figures(times: list[float]) -> dict[str, float]:
    rate = ROWS / statistics.median(times)
    return {"events_per_s": round(rate), "p50_ms": round(statistics.median(times) * 1000, 1), "max_ms": round(max(times) * 1000, 1)}


def timed(work: Any) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def over_http(data: Path, made: Sequence[Segment]) -> dict[str, list[float]]:
    """Return the times of raw inserts, of the writer, and of the archive with the writer; interleaved, so that other load weighs on all."""
    found: dict[str, list[float]] = {"raw": [], "writer": [], "archive and writer": []}
    with OwnedStore(data) as store:
        columns = SegmentColumns()
        log = ClickHouseEventLog(store.url, store.token, columns)
        log.prepare()
        archive = FileArchive(data / "archive", columns)
        client = log._client(writing=True)  # noqa: SLF001 - the floor: the same client, ready columns
        names = event_batch(1, ()).schema.names
        for n, (one, two, three) in enumerate(zip(made[::3], made[1::3], made[2::3], strict=True)):
            content = stream(event_batch(one.uid, one.events))
            settings = {"insert_deduplication_token": f"raw-{n}", "async_insert": "0"}
            found["raw"].append(
                timed(lambda c=content, s=settings: client.raw_insert(log.events_table, names, c, settings=s, fmt="ArrowStream"))
            )
            found["writer"].append(timed(lambda s=two: log.insert(s)))
            found["archive and writer"].append(timed(lambda s=three: (archive.write(s, SINCE.date()), log.insert(s))))
        log.close()
    return found


def in_process(data: Path, made: Sequence[Segment]) -> list[float]:
    """Return the times of raw inserts into chDB inside this process."""
    session = import_module("chdb.session").Session(str(data / "inside"))
    session.query("CREATE DATABASE w")
    session.query(EVENT_DDL.format(table="w.event"))
    inside = []
    for n, one in enumerate(made):
        content = stream(event_batch(one.uid, one.events))
        descriptor = os.memfd_create("bench")
        os.write(descriptor, content)
        settings = f"insert_deduplication_token = '{n}', async_insert = 0"
        sql = f"INSERT INTO w.event FROM INFILE '/proc/self/fd/{descriptor}' SETTINGS {settings} FORMAT ArrowStream"
        inside.append(timed(lambda s=sql: session.query(s)))
        os.close(descriptor)
    session.close()
    return inside


def main() -> None:
    log_to_stderr(quiet=True)
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--segments", type=int, default=20)
    count = parser.parse_args().segments
    made = [segment(n, SINCE, timedelta(milliseconds=7), bodies=False) for n in range(1, count * 3 + 1)]
    with passing_folder() as data:
        times = over_http(data, made)
        times["raw, in process"] = in_process(data, made[:count])
    rates = {name: figures(one) for name, one in times.items()}
    raw = rates["raw"]["events_per_s"]
    ratios = {
        "writer v raw": round(rates["writer"]["events_per_s"] / raw, 2),
        "archive and writer v raw": round(rates["archive and writer"]["events_per_s"] / raw, 2),
        "HTTP v in process": round(raw / rates["raw, in process"]["events_per_s"], 2),
    }
    table: list[list[object]] = [[f"insert of {ROWS:,} events", "events/s", "p50 ms", "max ms", "ratio", "target"]]
    table += [[name, *one.values(), "", ""] for name, one in rates.items()]
    table += [[name, "", "", "", ratio, TARGETS.get(name, "")] for name, ratio in ratios.items()]
    met = all(ratios[name] >= target for name, target in TARGETS.items())
    say({"bench": "store_insert", "rates": rates, "ratios": ratios, "targets": TARGETS, "met": met}, table)


if __name__ == "__main__":
    main()
