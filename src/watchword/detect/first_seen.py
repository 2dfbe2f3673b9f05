"""Before the first badge: a workstation is in use on a day on which no door has read its owner in yet (catalogue 19)."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from watchword.detect.detector import Coverage, Detector, Rule
from watchword.detect.finding_text import local_clock, make_finding
from watchword.detect.setting import duration, number
from watchword.detect.whereabouts import (
    DOOR_CLASSES,
    Badges,
    Walks,
    Whereabouts,
    bytes_sent,
    door_evidence,
    logs_on_at_console,
    says_where,
    slack_of,
    starts_remote_session,
)
from watchword.model import OUTSIDE, Asset, AssetKind, Event, Finding
from watchword.model.ocsf import EventClass, Logon
from watchword.resolve.calendars import local_midnight
from watchword.resolve.directory import Directory
from watchword.resolve.presence import State

USED_TYPES = frozenset({int(Logon.INTERACTIVE), int(Logon.UNLOCK), int(Logon.CACHED_INTERACTIVE)})
_SESSION_CLASSES = frozenset({int(EventClass.AUTHENTICATION), int(EventClass.TUNNEL_ACTIVITY)})


@dataclass(slots=True, eq=False)
class BeforeFirstBadge:
    """Use of a workstation before its owner's first badge of the day. Key: the owner."""

    rule: Rule
    directory: Directory
    badges: Badges
    walks_free: Walks
    least_bytes: int
    settle: timedelta
    reach: timedelta = timedelta(hours=50)
    """A local day and the day before it: who worked past midnight was read in then."""
    classes: frozenset[int] = DOOR_CLASSES | _SESSION_CLASSES | {int(EventClass.NETWORK_ACTIVITY)}
    walks: bool = False

    def keys(self, event: Event) -> Iterable[str]:
        """Return the owner of the machine that was used, or the person whom a door read or who opened a remote session."""
        if event.class_uid == EventClass.NETWORK_ACTIVITY:
            return self._owner(event) if event.asset and bytes_sent(event) >= self.least_bytes else ()
        if event.class_uid in DOOR_CLASSES:
            return (event.person,) if says_where(event) else ()
        found = dict.fromkeys(self._owner(event)) if event.asset and logs_on_at_console(event, USED_TYPES) else {}
        if event.person and starts_remote_session(event):
            found[event.person] = None
        return tuple(found)

    def _owner(self, event: Event) -> tuple[str, ...]:
        owner = self.directory.owner(event.asset, event.time)
        return (owner,) if owner else ()

    def judge(self, key: str, events: Sequence[Event], coverage: Coverage) -> Iterable[Finding]:
        """Judge each local day; at most one finding per day.

        A log-on, unlock or cached log-on at the machine counts by itself. Traffic counts only when the owner is read in later that
        day, and the finding rests on both: a machine that was left on in somebody's holiday says little.
        """
        person = self.directory.person(key)
        if person is None or person.remote:
            return
        doors = [event for event in events if says_where(event)]
        whereabouts = Whereabouts(door_evidence(doors, self.directory), self.directory, self.walks_free)
        days: dict[tuple[str, datetime], list[Event]] = defaultdict(list)
        for event in events:
            asset = self._machine(event, key)
            if asset is not None and self.badges.held(key, event.time):
                midnight = local_midnight(event.time, self.directory.time_zone(asset.place))
                days[asset.place.partition("/")[0], midnight].append(event)
        sessions = [event for event in events if event.class_uid in _SESSION_CLASSES and starts_remote_session(event)]
        done: set[datetime] = set()
        for (site, midnight), used in sorted(days.items(), key=lambda item: (item[0][1], item[0][0])):
            if midnight in done:
                continue
            finding = self._verdict(site, midnight, used, doors, sessions, whereabouts, coverage, key)
            if finding is not None:
                done.add(midnight)
                yield finding

    def _machine(self, event: Event, owner: str) -> Asset | None:
        if event.class_uid in DOOR_CLASSES or not event.asset or self.directory.owner(event.asset, event.time) != owner:
            return None
        if event.class_uid in _SESSION_CLASSES and not logs_on_at_console(event, USED_TYPES):
            return None
        asset = self.directory.asset(event.asset)
        return asset if asset is not None and asset.kind is AssetKind.WORKSTATION and asset.place and not asset.shared else None

    def _verdict(
        self,
        site: str,
        midnight: datetime,
        used: Sequence[Event],
        doors: Sequence[Event],
        sessions: Sequence[Event],
        whereabouts: Whereabouts,
        coverage: Coverage,
        key: str,
    ) -> Finding | None:
        slack = max((slack_of(coverage, event, {door.source for door in doors}) for event in used), default=timedelta())
        tomorrow = local_midnight(midnight + timedelta(hours=26), self.directory.time_zone(site))
        first = next(
            (
                item
                for item in whereabouts.presence.evidence(tomorrow)
                if item.time >= midnight - slack and not item.place.endswith(f"/{OUTSIDE}")
            ),
            None,
        )
        limit = tomorrow if first is None else first.time - slack - self.settle
        remote = min((event.time for event in sessions if event.time >= midnight), default=tomorrow)
        before = [
            event
            for event in used
            if event.time < min(limit, remote) and whereabouts.presence.state(site, event.time).state is not State.IN
        ]
        if not before:
            return None
        logon = next((event for event in before if event.class_uid == EventClass.AUTHENTICATION), None)
        badge = next((event for event in doors if first is not None and event.uid == first.event), None)
        if logon is None and badge is None:
            return None
        deed = logon or before[0]
        state = coverage.decide(self.rule.needs, site, midnight - slack, deed.time + slack + self.settle)
        if state is None:
            return None
        basis = [deed] if logon is not None or badge is None else [deed, badge]
        asset = self.directory.asset(deed.asset)
        return make_finding(
            self.rule,
            basis,
            self.directory,
            parts=self._words(key, deed, basis[-1]),
            persons=_both(key, deed.person),
            assets=(deed.asset,),
            places=(asset.place,) if asset is not None else None,
            time=deed.time if len(basis) == 1 else basis[-1].time,
            state=state,
        )

    def _words(self, key: str, deed: Event, last: Event) -> Mapping[str, str]:
        asset = self.directory.asset(deed.asset)
        place = asset.place if asset else deed.place
        label = self.directory.label
        if deed.class_uid == EventClass.AUTHENTICATION:
            who = label(deed.person) if deed.person else "an unknown account"
            what = f"was logged on to by {who}" if deed.person != key else "was logged on to or unlocked"
        else:
            what = f"sent {bytes_sent(deed) / 1e6:.1f} MB to {deed.dst_ip or 'an unknown address'}"
        later = "no door had read its owner in by then"
        if last is not deed:
            clock = local_clock(last.time, last.place, self.directory)
            later = f"its owner's first badge of the day was read only at {clock} at {label(last.place)}"
        return {
            "machine": label(deed.asset),
            "owner": label(key),
            "deed": what,
            "deed_clock": local_clock(deed.time, place, self.directory),
            "machine_zone": label(place),
            "later": later,
        }


def _both(owner: str, actor: str) -> tuple[str, ...]:
    return (owner, actor) if actor and actor != owner else (owner,)


def before_first_badge(rule: Rule, directory: Directory) -> Detector:
    """Build the detector of workstations in use before their owner's first badge of the day.

    Raises:
        ContentError: a setting is wrong.
    """
    return BeforeFirstBadge(
        rule,
        directory,
        Badges(directory),
        Walks(directory),
        int(number(rule, "least_bytes", 1_000_000)),
        duration(rule, "settle", "2m"),
    )
