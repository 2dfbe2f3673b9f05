"""Bulk data: a workstation sends much while the doors place its owner where the workstation is not (catalogue 18)."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from watchword.detect.address import OwnNetwork
from watchword.detect.detector import Coverage, Detector, Rule
from watchword.detect.finding_text import local_clock, make_finding
from watchword.detect.presence_rules import own_network
from watchword.detect.setting import duration, flag, number, words
from watchword.detect.whereabouts import DOOR_CLASSES, Stand, Walks, Whereabouts, bytes_sent, door_evidence, says_where, slack_of
from watchword.model import Asset, AssetKind, Event, Finding
from watchword.model.ocsf import EventClass
from watchword.resolve.directory import Directory

LEAST_HISTORY = 20
"""From so many large flows of a machine within `HISTORY` before on, a flow must exceed their 99th percentile."""
HISTORY = timedelta(hours=24)
UNREAD_FACTOR = 0.6
"""What is left of the confidence where the owner might have come back without passing a reader."""
USUAL_SHARE = 0.5
"""From this share of a flow's bytes on, an earlier flow counts as its like."""
USUAL_TIMES = 3
"""So many of its like to any address make a flow usual for the machine; to the same address one is enough."""
ELSEWHERE_FACTOR = 0.8
"""The same where the owner's zone has a network: a machine may finish alone what was begun at it."""


@dataclass(slots=True, eq=False)
class BulkElsewhere:
    """Large flows of a machine while its owner is in another zone. Key: the owner."""

    rule: Rule
    directory: Directory
    own: OwnNetwork
    walks_free: Walks
    least_bytes: int
    external_only: bool
    exempt: frozenset[str]
    unread_within: timedelta
    min_confidence: float
    reach: timedelta = timedelta(hours=25)
    classes: frozenset[int] = DOOR_CLASSES | {int(EventClass.NETWORK_ACTIVITY)}
    walks: bool = False

    def keys(self, event: Event) -> Iterable[str]:
        """Return the badge's holder for door events, the machine's owner for flows of at least ``least_bytes``: few are kept."""
        if event.class_uid != EventClass.NETWORK_ACTIVITY:
            return (event.person,) if says_where(event) else ()
        if not event.asset or bytes_sent(event) < self.least_bytes:
            return ()
        owner = self.directory.owner(event.asset, event.time)
        return (owner,) if owner else ()

    def judge(self, key: str, events: Sequence[Event], coverage: Coverage) -> Iterable[Finding]:
        """Judge each large flow; one finding per stay elsewhere, machine and destination, on its first flow."""
        person = self.directory.person(key)
        flows = [event for event in events if event.class_uid == EventClass.NETWORK_ACTIVITY]
        if person is None or not flows:
            return
        doors = {event.uid: event for event in events if says_where(event)}
        whereabouts = Whereabouts(door_evidence(doors.values(), self.directory), self.directory, self.walks_free)
        sources = {event.source for event in doors.values()}
        unusual = self._unusual(flows)
        fired: set[tuple[str, str, str]] = set()
        for flow in flows:
            asset = self._machine(flow)
            if asset is None or flow.uid not in unusual:
                continue
            slack = slack_of(coverage, flow, sources)
            stand = whereabouts.stand(flow.time - slack, self.min_confidence)
            after = whereabouts.stand(flow.time + slack, self.min_confidence)
            if stand is None or after is None or stand.event != after.event:
                continue
            same = stand.event, asset.uid, flow.dst_ip
            confidence = self._confidence(stand, asset, flow)
            if same in fired or confidence is None:
                continue
            state = coverage.decide(self.rule.needs, stand.zone.partition("/")[0], stand.since, flow.time + slack)
            if state is None:
                continue
            fired.add(same)
            usual = self._usual(flow, asset, flows, whereabouts)
            yield make_finding(
                self.rule,
                [doors[stand.event], flow],
                self.directory,
                parts=self._words(doors[stand.event], flow, stand, asset),
                persons=(key,),
                places=(stand.zone, asset.place),
                confidence=confidence,
                severity=self.rule.severity - (not self._without_network(stand)) - bool(usual),
                notes=(usual,) if usual else (),
                state=state,
            )

    def _machine(self, flow: Event) -> Asset | None:
        asset = self.directory.asset(flow.asset)
        if asset is None or asset.shared or not asset.place or asset.kind is not AssetKind.WORKSTATION or flow.dst_ip in self.exempt:
            return None
        return asset if not self.external_only or self.own.external(flow.dst_ip) else None

    def _unusual(self, flows: Iterable[Event]) -> frozenset[str]:
        """Return the uids of flows above the 99th percentile of their machine's large flows before, where it has enough of them."""
        by_asset: dict[str, list[Event]] = defaultdict(list)
        found: set[str] = set()
        for flow in flows:
            since = flow.time - HISTORY
            sizes = sorted(bytes_sent(earlier) for earlier in by_asset[flow.asset] if earlier.time >= since)
            by_asset[flow.asset].append(flow)
            if len(sizes) < LEAST_HISTORY or bytes_sent(flow) > _percentile_99(sizes):
                found.add(flow.uid)
        return frozenset(found)

    def _usual(self, flow: Event, asset: Asset, flows: Iterable[Event], whereabouts: Whereabouts) -> str:
        """Return in words that the machine sent as much within the day before while its owner was at it; '' where it did not.

        What it sent while the doors placed its owner elsewhere, or nowhere, explains nothing: that may be the same deed.
        """
        least, since = USUAL_SHARE * bytes_sent(flow), flow.time - HISTORY
        alike = [
            earlier
            for earlier in flows
            if earlier.asset == flow.asset and since <= earlier.time < flow.time and bytes_sent(earlier) >= least
            if (stand := whereabouts.stand(earlier.time, self.min_confidence)) is not None
            if stand.since >= flow.time - self.reach and self._at(stand, asset)  # an older reading may be forgotten already
        ]
        if any(earlier.dst_ip == flow.dst_ip for earlier in alike):
            return "It had sent about as much to the same address within the day before, while its owner was there."
        return (
            f"It had sent about as much {len(alike)} times within the day before, while its owner was there."
            if len(alike) >= USUAL_TIMES
            else ""
        )

    def _at(self, stand: Stand, asset: Asset) -> bool:
        return self.directory.within(asset.place, stand.zone) or self.directory.within(stand.zone, asset.place)

    def _confidence(self, stand: Stand, asset: Asset, flow: Event) -> float | None:
        """Return the confidence that the owner is not at the machine; None where the doors do not say so."""
        if stand.outside or self._at(stand, asset):
            return None
        confidence = self.rule.confidence * stand.confidence
        if self.walks_free.unread(stand.zone, asset.place):
            if flow.time - stand.since > self.unread_within:
                return None
            confidence *= UNREAD_FACTOR
        return confidence if self._without_network(stand) else confidence * ELSEWHERE_FACTOR

    def _without_network(self, stand: Stand) -> bool:
        place = self.directory.place(stand.zone)
        return place is not None and not place.network

    def _words(self, door: Event, flow: Event, stand: Stand, asset: Asset) -> dict[str, str]:
        label = self.directory.label
        without = ", a zone without network" if self._without_network(stand) else ""
        return {
            "owner": label(door.person),
            "owner_zone": label(stand.zone) + without,
            "owner_door": label(door.place),
            "owner_clock": local_clock(door.time, door.place, self.directory),
            "machine": asset.name,
            "machine_zone": label(asset.place),
            "megabytes": f"{bytes_sent(flow) / 1e6:.1f} MB",
            "destination": flow.dst_ip or "an unknown address",
            "flow_clock": local_clock(flow.time, asset.place, self.directory),
        }


def _percentile_99(sizes: Sequence[int]) -> float:
    """Return the 99th percentile (linear interpolation) of sorted sizes."""
    place = 0.99 * (len(sizes) - 1)
    low = int(place)
    high = min(low + 1, len(sizes) - 1)
    return sizes[low] + (sizes[high] - sizes[low]) * (place - low)


def bulk_elsewhere(rule: Rule, directory: Directory) -> Detector:
    """Build the detector of bulk data sent while the owner is elsewhere.

    Raises:
        ContentError: a setting is wrong.
    """
    return BulkElsewhere(
        rule,
        directory,
        own_network(rule, directory),
        Walks(directory),
        int(number(rule, "least_bytes", 5_000_000)),
        flag(rule, "external_only", True),
        frozenset(words(rule, "exempt_addresses", ())),
        duration(rule, "unread_within", "30m"),
        number(rule, "min_confidence", 0.5),
    )
