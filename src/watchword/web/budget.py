"""Budget: which safeguards to buy together and how sure that is, which tools could go, what was bought; one safeguard's page."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends
from starlette.responses import Response

from watchword.app.principal import Permission
from watchword.govern.appetite import Stand, percent
from watchword.govern.budget_service import Budgeted, Plan
from watchword.govern.portfolio import Choice
from watchword.govern.risk_service import NEW
from watchword.govern.scenario import Safeguard, Standing
from watchword.kit.errors import Conflict, InputError
from watchword.web.forms import Fields
from watchword.web.loss_pictures import bar, euros, share_bar, signed
from watchword.web.pages import Ask, Asked, needs
from watchword.web.risk_fields import MOST_ROWS, amount, number, safeguard_of_form
from watchword.web.risks import STAND_WORDS

router = APIRouter()
Stewarding = Annotated[Ask, Depends(needs(Permission.STEWARD))]
WORDS = {
    Standing.IN_PLACE: "in place",
    Standing.APPROVED: "decided, not yet there",
    Standing.CANDIDATE: "candidate",
    Standing.DROPPED: "dropped",
}


@router.get("/budget")
def budget(ask: Asked) -> Response:
    """Show the page."""
    return budget_page(ask)


def budget_page(ask: Ask, status: int = 200, *, where: str = "", fault: str = "", typed: Mapping[str, str] | None = None) -> Response:
    """Answer with the page; a fault stands at its form."""
    position = ask.watchword.ledger.last_position()
    return ask.page("budget/budget.html", status, position=position, where=where, fault=fault, typed=typed or {}, **budget_context(ask))


def budget_context(ask: Ask) -> dict[str, Any]:
    """Return what the page shows, and its live part."""
    book = ask.watchword.governance.risks
    found = book.budgets.latest()
    kept = {each.thing.uid: each for each in book.register.kept_safeguards()}
    return {
        "found": found,
        "scenarios": book.register.scenarios(),
        "plan": book.budgets.plan(),
        "run": book.runs.latest(),
        "waiting": book.runs.waiting(),
        "kept": kept,
        "Stand": Stand,
        "stand_words": STAND_WORDS,
        "titles": {uid: each.thing.title for uid, each in kept.items()},
        "lost": lost_overlap(found),
        "gone": [each for each in (found.contributions if found else ()) if each.redundant],
        "most": max((each.band[1] for each in (found.contributions if found else ())), default=1.0),
        "approved": [each for each in kept.values() if each.decision],
        "bought": _bought(ask),
        "stewards": ask.may(Permission.STEWARD),
        **_words(),
    }


def _bought(ask: Ask) -> Any:
    """Return what was decided on and the newest measured loss avoided per euro of it; None: nothing was decided."""
    metrics = ask.watchword.measures.metrics
    return metrics.latest("reduction_per_euro")


def _words() -> dict[str, Any]:
    return {
        "euros": euros,
        "signed": signed,
        "chance": percent,
        "bar": bar,
        "share_bar": share_bar,
        "Standing": Standing,
        "standing_words": WORDS,
    }


def lost_overlap(found: Budgeted | None) -> float | None:
    """Return the share of the best choice's reduction that a list by solo return would lose; None where nothing was chosen."""
    best: Choice | None = found.best if found else None
    if found is None or best is None or found.solo is None or best.reduction <= 0:
        return None
    return max(0.0, 1 - found.solo.reduction / best.reduction)


@router.post("/budget-plan")
def set_plan(ask: Stewarding, fields: Fields) -> Response:
    """Say what may be spent."""

    def deed() -> None:
        plan = Plan(
            budget=amount(fields, "budget", 0.0),
            people_days=number(fields, "people_days", 0.0),
            horizon=number(fields, "horizon", 3.0),
            day_rate=amount(fields, "day_rate", 600.0),
            floor_it=amount(fields, "floor_it", 0.0),
            floor_physical=amount(fields, "floor_physical", 0.0),
            threshold=amount(fields, "threshold", 0.0),
        )
        ask.watchword.governance.risks.budgets.set_plan(plan, by=ask.who.actor)

    return _do(ask, "", "plan", deed, fields)


def _do(ask: Ask, uid: str, where: str, deed: Callable[[], object], fields: dict[str, str]) -> Response:
    try:
        deed()
    except (InputError, Conflict) as error:
        status = 409 if isinstance(error, Conflict) else 422
        if uid:
            return safeguard_page(ask, uid, status, where=where, fault=str(error), typed=fields)
        return budget_page(ask, status, where=where, fault=str(error), typed=fields)
    return ask.see(f"/budget/{quote(uid)}#{where}" if uid else f"/budget#{where}")


@router.post("/budget")
def add(ask: Stewarding, fields: Fields) -> Response:
    """Add a safeguard."""
    register = ask.watchword.governance.risks.register
    uid = fields.get("uid", "").strip()
    try:
        register.put_safeguard(safeguard_of_form(fields), by=ask.who.actor, version=NEW)
    except (InputError, Conflict) as error:
        return budget_page(ask, 409 if isinstance(error, Conflict) else 422, where="add", fault=str(error), typed=fields)
    return ask.see(f"/budget/{quote(uid)}")


@router.get("/budget/{uid}")
def safeguard(ask: Asked, uid: str) -> Response:
    """Show one safeguard."""
    return safeguard_page(ask, uid)


def safeguard_page(
    ask: Ask, uid: str, status: int = 200, *, where: str = "", fault: str = "", typed: Mapping[str, str] | None = None
) -> Response:
    """Answer with a safeguard's page; a fault stands at its form.

    Raises:
        NotFound: there is no such safeguard.
    """
    book = ask.watchword.governance.risks
    kept = book.register.safeguard(uid)
    found = book.budgets.latest()
    thing = kept.thing
    context = {
        "kept": kept,
        "thing": thing,
        "plan": book.budgets.plan(),
        "scenarios": book.register.scenarios(),
        "titles": {each.uid: each.title for each in book.register.scenarios(retired=True)},
        "names": {each.uid: each.title for each in book.register.safeguards(dropped=True)},
        "needed_by": [each for each in book.register.safeguards() if uid in each.requires],
        "weighed": next((each for each in (found.options if found else ()) if each.uid == uid), None),
        "adds": next((each for each in (found.contributions if found else ()) if each.uid == uid), None),
        "relied": _reliance(ask, thing),
        "rows": _rows(thing),
        "stewards": ask.may(Permission.STEWARD),
        "where": where,
        "fault": fault,
        "typed": typed or {},
        **_words(),
    }
    return ask.page("budget/safeguard.html", status, **context)


def _reliance(ask: Ask, thing: Safeguard) -> Any:
    return ask.watchword.governance.risks.register.relied(thing, ask.now - timedelta(days=30), ask.now)


def _rows(thing: Safeguard) -> list[tuple[int, Any]]:
    """Return the rows of the form that ties a safeguard to scenarios: those that are, and two that are free."""
    return list(enumerate([*thing.protects, None, None][:MOST_ROWS]))


@router.post("/budget/{uid}")
def change(ask: Stewarding, uid: str, fields: Fields) -> Response:
    """Change a safeguard."""
    register = ask.watchword.governance.risks.register
    version = fields.get("version", "")

    def deed() -> None:
        before = register.safeguard(uid).thing
        made = safeguard_of_form(fields, before)
        register.put_safeguard(made, by=ask.who.actor, version=int(version) if version.isascii() and version.isdigit() else None)

    return _do(ask, uid, "change", deed, fields)
