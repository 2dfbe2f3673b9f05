"""Computes the response measures (K6) and those of collaboration (K9) from the house's incidents."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from watchword.measure import collaboration, response_times
from watchword.measure.calculator import Input, Measured, measured
from watchword.measure.case import DOMAINS, JOINT, Case
from watchword.measure.definitions import definition
from watchword.measure.incident_facts_service import IncidentBookFacts, IncidentFacts
from watchword.measure.response_times import BOUNDS, SEVERITIES, RiskHours, ShareFigures
from watchword.measure.survival import COMPETING, Life
from watchword.model.metric import Window

PER_TEAM: Final = ("acknowledge", "engage")
"""Clocks of which each team has its own."""
CLOCK_WORDS: Final[Mapping[str, str]] = {
    "detect": "detected",
    "acknowledge": "acknowledged",
    "engage": "begun",
    "contain": "contained",
    "resolve": "closed",
}
QUARTER: Final = timedelta(days=90)
ENOUGH: Final = 20
"""Closures of a severity from which its handling time says something."""
GROUP_WORDS: Final[Mapping[str, str]] = {"it": "IT", "physical": "physical security", JOINT: "both teams"}


def _inputs(cases: Iterable[Case]) -> list[Input]:
    return [("incident", case.uid) for case in cases]


def _weights(cases: Sequence[Case], window: Window) -> str:
    """Return a warning where, by the last 90 days' own times, the weights would reward picking the easy item; else nothing."""
    times = response_times.handling_times(cases, Window(window.until - QUARTER, window.until), least=ENOUGH)
    found = response_times.weight_rule(response_times.WEIGHTS, times)
    return "" if found.holds else f" {found.says}"


def _seen(facts: IncidentFacts, window: Window, now: datetime) -> float:
    """Return the share of a window in which this house already kept incidents."""
    if facts.earliest is None:
        return 0.0
    begin, end = max(window.since, min(facts.earliest, window.until)), min(window.until, now)
    return max(0.0, (end - begin) / window.length)


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 10 else f"{value:.2g}"


def say_hours(value: float) -> str:
    """Return a number of hours in the unit that people use for it."""
    if value < 1 / 60:
        return f"{value * 3600:.0f} s"
    if value < 1.5:
        return f"{value * 60:.0f} min"
    return f"{value:.1f} h" if value < 48 else f"{value / 24:.1f} days"


class ResponseCalculator:
    """Computes risk-hours, the five clocks, the standardised figure, and the shares that keep them honest."""

    names: Sequence[str] = (
        "risk_hours",
        "risk_hours_backlog",
        *(f"response.{clock}" for clock in BOUNDS),
        "response.standardised",
        "response.reopen_share",
        "response.false_share",
        "findings.judged_true",
    )
    historic = True

    def __init__(self, facts: IncidentBookFacts) -> None:
        self._facts = facts

    def earliest(self) -> datetime | None:
        """Return when the first incident was raised."""
        return self._facts.earliest()

    def compute(self, window: Window, now: datetime) -> Iterator[Measured]:
        """Compute every measure of the window; what the incidents' definitions' windows do not ask for is left to the caller."""
        facts = self._facts.at(now)
        if facts.earliest is None or facts.earliest >= window.until:
            return
        seen = _seen(facts, window, now)
        for subject, cases in _groups(facts.cases):
            said = "" if subject else _weights(cases, window)
            yield self._risk("risk_hours", response_times.risk_hours(cases, window), window, now, subject, seen, said)
            yield self._risk("risk_hours_backlog", response_times.backlog(cases, window.until), window, now, subject, seen)
            yield from self._shares(cases, window, now, subject, seen)
            yield self._standardised(cases, window, now, subject, seen)
        for clock in BOUNDS:
            yield from self._clock(clock, facts, window, now, seen)
        yield self._verdicts(window, now, seen)

    def _risk(self, name: str, found: RiskHours, window: Window, now: datetime, subject: str, seen: float, said: str = "") -> Measured:
        count = len(found.shares)
        greatest = found.shares[0] if found.shares else None
        words = f"{count} incident{'' if count == 1 else 's'} stood open."
        if greatest is not None and found.total:
            part = 100 * greatest.weighted / found.total
            words += f" Number {greatest.case.number} (severity {greatest.case.severity}) makes {part:.0f} % of it."
        words += said
        low, high = found.by_chance
        details = {"by_chance_lo": low, "by_chance_hi": high}
        for severity in SEVERITIES:
            details[f"sev{severity}"] = sum(share.weighted for share in found.shares if share.case.severity == severity)
        return measured(
            definition(name),
            window,
            now,
            value=found.total,
            lo=max(0.0, found.total - found.doubt),
            hi=found.total + found.doubt,
            n=count,
            coverage=seen,
            subject=subject,
            words=words,
            details=details,
            uids=_inputs(share.case for share in found.shares),
        )

    def _clock(self, clock: str, facts: IncidentFacts, window: Window, now: datetime, seen: float) -> Iterator[Measured]:
        lives = response_times.lives_of(facts.cases, clock, window)
        yield self._clocked(clock, lives, window, now, "", max(BOUNDS[clock].values()), seen)
        for severity in SEVERITIES:
            mine = [(case, life) for case, life in lives if case.severity == severity]
            yield self._clocked(clock, mine, window, now, f"sev{severity}", BOUNDS[clock][severity], seen)
        for team in (*DOMAINS, JOINT):
            if clock in PER_TEAM and team != JOINT:
                mine = response_times.lives_of(facts.cases, clock, window, team)
            else:
                mine = [(case, life) for case, life in lives if case.domain == team]
            yield self._clocked(clock, mine, window, now, team, max(BOUNDS[clock].values()), seen)

    def _clocked(
        self, clock: str, pairs: Sequence[tuple[Case, Life]], window: Window, now: datetime, subject: str, bound: float, seen: float
    ) -> Measured:
        name = f"response.{clock}"
        uids = _inputs(case for case, _ in pairs)
        if not pairs:
            words = "No incident was under this clock in the window."
            return measured(definition(name), window, now, value=None, coverage=seen, subject=subject, words=words)
        found = response_times.clock_metric([life for _, life in pairs], bound)
        false = sum(life.event == COMPETING for _, life in pairs)
        waiting = found.n - found.events - false
        words = f"Of {found.n} incidents {found.events} were {CLOCK_WORDS[clock]} in the window"
        words += f", {false} ended as false alarms" if false else ""
        words += f", {waiting} count as waiting." if waiting else "."
        if found.median is None:
            words += " Fewer than half have come so far: the median lies beyond what was watched."
        details = {
            "rmst": found.mean,
            "rmst_error": found.mean_error,
            "bound": bound,
            "done_by_bound": found.done,
            "false_by_bound": found.false,
        }
        details["waiting"] = float(waiting)
        if found.p90 is not None:
            details["p90"] = found.p90
            words += f" Nine of ten within {say_hours(found.p90)}."
        return measured(
            definition(name),
            window,
            now,
            value=found.median,
            lo=found.lo,
            hi=found.hi,
            n=found.n,
            coverage=seen,
            subject=subject,
            words=words,
            details=details,
            uids=uids,
        )

    def _standardised(self, cases: Sequence[Case], window: Window, now: datetime, subject: str, seen: float) -> Measured:
        pairs = response_times.lives_of(cases, "resolve", window)
        groups: dict[int, list[Life]] = {}
        for case, life in pairs:
            groups.setdefault(case.severity, []).append(life)
        found = response_times.standardised(groups, BOUNDS["resolve"])
        words = f"{found.n} incidents."
        if found.missing and found.value is not None:
            words += f" No incident of severity {', '.join(map(str, found.missing))}: left out of the mix."
        details = {f"sev{severity}": share for severity, share in found.by_severity.items()}
        return measured(
            definition("response.standardised"),
            window,
            now,
            value=found.value,
            lo=found.lo,
            hi=found.hi,
            n=found.n,
            coverage=min(seen, found.covered) if found.value is not None else 0.0,
            subject=subject,
            words=words,
            details=details,
            uids=_inputs(case for case, _ in pairs),
        )

    def _shares(self, cases: Sequence[Case], window: Window, now: datetime, subject: str, seen: float) -> Iterator[Measured]:
        closures = response_times.closures_in(cases, window, now)
        found = response_times.reopen_share(cases, window, now)
        young = sum(1 for case in cases for each in case.closures if window.since <= each.closed < window.until) - len(closures)
        words = f"{found.k} of {found.n} closures came back within 14 days."
        if young:
            words += f" {young} more are too young to tell."
        cover = seen * (found.n / (found.n + young) if found.n + young else 1.0)
        yield share(
            "response.reopen_share", found, window, now, subject=subject, words=words, coverage=cover, uids=_inputs(c for c, _ in closures)
        )
        closed = [case for case in cases if case.closed is not None and window.since <= case.closed < window.until]
        found = response_times.false_share(cases, window)
        words = f"{found.k} of {found.n} closed incidents were false alarms."
        yield share("response.false_share", found, window, now, subject=subject, words=words, coverage=seen, uids=_inputs(closed))

    def _verdicts(self, window: Window, now: datetime, seen: float) -> Measured:
        given, owed = self._facts.verdicts(window.since, window.until)
        found = response_times.true_share(verdict for _, verdict in given)
        words = f"{found.k} of {found.n} verdicts say true; {owed} findings that called a person have none yet."
        cover = seen * (found.n / (found.n + owed) if found.n + owed else 0.0)
        uids = [("finding", uid) for uid, _ in given]
        return share("findings.judged_true", found, window, now, words=words, coverage=cover, uids=uids)


def share(
    name: str,
    found: ShareFigures,
    window: Window,
    now: datetime,
    *,
    words: str,
    subject: str = "",
    coverage: float = 1.0,
    uids: Iterable[Input] = (),
) -> Measured:
    """Return a share as a graded value; nothing to count gives unknown, never 0."""
    if found.value is None:
        words = "There was nothing to count in the window."
    return measured(
        definition(name),
        window,
        now,
        value=found.value,
        lo=found.lo,
        hi=found.hi,
        n=found.n,
        coverage=coverage,
        subject=subject,
        words=words,
        details={"k": float(found.k)} if found.value is not None else {},
        uids=uids,
    )


def _groups(cases: Sequence[Case]) -> list[tuple[str, list[Case]]]:
    """Return the whole house and each domain, with their cases."""
    return [("", list(cases)), *((name, [case for case in cases if case.domain == name]) for name in (*DOMAINS, JOINT))]


@dataclass(slots=True)
class CollaborationCalculator:
    """Computes joint engagement, hand-offs, bounces, joins that came late, and the audit of the label."""

    facts: IncidentBookFacts
    limits: Callable[[], Mapping[int, timedelta]] = lambda: collaboration.LIMITS
    """Severity → limit of the first deed, as policy has it."""
    names: Sequence[str] = ("joint_engagement", "handoff_latency", "handoff.bounces", "missed_joins", "labels.audit")
    historic: bool = True

    def earliest(self) -> datetime | None:
        """Return when the first incident was raised."""
        return self.facts.earliest()

    def compute(self, window: Window, now: datetime) -> Iterator[Measured]:
        """Compute every measure of the window."""
        facts = self.facts.at(now)
        if facts.earliest is None or facts.earliest >= window.until:
            return
        seen = _seen(facts, window, now)
        engaged = collaboration.engagements(facts.cases, window, self.limits())
        found = response_times.share_of(sum(each.in_time for each in engaged), len(engaged))
        words = f"In {found.k} of {found.n} incidents of both worlds each team had begun in time."
        yield share("joint_engagement", found, window, now, words=words, coverage=seen, uids=_inputs(each.case for each in engaged))
        for team in DOMAINS:
            found = response_times.share_of(sum(team not in each.late for each in engaged), len(engaged))
            words = f"In {found.k} of {found.n} incidents of both worlds {GROUP_WORDS[team]} had begun in time."
            uids = _inputs(each.case for each in engaged)
            yield share("joint_engagement", found, window, now, subject=team, words=words, coverage=seen, uids=uids)
        yield self._latency(facts, window, now, seen)
        yield self._bounces(facts, window, now, seen)
        yield self._joins(facts, window, now, seen)
        mine = [case for case in collaboration.converged(facts.cases) if window.since <= case.raised < window.until]
        found = collaboration.label_audit(facts.cases, facts.kinds, window)
        words = f"{found.k} of {found.n} incidents labelled as of both worlds name entities of both."
        yield share("labels.audit", found, window, now, words=words, coverage=seen, uids=_inputs(mine))

    def _latency(self, facts: IncidentFacts, window: Window, now: datetime, seen: float) -> Measured:
        pairs = collaboration.handoff_latency(facts.cases, window)
        if not pairs:
            words = "No incident of both worlds was begun in the window."
            return measured(definition("handoff_latency"), window, now, value=None, coverage=seen, words=words)
        found = response_times.clock_metric([life for _, life in pairs], 72.0)
        words = f"In {found.events} of {found.n} incidents of both worlds the second team has begun; the others count as waiting."
        return measured(
            definition("handoff_latency"),
            window,
            now,
            value=found.median,
            lo=found.lo,
            hi=found.hi,
            n=found.n,
            coverage=seen,
            words=words,
            details={"rmst": found.mean, "bound": 72.0, **({"p90": found.p90} if found.p90 is not None else {})},
            uids=_inputs(case for case, _ in pairs),
        )

    def _bounces(self, facts: IncidentFacts, window: Window, now: datetime, seen: float) -> Measured:
        found = collaboration.bounces(facts.cases, window)
        mine = [case for case in collaboration.converged(facts.cases) if window.since <= case.raised < window.until]
        total = sum(case.lead_changes for case in mine)
        words = f"The lead went from one team to the other {total} times in {found.n} incidents of both worlds."
        if found.value is None:
            words = "No incident of both worlds was raised in the window."
        return measured(
            definition("handoff.bounces"),
            window,
            now,
            value=found.value,
            lo=found.lo,
            hi=found.hi,
            n=found.n,
            coverage=seen,
            words=words,
            uids=_inputs(mine),
        )

    def _joins(self, facts: IncidentFacts, window: Window, now: datetime, seen: float) -> Measured:
        missed = collaboration.missed_joins(facts.apart, facts.joins, window)
        count = len(missed)
        words = f"{count} incident{'' if count == 1 else 's'} had been worked on by one team alone before it was joined to the other's."
        lo, hi = collaboration.count_interval(count)
        uids = [("incident", uid) for join in missed for uid in (join.one, join.other)]
        details = {"poisson_lo": lo, "poisson_hi": hi}
        return measured(
            definition("missed_joins"),
            window,
            now,
            value=float(count),
            lo=count,
            hi=count,
            n=count,
            coverage=seen,
            words=words,
            details=details,
            uids=uids,
        )
