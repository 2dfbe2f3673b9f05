"""Credentials as seen: the one form of a card number, an account name and an address by which both sides of the house are joined."""

from functools import lru_cache
from ipaddress import ip_address

from watchword.kit.secrets import keyed_hash

HASH_DIGITS = 32
"""Hex digits kept of a card number's keyed hash (128 bits)."""
SHORT_CARD = 8
"""Below so many characters only the last two are shown, else the last four."""
_ABSENT_ADDRESSES = frozenset({"-", "::", "0.0.0.0", "unknown", "local"})  # noqa: S104 - a value that means nothing, no bind address


def canonical_card(number: str) -> str:
    """Return the card number as it is hashed: stripped, upper case, leading zeros kept."""
    return number.strip().upper()


@lru_cache(maxsize=65_536)
def badge_hash(key: bytes, number: str) -> str:
    """Return what stands for a card number: the first 32 hex digits of its HMAC-SHA-256 under the site's key."""
    return keyed_hash(key, canonical_card(number))[:HASH_DIGITS]


def badge_uid(key: bytes, number: str) -> str:
    """Return the credential uid of a card number, ``badge:<keyed hash>``."""
    return "badge:" + badge_hash(key, number)


def card_tail(number: str) -> str:
    """Return the digits that may be shown: the last four, or the last two of a number shorter than eight."""
    card = canonical_card(number)
    return card[-2:] if len(card) < SHORT_CARD else card[-4:]


def split_account(name: str) -> tuple[str, str]:
    r"""Return (account, domain) of ``DOMAIN\name``; a mail-like name keeps its domain in the account, and the domain is empty."""
    domain, found, account = name.rpartition("\\")
    return (account, domain) if found else (name, "")


def account_uid(name: str) -> str:
    r"""Return the credential uid of an account, ``account:<lower-cased name>``, a leading ``DOMAIN\`` left out."""
    return "account:" + name.rpartition("\\")[2].strip().lower()


@lru_cache(maxsize=65_536)
def canonical_ip(text: str) -> str:
    """Return an IP address in its shortest form, IPv4 in IPv6 as IPv4; empty for what means "none".

    Raises:
        ValueError: the text is no IP address.
    """
    stripped = text.strip()
    if not stripped or stripped.lower() in _ABSENT_ADDRESSES:
        return ""
    address = ip_address(stripped.strip("[]"))
    mapped = getattr(address, "ipv4_mapped", None)
    return str(mapped or address)


@lru_cache(maxsize=16_384)
def canonical_mac(text: str) -> str:
    """Return a MAC address as ``aa:bb:cc:dd:ee:ff``.

    Raises:
        ValueError: the text does not hold twelve hex digits.
    """
    digits = text.strip().lower().replace(":", "").replace("-", "").replace(".", "")
    if len(digits) != 12 or not all(digit in "0123456789abcdef" for digit in digits):
        raise ValueError(f"{text[:40]!r} is no MAC address")
    return ":".join(digits[index : index + 2] for index in range(0, 12, 2))
