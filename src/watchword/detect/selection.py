"""Selections: what a rule file says of the events that concern it, compiled once to a predicate over `Event`."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import IntEnum
from typing import Any

from watchword.detect.detector import Rule
from watchword.detect.setting import fault_of, parse_duration, refuse
from watchword.kit.errors import ContentError, Fault
from watchword.model import Event, PlaceKind
from watchword.model.field import ROLES, path_of
from watchword.model.ocsf import Access, Authentication, BuildingControl, EventClass, Health, Logon, Video, Visit
from watchword.resolve.directory import Directory

Test = Callable[[Event], bool]
Getter = Callable[[Event], Any]
Path = tuple[str | int, ...]

ACTIVITIES: dict[int, type[IntEnum]] = {
    EventClass.PHYSICAL_ACCESS: Access,
    EventClass.VIDEO_ANALYTIC: Video,
    EventClass.DEVICE_HEALTH: Health,
    EventClass.VISITOR: Visit,
    EventClass.BUILDING_CONTROL: BuildingControl,
    EventClass.AUTHENTICATION: Authentication,
}
"""The activities that may be written by name, by class; others are written as numbers."""
_ATTRIBUTES = ("person", "asset", "place", "credential", "source", "src_ip", "dst_ip", "record", "site")
_REMOTE = (str(int(Logon.REMOTE_INTERACTIVE)), str(int(Logon.NETWORK)))


@dataclass(frozen=True, slots=True)
class Selection:
    """A named selection of a rule."""

    name: str
    classes: frozenset[int]
    """Classes that can match; never empty."""
    matches: Test


def zone_of(event: Event, directory: Directory) -> str:
    """Return the zone that an event concerns: the one being entered, else where the place or the asset stands; else empty."""
    entered = event.data.get("ww_zone")
    if isinstance(entered, Mapping) and entered.get("uid"):
        return str(entered["uid"])
    if event.place:
        door = directory.door(event.place)
        if door is not None:
            return door.to_zone
        place = directory.place(event.place)
        if place is not None and place.kind is not PlaceKind.ZONE and event.asset:
            asset = directory.asset(event.asset)
            return asset.place if asset is not None and asset.place else event.place
        return event.place
    asset = directory.asset(event.asset) if event.asset else None
    return asset.place if asset is not None else ""


def site_of(event: Event, directory: Directory) -> str:
    """Return the site that an event concerns: its place's, else its asset's; else empty."""
    return event.site or zone_of(event, directory).partition("/")[0]


def is_remote(event: Event) -> bool:
    """Tell whether a log-on came over the network, as far as its record says."""
    if event.data.get("is_remote") is True:
        return True
    kind = event.data.get("logon_type_id")
    return kind is not None and str(kind) in _REMOTE


def getter_of(name: str) -> Getter:
    """Return the function that reads a role, an OCSF path or an attribute of an event; None where it is missing."""
    if name in _ATTRIBUTES:
        return lambda event: getattr(event, name) or None
    steps = path_of(name).split(".")
    if len(steps) == 1:
        only = steps[0]
        return lambda event: event.data.get(only)
    if len(steps) == 2:
        first, second = steps

        def read_two(event: Event) -> Any:
            outer = event.data.get(first)
            return outer.get(second) if isinstance(outer, Mapping) else None

        return read_two

    def read(event: Event) -> Any:
        found: Any = event.data
        for step in steps:
            if not isinstance(found, Mapping):
                return None
            found = found.get(step)
        return found

    return read


def plain(value: Any) -> str:
    """Return a value as comparisons see it: text in lower case, numbers and truth values as text."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value).lower()


def _values(found: Any) -> Sequence[Any]:
    return found if isinstance(found, list | tuple) else (found,)


def _compare(word: str, wanted: Any) -> Callable[[Any], bool]:
    if word in {"gt", "gte", "lt", "lte"}:
        limit = float(wanted)

        def ordered(value: Any) -> bool:
            try:
                number = float(value)
            except (TypeError, ValueError):
                return False
            return {"gt": number > limit, "gte": number >= limit, "lt": number < limit, "lte": number <= limit}[word]

        return ordered
    if word == "matches":
        pattern = re.compile(str(wanted))
        return lambda value: pattern.search(str(value)) is not None
    texts = tuple(plain(item) for item in _values(wanted))
    if word == "contains":
        return lambda value: any(text in plain(value) for text in texts)
    if word == "startswith":
        return lambda value: plain(value).startswith(texts)
    if word == "endswith":
        return lambda value: plain(value).endswith(texts)
    if word == "is":
        return lambda value: plain(value) in texts
    raise ValueError(f"{word!r} is no comparison: is, not, contains, startswith, endswith, matches, gt, gte, lt, lte, exists")


def _field_test(name: str, wanted: Any) -> Test:
    get = getter_of(name)
    if isinstance(wanted, Mapping):
        tests: list[Test] = []
        for word, value in wanted.items():
            if word == "exists":
                tests.append(_existence(get, wanted=bool(value)))
            elif word == "not":
                tests.append(_negate(_equality(get, value)))
            else:
                tests.append(_comparison(get, _compare(str(word), value)))
        return _every(tests)
    return _equality(get, wanted)


def _existence(get: Getter, *, wanted: bool) -> Test:
    return lambda event: (get(event) is not None) is wanted


def _negate(test: Test) -> Test:
    return lambda event: not test(event)


def _comparison(get: Getter, compare: Callable[[Any], bool]) -> Test:
    def test(event: Event) -> bool:
        found = get(event)
        return found is not None and any(compare(value) for value in _values(found))

    return test


def _equality(get: Getter, wanted: Any) -> Test:
    texts = frozenset(plain(item) for item in _values(wanted))

    def test(event: Event) -> bool:
        found = get(event)
        return found is not None and any(plain(value) in texts for value in _values(found))

    return test


def _every(tests: Sequence[Test]) -> Test:
    if len(tests) == 1:
        return tests[0]
    if len(tests) == 2:
        first, second = tests
        return lambda event: first(event) and second(event)
    many = tuple(tests)

    def every(event: Event) -> bool:
        for test in many:  # noqa: SIM110 - a generator costs as much as the test
            if not test(event):
                return False
        return True

    return every


def _any(tests: Sequence[Test]) -> Test:
    return tests[0] if len(tests) == 1 else lambda event: any(test(event) for test in tests)


def _fact_test(name: str, wanted: Any, directory: Directory) -> Test | None:
    """Return the test of a fact that the directory knows of an event's person, asset or place; None when the name is none."""
    make = _FACTS.get(name)
    return make(wanted, directory) if make is not None else None


def _texts(wanted: Any) -> frozenset[str]:
    return frozenset(plain(item) for item in _values(wanted))


def _has(wanted: Any, _: Directory) -> Test:
    getters = [getter_of(str(item)) for item in _values(wanted)]
    return lambda event: all(get(event) is not None for get in getters)


def _person_fact(attribute: str) -> "MakeTest":
    def make(wanted: Any, directory: Directory) -> Test:
        texts = _texts(wanted)
        return lambda event: (person := directory.person(event.person)) is not None and plain(getattr(person, attribute)) in texts

    return make


def _asset_fact(attribute: str) -> "MakeTest":
    def make(wanted: Any, directory: Directory) -> Test:
        texts = _texts(wanted)
        return lambda event: (asset := directory.asset(event.asset)) is not None and plain(getattr(asset, attribute)) in texts

    return make


def _person_active(wanted: Any, directory: Directory) -> Test:
    return lambda event: (person := directory.person(event.person)) is not None and person.active(event.time) is wanted


def _zone_kind(wanted: Any, directory: Directory) -> Test:
    texts = _texts(wanted)

    def test(event: Event) -> bool:
        place = directory.place(zone_of(event, directory))
        return place is not None and place.zone_kind is not None and place.zone_kind.value in texts

    return test


def _remote(wanted: Any, _: Directory) -> Test:
    return lambda event: is_remote(event) is wanted


def _calendar(*, inside: bool) -> "MakeTest":
    def make(wanted: Any, directory: Directory) -> Test:
        calendars = tuple(str(item) for item in _values(wanted))
        return lambda event: any(directory.on_calendar(calendar, event.time) for calendar in calendars) is inside

    return make


def _left(wanted: Any, directory: Directory) -> Test:
    return _left_for(parse_duration(wanted), directory)


def _left_for(least: timedelta, directory: Directory) -> Test:
    def test(event: Event) -> bool:
        person = directory.person(event.person)
        if person is None or person.active(event.time):
            return False
        return person.until is None or event.time - person.until >= least

    return test


def _new_within(wanted: Any, directory: Directory) -> Test:
    fresh = parse_duration(wanted)

    def test(event: Event) -> bool:
        person = directory.person(event.person)
        return person is not None and person.since is not None and person.since <= event.time < person.since + fresh

    return test


def _known_device(wanted: Any, directory: Directory) -> Test:
    """Compare whether the device that an event reports by MAC address is an asset; one without an address is unknown."""
    readers = [getter_of(name) for name in ("src_mac", "mac")]

    def test(event: Event) -> bool:
        addresses = [str(found) for read in readers if (found := read(event)) is not None]
        return any(directory.asset_at(address, event.time) is not None for address in addresses) is wanted

    return test


MakeTest = Callable[[Any, Directory], Test]
_FACTS: dict[str, MakeTest] = {
    "has": _has,
    "person_kind": _person_fact("kind"),
    "person_role": _person_fact("role"),
    "person_active": _person_active,
    "left_for": _left,
    "new_within": _new_within,
    "known_device": _known_device,
    "asset_kind": _asset_fact("kind"),
    "asset_shared": _asset_fact("shared"),
    "zone_kind": _zone_kind,
    "remote": _remote,
    "outside": _calendar(inside=False),
    "during": _calendar(inside=True),
}
"""What a selection may ask of an event's person, asset, place or time, beside its roles."""


def _classes(spec: Mapping[str, Any], where: Path, rule: Rule, faults: list[Fault]) -> frozenset[int]:
    found: set[int] = set()
    wanted = spec.get("class")
    for name in _values(wanted) if wanted is not None else ():
        if isinstance(name, int):
            found.add(name)
        elif isinstance(name, str) and name.upper() in EventClass.__members__:
            found.add(int(EventClass[name.upper()]))
        else:
            faults.append(fault_of(rule, f"{name!r} is no event class", *where, "class", remedy="see docs/reference/event-schema.md"))
    if not found and not faults:
        faults.append(fault_of(rule, "a selection must name its class", *where, remedy="add class: physical_access or another"))
    return frozenset(found)


def _types(spec: Mapping[str, Any], classes: frozenset[int], where: Path, rule: Rule, faults: list[Fault]) -> frozenset[tuple[int, int]]:
    pairs: set[tuple[int, int]] = set()
    for name in _values(spec.get("activity", ())):
        known = False
        for number in classes:
            if isinstance(name, int):
                pairs.add((number, name))
                known = True
            elif (names := ACTIVITIES.get(number)) is not None and str(name).upper() in names.__members__:
                pairs.add((number, int(names[str(name).upper()])))
                known = True
        if not known:
            faults.append(
                fault_of(rule, f"{name!r} is no activity of these classes", *where, "activity", remedy="write its name or number")
            )
    return frozenset(pairs)


def _type_test(classes: frozenset[int], types: frozenset[tuple[int, int]]) -> Test:
    if not types:
        return lambda event: event.class_uid in classes
    activities = {number: frozenset(activity for one, activity in types if one == number) for number in {one for one, _ in types}}
    if len(activities) == 1:
        [(only, wanted)] = activities.items()
        return lambda event: event.class_uid == only and event.activity_id in wanted
    return lambda event: event.activity_id in activities.get(event.class_uid, ())


def _one(spec: Any, where: Path, rule: Rule, directory: Directory, faults: list[Fault]) -> tuple[frozenset[int], Test]:
    if not isinstance(spec, Mapping):
        faults.append(fault_of(rule, "a selection is a mapping of names to values", *where))
        return frozenset(), lambda _: False
    classes = _classes(spec, where, rule, faults)
    types = _types(spec, classes, where, rule, faults)
    tests: list[Test] = [_type_test(classes, types)]
    for name, wanted in spec.items():
        if name in {"class", "activity"}:
            continue
        try:
            if name == "not":
                _, inner = _inner(wanted, (*where, "not"), rule, directory, faults)
                tests.append(_negate(inner))
                continue
            fact = _fact_test(name, wanted, directory)
            if fact is None and name not in ROLES and name not in _ATTRIBUTES and "." not in name and not name.startswith("ww_"):
                faults.append(fault_of(rule, f"{name!r} is neither a role nor a fact", *where, name, remedy="see docs/reference/roles.md"))
                continue
            tests.append(fact or _field_test(name, wanted))
        except (ValueError, re.error) as error:
            faults.append(fault_of(rule, f"{name}: {error}", *where, name))
    return classes, _every(tests)


def _inner(spec: Any, where: Path, rule: Rule, directory: Directory, faults: list[Fault]) -> tuple[frozenset[int], Test]:
    """Compile what stands below ``not``: the class is that of the selection around it."""
    tests: list[Test] = []
    for position, item in enumerate(_values(spec)):
        if not isinstance(item, Mapping):
            faults.append(fault_of(rule, "not: a mapping, or a list of mappings, is expected", *where, position))
            continue
        tests.append(_every([_fact_test(name, wanted, directory) or _field_test(name, wanted) for name, wanted in item.items()]))
    return frozenset(), _any(tests) if tests else (lambda _: False)


def compile_selection(rule: Rule, name: str, directory: Directory) -> Selection:
    """Compile one named selection of a rule. A list of mappings matches where any of them does.

    Raises:
        ContentError: with every fault of the selection.
    """
    if name not in rule.select:
        raise refuse(rule, f"there is no selection {name!r}", "select", remedy="name it below select")
    spec = rule.select[name]
    faults: list[Fault] = []
    listed = isinstance(spec, list)
    parts = [
        _one(item, ("select", name, index) if listed else ("select", name), rule, directory, faults)
        for index, item in enumerate(spec if listed else [spec])
    ]
    if faults or not parts:
        raise ContentError(faults or [fault_of(rule, "the selection is empty", "select", name)])
    return Selection(name, frozenset().union(*(classes for classes, _ in parts)), _any([test for _, test in parts]))


def compile_selections(rule: Rule, directory: Directory) -> dict[str, Selection]:
    """Compile every selection of a rule, by name.

    Raises:
        ContentError: with the faults of all of them.
    """
    found: dict[str, Selection] = {}
    faults: list[Fault] = []
    for name in rule.select:
        try:
            found[name] = compile_selection(rule, name, directory)
        except ContentError as error:
            faults.extend(error.faults)
    if faults:
        raise ContentError(faults)
    return found
