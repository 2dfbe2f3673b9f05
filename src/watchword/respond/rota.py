"""The rota: who is on call when, from layers of turns, swaps of single turns and overrides, in the rota's own local time."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

DAY: Final = timedelta(days=1)
MOMENT: Final = timedelta(milliseconds=1)
LONGEST_VIEW: Final = timedelta(days=800)
"""The longest stretch that is worked out at once: bounds the memory of one question."""
LOOK_AHEAD: Final = timedelta(days=90)
"""How far the search for the next person goes."""
MOST_PEOPLE: Final = 100
MOST_LAYERS: Final = 20


class Reason(StrEnum):
    """Why this person is on call: a later word beats an earlier one."""

    LAYER = "layer"
    SWAP = "swap"
    OVERRIDE = "override"


@dataclass(frozen=True, slots=True)
class Hours:
    """Local hours of some weekdays; an end that is not after the start runs into the next day."""

    since: time
    until: time
    days: frozenset[int] = frozenset(range(7))
    """0 is Monday."""


@dataclass(frozen=True, slots=True)
class Layer:
    """People who take turns of so many days, handing over at one local time; upper layers (later in the rota) beat lower ones."""

    name: str
    people: tuple[str, ...]
    first: date
    """The local day on which turn 0 begins."""
    hand_over: time = time(9)
    days: int = 7
    """Length of a turn."""
    hours: tuple[Hours, ...] = ()
    """Only then is the layer on duty; none: always."""
    until: date | None = None
    """The local day at whose hand-over the layer ends."""


@dataclass(frozen=True, slots=True)
class Swap:
    """A single turn given to somebody else. It names the turn, not its time: when the layer moves, the swap moves with it."""

    uid: str
    layer: str
    turn: int
    giver: str
    taker: str


@dataclass(frozen=True, slots=True)
class Override:
    """A person put on call for a stretch of time, whatever layers and swaps say; the later made beats the earlier."""

    uid: str
    since: datetime
    until: datetime
    person: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Rota:
    """Everything that decides who of a team is on call."""

    name: str
    team: str
    zone: str
    layers: tuple[Layer, ...] = ()
    swaps: tuple[Swap, ...] = ()
    """In the order in which they were agreed."""
    overrides: tuple[Override, ...] = ()
    """In the order in which they were made."""


@dataclass(frozen=True, slots=True)
class Shift:
    """One person on call within [since, until), aware UTC."""

    since: datetime
    until: datetime
    person: str
    reason: Reason = Reason.LAYER
    layer: str = ""
    turn: int = -1
    """Number of the layer's turn; -1 for an override."""
    instead_of: str = ""
    """Who gave the turn away."""


@dataclass(frozen=True, slots=True)
class Gap:
    """A stretch [since, until) in which nobody of the rota is on call."""

    rota: str
    team: str
    since: datetime
    until: datetime


def turn_begins(layer: Layer, zone: ZoneInfo, turn: int) -> datetime:
    """Return when a turn begins (aware UTC): when the clock on the wall shows the hand-over.

    A turn across a change of the clocks has an hour more or less. A time that a change skips is told by the clock as it was before the
    change; of one that comes twice, the first is meant.
    """
    return _wall(layer.first + timedelta(days=layer.days * turn), layer.hand_over, zone)


def shifts(rota: Rota, since: datetime, until: datetime) -> list[Shift]:
    """Return who is on call within [since, until): disjoint shifts in order of time, cut at both ends; what no shift covers is a gap.

    Raises:
        ValueError: the stretch is empty, runs backwards, or is longer than `LONGEST_VIEW`.
    """
    if not timedelta() < until - since <= LONGEST_VIEW:
        raise ValueError(f"ask for more than nothing and at most {LONGEST_VIEW.days} days")
    zone = ZoneInfo(rota.zone)
    found: list[Shift] = []
    for layer in rota.layers:
        found = _over(found, _layer_shifts(layer, zone, _settled(layer, rota.swaps)[0], since, until))
    for each in rota.overrides:
        start, end = max(each.since, since), min(each.until, until)
        if start < end:
            found = _over(found, [Shift(start, end, each.person, Reason.OVERRIDE)])
    return found


def on_call(rota: Rota, at: datetime) -> Shift | None:
    """Return the shift that holds at a moment, as far as it is seen within the next `LOOK_AHEAD`; None in a gap."""
    found = shifts(rota, at, at + MOMENT)
    if not found:
        return None
    return next((each for each in shifts(rota, at, at + LOOK_AHEAD) if each.since <= at < each.until), found[0])


def next_up(rota: Rota, at: datetime) -> Shift | None:
    """Return the first shift after the moment that is somebody else's than whoever is on call then; None when there is none in sight."""
    ahead = shifts(rota, at, at + LOOK_AHEAD)
    current = ahead[0].person if ahead and ahead[0].since <= at else ""
    return next((each for each in ahead if each.since > at and each.person != current), None)


def gaps(rota: Rota, since: datetime, until: datetime) -> list[Gap]:
    """Return the stretches within [since, until) in which nobody is on call."""
    found, reached = [], since
    for each in shifts(rota, since, until):
        if each.since > reached:
            found.append(Gap(rota.name, rota.team, reached, each.since))
        reached = max(reached, each.until)
    if reached < until:
        found.append(Gap(rota.name, rota.team, reached, until))
    return found


def holder(layer: Layer, swaps: Iterable[Swap], turn: int) -> str:
    """Return whose turn it is, swaps counted."""
    swapped = _settled(layer, swaps)[0].get(turn)
    return layer.people[turn % len(layer.people)] if swapped is None else swapped.taker


def void_swaps(rota: Rota) -> list[Swap]:
    """Return the swaps that no longer stand for anything: their layer is gone, or the giver has no turn near it any more."""
    names = {layer.name for layer in rota.layers}
    return [each for each in rota.swaps if each.layer not in names] + [
        each for layer in rota.layers for each in _settled(layer, rota.swaps)[1]
    ]


def faults(rota: Rota) -> list[str]:
    """Return what is wrong with a rota, in words with the remedy; none: it can be kept."""
    found = []
    if rota.zone not in available_timezones():
        found.append(f"{rota.zone!r} is no time zone; write it as in Europe/Berlin")
    if len(rota.layers) > MOST_LAYERS:
        found.append(f"has {len(rota.layers)} layers, at most {MOST_LAYERS} are taken")
    names = [layer.name for layer in rota.layers]
    found += [f"two layers are called {name!r}; give each a name of its own" for name in sorted({n for n in names if names.count(n) > 1})]
    for layer in rota.layers:
        if not layer.name:
            found.append("a layer has no name")
        if not 1 <= len(layer.people) <= MOST_PEOPLE:
            found.append(f"layer {layer.name!r} has {len(layer.people)} people; name 1 to {MOST_PEOPLE}")
        if not 1 <= layer.days <= 366:
            found.append(f"layer {layer.name!r}: a turn lasts 1 to 366 days, not {layer.days}")
        if layer.until is not None and layer.until <= layer.first:
            found.append(f"layer {layer.name!r} ends on {layer.until}, before it begins")
        if any(not each.days or not each.days <= frozenset(range(7)) for each in layer.hours):
            found.append(f"layer {layer.name!r}: days are 0 (Monday) to 6, at least one")
    return found


def _wall(day: date, clock: time, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, clock.replace(fold=0), zone).astimezone(UTC)


def _settled(layer: Layer, swaps: Iterable[Swap]) -> tuple[dict[int, Swap], list[Swap]]:
    """Return turn → the swap that holds for it, and the swaps that fit no turn.

    A swap belongs to its giver's turn. When people were put into another order, it follows the giver to the nearest turn that is theirs.
    """
    held: dict[int, Swap] = {}
    void = []

    def holder(turn: int) -> str:
        return held[turn].taker if turn in held else layer.people[turn % len(layer.people)]

    for swap in swaps:
        if swap.layer != layer.name:
            continue
        reach = len(layer.people)
        near = sorted(range(max(0, swap.turn - reach), swap.turn + reach + 1), key=lambda turn: (abs(turn - swap.turn), -turn))
        turn = next((turn for turn in near if holder(turn) == swap.giver), None)
        if turn is None:
            void.append(swap)
        else:
            held[turn] = swap
    return held, void


def _layer_shifts(layer: Layer, zone: ZoneInfo, swapped: dict[int, Swap], since: datetime, until: datetime) -> list[Shift]:
    found = []
    days_in = (since.astimezone(zone).date() - layer.first).days
    turn = max(0, days_in // layer.days - 1)
    end = until if layer.until is None else min(until, _wall(layer.until, layer.hand_over, zone))
    while (start := turn_begins(layer, zone, turn)) < end:
        stretch = (max(start, since), min(turn_begins(layer, zone, turn + 1), end))
        swap = swapped.get(turn)
        person = layer.people[turn % len(layer.people)]
        shift = Shift(*stretch, person, Reason.LAYER, layer.name, turn)
        if swap is not None:
            shift = replace(shift, person=swap.taker, reason=Reason.SWAP, instead_of=swap.giver)
        found += [replace(shift, since=one, until=other) for one, other in _on_duty(layer.hours, zone, *stretch)]
        turn += 1
    return found


def _on_duty(hours: Sequence[Hours], zone: ZoneInfo, since: datetime, until: datetime) -> list[tuple[datetime, datetime]]:
    """Return the parts of a stretch that lie within the hours, joined where they touch."""
    if since >= until:
        return []
    if not hours:
        return [(since, until)]
    pieces = []
    day, last = since.astimezone(zone).date() - DAY, until.astimezone(zone).date()
    while day <= last:
        for each in hours:
            if day.weekday() in each.days:
                ends = day if each.until > each.since else day + DAY
                start, end = max(_wall(day, each.since, zone), since), min(_wall(ends, each.until, zone), until)
                if start < end:  # hours that a change of the clocks swallows whole are no hours
                    pieces.append((start, end))
        day += DAY
    joined: list[tuple[datetime, datetime]] = []
    for start, end in sorted(pieces):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((start, end))
    return joined


def _over(base: list[Shift], top: list[Shift]) -> list[Shift]:
    """Return both, each a list of disjoint shifts in order; where they overlap, `top` holds."""
    left: list[Shift] = []
    index = 0
    for each in base:
        start = each.since
        while index < len(top) and top[index].until <= start:
            index += 1
        at = index
        while at < len(top) and top[at].since < each.until:
            if top[at].since > start:
                left.append(replace(each, since=start, until=top[at].since))
            start = max(start, top[at].until)
            at += 1
        if start < each.until:
            left.append(replace(each, since=start))
    return sorted([*left, *top], key=lambda shift: shift.since)
