"""The hash chain: each link binds the one before it, so that a changed or missing entry shows."""

from hashlib import sha256

GENESIS = "0" * 64


def link(previous: str, content: bytes) -> str:
    """Return the next head (64 hex digits): SHA-256 over the previous head and the content's own SHA-256."""
    return sha256(bytes.fromhex(previous) + sha256(content).digest()).hexdigest()
