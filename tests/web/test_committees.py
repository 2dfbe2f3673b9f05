"""Bodies on their pages: made by a form, heard by forms, live parts drawn anew; nobody without a seat takes part, and text is escaped."""

from datetime import UTC, datetime, timedelta

import pytest
from argon2 import PasswordHasher
from starlette.requests import Request
from starlette.testclient import TestClient

from watchword.app.accounts import Passwords, Role
from watchword.app.settings import Settings
from watchword.app.watchword import open_watchword
from watchword.kit.clock import ManualClock
from watchword.web.application import create_app
from watchword.web.cookies import SESSION, look_of
from watchword.web.governing_regions import PAGES
from watchword.web.pages import Ask, Web

NOW = datetime(2026, 3, 3, 9, 0, tzinfo=UTC)
PASSWORD = "correct horse battery"
PEOPLE = {"ada": Role.IT_ANALYST, "ivo": Role.IT_ANALYST, "otto": Role.CONTROL_ROOM_OPERATOR, "mia": Role.MANAGER, "aud": Role.AUDITOR}
BODY = {
    "name": "Security committee",
    "purpose": "<b>Both</b> sides decide",
    "quorum": "3",
    "quorum_it": "1",
    "quorum_physical": "1",
    "fallback": "supermajority",
    "question_days": "3",
    "objection_days": "2",
    "cadence": "FREQ=MONTHLY;BYDAY=1TH",
    "first": "2026-03-01",
    "at": "10:00",
    "minutes": "60",
    "zone": "Europe/Berlin",
    "invite_days": "7",
    "share": "25",
    "floor": "5000",
    "roles": "chair facilitator scribe",
    "holidays": "2026-04-03",
    "member.1.person": "ada",
    "member.1.seat": "it",
    "member.2.person": "otto",
    "member.2.seat": "physical",
    "member.3.person": "mia",
    "member.3.seat": "other",
    "member.4.person": "",
}
TEXT = {
    "title": "Badges end with <i>accounts</i>",
    "question": "Is it safe that badges end with accounts?",
    "choice": "A badge ends one hour after the account.",
    "because": "They stayed on for a day.",
    "kind": "decision",
    "review_on": "2026-09-01",
    "metric": "two_clock_gap",
    "direction": "down",
    "size": "3",
    "by": "2026-08-01",
    "sets": "leaver-access.1.badge_off_within = PT1H",
}


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    with open_watchword(Settings(data=tmp_path_factory.mktemp("bodies")), ManualClock(NOW)) as watchword:
        watchword.accounts._passwords = Passwords(PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))
        watchword.governance.decisions.on_decided.clear()  # the parameter of this test is of no policy of the house
        watchword.governance.decisions.checks.clear()
        for name, role in PEOPLE.items():
            watchword.accounts.create(name, role, PASSWORD, actor="test")
        yield watchword


@pytest.fixture(scope="module")
def people(house):
    """Return a client of each person."""
    app, found = create_app(house), {}
    for name in PEOPLE:
        client = TestClient(app, base_url="https://testserver", headers={"Sec-Fetch-Site": "same-origin"}, follow_redirects=False)
        assert client.post("/log-in", data={"name": name, "password": PASSWORD}).status_code == 303
        found[name] = client
    return found


@pytest.fixture(scope="module")
def body(house, people):
    assert "No body yet" in people["ada"].get("/committees").text
    assert people["ada"].post("/committees", data=BODY).status_code == 403
    wrong = people["mia"].post("/committees", data=BODY | {"quorum_physical": "2"})
    assert wrong.status_code == 422
    assert "cannot be met by 1 members for physical" in wrong.text
    answer = people["mia"].post("/committees", data=BODY)
    assert answer.status_code == 303, answer.text
    return house.governance.committees.list()[0]


def put(people, body, **changes):
    answer = people["ada"].post("/proposals", data={"body": body.uid, **TEXT, **changes})
    assert answer.status_code == 303, answer.text
    path = answer.headers["location"]
    assert people["ada"].post(f"{path}/submit").status_code == 303
    for name in ("otto", "mia"):
        assert people[name].post(f"{path}/asked").status_code == 303
    assert people["ada"].post(f"{path}/revise").status_code == 303
    return path


def test_a_proposal_by_forms(house, people, body):
    path = put(people, body)
    page = people["otto"].get(path).text
    assert "Safe to try" in page
    assert "&lt;i&gt;accounts" in page
    assert "<i>accounts" not in page
    assert "Safe to try" not in people["ivo"].get(path).text  # he may take part in bodies, and does not sit in this one
    assert people["ivo"].post(f"{path}/agree").status_code == 403
    assert people["aud"].post(f"{path}/agree").status_code == 403
    missing = people["otto"].post(f"{path}/object", data={"reason": "doors stay shut", "paramount": "1"})
    assert missing.status_code == 422
    assert "harm" in missing.text
    people["otto"].post(f"{path}/object", data={"reason": "doors stay shut", "harm": "nobody gets out", "paramount": "1"})
    for name in ("ada", "mia"):
        people[name].post(f"{path}/agree")
    page = people["ada"].get(path).text
    assert "objections being integrated" in page
    changed = people["ada"].post(f"{path}/revise", data=TEXT | {"choice": "An hour after, by day."})
    assert changed.status_code == 303, changed.text
    uid = path.rpartition("/")[2]
    seq = house.governance.proposals.get(uid).state.objections[0].seq
    people["otto"].post(f"{path}/resolve", data={"objection": str(seq), "how": "By day somebody is there."})
    for name in ("ada", "otto", "mia"):
        assert people[name].post(f"{path}/agree").status_code == 303
    (decision,) = house.governance.decisions.list()
    assert decision.choice == "An hour after, by day."
    page = people["aud"].get(f"/decisions/{decision.uid}").text
    assert "by consent" in page
    assert "its hash is the same" in page
    assert "integrated in version 3" in page
    assert people["mia"].post(f"/decisions/{decision.uid}/review", data={"found": ""}).status_code == 422
    assert decision.question in people["aud"].get("/decisions").text


def test_a_meeting_by_forms(house, people, body):
    proposal = put(people, body, title="Cards for the lift")
    starts = (NOW + timedelta(minutes=30)).astimezone().isoformat()
    answer = people["ada"].post(f"/committees/{body.uid}/meetings", data={"starts": starts, "minutes": "45"})
    assert answer.status_code == 303, answer.text
    uid = house.governance.meetings.list(body.uid, ahead=True)[0].uid
    path = f"/meetings/{uid}"
    added = {"title": "Guards", "why": "Two begin.", "minutes": "5", "domain": "physical"}
    assert people["otto"].post(f"{path}/items", data=added).status_code == 303
    assert "Guards" in people["aud"].get(path).text
    assert people["aud"].post(f"{path}/freeze").status_code == 403
    assert people["ivo"].post(f"{path}/freeze").status_code == 422
    assert people["ada"].post(f"{path}/freeze").status_code == 303
    assert people["ada"].post(f"{path}/open").status_code == 303
    assert "no quorum" in people["ada"].get(path).text
    for name in ("otto", "mia"):
        people[name].post(f"{path}/attend", data={"here": "1"})
    page = people["otto"].get(path).text
    assert "quorum met, both sides" in page
    assert "Cards for the lift" in page
    assert people["otto"].post(f"{proposal}/agree", data={"back": uid}).headers["location"].startswith(path)
    items = house.governance.agendas.items(uid)
    assert people["ada"].post(f"{path}/show", data={"item": items[0].uid}).status_code == 303
    assert items[0].title in people["mia"].get(f"{path}/screen").text
    assert people["ada"].post(f"{path}/settle", data={"item": items[0].uid, "outcome": "Done.", "done": "1"}).status_code == 303
    action = {"text": "Train the guards", "owner": "otto", "due": "2026-03-20"}
    assert people["ada"].post(f"{path}/actions", data=action).status_code == 303
    assert people["ada"].post(f"{path}/close").status_code == 303
    assert "Train the guards" in people["aud"].get(path).text
    for name in ("ada", "otto", "mia"):
        people[name].post(f"{path}/approve", data={"number": "1"})
    assert "version 1, approved" in people["aud"].get(path).text
    assert "Minutes" in people["aud"].get(f"{path}/print").text
    scores = {"worth": "4", "heard": "5", "other_side": "4"}
    assert people["otto"].post(f"{path}/pulse", data=scores).status_code == 303
    assert "fewer than 5 answers" in people["otto"].get(path).text


def test_what_news_draw_anew(house, people, body):
    app = people["ada"].app
    request = Request({"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": [], "app": app})
    ask = Ask(request, house.accounts.by_session(people["ada"].cookies[SESSION]), look_of(request), Web(house))
    proposal = house.governance.proposals.list(body.uid)[0].uid
    meeting = house.governance.meetings.list(body.uid)[0].uid
    subjects = {"committee": body.uid, "proposal": proposal, "meeting": meeting, "meeting-screen": meeting}
    for page, regions in PAGES.items():
        for region in regions:
            drawn = region.draw(ask, {"page": page, "uid": subjects.get(page, "")}, ())
            assert drawn.startswith("<hx-partial hx-target="), page


def test_calendars_and_rules(house, people, body):
    token = house.governance.committees.feed_token(body.uid)
    anybody = TestClient(people["ada"].app, base_url="https://testserver")
    answer = anybody.get(f"/calendar/committees/{token}.ics")
    assert answer.headers["content-type"].startswith("text/calendar")
    assert "Security committee" in answer.text
    assert anybody.get("/calendar/committees/none.ics").status_code == 404
    assert people["mia"].get("/committees/new").status_code == 200
    assert people["mia"].get(f"/committees/{body.uid}/edit").status_code == 200
    changed = people["mia"].post("/committees", data=BODY | {"uid": body.uid, "version": "1", "minutes": "90"})
    assert changed.status_code == 303, changed.text
    again = people["mia"].post("/committees", data=BODY | {"uid": body.uid, "version": "1"})
    assert again.status_code == 409
    away = {"person": "ada", "since": "2026-05-01", "until": "2026-05-30"}
    assert people["otto"].post(f"/committees/{body.uid}/absences", data=away).status_code == 303
    assert "ada is away 2026-05-01" in people["aud"].get(f"/committees/{body.uid}").text
