"""The pages of policies, reviews and traces: what holds, since when it acts, who has read it, what was done and what worked."""

from datetime import timedelta

import pytest

from watchword.learn.effect import Verdict
from watchword.model.decision import Decision, Direction, Effect, Expectation, Method


def decide(watchword, number, sets, kind="policy", subject="leaver-access", **more):
    now = watchword.clock.now()
    expects = more.pop("expects", Expectation("", Direction.NONE))
    decision = Decision(
        uid=f"{number:032x}", number=0, body="b", question="Shall badges end with accounts?", choice="Yes.", because="They should.",
        version_hash="0" * 64, method=Method.CONSENT, decided=now, in_force=now, review_on=(now + timedelta(days=100)).date(),
        expects=expects, sets=sets, kind=kind, subject=subject, **more,
    )  # fmt: skip
    with watchword.records.begin() as connection:
        return watchword.governance.decisions.put(connection, decision, "mia").uid


@pytest.fixture
def mia(client_of):
    return client_of("mia")


@pytest.fixture
def otto(client_of):
    return client_of("otto")


@pytest.fixture
def aud(client_of):
    return client_of("aud")


@pytest.fixture(scope="module")
def decided(watchword):
    return decide(watchword, 0xA11CE, {"leaver-access.1.badge_off_within": "PT2H", "leaver-access.1.account_off_within": "PT2H"})


def test_the_list_tells_what_holds_from_what_only_lies_there(watchword, decided, ada):
    page = ada.get("/policies").text
    assert page.count("not decided") >= 10
    assert "version 1" in page
    assert "No policy in force says for how long days are kept" in page


def test_a_policy_shows_its_parameters_what_follows_them_and_its_version(watchword, decided, ada):
    watchword.governance.policies.log_applied(
        "ww_007.deadline",
        timedelta(hours=2),
        watchword.governance.policies.parameters()["leaver-access.1.badge_off_within"],
        process="work",
    )
    page = ada.get("/policies/leaver-access").text
    assert "<strong>2 h</strong>" in page
    assert "acts since" in page
    assert f'href="/decisions/{decided}"' in page
    assert 'href="/controls/ps-4"' in page
    assert ada.get("/policies/nothing").status_code == 404


def test_a_change_is_tried_against_everything_in_force_before_anybody_proposes_it(watchword, decided, mia):
    page = mia.get("/policies/leaver-access", params={"sets": "leaver-access.1.badge_off_within = PT8H"}).text
    assert "a required order breaks" in page
    page = mia.get("/policies/leaver-access", params={"sets": "leaver-access.1.badge_off_within = PT1H"}).text
    assert "Nothing in force would contradict it" in page
    assert mia.get("/policies/leaver-access", params={"sets": "leaver-access.1.nonsense = 1"}).status_code == 422


def test_whoever_is_concerned_reads_the_extract_of_their_role(watchword, decided, otto, aud):
    page = otto.get("/policies/leaver-access").text
    assert "Every right of entry" in page
    assert "I have read this" in page
    assert otto.post("/policies/leaver-access/read").status_code in {200, 303}
    assert "You have read version 1" in otto.get("/policies/leaver-access").text
    assert "Nothing of it concerns your role" in aud.get("/policies/leaver-access").text


def test_an_exception_has_an_end_and_is_ended_by_a_steward_with_a_reason(watchword, decided, root, ada):
    expires = (watchword.clock.now() + timedelta(days=30)).date()
    uid = decide(
        watchword, 0xE1, {"scope": "contractors", "compensating": "the guard checks"}, "exception", "leaver-access.1", expires=expires
    )
    assert "the guard checks" in ada.get("/policies/leaver-access").text
    form = {"policy": "leaver-access", "reason": "No longer needed"}
    assert ada.post(f"/policies/exceptions/{uid}/end", data=form).status_code == 403
    root.post(f"/policies/exceptions/{uid}/end", data=form)
    assert watchword.governance.policies.exceptions(decision=uid)[0].ended is not None


def form_of(watchword, incident, **more):
    today = watchword.clock.now().date()
    return {
        "of": incident, "held": today.isoformat(), "facilitator": "mia", "present": "ada, it\notto, physical", "helped": "One call",
        "hindered": "Two lists", "text-1": "One list for both", "owner-1": "otto", "team-1": "physical",
        "due-1": (today + timedelta(days=20)).isoformat(), "verify-1": (today + timedelta(days=90)).isoformat(),
        "metric-1": "two_clock_gap", "direction-1": "down", "size-1": "4", **more,
    }  # fmt: skip


def test_a_review_is_held_its_action_done_and_whether_it_worked_is_another_question(watchword, mia, ada):
    finding = watchword.findings.list()[0].finding.uid
    incident = watchword.response.incidents.open("Badge of a leaver", by="ada", team="it", because="odd", findings=[finding])
    assert "Hold a review" in mia.get("/after-actions/new", params={"incident": incident}).text
    refused = mia.post("/after-actions", data=form_of(watchword, incident, present="somebody"))
    assert refused.status_code == 422
    assert "write a name, a comma" in refused.text
    mia.post("/after-actions", data=form_of(watchword, incident))
    kept = watchword.governance.retrospectives.of_incident(incident)
    [action] = kept.review.actions
    page = ada.get(f"/after-actions/{kept.review.uid}").text
    assert "One list for both" in page
    assert "too early" in page
    mia.post(f"/after-actions/actions/{action.uid}/done", data={"note": "The lists are one"})
    watchword.governance.retrospectives.judge(action.uid, Verdict(Effect.NONE_DETECTED, "No shift."))
    page = ada.get("/after-actions").text
    assert "no detectable effect" in page, "done, and it did not work: it opens the next review"
    assert mia.post("/after-actions", data=form_of(watchword, incident)).status_code == 409


def test_a_trace_goes_up_to_the_decision_and_down_to_what_follows(watchword, decided, ada):
    page = ada.get(f"/trace/decision/{decided}").text
    assert "/policies/leaver-access" in page
    assert "ps-4" in page.lower()
    page = ada.get("/trace/control/ps-4").text
    assert f"/decisions/{decided}" in page, "why does this control exist?"
    assert ada.get("/trace/moon/x").status_code == 404
    assert ada.get("/trace/control/none").status_code == 404
