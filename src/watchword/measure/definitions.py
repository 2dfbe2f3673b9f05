"""Definitions of measures as people write them: content/measures.yaml, read with every fault at its line."""

from collections.abc import Mapping
from datetime import timedelta
from functools import cache
from importlib.resources import files as package_files
from typing import Any, Final

from watchword.kit.duration import read_duration
from watchword.kit.errors import ContentError, Fault, InputError, NotFound
from watchword.kit.marked import Marked, read_marked
from watchword.model.metric import Better, MeasureClass, MeasureDomain, MetricDefinition

SHIPPED: Final = "content/measures.yaml"
MODES: Final = ("regressional", "extremal", "causal", "adversarial")
"""The four ways in which a measure that is aimed at stops measuring (Manheim & Garrabrant 2018)."""
_NEEDED: Final = ("name", "title", "class", "domain", "unit", "better", "window", "formula", "owner_it", "owner_physical", "because")
_KEYS: Final = frozenset({*_NEEDED, "version", "counter", "min_n", "ttl", "weaknesses", "level"})


@cache
def shipped_definitions() -> Mapping[str, MetricDefinition]:
    """Return the definitions that come with Watchword, by name."""
    return read_definitions((package_files("watchword") / SHIPPED).read_text(encoding="utf-8"), SHIPPED)


def definition(name: str) -> MetricDefinition:
    """Return a shipped definition.

    Raises:
        NotFound: there is none of this name.
    """
    try:
        return shipped_definitions()[name]
    except KeyError:
        raise NotFound(f"there is no measure {name!r} (watchword metrics list shows those that are)") from None


def read_definitions(text: str, path: str) -> dict[str, MetricDefinition]:
    """Return the definitions of a file, by name, in the file's order.

    Raises:
        ContentError: with every fault and its line.
    """
    document = read_marked(text, path)
    rows = document.value.get("measures") if isinstance(document.value, dict) else None
    if not isinstance(rows, list):
        raise ContentError([document.fault("lacks a list 'measures'", remedy="write measures: and a list below it")])
    faults: list[Fault] = []
    found: dict[str, MetricDefinition] = {}
    for index, row in enumerate(rows):
        read = _read(document, row, index, faults)
        if read is None:
            continue
        if read.name in found:
            faults.append(document.fault(f"the name {read.name!r} is taken", "measures", index, "name", remedy="give it another"))
        found[read.name] = read
    for index, row in enumerate(rows):
        counter = row.get("counter", "") if isinstance(row, dict) else ""
        if counter and counter not in found:
            faults.append(document.fault(f"the counter-metric {counter!r} is not defined", "measures", index, "counter"))
        elif counter and counter == row.get("name"):
            faults.append(document.fault("a measure cannot be its own counter-metric", "measures", index, "counter"))
    if faults:
        raise ContentError(faults)
    return found


def _read(document: Marked, row: Any, index: int, faults: list[Fault]) -> MetricDefinition | None:
    at = ("measures", index)
    before = len(faults)
    if not isinstance(row, dict):
        faults.append(document.fault("a measure is a mapping", *at))
        return None
    faults += [document.fault(f"unknown key {key!r}", *at, key, remedy="remove it") for key in row if key not in _KEYS]
    faults += [document.fault(f"lacks {key!r}", *at, remedy=f"add {key}") for key in _NEEDED if not row.get(key)]
    if len(faults) > before:
        return None
    measure_class = _choice(document, row, "class", {each.value: each for each in MeasureClass}, at, faults)
    domain = _choice(document, row, "domain", {each.value: each for each in MeasureDomain}, at, faults)
    better = _choice(document, row, "better", {each.value: each for each in Better}, at, faults)
    window = _length(document, row["window"], (*at, "window"), faults)
    ttl = _length(document, row.get("ttl", "26h"), (*at, "ttl"), faults)
    version = _whole(document, row, "version", 1, 1, at, faults)
    min_n = _whole(document, row, "min_n", 20, 0, at, faults)
    level = row.get("level", 0.95)
    if not isinstance(level, float) or not 0 < level < 1:
        faults.append(document.fault("level is a number between 0 and 1, such as 0.9", *at, "level"))
    if str(row["formula"]).count(".") != 1:
        faults.append(document.fault("formula is module.function in watchword.measure", *at, "formula"))
    weaknesses = _weaknesses(document, row, at, faults)
    if len(faults) > before or measure_class is None or domain is None or better is None:
        return None
    return MetricDefinition(
        name=str(row["name"]),
        version=version,
        title=str(row["title"]),
        measure_class=measure_class,
        domain=domain,
        unit=str(row["unit"]),
        better=better,
        window=window,
        formula=str(row["formula"]),
        owner_it=str(row["owner_it"]),
        owner_physical=str(row["owner_physical"]),
        counter=str(row.get("counter", "")),
        min_n=min_n,
        ttl=ttl,
        because=" ".join(str(row["because"]).split()),
        weaknesses=weaknesses,
        level=level,
    )


def _choice(
    document: Marked, row: Mapping[str, Any], key: str, choices: Mapping[str, Any], at: tuple[str | int, ...], faults: list[Fault]
) -> Any:
    value = choices.get(row[key]) if isinstance(row[key], str) else None
    if value is None:
        faults.append(document.fault(f"{key} is one of {', '.join(choices)}", *at, key))
    return value


def _length(document: Marked, value: Any, at: tuple[str | int, ...], faults: list[Fault]) -> timedelta:
    try:
        length = read_duration(str(value))
    except InputError as error:
        faults.append(document.fault(str(error), *at))
        return timedelta(days=1)
    if length <= timedelta():
        faults.append(document.fault("must be longer than nothing", *at))
    return length


def _whole(
    document: Marked, row: Mapping[str, Any], key: str, default: int, least: int, at: tuple[str | int, ...], faults: list[Fault]
) -> int:
    value = row.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        faults.append(document.fault(f"{key} is a whole number from {least}", *at, key))
        return default
    return value


def _weaknesses(document: Marked, row: Mapping[str, Any], at: tuple[str | int, ...], faults: list[Fault]) -> tuple[str, ...]:
    """Return the checklist in the order of the four modes, each beginning with its name."""
    said = row.get("weaknesses", {})
    if not isinstance(said, dict) or not all(isinstance(text, str) for text in said.values()):
        faults.append(document.fault("weaknesses maps each of " + ", ".join(MODES) + " to a sentence", *at, "weaknesses"))
        return ()
    faults += [
        document.fault(f"unknown mode {mode!r}", *at, "weaknesses", mode, remedy="one of " + ", ".join(MODES))
        for mode in said
        if mode not in MODES
    ]
    faults += [
        document.fault(f"weaknesses lack {mode!r}", *at, remedy="say how it could mislead, or 'None known.'")
        for mode in MODES
        if mode not in said
    ]
    return tuple(f"{mode}: {' '.join(said[mode].split())}" for mode in MODES if mode in said)
