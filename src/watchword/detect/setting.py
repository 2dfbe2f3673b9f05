"""Settings of a rule, read with their types: durations such as ``15m``, numbers, lists of words."""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from watchword.detect.detector import Rule
from watchword.kit.errors import ContentError, Fault

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d|w)")
_MISSING: Any = object()


def parse_duration(text: object) -> timedelta:
    """Return the duration that a text such as ``90s``, ``15m``, ``8h``, ``1d`` or ``1h 30m`` names.

    Raises:
        ValueError: it is none.
    """
    if isinstance(text, timedelta):
        return text
    parts = _DURATION.findall(text) if isinstance(text, str) else []
    if not parts or _DURATION.sub("", str(text)).strip():
        raise ValueError(f"{text!r} is no duration: write 90s, 15m, 8h or 2d")
    return timedelta(seconds=sum(float(number) * _UNITS[unit] for number, unit in parts))


def fault_of(rule: Rule, message: str, *path: str | int, remedy: str = "") -> Fault:
    """Return a fault that points at a path of the rule's file."""
    if rule.document is None:
        return Fault(rule.path or rule.id, 0, message, remedy)
    return rule.document.fault(message, *path, remedy=remedy)


def refuse(rule: Rule, message: str, *path: str | int, remedy: str = "") -> ContentError:
    """Return the error that refuses a rule for one fault of its file."""
    return ContentError([fault_of(rule, message, *path, remedy=remedy)])


def _value(rule: Rule, name: str, default: Any) -> Any:
    if name in rule.settings:
        return rule.settings[name]
    if default is _MISSING:
        raise refuse(rule, f"settings lack {name!r}", "settings", remedy=f"add {name} below settings")
    return default


def duration(rule: Rule, name: str, default: timedelta | str = _MISSING) -> timedelta:
    """Return a setting that is a duration.

    Raises:
        ContentError: it is missing without a default, or no duration.
    """
    try:
        return parse_duration(_value(rule, name, default))
    except ValueError as error:
        raise refuse(rule, f"settings.{name}: {error}", "settings", name) from error


def number(rule: Rule, name: str, default: float = _MISSING) -> float:
    """Return a setting that is a number.

    Raises:
        ContentError: it is missing without a default, or no number.
    """
    value = _value(rule, name, default)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise refuse(rule, f"settings.{name}: {value!r} is no number", "settings", name)
    return float(value)


def word(rule: Rule, name: str, default: str = _MISSING) -> str:
    """Return a setting that is one word or text.

    Raises:
        ContentError: it is missing without a default, or no text.
    """
    value = _value(rule, name, default)
    if not isinstance(value, str):
        raise refuse(rule, f"settings.{name}: {value!r} is no text", "settings", name)
    return value


def words(rule: Rule, name: str, default: tuple[str, ...] = _MISSING) -> tuple[str, ...]:
    """Return a setting that is a list of words; a single word counts as a list of one.

    Raises:
        ContentError: it is missing without a default, or holds something else.
    """
    value = _value(rule, name, default)
    if isinstance(value, str):
        return (value,)
    if not isinstance(value, list | tuple) or not all(isinstance(item, str) for item in value):
        raise refuse(rule, f"settings.{name}: a list of words is expected", "settings", name)
    return tuple(value)


def flag(rule: Rule, name: str, default: bool = _MISSING) -> bool:
    """Return a setting that is true or false.

    Raises:
        ContentError: it is missing without a default, or neither.
    """
    value = _value(rule, name, default)
    if not isinstance(value, bool):
        raise refuse(rule, f"settings.{name}: true or false is expected", "settings", name)
    return value


def table(rule: Rule, name: str) -> Mapping[str, Any]:
    """Return a setting that is a mapping; empty when it is missing.

    Raises:
        ContentError: it is something else.
    """
    value = _value(rule, name, {})
    if not isinstance(value, Mapping):
        raise refuse(rule, f"settings.{name}: a mapping is expected", "settings", name)
    return value
