"""Mappings: what a user writes becomes events; what is written wrongly is named, all of it, by path and line."""

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watchword.ingest.credential import badge_uid
from watchword.ingest.mapping import bare_mapping, load_mapping
from watchword.ingest.reparse import mended, reparse, unparsed_of
from watchword.kit.errors import ContentError
from watchword.kit.ids import uid_of
from watchword.model import Domain, RawRecord, SourceKind
from watchword.model.ocsf import Access, EventClass, Severity

KEY = b"k" * 32
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
DOORS = """
mapping: harbour-doors
describes: Door controllers
source: {domain: physical, kind: access_control, connector: webhook, site: harbour, lateness: 2m, resolution: 1s, skew: 2s, rhythm: 30m}
format: {kind: json}
time: {from: Time, format: "%d.%m.%Y %H:%M:%S", zone: Europe/Berlin, fold: second}
id: {from: EventID}
events:
  - when: {Type: [granted, denied]}
    class: physical_access
    activity: {from: Type, values: {granted: granted, denied: denied}}
    severity: {from: Type, values: {denied: low}}
    message: "{Card} at {Reader}"
    fields:
      badge: Card
      reader: Reader
      direction: {from: Dir, values: {I: in, O: out}}
      reason: Why
  - when: {Type: {startswith: forc}, Reader: {not: [R9], matches: "^R"}}
    class: physical_access
    activity: Forced
    fields: {reader: Reader, held_ms: {from: Seconds, multiply: 1000}}
"""


def record(source: str = "doors", /, **columns: object) -> RawRecord:
    return RawRecord("ab" * 16, source, NOW, orjson.dumps(columns))


def raw(body: bytes) -> RawRecord:
    return RawRecord("ab" * 16, "s", NOW, body)


def grant(**more: object) -> RawRecord:
    return record(
        **{"Time": "01.03.2026 08:00:00", "EventID": 17, "Type": "granted", "Card": "0012345678", "Reader": "R1", "Dir": "I", **more}
    )


def test_a_door_record_becomes_an_access_event() -> None:
    mapping = load_mapping(DOORS, "doors.yaml", key=KEY)
    parsed = mapping.parse(grant())
    (event,) = parsed.events
    assert (parsed.fault, parsed.mapped) == ("", True)
    assert (event.class_uid, event.activity_id, event.severity_id) == (EventClass.PHYSICAL_ACCESS, Access.GRANTED, Severity.INFO)
    assert event.time == datetime(2026, 3, 1, 7, 0, tzinfo=UTC)
    assert event.received == NOW
    assert event.uid == uid_of("event", "ab" * 16, "0")
    assert event.credential == badge_uid(KEY, "0012345678")
    assert event.data["ww_reader"] == {"uid": "R1", "direction": "in"}
    assert event.data["ww_credential"]["last4"] == "5678"
    assert event.data["metadata"]["original_event_uid"] == "17"


def test_no_card_number_stands_in_an_event() -> None:
    event = load_mapping(DOORS, "doors.yaml", key=KEY).parse(grant()).events[0]
    assert event.message == "…5678 at R1"
    assert "0012345678" not in str(event)


def test_the_source_section_describes_the_source() -> None:
    source = load_mapping(DOORS, "doors.yaml").source("gate")
    assert (source.name, source.domain, source.kind, source.connector, source.mapping) == (
        "gate",
        Domain.PHYSICAL,
        SourceKind.ACCESS_CONTROL,
        "webhook",
        "harbour-doors",
    )
    assert (source.lateness, source.rhythm, source.site) == (timedelta(minutes=2), timedelta(minutes=30), "harbour")


def test_severity_and_conditions_follow_the_record() -> None:
    mapping = load_mapping(DOORS, "doors.yaml", key=KEY)
    assert mapping.parse(grant(Type="denied")).events[0].severity_id == Severity.LOW
    forced = mapping.parse(grant(Type="forced", Seconds="1.5")).events[0]
    assert (forced.activity_id, forced.data["ww_held_ms"]) == (Access.FORCED, 1500)
    assert not mapping.parse(grant(Type="forced", Reader="R9")).mapped
    assert not mapping.parse(grant(Type="forced", Reader="X1")).mapped


def test_what_no_entry_fits_is_kept_as_a_line_or_is_a_fault() -> None:
    kept = load_mapping(DOORS, "doors.yaml").parse(grant(Type="else"))
    assert (kept.events[0].class_uid, kept.mapped, kept.fault) == (EventClass.BASE_EVENT, False, "")
    assert "else" in kept.events[0].message
    refused = load_mapping(DOORS + "otherwise: unparsed\n", "doors.yaml").parse(grant(Type="else"))
    assert not refused.events
    assert "otherwise: keep" in refused.fault


def test_an_activity_that_the_map_does_not_know_is_other_with_its_word() -> None:
    text = "mapping: m\nformat: {kind: json}\nevents: [{class: physical_access, activity: {from: T, values: {g: granted}}}]"
    event = load_mapping(text, "m").parse(record(T="waved through")).events[0]
    assert (event.activity_id, event.data["activity_name"]) == (99, "waved through")


def test_a_time_in_the_gap_names_column_and_remedy() -> None:
    fault = load_mapping(DOORS, "doors.yaml").parse(grant(Time="29.03.2026 02:30:00")).fault
    assert "column Time" in fault
    assert "does not exist in Europe/Berlin" in fault
    assert "Etc/GMT-1" in fault


def test_an_ambiguous_time_takes_the_fold_and_says_so() -> None:
    event = load_mapping(DOORS, "doors.yaml").parse(grant(Time="25.10.2026 02:30:00")).events[0]
    assert event.time == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
    assert event.data["metadata"]["labels"] == ["time:ambiguous"]
    assert event.data["metadata"]["original_time"] == "25.10.2026 02:30:00"


def test_without_a_device_time_arrival_counts_and_is_labelled() -> None:
    event = load_mapping(DOORS, "doors.yaml").parse(grant(Time="")).events[0]
    assert (event.time, event.data["metadata"]["labels"]) == (NOW, ["time:received"])


def test_times_are_tried_in_order_each_with_its_own_zone_and_format() -> None:
    text = """
mapping: m
format: {kind: json}
time: {from: [A, {from: B, format: epoch_ms}, {from: C, zone: Asia/Tokyo}], format: iso, zone: UTC}
events: [{class: base_event}]
"""
    mapping = load_mapping(text, "m")
    noon = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
    assert mapping.parse(record(A="2026-03-01 12:00:00")).events[0].time == noon
    assert mapping.parse(record(B=int(noon.timestamp() * 1000))).events[0].time == noon
    assert mapping.parse(record(C="2026-03-01T21:00:00")).events[0].time == noon


def test_one_record_may_make_several_events_with_their_own_uids() -> None:
    text = """
mapping: m
format: {kind: json}
events:
  - {class: authentication, activity: logon, fields: {account: u, host: h}}
  - {when: {admin: true}, class: authorize_session, activity: assign_privileges, fields: {account: u}}
"""
    events = load_mapping(text, "m").parse(record(u="CORP\\Ann", h="ws1", admin=True)).events
    assert [event.uid for event in events] == [uid_of("event", "ab" * 16, "0"), uid_of("event", "ab" * 16, "1")]
    assert events[0].credential == events[1].credential == "account:ann"
    assert events[0].data["user"] == {"name": "Ann", "domain": "CORP"}


def test_a_value_of_the_wrong_type_is_kept_apart_and_labelled() -> None:
    text = "mapping: m\nformat: {kind: json}\nevents: [{class: network_activity, activity: traffic, fields: {src_ip: s, dst_port: p}}]"
    event = load_mapping(text, "m").parse(record(s="not an address", p="http")).events[0]
    assert event.data["unmapped"] == {"src_endpoint.ip": "not an address", "dst_endpoint.port": "http"}
    assert event.data["metadata"]["labels"] == ["unread:src_endpoint.ip", "unread:dst_endpoint.port", "time:received"]
    assert event.src_ip == ""


def test_patterns_templates_defaults_and_lists() -> None:
    text = """
mapping: m
format: {kind: syslog}
empty: ["-"]
events:
  - when: {app: sshd}
    match: {from: message, pattern: 'for (?P<user>\\S+) from (?P<ip>\\S+)'}
    class: authentication
    activity: logon
    message: "{user} from {ip}"
    fields:
      account: user
      src_ip: ip
      host: {from: [sd.x@1.name, host], lower: true}
      service: {from: procid, default: sshd}
      reason: {template: "{app}/{level}"}
      session.uid: {from: message, pattern: 'id=(\\d+)'}
"""
    line = b"<38>1 2026-03-01T12:00:00.5Z WEB1 sshd - - - Accepted for ann from 192.0.2.7 id=42"
    event = load_mapping(text, "m").parse(raw(line)).events[0]
    assert (event.message, event.src_ip, event.credential) == ("ann from 192.0.2.7", "192.0.2.7", "account:ann")
    assert event.data["device"]["hostname"] == "web1"
    assert event.data["service"]["name"] == "sshd"
    assert event.data["status_detail"] == "sshd/info"
    assert event.data["session"]["uid"] == "42"
    assert event.time == datetime(2026, 3, 1, 12, 0, 0, 500000, tzinfo=UTC)


def test_csv_records_carry_their_header() -> None:
    text = "mapping: m\nformat: {kind: csv}\ntime: {from: when, zone: UTC}\nevents: [{class: physical_access, fields: {badge: card, reader: at}}]"
    mapping = load_mapping(text, "m", key=KEY)
    event = mapping.parse(raw(b'when,card,at\n2026-03-01 08:00:00,77,"north, gate"')).events[0]
    assert event.data["ww_reader"]["uid"] == "north, gate"
    assert event.data["ww_credential"]["last4"] == "77"
    fault = mapping.parse(raw(b"when,number,at\n2026-03-01 08:00:00,77,n")).fault
    assert "line 1" in fault
    assert "'card'" in fault
    assert "format.optional" in fault
    short = mapping.parse(raw(b"when,card,at\n2026-03-01 08:00:00,77")).fault
    assert "2 values where 3 columns" in short
    encoded = mapping.parse(raw("when,card,at\n2026-03-01 08:00:00,77,Süd".encode("cp1252"))).fault
    assert "column 3" in encoded
    assert "format.encoding" in encoded


FAULTY = """
mapping: Bad Name
sorce: {}
source: {domain: moon, lateness: soon}
format: {kind: csv, delimiter: ";;", columns: [a, a]}
time: {from: t, format: "%H:%M", zone: Mars/Base}
events:
  - class: authentcation
  - class: authentication
    activity: logonn
    severity: awful
    when: {EventID: {equals: 3}}
    match: {pattern: '('}
    fields: {acount: user, host: {from: a, values: []}, camera: x, severity: y, user: z, status: {value: maybe}}
otherwise: drop
"""


def test_every_fault_of_a_mapping_is_named_with_line_and_remedy() -> None:
    with pytest.raises(ContentError) as caught:
        load_mapping(FAULTY, "bad.yaml")
    text = str(caught.value)
    lines = {fault.line for fault in caught.value.faults}
    assert {2, 3, 4, 5, 6, 8, 10, 11, 12, 13, 14, 15} <= lines
    for words in (
        "did you mean source?",
        "did you mean authentication?",
        "did you mean logon?",
        "did you mean account?",
        "is no time zone",
        "names no year",
        "does not belong to authentication",
        "user is an object",
        "'drop'",
        "'maybe' does not fit",
        "no duration",
    ):
        assert words in text
    assert all(fault.path == "bad.yaml" for fault in caught.value.faults)


def test_a_mended_mapping_reads_what_was_unparsed_and_keeps_the_uids() -> None:
    broken = load_mapping(DOORS.replace("%d.%m.%Y", "%Y-%m-%d"), "doors.yaml", key=KEY)
    records = [grant(), replace(grant(), uid="cd" * 16)]
    assert all(parsed.fault for parsed in reparse(records, broken))
    sample = unparsed_of(replace(grant(), body=b"\xff\x00" + b"x" * 900), "why")
    assert sample.sample.startswith("\\xff\\x00x")
    assert len(sample.sample) <= 220
    again = list(mended(records, load_mapping(DOORS, "doors.yaml", key=KEY)))
    assert [parsed.events[0].uid for _, parsed in again] == [uid_of("event", "ab" * 16, "0"), uid_of("event", "cd" * 16, "0")]


@pytest.mark.parametrize("kind", ["json", "syslog", "text"])
def test_a_source_without_mapping_is_kept_as_text(kind: str) -> None:
    body = {"json": b'{"a": "needle"}', "syslog": b"<13>Mar  1 12:00:00 h app: needle", "text": b"needle \xff"}[kind]
    parsed = bare_mapping(kind).parse(raw(body))
    assert "needle" in parsed.events[0].message
    assert not parsed.mapped


NATIVE = """
mapping: m
format: {kind: json}
logsource:
  product: windows
  service: {from: Channel, lower: true, values: {security: security}}
  category:
    - {when: {Channel: Sys}, from: EventID, values: {12: [registry_event, registry_add]}}
    - when: {Channel: Security, EventID: 4688}
      value: process_creation
      fields: {Image: NewProcessName, User: {template: "{D}\\\\{N}"}}
      blind: [OriginalFileName]
events: []
"""


def test_the_native_view_names_service_categories_and_fields() -> None:
    mapping = load_mapping(NATIVE, "m")
    native = mapping.parse(
        record(Channel="Security", EventID=4688, NewProcessName="c:\\x.exe", D="CORP", N="ann", **{"Threat Name": "t"})
    ).native
    assert native is not None
    assert (native.product, native.service, native.category) == ("windows", "security", "process_creation")
    assert (native.fields["Image"], native.fields["User"], native.fields["ThreatName"]) == ("c:\\x.exe", "CORP\\ann", "t")
    assert native.blind == {"OriginalFileName"}
    registry = mapping.parse(record(Channel="Sys", EventID="12", deep={"er": {"x": 1}})).native
    assert registry is not None
    assert (registry.categories, registry.service, registry.fields["deep.er.x"]) == (("registry_event", "registry_add"), "", 1)


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=300))
def test_no_body_makes_parsing_raise(body: bytes) -> None:
    for mapping in FUZZED:
        parsed = mapping.parse(raw(body))
        assert parsed.events or parsed.fault


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["Time", "Type", "Card", "Reader", "Dir", "EventID", "Seconds"]) | st.text(max_size=5), inner, max_size=6
        )
    ),
    max_leaves=12,
)


@settings(max_examples=80, deadline=None)
@given(st.dictionaries(st.sampled_from(["Time", "Type", "Card", "Reader", "Dir", "EventID", "Seconds", "Why"]), JSON, max_size=8))
def test_no_values_make_parsing_raise(columns: dict[str, object]) -> None:
    try:
        body = orjson.dumps(columns)
    except (TypeError, orjson.JSONEncodeError):
        return
    parsed = FUZZED[0].parse(raw(body))
    assert parsed.events or parsed.fault


WORDS = st.sampled_from(
    [
        "mapping",
        "format",
        "kind",
        "json",
        "csv",
        "time",
        "from",
        "events",
        "class",
        "authentication",
        "fields",
        "account",
        "when",
        "values",
        "columns",
        "header",
        "logsource",
        "category",
        "id",
        "x",
        "1",
        "iso",
    ]
)
YAML = st.recursive(
    WORDS | st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=5),
    max_leaves=15,
)


@settings(max_examples=120, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(["mapping", "source", "format", "time", "id", "product", "logsource", "fields", "events", "otherwise", "empty"]),
        YAML,
        max_size=8,
    )
)
def test_no_document_makes_the_loader_raise_anything_but_content_errors(document: dict[str, object]) -> None:
    try:
        text = orjson.dumps(document).decode()
    except (TypeError, orjson.JSONEncodeError):
        return
    with suppress(ContentError):
        load_mapping(text, "fuzz")


@settings(max_examples=80, deadline=None)
@given(st.text(max_size=200))
def test_no_text_makes_the_loader_raise_anything_but_content_errors(text: str) -> None:
    with pytest.raises(ContentError):
        load_mapping(text, "fuzz")


FUZZED = (
    load_mapping(DOORS, "d", key=KEY),
    load_mapping("mapping: c\nformat: {kind: csv}\nevents: [{class: base_event}]", "c"),
    load_mapping("mapping: s\nformat: {kind: syslog, message: pairs}\nevents: [{class: base_event}]", "s"),
    load_mapping("mapping: s\nformat: {kind: syslog}\ntime: {zone: Europe/Berlin}\nevents: [{class: base_event}]", "s"),
    load_mapping("mapping: t\nformat: {kind: text}\nevents: []", "t"),
    load_mapping("mapping: j\nformat: {kind: syslog, message: json}\nevents: []", "j"),
)
