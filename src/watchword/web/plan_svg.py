"""The floor plan as a picture: zones with counts, doors with state marks, cameras; unknown is hatched; drawn on the server."""

from typing import Final

from markupsafe import Markup

from watchword.model import OUTSIDE
from watchword.resolve.plan import CameraMark, DoorMark, Plan, Room
from watchword.resolve.plan_rooms import MARGIN
from watchword.web.place_state import DoorState, DoorWord, SiteState, ZoneState
from watchword.web.words import age_words, plural

CROP: Final = MARGIN - 26
"""What of the margin around the rooms is cut off: a door in alarm still fits."""
LINE: Final = 15
"""Height of a line of a room's label."""


def plan_svg(plan: Plan, state: SiteState) -> Markup:
    """Return the picture of one floor; it carries an id, so that it can be morphed as a whole."""
    parts = [
        Markup(
            '<svg class="plan plan-marks" id="plan-{3}" viewBox="{0:g} {0:g} {1:g} {2:g}" width="{1:g}" height="{2:g}"'
            ' role="group" aria-label="{4}">'
            '<defs><pattern id="hatch" width="7" height="7" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
            '<path class="hatch-line" d="M0 0V7"/></pattern></defs>'
        ).format(CROP, plan.width - 2 * CROP, plan.height - 2 * CROP, plan.floor.replace("/", "-"), summary(plan, state))
    ]
    parts.extend(_room(room, state.zones.get(room.uid)) for room in plan.rooms)
    parts.extend(_way(door) for door in plan.doors if door.link)
    parts.extend(_camera(camera, state) for camera in plan.cameras)
    # Doors in alarm come last, so that nothing covers them.
    doors = sorted(plan.doors, key=lambda door: _state(door, state).word is DoorWord.ALARM)
    parts.extend(_door(door, _state(door, state), state) for door in doors)
    parts.append(Markup("</svg>"))
    return Markup("").join(parts)


def summary(plan: Plan, state: SiteState) -> str:
    """Return the picture in one sentence."""
    doors = [_state(door, state) for door in plan.doors]
    alarms = sum(door.word is DoorWord.ALARM for door in doors)
    unknown = sum(door.word is DoorWord.UNKNOWN for door in doors)
    words = [plural(len(plan.rooms), "zone"), plural(len(doors), "door")]
    words += [f"{alarms} in alarm"] if alarms else []
    words += [f"{unknown} unknown"] if unknown else []
    return f"Floor plan of {plan.name}: {', '.join(words)}"


def _state(door: DoorMark, state: SiteState) -> DoorState:
    return state.doors.get(door.uid) or DoorState(door.uid, DoorWord.UNKNOWN)


def _room(room: Room, zone: ZoneState | None) -> Markup:
    unknown = zone is None or zone.people is None
    classes = ["zone", f"zone-{room.kind.value if room.kind else 'office'}"]
    classes += ["zone-unknown"] if unknown else []
    classes += ["zone-alarm"] if zone and zone.alarm else []
    points = " ".join(f"{x:g},{y:g}" for x, y in room.points)
    words = "unknown who is in it" if zone is None or zone.people is None else f"{plural(zone.people, 'person', 'people')} in it"
    alarm = f", {zone.alarm}" if zone and zone.alarm else ""
    x, middle = room.middle
    top = middle - (len(room.lines) * LINE) / 2 + 4
    label = Markup("").join(
        Markup('<text class="zone-name" x="{}" y="{}" text-anchor="middle">{}</text>').format(
            round(x, 1), round(top + index * LINE, 1), line
        )
        for index, line in enumerate(room.lines)
    )
    count = "?" if zone is None or zone.people is None else (plural(zone.people, "person", "people") if zone.people else "")
    below = Markup('<text class="zone-count" x="{}" y="{}" text-anchor="middle">{}</text>').format(
        round(x, 1), round(top + len(room.lines) * LINE + 1, 1), count
    )
    return Markup(
        '<a href="/places/{}" class="{}"><title>{}: {}{}</title><polygon class="zone-shape" points="{}"/>'
        '<polygon class="zone-hatch" fill="none" points="{}"/>{}{}</a>'
    ).format(room.uid, " ".join(classes), room.name, words, alarm, points, points, label, below)


def _way(door: DoorMark) -> Markup:
    (x1, y1), (x2, y2) = door.link or ((0.0, 0.0), (0.0, 0.0))
    return Markup('<path class="door-way" d="M{:g} {:g}L{:g} {:g}"/>').format(x1, y1, x2, y2)


def _door(door: DoorMark, state: DoorState, site: SiteState) -> Markup:
    age = age_words(site.at - state.since) if state.since else ""
    title = f"{door.name}: {state.words(age)}" + (f", leads {_beyond(door)}" if door.leads_to else "")
    word = {DoorWord.ALARM: "alarm", DoorWord.OPEN: "open", DoorWord.CLOSED: "closed", DoorWord.UNKNOWN: "unknown"}[state.word]
    body = Markup("")
    if state.flash:
        body += Markup('<circle class="flash" r="14"/>')
    if state.word is DoorWord.ALARM:
        body += Markup(
            '<circle class="door-ring" r="17"/><path class="door-mark" d="M0-11 11 0 0 11-11 0z"/><text class="door-word" y="4">!</text>'
        )
    else:
        body += Markup('<rect class="door-mark" x="-10" y="-4" width="20" height="8" rx="1.500" transform="rotate({:g})"/>').format(
            door.angle
        )
        if state.word is DoorWord.OPEN:
            body += Markup('<path class="door-mark" fill="none" d="M-10 0 4-12" transform="rotate({:g})"/>').format(door.angle)
        elif state.word is DoorWord.UNKNOWN:
            body += Markup('<text class="door-word" y="3.500">?</text>')
    if state.word is DoorWord.ALARM:
        body += Markup('<text class="door-label" x="21" y="4">{}</text>').format(f"{state.detail} {age}")
    return Markup(
        '<a href="/places/{}" class="door door-{}" transform="translate({:g} {:g})"><title>{}</title>{}'
        '<circle r="14" fill="transparent"/></a>'
    ).format(door.uid, word, door.x, door.y, title, body)


def _beyond(door: DoorMark) -> str:
    return "outside" if door.leads_to.endswith(f"/{OUTSIDE}") else "to another floor"


def _camera(camera: CameraMark, state: SiteState) -> Markup:
    found = state.cameras.get(camera.uid)
    word = found.word if found else "unknown"
    kind = {"watching": "camera", "offline": "camera camera-offline"}.get(word, "camera camera-unknown")
    cross = Markup('<path class="camera-cross" d="M-7-6 7 6"/>') if word == "offline" else Markup("")
    return Markup(
        '<a href="/assets/{}" class="camera-link" transform="translate({:g} {:g})"><title>{}: {}</title>'
        '<path class="{}" d="M-7-4H3V4H-7zM3-1 7-3.500V3.500L3 1z"/>{}</a>'
    ).format(camera.uid, camera.x, camera.y, camera.name, word, kind, cross)
