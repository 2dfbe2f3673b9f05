"""Identity: who calls, by bearer token or by the session that pages use; what they may; how often."""

from collections.abc import Callable
from typing import Annotated, Final
from urllib.parse import urlsplit

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from watchword.api.problems import Problem
from watchword.app.principal import Permission, Principal
from watchword.app.watchword import Watchword
from watchword.kit.limits import Limiter

COOKIE: Final = "__Host-watchword"
"""The session's cookie, as the pages set it."""
SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
CHALLENGE: Final = {"WWW-Authenticate": 'Bearer realm="watchword"'}

_bearer = HTTPBearer(auto_error=False, scheme_name="token", description="A token from `watchword tokens add`, with scopes.")


def house(request: Request) -> Watchword:
    """Return the Watchword that this application shows."""
    watchword: Watchword = request.app.state.watchword
    return watchword


House = Annotated[Watchword, Depends(house)]


def limiter(request: Request) -> Limiter:
    """Return the application's request limits."""
    limits: Limiter = request.app.state.limiter
    return limits


Limits = Annotated[Limiter, Depends(limiter)]


def principal(
    request: Request,
    watchword: House,
    limits: Limits,
    token: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
) -> Principal:
    """Return who calls.

    Raises:
        Problem: nobody that we know, a session from another site, or too many requests.
    """
    address = request.client.host if request.client else ""
    session = request.cookies.get(COOKIE)
    found = None
    if token is not None:
        found = watchword.accounts.by_token(token.credentials)
    elif session and "authorization" not in request.headers:
        found = watchword.accounts.by_session(session)
        if found is not None and request.method not in SAFE_METHODS and not same_site(request):
            raise Problem("cross-site", "A request that changes something must come from Watchword's own pages, or carry a token")
    throttle(limits, found.actor if found else f"address {address}")
    if found is None:
        raise Problem("unauthenticated", "Send Authorization: Bearer TOKEN with a token that is neither revoked nor expired", CHALLENGE)
    return found


def throttle(limits: Limiter, caller: str) -> None:
    """Count one request of a caller; raises `Problem` when there were too many."""
    wait = limits.wait(caller)
    if wait > 0:
        raise Problem("too-many-requests", f"More than {limits.per_minute} requests a minute", {"Retry-After": str(int(wait) + 1)})


def same_site(request: Request) -> bool:
    """Tell whether the browser says that the request comes from our own pages."""
    fetch_site = request.headers.get("sec-fetch-site")
    if fetch_site is not None:
        return fetch_site == "same-origin"
    origin = request.headers.get("origin")
    return origin is not None and urlsplit(origin).netloc == request.headers.get("host")


Anyone = Annotated[Principal, Depends(principal)]


def _needs(permission: Permission) -> Callable[[Principal], Principal]:
    def check(found: Anyone) -> Principal:
        found.require(permission)
        return found

    return check


Reader = Annotated[Principal, Depends(_needs(Permission.READ))]
TrailReader = Annotated[Principal, Depends(_needs(Permission.TRAIL))]
Judge = Annotated[Principal, Depends(_needs(Permission.JUDGE))]
Keeper = Annotated[Principal, Depends(_needs(Permission.SOURCES))]
Auditor = Annotated[Principal, Depends(_needs(Permission.AUDIT))]
Responder = Annotated[Principal, Depends(_needs(Permission.RESPOND))]
Approving = Annotated[Principal, Depends(_needs(Permission.APPROVE))]
Author = Annotated[Principal, Depends(_needs(Permission.PLAYBOOKS))]
Planner = Annotated[Principal, Depends(_needs(Permission.ROTA))]
Measurer = Annotated[Principal, Depends(_needs(Permission.MEASURE))]
Steward = Annotated[Principal, Depends(_needs(Permission.STEWARD))]
Governor = Annotated[Principal, Depends(_needs(Permission.GOVERN))]
