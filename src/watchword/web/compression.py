"""Compression of answers: pages, JSON, styles and scripts on request, live streams never, nothing that another site had asked for."""

from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.gzip import DEFAULT_EXCLUDED_CONTENT_TYPES, GZipMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LEAST: Final = 1024
"""Bytes from which compressing pays."""
LEVEL: Final = 5
"""Of nine: the last few percent cost several times the processor time."""
NOT_THESE: Final = (*DEFAULT_EXCLUDED_CONTENT_TYPES, "application/octet-stream")
OTHERS: Final = frozenset({"cross-site", "same-site"})
"""``Sec-Fetch-Site`` of requests that a page of somebody else makes."""


class Compression:
    """Compresses what our own pages and programs ask for.

    The length of a compressed answer tells how far what is reflected in it equals what is secret in it (BREACH). Pages hold no token
    against cross-site requests (those are told by what the browser says of their origin), and a new secret is shown once; but names and
    trails are secret too, and a search word is reflected. Only a page of another site can make a browser ask again and again with the
    reader's session, so what browsers say was asked from there is answered as it is.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.compressed = GZipMiddleware(app, minimum_size=LEAST, compresslevel=LEVEL, exclude_content_types=NOT_THESE)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the call on, compressing the answer on the way back where that gives nothing away."""
        if scope["type"] == "http" and Headers(scope=scope).get("sec-fetch-site") in OTHERS:
            await self.app(scope, receive, _varying(send))
        else:
            await self.compressed(scope, receive, send)


def _varying(send: Send) -> Send:
    async def vary(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message).add_vary_header("Accept-Encoding")
        await send(message)

    return vary
