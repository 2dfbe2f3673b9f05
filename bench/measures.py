"""Computing every measure for 90 days of a site with 5 million events and 2,000 incidents, the daily update after that, and the dashboard.

Usage: python bench/measures.py [--days 90] [--events 5000000] [--incidents 2000] [--rounds 10] [--data DIR]
"""

import argparse
import statistics
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from house import passing_folder, running, say, settings_for
from pages import PASSWORD, Visitor
from store_rows import ROWS, segment

from watchword.app.controlling import look
from watchword.app.demo import run_once
from watchword.app.furnishing_history import furnish_history
from watchword.app.measuring import compute_present, compute_settled
from watchword.app.principal import Role
from watchword.app.uptime_house import follow_uptime
from watchword.app.watchword import Watchword, open_watchword
from watchword.cli.logs import log_to_stderr
from watchword.kit.clock import SystemClock
from watchword.simulate import Delivery
from watchword.simulate.world import Simulation
from watchword.stores.eventlog import ClickHouseEventLog
from watchword.stores.owner import OwnedStore

SEED = 1
FIRST, DAILY, PAGE_MS = 60.0, 5.0, 300.0
DEVICES = frozenset({"cameras", "harbour-doors", "mill-doors", "panel"})
"""Sources whose every record may tell of an uptime; what else is in the log is other traffic."""
JOBS: tuple[tuple[str, Callable[[Watchword, datetime], object]], ...] = (
    ("uptime", follow_uptime), ("controls", look), ("periods", compute_settled), ("present", compute_present),
)  # fmt: skip
PAGES = ("/metrics", "/metrics/risk_hours", "/uptime", "/controls", "/risks")


def of_devices(run: Simulation) -> Iterable[Delivery]:
    """Yield what doors, cameras and panels say."""
    return (delivery for delivery in run if delivery.source in DEVICES)


def fill(data: Path, days: int, events: int, incidents: int) -> dict[str, Any]:
    """Fill the folder: so many days of devices through the whole pipeline, other traffic up to the number of events, and incidents."""
    settings, now = settings_for(data), datetime.now(UTC)
    since = now.date() - timedelta(days=days)
    played = run_once(settings, days - 1, SEED, since=since, order=of_devices)
    with OwnedStore(data) as store:
        log = ClickHouseEventLog(store.url, store.token)
        log.prepare()
        for made in traffic(datetime(since.year, since.month, since.day, tzinfo=UTC), now, max(0, events - played["events"])):
            log.insert(made)
        stored = sum(day[1] for day in log.days())
    weeks = max(1, days // 7)
    opened = furnish_history(settings, SEED, SystemClock(), weeks=weeks, a_week=incidents / weeks)
    with open_watchword(settings) as watchword:
        watchword.accounts.create("mara", Role.MANAGER, PASSWORD, actor="bench")
    return {"days": days, "events": stored, "incidents": opened}


def traffic(since: datetime, until: datetime, events: int) -> Iterator[Any]:
    """Yield segments of other events, evenly over the days; none crosses a midnight, for a segment is of one day."""
    days = (until - since) // timedelta(days=1)
    per_day, uid = events // max(1, days), 1
    for day in range(days):
        step = timedelta(milliseconds=max(1, 86_000_000 // max(1, per_day)))
        for done in range(0, per_day, ROWS):
            yield segment(uid, since + timedelta(days=day) + step * done, step, min(ROWS, per_day - done), bodies=False)
            uid += 1


def timed(watchword: Watchword) -> dict[str, float]:
    """Do every job once and return the seconds each took."""
    took = {}
    for name, do in JOBS:
        began = time.perf_counter()
        do(watchword, watchword.clock.now())
        took[name] = round(time.perf_counter() - began, 2)
    return took


def measure(data: Path, rounds: int) -> dict[str, Any]:
    """Compute everything, compute it again as a day later would, and ask for the pages."""
    with open_watchword(settings_for(data)) as watchword:
        first = timed(watchword)
        daily = timed(watchword)
        kept = len(watchword.measures.metrics.all_series([each.name for each in watchword.measures.metrics.definitions()]))
    pages = {}
    with running(data) as house, closing(Visitor(house.url)) as visitor:
        visitor.log_in("mara")
        for path in PAGES:
            visitor.ask("GET", path)
            times = [visitor.ask("GET", path)[1] * 1000 for _ in range(rounds)]
            pages[path] = {"p50_ms": round(statistics.median(times), 1), "max_ms": round(max(times), 1)}
    return {"first": first, "daily": daily, "series": kept, "pages": pages}


def report(filled: dict[str, Any], found: dict[str, Any]) -> None:
    """Print the figures and the targets."""
    first, daily = (round(sum(found[name].values()), 1) for name in ("first", "daily"))
    table: list[list[object]] = [["what", "first s", "daily s"]]
    table += [[name, found["first"][name], found["daily"][name]] for name, _ in JOBS]
    table.append(["all (targets 60, 5)", first, daily])
    table += [[path, f"p50 {one['p50_ms']} ms", f"max {one['max_ms']} ms"] for path, one in found["pages"].items()]
    met = first <= FIRST and daily <= DAILY and all(one["p50_ms"] <= PAGE_MS for one in found["pages"].values())
    say({"bench": "measures", "met": met, "first_s": first, "daily_s": daily, **filled, **found}, table)


def main() -> None:
    log_to_stderr(quiet=True)
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=int, default=90)
    parser.add_argument("--events", type=int, default=5_000_000)
    parser.add_argument("--incidents", type=int, default=2_000)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--data", type=Path)
    given = parser.parse_args()
    with passing_folder(given.data) as data:
        report(fill(data, given.days, given.events, given.incidents), measure(data, given.rounds))


if __name__ == "__main__":
    main()
