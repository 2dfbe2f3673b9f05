"""Sigma's conditions: a rule's tree compiled once to a function over a record, with what it pins and what it found."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from sigma.conditions import (
    ConditionAND,
    ConditionFieldEqualsValueExpression,
    ConditionNOT,
    ConditionOR,
    ConditionValueExpression,
)
from sigma.types import SigmaExpansion, SigmaNumber, SigmaString

from watchword.detect.sigma_values import Predicate, View, field_test, keyword_test, merged_test

DISCRIMINATOR = "EventID"
"""The field that most rules of a Windows logsource pin; a rule that pins it need not be looked at for other values."""
_SHOWN = 120


@dataclass(frozen=True, slots=True)
class Node:
    """A compiled node of a condition."""

    holds: Predicate
    parts: "tuple[Node, ...]" = ()
    negated: bool = False
    says: str = ""
    """For a test: the words that explain it."""
    pins: frozenset[str] | None = None
    """Values of the discriminator without which the node cannot hold; None: any."""
    fields: frozenset[str] = frozenset()


def compile_node(tree: Any) -> Node:
    """Compile a tree of pySigma.

    Raises:
        ValueError: it holds a kind of value that is not evaluated.
    """
    if isinstance(tree, ConditionAND | ConditionOR):
        every = isinstance(tree, ConditionAND)
        node = _joined([compile_node(item) for item in tree.args], every=every)
        merged = None if every else _merged(tree.args)
        return node if merged is None else replace(node, holds=merged)
    if isinstance(tree, ConditionNOT):
        part = compile_node(tree.args[0])
        holds = part.holds
        return Node(lambda view: not holds(view), (part,), negated=True, fields=part.fields)
    if isinstance(tree, ConditionFieldEqualsValueExpression):
        return Node(
            field_test(tree.field, tree.value),
            says=_words(tree.field, tree.value),
            pins=_pins(tree.value) if tree.field == DISCRIMINATOR else None,
            fields=frozenset({tree.field}),
        )
    if isinstance(tree, ConditionValueExpression):
        return Node(keyword_test(tree.value), says=_words("the record", tree.value))
    raise ValueError(f"a condition of the kind {type(tree).__name__} is not evaluated")


def _merged(args: list[Any]) -> Predicate | None:
    """Return one test for a list of texts of one field."""
    if len(args) < 2 or not all(isinstance(item, ConditionFieldEqualsValueExpression) for item in args):
        return None
    fields = {item.field for item in args}
    return merged_test(fields.pop(), [item.value for item in args]) if len(fields) == 1 else None


def _joined(parts: list[Node], *, every: bool) -> Node:
    if len(parts) == 1:
        return parts[0]
    tests = tuple(part.holds for part in parts)
    fields = frozenset().union(*(part.fields for part in parts))
    if every:
        known = [part.pins for part in parts if part.pins is not None]
        pins = frozenset.intersection(*known) if known else None
        return Node(_all_of(tests), tuple(parts), pins=pins, fields=fields)
    pinned = [part.pins for part in parts]
    union = None if any(pin is None for pin in pinned) else frozenset().union(*(pin for pin in pinned if pin is not None))
    return Node(_any_of(tests), tuple(parts), pins=union, fields=fields)


def _all_of(tests: tuple[Predicate, ...]) -> Predicate:
    def holds(view: View) -> bool:
        for test in tests:  # noqa: SIM110 - a generator costs as much as the test
            if not test(view):
                return False
        return True

    return holds


def _any_of(tests: tuple[Predicate, ...]) -> Predicate:
    def holds(view: View) -> bool:
        for test in tests:  # noqa: SIM110 - a generator costs as much as the test
            if test(view):
                return True
        return False

    return holds


def _pins(value: Any) -> frozenset[str] | None:
    if isinstance(value, SigmaNumber):
        return frozenset({str(value.number).lower()})
    if isinstance(value, SigmaString) and not value.contains_special():
        return frozenset({str(value).lower()})
    return None


def _words(field: str, value: Any) -> str:
    if isinstance(value, SigmaExpansion):
        value = value.values[0] if value.values else "nothing"
    text = getattr(value, "regexp", value)
    return f"{field} ~ {str(text)[:_SHOWN]}"


def reasons(node: Node, view: View) -> Iterator[tuple[str, Callable[[View], bool]]]:
    """Return the tests that hold and carry the verdict, in the order of the rule; those below a *not* say nothing."""
    if node.negated:
        return
    if node.says:
        if node.holds(view):
            yield node.says, node.holds
        return
    for part in node.parts:
        if part.holds(view):
            yield from reasons(part, view)
