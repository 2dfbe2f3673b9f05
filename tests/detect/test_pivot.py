"""The pivot: what a finding shares with other events of the window."""

from datetime import timedelta

from tests.detect.story import Story, at

from watchword.detect.address import OwnNetwork, networks_of
from watchword.detect.insight import own_network_of
from watchword.detect.pivot import Kind, query_of, related, shared_values, window_of
from watchword.model import Event, Finding


def finding(*events: Event, uid: str = "f") -> Finding:
    times = [event.time for event in events]
    return Finding(
        uid,
        "r",
        1,
        "t",
        3,
        0.8,
        times[-1],
        times[0],
        times[-1],
        "",
        assets=tuple(event.asset for event in events if event.asset),
        credentials=tuple(event.credential for event in events if event.credential),
        addresses=tuple(event.dst_ip for event in events if event.dst_ip),
        events=tuple(event.uid for event in events),
    )


def test_external_address_first_then_credential_then_asset() -> None:
    story = Story()
    door = story.enter(at("9:00"), "closet", 1)
    flow = story.flow(at("9:10"), "ws-1")
    other = story.flow(at("9:20"), "ws-2")
    story.flow(at("9:30"), "ws-1", "198.51.100.1")
    again = story.enter(at("12:00"), "office", 1)
    found = related(finding(door, flow), story.events, own_network_of(story.directory))
    assert [(item.kind, item.value) for item in found] == [
        (Kind.ADDRESS, "203.0.113.9"),
        (Kind.CREDENTIAL, "badge:1"),
        (Kind.ASSET, "asset:ws-1"),
    ]
    assert [event.uid for event in found[0].events] == [other.uid]
    assert found[0].assets == ("asset:ws-2",)
    assert [event.uid for event in found[1].events] == [again.uid]


def test_nothing_shared_is_left_out_and_other_findings_are_named() -> None:
    story = Story()
    flow = story.flow(at("9:10"), "ws-1")
    assert related(finding(flow), story.events, own_network_of(story.directory)) == []
    second = story.flow(at("9:20"), "ws-2")
    found = related(finding(flow), story.events, own_network_of(story.directory), [finding(second, uid="g")])
    assert found[0].findings == ("g",)


def test_inner_addresses_are_not_shared() -> None:
    story = Story()
    flow = story.flow(at("9:10"), "ws-1", "10.0.1.1")
    story.flow(at("9:20"), "ws-2", "10.0.1.1")
    assert all(item.kind is not Kind.ADDRESS for item in related(finding(flow), story.events, own_network_of(story.directory)))
    own = OwnNetwork(networks_of(["203.0.113.0/24"]))
    outer = story.flow(at("9:30"), "ws-1")
    assert shared_values(finding(outer), [outer], own) == [(Kind.ASSET, "asset:ws-1")]
    assert not own.external("::ffff:10.1.2.3")
    assert not own.external("not an address")
    assert OwnNetwork().external("2a00::1")


def test_the_nearest_are_listed_and_all_are_counted() -> None:
    story = Story()
    flow = story.flow(at("9:00"), "ws-1")
    for minute in range(1, 31):
        story.flow(at(f"9:{minute:02}"), "ws-2")
    found = related(finding(flow), story.events, own_network_of(story.directory), limit=5)
    assert found[0].total == 30
    assert [event.time for event in found[0].events] == [at(f"9:0{minute}") for minute in range(1, 6)]


def test_queries_and_window() -> None:
    story = Story()
    flow = story.flow(at("9:00"), "ws-1")
    since, until = window_of(finding(flow), timedelta(hours=1))
    assert (since, until) == (at("8:00"), at("10:00"))
    assert query_of(Kind.ADDRESS, "203.0.113.9", since, until, 5).addresses == ("203.0.113.9",)
    assert query_of(Kind.CREDENTIAL, "badge:1", since, until, 5).credentials == ("badge:1",)
    assert query_of(Kind.ASSET, "asset:ws-1", since, until, 5).assets == ("asset:ws-1",)
