"""The stories about somebody else's account or machine: abroad, at the desk of an absent owner, in the server room."""

from random import Random
from typing import Final

from watchword.simulate.clocks import MINUTE, SECOND
from watchword.simulate.delivery import Story
from watchword.simulate.life import Session
from watchword.simulate.stage import NoCast, Stage

_ABROAD: Final = (
    ("Jakarta", "ID", -6.21, 106.85), ("Bogotá", "CO", 4.71, -74.07), ("Tbilisi", "GE", 41.72, 44.79), ("Nairobi", "KE", -1.29, 36.82),
    ("Vancouver", "CA", 49.28, -123.12),
)  # fmt: skip


def stolen_account(stage: Stage, rng: Random) -> Story:
    """Play: an account signs in from abroad and opens a VPN session while its holder is badged in."""
    able = stage.book.of(
        lambda e: e.mode == "office" and e.site == e.member.site == "harbour" and bool(e.member.host) and e.come_by in {"D-01", "D-02"}
        and not e.tailgates
    )  # fmt: skip
    entry = stage.cast(rng, able)
    member = entry.member
    # While the holder is surely in: within the stretch before lunch, some time after the way in.
    stay = entry.stops[1][0] - entry.arrival
    at = since = entry.arrival + max(20 * MINUTE, round((0.4 + 0.4 * rng.random()) * stay))
    if at > entry.stops[1][0] - 6 * MINUTE:
        at = since = entry.arrival + stay // 2
    city = rng.choice(_ABROAD)
    ip = f"198.51.100.{rng.randrange(200, 250)}"
    stage.wire.sign_in(at, member, ip, city)
    at += round((1 + 3 * rng.random()) * MINUTE)
    stage.wire.vpn(at, member, ip, f"10.10.9.{rng.randrange(221, 250)}", "connect")
    says = f"The account of {member.name} signed in from {city[0]} and opened a VPN session while their badge is in at Harbour Works."
    return stage.story("stolen account", ("ww_003", "ww_004"), since, at, says, members=(member,), places=("harbour",), addresses=(ip,))


def insider_upload(stage: Stage, rng: Random) -> Story:
    """Play: while colleagues sit in the reading room, where no network reaches, their machines upload in bulk to one address, three times.

    The insider sits in the same office each time: the alibi of the badge log excludes the others.
    """
    stays = []
    for entry in stage.book.people.values():
        if entry.mode != "office" or entry.site != "harbour" or not entry.member.host:
            continue
        for index, (begin, zone) in enumerate(entry.stops[:-1]):
            end = entry.stops[index + 1][0]
            if (
                zone in {"harbour/main/2/reading", "harbour/lab/1/clean"}
                and end - begin > 20 * MINUTE
                and entry.member.number not in stage.used
            ):
                stays.append((begin, end, entry))
    rng.shuffle(stays)
    chosen: dict[str, tuple[int, int]] = {}
    for begin, end, entry in stays:
        if entry.member.number not in chosen and len(chosen) < 3:
            chosen[entry.member.number] = (begin, end)
    if len(chosen) < 3:
        raise NoCast
    address = f"198.51.100.{rng.randrange(150, 195)}"
    times = []
    for number, (begin, end) in chosen.items():
        stage.used.add(number)
        host = stage.org.host[stage.org.member[number].host]
        at = begin + 6 * MINUTE + round(rng.random() * (end - begin - 14 * MINUTE))
        for part in range(3):
            stage.wire.flow(
                at + part * 70 * SECOND, "harbour", host.ip, address, 443, round((160 + 300 * rng.random()) * 1_000_000), 800_000
            )
        times.append(at)
    members = tuple(stage.org.member[number] for number in chosen)
    names = ", ".join(member.name for member in members)
    says = f"While {names} were in rooms without network, their workstations uploaded hundreds of megabytes to {address}."
    return stage.story(
        "insider upload", ("ww_018",), min(times), max(times) + 4 * MINUTE, says, members=members, addresses=(address,),
        places=("harbour/main/2/reading", "harbour/lab/1/clean"), assets=tuple(f"asset:{member.host}" for member in members),
    )  # fmt: skip


def workstation_before_badge(stage: Stage, rng: Random) -> Story:
    """Play: someone sits down at a colleague's machine and logs on as them hours before its owner comes in."""
    able = stage.book.of(
        lambda e: e.mode == "office" and e.site == e.member.site and bool(e.member.host) and not e.tailgates
        and e.come_by in {"D-01", "D-02"}
        and e.arrival > stage.hour("harbour", 7.6)
    )  # fmt: skip
    entry = stage.cast(rng, able)
    member, host = entry.member, stage.org.host[entry.member.host]
    at = since = stage.hour("harbour", 5.6 + 0.9 * rng.random())
    stage.wire.lease(at - 15 * SECOND, stage.org.switch_of(host.place), host.ip, host.mac, host.name)
    stage.wire.windows(at, host, 4624, member, logon_type=2, ip="127.0.0.1")
    until = at + round((20 + 15 * rng.random()) * MINUTE)
    stage.life.sessions.append(Session(host.site, host.ip, at, until))
    stage.wire.windows(until, host, 4634, member, logon_type=2)
    says = f"{host.name} was logged on at its keyboard as {member.name} before their first badge of the day."
    return stage.story(
        "workstation before badge",
        ("ww_019",),
        since,
        until,
        says,
        members=(member,),
        places=(host.place,),
        assets=(host.uid,),
        any_of=("ww_001", "ww_019"),
    )


def intruder_at_servers(stage: Stage, rng: Random) -> Story:
    """Play: a camera sees someone in the empty server room, a borrowed badge opens it, and an administrator's account logs on there."""
    room, door = "harbour/main/2/servers", stage.door("D-24")
    at = since = stage.start(rng, "harbour", 19.2, 20.6)
    camera = next(host for host in stage.org.hosts if host.place == room and host.kind == "camera")
    admin = stage.cast(
        rng, [e for e in stage.book.people.values() if e.member.role == "it administrator" and e.member.site == "harbour"]
    ).member
    helper = stage.cast(rng, [e for e in stage.book.people.values() if e.member.role == "network contractor"]).member
    stage.wire.camera(at, camera, "person", 0.93)
    stage.wire.camera(at + 25 * SECOND, camera, "person", 0.9)
    at += round((3 + 2 * rng.random()) * MINUTE)
    stage.enter(helper.badge, door, at)
    stage.wire.camera(at + 4 * SECOND, camera, "person", 0.95)
    at += round((3 + 4 * rng.random()) * MINUTE)
    console = stage.org.hosts_in(room, "console")[0]
    stage.wire.windows(at, console, 4624, admin, logon_type=2, ip="127.0.0.1")
    stage.wire.windows(at + 40, console, 4672, admin)
    server = rng.choice(stage.org.hosts_in(room, "server", "linux"))
    stage.wire.console(at + 2 * MINUTE, server, admin.account)
    stage.wire.sudo(at + 2 * MINUTE + 15 * SECOND, server, admin.account, "tty1", "/usr/bin/tar czf /media/usb/db.tgz /srv/db")
    stage.enter(helper.badge, door, at + 9 * MINUTE, "out")
    says = (
        f"A camera saw someone in the empty server room; the badge of {helper.name} opened it and {admin.name}'s account was used inside."
    )
    return stage.story(
        "intruder at servers",
        ("ww_012", "ww_015"),
        since,
        at + 3 * MINUTE,
        says,
        members=(helper, admin),
        places=(door.uid, room),
        assets=(console.uid, server.uid),
    )


__all__ = ["insider_upload", "intruder_at_servers", "stolen_account", "workstation_before_badge"]
