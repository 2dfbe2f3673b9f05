"""Machines: traffic, leases, heartbeats, services and schedules that run whether people are about or not."""

from datetime import date
from random import Random
from typing import Final

from watchword.simulate.clocks import HOUR, MINUTE, SECOND, midnight
from watchword.simulate.daybook import Daybook
from watchword.simulate.life import Session
from watchword.simulate.organisation import Organisation
from watchword.simulate.wire import Wire

CLOUD: Final = tuple(f"203.0.113.{number}" for number in (245, 246, 247, 248, 249)) + tuple(
    f"198.51.100.{number}" for number in range(101, 141)
)
"""Addresses of cloud programs and web sites that everybody uses."""
_PORTS: Final = (443, 443, 443, 443, 443, 443, 443, 80, 8443)


def write_traffic(org: Organisation, sessions: list[Session], wire: Wire, rng: Random) -> None:
    """Write the connections of every workstation at work: many small ones, few large ones."""
    random, expovariate = rng.random, rng.expovariate
    inner = {site.name: [host.ip for host in org.hosts_in("", "server") if host.site == site.name] for site in org.sites}
    for session in sessions:
        mean = 700_000 if session.idle else 165_000
        at = session.since + round(random() * 20_000)
        servers = inner[session.site]
        while at < session.until:
            chance = random()
            out = round(1200 + 26_000 * chance * chance * chance * random())
            if chance > 0.9995:  # a presentation, a video, a mailbox archive goes to the cloud
                out = round((8 + 90 * random()) * 1_000_000)
            if chance < 0.28:
                wire.flow(
                    at, session.site, session.ip, servers[int(random() * len(servers))], 445 if chance < 0.1 else 443, out * 2, out * 3
                )
            else:
                wire.flow(
                    at,
                    session.site,
                    session.ip,
                    CLOUD[int(random() * random() * len(CLOUD))],
                    _PORTS[int(random() * 9)],
                    out,
                    round(out * (2 + 9 * random())),
                )
            at += round(expovariate(1 / mean)) + 400


def write_machines(org: Organisation, book: Daybook, wire: Wire, rng: Random) -> None:
    """Write heartbeats, services, renewals, schedules and the night's backups of a day."""
    start, end = book.start, midnight(org.sites[0].zone, date.fromordinal(book.day.toordinal() + 1))
    _heartbeats(org, start, end, wire, rng)
    _services(org, start, end, wire, rng)
    _renewals(org, start, end, wire, rng)
    _schedules(org, book, wire, rng)
    if book.day.weekday() == 2:
        _patch_night(org, book, wire, rng)


def _heartbeats(org: Organisation, start: int, end: int, wire: Wire, rng: Random) -> None:
    cameras = org.hosts_in("", "camera")
    for number, camera in enumerate(cameras):
        for at in range(start + number * 29 * SECOND, end, 15 * MINUTE):
            wire.camera(at, camera, "heartbeat")
    for number in range(1, 5):
        for at in range(start + number * 71 * SECOND, end, 10 * MINUTE):
            wire.heartbeat(at + round(900 * rng.random()), f"HC-{number}")
    for site in org.sites:
        for at in range(start + (len(site.name) * 97 + 40) * SECOND, end, 30 * MINUTE):
            wire.panel(at, site.name, "E", 602, "000", "Periodic test report")


def _services(org: Organisation, start: int, end: int, wire: Wire, rng: Random) -> None:
    """Let servers be monitored, backed up and talk to each other."""
    servers = org.hosts_in("", "server")
    for server in servers:
        net = "10.10" if server.site == "harbour" else "10.20"
        if server.system == "windows":
            for at in range(start + round(rng.random() * HOUR), end, HOUR):
                wire.windows(at, server, 4624, None, logon_type=3, ip=f"{net}.50.12", account="svc-monitor")
                wire.windows(at + 40 * SECOND, server, 4634, None, logon_type=3, ip=f"{net}.50.12", account="svc-monitor")
        backup = start + round((1.5 + 2 * rng.random()) * HOUR)
        if server.system == "windows":
            wire.windows(backup, server, 4624, None, logon_type=3, ip=f"{net}.50.13", account="svc-backup")
            wire.windows(backup + 15, server, 4672, None, account="svc-backup")
        else:
            wire.ssh(backup, server, "svc-backup", f"{net}.50.13")
            wire.sudo(backup + SECOND, server, "svc-backup", "pts/0", "/usr/bin/rsync --server --sender -logDtpr . /srv")
        wire.flow(backup + 9 * MINUTE, server.site, server.ip, f"{net}.50.13", 8730, round((50 + 900 * rng.random()) * 1_000_000), 400_000)
        at = start + round(rng.random() * 14 * MINUTE)
        while at < end:
            peer = rng.choice(servers).ip if rng.random() < 0.6 else CLOUD[0]
            wire.flow(at, server.site, server.ip, peer, 443, round(600 + 9000 * rng.random()), round(900 + 30_000 * rng.random()))
            at += round(rng.expovariate(1 / (13 * MINUTE))) + SECOND


def _renewals(org: Organisation, start: int, end: int, wire: Wire, rng: Random) -> None:
    """Renew address leases, and let cameras send what they recorded."""
    for host in org.hosts:
        if host.kind in {"workstation", "console"} or host.name.startswith("prn"):
            switch = org.switch_of(host.place)
            step = 8 * HOUR if host.kind != "workstation" else 12 * HOUR
            for at in range(start + round(rng.random() * step), end, step):
                wire.lease(at, switch, host.ip, host.mac, host.name)
    camera_net = {site.name: f"{site.network}.50.21" for site in org.sites}
    for camera in org.hosts_in("", "camera"):
        for at in range(start + round(rng.random() * HOUR), end, HOUR):
            if not wire.is_dark(camera, at):
                wire.flow(at, camera.site, camera.ip, camera_net[camera.site], 554, round((700 + 200 * rng.random()) * 1_000_000), 90_000)


def _schedules(org: Organisation, book: Daybook, wire: Wire, rng: Random) -> None:
    """Open and close the canteens by schedule, arm and disarm the office partitions, let the dock door misbehave."""
    doors = org.doorways.doors
    guards = {entry.site: entry.member for entry in book.people.values() if entry.mode == "rounds"}
    for site in org.sites:
        base = midnight(site.zone, book.day)
        guard = guards.get(site.name)
        user = guard.number if guard else ""
        if not book.working:
            continue
        canteen = doors["D-07" if site.name == "harbour" else "M-07"]
        wire.door(base + 7 * HOUR, canteen, "unlocked", note="schedule")
        wire.door(base + 18 * HOUR, canteen, "locked", note="schedule")
        wire.panel(base + round((5.6 + rng.random() * 0.2) * HOUR), site.name, "E", 401, "001", "Opening by user", user)
        wire.panel(base + round((23.0 + rng.random() * 0.3) * HOUR), site.name, "R", 401, "001", "Closing by user", user)
        guests = org.switch_of(next(zone.uid for zone in site.zones if zone.uid.endswith(("meet-a", "meet-d"))))
        for _ in range(rng.randrange(3, 9)):  # visitors' own devices: unknown addresses, but no door was forced
            at = base + round((8.5 + 8 * rng.random()) * HOUR)
            mac = "02:" + ":".join(f"{rng.randrange(256):02x}" for _ in range(5))
            wire.lease(at, guests, f"{site.network}.90.{rng.randrange(20, 250)}", mac, "guest")
    if book.working:
        _dock(org, book, wire, rng)


def _dock(org: Organisation, book: Daybook, wire: Wire, rng: Random) -> None:
    """Deliveries at the harbour dock, whose door contact is worn: it cries "forced" when the wind moves the door."""
    base = midnight(org.sites[0].zone, book.day)
    dock, gate = org.doorways.doors["D-04"], org.doorways.doors["D-03"]
    camera = next(host for host in org.hosts if gate.uid in host.sees)
    hands = [entry for entry in book.people.values() if entry.member.role == "dock hand" and entry.stops]
    hour = 7.5
    for _ in range(rng.randrange(4, 9)):
        hour += 0.4 + rng.random()
        at = base + round(hour * HOUR)
        wire.camera(at, camera, "vehicle", 0.8 + 0.19 * rng.random())
        hand = rng.choice(hands).member if hands else None
        if hand is None:
            continue
        wire.door(at + 2 * MINUTE, dock, "unlocked", note=f"operator:{hand.number}")
        wire.door(at + 2 * MINUTE + 20 * SECOND, dock, "opened")
        if rng.random() < 0.5:
            wire.door(at + 3 * MINUTE, dock, "held")
        wire.door(at + 14 * MINUTE, dock, "closed")
        wire.door(at + 15 * MINUTE, dock, "locked", note=f"operator:{hand.number}")
    for _ in range(rng.randrange(3)):
        wire.door(base + round((6 + 13 * rng.random()) * HOUR), dock, "forced")


def _patch_night(org: Organisation, book: Daybook, wire: Wire, rng: Random) -> None:
    """Wake every workstation for updates, early on Wednesdays: traffic without anybody about."""
    for host in org.hosts_in("", "workstation"):
        at = book.start + round((3 + 0.7 * rng.random()) * HOUR)
        server = f"{'10.10' if host.site == 'harbour' else '10.20'}.50.22"
        wire.lease(at - 20 * SECOND, org.switch_of(host.place), host.ip, host.mac, host.name)
        for part in range(3):
            wire.flow(at + part * 3 * MINUTE, host.site, host.ip, server, 8530, 40_000, round((20 + 200 * rng.random()) * 1_000_000))
