"""Near misses: harmless happenings that look like attacks, so that a detection that cries at them is seen to do so."""

from collections.abc import Callable
from random import Random
from typing import Final

from watchword.simulate.clocks import MINUTE, SECOND, moment
from watchword.simulate.delivery import NearMiss
from watchword.simulate.life import GUEST_NETS
from watchword.simulate.stage import NoCast, Stage


def _note(name: str, since: int, until: int, says: str) -> NearMiss:
    return NearMiss(name, moment(since), moment(until), says)


def camera_power_cycle(stage: Stage, rng: Random) -> NearMiss:
    """Play: a switch restarts and every camera on it goes dark together, while people pass doors as usual."""
    switch = rng.choice(("sw-h-acc-1", "sw-h-acc-2", "sw-h-acc-l", "sw-m-acc-n"))
    at = stage.hour("harbour", 9 + 7 * rng.random())
    for camera in stage.org.hosts_in("", "camera"):
        if switch in camera.upstream:
            stage.wire.darken(camera, at + round(9 * SECOND * rng.random()), at + round((150 + 40 * rng.random()) * SECOND))
    return _note("camera power cycle", at, at + 4 * MINUTE, f"{switch} restarted and took its cameras along.")


def propped_door(stage: Stage, rng: Random) -> NearMiss:
    """Play: someone with a trolley holds a lawfully opened door for forty seconds."""
    entry = rng.choice([e for e in stage.book.people.values() if e.mode == "office" and e.site == "harbour"])
    at = entry.arrival + round((0.2 + 0.6 * rng.random()) * (entry.departure - entry.arrival))
    door = stage.door(rng.choice(("D-14", "D-15", "D-20", "D-06")))
    stage.enter(entry.member.badge, door, at)
    stage.wire.door(at + 40 * SECOND, door, "held")
    stage.wire.door(at + 46 * SECOND, door, "closed")
    return _note("propped door", at, at + MINUTE, f"{entry.member.name} held {door.label} for a trolley.")


def kiosk_logons(stage: Stage, rng: Random) -> NearMiss:
    """Play: several people log on at one shared console within minutes."""
    kiosk = rng.choice(stage.org.hosts_in("harbour/main/0/canteen", "console"))
    at = since = stage.hour("harbour", 11.7 + rng.random())
    people = [
        e
        for e in stage.book.people.values()
        if e.mode == "office" and e.site == "harbour" and e.member.account and e.arrival < at < e.departure
    ]
    for entry in rng.sample(people, min(4, len(people))):
        stage.wire.windows(at, kiosk, 4624, entry.member, logon_type=2, ip="127.0.0.1")
        stage.wire.windows(at + 70 * SECOND, kiosk, 4634, entry.member, logon_type=2)
        at += round((2 + 2 * rng.random()) * MINUTE)
    return _note("kiosk logons", since, at, f"Four colleagues used the shared {kiosk.name} in the canteen.")


def three_denials(stage: Stage, rng: Random) -> NearMiss:
    """Play: a worn badge is refused three times at one door and read at last."""
    entry = rng.choice([e for e in stage.book.people.values() if e.mode == "office" and e.site == "harbour"])
    at = since = entry.arrival + round((0.3 + 0.5 * rng.random()) * (entry.departure - entry.arrival))
    door = stage.door("D-12")
    for _ in range(3):
        stage.wire.door(at, door, "no_access", reader=door.reader("in"), card=entry.member.badge)
        at += round((5 + 6 * rng.random()) * SECOND)
    stage.enter(entry.member.badge, door, at)
    return _note("three denials", since, at, f"The worn badge of {entry.member.name} was read at the fourth try.")


def guest_wifi_vpn(stage: Stage, rng: Random) -> NearMiss:
    """Play: someone on site opens the VPN from the guest Wi-Fi in a meeting room."""
    entry = rng.choice([e for e in stage.book.people.values() if e.mode == "office" and e.member.host and e.site == e.member.site])
    at = entry.arrival + round((0.3 + 0.4 * rng.random()) * (entry.departure - entry.arrival))
    assigned = f"10.10.9.{int(entry.member.number) % 200 + 20}"
    stage.wire.vpn(at, entry.member, GUEST_NETS[entry.site], assigned, "connect")
    stage.wire.vpn(at + 50 * MINUTE, entry.member, GUEST_NETS[entry.site], assigned, "disconnect")
    return _note(
        "VPN from the guest Wi-Fi", at, at + 50 * MINUTE, f"{entry.member.name} opened the VPN on the guest Wi-Fi of their own site."
    )


def closet_work(stage: Stage, rng: Random) -> NearMiss:
    """Play: the network contractor enters a closet by badge and replugs a known workstation."""
    able = [e for e in stage.book.people.values() if e.mode == "office" and e.member.role == "network contractor"]
    if not able:
        raise NoCast
    entry = rng.choice(able)
    at = entry.arrival + round((0.2 + 0.6 * rng.random()) * (entry.departure - entry.arrival))
    door = stage.door("D-18")
    stage.enter(entry.member.badge, door, at)
    switch = stage.org.hosts_in(door.inner, "switch")[0]
    host = rng.choice(stage.org.hosts_in("harbour/main/1/north", "workstation"))
    stage.wire.link_up(at + 3 * MINUTE, switch, 7, host.mac)
    stage.wire.lease(at + 3 * MINUTE + 5 * SECOND, switch, host.ip, host.mac, host.name)
    stage.wire.door(at + 11 * MINUTE, door, "rex")
    return _note("closet work", at, at + 11 * MINUTE, f"{entry.member.name} patched {host.name} in a closet opened by badge.")


def day_trip(stage: Stage, rng: Random) -> NearMiss:
    """Play: someone is at the harbour in the morning, flies, and is at the mill in the late afternoon."""
    able = stage.book.of(
        lambda e: (
            e.mode == "office"
            and e.site == e.member.site == "harbour"
            and e.member.role in {"sales", "planner"}
            and e.arrival < stage.hour("harbour", 8.2)
        )
    )
    entry = stage.cast(rng, able)
    entry.stops = [entry.stops[0], (stage.hour("harbour", 9.2), "harbour/outside")]
    entry.leave_by = "D-01"
    at = stage.hour("mill", 15.2 + rng.random())
    stage.life.walk(entry.member, "mill/outside", "mill/hall/1/offices", at, rng, via="M-01")
    stage.life.walk(entry.member, "mill/hall/1/offices", "mill/outside", at + 150 * MINUTE, rng, via="M-01")
    return _note("day trip", stage.hour("harbour", 9.2), at, f"{entry.member.name} flew from Hamburg to Porto between two badge reads.")


NearMissPlay = Callable[[Stage, Random], NearMiss]
NEAR_MISSES: Final[dict[NearMissPlay, float]] = {
    camera_power_cycle: 0.35,
    propped_door: 0.7,
    kiosk_logons: 0.6,
    three_denials: 0.6,
    guest_wifi_vpn: 0.4,
    closet_work: 0.5,
    day_trip: 0.3,
}
"""How likely each is on a working day."""
