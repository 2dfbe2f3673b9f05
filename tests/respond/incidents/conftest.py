"""What the tests of incidents share: real records on both engines, findings, and a case to work on."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.detect.story import directory
from tests.fixtures_postgres import postgres_cluster, postgres_database

from watchword.app.audit import Audit
from watchword.detect.service import Findings
from watchword.kit.clock import ManualClock
from watchword.model import Finding, Mode
from watchword.respond.hand_over import OpenItem
from watchword.respond.incident_service import Incidents
from watchword.stores.records import SqlRecords, open_records

__all__ = ["postgres_cluster", "postgres_database"]

NOON = datetime(2026, 11, 4, 12, tzinfo=UTC)


def finding(uid: str, minutes: float = 0, **more) -> Finding:
    """Return a finding so many minutes after noon: a medium one that adds risk, unless told otherwise."""
    when = NOON + timedelta(minutes=minutes)
    said = {"rule": "r1", "rule_version": 1, "title": "Something odd", "severity": 3, "confidence": 0.8, "because": f"{uid} happened."}
    return Finding(**{"uid": uid, "time": when, "first_time": when, "last_time": when, **said, **more})


def page(uid: str, minutes: float = 0, **more) -> Finding:
    """Return a finding that is worth a page."""
    return finding(uid, minutes, **{"mode": Mode.PAGE, "severity": 4, "title": "Door forced", **more})


@dataclass
class Desk:
    """A working incident desk."""

    records: SqlRecords
    clock: ManualClock
    findings: Findings
    audit: Audit
    incidents: Incidents
    open_items: list[OpenItem] = field(default_factory=list)

    def take(self, *found: Finding) -> list[str]:
        self.findings.put(list(found))
        return self.incidents.take(list(found))

    def wait(self, **by) -> datetime:
        self.clock.advance(timedelta(**by))
        return self.clock.now()

    def open(self, **more) -> str:
        said = {"title": "Stranger in the closet", "by": "ana", "team": "it", "because": "Seen by a guard.", "severity": 2}
        return self.incidents.open(**{**said, **more})

    def kinds(self, uid: str) -> list[str]:
        return [entry.kind for entry in self.incidents.timeline(uid)]


@pytest.fixture(params=["sqlite", "postgresql"])
def records(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SqlRecords]:
    url = f"sqlite:///{tmp_path}/records.sqlite3" if request.param == "sqlite" else request.getfixturevalue("postgres_database")()
    opened = open_records(url)
    opened.migrate()
    yield opened
    opened.close()


@pytest.fixture
def desk(records: SqlRecords) -> Desk:
    clock = ManualClock(NOON + timedelta(hours=1))
    findings, audit, numbers = Findings(records, clock), Audit(records, clock), itertools.count(1)
    book = directory()
    incidents = Incidents(records, clock, findings, audit, directory=lambda: book, ids=lambda: f"{next(numbers):032x}")
    made = Desk(records, clock, findings, audit, incidents)
    incidents.reader.open_items.append(lambda _connection, _incident: made.open_items)
    return made
