"""A meeting in real browsers: everybody's voice on their own device moves the shared screen; without JavaScript and on a phone too."""

from datetime import date, timedelta

import pytest
from playwright.sync_api import expect

from watchword.govern.body import BodyRules, Member, Seat
from watchword.govern.consent import Stage
from watchword.govern.decision_rules import Text

pytestmark = pytest.mark.journey
SEATS = {"ada": Seat.IT, "otto": Seat.PHYSICAL, "mia": Seat.OTHER}


@pytest.fixture(scope="module")
def watchword(house, tmp_path_factory):
    from watchword.web.bundle import asset

    if not asset("app.js"):
        pytest.skip("the pages' bundle is not built: run make ui")
    with house.open_house(tmp_path_factory.mktemp("house")) as opened:
        yield opened


@pytest.fixture(scope="module")
def meeting(watchword, house):
    """Return an open meeting of a body, and a proposal in its round of objections."""
    there = watchword.governance
    rules = BodyRules(purpose="Both sides decide.", cadence="")
    body = there.committees.put("Board", rules, [Member(name, seat) for name, seat in SEATS.items()], by="mia")
    text = Text(
        "Cards for the lift",
        "Is it safe to try that the lift asks for a card?",
        "From 19:00 on the lift moves by card only.",
        "It is the only way in that asks nobody.",
        (house.NOW + timedelta(days=90)).date(),
        {"metric": "", "direction": "none"},
    )
    proposal = there.proposals.draft(body.uid, text, by="ada")
    there.proposals.submit(proposal, by="ada")
    for name in ("otto", "mia"):
        there.proposals.asked(proposal, by=name)
    there.proposals.revise(proposal, None, by="ada")
    uid = there.meetings.call(body.uid, house.NOW + timedelta(minutes=10), 45, by="ada")
    there.agendas.freeze(there.meetings.get(uid), by="ada")
    there.meetings.open(uid, by="ada")
    return uid, proposal


def test_voices_on_own_devices_move_the_shared_screen(open_page, log_in, watchword, meeting):
    uid, proposal = meeting
    screen = log_in(open_page(size=(1920, 1080)), "ada", f"/meetings/{uid}/screen")
    expect(screen.get_by_text("no quorum")).to_be_visible()
    phone = log_in(open_page(size=(390, 844)), "otto", f"/meetings/{uid}")
    phone.get_by_role("button", name="I am here").click()
    expect(screen.get_by_text("2 of 3 are there")).to_be_visible()
    phone.wait_for_load_state()
    assert phone.evaluate("document.documentElement.scrollWidth <= innerWidth")
    plain = log_in(open_page(script=False), "mia", f"/meetings/{uid}")
    plain.get_by_role("button", name="I am here").click()
    expect(screen.get_by_text("quorum met, both sides")).to_be_visible()
    phone.get_by_role("button", name="Safe to try").click()
    expect(screen.get_by_text("otto physical has spoken")).to_be_attached()
    own = plain.get_by_role("region", name="Cards for the lift")
    own.locator("summary").click()
    own.get_by_label("Why", exact=True).fill("Cleaners begin at five.")
    own.get_by_label("What harm would come of it").fill("Nobody cleans.")
    own.get_by_role("checkbox").check()
    own.get_by_role("button", name="Object", exact=True).click()
    expect(screen.get_by_text("mia objects: Cleaners begin at five.")).to_be_visible()
    watchword.governance.proposals.agree(proposal, by="ada")
    expect(screen.get_by_text("Cards for the lift")).to_have_count(1)  # on the agenda still; its round is over
    assert watchword.governance.proposals.get(proposal).state.stage is Stage.INTEGRATION


def test_an_action_and_the_minutes(open_page, log_in, watchword, meeting):
    uid, _ = meeting
    page = log_in(open_page(), "ada", f"/meetings/{uid}")
    page.get_by_label("What is to be done").fill("Ask the cleaners")
    page.get_by_label("Due").fill(date(2026, 3, 20).isoformat())
    page.get_by_role("button", name="Add it").first.click()
    expect(page.get_by_text("Ask the cleaners")).to_be_visible()
    page.get_by_role("button", name="Close it and write the minutes").click()
    expect(page.get_by_role("heading", name="Minutes")).to_be_visible()
    page.get_by_role("button", name="They are right").click()
    expect(page.get_by_text("ada agrees")).to_be_visible()
    assert watchword.governance.minutes.versions(uid)[0].content["actions"][0]["text"] == "Ask the cleaners"
