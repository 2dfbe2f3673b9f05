"""Doors behind a signed webhook: signatures, idempotency, read-back; peers that hang, lie, redirect; the interlock before all."""

import base64
import hmac
import json
import time
from hashlib import sha256

import pytest

from watchword.kit.errors import InputError
from watchword.model.action import Action

D1, D2, D3 = (f"harbour/doors/D-{number}" for number in (1, 2, 3))
CARD = "badge:5f2e"


class Doors:
    """A door system that speaks the documented webhook: checks the signature itself, acts once per key."""

    def __init__(self, key: bytes) -> None:
        self.key, self.seen = key, {}
        self.doors = {"17": {"ingress": "normal", "egress": "free"}, "18": {"ingress": "normal", "egress": "free"}}
        self.cards = {"4711": {"state": "active"}}
        self.effects, self.lies = 0, False

    def __call__(self, method, path, body, headers):
        payload = body if method == "POST" else f"{method} {path}".encode()
        text = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + payload
        if headers["webhook-signature"] != "v1," + base64.b64encode(hmac.new(self.key, text, sha256).digest()).decode():
            return 401, {"error": "signature"}
        if method == "GET":
            kind, _, name = path.strip("/").partition("/")
            if kind == "health":
                return 200, {"status": "ok"}
            return (200, found) if (found := {"doors": self.doors, "credentials": self.cards}[kind].get(name)) else (404, {})
        said = json.loads(body)
        assert headers["idempotency-key"] == headers["webhook-id"] == said["key"]
        if said["key"] not in self.seen:
            self.seen[said["key"]] = {"done": True, "said": "as you wish"}
            self.effects += 1
            if not self.lies:
                self._act(said)
        return 200, self.seen[said["key"]]

    def _act(self, said):
        match said["verb"]:
            case "door.secure_ingress":
                assert said["egress"] == "free"
                assert said["until"]
                for door in said["doors"]:
                    self.doors[door]["ingress"] = "secured"
            case "door.release_ingress":
                for door in said["doors"]:
                    self.doors[door]["ingress"] = "normal"
            case "credential.suspend":
                self.cards[said["credential"]]["state"] = "suspended"
            case "credential.reinstate":
                self.cards[said["credential"]]["state"] = "active"


@pytest.fixture
def doors(product):
    product.answer = Doors(b"correct horse battery")
    return product.answer


@pytest.fixture
def options(product, doors, secret):
    return {"url": product.url, "secret_file": str(secret), "doors": {D1: "17", D2: "18"}, "credentials": {CARD: "4711"}}


@pytest.fixture
def responder(make, options):
    return make("door_webhook", **options)


def test_the_gateway_secures_a_door_once_reads_it_back_and_releases_it(responder, doors, perform, world):
    outcome = perform(responder, "door.secure_ingress", D2)
    assert (outcome.status, outcome.verified, outcome.observed) == ("done", True, {"ingress": "secured", "egress": "free"})
    assert perform(responder, "door.secure_ingress", D2) == outcome
    assert doors.effects == 1
    assert perform(responder, "door.release_ingress", D2, "k2").verified is True
    assert doors.doors["18"]["ingress"] == "normal"


def test_with_fire_nothing_is_sent(responder, product, perform, world):
    world.burn()
    outcome = perform(responder, "door.secure_ingress", D2)
    assert (outcome.status, outcome.code) == ("refused", "fire-alarm")
    assert product.requests == []


def test_a_credential_is_suspended_and_reinstated(responder, doors, perform):
    assert perform(responder, "credential.suspend", CARD).verified is True
    assert doors.cards["4711"] == {"state": "suspended"}
    assert perform(responder, "credential.reinstate", CARD, "k2").verified is True


def test_a_zone_is_served_only_when_every_door_is_known(responder):
    zone = Action("zone.secure_ingress", "z", {"doors": f"{D1} {D2}"}, key="k")
    assert responder.serves(zone)
    assert not responder.serves(Action("zone.secure_ingress", "z", {"doors": f"{D1} {D3}"}, key="k"))
    assert not responder.serves(Action("zone.secure_ingress", "z", {}, key="k"))
    assert not responder.serves(Action("door.secure_ingress", D3, key="k"))
    assert responder.do(zone).status == "done"
    assert responder.read(zone) == {"ingress": "secured", "egress": "free"}
    assert responder.do(Action("door.release_ingress", D1, key="k2")).status == "done"
    assert responder.read(zone)["ingress"] == "mixed"


def test_a_dry_run_sends_nothing_and_shows_no_secret(responder, product):
    said = responder.do(Action("door.secure_ingress", D1, key="k"), dry_run=True)
    assert said.status == "done"
    assert '"doors":["17"]' in said.said
    assert "horse" not in said.said
    assert product.requests == []


def test_a_door_system_that_lies_is_found_out(responder, doors, perform):
    doors.lies = True
    outcome = perform(responder, "door.secure_ingress", D2)
    assert (outcome.status, outcome.code, outcome.verified) == ("failed", "read-back", False)


def test_a_peer_that_hangs_is_left_in_time_and_is_never_taken_for_done(make, options, product, perform):
    product.hang()
    responder = make("door_webhook", **options, time="1s")
    began = time.monotonic()
    outcome = responder.do(Action("door.secure_ingress", D1, key="k"))
    assert (outcome.status, outcome.code) == ("unknown", "timeout")
    assert time.monotonic() - began < 10
    outcome = perform(responder, "credential.suspend", CARD)
    assert (outcome.status, outcome.verified) == ("unknown", None)


@pytest.mark.parametrize(
    ("answer", "status", "code"),
    [
        ((403, {"error": "no"}), "failed", "http-403"),
        ((500, {"error": "oops"}), "unknown", "http-500"),
        ((302, ({}, {"Location": "http://127.0.0.1:1/elsewhere"})), "unknown", "http-302"),
        ((200, b"<html>"), "unknown", "bad-answer"),
        ((200, b"[" * 100_000), "unknown", "bad-answer"),
        ((200, b"x" * (2 << 20)), "unknown", "too-long"),
        ((200, ({"done": True}, {"Content-Encoding": "gzip"})), "unknown", "bad-answer"),
        ((200, {"done": False, "said": "door\x07 held\nopen"}), "unknown", "not-done"),
        ((202, {}), "unknown", "accepted"),
    ],
)
def test_whatever_a_peer_answers_is_an_outcome_with_its_code(responder, product, answer, status, code):
    product.answer = lambda *_: answer
    outcome = responder.do(Action("credential.suspend", CARD, key="k"))
    assert (outcome.status, outcome.code) == (status, code)
    assert outcome.said.isprintable()
    assert len(outcome.said) < 400
    assert len(product.requests) == 1


def test_a_read_back_says_only_words_that_are_known(responder, product):
    product.answer = lambda *_: (200, {"ingress": "secured; rm -rf /", "egress": 7, "mood": "good"})
    assert responder.read(Action("door.secure_ingress", D1, key="k")) == {}
    product.answer = lambda *_: (500, {})
    assert responder.read(Action("door.secure_ingress", D1, key="k")) is None


def test_nobody_there_and_no_secret_are_failures_before_anything_was_sent(make, product, secret, tmp_path):
    product.close()
    responder = make("door_webhook", url=product.url, secret_file=str(secret), doors={D1: "17"})
    outcome = responder.do(Action("door.secure_ingress", D1, key="k"))
    assert (outcome.status, outcome.code) == ("failed", "unreachable")
    secret.unlink()
    assert responder.do(Action("door.secure_ingress", D1, key="k")).code == "secret"


def test_ids_in_a_file_are_read_again_when_it_changes(make, product, doors, secret, tmp_path):
    path = tmp_path / "cards.csv"
    path.write_text(f"uid,id\n{CARD},4711\n")
    responder = make("door_webhook", url=product.url, secret_file=str(secret), credentials_file="cards.csv")
    assert responder.serves(Action("credential.suspend", CARD, key="k"))
    path.write_text("uid,id\nbadge:other,4711\n")
    assert not responder.serves(Action("credential.suspend", CARD, key="k"))
    path.write_text("uid,id\nbroken\n")
    assert responder.serves(Action("credential.suspend", "badge:other", key="k"))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"url": "http://10.0.0.9/x"}, "would send secrets in clear"),
        ({"url": "https://user:pw@doors.example"}, "without user, password"),
        ({"url": "file:///etc/passwd"}, "write an address"),
        ({"url": "https://doors.example", "secret": "hunter2"}, "does not stand in the settings"),
        ({"url": "https://doors.example"}, "name the file that holds it"),
        ({"url": "https://doors.example", "secret_env": "X", "colour": "red"}, "no option 'colour'"),
        ({"url": "https://doors.example", "secret_env": "WATCHWORD_X"}, "does not look right"),
        ({"url": "https://doors.example", "secret_env": "X", "time": "1h"}, "out of bounds"),
        ({"url": "https://doors.example", "secret_env": "X", "doors": {D1: 7}}, "table of texts"),
        ({"url": "https://doors.example", "secret_env": "X", "doors_file": "none.csv"}, "there is no file"),
    ],
)
def test_a_wrong_option_is_named_when_the_settings_are_read(make, options, said):
    with pytest.raises(InputError, match=said) as caught:
        make("door_webhook", **options)
    assert "hunter2" not in str(caught.value)


def test_it_says_whether_it_is_reached(responder, product):
    assert "answers" in responder.reach()
