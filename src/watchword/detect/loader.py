"""Loading: rule files in, rules and detectors out, every fault with its path and line, all at once."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.metadata import EntryPoint, entry_points
from importlib.resources import files as package_files
from typing import Any, TypeVar

from watchword.detect.detector import Detector, Rule
from watchword.kit.errors import ContentError, Fault
from watchword.kit.marked import Marked, read_marked
from watchword.model import Mode, SourceKind
from watchword.model.ocsf import Severity
from watchword.resolve.directory import Directory

T = TypeVar("T")
Factory = Callable[[Rule, Directory], Detector]
GROUP = "watchword.detector"

BUILT_IN = {
    "absence": "watchword.detect.absence:absence",
    "before_first_badge": "watchword.detect.first_seen:before_first_badge",
    "bulk_elsewhere": "watchword.detect.bulk:bulk_elsewhere",
    "count": "watchword.detect.count:count",
    "owner_absent": "watchword.detect.presence_rules:owner_absent",
    "pass_back": "watchword.detect.passback:pass_back",
    "remote_while_present": "watchword.detect.presence_rules:remote_while_present",
    "sequence": "watchword.detect.sequence:sequence",
    "sign_in_travel": "watchword.detect.travel_rules:sign_in_travel",
    "silence": "watchword.detect.silence:silence",
    "single": "watchword.detect.single:single",
    "unlock": "watchword.detect.unlock:unlock",
    "view": "watchword.detect.view:view",
    "two_readers": "watchword.detect.travel_rules:two_readers",
    "two_sites": "watchword.detect.travel_rules:two_sites",
}
"""Our own operators, by the same door as a stranger's: name → ``module:function``, loaded when a rule names it."""

LEVELS = {
    "informational": Severity.INFO,
    "info": Severity.INFO,
    "low": Severity.LOW,
    "medium": Severity.MEDIUM,
    "high": Severity.HIGH,
    "critical": Severity.CRITICAL,
}
"""Sigma's level → OCSF severity."""
_KEYS = frozenset(
    {"id", "name", "title", "status", "version", "level", "mode", "confidence", "tags", "needs", "description", "operator"}
    | {"select", "settings", "because", "falsepositives", "author", "references", "date"}
)
_NEEDED = ("id", "title", "level", "operator", "because")
_ATTACK = re.compile(r"attack\.(t\d{4}(?:\.\d{3})?)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Loaded:
    """The detectors that were built, and what went wrong with plug-ins (which stops nothing else)."""

    detectors: tuple[Detector, ...]
    broken: tuple[Fault, ...] = field(default=())


def shipped_rules() -> list[tuple[str, str]]:
    """Return the rule files that come with Watchword as (path, text), by name."""
    folder = package_files("watchword") / "content" / "rules"
    return [
        (f"content/rules/{item.name}", item.read_text(encoding="utf-8"))
        for item in sorted(folder.iterdir(), key=lambda item: item.name)
        if item.name.endswith(".yaml")
    ]


def load_rules(files: Iterable[tuple[str, str]], overrides: Mapping[str, Mapping[str, Any]] | None = None) -> list[Rule]:
    """Read rule files.

    Args:
        files: (path, text) of each.
        overrides: By rule id, what the configuration sets otherwise: ``enabled``, ``level``, ``mode``, ``confidence``, ``settings``.

    Raises:
        ContentError: with every fault of every file and of the overrides.
    """
    rules: list[Rule] = []
    faults: list[Fault] = []
    seen: dict[str, str] = {}
    for path, text in files:
        try:
            document = read_marked(text, path)
            rule = _read_rule(document)
        except ContentError as error:
            faults.extend(error.faults)
            continue
        if rule.id in seen:
            faults.append(document.fault(f"the id {rule.id!r} is taken by {seen[rule.id]}", "id", remedy="give it another"))
        seen[rule.id] = f"{path}:{document.line('id')}"
        rules.append(rule)
    rules = [_settled(rule, faults) for rule in _overridden(rules, overrides or {}, faults)]
    if faults:
        raise ContentError(faults)
    return sorted(rules, key=lambda rule: rule.id)


def _read_rule(document: Marked) -> Rule:
    value = document.value
    if not isinstance(value, dict):
        raise ContentError([document.fault("a rule file is a mapping")])
    faults = [document.fault(f"unknown key {key!r}", key, remedy="remove it") for key in value if key not in _KEYS]
    faults += [document.fault(f"lacks {key!r}", remedy=f"add {key}") for key in _NEEDED if not value.get(key)]
    level = _choice(document, "level", LEVELS, faults)
    mode = _choice(document, "mode", {mode.value: mode for mode in Mode}, faults, default="risk")
    kinds = {kind.value: kind for kind in SourceKind}
    needs = []
    for position, name in enumerate(_list(document, "needs", faults)):
        if name in kinds:
            needs.append(kinds[name])
        else:
            faults.append(document.fault(f"{name!r} is no kind of source", "needs", position, remedy="one of " + ", ".join(kinds)))
    confidence = value.get("confidence", 0.8)
    if isinstance(confidence, bool) or not isinstance(confidence, int | float) or not 0 < confidence <= 1:
        faults.append(document.fault("confidence must be a number above 0, at most 1", "confidence"))
    version = value.get("version", 1)
    if isinstance(version, bool) or not isinstance(version, int) or version < 1:
        faults.append(document.fault("version must be a whole number from 1", "version"))
    for key in ("select", "settings"):
        if not isinstance(value.get(key, {}), dict):
            faults.append(document.fault(f"{key} must be a mapping", key))
    attack = tuple(found[1].upper() for tag in _list(document, "tags", faults) if (found := _ATTACK.fullmatch(tag)))
    if faults:
        raise ContentError(faults)
    return Rule(
        id=str(value["id"]),
        title=str(value["title"]),
        version=version,
        severity=int(level or Severity.LOW),
        mode=mode or Mode.RISK,
        confidence=float(confidence),
        attack=attack,
        needs=tuple(needs),
        settings=value.get("settings", {}),
        because=str(value["because"]),
        author=str(value.get("author", "")),
        path=document.name,
        operator=str(value["operator"]),
        select=value.get("select", {}),
        description=str(value.get("description", "")),
        status=str(value.get("status", "stable")),
        falsepositives=tuple(_list(document, "falsepositives", faults)),
        document=document,
    )


def _list(document: Marked, key: str, faults: list[Fault]) -> list[str]:
    value = document.value.get(key, [])
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        faults.append(document.fault(f"{key} must be a list of texts", key))
        return []
    return value


def _choice(document: Marked, key: str, choices: Mapping[str, T], faults: list[Fault], default: str = "") -> T | None:
    value = document.value.get(key, default)
    if value in choices:
        return choices[value]
    if value:
        faults.append(document.fault(f"{key} {value!r} is unknown", key, remedy="one of " + ", ".join(choices)))
    return None


def _overridden(rules: Sequence[Rule], overrides: Mapping[str, Mapping[str, Any]], faults: list[Fault]) -> list[Rule]:
    known = {rule.id for rule in rules}
    faults.extend(
        Fault(f"rules.{unknown}", 0, "the configuration names a rule that does not exist", "see watchword rules")
        for unknown in sorted(set(overrides) - known)
    )
    found = []
    for rule in rules:
        change = overrides.get(rule.id, {})
        if change.get("enabled", True) is False:
            continue
        found.append(_override(rule, change, faults) if change else rule)
    return found


def _override(rule: Rule, change: Mapping[str, Any], faults: list[Fault]) -> Rule:
    where = f"rules.{rule.id}"
    faults.extend(
        Fault(f"{where}.{key}", 0, "cannot be set", "set enabled, level, mode, confidence or settings")
        for key in change
        if key not in {"enabled", "level", "mode", "confidence", "settings"}
    )
    if "level" in change and change["level"] not in LEVELS:
        faults.append(Fault(f"{where}.level", 0, f"{change['level']!r} is unknown", "one of " + ", ".join(LEVELS)))
        return rule
    if "mode" in change and change["mode"] not in set(Mode):
        faults.append(Fault(f"{where}.mode", 0, f"{change['mode']!r} is unknown", "page or risk"))
        return rule
    settings = change.get("settings", {})
    faults.extend(
        Fault(f"{where}.settings.{key}", 0, "the rule has no such setting", "one of " + ", ".join(rule.settings))
        for key in settings
        if key not in rule.settings
    )
    return replace(
        rule,
        severity=int(LEVELS[change["level"]]) if "level" in change else rule.severity,
        mode=Mode(change["mode"]) if "mode" in change else rule.mode,
        confidence=float(change.get("confidence", rule.confidence)),
        settings={**rule.settings, **settings},
    )


def _settled(rule: Rule, faults: list[Fault]) -> Rule:
    """Return the rule with each ``{setting: NAME}`` below select and settings replaced by what that setting says.

    So one number may stand in a selection and still be set from outside: by the configuration, or by a policy in force.
    """

    def put(value: Any, *path: str | int) -> Any:
        if isinstance(value, list):
            return [put(each, *path, index) for index, each in enumerate(value)]
        if not isinstance(value, Mapping):
            return value
        if set(value) != {"setting"}:
            return {key: put(each, *path, key) for key, each in value.items()}
        name = value["setting"]
        found = rule.settings.get(name)
        if isinstance(found, Mapping | list) or found is None:
            where = rule.document or Marked(rule.path or rule.id, {})
            faults.append(where.fault(f"settings lack {name!r}, one plain value", *path, remedy=f"add {name} below settings"))
            return value
        return found

    return replace(rule, select=put(rule.select, "select"), settings=put(rule.settings, "settings"))


def operators() -> dict[str, EntryPoint]:
    """Return every operator by name: ours, and those that installed packages offer; a stranger cannot take the name of one of ours."""
    found = {point.name: point for point in entry_points(group=GROUP)}
    found.update({name: EntryPoint(name, value, GROUP) for name, value in BUILT_IN.items()})
    return found


def build_detectors(rules: Iterable[Rule], directory: Directory) -> Loaded:
    """Compile rules to detectors.

    A plug-in that fails to import is reported in the answer, with the rules that wanted it, and stops nothing else.

    Raises:
        ContentError: rules that cannot be compiled, with every fault.
    """
    known = operators()
    detectors: list[Detector] = []
    faults: list[Fault] = []
    broken: list[Fault] = []
    for rule in rules:
        where = rule.document or Marked(rule.path or rule.id, {})
        point = known.get(rule.operator)
        if point is None:
            faults.append(where.fault(f"there is no operator {rule.operator!r}", "operator", remedy="one of " + ", ".join(sorted(known))))
            continue
        try:
            factory: Factory = point.load()
        except Exception as error:  # noqa: BLE001 - a plug-in may fail in any way, and must stop nothing else
            broken.append(
                where.fault(
                    f"operator {rule.operator!r} ({point.value}) does not load: {error}", "operator", remedy="mend or remove the package"
                )
            )
            continue
        try:
            detectors.append(factory(rule, directory))
        except ContentError as error:
            faults.extend(error.faults)
    if faults:
        raise ContentError(faults)
    return Loaded(tuple(detectors), tuple(broken))
