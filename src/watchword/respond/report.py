"""Reports on incidents as plain values: one incident whole, the teams' page of a period, and the page for those who decide.

What prints them knows nothing of incidents. People are named by account where the reader needs it; the executive report names nobody.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from statistics import median

from watchword.model import Finding
from watchword.model.incident import Closure, Moment, TimelineEntry
from watchword.resolve.directory import Directory
from watchword.respond.incident_state import Duration, at
from watchword.respond.incident_view import IncidentView, Owed, Task
from watchword.respond.next_step import review_due
from watchword.respond.roles import WORDS as ROLES
from watchword.respond.severity import WORDS as SEVERITIES
from watchword.respond.severity import KeptRating

MOMENTS = {
    Moment.ONSET: "Onset (earliest evidence)",
    Moment.SIGNAL: "First signal in telemetry",
    Moment.RAISED: "Alert raised",
    Moment.NOTIFIED: "Notified",
    Moment.ACKNOWLEDGED: "Acknowledged by a person",
    Moment.ENGAGED: "First substantive deed",
    Moment.DECLARED: "Declared",
    Moment.CONTAINED: "Contained, verified",
    Moment.ERADICATED: "Eradicated",
    Moment.RESTORED: "Restored, confirmed",
    Moment.CLOSED: "Closed",
    Moment.REVIEWED: "Review held",
    Moment.LEARNED: "Last corrective action verified",
}
ONE_YEAR = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class MomentLine:
    """One moment as a report prints it."""

    moment: str
    """``t7``."""
    words: str
    team: str
    at: datetime | None
    source: str
    by_hand: bool
    uncertainty: timedelta
    revisions: int
    """How often it was revised."""


@dataclass(frozen=True, slots=True)
class DurationLine:
    """One derived duration; its name says between which moments it runs."""

    name: str
    between: str
    """``t2 to t7``."""
    value: timedelta | None
    uncertainty: timedelta
    running: bool


@dataclass(frozen=True, slots=True)
class IncidentReport:
    """One incident, whole: what its PDF prints."""

    banner: str
    """``REAL`` or ``EXERCISE``: stands on every page."""
    number: int
    uid: str
    title: str
    state: str
    severity: str
    declared_severity: str
    closing_severity: str
    closure: str
    lead: str
    teams: tuple[str, ...]
    places: tuple[str, ...]
    opened_at: datetime
    because: str
    summary: str
    next_steps: tuple[Owed, ...]
    moments: tuple[MomentLine, ...]
    durations: tuple[DurationLine, ...]
    roles: tuple[tuple[str, str, datetime, datetime | None], ...]
    """Role in words, person, since, until."""
    warnings: tuple[str, ...]
    ratings: tuple[KeptRating, ...]
    findings: tuple[tuple[datetime, str, str, int, str], ...]
    """Time, rule, title, OCSF severity, sentence."""
    tasks: tuple[Task, ...]
    timeline: tuple[TimelineEntry, ...]
    chain: str
    """The chain's newest head, and whether it verifies."""
    links: tuple[str, ...]
    made_at: datetime


@dataclass(frozen=True, slots=True)
class TacticalReport:
    """The page for both teams: what is open, what is next, what is late."""

    since: datetime
    until: datetime
    open: tuple[tuple[int, str, str, str, str, Owed], ...]
    """Number, title, state, severity in words, lead, what is next; the gravest first."""
    overdue: tuple[tuple[int, Owed], ...]
    late_tasks: tuple[tuple[int, Task], ...]
    warnings: tuple[tuple[int, str], ...]
    opened: int
    closed: int
    reopened: int
    by_rule: tuple[tuple[str, int], ...]
    """Detections behind the incidents of the period, most frequent first."""
    by_place: tuple[tuple[str, int], ...]
    made_at: datetime


@dataclass(frozen=True, slots=True)
class Spread:
    """A duration over several incidents: how many have it, its middle, and how many are still running (they are not left out silently)."""

    name: str
    finished: int
    running: int
    median: timedelta | None
    longest: timedelta | None


@dataclass(frozen=True, slots=True)
class ExecutiveReport:
    """The page for those who decide: few numbers, each with its count, no names."""

    since: datetime
    until: datetime
    opened: Mapping[str, int]
    """Severity in words → incidents opened in the period; exercises apart."""
    open_now: Mapping[str, int]
    closed: Mapping[str, int]
    """What they turned out to be → count."""
    exercises: int
    both_teams: int
    """Of those opened: in how many both teams were needed."""
    both_engaged: int
    """And in how many of these both did something."""
    spreads: tuple[Spread, ...]
    downgraded: int
    """Closed milder than declared, each with two people's names on record."""
    reopened: int
    reviews_due: int
    reviews_held: int
    gravest: tuple[tuple[int, str, str, str, str], ...]
    """Number, title, severity, state, summary of the incidents of severity 1 and 2; the gravest first."""
    made_at: datetime
    notes: tuple[str, ...] = field(default=())


def incident_report(
    view: IncidentView, timeline: Sequence[TimelineEntry], findings: Iterable[Finding], directory: Directory, problems: Sequence[str] = ()
) -> IncidentReport:
    """Return the report of one incident. `timeline` is all of it, in order of entry; `problems` is what `verify` says."""
    incident = view.incident
    head = timeline[-1].head if timeline else ""
    chain = f"{len(timeline)} entries, head {head[:16]}…, " + ("verified" if not problems else f"NOT INTACT: {'; '.join(problems[:3])}")
    ordered = sorted(findings, key=lambda one: (one.time, one.uid))
    return IncidentReport(
        banner="EXERCISE" if incident.exercise else "REAL",
        number=incident.number,
        uid=incident.uid,
        title=incident.title,
        state=incident.state.value,
        severity=_severity(incident.severity),
        declared_severity=_severity(incident.declared_severity),
        closing_severity=_severity(incident.closing_severity),
        closure=incident.closure.value if incident.closure else "",
        lead=incident.lead,
        teams=tuple(team.value for team in incident.teams),
        places=tuple(directory.label(place) for place in incident.places),
        opened_at=incident.opened_at,
        because=incident.because,
        summary=incident.summary,
        next_steps=view.owed,
        moments=_moments(view),
        durations=tuple(_duration(each) for each in view.durations.values()),
        roles=tuple((ROLES[held.role], held.person, held.since, held.until) for held in view.roles),
        warnings=tuple(warning.text for warning in view.warnings),
        ratings=view.ratings,
        findings=tuple((one.time, one.rule, one.title, one.severity, one.because) for one in ordered),
        tasks=view.tasks,
        timeline=tuple(timeline),
        chain=chain,
        links=tuple(f"{link.kind}: {link.number} {link.title}" for link in view.links),
        made_at=view.now,
    )


def tactical_report(
    views: Sequence[IncidentView], directory: Directory, since: datetime, until: datetime, rules: Mapping[str, Sequence[str]] | None = None
) -> TacticalReport:
    """Return the teams' page. `views` are the open incidents and those opened or closed in the period; `rules`: incident uid → rules."""
    live = [view for view in views if not view.incident.merged_into and not view.incident.exercise]
    still = sorted((view for view in live if view.incident.open), key=lambda one: (one.incident.severity, one.incident.opened_at))
    period = [view for view in live if since <= view.incident.opened_at < until]
    places = Counter(directory.label(place) for view in period for place in view.incident.places)
    behind = Counter(rule for view in period for rule in (rules or {}).get(view.incident.uid, ()))
    return TacticalReport(
        since,
        until,
        open=tuple(
            (
                view.incident.number,
                view.incident.title,
                view.incident.state.value,
                _severity(view.incident.severity),
                view.incident.lead,
                view.next_step,
            )
            for view in still
        ),
        overdue=tuple((view.incident.number, one) for view in still for one in view.owed if one.overdue),
        late_tasks=tuple(
            (view.incident.number, task) for view in still for task in view.tasks if task.state == "open" and task.late(view.now)
        ),
        warnings=tuple((view.incident.number, warning.text) for view in still for warning in view.warnings),
        opened=len(period),
        closed=len([view for view in live if _within(at(view.moments, Moment.CLOSED), since, until)]),
        reopened=sum(view.incident.reopened > 0 for view in live),
        by_rule=tuple(sorted(behind.items(), key=lambda item: (-item[1], item[0]))[:10]),
        by_place=tuple(sorted(places.items(), key=lambda item: (-item[1], item[0]))[:10]),
        made_at=max((view.now for view in views), default=until),
    )


def executive_report(views: Sequence[IncidentView], since: datetime, until: datetime, made_at: datetime) -> ExecutiveReport:
    """Return the page for those who decide, from the incidents opened or closed in the period and those still open."""
    real = [view for view in views if not view.incident.merged_into and not view.incident.exercise]
    period = [view for view in real if since <= view.incident.opened_at < until]
    closed = [view for view in real if _within(at(view.moments, Moment.CLOSED), since, until)]
    joint = [view for view in period if {"it", "physical"} <= {team.value for team in view.incident.teams}]
    due = [view for view in closed if review_due(view.incident.closing_severity, view.incident.opened_at) is not None]
    grave = sorted((view for view in period if view.incident.severity <= 2), key=lambda one: (one.incident.severity, one.incident.number))
    notes = [] if until - since <= ONE_YEAR else ["The period is longer than a year."]
    if len(period) < 5:
        notes.append(f"{len(period)} incidents: too few for a median to mean much.")
    return ExecutiveReport(
        since,
        until,
        opened=_by_severity(period),
        open_now=_by_severity([view for view in real if view.incident.open]),
        closed=dict(sorted(Counter((view.incident.closure or Closure.UNDECIDED).value for view in closed).items())),
        exercises=sum(view.incident.exercise for view in views),
        both_teams=len(joint),
        both_engaged=sum(view.durations["hand-off latency"].value is not None for view in joint if "hand-off latency" in view.durations),
        spreads=tuple(
            _spread(name, [view.durations[name] for view in period if name in view.durations]) for name in ("dwell", "contain", "restore")
        ),
        downgraded=sum(view.incident.closing_severity > view.incident.declared_severity > 0 for view in closed),
        reopened=sum(view.incident.reopened > 0 for view in real),
        reviews_due=len(due),
        reviews_held=sum(at(view.moments, Moment.REVIEWED) is not None for view in due),
        gravest=tuple(
            (one.incident.number, one.incident.title, _severity(one.incident.severity), one.incident.state.value, one.incident.summary)
            for one in grave
        ),
        made_at=made_at,
        notes=tuple(notes),
    )


def _severity(severity: int) -> str:
    return f"{severity} {SEVERITIES[severity]}" if severity else "not set"


def _by_severity(views: Iterable[IncidentView]) -> dict[str, int]:
    counted = Counter(view.incident.severity for view in views)
    return {_severity(severity): counted[severity] for severity in sorted(SEVERITIES)}


def _within(when: datetime | None, since: datetime, until: datetime) -> bool:
    return when is not None and since <= when < until


def _moments(view: IncidentView) -> tuple[MomentLine, ...]:
    told = Counter((entry.moment, entry.team) for entry in view.series)
    found = []
    for moment, words in MOMENTS.items():
        teams = sorted(team for kind, team in view.moments if kind is moment) or [""]
        for team in teams:
            entry = view.moments.get((moment, team))
            revisions = max(0, told[moment, team] - 1)
            if entry is None:
                found.append(MomentLine(moment.value, words, team, None, "", False, timedelta(), revisions))
            else:
                found.append(MomentLine(moment.value, words, team, entry.at, entry.source, entry.manual, entry.uncertainty, revisions))
    return tuple(found)


def _duration(each: Duration) -> DurationLine:
    since = each.since.moment.value if each.since else "?"
    until = each.until.moment.value if each.until else "?"
    return DurationLine(each.name, f"{since} to {until}", each.value, each.uncertainty, each.running)


def _spread(name: str, found: Sequence[Duration]) -> Spread:
    values = [each.value for each in found if each.value is not None]
    middle = timedelta(seconds=median(value.total_seconds() for value in values)) if values else None
    return Spread(name, len(values), sum(each.running for each in found), middle, max(values, default=None))
