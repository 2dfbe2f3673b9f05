"""Decoding: the bytes of one record become columns, by the format that its mapping names."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal

import orjson

from watchword.ingest.cef import CefFault, is_cef, parse_cef
from watchword.ingest.delimited import CsvFormat, DelimitedFault, DelimitedReader
from watchword.ingest.intake import cut_fault
from watchword.ingest.syslog import SyslogFault, parse_syslog

Kind = Literal["json", "csv", "syslog", "text"]
Inner = Literal["auto", "json", "pairs", "none"]
Decoder = Callable[[bytes, datetime], dict[str, Any]]
"""(body, received) → columns."""
DEVICE_TIME: Final = "time"
"""Column under which syslog's own time stands, as a datetime, aware or wall-clock."""
_PAIRS = re.compile(r'([A-Za-z_][\w.\-]{0,127})=("(?:[^"\\]|\\.)*"|[^\s,;]*)')


class DecodeFault(ValueError):
    """The record cannot be read, in words that name place and remedy."""


@dataclass(frozen=True, slots=True)
class Format:
    """How the records of a source are written."""

    kind: Kind = "json"
    csv: CsvFormat = field(default_factory=CsvFormat)
    message: Inner = "auto"
    """What stands in a syslog or text message: ``auto`` finds CEF and LEEF; ``json``; ``pairs`` for ``key=value``; ``none``."""


def decoder(form: Format, check_header: Callable[[tuple[str, ...]], None]) -> Decoder:
    """Return the decoder of a format; `check_header` is given the column names of each new CSV header and may raise DelimitedFault."""
    if form.kind == "json":
        return _decode_json
    if form.kind == "csv":
        return _csv_decoder(DelimitedReader(form.csv, check_header))
    inner = _INNER[form.message]
    return _syslog_decoder(inner) if form.kind == "syslog" else _text_decoder(inner)


def _decode_json(body: bytes, received: datetime) -> dict[str, Any]:
    del received
    try:
        row = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise DecodeFault(cut_fault(body) or f"is no valid JSON: {error}") from None
    if type(row) is not dict:
        raise DecodeFault(f"is JSON but no object: a {type(row).__name__} came; send one object per record")
    return row


def _csv_decoder(reader: DelimitedReader) -> Decoder:
    def decode(body: bytes, received: datetime) -> dict[str, Any]:
        del received
        try:
            return reader.columns(body)
        except DelimitedFault as fault:
            raise DecodeFault(cut_fault(body) or str(fault)) from None

    return decode


def _text(body: bytes) -> str:
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        # Devices write in whatever code page they were made with: the line is evidence all the same, the bytes are kept as sent.
        text = body.decode("utf-8", "replace")
    fault = cut_fault(body)
    if fault:
        raise DecodeFault(fault)
    return text


def _syslog_decoder(inner: Callable[[dict[str, Any]], None]) -> Decoder:
    def decode(body: bytes, received: datetime) -> dict[str, Any]:
        try:
            message = parse_syslog(_text(body), received)
        except SyslogFault as fault:
            raise DecodeFault(str(fault)) from None
        row: dict[str, Any] = dict(message.structured)
        row["host"], row["app"], row["procid"], row["msgid"] = message.host, message.app, message.procid, message.msgid
        row["facility"], row["severity"], row["level"] = message.facility, message.severity, message.level
        row["message"] = message.message
        row[DEVICE_TIME] = message.moment
        if message.time:
            row["timestamp"] = message.time
        # 3164 senders take the CEF marker for their tag: put it back before looking.
        if message.app in {"CEF", "LEEF"} and not message.msgid:
            row["message"] = f"{message.app}:{message.message}"
            row["app"] = ""
        inner(row)
        return row

    return decode


def _text_decoder(inner: Callable[[dict[str, Any]], None]) -> Decoder:
    def decode(body: bytes, received: datetime) -> dict[str, Any]:
        del received
        row: dict[str, Any] = {"message": _text(body)}
        inner(row)
        return row

    return decode


def _inner_auto(row: dict[str, Any]) -> None:
    message = row["message"]
    if is_cef(message):
        try:
            columns = parse_cef(message)
        except CefFault as fault:
            raise DecodeFault(f"is CEF or LEEF that cannot be read: it {fault}") from None
        _merge(row, columns)


def _inner_json(row: dict[str, Any]) -> None:
    message = row["message"]
    start = message.find("{")
    if start < 0:
        raise DecodeFault("holds no JSON object in its message; set format.message to auto if not every message is JSON")
    try:
        columns = orjson.loads(message[start:])
    except orjson.JSONDecodeError as error:
        raise DecodeFault(f"holds a message that is no valid JSON: {error}") from None
    _merge(row, columns)


def _inner_pairs(row: dict[str, Any]) -> None:
    columns: dict[str, Any] = {}
    for key, value in _PAIRS.findall(row["message"]):
        columns.setdefault(key, value[1:-1].replace('\\"', '"') if value[:1] == '"' else value)
    _merge(row, columns)


def _merge(row: dict[str, Any], columns: Mapping[str, Any]) -> None:
    """Add the message's own columns; the envelope's names win, as they cannot be forged by who wrote the message."""
    for key, value in columns.items():
        row.setdefault(key, value)


_INNER: Final[dict[Inner, Callable[[dict[str, Any]], None]]] = {
    "auto": _inner_auto,
    "json": _inner_json,
    "pairs": _inner_pairs,
    "none": lambda _row: None,
}
