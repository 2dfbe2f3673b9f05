"""Reading: a batch of raw records becomes events with their persons, assets and places, and counts by source. Pure."""

from collections.abc import Iterable
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
    counts: dict[str, list[int]] = {}
    times: dict[str, tuple[datetime, datetime | None]] = {}
    identify = directory.identify
    for record in records:
        source = record.source
        parsed = mapping_of[source].parse(record)
        count = counts.setdefault(source, [0] * 6)
        count[0] += 1
        if not again:
            reading.arrivals.setdefault(source, set()).add(record.received)
        newest = times.get(source, (record.received, None))[1]
        if parsed.fault:
            count[2] += 1
            reading.unparsed.append(Unparsed(record.uid, source, record.received, parsed.fault, sample_of(record.body)))
        else:
            count[1] += 1
            if not parsed.mapped:
                count[3] += 1
            for raw in parsed.events:
                event = identify(raw)
                reading.events.append(event)
                count[5] += 1
                if unresolved_of(event):
                    count[4] += 1
                if newest is None or event.time > newest:
                    newest = event.time
            _keep_native(reading, parsed, record)
        received = times[source][0] if source in times and times[source][0] > record.received else record.received
        times[source] = received, newest
    for source, (accepted, parsed_count, unparsed, unmapped, unresolved, events) in counts.items():
        received, newest = times[source]
        reading.tally[source] = SourceStatus(
            source,
            accepted=0 if again else accepted,
            parsed=parsed_count,
            unparsed=0 if again else unparsed,
            unmapped=unmapped,
            unresolved=unresolved,
            events=events,
            last_received=None if again else received,
            last_time=newest,
        )
    return reading


def _keep_native(reading: Reading, parsed: Parsed, record: RawRecord) -> None:
    if parsed.native is not None and parsed.events:
        uid = parsed.events[0].uid
        event = next((each for each in reversed(reading.events) if each.uid == uid), None)
        if event is not None and event.record == record.uid:
            reading.natives.append((event, parsed.native))
