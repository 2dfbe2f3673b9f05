"""Reading: a batch of raw records becomes events with their persons, assets and places, and counts by source. Pure."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from watchword.ingest.mapping import Mapping, Parsed
from watchword.ingest.native import Native
from watchword.model import Event, RawRecord, SourceStatus, Unparsed
from watchword.resolve import Directory, unresolved_of

SAMPLE: Final = 200
"""Characters of an unparsed record that are shown in lists."""


@dataclass(slots=True)
class Reading:
    """What a batch of records became."""

    events: list[Event] = field(default_factory=list)
    unparsed: list[Unparsed] = field(default_factory=list)
    natives: list[tuple[Event, Native]] = field(default_factory=list)
    """Sigma's view of a record, with the event that stands for it."""
    tally: dict[str, SourceStatus] = field(default_factory=dict)
    arrivals: dict[str, set[datetime]] = field(default_factory=dict)
    """By source: the moments at which its records came."""


def sample_of(body: bytes) -> str:
    """Return the first characters of a record, undecodable bytes escaped."""
    return body[: SAMPLE * 4].decode("utf-8", "backslashreplace")[:SAMPLE]


def read_records(records: Iterable[RawRecord], mapping_of: dict[str, Mapping], directory: Directory, *, again: bool = False) -> Reading:
    """Parse and resolve records (of sources that are all in `mapping_of`). Pure.

    Args:
        records: What arrived.
        mapping_of: Compiled mapping by source.
        directory: Resolves to persons, assets and places as of event time.
        again: The records were counted before: they are parsed anew.
    """
    reading = Reading()
    counts: dict[str, _Count] = {}
    identify = directory.identify
    keep, events = reading.events.append, reading.events
    count = None
    for record in records:
        if count is None or count.source != record.source:
            source = record.source
            count = counts.get(source)
            if count is None:
                count = counts[source] = _Count(source, mapping_of[source].parse)
        count.accepted += 1
        if record.received is not count.received:  # as a rule the records of a delivery share one moment
            count.hear(record.received)
        parsed = count.parse(record)
        if parsed.fault:
            count.unparsed += 1
            reading.unparsed.append(Unparsed(record.uid, record.source, record.received, parsed.fault, sample_of(record.body)))
            continue
        count.unmapped += not parsed.mapped
        for raw in parsed.events:
            event = identify(raw)
            keep(event)
            count.add(event)
        native = parsed.native
        if native is not None and parsed.events:  # the first event stands for the record
            reading.natives.append((events[-len(parsed.events)], native))
    for source, count in counts.items():
        reading.tally[source] = count.status(again=again)
        if not again:
            reading.arrivals[source] = count.arrivals
    return reading


@dataclass(slots=True)
class _Count:
    """What one source brought."""

    source: str
    parse: Callable[[RawRecord], Parsed]
    received: datetime | None = None
    """Of the record at hand."""
    arrivals: set[datetime] = field(default_factory=set)
    newest: datetime | None = None
    accepted: int = 0
    unparsed: int = 0
    unmapped: int = 0
    unresolved: int = 0
    events: int = 0

    def hear(self, received: datetime) -> None:
        self.received = received
        self.arrivals.add(received)

    def add(self, event: Event) -> None:
        self.events += 1
        if unresolved_of(event):
            self.unresolved += 1
        if self.newest is None or event.time > self.newest:
            self.newest = event.time

    def status(self, *, again: bool) -> SourceStatus:
        return SourceStatus(
            self.source,
            accepted=0 if again else self.accepted,
            parsed=self.accepted - self.unparsed,
            unparsed=0 if again else self.unparsed,
            unmapped=self.unmapped,
            unresolved=self.unresolved,
            events=self.events,
            last_received=None if again else max(self.arrivals),
            last_time=self.newest,
        )
