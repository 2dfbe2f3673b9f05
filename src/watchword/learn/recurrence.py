"""Recurrence: a new incident that looks like one whose corrective action is open, or was done and is not known to have worked."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

WEIGHTS: Final = {"rules": 0.35, "techniques": 0.2, "places": 0.25, "entities": 0.2}
"""What makes two incidents alike: what fired, how it was done, where, and to whom or what."""
ALIKE: Final = 0.5
"""From this score on it is called a recurrence."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """What an incident looks like, as sets of names."""

    rules: frozenset[str] = frozenset()
    techniques: frozenset[str] = frozenset()
    places: frozenset[str] = frozenset()
    entities: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Match:
    """How alike two incidents are, and in what."""

    score: float
    because: str

    @property
    def alike(self) -> bool:
        """Tell whether it counts as a recurrence."""
        return self.score >= ALIKE


def match(old: Pattern, new: Pattern) -> Match:
    """Return how far a new incident has what the old one had: the weighted share of the old one's marks that it shows again.

    Weights of marks that the old one has none of are shared among the others. Something must have fired, or been done, the same way:
    the same door alone is no recurrence.
    """
    total = score = 0.0
    shared: list[str] = []
    for name, weight in WEIGHTS.items():
        mine: frozenset[str] = getattr(old, name)
        if not mine:
            continue
        again = mine & getattr(new, name)
        total += weight
        score += weight * len(again) / len(mine)
        if again:
            shared.append(f"{name} {', '.join(sorted(again)[:5])}")
    if not total or not ((old.rules & new.rules) or (old.techniques & new.techniques)):
        return Match(0.0, "Nothing fired the same way.")
    return Match(min(1.0, score / total), "The same " + "; ".join(shared) + ".")


def merged(patterns: Iterable[Pattern]) -> Pattern:
    """Return the pattern that has the marks of all."""
    listed = list(patterns)
    return Pattern(
        *(frozenset().union(*(getattr(each, name) for each in listed)) for name in ("rules", "techniques", "places", "entities"))
    )
