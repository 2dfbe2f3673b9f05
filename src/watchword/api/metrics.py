"""Measures over HTTP: definitions, values with interval and grade, series with limits and signals, the walk back, targets, exports."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Path, Query, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from watchword.api.bounds import Line, ReasonWords, Uid
from watchword.api.identity import House, Measurer, Reader
from watchword.api.paging import SinceText, span
from watchword.api.problems import RESPONSES
from watchword.app.metric_export import as_csv, as_ndjson, present_rows, series_rows
from watchword.kit.clock import to_millisecond
from watchword.measure.calculator import hours
from watchword.measure.grade import grade_now, is_stale
from watchword.measure.metric_service import Metrics
from watchword.measure.response_times import risk_hours_moved
from watchword.measure.target_service import KeptTarget
from watchword.measure.xmr import Chart
from watchword.model.metric import Metric, MetricDefinition, Target, Window

routes = APIRouter(tags=["metrics"])
Name = Annotated[str, Path(pattern=r"^[a-z0-9_.]{1,64}$", description="Name of a measure, as `risk_hours`.")]
Subject = Annotated[
    str, Query(max_length=200, description="Empty: the whole house; else it, physical, joint, sev1 to sev4, or the uid of a thing.")
]


class Value(BaseModel):
    """One value of a measure."""

    uid: str
    name: str
    version: int
    subject: str
    since: datetime
    until: datetime
    value: float | None
    """Null: it cannot be known; never 0 instead."""
    lo: float | None
    hi: float | None
    n: int
    coverage: float
    unit: str
    grade: str
    credible: bool
    stale: bool
    flags: list[str]
    because: str
    computed: datetime | None
    inputs: str
    details: dict[str, float]


class Definition(BaseModel):
    """What a measure is."""

    name: str
    version: int
    title: str
    measure_class: str = Field(serialization_alias="class")
    domain: str
    unit: str
    better: str
    window_hours: float
    ttl_hours: float
    formula: str
    code: str
    """Hash of the code that computes it now; empty: nothing does yet."""
    owner_it: str
    owner_physical: str
    counter: str
    min_n: int
    level: float
    because: str
    weaknesses: list[str]


class TargetShown(BaseModel):
    """What a measure is to reach, and who answers for it."""

    value: float
    owner_it: str
    owner_physical: str
    since: datetime
    until: datetime | None
    decision: str
    by: str


class Measure(BaseModel):
    """A measure with its present value for the whole house."""

    definition: Definition
    value: Value | None
    target: float | None


class Measures(BaseModel):
    """Every measure."""

    items: list[Measure]


class Detail(BaseModel):
    """A measure with the present value of every subject, and its targets."""

    definition: Definition
    values: list[Value]
    targets: list[TargetShown]


class SignalShown(BaseModel):
    """One signal of an XmR chart."""

    uid: str
    sign: str
    good: bool | None
    says: str


class Limits(BaseModel):
    """Limits of an XmR chart."""

    mean: float
    lower: float
    upper: float
    scale: str
    provisional: bool
    autocorrelated: bool
    signals: list[SignalShown]


class Series(BaseModel):
    """The closed periods of a measure, oldest first; limits from six points that have a value on."""

    name: str
    subject: str
    items: list[Value]
    limits: Limits | None


class InputShown(BaseModel):
    """One thing that was read for a value."""

    kind: str
    uid: str


class Inputs(BaseModel):
    """Everything that was read for a value: the walk back."""

    items: list[InputShown]


class MoveShown(BaseModel):
    """What one incident, severity or team added to the risk-hours between two windows."""

    kind: str
    key: str
    title: str
    before: float
    after: float
    change: float


class Moved(BaseModel):
    """What moved the risk-hours from one window to the next."""

    before_since: datetime
    before_until: datetime
    after_since: datetime
    after_until: datetime
    items: list[MoveShown]


class TargetGiven(BaseModel):
    """What a measure is to reach. It needs an owner in each team, and its definition a counter-metric."""

    model_config = ConfigDict(extra="forbid")

    value: float = Field(ge=-1e15, le=1e15, allow_inf_nan=False)
    owner_it: Line
    owner_physical: Line


class ComputeGiven(BaseModel):
    """Which measures to compute now; none: all."""

    model_config = ConfigDict(extra="forbid")

    names: list[Line] = Field([], max_length=100)
    backfill: bool = Field(False, strict=True, description="Missing periods too, as far back as there are data.")


class Computed(BaseModel):
    """What a computation did."""

    values: int
    new: int
    windows: int
    seconds: float
    faults: list[str]


class ExportForm(StrEnum):
    """How an export is written."""

    NDJSON = "ndjson"
    CSV = "csv"


def _definition(metrics: Metrics, definition: MetricDefinition) -> Definition:
    return Definition(
        name=definition.name,
        version=definition.version,
        title=definition.title,
        measure_class=definition.measure_class.value,
        domain=definition.domain.value,
        unit=definition.unit,
        better=definition.better.value,
        window_hours=hours(definition.window),
        ttl_hours=hours(definition.ttl),
        formula=definition.formula,
        code=metrics.code_hash(definition.name),
        owner_it=definition.owner_it,
        owner_physical=definition.owner_physical,
        counter=definition.counter,
        min_n=definition.min_n,
        level=definition.level,
        because=definition.because,
        weaknesses=list(definition.weaknesses),
    )


def _value(definition: MetricDefinition, metric: Metric, now: datetime | None) -> Value:
    """Return a value as shown; with `now` its grade is that of this moment, else that of its time."""
    grade, because = (metric.grade, metric.because) if now is None else grade_now(definition, metric, now)
    return Value(
        uid=metric.uid,
        name=metric.name,
        version=metric.version,
        subject=metric.subject,
        since=metric.window.since,
        until=metric.window.until,
        value=metric.value,
        lo=metric.lo,
        hi=metric.hi,
        n=metric.n,
        coverage=metric.coverage,
        unit=metric.unit,
        grade=grade.value,
        credible=grade.value != "D",
        stale=now is not None and is_stale(definition, metric, now),
        flags=[flag.value for flag in metric.flags],
        because=because,
        computed=metric.computed,
        inputs=metric.inputs,
        details=dict(metric.details),
    )


def _limits(chart: Chart | None, points: Sequence[Metric]) -> Limits | None:
    if chart is None:
        return None
    signals = [SignalShown(uid=points[each.index].uid, sign=each.sign.value, good=each.good, says=each.says) for each in chart.signals]
    flags = {"provisional": chart.provisional, "autocorrelated": chart.autocorrelated}
    return Limits(mean=chart.mean, lower=chart.lower, upper=chart.upper, scale=chart.scale.value, signals=signals, **flags)


def _target(kept: KeptTarget) -> TargetShown:
    shown = {**asdict(kept.target), "until": kept.until, "by": kept.by}
    return TargetShown(**shown)


@routes.get("/metrics", responses=RESPONSES, summary="Every measure with its present value")
def list_metrics(watchword: House, _: Reader) -> Measures:
    """Definitions in the order of the dashboard, each with the present value for the whole house, graded as of now."""
    metrics, now = watchword.measures.metrics, watchword.clock.now()
    found, targets = metrics.all_present(), metrics.all_targets()
    items = []
    for definition in metrics.definitions():
        value = found.get(definition.name, {}).get("")
        shown = None if value is None else _value(definition, value, now)
        target = targets.get(definition.name)
        items.append(Measure(definition=_definition(metrics, definition), value=shown, target=target.value if target else None))
    return Measures(items=items)


@routes.get("/metrics/export", responses=RESPONSES, summary="Export values", response_class=StreamingResponse)
def export_metrics(
    watchword: House,
    _: Reader,
    form: Annotated[ExportForm, Query(alias="format")] = ExportForm.NDJSON,
    series: Annotated[bool, Query(description="All closed periods; else the present values.")] = False,  # noqa: FBT002 - a query parameter
    since: SinceText = None,
    name: Annotated[list[Annotated[str, Field(max_length=64)]], Query(max_length=100)] = [],  # noqa: B006 - FastAPI copies it
) -> StreamingResponse:
    """One row for each value: definition, subject, window, value, interval, n, coverage, grade, owners, inputs; unknown is empty."""
    metrics, (first, _last) = watchword.measures.metrics, span(since, None)
    rows = series_rows(metrics, name, first) if series else present_rows(metrics, watchword.clock.now())
    if name and not series:
        rows = [row for row in rows if row["name"] in {metrics.definition(one).name for one in name}]
    if form is ExportForm.CSV:
        return StreamingResponse(as_csv(rows), media_type="text/csv; charset=utf-8")
    return StreamingResponse(as_ndjson(rows), media_type="application/x-ndjson")


@routes.get("/metrics/risk_hours/moved", responses=RESPONSES, summary="What moved the risk-hours")
def risk_hours_changes(
    watchword: House, _: Reader, days: Annotated[int, Query(ge=1, le=90, description="Length of each of the two windows.")] = 7
) -> Moved:
    """The window that ends now against the one before it: which severities, teams and incidents changed the risk-hours, and by how much."""
    now = to_millisecond(watchword.clock.now())
    after = Window(now - timedelta(days=days), now)
    before = Window(after.since - after.length, after.since)
    moves = risk_hours_moved(watchword.measures.incidents.at(now).cases, before, after)
    items = [MoveShown(kind=m.kind, key=m.key, title=m.title, before=m.before, after=m.after, change=m.change) for m in moves]
    ends: Mapping[str, datetime] = {"before_since": before.since, "before_until": before.until}
    return Moved(**ends, after_since=after.since, after_until=after.until, items=items)


@routes.post("/metrics/compute", responses=RESPONSES, summary="Compute now")
def compute_metrics(given: ComputeGiven, watchword: House, caller: Measurer) -> Computed:
    """Compute the present values now instead of at the next hour, and the missing periods when they are asked for."""
    computing, now = watchword.measures.computing, watchword.clock.now()
    outcome = computing.present(now, given.names)
    faults = list(outcome.faults)
    values, new, windows, seconds = outcome.values, outcome.new, outcome.windows, outcome.seconds
    if given.backfill:
        more = computing.backfill(now, names=given.names)
        faults += [fault for fault in more.faults if fault not in faults]
        values, new, windows, seconds = values + more.values, new + more.new, windows + more.windows, seconds + more.seconds
    watchword.audit.write(caller.actor, "metric.compute", ",".join(given.names)[:400] or "all", detail={"values": values, "new": new})
    return Computed(values=values, new=new, windows=windows, seconds=round(seconds, 3), faults=faults)


@routes.get("/metrics/{name}", responses=RESPONSES, summary="One measure")
def show_metric(name: Name, watchword: House, _: Reader) -> Detail:
    """A measure's definition in words and code, the present value of every subject, and every target it ever had."""
    metrics, now = watchword.measures.metrics, watchword.clock.now()
    definition = metrics.definition(name)
    present = metrics.present(name)
    values = [_value(definition, present[subject], now) for subject in sorted(present)]
    return Detail(definition=_definition(metrics, definition), values=values, targets=[_target(each) for each in metrics.targets(name)])


@routes.get("/metrics/{name}/series", responses=RESPONSES, summary="A series with its limits")
def metric_series(name: Name, watchword: House, _: Reader, subject: Subject = "", since: SinceText = None) -> Series:
    """The closed periods of a measure, oldest first, with XmR limits and signals; the grades are those of their time."""
    metrics, (first, _last) = watchword.measures.metrics, span(since, None)
    definition = metrics.definition(name)
    items = metrics.series(name, subject, first)
    points = [point for point in items if point.value is not None]
    limits = _limits(metrics.chart_of(name, points), points)
    return Series(name=name, subject=subject, items=[_value(definition, point, None) for point in items], limits=limits)


@routes.get("/metric-values/{uid}", responses=RESPONSES, summary="One value by its uid")
def show_value(uid: Uid, watchword: House, _: Reader) -> Value:
    """A value as it was computed: what a decision or a meeting stood on."""
    metric = watchword.measures.metrics.get(uid)
    return _value(watchword.measures.metrics.definition(metric.name), metric, None)


@routes.get("/metric-values/{uid}/inputs", responses=RESPONSES, summary="What a value rests on")
def value_inputs(uid: Uid, watchword: House, _: Reader) -> Inputs:
    """Kind and uid of everything that was read for a value, 10,000 at most: from an incident or finding one walks on to its events."""
    return Inputs(items=[InputShown(kind=kind, uid=each) for kind, each in watchword.measures.metrics.inputs(uid)])


@routes.put("/metrics/{name}/target", responses=RESPONSES, summary="Set a target")
def set_target(name: Name, given: TargetGiven, watchword: House, caller: Measurer) -> TargetShown:
    """Set what a measure is to reach from now on; refused where its definition names no counter-metric."""
    now = to_millisecond(watchword.clock.now())
    target = Target(given.value, given.owner_it, given.owner_physical, now)
    watchword.measures.metrics.set_target(name, target, caller.actor)
    return _target(KeptTarget(name, target, None, caller.actor))


@routes.delete("/metrics/{name}/target", status_code=204, responses=RESPONSES, summary="End a target")
def end_target(name: Name, watchword: House, caller: Measurer, reason: Annotated[ReasonWords, Query()] = "") -> Response:
    """End the target in force."""
    watchword.measures.metrics.end_target(name, caller.actor, reason)
    return Response(status_code=204)
