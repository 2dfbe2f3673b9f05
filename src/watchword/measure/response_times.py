"""Response times and risk-hours (K6): what is still open counts, the mix of severities does not, closures that did not hold are none."""

import itertools
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from watchword.measure.calculator import hours
from watchword.measure.case import HELD, JOINT, Case
from watchword.measure.intervals import LEVEL, compound_poisson, jeffreys, z_of
from watchword.measure.survival import CENSORED, COMPETING, EVENT, Curve, Life, cumulative_incidence, kaplan_meier
from watchword.model.incident import Moment
from watchword.model.metric import Window

SEVERITIES: Final = (1, 2, 3, 4)
WEIGHTS: Final[Mapping[int, float]] = {1: 64.0, 2: 16.0, 3: 4.0, 4: 1.0}
"""What an hour open weighs, by severity: over the expected handling time it never falls with severity, so the easy item never pays."""
MIX: Final[Mapping[int, float]] = {1: 0.02, 2: 0.07, 3: 0.19, 4: 0.72}
"""The fixed reference mix of severities, version 1: a change of it is a new version of the definition."""
BOUNDS: Final[Mapping[str, Mapping[int, float]]] = {
    "detect": {1: 24.0, 2: 72.0, 3: 168.0, 4: 168.0},
    "acknowledge": {1: 1.0, 2: 4.0, 3: 24.0, 4: 72.0},
    "engage": {1: 2.0, 2: 8.0, 3: 24.0, 4: 72.0},
    "contain": {1: 24.0, 2: 72.0, 3: 168.0, 4: 336.0},
    "resolve": {1: 72.0, 2: 168.0, 3: 336.0, 4: 672.0},
}
"""Clock → severity → hours up to which the restricted mean looks (τ)."""
ENDS: Final = {
    "detect": Moment.RAISED,
    "acknowledge": Moment.ACKNOWLEDGED,
    "engage": Moment.ENGAGED,
    "contain": Moment.CONTAINED,
}
FALSE: Final = "false"


# risk-hours


@dataclass(frozen=True, slots=True)
class Share:
    """What one case adds to the risk-hours of a window."""

    case: Case
    weighted: float

    @property
    def domain(self) -> str:
        """Return whose it is."""
        return self.case.domain


@dataclass(frozen=True, slots=True)
class RiskHours:
    """Risk-hours of a window."""

    total: float
    doubt: float
    """Half-width: what the uncertain moments leave open, weighted."""
    shares: tuple[Share, ...]
    """The greatest first; none is 0."""

    @property
    def by_chance(self) -> tuple[float, float]:
        """Return how far chance alone would move the total from one window to the next, as an interval."""
        return compound_poisson([share.weighted for share in self.shares])


def risk_hours(cases: Iterable[Case], window: Window, weights: Mapping[int, float] = WEIGHTS) -> RiskHours:
    """Return Σ weight(severity) · hours open inside the window. It counts the queue: hard work that nobody touches costs every hour."""
    shares, doubt = [], 0.0
    for case in cases:
        weighted = weights[case.severity] * math.fsum(spell.hours_in(window) for spell in case.spells)
        if weighted > 0:
            shares.append(Share(case, weighted))
            doubt += weights[case.severity] * min(hours(case.uncertainty), hours(window.length))
    shares.sort(key=lambda share: (-share.weighted, share.case.uid))
    return RiskHours(math.fsum(share.weighted for share in shares), doubt, tuple(shares))


def backlog(cases: Iterable[Case], at: datetime, weights: Mapping[int, float] = WEIGHTS) -> RiskHours:
    """Return Σ weight(severity) · age of everything open at a moment: what is still owed."""
    shares, doubt = [], 0.0
    for case in cases:
        spell = next((one for one in case.spells if one.since <= at and (one.until is None or at < one.until)), None)
        if spell is not None:
            shares.append(Share(case, weights[case.severity] * hours(at - spell.since)))
            doubt += weights[case.severity] * hours(case.uncertainty)
    shares.sort(key=lambda share: (-share.weighted, share.case.uid))
    return RiskHours(math.fsum(share.weighted for share in shares), doubt, tuple(shares))


@dataclass(frozen=True, slots=True)
class Move:
    """What one incident, severity or team added to, or took from, the risk-hours between two windows."""

    kind: str
    """``incident``, ``severity`` or ``team``."""
    key: str
    """Uid, ``sev1`` to ``sev4``, or ``it``, ``physical``, ``joint``."""
    title: str
    before: float
    after: float

    @property
    def change(self) -> float:
        """Return the difference: above 0 is a worsening."""
        return self.after - self.before


def risk_hours_moved(cases: Sequence[Case], before: Window, after: Window, *, most: int = 10) -> tuple[Move, ...]:
    """Return what moved the risk-hours from one window to another: every severity and team, and the incidents that did most.

    Within each kind the changes of all sum to the change of the whole (of incidents only the `most` greatest are given).
    """
    pair = [risk_hours(cases, window) for window in (before, after)]
    moves = _moves("severity", pair, lambda share: f"sev{share.case.severity}", lambda share: f"Severity {share.case.severity}")
    moves += _moves("team", pair, lambda share: share.domain or JOINT, lambda share: _TEAMS.get(share.domain, "Both teams"))
    incidents = _moves("incident", pair, lambda share: share.case.uid, lambda share: f"{share.case.number} {share.case.title}".strip())
    return (*moves, *incidents[:most])


_TEAMS: Final = {"it": "IT", "physical": "Physical security", JOINT: "Both teams"}


def _moves(kind: str, pair: Sequence[RiskHours], key: Callable[[Share], str], title: Callable[[Share], str]) -> list[Move]:
    sums: dict[str, list[float]] = {}
    titles: dict[str, str] = {}
    for side, found in enumerate(pair):
        for share in found.shares:
            sums.setdefault(key(share), [0.0, 0.0])[side] += share.weighted
            titles[key(share)] = title(share)
    moves = [Move(kind, name, titles[name], *both) for name, both in sums.items()]
    return sorted(moves, key=lambda move: (-abs(move.change), move.key))


# clocks


def lives_of(cases: Iterable[Case], clock: str, window: Window, team: str = "") -> list[tuple[Case, Life]]:
    """Return each case's stretch on a clock as far as the window saw it, in hours.

    What was open when the window began enters late; what has not ended by the window's end is still waiting; a closure as false alarm
    competes. The clock of one team starts when it was notified.

    Args:
        cases: Folded cases.
        clock: ``detect``, ``acknowledge``, ``engage``, ``contain`` or ``resolve``.
        window: The stretch that is looked at.
        team: Of which team's acknowledgement or engagement; empty: the first of any.
    """
    found = []
    for case in cases:
        start, end, event = _clock(case, clock, team)
        if start is None or start >= window.until:
            continue
        if clock == "detect":  # nothing is known of what was never detected: it is counted in the window of its alert
            if end is not None and window.since <= end < window.until:
                found.append((case, Life(max(0.0, hours(end - start)))))
            continue
        if end is not None and end < window.since:
            continue
        if end is None or end >= window.until:
            end, event = window.until, CENSORED
        entry = max(0.0, hours(window.since - start))
        found.append((case, Life(max(0.0, hours(end - start)), event, entry)))
    return found


def _clock(case: Case, clock: str, team: str) -> tuple[datetime | None, datetime | None, int]:
    """Return when a case's clock started, when it ended, and how."""
    if clock == "detect":
        return case.mark(Moment.ONSET), case.mark(Moment.RAISED), EVENT
    start = (case.mark(Moment.NOTIFIED, team) or case.raised) if team and team in case.teams else None if team else case.raised
    closed = case.closed
    if clock == "resolve":
        return start, closed, COMPETING if case.closure == FALSE else EVENT
    end = case.mark(ENDS[clock], team)
    if end is not None and (closed is None or end <= closed):
        return start, end, EVENT
    return start, closed, COMPETING if case.closure == FALSE else CENSORED


@dataclass(frozen=True, slots=True)
class ClockFigures:
    """What a clock says about a group of cases; hours. None: not reached within what was watched."""

    median: float | None
    lo: float | None
    hi: float | None
    p90: float | None
    mean: float
    """RMST up to the bound."""
    mean_error: float
    bound: float
    done: float
    """Probability that it has come by the bound, false alarms competing (Aalen-Johansen)."""
    false: float
    n: int
    events: int
    curve: Curve


def clock_metric(lives: Sequence[Life], bound: float, level: float = LEVEL) -> ClockFigures:
    """Return median, 90th percentile, restricted mean and Aalen-Johansen shares of a clock."""
    curve = kaplan_meier(lives)
    lo, hi = curve.quantile_interval(0.5, level)
    mean, error = curve.mean_until(bound)
    done = cumulative_incidence(lives, bound, EVENT)[0]
    false = cumulative_incidence(lives, bound, COMPETING)[0]
    return ClockFigures(curve.quantile(0.5), lo, hi, curve.quantile(0.9), mean, error, bound, done, false, curve.n, curve.events, curve)


@dataclass(frozen=True, slots=True)
class Standardised:
    """One number for a mix of severities."""

    value: float | None
    """Mean share of the bound that passes; None: no severity has any case."""
    lo: float | None
    hi: float | None
    n: int
    covered: float
    """Share of the reference mix for which there were cases."""
    missing: tuple[int, ...]
    by_severity: Mapping[int, float]


def standardised(groups: Mapping[int, Sequence[Life]], bounds: Mapping[int, float], mix: Mapping[int, float] = MIX) -> Standardised:
    """Return Σ π_s · RMST_s(τ_s) / τ_s over the severities that have cases, with its interval: a change of mix alone does not move it."""
    shares: dict[int, float] = {}
    variance = total = 0.0
    for severity in sorted(mix):
        lives = groups.get(severity, ())
        if lives:
            mean, error = kaplan_meier(lives).mean_until(bounds[severity])
            shares[severity] = mean / bounds[severity]
            variance += (mix[severity] * error / bounds[severity]) ** 2
            total += mix[severity]
    missing = tuple(severity for severity in sorted(mix) if severity not in shares)
    n = sum(len(lives) for lives in groups.values())
    if not shares:
        return Standardised(None, None, None, n, 0.0, missing, {})
    value = math.fsum(mix[severity] * share for severity, share in shares.items()) / total
    half = z_of() * math.sqrt(variance) / total
    return Standardised(value, max(0.0, value - half), min(1.0, value + half), n, total / math.fsum(mix.values()), missing, shares)


# shares


@dataclass(frozen=True, slots=True)
class ShareFigures:
    """A share with its interval; `value` None: nothing to count yet."""

    value: float | None
    lo: float | None
    hi: float | None
    n: int
    k: int


def share_of(k: int, n: int, level: float = LEVEL) -> ShareFigures:
    """Return k of n as a share with Jeffreys' interval; unknown, not 0, where n is 0."""
    if not n:
        return ShareFigures(None, None, None, 0, 0)
    lo, hi = jeffreys(k, n, level)
    return ShareFigures(k / n, lo, hi, n, k)


def closures_in(cases: Iterable[Case], window: Window, now: datetime) -> list[tuple[Case, bool]]:
    """Return (case, came back) of every closure inside the window that is at least 14 days old; a recurrence counts as coming back."""
    found = []
    for case in cases:
        for index, each in enumerate(case.closures):
            if window.since <= each.closed < window.until and now - each.closed >= HELD:
                found.append((case, each.void or (case.recurs and index == len(case.closures) - 1)))
    return found


def reopen_share(cases: Iterable[Case], window: Window, now: datetime) -> ShareFigures:
    """Return the share of closures that did not hold for 14 days."""
    closures = closures_in(cases, window, now)
    return share_of(sum(undone for _, undone in closures), len(closures))


def false_share(cases: Iterable[Case], window: Window) -> ShareFigures:
    """Return the share of the incidents closed inside the window that were false alarms; undecided ones count among the closed."""
    closed = [case for case in cases if case.closed is not None and window.since <= case.closed < window.until]
    return share_of(sum(case.closure == FALSE for case in closed), len(closed))


def true_share(verdicts: Iterable[str]) -> ShareFigures:
    """Return the share of verdicts that say true; undecided ones are no verdict."""
    given = [verdict for verdict in verdicts if verdict in {"true", "benign", FALSE}]
    return share_of(given.count("true"), len(given))


# the weight rule


@dataclass(frozen=True, slots=True)
class WeightCheck:
    """Whether the weights hold against cherry-picking."""

    per_hour: Mapping[int, float]
    """Severity → weight over the expected handling time."""
    holds: bool
    says: str


def weight_rule(weights: Mapping[int, float], handling: Mapping[int, float]) -> WeightCheck:
    """Check that weight over expected handling time never falls with severity; then picking the easy item never pays.

    Args:
        weights: Severity (1 gravest) → weight.
        handling: Severity → expected handling time, any unit; severities without data are left out.
    """
    per = {severity: weights[severity] / handling[severity] for severity in sorted(weights) if handling.get(severity, 0) > 0}
    ordered = sorted(per, reverse=True)
    broken = [(mild, grave) for mild, grave in itertools.pairwise(ordered) if per[grave] < per[mild] * (1 - 1e-9)]
    if broken:
        mild, grave = broken[0]
        says = f"An hour of work on severity {mild} earns more than one on severity {grave}: raise the weight of severity {grave}."
    elif len(per) < len(SEVERITIES):
        lacking = ", ".join(str(severity) for severity in sorted(weights) if severity not in per)
        says = f"The weights hold as far as there are data; none yet for severity {lacking}."
    else:
        says = "An hour of work on a graver incident never earns less: picking the easy one does not pay."
    return WeightCheck(per, not broken, says)


def handling_times(cases: Iterable[Case], window: Window, *, least: int = 1) -> dict[int, float]:
    """Return severity → mean hours from the first substantive deed to closure, up to that severity's bound: a proxy of handling time.

    Severities of which fewer than `least` came to an end inside the window are left out.
    """
    groups: dict[int, list[Life]] = {}
    for case in cases:
        engaged, closed = case.mark(Moment.ENGAGED), case.closed
        if engaged is None or engaged >= window.until or (closed is not None and closed < window.since):
            continue
        ended = closed is not None and closed < window.until
        end = closed if ended and closed is not None else window.until
        if end > engaged:
            groups.setdefault(case.severity, []).append(Life(hours(end - engaged), EVENT if ended else CENSORED))
    bounds = BOUNDS["resolve"]
    curves = {severity: kaplan_meier(lives) for severity, lives in groups.items()}
    return {severity: curve.mean_until(bounds[severity])[0] for severity, curve in curves.items() if curve.events >= least}


def ages(cases: Iterable[Case], at: datetime) -> list[timedelta]:
    """Return how long each case open at a moment has been so, the oldest first."""
    found = [at - spell.since for case in cases for spell in case.spells if spell.since <= at and (spell.until is None or at < spell.until)]
    return sorted(found, reverse=True)
