"""How the pages of the response stand: structure as golden files; every size, theme and thumb; with a keyboard and without script."""

import os
import re
from datetime import date, time
from pathlib import Path

import pytest
from playwright.sync_api import expect

from watchword.kit.ids import uid_of
from watchword.model import Team
from watchword.model.incident import IncidentRole, Rating
from watchword.respond.rota import Layer

pytestmark = pytest.mark.journey
GOLDEN = Path(__file__).parent / "golden"
SIZES = [(1280, 720), (390, 844)]


def without_addresses(text):
    """Return a snapshot without its links' addresses: the uids in them are others at each run."""
    lines = [line for line in text.splitlines() if "/url:" not in line]
    depth = [len(line) - len(line.lstrip()) for line in lines] + [0]
    return "\n".join(line[:-1] if line.endswith(":") and depth[number + 1] <= depth[number] else line for number, line in enumerate(lines))


@pytest.fixture(scope="module")
def incident(watchword):
    """Return the address of an incident that both teams have worked on."""
    incidents, pager = watchword.response.incidents, watchword.response.pager
    uid = incidents.open(
        "Badge in two places", by="ada", team="it", because="The badge opened a door while its account worked elsewhere.", severity=2,
        findings=(uid_of("finding", "1"),), teams=(Team.IT, Team.PHYSICAL),
    )  # fmt: skip
    with watchword.records.begin() as connection:
        pager.page(
            connection, incident=uid, severity=2, teams=["it", "physical"], title="Badge in two places", place="Server room 2", what_to_do="Go there.",
            exercise=False, key=uid,
        )  # fmt: skip
    incidents.assign(uid, IncidentRole.LEAD, "ada", by="ada", team="it")
    incidents.declare(uid, Rating(people=2), by="ada", team="it")
    incidents.say(uid, "@otto the camera is blind: please look", by="ada", team="it")
    incidents.tasks.add(uid, "Look into Server room 2", by="ada", team=Team.PHYSICAL, speaker="it")
    watchword.response.on_call.put(
        "Control room", "physical", "Europe/Berlin", [Layer("shift", ("otto", "mia"), date(2026, 3, 2), time(6), 1)], by="root"
    )
    return f"/incidents/{uid}"


@pytest.fixture(scope="module")
def pages(incident):
    return {
        "incidents": "/incidents",
        "incident": incident,
        "action": f"{incident}/actions?verb=door.secure_ingress&target=harbour/doors/D-03&lasts=30m",
        "phone": "/phone",
        "on-call": "/on-call",
    }


@pytest.mark.parametrize("name", ["incidents", "incident", "action", "phone", "on-call"])
def test_structure_is_as_kept(open_page, log_in, pages, name):
    """Compare the accessibility tree of `main` with its golden file; WATCHWORD_GOLDEN=write keeps the present one."""
    page = log_in(open_page(), "otto")
    page.goto(pages[name])
    main = page.get_by_role("main")
    kept = GOLDEN / f"{name}.yml"
    if os.environ.get("WATCHWORD_GOLDEN") == "write":
        kept.write_text(without_addresses(main.aria_snapshot()) + "\n")
    expect(main).to_match_aria_snapshot(kept.read_text())


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES, ids=["1280", "390"])
def test_every_page_fits_every_screen_and_thumb(open_page, log_in, pages, size, scheme):
    page = log_in(open_page(size=size, scheme=scheme), "mia")
    for path in [*pages.values(), "/approvals", "/on-call/new", "/incidents/new"]:
        page.goto(path)
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        over = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert over <= 0, f"{path} is {over} px too wide"
        if path == "/phone":
            small = page.evaluate("""() => [...document.querySelectorAll('main button, main .button, .phone-top a')]
                .map((each) => [each.textContent.trim(), each.getBoundingClientRect().height]).filter(([, height]) => height < 44)""")
            assert small == []


def test_a_guard_works_without_script(open_page, log_in, watchword, incident):
    page = log_in(open_page(size=(390, 844), script=False), "otto", "/phone")
    page.get_by_role("button", name=re.compile("^Acknowledge.*Badge in two places")).click()
    expect(page.get_by_role("button", name=re.compile("^Acknowledge"))).to_have_count(0)
    card = page.get_by_role("region", name="Look into Server room 2")
    card.get_by_label("Note").fill("Nobody there")
    card.get_by_role("button", name="Done").click()
    expect(card).to_have_count(0)
    view = watchword.response.incidents.get(incident.rpartition("/")[2])
    assert {team.team: team.acknowledged_by for team in view.teams} == {"it": "ada", "physical": "otto"}
    assert view.tasks[0].note == "Nobody there"


def test_news_reach_an_open_incident_and_do_not_disturb_who_writes(open_page, log_in, watchword, incident):
    page = log_in(open_page(), "ada", incident)
    expect(page.locator("#live[data-state=live]")).to_be_visible()
    page.get_by_label("Write down what happened").fill("half a sentence")
    watchword.response.incidents.say(incident.rpartition("/")[2], "The camera sees again", by="otto", team="physical")
    expect(page.get_by_role("log", name="What was said").get_by_text("The camera sees again")).to_be_visible()
    expect(page.locator("#entries").get_by_text("The camera sees again")).to_be_visible()
    expect(page.get_by_label("Write down what happened")).to_have_value("half a sentence")


def test_the_keyboard_goes_there(open_page, log_in, incident):
    page = log_in(open_page(), "ada")
    expect(page.locator("#live[data-state=live]")).to_be_visible()
    page.keyboard.press("g")
    page.keyboard.press("n")
    page.wait_for_url("**/incidents")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{incident}")
