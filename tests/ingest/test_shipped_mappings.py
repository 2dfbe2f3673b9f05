"""The shipped mappings over records that others recorded: none lost, class and time right, every event sound."""

import gzip
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest

from watchword.ingest.complete import complete
from watchword.ingest.mapping import Mapping, Parsed, load_mapping
from watchword.ingest.validator import validate
from watchword.model import RawRecord
from watchword.model.ocsf import Access, EventClass, Health, Video

CONTENT = Path(__file__).parents[2] / "src/watchword/content"
SHIPPED = sorted(CONTENT.glob("mappings/*.yaml")) + sorted(CONTENT.glob("demo/mappings/*.yaml"))
NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def shipped(name: str) -> Mapping:
    path = CONTENT / "mappings" / name
    return load_mapping(path.read_text(), path.name, key=b"k" * 32)


def parse_all(mapping: Mapping, bodies: Iterable[bytes]) -> list[Parsed]:
    return [mapping.parse(RawRecord(f"{number:032x}", "s", NOW, body)) for number, body in enumerate(bodies)]


def assert_sound(parsed: Iterable[Parsed]) -> None:
    problems = Counter(
        (event.class_uid, one.path, one.message)
        for one in parsed
        for event in one.events
        for one in validate(complete(event))
        if one.kind != "deprecated"
    )
    assert not problems


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_every_shipped_mapping_loads_and_says_what_it_is_for(path: Path) -> None:
    mapping = load_mapping(path.read_text(), path.name)
    assert mapping.name == path.stem
    assert mapping.describes


def test_unifi_protect(shared_data: Path) -> None:
    lines = (shared_data / "sources/uiprotect/events.jsonl").read_bytes().splitlines()
    parsed = parse_all(shipped("unifi-protect.yaml"), lines)
    assert len(parsed) == 1349
    assert not [one.fault for one in parsed if one.fault]
    assert all(one.mapped and len(one.events) == 1 for one in parsed)
    events = [one.events[0] for one in parsed]
    counts = Counter((event.class_uid, event.activity_id) for event in events)
    assert counts[EventClass.VIDEO_ANALYTIC, Video.PERSON] == 84 + 1
    assert counts[EventClass.VIDEO_ANALYTIC, Video.VEHICLE] == 8
    assert counts[EventClass.OCCUPANCY, 2] == 546 + 19
    assert counts[EventClass.ALARM_SIGNAL, 2] == 28
    assert counts[EventClass.AUTHENTICATION, 1] == 24
    assert counts[EventClass.DEVICE_HEALTH, Health.OFFLINE] == 6
    for line, event in zip(lines, events, strict=True):
        assert round(event.time.timestamp() * 1000) == orjson.loads(line)["start"]
    card = next(event for event in events if event.class_uid == EventClass.PHYSICAL_ACCESS)
    assert card.credential.startswith("badge:")
    assert card.activity_id not in {Access.GRANTED, Access.DENIED}  # whether it opened is not said
    assert "64B2A621" not in str(card)
    assert_sound(parsed)


def test_windows_regression_records(shared_data: Path) -> None:
    lines = (shared_data / "sigma/regression_events.jsonl").read_bytes().splitlines()
    parsed = parse_all(shipped("windows-json.yaml"), lines)
    assert not [one.fault for one in parsed if one.fault]
    assert sum(one.native is not None and one.native.category == "process_creation" for one in parsed) == 110
    for line, one in zip(lines, parsed, strict=True):
        stated = datetime.fromisoformat(orjson.loads(line)["SystemTime"])
        assert abs((one.events[0].time - stated).total_seconds()) < 0.001
    assert_sound(parsed)


@pytest.mark.slow
def test_windows_bench_records(shared_data: Path) -> None:
    mapping = shipped("windows-json.yaml")
    counts: Counter[tuple[int, int]] = Counter()
    total = 0
    with gzip.open(shared_data / "sigma/bench_events.jsonl.gz") as stream:
        for number, line in enumerate(stream):
            columns = orjson.loads(line)
            parsed = mapping.parse(RawRecord(f"{number:032x}", "s", NOW, line.strip()))
            assert not parsed.fault
            assert parsed.native is not None
            (event,) = parsed.events
            assert "time:received" not in event.data.get("metadata", {}).get("labels", [])
            counts[event.class_uid, event.activity_id] += 1
            security = str(columns["Channel"]).lower() == "security"
            if security and str(columns["EventID"]) == "4624":
                assert (event.class_uid, event.data["status_id"]) == (EventClass.AUTHENTICATION, 1)
            if parsed.mapped and number % 7 == 0:
                assert_sound([parsed])
            total += 1
    assert total == 60716
    assert counts[EventClass.PROCESS_ACTIVITY, 1] == 1212 + 600
    assert counts[EventClass.NETWORK_ACTIVITY, 1] == 354 + 775 + 145


def test_badge_and_flow_rows() -> None:
    badge = (
        shipped("badge-csv.yaml")
        .parse(RawRecord("1" * 32, "s", NOW, b"time,badge,reader,in/out\n2026-03-01 08:00:00,0004711,R1,In"))
        .events[0]
    )
    assert (badge.class_uid, badge.activity_id, badge.message) == (EventClass.PHYSICAL_ACCESS, 1, "badge …11 at R1, In")
    assert badge.data["ww_reader"] == {"uid": "R1", "direction": "in"}
    row = b"time,source address,destination,port,bytes\n2026-03-01T08:00:00Z,10.0.0.7,203.0.113.5,443,1200"
    flow = shipped("flow-csv.yaml").parse(RawRecord("1" * 32, "s", NOW, row)).events[0]
    assert (flow.src_ip, flow.dst_ip, flow.data["traffic"]["bytes_out"]) == ("10.0.0.7", "203.0.113.5", 1200)
    assert_sound([Parsed((badge, flow))])


@pytest.mark.parametrize(
    ("line", "class_uid", "account", "status"),
    [
        (
            b"<38>Nov 24 11:59:00 web1 sshd[9]: Accepted publickey for ann from 192.0.2.7 port 5022 ssh2",
            EventClass.AUTHENTICATION,
            "account:ann",
            1,
        ),
        (
            b"<38>Nov 24 11:59:00 web1 sshd[9]: Failed password for invalid user root from 192.0.2.7 port 5022 ssh2",
            EventClass.AUTHENTICATION,
            "account:root",
            2,
        ),
        (
            b"<86>1 2026-11-24T11:59:00Z web1 sudo - - -      ann : TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/ls -la",
            EventClass.AUTHORIZE_SESSION,
            "account:ann",
            None,
        ),
        (b"<30>Nov 24 11:59:00 web1 cron[1]: hello", EventClass.BASE_EVENT, "", None),
    ],
)
def test_linux_syslog(line: bytes, class_uid: int, account: str, status: int | None) -> None:
    parsed = parse_all(shipped("syslog-linux.yaml"), [line])
    (event,) = parsed[0].events
    assert (event.class_uid, event.credential, event.data.get("status_id")) == (class_uid, account, status)
    assert event.time == datetime(2026, 11, 24, 11, 59, tzinfo=UTC)
    assert event.data["device"]["hostname"] == "web1"
    assert_sound(parsed)


def test_cef() -> None:
    mapping = shipped("cef.yaml")
    allowed = (
        b"<134>Nov 24 11:59:00 fw1 CEF:0|Acme|Wall|1|100|connection|3|src=10.0.0.1 dst=203.0.113.9 dpt=443 act=allow in=10 out=20 proto=TCP"
    )
    grave = b"<134>Nov 24 11:59:00 fw1 CEF:0|Acme|Wall|1|200|Beacon seen|9|src=10.0.0.1 dst=203.0.113.9 rt=1771934400000"
    parsed = parse_all(mapping, [allowed, grave])
    flow, finding = (one.events[0] for one in parsed)
    assert (flow.class_uid, flow.activity_id, flow.src_ip, flow.dst_ip) == (EventClass.NETWORK_ACTIVITY, 6, "10.0.0.1", "203.0.113.9")
    assert (finding.class_uid, finding.severity_id, finding.time) == (
        EventClass.DETECTION_FINDING,
        5,
        datetime.fromtimestamp(1771934400, UTC),
    )
    assert_sound(parsed)
