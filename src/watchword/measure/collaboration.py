"""Collaboration (K9): both teams at work in time, hand-offs, bounces, joins that came too late, equity of meetings."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from watchword.measure.calculator import hours
from watchword.measure.case import DOMAINS, JOINT, Case
from watchword.measure.intervals import Interval, mean_interval, poisson
from watchword.measure.response_times import ShareFigures, share_of
from watchword.measure.survival import CENSORED, EVENT, Life
from watchword.model.incident import Moment
from watchword.model.metric import Window

LIMITS: Final[Mapping[int, timedelta]] = {
    1: timedelta(minutes=30),
    2: timedelta(minutes=30),
    3: timedelta(hours=4),
    4: timedelta(hours=4),
}
"""Severity → within which each team's first substantive deed comes."""
PHYSICAL_KINDS: Final = frozenset({"place"})
IT_KINDS: Final = frozenset({"address", "asset"})
"""Kinds of entities that speak for a domain: places for the physical one, addresses and assets for IT."""


@dataclass(frozen=True, slots=True)
class Engagement:
    """One incident of both worlds: did each team work on it in time?"""

    case: Case
    in_time: bool
    late: tuple[str, ...]
    """The teams that did not."""


def converged(cases: Iterable[Case]) -> list[Case]:
    """Return the incidents that touch both worlds."""
    return [case for case in cases if case.domain == JOINT]


def engagements(cases: Iterable[Case], window: Window, limits: Mapping[int, timedelta] = LIMITS) -> list[Engagement]:
    """Return the incidents of both worlds raised inside the window whose limit has passed, or that both teams have begun."""
    found = []
    for case in converged(cases):
        if not window.since <= case.raised < window.until:
            continue
        due = case.raised + limits[case.severity]
        begun = {team: case.mark(Moment.ENGAGED, team) for team in DOMAINS}
        late = tuple(team for team, at in begun.items() if at is None or at > due)
        if late and due >= window.until:
            continue  # still within its limit: neither kept nor missed
        found.append(Engagement(case, not late, late))
    return found


def joint_engagement(cases: Iterable[Case], window: Window, limits: Mapping[int, timedelta] = LIMITS) -> ShareFigures:
    """Return the share of incidents of both worlds in which each team's first substantive deed came within its limit."""
    found = engagements(cases, window, limits)
    return share_of(sum(each.in_time for each in found), len(found))


def handoff_latency(cases: Iterable[Case], window: Window) -> list[tuple[Case, Life]]:
    """Return, for each incident of both worlds, the hours from the first team's first deed to the second's; waiting ones are censored."""
    found = []
    for case in converged(cases):
        begun = sorted(at for team in DOMAINS if (at := case.mark(Moment.ENGAGED, team)) is not None)
        if not begun or begun[0] >= window.until:
            continue
        second = begun[1] if len(begun) > 1 else None
        last = case.closed if second is None else second
        if last is not None and last < window.since:
            continue
        came = second is not None and second < window.until
        end = second if came and second is not None else min(case.closed or window.until, window.until)
        life = Life(max(0.0, hours(end - begun[0])), EVENT if came else CENSORED, max(0.0, hours(window.since - begun[0])))
        found.append((case, life))
    return found


@dataclass(frozen=True, slots=True)
class MeanFigures:
    """A mean with its bootstrap interval; `value` None: nothing to count."""

    value: float | None
    lo: float | None
    hi: float | None
    n: int


def bounces(cases: Iterable[Case], window: Window, *, seed: int = 9) -> MeanFigures:
    """Return the changes of lead between teams per incident of both worlds raised inside the window."""
    counts = [float(case.lead_changes) for case in converged(cases) if window.since <= case.raised < window.until]
    if not counts:
        return MeanFigures(None, None, None, 0)
    lo, hi = mean_interval(counts, seed=seed)
    return MeanFigures(math.fsum(counts) / len(counts), lo, hi, len(counts))


@dataclass(frozen=True, slots=True)
class Join:
    """That two incidents were found to belong together."""

    one: str
    """Uid of the one that stands."""
    other: str
    at: datetime
    by_person: bool


def missed_joins(cases: Mapping[str, Case], joins: Iterable[Join], window: Window) -> list[Join]:
    """Return the joins of the window that came too late: one team had worked alone on one, and the other belongs to the other team.

    Args:
        cases: Uid → case, not folded: each with its own teams and deeds.
        joins: Links and merges.
        window: The stretch that is looked at.
    """
    found = []
    for join in joins:
        pair = [cases[uid] for uid in (join.one, join.other) if uid in cases]
        if len(pair) < 2 or not window.since <= join.at < window.until:
            continue
        one, other = pair
        mine, theirs = (case.teams & frozenset(DOMAINS) for case in (one, other))
        alone = len(theirs) == 1 and other.mark(Moment.ENGAGED, next(iter(theirs))) is not None
        if join.by_person and alone and not mine <= theirs:
            found.append(join)
    return found


def count_interval(count: int) -> Interval:
    """Return the exact Poisson interval of a count."""
    return poisson(count)


def label_audit(cases: Iterable[Case], kinds: Mapping[str, frozenset[str]], window: Window) -> ShareFigures:
    """Return the share of incidents of both worlds of the window whose entities, too, come from both.

    Args:
        cases: Folded cases.
        kinds: Uid → kinds of the entities that its findings name.
        window: The stretch in which they were raised.
    """
    mine = [case for case in converged(cases) if window.since <= case.raised < window.until]
    both = [case for case in mine if kinds.get(case.uid, frozenset()) & PHYSICAL_KINDS and kinds[case.uid] & IT_KINDS]
    return share_of(len(both), len(mine))


def equity(amounts: Sequence[float]) -> float | None:
    """Return Jain's index (Σx)²/(n·Σx²): 1 when all have the same, 1/n when one has all; None where nobody has any."""
    total, squares = math.fsum(amounts), math.fsum(amount * amount for amount in amounts)
    return total * total / (len(amounts) * squares) if squares else None


def highest_risk(scores: Mapping[str, float]) -> tuple[str, float] | None:
    """Return the entity with the highest risk score and that score; None: there is none."""
    return max(scores.items(), key=lambda pair: (pair[1], pair[0]), default=None)
