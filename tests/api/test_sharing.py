"""Share links over the API."""

import pytest


@pytest.mark.parametrize("days", [0, 91, "7"])
def test_a_link_lives_no_longer_than_it_may(client, admin, days):
    assert client.post("/api/v1/shares", json={"title": "x", "days": days}, headers=admin).status_code == 422


def test_a_link_is_made_listed_and_revoked(client, admin, house):
    made = client.post("/api/v1/shares", json={"title": "The insurer", "days": 3}, headers=admin)
    assert made.status_code == 201
    path, uid = made.json()["path"], made.json()["share"]["uid"]
    secret = path.removeprefix("/shared/")
    assert house.measures.shares.open(secret) is not None
    shown = next(each for each in client.get("/api/v1/shares", headers=admin).json()["items"] if each["uid"] == uid)
    assert (shown["works"], shown["readings"]) == (True, 1)
    assert secret not in client.get("/api/v1/shares", headers=admin).text
    assert client.delete(f"/api/v1/shares/{uid}", headers=admin).status_code == 204
    assert house.measures.shares.open(secret) is None
    assert client.delete(f"/api/v1/shares/{uid}", headers=admin).status_code == 404
    assert client.get("/api/v1/shares").status_code == 401
