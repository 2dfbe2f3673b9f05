"""What the tests of the simulation share: the way from a delivery's bytes to resolved events, as the real front door takes it."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from importlib.resources import files

import pytest

from watchword.ingest.delimited import with_header
from watchword.ingest.mapping import Mapping, load_mapping
from watchword.ingest.occurrence import Occurrences
from watchword.kit.ids import uid_of
from watchword.model import Event, RawRecord, Source, SourceStatus
from watchword.resolve.directory import Directory
from watchword.resolve.people_file import read_people
from watchword.resolve.site_file import read_site
from watchword.simulate import Delivery, Organisation, organisation

KEY = b"simulation-test-key-of-32-bytes."
MONDAY = date(2026, 11, 2)


@dataclass
class FrontDoor:
    """Deliveries in, resolved events out, with the counts that the Sources page shows."""

    mappings: dict[str, Mapping]
    directory: Directory
    sources: dict[str, Source]
    statuses: dict[str, SourceStatus] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    faults: dict[str, str] = field(default_factory=dict)
    unmapped: dict[str, bytes] = field(default_factory=dict)
    arrivals: dict[str, list[datetime]] = field(default_factory=dict)
    _seen: set[str] = field(default_factory=set)
    _lines: int = 0

    def records(self, delivery: Delivery) -> Iterator[RawRecord]:
        """Cut a delivery into records, as the connectors do."""
        source = self.sources[delivery.source]
        received = delivery.at
        if source.connector == "syslog":
            self._lines += 1
            yield RawRecord(uid_of("record", delivery.source, str(self._lines)), delivery.source, received, delivery.body)
            return
        lines = delivery.body.rstrip(b"\n").split(b"\n")
        counted = Occurrences()
        for line in lines[1:] if source.connector == "csv" else lines:
            body = with_header(lines[0], line) if source.connector == "csv" else line
            identity = self.mappings[delivery.source].record_id(body, received)
            uid = (
                uid_of("record", delivery.source, identity)
                if identity
                else uid_of("record", delivery.source, body, str(counted.count(body)))
            )
            if uid in self._seen:
                self.counts[f"{delivery.source}.duplicate"] += 1
                continue
            self._seen.add(uid)
            yield RawRecord(uid, delivery.source, received, body)

    def events(self, deliveries: Iterable[Delivery]) -> Iterator[Event]:
        """Parse and resolve."""
        for delivery in deliveries:
            name = delivery.source
            arrived = self.arrivals.setdefault(name, [])
            if not arrived or arrived[-1] != delivery.at:
                arrived.append(delivery.at)
            for record in self.records(delivery):
                parsed = self.mappings[name].parse(record)
                self.counts[f"{name}.records"] += 1
                if parsed.fault:
                    self.counts[f"{name}.unparsed"] += 1
                    self.faults.setdefault(name, f"{parsed.fault}: {record.body[:200]!r}")
                    continue
                if not parsed.mapped:
                    self.counts[f"{name}.unmapped"] += 1
                    self.unmapped.setdefault(name, record.body[:200])
                for event in parsed.events:
                    yield self.directory.identify(event)
                    last = self.statuses[name].last_time
                    if last is None or event.time > last:
                        self.statuses[name] = SourceStatus(name, last_received=delivery.at, last_time=event.time)


def front_door(org: Organisation) -> FrontDoor:
    """Load the demo's own mapping, site and people files."""
    folder = files("watchword") / "content" / "demo" / "mappings"
    mappings = {}
    for item in folder.iterdir():
        mapping = load_mapping(item.read_text(encoding="utf-8"), item.name, key=KEY)
        mappings[mapping.name] = mapping
    site, assets = read_site(org.site_yaml(), "site.yaml")
    people = read_people(org.people_csv(), "people.csv", KEY).book
    directory = Directory(site, people, assets)
    sources = {name: mapping.source(name) for name, mapping in mappings.items()}
    return FrontDoor(mappings, directory, sources, {name: SourceStatus(name) for name in sources})


@pytest.fixture(scope="session")
def org() -> Organisation:
    return organisation(7, MONDAY)


@pytest.fixture
def door(org: Organisation) -> FrontDoor:
    return front_door(org)


@pytest.fixture(scope="session")
def make_door_session():
    return front_door


def in_steps(events: Iterable[Event], step: timedelta) -> Iterator[tuple[datetime, list[Event]]]:
    """Cut events, given in order of arrival, into batches of so much arrival time."""
    batch: list[Event] = []
    until = datetime.min.replace(tzinfo=UTC)
    for event in events:
        if event.received >= until:
            if batch:
                yield until, batch
            batch = []
            until = event.received + step
        batch.append(event)
    if batch:
        yield until, batch


@pytest.fixture(scope="session")
def steps():
    return in_steps
