"""How long an acknowledgement takes at half of the highest load that the front door takes: single records and bundles, over HTTP.

Usage: python bench/acknowledge.py [--seconds 10] [--clients 4] [--bundle 500]
"""

import argparse
import contextlib
import itertools
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from day import FLOW, SEED, furnish_for_day
from house import House, in_threads, milliseconds, passing_folder, running, say, settings_for, with_tokens

from watchword.app.watchword import open_watchword
from watchword.cli.logs import log_to_stderr
from watchword.simulate import organisation
from watchword.stores.spool import SqliteSpool

TARGET_MS = 50.0


class Flows:
    """Fresh connection records of the demo site's hosts, for any number of threads."""

    def __init__(self) -> None:
        self._hosts = [host.ip for host in organisation(SEED).hosts if host.ip]
        self._numbers = itertools.count()

    def take(self, count: int) -> list[bytes]:
        """Return so many new records."""
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z").encode()
        made = []
        for number in itertools.islice(self._numbers, count):
            host = self._hosts[number % len(self._hosts)].encode()
            made.append(FLOW % (b"b%d" % number, now, b"fw-h-1", host, 32768 + number % 28000, b"10.10.0.5", 443, b"tcp", 1800, 9000))
        return made


def flat_out(house: House, flows: Flows, size: int, clients: int, seconds: float) -> float:
    """Return the requests per second that clients get acknowledged who send as fast as they can."""
    until = time.perf_counter() + seconds

    def client() -> int:
        sender, sent = house.sender("flows"), 0
        while time.perf_counter() < until:
            sender.send(flows.take(size))
            sent += 1
        sender.close()
        return sent

    began = time.perf_counter()
    sent = sum(in_threads([client] * clients))
    return sent / (time.perf_counter() - began)


def paced(house: House, flows: Flows, size: int, clients: int, seconds: float, per_second: float) -> list[float]:
    """Send at a steady rate; return for each request the seconds from when it was due until it was acknowledged.

    Counting from the due time and not from the sending keeps a slow answer from hiding the requests that had to wait behind it.
    """
    due, guard, began = _due(seconds, per_second), threading.Lock(), time.perf_counter() + 0.05

    def client() -> list[float]:
        sender, took = house.sender("flows"), []
        while True:
            with guard:
                at = next(due, None)
            if at is None:
                break
            records = flows.take(size)
            time.sleep(max(0.0, began + at - time.perf_counter()))
            sender.send(records)
            took.append(time.perf_counter() - began - at)
        sender.close()
        return took

    return list(itertools.chain.from_iterable(in_threads([client] * clients)))


def _due(seconds: float, per_second: float) -> Iterator[float]:
    return (number / per_second for number in range(max(2, int(seconds * per_second))))


def drained(data: Path, patience: float) -> None:
    """Wait until the worker has caught up, so that one measurement does not weigh on the next."""
    with contextlib.closing(SqliteSpool(data / "spool.sqlite3")) as spool:
        until = time.monotonic() + patience
        while spool.depth().records and time.monotonic() < until:
            time.sleep(0.2)


def prepare(data: Path) -> dict[str, str]:
    """Furnish the data folder and return the token of the source."""
    with open_watchword(settings_for(data)) as watchword:
        furnish_for_day(watchword)
        return with_tokens(watchword, ["flows"])


def measure(house: House, sizes: list[int], clients: int, seconds: float) -> list[dict[str, Any]]:
    """Return for each size of bundle the highest load that the house takes, and the acknowledgements at half of it."""
    flows, found = Flows(), []
    flat_out(house, flows, 10, clients, min(1.0, seconds))  # first requests open connections and compile the mapping
    for size in sizes:
        highest = flat_out(house, flows, size, clients, seconds)
        drained(house.data, 20 * seconds)
        took = paced(house, flows, size, clients, seconds, highest / 2)
        drained(house.data, 20 * seconds)
        found.append(
            {
                "records_per_request": size, "highest_requests_per_s": round(highest, 1),
                "highest_records_per_s": round(highest * size),
                "requests_at_half_load": len(took), **milliseconds(took),
            }
        )  # fmt: skip
    return found


def report(found: list[dict[str, Any]]) -> None:
    """Print the loads and the target."""
    table: list[list[object]] = [
        ["records a request", "highest requests/s", "highest records/s", "at half load: p50 ms", "p99 ms", "max ms"]
    ]
    table += [
        [
            one["records_per_request"], one["highest_requests_per_s"], one["highest_records_per_s"], one["p50_ms"], one["p99_ms"],
            one["max_ms"],
        ]
        for one in found
    ]  # fmt: skip
    met = all(one["p99_ms"] <= TARGET_MS for one in found)
    say({"bench": "acknowledge", "target_p99_ms": TARGET_MS, "met": met, "loads": found}, table)


def main() -> None:
    log_to_stderr(quiet=True)
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--clients", type=int, default=4)
    parser.add_argument("--bundle", type=int, default=500)
    given = parser.parse_args()
    with passing_folder() as data, running(data, tokens=prepare(data)) as house:
        report(measure(house, [1, given.bundle], given.clients, given.seconds))


if __name__ == "__main__":
    main()
