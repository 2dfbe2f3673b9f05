"""A compiled mapping at work: one raw record in, its events, its fault and Sigma's view of it out."""

from collections.abc import Callable
from collections.abc import Mapping as MappingOf
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b
from typing import Any, Final, Literal

from watchword.ingest.condition import Test
from watchword.ingest.credential import account_uid
from watchword.ingest.decode import DEVICE_TIME, DecodeFault, Decoder, Format
from watchword.ingest.mapping_fields import Put
from watchword.ingest.mapping_values import Get, Row, column_get, text_of
from watchword.ingest.moment import RECEIVED, LocalClock, MomentFault, MomentReader, Reading, cut
from watchword.ingest.native import Native, NativeView
from watchword.kit.ids import UID_BYTES, uid_of
from watchword.model import Event, RawRecord, Source
from watchword.model.making import make_event
from watchword.model.ocsf import OTHER_ACTIVITY

TEXT_KEPT: Final = 500
"""Characters of a record's text that become the message of an event that no mapping entry made."""
Message = Callable[[Row, dict[str, Any], int], str]
"""(record, document, activity) → message."""
_BEFORE: Final = (5).to_bytes(8, "big") + b"event" + (2 * UID_BYTES).to_bytes(8, "big")
_AFTER: Final = (1).to_bytes(8, "big") + b"0"
_WHOLE: Final = 8_000
"""Characters at most of any message."""


@dataclass(frozen=True, slots=True)
class Parsed:
    """What one record became."""

    events: tuple[Event, ...]
    fault: str = ""
    """Why it could not be parsed, with place and remedy; empty when it could."""
    mapped: bool = True
    """False when it was well formed but no entry of the mapping fitted (its event then is a line of text), or on a fault."""
    native: Native | None = None


@dataclass(slots=True)
class Entry:
    """One item of ``events``, compiled."""

    class_uid: int
    physical: bool
    test: Test | None
    match: Callable[[Row], Row | None] | None
    activity: int
    activity_get: Get | None
    severity: int
    severity_get: Get | None
    message: Message
    plan: tuple[tuple[Get, Put], ...]
    constants: tuple[tuple[Put, Any], ...] = ()


@dataclass(slots=True)
class TimePlan:
    """Where the time of a record stands and how it is read."""

    columns: tuple[tuple[str, Get, MomentReader], ...]
    clock: LocalClock
    """For the wall-clock time of a syslog header."""


@dataclass(slots=True)
class Mapping:
    """A mapping file, compiled: pure, shared by threads."""

    name: str
    describes: str
    format: Format
    source_settings: MappingOf[str, Any]
    decode: Decoder
    time: TimePlan
    entries: tuple[Entry, ...]
    index_get: Get | None
    """The column on which entries are told apart quickly; None: try all."""
    index: MappingOf[str, tuple[Entry, ...]]
    rest: tuple[Entry, ...]
    """Entries to try when the column holds none of the indexed values."""
    otherwise: Literal["keep", "unparsed"]
    id_get: Get | None
    view: NativeView | None
    product: MappingOf[str, str] | None
    columns: frozenset[str] = field(default_factory=frozenset)
    """Every column that the mapping names."""
    check_header: Callable[[tuple[str, ...]], None] = lambda _names: None
    """Raises DelimitedFault when a CSV header lacks a column that the mapping uses."""

    def source(self, name: str) -> Source:
        """Return the source that the mapping's ``source`` section describes, under this name."""
        return Source(name, mapping=self.name, **self.source_settings)

    def record_id(self, body: bytes, received: datetime) -> str:
        """Return the source's own id of a record, empty when the mapping names none or the record has none."""
        if self.id_get is None:
            return ""
        try:
            value = self.id_get(self.decode(body, received))
        except DecodeFault:
            return ""
        return "" if value is None else text_of(value)

    def parse(self, record: RawRecord) -> Parsed:
        """Make events of a record. Never raises for what a record holds: what is wrong with it is said in `Parsed.fault`."""
        try:
            row = self.decode(record.body, record.received)
            moment, label, sent = self._moment(row, record.received)
        except (DecodeFault, MomentFault) as fault:
            return Parsed((), str(fault), mapped=False)
        except (RecursionError, ValueError, OverflowError) as error:
            return Parsed((), f"cannot be read: {error}", mapped=False)
        events: list[Event] = []
        for entry in self._candidates(row):
            if entry.test is not None and not entry.test(row):
                continue
            matched: Row | None = row if entry.match is None else entry.match(row)
            if matched is not None:
                events.append(self._event(record, matched, entry, len(events), moment, label, sent))
        native = self.view.of(row) if self.view is not None else None
        if events:
            return Parsed(tuple(events), native=native)
        if self.otherwise == "unparsed":
            return Parsed(
                (), f"fits no entry of mapping {self.name}; add one to events, or set otherwise: keep", mapped=False, native=native
            )
        return Parsed((self._line(record, row, moment, label, sent),), mapped=False, native=native)

    def _candidates(self, row: Row) -> tuple[Entry, ...]:
        if self.index_get is None:
            return self.entries
        value = self.index_get(row)
        if value is None:
            return self.rest
        return self.index.get(value if type(value) is str else text_of(value), self.rest)

    def _moment(self, row: dict[str, Any], received: datetime) -> tuple[datetime, str, Any]:
        """Return (event time, label, text as sent when it had to be interpreted)."""
        for name, get, read in self.time.columns:
            value = get(row)
            if value is not None:
                try:
                    moment, label = (
                        (cut(value), "") if isinstance(value, datetime) and value.tzinfo else _read(read, self.time.clock, value)
                    )
                except MomentFault as fault:
                    raise MomentFault(f"column {name}: {fault}") from None
                return moment, label, (value if label else None)
        stated = row.get(DEVICE_TIME)
        if isinstance(stated, datetime):
            if stated.tzinfo is not None:
                return cut(stated), "", None
            moment, label = self.time.clock.read(stated)
            return moment, label, (row.get("timestamp") if label else None)
        return received, RECEIVED, None

    def _event(self, record: RawRecord, row: Row, entry: Entry, index: int, moment: datetime, label: str, sent: Any) -> Event:
        data: dict[str, Any] = {}
        for put, value in entry.constants:
            put(data, value)
        for get, put in entry.plan:
            value = get(row)
            if value is not None:
                put(data, value)
        activity = entry.activity
        if entry.activity_get is not None:
            activity = _activity(entry.activity_get(row), data)
        severity = entry.severity
        if entry.severity_get is not None:
            found = entry.severity_get(row)
            severity = found if type(found) is int else entry.severity
        if label or self.product is not None or self.id_get is not None:
            self._metadata(data, row, label, sent)
        credential = ""
        if entry.physical and (shown := data.get("ww_credential")) is not None and "hash" in shown:
            credential = "badge:" + shown["hash"]
        elif (user := data.get("user")) is not None:
            account = user.get("name") or user.get("email_addr")
            credential = account_uid(account) if account else ""
        src, dst = data.get("src_endpoint"), data.get("dst_endpoint")
        return make_event(
            event_uid(record.uid, index),
            record.uid,
            record.source,
            moment,
            record.received,
            entry.class_uid,
            activity,
            severity,
            "",  # person, asset and place are found out later
            "",
            "",
            credential,
            src.get("ip", "") if src is not None else "",
            dst.get("ip", "") if dst is not None else "",
            entry.message(row, data, activity)[:_WHOLE],
            data,
        )

    def _metadata(self, data: dict[str, Any], row: Row, label: str, sent: Any) -> None:
        metadata = data.setdefault("metadata", {})
        if label:
            metadata.setdefault("labels", []).append(label)
            if sent is not None:
                metadata["original_time"] = text_of(sent)
        if self.product is not None:
            metadata["product"] = self.product
        if self.id_get is not None and (own := self.id_get(row)) is not None:
            metadata["original_event_uid"] = text_of(own)

    def _line(self, record: RawRecord, row: Row, moment: datetime, label: str, sent: Any) -> Event:
        data: dict[str, Any] = {}
        if label or self.product is not None or self.id_get is not None:
            self._metadata(data, row, label, sent)
        host = row.get("host") if self.format.kind == "syslog" else None
        if host:
            data["device"] = {"hostname": host}
        text = row["message"] if self.format.kind in {"syslog", "text"} else record.body[: TEXT_KEPT * 4].decode("utf-8", "replace")
        return Event(
            event_uid(record.uid, 0),
            record.uid,
            record.source,
            moment,
            record.received,
            0,
            0,
            message=str(text)[:TEXT_KEPT],
            data=data,
        )


def event_uid(record: str, index: int) -> str:
    """Return the uid of a record's event: ``uid_of("event", record, index)``, in one piece."""
    raw = record.encode("utf-8", "surrogatepass")
    if index or len(raw) != 2 * UID_BYTES:
        return uid_of("event", raw, str(index))
    return blake2b(_BEFORE + raw + _AFTER, digest_size=UID_BYTES).hexdigest()


def _read(read: MomentReader, clock: LocalClock, value: Any) -> Reading:
    return clock.read(value) if isinstance(value, datetime) else read(value)


def _activity(value: Any, data: dict[str, Any]) -> int:
    """Return the activity's number; a word that the mapping does not know is Other, with the word kept beside it."""
    if type(value) is int and 0 <= value <= 255:
        return value
    if value is None:
        return 0
    data["activity_name"] = text_of(value)
    return OTHER_ACTIVITY


def plain_get(name: str) -> Get:
    """Return the getter of a column for which an empty text means nothing."""
    return column_get(name, frozenset({""}))
