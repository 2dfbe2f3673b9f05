"""Incidents over HTTP: who may, what is refused and how, and that a program is never taken for a person."""

import pytest

from watchword.kit.ids import random_uid

V1 = "/api/v1"
PASSWORD = "correct horse battery staple"
DEEDS = (
    ("post", "", {"title": "x", "because": "y"}),
    ("post", "/{uid}/acknowledge", {}),
    ("post", "/{uid}/findings", {"finding": "0" * 32}),
    ("post", "/{uid}/merge", {"others": ["1" * 32], "reason": "one"}),
    ("post", "/{uid}/split", {"findings": ["1" * 32], "reason": "two"}),
    ("post", "/{uid}/notes", {"text": "x"}),
    ("post", "/{uid}/chat", {"text": "x"}),
    ("put", "/{uid}/roles/lead", {"person": "ivo"}),
    ("post", "/{uid}/tasks", {"title": "x", "team": "it"}),
    ("post", "/{uid}/hand-overs", {"role": "lead", "incoming": "ivo"}),
    ("post", "/{uid}/declare", {}),
    ("post", "/{uid}/ratings", {}),
    ("post", "/{uid}/moments", {"moment": "t8", "at": None, "reason": "x"}),
    ("post", "/{uid}/close", {"closure": "true", "reason": "x"}),
    ("post", "/{uid}/reopen", {"reason": "x"}),
)


@pytest.fixture
def respond(token):
    return token("respond", "read", account="ivo")


@pytest.mark.parametrize(("method", "path", "body"), DEEDS)
def test_deeds_need_the_scope_and_an_incident(client, token, problem, respond, opened, method, path, body):
    url = V1 + "/incidents" + path.format(uid=opened())
    assert "'respond'" in problem(client.request(method, url, json=body, headers=token("read")), 403, "forbidden")["detail"]
    problem(client.request(method, url, json=body), 401, "unauthenticated")
    if path:
        nowhere = V1 + "/incidents" + path.format(uid=random_uid())
        sent = {**body, **({"password": PASSWORD} if "acknowledge" in path else {})}
        problem(client.request(method, nowhere, json=sent, headers=respond), 404, "not-found")
    problem(client.request(method, url, json={**body, "colour": "red"}, headers=respond), 422, "invalid")


def test_an_incident_is_opened_once_under_its_key(client, respond, problem):
    body = {"title": "Two laptops gone", "because": "the guard says so", "severity": 2, "teams": ["physical"]}
    headers = {**respond, "Idempotency-Key": "laptops-1"}
    first = client.post(f"{V1}/incidents", json=body, headers=headers)
    assert first.status_code == 201, first.text
    uid = first.json()["incident"]["uid"]
    assert first.headers["location"] == f"{V1}/incidents/{uid}"
    again = client.post(f"{V1}/incidents", json=body, headers=headers)
    assert (again.status_code, again.json()["incident"]["uid"]) == (201, uid)
    problem(client.post(f"{V1}/incidents", json={**body, "severity": 1}, headers=headers), 422, "key-reused")
    assert set(first.json()["incident"]["teams"]) == {"it", "physical"}
    found = client.get(f"{V1}/incidents", params={"text": "laptops", "limit": 1}, headers=respond).json()["items"]
    assert [each["incident"]["uid"] for each in found] == [uid]
    assert found[0]["next_step"]["text"]


def test_a_program_acknowledges_nothing_and_its_person_does(clients, respond, session, problem, opened):
    client, uid = clients("10.1.0.1"), opened()
    url = f"{V1}/incidents/{uid}"

    def acknowledged():
        return [one["team"] for one in client.get(url, headers=respond).json()["moments"] if one["moment"] == "t4"]

    assert acknowledged() == []
    assert "password" in problem(client.post(f"{url}/acknowledge", json={}, headers=respond), 403, "forbidden")["detail"]
    problem(client.post(f"{url}/acknowledge", json={"password": "wrong"}, headers=respond), 403, "forbidden")
    assert acknowledged() == []
    assert client.post(f"{url}/acknowledge", json={"password": PASSWORD}, headers=respond).status_code == 200
    assert acknowledged() == ["it"]
    problem(client.post(f"{url}/acknowledge", json={"team": "it"}, headers=session("otto")), 403, "forbidden")
    assert client.post(f"{url}/acknowledge", json={"team": "physical"}, headers=session("mia")).status_code == 200
    assert sorted(acknowledged()) == ["it", "physical"]


def test_a_change_says_which_version_it_means(client, respond, problem, opened):
    url = f"{V1}/incidents/{opened()}"
    etag = client.get(url, headers=respond).headers["etag"]
    change = {"title": "Cloned badge at the server room", "summary": "Two uses within a minute."}
    problem(client.patch(url, json=change, headers=respond), 428, "precondition-required")
    problem(client.patch(url, json=change, headers={**respond, "If-Match": '"old"'}), 412, "stale")
    done = client.patch(url, json=change, headers={**respond, "If-Match": etag})
    assert done.json()["incident"]["summary"] == change["summary"]
    problem(client.patch(url, json=change, headers={**respond, "If-Match": etag}), 412, "stale")


def test_findings_go_in_and_out_and_apart(client, respond, problem, opened):
    findings = [each["uid"] for each in client.get(f"{V1}/findings?limit=3", headers=respond).json()["items"]]
    assert len(findings) >= 2
    uid = opened(findings=findings[:1])
    url = f"{V1}/incidents/{uid}"
    assert client.post(f"{url}/findings", json={"finding": findings[1]}, headers=respond).status_code == 200
    problem(client.post(f"{url}/findings", json={"finding": random_uid()}, headers=respond), 404, "not-found")
    problem(client.post(f"{url}/split", json={"findings": findings[:2], "reason": "all"}, headers=respond), 422, "invalid")
    new = client.post(f"{url}/split", json={"findings": findings[1:2], "reason": "another story"}, headers=respond)
    assert new.status_code == 201, new.text
    other = new.json()["incident"]["uid"]
    assert new.json()["incident"]["findings"] == findings[1:2]
    problem(client.post(f"{url}/findings/{findings[1]}/detach", json={"reason": "not here"}, headers=respond), 404, "not-found")
    problem(client.post(f"{url}/merge", json={"others": [uid], "reason": "itself"}, headers=respond), 422, "invalid")
    merged = client.post(f"{url}/merge", json={"others": [other], "reason": "one story after all"}, headers=respond).json()
    assert set(merged["incident"]["findings"]) == set(findings[:2])
    assert client.get(f"{V1}/incidents/{other}", headers=respond).json()["incident"]["merged_into"] == uid
    problem(client.post(f"{url}/merge", json={"others": [other], "reason": "again"}, headers=respond), 409, "conflict")
    similar = client.get(f"{url}/similar", headers=respond)
    assert similar.status_code == 200
    record = client.get(f"{url}/veris", headers=respond).json()["record"]
    assert record["schema_version"] == "1.3.7"
    assert record["incident_id"] == uid


def test_the_timeline_comes_in_pages_and_is_whole(client, respond, token, problem, opened):
    url = f"{V1}/incidents/{opened()}"
    for number in range(7):
        answer = client.post(f"{url}/notes", json={"text": f"note {number}", "at": "2026-06-01T06:00:00+02:00"}, headers=respond)
        assert answer.status_code == 201, answer.text
    assert answer.json()["occurred_at"] == "2026-06-01T04:00:00Z"
    assert answer.json()["recorded_by"] == "ivo (token test)"
    seq = answer.json()["seq"]
    right = client.post(f"{url}/notes", json={"text": "it was six", "corrects": seq}, headers=respond).json()
    assert (right["corrects"], right["kind"]) == (seq, "correction")
    problem(client.post(f"{url}/notes", json={"text": "x", "corrects": 9999}, headers=respond), 404, "not-found")
    problem(client.post(f"{url}/notes", json={"text": "a\0b"}, headers=respond), 422, "invalid")
    problem(client.post(f"{url}/notes", json={"text": "x", "at": "2026-06-01T06:00:00"}, headers=respond), 422, "invalid")
    problem(client.post(f"{url}/notes", json={"text": "x" * 10_001}, headers=respond), 422, "invalid")
    assert client.post(f"{url}/chat", json={"text": "@otto look at door 2"}, headers=respond).json()["refs"] == {"mentions": "otto"}
    whole = client.get(f"{url}/timeline", headers=respond).json()["items"]
    small, after = [], None
    while True:
        page = client.get(f"{url}/timeline", params={"limit": 2, **({"after": after} if after else {})}, headers=respond).json()
        small, after = small + page["items"], page["next"]
        if after is None:
            break
    assert small == whole
    assert [each["seq"] for each in whole] == list(range(1, len(whole) + 1))
    notes = client.get(f"{url}/timeline?kind=note&limit=200", headers=respond).json()["items"]
    assert {each["kind"] for each in notes} == {"note"}
    problem(client.get(f"{url}/timeline?after=nonsense", headers=respond), 400, "bad-cursor")
    assert client.post(f"{url}/verify", headers=token("read")).json() == {"intact": True, "entries": len(whole), "problems": []}


def test_tasks(client, respond, problem, opened):
    url, other = f"{V1}/incidents/{opened()}", f"{V1}/incidents/{opened()}"
    problem(client.post(f"{url}/tasks", json={"title": "look", "team": "it", "owner": "nobody"}, headers=respond), 422, "invalid")
    problem(client.post(f"{url}/tasks", json={"title": "look", "team": "it", "within": "soon"}, headers=respond), 422, "invalid")
    problem(client.post(f"{url}/tasks", json={"title": "look", "team": "it", "within": "99999999d"}, headers=respond), 422, "invalid")
    made = client.post(f"{url}/tasks", json={"title": "Look at the camera", "team": "physical", "within": "15m"}, headers=respond)
    assert made.status_code == 201, made.text
    task = made.json()["uid"]
    assert made.json()["due"] == "2026-06-01T07:46:00Z"
    problem(client.post(f"{other}/tasks/{task}", json={"deed": "finish"}, headers=respond), 404, "not-found")
    given = client.post(f"{url}/tasks/{task}", json={"deed": "give", "owner": "otto"}, headers=respond).json()
    assert (given["owner"], given["team"]) == ("otto", "physical")
    problem(client.post(f"{url}/tasks/{task}", json={"deed": "drop"}, headers=respond), 422, "invalid")
    assert client.post(f"{url}/tasks/{task}", json={"deed": "finish", "note": "nobody there"}, headers=respond).json()["state"] == "done"
    problem(client.post(f"{url}/tasks/{task}", json={"deed": "finish"}, headers=respond), 409, "conflict")


def test_a_hand_over_is_acknowledged_by_the_person_who_takes_over(clients, respond, token, problem, opened):
    client, url = clients("10.1.0.2"), f"{V1}/incidents/{opened()}"
    problem(client.put(f"{url}/roles/lead", json={"person": "nobody"}, headers=respond), 422, "invalid")
    assert client.put(f"{url}/roles/lead", json={"person": "ivo"}, headers=respond).json()["incident"]["lead"] == "ivo"
    problem(client.put(f"{url}/roles/king", json={"person": "ivo"}, headers=respond), 422, "invalid")
    client.post(f"{url}/tasks", json={"title": "Call the carrier", "team": "it"}, headers=respond)
    problem(client.put(f"{url}/roles/lead", json={"person": "mia"}, headers=respond), 409, "conflict")
    begun = client.post(f"{url}/hand-overs", json={"role": "lead", "incoming": "mia", "note": "end of shift"}, headers=respond)
    assert begun.status_code == 201, begun.text
    hand, item = begun.json(), begun.json()["items"][0]
    there = f"{url}/hand-overs/{hand['uid']}"
    said = {"kind": item["kind"], "item": item["uid"]}
    mia = token("respond", account="mia")
    problem(client.post(f"{there}/acknowledge", json=said, headers=mia), 403, "forbidden")
    problem(client.post(f"{there}/acknowledge", json={**said, "password": PASSWORD}, headers=respond), 403, "forbidden")
    problem(client.post(f"{there}/finish", json={"password": PASSWORD}, headers=mia), 409, "conflict")
    done = client.post(f"{there}/acknowledge", json={**said, "password": PASSWORD}, headers=mia)
    assert done.json()["state"] == "done", done.text
    assert client.get(url, headers=respond).json()["incident"]["lead"] == "mia"
    problem(client.post(f"{there}/cancel", json={"reason": "late"}, headers=mia), 409, "conflict")
    problem(client.get(f"{V1}/incidents/{opened()}/hand-overs/{hand['uid']}", headers=respond), 404, "not-found")


def test_a_downgrade_takes_another_person_not_another_token(clients, respond, token, problem, opened):
    client, url = clients("10.1.0.3"), f"{V1}/incidents/{opened(severity=2)}"
    problem(client.post(f"{url}/ratings", json={"operations": 5}, headers=respond), 422, "invalid")
    problem(client.post(f"{url}/ratings", json={"operations": 4}, headers=respond), 422, "invalid")
    milder = client.post(f"{url}/ratings", json={"operations": 4, "reason": "a test"}, headers=respond).json()
    assert (milder["severity"], milder["status"]) == (4, "waiting")
    there = f"{url}/ratings/{milder['uid']}"
    own = token("respond", account="ivo")
    assert "second person" in problem(client.post(there, json={"yes": True, "password": PASSWORD}, headers=own), 403, "forbidden")["detail"]
    problem(client.post(there, json={"yes": True}, headers=token("respond", account="mia")), 403, "forbidden")
    word = {"yes": True, "password": PASSWORD}
    assert client.post(there, json=word, headers=token("respond", account="mia")).json()["status"] == "in_force"
    assert client.get(url, headers=respond).json()["incident"]["severity"] == 4


def test_an_incident_runs_its_course(clients, respond, session, problem, opened):
    client, uid = clients("10.1.0.4"), opened()
    url = f"{V1}/incidents/{uid}"
    ivo = session("ivo")
    problem(client.post(f"{url}/reopen", json={"reason": "x"}, headers=respond), 409, "conflict")
    assert client.post(f"{url}/declare", json={"people": 3, "reason": "real"}, headers=ivo).json()["severity"] == 3
    problem(client.post(f"{url}/declare", json={}, headers=ivo), 409, "conflict")
    contained = {"moment": "t7", "at": "2026-06-01T07:31:00Z"}
    problem(client.post(f"{url}/moments", json=contained, headers=ivo), 422, "invalid")
    shown = client.post(f"{url}/moments", json={**contained, "evidence": "door reads secured", "uncertainty": "1m"}, headers=ivo).json()
    assert shown["incident"]["state"] == "contained"
    problem(client.post(f"{url}/moments", json={"moment": "t10", "at": "2026-06-01T07:31:00Z"}, headers=ivo), 409, "conflict")
    refused = problem(client.post(f"{url}/close", json={"closure": "true", "people": 3, "reason": "a thief"}, headers=ivo), 409, "conflict")
    assert "cannot be closed" in refused["detail"]
    for moment in ("t8", "t9"):
        assert client.post(f"{url}/moments", json={"moment": moment, "at": "2026-06-01T07:31:00Z"}, headers=ivo).status_code == 200
    assert client.post(f"{url}/acknowledge", json={}, headers=ivo).status_code == 200
    closed = client.post(f"{url}/close", json={"closure": "true", "people": 3, "reason": "a thief"}, headers=ivo)
    assert closed.status_code == 200, closed.text
    assert closed.json()["incident"]["closure"] == "true"
    assert uid not in [each["incident"]["uid"] for each in client.get(f"{V1}/incidents?open=true", headers=respond).json()["items"]]
    assert client.post(f"{url}/reopen", json={"reason": "again"}, headers=ivo).json()["incident"]["reopened"] == 1


def test_the_list_is_gravest_first_and_joins(client, respond, problem, opened):
    for severity in (4, 2, 3, 1):
        opened(f"Orderly {severity}", severity)
    whole = client.get(f"{V1}/incidents?text=orderly&limit=200", headers=respond).json()["items"]
    assert [each["incident"]["severity"] for each in whole] == sorted(each["incident"]["severity"] for each in whole)
    for more in ("", "&newest=true"):
        url, small = f"{V1}/incidents?text=orderly&limit=1{more}", []
        while url:
            answer = client.get(url, headers=respond)
            small += answer.json()["items"]
            link = answer.headers.get("link", "")
            url = link[1 : link.index(">")] if link else ""
        assert len({each["incident"]["uid"] for each in small}) == len(small) == len(whole)
    grave = client.get(f"{V1}/incidents?text=orderly&severity=2", headers=respond).json()["items"]
    assert {each["incident"]["severity"] for each in grave} == {1, 2}
    problem(client.get(f"{V1}/incidents?severity=9", headers=respond), 422, "invalid")
    problem(client.get(f"{V1}/incidents?after=WzAsICJ4Il0", headers=respond), 400, "bad-cursor")
    problem(client.get(f"{V1}/incidents/xyz", headers=respond), 422, "invalid")
    problem(client.get(f"{V1}/incidents/{random_uid()}", headers=respond), 404, "not-found")
    problem(client.get(f"{V1}/incidents/{random_uid()}/reached", headers=respond), 404, "not-found")
