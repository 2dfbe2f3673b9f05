"""Signed webhooks: a request's bytes are checked against its source's secrets, then cut into records; no route, no framework."""

import base64
import binascii
import gzip
import hmac
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final

from watchword.ingest.intake import MAX_RECORD, Incoming
from watchword.ingest.jsonl import cut_delivery
from watchword.kit.errors import Forbidden, InputError, TooLarge
from watchword.kit.ids import uid_of
from watchword.kit.secrets import token_digest, verify

MAX_BODY: Final = 16 << 20
"""Bytes of a body as sent."""
MAX_UNPACKED: Final = 64 << 20
"""Bytes of a body once unpacked."""
REPLAY_WINDOW: Final = timedelta(minutes=5)
_PIECE: Final = 256 * 1024


@dataclass(frozen=True, slots=True)
class WebhookSecrets:
    """What a source proves itself with. At least one must be set; of several that are set, every one that a sender uses must fit."""

    token_digest: str = ""
    """SHA-256 (hex) of the bearer token."""
    signing_key: bytes = b""
    """Key of the signatures. A secret written ``whsec_<base64>`` is decoded by `signing_key_of`."""
    window: timedelta = REPLAY_WINDOW


def signing_key_of(secret: str) -> bytes:
    """Return the key bytes of a signing secret: ``whsec_<base64>`` as Standard Webhooks writes it, anything else as its UTF-8 bytes.

    Raises:
        InputError: what follows ``whsec_`` is no base64.
    """
    if not secret.startswith("whsec_"):
        return secret.encode()
    try:
        return base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except binascii.Error:
        raise InputError("a secret that begins with whsec_ must go on in base64", "secret") from None


def read(
    body: bytes,
    headers: Mapping[str, str],
    secrets: WebhookSecrets,
    now: datetime,
    max_record: int = MAX_RECORD,
    *,
    max_body: int = MAX_BODY,
    max_unpacked: int = MAX_UNPACKED,
) -> list[Incoming]:
    """Check a request and cut it into records.

    A sender is let in by ``Authorization: Bearer <token>``, or by a signature over the raw bytes: Standard Webhooks
    (``webhook-id``, ``webhook-timestamp``, ``webhook-signature: v1,<base64>``) or ``X-Signature: sha256=<hex>`` (also
    ``X-Hub-Signature-256``). Where the source has a signing key, a request without signature is refused even with a token.
    A delivery with a ``webhook-id`` that is sent again gives records with the same ids, so nothing is taken twice.

    Args:
        body: the raw bytes as they came.
        headers: names in any case.
        secrets: of the source.
        now: the moment of arrival (aware).
        max_record: longest record, in bytes.
        max_body: longest body as sent, in bytes.
        max_unpacked: longest body once unpacked, in bytes.

    Raises:
        Forbidden: no proof, or one that does not fit, or one that is too old.
        TooLarge: the body or a record is too long.
        InputError: not unpackable, no JSON; the message says what to do.
    """
    folded = {name.lower(): value for name, value in headers.items()}
    if len(body) > max_body:
        raise TooLarge(f"the body has {len(body)} bytes, at most {max_body} are taken; send it in parts", "body")
    _admit(body, folded, secrets, now)
    records = cut_delivery(_unpack(body, folded.get("content-encoding", ""), max_unpacked))
    for number, record in enumerate(records, 1):
        if len(record) > max_record:
            raise TooLarge(
                f"record {number} has {len(record)} bytes, longer than {max_record}; send smaller ones, or raise ingest.record", "body"
            )
    delivery = folded.get("webhook-id", "") if secrets.signing_key else ""
    if not delivery:
        return [Incoming(record) for record in records]
    return [Incoming(record, uid_of("delivery", delivery, str(index))) for index, record in enumerate(records)]


def _admit(body: bytes, headers: Mapping[str, str], secrets: WebhookSecrets, now: datetime) -> None:
    if not secrets.token_digest and not secrets.signing_key:
        raise Forbidden("this source has no token and no signing key yet; make one with: watchword source token NAME")
    if secrets.token_digest and not secrets.signing_key:
        _check_token(headers, secrets)
        return
    if secrets.token_digest and "authorization" in headers:
        _check_token(headers, secrets)
    if "webhook-signature" in headers:
        _check_standard(body, headers, secrets, now)
        return
    plain = headers.get("x-signature") or headers.get("x-hub-signature-256")
    if not plain:
        raise Forbidden("the request is not signed; sign its raw bytes (webhook-signature, or X-Signature: sha256=<hex>)")
    name, _, signature = plain.partition("=")
    if name.strip().lower() != "sha256" or not verify(secrets.signing_key, _stamped(body, headers, secrets, now), signature):
        raise Forbidden("the signature does not fit; sign the raw bytes as sent, with this source's key, HMAC-SHA-256")


def _check_token(headers: Mapping[str, str], secrets: WebhookSecrets) -> None:
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Forbidden("no token; send Authorization: Bearer <token of this source>")
    if not hmac.compare_digest(token_digest(token.strip()), secrets.token_digest):
        raise Forbidden("the token is not this source's")


def _stamped(body: bytes, headers: Mapping[str, str], secrets: WebhookSecrets, now: datetime) -> bytes:
    """Return what a plain signature covers: with ``X-Timestamp``, that text, a dot and the body; else the body alone."""
    stamp = headers.get("x-timestamp")
    if stamp is None:
        return body
    _check_age(stamp, secrets, now)
    return stamp.encode() + b"." + body


def _check_standard(body: bytes, headers: Mapping[str, str], secrets: WebhookSecrets, now: datetime) -> None:
    identity, stamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not identity or not stamp:
        raise Forbidden("webhook-id and webhook-timestamp are wanted beside webhook-signature")
    _check_age(stamp, secrets, now)
    expected = hmac.new(secrets.signing_key, f"{identity}.{stamp}.".encode() + body, sha256).digest()
    for one in headers["webhook-signature"].split():
        version, _, signature = one.partition(",")
        if version != "v1":
            continue
        try:
            given = base64.b64decode(signature, validate=True)
        except (binascii.Error, ValueError):
            continue
        if hmac.compare_digest(given, expected):
            return
    raise Forbidden(
        "the signature does not fit; sign <webhook-id>.<webhook-timestamp>.<raw body> with this source's key, HMAC-SHA-256, base64"
    )


def _check_age(stamp: str, secrets: WebhookSecrets, now: datetime) -> None:
    text = stamp.strip()
    if not text.isascii() or not text.isdigit() or len(text) > 12:
        raise Forbidden("the timestamp is no number of seconds since 1970")
    window = int(secrets.window.total_seconds())
    if abs(now.timestamp() - int(text)) > window:
        raise Forbidden(f"the timestamp is more than {window} s off; check the sender's clock, sign anew when sending again")


def _unpack(body: bytes, encoding: str, most: int) -> bytes:
    wanted = encoding.strip().lower()
    if wanted in {"", "identity"}:
        return body
    if wanted not in {"gzip", "x-gzip", "deflate"}:
        raise InputError(f"content-encoding {encoding[:40]!r} is not understood; send gzip or none", "content-encoding")
    unpacker = zlib.decompressobj(zlib.MAX_WBITS | (16 if "gzip" in wanted else 0))
    out = bytearray()
    rest = body
    try:
        while rest and not unpacker.eof:
            out += unpacker.decompress(rest, _PIECE)
            if len(out) > most:
                raise TooLarge(f"the body unpacks to more than {most} bytes; send it in parts", "body")
            rest = unpacker.unconsumed_tail
            if unpacker.eof and unpacker.unused_data[:2] == b"\x1f\x8b":  # gzip files may be several members
                rest = unpacker.unused_data
                unpacker = zlib.decompressobj(zlib.MAX_WBITS | 16)
        while not unpacker.eof and (more := unpacker.decompress(unpacker.unconsumed_tail, _PIECE)):
            out += more
            if len(out) > most:
                raise TooLarge(f"the body unpacks to more than {most} bytes; send it in parts", "body")
    except (zlib.error, gzip.BadGzipFile) as error:
        raise InputError(f"the body is no valid {wanted}: {error}", "body") from None
    if not unpacker.eof:
        raise InputError(f"the {wanted} body ends early; send it again", "body")
    return bytes(out)
