"""Timeline queries on a large event log: a person, an address over 8 days, words, counts; p50, p95 and processor time over HTTP.

Usage: python bench/store_queries.py [--events 5000000] [--rounds 30] [--data DIR]
"""

import argparse
import random
import statistics
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from house import cpu_seconds, passing_folder, say
from store_rows import DAYS, SINCE, fill

from watchword.cli.logs import log_to_stderr
from watchword.model import CountQuery, EventQuery, Grouping
from watchword.stores.eventlog import ClickHouseEventLog
from watchword.stores.owner import OwnedStore

UNTIL = SINCE + timedelta(days=DAYS)
TARGET_MS = 50
PROMISED = ("last 200 of a person, 24 h", "last 200 of a person, ever", "one address, 8 d")


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


def processor_ms(store: OwnedStore) -> float:
    """Return the processor time of this process and of the store's so far, in ms."""
    pids = {} if store.child is None else {"store": store.child.pid}
    return 1000 * (time.process_time() + sum(cpu_seconds(pids).values()))


def measure(data: Path, events: int, rounds: int) -> dict[str, Any]:
    """Fill the event log where it lacks events, and return the times of every question."""
    with OwnedStore(data) as store:
        log = ClickHouseEventLog(store.url, store.token)
        log.prepare()
        begin = time.perf_counter()
        added = fill(log, events)
        rate = round(added / max(0.001, time.perf_counter() - begin))
        stored, size = (sum(day[column] for day in log.days()) for column in (1, 2))
        found: dict[str, dict[str, float]] = {}
        for name, ask in questions(log, random.Random(1)).items():
            ask()
            times, spent = [], processor_ms(store)
            for _ in range(rounds):
                begin = time.perf_counter()
                ask()
                times.append((time.perf_counter() - begin) * 1000)
            cuts = statistics.quantiles(times, n=20)
            spent = (processor_ms(store) - spent) / rounds
            found[name] = {"p50_ms": round(statistics.median(times), 1), "p95_ms": round(cuts[18], 1), "cpu_ms": round(spent, 1)}
        log.close()
    return {"events": stored, "filled_per_s": rate, "bytes_per_event": round(size / max(1, stored)), "questions": found}


def main() -> None:
    log_to_stderr(quiet=True)
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=5_000_000)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--data", type=Path, default=None, help="keep the event log here and use it again")
    given = parser.parse_args()
    with passing_folder(given.data) as data:
        found = measure(data, given.events, given.rounds)
    times = found["questions"]
    met = all(times[name]["p50_ms"] <= TARGET_MS for name in PROMISED)
    table: list[list[object]] = [["question", "p50 ms", "p95 ms", "cpu ms", "target ms"]]
    table += [[name, *one.values(), TARGET_MS if name in PROMISED else ""] for name, one in times.items()]
    table.append([f"{found['events']:,} events, {found['bytes_per_event']} bytes each on disk", "", "", "", ""])
    say({"bench": "store_queries", **found, "target_ms": TARGET_MS, "met": met}, table)


if __name__ == "__main__":
    main()
