"""JSON on the wire until acknowledged and until searchable, against a raw insert of the same events' ready columns into the same store.

Usage: python bench/wire_to_searchable.py [--records 60000] [--rounds 3] [--bundle 500] [--clients 2]
"""

import argparse
import itertools
import statistics
import threading
import time
from pathlib import Path
from typing import Any

import pyarrow as pa
from day import SOURCES, bundles, day_records, furnish_for_day
from house import House, cpu_seconds, in_threads, opened_beside, passing_folder, running, say, settings_for, with_tokens

from watchword.app.watchword import Watchword, open_watchword
from watchword.cli.logs import log_to_stderr
from watchword.ingest.segments import SegmentState
from watchword.model import CountQuery, EventQuery, RawRecord
from watchword.stores.columns import event_batch
from watchword.stores.eventlog import EVENT_DDL, ClickHouseEventLog
from watchword.stores.owner import OwnedStore

BLOCK = 10_000
WARM_UP = 2_000
"""Records sent before anything is measured: mappings are compiled, connections opened, code is paged in."""
TARGET = 0.25


def stored(watchword: Watchword) -> int:
    return sum(count.events for count in watchword.events.counts(CountQuery(EventQuery())))


def wait_for(watchword: Watchword, events: int) -> None:
    """Wait until the event log holds so many events."""
    while (there := stored(watchword)) < events:
        time.sleep(0.05)
    if there > events:
        raise SystemExit(f"{there} events are stored where {events} were sent")


def wait_until_judged(watchword: Watchword) -> None:
    """Wait until the worker has judged what is stored, so that it takes nothing from what is measured next."""
    segments = watchword.sealer.segments
    while any(count for state, count in segments.counts().items() if state is not SegmentState.JUDGED):
        time.sleep(0.05)


def send(house: House, records: list[tuple[str, bytes]], size: int, clients: int) -> list[float]:
    """Send the records from several clients; return each request's seconds until its acknowledgement."""
    todo, guard = iter(bundles(records, size)), threading.Lock()

    def client() -> list[float]:
        senders = {source: house.sender(source) for source in SOURCES}
        took = []
        while True:
            with guard:
                bundle = next(todo, None)
            if bundle is None:
                break
            took.append(senders[bundle[0]].send(bundle[1]))
        for sender in senders.values():
            sender.close()
        return took

    return list(itertools.chain.from_iterable(in_threads([client] * clients)))


def columns_of(watchword: Watchword, records: list[tuple[str, bytes]]) -> list[pa.Table]:
    """Return the events that these records become as ready columns, in blocks, and in the order of the table."""
    directory, now = watchword.registry.directory(), watchword.clock.now()
    mapping_of = {source: watchword.mappings.of(source) for source in SOURCES}
    events = []
    for number, (source, body) in enumerate(records):
        parsed = mapping_of[source].parse(RawRecord(f"{number:032x}", source, now, body))
        events += [directory.identify(event) for event in parsed.events]
    blocks = [sorted(events[at : at + BLOCK], key=lambda event: event.order) for at in range(0, len(events), BLOCK)]
    return [pa.Table.from_batches([event_batch(number, block)]) for number, block in enumerate(blocks, 1)]


def raw(log: ClickHouseEventLog, table: str, blocks: list[pa.Table], token: str) -> float:
    client = log._client(writing=True)  # noqa: SLF001 - the floor: the same client, ready columns
    began = time.perf_counter()
    for number, block in enumerate(blocks):
        client.insert_arrow(table, block, settings={"insert_deduplication_token": f"{token}-{number}", "async_insert": "0"})
    return time.perf_counter() - began


def prepare(data: Path) -> dict[str, str]:
    """Furnish the data folder and return the token of every source."""
    with open_watchword(settings_for(data)) as watchword:
        furnish_for_day(watchword)
        return with_tokens(watchword, SOURCES)


def measure(house: House, told: list[tuple[str, bytes]], warm_up: int, rounds: int, size: int, clients: int) -> list[dict[str, Any]]:
    """Send the records to a running house in rounds and return what each round measured; the first `warm_up` are not counted."""
    per_round = (len(told) - warm_up) // rounds
    found = []
    with opened_beside(house.data) as watchword, OwnedStore(house.data) as store:
        log = ClickHouseEventLog(store.url, store.token)
        log.prepare()
        table = f"{log.database}.bench_raw"
        log._client(writing=True).command(EVENT_DDL.format(table=table))  # noqa: SLF001 - the same table once more
        expected = stored(watchword) + sum(block.num_rows for block in columns_of(watchword, told[:warm_up]))
        send(house, told[:warm_up], size, clients)
        wait_for(watchword, expected)
        wait_until_judged(watchword)
        for number in range(rounds):
            part = told[warm_up + number * per_round :][:per_round]
            blocks = columns_of(watchword, part)
            events, before, used = sum(block.num_rows for block in blocks), stored(watchword), cpu_seconds(house.pids)
            began = time.perf_counter()
            send(house, part, size, clients)
            acknowledged = time.perf_counter() - began
            wait_for(watchword, before + events)
            searchable = time.perf_counter() - began
            wait_until_judged(watchword)
            after = cpu_seconds(house.pids)
            floor = raw(log, table, blocks, f"{number}")
            spent = {name: round((after[name] - used[name]) / events * 1e6, 1) for name in ("serve", "work", "store")}
            spent["raw"] = round((cpu_seconds(house.pids)["store"] - after["store"]) / events * 1e6, 1)
            found.append(
                {
                    "records": len(part), "events": events, "acknowledged_per_s": round(len(part) / acknowledged),
                    "searchable_per_s": round(events / searchable), "raw_per_s": round(events / floor),
                    "ratio": round(floor / searchable, 3),
                    "cpu_us_per_event": spent,
                }
            )  # fmt: skip
        findings = len(watchword.findings.since(watchword.clock.now().replace(year=2000)))
        log.close()
    for one in found:
        one["findings"] = findings
    return found


def report(rounds: list[dict[str, Any]]) -> None:
    """Print the rounds, their medians and the target."""
    names = ("acknowledged_per_s", "searchable_per_s", "raw_per_s", "ratio")
    median: dict[str, Any] = {name: statistics.median(one[name] for one in rounds) for name in names}
    spent = {name: statistics.median(one["cpu_us_per_event"][name] for one in rounds) for name in ("serve", "work", "store", "raw")}
    median["cpu_us_per_event"] = spent
    table: list[list[object]] = [["round", "records", "acknowledged/s", "searchable/s", "raw insert/s", "ratio"]]
    table += [[number, one["records"], *(one[name] for name in names)] for number, one in enumerate(rounds, 1)]
    table.append(["median", sum(one["records"] for one in rounds), *(median[name] for name in names)])
    table.append(["processor time, us per event:", *(f"{name} {spent[name]}" for name in spent), ""])
    say({"bench": "wire_to_searchable", **median, "target": TARGET, "met": median["ratio"] >= TARGET, "rounds": rounds}, table)


def main() -> None:
    log_to_stderr(quiet=True)
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=60_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--bundle", type=int, default=500)
    parser.add_argument("--clients", type=int, default=2)
    parser.add_argument("--data", type=Path, default=None, help="keep the data folder here")
    given = parser.parse_args()
    with passing_folder(given.data) as data, running(data, tokens=prepare(data)) as house:
        report(measure(house, day_records(given.records + WARM_UP), WARM_UP, given.rounds, given.bundle, given.clients))


if __name__ == "__main__":
    main()
