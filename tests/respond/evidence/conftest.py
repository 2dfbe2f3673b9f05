"""What the tests of evidence share: an incident, people of both teams, a folder of originals."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path

import pytest
from tests.detect.story import directory

from watchword.app.audit import Audit
from watchword.detect.service import Findings
from watchword.kit.clock import ManualClock
from watchword.respond.evidence_service import Evidence
from watchword.respond.evidence_view import About, EvidenceKind, Piece
from watchword.respond.incident_service import Incidents
from watchword.stores.records import SqlRecords

NOON = datetime(2026, 11, 4, 12, tzinfo=UTC)
PEOPLE = {"ana": "it", "otto": "physical", "mia": "management"}
CLIP = bytes(range(256)) * 40


@dataclass
class Room:
    """A working evidence room."""

    records: SqlRecords
    clock: ManualClock
    audit: Audit
    incidents: Incidents
    evidence: Evidence
    incident: str
    people: dict[str, str]
    folder: Path

    def acquire(self, content: bytes = CLIP, name: str = "door 3.mp4", by: str = "otto", **more) -> Piece:
        said = {"media": "video/mp4", "source": "cam-03", "clock_offset": timedelta(seconds=-2.5), "player": "any; H.264", **more}
        key = said.pop("key", "")
        about = About(EvidenceKind.CLIP, name, **said)
        return self.evidence.acquire(BytesIO(content), about, incident=self.incident, by=by, team=self.people.get(by, ""), key=key)


def room_in(tmp_path: Path, records: SqlRecords, incident: str = "", **more) -> Room:
    """Return a room whose originals lie below a folder; a second one may be opened on the same incident."""
    clock = ManualClock(NOON)
    audit, numbers, book = Audit(records, clock), itertools.count(1), directory()
    findings = Findings(records, clock)
    incidents = Incidents(records, clock, findings, audit, directory=lambda: book, ids=lambda: f"{next(numbers):032x}")
    people, folder = dict(PEOPLE), tmp_path / "evidence"
    evidence = Evidence(records, clock, folder, audit, incidents, b"k" * 32, team_of=lambda name: people.get(name, ""), **more)
    incident = incident or incidents.open("Forced door", by="ana", team="it", because="A guard saw it.", severity=2)
    return Room(records, clock, audit, incidents, evidence, incident, people, folder)


@pytest.fixture
def room_on(tmp_path: Path) -> Callable[..., Room]:
    return lambda records, **more: room_in(tmp_path, records, **more)


@pytest.fixture
def room(records: SqlRecords, room_on: Callable[..., Room]) -> Room:
    return room_on(records)
