"""Risks: the house's loss exceedance curve, every scenario with its expected loss, and the page of one with all that stands behind it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from fastapi import APIRouter
from starlette.responses import Response

from watchword.app.principal import Permission
from watchword.govern.appetite import Appetite, Stand, percent, stand_of, words_of
from watchword.govern.risk_agenda_service import WORDS as CAUSES
from watchword.govern.risk_event_service import SUGGESTED
from watchword.govern.risk_run_service import BARE, NOW, PLANNED, Result, Run
from watchword.govern.scenario import Safeguard, Scenario, Standing
from watchword.govern.treatment import Treatment, Treats
from watchword.measure.loss import posterior
from watchword.measure.loss_simulation import HOUSE, Picture, difference
from watchword.web.loss_pictures import Curve, bar, curve_picture, euros, share_bar, signed
from watchword.web.pages import Ask, Asked

router = APIRouter()
BEFORE: Final = timedelta(days=28)
"""What moved is told against the computation of this long ago, or the oldest."""
CURVES: Final = (
    (NOW, "as it is now, 90 % band", "now"),
    (PLANNED, "with what was decided", "planned"),
    (BARE, "without any safeguard", "bare"),
)
STAND_WORDS: Final = {
    Stand.WITHIN: "within",
    Stand.UNSURE: "within, unsure",
    Stand.OVER: "over",
    Stand.SURELY_OVER: "surely over",
    Stand.UNSAID: "not said",
}


@dataclass(frozen=True, slots=True)
class Line:
    """A scenario as one line of the list says it."""

    scenario: Scenario
    picture: Picture | None
    stand: Stand
    avoided: float | None
    moved: float | None
    treatments: tuple[Treatment, ...]
    waiting: int
    assumed: int

    @property
    def mean(self) -> float:
        """Its expected loss; what was not computed comes first, so that it is seen."""
        return self.picture.mean if self.picture else float("inf")


@router.get("/risks")
def risks(ask: Asked) -> Response:
    """Show the page."""
    return risks_page(ask)


def risks_page(ask: Ask, status: int = 200, *, where: str = "", fault: str = "", typed: Mapping[str, str] | None = None) -> Response:
    """Answer with the list; a fault stands at its form."""
    position = ask.watchword.ledger.last_position()
    return ask.page("risks/list.html", status, position=position, where=where, fault=fault, typed=typed or {}, **risks_context(ask))


def risks_context(ask: Ask) -> dict[str, Any]:
    """Return what the list shows, and its live part."""
    book = ask.watchword.governance.risks
    run, appetite = book.runs.latest(), book.register.appetite()
    worlds = {world: book.runs.results(run.uid, world) for world, _, _ in CURVES} if run else {}
    before = _earlier(ask, run)
    old = book.runs.results(before.uid, NOW) if before else {}
    lines = _lines(ask, worlds, old)
    house = worlds.get(NOW, {}).get(HOUSE)
    return {
        "run": run,
        "waiting": book.runs.waiting(),
        "failed": book.runs.failed(),
        "appetite": appetite,
        "whole": house.picture if house else None,
        "house_stand": stand_of(appetite, house.picture.over, house.picture.over_band) if house else Stand.UNSAID,
        "house_words": words_of(appetite, house.picture.over, house.picture.over_band) if house else "",
        "house_moved": house.picture.mean - old[HOUSE].picture.mean if house and HOUSE in old else None,
        "avoided": _avoided(worlds, HOUSE),
        "picture": _curves({name: found[HOUSE] for name, found in worlds.items() if HOUSE in found}, appetite),
        "lines": lines,
        "most": max((line.picture.mean_band[1] for line in lines if line.picture), default=1.0),
        "before": before,
        "examples": sum(line.scenario.example for line in lines),
        "calibration": book.forecasts.calibration(),
        "stewards": ask.may(Permission.STEWARD),
        **_words(),
    }


def _words() -> dict[str, Any]:
    return {
        "euros": euros,
        "signed": signed,
        "chance": percent,
        "bar": bar,
        "share_bar": share_bar,
        "Stand": Stand,
        "stand_words": STAND_WORDS,
        "Treats": Treats,
        "Standing": Standing,
        "causes": CAUSES,
    }


def _earlier(ask: Ask, run: Run | None) -> Run | None:
    """Return the computation that the present one is compared with; None where there is none."""
    book = ask.watchword.governance.risks
    found = book.runs.latest(ask.now - BEFORE) or book.runs.first()
    return found if run and found and found.uid != run.uid else None


def _lines(ask: Ask, worlds: Mapping[str, Mapping[str, Result]], old: Mapping[str, Result]) -> list[Line]:
    book = ask.watchword.governance.risks
    waiting = book.events.waiting()
    treated: dict[str, list[Treatment]] = {}
    for each in book.treatments.listed(in_force=True):
        treated.setdefault(each.scenario, []).append(each)
    found = []
    for scenario in book.register.scenarios():
        uid = scenario.uid
        result = worlds.get(NOW, {}).get(uid)
        picture = result.picture if result else None
        appetite = Appetite(scenario.appetite, scenario.appetite_share)
        stand = stand_of(appetite, picture.over, picture.over_band) if picture else Stand.UNSAID
        avoided = _avoided(worlds, uid)
        change = picture.mean - old[uid].picture.mean if picture and uid in old else None
        mine = tuple(treated.get(uid, ()))
        assumed = len(result.assumed) if result else 0
        found.append(Line(scenario, picture, stand, avoided[0] if avoided else None, change, mine, waiting.get(uid, 0), assumed))
    return sorted(found, key=lambda line: (-line.mean, line.scenario.uid))


def _avoided(worlds: Mapping[str, Mapping[str, Result]], uid: str) -> tuple[float, tuple[float, float]] | None:
    bare, now = worlds.get(BARE, {}).get(uid), worlds.get(NOW, {}).get(uid)
    return difference(bare.picture, now.picture) if bare and now else None


def _curves(found: Mapping[str, Result], appetite: Appetite) -> Any:
    curves = [Curve(words, found[world].picture.curve, kind) for world, words, kind in CURVES if world in found]
    return curve_picture(curves, appetite) if curves else ""


@router.get("/risks/{uid}")
def risk(ask: Asked, uid: str) -> Response:
    """Show one scenario."""
    return risk_page(ask, uid)


def risk_page(
    ask: Ask, uid: str, status: int = 200, *, where: str = "", fault: str = "", typed: Mapping[str, str] | None = None
) -> Response:
    """Answer with a scenario's page; a fault stands at its form.

    Raises:
        NotFound: there is no such scenario.
    """
    position = ask.watchword.ledger.last_position()
    shown = risk_context(ask, uid)
    return ask.page("risks/risk.html", status, position=position, where=where, fault=fault, typed=typed or {}, **shown)


def risk_context(ask: Ask, uid: str) -> dict[str, Any]:
    """Return what stands behind one scenario."""
    book = ask.watchword.governance.risks
    kept = book.register.scenario(uid)
    scenario, run = kept.thing, book.runs.latest()
    found = {world: each for world, _, _ in CURVES if run and (each := book.runs.result(run.uid, world, uid))}
    now, appetite = found.get(NOW), Appetite(scenario.appetite, scenario.appetite_share)
    before = _earlier(ask, run)
    moves = book.runs.moves(run, before, uid) if run and before else {}
    worlds = {world: {uid: each} for world, each in found.items()}
    return {
        "kept": kept,
        "scenario": scenario,
        "run": run,
        "waiting": book.runs.waiting(),
        "failed": book.runs.failed(),
        "result": now,
        "picture": now.picture if now else None,
        "believed": posterior(now.peril) if now and now.peril else None,
        "curve": _curves(found, appetite),
        "stand": stand_of(appetite, now.picture.over, now.picture.over_band) if now else Stand.UNSAID,
        "stand_sentence": words_of(appetite, now.picture.over, now.picture.over_band) if now else "",
        "avoided": _avoided(worlds, uid),
        "before": before,
        "moves": [(CAUSES[cause], value) for cause, value in moves.items() if abs(value) >= 1],
        "rest": _rest(book.runs.result(before.uid, NOW, uid) if before else None, now, moves),
        "guards": _guards(ask, scenario, now),
        "suggested": book.events.listed(uid, SUGGESTED),
        "events": [each for each in book.events.listed(uid) if each.state != SUGGESTED],
        "treatments": book.treatments.listed(uid),
        "forecasts": book.forecasts.listed(uid, limit=12),
        "calibration": book.forecasts.calibration(uid),
        "others": [each for each in book.register.scenarios() if each.uid != uid],
        "children": [each for each in book.register.scenarios() if any(parent.scenario == uid for parent in each.parents)],
        "titles": {each.uid: each.title for each in book.register.scenarios(retired=True)},
        "safeguards": book.register.safeguards(),
        "stewards": ask.may(Permission.STEWARD),
        **_words(),
    }


def _rest(old: Result | None, now: Result | None, moves: Mapping[str, float]) -> float | None:
    """Return what moved it beyond its own causes: the scenarios that bring it about, and insurance."""
    if old is None or now is None:
        return None
    rest = now.picture.mean - old.picture.mean - sum(moves.values())
    return rest if abs(rest) > 0.02 * max(now.picture.mean, 1.0) else None


@dataclass(frozen=True, slots=True)
class Against:
    """A safeguard as a scenario's page shows it."""

    safeguard: Safeguard
    frequency: tuple[float, float]
    loss: tuple[float, float]
    share: float
    evidenced: bool
    because: str


def _guards(ask: Ask, scenario: Scenario, now: Result | None) -> list[Against]:
    """Return what is done against a scenario, what works now first."""
    register = ask.watchword.governance.risks.register
    relied = {guard.uid: guard.reliability for guard in now.peril.guards} if now and now.peril else {}
    assumed = set(now.assumed) if now else set()
    found = []
    for safeguard in register.safeguards():
        for each in safeguard.protects:
            if each.scenario == scenario.uid:
                share, evidenced = (
                    relied.get(safeguard.uid, safeguard.reliability),
                    safeguard.uid in relied and safeguard.uid not in assumed,
                )
                why = "from the evidence of its controls" if evidenced else "assumed: no evidence speaks of it"
                found.append(Against(safeguard, each.frequency, each.loss, share, evidenced, why))
    order = list(Standing)
    return sorted(found, key=lambda each: (order.index(each.safeguard.standing), each.safeguard.title))
