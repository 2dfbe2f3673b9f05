"""The house in which drills take place: a few doors and machines, twins in place of devices, a fire panel that obeys the drill."""

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, event

from watchword.app.audit import Audit
from watchword.connectors.simulated_devices import SimulatedDevices
from watchword.kit.clock import ManualClock, to_millisecond
from watchword.kit.ids import random_uid
from watchword.kit.records import Records
from watchword.model import PeopleBook
from watchword.model.action import Action, Outcome, OutcomeStatus
from watchword.resolve.directory import Directory
from watchword.resolve.site_file import read_site
from watchword.respond.approval_service import Approvals
from watchword.respond.catalogue import shipped_catalogue
from watchword.respond.drill import BEGIN
from watchword.respond.gateway_service import Gateway
from watchword.respond.library_service import Library
from watchword.respond.plan import Plan
from watchword.respond.ports import FireFact, FireState
from watchword.respond.run_service import Runs
from watchword.respond.variables import WHOLE
from watchword.stores.records import open_records

SITE: Final = """\
site: drill
zone: UTC
buildings:
  house:
    zones:
      hall: {name: Hall, kind: public}
      room: {name: Server room, kind: critical}
doors:
  D-0: {name: Front door, from: outside, to: hall, readers: {in: R0}, egress_hardware: free_mechanical, egress_checked: 2026-01-02}
  D-1: {name: Room door, from: hall, to: room, readers: {in: R1}, egress_hardware: free_mechanical, egress_checked: 2026-01-02}
assets:
  switch: {kind: switch, place: room}
  laptop: {kind: workstation, place: room, addresses: [192.0.2.20], upstream: switch}
  camera: {kind: camera, place: hall, sees: [D-1]}
"""
STANDS_FOR: Final[Mapping[str, str]] = {
    "credential": "badge:drill-0001",
    "door": "drill/doors/D-1",
    "zone": "drill/house/0/room",
    "place": "drill/house/0/room",
    "account": "account:drill",
    "host": "asset:laptop",
    "switch": "asset:switch",
    "address": "192.0.2.10",
    "camera": "asset:camera",
    "queue": "drill",
}
"""What a variable holds that a verb of the catalogue acts on, by the verb's kind of target."""
PARAMETERS: Final[Mapping[str, str]] = {
    "port": "GigabitEthernet1/0/7",
    "device": "asset:laptop",
    "since": BEGIN.isoformat(),
    "until": (BEGIN + timedelta(minutes=20)).isoformat(),
    "priority": "2",
}
"""What a variable holds that is a verb's whole parameter."""


@dataclass(slots=True)
class DrillFire:
    """The fire state of the drill's house: normal, but where the drill lets it burn."""

    clock: ManualClock
    burns: bool = False

    def fire(self, building: str) -> FireFact:
        """Return the fire state of any building, heard at this moment."""
        state = FireState.ALARM if self.burns else FireState.NORMAL
        return FireFact(building, state, heard=self.clock.now())

    @contextmanager
    def burning(self) -> Iterator[None]:
        """Let it burn for a while."""
        self.burns = True
        try:
            yield
        finally:
            self.burns = False


class DrillTwins(SimulatedDevices):
    """Twins that fail when the drill says so."""

    def __init__(self, path: Path, clock: ManualClock) -> None:
        """Open, or make, the file of the twins."""
        super().__init__(path, clock, "twin")
        self.fails: Callable[[Action], bool] = lambda _action: False
        """Tells whether the device is out of order when an action comes."""

    def do(self, action: Action, *, dry_run: bool = False) -> Outcome:
        """Set the state, or answer as a device does that is out of order."""
        if not dry_run and self.fails(action):
            now = to_millisecond(self.clock.now())
            return Outcome(OutcomeStatus.FAILED, "the drill has put this device out of order", now, self.name, code="out-of-order")
        return super().do(action, dry_run=dry_run)


class NoLog:
    """A drill belongs to no incident: what runs, approvals and actions say of one goes nowhere; the run itself keeps it all."""

    def append(
        self,
        connection: Connection,
        incident: str,
        kind: str,
        text: str,
        *,
        occurred_at: datetime,
        recorded_by: str,
        team: str = "",
        refs: Mapping[str, str] | None = None,
    ) -> None:
        """Keep nothing."""

    def mark(
        self, connection: Connection, incident: str, moment: str, at: datetime, *, source: str, team: str = "", evidence: str = ""
    ) -> None:
        """Keep nothing."""


class Empty:
    """Nobody is in the drill's house."""

    def people_in(self, zone: str) -> int | None:
        """Say that it is not known."""
        del zone
        return None


@dataclass(frozen=True, slots=True)
class DrillHouse:
    """Everything that a run needs, in a folder of its own."""

    clock: ManualClock
    fire: DrillFire
    twins: DrillTwins
    library: Library
    approvals: Approvals
    gateway: Gateway
    runs: Runs


@contextmanager
def drill_house(folder: Path) -> Iterator[DrillHouse]:
    """Build the house in an empty folder, with the same library, approvals, gateway and runs as a real one."""
    records = open_records(f"sqlite:///{folder / 'records.sqlite3'}")
    event.listen(records.engine, "connect", _hurry)
    try:
        records.migrate()
        house = _furnished(records, folder)
        try:
            yield house
        finally:
            house.runs.close()
    finally:
        records.close()


def _hurry(connection: sqlite3.Connection, record: object) -> None:
    """Let nothing wait for the disk: a drill that the power ends is begun again."""
    del record
    connection.execute("PRAGMA synchronous=OFF").close()


def _furnished(records: Records, folder: Path) -> DrillHouse:
    clock = ManualClock(BEGIN)
    fire, twins, log = DrillFire(clock), DrillTwins(folder / "twins.sqlite3", clock), NoLog()
    audit, catalogue = Audit(records, clock), shipped_catalogue()
    site, assets = read_site(SITE, "drill.yaml")
    directory = Directory(site, PeopleBook(), assets)
    approvals = Approvals(records, clock, audit, log)
    gateway = Gateway(
        records, clock, catalogue, [], [twins], fire, lambda: directory, Empty(), approvals, audit, log, lambda _deed: None
    )  # fmt: skip
    library = Library(records, clock, auditor=audit)
    runs = Runs(records, clock, library, gateway, approvals, log, random_uid, catalogue=catalogue, auditor=audit)
    return DrillHouse(clock, fire, twins, library, approvals, gateway, runs)


def stand_ins(plans: Mapping[str, Plan]) -> dict[str, str]:
    """Return values for the variables that verbs act on: a door of the drill's house for one that a door verb names, and so on."""
    found: dict[str, str] = {}
    catalogue = shipped_catalogue()
    for plan in plans.values():
        for step in plan.steps.values():
            verb = None if step.machine is None else catalogue.verbs.get(step.machine.verb)
            if step.machine is None or verb is None:
                continue
            given = [(text, STANDS_FOR[verb.target]) for text in step.machine.targets]
            given += [(text, PARAMETERS[name]) for name, text in step.machine.parameters.items() if name in PARAMETERS]
            for text, value in given:
                variable = WHOLE.fullmatch(text)
                if variable is not None:
                    found.setdefault(variable[1], value)
    return found


def refused(action: Action, house: DrillHouse) -> bool:
    """Tell whether an action cannot but be refused in the drill's house, fire or no fire."""
    whole = house.gateway.render(action)
    return bool(house.gateway.refusals(whole, house.gateway.directory(), house.clock.now())[0])


def failing(action: Action, house: DrillHouse) -> str:
    """Say how an action comes to fail in a drill: it is ``refused``, by a ``fire``, by a ``veto``, or by its ``device``."""
    if refused(action, house):
        return "refused"
    with house.fire.burning():
        if refused(action, house):
            return "fire"
    return "veto" if house.gateway.catalogue.verb(action.verb).rule.needed else "device"
