"""Similar incidents of the past: which ones, and what makes them so."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

WEIGHTS: Mapping[str, float] = {
    "address": 3.0,
    "credential": 3.0,
    "person": 2.5,
    "asset": 2.5,
    "rule": 2.0,
    "attack": 1.0,
    "place": 1.0,
}
"""Kind of what an incident holds → what sharing one is worth, before its rarity."""
LEAST = 0.1
"""Below this share of its own weight an incident is not similar."""
WORDS = {"address": "address", "credential": "credential", "person": "person", "asset": "machine", "rule": "detection", "place": "place"}


@dataclass(frozen=True, slots=True)
class Features:
    """What of an incident is compared."""

    uid: str
    held: frozenset[tuple[str, str]]
    """(kind, uid): persons, assets, places, credentials, addresses, rules and ATT&CK ids."""
    title: str = ""
    number: int = 0
    at: datetime | None = None
    closure: str = ""
    summary: str = ""


@dataclass(frozen=True, slots=True)
class Similar:
    """One incident of the past, how similar, and why."""

    uid: str
    number: int
    title: str
    at: datetime | None
    closure: str
    score: float
    """0 to 1."""
    because: str
    shared: tuple[tuple[str, str], ...] = field(default=())


def similar(
    this: Features, past: Iterable[Features], *, counts: Mapping[tuple[str, str], int], total: int, labels: Mapping[str, str], most: int = 5
) -> list[Similar]:
    """Return the most similar incidents, the most similar first.

    The score is the share of what either holds that both hold, each thing weighed by its kind and by its rarity (ln(1 + total/count)):
    that everybody's server room is in both says little, that one card number is says much.

    Args:
        this: The incident.
        past: Others to compare with; itself among them is left out.
        counts: (kind, uid) → how many incidents hold it.
        total: How many incidents there are.
        labels: Uid → words for people.
        most: At most so many.
    """

    def weight(held: Iterable[tuple[str, str]]) -> float:
        return math.fsum(WEIGHTS.get(kind, 0.0) * math.log1p(total / max(1, counts.get((kind, uid), 1))) for kind, uid in held)

    found = []
    for other in past:
        shared = this.held & other.held
        union = weight(this.held | other.held)
        score = weight(shared) / union if union and other.uid != this.uid else 0.0
        if score >= LEAST:
            ordered = tuple(sorted(shared, key=lambda item: (-weight([item]), item)))
            found.append(
                Similar(other.uid, other.number, other.title, other.at, other.closure, score, _because(ordered, counts, labels), ordered)
            )
    return sorted(found, key=lambda one: (-round(one.score, 9), -one.number, one.uid))[:most]


def _because(shared: Iterable[tuple[str, str]], counts: Mapping[tuple[str, str], int], labels: Mapping[str, str]) -> str:
    said = []
    for kind, uid in shared:
        if kind == "attack":
            continue
        number = counts.get((kind, uid), 0)
        rare = ", in no other" if number == 2 else ""
        said.append(f"{WORDS.get(kind, kind)} {labels.get(uid, uid)}{rare}")
    if not said:
        return "The same techniques."
    return f"Same {'; '.join(said[:3])}" + (f"; and {len(said) - 3} more." if len(said) > 3 else ".")
