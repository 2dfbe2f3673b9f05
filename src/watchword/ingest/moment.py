"""Device times: text or numbers as a device writes them become moments in UTC; a local time that does not exist is a fault."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from operator import itemgetter
from typing import Any, Final
from zoneinfo import ZoneInfo

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
AMBIGUOUS: Final = "time:ambiguous"
"""Label of a local time that came twice that night."""
ASSUMED: Final = "time:zone-assumed"
"""Label of a time without zone, read as UTC because the mapping names none."""
RECEIVED: Final = "time:received"
"""Label of an event whose device stated no time."""
_CACHE_BOUND = 20_000
_EPOCH_MS_FROM = 100_000_000_000
"""Seconds beyond the year 5138: such a number is milliseconds."""

Reading = tuple[datetime, str]
"""A moment in UTC, cut to milliseconds, and a label (empty as a rule)."""
MomentReader = Callable[[Any], Reading]


class MomentFault(ValueError):
    """A time that cannot be read, in words that name the remedy."""


def cut(moment: datetime) -> datetime:
    """Return the aware moment in UTC, cut to milliseconds."""
    if moment.tzinfo is not UTC:
        moment = moment.astimezone(UTC)
    over = moment.microsecond % 1000
    return moment - timedelta(microseconds=over) if over else moment


class LocalClock:
    """Wall-clock time of one zone → UTC, the offset of each minute looked up once."""

    def __init__(self, zone: ZoneInfo | None, fold: int = 0) -> None:
        """Without a zone, times are read as UTC and labelled so."""
        self._zone = zone
        self._fold = fold
        self._minutes: dict[int, tuple[timedelta, str] | None] = {}

    def read(self, naive: datetime) -> Reading:
        """Return the UTC moment of a wall-clock time.

        Raises:
            MomentFault: the time was skipped when the clocks went forward.
        """
        if self._zone is None:
            return cut(naive.replace(tzinfo=UTC)), ASSUMED
        minute = naive.toordinal() * 1440 + naive.hour * 60 + naive.minute
        try:
            found = self._minutes[minute]
        except KeyError:
            if len(self._minutes) > _CACHE_BOUND:
                self._minutes.clear()
            found = self._minutes[minute] = self._offset(naive)
        if found is None:
            raise MomentFault(
                f"{naive:%Y-%m-%d %H:%M:%S} does not exist in {self._zone.key}: the clocks went forward over it; "
                "the device does not keep daylight saving time: set time.zone to a fixed zone such as Etc/GMT-1, or to UTC",
            )
        return cut((naive - found[0]).replace(tzinfo=UTC)), found[1]

    def _offset(self, naive: datetime) -> tuple[timedelta, str] | None:
        zone = self._zone
        first, second = (naive.replace(tzinfo=zone, fold=fold).utcoffset() or timedelta() for fold in (0, 1))
        if first == second:
            return first, ""
        if first < second:  # the offset grows: the time lies in the gap
            return None
        return (second if self._fold else first), AMBIGUOUS


def moment_reader(formats: tuple[str, ...], zone: ZoneInfo | None = None, fold: int = 0) -> MomentReader:
    """Return the reader of one or more formats, tried in order: ``iso``, ``epoch``, ``epoch_ms`` or strptime's directives.

    Raises:
        ValueError: a format is not one of these; the message names the remedy.
    """
    clock = LocalClock(zone, fold)
    readers = [_reader(format_, clock) for format_ in formats]
    if len(readers) == 1:
        return readers[0]

    def read(value: Any) -> Reading:
        faults = []
        for reader in readers:
            try:
                return reader(value)
            except MomentFault as fault:
                faults.append(str(fault))
        raise MomentFault(faults[0] if len(set(faults)) == 1 else "; ".join(faults))

    return read


def _reader(format_: str, clock: LocalClock) -> MomentReader:
    if format_ == "iso":
        return _iso_reader(clock)
    if format_ == "epoch":
        return _epoch_reader(1000)
    if format_ == "epoch_ms":
        return _epoch_reader(1)
    if "%" not in format_:
        raise ValueError(f"{format_!r} is no time format: write iso, epoch, epoch_ms, or one with %Y %m %d %H %M %S")
    if "%Z" in format_:
        raise ValueError("%Z cannot be read for certain (names of zones are ambiguous): use %z, or set zone and leave the name out")
    if not any(directive in format_ for directive in ("%Y", "%y", "%G", "%c", "%x", "%D")):
        raise ValueError(f"{format_!r} names no year: add %Y or %y, or read the record as syslog, whose times have none")
    return _strptime_reader(format_, clock)


def _iso_reader(clock: LocalClock) -> MomentReader:
    parse = datetime.fromisoformat

    def read(value: Any) -> Reading:
        try:
            moment = parse(value if isinstance(value, str) else str(value))
        except ValueError:
            moment = _loose_iso(value)
        if moment.tzinfo is None:
            return clock.read(moment)
        return _cut_safely(moment, value), ""

    return read


def _loose_iso(value: Any) -> datetime:
    """Read what sources write beside the standard: blanks around it, a blank before the zone, ``UTC`` for ``Z``."""
    text = str(value).strip()
    for old, new in ((" UTC", "Z"), (" Z", "Z"), (" +", "+"), (" -", "-")):
        if text.endswith(old) or old in text[19:]:
            text = text[:19] + text[19:].replace(old, new)
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise MomentFault(f"{_short(value)} is no ISO 8601 time; set time.format to the form that this source writes") from None


def _cut_safely(moment: datetime, value: Any) -> datetime:
    try:
        return cut(moment)
    except OverflowError:
        raise MomentFault(f"{_short(value)} lies outside the years 1 to 9999") from None


def _epoch_reader(scale: int) -> MomentReader:
    def read(value: Any) -> Reading:
        try:
            number = value if type(value) is int else float(value)
            if scale == 1 or abs(number) < _EPOCH_MS_FROM:
                return EPOCH + timedelta(milliseconds=int(number * scale // 1)), ""
        except (ValueError, TypeError, OverflowError):
            unit = "seconds" if scale == 1000 else "milliseconds"
            raise MomentFault(
                f"{_short(value)} is no number of {unit} since 1970; set time.format to the form that this source writes"
            ) from None
        raise MomentFault(f"{_short(value)} is no time in seconds since 1970; it looks like milliseconds: set time.format to epoch_ms")

    return read


_WIDTHS: Final = {"Y": 4, "m": 2, "d": 2, "H": 2, "M": 2, "S": 2}


def _slices(format_: str) -> tuple[dict[str, slice], list[tuple[int, str]], int] | None:
    """Return where each fixed-width part of the format lies, the literals between, and the length; None if it is not all fixed."""
    parts: dict[str, slice] = {}
    literals: list[tuple[int, str]] = []
    at = index = 0
    while index < len(format_):
        if format_[index] == "%":
            directive = format_[index + 1 : index + 2]
            if directive not in _WIDTHS or directive in parts:
                return None
            parts[directive] = slice(at, at + _WIDTHS[directive])
            at += _WIDTHS[directive]
            index += 2
        else:
            literals.append((at, format_[index]))
            at += 1
            index += 1
    return (parts, literals, at) if {"Y", "m", "d"} <= parts.keys() else None


def _strptime_reader(format_: str, clock: LocalClock) -> MomentReader:
    plan = _slices(format_)

    def slow(text: str) -> datetime:
        try:
            return datetime.strptime(text.strip(), format_)  # noqa: DTZ007 - the zone is given by the clock where the text has none
        except ValueError:
            raise MomentFault(
                f"{_short(text)} does not have the form {format_}; set time.format to the form that this source writes"
            ) from None

    def finish(moment: datetime, text: str) -> Reading:
        return clock.read(moment) if moment.tzinfo is None else (_cut_safely(moment, text), "")

    if plan is None:
        return lambda value: finish(slow(str(value)), str(value))
    parts, literals, length = plan
    year, month, day = parts["Y"], parts["m"], parts["d"]
    hour, minute, second = (parts.get(part) for part in "HMS")
    at = [position for position, _ in literals]
    between: Callable[[str], Any] = itemgetter(*at) if at else len
    expected: Any = length if not at else literals[0][1] if len(at) == 1 else tuple(literal for _, literal in literals)

    def read(value: Any) -> Reading:
        text = value if isinstance(value, str) else str(value)
        if len(text) == length and between(text) == expected and text.isascii():
            try:
                moment = datetime(  # noqa: DTZ001 - as above
                    int(text[year]),
                    int(text[month]),
                    int(text[day]),
                    int(text[hour]) if hour else 0,
                    int(text[minute]) if minute else 0,
                    int(text[second]) if second else 0,
                )
            except ValueError:
                moment = slow(text)
            return clock.read(moment)
        return finish(slow(text), text)

    return read


def fixed_offset(minutes: int) -> timezone:
    """Return the zone so many minutes east of UTC."""
    return timezone(timedelta(minutes=minutes))


def _short(value: Any) -> str:
    text = str(value)
    return repr(text if len(text) <= 60 else text[:60] + "…")
