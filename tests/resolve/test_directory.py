from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from watchword.ingest.credential import badge_uid
from watchword.model import AssetBook, Link, PeopleBook, SiteBook
from watchword.model.ocsf import Authentication, EventClass, Health, Video, Visit
from watchword.resolve import Directory, unresolved_of

KEY = b"k" * 32
REYES = badge_uid(KEY, "0004711")
TEMPORARY = badge_uid(KEY, "0000815")
LOBBY, SERVER_ROOM, OFFICE = "harbour/main/0/lobby", "harbour/main/0/server-room", "harbour/main/0/office"


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_a_passage_gets_person_door_and_the_zone_being_entered(directory, event_of):
    event = directory.identify(event_of(credential=REYES, data={"ww_reader": {"uid": "R-02"}, "metadata": {"a": 1}}))
    assert (event.person, event.place, event.site) == ("person:1042", "harbour/doors/D-02", "harbour")
    assert event.data == {
        "metadata": {"a": 1},
        "ww_portal": {"uid": "harbour/doors/D-02", "name": "Server room 2 door", "from_zone": LOBBY, "to_zone": SERVER_ROOM},
        "ww_reader": {"uid": "R-02", "direction": "in"},
        "ww_zone": {"uid": SERVER_ROOM},
        "ww_site_uid": "harbour",
    }


def test_an_exit_reader_leads_back_to_the_outer_zone(directory, event_of):
    event = directory.identify(event_of(data={"ww_reader": {"uid": "R-01-out"}}))
    assert event.data["ww_zone"] == {"uid": "harbour/outside"}
    assert event.data["ww_reader"]["direction"] == "out"


def test_a_reader_for_both_ways_goes_by_what_the_event_says(directory, event_of):
    out = directory.identify(event_of(data={"ww_reader": {"uid": "R-04", "direction": "out"}}))
    assert out.data["ww_zone"] == {"uid": LOBBY}
    untold = directory.identify(event_of(data={"ww_reader": {"uid": "R-04"}}))
    assert untold.place == "harbour/doors/D-04"
    assert "ww_zone" not in untold.data
    assert "direction" not in untold.data["ww_reader"]


@pytest.mark.parametrize("name", ["D-01", "d-01", "Front door", "harbour/doors/D-01"])
def test_a_door_is_known_by_its_names(directory, event_of, name):
    event = directory.identify(event_of(data={"ww_portal": {"uid": name}, "ww_reader": {"direction": "in"}}))
    assert event.place == event.data["ww_portal"]["uid"] == "harbour/doors/D-01"
    assert event.data["ww_zone"] == {"uid": LOBBY}
    assert event.data["ww_reader"] == {"uid": "R-01-in", "direction": "in"}


def test_a_door_read_one_way_only_tells_the_direction(directory, event_of):
    assert directory.identify(event_of(data={"ww_portal": {"uid": "D-02"}})).data["ww_zone"] == {"uid": SERVER_ROOM}
    assert "ww_zone" not in directory.identify(event_of(data={"ww_portal": {"uid": "D-01"}})).data


def test_what_an_event_states_is_never_overwritten(directory, event_of):
    stated = event_of(credential=REYES, person="person:9", place="mill/doors/G-01", data={"ww_reader": {"uid": "R-02"}})
    assert directory.identify(stated) is stated
    event = directory.identify(event_of(data={"ww_reader": {"uid": "R-02", "kind": "osdp"}, "ww_zone": {"uid": "x"}, "ww_site_uid": "y"}))
    assert event.data["ww_zone"] == {"uid": "x"}
    assert event.data["ww_site_uid"] == "y"
    assert event.data["ww_reader"] == {"uid": "R-02", "direction": "in", "kind": "osdp"}


def test_the_unknown_stays_unresolved_and_is_named(directory, event_of):
    event = event_of(credential="badge:ff", data={"ww_reader": {"uid": "R-99"}})
    assert directory.identify(event) is event
    assert unresolved_of(event) == ("badge:ff", "reader:R-99")
    assert unresolved_of(directory.identify(event_of(credential=REYES, data={"ww_reader": {"uid": "R-02"}}))) == ()


def test_a_temporary_badge_belongs_to_its_holder_only_while_it_is_lent(directory):
    held = [directory.holder(TEMPORARY, at(day)) for day in ("2026-01-31", "2026-02-01", "2026-02-14T23:59", "2026-02-15")]
    assert [link.person if link else None for link in held] == [None, "person:1042", "person:1042", None]


def test_a_reassigned_badge_is_read_as_of_event_time(event_of):
    links = (Link("badge:a", "person:1", None, at("2026-02-01")), Link("badge:a", "person:2", at("2026-02-01"), None))
    directory = Directory(SiteBook(), PeopleBook(links=links), AssetBook())
    persons = [directory.identify(event_of(at=day, credential="badge:a")).person for day in ("2026-01-31T23:59:59", "2026-02-01")]
    assert persons == ["person:1", "person:2"]


def test_two_exact_links_that_disagree_make_no_merge(event_of):
    links = (Link("badge:a", "person:1"), Link("badge:a", "person:2", at("2026-02-01")))
    directory = Directory(SiteBook(), PeopleBook(links=links), AssetBook())
    assert directory.holder("badge:a", at("2026-01-01")).person == "person:1"
    assert directory.holder("badge:a", at("2026-03-01")) is None
    weak = replace(links[1], confidence=0.6)
    assert Directory(SiteBook(), PeopleBook(links=(links[0], weak)), AssetBook()).holder("badge:a", at("2026-03-01")).person == "person:1"


def test_two_exact_keys_of_one_event_that_disagree_make_no_merge(directory, event_of):
    event = directory.identify(event_of(credential=REYES, data={"user": {"uid": "1043"}}))
    assert event.person == ""
    assert event.data["ww_identity_conflict"] == ["person:1042", "person:1043"]
    agreed = directory.identify(event_of(credential=REYES, data={"user": {"uid": "1042", "email_addr": "A.Reyes@harbour.example"}}))
    assert agreed.person == "person:1042"


def test_a_name_shown_never_joins(directory, event_of):
    assert directory.identify(event_of(data={"user": {"full_name": "Ana Reyes"}})).person == ""


@pytest.mark.parametrize("user", [{"uid": "1042"}, {"email_addr": "a.reyes@harbour.example"}, {"name": "HARBOUR\\AReyes"}])
def test_a_person_is_known_by_number_mail_or_account(directory, event_of, user):
    assert directory.identify(event_of(EventClass.AUTHENTICATION, data={"user": user})).person == "person:1042"


def test_a_weak_link_says_so(event_of):
    directory = Directory(SiteBook(), PeopleBook(links=(Link("plate:a", "person:1", confidence=0.6),)), AssetBook())
    event = directory.identify(event_of(credential="plate:a"))
    assert (event.person, event.data["ww_person_confidence"]) == ("person:1", 0.6)


@pytest.mark.parametrize(
    "device",
    [{"hostname": "WS-042"}, {"hostname": "ws-042.harbour.example"}, {"ip": "10.1.2.42"}, {"mac": "0011.2233.4455"}, {"uid": "ws-042"}],
)
def test_a_host_is_known_by_its_names_and_addresses(directory, event_of, device):
    event = directory.identify(event_of(EventClass.AUTHENTICATION, Authentication.LOGON, data={"device": device}))
    assert (event.asset, event.place) == ("asset:ws-042", OFFICE)


def test_traffic_belongs_to_the_sender_and_to_nobody(directory, event_of):
    event = directory.identify(event_of(EventClass.NETWORK_ACTIVITY, 6, src_ip="10.1.2.42", data={"device": {"hostname": "sw-1"}}))
    assert (event.asset, event.place, event.person) == ("asset:ws-042", OFFICE, "")
    assert directory.owner(event.asset, event.time) == "person:1042"
    unknown = directory.identify(event_of(EventClass.NETWORK_ACTIVITY, 6, src_ip="10.9.9.9"))
    assert unresolved_of(unknown) == ("address:10.9.9.9",)
    assert unresolved_of(event_of(EventClass.NETWORK_ACTIVITY, 6, src_ip="9.9.9.9")) == ()


def test_an_address_that_was_given_to_another_machine_is_read_as_of_event_time(directory):
    assert [directory.asset_at("10.1.2.77", at(day)).name for day in ("2026-02-28T23:00:00", "2026-02-28T22:59:59")] == ["new", "old"]


def test_a_camera_speaks_of_its_zone_unless_it_names_one(directory, event_of):
    data = {"ww_camera_track": {"camera_uid": "cam-03"}}
    event = directory.identify(event_of(EventClass.VIDEO_ANALYTIC, Video.PERSON, data=data))
    assert (event.asset, event.place) == ("asset:cam-03", LOBBY)
    event = directory.identify(event_of(EventClass.VIDEO_ANALYTIC, Video.PERSON, data={**data, "ww_zone": {"uid": "Vault"}}))
    assert event.place == "harbour/main/0/vault"
    offline = directory.identify(event_of(EventClass.DEVICE_HEALTH, Health.OFFLINE, data={"device": {"uid": "CAM-03"}}))
    assert (offline.asset, offline.place) == ("asset:cam-03", LOBBY)


def test_a_visit_is_at_its_site_when_nothing_nearer_is_said(directory, event_of):
    assert directory.identify(event_of(EventClass.VISITOR, Visit.CHECKED_IN, data={"ww_site_uid": "mill"})).place == "mill"


def test_ambiguous_names_name_nothing():
    from watchword.resolve.site_file import read_site

    text = "site: {0}\nzones: {{hall: }}\ndoors: {{D: {{from: outside, to: hall, readers: {0}-r}}}}"
    site, assets = read_site("\n---\n".join(text.format(name) for name in ("a", "b")), "s")
    directory = Directory(site, PeopleBook(), assets)
    assert directory.door_named("D") == ""
    assert directory.door_named("D", "b") == "b/doors/D"
    assert directory.zone_named("hall", "a") == "a/main/0/hall"


def test_containment(directory):
    assert directory.within(LOBBY, "harbour")
    assert directory.within("harbour/doors/D-02", "harbour/main")
    assert directory.within("harbour/doors/D-02", SERVER_ROOM)
    assert not directory.within("harbour/outside", "harbour")
    assert directory.within("harbour/outside", "harbour/outside")
    assert not directory.within("harbour/main/0/lobby2", LOBBY)
    assert not directory.within("harbour", LOBBY)


def test_ways_out(directory):
    assert [door.name for door in directory.perimeter_doors("harbour")] == ["Front door"]
    assert not directory.exits_unread("harbour")
    assert not directory.exits_unread("harbour/outside")
    assert directory.exits_unread(LOBBY)
    assert directory.exits_unread(SERVER_ROOM)
    assert not directory.exits_unread("harbour/main/0/vault")
    assert directory.exits_unread("shed")
    assert directory.is_critical(SERVER_ROOM)
    assert not directory.is_critical(LOBBY)


def test_zones_doors_readers_and_assets_of_a_person(directory):
    assert len(directory.zones("harbour")) == 5
    assert len(directory.doors()) == 6
    assert len(directory.doors("mill")) == 1
    assert directory.reader("R-02").door == "harbour/doors/D-02"
    assert [asset.name for asset in directory.assets_of("person:1042")] == ["ws-042"]


def test_words_for_people(directory):
    assert directory.label("person:1042") == "A. Reyes"
    assert directory.label("person:1043") == "L. Bo"
    assert directory.label("person:9") == "person 9"
    assert directory.label(SERVER_ROOM) == "Server room 2"
    assert directory.label("harbour/main/0") == "Main building, floor 0"
    assert directory.label("harbour/outside") == "Harbour House, outside"
    assert directory.label("harbour/doors/D-02") == "Server room 2 door"
    assert directory.label("harbour/doors/D-03") == "door D-03"
    assert directory.label("asset:ws-042") == "ws-042"
    assert directory.label(REYES) == "badge …11"
    assert directory.label("badge:abcdef0123") == "unknown badge #abcdef"
    assert directory.label("account:areyes") == "areyes"
    assert directory.label("elsewhere") == "elsewhere"


def test_calendars_follow_local_time_and_holidays(directory):
    def on(text, name="day-shift"):
        return directory.on_calendar(name, at(text), "harbour")

    assert [on(text) for text in ("2026-02-10T05:59", "2026-02-10T06:00", "2026-02-10T17:59", "2026-02-10T18:00")] == [
        False,
        True,
        True,
        False,
    ]
    assert [on(text) for text in ("2026-07-10T04:59", "2026-07-10T05:00")] == [False, True]
    assert not on("2026-02-14T09:00")
    assert not on("2026-12-25T09:00")
    assert on("2026-02-14T04:59", "night-shift")
    assert not on("2026-02-14T05:00", "night-shift")
    assert not on("2026-02-15T23:00", "night-shift")
    assert directory.on_calendar("day-shift", at("2026-02-10T09:00"))
    assert not directory.on_calendar("none", at("2026-02-10T09:00"))


def test_an_overnight_shift_holds_through_the_night_when_clocks_change(directory):
    hours = [at("2026-03-27T21:00") + timedelta(hours=hour) for hour in range(8)]
    assert [directory.on_calendar("night-shift", hour) for hour in hours] == [True] * 8
    assert not directory.on_calendar("night-shift", at("2026-03-28T05:00"))
    assert str(directory.time_zone("mill/doors/G-01")) == "Europe/Lisbon"


def test_a_calendar_of_two_sites_is_the_sites_own():
    from watchword.resolve.site_file import read_site

    text = 'site: {0}\nzone: {1}\ncalendars: {{shift: {{hours: "08:00-16:00"}}}}'
    site, assets = read_site("\n---\n".join([text.format("a", "Europe/Berlin"), text.format("b", "Asia/Tokyo")]), "s")
    directory = Directory(site, PeopleBook(), assets)
    morning = at("2026-02-10T00:00")
    assert [directory.on_calendar("shift", morning, name) for name in ("a", "b", "")] == [False, True, True]
    assert directory.on_calendar("b/calendars/shift", morning)


def test_owners_are_those_of_the_time_asked_for_and_nobody_for_a_shared_thing(directory):
    links = (
        Link("asset:ws-042", "person:1043", until=at("2026-02-01")),
        Link("asset:ws-042", "person:1042", since=at("2026-02-01")),
        Link("asset:con-1", "person:1042"),
    )
    book = Directory(directory.site, replace(directory.people, links=links), directory.assets)
    assert set(book.owners("asset:ws-042")) == {"person:1042", "person:1043"}
    assert "person:1043" not in book.owners("asset:ws-042", since=at("2026-02-01"))
    assert "person:1043" in book.owners("asset:ws-042", since=at("2026-01-01"), until=at("2026-01-02"))
    assert book.owners("asset:con-1") == ()
    assert book.owners("asset:sw-1") == ()
    assert book.owners("asset:none") == ()
