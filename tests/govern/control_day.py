"""One good day of a small house, told so that all thirty control tests pass; tests take things away from it, or add what breaks one."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import Any

from tests.detect.story import ASSETS, CALENDARS, CLOSET, DOORS, LOBBY, OFFICE, PEOPLE, PLACES, SERVER, Story, at

from watchword.govern.control_book import Book
from watchword.govern.control_facts import CheckFact, Facts, FindingFact, IncidentFact, SourceFact
from watchword.measure.compliance import Way
from watchword.model import (
    Asset,
    AssetBook,
    AssetKind,
    Calendar,
    Credential,
    CredentialKind,
    Domain,
    Link,
    PeopleBook,
    Period,
    SiteBook,
    SourceKind,
)
from watchword.model.ocsf import Access, BuildingControl, EventClass, Health, Visit
from watchword.model.uptime import Cover, UptimeBook
from watchword.resolve.directory import Directory

NOW = at("18:00")
LEFT = at("12:00", -7)
PANEL, UPS, SENSOR, HC = "asset:panel", "asset:ups", "asset:sensor", "asset:hc-1"
TAG = "asset:ws-1"
NIGHT = Calendar("night", "Europe/Berlin", (Period(frozenset(range(7)), time(20), time(23, 59)),))
EXTRA = [
    Asset(PANEL, "panel", AssetKind.PANEL, LOBBY, addresses=("panel",), protects=("hq/main",)),
    Asset(HC, "hc-1", AssetKind.CONTROLLER, CLOSET, addresses=("hc-1",)),
    Asset(SENSOR, "sensor", AssetKind.SENSOR, SERVER, addresses=("sensor",)),
    Asset(UPS, "ups", AssetKind.OTHER, SERVER, addresses=("ups",)),
]
SOURCES = {
    "doors": SourceKind.ACCESS_CONTROL,
    "panel": SourceKind.ALARM,
    "cameras": SourceKind.VIDEO,
    "visitors": SourceKind.VISITOR,
    "idp": SourceKind.IDENTITY,
    "building": SourceKind.BUILDING,
}
ROLES = {SERVER: frozenset({"administrator"}), CLOSET: frozenset({"administrator"})}
BOOK = Book(
    roles=ROLES,
    vestibules=(("hq/doors/front", "hq/doors/office"),),
    posts=(LOBBY,),
    racks=("hq/doors/server",),
    power=(UPS,),
    tracked={TAG: (OFFICE,)},
    skills={"administrator": ("badge systems",)},
    version=1,
)


def small_house() -> Directory:
    """Return one site of `tests.detect.story`, with panel, controller, sensor and power supply, covers and schedules."""
    here = {place.uid: place for place in PLACES if place.uid.split("/")[0] == "hq"}
    doors = {
        door.uid: replace(door, egress=True, egress_hardware="free_mechanical", egress_checked=date(2026, 10, 1))
        if door.name == "Front door"
        else door
        for door in DOORS
        if door.uid.startswith("hq/") and door.name != "Stores door"
    }
    uptime = UptimeBook(armed={PANEL: "hq/calendars/night"}, covers=(Cover(OFFICE, 1),))
    site = SiteBook(here, doors, {**CALENDARS, "hq/calendars/night": NIGHT}, (), uptime)
    people = {person.uid: person for person in PEOPLE if person.uid in {"person:1", "person:2", "person:4"}}
    credentials: dict[str, Credential] = {}
    links = []
    for number in (1, 2, 4):
        credentials[f"badge:{number}"] = Credential(f"badge:{number}", CredentialKind.BADGE, f"000{number}")
        credentials[f"account:p{number}"] = Credential(f"account:p{number}", CredentialKind.ACCOUNT, f"p{number}")
        links += [Link(f"badge:{number}", f"person:{number}"), Link(f"account:p{number}", f"person:{number}")]
    assets = {asset.uid: asset for asset in [*ASSETS, *EXTRA] if asset.place.startswith("hq/") and asset.uid != "asset:kiosk"}
    return Directory(site, PeopleBook(people, credentials, tuple(links)), AssetBook(assets))


def check(kind: str, target: str = "", days: float = 1, **more: Any) -> CheckFact:
    """Return a check made some days ago."""
    return CheckFact(kind, target, NOW - timedelta(days=days), ref=("event", f"{kind} {target}"), **more)


CHECKS = (
    *(check(kind, "hq") for kind in ("access-review", "log-review", "footage", "footage-review", "visitor-purge")),
    check("visitor-review", "hq", 0.5, way=Way.TELEMETRY),
    *(check("lock-test", f"hq/doors/{name}", 30) for name in ("front", "office", "server", "closet")),
    *(check("tamper-test", each, 10) for each in (PANEL, HC)),
    check("walk-test", PANEL, 10),
    check("fire-test", PANEL, 100),
    check("ups-test", UPS, 10),
    check("runtime-test", UPS, 100),
    check("sensor-test", SENSOR, 10),
    *(check("backup", each, 2) for each in (PANEL, HC)),
    *(check("restore-test", each, 60) for each in (PANEL, HC)),
    check("plan-review", "", 100),
    check("items-returned", "person:4", 6),
    check("transfer", "person:1", 20),
    check("access-review", "person:1", 10),
    check("skill", "person:2", 50, note="badge systems"),
    CheckFact("work-order", CLOSET, at("9:55"), ref=("event", "order")),
    CheckFact("work-order", SERVER, at("10:55"), ref=("event", "order 2")),
    CheckFact("canary", "", at("12:00"), ref=("event", "canary")),
)


def _doors(story: Story) -> None:
    story.door(at("8:00"), "front", Access.GRANTED, 1)
    story.enter(at("8:00:05"), "front", 1)
    story.door(at("8:00:20"), "front", Access.GRANTED, 2)
    story.add(at("8:00:40"), "doors", EventClass.PHYSICAL_ACCESS, 99, place="hq/doors/front", data={"ww_value": "closed"})
    story.door(at("10:00"), "closet", Access.GRANTED, 2)
    story.enter(at("10:00:05"), "closet", 2)
    story.door(at("11:00"), "server", Access.GRANTED, 2)
    story.enter(at("11:00:05"), "server", 2)
    story.logon(at("11:02"), 2, "console")
    story.logon(at("9:00"), 1, "ws-1")


def _devices(story: Story) -> None:
    for camera in ("cam-server", "cam-front", "cam-closet", "cam-in"):
        story.health(at("17:50"), camera, Health.ONLINE)
    story.health(at("17:00"), "ups", Health.ONLINE)
    story.add(at("17:30"), "panel", EventClass.ALARM_SIGNAL, 7, asset=PANEL, data=cid("602", 1))
    story.add(at("6:00"), "panel", EventClass.ALARM_SIGNAL, 9, asset=PANEL, data=cid("401", 1))
    story.add(at("17:40"), "panel", EventClass.ALARM_SIGNAL, 10, asset=PANEL, data=cid("401", 2))
    story.add(
        at("17:00"),
        "building",
        EventClass.BUILDING_CONTROL,
        BuildingControl.RESTORED,
        asset=SENSOR,
        data={"ww_building_point": {"uid": "t"}},
    )
    story.add(at("16:00"), "cameras", EventClass.VIDEO_ANALYTIC, 1, asset=TAG, place=OFFICE)
    story.add(at("6:00"), "posts", EventClass.POST_STAFFING, 1, place=LOBBY)


def cid(code: str, lifecycle: int, point: str = "1") -> dict[str, Any]:
    """Return the data of an alarm signal."""
    return {"ww_signal_code": {"native": code, "contact_id": code}, "ww_alarm_point": {"uid": point}, "ww_lifecycle_id": lifecycle}


def visit(story: Story, when: datetime, activity: Visit, uid: str = "v1", source: str = "visitors", **more: Any) -> None:
    """Add one step of a visit."""
    data = {"ww_visit": {"uid": uid, "host_uid": "person:1", "name": "audit"}, "ww_site_uid": "hq", **more}
    story.add(when, source, EventClass.VISITOR, activity, data=data)


def good_day() -> tuple[Story, dict[str, Any]]:
    """Return the story and the rest of the facts of a day on which everything is as it should be."""
    story = Story(small_house())
    _doors(story)
    _devices(story)
    visit(story, at("9:00"), Visit.CHECKED_IN)
    visit(story, at("10:00"), Visit.CHECKED_OUT)
    revoked = story.add(LEFT + timedelta(hours=1), "doors", EventClass.CREDENTIAL, 7, credential="badge:4")
    disabled = story.add(LEFT + timedelta(hours=2), "idp", EventClass.ACCOUNT_CHANGE, 5, data={"user": {"name": "p4"}})
    story.events = [event for event in story.events if event not in (revoked, disabled)]
    sources = tuple(
        SourceFact(name, kind, Domain.PHYSICAL, "", "webhook", timedelta(hours=1), NOW, envelope=timedelta(seconds=0.2), sampled=("e1",))
        for name, kind in SOURCES.items()
    )
    incident = IncidentFact(
        "i1", 1, at("9:00", -3), at("9:00", -1), moments=frozenset({"detected", "acknowledged", "resolved"}),
        teams=frozenset({"it", "physical"}), domains=frozenset({"it", "physical"}), severity=2, looked_back=at("9:00", -1),
    )  # fmt: skip
    drill = IncidentFact(
        "i2", 2, at("9:00", -5), exercise=True, findings=("f2",), teams=frozenset({"it", "physical"}), run_started=at("9:05", -5)
    )
    rest = {
        "checks": CHECKS,
        "sources": sources,
        "incidents": (incident, drill),
        "findings": (FindingFact("f-canary", "ww_canary", at("12:01"), events=("x",)),),
        "lifecycle": (revoked, disabled),
        "last_used": {"account:p1": at("9:00"), "account:p2": at("11:00")},
        "used_since": NOW - timedelta(days=120),
        "book": BOOK,
        "documents": ("site/hq.yaml/1",),
    }
    return story, rest


Change = Callable[[Story, dict[str, Any]], None]


def facts_after(change: Change | None = None) -> Facts:
    """Return the facts of the good day after a change to it."""
    story, rest = good_day()
    if change is not None:
        change(story, rest)
    events = tuple(sorted(story.events, key=lambda event: event.order))
    return Facts(now=NOW, since=NOW - timedelta(hours=36), directory=rest.pop("directory", story.directory), events=events, **rest)


def without_checks(*kinds: str) -> Change:
    """Return the change that nobody ever recorded checks of these kinds."""

    def change(story: Story, rest: dict[str, Any]) -> None:
        del story
        rest["checks"] = tuple(each for each in rest["checks"] if each.kind not in kinds)

    return change


def instead(kind: str, *checks: CheckFact) -> Change:
    """Return the change that checks of a kind are these."""

    def change(story: Story, rest: dict[str, Any]) -> None:
        without_checks(kind)(story, rest)
        rest["checks"] += checks

    return change


def silent(*kinds: SourceKind, never: bool = False) -> Change:
    """Return the change that sources of these kinds fell silent, or were never there, with their events."""

    def change(story: Story, rest: dict[str, Any]) -> None:
        names = {each.name for each in rest["sources"] if each.kind in kinds}
        story.events = [event for event in story.events if event.source not in names]
        last = NOW - timedelta(days=2)
        rest["sources"] = tuple(
            replace(each, last_received=last, envelope=None) if each.kind in kinds else each
            for each in rest["sources"]
            if not (never and each.kind in kinds)
        )

    return change


def told(**parts: Any) -> Change:
    """Return the change that some of the facts are others."""

    def change(story: Story, rest: dict[str, Any]) -> None:
        del story
        rest.update(parts)

    return change


def also(*steps: Callable[[Story], object]) -> Change:
    """Return the change that these things happened too."""

    def change(story: Story, rest: dict[str, Any]) -> None:
        del rest
        for step in steps:
            step(story)

    return change


def never(test: Callable[[Any], bool]) -> Change:
    """Return the change that such events did not come."""

    def change(story: Story, rest: dict[str, Any]) -> None:
        del rest
        story.events = [event for event in story.events if not test(event)]

    return change
