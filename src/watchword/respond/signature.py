"""Signatures of playbooks: made, and judged in three parts: the mathematics, the times and revocation, and whether the key is trusted.

What is signed is the lowercase hexadecimal text of the SHA-256 of the canonical JSON (RFC 8785), as the example of OASIS does it: not the
canonical bytes, and not the raw digest. Source: CACAO Security Playbooks 2.0, section 10.15 and appendix A.
"""

import base64
import binascii
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final
from uuid import UUID, uuid5

import rfc8785
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from watchword.kit.errors import InputError

NAMESPACE: Final = UUID("aa7caf3a-d55a-4e9a-b34e-056215fba56a")
"""The namespace of the specification for identifiers that are made of what they name."""
MOST_SIGNATURES: Final = 20
"""Signatures of one playbook that are judged."""
LEAST_RSA_BITS: Final = 2048
HASHES: Final[Mapping[str, type[hashes.HashAlgorithm]]] = {"256": hashes.SHA256, "384": hashes.SHA384, "512": hashes.SHA512}
CURVES: Final[Mapping[str, tuple[str, int]]] = {"ES256": ("secp256r1", 32), "ES384": ("secp384r1", 48), "ES512": ("secp521r1", 66)}
"""Algorithm → its curve, and the bytes of each half of a signature (RFC 7518, section 3.4)."""
KEYS: Final = ("public_key", "public_cert_chain", "cert_url", "thumbprint")

PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey | ed448.Ed448PublicKey
PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey


class Mathematics(StrEnum):
    """Whether the value fits the playbook and the key."""

    VALID = "valid"
    INVALID = "invalid"
    NOT_VERIFIED = "not verified"
    """It could not be computed: never taken for valid."""


class Window(StrEnum):
    """Whether the signature holds at the moment of judging."""

    OPEN = "open"
    NOT_YET = "not yet"
    ENDED = "ended"
    REVOKED = "revoked"
    UNREADABLE = "unreadable"


class Trust(StrEnum):
    """Whether the key is one that this site trusts."""

    TRUSTED = "trusted"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is known of one signature."""

    id: str
    signee: str
    algorithm: str
    mathematics: Mathematics
    window: Window
    trust: Trust
    because: str = ""
    """Why the mathematics are not valid, in words."""
    fingerprint: str = ""
    """SHA-256 (hex) of the public key; empty when there is none to read."""

    @property
    def good(self) -> bool:
        """Tell whether all three parts are as they should be."""
        return self.mathematics is Mathematics.VALID and self.window is Window.OPEN and self.trust is Trust.TRUSTED

    def __str__(self) -> str:
        """Return the three parts in one line."""
        why = f" ({self.because})" if self.because else ""
        return f"{self.signee or self.id}: mathematics {self.mathematics}{why}, window {self.window}, key {self.trust}"


class Policy(StrEnum):
    """What a site asks of the signatures of playbooks that it starts."""

    NONE = "none"
    """Nothing; a signature that is wrong is shown."""
    SOUND = "sound"
    """None is wrong, revoked or unreadable; there need be none."""
    TRUSTED = "trusted"
    """One is good in all three parts, and none is wrong."""


class _NotVerified(Exception):
    """The mathematics cannot be computed."""


def verdicts(playbook: Mapping[str, Any], now: datetime, trusted: Mapping[str, bytes]) -> tuple[Verdict, ...]:
    """Judge every signature of a playbook.

    Args:
        playbook: its JSON.
        now: the moment at which the signatures must hold.
        trusted: fingerprint (SHA-256 in hex) → public key (DER, SubjectPublicKeyInfo) of the keys that this site trusts.
    """
    found = playbook.get("signatures")
    signatures = [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []
    return tuple(_verdict(playbook, one, now, trusted) for one in signatures[:MOST_SIGNATURES])


def policy_fault(policy: Policy, found: Sequence[Verdict]) -> str:
    """Say why signatures do not satisfy a policy; empty when they do."""
    if policy is Policy.NONE:
        return ""
    for one in found:
        if one.mathematics is Mathematics.INVALID or one.window in (Window.REVOKED, Window.UNREADABLE):
            return f"a signature is wrong: {one}"
    if policy is Policy.TRUSTED and not any(one.good for one in found):
        return "no signature is valid, within its time and of a trusted key" + "".join(f"; {one}" for one in found[:3])
    return ""


def digest_text(playbook: Mapping[str, Any], signature: Mapping[str, Any]) -> str:
    """Return what a signature signs: the hex SHA-256 of the playbook with this signature alone, without its `value`.

    Raises:
        InputError: the playbook holds a number that canonical JSON cannot write.
    """
    bare = {name: one for name, one in signature.items() if name != "value"}
    try:
        canonical = rfc8785.dumps({**playbook, "signatures": [bare]})
    except (rfc8785.CanonicalizationError, ValueError, RecursionError) as error:
        raise InputError(f"the playbook cannot be written as canonical JSON: {error}") from error
    return hashlib.sha256(canonical).hexdigest()


def sign(
    playbook: Mapping[str, Any],
    key: PrivateKey,
    *,
    signee: str,
    now: datetime,
    algorithm: str = "Ed25519",
    valid_until: datetime | None = None,
    created_by: str = "",
) -> dict[str, Any]:
    """Return the playbook with a further signature. A signature of the same key is replaced; the version stays what it is.

    Args:
        playbook: its JSON, with `id` and `modified`.
        key: the private key; its kind must fit the algorithm.
        signee: whose signature it is, for people.
        now: from when it holds.
        algorithm: RS256 … RS512, PS256 … PS512, ES256, ES384, ES512, Ed25519 or Ed448.
        valid_until: until when it holds; None: without end.
        created_by: identity identifier of the signee, if it has one.

    Raises:
        InputError: the playbook names no id and version, or the algorithm does not fit the key.
    """
    if not isinstance(playbook.get("id"), str) or not isinstance(playbook.get("modified"), str):
        raise InputError("a playbook needs id and modified before it is signed", "id")
    stamp = _stamp(now)
    public = der_of(key.public_key())
    signature: dict[str, Any] = {
        "type": "jss",
        "id": f"jss--{uuid5(NAMESPACE, playbook['id'] + playbook['modified'] + signee + stamp + hashlib.sha256(public).hexdigest())}",
        **({"created_by": created_by} if created_by else {}),
        "created": stamp,
        "modified": stamp,
        "signee": signee,
        "valid_from": stamp,
        **({"valid_until": _stamp(valid_until)} if valid_until else {}),
        "related_to": playbook["id"],
        "related_version": playbook["modified"],
        "hash_algorithm": "sha-256",
        "algorithm": algorithm,
        "public_key": base64.b64encode(public).decode(),
    }
    value = _raw_sign(key, algorithm, digest_text(playbook, signature).encode())
    signature["value"] = base64.urlsafe_b64encode(value).decode().rstrip("=")
    others = [
        one for one in playbook.get("signatures") or [] if not (isinstance(one, dict) and one.get("public_key") == signature["public_key"])
    ]
    return {**playbook, "signatures": [*others, signature]}


def key_of_seed(seed: bytes) -> ed25519.Ed25519PrivateKey:
    """Return the signing key of 32 secret bytes, as `kit.secrets.key_from_file` keeps them."""
    return ed25519.Ed25519PrivateKey.from_private_bytes(seed)


def fingerprint_of(key: PublicKey) -> str:
    """Return the SHA-256 (hex) of a public key."""
    return hashlib.sha256(der_of(key)).hexdigest()


def der_of(key: Any) -> bytes:
    """Return a public key as DER (SubjectPublicKeyInfo)."""
    found: bytes = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return found


def trusted_key(text: str) -> tuple[str, bytes]:
    """Read a public key that a site trusts, PEM or base64 DER; return its fingerprint and DER.

    Raises:
        InputError: the text is no public key.
    """
    try:
        key = serialization.load_pem_public_key(text.encode()) if "-----BEGIN" in text else _public_key(text)
    except (ValueError, UnsupportedAlgorithm, _NotVerified) as error:
        raise InputError(f"this is no public key: {error}") from error
    der = der_of(key)
    return hashlib.sha256(der).hexdigest(), der


# judging


def _verdict(playbook: Mapping[str, Any], signature: Mapping[str, Any], now: datetime, trusted: Mapping[str, bytes]) -> Verdict:
    fingerprint, because = "", ""
    try:
        key = _key_of(signature, trusted)
        fingerprint = fingerprint_of(key)
        mathematics, because = _mathematics(playbook, signature, key)
    except (_NotVerified, InputError) as error:
        mathematics, because = Mathematics.NOT_VERIFIED, str(error)
    return Verdict(
        _word(signature, "id"),
        _word(signature, "signee")[:200],
        _word(signature, "algorithm")[:40],
        mathematics,
        _window(signature, now),
        Trust.TRUSTED if fingerprint in trusted else Trust.UNKNOWN,
        because,
        fingerprint,
    )


def _mathematics(playbook: Mapping[str, Any], signature: Mapping[str, Any], key: PublicKey) -> tuple[Mathematics, str]:
    if signature.get("signature"):
        raise _NotVerified("it is countersigned, and countersignatures are not verified here")
    if _word(signature, "hash_algorithm") != "sha-256":
        raise _NotVerified(f"hash algorithm {_word(signature, 'hash_algorithm')[:40]!r} is not known here")
    if not _word(signature, "value"):
        raise _NotVerified("it has no value")
    if (signature.get("related_to"), signature.get("related_version")) != (playbook.get("id"), playbook.get("modified")):
        return Mathematics.INVALID, "it relates to another playbook or version"
    try:
        value = _base64url(_word(signature, "value"))
        _raw_verify(key, _word(signature, "algorithm"), digest_text(playbook, signature).encode(), value)
    except (InvalidSignature, binascii.Error, ValueError):
        return Mathematics.INVALID, "the value does not fit the playbook and the key"
    return Mathematics.VALID, ""


def _window(signature: Mapping[str, Any], now: datetime) -> Window:
    if signature.get("revoked", False) is not False:
        return Window.REVOKED
    try:
        begin, end = (_moment(signature, name) for name in ("valid_from", "valid_until"))
    except ValueError:
        return Window.UNREADABLE
    if begin is not None and now < begin:
        return Window.NOT_YET
    return Window.ENDED if end is not None and now >= end else Window.OPEN


def _moment(signature: Mapping[str, Any], name: str) -> datetime | None:
    if name not in signature:
        return None
    found = datetime.fromisoformat(_word(signature, name))
    if found.tzinfo is None:
        raise ValueError(name)
    return found


def _key_of(signature: Mapping[str, Any], trusted: Mapping[str, bytes]) -> PublicKey:
    given = [name for name in KEYS if name in signature]
    if len(given) != 1:
        raise _NotVerified(f"it must name exactly one of {', '.join(KEYS)}")
    if given[0] == "cert_url":
        raise _NotVerified("its certificate would have to be fetched, and nothing is fetched")
    if given[0] == "public_key":
        return _public_key(_word(signature, "public_key"))
    if given[0] == "thumbprint":
        der = trusted.get(_word(signature, "thumbprint").lower().replace(":", ""))
        if der is None:
            raise _NotVerified("no trusted key has its thumbprint")
        return _loaded(der)
    chain = signature["public_cert_chain"]
    first = chain[0] if isinstance(chain, list) and chain and isinstance(chain[0], str) else ""
    try:
        return _known(x509.load_der_x509_certificate(base64.b64decode(first, validate=True)).public_key())
    except (ValueError, binascii.Error, UnsupportedAlgorithm) as error:
        raise _NotVerified("its certificate cannot be read") from error


def _public_key(text: str) -> PublicKey:
    try:
        return _loaded(base64.b64decode("".join(text.split()), validate=True))
    except (ValueError, binascii.Error) as error:
        raise _NotVerified("its public key cannot be read") from error


def _loaded(der: bytes) -> PublicKey:
    try:
        return _known(serialization.load_der_public_key(der))
    except (ValueError, UnsupportedAlgorithm) as error:
        raise _NotVerified("its public key cannot be read") from error


def _known(key: object) -> PublicKey:
    if isinstance(key, rsa.RSAPublicKey) and key.key_size < LEAST_RSA_BITS:
        raise _NotVerified(f"its RSA key has {key.key_size} bits; fewer than {LEAST_RSA_BITS} prove nothing")
    if isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey | ed448.Ed448PublicKey):
        return key
    raise _NotVerified("its key is of a kind that is not known here")


def _raw_verify(key: PublicKey, algorithm: str, message: bytes, value: bytes) -> None:
    """Verify a raw signature.

    Raises:
        InvalidSignature: it does not fit.
        _NotVerified: the algorithm is not known here or not one for this key.
    """
    if isinstance(key, rsa.RSAPublicKey) and algorithm[:2] in ("RS", "PS") and algorithm[2:] in HASHES:
        key.verify(value, message, _padding(algorithm), HASHES[algorithm[2:]]())
    elif isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name == CURVES.get(algorithm, ("", 0))[0]:
        half = CURVES[algorithm][1]
        if len(value) != 2 * half:
            raise InvalidSignature
        pair = int.from_bytes(value[:half]), int.from_bytes(value[half:])
        key.verify(encode_dss_signature(*pair), message, ec.ECDSA(HASHES[algorithm[2:]]()))
    elif (isinstance(key, ed25519.Ed25519PublicKey) and algorithm == "Ed25519") or (
        isinstance(key, ed448.Ed448PublicKey) and algorithm == "Ed448"
    ):
        key.verify(value, message)
    else:
        raise _NotVerified(f"algorithm {algorithm[:40]!r} is not known here, or not one for its key")


def _raw_sign(key: PrivateKey, algorithm: str, message: bytes) -> bytes:
    if isinstance(key, rsa.RSAPrivateKey) and algorithm[:2] in ("RS", "PS") and algorithm[2:] in HASHES:
        return key.sign(message, _padding(algorithm), HASHES[algorithm[2:]]())
    if isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.name == CURVES.get(algorithm, ("", 0))[0]:
        half = CURVES[algorithm][1]
        one, other = decode_dss_signature(key.sign(message, ec.ECDSA(HASHES[algorithm[2:]]())))
        return one.to_bytes(half) + other.to_bytes(half)
    if (isinstance(key, ed25519.Ed25519PrivateKey) and algorithm == "Ed25519") or (
        isinstance(key, ed448.Ed448PrivateKey) and algorithm == "Ed448"
    ):
        return key.sign(message)
    raise InputError(f"algorithm {algorithm[:40]!r} is not known here, or not one for this key", "algorithm")


def _padding(algorithm: str) -> padding.PKCS1v15 | padding.PSS:
    digest = HASHES[algorithm[2:]]()
    return padding.PKCS1v15() if algorithm.startswith("RS") else padding.PSS(padding.MGF1(digest), digest.digest_size)


def _base64url(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)


def _word(value: Mapping[str, Any], name: str) -> str:
    found = value.get(name)
    return found if isinstance(found, str) else ""


def _stamp(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
