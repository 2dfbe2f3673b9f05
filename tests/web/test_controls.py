"""The pages of controls: three shares always, evidence that opens the very events, words and checks by those who may."""

from datetime import timedelta

import pytest

from watchword.app.controlling import look
from watchword.measure.compliance import Result


@pytest.fixture(scope="module")
def looked(watchword):
    look(watchword, watchword.clock.now())
    return watchword


def test_the_list_shows_pass_fail_and_unknown_of_every_control(looked, ada):
    page = ada.get("/controls").text
    for state in looked.governance.controls.results():
        assert f'href="/controls/{state.control}"' in page
    assert page.count('data-word="unknown"') == page.count('data-word="pass"') == page.count('data-word="fail"') == 30
    assert "evidenced to fail" in page
    assert "unknown" in page


def test_the_list_can_be_narrowed(looked, ada):
    page = ada.get("/controls?side=it&state=unknown").text
    assert 'href="/controls/pe-3"' not in page
    assert ada.get("/controls?side=moon&state=x").status_code == 200


def test_a_control_leads_to_evidence_and_evidence_to_its_events(looked, ada):
    controls = looked.governance.controls
    with_events = [
        each for state in controls.results() for each in state.evidence if any(kind == "event" for kind, _ in controls.inputs(each.uid))
    ]
    assert with_events
    chosen = next(each for each in with_events if not each.asset.startswith(("person:", "badge:", "account:")))
    assert f"/controls/evidence/{chosen.uid}" in ada.get(f"/controls/{chosen.control}").text
    page = ada.get(f"/controls/evidence/{chosen.uid}").text
    events = [uid for kind, uid in controls.inputs(chosen.uid) if kind == "event"]
    assert all(f"/events/{uid}" in page for uid in events)
    assert ada.get(f"/events/{events[0]}").status_code == 200
    assert "intact" in page


def test_evidence_about_a_person_is_no_back_door_to_a_trail(looked, ada):
    controls = looked.governance.controls
    personal = [each for state in controls.results() for each in state.evidence if each.asset.startswith(("badge:", "account:"))]
    assert personal
    for each in personal:
        assert '<tr id="event-' not in ada.get(f"/controls/evidence/{each.uid}").text


def test_a_word_needs_the_right_and_a_sentence_and_counts_less(looked, ada, client_of):
    said = {"result": "pass", "way": "attested", "lasts": "30d", "statement": "I read the plan with both team leads today."}
    assert ada.post("/controls/ir-8/word", data=said).status_code == 403
    mia = client_of("mia")
    short = mia.post("/controls/ir-8/word", data=said | {"statement": "ok"})
    assert short.status_code == 422
    assert "sentence" in short.text
    assert mia.post("/controls/ir-8/word", data=said).status_code == 303
    state = looked.governance.controls.control("ir-8")
    assert state.shares.passed == pytest.approx(0.6)
    assert state.shares.unknown == pytest.approx(0.4)
    assert {each.result for each in state.evidence} == {Result.PASS}


def test_a_check_comes_in_at_the_front_door(looked, ada):
    before = looked.ledger.status("watchword-checks").accepted
    answer = ada.post(
        "/controls/pe-3/checks", data={"kind": "lock-test", "target": "harbour/doors/D-01", "passed": "yes", "note": "closed well"}
    )
    assert "Recorded" in answer.text
    assert looked.spool.depth().records >= 1 or looked.ledger.status("watchword-checks").accepted > before
    wrong = ada.post("/controls/pe-3/checks", data={"kind": "moon-test"})
    assert wrong.status_code == 422
    assert "no check" in wrong.text


def test_unknown_controls_and_evidence_are_not_found(looked, ada):
    assert ada.get("/controls/pe-99").status_code == 404
    assert ada.get("/controls/evidence/" + "0" * 32).status_code == 404
    assert timedelta(days=1) > timedelta()
