"""The action catalogue: every verb that may set a state, with its target, parameters, hazard, undo, read-back and words for people."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from importlib.resources import files
from string import Formatter
from typing import Any, Final

from watchword.kit.duration import read_duration, say_duration
from watchword.kit.errors import ContentError, Fault, InputError, NotFound
from watchword.kit.marked import Marked, read_marked
from watchword.model.action import Action, Hazard
from watchword.respond.approval import BY_HAZARD, ApprovalRule

NAME: Final = re.compile(r"[a-z]{2,20}\.[a-z][a-z_]{2,30}")
FORBIDDEN: Final = re.compile(r"egress|toggle|pulse|momentary|lock_(door|out|in|exit)")
"""Verbs that no catalogue may name: whatever holds people in, and whatever has no state that can be read back."""
LONGEST_VALUE: Final = 300
LONGEST_TARGET: Final = 300
KEYS: Final = frozenset(
    {
        *("says", "domain", "target", "parameters", "hazard", "approval", "undo"),
        *("temporary", "longest", "expects", "blast", "life_safety", "manual"),
    }
)
REQUIRED: Final = ("says", "domain", "target", "hazard", "expects", "blast", "manual")


class LifeSafety(StrEnum):
    """What the interlock asks before a verb."""

    NONE = "none"
    SECURING = "securing"
    """Keeps people from coming in: only with fire known to be normal, and only at doors that are left freely by hand."""
    RELEASING = "releasing"
    """Ends a securing: never refused."""
    DEVICE = "device"
    """Cuts something off the network: never a fire panel or door controller, nor what they hang on."""


class Temporary(StrEnum):
    """Whether a state must, may or cannot end by itself."""

    REQUIRED = "required"
    ALLOWED = "allowed"
    NEVER = "never"


TARGETS: Final = ("credential", "door", "zone", "account", "host", "switch", "address", "camera", "queue", "place")
BLASTS: Final = ("none", "credential", "door", "zone", "account", "host", "port", "address", "camera", "place")


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a verb."""

    name: str
    says: str
    optional: bool = False
    pattern: re.Pattern[str] | None = None
    longest: int = LONGEST_VALUE
    moment: bool = False
    """An RFC 3339 time with its zone."""

    def fault(self, value: str) -> str:
        """Return what is wrong with a value, or ''."""
        if not value.strip():
            return "is empty"
        if len(value) > self.longest or any(ord(character) < 32 and character not in "\n\t" for character in value):
            return f"is longer than {self.longest} characters, or holds control characters"
        if self.pattern is not None and not self.pattern.fullmatch(value):
            return f"is {value[:60]!r}: {self.says}"
        if self.moment:
            try:
                zoned = datetime.fromisoformat(value).tzinfo is not None
            except ValueError:
                zoned = False
            if not zoned:
                return f"is {value[:60]!r}: write a time with its zone, 2026-05-31T18:00:00Z"
        return ""


@dataclass(frozen=True, slots=True)
class Verb:
    """One entry of the catalogue."""

    name: str
    says: str
    domain: str
    """``it`` or ``physical``: whose hands it is in."""
    target: str
    hazard: Hazard
    rule: ApprovalRule
    expects: Mapping[str, str]
    """What the device must read afterwards for the action to count as done."""
    blast: str
    manual: str
    """What a person does where no machine can."""
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    undo: str = ""
    """The verb that sets the state back; empty: not reversible."""
    temporary: Temporary = Temporary.ALLOWED
    longest: timedelta | None = None
    """The longest time for which it may be set in one go."""
    life_safety: LifeSafety = LifeSafety.NONE

    @property
    def reversible(self) -> bool:
        """Tell whether the state can be set back."""
        return bool(self.undo)

    def words(self, action: Action, target: str = "") -> str:
        """Return what the action does, in words, with its own target and parameters."""
        return _filled(self.says, action, target)

    def by_hand(self, action: Action, target: str = "") -> str:
        """Return what a person does in its place."""
        return _filled(self.manual, action, target)

    def agrees(self, observed: Mapping[str, str] | None) -> bool | None:
        """Tell whether what was read back is what is expected, as far as the product says; None when it says nothing of it."""
        said = {key: observed[key] for key in self.expects if key in observed} if observed else {}
        return all(self.expects[key] == value for key, value in said.items()) if said else None


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why an action is not done."""

    code: str
    text: str


class Catalogue:
    """The verbs by name."""

    def __init__(self, verbs: Mapping[str, Verb]) -> None:
        self.verbs = dict(verbs)

    def __iter__(self) -> Iterator[Verb]:
        """Yield the verbs by name."""
        return iter(sorted(self.verbs.values(), key=lambda verb: verb.name))

    def verb(self, name: str) -> Verb:
        """Return a verb.

        Raises:
            NotFound: the catalogue has none of this name.
        """
        found = self.verbs.get(name)
        if found is None:
            raise NotFound(f"there is no verb {name!r} in the action catalogue; it has {', '.join(sorted(self.verbs))}")
        return found

    def check(self, action: Action) -> tuple[Refusal, ...]:
        """Return everything that is wrong with a request by the catalogue alone; nothing when it may go on."""
        verb = self.verbs.get(action.verb)
        if verb is None:
            return (Refusal("unknown-verb", f"there is no verb {action.verb!r} in the action catalogue"),)
        return (*_wrong_target(action), *_wrong_parameters(verb, action), *_wrong_duration(verb, action))

    def undoing(self, action: Action) -> Action | None:
        """Return the action that sets the state back, or None when there is none; its key must still be given."""
        verb = self.verbs.get(action.verb)
        if verb is None or not verb.undo:
            return None
        known = self.verbs[verb.undo].parameters
        kept = {name: value for name, value in action.parameters.items() if name in known}
        return Action(
            verb.undo,
            action.target,
            kept,
            None,
            action.incident,
            action.run,
            f"{action.path}#revert",
            "system",
            f"ends {action.verb}",
            action.exercise,
        )


def _wrong_target(action: Action) -> Iterator[Refusal]:
    if not action.target.strip() or len(action.target) > LONGEST_TARGET or not action.target.isprintable():
        yield Refusal("bad-target", f"the target {action.target[:60]!r} must be 1 to {LONGEST_TARGET} printable characters")


def _wrong_parameters(verb: Verb, action: Action) -> Iterator[Refusal]:
    for name in sorted(set(action.parameters) - set(verb.parameters)):
        yield Refusal("bad-parameter", f"{verb.name} has no parameter {name!r}")
    for name, parameter in verb.parameters.items():
        value = action.parameters.get(name)
        if value is None:
            if not parameter.optional:
                yield Refusal("bad-parameter", f"{verb.name} needs its parameter {name!r}: {parameter.says}")
        elif fault := parameter.fault(value):
            yield Refusal("bad-parameter", f"parameter {name!r} of {verb.name} {fault}")


def _wrong_duration(verb: Verb, action: Action) -> Iterator[Refusal]:
    lasts = action.revert_after
    if lasts is None:
        if verb.temporary is Temporary.REQUIRED:
            longest = f", {say_duration(verb.longest)} at most" if verb.longest else ""
            yield Refusal("no-end", f"{verb.name} must say when it ends by itself{longest}")
    elif verb.temporary is Temporary.NEVER:
        yield Refusal("not-temporary", f"{verb.name} sets a state that does not end by itself")
    elif lasts <= timedelta(0) or (verb.longest is not None and lasts > verb.longest):
        most = say_duration(verb.longest) if verb.longest else "any time"
        yield Refusal("too-long", f"{verb.name} may last longer than nothing and at most {most}, not {say_duration(lasts)}")


def _filled(text: str, action: Action, target: str) -> str:
    # Values are put in once and never read as text to fill again, so that a title with braces in it stays a title.
    values = {**action.parameters, "target": target or action.target}
    parts = []
    for literal, name, _, _ in Formatter().parse(text):
        parts.append(literal)
        if name is not None:
            parts.append(values.get(name, f"[{name}]"))
    return "".join(parts)


# reading the file


def shipped_catalogue() -> Catalogue:
    """Return the catalogue that Watchword ships."""
    path = files("watchword") / "content" / "actions.yaml"
    return read_catalogue(path.read_text("utf-8"), "content/actions.yaml")


def read_catalogue(text: str, name: str) -> Catalogue:
    """Read a catalogue.

    Raises:
        ContentError: with every fault as path:line.
    """
    marked = read_marked(text, name)
    if not isinstance(marked.value, dict):
        raise ContentError([Fault(name, 1, "holds no verbs", "write verb: {…} entries")])
    reading = _Reading(marked)
    verbs = {str(key): verb for key in marked.value if (verb := reading.verb(str(key))) is not None}
    for key, verb in verbs.items():
        other = verbs.get(verb.undo)
        if verb.undo and (other is None or other.target != verb.target or other.undo):
            reading.fault(f"undo {verb.undo!r} must be a verb here on the same kind of target that has no undo itself", key, "undo")
        elif other is not None and verb.life_safety is LifeSafety.SECURING and other.life_safety is not LifeSafety.RELEASING:
            reading.fault(f"{verb.undo!r} ends a securing: it must be life_safety: releasing", key, "undo")
    if reading.faults:
        raise ContentError(reading.faults)
    return Catalogue(verbs)


class _Reading:
    """Reads entries; every fault is noted where it stands."""

    def __init__(self, marked: Marked) -> None:
        self.marked = marked
        self.faults: list[Fault] = []

    def fault(self, message: str, *path: str, remedy: str = "") -> None:
        self.faults.append(self.marked.fault(message, *path, remedy=remedy))

    def verb(self, name: str) -> Verb | None:
        entry = self.marked.value[name]
        before = len(self.faults)
        if not NAME.fullmatch(name) or FORBIDDEN.search(name):
            self.fault(
                f"{name!r} cannot be a verb", name, remedy="noun.verb that sets a state; nothing may hold people in, toggle or pulse"
            )
        if not isinstance(entry, dict):
            self.fault("expected keys and values here", name)
            return None
        for key in entry:
            if key not in KEYS:
                self.fault(f"unknown key {key!r}", name, str(key), remedy=f"keys: {', '.join(sorted(KEYS))}")
        for key in REQUIRED:
            if entry.get(key) in (None, "", {}):
                self.fault(f"{key!r} is missing", name)
        if len(self.faults) > before:
            return None
        return self._whole(name, entry)

    def _whole(self, name: str, entry: Mapping[str, Any]) -> Verb:
        hazard = Hazard(self._choice(name, "hazard", entry["hazard"], tuple(Hazard)))
        undo, longest = str(entry.get("undo", "")), self._duration(name, "longest", entry.get("longest"))
        default = Temporary.ALLOWED if undo else Temporary.NEVER
        temporary = Temporary(self._choice(name, "temporary", entry.get("temporary", default.value), tuple(Temporary)))
        safety = LifeSafety(self._choice(name, "life_safety", entry.get("life_safety", "none"), tuple(LifeSafety)))
        if temporary is not Temporary.NEVER and (not undo or longest is None):
            self.fault("a temporary state needs its undo and its longest time", name)
        if safety is LifeSafety.SECURING and (temporary is not Temporary.REQUIRED or hazard is not Hazard.H3):
            self.fault("securing must be temporary: required, and hazard 3", name)
        parameters = self._parameters(name, entry.get("parameters") or {})
        for key in ("says", "manual"):
            for _, field_name, _, _ in Formatter().parse(str(entry[key])):
                if field_name is not None and field_name not in {"target", *parameters}:
                    self.fault(f"{{{field_name}}} is no parameter", name, key)
        return Verb(
            name,
            str(entry["says"]),
            self._choice(name, "domain", entry["domain"], ("it", "physical")),
            self._choice(name, "target", entry["target"], TARGETS),
            hazard,
            self._rule(name, hazard, entry.get("approval")),
            {str(key): str(value) for key, value in entry["expects"].items()},
            self._choice(name, "blast", entry["blast"], BLASTS),
            str(entry["manual"]),
            parameters,
            undo,
            temporary,
            longest,
            safety,
        )

    def _choice(self, name: str, key: str, value: Any, known: tuple[Any, ...]) -> Any:
        if value in known and not isinstance(value, bool):
            return value
        self.fault(f"{key!r} is {value!r}", name, key, remedy=f"known: {', '.join(str(getattr(each, 'value', each)) for each in known)}")
        return known[-1]

    def _duration(self, name: str, key: str, value: Any) -> timedelta | None:
        if value is None:
            return None
        try:
            return read_duration(str(value))
        except InputError as error:
            self.fault(str(error), name, key)
            return timedelta(minutes=1)

    def _rule(self, name: str, hazard: Hazard, given: Any) -> ApprovalRule:
        least = BY_HAZARD[hazard]
        if given is None:
            return least
        if not isinstance(given, dict) or set(given) - {"count", "teams"}:
            self.fault("expected {count, teams}", name, "approval")
            return least
        count, teams = given.get("count", least.count), given.get("teams", least.teams)
        if not (isinstance(count, int) and isinstance(teams, int) and least.count <= count <= 9 and least.teams <= teams <= min(count, 3)):
            self.fault(f"hazard {int(hazard)} asks for at least {least.count} from {least.teams}", name, "approval")
            return least
        return ApprovalRule(count, teams)

    def _parameters(self, name: str, given: Any) -> dict[str, Parameter]:
        if not isinstance(given, dict):
            self.fault("expected parameters by name", name, "parameters")
            return {}
        found = {}
        for key, entry in given.items():
            if not isinstance(entry, dict) or set(entry) - {"says", "optional", "pattern", "longest", "kind"} or "says" not in entry:
                self.fault("expected {says, optional, pattern, longest, kind}", name, "parameters", str(key))
                continue
            pattern = entry.get("pattern")
            try:
                compiled = re.compile(pattern) if pattern is not None else None
            except re.error as error:
                self.fault(f"pattern: {error}", name, "parameters", str(key))
                compiled = None
            longest = entry.get("longest", LONGEST_VALUE)
            moment = entry.get("kind") == "moment"
            found[str(key)] = Parameter(str(key), str(entry["says"]), bool(entry.get("optional")), compiled, int(longest), moment)
        return found
