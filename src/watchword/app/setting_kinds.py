"""Kinds of settings: how each is read from TOML or from a text, and the words that help when it is wrong."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from ipaddress import ip_network
from pathlib import Path
from typing import Any

from watchword.connectors.probe_target import read_probes
from watchword.connectors.responders import read_responders
from watchword.kit.duration import read_duration
from watchword.kit.errors import InputError

CHANNEL_KINDS = ("mail", "push", "chat", "sms", "voice", "webhook", "screen")
TEAMS = ("it", "physical", "management")
SIZES = {"B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12, "KIB": 2**10, "MIB": 2**20, "GIB": 2**30, "TIB": 2**40}


@dataclass(frozen=True, slots=True)
class SyslogListener:
    """One syslog socket and the source whose records come in there."""

    protocol: str
    """``udp``, ``tcp`` or ``tls``."""
    port: int
    source: str
    host: str = "0.0.0.0"  # noqa: S104 - senders are other machines; narrow it in the settings


@dataclass(frozen=True, slots=True)
class Drop:
    """A folder in which files are dropped, and the source that they belong to."""

    folder: Path
    source: str


@dataclass(frozen=True, slots=True)
class Maintenance:
    """A window in which work on a place or asset is announced: findings there are kept but call no one."""

    place: str
    """Uid of a place (it stands for everything inside it) or of an asset."""
    since: datetime
    until: datetime
    ticket: str

    def covers(self, place: str, at: datetime) -> bool:
        """Tell whether the window covers the place at this moment."""
        return self.since <= at < self.until and (place == self.place or place.startswith(self.place + "/"))


@dataclass(frozen=True, slots=True)
class PagingChannel:
    """A shared channel on which a desk or a group is paged."""

    name: str
    kind: str
    """``mail``, ``push``, ``chat``, ``sms``, ``voice``, ``webhook`` or ``screen``."""
    url: str = field(repr=False)
    """Apprise address; it may hold secrets. Of a screen: nothing."""
    team: str = ""
    """``it``, ``physical`` or ``management``; empty: reached only where a policy names it."""


@dataclass(frozen=True, slots=True)
class Kind:
    """How one kind of value is read; paths are taken relative to the folder given."""

    read: Callable[[Any, Path], Any]
    words: str
    structured: bool = False
    """Whether a text from the environment is read as a TOML value first."""


def _text(value: Any, _: Path) -> str:
    if not isinstance(value, str):
        raise InputError(f"{value!r} is no text")
    return value


def _path(value: Any, folder: Path) -> Path:
    if not isinstance(value, str) or not value or "\0" in value:
        raise InputError(f"{value!r} is no path")
    return folder / Path(value).expanduser()


def _paths(value: Any, folder: Path) -> tuple[Path, ...]:
    return tuple(_path(each, folder) for each in ([value] if isinstance(value, str) else _list(value)))


def _whole(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise InputError(f"{value!r} is no whole number")
    try:
        return int(value)
    except ValueError as error:
        raise InputError(f"{value!r} is no whole number") from error


def _port(value: Any, _: Path) -> int:
    port = _whole(value)
    if not 0 <= port <= 65535:
        raise InputError(f"{port} is no port")
    return port


def _flag(value: Any, _: Path) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in {"true", "false"}:
        return value.lower() == "true"
    raise InputError(f"{value!r} is neither true nor false")


def _count(value: Any, _: Path) -> int:
    count = _whole(value)
    if not 1 <= count <= 10**12:
        raise InputError(f"{count} is out of range")
    return count


def read_size(value: Any, _: Path = Path()) -> int:
    """Return bytes from a whole number or a text such as ``512MB`` (decimal) or ``4GiB`` (binary).

    Raises:
        InputError: it is neither, or not above 0.
    """
    if isinstance(value, str):
        text = value.strip().upper().replace(" ", "")
        number = text.rstrip("KMGTIB")
        unit = text[len(number) :] or "B"
        if number.replace(".", "", 1).isdigit() and unit in SIZES:
            value = int(float(number) * SIZES[unit])
    size = _whole(value)
    if not 0 < size < 2**60:
        raise InputError(f"{value!r} is no size")
    return size


def _duration(value: Any, _: Path) -> Any:
    if not isinstance(value, str):
        raise InputError(f"{value!r} is no duration")
    return read_duration(value)


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise InputError(f"{value!r} is no list")
    return value


def _networks(value: Any, _: Path) -> tuple[str, ...]:
    found = []
    for each in [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else _list(value):
        try:
            found.append(str(ip_network(each, strict=False)))
        except (ValueError, TypeError) as error:
            raise InputError(f"{each!r} is no address or network") from error
    return tuple(found)


def _tables(value: Any, _: Path) -> dict[str, dict[str, Any]]:
    if not isinstance(value, dict) or not all(isinstance(each, dict) for each in value.values()):
        raise InputError("is no table of tables")
    return value


def _rows(value: Any, required: Mapping[str, type | tuple[type, ...]], optional: Mapping[str, type]) -> list[dict[str, Any]]:
    rows = _list(value)
    for index, row in enumerate(rows):
        if not isinstance(row, dict):
            raise InputError(f"{row!r} is no table", str(index))
        for name in required:
            if name not in row:
                raise InputError(f"{name!r} is missing", str(index))
        for name, each in row.items():
            wanted = {**required, **optional}.get(name)
            if wanted is None:
                raise InputError(f"there is no {name!r} here; known are {', '.join([*required, *optional])}", str(index))
            if not isinstance(each, wanted) or isinstance(each, bool):
                raise InputError(f"{name}: {each!r} is of the wrong kind", str(index))
    return rows


def _syslog(value: Any, folder: Path) -> tuple[SyslogListener, ...]:
    rows = _rows(value, {"protocol": str, "port": int, "source": str}, {"host": str})
    for index, row in enumerate(rows):
        if row["protocol"] not in ("udp", "tcp", "tls"):
            raise InputError(f"protocol {row['protocol']!r} is not udp, tcp or tls", str(index))
        try:
            _port(row["port"], folder)
        except InputError as error:
            raise InputError(str(error), str(index)) from error
    return tuple(SyslogListener(**row) for row in rows)


def _drop(value: Any, folder: Path) -> tuple[Drop, ...]:
    return tuple(Drop(_path(row["folder"], folder), row["source"]) for row in _rows(value, {"folder": str, "source": str}, {}))


def _moment(value: Any, index: int) -> datetime:
    try:
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(value)
    except ValueError as error:
        raise InputError(f"{value!r} is no time", str(index)) from error
    if moment.tzinfo is None:
        raise InputError(f"{value} says no time zone; write Z or an offset behind it", str(index))
    return moment.astimezone(UTC)


def _maintenance(value: Any, _: Path) -> tuple[Maintenance, ...]:
    found = []
    moments = (datetime, str)
    for index, row in enumerate(_rows(value, {"place": str, "since": moments, "until": moments, "ticket": str}, {})):
        since, until = _moment(row["since"], index), _moment(row["until"], index)
        if since >= until:
            raise InputError("ends before it starts", str(index))
        found.append(Maintenance(row["place"], since, until, row["ticket"]))
    return tuple(found)


def _paging_channels(value: Any, _: Path) -> tuple[PagingChannel, ...]:
    rows = _rows(value, {"name": str, "kind": str, "url": str}, {"team": str})
    seen: set[str] = set()
    for index, row in enumerate(rows):
        if row["kind"] not in CHANNEL_KINDS:
            raise InputError(f"kind {row['kind']!r} is not one of {', '.join(CHANNEL_KINDS)}", str(index))
        if row.get("team", "") not in {"", *TEAMS}:
            raise InputError(f"team {row['team']!r} is not one of {', '.join(TEAMS)}", str(index))
        if not row["name"] or len(row["name"]) > 64 or row["name"] in seen:
            raise InputError(f"name {row['name'][:64]!r} is empty, longer than 64 characters, or stands here twice", str(index))
        seen.add(row["name"])
    return tuple(PagingChannel(**row) for row in rows)


KINDS: dict[str, Kind] = {
    "text": Kind(_text, "a text in quotes"),
    "path": Kind(_path, "a path in quotes"),
    "path?": Kind(_path, "a path in quotes"),
    "paths": Kind(_paths, 'a list of paths, as in ["rules"]'),
    "port": Kind(_port, "a number from 0 to 65535"),
    "flag": Kind(_flag, "true or false"),
    "count": Kind(_count, "a whole number above 0"),
    "size": Kind(read_size, 'bytes, or a text such as "512MB" or "4GiB"'),
    "duration": Kind(_duration, 'a text such as "90s", "15m", "24h" or "7d"'),
    "networks": Kind(_networks, 'a list of addresses or networks, as in ["192.0.2.0/24"]'),
    "tables": Kind(_tables, "one table per rule, as in [detect.overrides.ww_001]", structured=True),
    "syslog": Kind(_syslog, "[[syslog]] tables with protocol, port, source and, if need be, host", structured=True),
    "drop": Kind(_drop, "[[drop]] tables with folder and source", structured=True),
    "paging": Kind(_paging_channels, "[[paging.channels]] tables with name, kind, url and, if need be, team", structured=True),
    "responder": Kind(read_responders, "[[responder]] tables with kind, name and the kind's own options", structured=True),
    "probe": Kind(
        lambda value, _: read_probes(value),
        "[[probe.targets]] tables with name, asset, kind, host and the kind's own options",
        structured=True,
    ),
    "maintenance": Kind(_maintenance, "[[maintenance]] tables with place, since, until and ticket", structured=True),
}
"""Kind of a setting → how it is read."""
