"""The shared dashboard: read by a secret in the address, without a log-in, without names, slowly enough that nobody guesses one."""

from typing import Final

from fastapi import APIRouter, Request
from starlette.responses import PlainTextResponse, Response

from watchword.kit.limits import Limiter
from watchword.web.cookies import Look
from watchword.web.metrics import board_context
from watchword.web.pages import Ask, Web

router = APIRouter()
PER_MINUTE: Final = 30
"""Readings of one address in a minute; wrong secrets count alike."""
LIMITER: Final = Limiter(PER_MINUTE)
HEADERS: Final = {"Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex, nofollow"}


@router.get("/shared/{token}")
def shared(request: Request, token: str) -> Response:
    """Show the dashboard to whoever holds the link; nothing on it names a person, and nothing leads further."""
    web: Web = request.app.state.web
    address = request.client.host if request.client else ""
    if wait := LIMITER.wait(address):
        seconds = str(int(wait) + 1)
        return PlainTextResponse(
            f"Too many readings from here: try again in {seconds} s.\n", 429, headers={"Retry-After": seconds, **HEADERS}
        )
    share = web.watchword.measures.shares.open(token) if len(token) <= 100 else None
    ask = Ask(request, None, Look(), web)
    if share is None:
        answer = ask.page("metrics/shared_gone.html", 404)
    else:
        answer = ask.page("metrics/shared.html", share=share, **board_context(ask, shared=True))
    answer.headers.update(HEADERS)
    return answer
