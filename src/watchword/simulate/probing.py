"""The invented organisation's equipment as probes see it: what is tried, what breaks and when, and what goes down with it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Final

from watchword.simulate.organisation import Organisation

FEEDS: Final = {"sw-h-core": "ups-h", "sw-m-core": "ups-m"}
"""What feeds the core switches: each server room's battery, which the technicians of physical security keep."""
SERVICES: Final = (
    ("badge database", "srv-h-01", "tcp", 5432), ("staff directory", "srv-h-03", "tls", 636), ("mail", "srv-h-05", "http", 80),
    ("file shares", "srv-h-02", "tcp", 445), ("video recorder", "srv-h-07", "http", 8080), ("intranet", "srv-h-04", "http", 80),
    ("production control", "srv-m-01", "tcp", 4840), ("mill recorder", "srv-m-03", "http", 8080), ("remote access", "jump-1", "tcp", 22),
)  # fmt: skip
"""Services worth a probe: name, host, kind and port."""
ENDING: Final = "staff directory"
"""The service whose certificate nobody renews."""
ENDS_AFTER: Final = timedelta(days=9)
DUSTY: Final = "cam-27"
"""The camera that often gives up."""
SILENT: Final = "no answer within 5 s"


@dataclass(frozen=True, slots=True)
class Tried:
    """One probe of the demo."""

    name: str
    asset: str
    kind: str
    host: str
    port: int
    path: str = "/"


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that breaks, with all that depends on it, for a while."""

    root: str
    """Name of the host, or of the service's probe."""
    since: datetime
    until: datetime
    said: str = SILENT


def tried(org: Organisation) -> list[Tried]:
    """Return every probe: batteries, switches, controllers, panels, cameras and services."""
    found = [Tried(f"{name} battery", name, "icmp", ip, 0) for name, _, ip in batteries()]
    for host in org.hosts:
        if host.kind in {"switch", "controller"}:
            found.append(Tried(f"{host.name} ping", host.name, "icmp", host.ip, 0))
        elif host.kind == "camera":
            found.append(Tried(f"{host.name} stream", host.name, "rtsp", host.ip, 554, "/main"))
        elif host.kind == "panel":
            found.append(Tried(f"{host.name} line", host.name, "tcp", host.ip, 7700))
    found += [Tried(name, host, kind, org.host[host].ip, port) for name, host, kind, port in SERVICES if host in org.host]
    return found


def batteries() -> tuple[tuple[str, str, str], ...]:
    """Return the batteries of the server rooms: name, zone below its site, address."""
    return ("ups-h", "main/2/servers", "10.10.60.30"), ("ups-m", "hall/0/servers", "10.20.60.30")


class Equipment:
    """What breaks and when, and what goes down with it; the same organisation gives the same troubles."""

    def __init__(self, org: Organisation) -> None:
        """Take whose equipment it is."""
        self._org = org
        self._days: dict[date, tuple[Trouble, ...]] = {}
        self._above: dict[str, frozenset[str]] = {}

    def troubles(self, day: date) -> tuple[Trouble, ...]:
        """Return what breaks on a day (UTC): on most days something small, now and then a switch, every ninth day a battery."""
        known = self._days.get(day)
        if known is None:
            known = self._days[day] = tuple(self._broken(day))
        return known

    def _broken(self, day: date) -> Iterator[Trouble]:
        org, rng = self._org, Random(f"{self._org.seed}|{day}|troubles")
        cameras = [host.name for host in org.hosts_in("", "camera")]
        switches = [host.name for host in org.hosts_in("", "switch") if host.upstream]
        controllers = [host.name for host in org.hosts_in("", "controller")]
        plans: list[tuple[float, str, tuple[int, int], tuple[float, float], str]] = [
            (0.45, rng.choice(cameras), (25, 300), (0, 18), SILENT),
            (0.30, DUSTY, (60, 420), (1, 12), "answers DESCRIBE with status 503"),
            (0.16, rng.choice(switches), (9, 48), (0.5, 22), SILENT),
            (0.12, rng.choice(controllers), (12, 80), (2, 20), SILENT),
            (0.28, rng.choice(SERVICES)[0], (6, 45), (0, 23), "answers with status 502"),
            (float(day.toordinal() % 9 == 4), batteries()[day.toordinal() % 2][0], (5, 22), (1, 5), SILENT),
        ]
        for chance, root, minutes, hours, said in plans:
            hour, length, roll = rng.uniform(*hours), rng.uniform(*minutes), rng.random()
            if roll < chance:
                since = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(seconds=round(hour * 3600))
                yield Trouble(root, since, since + timedelta(seconds=round(length * 60)), said)

    def upstream_of(self, name: str) -> frozenset[str]:
        """Return everything that a host depends on, directly or not, and the host itself."""
        known = self._above.get(name)
        if known is None:
            host = self._org.host.get(name)
            above = [*(host.upstream if host else ()), *([FEEDS[name]] if name in FEEDS else [])]
            known = self._above[name] = frozenset({name}).union(*(self.upstream_of(other) for other in above))
        return known

    def answer(self, probe: Tried, at: datetime) -> tuple[str, str]:
        """Return (``up`` or ``down``; what was seen) of one probe at a moment."""
        names = {probe.name, *self.upstream_of(probe.asset)}
        for back in (1, 0):
            for trouble in self.troubles((at - timedelta(days=back)).date()):
                if trouble.since <= at < trouble.until and trouble.root in names:
                    own = trouble.root == probe.name and probe.kind in {"tcp", "tls"}
                    return "down", f"refuses port {probe.port}" if own else trouble.said
        if probe.name == ENDING:
            ends = datetime(at.year, at.month, at.day, tzinfo=UTC) + ENDS_AFTER
            return "up", f"its certificate ends on {ends:%d %b %Y %H:%M} UTC, in {(ends - at).days} days"
        return "up", ""

    def edges(self, probe: Tried, since: datetime, until: datetime) -> list[datetime]:
        """Return the moments within a span at which the answer changes because something broke or was mended."""
        names = {probe.name, *self.upstream_of(probe.asset)}
        found = set()
        for step in range(-1, (until.date() - since.date()).days + 1):
            for trouble in self.troubles(since.date() + timedelta(days=step)):
                if trouble.root in names:
                    found |= {moment for moment in (trouble.since, trouble.until) if since <= moment < until}
        return sorted(found)
