"""Cross-site requests: a method that changes something is let through only from our own pages."""

from typing import Final
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})


class SameOrigin:
    """Refuses unsafe requests that a browser was led to by another site."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the call on, or answer 403 in words."""
        if scope["type"] == "http" and scope["method"] not in SAFE and not from_us(Request(scope)):
            words = "Refused: this request comes from another site. Open the page in Watchword itself and try again.\n"
            await PlainTextResponse(words, status_code=403)(scope, receive, send)
            return
        await self.app(scope, receive, send)


def from_us(request: Request) -> bool:
    """Tell whether the browser says that a request comes from our own pages; who says nothing is no browser of today."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    origin = request.headers.get("origin")
    return origin is not None and urlsplit(origin).netloc.lower() == request.headers.get("host", "").lower()
