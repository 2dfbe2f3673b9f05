"""Uptime over HTTP: components and zones with their states, causes, objectives with budgets, planned work, tests by hand, probes."""

from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Response

from watchword.api.bounds import Uid
from watchword.api.identity import House, Measurer, Reader, Responder
from watchword.api.problems import RESPONSES, also
from watchword.api.uptime_models import (
    CauseRead,
    ComponentRead,
    ConditionRead,
    ObjectiveNew,
    ObjectiveRead,
    Objectives,
    ProbeRead,
    Probes,
    SharesRead,
    SpanRead,
    TestNew,
    TestRead,
    ThingRead,
    UptimeRead,
    Work,
    WorkNew,
    WorkRead,
    ZoneRead,
)
from watchword.app.watchword import Watchword
from watchword.kit.errors import NotFound
from watchword.measure.error_budget import Budget
from watchword.measure.objective_service import Service
from watchword.measure.uptime import Shares, Span, outages
from watchword.measure.uptime_interval import highest, lowest
from watchword.measure.uptime_view import House as States
from watchword.measure.uptime_view import PlannedWork, ranked, worst_first

routes = APIRouter(tags=["uptime"])
Days = Annotated[float, Query(gt=0, le=92, description="The window: so many days up to now.")]
Thing = Annotated[str, Path(max_length=200, description="Uid of an asset, a door or a covered place.")]
MINUTE = timedelta(minutes=1)


def _span(span: Span | None) -> SpanRead | None:
    return (
        None
        if span is None
        else SpanRead(since=span.since, until=span.until, state=span.state.value, because=span.because, event=span.event)
    )


def _spans(spans: list[Span]) -> list[SpanRead]:
    return [each for span in spans[-2000:] if (each := _span(span)) is not None]


def _shares(shares: Shares, spans: list[Span], *, bounds: bool) -> SharesRead:
    states: dict[str, Any] = {name: getattr(shares, name) / MINUTE for name in ("up", "degraded", "down", "unknown", "planned")}
    return SharesRead(
        value=shares.value,
        lo=lowest(spans, shares) if bounds else None,
        hi=highest(spans, shares) if bounds else None,
        highest=shares.highest,
        coverage=shares.coverage,
        planned_share=shares.planned_share,
        outages=len(outages(spans)),
        **states,
    )


def _states(watchword: Watchword, days: float) -> States:
    return watchword.measures.uptime.lately(days)


@routes.get("/uptime", responses=RESPONSES, summary="Read the uptime of the house")
def read_uptime(watchword: House, _: Reader, days: Days = 30) -> UptimeRead:
    """Zones, the least covered first; components, those that need somebody first; shared causes, the costliest first."""
    house = _states(watchword, days)
    lost: dict[str, dict[str, float]] = {}
    for (suffers, caused), minutes in house.lost.items():
        lost.setdefault(suffers.value, {})[caused.value] = minutes
    return UptimeRead(
        since=house.window.since,
        until=house.window.until,
        zone_mean=house.zone_mean,
        zone_fifth_percentile=house.zone_fifth,
        worst_zone=house.worst_zone,
        zones=[_zone(house, uid) for uid in worst_first(house)],
        components=[_component(house, uid) for uid in ranked(house, [uid for uid, each in house.components.items() if each.conditions])],
        lost_minutes=lost,
        causes=[
            CauseRead(
                root=each.root,
                inferred=each.inferred,
                domain=house.domain_of(each.root).value,
                since=each.since,
                until=each.until,
                lost_minutes=each.lost / MINUTE,
                components=sorted({one.component for one in each.outages}),
            )
            for each in house.causes[:200]
        ],
    )


def _zone(house: States, uid: str) -> ZoneRead:
    zone = house.zones[uid]
    return ZoneRead(
        uid=uid,
        name=house.directory.label(uid),
        least=zone.cover.least,
        members=list(zone.members),
        weight=zone.cover.weight,
        assumed=zone.assumed,
        now=_span(house.now(uid)),
        shares=_shares(house.zone_shares(uid), house.zone_spans(uid), bounds=True),
    )


def _component(house: States, uid: str) -> ComponentRead:
    each = house.components[uid]
    return ComponentRead(
        uid=uid,
        name=each.name,
        kind=each.kind.value,
        domain=each.domain.value,
        place=each.place,
        now=_span(house.now(uid)),
        shares=_shares(house.shares(uid), house.spans(uid), bounds=False),
    )


@routes.get("/uptime/things/{uid:path}", responses=also(404), summary="Read a component or zone")
def read_thing(watchword: House, _: Reader, uid: Thing, days: Days = 30) -> ThingRead:
    """Its states over the window, each condition's, and its outages."""
    house = _states(watchword, days)
    found = house.components.get(uid)
    if found is None and uid not in house.zones:
        raise NotFound(f"{uid!r} is neither a component nor a covered place")
    spans = house.subject_spans(uid)
    conditions = [] if found is None else [(each, house.condition(found, each, house.window_of(uid))) for each in found.conditions]
    return ThingRead(
        uid=uid,
        name=house.directory.label(uid),
        shares=_shares(house.shares(uid) if found is not None else house.zone_shares(uid), spans, bounds=True),
        spans=_spans(spans),
        outages=_spans(outages(spans)),
        conditions=[ConditionRead(name=each.name, way=each.way.value, words=each.words, spans=_spans(line)) for each, line in conditions],
        depends_on=list(found.upstream if found is not None else house.zones[uid].members),
        takes_down=sorted(house.graph.watched_below(uid)) if found is not None else [],
    )


@routes.get("/uptime/objectives", responses=RESPONSES, summary="List objectives with their budgets")
def list_objectives(watchword: House, _: Reader) -> Objectives:
    """Every objective of something that is watched, the most overdrawn first."""
    measures = watchword.measures
    house = measures.uptime.lately(measures.objectives.longest() / timedelta(days=1))
    return Objectives(items=[_objective(each) for each in measures.objectives.services(house)])


def _objective(service: Service) -> ObjectiveRead:
    kept, budget = service.kept, service.budget
    return ObjectiveRead(
        subject=kept.objective.subject,
        name=service.name,
        share=kept.objective.share,
        days=kept.objective.window / timedelta(days=1),
        by=kept.by,
        burn=service.burn,
        exhausted=budget.exhausted,
        alerts=[each.rule.kind.value for each in service.alerts],
        **_minutes(budget),
    )


def _minutes(budget: Budget) -> dict[str, Any]:
    names = {"allowed": budget.allowed, "spent": budget.spent, "unknown": budget.unknown, "left": budget.left}
    return {f"{name}_minutes": each / MINUTE for name, each in names.items()}


@routes.put("/uptime/objectives/{subject:path}", responses=also(404), summary="Set an objective", status_code=204)
def put_objective(watchword: House, caller: Measurer, subject: Thing, new: ObjectiveNew) -> Response:
    """Promise a share of uptime over a rolling window; it takes the place of one of the site file."""
    watchword.measures.objectives.put(subject, new.share, timedelta(days=new.days), by=caller.actor)
    return Response(status_code=204)


@routes.delete("/uptime/objectives/{subject:path}", responses=also(404), summary="Take an objective back", status_code=204)
def delete_objective(watchword: House, caller: Measurer, subject: Thing) -> Response:
    """Take an objective back that somebody set; one of the site file counts again."""
    watchword.measures.objectives.remove(subject, by=caller.actor)
    return Response(status_code=204)


@routes.get("/uptime/planned", responses=RESPONSES, summary="List planned work")
def list_work(watchword: House, _: Reader) -> Work:
    """Work to come, under way, or over for less than 30 days."""
    return Work(items=[_work(each) for each in watchword.measures.uptime.work()])


def _work(work: PlannedWork) -> WorkRead:
    return WorkRead(uid=work.uid, entity=work.entity, since=work.since, until=work.until, ticket=work.ticket, by=work.by)


@routes.post("/uptime/planned", responses=RESPONSES, summary="Announce planned work", status_code=201)
def plan_work(watchword: House, caller: Measurer, new: WorkNew) -> WorkRead:
    """Announce work; what is announced after it began excuses only what comes later."""
    return _work(watchword.measures.uptime.plan(new.entity, new.since, new.until, new.ticket, by=caller.actor))


@routes.delete("/uptime/planned/{uid}", responses=also(404), summary="End planned work", status_code=204)
def end_work(watchword: House, caller: Measurer, uid: Uid) -> Response:
    """End work before its time, or call it off."""
    watchword.measures.uptime.end_work(uid, by=caller.actor)
    return Response(status_code=204)


@routes.post("/uptime/tests", responses=also(404), summary="Record a test by hand", status_code=201)
def record_test(watchword: House, caller: Responder, new: TestNew) -> TestRead:
    """Keep that somebody tried a function: a lock, a walk through an intrusion zone, the age of footage; or found a fault mended."""
    kept = watchword.measures.uptime.record_test(new.component, new.kind, passed=new.passed, by=caller.actor, at=new.at, note=new.note)
    return TestRead(component=kept.component, kind=kept.kind, at=kept.at, passed=kept.passed, note=kept.note, by=kept.by)


@routes.get("/uptime/probes", responses=RESPONSES, summary="List probes")
def list_probes(watchword: House, _: Reader) -> Probes:
    """The probes of the settings; their results are events of the source watchword-probes."""
    chosen = sorted(watchword.settings.probe_targets, key=lambda each: each.name)
    return Probes(
        items=[
            ProbeRead(
                name=each.name, asset=each.asset, kind=each.kind, host=each.host, port=each.port, every_seconds=each.every.total_seconds()
            )
            for each in chosen
        ]
    )
