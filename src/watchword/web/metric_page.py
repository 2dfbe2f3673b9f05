"""The page of one measure and of one value: the definition in words, the series, every subject, and the walk back to what was read."""

from collections.abc import Sequence
from typing import Annotated, Any, Final

from fastapi import APIRouter, Form
from starlette.responses import Response

from watchword.app.dashboard import Row, all_rows, cell_of
from watchword.app.metric_words import CLASS_WORDS, SUBJECTS, subject_words
from watchword.app.xmr_chart import Series, xmr_chart
from watchword.kit.clock import to_millisecond
from watchword.kit.errors import Conflict, InputError
from watchword.model.metric import Target
from watchword.web.metrics import words_of_measures
from watchword.web.pages import Ask, Asked, Measuring

router = APIRouter()
SHOWN: Final = 60
"""Periods listed beside the chart, and inputs of each kind."""
PAGES: Final = {
    "incident": "/incidents/{}",
    "finding": "/findings/{}",
    "run": "/runs/{}",
    "event": "/events/{}",
    "source": "/sources/{}",
    "zone": "/places/{}",
    "place": "/places/{}",
    "decision": "/decisions/{}",
    "policy": "/policies/{}",
    "risk": "/risks/{}",
    "scenario": "/risks/{}",
    "control": "/controls/{}",
}
"""Kind of an input → the page that leads on towards its events."""


@router.get("/metric-values/{uid}")
def value_page(ask: Asked, uid: str) -> Response:
    """Show one value: how it came about, and everything that was read for it."""
    metrics = ask.watchword.measures.metrics
    metric = metrics.get(uid)
    definition = metrics.definition(metric.name)
    kinds: dict[str, list[str]] = {}
    for kind, each in metrics.inputs(uid):
        kinds.setdefault(kind, []).append(each)
    subject = _label(ask, metric.subject)
    cell = cell_of(definition, metric, metric.computed or metric.window.until)
    context: dict[str, Any] = {"metric": metric, "definition": definition, "cell": cell, "subject": subject, "kinds": kinds, "most": SHOWN}
    return ask.page("metrics/value.html", href=_href, **context, **words_of_measures())


@router.get("/metrics/{name}")
def metric_page(ask: Asked, name: str, subject: str = "") -> Response:
    """Show one measure, of the whole house or of one subject."""
    return _page(ask, name, subject)


@router.post("/metrics/{name}/target")
def set_target(
    ask: Measuring,
    name: str,
    value: Annotated[str, Form()] = "",
    owner_it: Annotated[str, Form()] = "",
    owner_physical: Annotated[str, Form()] = "",
) -> Response:
    """Set what a measure is to reach and who answers for it in each team."""
    metrics = ask.watchword.measures.metrics
    definition = metrics.definition(name)
    given = {"value": value, "owner_it": owner_it, "owner_physical": owner_physical}
    try:
        number = read_number(value) / (100 if definition.unit == "share" else 1)
        target = Target(number, owner_it.strip()[:200], owner_physical.strip()[:200], to_millisecond(ask.now))
        metrics.set_target(name, target, ask.who.actor)
    except (InputError, Conflict) as error:
        return _page(ask, name, "", 422, fault=str(error), given=given)
    return ask.see(f"/metrics/{name}#target")


@router.post("/metrics/{name}/target/end")
def end_target(ask: Measuring, name: str, reason: Annotated[str, Form()] = "") -> Response:
    """End the target in force."""
    ask.watchword.measures.metrics.end_target(name, ask.who.actor, reason.strip()[:2000])
    return ask.see(f"/metrics/{name}#target")


def read_number(text: str) -> float:
    """Return a number as people type it.

    Raises:
        InputError: it is none, or too large to mean anything.
    """
    try:
        number = float(text.strip().replace("\N{NARROW NO-BREAK SPACE}", "").replace(" ", "").replace(",", "."))
    except ValueError as error:
        raise InputError("a target is a number, as 95 or 2.5", "value") from error
    if not abs(number) <= 1e15:
        raise InputError("a target is a number, as 95 or 2.5", "value")
    return number


def _page(ask: Ask, name: str, subject: str, status: int = 200, **more: Any) -> Response:
    metrics = ask.watchword.measures.metrics
    row: Row = all_rows(metrics, ask.now, [name])[name]
    definition = row.definition
    present = metrics.present(name)
    points, chart = metrics.signals(name, subject) if subject else (row.points, row.chart)
    signals = {points[each.index].uid: each for each in (chart.signals if chart else ())}
    cells = [(each, _label(ask, each), cell_of(definition, present[each], ask.now)) for each in _ordered(list(present))]
    context: dict[str, Any] = {
        "row": row,
        "definition": definition,
        "subject": subject,
        "subject_label": _label(ask, subject),
        "cell": cell_of(definition, present.get(subject), ask.now),
        "cells": cells[: 4 * SHOWN],
        "points": list(reversed(points[-SHOWN:])),
        "chart_svg": xmr_chart(Series(definition, points, chart, None if subject else row.target), ask.zone_at()),
        "xmr": chart,
        "signals": signals,
        "targets": list(reversed(metrics.targets(name))),
        "code": metrics.code_hash(name),
        "class_words": CLASS_WORDS[definition.measure_class],
        "fault": "",
        "given": _given(row),
    }
    return ask.page("metrics/metric.html", status, **{**context, **words_of_measures(), **more})


def _given(row: Row) -> dict[str, str]:
    definition, target = row.definition, row.target
    shown = "" if target is None else f"{target.value * (100 if definition.unit == 'share' else 1):g}"
    owners = (target.owner_it, target.owner_physical) if target else (definition.owner_it, definition.owner_physical)
    return {"value": shown, "owner_it": owners[0], "owner_physical": owners[1]}


def _ordered(subjects: Sequence[str]) -> list[str]:
    """Return the house, teams and severities first, then the rest by name."""
    known = list(SUBJECTS)
    return sorted(subjects, key=lambda each: (known.index(each) if each in SUBJECTS else len(known), each))


def _label(ask: Ask, subject: str) -> str:
    return subject_words(subject) if subject in SUBJECTS else ask.label(subject)


def _href(kind: str, uid: str) -> str:
    """Return the page of an input; empty: it has none."""
    if kind == "asset":
        return f"/assets/{uid}"
    return PAGES[kind].format(uid) if kind in PAGES else ""
