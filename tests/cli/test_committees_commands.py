"""``watchword committees`` and ``watchword decisions`` as they are typed, on the demo's committee."""

import json

import pytest
from argon2 import PasswordHasher
from icalendar import Calendar

from watchword.app.accounts import Passwords
from watchword.app.furnishing_committees import furnish_committees
from watchword.app.living import PEOPLE
from watchword.app.settings import Settings
from watchword.app.watchword import open_watchword


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """Return a data folder with the demo's committee, and the uids of its first meeting ahead, proposal and decision."""
    folder = tmp_path_factory.mktemp("committees")
    with open_watchword(Settings(data=folder)) as watchword:
        watchword.accounts._passwords = Passwords(PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))
        for name, (role, full_name) in PEOPLE.items():
            watchword.accounts.create(name, role, "correct horse battery", actor="test", full_name=full_name)
        furnish_committees(watchword)
        there = watchword.governance
        body = there.committees.list()[0].uid
        uids = (
            there.meetings.list(body, ahead=True)[0].uid,
            there.proposals.list()[0].uid,
            there.decisions.due(watchword.clock.now().date())[0].uid,
        )
    return (str(folder), *uids)


def rows(text):
    return [json.loads(line) for line in text.splitlines()]


def test_bodies_and_what_they_have(run, house, tmp_path):
    data, meeting, proposal, _ = house
    (body,) = rows(run("--data", data, "committees", "list", "--format", "ndjson").out)
    assert body["name"] == "Security committee"
    assert body["proposals"] == 2
    named = ("--data", data, "committees")
    assert {"chair", "facilitator", "scribe"} <= set(rows(run(*named, "meetings", "Security committee", "-f", "ndjson").out)[0])
    assert rows(run(*named, "agenda", meeting, "-f", "ndjson").out)[0]["position"] == 1
    under_way = rows(run(*named, "proposals", "-f", "ndjson").out)
    assert {each["stage"] for each in under_way} == {"question", "objection"}
    assert all(each["waits_for"] for each in under_way)
    assert len(rows(run(*named, "proposals", "--all", "--body", "Security committee", "-f", "ndjson").out)) == 5
    assert json.loads(run(*named, "proposal", proposal).out)["state"]["stage"] == "question"
    assert "overdue" in run(*named, "actions", "Security committee").out
    out = tmp_path / "meetings.ics"
    assert run(*named, "export", "Security committee", str(out)).status == 0
    assert len(Calendar.from_ical(out.read_bytes()).walk("VEVENT")) >= 7
    assert "0 meetings made" in run(*named, "plan", "Security committee").err
    assert run(*named, "meetings", "nobody's").status == 1


def test_decisions_and_their_review(run, house):
    data, _, _, due = house
    named = ("--data", data, "decisions")
    assert len(rows(run(*named, "list", "-f", "ndjson").out)) == 3
    (late,) = rows(run(*named, "list", "--due", "-f", "ndjson").out)
    assert late["uid"] == due
    assert json.loads(run(*named, "show", due).out)["decision"]["expects"]["metric"] == "two_clock_gap"
    assert run(*named, "review", due, "The gap fell.").status == 0
    assert rows(run(*named, "list", "--due", "-f", "ndjson").out) == []
    assert run(*named, "review", due, "Again.").status == 1
