"""One item of a mapping's ``events``: class, activity, severity, message and fields, checked against the event schema and compiled."""

import re
from collections.abc import Callable
from difflib import get_close_matches
from functools import partial
from typing import Any, Final, Protocol

from watchword.ingest.condition import Condition, compile_condition
from watchword.ingest.decode import Format
from watchword.ingest.mapping_fields import number_of, put_at, translator
from watchword.ingest.mapping_run import Entry, Message
from watchword.ingest.mapping_values import Get, Row, SpecFault, ValueCompiler, text_of
from watchword.ingest.ocsf_schema import Attribute, ClassType, schema
from watchword.model.field import ROLES, path_of
from watchword.model.ocsf import EventClass, Severity, is_physical

_KEYS: Final = ("when", "match", "class", "activity", "severity", "message", "fields")
_ENTRY_LEVEL: Final = {
    "severity_id": "severity",
    "message": "message",
    "time": "time of the mapping",
    "activity_id": "activity",
    "class_uid": "class",
}
_SHOWN: Final = (
    "user.name",
    "user.email_addr",
    "ww_portal.uid",
    "ww_reader.uid",
    "device.hostname",
    "service.name",
    "src_endpoint.ip",
    "dst_endpoint.ip",
)
"""Paths whose values stand in the message of an entry that gives none, in this order."""


class Faults(Protocol):
    """Where faults go: the loader."""

    values: ValueCompiler
    key: bytes

    def fault(self, message: str, *path: Any, remedy: str = "") -> None:
        """Note a fault."""
        ...

    def guarded(self, make: Callable[[], Any], *path: Any) -> Any:
        """Run a compile step, noting its SpecFault."""
        ...

    def known(self, section: Any, names: Any, *path: Any) -> dict[str, Any]:
        """Return a section, noting unknown names."""
        ...


class EntryCompiler:
    """Compiles the items of ``events``."""

    def __init__(self, loader: Faults, form: Format) -> None:
        self._loader = loader
        self._form = form
        self._schema = schema()

    def compile(self, item: Any, shared: Any, index: int) -> tuple[Entry | None, dict[str, frozenset[str]]]:
        """Return the entry (None when it has faults, which are noted) and the plain comparisons that it needs."""
        loader, at = self._loader, ("events", index)
        section = loader.known(item, _KEYS, *at)
        class_type = self._class(section, at)
        condition: Condition | None = loader.guarded(lambda: compile_condition(section.get("when"), loader.values), *at, "when")
        matcher, groups = self._match(section["match"], (*at, "match")) if "match" in section else (None, frozenset())
        # Groups are columns of this entry alone: a CSV header need not name them.
        loader.values.derived |= groups
        if class_type is None:
            return None, {}
        activity, activity_get = self._activity(section.get("activity", 0), class_type, (*at, "activity"))
        severity, severity_get = self._severity(section.get("severity", "info"), class_type, (*at, "severity"))
        plan, constants = self._fields([(shared, ("fields",)), (section.get("fields"), (*at, "fields"))], class_type)
        message = self._message(section.get("message"), class_type, (*at, "message"))
        if condition is None:
            return None, {}
        entry = Entry(
            class_type.uid,
            is_physical(class_type.uid),
            condition.test,
            matcher,
            activity,
            activity_get,
            severity,
            severity_get,
            message,
            plan,
            constants,
        )
        return entry, condition.equals

    def _class(self, section: dict[str, Any], at: tuple[Any, ...]) -> ClassType | None:
        wanted = section.get("class")
        names = [one.name.lower() for one in EventClass]
        if isinstance(wanted, str) and wanted.lower() in names:
            return self._schema.classes[EventClass[wanted.upper()]]
        if type(wanted) is int and wanted in self._schema.classes:
            return self._schema.classes[wanted]
        near = get_close_matches(str(wanted), names, 1)
        remedy = f"did you mean {near[0]}?" if near else "one of " + ", ".join(names)
        self._loader.fault("class is missing" if wanted is None else f"{wanted!r} is no class of events", *at, "class", remedy=remedy)
        return None

    def _match(self, spec: Any, path: tuple[Any, ...]) -> tuple[Callable[[Row], Row | None] | None, frozenset[str]]:
        loader = self._loader
        section = loader.known(spec, ("from", "pattern"), *path)
        get: Get | None = loader.guarded(lambda: loader.values.column(section.get("from", "message")), *path, "from")
        pattern = section.get("pattern")
        try:
            compiled = re.compile(pattern) if isinstance(pattern, str) else None
        except (re.error, RecursionError, OverflowError) as error:
            loader.fault(f"pattern is no regular expression: {error}", *path, "pattern")
            return None, frozenset()
        if compiled is None:
            loader.fault("pattern is missing", *path, remedy="pattern: 'Accepted (?P<how>\\w+) for (?P<user>\\S+)'")
            return None, frozenset()
        if get is None:
            return None, frozenset()
        return _matcher(get, compiled), frozenset(compiled.groupindex)

    def _activity(self, spec: Any, class_type: ClassType, path: tuple[Any, ...]) -> tuple[int, Get | None]:
        attribute = class_type.members.attributes["activity_id"]

        def translate(value: Any) -> int:
            number = value if type(value) is int else number_of(attribute, str(value))
            if number is None or str(number) not in attribute.enum:
                near = get_close_matches(str(value).lower(), [caption.lower() for caption in attribute.enum.values()], 1)
                known = ", ".join(f"{caption} ({one})" for one, caption in attribute.enum.items())
                hint = f"did you mean {near[0]}? " if near else ""
                raise SpecFault(f"{value!r} is no activity of {class_type.name}", remedy=hint + "known: " + known)
            return int(number)

        if isinstance(spec, str | int) and not isinstance(spec, bool):
            number = self._loader.guarded(lambda: translate(spec), *path)
            return number or 0, None
        get = self._loader.guarded(lambda: self._with_words(spec, translate, path), *path)
        return 0, get

    def _with_words(self, spec: Any, translate: Callable[[Any], Any], path: tuple[Any, ...]) -> Get:
        """Compile a value whose map turns words into numbers; what the map does not know is passed on as sent."""
        del path
        get = self._loader.values.compile(spec, translate=translate)
        if not (isinstance(spec, dict) and "values" in spec and "default" not in spec):
            return get
        raw = self._loader.values.compile({one: value for one, value in spec.items() if one != "values"})
        return lambda row: found if (found := get(row)) is not None else raw(row)

    def _severity(self, spec: Any, class_type: ClassType, path: tuple[Any, ...]) -> tuple[int, Get | None]:
        del class_type

        def translate(value: Any) -> int:
            if isinstance(value, str) and value.upper() in Severity.__members__:
                return int(Severity[value.upper()])
            if value in list(Severity) and not isinstance(value, bool):
                return int(value)
            raise SpecFault(f"{value!r} is no severity", remedy="one of " + ", ".join(one.name.lower() for one in Severity))

        if isinstance(spec, str | int):
            number = self._loader.guarded(lambda: translate(spec), *path)
            return Severity.INFO if number is None else number, None
        return Severity.INFO, self._loader.guarded(lambda: self._loader.values.compile(spec, translate=translate), *path)

    def _fields(
        self, parts: list[tuple[Any, tuple[Any, ...]]], class_type: ClassType
    ) -> tuple[tuple[tuple[Get, Any], ...], tuple[tuple[Any, Any], ...]]:
        loader = self._loader
        plan: dict[str, tuple[Get, Any]] = {}
        constants: dict[str, tuple[Any, Any]] = {}
        for spec, at in parts:
            if spec is None:
                continue
            if not isinstance(spec, dict):
                loader.fault("fields maps roles to columns", *at, remedy="fields: {account: User, host: Computer}")
                continue
            shared = at == ("fields",)
            for role, value in spec.items():
                attribute = self._attribute(str(role), class_type, (*at, role), shared=shared)
                if attribute is None:
                    continue
                path = path_of(str(role))
                put = put_at(path, attribute, loader.key)
                get = loader.guarded(partial(loader.values.compile, value, translate=translator(attribute)), *at, role)
                if get is None:
                    continue
                plan.pop(path, None)
                constants.pop(path, None)
                if path == "ww_credential.hash":
                    loader.values.masked_columns |= _columns_of(value)
                if isinstance(value, bool | int | float) or (isinstance(value, dict) and "value" in value):
                    constants[path] = (put, get({}))
                else:
                    plan[path] = (get, put)
        return tuple(plan.values()), tuple(one for one in constants.values() if one[1] is not None)

    def _attribute(self, role: str, class_type: ClassType, at: tuple[Any, ...], *, shared: bool) -> Attribute | None:
        path = path_of(role)
        if path in _ENTRY_LEVEL:
            self._loader.fault(f"{role} is not a field", *at, remedy=f"it is set by {_ENTRY_LEVEL[path]}, beside fields")
            return None
        found = self._schema.attribute(class_type.uid, path)
        if found is not None and (found.base != "object" or found.array):
            return found
        if found is not None:
            members = self._schema.objects.get(found.type)
            inner = ", ".join(list(members.attributes)[:12]) if members else ""
            self._loader.fault(f"{path} is an object", *at, remedy=f"name a member: {path}.… ({inner})")
            return None
        if any(self._schema.attribute(uid, path) for uid in self._schema.classes):
            if not shared:  # fields for every event go only where they belong
                self._loader.fault(
                    f"{role} ({path}) does not belong to {class_type.name}", *at, remedy=f"leave it out, or write unmapped.{role}"
                )
            return None
        near = get_close_matches(role, ROLES, 1)
        remedy = f"did you mean {near[0]}?" if near else "roles: " + ", ".join(ROLES)
        self._loader.fault(f"{role!r} is no role and no OCSF path", *at, remedy=remedy)
        return None

    def _message(self, spec: Any, class_type: ClassType, path: tuple[Any, ...]) -> Message:
        labelled = _labelled(class_type)
        if spec is None:
            return labelled
        get = self._loader.guarded(lambda: self._loader.values.template(spec), *path)
        if get is None:
            return labelled
        return lambda row, data, activity: get(row) or labelled(row, data, activity)


def _labelled(class_type: ClassType) -> Message:
    """Return the message of an entry that gives none: class, activity, and who, where and whence."""
    shown = [path.split(".") for path in _SHOWN]
    labels = {int(number): f"{class_type.caption}: {name}" for number, name in class_type.activities.items() if number != "0"}

    def message(row: Row, data: dict[str, Any], activity: int) -> str:
        del row
        words = [labels.get(activity, class_type.caption)]
        for outer, inner in shown:
            part = data.get(outer)
            if part is not None and inner in part:
                words.append(text_of(part[inner]))
        return " ".join(words)

    return message


def _columns_of(spec: Any) -> set[str]:
    found = spec.get("from") if isinstance(spec, dict) else spec
    return {str(one) for one in found} if isinstance(found, list) else {str(found)}


def _matcher(get: Get, pattern: re.Pattern[str]) -> Callable[[Row], Row | None]:
    def match(row: Row) -> Row | None:
        value = get(row)
        if value is None:
            return None
        found = pattern.search(text_of(value))
        if found is None:
            return None
        return {**row, **{name: text for name, text in found.groupdict().items() if text is not None}}

    return match
