"""The policy file: escalation policies as people write them, read with every fault at its line."""

from datetime import time, timedelta
from importlib.resources import files as package_files
from typing import Any, Final
from zoneinfo import available_timezones

from watchword.kit.duration import read_duration
from watchword.kit.errors import ContentError, Fault, InputError
from watchword.kit.marked import Marked, read_marked
from watchword.respond.escalation import Kind, OpenHours, Policy, Step, fault_of

SHIPPED: Final = "content/escalations.yaml"
DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
SEVERITIES: Final = (1, 2, 3, 4)
_KEYS: Final = frozenset({"name", "severities", "kinds", "both_teams", "engage_within", "steps"})


def shipped_policies() -> dict[int, Policy]:
    """Return the policies that come with Watchword, by severity."""
    return read_policies((package_files("watchword") / SHIPPED).read_text(encoding="utf-8"), SHIPPED)


def read_policies(text: str, path: str) -> dict[int, Policy]:
    """Return severity → its policy; all four severities have exactly one.

    Raises:
        ContentError: with every fault and its line.
    """
    document = read_marked(text, path)
    rows = document.value.get("policies") if isinstance(document.value, dict) else None
    if not isinstance(rows, list):
        raise ContentError([document.fault("lacks a list 'policies'", remedy="write policies: and a list below it")])
    faults: list[Fault] = []
    found: dict[int, Policy] = {}
    for index, row in enumerate(rows):
        policy = _policy(document, row, index, faults)
        if policy is None:
            continue
        faults += [document.fault(f"policy {policy.name!r} {words}", "policies", index) for words in fault_of(policy)]
        for severity in sorted(policy.severities):
            if severity in found:
                faults.append(document.fault(f"severity {severity} has policy {found[severity].name!r} already", "policies", index))
            found.setdefault(severity, policy)
    missing = [each for each in SEVERITIES if each not in found]
    if missing and not faults:
        faults.append(document.fault(f"no policy is for severity {', '.join(map(str, missing))}", "policies", remedy="add it to one"))
    if faults:
        raise ContentError(faults)
    return found


def _policy(document: Marked, row: Any, index: int, faults: list[Fault]) -> Policy | None:
    at = ("policies", index)
    before = len(faults)
    if not isinstance(row, dict) or not isinstance(row.get("steps"), list) or not row.get("name"):
        faults.append(document.fault("a policy has a name and a list of steps", *at))
        return None
    faults += [document.fault(f"unknown key {key!r}", *at, key, remedy="remove it") for key in row if key not in _KEYS]
    severities = row.get("severities")
    if not isinstance(severities, list) or not severities or any(each not in SEVERITIES or isinstance(each, bool) for each in severities):
        faults.append(document.fault("severities is a list of 1 to 4", *at, "severities"))
        severities = []
    kinds, both = row.get("kinds", 1), row.get("both_teams", False)
    if not isinstance(kinds, int) or isinstance(kinds, bool):
        faults.append(document.fault("kinds is 1 to 3", *at, "kinds"))
    if not isinstance(both, bool):
        faults.append(document.fault("both_teams is true or false", *at, "both_teams"))
    engage = _duration(document, row.get("engage_within", "30m"), (*at, "engage_within"), faults)
    steps = tuple(step for number, each in enumerate(row["steps"]) if (step := _step(document, each, (*at, "steps", number), faults)))
    if len(faults) > before:
        return None
    return Policy(str(row["name"]), frozenset(severities), steps, kinds, both, engage)


def _duration(document: Marked, value: Any, at: tuple[str | int, ...], faults: list[Fault]) -> timedelta:
    try:
        return read_duration(str(value))
    except InputError as error:
        faults.append(document.fault(str(error), *at))
        return timedelta(minutes=1)


def _step(document: Marked, value: Any, at: tuple[str | int, ...], faults: list[Fault]) -> Step | None:
    if not isinstance(value, dict) or len(value) != 1 or next(iter(value)) not in set(Kind):
        faults.append(document.fault("a step is one of " + ", ".join(Kind), *at, remedy="write it as in - wait: 5m"))
        return None
    ((word, said),) = value.items()
    kind = Kind(word)
    if kind is Kind.WAIT:
        return Step(kind, wait=_duration(document, said, (*at, word), faults))
    if kind is Kind.REPEAT:
        if not isinstance(said, int) or isinstance(said, bool):
            faults.append(document.fault("repeat takes a number of times", *at))
            said = 1
        return Step(kind, times=said)
    if kind in {Kind.THRESHOLD, Kind.BUSINESS_HOURS}:
        return (_threshold if kind is Kind.THRESHOLD else _hours)(document, said, at, faults)
    names = [said] if isinstance(said, str) else said
    if not isinstance(names, list) or not names or not all(isinstance(each, str) and each.strip() for each in names):
        faults.append(document.fault(f"{word} takes a name or a list of names", *at))
        return None
    return Step(kind, names=tuple(names))


def _threshold(document: Marked, said: Any, at: tuple[str | int, ...], faults: list[Fault]) -> Step | None:
    if (
        not isinstance(said, dict)
        or set(said) != {"more_than", "within"}
        or not isinstance(said["more_than"], int)
        or said["more_than"] < 1
    ):
        faults.append(document.fault("threshold takes more_than (a number above 0) and within (a duration)", *at))
        return None
    within = _duration(document, said["within"], (*at, "threshold", "within"), faults)
    return Step(Kind.THRESHOLD, more_than=said["more_than"], within=within)


def _hours(document: Marked, said: Any, at: tuple[str | int, ...], faults: list[Fault]) -> Step | None:
    try:
        since, until = time.fromisoformat(str(said["since"])), time.fromisoformat(str(said["until"]))
        days = frozenset(DAYS.index(each) for each in said.get("days", DAYS[:5]))
        right = said["zone"] in available_timezones() and since < until and bool(days)
    except (AttributeError, KeyError, TypeError, ValueError):
        right = False
    if not right:
        remedy = "write zone: Europe/Berlin, since: '08:00', until: '18:00', days: [mon, tue]"
        faults.append(document.fault("business_hours takes zone, since, until and, if need be, days", *at, remedy=remedy))
        return None
    return Step(Kind.BUSINESS_HOURS, hours=OpenHours(said["zone"], since, until, days))
