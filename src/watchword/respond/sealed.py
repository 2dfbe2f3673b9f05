"""Sealed addresses: how people are reached is kept encrypted, with a key derived from the site key, bound to the row that it stands in."""

import base64
import binascii
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from watchword.kit.errors import Corrupt

NONCE_BYTES: Final = 12
_VERSION: Final = b"\x01"


def derived_key(site_key: bytes, use: str) -> bytes:
    """Return the 32-byte key for one use (HKDF-SHA-256, RFC 5869): a key made for one thing opens no other."""
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=f"watchword {use} 1".encode()).derive(site_key)


def seal(key: bytes, text: str, about: str, nonce: bytes) -> str:
    """Return the text encrypted (AES-256-GCM, base64). `about` is where it stands: moved elsewhere, it opens no more.

    Args:
        key: 32 bytes.
        text: what is to be kept.
        about: uid of its row.
        nonce: 12 random bytes, never used twice with this key.
    """
    return base64.b64encode(_VERSION + nonce + AESGCM(key).encrypt(nonce, text.encode(), about.encode())).decode()


def unseal(key: bytes, sealed: str, about: str) -> str:
    """Return what was sealed.

    Raises:
        Corrupt: it was changed, moved, or sealed under another site key.
    """
    try:
        raw = base64.b64decode(sealed, validate=True)
        nonce = raw[1 : 1 + NONCE_BYTES] if raw[:1] == _VERSION else b""
        return AESGCM(key).decrypt(nonce, raw[1 + NONCE_BYTES :], about.encode()).decode()
    except (InvalidTag, binascii.Error, ValueError) as error:
        raise Corrupt(f"the address of contact {about} does not open under this site key; enter it again") from error
