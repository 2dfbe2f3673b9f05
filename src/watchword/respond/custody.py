"""Custody: who did what with a piece of evidence, as a hash chain whose entries are each signed by the one who did it."""

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from watchword.kit.chain import GENESIS, link
from watchword.kit.clock import to_ms
from watchword.kit.errors import Conflict, Forbidden, InputError
from watchword.respond.bundle_check import custody_content, custody_faults, custody_message
from watchword.respond.signature import key_of_seed


class Deed(StrEnum):
    """What can be done with a piece of evidence."""

    ACQUIRED = "acquired"
    VIEWED = "viewed"
    COPIED = "copied"
    OFFERED = "transfer offered"
    ACCEPTED = "transfer accepted"
    WITHDRAWN = "transfer withdrawn"
    """The offer was taken back by the one party, or declined by the other."""
    TAKEN = "taken over"
    """From a machine that acquired it, or from somebody who has left: there is no second party to sign, and the reason says so."""
    SEALED = "sealed"
    """From now on nobody opens it here; it can be copied for an export."""
    RELEASED = "released"
    """Custody ends: to whom, and why. The original stays where it is kept."""


NEED_REASON = frozenset({Deed.VIEWED, Deed.COPIED, Deed.TAKEN, Deed.SEALED, Deed.RELEASED})


@dataclass(frozen=True, slots=True)
class CustodyEntry:
    """One link of the chain of one piece."""

    evidence: str
    seq: int
    """From 1 without gaps."""
    deed: Deed
    by: str
    team: str
    at: datetime
    to: str = ""
    """Of an offer: to whom; of a release: who has it from now on."""
    reason: str = ""
    detail: Mapping[str, str] = field(default_factory=dict)
    key: str = ""
    """Public key (hex) of whoever did it."""
    head: str = ""
    signature: str = ""
    """Ed25519 over the head (hex)."""


@dataclass(frozen=True, slots=True)
class Holding:
    """Where a piece stands."""

    custodian: str = ""
    offered_to: str = ""
    offer: CustodyEntry | None = None
    sealed: bool = False
    released: bool = False


def key_for(signing_key: bytes, name: str) -> Ed25519PrivateKey:
    """Return the key with which one person, or machine, signs custody entries: kept by the house, used only for what they do themselves."""
    return key_of_seed(hmac.new(signing_key, b"custody " + name.encode(), sha256).digest())


def public_hex(key: Ed25519PrivateKey) -> str:
    """Return a key's public half as 64 hex digits."""
    return key.public_key().public_bytes_raw().hex()


def first_head(uid: str) -> str:
    """Return the head before a piece's first entry."""
    return link(GENESIS, b"custody " + uid.encode())


def row_of(entry: CustodyEntry) -> dict[str, Any]:
    """Return an entry as it stands in a bundle: `at` as milliseconds since 1970."""
    return {
        "evidence": entry.evidence,
        "seq": entry.seq,
        "deed": entry.deed.value,
        "by": entry.by,
        "team": entry.team,
        "to": entry.to,
        "reason": entry.reason,
        "at": to_ms(entry.at),
        "detail": dict(entry.detail),
        "key": entry.key,
        "head": entry.head,
        "signature": entry.signature,
    }


def sealed_entry(entry: CustodyEntry, previous: str, key: Ed25519PrivateKey) -> CustodyEntry:
    """Return the entry with its key, its head after `previous`, and its signature."""
    named = replace(entry, key=public_hex(key))
    head = link(previous, custody_content(row_of(named)))
    return replace(named, head=head, signature=key.sign(custody_message(head)).hex())


def holding(entries: Sequence[CustodyEntry]) -> Holding:
    """Return where a piece stands after its entries."""
    now = Holding()
    for entry in entries:
        now = after(now, entry)
    return now


def after(now: Holding, entry: CustodyEntry) -> Holding:
    """Return where a piece stands after one more entry."""
    match entry.deed:
        case Deed.ACQUIRED | Deed.ACCEPTED | Deed.TAKEN:
            return replace(now, custodian=entry.by, offered_to="", offer=None)
        case Deed.OFFERED:
            return replace(now, offered_to=entry.to, offer=entry)
        case Deed.WITHDRAWN:
            return replace(now, offered_to="", offer=None)
        case Deed.SEALED:
            return replace(now, sealed=True)
        case Deed.RELEASED:
            return replace(now, released=True, offered_to="", offer=None)
        case _:
            return now


def demand(now: Holding, deed: Deed, by: str, to: str, reason: str) -> None:
    """See that somebody may do this now.

    Raises:
        InputError: the reason or the other party is lacking.
        Forbidden: it is not theirs to do.
        Conflict: it cannot be done any more, or not yet.
    """
    if now.released and deed is not Deed.COPIED:
        raise Conflict("It was released: custody has ended.")
    if deed in NEED_REASON and not reason.strip():
        raise InputError("Say why: the reason stands in the chain of custody.", "reason")
    if deed in {Deed.OFFERED, Deed.RELEASED} and not to.strip():
        raise InputError("Say to whom.", "to")
    if deed in {Deed.OFFERED, Deed.SEALED, Deed.RELEASED} and by != now.custodian:
        raise Forbidden(f"It is in the hands of {now.custodian}: only they can do that.")
    if now.sealed and deed in {Deed.VIEWED, Deed.SEALED}:
        raise Conflict("It is sealed: nobody opens it here. Export it instead." if deed is Deed.VIEWED else "It is sealed already.")
    _demand_parties(now, deed, by, to)


def _demand_parties(now: Holding, deed: Deed, by: str, to: str) -> None:
    if deed is Deed.OFFERED and to == by:
        raise InputError("It is in your hands already: name somebody else.", "to")
    if deed is Deed.OFFERED and now.offered_to:
        raise Conflict(f"It is offered to {now.offered_to} already: withdraw that first.")
    if deed is Deed.ACCEPTED and by != now.offered_to:
        raise Forbidden("It was not offered to you." if now.offered_to else "No offer stands any more.")
    if deed is Deed.WITHDRAWN and (not now.offered_to or by not in {now.custodian, now.offered_to}):
        raise Forbidden("No offer of yours stands.")


def faults(uid: str, entries: Sequence[CustodyEntry], kept: tuple[int, str], signing_key: bytes) -> list[str]:
    """Return what is wrong with a chain, in words; nothing: intact.

    Args:
        uid: of the piece.
        entries: all of them, in order.
        kept: how many there should be and the newest head.
        signing_key: of this house: each entry must bear the key of whoever it names.
    """
    found = custody_faults(uid, [row_of(entry) for entry in entries])
    if (len(entries), entries[-1].head if entries else "") != kept:
        found.append(f"the newest custody entries of {uid} are missing: there should be {kept[0]}")
    strangers = [entry.seq for entry in entries if entry.key != public_hex(key_for(signing_key, entry.by))]
    return found + [f"custody entry {seq} of {uid}: signed with a key that is not that of whoever it names" for seq in strangers]
