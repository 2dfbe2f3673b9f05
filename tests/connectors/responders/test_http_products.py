"""SCIM, host isolation, Frigate, tickets and guards: each through the gateway once, and each with peers that lie."""

import json
import re
from dataclasses import replace
from hashlib import sha256
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from watchword.kit.errors import InputError
from watchword.model.action import Action

HOST, CAMERA = "asset:ws-1", "asset:cam-1"
SPAN = {"since": "2026-03-02T11:00:00Z", "until": "2026-03-02T11:01:00Z"}
CLIP = b"\x00\x00\x00 ftypisom" + bytes(range(256)) * 40


class Provider:
    """A SCIM 2.0 identity provider, as much of it as RFC 7644 asks of one user."""

    def __init__(self) -> None:
        self.user = {"id": "u/1", "userName": "Lena", "active": True, "meta": {"version": 'W/"1"'}, "urn:x:Ext": {"factor": "none"}}
        self.deaf, self.extra = False, []

    def __call__(self, method, path, body, headers):
        if headers.get("authorization") != "Bearer correct horse battery":
            return 401, {"detail": "no token"}
        parts = urlsplit(path)
        if method == "GET" and parts.path == "/ServiceProviderConfig":
            return 200, {"patch": {"supported": True}}
        if method == "GET":
            name = json.loads(re.fullmatch(r"userName eq (.*)", parse_qs(parts.query)["filter"][0])[1])
            return 200, {"Resources": [each for each in [self.user, *self.extra] if each["userName"].lower() == name.lower()]}
        assert unquote(parts.path) == "/Users/u/1"
        assert "u%2F1" in parts.path
        if headers["if-match"] != self.user["meta"]["version"]:
            return 412, {}
        said = json.loads(body)
        assert said["schemas"] == ["urn:ietf:params:scim:api:messages:2.0:PatchOp"]
        [operation] = said["Operations"]
        if operation["path"] == "active" and not self.deaf:
            self.user["active"] = operation["value"]
        elif operation["path"].startswith("urn:x:Ext:"):
            self.user["urn:x:Ext"][operation["path"].rpartition(":")[2]] = operation["value"]
        return 204, b""


@pytest.fixture
def provider(product):
    product.answer = Provider()
    return product.answer


@pytest.fixture
def scim(make, product, provider, secret):
    own = {"account.require_step_up": {"path": "urn:x:Ext:factor", "value": "always"}}
    return make("scim_identity", url=product.url, token_file=str(secret), own=own, never=["root"])


def test_scim_disables_and_enables_an_account(scim, provider, perform):
    assert perform(scim, "account.disable", "account:lena").verified is True
    assert provider.user["active"] is False
    assert "already" in scim.do(Action("account.disable", "account:lena", key="k3")).said
    assert perform(scim, "account.enable", "account:lena", "k2").verified is True
    assert perform(scim, "account.require_step_up", "account:lena", "k4").verified is True
    assert not scim.serves(Action("account.end_sessions", "account:lena", key="k"))
    assert "answers" in scim.reach()


def test_scim_means_one_account_only_and_shows_no_token(scim, provider, product):
    assert scim.do(Action("account.disable", 'account:x" or userName pr', key="k")).code == "no-account"
    provider.extra = [{**provider.user, "id": "u2"}]
    assert scim.do(Action("account.disable", "account:lena", key="k")).code == "no-account"
    assert scim.do(Action("account.disable", "account:root", key="k")).code == "protected"
    product.requests.clear()
    said = scim.do(Action("account.disable", "account:lena", key="k"), dry_run=True).said
    assert "PatchOp" in said
    assert "horse" not in said
    assert product.requests == []


def test_a_provider_that_lies_or_has_no_token_of_ours_is_found_out(scim, provider, perform, secret):
    provider.deaf = True
    assert perform(scim, "account.disable", "account:lena").code == "read-back"
    secret.write_text("another")
    assert scim.do(Action("account.disable", "account:lena", key="k")).code == "http-401"


def test_wazuh_is_told_to_isolate_one_agent_and_the_outcome_says_that_nothing_was_read(make, product, secret, perform):
    product.answer = lambda *_: (200, {"data": {"affected_items": ["007"]}, "error": 0})
    host = make(
        "host_webhook",
        template="wazuh",
        url=product.url,
        secret_file=str(secret),
        token_file=str(secret),
        hosts={HOST: "007"},
        isolate="!cut",
    )
    outcome = perform(host, "host.isolate", HOST)
    assert (outcome.status, outcome.verified) == ("done", None), outcome
    [request] = product.requests
    assert (request["method"], request["path"]) == ("PUT", "/active-response?agents_list=007")
    assert request["headers"]["authorization"] == "Bearer correct horse battery"
    said = json.loads(request["body"])
    assert said["command"] == "!cut"
    assert said["alert"]["data"]["watchword"]["command"] == "add"
    assert not host.serves(Action("host.isolate", "asset:other", key="k"))
    with pytest.raises(InputError, match="no id of this product"):
        make("host_webhook", template="wazuh", url=product.url, secret_file=str(secret), hosts={HOST: "007,all"})


def test_wazuh_that_takes_the_request_but_fails_the_agent_is_not_taken_for_done(make, product, secret):
    product.answer = lambda *_: (
        200,
        {"data": {"affected_items": [], "failed_items": [{"id": ["007"]}]}, "error": 1, "message": "agent away"},
    )
    host = make("host_webhook", template="wazuh", url=product.url, secret_file=str(secret), hosts={HOST: "007"})
    outcome = host.do(Action("host.isolate", HOST, key="k"))
    assert (outcome.status, outcome.code) == ("failed", "not-done")


def test_a_plain_host_webhook_is_read_back(make, product, secret, perform):
    state = {"isolated": False}

    def answer(method, path, body, headers):
        if method == "POST":
            state["isolated"] = json.loads(body)["verb"] == "host.isolate"
        return 200, dict(state)

    product.answer = answer
    host = make("host_webhook", url=product.url, secret_file=str(secret), hosts={HOST: "ws 1/x"}, reads=True)
    assert perform(host, "host.isolate", HOST).verified is True
    assert product.requests[-1]["path"] == "/hosts/ws%201%2Fx"
    assert perform(host, "host.release", HOST, "k2").verified is True


class Recorder:
    """Frigate: clips and exports."""

    def __init__(self) -> None:
        self.exports, self.clip, self.writing = [], CLIP, False

    def __call__(self, method, path, body, headers):  # noqa: ARG002 - the server asks so
        if path == "/api/version":
            return 200, b"0.17.1"
        if path == "/api/exports":
            return 200, self.exports
        if method == "GET" and path.endswith("/clip.mp4"):
            return 200, self.clip
        found = re.fullmatch(r"/api/export/(\w+)/start/([\d.]+)/end/([\d.]+)", path)
        self.exports.append({"id": "x", "camera": found[1], "name": json.loads(body)["name"], "in_progress": self.writing})
        return 200, {"success": True, "message": "Starting export of recording.", "export_id": "x"}


@pytest.fixture
def recorder(product):
    product.answer = Recorder()
    return product.answer


@pytest.fixture
def kept():
    return []


@pytest.fixture
def frigate(make, parts, product, recorder, kept):
    def keep(clip):
        kept.append((clip, clip.path.read_bytes()))
        return "e1"

    return make("frigate", replace(parts, keep_clip=keep), url=product.url, cameras={CAMERA: "lobby"}, time="3s")


def test_a_clip_comes_into_evidence_as_it_is_with_its_hash(frigate, kept, perform, parts):
    outcome = perform(frigate, "camera.fetch_clip", CAMERA, parameters=SPAN)
    assert (outcome.status, outcome.verified) == ("done", None), outcome
    [(clip, found)] = kept
    assert found == CLIP
    assert clip.sha256 == sha256(CLIP).hexdigest()
    assert clip.sha256 in outcome.said
    assert list(parts.folder.iterdir()) == []


def test_no_clip_is_no_evidence(frigate, recorder, kept, parts, product):
    recorder.clip = b"short"
    assert frigate.do(Action("camera.fetch_clip", CAMERA, SPAN, key="k")).code == "no-clip"
    product.hang()
    assert frigate.do(Action("camera.lock_recording", CAMERA, SPAN, key="k")).code == "timeout"
    assert frigate.do(Action("camera.fetch_clip", CAMERA, {**SPAN, "until": "2026-03-09T11:00:00Z"}, key="k")).code == "bad-value"
    assert kept == []
    assert list(parts.folder.iterdir()) == []


def test_a_recording_is_locked_once_and_read_back(frigate, recorder, perform):
    recorder.writing = True
    assert perform(frigate, "camera.lock_recording", CAMERA, parameters=SPAN).verified is None
    recorder.exports[0]["in_progress"] = False
    action = Action("camera.lock_recording", CAMERA, SPAN, key="k2")
    assert frigate.read(action) == {"recording": "locked"}
    assert "already" in frigate.do(action).said
    assert len(recorder.exports) == 1
    recorder.exports.clear()
    assert frigate.read(action) == {"recording": "rolling"}
    assert "0.17.1" in frigate.reach()


def test_without_an_evidence_store_no_clip_is_promised(make, product):
    given = make("frigate", url=product.url, cameras={CAMERA: "lobby"})
    assert not given.serves(Action("camera.fetch_clip", CAMERA, SPAN, key="k"))


def test_a_ticket_is_opened_once_per_key_and_read_back(make, product, secret, perform):
    tickets: dict[str, int] = {}

    def answer(method, path, body, headers):
        if method == "GET":
            found = tickets.get(unquote(path.rpartition("/")[2]))
            return (200, {"ticket": found}) if found else (404, {})
        return 201, {"ticket": tickets.setdefault(headers["idempotency-key"], 41)}

    product.answer = answer
    desk = make("ticket_webhook", url=product.url, secret_file=str(secret), queues={"it-desk": "Q1"}, reads=True)
    action = Action("ticket.open", "it-desk", {"title": "Ünknown device"}, key="κ1")
    assert desk.read(action) == {"ticket": "none"}
    outcome = perform(desk, "ticket.open", "it-desk", parameters={"title": "Unknown device"})
    assert outcome.verified is True, outcome
    assert desk.do(action).status == desk.do(action).status == "done"
    assert len(tickets) == 2
    product.answer = lambda *_: (200, {})
    assert desk.do(action).code == "bad-answer"


class Desk:
    def __init__(self) -> None:
        self.sent, self.by = [], ""

    def send(self, action):
        self.sent.append(action)
        return "the guards of the site are called"

    def accepted(self, action):  # noqa: ARG002 - the desk's interface
        return self.by


def test_a_guard_is_sent_and_only_an_acceptance_is_an_acceptance(make, parts, perform, world):
    desk = Desk()
    guard = make("guard", replace(parts, guards=desk))
    outcome = perform(guard, "guard.dispatch", "harbour/main/0/lobby", parameters={"task": "look"})
    assert (outcome.status, outcome.verified) == ("done", None), outcome
    desk.by = "gus"
    assert guard.read(desk.sent[0]) == {"task": "accepted"}
    assert make("guard").do(desk.sent[0]).code == "no-desk"
