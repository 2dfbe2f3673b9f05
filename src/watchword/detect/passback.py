"""Pass-back: a credential goes in twice without having come out, or comes out without having gone in (catalogue 10)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from watchword.detect.coverage import tolerance
from watchword.detect.detector import Coverage, Detector, Rule
from watchword.detect.finding_text import in_words, local_clock, make_finding
from watchword.detect.setting import duration, words
from watchword.detect.whereabouts import direction_of
from watchword.model import OUTSIDE, Event, Finding, Place, ZoneKind
from watchword.model.ocsf import Access, EventClass
from watchword.resolve.directory import Directory

PASSAGE_WITHIN = timedelta(seconds=60)
"""A passage, or its failure, is reported at most this long after its grant."""
_CONCERNED = frozenset({int(Access.GRANTED), int(Access.TAKEN), int(Access.NOT_TAKEN)})


@dataclass(slots=True)
class Passage:
    """One way through one door with one credential."""

    event: Event
    door: str
    from_zone: str
    """The zone that was left."""
    to_zone: str
    """The zone that was entered."""
    taken: bool = False
    cancelled: bool = False


@dataclass(slots=True, eq=False)
class PassBack:
    """Judges, per credential, every zone whose ways are all read in both directions."""

    rule: Rule
    directory: Directory
    reset_after: timedelta
    double_read: timedelta
    zones: frozenset[str]
    """Zones of which every way has an entry and an exit reader."""
    reach: timedelta
    classes: frozenset[int] = frozenset({int(EventClass.PHYSICAL_ACCESS)})
    walks: bool = False

    def keys(self, event: Event) -> Iterable[str]:
        """Return the credential that passed, or might have passed, a known door."""
        if event.credential and event.place and event.activity_id in _CONCERNED:
            return (event.credential,)
        return ()

    def judge(self, key: str, events: Sequence[Event], coverage: Coverage) -> Iterable[Finding]:
        """Compare each passage into or out of a zone with the credential's last one before it.

        Two in the same direction clash. A passage out clashes too when the last one before it within `reset_after` led elsewhere and
        none led in. Without any earlier passage within `reset_after`, nothing is known and nothing is said.
        """
        del key
        found = passages(events, self.directory, self.double_read)
        for index, passage in enumerate(found):
            zones = [zone for zone in (passage.to_zone, passage.from_zone) if zone in self.zones]
            verdicts = (self._verdict(zone, passage, found[:index], coverage) for zone in zones)
            yield from {finding.uid: finding for finding in reversed([verdict for verdict in verdicts if verdict])}.values()

    def _verdict(self, zone: str, passage: Passage, earlier: Sequence[Passage], coverage: Coverage) -> Finding | None:
        since = passage.event.time - self.reset_after
        recent = [item for item in earlier if item.event.time >= since]
        touching = [item for item in recent if zone in (item.from_zone, item.to_zone)]
        entering = passage.to_zone == zone
        if touching:
            before = touching[-1]
            if (before.to_zone == zone) is not entering:
                return None
        elif recent and not entering:
            before = recent[-1]
        else:
            return None
        a, b = before.event, passage.event
        slack = tolerance(coverage, a.source, b.source)
        if not touching and b.time - a.time <= slack:
            return None
        state = coverage.decide(self.rule.needs, b.site, a.time - slack, b.time + slack)
        if state is None:
            return None
        return make_finding(
            self.rule,
            (a, b),
            self.directory,
            parts=self._words(zone, before, passage, touching=bool(touching)),
            places=(zone, b.place),
            state=state,
        )

    def _words(self, zone: str, before: Passage, passage: Passage, *, touching: bool) -> dict[str, str]:
        label = self.directory.label
        event, earlier = passage.event, before.event
        named = label(zone)
        at = local_clock(earlier.time, earlier.place, self.directory)
        if passage.to_zone == zone:
            deed = f"went into {named}"
            clash = f"had gone in at {at} and no exit was read since"
        elif touching:
            deed = f"came out of {named}"
            clash = f"had come out at {at} already and no entry was read since"
        else:
            deed = f"came out of {named}"
            clash = f"had gone into {label(before.to_zone)} at {at} and no entry to {named} was read since"
        return {
            "who": label(event.person) if event.person else "An unknown holder",
            "badge": label(event.credential),
            "deed": deed,
            "clash": clash,
            "elapsed": in_words((event.time - earlier.time).total_seconds()),
        }


def passages(events: Iterable[Event], directory: Directory, double_read: timedelta) -> list[Passage]:
    """Return the passages among one credential's sorted events.

    A grant and its passage are one; so are readings at one reader closer than `double_read`. A grant that was not taken is none. At a
    door with a passage sensor only what was taken counts, and every taking counts for itself.
    """
    found: list[Passage] = []
    for event in events:
        passage = _passage(event, directory)
        if passage is None:
            continue
        same = next(
            (item for item in reversed(found) if item.door == passage.door and item.to_zone == passage.to_zone and not item.cancelled),
            None,
        )
        gap = event.time - same.event.time if same is not None else None
        if event.activity_id == Access.NOT_TAKEN:
            if same is not None and gap is not None and gap <= PASSAGE_WITHIN and not same.taken:
                same.cancelled = True
        elif event.activity_id == Access.TAKEN:
            if same is not None and gap is not None and gap <= PASSAGE_WITHIN and not same.taken:
                same.taken = True
            elif gap is None or gap > double_read or _sensed(passage.door, directory):
                passage.taken = True
                found.append(passage)
        elif same is None or gap is None or gap > double_read:
            found.append(passage)
    return [item for item in found if not item.cancelled and (item.taken or not _sensed(item.door, directory))]


def _sensed(door: str, directory: Directory) -> bool:
    known = directory.door(door)
    return known is not None and known.passage_sensor


def _passage(event: Event, directory: Directory) -> Passage | None:
    door = directory.door(event.place)
    direction = direction_of(event)
    if door is None or direction not in {"in", "out"}:
        return None
    zones = (door.from_zone, door.to_zone) if direction == "in" else (door.to_zone, door.from_zone)
    return Passage(event, door.uid, *zones)


def read_both_ways(directory: Directory) -> frozenset[str]:
    """Return the zones, outside apart, of which every way has an entry and an exit reader."""
    found: set[str] = set()
    for door in directory.doors():
        found.update((door.from_zone, door.to_zone))
    unread: set[str] = set()
    for door in directory.doors():
        if {reader.direction for reader in door.readers} != {"in", "out"}:
            unread.update((door.from_zone, door.to_zone))
    return frozenset(zone for zone in found - unread if not _open(directory.place(zone), zone))


def _open(place: Place | None, uid: str) -> bool:
    return uid.endswith(f"/{OUTSIDE}") or (place is not None and place.zone_kind is ZoneKind.EXTERNAL)


def pass_back(rule: Rule, directory: Directory) -> Detector:
    """Build the pass-back detector.

    Raises:
        ContentError: a setting is wrong.
    """
    reset_after = duration(rule, "reset_after", "16h")
    exempt = frozenset(words(rule, "exempt_zones", ()))
    zones = frozenset(zone for zone in read_both_ways(directory) if zone not in exempt)
    return PassBack(rule, directory, reset_after, duration(rule, "double_read", "10s"), zones, reset_after + timedelta(minutes=5))
