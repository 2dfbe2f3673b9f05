"""The event schema: our extension keeps the rules that OCSF's own tools do not check, and the validator finds what is wrong."""

import copy
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any

import orjson
import pytest

from watchword.ingest.complete import complete
from watchword.ingest.ocsf_schema import compile_schema, lint_extension, schema
from watchword.ingest.validator import validate
from watchword.kit.errors import ContentError
from watchword.model import Event, RawRecord
from watchword.model.field import ROLES
from watchword.model.ocsf import OCSF_VERSION, Access, Authentication, BuildingControl, EventClass, Health, Status, Video, Visit

FOLDER = files("watchword") / "content" / "ocsf"
CORE = orjson.loads((FOLDER / "core.json").read_bytes())
OURS = orjson.loads((FOLDER / "watchword.json").read_bytes())
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def test_code_and_data_name_the_same_classes_and_numbers() -> None:
    assert schema().version == OCSF_VERSION
    assert {int(one) for one in EventClass} <= schema().classes.keys()
    for class_uid, enum in (
        (EventClass.PHYSICAL_ACCESS, Access),
        (EventClass.VIDEO_ANALYTIC, Video),
        (EventClass.DEVICE_HEALTH, Health),
        (EventClass.VISITOR, Visit),
        (EventClass.BUILDING_CONTROL, BuildingControl),
    ):
        activities = {
            caption.upper().replace("-", "_").replace(" ", "_").replace("/", "_"): int(number)
            for number, caption in schema().classes[class_uid].activities.items()
        }
        assert {one.name: one.value for one in enum}.items() <= activities.items()
    assert schema().classes[EventClass.AUTHENTICATION].activities[str(Authentication.LOGON)] == "Logon"


def test_every_role_is_an_attribute_of_some_class() -> None:
    for role, path in ROLES.items():
        assert any(schema().attribute(uid, path) for uid in schema().classes), role


def test_the_shipped_extension_has_no_fault() -> None:
    assert not lint_extension(CORE, OURS)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda ext: ext.update(uid=42), "taken by others"),
        (lambda ext: ext["category"].update(uid=9), "below 30"),
        (lambda ext: ext["classes"].update(access=ext["classes"].pop("ww_patrol_activity")), "does not begin with ww_"),
        (lambda ext: ext["attributes"].update(zone={"type": "ww_zone"}), "another type"),
        (lambda ext: ext["attributes"]["ww_lifecycle_id"]["enum"].pop("99"), "lacks 0 Unknown or 99 Other"),
        (lambda ext: ext["attributes"]["ww_lifecycle_id"].pop("sibling"), "no sibling"),
        (lambda ext: ext["classes"]["ww_patrol_activity"].update(caption=""), "no caption"),
        (lambda ext: ext["classes"]["ww_patrol_activity"].update(n=1), "has the number of"),
        (lambda ext: ext["classes"]["ww_patrol_activity"]["attributes"].update(ww_nothing={}), "unknown attribute"),
        (lambda ext: ext["classes"]["ww_patrol_activity"]["activities"].pop("0"), "lacks activity 0"),
    ],
)
def test_what_ocsf_tools_let_pass_is_a_fault_here(spoil: Any, words: str) -> None:
    extension = copy.deepcopy(OURS)
    spoil(extension)
    with pytest.raises(ContentError, match=words):
        compile_schema(CORE, extension)


def logon(**more: Any) -> Event:
    data = {"user": {"name": "ann"}, "device": {"hostname": "ws1"}, "status_id": 1, "logon_type_id": 2, **more}
    return Event(
        "a" * 32, "b" * 32, "dc", NOW, NOW, EventClass.AUTHENTICATION, 1, 1, person="person:1", place="harbour/it", message="hi", data=data
    )


def test_a_complete_document_is_sound_and_the_event_unchanged() -> None:
    event = logon()
    before = copy.deepcopy(dict(event.data))
    document = complete(event, RawRecord("b" * 32, "dc", NOW, b"{}"))
    assert validate(document) == ()
    assert event.data == before
    assert document["type_uid"] == 300201
    assert document["metadata"]["uid"] == event.uid
    assert document["metadata"]["logged_time"] == document["time"] == 1772442000000
    assert document["status"] == "Success"
    assert document["dst_endpoint"]["hostname"] == "ws1"
    assert document["ww_site_uid"] == "harbour"
    assert document["raw_data_size"] == 2


def test_what_a_class_requires_and_a_record_lacks_is_unknown_and_labelled() -> None:
    event = Event("a" * 32, "b" * 32, "s", NOW, NOW, EventClass.PHYSICAL_ACCESS, 99, data={"activity_name": "waved"})
    document = complete(event)
    assert document["ww_portal"] == {"uid": "unknown"}
    assert document["metadata"]["labels"] == ["missing:ww_portal"]
    assert validate(document) == ()


@pytest.mark.parametrize("class_uid", sorted(schema().classes))
def test_an_empty_event_of_every_class_completes_to_a_sound_document(class_uid: int) -> None:
    problems = [one for one in validate(complete(Event("a" * 32, "b" * 32, "s", NOW, NOW, class_uid, 0))) if one.kind != "deprecated"]
    assert not problems


@pytest.mark.parametrize(
    ("spoil", "path", "kind"),
    [
        (lambda doc: doc.update(class_uid=9), "class_uid", "class"),
        (lambda doc: doc.pop("metadata"), "metadata", "required"),
        (lambda doc: doc.update(colour="red"), "colour", "unknown"),
        (lambda doc: doc["user"].update(shoe=44), "user.shoe", "unknown"),
        (lambda doc: doc["user"].update(name=7), "user.name", "type"),
        (lambda doc: doc.update(user="ann"), "user", "type"),
        (lambda doc: doc.update(status_id=True), "status_id", "type"),
        (lambda doc: doc.update(status_id=77), "status_id", "enum"),
        (lambda doc: doc.update(status="Failure"), "status", "sibling"),
        (lambda doc: doc.update(status_id=99, status=None) or doc.pop("status"), "status", "sibling"),
        (lambda doc: doc.update(type_uid=1), "type_uid", "arithmetic"),
        (lambda doc: doc.update(category_uid=4), "category_uid", "arithmetic"),
        (lambda doc: doc.update(src_endpoint={"ip": "1.2.3.999"}), "src_endpoint.ip", "type"),
        (lambda doc: doc.update(src_endpoint={"port": 70000}), "src_endpoint.port", "range"),
        (lambda doc: doc["metadata"].update(labels="x"), "metadata.labels", "type"),
        (lambda doc: doc["metadata"].update(labels=["x", 1]), "metadata.labels[1]", "type"),
        (lambda doc: doc.pop("dst_endpoint"), "", "constraint"),
        (lambda doc: doc.update(ww_confidence=1.5), "ww_confidence", "range"),
    ],
)
def test_each_kind_of_fault_is_found_at_its_path(spoil: Any, path: str, kind: str) -> None:
    document = complete(logon())
    spoil(document)
    before = copy.deepcopy(document)
    assert (path, kind) in {(one.path, one.kind) for one in validate(document)}
    assert document == before


def test_all_faults_come_at_once() -> None:
    document = complete(logon())
    document.update(colour="red", status_id=77, type_uid=1)
    document["user"] = {}
    assert {one.kind for one in validate(document)} >= {"unknown", "enum", "arithmetic", "constraint"}


def test_status_numbers_are_those_of_the_model() -> None:
    assert schema().classes[3002].members.attributes["status_id"].enum[str(int(Status.FAILURE))] == "Failure"
