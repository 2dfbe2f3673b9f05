"""A small house with real stores: one site of three zones, two people, two sources, six events and two findings."""

import json
from datetime import UTC, datetime, timedelta

from argon2 import PasswordHasher

from watchword.app.accounts import Passwords, Role
from watchword.app.settings import Settings
from watchword.app.watchword import open_watchword
from watchword.kit.clock import ManualClock
from watchword.kit.ids import uid_of
from watchword.model import Domain, Event, Finding, Mode, RawRecord, Source, SourceKind, SourceStatus
from watchword.model.ocsf import Access, Authentication, EventClass, Health
from watchword.resolve.plan import floors_of

NOW = datetime(2026, 3, 3, 7, 50, tzinfo=UTC)
PASSWORD = "correct horse battery"
INJECTION = "<script>alert('x')</script>"
SITE = """
site: harbour
name: Harbour House
zone: Europe/Berlin
location: {latitude: 53.54, longitude: 9.98, city: Hamburg}
buildings:
  main:
    name: Main building
    floors:
      "0":
        name: Ground floor
        zones:
          lobby: {name: Lobby, kind: public}
          office-a: {name: Office A}
          server-room: {name: Server room 2, kind: critical}
doors:
  D-01: {name: Front door, from: outside, to: lobby, readers: {in: R-01-in, out: R-01-out}, egress: true}
  D-02: {name: Office door, from: lobby, to: office-a, readers: {in: R-02}}
  D-03: {name: Server room 2 door, from: lobby, to: server-room, readers: {in: R-03}}
assets:
  ws-042: {kind: workstation, place: office-a, owner: "1042", addresses: [10.1.2.42]}
  sw-1: {kind: switch, place: server-room, addresses: [10.1.0.2]}
  cam-03: {kind: camera, place: lobby, sees: [D-01, D-03], addresses: [10.1.3.3], upstream: sw-1}
calendars:
  day-shift: {days: mon-fri, hours: "08:00-18:00"}
"""
PEOPLE = """employee,name,kind,role,site,since,until,shift,badges,accounts,assets
1042,Ana Reyes,employee,engineer,harbour,2024-01-01,,day-shift,0004711,areyes,ws-042
1043,Li Bo,contractor,,harbour,2024-01-01,2026-02-01,,0004712,bli,
"""
REYES = "person:1042"
DOOR = "harbour/doors/D-03"


def open_house(folder):
    """Return a furnished Watchword, its clock standing still at `NOW`."""
    watchword = open_watchword(Settings(data=folder, name="Harbour watch"), ManualClock(NOW))
    watchword.accounts._passwords = Passwords(PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))
    watchword.registry.load_site(SITE, "site.yaml", "test")
    watchword.registry.load_people(PEOPLE, "people.csv", "test")
    for source in SOURCES:
        watchword.ledger.put_source(source)
    for name, role in (("root", Role.ADMINISTRATOR), ("ada", Role.IT_ANALYST), ("otto", Role.CONTROL_ROOM_OPERATOR), ("mia", Role.MANAGER)):
        watchword.accounts.create(name, role, PASSWORD, actor="test", full_name={"ada": "Ada L."}.get(name, ""))
    watchword.accounts.create("aud", Role.AUDITOR, PASSWORD, actor="test")
    events = standard_events(watchword)
    hand_in(watchword, events)
    watchword.findings.put([lisbon(events), offline(events)])
    assert floors_of(watchword.registry.directory().site, "harbour")
    return watchword


SOURCES = (
    Source("harbour-doors", Domain.PHYSICAL, SourceKind.ACCESS_CONTROL, "webhook", site="harbour", rhythm=timedelta(minutes=30)),
    Source("windows", Domain.IT, SourceKind.HOST, "webhook", rhythm=timedelta(minutes=30)),
    Source("cameras", Domain.PHYSICAL, SourceKind.VIDEO, "webhook", site="harbour", rhythm=timedelta(minutes=5)),
)


def credential(watchword, kind):
    directory = watchword.registry.directory()
    return next(link.entity for link in directory.people.links if link.person == REYES and link.entity.startswith(kind))


def event(number, source, minutes, class_uid, activity, message, **more):
    """Return an event so many minutes before `NOW`."""
    record = uid_of("record", source, str(number))
    at = NOW - timedelta(minutes=minutes)
    received = more.pop("received", at + timedelta(seconds=2))
    data = more.pop("data", {"message": message})
    return Event(
        uid_of("event", record, "0"), record, source, at, received, int(class_uid), int(activity), message=message, data=data, **more
    )


def standard_events(watchword):
    """Return the house's six events, identified."""
    badge = credential(watchword, "badge:")
    door = {"ww_portal": {"uid": DOOR}, "ww_reader": {"uid": "R-03", "direction": "in"}, "ww_zone": {"uid": "harbour/main/0/server-room"}}
    found = [
        event(1, "harbour-doors", 12, EventClass.PHYSICAL_ACCESS, Access.DENIED, "badge refused at R-03", place=DOOR, credential=badge, data=door),
        event(2, "harbour-doors", 9, EventClass.PHYSICAL_ACCESS, Access.GRANTED, "badge opened R-03", place=DOOR, credential=badge, data=door),
        event(3, "windows", 15, EventClass.AUTHENTICATION, Authentication.LOGON, f"areyes logged on {INJECTION}", credential="account:areyes",
              src_ip="203.0.113.9", data={"user": {"name": "areyes"}, "is_remote": True}),
        event(4, "cameras", 30, EventClass.DEVICE_HEALTH, Health.OFFLINE, "cam-03 is offline", asset="asset:cam-03",
              place="harbour/main/0/lobby", severity_id=3),
        event(5, "harbour-doors", 3, EventClass.PHYSICAL_ACCESS, Access.FORCED, "Front door forced", place="harbour/doors/D-01", severity_id=4),
        event(6, "windows", 20, EventClass.NETWORK_ACTIVITY, 6, "ws-042 sent 4,000,000 bytes", asset="asset:ws-042",
              src_ip="10.1.2.42", dst_ip="203.0.113.9"),
    ]  # fmt: skip
    return [watchword.registry.directory().identify(each) for each in found]


def hand_in(watchword, events):
    """Seal and store the events as the worker does."""
    records = [RawRecord(each.record, each.source, each.received, json.dumps({"raw": each.message}).encode()) for each in events]
    tally = [
        SourceStatus(
            name,
            accepted=len(mine),
            parsed=len(mine),
            events=len(mine),
            last_received=max(e.received for e in mine),
            last_time=max(e.time for e in mine),
        )
        for name in {each.source for each in events}
        if (mine := [each for each in events if each.source == name])
    ]
    segment = watchword.sealer.seal([], records, events, tally=tally)
    watchword.sealer.store(segment)
    return segment


def lisbon(events, number="1"):
    """Return the finding that rests on both sides."""
    logon, granted = events[2], events[1]
    return Finding(
        uid_of("finding", number), "ww_004", 1, "Badge used while the account works elsewhere", 4, 0.85, granted.time, logon.time, granted.time,
        "A. Reyes's badge opened Server room 2 door at 08:41 (Berlin) while her account was working from Lisbon: one person cannot be in both "
        "places. Camera 3, which covers the door, has been offline since 08:20.",
        persons=(REYES,), places=(DOOR,), credentials=("account:areyes",), addresses=("203.0.113.9",), events=(logon.uid, granted.uid),
        mode=Mode.PAGE, attack=("T1078",),
    )  # fmt: skip


def offline(events):
    """Return a finding that calls nobody."""
    lost = events[3]
    return Finding(
        uid_of("finding", "2"), "ww_013", 1, "Camera lost", 3, 0.6, lost.time, lost.time, lost.time,
        f"cam-03 in Lobby stopped sending at 08:20 (Berlin) {INJECTION}; a door in its view opened since.",
        assets=("asset:cam-03",), places=("harbour/main/0/lobby",), events=(lost.uid,),
    )  # fmt: skip
