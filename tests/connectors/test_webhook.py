"""Webhooks: who may deliver, what is taken, what is refused and why."""

import base64
import gzip
import hashlib
import hmac
import tracemalloc
import zlib
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watchword.connectors.webhook import MAX_UNPACKED, WebhookSecrets, read, signing_key_of
from watchword.kit.errors import Forbidden, InputError, WatchwordError
from watchword.kit.secrets import sign, token_digest

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
KEY = b"0123456789abcdef"
TOKEN = WebhookSecrets(token_digest=token_digest("let-me-in"))
SIGNED = WebhookSecrets(signing_key=KEY)
BEARER = {"Authorization": "Bearer let-me-in"}


def standard(body: bytes, at: datetime = NOW, identity: str = "msg_1", key: bytes = KEY) -> dict[str, str]:
    stamp = str(int(at.timestamp()))
    mac = hmac.new(key, f"{identity}.{stamp}.".encode() + body, hashlib.sha256).digest()
    return {"webhook-id": identity, "Webhook-Timestamp": stamp, "webhook-signature": "v1a,zz v1," + base64.b64encode(mac).decode()}


def test_the_published_standard_webhooks_vector_fits() -> None:
    body = b'{"test": 2432232314}'
    key = signing_key_of("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    headers = {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }
    (item,) = read(body, headers, WebhookSecrets(signing_key=key), datetime.fromtimestamp(1614265330, UTC))
    assert item.body == body


def test_a_token_lets_in_objects_arrays_and_lines() -> None:
    assert [item.body for item in read(b'{"a":  1}', BEARER, TOKEN, NOW)] == [b'{"a":  1}']
    assert [item.body for item in read(b'{\n "a": 1\n}', BEARER, TOKEN, NOW)] == [b'{\n "a": 1\n}']
    assert [item.body for item in read(b'[{"b":1,"a":2}, {"c":3}]', BEARER, TOKEN, NOW)] == [b'{"b":1,"a":2}', b'{"c":3}']
    assert [item.body for item in read(b'{"a":1}\r\n\n{"b":2}\nbroken', BEARER, TOKEN, NOW)] == [b'{"a":1}', b'{"b":2}', b"broken"]


def test_a_delivery_sent_again_gives_the_same_ids() -> None:
    body = b'{"a":1}\n{"a":1}'
    first = read(body, standard(body), SIGNED, NOW)
    again = read(body, standard(body, NOW + timedelta(minutes=3)), SIGNED, NOW + timedelta(minutes=3))
    assert [item.id for item in first] == [item.id for item in again]
    assert len({item.id for item in first}) == 2


def test_a_plain_signature_over_the_raw_bytes() -> None:
    body = b'{"a":1}'
    for name in ("X-Signature", "X-Hub-Signature-256"):
        assert read(body, {name: "sha256=" + sign(KEY, body).upper()}, SIGNED, NOW)[0].body == body
    stamped = {"X-Timestamp": str(int(NOW.timestamp()))}
    signature = sign(KEY, stamped["X-Timestamp"].encode() + b"." + body)
    assert read(body, {**stamped, "X-Signature": "sha256=" + signature}, SIGNED, NOW)[0].body == body


@pytest.mark.parametrize(
    ("headers", "secrets", "words"),
    [
        ({}, WebhookSecrets(), "no token and no signing key"),
        ({}, TOKEN, "no token; send"),
        ({"Authorization": "Bearer wrong"}, TOKEN, "not this source's"),
        ({"Authorization": "Basic bGV0LW1lLWlu"}, TOKEN, "no token"),
        (BEARER, SIGNED, "not signed"),
        ({"X-Signature": "sha256=00"}, SIGNED, "does not fit"),
        ({"X-Signature": "sha1=" + "0" * 40}, SIGNED, "does not fit"),
        ({"X-Signature": "sha256=ü"}, SIGNED, "does not fit"),
        ({"webhook-signature": "v1,xx"}, SIGNED, "are wanted beside"),
        (standard(b"{}", key=b"other"), SIGNED, "does not fit"),
        (standard(b'{"forged":1}'), SIGNED, "does not fit"),
        (standard(b"{}", NOW - timedelta(minutes=6)), SIGNED, "300 s off"),
        (standard(b"{}", NOW + timedelta(minutes=6)), SIGNED, "300 s off"),
        ({**standard(b"{}"), "Webhook-Timestamp": "soon"}, SIGNED, "no number of seconds"),
        ({**standard(b"{}"), "Authorization": "Bearer wrong"}, WebhookSecrets(token_digest("t"), KEY), "not this source's"),
    ],
)
def test_who_cannot_prove_it_is_refused(headers: dict[str, str], secrets: WebhookSecrets, words: str) -> None:
    with pytest.raises(Forbidden, match=words):
        read(b"{}", headers, secrets, NOW)


def test_packed_bodies_are_unpacked() -> None:
    body = b'{"a":1}'
    for packed in (gzip.compress(body), gzip.compress(body[:3]) + gzip.compress(body[3:])):
        assert read(packed, {**BEARER, "Content-Encoding": "gzip"}, TOKEN, NOW)[0].body == body
    assert read(zlib.compress(body), {**BEARER, "Content-Encoding": "deflate"}, TOKEN, NOW)[0].body == body


def test_a_bomb_is_refused_before_it_fills_the_memory() -> None:
    packer = zlib.compressobj(9, wbits=31)
    bomb = b"".join([packer.compress(b"0" * (1 << 20)) for _ in range(256)] + [packer.flush()])
    assert len(bomb) < 2 << 20
    tracemalloc.start()
    with pytest.raises(InputError, match="unpacks to more than"):
        read(bomb, {**BEARER, "Content-Encoding": "gzip"}, TOKEN, NOW)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < MAX_UNPACKED * 2


@pytest.mark.parametrize(
    ("body", "encoding", "words"),
    [
        (b"", "", "is empty"),
        (b"[1,", "", "no valid JSON"),
        (b"x" * (17 << 20), "", "send it in parts"),
        (b'{"a":"' + b"x" * (2 << 20) + b'"}', "", "record 1 has"),
        (b"{}", "gzip", "no valid gzip"),
        (gzip.compress(b"{}" * 5000, mtime=0)[:-12], "gzip", "ends early"),  # a time would stand in the test's id
        (b"{}", "br", "not understood"),
        (b"[" + b"{}," * 60_000 + b"{}]", "", "60001 records"),
    ],
)
def test_bodies_that_cannot_be_taken_say_why(body: bytes, encoding: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        read(body, {**BEARER, "content-encoding": encoding}, TOKEN, NOW)


@settings(max_examples=80, deadline=None)
@given(
    st.binary(max_size=200),
    st.dictionaries(
        st.sampled_from(
            ["authorization", "webhook-id", "webhook-timestamp", "webhook-signature", "x-signature", "x-timestamp", "content-encoding"]
        ),
        st.text(max_size=30),
    ),
)
def test_nothing_unsigned_gets_in_and_nothing_else_is_raised(body: bytes, headers: dict[str, str]) -> None:
    with pytest.raises(Forbidden):
        read(body, headers, SIGNED, NOW)
    try:
        read(body, {**headers, "authorization": BEARER["Authorization"]}, TOKEN, NOW)
    except WatchwordError:
        return
