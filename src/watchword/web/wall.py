"""The wall display: what a room of people may see at a glance; its own token, no names, no trails, no input."""

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from watchword.app.principal import Permission, Principal
from watchword.kit.errors import Forbidden
from watchword.web.cookies import SESSION, WALL, Look, keep_secret
from watchword.web.overview import needs_context, side_context
from watchword.web.pages import Ask, LogInNeeded, Web
from watchword.web.place_state import SiteState
from watchword.web.places import sites

router = APIRouter()
SHOWN = 7
YEAR_SECONDS = 365 * 86_400


def wall_ask(request: Request) -> Ask:
    """Return the request as an `Ask` of the wall: by its own token, or of somebody logged in who may see it.

    Raises:
        LogInNeeded: neither.
        Forbidden: the role may not.
    """
    web: Web = request.app.state.web
    accounts = web.watchword.accounts
    principal: Principal | None = None
    if token := request.cookies.get(WALL):
        principal = accounts.by_token(token)
    if principal is None and (session := request.cookies.get(SESSION)):
        principal = accounts.by_session(session, touch=request.url.path != "/live")
    if principal is None:
        raise LogInNeeded("The wall needs its token once: /wall?token=SECRET")
    principal.require(Permission.WALL)
    return Ask(request, principal, Look(theme="dark", density="comfortable"), web)


@router.get("/wall")
def wall(request: Request) -> Response:
    """Show the wall; a token in the address is taken into a cookie and leaves the address."""
    if token := request.query_params.get("token"):
        web: Web = request.app.state.web
        principal = web.watchword.accounts.by_token(token)
        if principal is None or not principal.may(Permission.WALL):
            raise Forbidden("This token does not open the wall; make one with the scope wall on the Account page")
        response = RedirectResponse("/wall", 303)
        keep_secret(response, WALL, token, YEAR_SECONDS)
        return response
    ask = wall_ask(request)
    return ask.page("wall.html", position=ask.watchword.ledger.last_position(), **wall_context(ask))


def wall_context(ask: Ask, news: int = 0) -> dict[str, Any]:
    """Return what the wall shows: rules and places, never people."""
    board = ask.request.app.state.board
    needs = needs_context(ask)
    states: list[tuple[str, SiteState]] = [(site.name, board.state(site.uid, news)) for site in sites(ask)]
    return {"needs": needs["needs"][:SHOWN], "waiting": needs["waiting"], "shown": SHOWN, "states": states, **side_context(ask)}
