"""Try the gaming detectors on the queue with known truth and compare with the table of the design.

    python bench/gaming_table.py [--runs 50] [--seed 20260101] [--weeks 16] [--expected FILE]

Prints a row for each scenario: the share of runs in which each detector fired on the analyst who games, or on the team, and what counting
shows before and after; then the false signs on honest analysts. With `--expected` (the reference table as JSON) it says which cells are
further than .14 away and ends with 1 if any is. `--weeks 20` gives the quarter's detectors twelve weeks of gaming instead of eight.
"""

import argparse
import json
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from house import say

from watchword.cli.logs import log_to_stderr
from watchword.measure.gaming_trial import PERSONAL, Row, try_scenario
from watchword.simulate.queue import scenarios

NEAR: Final = 0.14
KEYS: Final = {"D1": "D1_person", "D1 team": "D1_team", "D2": "D2_bulk", "D3": "D3_downgrade", "D4": "D4_reopen"}
COLUMNS: Final = (*KEYS, "D3 quarter", "D4 quarter")
FIGURES: Final = ("closures", "value", "open_risk_hours")


def measure(runs: int, seed: int, weeks: int) -> tuple[list[Row], float]:
    """Run every scenario, each on seeds of its own; return the rows and the seconds of processor time."""
    began = time.process_time()
    rows = []
    for index, chosen in enumerate(scenarios()):
        first = seed + 1000 * index
        rows.append(try_scenario(replace(chosen, weeks=weeks), range(first, first + runs)))
    return rows, time.process_time() - began


def report(rows: list[Row], cpu: float, expected: dict[str, Any]) -> int:
    """Print the table; return how many cells are too far from the reference."""
    table: list[list[object]] = [["scenario", *COLUMNS, *FIGURES]]
    for row in rows:
        pairs = [f"{row.mean('before', each):.0f}→{row.mean('after', each):.0f}" for each in FIGURES]
        table.append([row.scenario.name, *(f"{row.rate(each):.2f}" for each in COLUMNS), *pairs])
    far = _far(rows, expected) if expected else []
    outcome = {
        "bench": "gaming_table",
        "runs": rows[0].runs,
        "fired": {row.scenario.name: {each: row.rate(each) for each in COLUMNS} for row in rows},
        "honest": sum(row.honest for row in rows),
        "false": {each: sum(row.false[each] for row in rows) for each in PERSONAL},
        "compared": bool(expected),
        "far": far,
        "cpu_s": round(cpu, 1),
    }
    say(outcome, table)
    return len(far)


def _far(rows: list[Row], expected: dict[str, Any]) -> list[str]:
    """Return the cells that are too far from the reference; its scenarios stand in the same order."""
    found = []
    for row, (name, reference) in zip(rows, expected["scenarios"].items(), strict=True):
        for detector, key in KEYS.items():
            want = reference["detected"][key]
            if abs(row.rate(detector) - want) > NEAR:
                found.append(f"{name}: {detector} fired in {row.rate(detector):.2f} of runs, the reference says {want:.2f}")
    return found


def main() -> int:
    """Run it."""
    log_to_stderr(quiet=True)
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=50)
    parser.add_argument("--seed", type=int, default=20_260_101)
    parser.add_argument("--weeks", type=int, default=16)
    parser.add_argument("--expected", type=Path)
    asked = parser.parse_args()
    expected = json.loads(asked.expected.read_text()) if asked.expected else {}
    rows, cpu = measure(asked.runs, asked.seed, asked.weeks)
    return 1 if report(rows, cpu, expected) else 0


if __name__ == "__main__":
    sys.exit(main())
