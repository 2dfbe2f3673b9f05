"""Acknowledging by the link of a message: shown by GET, taken by POST, without log-in, at most so often from one address."""

import threading
import time
from collections import OrderedDict
from typing import Final

from fastapi import APIRouter
from starlette.responses import PlainTextResponse, Response

from watchword.kit.errors import Conflict, Forbidden, NotFound
from watchword.respond.page_rows_service import TokenView
from watchword.web.pages import Anyone, Ask

router = APIRouter()
PER_MINUTE: Final = 30
MOST_CALLERS: Final = 5_000


class Turnstile:
    """Lets each address through so many times a minute."""

    def __init__(self, per_minute: int = PER_MINUTE) -> None:
        self.per_minute = per_minute
        self._seen: OrderedDict[str, tuple[int, int]] = OrderedDict()
        self._lock = threading.Lock()

    def passes(self, caller: str, now: float) -> bool:
        """Count one call at a moment (seconds) and tell whether it may pass."""
        minute = int(now // 60)
        with self._lock:
            began, count = self._seen.pop(caller, (minute, 0))
            count = count + 1 if began == minute else 1
            self._seen[caller] = (minute, count)
            while len(self._seen) > MOST_CALLERS:
                self._seen.popitem(last=False)
        return count <= self.per_minute


def _turnstile(ask: Ask) -> Response | None:
    state = ask.request.app.state
    if getattr(state, "turnstile", None) is None:
        state.turnstile = Turnstile()
    turnstile: Turnstile = state.turnstile
    caller = ask.request.client.host if ask.request.client else ""
    if turnstile.passes(caller, time.monotonic()):
        return None
    return PlainTextResponse("Too many tries from this address: wait a minute, or log in\n", 429, headers={"Retry-After": "60"})


@router.get("/ack/{token}")
def show(ask: Anyone, token: str) -> Response:
    """Show what the link stands for; nothing is acknowledged by looking, since mail programs look too."""
    refused = _turnstile(ask)
    if refused is not None:
        return refused
    try:
        found = ask.watchword.response.pager.show(token)
    except NotFound as error:
        return _page(ask, None, 404, str(error))
    return _page(ask, found)


@router.post("/ack/{token}")
def acknowledge(ask: Anyone, token: str) -> Response:
    """Take the page, once."""
    refused = _turnstile(ask)
    if refused is not None:
        return refused
    pager = ask.watchword.response.pager
    try:
        found = pager.show(token)
        pager.acknowledge_by_token(token, "link")
    except NotFound as error:
        return _page(ask, None, 404, str(error))
    except (Conflict, Forbidden) as error:
        return _page(ask, found, 409, str(error))
    return _page(ask, pager.show(token), taken=True)


def _page(ask: Ask, found: TokenView | None, status: int = 200, fault: str = "", *, taken: bool = False) -> Response:
    response = ask.page("phone/acknowledge.html", status, found=found, fault=fault, taken=taken)
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response
