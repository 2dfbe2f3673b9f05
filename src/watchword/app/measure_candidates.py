"""What measures put before a body: numbers that are not credible, missed joins, spent error budgets, impact out of its limits."""

from collections.abc import Callable
from datetime import datetime
from typing import Final

import structlog

from watchword.app.measures import Measures
from watchword.govern.candidate import Candidate, IsoInput
from watchword.model.metric import Better, Flag, Grade, MeasureClass, Metric

Source = Callable[[datetime], list[Candidate]]
MOST: Final = 20
"""Of one kind at once."""
BUDGET, JOINS, LOSS, NOBODY_ELSE = "error_budget.left", "missed_joins", "loss.expected", "bus_factor"

log = structlog.get_logger()


def gathered(sources: list[Source], now: datetime) -> list[Candidate]:
    """Return what every source hands in; one that fails is logged and holds up no agenda."""
    found: list[Candidate] = []
    for source in sources:
        try:
            found += source(now)
        except Exception:
            log.exception("candidates_missing", source=getattr(source, "__qualname__", repr(source)))
    return found


def of_measures(measures: Measures) -> list[Candidate]:
    """Return everything that measures put forward now."""
    return [*not_credible(measures), *missed(measures), *spent(measures), *out_of_limits(measures), *depended_upon(measures)]


def not_credible(measures: Measures) -> list[Candidate]:
    """Return what detectors flagged: a number that may have been gamed is talked about, not steered by."""
    metrics, found = measures.metrics, []
    for each in metrics.flags()[:MOST]:
        present = metrics.present(each.name).get(each.subject)
        title = f"{metrics.definition(each.name).title} is not credible: {Flag(each.flag).value}"
        domain = _domain(measures, each.name, each.subject)
        uids = (present.uid,) if present else ()
        found.append(Candidate("metric", title, each.because, None, 2.0, 1.0, 10, domain, IsoInput.MEASUREMENTS, _ref(each), uids))
    return found


def missed(measures: Measures) -> list[Candidate]:
    """Return joins that were missed: incidents of both domains that only one side worked on."""
    present = _credible(measures, JOINS).get("")
    if present is None or not present.value:
        return []
    title = f"{round(present.value)} incidents of both sides were worked on by one"
    return [Candidate("join", title, present.because, None, 2.0, 1.0, 15, "joint", IsoInput.MEASUREMENTS, _ref(present), (present.uid,))]


def spent(measures: Measures) -> list[Candidate]:
    """Return error budgets of which nothing is left, the most overdrawn first."""
    over = [each for each in _credible(measures, BUDGET).values() if each.value is not None and each.value <= 0]
    return [
        Candidate(
            "budget",
            f"The error budget of {each.subject or 'the house'} is spent",
            each.because,
            None,
            3.0,
            1.0,
            10,
            _domain(measures, each.name, each.subject),
            IsoInput.MEASUREMENTS,
            _ref(each),
            (each.uid,),
        )
        for each in sorted(over, key=lambda each: each.value or 0.0)[:MOST]
    ]


def out_of_limits(measures: Measures) -> list[Candidate]:
    """Return measures of impact whose newest point signals worse, with their chart's reason."""
    metrics, found = measures.metrics, []
    for definition in metrics.definitions():
        if definition.measure_class is not MeasureClass.IMPACT:
            continue
        points, chart = metrics.signals(definition.name)
        news = [each for each in chart.signals if each.index == len(points) - 1 and each.good is False] if chart else []
        if news and points[-1].grade is not Grade.D:
            way = "rises" if definition.better is Better.DOWN else "falls"
            title, kind = f"{definition.title} {way} out of its limits", "risk" if definition.name == LOSS else "metric"
            domain, refs = _domain(measures, definition.name, ""), _ref(points[-1])
            uids = (points[-1].uid,)
            found.append(Candidate(kind, title, news[0].says, None, 2.5, 1.0, 15, domain, IsoInput.MEASUREMENTS, refs, uids))
    return found[:MOST]


def depended_upon(measures: Measures) -> list[Candidate]:
    """Return skills that one person alone has, or nobody."""
    few = [each for each in _credible(measures, NOBODY_ELSE).values() if each.value is not None and each.value <= 1]
    return [
        Candidate(
            "skill",
            f"Few can do it: {each.subject or 'a skill'}",
            each.because,
            None,
            1.5,
            1.0,
            10,
            "joint",
            IsoInput.IMPROVEMENT,
            _ref(each),
            (each.uid,),
        )
        for each in sorted(few, key=lambda each: (each.value or 0.0, each.subject))[:MOST]
    ]


def _credible(measures: Measures, name: str) -> dict[str, Metric]:
    if name not in {each.name for each in measures.metrics.definitions()}:
        return {}
    return {subject: each for subject, each in measures.metrics.present(name).items() if each.grade is not Grade.D}


def _domain(measures: Measures, name: str, subject: str) -> str:
    if subject in {"it", "physical"}:
        return subject
    own = measures.metrics.definition(name).domain.value
    return own if own in {"it", "physical"} else "joint"


def _ref(each: object) -> tuple[str, ...]:
    return (f"metric:{getattr(each, 'name', '')}|{getattr(each, 'subject', '')}",)
