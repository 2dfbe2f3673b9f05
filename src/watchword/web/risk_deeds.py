"""What people change about risks, by plain forms: scenarios, events, treatments, the house's appetite, a computation now."""

from collections.abc import Callable
from dataclasses import replace
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends
from starlette.responses import Response

from watchword.app.principal import Permission
from watchword.govern.appetite import Appetite
from watchword.govern.register_file import shipped_register
from watchword.govern.risk_service import NEW
from watchword.govern.risk_treatment_service import Terms
from watchword.govern.treatment import Treats
from watchword.kit.errors import Conflict, InputError, NotFound
from watchword.web.forms import Fields
from watchword.web.pages import Ask, Responding, needs
from watchword.web.risk_fields import amount, day, moment, scenario_of_form, share
from watchword.web.risks import risk_page, risks_page

router = APIRouter()
Stewarding = Annotated[Ask, Depends(needs(Permission.STEWARD))]


def do(ask: Ask, uid: str, where: str, deed: Callable[[], object], typed: dict[str, str] | None = None) -> Response:
    """Do a deed and show the scenario (or, without one, the list); what stands against it is said at the form."""
    try:
        deed()
    except (InputError, Conflict) as error:
        status = 409 if isinstance(error, Conflict) else 422
        if uid:
            return risk_page(ask, uid, status, where=where, fault=str(error), typed=typed)
        return risks_page(ask, status, where=where, fault=str(error), typed=typed)
    return ask.see(f"/risks/{quote(uid)}#{where}" if uid else f"/risks#{where}")


def _version(fields: dict[str, str]) -> int | None:
    text = fields.get("version", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else None


@router.post("/risk-runs")
def compute(ask: Stewarding) -> Response:
    """Ask for a computation now."""
    return do(ask, "", "curve", lambda: ask.watchword.governance.risks.runs.ask(by=ask.who.actor))


@router.post("/risk-appetite")
def appetite(ask: Stewarding, fields: Fields) -> Response:
    """Say what the house bears in all."""

    def deed() -> None:
        found = Appetite(amount(fields, "euros", 0.0), share(fields, "share", 0.05))
        ask.watchword.governance.risks.register.set_appetite(found, by=ask.who.actor)

    return do(ask, "", "appetite", deed, fields)


@router.post("/risk-starter")
def starter(ask: Stewarding) -> Response:
    """Take the starter register over."""
    return do(ask, "", "scenarios", lambda: ask.watchword.governance.risks.register.load(shipped_register(), by=ask.who.actor))


@router.post("/risks")
def add(ask: Stewarding, fields: Fields) -> Response:
    """Add a scenario."""
    register = ask.watchword.governance.risks.register
    uid = fields.get("uid", "").strip()
    try:
        register.put_scenario(scenario_of_form(fields), by=ask.who.actor, version=NEW)
    except (InputError, Conflict) as error:
        return risks_page(ask, 409 if isinstance(error, Conflict) else 422, where="add", fault=str(error), typed=fields)
    return ask.see(f"/risks/{quote(uid)}")


@router.post("/risks/{uid}")
def change(ask: Stewarding, uid: str, fields: Fields) -> Response:
    """Change a scenario's estimate and words."""
    register = ask.watchword.governance.risks.register

    def deed() -> None:
        before = register.scenario(uid).thing
        register.put_scenario(scenario_of_form(fields, before), by=ask.who.actor, version=_version(fields))

    return do(ask, uid, "estimate", deed, fields)


@router.post("/risks/{uid}/retire")
def retire(ask: Stewarding, uid: str) -> Response:
    """Retire a scenario, or take it up again."""
    register = ask.watchword.governance.risks.register

    def deed() -> None:
        before = register.scenario(uid).thing
        register.put_scenario(replace(before, retired=not before.retired), by=ask.who.actor)

    return do(ask, uid, "estimate", deed)


@router.post("/risks/{uid}/events")
def tell(ask: Responding, uid: str, fields: Fields) -> Response:
    """Tell of an event that no incident speaks of."""

    def deed() -> None:
        at = moment(fields, "at", ask.zone_at())
        loss = amount(fields, "loss") if fields.get("loss", "").strip() else None
        ask.watchword.governance.risks.events.tell(uid, at, loss=loss, because=fields.get("because", ""), by=ask.who.actor)

    return do(ask, uid, "events", deed, fields)


@router.post("/risk-events/{event}")
def judge(ask: Responding, event: str, fields: Fields) -> Response:
    """Say whether a suggested incident was an event, and what it cost."""
    uid = fields.get("scenario", "")
    ask.watchword.governance.risks.register.scenario(uid)

    def deed() -> None:
        loss = amount(fields, "loss") if fields.get("loss", "").strip() else None
        word = fields.get("word", "")
        if word not in {"yes", "no"}:
            raise InputError("say yes or no", "word")
        ask.watchword.governance.risks.events.judge(event, is_one=word == "yes", loss=loss, by=ask.who.actor)

    return do(ask, uid, "events", deed, fields)


@router.post("/risks/{uid}/treatments")
def treat(ask: Stewarding, uid: str, fields: Fields) -> Response:
    """Begin a treatment."""

    def deed() -> None:
        try:
            kind = Treats(fields.get("kind", ""))
        except ValueError as error:
            raise InputError("choose what is done: reduce, transfer or avoid", "kind") from error
        insured = kind is Treats.TRANSFER
        terms = Terms(
            note=fields.get("note", ""),
            expires=day(fields, "expires"),
            safeguard=fields.get("safeguard", "") if kind is Treats.REDUCE else "",
            retention=amount(fields, "retention", 0.0) if insured else 0.0,
            cover=amount(fields, "cover", 0.0) if insured else 0.0,
        )
        ask.watchword.governance.risks.treatments.treat(uid, kind, terms, by=ask.who.actor)

    return do(ask, uid, "treatments", deed, fields)


@router.post("/risk-treatments/{treatment}/end")
def end(ask: Stewarding, treatment: str, fields: Fields) -> Response:
    """End a treatment."""
    uid = fields.get("scenario", "")
    try:
        ask.watchword.governance.risks.register.scenario(uid)
    except NotFound:
        uid = ""
    service = ask.watchword.governance.risks.treatments
    return do(ask, uid, "treatments", lambda: service.end(treatment, fields.get("why", ""), by=ask.who.actor), fields)
