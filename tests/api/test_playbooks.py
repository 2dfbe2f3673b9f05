"""Playbooks over HTTP: kept with their faults, linted without being kept, compared, signed."""

import json
import uuid

import pytest

V1 = "/api/v1"


@pytest.fixture
def author(token):
    return token("playbooks", "read", account="mia")


@pytest.fixture
def book(house):
    """A playbook of one's own: the shipped one under another id."""
    value = json.loads(house.response.library.find("stolen-laptop").text)
    return value | {"id": f"playbook--{uuid.uuid4()}", "name": f"Stolen laptop {uuid.uuid4().hex[:6]}"}


def test_the_list_joins_and_texts_are_exact(client, token, problem, house):
    reader = token("read")
    whole = client.get(f"{V1}/playbooks?limit=200", headers=reader).json()["items"]
    assert len(whole) >= 12
    small, after = [], ""
    while True:
        page = client.get(f"{V1}/playbooks", params={"limit": 5, **({"after": after} if after else {})}, headers=reader).json()
        small, after = small + page["items"], page["next"]
        if not after:
            break
    assert small == whole
    kept = house.response.library.find("stolen-laptop")
    url = f"{V1}/playbooks/{kept.id}"
    shown = client.get(url, headers=reader).json()
    assert (shown["starts"], shown["shipped"], shown["sha256"]) == (True, True, kept.sha256)
    text = client.get(f"{url}/text", headers=reader)
    assert text.text == kept.text
    assert client.get(f"{url}/text", headers={**reader, "If-None-Match": text.headers["etag"]}).status_code == 304
    problem(client.get(f"{V1}/playbooks/laptop", headers=reader), 422, "invalid")
    problem(client.get(f"{V1}/playbooks/playbook--{uuid.uuid4()}", headers=reader), 404, "not-found")
    problem(client.get(f"{url}?version=2000-01-01T00:00:00.000Z", headers=reader), 404, "not-found")


def test_a_playbook_is_kept_compared_and_signed(client, token, author, problem, book):
    url = f"{V1}/playbooks"
    problem(client.post(url, json=book, headers=token("read", "respond")), 403, "forbidden")
    problem(client.post(url, content=b"{", headers=author), 422, "content-invalid")
    problem(client.post(url, json={"type": "playbook"}, headers=author), 422, "content-invalid")
    problem(client.post(url, content=b" " * (5 * 1024 * 1024 + 1), headers=author), 413, "too-large")
    made = client.post(url, json=book, headers=author)
    assert made.status_code == 201, made.text
    assert made.headers["location"] == f"{url}/{book['id']}"
    assert (made.json()["starts"], made.json()["by"]) == (True, "mia (token test)")
    problem(client.post(url, json=book | {"name": "Another"}, headers=author), 409, "conflict")
    changed = client.post(f"{url}?restamp=true", json=book | {"name": "Another"}, headers=author)
    assert changed.status_code == 201, changed.text
    one = f"{url}/{book['id']}"
    versions = client.get(f"{one}/versions", headers=author).json()["items"]
    assert [each["name"] for each in versions] == ["Another", book["name"]]
    differs = client.get(f"{one}/diff", params={"a": book["modified"]}, headers=author).json()["items"]
    assert {"/name", "/modified"} <= {each["at"] for each in differs}
    problem(client.post(f"{one}/sign", json={}, headers=token("read")), 403, "forbidden")
    signed = client.post(f"{one}/sign", json={"valid_until": "2027-01-01T00:00:00Z"}, headers=author).json()
    assert [each["mathematics"] for each in signed["signatures"]][-1:] == ["valid"]
    assert signed["signatures"][-1]["trust"] == "trusted"
    problem(client.post(f"{one}/sign", json={"version": "2000-01-01T00:00:00.000Z"}, headers=author), 404, "not-found")


def test_lint_keeps_nothing(client, token, book, problem):
    reader = token("read")
    good = client.post(f"{V1}/lints", json=book, headers=reader).json()
    assert good["starts"] is True
    bad = client.post(f"{V1}/lints", json=book | {"workflow_start": "start--none"}, headers=reader).json()
    assert bad["starts"] is False
    assert "no-start" in [each["code"] for each in bad["faults"]]
    broken = client.post(f"{V1}/lints", content=b"\xff{", headers=reader).json()
    assert [each["code"] for each in broken["faults"]] == ["bad-json"]
    problem(client.get(f"{V1}/playbooks/{book['id']}", headers=reader), 404, "not-found")
