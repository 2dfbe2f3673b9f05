"""Measures that need the whole house: the two-clock gap of leavers from people file and events, the highest entity risk from findings."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from sqlalchemy import func, select

from watchword.app.parameters import leaver_limit
from watchword.detect.entity_risk import entity_risks
from watchword.detect.service import Disposition, FindingFilter
from watchword.detect.tables import finding as finding_table
from watchword.govern.steering_calculator_service import SteeringCalculator
from watchword.measure.alignment import LIMIT, Leaver, late_share, two_clock_gap
from watchword.measure.calculator import Calculator, Input, Measured, measured
from watchword.measure.collaboration import highest_risk
from watchword.measure.definitions import definition
from watchword.measure.response_calculator_service import share
from watchword.measure.survival import kaplan_meier
from watchword.model import CredentialKind, Event, EventQuery
from watchword.model.metric import Window
from watchword.model.ocsf import Access, EventClass, Status
from watchword.model.query import Order

if TYPE_CHECKING:
    from watchword.app.watchword import Watchword

ENDS: Final[Mapping[int, frozenset[int]]] = {
    EventClass.ACCOUNT_CHANGE: frozenset({5, 6}),
    EventClass.CREDENTIAL: frozenset({4, 5, 7, 8, 11}),
}
"""Class → activities that end a right: disable, delete; unassign, suspend, revoke, lose, expire."""
BADGES: Final = frozenset({CredentialKind.BADGE, CredentialKind.MOBILE})
BEFORE: Final = timedelta(days=30)
"""Rights may end so long before the last day."""
RISK_WINDOW: Final = timedelta(days=14)
MOST_EVENTS: Final = 20_000
MOST_FINDINGS: Final = 5_000
SETTLED: Final = frozenset({Disposition.FALSE, Disposition.BENIGN})


def house_calculators(watchword: "Watchword") -> list[Calculator]:
    """Return the calculators that ask several rooms."""
    policies = watchword.governance.policies
    clocks = TwoClockCalculator(watchword, lambda moment: leaver_limit(policies, moment))
    return [clocks, EntityRiskCalculator(watchword), SteeringCalculator(watchword.records, watchword.governance.facts)]


@dataclass(slots=True)
class TwoClockCalculator:
    """Computes the gap between the end of a leaver's account and of the badge, and the share that ended late."""

    house: "Watchword"
    limit: Callable[[datetime], timedelta] = lambda _: LIMIT
    """How long a right may outlive the last day, as policy had it at a moment."""
    names: Sequence[str] = ("two_clock_gap", "two_clock_gap.late")
    historic: bool = True

    def earliest(self) -> datetime | None:
        """Return when the first person left whom the people file knows."""
        ends = [person.until for person in self.house.registry.directory().people.people.values() if person.until is not None]
        now = self.house.clock.now()
        return min((end for end in ends if end <= now), default=None)

    def compute(self, window: Window, now: datetime) -> Iterator[Measured]:
        """Compute both measures of the people who left inside the window."""
        leavers, read = self._leavers(window)
        pairs = two_clock_gap(leavers, window)
        curve = kaplan_meier(life for _, life in pairs)
        lo, hi = curve.quantile_interval(0.5)
        waiting = curve.n - curve.events
        words = f"{len(leavers)} people left; of {curve.n} with account and badge {curve.events} had both ended"
        words += f", {waiting} still had one as far as we know." if waiting else "."
        if not pairs:
            words = "Nobody with account and badge left in the window."
        yield measured(
            definition("two_clock_gap"),
            window,
            now,
            value=curve.quantile(0.5) if pairs else None,
            lo=lo,
            hi=hi,
            n=curve.n,
            words=words,
            details={"waiting": float(waiting), "leavers": float(len(leavers))},
            uids=read,
        )
        limit = self.limit(window.until)
        found = late_share(leavers, window, limit)
        words = f"Of {found.n} people who left {found.k} still had a right {limit / timedelta(hours=1):.3g} h after their last day."
        yield share("two_clock_gap.late", found, window, now, words=words, uids=read)

    def _leavers(self, window: Window) -> tuple[list[Leaver], list[Input]]:
        people = self.house.registry.directory().people
        gone = {uid: one.until for uid, one in people.people.items() if one.until is not None and window.since <= one.until < window.until}
        links = [link for link in people.links if link.person in gone and link.entity in people.credentials]
        events = self._events({link.entity for link in links}, window) if links else {}
        read: list[Input] = [("person", uid) for uid in gone]
        found = []
        for uid, left in sorted(gone.items()):
            ends: dict[bool, list[datetime | None]] = {True: [], False: []}
            for link in links:
                if link.person == uid:
                    end, seen = _ended(events.get(link.entity, ()), link.until)
                    read += [("event", event.uid) for event in seen]
                    ends[people.credentials[link.entity].kind in BADGES].append(end)
            badge, account = (_last(ends[kind]) for kind in (True, False))
            found.append(Leaver(uid, left, account, badge, bool(ends[False]), bool(ends[True])))
        return found, read

    def _events(self, credentials: Iterable[str], window: Window) -> dict[str, list[Event]]:
        classes = (*ENDS, EventClass.PHYSICAL_ACCESS, EventClass.AUTHENTICATION)
        query = EventQuery(
            since=window.since - BEFORE,
            until=window.until,
            credentials=tuple(sorted(credentials)),
            classes=tuple(int(each) for each in classes),
            order=Order.OLDEST,
            limit=MOST_EVENTS,
        )
        found: dict[str, list[Event]] = {}
        for event in self.house.events.events(query):
            found.setdefault(event.credential, []).append(event)
        return found


def _ended(events: Sequence[Event], until: datetime | None) -> tuple[datetime | None, list[Event]]:
    """Return when a credential ended, and the events that say so: what opened something later had not ended."""
    ending = [event for event in events if event.activity_id in ENDS.get(event.class_uid, frozenset())]
    used = [event for event in events if _opens(event)]
    last_use = used[-1].time if used else None
    for end, seen in sorted(
        [*((event.time, [event]) for event in ending), *([(until, [])] if until is not None else [])], key=lambda pair: pair[0]
    ):
        if last_use is None or last_use <= end:
            return end, [*seen, *used[-1:]]
    return None, used[-1:]


def _opens(event: Event) -> bool:
    if event.class_uid == EventClass.PHYSICAL_ACCESS:
        return event.activity_id in {Access.GRANTED, Access.TAKEN}
    return event.class_uid == EventClass.AUTHENTICATION and event.data.get("status_id") == Status.SUCCESS


def _last(ends: Sequence[datetime | None]) -> datetime | None:
    known = [end for end in ends if end is not None]
    return max(known) if known and len(known) == len(ends) else None


@dataclass(slots=True)
class EntityRiskCalculator:
    """Computes the highest entity risk at a window's end; it names nobody."""

    house: "Watchword"
    names: Sequence[str] = ("entity_risk",)
    historic: bool = True

    def earliest(self) -> datetime | None:
        """Return the time of the first finding."""
        with self.house.records.read() as connection:
            return connection.execute(select(func.min(finding_table.c.time))).scalar()

    def compute(self, window: Window, now: datetime) -> Iterator[Measured]:
        """Compute it from the findings of the fourteen days before the window's end; those closed as false or benign count nothing."""
        kept = self.house.findings.list(FindingFilter(since=window.until - RISK_WINDOW, until=window.until), limit=MOST_FINDINGS)
        standing = [
            one.finding for one in kept if one.work.disposition not in SETTLED or (one.work.at is not None and one.work.at > window.until)
        ]
        risks = entity_risks(standing, self.house.registry.directory(), window.until)
        top = highest_risk({risk.entity: risk.score for risk in risks})
        score = top[1] if top else 0.0
        over = sum(risk.crossed for risk in risks)
        of_top = next((risk for risk in risks if top and risk.entity == top[0]), None)
        words = f"{len(standing)} findings weigh on {len(risks)} persons, assets and places; {over} call for people."
        uids = [("finding", uid) for uid in (of_top.findings if of_top else ())]
        yield measured(
            definition("entity_risk"),
            window,
            now,
            value=score,
            lo=score,
            hi=score,
            n=max(1, len(standing)),
            words=words,
            details={"entities": float(len(risks)), "crossed": float(over)},
            uids=uids,
        )
