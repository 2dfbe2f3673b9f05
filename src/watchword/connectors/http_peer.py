"""Asking a product over HTTP within bounds: one address from the settings, no redirect, no proxy, bounded time and bytes, exact faults."""

import asyncio
import base64
import contextlib
import hmac
import json
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, Protocol

import httpx2

from watchword.connectors.product import PeerFault, clipped
from watchword.connectors.webhook import signing_key_of
from watchword.kit.errors import InputError

MOST_BYTES: Final = 1 << 20
"""Bytes of an answer that is read into memory."""
LARGEST_FILE: Final = 8 << 30
"""Bytes of an answer that is written to a file."""


class Sink(Protocol):
    """What takes a body that is too large for memory."""

    def write(self, piece: bytes, /) -> object:
        """Take a piece."""
        ...


@dataclass(frozen=True, slots=True)
class Answer:
    """What a product answered; its status is one of success."""

    status: int
    body: bytes
    headers: Mapping[str, str]

    def document(self) -> dict[str, Any]:
        """Return the body as a JSON object.

        Raises:
            PeerFault: it is none.
        """
        found = self.value()
        if not isinstance(found, dict):
            raise PeerFault("bad-answer", "answered JSON that is no object", sent=True)
        return found

    def value(self) -> Any:
        """Return the body as JSON of any shape.

        Raises:
            PeerFault: it is none.
        """
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            raise PeerFault("bad-answer", f"answered {len(self.body)} bytes that are no JSON", sent=True) from None


@dataclass(frozen=True)
class HttpPeer:
    """One product's address and how far it is trusted to keep us waiting."""

    url: str
    seconds: float
    authority: Path | None = None
    """Certificate authorities (PEM) beside which no other is believed; None: those of the system."""
    headers: Callable[[], Mapping[str, str]] = field(default=dict)
    """Makes the headers that prove who asks, when asked."""

    @cached_property
    def _trust(self) -> ssl.SSLContext | bool:
        if not self.url.startswith("https:"):
            return False
        try:
            return ssl.create_default_context(cafile=str(self.authority) if self.authority else None)
        except (OSError, ssl.SSLError) as error:
            raise PeerFault("authority", f"{self.authority} holds no certificates: {error}", sent=False) from None

    def call(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        *,
        into: Sink | None = None,
        seconds: float = 0,
    ) -> Answer:
        """Ask once. `path` begins with a slash and is quoted already; `into` takes a body that is too large for memory.

        Raises:
            PeerFault: no answer, one that is too long or too late, or no success (``http-403``).
        """
        asked = {"Accept-Encoding": "identity", "User-Agent": "Watchword", **self.headers(), **(headers or {})}
        return asyncio.run(self._call(method, f"{self.url}{path}", body, asked, into, seconds or self.seconds))

    async def _call(
        self, method: str, url: str, body: bytes | None, headers: Mapping[str, str], into: Sink | None, seconds: float
    ) -> Answer:
        # Connecting gives up a little before the whole does, so that "not reached" and "no answer" stay apart.
        timeout = httpx2.Timeout(seconds, connect=seconds * 0.8)
        trust = self._trust
        try:
            async with asyncio.timeout(seconds):
                async with (
                    httpx2.AsyncClient(verify=trust, trust_env=False, follow_redirects=False, timeout=timeout) as client,
                    client.stream(method, url, content=body, headers=headers) as response,
                ):
                    return await _taken(response, into)
        except (httpx2.ConnectError, httpx2.ConnectTimeout) as error:
            raise PeerFault("unreachable", f"could not be reached: {clipped(str(error)) or type(error).__name__}", sent=False) from None
        except (TimeoutError, httpx2.TimeoutException):
            raise PeerFault("timeout", f"did not answer within {seconds:g} s", sent=True) from None
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError) as error:
            raise PeerFault("broken-off", f"broke off: {type(error).__name__}", sent=True) from None


async def _taken(response: httpx2.Response, into: Sink | None) -> Answer:
    if response.headers.get("content-encoding", "identity") != "identity":
        raise PeerFault("bad-answer", "answered compressed although asked not to", sent=True)
    good = 200 <= response.status_code < 300
    most = LARGEST_FILE if into is not None and good else MOST_BYTES
    taken, size = bytearray(), 0
    async for piece in response.aiter_raw():
        size += len(piece)
        if size > most:
            if not good:
                break
            raise PeerFault("too-long", f"answered more than {most} bytes", sent=True)
        if into is not None and good:
            into.write(piece)
        else:
            taken += piece
    if not good:
        said = clipped(bytes(taken[:400]).decode("utf-8", "replace"))
        # What was refused was not done; of a fault on its side, or a detour, nobody knows.
        unsure = response.status_code >= 500 or response.status_code < 400
        raise PeerFault(f"http-{response.status_code}", f"answered {response.status_code}" + (f": {said}" if said else ""), sent=unsure)
    return Answer(response.status_code, bytes(taken), {name.lower(): value for name, value in response.headers.items()})


def signed(secret: str, identity: str, at: datetime, payload: bytes) -> dict[str, str]:
    """Return the headers of a signed request after Standard Webhooks: HMAC-SHA-256 over ``<id>.<seconds since 1970>.<payload>``.

    Raises:
        PeerFault: the secret begins with ``whsec_`` and goes on in something else than base64.
    """
    try:
        key = signing_key_of(secret)
    except InputError as error:
        raise PeerFault("secret", str(error), sent=False) from None
    stamp = str(int(at.timestamp()))
    found = hmac.new(key, f"{identity}.{stamp}.".encode() + payload, sha256).digest()
    return {"webhook-id": identity, "webhook-timestamp": stamp, "webhook-signature": f"v1,{base64.b64encode(found).decode()}"}


def header_safe(key: str) -> str:
    """Return an idempotency key as a header may carry it: itself when it is plain, else its digest."""
    with contextlib.suppress(UnicodeEncodeError):
        if key.encode("ascii").decode().isprintable() and len(key) <= 200 and key.strip() == key:
            return key
    return sha256(key.encode()).hexdigest()


def body_of(said: Mapping[str, Any]) -> bytes:
    """Return a document as the bytes that are signed and sent."""
    return json.dumps(said, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
