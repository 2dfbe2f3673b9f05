"""Presence rules: a console log-on while its owner is not on site, and a remote session while its owner is (catalogue 1 and 3)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from watchword.detect.address import OwnNetwork, networks_of
from watchword.detect.detector import Coverage, Detector, Rule
from watchword.detect.finding_text import local_clock, make_finding
from watchword.detect.setting import duration, number, refuse, words
from watchword.detect.whereabouts import (
    DOOR_CLASSES,
    Badges,
    Walks,
    Whereabouts,
    covered_by,
    door_evidence,
    logs_on_at_console,
    says_where,
    slack_of,
    starts_remote_session,
)
from watchword.kit.errors import InputError
from watchword.model import OUTSIDE, Asset, AssetKind, Event, Finding, FindingState, value_at
from watchword.model.ocsf import EventClass, Logon
from watchword.resolve.calendars import local_midnight
from watchword.resolve.directory import Directory
from watchword.resolve.presence import State

CONSOLE_TYPES = frozenset({int(Logon.INTERACTIVE), int(Logon.CACHED_INTERACTIVE)})
_SESSION_CLASSES = frozenset({int(EventClass.AUTHENTICATION), int(EventClass.TUNNEL_ACTIVITY)})
_MACHINES = frozenset({AssetKind.WORKSTATION, AssetKind.SERVER, AssetKind.CONSOLE})
_LONGEST_DAY = timedelta(hours=25)
_CARRY = timedelta(hours=25)
"""Evidence of the day before counts at midnight: it lasts at most 24 h."""
_NO_ADDRESS = frozenset({"", "-", "127.0.0.1", "::1"})


@dataclass(slots=True, eq=False)
class OwnerAbsent:
    """Console log-on of a person whom no door let in and who is out (catalogue 1). Key: the person."""

    rule: Rule
    directory: Directory
    badges: Badges
    walks_free: Walks
    entry_window: timedelta
    reach: timedelta = _LONGEST_DAY + _CARRY
    classes: frozenset[int] = DOOR_CLASSES | _SESSION_CLASSES
    walks: bool = False

    def keys(self, event: Event) -> Iterable[str]:
        """Return the account's holder for console log-ons and remote sessions, the badge's for door events."""
        concerned = says_where(event) or starts_remote_session(event) or logs_on_at_console(event, CONSOLE_TYPES)
        return (event.person,) if event.person and concerned else ()

    def judge(self, key: str, events: Sequence[Event], coverage: Coverage) -> Iterable[Finding]:
        """Judge each console log-on at a machine that stands at a site; one finding per machine and local day, on its first."""
        person = self.directory.person(key)
        if person is None or person.remote:
            return
        logons = [(event, asset) for event in events if (asset := self._machine(event)) is not None]
        if not logons:
            return
        doors = [event for event in events if says_where(event)]
        by_uid = {event.uid: event for event in doors}
        sources = {event.source for event in doors}
        covered = covered_by(self.rule, coverage)
        whereabouts = Whereabouts(door_evidence(doors, self.directory), self.directory, self.walks_free, covered)
        fired: set[tuple[str, datetime]] = set()
        for event, asset in logons:
            day = local_midnight(event.time, self.directory.time_zone(asset.place))
            if (asset.uid, day) in fired or not self.badges.held(key, event.time) or self._elsewhere(event, asset, events):
                continue
            finding = self._verdict(event, asset, whereabouts, by_uid, slack_of(coverage, event, sources), coverage)
            if finding is not None:
                fired.add((asset.uid, day))
                yield finding

    def _machine(self, event: Event) -> Asset | None:
        if not logs_on_at_console(event, CONSOLE_TYPES):
            return None
        asset = self.directory.asset(event.asset)
        return asset if asset is not None and asset.place and not asset.shared and asset.kind in _MACHINES else None

    def _elsewhere(self, event: Event, asset: Asset, events: Sequence[Event]) -> bool:
        """Tell whether the machine itself is away: its address is another network's, or its user came in through the VPN."""
        known = {address for address in asset.addresses if address[:1].isdigit() or ":" in address}
        seen = {
            str(value_at(event.data, "device.ip") or ""),
            event.src_ip,
            str(value_at(event.data, "src_endpoint.ip") or ""),
        } - _NO_ADDRESS
        if seen and known:
            return not seen & known
        since = event.time - self.entry_window
        return any(starts_remote_session(other) and since <= other.time <= event.time for other in events)

    def _verdict(
        self, event: Event, asset: Asset, whereabouts: Whereabouts, doors: dict[str, Event], slack: timedelta, coverage: Coverage
    ) -> Finding | None:
        site = asset.place.partition("/")[0]
        since, until = event.time - self.entry_window - slack, event.time + slack
        if whereabouts.entered(site, since, until) or self.walks_free.unread(f"{site}/{OUTSIDE}", asset.place):
            return None
        found = whereabouts.presence.state(site, event.time)
        if found.state is not State.OUT:
            return None
        state = coverage.decide(self.rule.needs, site, since, until)
        if state is None:
            return None
        proof = doors.get(found.event)
        if proof is not None:
            way = "was read going out through" if proof.site == site else "was last read at"
            clash = f"{way} {self.directory.label(proof.place)} at {local_clock(proof.time, proof.place, self.directory)}"
        else:
            clash = "no door of the site has read this person in today, though all its entrances report"
        return make_finding(
            self.rule,
            [event] if proof is None else [proof, event],
            self.directory,
            parts={"clash": clash, "machine_site": self.directory.label(site), "machine_zone": self.directory.label(asset.place)},
            places=(asset.place,),
            confidence=self.rule.confidence * found.confidence,
            state=state,
        )


@dataclass(slots=True, eq=False)
class RemoteWhilePresent:
    """A remote session from an external address by someone whom the doors place on site (catalogue 3). Key: the person."""

    rule: Rule
    directory: Directory
    walks_free: Walks
    own: OwnNetwork
    min_confidence: float
    reach: timedelta = _CARRY
    classes: frozenset[int] = DOOR_CLASSES | _SESSION_CLASSES
    walks: bool = False

    def keys(self, event: Event) -> Iterable[str]:
        """Return the person of door events and of remote sessions from outside our own networks and phone carriers."""
        return (event.person,) if event.person and (says_where(event) or self._concerns(event)) else ()

    def _concerns(self, event: Event) -> bool:
        if event.class_uid not in _SESSION_CLASSES or not starts_remote_session(event):
            return False
        kind = str(event.data.get("ww_network_kind") or "").lower()
        return kind != "mobile" and self.own.external(event.src_ip or str(value_at(event.data, "src_endpoint.ip") or ""))

    def judge(self, key: str, events: Sequence[Event], coverage: Coverage) -> Iterable[Finding]:
        """Judge each session start; one finding per stay and address, on the first."""
        del key
        sessions = [event for event in events if event.class_uid in _SESSION_CLASSES and self._concerns(event)]
        if not sessions:
            return
        doors = {event.uid: event for event in events if says_where(event)}
        whereabouts = Whereabouts(door_evidence(doors.values(), self.directory), self.directory, self.walks_free)
        sources = {event.source for event in doors.values()}
        fired: set[tuple[str, str]] = set()
        for event in sessions:
            slack = slack_of(coverage, event, sources)
            stand = whereabouts.stand(event.time - slack, self.min_confidence)
            after = whereabouts.stand(event.time + slack, self.min_confidence)
            if stand is None or stand.outside or after is None or after.outside or (stand.event, event.src_ip) in fired:
                continue
            state = coverage.decide(self.rule.needs, stand.zone.partition("/")[0], stand.since, event.time + slack)
            if state is None:
                continue
            fired.add((stand.event, event.src_ip))
            yield self._finding(doors[stand.event], event, stand.zone, stand.confidence, state)

    def _finding(self, door: Event, session: Event, zone: str, confidence: float, state: FindingState) -> Finding:
        parts = {
            "present_zone": self.directory.label(zone),
            "present_door": self.directory.label(door.place),
            "present_clock": local_clock(door.time, door.place, self.directory),
            "session_clock": local_clock(session.time, door.place, self.directory),
            "from_address": session.src_ip or str(value_at(session.data, "src_endpoint.ip") or ""),
        }
        return make_finding(
            self.rule,
            [door, session],
            self.directory,
            parts=parts,
            places=(zone,),
            confidence=self.rule.confidence * confidence,
            state=state,
        )


def own_network(rule: Rule, directory: Directory) -> OwnNetwork:
    """Return the organisation's own network by the rule's setting ``own_networks`` and the addresses of its assets.

    Raises:
        ContentError: the setting lists something that is no network.
    """
    try:
        ranges = networks_of(words(rule, "own_networks", ()))
    except InputError as error:
        raise refuse(rule, str(error), "settings", "own_networks") from error
    return OwnNetwork(ranges, frozenset(address for asset in directory.assets.assets.values() for address in asset.addresses))


def owner_absent(rule: Rule, directory: Directory) -> Detector:
    """Build the detector of console log-ons while their owner is not on site.

    Raises:
        ContentError: a setting is wrong.
    """
    return OwnerAbsent(rule, directory, Badges(directory), Walks(directory), duration(rule, "entry_window", "12h"))


def remote_while_present(rule: Rule, directory: Directory) -> Detector:
    """Build the detector of remote sessions while badged in.

    Raises:
        ContentError: a setting is wrong.
    """
    return RemoteWhilePresent(rule, directory, Walks(directory), own_network(rule, directory), number(rule, "min_confidence", 0.3))
