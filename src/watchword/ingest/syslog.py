"""Syslog messages: RFC 5424 and the older RFC 3164 form, taken apart into columns; a missing year is the one nearest to arrival."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

LEVELS: Final = ("emerg", "alert", "crit", "err", "warning", "notice", "info", "debug")
"""The names of severities 0 to 7."""
MAX_PRIORITY: Final = 191
MAX_STRUCTURED: Final = 256
"""Structured data parameters read of one message; more are no log line."""

_PRIORITY = re.compile(r"<(\d{1,3})>")
_HEADER = re.compile(r"1 (\S{1,64}) (\S{1,255}) (\S{1,48}) (\S{1,128}) (\S{1,32}) ")
_ID = re.compile(r'\[([^\s=\]"]{1,64})')
_PARAM = re.compile(r' ([^\s=\]"]{1,64})="((?:[^"\\\]]|\\.)*)"', re.DOTALL)
_UNESCAPE = re.compile(r'\\(["\\\]])')
_OLD_TIME = re.compile(
    r"(?:\*|\.)?([A-Z][a-z]{2}) {1,2}(\d{1,2}) (?:(\d{4}) )?(\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?(?: (\d{4}))?(?: ?([A-Z]{3,4}))?:? "
)
_ISO_TIME = re.compile(r"(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:[.,]\d+)?(?:Z|[+-]\d{2}:?\d{2})?) ")
_HOST = re.compile(r"([A-Za-z0-9_.:@/-]{1,255}) (?=\S)")
_TAG = re.compile(r"([^\s:\[\]]{1,64})(?:\[([^\]\s]{0,128})\])?: ?")
_MONTHS: Final = {
    name: number for number, name in enumerate(["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"], 1)
}


class SyslogFault(ValueError):
    """A line that is no syslog message, in words that name the remedy."""


@dataclass(frozen=True, slots=True)
class SyslogMessage:
    """One message. Empty strings mean: not stated."""

    facility: int
    severity: int
    """0 emergency … 7 debug."""
    time: str
    """The time as sent."""
    moment: datetime | None
    """Aware when the message states an offset, naive wall-clock time when it does not, None when it states no time."""
    host: str
    app: str
    procid: str
    msgid: str
    message: str
    structured: Mapping[str, str] = field(default_factory=dict)
    """``sd.<id>.<parameter>`` → value."""

    @property
    def level(self) -> str:
        """The name of the severity, ``emerg`` to ``debug``."""
        return LEVELS[self.severity]


def parse_syslog(text: str, received: datetime) -> SyslogMessage:
    """Take one message apart.

    Args:
        text: the decoded line, without framing.
        received: when it arrived (aware UTC): decides the year that RFC 3164 leaves out.

    Raises:
        SyslogFault: the line starts with no priority, or its RFC 5424 header or structured data are broken.
    """
    found = _PRIORITY.match(text)
    if found is None:
        raise SyslogFault("starts with no <priority>; if this source sends plain lines, set format.kind to text")
    priority = int(found[1])
    if priority > MAX_PRIORITY:
        raise SyslogFault(f"has priority <{priority}>, the largest is <{MAX_PRIORITY}>; check what this source sends")
    at = found.end()
    facility, severity = divmod(priority, 8)
    if text.startswith("1 ", at):
        return _new(text, at, facility, severity)
    return _old(text, at, facility, severity, received)


def _nil(text: str) -> str:
    return "" if text == "-" else text


def _new(text: str, at: int, facility: int, severity: int) -> SyslogMessage:
    header = _HEADER.match(text, at) or _HEADER.match(text + " ", at)
    if header is None:
        raise SyslogFault(
            "is marked RFC 5424 (version 1) but its header is not: time host app procid msgid are wanted, each - when unknown"
        )
    stamp = _nil(header[1])
    moment: datetime | None = None
    if stamp:
        try:
            moment = datetime.fromisoformat(stamp)
        except ValueError:
            raise SyslogFault(f"states the time {stamp[:60]!r}, which is no RFC 3339 time") from None
    structured, after = _structured(text, header.end())
    message = text[after + 1 :] if after < len(text) else ""
    return SyslogMessage(
        facility,
        severity,
        stamp,
        moment,
        _nil(header[2]),
        _nil(header[3]),
        _nil(header[4]),
        _nil(header[5]),
        message.removeprefix("\ufeff"),
        structured,
    )


def _structured(text: str, at: int) -> tuple[dict[str, str], int]:
    if at >= len(text) or text[at] == "-":
        return {}, at + 1
    if text[at] != "[":
        raise SyslogFault(f"has {text[at : at + 12]!r} where structured data is wanted: write - when there is none")
    values: dict[str, str] = {}
    while text.startswith("[", at):
        element = _ID.match(text, at)
        if element is None:
            raise SyslogFault(f"has structured data without a name at character {at + 1}")
        at = element.end()
        while (parameter := _PARAM.match(text, at)) is not None:
            value = parameter[2]
            values[f"sd.{element[1]}.{parameter[1]}"] = _UNESCAPE.sub(r"\1", value) if "\\" in value else value
            at = parameter.end()
            if len(values) > MAX_STRUCTURED:
                raise SyslogFault(f"has more than {MAX_STRUCTURED} structured data parameters")
        if not text.startswith("]", at):
            raise SyslogFault(f'has structured data that is not closed at character {at + 1}: name="value" pairs and ] are wanted')
        at += 1
    return values, at


def _old(text: str, at: int, facility: int, severity: int, received: datetime) -> SyslogMessage:
    stamp = ""
    moment: datetime | None = None
    found = _OLD_TIME.match(text, at)
    if found is not None:
        moment = _old_moment(found, received)
        stamp = text[at : found.end()].strip() if moment else ""
        at = found.end() if moment else at
    else:
        iso = _ISO_TIME.match(text, at)
        if iso is not None:
            try:
                moment = datetime.fromisoformat(iso[1])
            except ValueError:
                moment = None
            stamp = iso[1] if moment else ""
            at = iso.end() if moment else at
    host = ""
    if moment is not None:
        named = _HOST.match(text, at)
        # A sender that leaves the host out goes on with its tag, which ends in a colon.
        if named is not None and not named[1].endswith(":"):
            host, at = named[1], named.end()
    tag = _TAG.match(text, at)
    app = procid = ""
    if tag is not None:
        app, procid, at = tag[1], tag[2] or "", tag.end()
    return SyslogMessage(facility, severity, stamp, moment, host, app, procid, "", text[at:])


def _old_moment(found: re.Match[str], received: datetime) -> datetime | None:
    month = _MONTHS.get(found[1])
    if month is None:
        return None
    year = found[3] or found[8]
    micro = int((found[7] or "").ljust(6, "0")[:6])
    day, hour, minute, second = int(found[2]), int(found[4]), int(found[5]), int(found[6])
    zone = UTC if found[9] in {"UTC", "GMT"} else None

    def at(in_year: int) -> datetime | None:
        try:
            return datetime(in_year, month, day, hour, minute, min(second, 59), micro, tzinfo=zone)
        except ValueError:
            return None

    if year is not None:
        return at(int(year))
    return nearest_year(at(received.year - 1), at(received.year), at(received.year + 1), received=received)


def nearest_year(*candidates: datetime | None, received: datetime) -> datetime | None:
    """Return the candidate nearest to arrival: the rule for times without a year (a day's zone difference does not matter)."""
    there = [candidate for candidate in candidates if candidate is not None]
    if not there:
        return None
    return min(there, key=lambda moment: abs(moment.replace(tzinfo=UTC) - received) / timedelta(seconds=1))
