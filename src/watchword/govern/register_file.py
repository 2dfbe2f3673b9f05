"""The register as people write it and as it is kept: scenarios and safeguards from YAML or JSON, every fault at its line."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import date
from enum import StrEnum
from importlib.resources import files as package_files
from typing import Any, Final, TypeVar

from watchword.govern.register_check import check_safeguard, check_scenario
from watchword.govern.scenario import Parent, Protection, Safeguard, Scenario, Standing
from watchword.kit.errors import ContentError, Fault, InputError
from watchword.kit.marked import Marked, read_marked

SHIPPED: Final = "content/risks.yaml"
_Made = TypeVar("_Made", Scenario, Safeguard)


@dataclass(frozen=True, slots=True)
class RegisterFile:
    """What a file of the register holds."""

    scenarios: tuple[Scenario, ...]
    safeguards: tuple[Safeguard, ...]


def shipped_register() -> RegisterFile:
    """Return the starter register: examples, to be replaced by the house's own numbers."""
    return read_register((package_files("watchword") / SHIPPED).read_text(encoding="utf-8"), SHIPPED)


def read_register(text: str, path: str) -> RegisterFile:
    """Read a register from YAML.

    Raises:
        ContentError: with every fault and its line.
    """
    document = read_marked(text, path)
    if not isinstance(document.value, dict) or not isinstance(document.value.get("scenarios"), list):
        raise ContentError([document.fault("lacks a list 'scenarios'", remedy="write scenarios: and a list below it")])
    faults: list[Fault] = []
    scenarios = _read(document, "scenarios", scenario_of, faults)
    safeguards = _read(document, "safeguards", safeguard_of, faults)
    names = [each.uid for each in scenarios.values()]
    for index, scenario in scenarios.items():
        try:
            check_scenario(scenario, scenarios.values())
        except InputError as error:
            faults.append(_fault(error, document, "scenarios", index))
    for index, safeguard in safeguards.items():
        try:
            check_safeguard(safeguard, names, safeguards.values())
        except InputError as error:
            faults.append(_fault(error, document, "safeguards", index))
    for kind, found in (("scenarios", names), ("safeguards", [each.uid for each in safeguards.values()])):
        if twice := sorted({uid for uid in found if found.count(uid) > 1}):
            faults.append(document.fault(f"{twice[0]!r} stands there twice", kind, remedy="give one of them another uid"))
    if faults:
        raise ContentError(faults)
    return RegisterFile(tuple(scenarios.values()), tuple(safeguards.values()))


def _read(document: Marked, kind: str, make: Callable[[Mapping[str, Any]], _Made], faults: list[Fault]) -> dict[int, _Made]:
    found: dict[int, _Made] = {}
    for index, row in enumerate(document.value.get(kind) or []):
        if not isinstance(row, dict):
            faults.append(document.fault("is no mapping", kind, index, remedy="write uid: NAME and what it is below it"))
            continue
        try:
            found[index] = make(row)
        except InputError as error:
            faults.append(_fault(error, document, kind, index))
    return found


def _fault(error: InputError, document: Marked, kind: str, index: int) -> Fault:
    return document.fault(str(error), kind, index, *([error.field] if error.field else []))


def as_plain(thing: Scenario | Safeguard) -> dict[str, Any]:
    """Return a scenario or safeguard as plain JSON values: what is kept and exported."""

    def plain(value: object) -> object:
        if isinstance(value, date):
            return value.isoformat()
        if isinstance(value, Mapping):
            return {key: plain(each) for key, each in value.items()}
        if isinstance(value, tuple | list):
            return [plain(each) for each in value]
        return value.value if isinstance(value, StrEnum) else value

    return {key: plain(value) for key, value in asdict(thing).items()}


def scenario_of(plain: Mapping[str, Any]) -> Scenario:
    """Return a scenario from plain values.

    Raises:
        InputError: a value is missing or of the wrong kind.
    """
    values = dict(plain)
    values["parents"] = tuple(Parent(**each) for each in _list(values, "parents", dict))
    for field in ("places", "assets", "rules"):
        values[field] = tuple(_list(values, field, str))
    values["counted_since"] = _date(values.get("counted_since"), "counted_since")
    for field in ("shape", "years", "low", "high", "appetite", "appetite_share", "weight"):
        _number(values, field)
    return _made(Scenario, values)


def safeguard_of(plain: Mapping[str, Any]) -> Safeguard:
    """Return a safeguard from plain values.

    Raises:
        InputError: a value is missing or of the wrong kind.
    """
    values = dict(plain)
    values["protects"] = tuple(_protection(each) for each in _list(values, "protects", dict))
    for field in ("controls", "requires", "sources"):
        values[field] = tuple(_list(values, field, str))
    values["since"] = _date(values.get("since"), "since")
    try:
        values["standing"] = Standing(values.get("standing", "candidate"))
    except ValueError as error:
        raise InputError("a safeguard is: in place, approved, candidate or dropped", "standing") from error
    for field in ("coverage", "reliability", "build", "run", "people_days"):
        _number(values, field)
    return _made(Safeguard, values)


def _protection(plain: Mapping[str, Any]) -> Protection:
    def pair(value: object) -> tuple[float, float]:
        ends = [float(each) for each in value] if isinstance(value, list | tuple) else []
        if len(ends) != 2:
            raise InputError("an effect is an interval of two shares, such as [0.3, 0.6]", "protects")
        return ends[0], ends[1]

    effects = {key: pair(plain[key]) for key in ("frequency", "loss") if key in plain}
    return Protection(str(plain.get("scenario", "")), **effects)


def _list(values: Mapping[str, Any], field: str, kind: type) -> list[Any]:
    found = values.get(field) or []
    if not isinstance(found, list | tuple) or not all(isinstance(each, kind) for each in found):
        raise InputError(f"{field} is a list", field)
    return list(found)


def _number(values: dict[str, Any], field: str) -> None:
    if field in values:
        if isinstance(values[field], bool) or not isinstance(values[field], int | float):
            raise InputError(f"{field} is a number", field)
        values[field] = float(values[field])


def _date(value: object, field: str) -> date | None:
    if value is None or isinstance(value, date):
        return value
    try:
        return date.fromisoformat(str(value))
    except ValueError as error:
        raise InputError(f"{field} is a day such as 2026-01-31", field) from error


def _made(kind: type[_Made], values: Mapping[str, Any]) -> _Made:
    try:
        return kind(**values)
    except TypeError as error:
        raise InputError(f"a {kind.__name__.lower()} is not written so: {str(error).partition('__init__() ')[2]}") from error
