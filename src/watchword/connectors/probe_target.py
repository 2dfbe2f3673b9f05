"""Probe targets as the settings name them: which asset, how it is tried, how often; read and checked before anything is sent."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from watchword.kit.duration import read_duration
from watchword.kit.errors import InputError

ICMP, TCP, HTTP, TLS, RTSP = "icmp", "tcp", "http", "tls", "rtsp"
PORTS: Final[Mapping[str, int]] = {ICMP: 0, TCP: 0, HTTP: 80, TLS: 443, RTSP: 554}
"""Kinds, with the port that each takes when none is named."""
MOST: Final = 2000
"""Probes that the settings may name."""
LEAST_EVERY, LONGEST_EVERY = timedelta(seconds=5), timedelta(hours=12)
LEAST_TIME, LONGEST_TIME = timedelta(milliseconds=100), timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Probe:
    """One probe of one asset, as the settings name it."""

    name: str
    asset: str
    """Name of the asset in the site file."""
    kind: str
    host: str
    port: int = 0
    path: str = "/"
    tls: bool = False
    """HTTP: whether it is HTTPS. The certificate is judged by the TLS kind, not here."""
    expect: int = 0
    """HTTP: the status that counts as right; 0: any below 400."""
    warn: timedelta = timedelta(days=14)
    """TLS: a certificate that ends sooner is said to; until it ends the service works."""
    every: timedelta = timedelta(minutes=1)
    time: timedelta = timedelta(seconds=5)
    """Longest that one try may take."""


def read_probes(rows: Any) -> tuple[Probe, ...]:
    """Read the ``[[probe.targets]]`` tables.

    Raises:
        InputError: a table is wrong; `field` is its number from 0.
    """
    if not isinstance(rows, list) or len(rows) > MOST:
        raise InputError(f"is no list of at most {MOST} tables")
    found: dict[str, Probe] = {}
    for number, row in enumerate(rows):
        try:
            probe = _probe(row)
        except InputError as error:
            raise InputError(str(error), str(number)) from error
        if probe.name in found:
            raise InputError(f"the name {probe.name!r} stands here twice", str(number))
        found[probe.name] = probe
    return tuple(found.values())


def _probe(row: Any) -> Probe:
    if not isinstance(row, dict):
        raise InputError(f"{row!r} is no table")
    known: dict[str, type] = {
        **dict.fromkeys(("name", "asset", "kind", "host", "path", "warn", "every", "time"), str),
        **dict.fromkeys(("port", "expect"), int),
        "tls": bool,
    }
    for key, value in row.items():
        if key not in known:
            raise InputError(f"there is no {key!r} here; known are {', '.join(known)}")
        if not isinstance(value, known[key]) or (known[key] is int and isinstance(value, bool)):
            raise InputError(f"{key}: {value!r} is of the wrong kind")
    missing = next((key for key in ("name", "asset", "kind", "host") if not row.get(key, "").strip()), "")
    if missing:
        raise InputError(f"{missing!r} is missing")
    _check(row)
    fixed = (
        row["name"],
        row["asset"],
        row["kind"],
        row["host"],
        _port(row),
        row.get("path", "/"),
        row.get("tls", False),
        row.get("expect", 0),
    )
    return Probe(*fixed, warn=_time(row, "warn"), every=_time(row, "every"), time=_time(row, "time"))


def _port(row: Mapping[str, Any]) -> int:
    port: int = row.get("port", 443 if row["kind"] == HTTP and row.get("tls") else PORTS[row["kind"]])
    if not (0 if row["kind"] == ICMP else 1) <= port <= 65535:
        raise InputError("port: name the port, 1 to 65535")
    return port


def _check(row: Mapping[str, Any]) -> None:
    name, kind, path = row["name"], row["kind"], row.get("path", "/")
    if len(name) > 64 or not name.isprintable():
        raise InputError(f"name: {name[:64]!r} is longer than 64 characters, or not printable")
    if kind not in PORTS:
        raise InputError(f"kind: {kind!r} is not one of {', '.join(PORTS)}")
    if not path.startswith("/") or not path.isascii() or any(each.isspace() for each in path):
        raise InputError(f"path: {path[:60]!r} does not begin with '/', or holds spaces or other than ASCII")


_TIMES: Final = {
    "every": (timedelta(minutes=1), LEAST_EVERY, LONGEST_EVERY),
    "time": (timedelta(seconds=5), LEAST_TIME, LONGEST_TIME),
    "warn": (timedelta(days=14), timedelta(hours=1), timedelta(days=365)),
}
"""Option → (default, least, most)."""


def _time(row: Mapping[str, Any], key: str) -> timedelta:
    default, least, most = _TIMES[key]
    if key not in row:
        return default
    found = read_duration(row[key])
    if not least <= found <= most:
        raise InputError(f"{key}: {row[key]} is out of bounds; choose {_brief(least)} to {_brief(most)}")
    return found


def _brief(length: timedelta) -> str:
    return f"{length / timedelta(seconds=1):g}s" if length < timedelta(hours=1) else f"{length / timedelta(hours=1):g}h"
