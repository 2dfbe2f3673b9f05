"""CACAO 2.0 in and out: a playbook from its JSON and JSON from a playbook, losing nothing."""

import dataclasses
import json
import types
from collections.abc import Mapping
from functools import cache
from typing import Any, Final, Union, get_args, get_origin, get_type_hints

from watchword.kit.errors import ContentError, Fault
from watchword.model.playbook import STEP_CLASSES, Playbook, Step
from watchword.respond.json_text import JsonFault, read_json

_WRONG: Final = object()
"""What a member is read as that has not the shape of its field; it is kept in `extra` instead."""


def decode(text: str | bytes, name: str = "playbook") -> Playbook:
    """Read a playbook. What does not fit the model stays in `extra`; whether it is a good playbook is for lint to say.

    Raises:
        ContentError: the text is no JSON object, holds a key twice, or is too large or too deep.
    """
    try:
        document = read_json(text)
    except JsonFault as error:
        raise ContentError([Fault(name, error.line, str(error), "mend the JSON")]) from error
    if not isinstance(document.value, dict):
        raise ContentError([Fault(name, document.first, "is no JSON object", "a playbook is one object")])
    return playbook_of(document.value)


def encode(playbook: Playbook) -> str:
    """Write a playbook as JSON, in the order of the specification, with two blanks of indentation and a final newline."""
    return write_json(json_of(playbook))


def write_json(value: Mapping[str, Any]) -> str:
    """Write a JSON object as playbooks are kept and exported."""
    return json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False) + "\n"


def playbook_of(value: Mapping[str, Any]) -> Playbook:
    """Return the playbook that a JSON object holds."""
    found = _read(Playbook, value)
    assert isinstance(found, Playbook)  # noqa: S101 - it reads what it is told to
    return found


def json_of(item: Any) -> dict[str, Any]:
    """Return the JSON object of a playbook or of any part of it: `extra` first said, then every field that is not at its default."""
    found = dict(item.extra)
    for entry in dataclasses.fields(item):
        if entry.name == "extra":
            continue
        value = getattr(item, entry.name)
        if value != _default(entry):
            found[entry.name] = _plain(value)
    order = {entry.name: place for place, entry in enumerate(dataclasses.fields(item))}
    return dict(sorted(found.items(), key=lambda pair: order.get(pair[0], len(order))))


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value):
        return json_of(value)
    if isinstance(value, Mapping):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value


def _default(entry: "dataclasses.Field[Any]") -> Any:
    return entry.default if entry.default_factory is dataclasses.MISSING else entry.default_factory()


@cache
def _hints(kind: type) -> dict[str, tuple[Any, Any]]:
    hints = get_type_hints(kind)
    return {entry.name: (hints[entry.name], _default(entry)) for entry in dataclasses.fields(kind) if entry.name != "extra"}


def _read(kind: type, value: Mapping[str, Any]) -> Any:
    if kind is Step:
        named = value.get("type")
        kind = STEP_CLASSES.get(named, Step) if isinstance(named, str) else Step
    known: dict[str, Any] = {}
    extra: dict[str, Any] = {}
    hints = _hints(kind)
    for name, raw in value.items():
        hint, default = hints.get(name, (None, None))
        found = _WRONG if hint is None else _member(hint, raw)
        if found is _WRONG or found == default:
            extra[name] = raw
        else:
            known[name] = found
    return kind(**known, extra=extra)


def _member(hint: Any, raw: Any) -> Any:
    """Return a JSON value in the shape of a field, or `_WRONG`."""
    origin = get_origin(hint)
    if origin in (Union, types.UnionType):
        hint = next(part for part in get_args(hint) if part is not type(None))
        origin = get_origin(hint)
    if hint is Any:
        return raw
    if origin is tuple:
        return _items(get_args(hint)[0], raw)
    if origin is not None:
        return _entries(get_args(hint)[1], raw)
    if dataclasses.is_dataclass(hint):
        return _read(hint, raw) if isinstance(raw, dict) else _WRONG  # type: ignore[arg-type] # a class, not an instance
    return raw if type(raw) is hint else _WRONG


def _items(hint: Any, raw: Any) -> Any:
    if not isinstance(raw, list):
        return _WRONG
    found = tuple(_member(hint, one) for one in raw)
    return _WRONG if any(one is _WRONG for one in found) else found


def _entries(hint: Any, raw: Any) -> Any:
    if not isinstance(raw, dict):
        return _WRONG
    found = {key: _member(hint, one) for key, one in raw.items()}
    return _WRONG if any(one is _WRONG for one in found.values()) else found
