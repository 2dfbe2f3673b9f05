"""Workers of the durability test: a parent that has everything imported forks children, and each kills itself with -9 at a given log line.

Started as ``python durable_worker.py URL FOLDER``; reads one JSON line per life (``{"die": [7, 12], "offset": -3600, "bound": 3}``), forks one
child per number, answers with their exit statuses when all are gone.
"""

import contextlib
import json
import os
import signal
import sys
import time
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from watchword.app.audit import Audit
from watchword.connectors.simulated_devices import SimulatedDevices
from watchword.kit.ids import random_uid
from watchword.model import PeopleBook
from watchword.model.action import Outcome
from watchword.resolve.directory import Directory
from watchword.resolve.site_file import read_site
from watchword.respond import interpreter
from watchword.respond.approval_service import Approvals
from watchword.respond.catalogue import Catalogue, shipped_catalogue
from watchword.respond.fire_fact import FireState
from watchword.respond.gateway_service import Gateway
from watchword.respond.ports import FireFact
from watchword.respond.run_service import Runs
from watchword.stores.records import open_records

LIFE, IDLE = 8.0, 0.8
"""Seconds after which a child leaves by itself when it was not killed: of life, and of having nothing to do."""
LEASE = timedelta(seconds=1)
SITE = "site: harbour\nzone: Europe/Berlin\nbuildings:\n  main:\n    zones: {lobby: {name: Lobby}}\ndoors:\n  D-1: {name: Front, from: outside, to: lobby}\n"


@dataclass
class ShiftedClock:
    """The machine's clock, put forward or back."""

    offset: timedelta = field(default_factory=timedelta)

    def now(self):
        return datetime.now(UTC) + self.offset


class Quiet:
    """Nobody reads the timeline here; fire is known to be normal."""

    def append(self, connection, incident, kind, text, **more):
        pass

    def mark(self, connection, incident, moment, at, **more):
        pass

    def people_in(self, _zone):
        return None

    def fire(self, building):
        return FireFact(building, FireState.NORMAL)


class Loud:
    """Says a line at every step of the way, and dies at one of them."""

    def __init__(self, die):
        self.left = die

    def say(self, _line):
        self.left -= 1
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


class LoudRecords:
    def __init__(self, records, loud):
        self.records, self.loud = records, loud

    @contextlib.contextmanager
    def begin(self):
        self.loud.say("begin")
        with self.records.begin() as connection:
            self.loud.say("begun")
            yield connection
            self.loud.say("commit")
        self.loud.say("committed")

    def read(self):
        return self.records.read()


class LoudDevices(SimulatedDevices):
    loud = Loud(-1)

    def do(self, action, *, dry_run=False) -> Outcome:
        self.loud.say("do")
        outcome = super().do(action, dry_run=dry_run)
        self.loud.say("did")
        return outcome

    def read(self, action):
        self.loud.say("read")
        return super().read(action)


def patient(catalogue: Catalogue) -> Catalogue:
    """The shipped catalogue, with approvals that outlive a clock put forward by an hour."""
    return Catalogue(
        {name: replace(verb, rule=replace(verb.rule, expires_after=timedelta(hours=6))) for name, verb in catalogue.verbs.items()}
    )


@cache
def furnished():
    """The catalogue and the site, read once: children inherit them."""
    site, assets = read_site(SITE, "site.yaml")
    return patient(shipped_catalogue()), Directory(site, PeopleBook(), assets)


class World:
    """Everything that a worker is made of, on given records."""

    def __init__(self, records, clock, devices, shelf=None, name="", log=None):
        self.records, self.clock, self.devices = records, clock, devices
        quiet, catalogue, directory = Quiet(), furnished()[0], furnished()[1]
        audit = Audit(records, clock)
        log = log or quiet
        self.approvals = Approvals(records, clock, audit, log)
        self.gateway = Gateway(
            records, clock, catalogue, [devices], [], quiet, lambda: directory, quiet, self.approvals, audit, log, lambda _body: None
        )
        self.runs = Runs(
            records, clock, shelf, self.gateway, self.approvals, log, random_uid,
            catalogue=catalogue, auditor=audit, worker=name, lease=LEASE,
        )  # fmt: skip


def live(url: str, folder: Path, die: int, offset: float, bound: int) -> None:
    """One life of a worker: opens everything anew, as after a start of the machine."""
    interpreter.BOUND = bound  # a release of ours that walks in other portions
    loud, clock = Loud(die), ShiftedClock(timedelta(seconds=offset))
    records = open_records(url)
    LoudDevices.loud = loud
    world = World(LoudRecords(records, loud), clock, LoudDevices(folder / "devices.sqlite3", clock), name=f"w{os.getpid()}")
    until = time.monotonic() + LIFE
    idle = until
    while time.monotonic() < min(until, idle) and not (folder / "over").exists():
        now = clock.now()
        done = world.runs.step(now)
        done += world.gateway.recover(timedelta(seconds=2))
        done += world.gateway.revert_due(now)
        if done:
            idle = until
        else:
            idle = min(idle, time.monotonic() + IDLE)
            time.sleep(0.03)
    os._exit(0)


def main() -> None:
    url, folder = sys.argv[1], Path(sys.argv[2])
    furnished()
    for line in sys.stdin:
        asked = json.loads(line)
        children = []
        for die in asked["die"]:
            pid = os.fork()
            if not pid:
                os.close(0)
                os.dup2(2, 1)  # what is logged must not be taken for an answer
                try:
                    live(url, folder, die, asked["offset"], asked["bound"])
                except BaseException:  # noqa: BLE001 - whatever it was, the parent reads it
                    import traceback

                    traceback.print_exc()
                    sys.stderr.flush()
                os._exit(1)
            children.append(pid)
        statuses = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in children]
        sys.stdout.write(json.dumps(statuses) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
