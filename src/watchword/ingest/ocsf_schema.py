"""The event schema: OCSF's core facts and our extension, read from ``content/ocsf``, linted, and joined into one lookup."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from importlib.resources import files
from typing import Any, Final

import orjson

from watchword.kit.errors import ContentError, Fault
from watchword.model.ocsf import CATEGORY_UID, EXTENSION_UID, PHYSICAL_BASE

PREFIX: Final = "ww_"
Spec = Mapping[str, Any]
_NUMBERS: Final = frozenset({"class_uid", "category_uid", "type_uid"})
"""Numbers that follow from the class: checked by arithmetic, not as enums."""
_CATEGORY_FLOOR: Final = 30
_RESERVED_EXTENSIONS: Final = frozenset({1, 2, 3, 42, *range(988, 1000)})


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute as it stands in a class or object."""

    name: str
    type: str
    """Name of a data type (``string_t``) or of an object."""
    base: str
    """``string_t``, ``integer_t``, ``long_t``, ``float_t``, ``boolean_t``, ``json_t`` or ``object``."""
    array: bool = False
    required: bool = False
    deprecated: bool = False
    enum: Mapping[str, str] = field(default_factory=dict)
    """Number (as text) → caption."""
    sibling: str = ""
    """The string attribute that carries the caption."""
    low: float | None = None
    high: float | None = None
    longest: int = 0
    """Most characters; 0: no bound."""


@dataclass(frozen=True, slots=True)
class Members:
    """What an object or class is made of."""

    name: str
    attributes: Mapping[str, Attribute]
    at_least_one: tuple[str, ...] = ()
    just_one: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ClassType:
    """One event class."""

    name: str
    caption: str
    uid: int
    category: int
    members: Members
    deprecated: bool = False

    @property
    def activities(self) -> Mapping[str, str]:
        """Number (as text) → name of the activity."""
        return self.members.attributes["activity_id"].enum


@dataclass(frozen=True, slots=True)
class Schema:
    """Classes and objects of core and extension."""

    version: str
    extension_version: str
    categories: Mapping[int, str]
    classes: Mapping[int, ClassType]
    objects: Mapping[str, Members]

    def attribute(self, class_uid: int, path: str) -> Attribute | None:
        """Return the attribute at a dotted path of a class; None where there is none. ``unmapped.…`` holds anything."""
        members: Members | None = self.classes[class_uid].members
        found: Attribute | None = None
        for step in path.split("."):
            if found is not None and found.type in {"object", "json_t"}:
                return replace(found, name=step, type="json_t", base="json_t")
            found = members.attributes.get(step) if members else None
            if found is None:
                return None
            members = self.objects.get(found.type)
        return found


def compile_schema(core: Mapping[str, Any], extension: Mapping[str, Any], name: str = "watchword.json") -> Schema:
    """Join core and extension.

    Raises:
        ContentError: the extension breaks a rule that OCSF's own tools do not notice; all are listed.
    """
    faults = lint_extension(core, extension, name)
    if faults:
        raise ContentError(faults)
    types = core["types"]
    dictionary = {**core["attributes"], **{key: value for key, value in extension["attributes"].items() if key not in core["attributes"]}}
    objects = {**core["objects"], **extension["objects"]}
    for key, more in extension["patches"].items():
        objects[key] = {**objects[key], "attributes": {**objects[key]["attributes"], **{one: {} for one in more}}}

    def attribute(key: str, override: Mapping[str, Any]) -> Attribute:
        spec = {**dictionary[key], **override}
        kind = spec["type"]
        known = types.get(kind, {})
        low, high = spec.get("range") or known.get("range") or (None, None)
        base = "object" if kind in objects or kind == "object" else known.get("base", kind)
        enum = {} if key in _NUMBERS else {**dictionary[key].get("enum", {}), **override.get("enum", {})}
        if key == "activity_id":
            enum = {"0": "Unknown", **enum, "99": "Other"}
        return Attribute(
            key,
            kind,
            base,
            spec.get("array", False),
            spec.get("required", False),
            spec.get("deprecated", False),
            enum,
            spec.get("sibling", ""),
            low,
            high,
            known.get("max_len", 0),
        )

    def members(key: str, spec: Mapping[str, Any], more: Mapping[str, Any]) -> Members:
        attributes = {one: attribute(one, override) for one, override in {**more, **spec["attributes"]}.items()}
        return Members(key, attributes, tuple(spec.get("at_least_one", ())), tuple(spec.get("just_one", ())))

    profile: dict[str, Spec] = {one: {} for part in extension["profiles"].values() for one in part["attributes"]}
    classes: dict[int, ClassType] = {}
    for key, spec in core["classes"].items():
        classes[spec["uid"]] = ClassType(
            key,
            spec["caption"],
            spec["uid"],
            spec["category"],
            members(key, spec, profile),
            spec.get("deprecated", False),
        )
    base = core["classes"]["base_event"]["attributes"]
    for key, spec in extension["classes"].items():
        more = {
            **base,
            **profile,
            **{one: {} for one in extension["common"]},
            "activity_id": {"enum": spec["activities"], "required": True},
        }
        uid = PHYSICAL_BASE + spec["n"]
        classes[uid] = ClassType(key, spec["caption"], uid, CATEGORY_UID, members(key, spec, more))
    categories = {int(uid): caption for uid, caption in core["categories"].items()}
    categories[CATEGORY_UID] = extension["category"]["caption"]
    return Schema(
        core["version"],
        extension["version"],
        categories,
        classes,
        {key: members(key, spec, {}) for key, spec in objects.items()},
    )


def lint_extension(core: Mapping[str, Any], extension: Mapping[str, Any], name: str = "watchword.json") -> list[Fault]:
    """Return the faults of an extension that OCSF's validator and compiler let pass (docs/reference/event-schema.md lists them)."""
    checks = (_lint_numbers, _lint_names, _lint_attributes, _lint_members, _lint_classes)
    return [Fault(name, 1, message) for check in checks for message in check(core, extension)]


def _lint_numbers(core: Spec, extension: Spec) -> Iterator[str]:
    del core
    if extension["uid"] in _RESERVED_EXTENSIONS or extension["uid"] != EXTENSION_UID:
        yield f"extension uid {extension['uid']} is taken by others or differs from the code's {EXTENSION_UID}"
    if extension["category"]["uid"] < _CATEGORY_FLOOR or extension["category"]["uid"] != CATEGORY_UID:
        yield f"category uid {extension['category']['uid']} is below {_CATEGORY_FLOOR} or differs from the code's {CATEGORY_UID}"


def _lint_names(core: Spec, extension: Spec) -> Iterator[str]:
    for kind, singular in (("classes", "class"), ("objects", "object"), ("profiles", "profile")):
        for key, spec in extension[kind].items():
            if not key.startswith(PREFIX):
                yield f"{singular} {key} does not begin with {PREFIX}: it would vanish beside another extension's of that name"
            if key in core.get(kind, {}):
                yield f"{singular} {key} is core's name"
            if not spec.get("caption"):
                yield f"{singular} {key} has no caption"
    if not extension["category"]["name"].startswith(PREFIX):
        yield f"category {extension['category']['name']} does not begin with {PREFIX}"


def _lint_attributes(core: Spec, extension: Spec) -> Iterator[str]:
    inner = {key for spec in extension["objects"].values() for key in spec["attributes"]}
    for key, spec in extension["attributes"].items():
        if not key.startswith(PREFIX) and key not in inner:
            yield f"attribute {key} does not begin with {PREFIX} and is no member of an object of ours"
        if key in core["attributes"] and core["attributes"][key]["type"] != spec["type"]:
            yield f"attribute {key} would give core's own attribute of that name another type"
        if "enum" in spec:
            if not {"0", "99"} <= spec["enum"].keys():
                yield f"enum {key} lacks 0 Unknown or 99 Other"
            if not spec.get("sibling") or spec["sibling"] not in extension["attributes"]:
                yield f"enum {key} has no sibling string"


def _lint_members(core: Spec, extension: Spec) -> Iterator[str]:
    known = core["attributes"].keys() | extension["attributes"].keys()
    for kind in ("classes", "objects", "profiles"):
        for key, spec in extension[kind].items():
            for one in spec["attributes"]:
                if one not in known:
                    yield f"{key} names the unknown attribute {one}"


def _lint_classes(core: Spec, extension: Spec) -> Iterator[str]:
    del core
    numbers: dict[int, str] = {}
    for key, spec in extension["classes"].items():
        if spec["n"] in numbers:
            yield f"class {key} has the number of {numbers[spec['n']]}"
        numbers[spec["n"]] = key
        if not {"0", "99"} <= spec["activities"].keys():
            yield f"class {key} lacks activity 0 Unknown or 99 Other"
        if (PHYSICAL_BASE + spec["n"]) * 100 + 99 >= 1 << 31:
            yield f"class {key} has a type_uid beyond 32 bits"


@lru_cache(maxsize=1)
def schema() -> Schema:
    """Return the shipped schema, read once."""
    folder = files("watchword") / "content" / "ocsf"
    core, extension = (orjson.loads((folder / name).read_bytes()) for name in ("core.json", "watchword.json"))
    return compile_schema(core, extension)
