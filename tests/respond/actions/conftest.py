"""A house with a fire panel, doors that are left freely and doors that are not, and a gateway over simulated devices."""

import importlib.util
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text

from watchword.app.audit import Audit
from watchword.app.tables import audit as audit_table
from watchword.connectors.simulated_devices import SimulatedDevices
from watchword.ingest.ledger import Ledger
from watchword.kit.clock import ManualClock
from watchword.kit.ids import uid_of
from watchword.kit.tables import metadata
from watchword.model import Domain, Event, PeopleBook, Source, SourceKind, SourceStatus
from watchword.model.action import Action
from watchword.model.ocsf import EventClass
from watchword.resolve.directory import Directory
from watchword.resolve.site_file import read_site
from watchword.respond.approval import Approver
from watchword.respond.approval_service import Approvals
from watchword.respond.catalogue import shipped_catalogue
from watchword.respond.gateway_service import Gateway
from watchword.respond.safety_service import SafetyService
from watchword.stores.records import SqlRecords, open_records

_spec = importlib.util.spec_from_file_location("fixtures_postgres", Path(__file__).parents[2] / "fixtures_postgres.py")
assert _spec is not None
assert _spec.loader is not None
_fixtures = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_fixtures)
postgres_cluster, postgres_database = _fixtures.postgres_cluster, _fixtures.postgres_database

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
SITE = """\
site: harbour
zone: Europe/Berlin
buildings:
  main:
    floors:
      "0":
        zones:
          lobby: {name: Lobby, kind: public}
          closet: {name: Network closet, kind: restricted}
          lab: {name: Laboratory, kind: restricted}
  annex:
    zones: {store: {name: Store}}
doors:
  D-1: {name: Front door, from: outside, to: lobby, readers: {in: R1}, egress: true, egress_hardware: free_mechanical, egress_checked: 2026-01-10}
  D-2: {name: Closet door, from: lobby, to: closet, readers: {in: R2}, egress_hardware: free_mechanical, egress_checked: 2026-01-10}
  D-3: {name: Lab door, from: lobby, to: lab, readers: {in: R3}, egress_hardware: electric, egress_checked: 2026-01-10}
  D-4: {name: Old door, from: lobby, to: closet, readers: {in: R4}, egress_hardware: free_mechanical, egress_checked: 2024-12-01}
  D-5: {name: Bridge, from: lobby, to: annex/0/store, readers: {in: R5}, egress_hardware: free_mechanical, egress_checked: 2026-01-10}
  D-6: {name: Lab exit, from: outside, to: lab, egress: true}
  D-7: {name: Store door, from: outside, to: annex/0/store, readers: {in: R7}, egress_hardware: free_mechanical, egress_checked: 2026-02-10}
assets:
  panel-1: {kind: panel, place: lobby, protects: [main], addresses: [10.0.60.10], upstream: sw-1}
  panel-2: {kind: panel, place: annex/0/store, protects: [annex]}
  ctl-1: {kind: controller, place: closet, upstream: sw-2}
  sw-1: {kind: switch, place: closet}
  sw-2: {kind: switch, place: closet, upstream: sw-1}
  sw-3: {kind: switch, place: lab}
  ws-1: {kind: workstation, place: lab, owner: "7", addresses: [10.0.1.7], upstream: sw-3}
  cam-1: {kind: camera, place: lobby, sees: [D-2]}
"""
MAIN, ANNEX, CLOSET = "harbour/main", "harbour/annex", "harbour/main/0/closet"
IT = Approver("ida", "Ida", "it", "it_analyst")
PHYSICAL = Approver("cora", "Cora", "physical", "control_room_operator")
MANAGER = Approver("max", "Max", "management", "manager")


def door(name: str) -> str:
    return f"harbour/doors/{name}"


def directory_of(text: str = SITE) -> Directory:
    site, assets = read_site(text, "site.yaml")
    return Directory(site, PeopleBook(), assets)


@dataclass
class Diary:
    """Takes the place of incidents and the pager: remembers what was said."""

    # ruff: noqa: ARG002, ARG005 - it answers to the ports' names and needs few of them

    lines: list[tuple[str, str, str]] = field(default_factory=list)
    pages: list[dict[str, Any]] = field(default_factory=list)

    def append(self, connection, incident, kind, text, *, occurred_at, recorded_by, team="", refs=None):
        self.lines.append((incident, kind, text))

    def mark(self, connection, incident, moment, at, *, source, team="", evidence=""):
        self.lines.append((incident, "moment", moment))

    def page(self, connection, **said):
        if said["key"] not in {each["key"] for each in self.pages}:
            self.pages.append(said)
        return said["key"]

    def people_in(self, zone: str) -> int | None:
        return 2 if zone.endswith("closet") else None


class World:
    """One house, its clock, its gateway."""

    def __init__(self, records: SqlRecords, folder: Path) -> None:
        self.records, self.clock, self.diary = records, ManualClock(NOON), Diary()
        self.directory = directory_of()
        self.devices = SimulatedDevices(folder / "devices.sqlite3", self.clock)
        self.twins = SimulatedDevices(folder / "twins.sqlite3", self.clock, "twin")
        self.audit = Audit(records, self.clock)
        self.safety = SafetyService(records, self.clock, lambda: self.directory)
        self.approvals = Approvals(records, self.clock, self.audit, self.diary, pages=self.diary)
        self.woken: list[tuple[str, str]] = []
        self.approvals.wake = lambda connection, run, path: self.woken.append((run, path))
        self.told: list[dict[str, Any]] = []
        self.gateway = self.make_gateway()
        ledger = Ledger(records)
        ledger.put_source(Source("panel", Domain.PHYSICAL, SourceKind.ALARM, "syslog", rhythm=timedelta(minutes=40)))
        ledger.add_tally([SourceStatus("panel", accepted=1, last_received=NOON)])
        self.numbers = 0

    def make_gateway(self, **parts: Any) -> Gateway:
        given = {"responders": [self.devices], "twins": [self.twins], "safety": self.safety, **parts}
        return Gateway(
            self.records, self.clock, shipped_catalogue(), given["responders"], given["twins"], given["safety"], lambda: self.directory,
            self.diary, self.approvals, self.audit, self.diary, lambda body: self.told.append(json.loads(body)), pages=self.diary,
        )  # fmt: skip

    # fire

    def signal(self, panel: str = "panel-1", *, at: timedelta = timedelta(), **said: Any) -> Event:
        self.numbers += 1
        lifecycle, code, activity = said.get("lifecycle", 1), said.get("code", "602"), said.get("activity", 7)
        data = {"ww_lifecycle_id": lifecycle, "ww_alarm_point": {"uid": said.get("point", "p1")}}
        if code:
            data["ww_signal_code"] = {"native": code}
        now = self.clock.now() + at
        uid = said.get("uid") or uid_of("event", str(self.numbers))
        asset = f"asset:{panel}" if panel else ""
        return Event(
            uid,
            uid,
            "panel",
            now,
            self.clock.now(),
            said.get("class_uid", EventClass.ALARM_SIGNAL),
            activity,
            asset=asset,
            place=said.get("place", ""),
            data=data,
        )

    def hear(self, *events: Event) -> tuple[str, ...]:
        return self.safety.hear(events, self.directory)

    def quiet(self) -> None:
        """Let both panels say that they live."""
        self.hear(self.signal("panel-1"), self.signal("panel-2"))

    def burn(self, panel: str = "panel-1", **said: Any) -> tuple[str, ...]:
        return self.hear(self.signal(panel, code="110", activity=6, **said))

    # asking

    def action(self, verb: str = "door.secure_ingress", target: str = "", key: str = "k1", **more: Any) -> Action:
        given = {
            "revert_after": timedelta(hours=1) if "secure" in verb else None,
            "incident": "i1",
            "run": "r1",
            "path": "p1",
            "requested_by": "rita",
            **more,
        }
        return Action(verb, target or door("D-2"), key=key, **given)

    def agree(self, action: Action, *people: Approver) -> str:
        rule = self.gateway.catalogue.verb(action.verb).rule
        with self.records.begin() as connection:
            uid = self.approvals.ask(connection, action, rule, run=action.run, path=action.path, asked_by=action.requested_by)
        for person in people:
            self.approvals.decide(uid, person, True, "", action.digest, self.clock.now())
        return uid

    def secured(self, target: str = "", key: str = "k1", **more: Any) -> Action:
        """Do a securing with everything it takes."""
        action = self.gateway.render(self.action(target=target, key=key, **more))
        outcome = self.gateway.perform(action, self.agree(action, IT, PHYSICAL))
        assert outcome.status == "done", outcome
        return action

    def audited(self, word: str = "") -> list[tuple[str, str, dict[str, Any]]]:
        with self.records.read() as connection:
            rows = connection.execute(select(audit_table).order_by(audit_table.c.seq)).all()
        return [(row.action, row.target, json.loads(row.detail)) for row in rows if row.action.startswith(word)]


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, empty database to copy: migrating for every test would take longer than the tests."""
    path = tmp_path_factory.mktemp("template") / "records.sqlite3"
    opened = open_records(f"sqlite:///{path}")
    opened.migrate()
    opened.close()
    return path


@pytest.fixture(scope="session")
def postgres_records(postgres_database) -> Iterator[SqlRecords]:
    opened = open_records(postgres_database())
    opened.migrate()
    yield opened
    opened.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def records(request: pytest.FixtureRequest, tmp_path: Path, sqlite_template: Path) -> Iterator[SqlRecords]:
    if request.param == "postgresql":
        opened = request.getfixturevalue("postgres_records")
        with opened.begin() as connection:
            names = ", ".join(f'"{name}"' for name in metadata.tables)
            connection.execute(text(f"TRUNCATE {names}"))
        yield opened
        return
    shutil.copy(sqlite_template, tmp_path / "records.sqlite3")
    opened = open_records(f"sqlite:///{tmp_path}/records.sqlite3")
    yield opened
    opened.close()


@pytest.fixture
def world(records: SqlRecords, tmp_path: Path) -> World:
    made = World(records, tmp_path)
    made.quiet()
    return made


@pytest.fixture
def world_type() -> type[World]:
    return World
