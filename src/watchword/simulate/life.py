"""Normal life: what the daybook's people leave in the logs as they pass doors, log on, meet, eat and go home."""

from dataclasses import dataclass
from random import Random
from typing import Final

from watchword.simulate.clocks import HOUR, MINUTE, SECOND, midnight
from watchword.simulate.daybook import Daybook, PersonDay
from watchword.simulate.organisation import Host, Member, Organisation
from watchword.simulate.paths import Step
from watchword.simulate.wire import Wire

GUEST_NETS: Final = {"harbour": "198.51.100.10", "mill": "198.51.100.20"}
"""Public addresses of the guest Wi-Fi."""


@dataclass(frozen=True, slots=True)
class Session:
    """A stretch of time in which a workstation sends traffic."""

    site: str
    ip: str
    since: int
    until: int
    idle: bool = False
    """Locked: only programs that synchronise on their own."""


class Life:
    """Writes one day of everybody."""

    def __init__(self, org: Organisation, book: Daybook, wire: Wire, seed: int) -> None:
        self.org, self.book, self.wire, self.seed = org, book, wire, seed
        self.sessions: list[Session] = []
        self._seen_by: dict[str, Host] = {door: host for host in org.hosts for door in host.sees}
        self._inside: dict[str, Host] = {host.place: host for host in org.hosts if host.kind == "camera" and not host.sees}
        self._canteens = {
            site.name: (midnight(site.zone, book.day) + 7 * HOUR, midnight(site.zone, book.day) + 18 * HOUR) for site in org.sites
        }

    def write(self) -> None:
        """Write everybody's day."""
        for number, entry in self.book.people.items():
            rng = Random(f"{self.seed}|{self.book.day}|{number}|life")
            if entry.mode == "home":
                self._home(entry, rng)
            elif entry.stops:
                self._on_site(entry, rng)

    # Doors

    def walk(self, member: Member, start: str, goal: str, at: int, rng: Random, *, via: str = "", tailgate: bool = False) -> int:
        """Pass the doors between two zones; return when the last one is behind."""
        for index, step in enumerate(self.org.doorways.way(start, goal, via)):
            if index:
                at += round(step.door.length_m * (650 + 350 * rng.random())) + 4 * SECOND
            at = self.pass_door(member.badge, step, at, rng, unread=tailgate and index == 0)
        return at

    def pass_door(self, card: str, step: Step, at: int, rng: Random, *, unread: bool = False) -> int:
        """Pass one door: badge, or press the exit button where that way is not read; return the moment of passing."""
        door, wire = step.door, self.wire
        opens, closes = self._canteens[door.site]
        if door.schedule and self.book.working and opens <= at < closes:
            return at + 2 * SECOND
        if unread:
            at += 3 * SECOND
        elif step.reader:
            chance = rng.random()
            if chance < 0.005:
                wire.door(at, door, "no_access", reader=step.reader, card=card)
                at += 3 * SECOND + round(4000 * rng.random())
            wire.door(at, door, "granted", reader=step.reader, card=card)
            if chance > 0.994:
                wire.door(at + 7 * SECOND, door, "not_passed", reader=step.reader, card=card)
                at += 11 * SECOND
                wire.door(at, door, "granted", reader=step.reader, card=card)
            at += 900 + round(1900 * rng.random())
            wire.door(at, door, "passed", reader=step.reader, card=card)
        else:
            wire.door(at, door, "rex")
            at += SECOND
        self._film(step, at, rng)
        return at

    def _film(self, step: Step, at: int, rng: Random) -> None:
        outside = self._seen_by.get(step.door.uid)
        if outside is not None and rng.random() < 0.7:
            # On the side that is left one is seen before the door, on the other side behind it.
            delay = round(1500 * rng.random()) if outside.place == step.zone else -2600 - round(1500 * rng.random())
            self.wire.camera(at + delay, outside, "person", 0.62 + 0.36 * rng.random())
        inside = self._inside.get(step.zone)
        if inside is not None and rng.random() < 0.96:
            self.wire.camera(at + 1200 + round(4000 * rng.random()), inside, "person", 0.7 + 0.28 * rng.random())

    # A day on site

    def _on_site(self, entry: PersonDay, rng: Random) -> None:
        member = entry.member
        host = self.org.host.get(member.host) if member.host and entry.site == member.site else None
        outside = f"{entry.site}/outside"
        zone, on_since = outside, 0
        if entry.mode == "visit":
            self._check(entry, "Checked in", entry.arrival - 4 * MINUTE)
            self._check(entry, "Badge issued", entry.arrival - 2 * MINUTE)
        for index, (at, goal) in enumerate(entry.stops):
            if host and zone == member.home and on_since:
                self._leave_desk(member, host, at, on_since, rng, home=index == len(entry.stops) - 1)
                on_since = 0
            via = entry.come_by if zone == outside else entry.leave_by if goal == outside else ""
            arrived = self.walk(member, zone, goal, at, rng, via=via, tailgate=entry.tailgates and index == 0)
            zone = goal
            if host and zone == member.home:
                on_since = self._reach_desk(member, host, arrived, rng, first=index == 0)
            elif zone.endswith("/servers"):
                leaves = entry.stops[index + 1][0] if index + 1 < len(entry.stops) else arrived + HOUR
                self._serve(member, zone, arrived, leaves, rng)
        if entry.mode == "visit":
            self._check(entry, "Checked out", entry.departure + 5 * MINUTE)
        if member.account and entry.mode == "office":
            self._sign_ins(entry, rng)
            if member.role == "it administrator" and host:
                self._administer(entry, host, rng)

    def _check(self, entry: PersonDay, action: str, at: int) -> None:
        if entry.host is not None:
            visit = f"V{self.book.day:%y%m%d}-{entry.member.number}"
            self.wire.visitor(at, visit, action, entry.member.name, "Orchard Audit", entry.host, entry.member.badge)

    def _reach_desk(self, member: Member, host: Host, at: int, rng: Random, *, first: bool) -> int:
        """Log on or unlock; return since when the workstation works."""
        at += 15 * SECOND + round(70 * SECOND * rng.random())
        if first:
            self.wire.lease(at - 9 * SECOND, self.org.switch_of(host.place), host.ip, host.mac, host.name)
        if rng.random() < 0.03:
            self.wire.windows(at - 6 * SECOND, host, 4625, member, logon_type=2 if first else 7, ip="127.0.0.1")
        self.wire.windows(at, host, 4624, member, logon_type=2 if first else 7, ip="127.0.0.1")
        if not first:
            self.wire.windows(at + 200, host, 4801, member)
        return at

    def _leave_desk(self, member: Member, host: Host, at: int, since: int, rng: Random, *, home: bool) -> None:
        """Lock or log off, and note the traffic of the stretch that ends and of the locked one that follows."""
        at -= 5 * SECOND + round(25 * SECOND * rng.random())
        if at <= since:
            return
        self.sessions.append(Session(host.site, host.ip, since, at))
        if home and rng.random() < 0.8:
            self.wire.windows(at, host, 4634, member, logon_type=2)
        else:
            if rng.random() < 0.9:
                self.wire.windows(at, host, 4800, member)
            self.sessions.append(Session(host.site, host.ip, at, at + (90 if home else 45) * MINUTE, idle=True))

    def _sign_ins(self, entry: PersonDay, rng: Random) -> None:
        """Sign in to cloud programs from the office, now and then from a phone, and now and then by VPN from the guest Wi-Fi."""
        member, site = entry.member, self.org.site[entry.site]
        span = entry.departure - entry.arrival
        place = (site.city, site.country, site.latitude, site.longitude)
        for number in range(1 + (rng.random() < 0.6) + (rng.random() < 0.3)):
            at = entry.arrival + (10 * MINUTE if number == 0 else round((0.1 + 0.8 * rng.random()) * span))
            if entry.zone_at(at):
                late = round(rng.random() ** 3 * 9 * MINUTE)
                self.wire.sign_in(at, member, site.egress, place, zone="Office", late=late)
        if rng.random() < 0.08:
            at = entry.arrival + round((0.2 + 0.6 * rng.random()) * span)
            city = ("Frankfurt am Main", "DE", 50.11, 8.68) if entry.site == "harbour" else ("Lisboa", "PT", 38.72, -9.14)
            self.wire.sign_in(at, member, f"203.0.113.{200 + rng.randrange(40)}", city, zone="Mobile carrier")

    # Work from home

    def _home(self, entry: PersonDay, rng: Random) -> None:
        member, site = entry.member, self.org.site[entry.member.site]
        number = int(member.number)
        begin, end = entry.hours
        ip = f"203.0.113.{number % 180 + 1}"
        place = (
            site.city,
            site.country,
            round(site.latitude + (number % 40 - 20) / 100, 2),
            round(site.longitude + (number % 30 - 15) / 80, 2),
        )
        self.wire.sign_in(begin, member, ip, place, late=round(rng.random() ** 3 * 9 * MINUTE))
        assigned = f"10.10.9.{number % 200 + 20}"
        self.wire.vpn(begin + 90 * SECOND, member, ip, assigned, "connect")
        self.wire.vpn(end, member, ip, assigned, "disconnect")
        if rng.random() < 0.5:
            at = begin + round(rng.random() * (end - begin))
            self.wire.sign_in(at, member, "192.0.2.10", ("Hamburg", "DE", 53.54, 9.98), zone="VPN egress")
        if rng.random() < 0.3:  # works on the desk machine from afar
            host = self.org.host[member.host]
            at = begin + round((2 + 5 * rng.random()) * MINUTE)
            self.wire.lease(at - 40 * SECOND, self.org.switch_of(host.place), host.ip, host.mac, host.name)
            self.wire.windows(at, host, 4624, member, logon_type=10, ip=assigned)
            self.wire.windows(end - MINUTE, host, 4634, member, logon_type=10, ip=assigned)
            self.sessions.append(Session(host.site, host.ip, at, end - MINUTE))
        self.sessions.append(Session("harbour", assigned, begin + 2 * MINUTE, end))

    # Administrators

    def _serve(self, member: Member, room: str, arrived: int, leaves: int, rng: Random) -> None:
        """Work in a server room: log on at a console there with privileges, and walk about before the camera."""
        camera = self._inside.get(room)
        at = arrived
        while camera is not None and (at := at + round((4 + rng.expovariate(0.1)) * MINUTE)) < leaves - MINUTE:
            self.wire.camera(at, camera, "person", 0.6 + 0.38 * rng.random())
        if not member.account or rng.random() < 0.3 or leaves - arrived < 4 * MINUTE:
            return
        at = arrived + round((0.6 + 2 * rng.random()) * MINUTE)
        if rng.random() < 0.5:
            console = self.org.hosts_in(room, "console")[0]
            self.wire.windows(at, console, 4624, member, logon_type=2, ip="127.0.0.1")
            self.wire.windows(at + 30, console, 4672, member)
            self.wire.windows(leaves - 40 * SECOND, console, 4634, member, logon_type=2)
        else:
            server = rng.choice(self.org.hosts_in(room, "server", "linux"))
            self.wire.console(at, server, member.account)
            self.wire.sudo(at + 20 * SECOND, server, member.account, "tty1", "/usr/sbin/smartctl -a /dev/sda")

    def _administer(self, entry: PersonDay, desk: Host, rng: Random) -> None:
        """Administer servers from the desk: by SSH with sudo, or by Windows remote management."""
        member = entry.member
        servers = self.org.hosts_in(f"{member.site}/{'main/2' if member.site == 'harbour' else 'hall/0'}/servers", "server")
        for _ in range(rng.randrange(3, 9)):
            at = entry.arrival + round((0.05 + 0.9 * rng.random()) * (entry.departure - entry.arrival))
            if entry.zone_at(at) != member.home:
                continue
            server = rng.choice(servers)
            self.wire.flow(at + 200, desk.site, desk.ip, server.ip, 22 if server.system == "linux" else 5985, 9000, 14000)
            if server.system == "linux":
                self.wire.ssh(at, server, member.account, desk.ip)
                self.wire.sudo(
                    at + round((5 + 50 * rng.random()) * SECOND), server, member.account, "pts/0", "/usr/bin/systemctl status app"
                )
            else:
                self.wire.windows(at, server, 4624, member, logon_type=3, ip=desk.ip)
                self.wire.windows(at + 20, server, 4672, member)
                self.wire.windows(at + 4 * MINUTE, server, 4634, member, logon_type=3, ip=desk.ip)
