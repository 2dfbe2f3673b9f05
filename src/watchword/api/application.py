"""The API as an application: `make_api` puts routes, problems, limits and the OpenAPI document together."""

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse
from starlette.exceptions import HTTPException

from watchword import __version__
from watchword.api import health
from watchword.api.documentation import openapi_page
from watchword.api.limits import Limiter
from watchword.api.problems import Problem, of_domain, of_failure, of_http, of_problem, of_validation
from watchword.api.router import make_router
from watchword.app.watchword import Watchword
from watchword.kit.errors import WatchwordError

log = structlog.get_logger()
DOCUMENT = "/api/openapi.json"
PAGE_POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
WORDS = """Events, findings, people, assets, places and sources of one Watchword, under the same names as on its pages and its command line.
Times are RFC 3339 in UTC. Lists are paged by opaque cursors. Changes need `If-Match`. Errors are `application/problem+json`."""


def belongs(path: str) -> bool:
    """Tell whether a path belongs to the API and not to the pages."""
    return path in ("/api", "/metrics") or path.startswith("/api/")


def make_api(watchword: Watchword) -> FastAPI:
    """Return the application that answers every path that `belongs` to it."""
    app = FastAPI(title="Watchword", version=__version__, description=WORDS, docs_url=None, redoc_url=None, openapi_url=None)
    app.state.watchword = watchword
    app.state.limiter = Limiter(watchword.settings.api_rate)
    app.add_exception_handler(Problem, of_problem)
    app.add_exception_handler(WatchwordError, of_domain)
    app.add_exception_handler(RequestValidationError, of_validation)
    app.add_exception_handler(HTTPException, of_http)
    app.add_exception_handler(Exception, _logged)
    app.include_router(make_router(), prefix="/api/v1")
    app.include_router(health.metrics_routes)

    @app.get(DOCUMENT, include_in_schema=False)
    def document() -> JSONResponse:
        return JSONResponse(app.openapi())

    @app.get("/api", include_in_schema=False)
    @app.get("/api/", include_in_schema=False)
    def page() -> HTMLResponse:
        headers = {"Content-Security-Policy": PAGE_POLICY, "X-Content-Type-Options": "nosniff"}
        return HTMLResponse(openapi_page(app.openapi()), headers=headers)

    return app


def _logged(request: Request, error: Exception) -> Response:
    log.error("request failed", method=request.method, path=request.url.path, exc_info=error)
    return of_failure(request, error)
