"""Conditions of a mapping: ``when`` a record makes an event, compiled into one test; plain comparisons serve as index."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from watchword.ingest.mapping_values import Get, Row, SpecFault, ValueCompiler, text_of

Test = Callable[[Row], bool]
_OPERATORS: Final = ("is", "in", "not", "startswith", "endswith", "contains", "matches", "exists", "above", "below")


@dataclass(frozen=True, slots=True)
class Condition:
    """A compiled ``when``."""

    test: Test | None = None
    """None: always holds."""
    equals: dict[str, frozenset[str]] = field(default_factory=dict)
    """Column → the texts of which one is needed: what an index may rely on."""


def compile_condition(spec: Any, values: ValueCompiler) -> Condition:
    """Compile ``when``: a mapping whose every column must fit, or a list of such mappings of which one must.

    Raises:
        SpecFault: it is malformed.
    """
    if spec is None:
        return Condition()
    if isinstance(spec, list):
        if not spec:
            raise SpecFault("the list of conditions is empty")
        several = []
        for index, one in enumerate(spec):
            try:
                several.append(compile_condition(one, values))
            except SpecFault as fault:
                raise SpecFault(str(fault), index, *fault.path, remedy=fault.remedy) from None
        tests = [condition.test for condition in several if condition.test is not None]
        shared = set(several[0].equals).intersection(*(condition.equals for condition in several))
        equals = {column: frozenset().union(*(condition.equals[column] for condition in several)) for column in shared}
        return Condition(None if len(tests) < len(several) else _any(tests), equals)
    if not isinstance(spec, dict):
        raise SpecFault(f"{spec!r} is no condition", remedy="write when: {Column: value}")
    tests = []
    equals = {}
    for column, wanted in spec.items():
        try:
            get = values.column(column)
            test, texts = _column_test(get, wanted)
        except SpecFault as fault:
            raise SpecFault(str(fault), column, *fault.path, remedy=fault.remedy) from None
        tests.append(test)
        if texts is not None:
            equals[str(column)] = texts
    return Condition(_all(tests), equals)


def _all(tests: list[Test]) -> Test | None:
    if len(tests) < 2:
        return tests[0] if tests else None
    if len(tests) == 2:
        first, second = tests
        return lambda row: first(row) and second(row)

    def test(row: Row) -> bool:
        for one in tests:  # noqa: SIM110 - this loop runs for every record; a generator costs twice as much
            if not one(row):
                return False
        return True

    return test


def _any(tests: list[Test]) -> Test:
    return lambda row: any(test(row) for test in tests)


def _column_test(get: Get, wanted: Any) -> tuple[Test, frozenset[str] | None]:
    if wanted is None:
        return (lambda row: get(row) is None), None
    if isinstance(wanted, dict):
        return _operators(get, wanted)
    texts = _texts(wanted)
    return _is_one_of(get, texts), texts


def _texts(wanted: Any) -> frozenset[str]:
    items = wanted if isinstance(wanted, list) else [wanted]
    if not items:
        raise SpecFault("the list of values is empty")
    if any(isinstance(item, dict | list) for item in items):
        raise SpecFault("values to compare with are plain words and numbers")
    return frozenset(text_of(item) for item in items)


def _is_one_of(get: Get, texts: frozenset[str]) -> Test:
    def test(row: Row) -> bool:
        value = get(row)
        if type(value) is str:
            return value in texts
        return value is not None and text_of(value) in texts

    return test


def _operators(get: Get, wanted: dict[Any, Any]) -> tuple[Test, frozenset[str] | None]:
    if not wanted:
        raise SpecFault("the condition is empty")
    tests: list[Test] = []
    equals: frozenset[str] | None = None
    for operator, operand in wanted.items():
        if operator not in _OPERATORS:
            raise SpecFault(f"{operator!r} is no comparison", operator, remedy="known: " + ", ".join(_OPERATORS))
        try:
            if operator in {"is", "in"}:
                equals = _texts(operand)
                tests.append(_is_one_of(get, equals))
            else:
                tests.append(_operator(get, operator, operand))
        except SpecFault as fault:
            raise SpecFault(str(fault), operator, *fault.path, remedy=fault.remedy) from None
    test = _all(tests)
    return test or (lambda _row: True), equals


def _operator(get: Get, operator: str, operand: Any) -> Test:
    if operator == "exists":
        if not isinstance(operand, bool):
            raise SpecFault("exists is true or false")
        return (lambda row: get(row) is not None) if operand else (lambda row: get(row) is None)
    if operator == "not":
        excluded = _texts(operand)
        return lambda row: (value := get(row)) is None or text_of(value) not in excluded
    if operator in {"above", "below"}:
        if isinstance(operand, bool) or not isinstance(operand, int | float):
            raise SpecFault(f"{operand!r} is no number")
        return _compared(get, operand, above=operator == "above")
    if operator == "matches":
        return _matching(get, operand)
    return _piecewise(get, operator, tuple(_texts(operand)))


def _matching(get: Get, operand: Any) -> Test:
    if not isinstance(operand, str):
        raise SpecFault(f"{operand!r} is no regular expression")
    try:
        search = re.compile(operand).search
    except (re.error, RecursionError, OverflowError) as error:
        raise SpecFault(f"{operand!r} is no regular expression: {error}") from None
    return lambda row: (value := get(row)) is not None and search(text_of(value)) is not None


def _piecewise(get: Get, operator: str, pieces: tuple[str, ...]) -> Test:
    if operator == "startswith":
        return lambda row: (value := get(row)) is not None and text_of(value).startswith(pieces)
    if operator == "endswith":
        return lambda row: (value := get(row)) is not None and text_of(value).endswith(pieces)
    return lambda row: (value := get(row)) is not None and any(piece in text_of(value) for piece in pieces)


def _compared(get: Get, operand: float, *, above: bool) -> Test:
    def test(row: Row) -> bool:
        try:
            number = float(get(row))
        except (TypeError, ValueError, OverflowError):
            return False
        return number > operand if above else number < operand

    return test
