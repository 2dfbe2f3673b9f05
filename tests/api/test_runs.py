"""Runs over HTTP: started once, moved by people's records, ended with a reason, exported in the terms of other tools."""

import pytest

from watchword.kit.ids import random_uid

V1 = "/api/v1"


@pytest.fixture
def ivo(token):
    return token("respond", "read", account="ivo")


@pytest.fixture
def stolen_laptop(house):
    return house.response.library.find("stolen-laptop").id


@pytest.fixture
def run(client, ivo, opened, stolen_laptop, house):
    """Start a playbook on an incident and let it come to its first wait."""
    body = {"playbook": stolen_laptop, "incident": opened(), "exercise": True, "variables": VALUES}
    answer = client.post(f"{V1}/runs", json=body, headers=ivo)
    assert answer.status_code == 201, answer.text
    for _ in range(20):
        house.response.runs.step(house.clock.now())
    return answer.json()["uid"]


VALUES = {
    "__finding__": "f" * 32,
    "__person__": "person:1",
    "__asset__": "asset:laptop",
    "__credential__": "badge:1",
    "__account__": "account:ann",
}


def test_who_may_and_what_must_be_said(client, ivo, token, problem, stolen_laptop):
    body = {"playbook": stolen_laptop, "exercise": True}
    problem(client.post(f"{V1}/runs", json=body, headers=token("read")), 403, "forbidden")
    problem(client.post(f"{V1}/runs", json={"playbook": stolen_laptop}, headers=ivo), 422, "invalid")
    problem(client.post(f"{V1}/runs", json={"playbook": "laptop", "exercise": True}, headers=ivo), 422, "invalid")
    nobody = "playbook--00000000-0000-4000-8000-000000000000"
    problem(client.post(f"{V1}/runs", json={"playbook": nobody, "exercise": True}, headers=ivo), 404, "not-found")
    problem(client.post(f"{V1}/runs", json={**body, "incident": random_uid()}, headers=ivo), 404, "not-found")
    strange = {**body, "variables": {"__colour__": "red"}}
    assert "__colour__" in problem(client.post(f"{V1}/runs", json=strange, headers=ivo), 409, "conflict")["detail"]
    problem(client.get(f"{V1}/runs/{random_uid()}", headers=ivo), 404, "not-found")
    problem(client.get(f"{V1}/runs/{random_uid()}/status", headers=ivo), 404, "not-found")


def test_a_run_starts_once_under_its_key(client, ivo, problem, opened, stolen_laptop):
    body = {"playbook": stolen_laptop, "incident": opened(), "variables": VALUES}
    headers = {**ivo, "Idempotency-Key": "laptop-7"}
    first, again = (client.post(f"{V1}/runs", json=body, headers=headers) for _ in range(2))
    assert first.status_code == again.status_code == 201, first.text
    assert first.json()["uid"] == again.json()["uid"]
    assert again.headers["location"] == f"{V1}/runs/{first.json()['uid']}"
    assert first.json()["variables"]["__incident__"] == body["incident"]
    assert len(client.get(f"{V1}/runs", params={"incident": body["incident"]}, headers=ivo).json()["items"]) == 1
    problem(client.post(f"{V1}/runs", json={**body, "exercise": True}, headers=headers), 422, "key-reused")


def test_people_answer_steps_and_end_runs(client, ivo, token, problem, run):
    url = f"{V1}/runs/{run}"
    shown = client.get(url, headers=ivo).json()
    assert shown["exercise"] is True
    wait = next(each for each in shown["waits"] if each["kind"] == "person")
    listed = client.get(f"{V1}/runs/waits?limit=500", headers=ivo).json()["items"]
    assert (run, wait["path"]) in [(each["run"], each["path"]) for each in listed]
    assert client.post(f"{url}/take", json={"path": wait["path"]}, headers=ivo).status_code == 200
    problem(client.post(f"{url}/take", json={"path": wait["path"]}, headers=token("respond", account="otto")), 409, "conflict")
    problem(client.post(f"{url}/answer", json={"path": "nowhere", "result": "done"}, headers=ivo), 404, "not-found")
    problem(client.post(f"{url}/answer", json={"path": wait["path"], "result": "perhaps"}, headers=ivo), 422, "invalid")
    unknown = {"path": wait["path"], "result": "done", "values": {"__colour__": "red"}}
    problem(client.post(f"{url}/answer", json=unknown, headers=ivo), 422, "invalid")
    skipped = {"path": wait["path"], "result": "not_applicable", "note": "not ours"}
    done = client.post(f"{url}/answer", json=skipped, headers=ivo)
    assert done.status_code == 200, done.text
    step = next(each for each in done.json()["steps"] if each["path"] == wait["path"])
    assert (step["status"], step["by"], step["note"]) == ("skipped", "ivo (token test)", "not ours")
    problem(client.post(f"{url}/answer", json=skipped, headers=ivo), 409, "conflict")
    said = client.get(f"{url}/status", headers=ivo).json()["items"]
    assert {"execution_id", "workflow_step", "status"} <= set(said[0])
    problem(client.post(f"{url}/cancel", json={"reason": " "}, headers=ivo), 422, "invalid")
    assert client.post(f"{url}/cancel", json={"reason": "a test"}, headers=ivo).json()["status"] == "cancelled"
    problem(client.post(f"{url}/cancel", json={"reason": "again"}, headers=ivo), 409, "conflict")


def test_the_list_joins(client, ivo, problem, stolen_laptop):
    for _ in range(3):
        assert client.post(f"{V1}/runs", json={"playbook": stolen_laptop, "exercise": True, "variables": {**VALUES, "__incident__": "x"}}, headers=ivo).status_code == 201  # fmt: skip
    whole = client.get(f"{V1}/runs?limit=200", headers=ivo).json()["items"]
    small, after = [], ""
    while True:
        page = client.get(f"{V1}/runs", params={"limit": 1, **({"after": after} if after else {})}, headers=ivo).json()
        small, after = small + page["items"], page["next"]
        if not after:
            break
    assert small == whole
    exercises = client.get(f"{V1}/runs?exercise=true&status=running&limit=200", headers=ivo).json()["items"]
    assert {each["status"] for each in exercises} == {"running"}
    problem(client.get(f"{V1}/runs?status=walking", headers=ivo), 422, "invalid")


def test_metrics_say_what_people_have_to_do(client, ivo, opened, token, run):
    opened(severity=1)
    text = client.get("/metrics", headers=ivo).text
    numbers = {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in text.splitlines() if not line.startswith("#")}
    assert numbers['watchword_incidents_open{severity="1"}'] >= 1
    assert numbers['watchword_runs{status="running"}'] >= 1
    assert {"watchword_approvals_waiting", "watchword_pages_unanswered", "watchword_actions_in_force"} <= set(numbers)
    assert client.get("/metrics", headers=token("respond")).status_code == 403
