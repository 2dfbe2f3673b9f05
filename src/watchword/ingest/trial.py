"""Trying a mapping: the first records of a file as the events they would become, before anything is stored."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from watchword.ingest.mapping_run import Mapping, Parsed
from watchword.ingest.reparse import sample_of
from watchword.kit.ids import uid_of
from watchword.model import Event, RawRecord


@dataclass(frozen=True, slots=True)
class Tried:
    """What one record of the file would become."""

    line: int
    """Line or record number in the file, from 1."""
    sample: str
    events: tuple[Event, ...]
    fault: str
    """Empty when it could be parsed."""
    mapped: bool


def try_mapping(mapping: Mapping, bodies: Iterable[tuple[int, bytes]], received: datetime, source: str = "trial") -> Iterator[Tried]:
    """Return what each record (line, bytes) would become; nothing is stored."""
    for line, body in bodies:
        record = RawRecord(uid_of("record", source, body, str(line)), source, received, body)
        parsed: Parsed = mapping.parse(record)
        yield Tried(line, sample_of(body), parsed.events, parsed.fault, parsed.mapped)
