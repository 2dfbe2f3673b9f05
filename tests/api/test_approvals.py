"""Actions and approvals over HTTP: what was shown is what is agreed to, by a person with a password, never by the one who asks."""

import pytest

from watchword.kit.ids import random_uid
from watchword.respond.ports import FireFact, FireState

V1 = "/api/v1"
PASSWORD = "correct horse battery staple"
BLOCK = {"verb": "address.block", "target": "203.0.113.9", "lasts": "2h"}


class Burning:
    """Every building burns."""

    @staticmethod
    def fire(building):
        return FireFact(building, FireState.ALARM)


@pytest.fixture
def ivo(token):
    return token("respond", "read", "approve", account="ivo")


@pytest.fixture
def mia(token):
    return token("respond", "read", "approve", account="mia")


@pytest.fixture
def asked(client, ivo, opened):
    """Ask for a block and return the request's uid."""

    def make(target="203.0.113.9", **more):
        body = {**BLOCK, "target": target, "incident": opened(), "reason": "it scans us", **more}
        answer = client.post(f"{V1}/actions", json=body, headers=ivo)
        assert answer.status_code == 202, answer.text
        assert answer.json()["outcome"] is None, answer.text
        return answer.json()["approval"]

    return make


def test_the_catalogue_names_no_verb_that_holds_people_in(client, ivo):
    verbs = {each["name"]: each for each in client.get(f"{V1}/actions/catalogue", headers=ivo).json()["items"]}
    assert not [name for name in verbs if "egress" in name]
    assert verbs["door.secure_ingress"]["life_safety"] == "securing"
    assert verbs["door.secure_ingress"]["approval"].startswith("2 people from 2 teams")
    assert verbs["address.block"]["undo"] == "address.unblock"


def test_a_look_sends_nothing(client, ivo, problem, house, monkeypatch):
    before = len(house.response.gateway.deeds.search())
    seen = client.post(f"{V1}/previews", json=BLOCK, headers=ivo).json()
    assert seen["clear"] is True
    assert seen["preview"]["action"]["target"] == "203.0.113.9"
    body = {"verb": "door.secure_ingress", "target": house.registry.directory().doors()[0].uid, "lasts": "1h"}
    monkeypatch.setattr(house.response.gateway, "safety", Burning())
    refused = client.post(f"{V1}/previews", json=body, headers=ivo).json()
    assert refused["clear"] is False
    assert [each["code"] for each in refused["preview"]["refusals"]] == ["fire-alarm"]
    problem(client.post(f"{V1}/previews", json={**BLOCK, "verb": "door.lock_egress"}, headers=ivo), 404, "not-found")
    problem(client.post(f"{V1}/previews", json={**BLOCK, "lasts": "long"}, headers=ivo), 422, "invalid")
    assert len(house.response.gateway.deeds.search()) == before


def test_the_interlock_refuses_over_the_api_too(client, ivo, house, opened, monkeypatch):
    monkeypatch.setattr(house.response.gateway, "safety", Burning())
    door = house.registry.directory().doors()[0].uid
    body = {"verb": "door.secure_ingress", "target": door, "lasts": "1h", "incident": opened(), "reason": "a thief inside"}
    made = client.post(f"{V1}/actions", json=body, headers=ivo)
    assert made.status_code == 202, made.text
    assert made.json()["outcome"]["status"] == "refused"
    assert made.json()["approval"] == ""


def test_who_may(client, token, problem, asked):
    reader = token("read")
    problem(client.post(f"{V1}/actions", json={**BLOCK, "reason": "why not"}, headers=reader), 403, "forbidden")
    problem(client.get(f"{V1}/approvals"), 401, "unauthenticated")
    uid = asked()
    body = {"answer": "agree", "digest": "0" * 64, "shown": "x", "password": PASSWORD}
    problem(client.post(f"{V1}/approvals/{uid}/answer", json=body, headers=token("respond", account="mia")), 403, "forbidden")
    problem(client.get(f"{V1}/approvals/{random_uid()}", headers=reader), 404, "not-found")
    assert client.post(f"{V1}/approvals/{uid}/glass", json={}, headers=token("approve", account="mia")).status_code == 404


def test_a_token_alone_agrees_to_nothing(clients, ivo, mia, problem, asked, house):
    client, uid = clients("10.2.0.1"), asked()
    shown = client.get(f"{V1}/approvals/{uid}", headers=mia).json()
    assert shown["words"]
    assert shown["preview"]["action"]["target"] == "203.0.113.9"
    assert shown["approval"]["asked_by"] == "ivo (token test)"
    answer = {"answer": "agree", "digest": shown["approval"]["digest"], "shown": shown["shown"]}
    there = f"{V1}/approvals/{uid}/answer"
    assert "password" in problem(client.post(there, json=answer, headers=mia), 403, "forbidden")["detail"]
    problem(client.post(there, json={**answer, "password": "guess"}, headers=mia), 403, "forbidden")
    problem(client.post(there, json={**answer, "password": PASSWORD, "glass": True}, headers=mia), 422, "invalid")
    with_word = {**answer, "password": PASSWORD}
    problem(client.post(there, json={**with_word, "digest": "0" * 64}, headers=mia), 409, "conflict")
    problem(client.post(there, json={**with_word, "shown": shown["shown"].replace("2026", "2025")}, headers=mia), 409, "conflict")
    own = client.get(f"{V1}/approvals/{uid}", headers=ivo).json()
    mine = {**with_word, "shown": own["shown"]}
    assert "whoever asks" in problem(client.post(there, json=mine, headers=ivo), 403, "forbidden")["detail"]
    assert house.response.approvals.get(uid).votes == ()
    done = client.post(there, json=with_word, headers=mia)
    assert done.status_code == 200, done.text
    assert done.json()["approval"]["state"] == "granted"
    assert done.json()["outcome"]["status"] == "done"
    assert done.json()["outcome"]["verified"] is True
    assert [vote["account"] for vote in done.json()["approval"]["votes"]] == ["mia"]
    problem(client.post(there, json=with_word, headers=mia), 409, "conflict")


def test_a_veto_needs_its_reason_and_a_fresh_session_needs_no_password(client, session, problem, asked):
    uid, mia = asked(), session("mia")
    shown = client.get(f"{V1}/approvals/{uid}", headers=mia).json()
    answer = {"answer": "stop", "digest": shown["approval"]["digest"], "shown": shown["shown"]}
    problem(client.post(f"{V1}/approvals/{uid}/answer", json=answer, headers=mia), 422, "invalid")
    stopped = client.post(f"{V1}/approvals/{uid}/answer", json={**answer, "reason": "it is our own scanner"}, headers=mia)
    assert stopped.json()["approval"]["state"] == "vetoed"
    assert stopped.json()["outcome"] is None


def test_lists_and_the_same_key(client, ivo, mia, problem, asked, opened):
    incident = opened()
    body = {**BLOCK, "target": "203.0.113.77", "incident": incident, "reason": "it scans us"}
    headers = {**ivo, "Idempotency-Key": "block-77"}
    first, again = (client.post(f"{V1}/actions", json=body, headers=headers).json() for _ in range(2))
    assert first == again
    problem(client.post(f"{V1}/actions", json={**body, "target": "203.0.113.78"}, headers=headers), 422, "key-reused")
    of = client.get(f"{V1}/approvals", params={"incident": incident}, headers=mia).json()["items"]
    assert [each["approval"]["uid"] for each in of] == [first["approval"]]
    assert "1 person" in of[0]["missing"]
    waiting = client.get(f"{V1}/approvals?limit=200", headers=mia).json()["items"]
    assert first["approval"] in [each["approval"]["uid"] for each in waiting]
    one = client.get(f"{V1}/approvals?limit=1", headers=mia)
    assert one.json()["next"]
    assert one.headers["link"].endswith('rel="next"')
    problem(client.get(f"{V1}/approvals?after=xx", headers=mia), 400, "bad-cursor")


def test_a_state_in_force_is_extended_and_released_with_approval(clients, ivo, mia, problem, asked):
    client, uid = clients("10.2.0.2"), asked("203.0.113.40")

    def agree(uid):
        shown = client.get(f"{V1}/approvals/{uid}", headers=mia).json()
        said = {"answer": "agree", "digest": shown["approval"]["digest"], "shown": shown["shown"], "password": PASSWORD}
        answer = client.post(f"{V1}/approvals/{uid}/answer", json=said, headers=mia)
        assert answer.status_code == 200, answer.text
        return answer.json()

    agree(uid)
    held = client.get(f"{V1}/actions", params={"target": "203.0.113.40"}, headers=mia).json()["items"]
    assert len(held) == 1
    url = f"{V1}/actions/{held[0]['uid']}"
    assert client.get(url, headers=mia).json() == held[0]
    problem(client.post(f"{url}/extend", json={"lasts": "4h", "reason": ""}, headers=ivo), 422, "invalid")
    problem(client.post(f"{url}/extend", json={"lasts": "", "reason": "they go on"}, headers=ivo), 422, "invalid")
    longer = {"lasts": "4h", "reason": "they go on"}
    waits = client.post(f"{url}/extend", json=longer, headers=ivo).json()
    assert (bool(waits["approval"]), waits["outcome"]) == (True, None)
    assert client.post(f"{url}/extend", json=longer, headers=ivo).json() == waits
    assert agree(waits["approval"])["outcome"]["said"].startswith("Lasts until")
    once_more = client.post(f"{url}/extend", json=longer, headers=ivo).json()["outcome"]
    assert (once_more["status"], once_more["code"]) == ("refused", "no-longer")
    assert client.get(url, headers=mia).json()["revert_at"] > held[0]["revert_at"]
    released = client.post(f"{url}/release", json={"reason": "over"}, headers=ivo).json()
    assert agree(released["approval"])["outcome"]["status"] == "done"
    assert client.get(f"{V1}/actions", params={"target": "203.0.113.40"}, headers=mia).json()["items"] == []
    every = client.get(f"{V1}/actions", params={"target": "203.0.113.40", "in_force": "false"}, headers=mia).json()["items"]
    assert len(every) == 2
    problem(client.post(f"{url}/release", json={"reason": "again"}, headers=ivo), 404, "not-found")
    problem(client.post(f"{url}/extend", json=longer, headers=ivo), 409, "conflict")
    problem(client.get(f"{V1}/actions/{random_uid()}", headers=ivo), 404, "not-found")
