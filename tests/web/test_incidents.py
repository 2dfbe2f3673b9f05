"""Incidents on pages: every form works by plain POST, is refused to who may not, escapes what it shows, and leaves its trace."""

import json
import re

import pytest

from watchword.kit.ids import uid_of

LISBON = uid_of("finding", "1")
PLACE = "harbour/main/0/server-room"


def open_one(client, house, title="Badge in two places", **more):
    values = {"title": title, "because": f"It was seen {house.INJECTION}", "severity": "2", "teams": ["it", "physical"], "finding": LISBON}
    answer = client.post("/incidents", data={**values, **more})
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


@pytest.fixture
def otto(client_of):
    return client_of("otto")


@pytest.fixture
def incident(ada, house):
    """Return the address of a fresh incident that `ada` opened."""
    return open_one(ada, house)


def view(watchword, address):
    return watchword.response.incidents.get(address.rpartition("/")[2])


def entries(watchword, address):
    return [entry.text for entry in watchword.response.incidents.timeline(address.rpartition("/")[2])]


def fault(answer):
    found = re.search(r'<p class="notice bad" role="alert"><a[^>]*>([^<]+)', answer.text)
    return found[1] if found else ""


def test_the_list_says_what_is_next_and_who_owes_it(ada, incident, house):
    text = ada.get("/incidents").text
    assert "Badge in two places" in text
    assert "Acknowledge: say that a person has it." in text
    assert "Physical" in text
    assert house.INJECTION not in text


def test_filters_stand_in_the_address(ada, incident):
    for query, there in (
        ("q=two+places", True), ("q=nothing+such", False), ("severity=1", False), ("severity=2", True), ("team=it", True),
        ("work=closed", False), ("whose=mine", False), ("about=Ana+Reyes", True), ("exercise=yes", False), ("sort=newest", True),
    ):  # fmt: skip
        assert ("Badge in two places" in ada.get(f"/incidents?{query}").text) is there, query
    assert "is called so" in ada.get("/incidents?about=zzz").text
    assert ada.get("/incidents?since=nonsense").status_code == 200
    assert "cursor" in ada.get("/incidents?after=xyz").text


def test_more_than_a_page_goes_on(ada, watchword):
    for number in range(52):
        watchword.response.incidents.open(f"Many {number}", by="ada", team="it", because="paging", severity=4)
    first = ada.get("/incidents?q=Many")
    older = re.search(r'rel="next" href="([^"]+)"', first.text)[1].replace("&amp;", "&")
    rest = ada.get(older).text
    assert len(re.findall("<tr id=", first.text)) == 50
    assert len(re.findall("<tr id=", rest)) == 2


def test_a_number_leads_to_its_incident(ada, watchword, incident):
    number = view(watchword, incident).incident.number
    assert ada.get(f"/incidents/{number}").headers["location"] == incident
    assert ada.get("/incidents/999999").status_code == 404
    assert ada.get("/incidents/nonsense").status_code == 404


def test_the_page_reads_without_script_and_escapes(ada, incident, house):
    text = ada.get(incident).text
    assert house.INJECTION not in text
    assert "&lt;script&gt;alert" in text
    assert "style=" not in text
    assert not re.search(r"\son[a-z]+=", text)
    assert "Owed by" in text
    assert "chain verified" in text
    assert text.index("Next</h2>") < text.index('id="timeline"')


def test_each_team_acknowledges_for_itself(ada, otto, watchword, incident):
    assert [team.team for team in view(watchword, incident).teams if team.acknowledged_at] == ["it"]
    assert otto.post(f"{incident}/acknowledge", data={"team": "it"}).status_code == 303
    assert {team.team: team.acknowledged_by for team in view(watchword, incident).teams} == {"it": "ada", "physical": "otto"}


def test_acknowledging_takes_the_page_too(otto, watchword, incident):
    uid = incident.rpartition("/")[2]
    with watchword.records.begin() as connection:
        page = watchword.response.pager.page(
            connection, incident=uid, severity=2, teams=["physical"], title="t", place="", what_to_do="go", exercise=False, key=f"t:{uid}"
        )
    otto.post(f"{incident}/acknowledge")
    track = next(track for track in watchword.response.pager.get(page).tracks if track.team == "physical")
    assert (track.status.value, track.by) == ("acknowledged", "otto")
    assert next(team for team in view(watchword, incident).teams if team.team == "physical").acknowledged_by == "otto"


def test_the_lead_is_taken_once(ada, otto, watchword, incident):
    assert otto.post(f"{incident}/lead").status_code == 303
    assert view(watchword, incident).incident.lead == "otto"
    refused = ada.post(f"{incident}/lead")
    assert refused.status_code == 409
    assert "Somebody leads already" in fault(refused)


def test_notes_carry_the_time_that_they_are_about(otto, watchword, incident, house):
    assert otto.post(f"{incident}/note", data={"text": f"Seen {house.INJECTION}", "at": "08:30"}).status_code == 303
    entry = watchword.response.incidents.timeline(incident.rpartition("/")[2])[-1]
    assert (entry.occurred_at.hour, entry.occurred_at.minute, entry.team) == (7, 30, "physical")
    assert house.INJECTION not in otto.get(incident).text
    refused = otto.post(f"{incident}/note", data={"text": "kept", "at": "noon"})
    assert refused.status_code == 422
    assert "is no time" in fault(refused)
    assert "kept</textarea>" in refused.text
    assert otto.post(f"{incident}/correct", data={"seq": str(entry.seq), "text": "It was the other door"}).status_code == 303
    assert watchword.response.incidents.timeline(incident.rpartition("/")[2])[-1].corrects == entry.seq


def test_talk_mentions_and_is_seen(ada, otto, watchword, incident):
    otto.post(f"{incident}/say", data={"text": "look @ada <b>"})
    assert '<strong class="mention">@ada</strong> &lt;b&gt;' in ada.get(incident).text
    mine = lambda: [each for each in watchword.response.incidents.chronicle.mentioned(["ada"]) if incident.endswith(each.incident)]  # noqa: E731 - asked thrice
    assert len(mine()) == 1
    assert "otto to you" in ada.get("/phone").text
    ada.post(f"{incident}/seen")
    assert mine() == []
    assert otto.post(f"{incident}/say", data={"text": " "}).status_code == 422


def test_tasks_are_given_done_and_dropped(ada, otto, watchword, incident):
    ada.post(f"{incident}/tasks", data={"title": "Take a picture", "team": "physical", "within": "30m"})
    task = view(watchword, incident).tasks[0]
    assert (task.team, task.sla.total_seconds()) == ("physical", 1800)
    assert "Take a picture" in otto.get("/phone").text
    otto.post(f"{incident}/tasks/{task.uid}", data={"deed": "take"})
    assert otto.post(f"{incident}/tasks/{task.uid}", data={"deed": "drop", "note": ""}).status_code == 422
    assert (
        otto.post(f"{incident}/tasks/{task.uid}", data={"deed": "done", "note": "done", "back": "/phone"}).headers["location"] == "/phone"
    )
    assert (view(watchword, incident).tasks[0].state, view(watchword, incident).tasks[0].ended_by) == ("done", "otto")
    assert ada.post(f"{incident}/tasks", data={"title": "x", "team": "it", "within": "soon"}).status_code == 422


def test_a_hand_over_is_acknowledged_item_by_item(ada, otto, watchword, incident):
    ada.post(f"{incident}/lead")
    ada.post(f"{incident}/tasks", data={"title": "One thing", "team": "it"})
    assert ada.post(f"{incident}/roles", data={"role": "lead", "person": "otto"}).status_code == 409
    assert ada.post(f"{incident}/hand-over", data={"role": "lead", "person": "nobody"}).status_code == 422
    assert ada.post(f"{incident}/hand-over", data={"role": "lead", "person": "otto", "note": "soon over"}).status_code == 303
    hand = view(watchword, incident).hand_overs[0]
    item = {"kind": hand.items[0].kind, "item": hand.items[0].uid}
    assert "I have it" in otto.get(incident).text
    assert "I have it" not in ada.get(incident).text
    assert ada.post(f"{incident}/hand-over/{hand.uid}", data=item).status_code == 403
    assert otto.post(f"{incident}/hand-over/{hand.uid}", data=item).status_code == 303
    assert view(watchword, incident).incident.lead == "otto"


def test_severity_is_declared_and_a_downgrade_needs_two(ada, otto, watchword, incident):
    assert ada.post(f"{incident}/severity", data={"deed": "declare", "people": "1"}).status_code == 303
    assert view(watchword, incident).incident.severity == 1
    assert ada.post(f"{incident}/severity", data={"deed": "rate", "people": "3"}).status_code == 422
    ada.post(f"{incident}/severity", data={"deed": "rate", "people": "3", "reason": "nobody was there"})
    waiting = next(rating for rating in view(watchword, incident).ratings if rating.status.value == "waiting")
    assert ada.post(f"{incident}/severity/{waiting.uid}", data={"answer": "yes"}).status_code == 403
    assert otto.post(f"{incident}/severity/{waiting.uid}", data={"answer": "yes"}).status_code == 303
    assert view(watchword, incident).incident.severity == 3
    assert ada.post(f"{incident}/severity", data={"deed": "rate", "people": "9"}).status_code == 422


def test_containment_needs_its_evidence_and_closing_says_what_is_open(ada, watchword, incident):
    assert "needs its evidence" in fault(ada.post(f"{incident}/moment", data={"moment": "t7"}))
    ada.post(f"{incident}/severity", data={"deed": "declare", "operations": "2"})
    ada.post(f"{incident}/moment", data={"moment": "t7", "evidence": "read back"})
    refused = ada.post(f"{incident}/close", data={"closure": "true", "note": "Badge was copied", "operations": "2"})
    assert refused.status_code == 409
    assert "not restored" in fault(refused)
    ada.post(f"{incident}/moment", data={"moment": "t9"})
    assert ada.post(f"{incident}/close", data={"closure": "", "note": "x"}).status_code == 422
    assert ada.post(f"{incident}/close", data={"closure": "true", "note": "Badge was copied", "operations": "2"}).status_code == 303
    assert view(watchword, incident).incident.state.value == "closed"
    assert "Closed as" in ada.get(incident).text
    assert watchword.findings.get(LISBON).work.state.value == "closed"
    assert ada.post(f"{incident}/reopen", data={"reason": ""}).status_code == 422
    assert ada.post(f"{incident}/reopen", data={"reason": "seen again"}).status_code == 303
    assert view(watchword, incident).incident.open
    ada.post(f"/findings/{LISBON}/reopen")


def test_two_are_merged_and_one_is_split(ada, watchword, house, incident):
    other = open_one(ada, house, "The other one")
    number = view(watchword, other).incident.number
    assert ada.post(f"{incident}/merge", data={"other": "99999", "reason": "x"}).status_code == 422
    assert ada.post(f"{incident}/merge", data={"other": str(number), "reason": "the same badge"}).status_code == 303
    assert view(watchword, other).incident.merged_into == incident.rpartition("/")[2]
    assert "taken up by" in ada.get(other).text
    offline = uid_of("finding", "2")
    assert ada.post(f"{incident}/findings", data={"deed": "attach", "finding": offline, "reason": "same door"}).status_code == 303
    assert ada.post(f"{incident}/findings", data={"deed": "split", "reason": "two things"}).status_code == 422
    new = ada.post(f"{incident}/findings", data={"deed": "split", "finding": offline, "title": "Camera only", "reason": "two things"})
    assert view(watchword, new.headers["location"]).incident.title == "Camera only"


def test_veris_names_no_person(ada, incident):
    answer = ada.get(f"{incident}/veris.json")
    assert answer.headers["content-type"] == "application/json"
    assert "Reyes" not in answer.text
    assert json.loads(answer.text)["schema_version"]


@pytest.mark.parametrize(
    "path",
    ["", "acknowledge", "lead", "note", "say", "describe", "tasks", "roles", "hand-over", "severity", "moment", "merge", "findings", "close",
     "reopen", "actions", "release", "runs", "carry-out"],
)  # fmt: skip
def test_who_only_reads_does_nothing(client_of, incident, path):
    auditor = client_of("aud")
    assert auditor.post(f"{incident}/{path}" if path else "/incidents", data={"text": "x", "reason": "x"}).status_code == 403
    stranger = client_of("ada")
    answer = stranger.post(f"{incident}/{path}" if path else "/incidents", data={}, headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403


def test_who_only_reads_sees_no_form_of_a_deed(client_of, incident):
    text = client_of("aud").get(incident).text
    assert f'action="{incident}' not in text
    assert client_of("aud").get("/incidents/new").status_code == 403
    assert client_of("").get(incident).headers["location"].startswith("/log-in")


def test_opening_says_what_is_lacking(ada):
    answer = ada.post("/incidents", data={"title": "", "because": "x"})
    assert answer.status_code == 422
    assert "needs a title" in answer.text
    assert ada.post("/incidents", data={"title": "x", "because": "y", "severity": "9"}).status_code == 422
    assert "Badge used while" in ada.get(f"/incidents/new?finding={LISBON}").text


def test_the_overview_shows_what_is_open(ada, incident):
    text = ada.get("/").text
    assert "open incident" in text
    assert "Next: Acknowledge" in text
    assert "On call" in text


def test_every_deed_is_audited(ada, watchword, incident):
    ada.post(f"{incident}/note", data={"text": "audited"})
    found = watchword.audit.entries(limit=5)
    assert any(entry.action == "incident.note" and entry.actor == "ada" for entry in found)
