"""Actions asked for by hand and approvals: looked at before anything is sent, agreed to with a fresh log-in, done once, refused in words."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import delete

from watchword.app.tables import login_attempt
from watchword.kit.ids import uid_of
from watchword.model import Team
from watchword.model.action import Outcome, OutcomeStatus
from watchword.respond.hands_service import Hands

DOOR = "harbour/doors/D-03"


class Directory:
    """A responder that keeps accounts in a dict."""

    name = "test-directory"
    verbs = frozenset({"account.disable", "account.enable", "account.end_sessions"})

    def __init__(self, clock):
        self.clock, self.enabled, self.calls = clock, {}, []

    def do(self, action, *, dry_run=False):
        if not dry_run:
            self.calls.append(action.verb)
            self.enabled[action.target] = "false" if action.verb == "account.disable" else "true"
        return Outcome(OutcomeStatus.DONE, "would be told" if dry_run else "told", self.clock.now(), self.name)

    def read(self, action):
        return {"sessions": "0"} if action.verb == "account.end_sessions" else {"enabled": self.enabled.get(action.target, "true")}


@pytest.fixture
def accounts(watchword):
    responder, gateway = Directory(watchword.clock), watchword.response.gateway
    before, gateway.hands = gateway.hands, Hands([responder], [])
    yield responder
    gateway.hands = before


@pytest.fixture
def otto(client_of):
    return client_of("otto")


@pytest.fixture
def incident(watchword):
    uid = watchword.response.incidents.open(
        "Badge in two places", by="ada", team="it", because="seen", severity=2, findings=(uid_of("finding", "1"),), teams=(Team.PHYSICAL,)
    )
    return f"/incidents/{uid}"


def hidden(text, within):
    return dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', text.split(within)[1].split("</form>")[0]))


def ask(client, incident, **more):
    page = client.get(f"{incident}/actions", params={"verb": "account.disable", "target": "areyes", "lasts": "4h", **more})
    return client.post(f"{incident}/actions", data={**hidden(page.text, "ask-form"), "reason": "used twice"})


def test_the_dry_run_tells_what_and_whom_and_sends_nothing(ada, accounts, incident):
    text = ada.get(f"{incident}/actions", params={"verb": "account.disable", "target": "areyes", "lasts": "4h"}).text
    assert "A. Reyes" in text
    assert "would be told" in text
    assert "Needs the word of <strong>1 person, not the one who asks" in text
    assert accounts.calls == []


def test_a_door_is_refused_in_words_while_fire_is_unknown(ada, watchword, incident):
    page = ada.get(f"{incident}/actions", params={"verb": "door.secure_ingress", "target": DOOR, "lasts": "30m"})
    assert "Fire in Main building: <strong>unknown</strong>" in page.text
    assert "Refused for people" in page.text
    assert "Post a guard" in page.text
    assert "Ask for it" not in page.text
    sent = {"verb": "door.secure_ingress", "target": DOOR, "lasts": "30m", "nonce": "abcdef123456", "reason": "all the same"}
    assert ada.post(f"{incident}/actions", data=sent).status_code == 303
    deed = watchword.response.gateway.deed("hand/abcdef123456")
    assert deed.state == "refused"
    assert any(entry.action == "action.refuse" for entry in watchword.audit.entries(limit=5))


def test_asked_agreed_done_once_read_back_and_released(ada, otto, accounts, watchword, incident):
    asked = ask(ada, incident)
    approval = asked.headers["location"]
    assert approval.startswith("/approvals/")
    assert "You asked for it" in ada.get(approval).text
    assert ada.post(approval, data={**hidden(otto.get(approval).text, "answer"), "answer": "yes"}).status_code in {403, 409}
    form = hidden(otto.get(approval).text, 'class="body stack answer"')
    assert otto.post(approval, data={**form, "answer": "yes", "reason": "HR says so", "back": "/phone"}).headers["location"] == "/phone"
    assert accounts.calls == ["account.disable"]
    text = ada.get(incident).text
    assert "read back" in text
    assert "4 h left" in text
    assert otto.post(approval, data={**form, "answer": "yes"}).status_code == 409
    assert accounts.calls == ["account.disable"]
    uid = approval.rpartition("/")[2]
    assert ada.post(f"{incident}/carry-out", data={"approval": uid}).status_code == 303
    assert accounts.calls == ["account.disable"]
    deed = watchword.response.gateway.deed(watchword.response.approvals.get(uid).action.key)
    assert "actions?release=" in text
    assert ada.post(f"{incident}/release", data={"deed": deed.uid}).status_code == 303
    assert accounts.calls == ["account.disable"], "ending it early needs somebody's word as well"


def test_what_needs_nobodys_word_is_done_at_once_and_the_same_form_twice_does_it_once(ada, accounts, incident):
    page = ada.get(f"{incident}/actions", params={"verb": "account.end_sessions", "target": "areyes"})
    assert "Do it now" in page.text
    form = {**hidden(page.text, "ask-form"), "reason": "left"}
    assert ada.post(f"{incident}/actions", data=form).headers["location"] == f"{incident}#actions"
    ada.post(f"{incident}/actions", data=form)
    assert accounts.calls == ["account.end_sessions"]
    assert ada.post(f"{incident}/actions", data={**form, "reason": ""}).status_code == 422
    assert ada.post(f"{incident}/actions", data={**form, "nonce": "<script>"}).status_code == 422


def test_a_no_needs_its_reason_and_stops(ada, otto, accounts, watchword, incident):
    approval = ask(ada, incident).headers["location"]
    form = hidden(otto.get(approval).text, 'class="body stack answer"')
    assert otto.post(approval, data={**form, "answer": "no"}).status_code == 422
    assert otto.post(approval, data={**form, "answer": "no", "reason": "wrong person"}).status_code == 303
    assert watchword.response.approvals.get(approval.rpartition("/")[2]).state.value == "vetoed"
    assert accounts.calls == []


def test_a_form_that_was_shown_to_somebody_else_is_no_answer(ada, otto, client_of, accounts, incident):
    approval = ask(ada, incident).headers["location"]
    theirs = hidden(client_of("mia").get(approval).text, 'class="body stack answer"')
    assert "not shown to you" in otto.post(approval, data={**theirs, "answer": "yes"}).text
    mine = hidden(otto.get(approval).text, 'class="body stack answer"')
    assert "has changed since" in otto.post(approval, data={**mine, "digest": "0" * 64, "answer": "yes"}).text


def test_an_old_log_in_gives_its_password_again(ada, otto, accounts, watchword, incident, house):
    watchword.clock.advance(timedelta(minutes=11))
    try:
        ada.get("/incidents")
        approval = ask(ada, incident).headers["location"]
        page = otto.get(approval).text
        assert "older than 10 minutes" in page
        form = {**hidden(page, 'class="body stack answer"'), "answer": "yes"}
        before = otto.cookies.get("__Host-watchword")
        assert otto.post(approval, data=form).status_code == 403
        assert otto.post(approval, data={**form, "password": "wrong"}).status_code == 403
        assert accounts.calls == []
        assert otto.post(approval, data={**form, "password": house.PASSWORD}).status_code == 303
        assert accounts.calls == ["account.disable"]
        assert otto.cookies.get("__Host-watchword") != before
        assert "older than 10 minutes" not in otto.get(ask(ada, incident).headers["location"]).text
    finally:
        watchword.clock.at = house.NOW
        with watchword.records.begin() as connection:  # tries of a time to come would lock the door now
            connection.execute(delete(login_attempt))


def test_glass_is_broken_by_named_roles_only_and_is_reviewed(ada, otto, client_of, accounts, watchword, incident):
    approval = ask(ada, incident).headers["location"]
    assert "Break the glass" not in otto.get(approval).text
    assert otto.post(f"{approval}/glass", data={"reason": "now"}).status_code == 403
    mia = client_of("mia")
    assert mia.post(f"{approval}/glass", data={"reason": ""}).status_code == 422
    assert mia.post(f"{approval}/glass", data={"reason": "nobody answers"}).status_code == 303
    assert accounts.calls == ["account.disable"]
    texts = [entry.text for entry in watchword.response.incidents.timeline(incident.rpartition("/")[2])]
    assert any("review of the break-glass" in text for text in texts)


def test_who_may_not_agree_does_not(client_of, ada, accounts, incident):
    approval = ask(ada, incident).headers["location"]
    auditor = client_of("aud")
    assert "Your role agrees to no actions" in auditor.get(approval).text
    assert auditor.post(approval, data={"answer": "yes"}).status_code == 403
    assert auditor.get(f"{incident}/actions").status_code == 403
    assert ada.get("/approvals/nonsense").status_code == 404
    assert "Disable the account" in ada.get("/approvals").text
