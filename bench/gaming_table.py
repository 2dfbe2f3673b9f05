"""Try the gaming detectors on the queue with known truth and compare with the table of the design.

    python bench/gaming_table.py [--runs 50] [--seed 20260101] [--expected FILE] [--weeks 16]

Prints a row for each scenario: the share of runs in which each detector fired on the analyst who games, or on the team, the false
signs on honest analysts, and what counting shows. With `--expected` (the reference table as JSON) it says which cells are further
than .14 away and ends with 1 if any is. `--weeks 20` gives the quarter's detectors twelve weeks of gaming instead of eight.
"""

import argparse
import json
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Final

from watchword.measure.gaming_trial import PERSONAL, Row, try_scenario
from watchword.simulate.queue import scenarios

NEAR: Final = 0.14
KEYS: Final = {"D1": "D1_person", "D1 team": "D1_team", "D2": "D2_bulk", "D3": "D3_downgrade", "D4": "D4_reopen"}
COLUMNS: Final = (*KEYS, "D3 quarter", "D4 quarter")


def main() -> int:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=50)
    parser.add_argument("--seed", type=int, default=20_260_101)
    parser.add_argument("--weeks", type=int, default=16)
    parser.add_argument("--expected", type=Path)
    asked = parser.parse_args()
    expected = json.loads(asked.expected.read_text()) if asked.expected else {}
    began, rows = time.process_time(), []
    print(f"{'scenario':26}" + "".join(f"{each:>11}" for each in COLUMNS) + "   closed/week  weighted/week  open risk-hours")
    for index, chosen in enumerate(scenarios()):
        first = asked.seed + 1000 * index
        row = try_scenario(replace(chosen, weeks=asked.weeks), range(first, first + asked.runs))
        rows.append(row)
        print(_line(row), flush=True)
    honest = sum(row.honest for row in rows)
    false = {each: sum(row.false[each] for row in rows) for each in PERSONAL}
    print(f"false signs among {honest} honest analyst-windows: {false}; CPU {time.process_time() - began:.0f} s")
    return _compared(rows, expected) if expected else 0


def _line(row: Row) -> str:
    rates = "".join(f"{row.rate(each):11.2f}" for each in COLUMNS)
    pairs = [(row.mean("before", each), row.mean("after", each)) for each in ("closures", "value", "open_risk_hours")]
    return f"{row.scenario.name:26}{rates}   " + "  ".join(f"{one:.0f}→{two:.0f}" for one, two in pairs)


def _compared(rows: list[Row], expected: dict[str, dict[str, dict[str, dict[str, float]]]]) -> int:
    """Say which cells are too far from the reference; its scenarios stand in the same order."""
    far = 0
    for row, (name, reference) in zip(rows, expected["scenarios"].items(), strict=True):
        for detector, key in KEYS.items():
            want = reference["detected"][key]
            if abs(row.rate(detector) - want) > NEAR:
                far += 1
                print(f"FAR  {name}: {detector} fired in {row.rate(detector):.2f} of runs, the reference says {want:.2f}")
    print("every cell within .14 of the reference" if not far else f"{far} cells further than .14 away")
    return 1 if far else 0


if __name__ == "__main__":
    sys.exit(main())
