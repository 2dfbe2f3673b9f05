"""The instance validator: does a document keep to the event schema? Pure; every fault at once, with its JSON path."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeGuard

from watchword.ingest.credential import canonical_ip, canonical_mac
from watchword.ingest.ocsf_schema import Attribute, Members, Schema, schema

Kind = Literal["class", "required", "unknown", "type", "range", "enum", "sibling", "arithmetic", "constraint", "deprecated"]
_OPEN: Final = frozenset({"object", "json_t"})
_DEEPEST: Final = 24


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One fault. Those of kind ``deprecated`` are warnings."""

    path: str
    message: str
    kind: Kind


def validate(document: Mapping[str, Any], known: Schema | None = None) -> tuple[Problem, ...]:
    """Return everything that is wrong with a document, sorted by path; nothing when it is sound. The document is never changed."""
    known = known or schema()
    class_uid = document.get("class_uid")
    if not _is_int(class_uid) or class_uid not in known.classes:
        return (Problem("class_uid", f"{class_uid!r} is no class of OCSF {known.version} or of ours that is used here", "class"),)
    class_type = known.classes[class_uid]
    problems = list(_members(document, class_type.members, "", known, 0))
    if class_type.deprecated:
        problems.append(Problem("class_uid", f"{class_type.name} is deprecated", "deprecated"))
    category, activity, type_uid = document.get("category_uid"), document.get("activity_id"), document.get("type_uid")
    if category != class_type.category:
        problems.append(Problem("category_uid", f"{category!r} where {class_type.category} belongs to {class_type.name}", "arithmetic"))
    if _is_int(activity) and type_uid != class_uid * 100 + activity:
        problems.append(
            Problem("type_uid", f"{type_uid!r} where {class_uid * 100 + activity} follows from class and activity", "arithmetic")
        )
    return tuple(sorted(problems))


def _members(value: Mapping[str, Any], members: Members, path: str, known: Schema, depth: int) -> Iterator[Problem]:
    at = path + "." if path else ""
    for name, attribute in members.attributes.items():
        if attribute.required and name not in value:
            yield Problem(at + name, f"is required in {members.name}", "required")
    for name, item in value.items():
        found = members.attributes.get(name) if isinstance(name, str) else None
        if found is None:
            yield Problem(
                f"{at}{name}", f"is no attribute of {members.name}; what has no place in the schema belongs in unmapped", "unknown"
            )
            continue
        if found.deprecated:
            yield Problem(at + name, "is deprecated", "deprecated")
        yield from _value(item, found, at + name, known, depth)
        if found.enum and found.sibling in members.attributes and _is_int(item):
            yield from _sibling(value, found, item, at)
    given = value.keys()
    if members.at_least_one and not given & set(members.at_least_one):
        yield Problem(path, f"needs at least one of {', '.join(members.at_least_one)}", "constraint")
    if members.just_one and len(given & set(members.just_one)) != 1:
        yield Problem(path, f"needs just one of {', '.join(members.just_one)}", "constraint")


def _sibling(value: Mapping[str, Any], attribute: Attribute, number: int, at: str) -> Iterator[Problem]:
    caption, written = attribute.enum.get(str(int(number))), value.get(attribute.sibling)
    if number == 99:
        if written is None:
            yield Problem(at + attribute.sibling, f"must say what {attribute.name} 99 (Other) stands for", "sibling")
    elif written is not None and caption is not None and written != caption:
        yield Problem(at + attribute.sibling, f"{str(written)[:60]!r} where {attribute.name} {number} means {caption!r}", "sibling")


def _value(item: Any, attribute: Attribute, path: str, known: Schema, depth: int) -> Iterator[Problem]:
    if attribute.array:
        if not isinstance(item, list | tuple):
            yield Problem(path, f"is {_kind(item)}, a list is wanted", "type")
            return
        for index, one in enumerate(item):
            yield from _single(one, attribute, f"{path}[{index}]", known, depth)
        return
    yield from _single(item, attribute, path, known, depth)


def _single(item: Any, attribute: Attribute, path: str, known: Schema, depth: int) -> Iterator[Problem]:
    if attribute.type in _OPEN or attribute.base == "json_t":
        return
    members = known.objects.get(attribute.type)
    if members is not None:
        if not isinstance(item, Mapping):
            yield Problem(path, f"is {_kind(item)}, an object ({members.name}) is wanted", "type")
        elif depth < _DEEPEST:
            yield from _members(item, members, path, known, depth + 1)
        return
    if not _has_type(item, attribute.base):
        yield Problem(path, f"is {_kind(item)}, {attribute.type} is wanted", "type")
        return
    if attribute.enum and str(int(item) if _is_int(item) else item) not in attribute.enum:
        yield Problem(path, f"{item!r} is none of {', '.join(list(attribute.enum)[:20])}", "enum")
    yield from _bounds(item, attribute, path)


def _bounds(item: Any, attribute: Attribute, path: str) -> Iterator[Problem]:
    if isinstance(item, int | float) and not isinstance(item, bool):
        if (attribute.low is not None and item < attribute.low) or (attribute.high is not None and item > attribute.high):
            yield Problem(path, f"{item!r} is not within {attribute.low} to {attribute.high}", "range")
        if attribute.base == "integer_t" and abs(item) >= 1 << 31:
            yield Problem(path, f"{item!r} does not fit 32 bits", "range")
        return
    if not isinstance(item, str):
        return
    if attribute.longest and len(item) > attribute.longest:
        yield Problem(path, f"has {len(item)} characters, {attribute.longest} are allowed", "range")
    check = {"ip_t": canonical_ip, "mac_t": canonical_mac}.get(attribute.type)
    if check is not None:
        try:
            check(item)
        except ValueError:
            yield Problem(path, f"{item[:60]!r} is no {attribute.type}", "type")


def _has_type(item: Any, base: str) -> bool:
    if base == "string_t":
        return isinstance(item, str)
    if base in {"integer_t", "long_t"}:
        return _is_int(item) and abs(item) < 1 << 63
    if base == "float_t":
        return isinstance(item, int | float) and not isinstance(item, bool)
    return isinstance(item, bool)


def _is_int(item: Any) -> TypeGuard[int]:
    return isinstance(item, int) and not isinstance(item, bool)


def _kind(item: Any) -> str:
    if item is None:
        return "null"
    return {bool: "a truth value", int: "a number", float: "a number", str: "a text", list: "a list", dict: "an object"}.get(
        type(item), type(item).__name__
    )
