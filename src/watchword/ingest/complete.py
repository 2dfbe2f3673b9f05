"""The complete document: what `Event.data` leaves out because the event's own fields say it, put back for export and validation."""

from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Final

from watchword.ingest.moment import EPOCH
from watchword.ingest.ocsf_schema import ClassType, Members, Schema, schema
from watchword.model import Event, RawRecord
from watchword.model.ocsf import EXTENSION_NAME, EXTENSION_UID, category_uid_of, type_uid_of

PROFILE: Final = "ww_physical_site"
MISSING: Final = "missing:"
"""Start of the label of an attribute that the class requires and the record did not state."""
_SHA256: Final = 3
"""OCSF's ``algorithm_id`` of SHA-256."""
UNKNOWN: Final = "unknown"


def complete(event: Event, record: RawRecord | None = None) -> dict[str, Any]:
    """Return the whole OCSF document of an event; the event itself is left as it is.

    `Event.data` keeps only what the record stated. This adds the numbers of class, category, type, activity and severity, the moments in
    milliseconds, metadata, the resolved uids and captions. A required attribute that the record did not state is filled with ``unknown``
    and named in ``metadata.labels`` as ``missing:<attribute>``. With the raw record given, its hash and size are added.
    """
    known = schema()
    class_type = known.classes.get(event.class_uid, known.classes[0])
    document: dict[str, Any] = {
        **event.data,
        "class_uid": int(event.class_uid),
        "class_name": class_type.caption,
        "category_uid": category_uid_of(event.class_uid),
        "category_name": known.categories[class_type.category],
        "activity_id": int(event.activity_id),
        "type_uid": type_uid_of(event.class_uid, event.activity_id),
        "severity_id": int(event.severity_id),
        "time": _ms(event.time),
        "ww_record_uid": event.record,
    }
    document.setdefault("activity_name", class_type.activities.get(str(event.activity_id), "Other"))
    document["type_name"] = f"{class_type.caption}: {document['activity_name']}"
    if event.message:
        document["message"] = event.message
    for name, uid in (
        ("ww_person_uid", event.person),
        ("ww_asset_uid", event.asset),
        ("ww_place_uid", event.place),
        ("ww_site_uid", event.site),
    ):
        if uid:
            document.setdefault(name, uid)
    if record is not None:
        document["raw_data_hash"] = {"algorithm_id": _SHA256, "algorithm": "SHA-256", "value": sha256(record.body).hexdigest()}
        document["raw_data_size"] = len(record.body)
    labels = _fill(document, class_type, known, event)
    _siblings(document, class_type.members)
    document["metadata"] = _metadata(event, known, labels)
    return document


def _ms(moment: Any) -> int:
    return int((moment - EPOCH).total_seconds() * 1000 + 0.5)


def _metadata(event: Event, known: Schema, labels: list[str]) -> dict[str, Any]:
    stored: Mapping[str, Any] = event.data.get("metadata", {})
    metadata = {
        **stored,
        "uid": event.uid,
        "version": known.version,
        "product": stored.get("product", {"name": event.source}),
        "log_name": event.source,
        "logged_time": _ms(event.received),
        "extensions": [{"name": EXTENSION_NAME, "uid": str(EXTENSION_UID), "version": known.extension_version}],
        "profiles": [PROFILE],
    }
    if labels:
        metadata["labels"] = [*stored.get("labels", ()), *labels]
    return metadata


def _fill(document: dict[str, Any], class_type: ClassType, known: Schema, event: Event) -> list[str]:
    """Add what the class requires; return the labels that say so."""
    members = class_type.members
    if class_type.name == "authentication" and not document.keys() & set(members.at_least_one) and "device" in document:
        # The host that was logged on to is the destination; the mapping's role names it once.
        device = document["device"]
        document["dst_endpoint"] = {one: device[one] for one in ("hostname", "ip", "mac", "name", "uid") if one in device}
    labels = []
    if members.at_least_one and not document.keys() & set(members.at_least_one):
        labels.append(_unknown(document, members.at_least_one[0], members, known, event))
    if members.just_one and not document.keys() & set(members.just_one):
        labels.append(_unknown(document, members.just_one[0], members, known, event))
    labels += [
        _unknown(document, name, members, known, event)
        for name, attribute in members.attributes.items()
        if attribute.required and name not in document and name != "metadata"
    ]
    for name, attribute in members.attributes.items():
        inner = known.objects.get(attribute.type)
        value = document.get(name)
        if inner is not None and isinstance(value, dict):
            document[name] = filled = dict(value)
            _fill_object(filled, inner, known)
            _siblings(filled, inner)
    return labels


def _fill_object(value: dict[str, Any], members: Members, known: Schema) -> None:
    if members.name == "user" and "name" not in value and "email_addr" in value:
        value["name"] = value["email_addr"]
    for name, attribute in members.attributes.items():
        if attribute.required and name not in value:
            value[name] = _blank(attribute.base, array=attribute.array)
        inner = known.objects.get(attribute.type)
        if inner is not None and isinstance(value.get(name), dict):
            value[name] = deeper = dict(value[name])
            _fill_object(deeper, inner, known)
            _siblings(deeper, inner)
    if members.at_least_one and not value.keys() & set(members.at_least_one):
        pick = next((one for one in ("uid", "name") if one in members.at_least_one), members.at_least_one[0])
        attribute = members.attributes[pick]
        value[pick] = _blank(attribute.base, array=attribute.array)


def _blank(base: str, *, array: bool) -> Any:
    if array:
        return []
    return {"integer_t": 0, "long_t": 0, "float_t": 0.0, "boolean_t": False, "object": {}}.get(base, UNKNOWN)


def _unknown(document: dict[str, Any], name: str, members: Members, known: Schema, event: Event) -> str:
    attribute = members.attributes[name]
    if name == "ww_portal" and event.place:
        document[name] = {"uid": event.place}
        return MISSING + name
    if attribute.array:
        document[name] = [] if attribute.base == "object" else [UNKNOWN]
    elif attribute.type in known.objects:
        document[name] = {}
        _fill_object(document[name], known.objects[attribute.type], known)
    else:
        document[name] = _blank(attribute.base, array=False)
    return MISSING + name


def _siblings(value: dict[str, Any], members: Members) -> None:
    """Write the caption beside every enum number that has none; a number that the schema does not list is Other, and kept as text."""
    for name in tuple(value):
        attribute = members.attributes.get(name)
        if attribute is None or not attribute.enum or not attribute.sibling or type(value[name]) is not int:
            continue
        caption = attribute.enum.get(str(value[name]))
        if caption is None:
            value.setdefault(attribute.sibling, str(value[name]))
            value[name] = 99
        elif attribute.sibling in members.attributes:
            value.setdefault(attribute.sibling, caption)
