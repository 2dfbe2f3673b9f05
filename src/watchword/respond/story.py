"""Stories: the connected groups of findings that share what they name, or stand near in place, time and kill chain."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from watchword.detect.address import OwnNetwork
from watchword.model import OUTSIDE, AssetKind, Finding, PlaceKind
from watchword.resolve.directory import Directory
from watchword.respond.kill_chain import Stage, are_neighbours, stages_of

Key = tuple[str, str]
"""(person, credential, asset or address; its uid)."""
Sort = tuple[frozenset[Stage], bool]
"""The stages of a trace, and whether it names a place."""
Unite = Callable[[Iterable[str]], None]


@dataclass(frozen=True, slots=True)
class Trace:
    """What of a finding counts for its neighbourhood."""

    uid: str
    first: datetime
    last: datetime
    keys: frozenset[Key]
    zones: frozenset[str]
    stages: frozenset[Stage]
    placed: bool = True
    """The finding itself names a place; else its zones are only those where its assets stand, and nearness to another such says nothing."""

    def gap(self, other: "Trace") -> timedelta:
        """Return the time between the two spans; none where they overlap."""
        return max(timedelta(), self.first - other.last, other.first - self.last)


def trace_of(finding: Finding, directory: Directory, own: OwnNetwork, hubs: frozenset[str] = frozenset()) -> Trace:
    """Return the trace of a finding: badge and account stand for their holder too, an own address for its asset, a door for both sides.

    What everybody uses (hubs, shared machines, an own address of no known asset) is no key; outside is no zone.
    """
    keys: set[Key] = {("person", uid) for uid in finding.persons}
    assets = set(finding.assets)
    for credential in finding.credentials:
        keys.add(("credential", credential))
        link = directory.holder(credential, finding.time)
        if link is not None:
            keys.add(("person", link.person))
    for address in finding.addresses:
        if own.external(address):
            keys.add(("address", address))
        elif (behind := directory.asset_at(address, finding.time)) is not None:
            assets.add(behind.uid)
    places = set(finding.places)
    for uid in assets:
        asset = directory.asset(uid)
        if asset is not None and asset.place:
            places.add(asset.place)
        if asset is None or not asset.shared:
            keys.add(("asset", uid))
        if asset is not None and asset.kind is AssetKind.WORKSTATION and (owner := directory.owner(uid, finding.time)):
            keys.add(("person", owner))
    kept = frozenset(key for key in keys if key[1] not in hubs)
    zones, stages = _zones(places, directory), stages_of(finding.attack)
    return Trace(finding.uid, finding.first_time, finding.last_time, kept, zones, stages, bool(finding.places))


def _zones(places: Iterable[str], directory: Directory) -> frozenset[str]:
    found: set[str] = set()
    for uid in places:
        door = directory.door(uid)
        found.update((door.from_zone, door.to_zone) if door is not None else (uid,))
    zones = {uid for uid in found if (place := directory.place(uid)) is not None and place.kind is PlaceKind.ZONE}
    return frozenset(uid for uid in zones if not uid.endswith(f"/{OUTSIDE}"))


class Stories:
    """Disjoint sets of uids: united by what traces share, and by hand."""

    def __init__(self, window: timedelta, zone_window: timedelta, next_zone_window: timedelta) -> None:
        self._window, self._zone_window, self._next_zone_window = window, zone_window, next_zone_window
        self._parent: dict[str, str] = {}

    def of(self, uid: str) -> str:
        """Return the story of a uid: the same text for all in it."""
        root = uid
        while (above := self._parent.setdefault(root, root)) != root:
            root = above
        while uid != root:
            self._parent[uid], uid = root, self._parent[uid]
        return root

    def unite(self, uids: Iterable[str]) -> None:
        """Make one story of several uids."""
        roots = sorted({self.of(uid) for uid in uids})
        for root in roots[1:]:
            self._parent[root] = roots[0]

    def add(self, traces: Sequence[Trace], directory: Directory) -> None:
        """Unite all traces that are one story. Time and memory grow with the number of traces, not with that of their pairs."""
        ordered = sorted(traces, key=lambda one: (one.first, one.uid))
        by_key: dict[Key, list[Trace]] = defaultdict(list)
        by_zone: dict[str, dict[Sort, list[Trace]]] = defaultdict(lambda: defaultdict(list))
        for trace in ordered:
            for key in trace.keys:
                by_key[key].append(trace)
            for zone in trace.zones:
                by_zone[zone][trace.stages, trace.placed].append(trace)
        for sharing in by_key.values():
            _sweep(sharing, self._window, self.unite)
        for stages in by_zone.values():
            self._near(stages, stages, self._zone_window)
        adjacent = {frozenset({door.from_zone, door.to_zone}) for door in directory.doors()} if len(by_zone) > 1 else set()
        for one, other in (sorted(pair) for pair in adjacent if len(pair) == 2):
            if one in by_zone and other in by_zone:
                self._near(by_zone[one], by_zone[other], self._next_zone_window)

    def _near(self, one: dict[Sort, list[Trace]], other: dict[Sort, list[Trace]], window: timedelta) -> None:
        for (left, placed), here in one.items():
            for (right, also_placed), there in other.items():
                if (placed or also_placed) and are_neighbours(left, right):
                    _sweep_two(here, there, window, self.unite)


def _sweep(ordered: Sequence[Trace], window: timedelta, unite: Unite) -> None:
    """Unite traces, ordered by first time, of which each is within the window of the latest end before it."""
    reach = ordered[0]
    for _, trace in pairwise(ordered):
        if trace.first - reach.last <= window:
            unite((reach.uid, trace.uid))
        if trace.last >= reach.last:
            reach = trace


def _sweep_two(here: Sequence[Trace], there: Sequence[Trace], window: timedelta, unite: Unite) -> None:
    """Unite each trace of the one list with every trace of the other within the window; both are ordered by first time."""
    waiting: tuple[list[Trace], list[Trace]] = ([], [])
    merged = sorted([(one, 0) for one in here] + [(one, 1) for one in there], key=lambda item: (item[0].first, item[0].uid, item[1]))
    for trace, side in merged:
        others = [one for one in waiting[1 - side] if trace.first - one.last <= window]
        if others:
            unite([trace.uid, *(one.uid for one in others)])
            # All of them are one story now, so the one that ends last stands for them.
            others = [max(others, key=lambda one: (one.last, one.uid))]
        waiting[1 - side][:] = others
        waiting[side].append(trace)
