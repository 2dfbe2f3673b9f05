"""Records over HTTP: a request is answered with success only when its records are on disk."""

from typing import Final

from anyio import to_thread
from fastapi import APIRouter, Request
from pydantic import BaseModel

from watchword.api.identity import CHALLENGE, House, throttle
from watchword.api.problems import Problem, also
from watchword.app.principal import Permission
from watchword.app.source_keys import PREFIX, keys_of
from watchword.app.watchword import Watchword
from watchword.connectors import webhook
from watchword.kit.errors import Forbidden
from watchword.kit.secrets import token_digest

routes = APIRouter(tags=["ingest"])
ENCODINGS: Final = frozenset({"", "identity", "gzip", "x-gzip", "deflate"})
BODY: Final = {
    "requestBody": {
        "required": True,
        "description": "One JSON object, an array of them, or one object a line; gzip and deflate are unpacked.",
        "content": {"application/x-ndjson": {"schema": {}}, "application/json": {"schema": {}}},
    }
}


class Taken(BaseModel):
    """What became of a delivery: `accepted` records are on disk, `duplicate` ones were there already."""

    accepted: int
    duplicate: int


async def read_body(request: Request, most: int) -> bytes:
    """Return the request's body.

    Raises:
        Problem: it is longer than `most` bytes; nothing beyond that is kept in memory.
    """
    stated = request.headers.get("content-length", "")
    if stated.isdigit() and int(stated[:18]) > most:
        raise Problem("too-large", f"The body has {stated[:18]} bytes, at most {most} are taken; send it in parts")
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > most:
            raise Problem("too-large", f"The body has more than {most} bytes; send it in parts")
    return bytes(body)


@routes.post("/ingest/{source}", responses=also(404, 413, 415), summary="Hand in records", openapi_extra=BODY)
async def ingest(request: Request, watchword: House, source: str) -> Taken:
    """Hand in records of a source, proven by its token, its signature, or a token with the scope `ingest`.

    Send it again after 503: what was taken already counts as duplicate, nothing is doubled.
    """
    encoding = request.headers.get("content-encoding", "").strip().lower()
    if encoding not in ENCODINGS:
        raise Problem("unsupported-media-type", "Content-Encoding is not understood; send gzip, deflate or none")
    body = await read_body(request, watchword.settings.ingest_body)
    return await to_thread.run_sync(_take, watchword, request, source, body, limiter=request.app.state.ingest_gate)


def _take(watchword: Watchword, request: Request, source: str, body: bytes) -> Taken:
    secrets = _proof(watchword, request, source)
    try:
        settings = watchword.settings
        items = webhook.read(
            body,
            request.headers,
            secrets,
            watchword.clock.now(),
            settings.ingest_record,
            max_body=settings.ingest_body,
            max_unpacked=settings.ingest_unpacked,
        )
    except Forbidden as error:
        throttle(request.app.state.limiter, f"address {request.client.host if request.client else ''}")
        name = "bad-signature" if "signature" in str(error) or "signed" in str(error) or "timestamp" in str(error) else "unauthenticated"
        raise Problem(name, str(error), CHALLENGE) from error
    receipt = watchword.intake.accept(source, items)
    return Taken(accepted=receipt.accepted, duplicate=receipt.duplicate)


def _proof(watchword: Watchword, request: Request, source: str) -> webhook.WebhookSecrets:
    """Return what the request is checked against: the source's own keys, or the account's token that it carries."""
    secrets = keys_of(watchword).secrets_of(source)
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token or token.startswith(PREFIX):
        return secrets
    caller = watchword.accounts.by_token(token)
    if caller is None:
        return secrets
    caller.require(Permission.INGEST)
    return webhook.WebhookSecrets(token_digest(token), secrets.signing_key, secrets.window)
