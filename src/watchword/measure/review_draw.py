"""Which closures are re-reviewed: about 5 % at random within severity and closer, by a secret seed that makes the draw repeatable. Pure."""

from collections.abc import Sequence
from random import Random
from typing import Final

from watchword.measure.closure_log import Closure

SHARE: Final = 0.05
"""Share of closures that is looked at again."""


def draw(closures: Sequence[Closure], secret: str, week: str, share: float = SHARE) -> list[Closure]:
    """Return the closures of one week that are re-reviewed, in a shuffled order.

    Within each stratum (a severity and a closer) of n closures, ⌊n·share⌋ are taken, and one more with the probability of the rest: so that
    each closure has the same chance, and nobody who closes few things is spared for good.

    Args:
        closures: Every closure of the week by a person.
        secret: Known to this house alone: else closers could tell beforehand what will be looked at.
        week: Names the week.
        share: Of closures.
    """
    strata: dict[tuple[int, str], list[Closure]] = {}
    for each in sorted(closures, key=lambda one: (one.at, one.item)):
        strata.setdefault((each.severity, each.person), []).append(each)
    chosen: list[Closure] = []
    for (severity, closer), found in sorted(strata.items()):
        chance = Random(f"{secret} {week} {severity} {closer}")  # noqa: S311 - repeatable by its secret, which is random
        wanted = len(found) * share
        count = int(wanted) + (chance.random() < wanted - int(wanted))
        chosen += chance.sample(found, count)
    Random(f"{secret} {week}").shuffle(chosen)  # noqa: S311 - repeatable by its secret, which is random
    return chosen
