"""What people change about uptime, by plain forms: objectives, planned work, tests by hand."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends
from starlette.responses import Response

from watchword.app.principal import Permission
from watchword.kit.errors import InputError, NotFound
from watchword.web.forms import Fields
from watchword.web.pages import Ask, Responding, needs
from watchword.web.uptime import component_page

router = APIRouter()
Measuring = Annotated[Ask, Depends(needs(Permission.MEASURE))]


def _do(ask: Ask, uid: str, where: str, deed: Callable[[], object]) -> Response:
    """Do a deed and show the component or zone; what stands against it is said at the form."""
    try:
        deed()
    except InputError as error:
        return component_page(ask, uid, status=422, where=where, fault=str(error))
    from urllib.parse import quote  # noqa: PLC0415 - a name that says more here

    house = ask.watchword.measures.uptime.watched()
    shown = uid in house.components or uid in house.zones
    return ask.see(f"/uptime/{quote(uid)}#{where}" if shown else "/uptime")


def _number(text: str, field: str) -> float:
    try:
        return float(text.strip().replace(",", ".").rstrip("% "))
    except ValueError as error:
        raise InputError(f"{text[:20]!r} is no number", field) from error


def _moment(text: str, zone: ZoneInfo, field: str) -> datetime:
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise InputError(f"{text[:40]!r} is no date and time: write 2026-03-01 08:00", field) from error
    return (found if found.tzinfo else found.replace(tzinfo=zone)).astimezone(UTC)


@router.post("/uptime-objectives")
def set_objective(ask: Measuring, fields: Fields) -> Response:
    """Promise a share of uptime."""
    uid = fields.get("subject", "")

    def deed() -> object:
        share, days = _number(fields.get("share", ""), "share") / 100, _number(fields.get("days", "30"), "days")
        if not 0 < days < 10_000:
            raise InputError("the window is from 1 to 92 days", "days")
        return ask.watchword.measures.objectives.put(uid, share, timedelta(days=days), by=ask.who.actor)

    return _do(ask, uid, "objective", deed)


@router.post("/uptime-objectives/remove")
def remove_objective(ask: Measuring, fields: Fields) -> Response:
    """Take an objective back."""
    uid = fields.get("subject", "")
    return _do(ask, uid, "objective", lambda: ask.watchword.measures.objectives.remove(uid, by=ask.who.actor))


@router.post("/uptime-work")
def plan_work(ask: Measuring, fields: Fields) -> Response:
    """Announce planned work; its times are by the clock of the place."""
    uid = fields.get("entity", "")
    component = ask.watchword.measures.uptime.watched().components.get(uid)
    zone = ask.zone_at(component.place if component is not None else uid)

    def deed() -> object:
        since, until = (_moment(fields.get(key, ""), zone, key) for key in ("since", "until"))
        return ask.watchword.measures.uptime.plan(uid, since, until, fields.get("ticket", ""), by=ask.who.actor)

    return _do(ask, uid, "plan", deed)


@router.post("/uptime-work/{uid}/end")
def end_work(ask: Measuring, uid: str) -> Response:
    """End planned work, or call it off."""
    ask.watchword.measures.uptime.end_work(uid, by=ask.who.actor)
    return ask.see("/uptime#work")


@router.post("/uptime-tests")
def record_test(ask: Responding, fields: Fields) -> Response:
    """Keep that somebody tried a function by hand."""
    uid = fields.get("component", "")
    if uid not in ask.watchword.measures.uptime.watched().components:
        raise NotFound(f"{uid[:200]!r} is not watched.")

    def deed() -> object:
        passed = fields.get("passed", "")
        if passed not in {"yes", "no"}:
            raise InputError("say whether it works", "passed")
        service = ask.watchword.measures.uptime
        return service.record_test(uid, fields.get("kind", ""), passed=passed == "yes", by=ask.who.actor, note=fields.get("note", ""))

    return _do(ask, uid, "tests", deed)
