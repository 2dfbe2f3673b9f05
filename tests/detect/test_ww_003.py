"""Rule 3: remote session while badged in."""

from tests.detect.story import Story, at, detector, judged, verdict

from watchword.model import Event
from watchword.model.ocsf import EventClass

OUT = "198.51.100.7"


def vpn(story: Story, when: object, number: int, address: str = OUT, **data: object) -> Event:
    found = {"user": {"name": f"p{number}"}, "src_endpoint": {"ip": address}, **data}
    return story.add(when, "idp", EventClass.TUNNEL_ACTIVITY, 1, credential=f"account:p{number}", src_ip=address, data=found)  # type: ignore[arg-type]


def test_vpn_while_in() -> None:
    story = Story()
    door = story.enter(at("8:00"), "office", 1)
    session = vpn(story, at("9:00"), 1)
    found = verdict("ww_003", story)
    assert [finding.events for finding in found] == [(door.uid, session.uid)]
    assert OUT in found[0].because
    assert "Office" in found[0].because
    assert OUT in found[0].addresses


def test_reconnecting_gives_one_finding() -> None:
    story = Story()
    story.enter(at("8:00"), "office", 1)
    for minute in range(10):
        vpn(story, at(f"9:0{minute}"), 1)
    assert len(verdict("ww_003", story)) == 1


def test_remote_desktop_and_vpn_log_on_count() -> None:
    for data in ({"kind": 10}, {"kind": 3, "service": {"name": "corp-vpn"}}):
        story = Story()
        story.enter(at("8:00"), "office", 1)
        story.logon(at("9:00"), 1, "jump", remote=True, src_endpoint={"ip": OUT}, **data)  # type: ignore[arg-type]
        assert len(verdict("ww_003", story)) == 1


def test_near_misses() -> None:
    out = Story()
    out.enter(at("8:00"), "front", 1)
    out.leave(at("8:30"), "front", 1)
    vpn(out, at("9:00"), 1)
    never = Story()
    vpn(never, at("9:00"), 1)
    decayed = Story()
    decayed.enter(at("8:00"), "server", 1)
    vpn(decayed, at("8:00", day=2), 1)
    inside = Story()
    inside.enter(at("8:00"), "office", 1)
    vpn(inside, at("9:00"), 1, "10.0.0.1")
    phone = Story()
    phone.enter(at("8:00"), "office", 1)
    vpn(phone, at("9:00"), 1, ww_network_kind="mobile")
    arriving = Story()
    vpn(arriving, at("8:00"), 1)
    arriving.enter(at("8:00:01"), "front", 1)
    other = Story()
    other.enter(at("8:00"), "office", 2)
    vpn(other, at("9:00"), 1)
    for story in (out, never, decayed, inside, phone, arriving, other):
        assert verdict("ww_003", story) == []


def test_own_egress_is_exempt() -> None:
    story = Story()
    story.enter(at("8:00"), "office", 1)
    vpn(story, at("9:00"), 1)
    assert judged(detector("ww_003", story.directory, own_networks=["198.51.100.0/28"]), story.events) == []


def test_no_verdict_while_the_doors_are_silent() -> None:
    story = Story()
    story.enter(at("8:00"), "office", 1)
    vpn(story, at("9:00"), 1)
    assert verdict("ww_003", story, marks={"doors": at("8:30")}) == []
