"""The API put together: routes, problems, limits and the OpenAPI document, an application that stands beside the pages."""

from traceback import format_exception

import structlog
from anyio import CapacityLimiter
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from watchword import __version__
from watchword.api import health
from watchword.api.documentation import openapi_page
from watchword.api.problems import Problem, of_domain, of_failure, of_http, of_problem, of_validation
from watchword.api.router import make_router
from watchword.app.occupancy import Occupancy
from watchword.app.watchword import Watchword
from watchword.kit.errors import WatchwordError
from watchword.kit.limits import Limiter

log = structlog.get_logger()
DOCUMENT = "/api/openapi.json"
INGEST_AT_ONCE = 4
"""Deliveries that are unpacked and kept at a time: bounds memory; further ones wait."""
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}
WORDS = """Events, findings, people, assets, places and sources of one Watchword, under the same names as on its pages and its command line.
Times are RFC 3339 in UTC. Lists are paged by opaque cursors. Changes need `If-Match`. Errors are `application/problem+json`."""


def belongs(path: str) -> bool:
    """Tell whether a path belongs to the API and not to the pages."""
    return path in ("/api", "/metrics") or path.startswith("/api/")


class SafeHeaders:
    """Adds to every answer that it is not to be sniffed, framed or kept."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the call on, with the headers added on the way back."""

        async def add(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self.app(scope, receive, add)


def make_api(watchword: Watchword) -> FastAPI:
    """Return the application that answers every path that `belongs` to it."""
    app = FastAPI(title="Watchword", version=__version__, description=WORDS, docs_url=None, redoc_url=None, openapi_url=None)
    app.state.watchword = watchword
    app.state.limiter = Limiter(watchword.settings.api_rate)
    app.state.occupancy = Occupancy(watchword)
    app.state.ingest_gate = CapacityLimiter(INGEST_AT_ONCE)
    app.add_exception_handler(Problem, of_problem)
    app.add_exception_handler(WatchwordError, of_domain)
    app.add_exception_handler(RequestValidationError, of_validation)
    app.add_exception_handler(HTTPException, of_http)
    app.add_exception_handler(Exception, _logged)
    app.add_middleware(SafeHeaders)
    app.include_router(make_router(), prefix="/api/v1")
    app.include_router(health.metrics_routes)

    @app.get(DOCUMENT, include_in_schema=False)
    def document() -> JSONResponse:
        return JSONResponse(app.openapi())

    @app.get("/api", include_in_schema=False)
    @app.get("/api/", include_in_schema=False)
    def page() -> HTMLResponse:
        return HTMLResponse(openapi_page(app.openapi()))

    return app


def _logged(request: Request, error: Exception) -> Response:
    trace = "".join(format_exception(error))
    log.error("request failed", method=request.method, path=request.url.path, trace=trace)
    return of_failure(request, error)
