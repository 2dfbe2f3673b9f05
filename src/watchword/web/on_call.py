"""On call: who is reached now and next, the rotas week by week, gaps, swaps, one's own contacts, channels, and planned quiet."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from fastapi import APIRouter
from starlette.responses import Response

from watchword.app.principal import Permission
from watchword.app.response import address_of
from watchword.kit.clock import to_millisecond
from watchword.kit.errors import NotFound
from watchword.model.action import Team
from watchword.respond.contact_service import KINDS
from watchword.respond.on_call_service import KeptRota
from watchword.respond.rota import void_swaps
from watchword.web.incident_page import people_of
from watchword.web.pages import Anyone, Ask, Asked
from watchword.web.rota_week import span_of, week, week_of

router = APIRouter()
AHEAD: Final = timedelta(days=14)
"""How far gaps are looked for."""
COLOURS: Final = 6
"""Grounds by which people are told apart in a week, beside their names."""


@router.get("/on-call")
def on_call(ask: Asked) -> Response:
    """Show the page."""
    return on_call_page(ask)


def on_call_page(
    ask: Ask, status: int = 200, *, where: str = "", fault: str = "", said: str = "", typed: Mapping[str, str] | None = None
) -> Response:
    """Answer with the page; a fault stands at its form."""
    position = ask.watchword.ledger.last_position()
    response = ask.watchword.response
    own = ask.who.actor
    plans = ask.may(Permission.ROTA)
    reached = bool(response.roster.team_of(own))
    monday = week_of(ask.request.query_params.get("week", ""), ask.now, ask.house_zone)
    context: dict[str, Any] = {
        **duty_context(ask),
        "rotas": [_rota(ask, kept, monday) for kept in response.on_call.rotas()],
        "monday": monday,
        "before": monday - timedelta(days=7),
        "after": monday + timedelta(days=7),
        "gaps": response.on_call.gaps(to_millisecond(ask.now + AHEAD)),
        "offers": response.on_call.offers(),
        "contacts": response.contacts.contacts(own) if reached else [],
        "reached": reached,
        "health": {each.name: each for each in response.pager.channels()},
        "desks": [each for each in response.pager.channels() if each.name.startswith("desk:")],
        "windows": response.quiet.windows(),
        "people": people_of(ask),
        "kinds": KINDS,
        "places": sorted((place.uid, place.name) for place in ask.directory.site.places.values())[:400],
        "feeds": {kept.rota.name: feed_of(ask, kept) for kept in response.on_call.rotas()} if ask.may(Permission.RESPOND) else {},
        "plans": plans,
        "own": own,
        "where": where,
        "fault": fault,
        "said": said,
        "typed": typed or {},
    }
    return ask.page("on_call/on_call.html", status, position=position, **context)


def duty_context(ask: Ask) -> dict[str, Any]:
    """Return who is on call now and who is next, by team."""
    service = ask.watchword.response.on_call
    found = []
    for team in Team:
        now, after = service.who(team.value, ask.now), service.next(team.value, ask.now)
        rotas = [kept for kept in service.rotas() if kept.rota.team == team.value]
        if rotas or team is not Team.MANAGEMENT:
            until = {duty.shift.person: duty.shift.until for duty in sorted(now, key=lambda duty: duty.shift.until)}
            found.append({"team": team.value, "now": now, "next": after, "until": until, "rotas": len(rotas)})
    return {"duty": found}


def feed_of(ask: Ask, kept: KeptRota) -> str:
    """Return the address at which a calendar program finds a rota."""
    return f"{address_of(ask.watchword.settings)}/calendar/{ask.watchword.response.on_call.feed_token(kept.rota.name)}.ics"


def _rota(ask: Ask, kept: KeptRota, monday: Any) -> dict[str, Any]:
    zone = ZoneInfo(kept.rota.zone)
    since, until = span_of(monday, zone)
    shifts = ask.watchword.response.on_call.shifts(kept.rota.name, since, until)
    people = list(dict.fromkeys(person for layer in kept.rota.layers for person in layer.people))
    people += [person for person in dict.fromkeys(shift.person for shift in shifts) if person not in people]
    return {
        "kept": kept,
        "rota": kept.rota,
        "days": week(shifts, monday, zone, ask.now),
        "shifts": [shift for shift in shifts if shift.until > ask.now],
        "colours": {person: number % COLOURS for number, person in enumerate(people)},
        "overrides": [each for each in kept.rota.overrides if each.until > ask.now],
        "swaps": [each for each in kept.rota.swaps if each.taker],
        "void": void_swaps(kept.rota),
        "zone": zone,
    }


@router.get("/calendar/{name}")
def calendar(ask: Anyone, name: str) -> Response:
    """Hand a rota out to calendar programs, which cannot log in: whoever has the address may read it until it is renewed."""
    token, dot, kind = name.rpartition(".")
    if not dot or kind != "ics":
        raise NotFound("A calendar's address ends in .ics")
    found = ask.watchword.response.on_call.calendar_of(token)
    headers = {"Cache-Control": "private, max-age=300", "Content-Disposition": 'inline; filename="on-call.ics"'}
    return Response(found, media_type="text/calendar; charset=utf-8", headers=headers)
