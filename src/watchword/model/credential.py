"""How a credential gets its uid: the same words for ingest, which sees it used, and for resolve, which knows whose it is."""

from watchword.kit.secrets import keyed_hash

HASH_DIGITS = 32
"""Hex digits of the keyed hash that stand in a badge's uid."""


def canonical_card(number: str) -> str:
    """Return the card number as it is hashed: stripped, upper case, leading zeros kept."""
    return number.strip().upper()


def badge_uid(key: bytes, number: str, kind: str = "badge") -> str:
    """Return the uid of a badge (or phone, plate: `kind`) from the number on it; the number cannot be read back without the site's key."""
    return f"{kind}:{keyed_hash(key, canonical_card(number))[:HASH_DIGITS]}"


def account_uid(name: str) -> str:
    """Return the uid of an account: lower case, a Windows domain before a backslash stripped; an address (UPN, mail) stays whole."""
    bare = name.strip().rpartition("\\")[2]
    return f"account:{bare.lower()}"
