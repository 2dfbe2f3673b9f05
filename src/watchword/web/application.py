"""The web application: pages, files and headers put together around a running Watchword, with the machine faces beside them."""

from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Final
from urllib.parse import urlencode

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from watchword.app.watchword import Watchword
from watchword.kit.errors import (
    Conflict,
    Forbidden,
    Full,
    InputError,
    NotFound,
    Unavailable,
    WatchwordError,
)
from watchword.web import (
    account,
    acknowledge,
    after_actions,
    approvals,
    assets,
    audit,
    budget,
    charts,
    committees,
    controls,
    decisions,
    entities,
    evidence,
    findings,
    gaming,
    help_pages,
    incident_actions,
    incident_deeds,
    incidents,
    live,
    login,
    meetings,
    metric_page,
    metrics,
    on_call,
    on_call_deeds,
    overview,
    paper_log,
    papers,
    people,
    phone,
    places,
    playbook_editor,
    playbook_start,
    playbooks,
    policies,
    proposals,
    risk_deeds,
    risks,
    runs,
    shared,
    sources,
    timeline,
    trace,
    uptime,
    uptime_deeds,
    wall,
)
from watchword.web.bundle import Bundle, asset, dist
from watchword.web.compression import Compression
from watchword.web.headers import Headers
from watchword.web.origin import SameOrigin
from watchword.web.pages import LogInNeeded, Web, anyone
from watchword.web.site_board import SiteBoard

STATUSES: Final[tuple[tuple[type[WatchwordError], int, str], ...]] = (
    (NotFound, 404, "There is no such page or thing"),
    (Forbidden, 403, "You may not"),
    (InputError, 422, "A value is not acceptable"),
    (Conflict, 409, "It has changed"),
    (Unavailable, 503, "An engine does not answer"),
    (Full, 503, "No room"),
)
"""How errors of the domain are said on a page."""

Handler = Callable[[Request, Exception], Response]
Machine = tuple[Callable[[str], bool], ASGIApp]
"""A further face: which paths belong to it, and the application that answers them."""
SHARED: Final = frozenset({"/metrics"})
"""Paths at which a program with a token in its headers meets the further face, and a person's browser the page."""
PAGES: Final = (
    login, overview, timeline, findings, places, people, assets, sources, entities, audit, account, wall, help_pages, charts, live,
    incidents, incident_deeds, incident_actions, approvals, phone, acknowledge, on_call, on_call_deeds, playbook_editor, playbook_start,
    playbooks, runs, evidence, papers, paper_log, uptime, uptime_deeds, controls, metrics, shared, gaming,
    metric_page,
    committees, meetings, proposals, decisions, risks, risk_deeds, budget, policies, after_actions, trace,
)  # fmt: skip
log = structlog.get_logger()


class Beside:
    """Hands the paths of machine faces to their own applications, untouched by what pages need."""

    def __init__(self, app: ASGIApp, machines: Sequence[Machine]) -> None:
        self.app = app
        self.machines = machines

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the call to the face that its path belongs to."""
        if scope["type"] in {"http", "websocket"}:
            for belongs, app in self.machines:
                if belongs(scope["path"]) and (
                    scope["path"] not in SHARED or any(name == b"authorization" for name, _ in scope["headers"])
                ):
                    await app(scope, receive, send)
                    return
        await self.app(scope, receive, send)


def create_app(watchword: Watchword, *machines: Machine) -> FastAPI:
    """Return the application of the pages, with machine faces (API, ingest) beside them."""
    feed = live.Feed(watchword)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        del app
        yield
        feed.stop()

    app = FastAPI(title="Watchword", docs_url=None, redoc_url=None, openapi_url=None, lifespan=lifespan)
    app.state.watchword = watchword
    app.state.web = Web(watchword)
    app.state.feed = feed
    app.state.board = SiteBoard(watchword)
    app.state.plans = {}
    app.state.shelf = OrderedDict()
    for module in PAGES:
        app.include_router(module.router, include_in_schema=False)
    _add_files(app)
    for kind, handler in ERRORS.items():
        app.add_exception_handler(kind, handler)
    app.add_middleware(SameOrigin)
    app.add_middleware(Headers)
    app.add_middleware(Beside, machines=machines)
    app.add_middleware(Compression)
    return app


def _add_files(app: FastAPI) -> None:
    if dist().is_dir():
        app.mount("/static", Bundle(directory=dist()), name="static")

    @app.get("/favicon.ico", include_in_schema=False)
    def favicon() -> Response:
        address = asset("favicon.svg")
        return RedirectResponse(address, 301) if address else Response(status_code=204)

    @app.get("/robots.txt", include_in_schema=False)
    def robots() -> Response:
        return PlainTextResponse("User-agent: *\nDisallow: /\n")


def _log_in(request: Request, error: Exception) -> Response:
    del error
    if request.headers.get("HX-Request") or request.url.path.startswith(("/live", "/charts")):
        return PlainTextResponse("Log in first\n", 401)
    after = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return RedirectResponse(f"/log-in?{urlencode({'next': after})}" if request.method == "GET" else "/log-in", 303)


def _domain(request: Request, error: Exception) -> Response:
    status, title = next(((status, title) for kind, status, title in STATUSES if isinstance(error, kind)), (500, "Something failed here"))
    return _error_page(request, status, title, str(error))


def _http(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    titles = {404: "There is no such page", 405: "Not this way"}
    detail = str(error.detail) if isinstance(error, HTTPException) and status not in {404, 405} else ""
    return _error_page(request, status, titles.get(status, "The request cannot be answered"), detail)


def _validation(request: Request, error: Exception) -> Response:
    faults = error.errors() if isinstance(error, RequestValidationError) else []
    detail = "; ".join(f"{each['loc'][-1]}: {each['msg']}" for each in faults[:5])
    return _error_page(request, 422, "A value is not acceptable", detail)


def _failure(request: Request, error: Exception) -> Response:
    log.error("page failed", path=request.url.path, error=repr(error), exc_info=error)
    return _error_page(request, 500, "Something failed here", "It was logged; try again, and tell your administrator if it stays.")


def _error_page(request: Request, status: int, title: str, detail: str) -> Response:
    try:
        return anyone(request).page("error.html", status, title=title, detail=detail[:2000], code=status)
    except Exception:
        log.exception("error page failed")
        return PlainTextResponse(f"{title}\n{detail[:2000]}\n", status)


ERRORS: Final[dict[type[Exception], Handler]] = {
    LogInNeeded: _log_in,
    WatchwordError: _domain,
    HTTPException: _http,
    RequestValidationError: _validation,
    Exception: _failure,
}
