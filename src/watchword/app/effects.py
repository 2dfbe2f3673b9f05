"""Effects judged on schedule: what Decisions and corrective actions did to their measures, and which new incidents recur."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from watchword.kit.errors import NotFound
from watchword.learn.after_action import to_verify
from watchword.learn.effect import Point, Verdict, compare, judge
from watchword.learn.recurrence import Pattern
from watchword.model.decision import Direction, Effect, Expectation
from watchword.model.metric import Metric
from watchword.respond.incident_filter_service import IncidentFilter

if TYPE_CHECKING:
    from watchword.app.watchword import Watchword

LOOKED_BACK: Final = timedelta(days=2)
"""Incidents opened within this time are compared with open actions at each look."""
MOST_INCIDENTS: Final = 200
MOST_FINDINGS: Final = 200
COVERED: Final = 0.75
"""Least coverage, as for grade C."""


def points_of(series: Sequence[Metric], least_n: float) -> list[Point]:
    """Return a series as the room `learn` reads it: values alone.

    A flagged value, one of too few observations or of too little coverage counts for nothing. A wide interval alone does not discard a
    point: what points scatter is just what the limits of a chart are made from.

    Args:
        series: The values of closed periods.
        least_n: Observations below which a point counts for nothing.
    """
    return [
        Point(each.window.since, each.window.until, each.value, each.uid, not each.flags and each.n >= least_n and each.coverage >= COVERED)
        for each in series
        if each.value is not None
    ]


def verdict_on(watchword: "Watchword", expects: Expectation, at: datetime) -> Verdict:
    """Return what measuring says of an expectation since a moment: against untouched sites where there are any, else before and after."""
    if expects.direction is Direction.NONE:
        return judge(expects, (), at)
    metrics = watchword.measures.metrics
    try:
        definition = metrics.definition(expects.metric)
        least = definition.min_n / 2
        touched = points_of(metrics.series(expects.metric, expects.subject), least)
        sites = set(watchword.registry.directory().site.places)
        others = [name for name in metrics.subjects(expects.metric) if name and name != expects.subject and name in sites]
        untouched = [points_of(metrics.series(expects.metric, name), least) for name in others] if expects.subject in sites else []
    except NotFound:
        return Verdict(Effect.TOO_EARLY, f"There is no measure {expects.metric}: nothing can be said.")
    return compare(expects, touched, untouched, at, unit=definition.unit)


def judge_effects(watchword: "Watchword", now: datetime) -> None:
    """Judge every Decision, and every action that is done and whose day of looking has come."""
    governance = watchword.governance
    for kept in governance.decisions.all_kept():
        if kept.decision.in_force <= now:
            governance.retrospectives.put_effect(kept.decision.uid, verdict_on(watchword, kept.decision.expects, kept.decision.in_force))
    actions = {each.action.uid: each.action for each in governance.retrospectives.actions()}
    for action in to_verify(actions.values(), now.date()):
        if action.done is not None:
            governance.retrospectives.judge(action.uid, verdict_on(watchword, action.expects, action.done))


def pattern_of(watchword: "Watchword", incident: str) -> Pattern:
    """Return what an incident looks like: what fired, how it was done, where, and to whom or what.

    Raises:
        NotFound: there is no such incident.
    """
    kept = watchword.response.incidents.get(incident).incident
    rules, techniques, places, entities = set[str](), set[str](), set(kept.places), set[str]()
    for uid in kept.findings[:MOST_FINDINGS]:
        finding = watchword.findings.get(uid).finding
        rules.add(finding.rule)
        techniques.update(finding.attack)
        places.update(finding.places)
        entities.update((*finding.persons, *finding.assets, *finding.credentials))
    return Pattern(frozenset(rules), frozenset(techniques), frozenset(places), frozenset(entities))


def match_recurrences(watchword: "Watchword", now: datetime) -> None:
    """Compare the incidents of late with those whose actions are open."""
    retrospectives = watchword.governance.retrospectives
    if not retrospectives.actions(only_open=True):
        return
    wanted = IncidentFilter(since=now - LOOKED_BACK, newest=True)
    for row in watchword.response.incidents.list(wanted, limit=MOST_INCIDENTS):
        retrospectives.recur(row.incident.uid, pattern_of(watchword, row.incident.uid))
