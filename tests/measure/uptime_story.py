"""A small site, an event log in memory, and an auditor that remembers: what the tests of kept uptime stand on."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from watchword.kit.clock import to_millisecond, to_ms
from watchword.model import Event, EventQuery, PeopleBook
from watchword.model.ocsf import Access, EventClass, Health, Status
from watchword.resolve.directory import Directory
from watchword.resolve.site_file import read_site

__all__ = ["replace"]

START = datetime(2026, 3, 2, 8, tzinfo=UTC)
SITE = """
site: hq
zone: UTC
zones:
  lobby: {}
  servers: {kind: critical}
doors:
  D-01: {from: outside, to: lobby, readers: R-1}
  D-02: {from: lobby, to: servers, readers: {in: R-2, out: R-3}}
assets:
  ups: {kind: sensor, place: servers}
  sw-1: {kind: switch, place: servers, upstream: ups}
  HC-1: {kind: controller, place: lobby, upstream: sw-1}
  cam-1: {kind: camera, place: servers, sees: [D-02], upstream: sw-1}
  cam-2: {kind: camera, place: servers, sees: [D-02], upstream: sw-1}
  panel-1: {kind: panel, place: lobby}
  srv-1: {kind: server, place: servers, upstream: sw-1}
calendars:
  night: {days: mon-sun, hours: "22:00-06:00"}
uptime:
  controllers: {HC-1: [D-01, D-02]}
  tests: {lock: 30d}
  armed: {panel-1: night}
  cover: [{place: servers, least: 2, weight: 3}]
  objectives: [{of: cam-1, share: 0.99}, {of: servers, share: 0.95, window: 7d}]
"""


def at(seconds: float) -> datetime:
    return to_millisecond(START + timedelta(seconds=seconds))


def directory(text: str = SITE) -> Directory:
    site, assets = read_site(text, "site.yaml")
    return Directory(site, PeopleBook(), assets)


class Log:
    """An event log that is a list."""

    def __init__(self) -> None:
        self.all: list[Event] = []
        self.asked = 0

    def events(self, query: EventQuery) -> list[Event]:
        self.asked += 1
        found = [
            event
            for event in self.all
            if (query.received_since is None or event.received >= query.received_since)
            and (query.received_until is None or event.received < query.received_until)
            and (query.since is None or event.time >= query.since)
            and (query.until is None or event.time < query.until)
            and (not query.classes or event.class_uid in query.classes)
            and (not query.activities or event.activity_id in query.activities)
            and (not query.assets or event.asset in query.assets)
            and (not query.places or event.place in query.places)
            and (query.after is None or event.order > query.after)
        ]
        return sorted(found, key=lambda event: event.order)[: query.limit]


class Auditor:
    def __init__(self) -> None:
        self.said: list[tuple[str, str, str]] = []

    def write(self, actor, action, target="", reason="", detail=None, *, connection=None):
        del reason, detail
        assert connection is not None, "a deed and its entry belong in one transaction"
        self.said.append((actor, action, target))


class Making:
    """Makes events with uids of their own."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, second: float, class_uid: int, activity: int, *, received: float | None = None, **more) -> Event:
        self.count += 1
        fixed = {"record": f"{self.count:032x}", "source": "cameras", "severity_id": 1, "data": {}, **more}
        arrived = at(second + 1 if received is None else received)
        return Event(uid=f"{self.count:032x}", time=at(second), received=arrived, class_uid=class_uid, activity_id=activity, **fixed)

    def health(self, second: float, asset: str, activity: Health = Health.ONLINE, **more) -> Event:
        return self(second, EventClass.DEVICE_HEALTH, activity, asset=f"asset:{asset}", **more)

    def door(self, second: float, door: str, activity: Access | int, value: str = "", **more) -> Event:
        return self(second, EventClass.PHYSICAL_ACCESS, activity, place=f"hq/doors/{door}", data={"ww_value": value}, **more)

    def probe(self, second: float, asset: str, name: str, status: Status, every: float = 60, said: str = "") -> Event:
        data = {"status_id": int(status), "ww_value": f"{name}\n{said}", "end_time": to_ms(at(second + every))}
        return self(second, EventClass.DEVICE_HEALTH, 99, asset=f"asset:{asset}", source="watchword-probes", data=data)

    def panel(self, second: float, code: str, lifecycle: int, point: str = "1") -> Event:
        data = {"ww_signal_code": {"contact_id": code}, "ww_alarm_point": {"uid": point}, "ww_lifecycle_id": lifecycle}
        return self(second, EventClass.ALARM_SIGNAL, 4, asset="asset:panel-1", source="panel", data=data, message=f"signal {code}")
