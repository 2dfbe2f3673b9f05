"""Conflicts between policies: values that cannot both hold, demands that others forbid, orders that break, purposes that fail."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from itertools import combinations
from typing import Final

from watchword.govern.parameter import KEYS, ORDERS, PURPOSES, Kind, Sense, Value, say_value
from watchword.govern.policy import Policy, Statement

INTERSECT: Final = "a"
"""Their ranges do not intersect."""
FORBIDDEN: Final = "b"
"""One demands what the other forbids."""
ORDER: Final = "c"
"""A required order breaks."""
PURPOSE: Final = "d"
"""The stricter purpose fails."""


@dataclass(frozen=True, slots=True, order=True)
class Conflict:
    """Two parameters that cannot both be kept over the scope that they share."""

    kind: str
    """``a`` … ``d``, as governance.md section 2 counts them."""
    one: str
    """``STATEMENT.KEY``."""
    other: str
    because: str

    @property
    def key(self) -> str:
        """Return what makes it the same conflict tomorrow."""
        return f"{self.kind}|{self.one}|{self.other}"


@dataclass(frozen=True, slots=True)
class _Bound:
    name: str
    key: str
    value: Value
    statement: Statement


def find_conflicts(policies: Iterable[Policy]) -> list[Conflict]:
    """Return every conflict between statements whose scopes overlap, within one policy too, in a fixed order."""
    bounds = [
        _Bound(f"{statement.id}.{key}", key, value, statement)
        for policy in policies
        for statement in policy.statements
        for key, value in statement.params.items()
    ]
    bounds.sort(key=lambda each: each.name)
    found = []
    for one, other in combinations(bounds, 2):
        if one.statement.scope.overlaps(other.statement.scope):
            found += [each for each in (_values(one, other), _forbidden(one, other), _order(one, other), _purpose(one, other)) if each]
    return sorted(set(found))


def _size(value: Value) -> float:
    return value.total_seconds() if isinstance(value, timedelta) else float(value) if isinstance(value, float) else 0.0


def _range(bound: _Bound) -> tuple[float, float]:
    size, sense = _size(bound.value), KEYS[bound.key].sense
    return {Sense.MOST: (0.0, size), Sense.LEAST: (size, float("inf")), Sense.EXACTLY: (size, size)}[sense]


def _ranged(bound: _Bound) -> bool:
    key = KEYS[bound.key]
    return key.kind in {Kind.DURATION, Kind.NUMBER} and key.sense in {Sense.MOST, Sense.LEAST, Sense.EXACTLY}


def _said(bound: _Bound) -> str:
    return f"{bound.statement.id} says: {KEYS[bound.key].words} {say_value(bound.value)}"


def _values(one: _Bound, other: _Bound) -> Conflict | None:
    """Kind a: the same quantity, ranges or words that do not meet."""
    first, second = KEYS[one.key], KEYS[other.key]
    if first.quantity != second.quantity:
        return None
    if _ranged(one) and _ranged(other):
        (low, high), (least, most) = _range(one), _range(other)
        clash = max(low, least) > min(high, most)
    else:
        clash = first.kind is second.kind is Kind.WORD and one.value != other.value
    return Conflict(INTERSECT, one.name, other.name, f"{_said(one)}; {_said(other)}. Both cannot hold.") if clash else None


def _forbidden(one: _Bound, other: _Bound) -> Conflict | None:
    """Kind b: one demands what the other forbids."""
    first, second = KEYS[one.key], KEYS[other.key]
    if first.quantity != second.quantity or first.kind is not second.kind:
        return None
    opposed = {first.sense, second.sense} == {Sense.DEMANDS, Sense.FORBIDS}
    if first.kind is Kind.FLAG:
        clash = (one.value == other.value is True) if opposed else (first.sense is second.sense and one.value != other.value)
        return Conflict(FORBIDDEN, one.name, other.name, f"{_said(one)}; {_said(other)}. One demands it, the other not.") if clash else None
    if first.kind is Kind.WORDS and opposed and isinstance(one.value, tuple) and isinstance(other.value, tuple):
        both = sorted(set(one.value) & set(other.value))
        if both:
            return Conflict(FORBIDDEN, one.name, other.name, f"{_said(one)}; {_said(other)}. They disagree on {', '.join(both)}.")
    return None


def _order(one: _Bound, other: _Bound) -> Conflict | None:
    """Kind c: a value exceeds one that it must not exceed."""
    for smaller, larger, wrong in ORDERS:
        for low, high in ((one, other), (other, one)):
            if low.key == smaller and high.key == larger and _size(low.value) > _size(high.value):
                return Conflict(ORDER, one.name, other.name, f"{_said(low)}; {_said(high)}: {wrong}.")
    return None


def _purpose(one: _Bound, other: _Bound) -> Conflict | None:
    """Kind d: something is gone before whoever needs it comes for it."""
    for kept, needed, wrong in PURPOSES:
        for holds, asks in ((one, other), (other, one)):
            if KEYS[holds.key].quantity != kept or KEYS[asks.key].quantity != needed:
                continue
            if KEYS[holds.key].sense in {Sense.MOST, Sense.EXACTLY} and _size(holds.value) < _size(asks.value):
                return Conflict(PURPOSE, one.name, other.name, f"{_said(holds)}; {_said(asks)}: {wrong}.")
    return None


def shared_parameters(policies: Iterable[Policy]) -> Mapping[str, tuple[str, ...]]:
    """Return quantity → the parameters that bind it, for every quantity that more than one policy or an ordering rule binds."""
    found: dict[str, list[str]] = {}
    for policy in policies:
        for name, parameter in policy.parameters().items():
            found.setdefault(KEYS[parameter.key].quantity, []).append(name)
    ordered = {KEYS[key].quantity for smaller, larger, _ in ORDERS for key in (smaller, larger)}
    ordered |= {quantity for kept, needed, _ in PURPOSES for quantity in (kept, needed)}
    return {
        quantity: tuple(sorted(names))
        for quantity, names in sorted(found.items())
        if quantity in ordered or len({name.partition(".")[0] for name in names}) > 1
    }
