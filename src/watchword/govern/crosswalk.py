"""The crosswalk: what evidence for one framework's control says of another's; a partial overlap never makes a whole."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum


class Relation(StrEnum):
    """How a source stands to a target."""

    EQUAL = "equal"
    SUPERSET = "superset"
    """The source asks all that the target asks, and more."""
    SUBSET = "subset"
    INTERSECT = "intersect"


WHOLE = frozenset({Relation.EQUAL, Relation.SUPERSET})
"""What passes through: evidence for the source is evidence for the whole target."""


@dataclass(frozen=True, slots=True)
class MapRow:
    """That two controls overlap."""

    source: str
    target: str
    relation: Relation


class Reach(StrEnum):
    """How far evidence reaches a control of another framework."""

    WHOLE = "whole"
    PARTIAL = "partial"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Reached:
    """A control of a framework, and which tested controls say something of it."""

    id: str
    reach: Reach
    by: tuple[str, ...] = ()


def reach(rows: Iterable[MapRow], tested: Iterable[str], wanted: Iterable[str]) -> list[Reached]:
    """Return how far tests reach each wanted control: itself tested or mapped from a whole one is whole, an overlap is partial.

    Args:
        rows: The maps that lead to the framework.
        tested: Ids of controls for which there is a test.
        wanted: Ids of the framework's controls, in order.
    """
    own = frozenset(tested)
    by_target: dict[str, list[MapRow]] = {}
    for row in rows:
        if row.source in own:
            by_target.setdefault(row.target, []).append(row)
    found = []
    for uid in wanted:
        mine = by_target.get(uid, [])
        sources = tuple(sorted({row.source for row in mine}))
        if uid in own:
            found.append(Reached(uid, Reach.WHOLE, (uid, *sources)))
        elif any(row.relation in WHOLE for row in mine):
            found.append(Reached(uid, Reach.WHOLE, sources))
        else:
            found.append(Reached(uid, Reach.PARTIAL if mine else Reach.NONE, sources))
    return found


def turned(rows: Iterable[MapRow]) -> list[MapRow]:
    """Return the map read the other way."""
    other: Mapping[Relation, Relation] = {Relation.SUPERSET: Relation.SUBSET, Relation.SUBSET: Relation.SUPERSET}
    return [MapRow(row.target, row.source, other.get(row.relation, row.relation)) for row in rows]
