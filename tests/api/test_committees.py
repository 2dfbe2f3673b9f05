"""Committees and decisions over HTTP: a proposal from draft to decision, who may take part, and what is read of a meeting."""

from datetime import UTC, date, datetime

import pytest
from argon2 import PasswordHasher
from starlette.testclient import TestClient

from watchword.api.application import make_api
from watchword.app.accounts import Passwords, Role
from watchword.app.principal import Permission
from watchword.app.settings import Settings
from watchword.app.watchword import open_watchword
from watchword.govern.body import BodyRules, Member, Seat
from watchword.kit.clock import ManualClock

V1 = "/api/v1"
NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
PEOPLE = {"ivo": (Role.IT_ANALYST, Seat.IT), "otto": (Role.CONTROL_ROOM_OPERATOR, Seat.PHYSICAL), "mia": (Role.MANAGER, Seat.OTHER)}
TEXT = {
    "title": "Badges end with accounts",
    "question": "Is it safe to try?",
    "choice": "An hour after the account.",
    "because": "They stayed on.",
    "review_on": "2026-09-01",
    "expects": {"metric": "two_clock_gap", "direction": "down", "size": 3, "by": "2026-08-01"},
}


@pytest.fixture(scope="module")
def bodies(tmp_path_factory):
    """Return a house with one body, and headers of each person."""
    with open_watchword(Settings(data=tmp_path_factory.mktemp("bodies")), ManualClock(NOW)) as watchword:
        watchword.accounts._passwords = Passwords(PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))
        headers = {}
        for name, (role, _) in {**PEOPLE, "aud": (Role.AUDITOR, None)}.items():
            account = watchword.accounts.create(name, role, "correct horse battery", actor="test")
            scopes = [Permission.READ] if name == "aud" else [Permission.READ, Permission.GOVERN]
            _, secret = watchword.tokens.create(account.name, "probe", scopes, actor="test")
            headers[name] = {"Authorization": f"Bearer {secret}"}
        rules = BodyRules(cadence="FREQ=MONTHLY;BYDAY=1TU", first=date(2026, 3, 1))
        body = watchword.governance.committees.put("Board", rules, [Member(name, seat) for name, (_, seat) in PEOPLE.items()], by="mia")
        watchword.governance.meetings.plan(body.uid)
        yield TestClient(make_api(watchword)), body, headers


def test_from_a_draft_to_a_decision(bodies):
    client, body, headers = bodies
    assert [each["name"] for each in client.get(f"{V1}/committees", headers=headers["aud"]).json()["items"]] == ["Board"]
    given = {"body": body.uid, **TEXT}
    assert client.post(f"{V1}/proposals", json=given, headers=headers["aud"]).status_code == 403
    lacking = {**given, "expects": {"metric": "two_clock_gap", "direction": "down"}}
    assert client.post(f"{V1}/proposals", json=lacking, headers=headers["ivo"]).status_code == 422
    made = client.post(f"{V1}/proposals", json=given, headers=headers["ivo"])
    assert made.status_code == 201, made.text
    url = f"{V1}/proposals/{made.json()['uid']}"

    def say(who, deed, **more):
        return client.post(f"{url}/say", json={"deed": deed, **more}, headers=headers[who])

    assert say("ivo", "submit").json()["state"]["stage"] == "question"
    asked = say("otto", "ask", text="At weekends?").json()["state"]["questions"][0]["seq"]
    assert say("ivo", "answer", entry=asked, text="Too.").status_code == 200
    for who in ("otto", "mia"):
        assert say(who, "asked").status_code == 200
    assert say("otto", "agree").status_code == 409
    assert say("ivo", "revise").json()["state"]["stage"] == "objection"
    assert say("otto", "object", reason="No.").status_code == 422
    for who in ("ivo", "otto", "mia"):
        last = say(who, "agree")
    assert last.json()["state"]["stage"] == "consented", last.text
    uid = last.json()["proposal"]["decision"]
    read = client.get(f"{V1}/decisions/{uid}", headers=headers["aud"]).json()
    assert read["decision"]["version_hash"] == last.json()["state"]["hash"]
    assert [each["decision"]["uid"] for each in client.get(f"{V1}/decisions", headers=headers["aud"]).json()["items"]] == [uid]
    assert client.get(f"{V1}/decisions/due", headers=headers["aud"]).json() == {"items": []}
    done = client.post(f"{V1}/decisions/{uid}/review", json={"found": "It fell."}, headers=headers["mia"])
    assert done.json()["review"] == "It fell."
    assert client.get(f"{V1}/proposals?state=under-way", headers=headers["aud"]).json() == {"items": []}


def test_meetings_and_actions(bodies):
    client, body, headers = bodies
    meetings = client.get(f"{V1}/committees/{body.uid}/meetings", headers=headers["aud"]).json()["items"]
    assert len(meetings) == 6
    read = client.get(f"{V1}/meetings/{meetings[0]['uid']}", headers=headers["aud"]).json()
    assert read["preview"]["chosen"]
    assert read["items"] == []
    called = client.post(f"{V1}/committees/{body.uid}/meetings", json={"starts": "2026-03-09T09:00:00Z"}, headers=headers["otto"])
    assert called.status_code == 201, called.text
    new = {"text": "Cost it", "owner": "otto", "due": "2026-03-20"}
    action = client.post(f"{V1}/committees/{body.uid}/actions", json=new, headers=headers["ivo"]).json()["uid"]
    assert client.post(f"{V1}/actions-of-bodies/{action}/done", json={"said": "Costed."}, headers=headers["otto"]).status_code == 204
    assert client.get(f"{V1}/committees/{body.uid}/actions", headers=headers["aud"]).json()["items"][0]["done_said"] == "Costed."
    calendar = client.get(f"{V1}/committees/{body.uid}/calendar", headers=headers["aud"])
    assert calendar.text.count("BEGIN:VEVENT") == 7
    assert client.get(f"{V1}/committees/{'0' * 32}", headers=headers["aud"]).status_code == 404
    assert client.get(f"{V1}/committees/{body.uid}", headers=headers["aud"]).json()["name"] == "Board"
