"""Reproduce the demonstration of measures.md section 8: closures counted, value delivered.

python bench/closures_versus_value.py [--runs 12] [--seed 500]
"""

import argparse
import time

from watchword.measure.closures_versus_value import RUNS, SEED, demonstrate


def main() -> None:
    """Run it and print what the page shows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=RUNS)
    parser.add_argument("--seed", type=int, default=SEED)
    asked = parser.parse_args()
    began = time.process_time()
    made = demonstrate(asked.seed, asked.runs)
    print(f"weeks {made.first_week} to {made.last_week}, a week, {asked.runs} runs")
    for league in made.leagues:
        gamer = league.gamer
        print(
            f"g = {league.intensity:<4} closes {gamer.closures:4.0f},"
            f" peers {league.peers('closures'):4.0f} ({league.difference('closures'):+.0%})"
            f"   weighted value {gamer.value:4.0f}, peers {league.peers('value'):4.0f} ({league.difference('value'):+.0%})"
        )
        print("   by count: " + " ".join(each.letter for each in league.analysts), end="")
        print("   by value: " + " ".join(each.letter for each in sorted(league.analysts, key=lambda one: one.by_value)), end="")
        print(f"   the cherry-picker is {gamer.letter}: place {gamer.by_count} by count, {gamer.by_value} by value")
    for story in made.stories:
        print(
            f"{story.name:20} count {story.closures_before:.0f}→{story.closures_after:.0f} ({story.closures_change:+.0%})"
            f"   value {story.value_before:.0f}→{story.value_after:.0f} ({story.value_change:+.0%})"
            f"   reopened {story.reopened_before:.1%}→{story.reopened_after:.1%}   found by D4 in {story.found:.0%} of runs"
        )
    print(f"CPU {time.process_time() - began:.1f} s")


if __name__ == "__main__":
    main()
