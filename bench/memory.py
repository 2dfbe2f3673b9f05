"""Memory of the whole living demo when it has told its history and idles along: RSS and PSS of every process.

Usage: python bench/memory.py [--settle 60]
"""

import argparse
import re
import time
from pathlib import Path
from typing import Any

from house import House, opened_beside, passing_folder, running, say

from watchword.cli.logs import log_to_stderr

_LINE = re.compile(r"^(Rss|Pss|Private_Dirty|Swap):\s+(\d+) kB$", re.MULTILINE)
_PEAK = re.compile(r"^VmHWM:\s+(\d+) kB$", re.MULTILINE)


def memory_of(pid: int) -> dict[str, float]:
    """Return what a process holds, in MB: RSS counts shared pages fully, PSS its share of them."""
    rollup = dict(_LINE.findall(Path(f"/proc/{pid}/smaps_rollup").read_text()))
    peak = _PEAK.search(Path(f"/proc/{pid}/status").read_text())
    return {
        "rss_mb": round(int(rollup["Rss"]) / 1024, 1),
        "pss_mb": round(int(rollup["Pss"]) / 1024, 1),
        "own_mb": round(int(rollup["Private_Dirty"]) / 1024, 1),
        "peak_rss_mb": round(int(peak[1]) / 1024, 1) if peak else 0.0,
    }


def settled(data: Path, quiet: float, patience: float) -> int:
    """Wait until the history is told, stored and the spool has stayed small for `quiet` seconds; return the events stored."""
    with opened_beside(data) as watchword:
        began, calm, before = time.monotonic(), time.monotonic(), -1
        while time.monotonic() - began < patience and time.monotonic() - calm < quiet:
            time.sleep(0.5)
            events = sum(status.events for status in watchword.ledger.statuses())
            if before < 0 or events - before > 200 or watchword.spool.depth().records > 200 or not events:
                calm = time.monotonic()
            before = events
        return before


def measure(house: House) -> dict[str, dict[str, float]]:
    """Return the memory of each process of a running house."""
    return {name: memory_of(pid) for name, pid in house.find_pids().items()}


def report(found: dict[str, dict[str, float]], events: int) -> None:
    """Print the memory of each process and of all."""
    total = {name: round(sum(one[name] for one in found.values()), 1) for name in ("rss_mb", "pss_mb", "own_mb", "peak_rss_mb")}
    table: list[list[object]] = [["process", "RSS MB", "PSS MB", "own MB", "peak RSS MB"]]
    table += [[name, *one.values()] for name, one in [*found.items(), ("together", total)]]
    outcome: dict[str, Any] = {"bench": "memory", "together": total, "processes": found, "events": events}
    say(outcome, table)


def main() -> None:
    log_to_stderr(quiet=True)
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--settle", type=float, default=60.0, help="seconds of quiet before measuring")
    parser.add_argument("--patience", type=float, default=600.0)
    given = parser.parse_args()
    with passing_folder() as data, running(data, ("demo", "--port", "0")) as house:
        events = settled(data, given.settle, given.patience)
        report(measure(house), events)


if __name__ == "__main__":
    main()
