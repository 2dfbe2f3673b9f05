"""Problems: how errors look over HTTP (RFC 9457); each type has its heading in docs/reference/problems.md."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.routing import Match

from watchword.kit.errors import (
    Conflict,
    ContentError,
    Corrupt,
    Forbidden,
    Full,
    InputError,
    NotFound,
    ReasonRequired,
    TooLarge,
    Unavailable,
    WatchwordError,
)

MEDIA_TYPE: Final = "application/problem+json"
METHODS: Final = ("DELETE", "GET", "HEAD", "PATCH", "POST", "PUT")
URN: Final = "urn:watchword:problem:"
RETRY_FULL: Final = 10
"""Seconds after which a refused sender may try again: about what the worker needs to make room."""


@dataclass(frozen=True, slots=True)
class ProblemType:
    """One type of problem: its name, its title and the status it comes with."""

    name: str
    title: str
    status: int


PROBLEMS: Final = {
    each.name: each
    for each in (
        ProblemType("bad-request", "The request cannot be read", 400),
        ProblemType("bad-cursor", "The cursor is not one of ours", 400),
        ProblemType("unauthenticated", "Say who you are", 401),
        ProblemType("bad-signature", "The signature does not fit", 401),
        ProblemType("forbidden", "You may not", 403),
        ProblemType("cross-site", "The request comes from another site", 403),
        ProblemType("reason-required", "Give a reason first", 403),
        ProblemType("not-found", "There is no such thing", 404),
        ProblemType("method-not-allowed", "Not this way", 405),
        ProblemType("conflict", "It has changed, or exists already", 409),
        ProblemType("stale", "It has changed since you read it", 412),
        ProblemType("too-large", "Too large", 413),
        ProblemType("unsupported-media-type", "Not in this form", 415),
        ProblemType("invalid", "A value is not acceptable", 422),
        ProblemType("content-invalid", "A file has faults", 422),
        ProblemType("key-reused", "The idempotency key was used for something else", 422),
        ProblemType("precondition-required", "Say which version you mean", 428),
        ProblemType("too-many-requests", "Too many requests", 429),
        ProblemType("corrupt", "Stored bytes do not match their digest", 500),
        ProblemType("internal", "Something failed here", 500),
        ProblemType("full", "No room: refused, nothing was lost", 503),
        ProblemType("unavailable", "An engine does not answer", 503),
    )
}


class ProblemFault(BaseModel):
    """One fault among several: where in the request or file, and what is wrong."""

    pointer: str = Field(description="JSON pointer into the request, or path:line of a file")
    detail: str
    line: int | None = None


class ProblemBody(BaseModel):
    """The body of every error."""

    type: str = Field(description="urn:watchword:problem:NAME; the names are in docs/reference/problems.md")
    title: str
    status: int
    detail: str
    instance: str
    errors: list[ProblemFault] = []


RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    status: {"model": ProblemBody, "description": words, "content": {MEDIA_TYPE: {}}}
    for status, words in {
        400: "The request cannot be read",
        401: "No valid token or session",
        403: "Not allowed, or a reason is missing",
        422: "A value is not acceptable",
        429: "Too many requests",
        503: "An engine does not answer",
    }.items()
}
"""What every operation may answer beside its success."""


class Problem(Exception):
    """Raised in the API to answer with a problem of a type of its own."""

    def __init__(self, name: str, detail: str, headers: Mapping[str, str] | None = None) -> None:
        """Keep the type, the words for this case and further headers."""
        self.type = PROBLEMS[name]
        self.detail = detail
        self.headers = dict(headers or {})
        super().__init__(detail)


def also(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return `RESPONSES` with further statuses, for one operation."""
    words = {each.status: each.title for each in PROBLEMS.values()}
    more: dict[int | str, dict[str, Any]] = {
        status: {"model": ProblemBody, "description": words[status], "content": {MEDIA_TYPE: {}}} for status in statuses
    }
    return {**RESPONSES, **more}


def problem_response(
    request: Request,
    kind: ProblemType,
    detail: str,
    *,
    errors: list[dict[str, Any]] | None = None,
    headers: Mapping[str, str] | None = None,
    status: int | None = None,
) -> Response:
    """Return the response for one problem."""
    body = {
        "type": URN + kind.name,
        "title": kind.title,
        "status": status or kind.status,
        "detail": detail,
        "instance": request.url.path,
        "errors": errors or [],
    }
    return JSONResponse(body, status or kind.status, media_type=MEDIA_TYPE, headers={"Cache-Control": "no-store", **(headers or {})})


def of_problem(request: Request, error: Exception) -> Response:
    """Answer a `Problem`."""
    if not isinstance(error, Problem):
        raise error
    return problem_response(request, error.type, error.detail, headers=error.headers)


def of_domain(request: Request, error: Exception) -> Response:
    """Answer an error of the domain."""
    name, headers = _domain_type(error)
    faults: list[dict[str, Any]] = []
    if isinstance(error, ContentError):
        faults = [
            {"pointer": f"{fault.path}:{fault.line}", "detail": f"{fault.message} {fault.remedy}".strip(), "line": fault.line}
            for fault in error.faults[:200]
        ]
    if isinstance(error, InputError) and error.field:
        faults = [{"pointer": f"/{error.field}", "detail": str(error), "line": None}]
    if name == "internal":
        raise error
    return problem_response(request, PROBLEMS[name], str(error)[:4000], errors=faults, headers=headers)


_OF_DOMAIN: Final[tuple[tuple[type[WatchwordError], str], ...]] = (
    (ContentError, "content-invalid"),
    (TooLarge, "too-large"),
    (InputError, "invalid"),
    (NotFound, "not-found"),
    (Conflict, "conflict"),
    (ReasonRequired, "reason-required"),
    (Forbidden, "forbidden"),
    (Full, "full"),
    (Unavailable, "unavailable"),
    (Corrupt, "corrupt"),
)


def _domain_type(error: Exception) -> tuple[str, dict[str, str]]:
    if isinstance(error, InputError) and error.field == "after":
        return "bad-cursor", {}
    name = next((name for kind, name in _OF_DOMAIN if isinstance(error, kind)), "internal")
    return name, {"Retry-After": str(RETRY_FULL)} if name in {"full", "unavailable"} else {}


def of_validation(request: Request, error: Exception) -> Response:
    """Answer a request whose parts do not fit the operation."""
    if not isinstance(error, RequestValidationError):
        raise error
    faults = [
        {"pointer": "/" + "/".join(str(part) for part in each["loc"]), "detail": each["msg"], "line": None} for each in error.errors()
    ]
    if any(each["type"] == "json_invalid" for each in error.errors()):
        return problem_response(request, PROBLEMS["bad-request"], "The body is no valid JSON", errors=faults)
    detail = "; ".join(f"{each['pointer']}: {each['detail']}" for each in faults[:5])
    return problem_response(request, PROBLEMS["invalid"], detail[:4000], errors=faults)


def of_http(request: Request, error: Exception) -> Response:
    """Answer what the framework itself refuses: unknown paths and methods."""
    if not isinstance(error, HTTPException):
        raise error
    if error.status_code == 405:
        headers = {"Allow": ", ".join(sorted(_methods(request)))}
        return problem_response(request, PROBLEMS["method-not-allowed"], f"{request.method} is not possible here", headers=headers)
    name = {404: "not-found", 413: "too-large", 415: "unsupported-media-type"}.get(error.status_code, "bad-request")
    return problem_response(request, PROBLEMS[name], str(error.detail), status=error.status_code)


def of_failure(request: Request, error: Exception) -> Response:
    """Answer an error of ours without giving away its inside; it is logged by the caller."""
    del error
    return problem_response(
        request, PROBLEMS["internal"], "The failure was logged here; try again, and tell your administrator if it stays."
    )


def _methods(request: Request) -> set[str]:
    """Return the methods that any route of this path takes: the framework names those of the first one only."""
    routes = request.app.router.routes
    return {method for method in METHODS if any(route.matches({**request.scope, "method": method})[0] is Match.FULL for route in routes)}
