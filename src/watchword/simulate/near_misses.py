"""Near misses: harmless happenings that look like attacks, so that a detection that cries at them is seen to do so."""

from collections.abc import Callable
from random import Random
from typing import Final

from watchword.simulate.clocks import MINUTE, SECOND, moment
from watchword.simulate.daybook import PersonDay, insert_outing
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


def _comers(stage: Stage, *doors: str) -> list[PersonDay]:
    """Return the office people who come in by one of these doors."""
    return stage.book.of(lambda e: e.mode == "office" and e.site == "harbour" and e.come_by in doors and not e.tailgates)


def propped_door(stage: Stage, rng: Random) -> NearMiss:
    """Play: someone with a trolley holds the side entrance, lawfully opened, for forty seconds."""
    entry = stage.cast(rng, _comers(stage, "D-34"))
    at, door = entry.arrival, stage.door("D-34")
    stage.wire.door(at + 40 * SECOND, door, "held")
    stage.wire.door(at + 46 * SECOND, door, "closed")
    return _note("propped door", at, at + MINUTE, f"{entry.member.name} held {door.label} for a trolley.")


def kiosk_logons(stage: Stage, rng: Random) -> NearMiss:
    """Play: people at lunch log on at one shared console within minutes."""
    zone = "harbour/main/0/canteen"
    kiosk = rng.choice(stage.org.hosts_in(zone, "console"))
    at = since = stage.hour("harbour", 12.2 + 0.5 * rng.random())
    people = stage.book.of(lambda e: e.mode == "office" and bool(e.member.account) and e.zone_at(at) == zone == e.zone_at(at + 12 * MINUTE))
    for _ in range(4):
        entry = stage.cast(rng, people)
        stage.wire.windows(at, kiosk, 4624, entry.member, logon_type=2, ip="127.0.0.1")
        stage.wire.windows(at + 70 * SECOND, kiosk, 4634, entry.member, logon_type=2)
        at += round((2 + rng.random()) * MINUTE)
    return _note("kiosk logons", since, at, f"Four colleagues used the shared {kiosk.name} in the canteen.")


def three_denials(stage: Stage, rng: Random) -> NearMiss:
    """Play: a worn badge is refused three times at the way in, and read at last."""
    entry = stage.cast(rng, _comers(stage, "D-01", "D-02", "D-34"))
    door = stage.door(entry.come_by)
    at = since = entry.arrival - 34 * SECOND
    for _ in range(3):
        stage.wire.door(at, door, "no_access", reader=door.reader("in"), card=entry.member.badge)
        at += round((5 + 5 * rng.random()) * SECOND)
    return _note("three denials", since, entry.arrival, f"The worn badge of {entry.member.name} was read at the fourth try.")


def guest_wifi_vpn(stage: Stage, rng: Random) -> NearMiss:
    """Play: someone on site opens the VPN from the guest Wi-Fi in a meeting room."""
    entry = stage.cast(rng, stage.book.of(lambda e: e.mode == "office" and bool(e.member.host) and e.site == e.member.site))
    at = entry.arrival + round((0.3 + 0.4 * rng.random()) * (entry.departure - entry.arrival))
    if not entry.zone_at(at):
        raise NoCast
    assigned = f"10.10.9.{int(entry.member.number) % 200 + 20}"
    stage.wire.vpn(at, entry.member, GUEST_NETS[entry.site], assigned, "connect")
    stage.wire.vpn(at + 50 * MINUTE, entry.member, GUEST_NETS[entry.site], assigned, "disconnect")
    return _note(
        "VPN from the guest Wi-Fi", at, at + 50 * MINUTE, f"{entry.member.name} opened the VPN on the guest Wi-Fi of their own site."
    )


def closet_work(stage: Stage, rng: Random) -> NearMiss:
    """Play: the network contractor enters a closet by badge and replugs a known workstation."""
    entry = stage.cast(rng, stage.book.of(lambda e: e.mode == "office" and e.member.role == "network contractor"))
    at = entry.arrival + round((0.2 + 0.6 * rng.random()) * (entry.departure - entry.arrival))
    door = stage.door("D-18")
    if not insert_outing(entry, at, at + 13 * MINUTE, door.inner):
        raise NoCast
    switch = stage.org.hosts_in(door.inner, "switch")[0]
    host = rng.choice(stage.org.hosts_in("harbour/main/1/north", "workstation"))
    stage.wire.link_up(at + 5 * MINUTE, switch, 7, host.mac)
    stage.wire.lease(at + 5 * MINUTE + 5 * SECOND, switch, host.ip, host.mac, host.name)
    return _note("closet work", at, at + 13 * MINUTE, f"{entry.member.name} patched {host.name} in a closet opened by badge.")


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
