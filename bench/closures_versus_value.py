"""Reproduce the demonstration of the design: closures counted, value delivered.

    python bench/closures_versus_value.py [--runs 12] [--seed 500]

Prints ten simulated analysts by count and by value for two intensities of cherry-picking, then four stories of a whole team.
"""

import argparse
import sys
import time
from dataclasses import asdict

from house import say

from watchword.cli.logs import log_to_stderr
from watchword.measure.closures_versus_value import RUNS, SEED, Demonstration, demonstrate


def measure(seed: int, runs: int) -> tuple[Demonstration, float]:
    """Compute it; return it and the seconds of processor time."""
    began = time.process_time()
    return demonstrate(seed, runs), time.process_time() - began


def report(made: Demonstration, cpu: float) -> None:
    """Print what the page shows."""
    table: list[list[object]] = [["a week", "count", "peers or before", "change", "value", "peers or before", "change", "comes back"]]
    for league in made.leagues:
        gamer, peers = league.gamer, [f"{league.peers(each):.0f}" for each in ("closures", "value")]
        count = [f"{gamer.closures:.0f}", peers[0], f"{league.difference('closures'):+.0%}"]
        value = [f"{gamer.value:.0f}", peers[1], f"{league.difference('value'):+.0%}"]
        table.append([f"one cherry-picks, g = {league.intensity:g}", *count, *value, ""])
    for story in made.stories:
        count = [f"{story.closures_after:.0f}", f"{story.closures_before:.0f}", f"{story.closures_change:+.0%}"]
        value = [f"{story.value_after:.0f}", f"{story.value_before:.0f}", f"{story.value_change:+.0%}"]
        table.append([story.name, *count, *value, f"{story.reopened_before:.1%} to {story.reopened_after:.1%}"])
    outcome = {"bench": "closures_versus_value", "cpu_s": round(cpu, 1), "places": [], **asdict(made)}
    outcome["places"] = [
        {"g": league.intensity, "by_count": league.gamer.by_count, "by_value": league.gamer.by_value} for league in made.leagues
    ]
    say(outcome, table)


def main() -> None:
    """Run it."""
    log_to_stderr(quiet=True)
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=RUNS)
    parser.add_argument("--seed", type=int, default=SEED)
    asked = parser.parse_args()
    report(*measure(asked.seed, asked.runs))


if __name__ == "__main__":
    sys.exit(main())
