"""The layers of a rota as rows of a form, and back: no code, no JSON."""

import re
from collections.abc import Iterable, Mapping
from datetime import date, time
from typing import Final

from watchword.kit.errors import InputError
from watchword.respond.rota import Hours, Layer

DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MOST: Final = 20
_HOURS: Final = re.compile(r"(?:(?P<days>[a-z,\- ]+)\s+)?(?P<since>\d{1,2}:\d{2})\s*(?:-|to|\u2013)\s*(?P<until>\d{1,2}:\d{2})")
FIELDS: Final = ("name", "people", "first", "at", "days", "hours", "until")


def rows_of(layers: Iterable[Layer]) -> dict[str, str]:
    """Return the fields of the layers, the top one first: people read from the top, and the top one beats those below."""
    found: dict[str, str] = {}
    for number, layer in enumerate(reversed(list(layers)), 1):
        found |= {
            f"layer.{number}.name": layer.name,
            f"layer.{number}.people": ", ".join(layer.people),
            f"layer.{number}.first": layer.first.isoformat(),
            f"layer.{number}.at": layer.hand_over.isoformat("minutes"),
            f"layer.{number}.days": str(layer.days),
            f"layer.{number}.hours": "; ".join(_said(each) for each in layer.hours),
            f"layer.{number}.until": layer.until.isoformat() if layer.until else "",
        }
    return found


def layers_of_form(fields: Mapping[str, str]) -> list[Layer]:
    """Return the layers that a form says, the lowest first; a row without name and people is no layer, a ticked one goes.

    Raises:
        InputError: a field is wrong; says in which row.
    """
    numbers = sorted({int(name.split(".")[1]) for name in fields if re.fullmatch(r"layer\.\d{1,3}\.[a-z]+", name)})
    found = []
    for row, number in enumerate(numbers[: MOST + 1], 1):
        values = {name: fields.get(f"layer.{number}.{name}", "").strip() for name in FIELDS}
        if fields.get(f"layer.{number}.gone") or not (values["name"] or values["people"]):
            continue
        found.append(_layer(values, row))
    return found[::-1]


def _layer(values: Mapping[str, str], row: int) -> Layer:
    try:
        days = int(values["days"] or "7")
        first = date.fromisoformat(values["first"])
        until = date.fromisoformat(values["until"]) if values["until"] else None
        hand_over = time.fromisoformat(values["at"] or "09:00").replace(tzinfo=None)
    except ValueError as error:
        raise InputError(
            f"Layer {row}: write days as 2026-03-02, times as 09:00, the length of a turn as a number of days", "layers"
        ) from error
    people = tuple(name for name in re.split(r"[,;\s]+", values["people"].lower()) if name)
    hours = tuple(_hours(part, row) for part in values["hours"].lower().split(";") if part.strip())
    return Layer(values["name"] or f"layer {row}", people, first, hand_over, days, hours, until)


def _hours(text: str, row: int) -> Hours:
    found = _HOURS.fullmatch(text.strip())
    if found is None:
        raise InputError(f"Layer {row}: write hours as 18:00 - 08:00, or mon-fri 08:00 - 18:00; sat,sun 10:00 - 16:00", "layers")
    try:
        since, until = (time.fromisoformat(found[name].zfill(5)) for name in ("since", "until"))
    except ValueError as error:
        raise InputError(f"Layer {row}: {text.strip()[:40]!r} is no stretch of a day", "layers") from error
    return Hours(since, until, _days(found["days"] or "", row))


def _days(text: str, row: int) -> frozenset[int]:
    if not text.strip():
        return frozenset(range(7))
    found: set[int] = set()
    for part in (part.strip() for part in text.split(",") if part.strip()):
        first, _, last = part.partition("-")
        ends = [name.strip()[:3] for name in (first, last or first)]
        if any(name not in DAYS for name in ends):
            raise InputError(f"Layer {row}: {part[:20]!r} is no day; write mon, tue, wed, thu, fri, sat or sun", "layers")
        one, other = (DAYS.index(name) for name in ends)
        found |= set(range(one, other + 1)) if one <= other else {*range(one, 7), *range(other + 1)}
    return frozenset(found)


def _said(hours: Hours) -> str:
    days = "" if len(hours.days) == len(DAYS) else ",".join(DAYS[day] for day in sorted(hours.days)) + " "
    return f"{days}{hours.since:%H:%M} - {hours.until:%H:%M}"
