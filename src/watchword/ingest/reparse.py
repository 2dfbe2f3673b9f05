"""Reparsing: records that are kept are read again with a mended mapping; each event has the uid that its record and index always give."""

from collections.abc import Iterable, Iterator
from typing import Final

from watchword.ingest.mapping_run import Mapping, Parsed
from watchword.model import RawRecord, Unparsed

SAMPLE: Final = 200
"""Characters of an unparsed record that are shown."""


def reparse(records: Iterable[RawRecord], mapping: Mapping) -> list[Parsed]:
    """Return what each record becomes with the mapping, in the records' order."""
    return [mapping.parse(record) for record in records]


def mended(records: Iterable[RawRecord], mapping: Mapping) -> Iterator[tuple[RawRecord, Parsed]]:
    """Return the records that can be parsed now, with what they became."""
    for record in records:
        parsed = mapping.parse(record)
        if not parsed.fault:
            yield record, parsed


def unparsed_of(record: RawRecord, fault: str) -> Unparsed:
    """Return how an unparsed record is listed: its fault, and the first 200 characters with undecodable bytes escaped."""
    return Unparsed(record.uid, record.source, record.received, fault, sample_of(record.body))


def sample_of(body: bytes) -> str:
    """Return the first 200 characters of a body; undecodable bytes and control characters escaped."""
    text = body[: SAMPLE * 4].decode("utf-8", "backslashreplace")[:SAMPLE]
    return "".join(character if character.isprintable() else character.encode("unicode_escape").decode() for character in text)
