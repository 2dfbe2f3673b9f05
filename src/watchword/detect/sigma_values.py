"""Sigma's tests on values: what equals, contains, matches and compares, over a record under its product's own names."""

import ipaddress
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import re2  # type: ignore[import-untyped]
from sigma.types import (
    CompareOperators,
    SigmaBool,
    SigmaCasedString,
    SigmaCIDRExpression,
    SigmaCompareExpression,
    SigmaExists,
    SigmaExpansion,
    SigmaFieldReference,
    SigmaNull,
    SigmaNumber,
    SigmaRegularExpression,
    SigmaRegularExpressionFlag,
    SigmaString,
    SigmaTimestampPart,
    SpecialChars,
    TimestampPart,
)

ValueTest = Callable[[Any], bool]
Predicate = Callable[["View"], bool]
_NOTHING: tuple[Any, ...] = ()


class View:
    """One record while rules look at it: values by field, and their text in lower case, each made once."""

    __slots__ = ("_keywords", "_keywords_lowered", "_lowered", "_raw", "fields")

    def __init__(self, fields: Mapping[str, Any]) -> None:
        self.fields = fields
        self._raw: dict[str, tuple[Any, ...]] = {}
        self._lowered: dict[str, tuple[str, ...]] = {}
        self._keywords: tuple[str, ...] | None = None
        self._keywords_lowered: tuple[str, ...] | None = None

    def raw(self, name: str) -> tuple[Any, ...]:
        """Return a field's values; none when it is absent or null. Literal name first, then a path through objects and lists."""
        found = self._raw.get(name)
        if found is None:
            found = self._raw[name] = tuple(_leaves(self.fields, name))
        return found

    def lowered(self, name: str) -> tuple[str, ...]:
        """Return a field's values as text in lower case."""
        found = self._lowered.get(name)
        if found is None:
            found = self._lowered[name] = tuple(text_of(value).lower() for value in self.raw(name))
        return found

    def keywords(self) -> tuple[str, ...]:
        """Return every value of the record as text: where keywords are sought, each value by itself."""
        if self._keywords is None:
            self._keywords = tuple(text_of(value) for value in _flat(self.fields))
        return self._keywords

    def keywords_lowered(self) -> tuple[str, ...]:
        """Return every value of the record as text in lower case."""
        if self._keywords_lowered is None:
            self._keywords_lowered = tuple(text.lower() for text in self.keywords())
        return self._keywords_lowered


def text_of(value: Any) -> str:
    """Return a value as Sigma compares it: 4624 is "4624", true is "true"."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _leaves(fields: Any, name: str) -> list[Any]:
    if isinstance(fields, list):
        return [leaf for item in fields for leaf in _leaves(item, name)]
    if not isinstance(fields, Mapping):
        return []
    if name in fields:
        value = fields[name]
        if value is None:
            return []
        return [item for item in value if item is not None] if isinstance(value, list) else [value]
    found: list[Any] = []
    dot = name.find(".")
    while dot > 0 and not found:
        if name[:dot] in fields:
            found = _leaves(fields[name[:dot]], name[dot + 1 :])
        dot = name.find(".", dot + 1)
    return found


def _flat(value: Any) -> list[Any]:
    if isinstance(value, Mapping):
        return [leaf for item in value.values() for leaf in _flat(item)]
    if isinstance(value, list):
        return [leaf for item in value for leaf in _flat(item)]
    return [] if value is None else [value]


def field_test(field: str, value: Any) -> Predicate:
    """Return the test that a Sigma value makes of a field.

    Raises:
        ValueError: a kind of value that is not evaluated.
    """
    if isinstance(value, SigmaExpansion):
        tests = [field_test(field, item) for item in value.values]
        return lambda view: any(test(view) for test in tests)
    if isinstance(value, SigmaNull):
        return lambda view: not view.raw(field)
    if isinstance(value, SigmaExists):
        wanted = bool(value)
        return lambda view: bool(view.raw(field)) is wanted
    if isinstance(value, SigmaFieldReference):
        return _reference(field, value)
    if isinstance(value, SigmaString) and not isinstance(value, SigmaCasedString):
        return _each_text(field, string_test(value, cased=False, whole=True))
    test = _raw_test(value)
    return lambda view: any(test(item) for item in view.raw(field))


def _each_text(field: str, test: Callable[[str], bool]) -> Predicate:
    def holds(view: View) -> bool:
        texts = view.lowered(field)
        return test(texts[0]) if len(texts) == 1 else any(test(text) for text in texts)

    return holds


def merged_test(field: str, values: Sequence[Any]) -> Predicate | None:
    """Return one test for many texts of a field of which any may match; None when one of them is no plain text.

    It says the same as the single tests, at the cost of one or two of them.
    """
    same: set[str] = set()
    starts: list[str] = []
    ends: list[str] = []
    inside: list[str] = []
    for value in values:
        shape = _shape(value)
        if shape is None:
            return None
        literal, open_start, open_end = shape
        if open_start and open_end:
            inside.append(literal)
        elif open_start:
            ends.append(literal)
        elif open_end:
            starts.append(literal)
        else:
            same.add(literal)
    heads, tails = tuple(starts), tuple(ends)

    def test(text: str) -> bool:
        if text in same or text.endswith(tails) or text.startswith(heads):
            return True
        for literal in inside:  # noqa: SIM110 - a generator costs as much as the test
            if literal in text:
                return True
        return False

    return _each_text(field, test)


def _shape(value: Any) -> tuple[str, bool, bool] | None:
    """Return a text in lower case and whether anything may stand before and after it; None for other values and inner wildcards."""
    if not isinstance(value, SigmaString) or isinstance(value, SigmaCasedString):
        return None
    parts = list(value.s)
    start = bool(parts) and parts[0] is SpecialChars.WILDCARD_MULTI
    end = len(parts) > 1 and parts[-1] is SpecialChars.WILDCARD_MULTI
    literals = parts[start : len(parts) - end]
    if not all(isinstance(part, str) for part in literals) or (start and not literals):
        return None
    return "".join(str(part) for part in literals).lower(), start, end


def keyword_test(value: Any) -> Predicate:
    """Return the test that a value without a field makes: sought in each value of the record.

    Raises:
        ValueError: a kind of value that is not evaluated.
    """
    if isinstance(value, SigmaExpansion):
        tests = [keyword_test(item) for item in value.values]
        return lambda view: any(test(view) for test in tests)
    if isinstance(value, SigmaString):
        cased = isinstance(value, SigmaCasedString)
        test = string_test(value, cased=cased, whole=False)
        if cased:
            return lambda view: any(test(text) for text in view.keywords())
        return lambda view: any(test(text) for text in view.keywords_lowered())
    if isinstance(value, SigmaNumber):
        number = text_of(value.number)
        return lambda view: any(number in text for text in view.keywords())
    raw = _raw_test(value)
    return lambda view: any(raw(text) for text in view.keywords())


def string_test(value: SigmaString, *, cased: bool, whole: bool) -> Callable[[str], bool]:
    """Return the test of a text with wildcards; a text that is not cased is tested against lower case.

    Args:
        value: The text; ``*`` stands for any characters, line ends too, ``?`` for one.
        cased: Whether upper and lower case differ.
        whole: Whether it must match from end to end (a field), or anywhere (a keyword).
    """
    parts = [part if isinstance(part, SpecialChars) else (str(part) if cased else str(part).lower()) for part in value.s]
    if not whole:
        parts = [SpecialChars.WILDCARD_MULTI, *parts, SpecialChars.WILDCARD_MULTI]
    many = SpecialChars.WILDCARD_MULTI
    start = bool(parts) and parts[0] is many
    end = len(parts) > 1 and parts[-1] is many
    while parts and parts[0] is many:
        parts = parts[1:]
    while parts and parts[-1] is many:
        parts = parts[:-1]
    if not parts and start:
        return lambda _: True
    if all(isinstance(part, str) for part in parts):
        literal = "".join(str(part) for part in parts)
        if start and end:
            return lambda text: literal in text
        if start:
            return lambda text: text.endswith(literal)
        if end:
            return lambda text: text.startswith(literal)
        return lambda text: text == literal
    return _pattern_test(parts, start=start, end=end)


def _pattern_test(parts: list[Any], *, start: bool, end: bool) -> Callable[[str], bool]:
    pattern = "".join(
        ".*" if part is SpecialChars.WILDCARD_MULTI else "." if part is SpecialChars.WILDCARD_SINGLE else re2.escape(part) for part in parts
    )
    options = re2.Options()
    options.dot_nl = True
    options.never_capture = True
    options.log_errors = False
    compiled = re2.compile(("" if start else r"\A") + pattern + ("" if end else r"\z"), options)
    return lambda text: compiled.search(_encodable(text)) is not None


def _encodable(text: str) -> str:
    """Return a text that RE2 can read as UTF-8: a lone surrogate in a record must not stop the others."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace").decode()
    return text


def _reference(field: str, value: SigmaFieldReference) -> Predicate:
    other = value.field

    def test(view: View) -> bool:
        mine, theirs = view.lowered(field), view.lowered(other)
        if value.starts_with and value.ends_with:
            return any(text in one for one in mine for text in theirs)
        if value.starts_with:
            return any(one.startswith(text) for one in mine for text in theirs)
        if value.ends_with:
            return any(one.endswith(text) for one in mine for text in theirs)
        return any(one == text for one in mine for text in theirs)

    return test


def _raw_test(value: Any) -> ValueTest:
    if isinstance(value, SigmaCasedString):
        cased = string_test(value, cased=True, whole=True)
        return lambda item: cased(text_of(item))
    if isinstance(value, SigmaRegularExpression):
        return _regex_test(value)
    if isinstance(value, SigmaCIDRExpression):
        return _network_test(value)
    if isinstance(value, SigmaCompareExpression):
        return _compare_test(value)
    if isinstance(value, SigmaTimestampPart):
        part, wanted = value.timestamp_part, value.number
        return lambda item: _time_part(item, part) == wanted
    if isinstance(value, SigmaBool | SigmaNumber):
        text = text_of(value.boolean if isinstance(value, SigmaBool) else value.number).lower()
        return lambda item: text_of(item).lower() == text
    raise ValueError(f"a value of the kind {type(value).__name__} is not evaluated")


def _regex_test(value: SigmaRegularExpression) -> ValueTest:
    flags = {
        SigmaRegularExpressionFlag.IGNORECASE: "i",
        SigmaRegularExpressionFlag.MULTILINE: "m",
        SigmaRegularExpressionFlag.DOTALL: "s",
    }
    letters = "".join(letter for flag, letter in flags.items() if flag in value.flags)
    options = re2.Options()
    options.never_capture = True
    options.log_errors = False
    pattern = str(value.regexp.original)
    try:
        compiled = re2.compile(f"(?{letters}){pattern}" if letters else pattern, options)
    except re2.error as error:
        raise ValueError(f"the regular expression {pattern!r} is none that RE2 takes: {error}") from error
    return lambda item: compiled.search(_encodable(text_of(item))) is not None


def _network_test(value: SigmaCIDRExpression) -> ValueTest:
    network = value.network

    def test(item: Any) -> bool:
        try:
            address = ipaddress.ip_address(text_of(item).strip().partition("%")[0])
        except ValueError:
            return False
        mapped = getattr(address, "ipv4_mapped", None)
        return address in network or (mapped is not None and mapped in network)

    return test


def _compare_test(value: SigmaCompareExpression) -> ValueTest:
    limit = float(value.number.number)
    part = value.number.timestamp_part if isinstance(value.number, SigmaTimestampPart) else None
    operator = value.op

    def test(item: Any) -> bool:
        number = _number(item) if part is None else _time_part(item, part)
        if number is None:
            return False
        if operator is CompareOperators.LT:
            return number < limit
        if operator is CompareOperators.LTE:
            return number <= limit
        if operator is CompareOperators.GT:
            return number > limit
        if operator is CompareOperators.GTE:
            return number >= limit
        return (number != limit) if operator.name == "NEQ" else (number == limit)

    return test


def _number(item: Any) -> float | None:
    if isinstance(item, bool):
        return None
    try:
        return float(item)
    except (TypeError, ValueError):
        return None


_EPOCH = re.compile(r"\d{9,20}(?:\.\d+)?")


def _moment(item: Any) -> datetime | None:
    """Read ISO 8601 or an epoch in seconds, milli-, micro- or nanoseconds, as UTC."""
    text = text_of(item).strip()
    try:
        if _EPOCH.fullmatch(text):
            seconds = float(text)
            while seconds > 1e11:
                seconds /= 1000
            return datetime.fromtimestamp(seconds, UTC)
        moment = datetime.fromisoformat(text)
    except (ValueError, OverflowError, OSError):
        return None
    return moment.astimezone(UTC) if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def _time_part(item: Any, part: TimestampPart) -> float | None:
    moment = _moment(item)
    if moment is None:
        return None
    if part is TimestampPart.WEEK:
        return float(moment.isocalendar().week)
    return float(getattr(moment, part.name.lower()))
