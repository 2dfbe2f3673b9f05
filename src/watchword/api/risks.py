"""Risks and budget over HTTP: the register with its figures, events, treatments, forecasts, computations, and what to buy together."""

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query

from watchword.api.bounds import Uid
from watchword.api.identity import House, Reader, Responder, Steward
from watchword.api.problems import RESPONSES, also
from watchword.api.risk_models import (
    AppetiteBody,
    Band,
    BudgetRead,
    EventNew,
    EventRead,
    EventWord,
    Figures,
    ForecastRead,
    OptionRead,
    PlanBody,
    Point,
    RisksRead,
    RunRead,
    SafeguardBody,
    SafeguardRead,
    ScenarioBody,
    ScenarioRead,
    ToolRead,
    TreatmentNew,
    TreatmentRead,
    Why,
)
from watchword.app.watchword import Watchword
from watchword.govern.appetite import Appetite, Stand, stand_of
from watchword.govern.budget_service import Budgeted, Plan
from watchword.govern.register_file import as_plain, safeguard_of, scenario_of
from watchword.govern.risk_run_service import BARE, NOW, Result, Run
from watchword.govern.risk_service import KeptSafeguard, KeptScenario
from watchword.govern.risk_treatment_service import Terms
from watchword.govern.treatment import Treatment, Treats
from watchword.measure.loss_simulation import HOUSE, Picture, difference

routes = APIRouter(tags=["risks"])
ScenarioName = Annotated[str, Path(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$", description="As `stolen-laptop`.")]
Version = Annotated[int | None, Query(ge=0, le=2**31, description="The version that the change was made to; 0: there was none.")]


def figures(picture: Picture, *, curve: bool = False) -> Figures:
    """Return a picture as it goes over HTTP."""
    points = [Point(loss=x, probability=p, lo=lo, hi=hi) for x, p, lo, hi in picture.curve] if curve else []
    return Figures(
        mean=_band(picture.mean, picture.mean_band),
        var95=_band(picture.var95, picture.var95_band),
        var99=picture.var99,
        tvar95=_band(picture.tvar95, picture.tvar95_band),
        over_appetite=_band(picture.over, picture.over_band),
        any_event=picture.any_event,
        events=picture.events,
        curve=points,
    )


def _band(value: float, interval: tuple[float, float]) -> Band:
    return Band(value=value, lo=interval[0], hi=interval[1])


def _avoided(bare: Result | None, now: Result | None) -> Band | None:
    return _band(*difference(bare.picture, now.picture)) if bare and now else None


def _scenario(kept: KeptScenario, now: Result | None, bare: Result | None, *, curve: bool = False) -> ScenarioRead:
    thing = kept.thing
    stand = stand_of(Appetite(thing.appetite, thing.appetite_share), now.picture.over, now.picture.over_band) if now else Stand.UNSAID
    return ScenarioRead(
        **as_plain(thing),
        version=kept.version,
        changed_at=kept.changed_at,
        changed_by=kept.changed_by,
        stand=stand.value,
        avoided=_avoided(bare, now),
        figures=figures(now.picture, curve=curve) if now else None,
        assumed=now.assumed if now else (),
    )


def _run(run: Run) -> RunRead:
    return RunRead(**{name: getattr(run, name) for name in RunRead.model_fields})


def _safeguard(kept: KeptSafeguard) -> SafeguardRead:
    more = {name: getattr(kept, name) for name in ("version", "changed_at", "changed_by", "decision")}
    return SafeguardRead(**as_plain(kept.thing), **more)


def _treatment(each: Treatment) -> TreatmentRead:
    values = {name: getattr(each, name) for name in TreatmentRead.model_fields if name not in {"kind", "frozen_mean"}}
    return TreatmentRead(**values, kind=each.kind.value, frozen_mean=each.frozen.mean if each.frozen else None)


def _body(new: ScenarioBody | SafeguardBody, uid: str) -> dict[str, Any]:
    return {**new.model_dump(), "uid": uid}


@routes.get("/risks", responses=RESPONSES, summary="List risks")
def list_risks(watchword: House, _: Reader) -> RisksRead:
    """The register, what the newest computation says of each scenario and of the house."""
    book = watchword.governance.risks
    run, appetite = book.runs.latest(), book.register.appetite()
    now, bare = (book.runs.results(run.uid, world) if run else {} for world in (NOW, BARE))
    house = now.get(HOUSE)
    kept = [each for each in book.register.kept_scenarios() if not each.thing.retired]
    return RisksRead(
        run=_run(run) if run else None,
        waiting=book.runs.waiting() is not None,
        appetite=appetite.euros,
        appetite_share=appetite.share,
        house=figures(house.picture, curve=True) if house else None,
        avoided=_avoided(bare.get(HOUSE), house),
        scenarios=[_scenario(each, now.get(each.thing.uid), bare.get(each.thing.uid)) for each in kept],
    )


@routes.get("/risks/{scenario}", responses=also(404), summary="Read a risk")
def read_risk(watchword: House, _: Reader, scenario: ScenarioName) -> ScenarioRead:
    """One scenario with its loss exceedance curve."""
    return _one(watchword, scenario)


def _one(watchword: Watchword, uid: str) -> ScenarioRead:
    book = watchword.governance.risks
    kept, run = book.register.scenario(uid), book.runs.latest()
    now, bare = (book.runs.result(run.uid, world, uid) if run else None for world in (NOW, BARE))
    return _scenario(kept, now, bare, curve=True)


@routes.put("/risks/{scenario}", responses=also(409), summary="Keep a risk")
def put_risk(watchword: House, caller: Steward, scenario: ScenarioName, new: ScenarioBody, version: Version = None) -> ScenarioRead:
    """Keep a scenario, new or changed; a computation is asked for."""
    watchword.governance.risks.register.put_scenario(scenario_of(_body(new, scenario)), by=caller.actor, version=version)
    return _one(watchword, scenario)


@routes.put("/risk-appetite", responses=RESPONSES, summary="Say what the house bears")
def put_appetite(watchword: House, caller: Steward, new: AppetiteBody) -> AppetiteBody:
    """What the house bears in all, in a year."""
    watchword.governance.risks.register.set_appetite(Appetite(new.euros, new.share), by=caller.actor)
    return new


@routes.post("/risk-runs", responses=RESPONSES, status_code=202, summary="Compute risks")
def post_run(watchword: House, caller: Steward) -> RunRead:
    """Ask for a computation; the measuring process does it."""
    book = watchword.governance.risks
    return _run(book.runs.run(book.runs.ask(by=caller.actor)))


@routes.get("/risk-runs/{uid}", responses=also(404), summary="Read a computation")
def read_run(watchword: House, _: Reader, uid: Uid) -> RunRead:
    """A computation with its seed and the hash of its inputs."""
    return _run(watchword.governance.risks.runs.run(uid))


@routes.get("/risk-events", responses=RESPONSES, summary="List events of risks")
def list_events(
    watchword: House,
    _: Reader,
    scenario: Annotated[str, Query(max_length=63)] = "",
    state: Annotated[str, Query(pattern=r"^(suggested|confirmed|rejected|)$")] = "",
) -> list[EventRead]:
    """Incidents that may be, were or were not events, and events told by hand; newest first, 200 at most."""
    found = watchword.governance.risks.events.listed(scenario, state)
    return [EventRead(**{name: getattr(each, name) for name in EventRead.model_fields}) for each in found]


@routes.post("/risks/{scenario}/events", responses=also(404, 409), status_code=201, summary="Tell of an event")
def post_event(watchword: House, caller: Responder, scenario: ScenarioName, new: EventNew) -> EventRead:
    """Tell of an event that no incident speaks of."""
    each = watchword.governance.risks.events.tell(scenario, new.at, loss=new.loss, because=new.because, by=caller.actor)
    return EventRead(**{name: getattr(each, name) for name in EventRead.model_fields})


@routes.post("/risk-events/{uid}/word", responses=also(404, 409), summary="Judge an event")
def post_word(watchword: House, caller: Responder, uid: Uid, new: EventWord) -> EventRead:
    """Say whether a suggested incident was an event of its scenario, and what it cost."""
    each = watchword.governance.risks.events.judge(uid, is_one=new.is_one, loss=new.loss, because=new.because, by=caller.actor)
    return EventRead(**{name: getattr(each, name) for name in EventRead.model_fields})


@routes.get("/risks/{scenario}/treatments", responses=also(404), summary="List treatments of a risk")
def list_treatments(watchword: House, _: Reader, scenario: ScenarioName) -> list[TreatmentRead]:
    """What is and was done about a risk, newest first."""
    watchword.governance.risks.register.scenario(scenario)
    return [_treatment(each) for each in watchword.governance.risks.treatments.listed(scenario)]


@routes.post("/risks/{scenario}/treatments", responses=also(404, 409), status_code=201, summary="Treat a risk")
def post_treatment(watchword: House, caller: Steward, scenario: ScenarioName, new: TreatmentNew) -> TreatmentRead:
    """Reduce, transfer or avoid a risk."""
    terms = Terms(new.note, new.expires, new.safeguard, new.retention, new.cover)
    return _treatment(watchword.governance.risks.treatments.treat(scenario, Treats(new.kind), terms, by=caller.actor))


@routes.post("/risk-treatments/{uid}/end", responses=also(404, 409), status_code=204, summary="End a treatment")
def post_end(watchword: House, caller: Steward, uid: Uid, new: Why) -> None:
    """End a treatment."""
    watchword.governance.risks.treatments.end(uid, new.why, by=caller.actor)


@routes.get("/risk-forecasts", responses=RESPONSES, summary="List forecasts")
def list_forecasts(watchword: House, _: Reader, scenario: Annotated[str, Query(max_length=63)] = "") -> list[ForecastRead]:
    """Forecasts with what came of them, newest first, 200 at most."""
    found = []
    for each, outcome in watchword.governance.risks.forecasts.listed(scenario):
        values = {name: getattr(each, name) for name in ForecastRead.model_fields if name not in {"came", "came_loss"}}
        came = (outcome.events, outcome.loss) if outcome else (None, None)
        found.append(ForecastRead(**values, came=came[0], came_loss=came[1]))
    return found


@routes.get("/safeguards", responses=RESPONSES, summary="List safeguards")
def list_safeguards(watchword: House, _: Reader) -> list[SafeguardRead]:
    """What is in place against risks, what was decided, what could be bought."""
    return [_safeguard(each) for each in watchword.governance.risks.register.kept_safeguards()]


@routes.put("/safeguards/{safeguard}", responses=also(409), summary="Keep a safeguard")
def put_safeguard(watchword: House, caller: Steward, safeguard: ScenarioName, new: SafeguardBody, version: Version = None) -> SafeguardRead:
    """Keep a safeguard, new or changed; a computation is asked for."""
    register = watchword.governance.risks.register
    register.put_safeguard(safeguard_of(_body(new, safeguard)), by=caller.actor, version=version)
    return _safeguard(register.safeguard(safeguard))


@routes.get("/budget", responses=RESPONSES, summary="Read the budget")
def read_budget(watchword: House, _: Reader) -> BudgetRead:
    """What to buy together, how robust that is, and what each tool in place adds to the others."""
    budgets = watchword.governance.risks.budgets
    found = budgets.latest() or Budgeted(budgets.plan(), None)
    best = found.best
    return BudgetRead(
        plan=PlanBody(**asdict(found.plan)),
        options=[OptionRead(**asdict(each)) for each in found.options],
        reduction=_band(best.reduction, found.band) if best else None,
        cost=best.cost if best else None,
        exact=best.exact if best else None,
        solo_reduction=found.solo.reduction if found.solo else None,
        greedy_reduction=found.greedy.reduction if found.greedy else None,
        draws=found.draws,
        tools=[
            ToolRead(
                uid=each.uid,
                adds=_band(each.mean, each.band),
                below=each.below,
                threshold=each.threshold,
                yearly=each.yearly,
                redundant=each.redundant,
            )
            for each in found.contributions
        ],
        fault=found.fault,
    )


@routes.put("/budget-plan", responses=RESPONSES, summary="Say what may be spent")
def put_plan(watchword: House, caller: Steward, new: PlanBody) -> PlanBody:
    """What may be spent, and over how many years it is weighed; a computation is asked for."""
    watchword.governance.risks.budgets.set_plan(Plan(**new.model_dump()), by=caller.actor)
    return new
