"""Identifiers: content-derived uids, so that a replay gives the same ones, and random ones where nothing is replayed."""

import secrets
from collections.abc import Callable, Iterable
from hashlib import blake2b

UID_BYTES = 16


def uid_of(*parts: str | bytes) -> str:
    """Return the uid (32 hex digits, BLAKE2b-128) of an ordered list of parts.

    Parts are length-prefixed before hashing, so ``("ab", "c")`` and ``("a", "bc")`` differ.
    """
    return blake2b(_framed(parts), digest_size=UID_BYTES).hexdigest()


def _framed(parts: Iterable[str | bytes]) -> bytes:
    raws = [part.encode("utf-8", "surrogatepass") if isinstance(part, str) else part for part in parts]
    return b"".join([len(raw).to_bytes(8, "big") + raw for raw in raws])


def uids_under(*parts: str | bytes) -> Callable[[bytes], str]:
    """Return what gives ``uid_of(*parts, last)`` for many a last part: the parts before it are hashed once."""
    begun = blake2b(_framed(parts), digest_size=UID_BYTES)
    copy = begun.copy

    def uid(last: bytes) -> str:
        digest = copy()
        digest.update(len(last).to_bytes(8, "big") + last)
        return digest.hexdigest()

    return uid


def random_uid() -> str:
    """Return a random uid (32 hex digits) from the system's secure generator."""
    return secrets.token_hex(UID_BYTES)
