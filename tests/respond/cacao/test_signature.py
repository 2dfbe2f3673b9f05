"""Signatures: the vector of OASIS, every algorithm, every mutation, and the three parts of a verdict."""

import base64
import copy
import json
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.x509.oid import NameOID
from tests.respond.cacao.samples import full, small

from watchword.kit.errors import InputError
from watchword.respond.schema_check import passes
from watchword.respond.signature import (
    Mathematics,
    Policy,
    Trust,
    Window,
    der_of,
    digest_text,
    fingerprint_of,
    key_of_seed,
    policy_fault,
    sign,
    trusted_key,
    verdicts,
)

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
KEY = key_of_seed(b"k" * 32)
TRUSTED = {fingerprint_of(KEY.public_key()): der_of(KEY.public_key())}
VECTOR = "playbooks/md__cacao__signature-example-rsa-4.json"


@pytest.fixture(scope="module")
def rsa_key():
    return rsa.generate_private_key(65_537, 2048)


@pytest.fixture
def vector(expected):
    return json.loads(expected[VECTOR][1])


def one(playbook, now=NOW, trusted=TRUSTED):
    (verdict,) = verdicts(playbook, now, trusted)
    return verdict


def test_the_vector_verifies_in_the_hex_form(vector):
    assert digest_text(vector, vector["signatures"][0]) == "973bb6492184e4681b1eab9df1f56926fc1a91582e3529bfd0bfb231e1c51b0a"
    verdict = one(vector, datetime(2023, 3, 1, tzinfo=UTC))
    assert (verdict.mathematics, verdict.window, verdict.trust) == (Mathematics.VALID, Window.OPEN, Trust.UNKNOWN)
    assert one(vector).window is Window.ENDED
    assert one(vector, datetime(2022, 1, 1, tzinfo=UTC)).window is Window.NOT_YET
    fingerprint, der = trusted_key(vector["signatures"][0]["public_key"])
    assert one(vector, datetime(2023, 3, 1, tzinfo=UTC), {fingerprint: der}).good


@pytest.mark.parametrize(
    "change",
    [
        lambda made: made.update(name="Playbook 2"),
        lambda made: made["signatures"][0].update(signee="Somebody else"),
        lambda made: made["signatures"][0].update(value="A" + made["signatures"][0]["value"][1:]),
        lambda made: made["signatures"][0].update(value="!"),
        lambda made: made["signatures"][0].update(valid_until="2033-06-10T17:39:31.319Z"),
        lambda made: made["signatures"][0].update(algorithm="RS384"),
        lambda made: made["signatures"][0].update(algorithm="PS256"),
        lambda made: made.update(description="added"),
        lambda made: made.update(modified="2022-05-18T11:31:31.320Z"),
        lambda made: made["signatures"][0].update(related_version="2022-05-18T11:31:31.320Z"),
    ],
)
def test_a_changed_vector_is_invalid(vector, change):
    change(vector)
    assert one(vector, datetime(2023, 3, 1, tzinfo=UTC)).mathematics is Mathematics.INVALID


def test_every_file_has_the_expected_signature_verdict(expected):
    word = {"valid": Mathematics.VALID, "incomplete": Mathematics.NOT_VERIFIED}
    for row, raw in expected.values():
        got = [verdict.mathematics for verdict in verdicts(json.loads(raw), NOW, {})]
        assert got == ([word[row["signature"]]] if row["signature"] in word else [])


@pytest.mark.parametrize("algorithm", ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "Ed25519", "Ed448"])
def test_what_is_signed_verifies_and_what_is_changed_does_not(algorithm, rsa_key):
    curves = {"ES256": ec.SECP256R1(), "ES384": ec.SECP384R1(), "ES512": ec.SECP521R1()}
    key = {"R": rsa_key, "P": rsa_key}.get(algorithm[0]) or (
        ec.generate_private_key(curves[algorithm])
        if algorithm in curves
        else ed448.Ed448PrivateKey.generate()
        if algorithm == "Ed448"
        else ed25519.Ed25519PrivateKey.generate()
    )
    signed = sign(full(), key, signee="The site", now=NOW, algorithm=algorithm)
    assert passes(signed)
    assert {name: one for name, one in signed.items() if name != "signatures"} == full()
    trusted = {fingerprint_of(key.public_key()): der_of(key.public_key())}
    assert one(signed, trusted=trusted).good
    assert "=" not in signed["signatures"][0]["value"]
    for name, to in (("name", "Other"), ("priority", 2)):
        assert one({**signed, name: to}, trusted=trusted).mathematics is Mathematics.INVALID
    other = copy.deepcopy(signed)
    value = other["signatures"][0]["value"]
    other["signatures"][0]["value"] = value[:-6] + ("AAAAAA" if value[-6:] != "AAAAAA" else "BBBBBB")
    assert one(other, trusted=trusted).mathematics is Mathematics.INVALID


def test_several_signatures_do_not_disturb_each_other(rsa_key):
    signed = sign(sign(small(), KEY, signee="one", now=NOW), rsa_key, signee="two", now=NOW, algorithm="RS256")
    assert [verdict.mathematics for verdict in verdicts(signed, NOW, TRUSTED)] == [Mathematics.VALID, Mathematics.VALID]
    again = sign(signed, KEY, signee="one", now=NOW + timedelta(days=1))
    assert [verdict.signee for verdict in verdicts(again, NOW, TRUSTED)] == ["two", "one"]
    turned = {**again, "signatures": again["signatures"][::-1]}
    assert all(verdict.mathematics is Mathematics.VALID for verdict in verdicts(turned, NOW, TRUSTED))


def test_times_and_revocation():
    signed = sign(small(), KEY, signee="x", now=NOW, valid_until=NOW + timedelta(days=1))
    assert one(signed).good
    assert one(signed, NOW - timedelta(seconds=1)).window is Window.NOT_YET
    assert one(signed, NOW + timedelta(days=1)).window is Window.ENDED
    for said, window in ((True, Window.REVOKED), ("no", Window.REVOKED), (False, Window.OPEN)):
        revoked = copy.deepcopy(signed)
        revoked["signatures"][0]["revoked"] = said
        assert one(revoked).window is window
    wrong = copy.deepcopy(signed)
    wrong["signatures"][0]["valid_until"] = "soon"
    assert one(wrong).window is Window.UNREADABLE


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda made: made.update(algorithm="XMSS-SHA2_10_256"), "XMSS"),
        (lambda made: made.update(algorithm="LMS_SHA256_M32_H5"), "LMS"),
        (lambda made: made.update(algorithm="RS256"), "not one for its key"),
        (lambda made: made.update(algorithm="none"), "not known"),
        (lambda made: made.update(hash_algorithm="md5"), "hash"),
        (lambda made: made.update(signature={"type": "jss"}), "countersign"),
        (lambda made: (made.pop("public_key"), made.update(cert_url="http://127.0.0.1/cert")), "nothing is fetched"),
        (lambda made: (made.pop("public_key"), made.update(thumbprint="00")), "thumbprint"),
        (lambda made: made.update(cert_url="x"), "exactly one"),
        (lambda made: made.pop("public_key"), "exactly one"),
        (lambda made: made.update(public_key="AAAA"), "cannot be read"),
        (lambda made: made.update(public_key=5), "cannot be read"),
        (lambda made: made.pop("value"), "no value"),
        (lambda made: (made.pop("public_key"), made.update(public_cert_chain=["x"])), "certificate"),
    ],
)
def test_what_cannot_be_computed_is_not_verified_and_never_valid(change, said):
    signed = sign(small(), KEY, signee="x", now=NOW)
    change(signed["signatures"][0])
    verdict = one(signed)
    assert verdict.mathematics is Mathematics.NOT_VERIFIED
    assert said in verdict.because
    assert not verdict.good


def test_weak_keys_prove_nothing():
    weak = rsa.generate_private_key(65_537, 1024)  # noqa: S505 - weak on purpose
    verdict = one(sign(small(), weak, signee="x", now=NOW, algorithm="RS256"))
    assert (verdict.mathematics, "1024 bits" in verdict.because) == (Mathematics.NOT_VERIFIED, True)


def test_a_number_that_canonical_json_cannot_write_is_not_verified():
    signed = sign(small(), KEY, signee="x", now=NOW)
    assert one({**signed, "x": 2**60}).mathematics is Mathematics.NOT_VERIFIED
    with pytest.raises(InputError, match="canonical"):
        sign(small(x=2**60), KEY, signee="x", now=NOW)


def test_a_certificate_and_a_thumbprint_stand_for_the_key():
    signed = sign(small(), KEY, signee="x", now=NOW)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "x")])
    made = x509.CertificateBuilder(name, name, KEY.public_key(), 1, NOW, NOW + timedelta(days=9)).sign(KEY, None)
    chained = copy.deepcopy(signed)
    signature = chained["signatures"][0]
    del signature["public_key"], signature["value"]
    signature["public_cert_chain"] = [base64.b64encode(made.public_bytes(serialization.Encoding.DER)).decode()]
    signature["value"] = base64.urlsafe_b64encode(KEY.sign(digest_text(chained, signature).encode())).decode().rstrip("=")
    assert one(chained).good
    printed = copy.deepcopy(signed)
    signature = printed["signatures"][0]
    del signature["public_key"], signature["value"]
    signature["thumbprint"] = next(iter(TRUSTED))
    signature["value"] = base64.urlsafe_b64encode(KEY.sign(digest_text(printed, signature).encode())).decode().rstrip("=")
    assert one(printed).good
    assert one(printed, trusted={}).mathematics is Mathematics.NOT_VERIFIED


def test_policies():
    signed = sign(small(), KEY, signee="x", now=NOW)
    good, wrong = verdicts(signed, NOW, TRUSTED), verdicts({**signed, "name": "y"}, NOW, TRUSTED)
    assert [policy_fault(policy, good) for policy in Policy] == ["", "", ""]
    assert [policy_fault(policy, ()) == "" for policy in Policy] == [True, True, False]
    assert [policy_fault(policy, wrong) == "" for policy in Policy] == [True, False, False]
    assert [policy_fault(policy, verdicts(signed, NOW, {})) == "" for policy in Policy] == [True, True, False]


def test_keys_are_read_from_pem_and_der():
    pem = KEY.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()
    assert trusted_key(pem) == trusted_key(base64.b64encode(der_of(KEY.public_key())).decode()) == next(iter(TRUSTED.items()))
    with pytest.raises(InputError, match="no public key"):
        trusted_key("x")
    with pytest.raises(InputError, match="algorithm"):
        sign(small(), KEY, signee="x", now=NOW, algorithm="RS256")
    with pytest.raises(InputError, match="id"):
        sign({}, KEY, signee="x", now=NOW)
    assert hashes.SHA256.digest_size == 32
