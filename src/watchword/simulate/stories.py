"""The attack stories, each crossing from one domain into the other, with their truth. Actors, places and times are drawn anew each day."""

from collections.abc import Callable
from random import Random
from typing import Final

from watchword.simulate.clocks import HOUR, MINUTE, SECOND, moment
from watchword.simulate.delivery import Story
from watchword.simulate.stage import NoCast, Stage
from watchword.simulate.theft import insider_upload, intruder_at_servers, stolen_account, workstation_before_badge


def leaver_returns(stage: Stage, rng: Random) -> Story:
    """Play: a badge that was never taken back opens a side door, then the leaver's account logs on inside."""
    leavers = [entry for entry in stage.book.people.values() if entry.member.until is not None and entry.member.until <= stage.book.day]
    leaver = stage.cast(rng, leavers).member
    at = since = stage.start(rng, "harbour", 10, 20)
    for step in stage.org.doorways.way("harbour/outside", leaver.home, "D-34"):
        at = stage.enter(leaver.badge, step.door, at) + 18 * SECOND
    machine = rng.choice(stage.org.hosts_in(leaver.home, "workstation"))
    at += round((1 + 4 * rng.random()) * MINUTE)
    stage.wire.windows(at, machine, 4624, leaver, logon_type=2, ip="127.0.0.1")
    stage.wire.windows(at + 11 * MINUTE, machine, 4634, leaver, logon_type=2)
    says = f"{leaver.name} left on {leaver.until}, yet their badge opened the staff side entrance and their account logged on at a desk."
    return stage.story(
        "leaver returns", ("ww_007", "ww_009"), since, at, says, members=(leaver,), places=(leaver.home,), assets=(machine.uid,)
    )


def closet_break_in(stage: Stage, rng: Random) -> Story:
    """Play: the door of a network closet is forced, minutes later an unknown device speaks on the switch inside."""
    door = stage.door(rng.choice(("D-18", "D-23", "D-10", "D-28")))
    at = since = stage.start(rng, "harbour", 9, 21.5)
    stage.wire.door(at, door, "forced")
    switch = next(host for host in stage.org.hosts_in(door.inner, "switch"))
    at += 18 * SECOND if stage.opening else round((1.2 + 4 * rng.random()) * MINUTE)
    mac = "02:" + ":".join(f"{rng.randrange(256):02x}" for _ in range(5))
    stage.wire.link_up(at, switch, 40 + rng.randrange(8), mac)
    stage.wire.lease(at + 6 * SECOND, switch, f"10.10.23.{rng.randrange(20, 240)}", mac, "raspberrypi")
    stage.wire.door(at + 9 * SECOND, door, "closed")
    says = f"{door.label} was forced and {round((at - since) / SECOND)} s later an unknown device came up on {switch.name} inside."
    return stage.story("closet break-in", ("ww_013", "ww_014"), since, at, says, places=(door.uid, door.inner), assets=(switch.uid,))


def blinded_camera(stage: Stage, rng: Random) -> Story:
    """Play: one camera goes dark, then a door in its view unlocks though nobody and nothing authorised it."""
    door = stage.door(rng.choice(("D-22", "D-21", "D-27", "D-11")))
    camera = stage.camera_at(door.name)
    at = since = stage.start(rng, "harbour", 12, 21.5)
    at += round((2 + 8 * rng.random()) * MINUTE)
    stage.wire.darken(camera, since, at + 15 * MINUTE)
    stage.wire.door(at, door, "unlocked")
    stage.wire.door(at + 4 * SECOND, door, "opened")
    stage.wire.door(at + 40 * SECOND, door, "closed")
    says = f"{camera.name} went dark, and {door.label} in its view unlocked with no grant, exit request, schedule or operator behind it."
    return stage.story("blinded camera", ("ww_024", "ww_031"), since, at, says, places=(door.uid,), assets=(camera.uid,))


def badge_in_two_cities(stage: Stage, rng: Random) -> Story:
    """Play: a cloned badge opens the mill in Porto while its holder is in Hamburg."""
    able = stage.book.of(lambda entry: entry.mode == "office" and entry.site == entry.member.site == "harbour" and len(entry.stops) >= 4)
    entry = stage.cast(rng, able)
    index = rng.randrange(1, len(entry.stops) - 1)
    # The way back to the desk is read at a door in Hamburg, minutes before Porto: too short for any aeroplane.
    since = entry.stops[index][0]
    at = since + round((6 + 20 * rng.random()) * MINUTE)
    stage.enter(entry.member.badge, stage.door("M-02"), at)
    stage.enter(entry.member.badge, stage.door("M-06"), at + 30 * SECOND)
    says = f"The badge of {entry.member.name} was read in Hamburg and {round((at - since) / MINUTE)} minutes later in Porto."
    return stage.story(
        "badge in two cities",
        ("ww_005",),
        since - HOUR,
        at + 4 * HOUR,
        says,
        members=(entry.member,),
        places=("harbour", "mill/doors/M-02"),
    )


def badge_at_two_doors(stage: Stage, rng: Random) -> Story:
    """Play: a cloned badge is read at both ends of a site within seconds."""
    if stage.opening:
        entry = stage.cast(rng, [e for e in stage.book.people.values() if e.member.role == "scientist" and e.member.until is None])
    else:
        entry = stage.cast(
            rng,
            stage.book.of(lambda e: e.mode == "office" and e.site == "harbour" and e.member.role in {"engineer", "planner", "scientist"}),
        )
    at = since = stage.opening or entry.arrival + round((0.3 + 0.5 * rng.random()) * (entry.departure - entry.arrival))
    stage.enter(entry.member.badge, stage.door("D-31"), at)
    gap = round((3 + 5 * rng.random()) * SECOND)
    stage.enter(entry.member.badge, stage.door("D-22"), at + gap)
    says = f"The badge of {entry.member.name} opened the clean room and, {round(gap / SECOND)} s later, the reading room elsewhere."
    return stage.story(
        "badge at two doors",
        ("ww_006",),
        since,
        at + gap,
        says,
        members=(entry.member,),
        places=("harbour/doors/D-31", "harbour/doors/D-22"),
    )


def found_badge(stage: Stage, rng: Random) -> Story:
    """Play: someone tries a found badge at door after door, is refused, and is let in at last."""
    holder = stage.absent(rng, site="harbour").member
    at = since = stage.start(rng, "harbour", 10, 21)
    tried = rng.sample(("D-09", "D-10", "D-18", "D-23", "D-21", "D-24", "D-22", "D-11"), 5)
    for name in tried:
        door = stage.door(name)
        stage.wire.door(at, door, "no_access", reader=door.reader("in"), card=holder.badge)
        at += round((40 + 50 * rng.random()) * SECOND)
    last = stage.door(rng.choice(("D-14", "D-15", "D-20")))
    stage.enter(holder.badge, last, at)
    says = f"The badge of {holder.name}, who was not in, was refused at {len(tried)} doors within minutes and then opened {last.label}."
    return stage.story("found badge", ("ww_020",), since, at, says, members=(holder,), places=(last.uid,))


def silenced_controllers(stage: Stage, rng: Random) -> Story:
    """Play: the link of the harbour's door controllers is cut before someone enters; what they buffered comes when it is mended."""
    at = since = stage.start(rng, "harbour", 22.0, 22.2)
    until = since + round((75 + 20 * rng.random()) * MINUTE)
    stage.wire.silences.append(("harbour-doors", since, until))
    door = stage.door(rng.choice(("D-21", "D-27")))
    at += round((20 + 20 * rng.random()) * MINUTE)
    stage.wire.camera(at, stage.camera_at(door.name), "person", 0.91)
    stage.wire.door(at + 3 * SECOND, door, "forced")
    stage.wire.door(at + 50 * SECOND, door, "closed")
    says = f"The harbour's door controllers fell silent at {moment(since):%H:%M} UTC; {door.label} was forced before they were heard again."
    return stage.story("silenced controllers", ("ww_036",), since, until, says, places=(door.uid,), any_of=())


Play = Callable[[Stage, Random], Story]
STORIES: Final[dict[str, Play]] = {
    "leaver returns": leaver_returns,
    "closet break-in": closet_break_in,
    "blinded camera": blinded_camera,
    "badge in two cities": badge_in_two_cities,
    "badge at two doors": badge_at_two_doors,
    "stolen account": stolen_account,
    "insider upload": insider_upload,
    "workstation before badge": workstation_before_badge,
    "intruder at servers": intruder_at_servers,
    "found badge": found_badge,
    "silenced controllers": silenced_controllers,
}
"""Every story by name."""
OPENERS: Final = ("closet break-in", "leaver returns", "badge at two doors")
"""Stories that need nobody on site, so that a demonstration can open with them at any hour."""
ENCORES: Final = ("blinded camera", "found badge", "closet break-in", "leaver returns", "badge at two doors")
"""Stories that keep a demonstration going after that, by turns."""
ANY_DAY: Final = ("closet break-in", "leaver returns", "blinded camera", "silenced controllers", "found badge")
"""Stories that also happen on days on which nobody works."""

__all__ = ["ANY_DAY", "ENCORES", "OPENERS", "STORIES", "NoCast", "Play"]
