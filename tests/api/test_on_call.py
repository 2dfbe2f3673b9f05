"""On call, pages, contacts and windows over HTTP: who may change what, and that another token is the same person."""

import pytest

from watchword.kit.ids import random_uid

V1 = "/api/v1"
PASSWORD = "correct horse battery staple"
LAYERS = [{"name": "week", "people": ["ivo", "ann"], "first": "2026-05-25"}]


@pytest.fixture
def mia(token):
    return token("rota", "respond", "read", account="mia")


@pytest.fixture
def ivo(token):
    return token("respond", "read", account="ivo")


@pytest.fixture
def rota(client, mia):
    """Make a rota and return its name."""

    def make():
        name = f"IT {random_uid()[:8]}"
        given = {"team": "it", "zone": "Europe/Berlin", "layers": LAYERS}
        assert client.put(f"{V1}/rotas/{name}", json=given, headers=mia).status_code == 200
        return name

    return make


def test_a_rota_is_made_and_changed_by_those_who_plan(client, mia, ivo, problem, rota):
    name = rota()
    url, given = f"{V1}/rotas/{name}", {"team": "it", "zone": "Europe/Berlin", "layers": LAYERS}
    problem(client.put(url, json=given, headers=ivo), 403, "forbidden")
    problem(client.put(url, json=given, headers=mia), 428, "precondition-required")
    problem(client.put(url, json=given, headers={**mia, "If-Match": '"old"'}), 412, "stale")
    etag = {"If-Match": client.get(url, headers=ivo).headers["etag"]}
    problem(client.put(url, json={**given, "zone": "Mars/Olympus"}, headers={**mia, **etag}), 422, "invalid")
    stranger = [{**LAYERS[0], "people": ["nobody"]}]
    problem(client.put(url, json={**given, "layers": stranger}, headers={**mia, **etag}), 422, "invalid")
    problem(client.put(url, json={**given, "layers": [{**LAYERS[0], "first": "0001-01-01"}]}, headers={**mia, **etag}), 422, "invalid")
    night = [{**LAYERS[0], "hours": [{"since": "18:00", "until": "06:00", "days": [0, 1]}]}]
    done = client.put(url, json={**given, "layers": night}, headers={**mia, **etag})
    assert done.json()["version"] == 2, done.text
    assert name in [each["rota"]["name"] for each in client.get(f"{V1}/rotas", headers=ivo).json()["items"]]
    gaps = client.get(f"{V1}/on-call/gaps?days=7", headers=ivo).json()["items"]
    assert name in {each["rota"] for each in gaps}
    problem(client.get(f"{V1}/rotas/nothing", headers=ivo), 404, "not-found")


def test_who_is_on_call_with_overrides_and_swaps(client, mia, ivo, token, problem, rota):
    name = rota()

    def now():
        found = client.get(f"{V1}/on-call", params={"team": "it", "at": "2026-06-01T08:00:00Z"}, headers=ivo).json()["now"]
        return next(each["shift"]["person"] for each in found if each["rota"] == name)

    assert now() == "ann"
    stretch = {"since": "2026-06-01T07:00:00Z", "until": "2026-06-01T09:00:00Z", "person": "otto", "reason": "ill"}
    problem(client.post(f"{V1}/rotas/{name}/overrides", json=stretch, headers=ivo), 403, "forbidden")
    problem(client.post(f"{V1}/rotas/{name}/overrides", json={**stretch, "until": stretch["since"]}, headers=mia), 422, "invalid")
    made = client.post(f"{V1}/rotas/{name}/overrides", json=stretch, headers=mia).json()["uid"]
    assert now() == "otto"
    assert client.delete(f"{V1}/overrides/{made}", headers=mia).status_code == 204
    problem(client.delete(f"{V1}/overrides/{made}", headers=mia), 404, "not-found")
    assert now() == "ann"
    swaps = f"{V1}/rotas/{name}/swaps"
    problem(client.post(swaps, json={"deed": "offer", "layer": "week", "turn": 1}, headers=ivo), 403, "forbidden")
    ann = token("respond", "read", account="ann")
    offer = client.post(swaps, json={"deed": "offer", "layer": "week", "turn": 1}, headers=ann).json()["uid"]
    assert offer in [each["swap"]["uid"] for each in client.get(f"{V1}/swaps", headers=ivo).json()["items"]]
    problem(client.delete(f"{V1}/swaps/{offer}", headers=ivo), 403, "forbidden")
    assert client.post(f"{V1}/swaps/{offer}/take", headers=ivo).status_code == 204
    assert now() == "ivo"
    problem(client.post(f"{V1}/swaps/{offer}/take", headers=ivo), 409, "conflict")
    assert client.delete(f"{V1}/swaps/{offer}", headers=mia).status_code == 204
    assert client.post(swaps, json={"deed": "take", "layer": "week", "turn": 1}, headers=ivo).status_code == 201
    assert now() == "ivo"
    problem(client.post(swaps, json={"deed": "take", "layer": "month", "turn": 1}, headers=ivo), 404, "not-found")


def test_calendars_go_out_and_come_in(client, mia, ivo, problem, rota):
    url = f"{V1}/rotas/{rota()}"
    out = client.get(f"{url}/calendar", headers=ivo)
    assert out.headers["content-type"].startswith("text/calendar")
    assert "SUMMARY:ann" in out.text
    event = "BEGIN:VEVENT\r\nUID:1\r\nDTSTART:20260601T070000Z\r\nDTEND:20260601T090000Z\r\nSUMMARY:otto\r\nEND:VEVENT\r\n"
    calendar = f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\n{event}END:VCALENDAR\r\n"
    problem(client.post(f"{url}/calendar", content=calendar, headers=ivo), 403, "forbidden")
    problem(client.post(f"{url}/calendar", content="no calendar", headers=mia), 422, "content-invalid")
    strange = calendar.replace("otto", "nobody")
    assert problem(client.post(f"{url}/calendar", content=strange, headers=mia), 422, "content-invalid")["errors"][0]["line"] == 4
    assert client.post(f"{url}/calendar?file=duty.ics", content=calendar, headers=mia).json() == {"duties": 1, "outside": 0}
    found = client.get(f"{url}/shifts", params={"since": "2026-06-01T06:00:00Z", "until": "2026-06-01T10:00:00Z"}, headers=ivo)
    assert [each["person"] for each in found.json()["items"]] == ["ivo", "otto", "ann"]
    problem(client.get(f"{url}/shifts?since=9999-01-01", headers=ivo), 422, "invalid")


def test_a_page_is_taken_by_a_person(clients, house, ivo, token, problem, opened):
    client, incident = clients("10.3.0.1"), opened(severity=1)
    with house.records.begin() as connection:
        page = house.response.pager.page(
            connection, incident=incident, severity=1, teams=["it"], title="Odd badge", place="Hall", what_to_do="Look.",
            exercise=False, key=f"test:{incident}",
        )  # fmt: skip
    url = f"{V1}/pages/{page}"
    assert page in [each["uid"] for each in client.get(f"{V1}/pages?limit=200", headers=ivo).json()["items"]]
    problem(client.post(f"{url}/acknowledge", json={}, headers=ivo), 403, "forbidden")
    problem(client.post(f"{url}/acknowledge", json={"password": PASSWORD}, headers=token("read", account="ivo")), 403, "forbidden")
    taken = client.post(f"{url}/acknowledge", json={"password": PASSWORD}, headers=ivo).json()
    states = {each["team"]: (each["status"], each["by"], each["how"]) for each in taken["tracks"]}
    assert states["it"] == ("acknowledged", "ivo", "api")
    assert states["physical"][0] == "calling"
    assert client.get(url, headers=ivo).json() == taken
    problem(client.post(f"{url}/acknowledge", json={"password": PASSWORD}, headers=ivo), 409, "conflict")
    problem(client.get(f"{V1}/pages/{random_uid()}", headers=ivo), 404, "not-found")


def test_contacts_are_ones_own(client, ivo, mia, problem):
    new = {"kind": "push", "label": "my phone", "address": "ntfy://localhost/secret-topic"}
    assert (
        "localhost"
        not in problem(client.post(f"{V1}/contacts", json={**new, "address": "boat://secret-topic"}, headers=ivo), 422, "invalid")["detail"]
    )
    made = client.post(f"{V1}/contacts", json=new, headers=ivo)
    assert made.status_code == 201, made.text
    assert "secret-topic" not in made.text
    uid = made.json()["uid"]
    problem(client.post(f"{V1}/contacts", json={**new, "person": "mia"}, headers=ivo), 403, "forbidden")
    problem(client.get(f"{V1}/contacts?person=mia", headers=ivo), 403, "forbidden")
    other = client.post(f"{V1}/contacts", json=new, headers=mia).json()["uid"]
    problem(client.delete(f"{V1}/contacts/{other}", headers=ivo), 404, "not-found")
    problem(client.post(f"{V1}/contacts/{other}", json={"enabled": False}, headers=ivo), 404, "not-found")
    assert client.post(f"{V1}/contacts/{uid}", json={"enabled": False}, headers=ivo).json()["enabled"] is False
    assert uid in [each["uid"] for each in client.get(f"{V1}/contacts?person=ivo", headers=mia).json()["items"]]
    problem(client.put(f"{V1}/contacts", json={"contacts": [other]}, headers=ivo), 422, "invalid")
    assert [each["uid"] for each in client.put(f"{V1}/contacts", json={"contacts": [uid]}, headers=ivo).json()["items"]] == [uid]
    names = {each["name"] for each in client.get(f"{V1}/channels", headers=ivo).json()["items"]}
    assert f"contact:{other}" not in names
    assert client.delete(f"{V1}/contacts/{uid}", headers=ivo).status_code == 204


def test_a_window_takes_two_people_not_two_tokens(client, mia, ivo, token, problem):
    new = {"place": "harbour", "since": "2026-06-01T20:00:00Z", "until": "2026-06-01T22:00:00Z", "ticket": "CHG-7"}
    problem(client.post(f"{V1}/maintenance-windows", json=new, headers=ivo), 403, "forbidden")
    problem(client.post(f"{V1}/maintenance-windows", json={**new, "until": "2026-07-01T22:00:00Z"}, headers=mia), 422, "invalid")
    made = client.post(f"{V1}/maintenance-windows", json=new, headers=mia).json()
    url = f"{V1}/maintenance-windows/{made['uid']}"
    problem(client.post(f"{url}/approve", headers=token("rota", account="mia")), 403, "forbidden")
    assert client.post(f"{url}/approve", headers=token("rota", account="ann")).json()["approved_by"] == "ann (token test)"
    problem(client.post(f"{url}/approve", headers=token("rota", account="ann")), 409, "conflict")
    assert made["uid"] in [each["uid"] for each in client.get(f"{V1}/maintenance-windows", headers=ivo).json()["items"]]
    assert client.post(f"{url}/end", headers=mia).status_code == 204
    problem(client.post(f"{url}/end", headers=mia), 409, "conflict")
