"""Secrets: keyed hashes for card numbers, signatures for webhooks, digests for tokens; compared in constant time."""

import hmac
import secrets
from hashlib import sha256
from pathlib import Path

KEY_BYTES = 32


def new_token() -> str:
    """Return a URL-safe random token with 256 bits."""
    return secrets.token_urlsafe(KEY_BYTES)


def token_digest(token: str) -> str:
    """Return what is stored of a token: SHA-256 in hex (the token has 256 random bits, so no salt is needed)."""
    return sha256(token.encode()).hexdigest()


def keyed_hash(key: bytes, value: str) -> str:
    """Return HMAC-SHA-256 of a canonical value in hex: card numbers and plates are kept only so."""
    return hmac.new(key, value.encode(), sha256).hexdigest()


def sign(key: bytes, payload: bytes) -> str:
    """Return the hex HMAC-SHA-256 signature of the raw bytes."""
    return hmac.new(key, payload, sha256).hexdigest()


def verify(key: bytes, payload: bytes, signature: str) -> bool:
    """Tell whether a hex signature fits the raw bytes; constant time."""
    return hmac.compare_digest(sign(key, payload).encode(), signature.strip().lower().encode("utf-8", "replace"))


def key_from_file(path: Path) -> bytes:
    """Return the key in a file, made with mode 0600 if there is none yet."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_bytes(secrets.token_bytes(KEY_BYTES))
    return path.read_bytes()
