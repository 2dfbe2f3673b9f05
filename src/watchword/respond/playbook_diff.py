"""What differs between two versions of a playbook: members added, taken out and changed, each with its JSON pointer."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from watchword.respond.json_text import Key
from watchword.respond.lint_report import pointer_text

MOST_CHANGES: Final = 1_000
LONGEST: Final = 400
"""Characters of a value that a change shows."""


@dataclass(frozen=True, slots=True)
class Change:
    """One difference."""

    at: str
    """JSON pointer."""
    kind: str
    """``added``, ``removed`` or ``changed``."""
    before: str = ""
    """The value as JSON, cut short."""
    after: str = ""


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[Change, ...]:
    """Return the differences in the order of the later version, at most `MOST_CHANGES`. The order of keys is none."""
    found = []
    for change in _changes((), before, after):
        found.append(change)
        if len(found) == MOST_CHANGES:
            break
    return tuple(found)


def _changes(at: tuple[Key, ...], before: Any, after: Any) -> Iterator[Change]:
    if isinstance(before, dict | Mapping) and isinstance(after, dict | Mapping):
        for name in after:
            if name in before:
                yield from _changes((*at, name), before[name], after[name])
            else:
                yield Change(pointer_text((*at, name)), "added", after=_said(after[name]))
        yield from (Change(pointer_text((*at, name)), "removed", before=_said(before[name])) for name in before if name not in after)
    elif isinstance(before, list) and isinstance(after, list) and not _same(before, after):
        yield from _items(at, before, after)
    elif not _same(before, after):
        yield Change(pointer_text(at), "changed", _said(before), _said(after))


def _items(at: tuple[Key, ...], before: list[Any], after: list[Any]) -> Iterator[Change]:
    for place in range(max(len(before), len(after))):
        if place >= len(before):
            yield Change(pointer_text((*at, place)), "added", after=_said(after[place]))
        elif place >= len(after):
            yield Change(pointer_text((*at, place)), "removed", before=_said(before[place]))
        else:
            yield from _changes((*at, place), before[place], after[place])


def _same(one: Any, other: Any) -> bool:
    """Tell whether two JSON values are equal; true is not 1."""
    return type(one) is type(other) and bool(one == other) if isinstance(one, bool) or isinstance(other, bool) else bool(one == other)


def _said(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
