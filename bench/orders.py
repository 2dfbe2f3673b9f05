"""Order does not matter: days of the demo site, played in ten random orders and with an upload 20 h late, give the same finding uids.

Usage: python bench/orders.py [--days 7] [--seeds 101 102 103 104 105] [--orders 10]
"""

import argparse
import json
import tempfile
from collections.abc import Callable, Iterable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from watchword.app.demo import FIRST_DAY, delayed, demo_mappings, run_once, shuffled
from watchword.app.settings import read_settings
from watchword.cli.logs import log_to_stderr
from watchword.ingest.mapping import load_mapping
from watchword.simulate import Delivery


def played(days: int, seed: int, order: Callable[[Any], Iterable[Delivery]] = iter) -> dict[str, Any]:
    """Play the days in a passing data folder."""
    with tempfile.TemporaryDirectory(prefix="watchword-bench-") as folder:
        return run_once(read_settings(None, {}, {"data": Path(folder)}), days, seed, order=order)


def compared(days: int, seed: int, orders: int) -> dict[str, Any]:
    """Play a seed in order, in random orders and with late uploads; return what differed."""
    lateness = {name: load_mapping(text, name, key=b"k").source(name).lateness for name, text in demo_mappings().items()}
    first = played(days, seed)
    wanted = set(first["uids"])
    late: date = FIRST_DAY + timedelta(days=min(1, days - 1))
    others: dict[str, Callable[[Any], Iterable[Delivery]]] = {
        f"order {number}": lambda run, number=number: shuffled(run, lateness, number) for number in range(1, orders + 1)
    }
    others["20 h late"] = lambda run: delayed(run, "mill-doors", late, timedelta(hours=20))
    differing = {}
    for name, order in others.items():
        found = set(played(days, seed, order)["uids"])
        if found != wanted:
            differing[name] = {"missing": sorted(wanted - found), "more": sorted(found - wanted)}
    stories = {story["story"]: story["found"] for story in first["stories"]}
    keep = ("records", "events", "unparsed", "seconds", "events_per_second", "missed", "benign")
    return {"seed": seed, "days": days, "stories": stories, "differing": differing, **{name: first[name] for name in keep}}


def main() -> None:
    """Print one JSON object a seed; exit 1 when a story was missed or an order changed the findings."""
    log_to_stderr(quiet=True)
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=int, default=2)
    parser.add_argument("--seeds", type=int, nargs="+", default=[101])
    parser.add_argument("--orders", type=int, default=2)
    chosen = parser.parse_args()
    bad = False
    for seed in chosen.seeds:
        outcome = compared(chosen.days, seed, chosen.orders)
        print(json.dumps(outcome), flush=True)
        bad = bad or bool(outcome["missed"] or outcome["differing"])
    raise SystemExit(int(bad))


if __name__ == "__main__":
    main()
