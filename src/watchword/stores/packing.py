"""Packing: records as the spool handles them, cut into batches, and as the bytes in which a batch waits."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

import msgspec

from watchword.kit.instant import from_ms, to_ms
from watchword.model import RawRecord
from watchword.model.making import make_record

BATCH_RECORDS: Final = 1_000
BATCH_BYTES: Final = 4_000_000
Keyed = tuple[bytes, int, RawRecord]
"""Its uid's bytes, its arrival in ms, and the record."""
_DAY_MS: Final = 86_400_000
_Packed = list[tuple[bytes, str, int, bytes]]
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Packed).decode


def pack(group: Sequence[Keyed]) -> bytes:
    """Return the bytes in which a batch waits."""
    return _encode([(uid, record.source, at, record.body) for uid, at, record in group])


def keyed(records: Sequence[RawRecord]) -> list[Keyed]:
    """Return the records as the spool handles them."""
    made: list[Keyed] = []
    received, at = None, 0
    for record in records:
        if record.received is not received:  # as a rule the records of a delivery share one moment
            received, at = record.received, to_ms(record.received)
        made.append((bytes.fromhex(record.uid), at, record))
    return made


def cut_batches(records: Sequence[Keyed]) -> Iterator[list[Keyed]]:
    """Yield the records as batches: of one arrival date, and bounded in number and bytes."""
    days: dict[int, list[Keyed]] = {}
    for each in records:
        days.setdefault(each[1] // _DAY_MS, []).append(each)
    for day in sorted(days):
        group: list[Keyed] = []
        size = 0
        for each in days[day]:
            weight = len(each[2].body)
            if group and (len(group) >= BATCH_RECORDS or size + weight > BATCH_BYTES):
                yield group
                group, size = [], 0
            group.append(each)
            size += weight
        yield group


def unpack(body: bytes) -> tuple[RawRecord, ...]:
    """Return the records of a packed batch."""
    moments: dict[int, datetime] = {}
    made = []
    for uid, source, at, raw in _decode(body):
        received = moments.get(at)
        if received is None:
            received = moments[at] = from_ms(at)
        made.append(make_record(uid.hex(), source, received, raw))
    return tuple(made)
