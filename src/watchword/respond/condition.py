"""Conditions of if and while steps: read into a tree, checked against types, and true, false or failed; never false for want of knowing."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from ipaddress import ip_network
from typing import Any, Final

import re2  # type: ignore[import-untyped] # ships no types

from watchword.respond.variables import ADDRESSES, NUMBERS, Valued, fits

LONGEST: Final = 4_000
"""Characters of a condition."""
DEEPEST: Final = 30
"""Parentheses and NOTs within one another."""
LONGEST_PATTERN: Final = 200
"""Characters of a MATCHES pattern."""
EQUAL: Final = frozenset({"=", "=="})
UNEQUAL: Final = frozenset({"!=", "<>"})
ORDER: Final = frozenset({"<", "<=", ">", ">="})
TEXT_WORDS: Final = frozenset({"LIKE", "MATCHES"})
ADDRESS_WORDS: Final = frozenset({"ISSUBSET", "ISSUPERSET"})
LOWERED: Final = frozenset({"hexstring", "mac-addr", "md5-hash", "sha256-hash", "uuid"})
"""Types whose letters say the same in either case."""
_TOKEN: Final = re.compile(
    r"""\s*(?:
    (?P<var>__[a-zA-Z][a-zA-Z0-9_-]{0,199}?__:value(?![A-Za-z0-9_]))
    |(?P<text>'(?:[^'\\]|\\['\\])*')
    |(?P<number>[+-]?[0-9]{1,400}(?:\.[0-9]{1,400})?(?![\w.]))
    |(?P<word>(?:AND|OR|NOT|IN|LIKE|MATCHES|ISSUBSET|ISSUPERSET|true|false)(?![\w-]))
    |(?P<op>==|!=|<>|<=|>=|=|<|>)
    |(?P<mark>[()\[\],])
    )""",
    re.VERBOSE | re.ASCII,
)
_ESCAPED: Final = re.compile(r"\\(['\\])")


class ConditionFailed(Exception):
    """A condition cannot be read, or cannot be decided: the step that holds it fails."""


@dataclass(frozen=True, slots=True)
class Literal:
    """A value written in a condition."""

    kind: str
    """``text``, ``number`` or ``bool``."""
    text: str


@dataclass(frozen=True, slots=True)
class Reference:
    """The value of a variable."""

    name: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """One comparison: of a variable with a literal, a variable or a list; a lone variable when `op` is empty."""

    name: str
    op: str = ""
    """``=``, ``!=``, ``<``, ``<=``, ``>``, ``>=``, ``IN``, ``LIKE``, ``MATCHES``, ``ISSUBSET`` or ``ISSUPERSET``."""
    right: tuple[Literal | Reference, ...] = ()
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Not:
    """What is true where its part is false."""

    part: "Node"


@dataclass(frozen=True, slots=True)
class AllOf:
    """What is true where every part is."""

    parts: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """What is true where one part is."""

    parts: tuple["Node", ...]


Node = Comparison | Not | AllOf | AnyOf


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition that has been read."""

    text: str
    root: Node

    @property
    def tests(self) -> tuple[Comparison, ...]:
        """Return every comparison in it, from left to right."""
        return tuple(_tests(self.root))

    @property
    def variables(self) -> frozenset[str]:
        """Return the names of the variables that it needs."""
        return frozenset(
            name for test in self.tests for name in (test.name, *(part.name for part in test.right if isinstance(part, Reference)))
        )


def parse(text: str) -> Condition:
    """Read a condition.

    Raises:
        ConditionFailed: it is none; the message says what stands where.
    """
    if len(text) > LONGEST:
        raise ConditionFailed(f"a condition has at most {LONGEST:,} characters")
    tokens = list(_tokens(text))
    if len(tokens) > 1 and tokens[0][1] == "[" and tokens[-1][1] == "]" and tokens[0][0] == tokens[-1][0] == "mark":
        tokens = tokens[1:-1]
    reader = _Reader(tokens)
    root = reader.either(0)
    if reader.kind:
        raise ConditionFailed(f"{reader.text[:40]!r} stands where AND, OR or the end is expected")
    return Condition(text, root)


def type_faults(condition: Condition, types: Mapping[str, str]) -> list[str]:
    """Say what does not go together by type; variables that `types` does not name are left out."""
    faults = []
    for test in condition.tests:
        kind = types.get(test.name)
        if kind is None:
            continue
        fault = _test_fault(test, kind, types)
        if fault:
            faults.append(fault)
    return faults


def evaluate(condition: Condition, variables: Mapping[str, Valued]) -> bool:
    """Decide a condition. Every comparison is made, also where the first ones would do: nothing unknown hides behind an OR.

    Raises:
        ConditionFailed: a variable is not declared, not known or not of its type, or types do not go together.
    """
    types = {}
    for name in sorted(condition.variables):
        variable = variables.get(name)
        if variable is None:
            raise ConditionFailed(f"{name} is declared nowhere that this step sees")
        if variable.value is None:
            raise ConditionFailed(f"the value of {name} is not known")
        if not fits(variable.type, variable.value):
            raise ConditionFailed(f"{variable.value[:60]!r} in {name} is no {variable.type}")
        types[name] = variable.type
    faults = type_faults(condition, types)
    if faults:
        raise ConditionFailed("; ".join(faults[:3]))
    return _true(condition.root, variables)


# reading


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    at, end = 0, len(text.rstrip())
    while at < end:
        found = _TOKEN.match(text, at)
        if found is None:
            rest = text[at:].lstrip()
            raise ConditionFailed(f"{rest[:40]!r} cannot be read here; texts stand in 'quotes', variables as __name__:value")
        yield str(found.lastgroup), found[str(found.lastgroup)]
        at = found.end()


class _Reader:
    """Reads the grammar by descent; how deep is bounded."""

    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self._tokens = tokens
        self._at = 0

    @property
    def kind(self) -> str:
        return self._tokens[self._at][0] if self._at < len(self._tokens) else ""

    @property
    def text(self) -> str:
        return self._tokens[self._at][1] if self._at < len(self._tokens) else "the end"

    def _take(self, *texts: str) -> bool:
        if self.kind in ("word", "mark") and self.text in texts:
            self._at += 1
            return True
        return False

    def either(self, depth: int) -> Node:
        parts = [self._both(depth)]
        while self._take("OR"):
            parts.append(self._both(depth))
        return parts[0] if len(parts) == 1 else AnyOf(tuple(parts))

    def _both(self, depth: int) -> Node:
        parts = [self._not(depth)]
        while self._take("AND"):
            parts.append(self._not(depth))
        return parts[0] if len(parts) == 1 else AllOf(tuple(parts))

    def _not(self, depth: int) -> Node:
        if depth > DEEPEST:
            raise ConditionFailed(f"a condition is nested at most {DEEPEST} deep")
        if self._take("NOT"):
            return Not(self._not(depth + 1))
        if self._take("("):
            inner = self.either(depth + 1)
            if not self._take(")"):
                raise ConditionFailed(f"{self.text[:40]!r} stands where ) is expected")
            return inner
        return self._test()

    def _test(self) -> Comparison:
        if self.kind != "var":
            raise ConditionFailed(f"{self.text[:40]!r} stands where a variable, __name__:value, is expected")
        name = self._next().removesuffix(":value")
        if self.kind == "op":
            op = self._next()
            op = "=" if op in EQUAL else "!=" if op in UNEQUAL else op
            right = Reference(self._next().removesuffix(":value")) if self.kind == "var" else self._literal()
            return Comparison(name, op, (right,))
        negated = self._take("NOT")
        if self._take("IN"):
            return Comparison(name, "IN", self._list(), negated)
        if self.kind == "word" and self.text in TEXT_WORDS | ADDRESS_WORDS:
            op = self._next()
            if self.kind != "text":
                raise ConditionFailed(f"{self.text[:40]!r} stands where a text in 'quotes' is expected after {op}")
            return Comparison(name, op, (self._literal(),), negated)
        if negated:
            raise ConditionFailed(f"{self.text[:40]!r} stands where IN, LIKE, MATCHES, ISSUBSET or ISSUPERSET is expected after NOT")
        return Comparison(name)

    def _list(self) -> tuple[Literal, ...]:
        if not self._take("("):
            raise ConditionFailed(f"{self.text[:40]!r} stands where ( is expected after IN")
        found = [self._literal()]
        while self._take(","):
            found.append(self._literal())
        if not self._take(")"):
            raise ConditionFailed(f"{self.text[:40]!r} stands where a comma or ) is expected")
        return tuple(found)

    def _literal(self) -> Literal:
        if self.kind == "text":
            return Literal("text", _ESCAPED.sub(r"\1", self._next()[1:-1]))
        if self.kind == "number":
            return Literal("number", self._next())
        if self.kind == "word" and self.text in ("true", "false"):
            return Literal("bool", self._next())
        raise ConditionFailed(f"{self.text[:40]!r} stands where a text in 'quotes', a number, true or false is expected")

    def _next(self) -> str:
        self._at += 1
        return self._tokens[self._at - 1][1]


def _tests(node: Node) -> Iterator[Comparison]:
    if isinstance(node, Comparison):
        yield node
        return
    for part in (node.part,) if isinstance(node, Not) else node.parts:
        yield from _tests(part)


# types


def _test_fault(test: Comparison, kind: str, types: Mapping[str, str]) -> str:
    """Say why one comparison cannot be made; empty when it can."""
    if not test.op:
        return "" if kind == "bool" else f"{test.name} stands alone, so it must be a bool; it is {kind}"
    if test.op in ORDER and kind not in NUMBERS:
        return f"{test.op} needs an integer, long or float; {test.name} is {kind}"
    if test.op in ADDRESS_WORDS and kind not in ADDRESSES:
        return f"{test.op} needs an address; {test.name} is {kind}"
    if test.op in TEXT_WORDS:
        if kind in NUMBERS or kind in ADDRESSES or kind == "bool":
            return f"{test.op} needs a text; {test.name} is {kind}"
        return _pattern_fault(test) if test.op == "MATCHES" else ""
    return next((fault for part in test.right if (fault := _right_fault(test.name, kind, part, types))), "")


def _right_fault(name: str, kind: str, part: Literal | Reference, types: Mapping[str, str]) -> str:
    if isinstance(part, Reference):
        other = types.get(part.name)
        if other is None or other == kind or {kind, other} <= NUMBERS:
            return ""
        return f"{name} is {kind}, {part.name} is {other}"
    if part.kind == "number" and kind not in NUMBERS:
        return f"the number {part.text} is compared with {name}, which is {kind}"
    if part.kind == "bool" and kind != "bool":
        return f"{part.text} is compared with {name}, which is {kind}; write it in 'quotes' if a text is meant"
    if part.kind == "number" and fits("float", part.text):
        return ""
    return "" if fits(kind, part.text) else f"{part.text[:40]!r} is no {kind}, and {name} is"


def _pattern_fault(test: Comparison) -> str:
    pattern = test.right[0]
    assert isinstance(pattern, Literal)  # noqa: S101 - the reader gives nothing else
    if len(pattern.text) > LONGEST_PATTERN:
        return f"a pattern has at most {LONGEST_PATTERN} characters"
    try:
        _compiled(pattern.text)
    except re2.error as error:
        return f"the pattern {pattern.text[:40]!r} cannot be read: {str(error)[:80]}"
    return ""


def _compiled(pattern: str) -> Any:
    options = re2.Options()
    options.log_errors = False
    options.max_mem = 1 << 20
    return re2.compile(pattern, options)


# deciding


def _true(node: Node, variables: Mapping[str, Valued]) -> bool:
    if isinstance(node, Comparison):
        return _test_true(node, variables)
    if isinstance(node, Not):
        return not _true(node.part, variables)
    answers = [_true(part, variables) for part in node.parts]
    return all(answers) if isinstance(node, AllOf) else any(answers)


def _test_true(test: Comparison, variables: Mapping[str, Valued]) -> bool:
    left = variables[test.name]
    kind, value = left.type, str(left.value)
    if not test.op:
        return value == "true"
    rights = [str(variables[part.name].value) if isinstance(part, Reference) else part.text for part in test.right]
    if test.op in ADDRESS_WORDS:
        ours, theirs = ip_network(value), ip_network(rights[0])
        if test.op == "ISSUPERSET":
            ours, theirs = theirs, ours
        found = ours.prefixlen >= theirs.prefixlen and ours.network_address in theirs
    elif test.op == "LIKE":
        found = _like(value, rights[0])
    elif test.op == "MATCHES":
        found = _compiled(rights[0]).search(value) is not None
    elif test.op in ORDER:
        found = _ordered(test.op, Decimal(value), Decimal(rights[0]))
    else:
        own = _canonical(kind, value)
        found = any(own == _canonical(kind, right) for right in rights) is (test.op != "!=")
    return found is not test.negated


def _ordered(op: str, one: Decimal, other: Decimal) -> bool:
    return {"<": one < other, "<=": one <= other, ">": one > other, ">=": one >= other}[op]


def _canonical(kind: str, value: str) -> object:
    if kind in NUMBERS:
        return Decimal(value)
    if kind in ADDRESSES:
        return ADDRESSES[kind](value)
    if kind == "mac-addr":
        return value.lower().replace("-", ":")
    return value.lower() if kind in LOWERED else value


def _like(text: str, pattern: str) -> bool:
    """Tell whether a text is like a pattern with % for any run and _ for one character; time at most their lengths multiplied."""
    at = read = 0
    star, mark = -1, 0
    while at < len(text):
        if read < len(pattern) and pattern[read] == "%":
            star, mark, read = read, at, read + 1
        elif read < len(pattern) and pattern[read] in ("_", text[at]):
            at, read = at + 1, read + 1
        elif star >= 0:
            read, mark, at = star + 1, mark + 1, mark + 1
        else:
            return False
    return not pattern[read:].strip("%")
