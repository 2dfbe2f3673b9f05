"""Timeline queries on a large event log: last 200 of a person, one address over 8 days, words, counts; p50 and p95 over HTTP.

Usage: python bench/store_queries.py [--events 5000000] [--rounds 30] [--data DIR]
"""

import argparse
import json
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from store_rows import DAYS, SINCE, fill

from watchword.model import CountQuery, EventQuery, Grouping
from watchword.stores.eventlog import ClickHouseEventLog
from watchword.stores.owner import OwnedStore

UNTIL = SINCE + timedelta(days=DAYS)


def questions(log: ClickHouseEventLog, chance: random.Random) -> dict[str, Callable[[], object]]:
    def person() -> str:
        return f"person:{chance.randrange(200)}"

    some = log.events(EventQuery(limit=2000))

    def hand_written() -> object:
        text = (
            f"SELECT * FROM {log.events_table} WHERE person = '{person()}' AND time >= '2026-03-08 00:00:00' ORDER BY time DESC, uid DESC "  # noqa: S608 - own names
            "LIMIT 200"
        )
        return log._client(writing=False).raw_query(text, fmt="ArrowStream")  # noqa: SLF001 - the raw floor of the first question

    return {
        "last 200 of a person, 24 h": lambda: log.events(EventQuery(persons=(person(),), since=UNTIL - timedelta(days=1))),
        "the same, SQL by hand, Arrow bytes only": hand_written,
        "last 200 of a person, ever": lambda: log.events(EventQuery(persons=(person(),))),
        "one address, 8 d": lambda: log.events(
            EventQuery(addresses=(f"10.9.{chance.randrange(250)}.{chance.randrange(250)}",), since=SINCE)
        ),
        "newest 200": lambda: log.events(EventQuery()),
        "second page": lambda: log.events(EventQuery(after=some[-1].order)),
        "two words, newest 200": lambda: log.events(EventQuery(text=f"Logon host{chance.randrange(250)}")),
        "a rare word": lambda: log.events(EventQuery(text=f"ticket{chance.randrange(100_000)}")),
        "20 events by uid": lambda: log.events(EventQuery(uids=tuple(event.uid for event in chance.sample(some, 20)))),
        "one raw record": lambda: log.records([chance.choice(some).record]),
        "count per class and 5 min, 7 d": lambda: log.counts(
            CountQuery(EventQuery(since=UNTIL - timedelta(days=7)), by=Grouping.CLASS, bucket=timedelta(minutes=5), limit=50_000)
        ),
        "top 20 persons, 7 d": lambda: log.counts(CountQuery(EventQuery(since=UNTIL - timedelta(days=7)), by=Grouping.PERSON, limit=20)),
        "newest time": log.newest,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=5_000_000)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--data", type=Path, default=None, help="keep the event log here and use it again")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as aside, OwnedStore(given.data or Path(aside)) as store:
        log = ClickHouseEventLog(store.url, store.token)
        log.prepare()
        begin = time.perf_counter()
        added = fill(log, given.events)
        print(json.dumps({"figure": "fill", "events": added, "events_per_s": round(added / max(0.001, time.perf_counter() - begin))}))
        stored = sum(events for _, events, _ in log.days())
        size = sum(size for _, _, size in log.days())
        print(
            json.dumps({"figure": "disk", "events": stored, "bytes_per_event": round(size / stored), "at": datetime.now(UTC).isoformat()})
        )
        for name, ask in questions(log, random.Random(1)).items():
            ask()
            times = []
            for _ in range(given.rounds):
                begin = time.perf_counter()
                ask()
                times.append((time.perf_counter() - begin) * 1000)
            cuts = statistics.quantiles(times, n=20)
            print(json.dumps({"figure": name, "p50_ms": round(statistics.median(times), 1), "p95_ms": round(cuts[18], 1)}))
        log.close()


if __name__ == "__main__":
    main()
