"""Fields of the forms of risks and budget as values: amounts, shares, days, intervals; each fault names its field."""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, time
from typing import Final
from zoneinfo import ZoneInfo

from watchword.govern.scenario import Parent, Protection, Safeguard, Scenario, Standing
from watchword.kit.errors import InputError

_AMOUNT: Final = re.compile(r"(\d+(?:\.\d+)?)\s*([kMG]?)")
_SCALE: Final = {"": 1.0, "k": 1e3, "M": 1e6, "G": 1e9}
MOST_ROWS: Final = 12
"""Scenarios that one form ties a safeguard to."""

Typed = Mapping[str, str]


def amount(typed: Typed, field: str, default: float | None = None) -> float:
    """Return an amount: 1200, 1 200, 250k, 1.2M; € may stand before it.

    Raises:
        InputError: it is none.
    """
    text = re.sub(r"[\s€_']|(?<=\d),(?=\d{3}\b)", "", typed.get(field, ""))
    if not text and default is not None:
        return default
    match = _AMOUNT.fullmatch(text)
    if match is None:
        raise InputError(f"{field.replace('_', ' ')}: write an amount such as 1200, 250k or 1.2M", field)
    return float(match[1]) * _SCALE[match[2]]


def share(typed: Typed, field: str, default: float | None = None) -> float:
    """Return a share that is written in per cent.

    Raises:
        InputError: it is none.
    """
    text = typed.get(field, "").replace("%", "").replace(",", ".").strip()
    if not text and default is not None:
        return default
    try:
        found = float(text) / 100
    except ValueError as error:
        raise InputError(f"{field.replace('_', ' ')}: write per cent, such as 5", field) from error
    if not 0 <= found <= 1:
        raise InputError(f"{field.replace('_', ' ')}: between 0 and 100 per cent", field)
    return found


def number(typed: Typed, field: str, default: float | None = None) -> float:
    """Return a plain number.

    Raises:
        InputError: it is none.
    """
    text = typed.get(field, "").replace(",", ".").strip()
    if not text and default is not None:
        return default
    try:
        return float(text)
    except ValueError as error:
        raise InputError(f"{field.replace('_', ' ')}: write a number", field) from error


def day(typed: Typed, field: str) -> date | None:
    """Return a day; None: the field is empty.

    Raises:
        InputError: it is none.
    """
    text = typed.get(field, "").strip()
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise InputError(f"{text[:20]!r} is no day: write 2026-03-01", field) from error


def moment(typed: Typed, field: str, zone: ZoneInfo) -> datetime:
    """Return a moment by the clock of a zone; a day alone is its noon.

    Raises:
        InputError: it is none.
    """
    text = typed.get(field, "").strip()
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise InputError(f"{text[:40]!r} is no date and time: write 2026-03-01 08:00", field) from error
    if len(text) == len("2026-03-01"):
        found = datetime.combine(found.date(), time(12))
    return (found if found.tzinfo else found.replace(tzinfo=zone)).astimezone(UTC)


def words(typed: Typed, field: str) -> tuple[str, ...]:
    """Return names that stand in a field with commas or spaces between."""
    return tuple(dict.fromkeys(re.split(r"[,\s]+", typed.get(field, "").strip(" ,\n")))) if typed.get(field, "").strip() else ()


def scenario_of_form(typed: Typed, before: Scenario | None = None) -> Scenario:
    """Return a scenario as a form says it; what the form does not show stays.

    Raises:
        InputError: a field is not as it must be.
    """
    text = {field: typed.get(field, "").strip() for field in ("title", "story", "threat", "owner", "source")}
    parent = typed.get("parent", "").strip()
    parents = (Parent(parent, share(typed, "parent_share")),) if parent else ()
    values = {
        "shape": number(typed, "shape"),
        "years": number(typed, "years"),
        "low": amount(typed, "low"),
        "high": amount(typed, "high"),
        "appetite": amount(typed, "appetite", 0.0),
        "appetite_share": share(typed, "appetite_share", 0.05),
    }
    lists = {"rules": words(typed, "rules"), "places": words(typed, "places"), "assets": words(typed, "assets")}
    if before is None:
        made = Scenario(uid=typed.get("uid", "").strip(), **text, **values, **lists)  # type: ignore[arg-type]
        return replace(made, parents=parents, counted_since=day(typed, "counted_since"))
    kept = before.parents[1:] if before.parents else ()
    more = {"parents": (*parents, *kept), "counted_since": day(typed, "counted_since"), "example": typed.get("example") == "yes"}
    return replace(before, **text, **values, **lists, **more)  # type: ignore[arg-type]


def safeguard_of_form(typed: Typed, before: Safeguard | None = None) -> Safeguard:
    """Return a safeguard as a form says it.

    Raises:
        InputError: a field is not as it must be.
    """
    try:
        standing = Standing(typed.get("standing", "candidate"))
    except ValueError as error:
        raise InputError("standing: in place, approved, candidate or dropped", "standing") from error
    protects = []
    for row in range(MOST_ROWS):
        name = typed.get(f"scenario-{row}", "").strip()
        if name:
            ends = [share(typed, f"{field}-{row}", 0.0) for field in ("frequency-low", "frequency-high", "loss-low", "loss-high")]
            protects.append(Protection(name, (ends[0], ends[1]), (ends[2], ends[3])))
    values = {
        "title": typed.get("title", "").strip(),
        "domain": typed.get("domain", "joint"),
        "note": typed.get("note", "").strip(),
        "protects": tuple(protects),
        "standing": standing,
        "coverage": share(typed, "coverage", 1.0),
        "reliability": share(typed, "reliability", 0.8),
        "controls": words(typed, "controls"),
        "since": day(typed, "since"),
        "build": amount(typed, "build", 0.0),
        "run": amount(typed, "run", 0.0),
        "people_days": number(typed, "people_days", 0.0),
        "requires": words(typed, "requires"),
        "sources": words(typed, "sources"),
    }
    if before is None:
        return Safeguard(uid=typed.get("uid", "").strip(), **values)  # type: ignore[arg-type]
    return replace(before, **values, example=typed.get("example") == "yes")  # type: ignore[arg-type]
