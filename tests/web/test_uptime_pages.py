"""The pages of uptime: what they say of a camera that is down, what may be changed by whom, and refused forms that say why."""

import re
from datetime import timedelta

import pytest
from starlette.testclient import TestClient

from watchword.api.application import make_api
from watchword.app.principal import Permission
from watchword.web.live_regions import PAGES as REGIONS

CAMERA = "asset:cam-03"
DOOR = "harbour/doors/D-01"


@pytest.fixture(scope="session")
def followed(watchword):
    watchword.measures.uptime.advance(watchword.clock.now())
    return watchword


def test_the_page_puts_both_sides_and_the_worst_first(followed, ada):
    answer = ada.get("/uptime")
    assert answer.status_code == 200
    text = answer.text
    assert "Components of both sides" in text
    assert "it is offline" in text
    assert "caused by" in text
    assert text.index(f'href="/uptime/{CAMERA.replace(":", "%3A")}"') < text.index("Planned work")
    assert len(re.findall("<h1", text)) == 1
    assert not re.search(r'\sstyle="|<script(?! [^>]*src)', text)
    ids = re.findall(r'\sid="([^"]+)"', text)
    assert len(ids) == len(set(ids))
    assert "? unknown" in text  # doors whose locks nobody tried
    assert ada.get("/uptime?span=7d&side=it").status_code == 200
    assert ada.get("/uptime?span=never&side=blue").status_code == 200


def test_a_component_shows_its_conditions_outages_and_the_event(followed, ada, house):
    text = ada.get(f"/uptime/{CAMERA}").text
    offline = next(each for each in house.standard_events(followed) if each.message == "cam-03 is offline")
    assert f"/events/{offline.uid}" in text
    assert "its clock is off by less than 2 s" in text
    assert "Down since" in text
    assert "sw-1" in text
    door = ada.get(f"/uptime/{DOOR}").text
    assert "it was forced" in door
    assert "it was never tried" in door
    missing = ada.get("/uptime/asset:nothing")
    assert missing.status_code == 404
    assert "is not watched" in missing.text


def test_a_test_by_hand_is_recorded_by_who_responds(followed, client_of):
    otto = client_of("otto")
    answer = otto.post("/uptime-tests", data={"component": DOOR, "kind": "lock", "passed": "yes", "note": "held"})
    assert (answer.status_code, answer.headers["location"]) == (303, f"/uptime/{DOOR}#tests")
    page = otto.get(f"/uptime/{DOOR}").text
    assert "lock: passed, held" in page
    assert "by otto" in page
    refused = otto.post("/uptime-tests", data={"component": DOOR, "kind": "lock", "passed": "perhaps"})
    assert refused.status_code == 422
    assert "say whether it works" in refused.text
    wrong = otto.post("/uptime-tests", data={"component": DOOR, "kind": "wings", "passed": "yes"})
    assert "has no function" in wrong.text
    assert client_of("aud").post("/uptime-tests", data={"component": DOOR, "kind": "lock", "passed": "yes"}).status_code == 403
    assert any(entry.action == "uptime.test" for entry in followed.audit.entries())


def test_an_objective_is_set_shown_and_taken_back_by_who_measures(followed, client_of):
    mia = client_of("mia")
    assert mia.post("/uptime-objectives", data={"subject": CAMERA, "share": "99,9 %", "days": "14"}).status_code == 303
    page = mia.get(f"/uptime/{CAMERA}").text
    assert "99.9 % promised over 14 days, by mia" in page
    assert "overdrawn" in page
    assert "No change that is not urgent" in page
    for data, words in (
        ({"share": "all"}, "is no number"), ({"share": "101"}, "out of bounds"), ({"share": "99", "days": "1000"}, "from 1 to 92 days"),
    ):  # fmt: skip
        refused = mia.post("/uptime-objectives", data={"subject": CAMERA, "days": "30", **data})
        assert refused.status_code == 422
        assert words in refused.text
    assert client_of("otto").post("/uptime-objectives", data={"subject": CAMERA, "share": "99", "days": "30"}).status_code == 403
    assert mia.post("/uptime-objectives/remove", data={"subject": CAMERA}).status_code == 303
    assert "promised over" not in mia.get(f"/uptime/{CAMERA}").text


def test_planned_work_is_announced_by_the_clock_of_the_place_and_called_off(followed, client_of):
    mia = client_of("mia")
    now = followed.clock.now()
    begin = now + timedelta(days=1)
    data = {"entity": CAMERA, "since": f"{begin:%Y-%m-%dT}10:00", "until": f"{begin:%Y-%m-%dT}12:00", "ticket": "CHG-7 <b>lamps</b>"}
    assert mia.post("/uptime-work", data=data).status_code == 303
    work = next(each for each in followed.measures.uptime.work() if each.entity == CAMERA)
    assert work.since.hour == 9  # Berlin in March
    assert "CHG-7 &lt;b&gt;lamps&lt;/b&gt;" in mia.get("/uptime").text
    refused = mia.post("/uptime-work", data={**data, "until": "soon"})
    assert refused.status_code == 422
    assert "is no date and time" in refused.text
    assert mia.post(f"/uptime-work/{work.uid}/end").status_code == 303
    assert not [each for each in followed.measures.uptime.work() if each.uid == work.uid]


def test_the_page_is_drawn_anew_by_news(ada):
    region = next(each for each in REGIONS["uptime"] if each.name == "body")
    assert region.kinds == {"uptime"}
    assert 'hx-sse:connect="/live?page=uptime&amp;after=' in ada.get("/uptime").text


def test_the_interface_for_programs_says_the_same(followed):
    _, secret = followed.tokens.create("root", "uptime", [Permission.READ], actor="root")
    with TestClient(make_api(followed), base_url="https://testserver", headers={"Authorization": f"Bearer {secret}"}) as client:
        found = client.get("/api/v1/uptime?days=7").json()
        camera = next(each for each in found["components"] if each["uid"] == CAMERA)
        assert camera["now"]["state"] == "down"
        assert camera["shares"]["value"] == 0
        assert client.get(f"/api/v1/uptime/things/{CAMERA}").json()["outages"][0]["because"] == "it is offline"
        assert client.get("/api/v1/uptime/things/asset:nothing").status_code == 404
        assert client.get("/api/v1/uptime?days=1000").status_code == 422
        assert client.get("/api/v1/uptime/objectives").json() == {"items": []}
        assert client.put(f"/api/v1/uptime/objectives/{CAMERA}", json={"share": 0.99}).status_code == 403
