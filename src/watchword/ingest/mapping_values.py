"""Value specifications of a mapping: how a value is found in a record and turned into what an event needs, compiled once into closures."""

import re
from collections.abc import Callable, Mapping
from string import Formatter
from typing import Any, Final

import orjson

Row = Mapping[str, Any]
"""A decoded record: CSV and syslog columns, or the JSON object itself."""
Get = Callable[[Row], Any]
"""Finds a value in a record; None when there is none."""
_MISSING: Final = object()


class SpecFault(ValueError):
    """A specification is wrong; the message is for the mapping's author, `path` leads from the specification to the faulty part."""

    def __init__(self, message: str, *path: str | int, remedy: str = "") -> None:
        self.path = path
        self.remedy = remedy
        super().__init__(message)


def text_of(value: Any) -> str:
    """Return the text by which values are compared: ``true`` for booleans, ``4624`` for 4624 and 4624.0, JSON for lists and objects."""
    if type(value) is str:
        return value
    if value is True:
        return "true"
    if value is False:
        return "false"
    if type(value) is float and value.is_integer():
        return str(int(value))
    if isinstance(value, dict | list):
        return orjson.dumps(value).decode()
    return str(value)


def column_get(name: str, empty: frozenset[str]) -> Get:
    """Return the getter of a column: the literal key first, then as a dotted path whose numbers count list items from 0."""
    steps = name.split(".")
    if len(steps) == 1:

        def get_plain(row: Row) -> Any:
            value = row.get(name)
            if type(value) is str and value in empty:
                return None
            return value

        return get_plain

    def get_deep(row: Row) -> Any:
        value = row.get(name, _MISSING)
        if value is _MISSING:
            value = _walk(row, steps)
        if type(value) is str and value in empty:
            return None
        return value

    return get_deep


def _walk(row: Row, steps: list[str]) -> Any:
    value: Any = row
    last = len(steps)
    at = 0
    while at < last:
        if isinstance(value, Mapping):
            step = steps[at]
            if step in value:
                value = value[step]
                at += 1
                continue
            # A key may hold dots itself: take the longest literal key that fits the rest.
            for end in range(last, at + 1, -1):
                key = ".".join(steps[at:end])
                if key in value:
                    value, at = value[key], end
                    break
            else:
                return None
        elif isinstance(value, list) and steps[at].isdigit() and len(steps[at]) < 7 and int(steps[at]) < len(value):
            value = value[int(steps[at])]
            at += 1
        else:
            return None
    return value


_KEYS: Final = {"from", "value", "template", "values", "default", "lower", "upper", "strip", "multiply", "add", "pattern", "split"}


class ValueCompiler:
    """Compiles value specifications and remembers which columns they name."""

    def __init__(self, empty: frozenset[str], masked: Callable[[str], str] | None = None) -> None:
        self.empty = empty
        self.columns: set[str] = set()
        self.derived: set[str] = set()
        """Columns made by ``match``: no record names them."""
        self.masked_columns: set[str] = set()
        """Columns that hold card numbers: shown in templates by their last digits only."""
        self._masked = masked

    def column(self, name: Any) -> Get:
        """Compile a column name.

        Raises:
            SpecFault: it is no name.
        """
        if not isinstance(name, str | int) or isinstance(name, bool) or not str(name).strip():
            raise SpecFault(f"{name!r} is no column name", remedy="write the name of a column, or {value: …} for a fixed value")
        self.columns.add(str(name))
        return column_get(str(name), self.empty)

    def compile(self, spec: Any, *, translate: Callable[[Any], Any] | None = None) -> Get:
        """Compile a specification. `translate` turns written values (literals, value maps, defaults) into what the event keeps.

        Raises:
            SpecFault: it is malformed.
        """
        if isinstance(spec, str):
            return self.column(spec)
        if isinstance(spec, bool | int | float):
            return _constant(translate(spec) if translate else spec)
        if isinstance(spec, list):
            return self._first(spec)
        if not isinstance(spec, dict):
            raise SpecFault(
                f"{spec!r} says not where the value comes from", remedy="write a column name, or {from: …}, {value: …}, {template: …}"
            )
        unknown = [key for key in spec if key not in _KEYS]
        if unknown:
            raise SpecFault(f"{unknown[0]!r} is not understood here", unknown[0], remedy="known: " + ", ".join(sorted(_KEYS)))
        starts = [key for key in ("from", "value", "template") if key in spec]
        if len(starts) != 1:
            raise SpecFault("exactly one of from, value, template is wanted")
        change = translate or (lambda value: value)
        if starts[0] == "value":
            return _constant(self._translated(change, spec["value"], "value"))
        get = self.template(spec["template"]) if starts[0] == "template" else self._from(spec["from"])
        return self._steps(get, spec, change)

    def _from(self, names: Any) -> Get:
        return self._first(names) if isinstance(names, list) else self.column(names)

    def _first(self, names: list[Any]) -> Get:
        if not names:
            raise SpecFault("the list of columns is empty")
        gets = [self.column(name) for name in names]
        if len(gets) == 1:
            return gets[0]

        def get(row: Row) -> Any:
            for one in gets:
                value = one(row)
                if value is not None:
                    return value
            return None

        return get

    def template(self, template: Any) -> Get:
        """Compile a text with ``{column}`` in it; None when every column in it is absent.

        Raises:
            SpecFault: braces do not fit.
        """
        if not isinstance(template, str):
            raise SpecFault(f"{template!r} is no text")
        try:
            pieces = [(literal, name) for literal, name, _, _ in Formatter().parse(template)]
        except ValueError as error:
            raise SpecFault(
                f"{template!r} is no template: {error}", remedy="write {column}; double a brace that is meant as such"
            ) from None
        parts: list[tuple[str, str | None, Get | None]] = [(literal, name, self.column(name) if name else None) for literal, name in pieces]
        if not any(get for _, _, get in parts):
            text = "".join(literal for literal, _, _ in parts)
            return lambda _row: text
        masked_columns = self.masked_columns

        def get(row: Row) -> str | None:
            found = False
            out = []
            for literal, name, one in parts:
                out.append(literal)
                if one is None:
                    continue
                value = one(row)
                if value is not None:
                    found = True
                    text = text_of(value)
                    out.append(self._masked(text) if self._masked and name in masked_columns else text)
            return "".join(out) if found else None

        return get

    def _steps(self, get: Get, spec: dict[str, Any], change: Callable[[Any], Any]) -> Get:
        if "pattern" in spec:
            get = _patterned(get, _regex(spec["pattern"], "pattern"))
        if "split" in spec:
            get = _split(get, spec["split"])
        for key, method in (("strip", str.strip), ("lower", str.lower), ("upper", str.upper)):
            if key in spec:
                if spec[key] is not True:
                    raise SpecFault(f"{key} is either true or left out", key)
                get = _texted(get, method)
        if "multiply" in spec or "add" in spec:
            get = _scaled(get, _number(spec, "multiply", 1), _number(spec, "add", 0))
        default = self._translated(change, spec["default"], "default") if "default" in spec else None
        if "values" in spec:
            get = self._mapped(get, spec["values"], change)
        return get if default is None else _defaulted(get, default)

    def _mapped(self, get: Get, values: Any, change: Callable[[Any], Any]) -> Get:
        if not isinstance(values, dict) or not values:
            raise SpecFault(
                "values must map what the source writes to what is meant", "values", remedy="write values: {A: granted, B: denied}"
            )
        table = {text_of(key): self._translated(change, value, "values", key) for key, value in values.items()}

        def get_mapped(row: Row) -> Any:
            value = get(row)
            return None if value is None else table.get(text_of(value))

        return get_mapped

    @staticmethod
    def _translated(change: Callable[[Any], Any], value: Any, *path: str | int) -> Any:
        try:
            return change(value)
        except SpecFault as fault:
            raise SpecFault(str(fault), *path, *fault.path, remedy=fault.remedy) from None


def _constant(value: Any) -> Get:
    return lambda _row: value


def _regex(pattern: Any, *path: str) -> re.Pattern[str]:
    if not isinstance(pattern, str):
        raise SpecFault(f"{pattern!r} is no regular expression", *path)
    try:
        return re.compile(pattern)
    except (re.error, RecursionError, OverflowError) as error:
        raise SpecFault(f"{pattern!r} is no regular expression: {error}", *path) from None


def _patterned(get: Get, pattern: re.Pattern[str]) -> Get:
    group = 1 if pattern.groups else 0

    def get_patterned(row: Row) -> Any:
        value = get(row)
        if value is None:
            return None
        found = pattern.search(text_of(value))
        return found[group] if found else None

    return get_patterned


def _split(get: Get, by: Any) -> Get:
    if not isinstance(by, str) or not by:
        raise SpecFault(f"{by!r} is nothing to split at", "split")

    def get_split(row: Row) -> Any:
        value = get(row)
        return None if value is None else [part.strip() for part in text_of(value).split(by) if part.strip()]

    return get_split


def _texted(get: Get, method: Callable[[str], str]) -> Get:
    def get_texted(row: Row) -> Any:
        value = get(row)
        return None if value is None else method(text_of(value))

    return get_texted


def _number(spec: dict[str, Any], key: str, default: float) -> float:
    value = spec.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise SpecFault(f"{value!r} is no number", key)
    return value


def _scaled(get: Get, factor: float, offset: float) -> Get:
    def get_scaled(row: Row) -> Any:
        value = get(row)
        if value is None:
            return None
        try:
            result = float(value) * factor + offset
            return int(result) if result.is_integer() else result
        except (ValueError, TypeError, OverflowError):
            return value

    return get_scaled


def _defaulted(get: Get, default: Any) -> Get:
    def get_defaulted(row: Row) -> Any:
        value = get(row)
        return default if value is None else value

    return get_defaulted
