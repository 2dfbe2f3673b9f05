"""Events and raw records as Arrow columns, and back: the one shape in which they are archived and inserted."""

import json
from collections.abc import Mapping, Sequence
from itertools import starmap
from math import floor
from operator import attrgetter
from typing import Any

import msgspec
import orjson
import pyarrow as pa

from watchword.ingest.ports import Segment
from watchword.kit.ids import UID_BYTES
from watchword.kit.instant import from_ms
from watchword.model import Event, RawRecord

_UID = pa.binary(UID_BYTES)
_TIME = pa.timestamp("ms", tz="UTC")
EVENT_SCHEMA = pa.schema(
    [
        ("time", _TIME), ("received", _TIME), ("uid", _UID), ("record", _UID), ("segment", pa.uint64()), ("class_uid", pa.uint32()),
        ("activity_id", pa.uint8()), ("severity_id", pa.uint8()), ("source", pa.string()), ("person", pa.string()), ("asset", pa.string()),
        ("place", pa.string()), ("credential", pa.string()), ("src_ip", pa.string()), ("dst_ip", pa.string()), ("message", pa.string()),
        ("data", pa.string()),
    ],
)  # fmt: skip
RECORD_SCHEMA = pa.schema([("uid", _UID), ("source", pa.string()), ("received", _TIME), ("segment", pa.uint64()), ("body", pa.binary())])
_TEXTS = ("source", "person", "asset", "place", "credential", "src_ip", "dst_ip", "message")
_SLACK = 0.0005
"""A moment in seconds times 1,000 is off by up to 0.0003: this keeps whole milliseconds whole and cuts the rest."""


def event_batch(segment: int, events: Sequence[Event]) -> pa.RecordBatch:
    """Return the events as one record batch, in the given order."""
    count = len(events)
    columns: dict[str, pa.Array] = {
        "time": _times([event.time.timestamp() for event in events]),
        "received": _times([event.received.timestamp() for event in events]),
        "uid": _uids([event.uid for event in events]),
        "record": _uids([event.record for event in events]),
        "segment": _repeated(segment, count),
        "class_uid": pa.array([event.class_uid for event in events], pa.uint32()),
        "activity_id": pa.array([event.activity_id for event in events], pa.uint8()),
        "severity_id": pa.array([event.severity_id for event in events], pa.uint8()),
    }
    for name in _TEXTS:
        columns[name] = _text(list(map(attrgetter(name), events)))
    columns["data"] = pa.array([_json(event.data) for event in events], pa.binary()).cast(pa.string())
    return pa.RecordBatch.from_arrays([columns[name] for name in EVENT_SCHEMA.names], schema=EVENT_SCHEMA)


def record_batch(segment: int, records: Sequence[RawRecord]) -> pa.RecordBatch:
    """Return the raw records as one record batch, in the given order."""
    return pa.RecordBatch.from_arrays(
        [
            _uids([record.uid for record in records]),
            _text([record.source for record in records]),
            _times([record.received.timestamp() for record in records]),
            _repeated(segment, len(records)),
            pa.array([record.body for record in records], pa.binary()),
        ],
        schema=RECORD_SCHEMA,
    )


def events_from(table: pa.Table | pa.RecordBatch) -> list[Event]:
    """Return the events of Arrow columns, whichever order the columns have."""
    get = _getter(table)
    columns = {name: get(name) for name in EVENT_SCHEMA.names if name != "segment"}
    for name in ("uid", "record"):
        columns[name] = _hex(columns[name])
    for name in ("time", "received"):
        columns[name] = _moments(columns[name])
    columns["data"] = map(_loads, columns["data"])
    return list(starmap(Event, zip(*(columns[name] for name in Event.__slots__), strict=True)))


def records_from(table: pa.Table | pa.RecordBatch) -> list[RawRecord]:
    """Return the raw records of Arrow columns."""
    get = _getter(table)
    rows = zip(_hex(get("uid")), get("source"), _moments(get("received")), get("body"), strict=True)
    return list(starmap(RawRecord, rows))


class SegmentColumns:
    """Makes a segment's columns once for its archive file and its insert, which follow each other: remembers the last one only."""

    def __init__(self) -> None:
        self._last: tuple[Segment, pa.RecordBatch, pa.RecordBatch] | None = None

    def of(self, segment: Segment) -> tuple[pa.RecordBatch, pa.RecordBatch]:
        """Return the segment's raw records and events as one record batch each."""
        last = self._last
        if last is None or last[0] is not segment:
            last = segment, record_batch(segment.uid, segment.records), event_batch(segment.uid, segment.events)
            self._last = last
        return last[1], last[2]


def _getter(table: pa.Table | pa.RecordBatch) -> Any:
    def get(name: str) -> Any:
        column = table.column(name)
        if pa.types.is_timestamp(column.type):
            column = column.cast(pa.int64())
        elif name in _TEXTS and pa.types.is_binary(column.type):
            column = column.cast(pa.string())
        return column.to_pylist()

    return get


def _times(seconds: Sequence[float]) -> pa.Array:
    return pa.array([floor(value * 1000 + _SLACK) for value in seconds], pa.int64()).cast(_TIME)


def _moments(values: Sequence[int]) -> list[Any]:
    return [from_ms(value) for value in values]


def _uids(values: Sequence[str]) -> pa.Array:
    return pa.Array.from_buffers(_UID, len(values), [None, pa.py_buffer(bytes.fromhex("".join(values)))])


def _hex(values: Sequence[bytes]) -> list[str]:
    return [value.hex() for value in values]


def _repeated(value: int, count: int) -> pa.Array:
    return pa.repeat(pa.scalar(value, pa.uint64()), count)


def _text(values: Sequence[str]) -> pa.Array:
    try:
        return pa.array(values, pa.string())
    except UnicodeEncodeError:  # lone surrogates, which JSON can spell and UTF-8 cannot
        return pa.array([value.encode("utf-8", "replace") for value in values], pa.binary()).cast(pa.string())


def _json(data: Mapping[str, Any]) -> bytes:
    try:
        return _encode(data)
    except (TypeError, ValueError, OverflowError):  # lone surrogates, keys that are no text
        return json.dumps(data, default=_plain, separators=(",", ":")).encode()


def _plain(value: Any) -> Any:
    if isinstance(value, set | frozenset):
        return sorted(value, key=str)
    return dict(value) if isinstance(value, Mapping) else str(value)


_encode = msgspec.json.Encoder(enc_hook=_plain).encode  # three times as fast as orjson for one document after another


def _loads(text: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return json.loads(text)
