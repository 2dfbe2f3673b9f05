"""Three people, one decision: from a risk that crosses its appetite to a door that follows, evidence that turns and an effect as expected.

The house is that of the chain's test under `tests/app`: doors, leavers whose badges end late, one pipeline that is never started anew. What
people do, they do in three browsers; what time does, the measuring process's own jobs do.
"""

import importlib.util
import json
import re
from datetime import timedelta
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from playwright.sync_api import expect

from watchword.app.accounts import Passwords, Role
from watchword.app.committee_work import prepare_meetings
from watchword.app.controlling import look, record_check
from watchword.app.effects import judge_effects
from watchword.app.risk_book import settle_risks
from watchword.app.settings import read_settings
from watchword.app.watchword import open_watchword
from watchword.govern.body import BodyRules, Member, Seat
from watchword.govern.scenario import Scenario
from watchword.ingest.intake import Incoming
from watchword.kit.clock import ManualClock

pytestmark = pytest.mark.journey


def chain():
    """Return the chain's test as a module: its house, its leavers, its times."""
    path = Path(__file__).parents[1] / "app" / "test_policy_reaches_the_door.py"
    spec = importlib.util.spec_from_file_location("watchword_test_chain", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


CHAIN = chain()
RISK = Scenario(
    "leaver-returns",
    "Somebody who left comes back at night",
    "A badge that nobody ended opens the harbour's door to somebody who left in anger.",
    "former employee",
    shape=1,
    years=20,
    low=50_000,
    high=500_000,
    owner="head of security",
    appetite=80_000,
    counted_since=CHAIN.BEGIN.date(),
    source="our own list of losses",
)
GUARD = 950
"""Number of somebody who stays and walks the doors."""
SEATS = {"ada": Seat.IT, "otto": Seat.PHYSICAL, "mia": Seat.OTHER}
RULES = BodyRules(purpose="Both sides decide who may enter.", quorum=3, cadence="FREQ=WEEKLY;BYDAY=MO,TH", first=CHAIN.BEGIN.date())


@pytest.fixture(scope="module", autouse=True)
def patience():
    """Wait longer for a page than elsewhere: half a year of a house is read for some."""
    expect.set_options(timeout=15_000)
    yield
    expect.set_options(timeout=5_000)


@pytest.fixture(scope="module")
def watchword(tmp_path_factory):
    from watchword.web.bundle import asset

    if not asset("app.js"):
        pytest.skip("the pages' bundle is not built: run make ui")
    chosen = read_settings(environment={}, overrides={"data": tmp_path_factory.mktemp("three") / "data", "name": "Harbour watch"})
    with open_watchword(chosen, ManualClock(CHAIN.BEGIN)) as opened:
        opened.accounts._passwords = Passwords(PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))
        yield opened


@pytest.fixture(scope="module")
def doors(watchword, house):
    """Return the house of doors after nine periods in which badges ended late, and the body of its three people."""
    found = CHAIN.House(watchword, watchword.clock)
    for name, role in (("ada", Role.IT_ANALYST), ("otto", Role.CONTROL_ROOM_OPERATOR), ("mia", Role.MANAGER)):
        watchword.accounts.create(name, role, house.PASSWORD, actor="test")
    there = watchword.governance
    there.committees.put("Board of entry", RULES, [Member(name, seat) for name, seat in SEATS.items()], by="mia")
    there.risks.register.put_scenario(RISK, by="mia")
    found.doors(CHAIN.leaving()[: CHAIN.SIDES * CHAIN.LEAVERS])
    found.clock.at = CHAIN.CHANGE - timedelta(minutes=10)
    found.door(901, "granted", CHAIN.CHANGE - timedelta(minutes=30))  # an hour after leaving
    watchword.measures.computing.backfill(found.clock.now(), names=[CHAIN.MEASURE])
    look(watchword, found.clock.now())
    settle_risks(watchword, found.clock.now())
    return found


def goes(page, path, heading):
    """Open a page, and wait until it stands there."""
    page.goto(path)
    expect(page.get_by_role("heading", level=1)).to_contain_text(heading)
    return page


def is_over_the_appetite(otto, doors):
    """The physical side tells of an event; the job computes anew; the risk was within what is borne, now it is not."""
    page = goes(otto, f"/risks/{RISK.uid}", RISK.title)
    expect(page.locator("#curve")).to_contain_text("is borne: within")
    page.get_by_text("Tell of one that no incident speaks of").click()
    page.get_by_label("When").fill((doors.clock.now() - timedelta(days=2)).strftime("%Y-%m-%dT%H:%M"))
    page.get_by_label("Loss in euros, if known").fill("120k")
    page.get_by_label("What happened").fill("A leaver's badge opened the store")
    page.get_by_role("button", name="Tell").click()
    expect(page.locator("#events")).to_contain_text("A leaver's badge opened the store")
    settle_risks(doors.watchword, doors.clock.now())
    goes(otto, f"/risks/{RISK.uid}", RISK.title)
    expect(page.locator("#curve")).to_contain_text("is borne: over")


def is_on_the_agenda(mia, doors):
    """The next meeting's agenda, built by rule and frozen, holds the risk with its reason."""
    prepare_meetings(doors.watchword, doors.clock.now())
    page = goes(mia, "/committees", "Committees")
    page.get_by_role("link", name="Board of entry").first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Board of entry")
    page.locator("#meeting-list a").first.click()
    expect(page.locator("#meeting-head")).to_contain_text("agenda stands")
    item = page.locator("#agenda li").filter(has_text=f"Over the appetite: {RISK.title}")
    expect(item).to_contain_text("over")
    expect(item.get_by_role("link", name="risk", exact=True)).to_have_attribute("href", f"/risks/{RISK.uid}")


def is_put(ada, body, doors):
    """IT proposes what it holds for right; return the proposal's address."""
    page = goes(ada, f"/proposals/new?body={body}&kind=policy&subject=leaver-access", "Propose")
    by = (doors.clock.now() + timedelta(days=300)).date().isoformat()
    page.get_by_label("Title", exact=True).fill("Leavers' badges end at once")
    page.get_by_label("Question put to the body").fill("Is it safe to try until the review that a leaver's badge ends at once?")
    page.get_by_label("What is decided, word for word").fill("Badge and account end with the last minute of work.")
    page.get_by_label("Why", exact=True).fill("A badge that lives on opened a door.")
    page.get_by_label("Review on", exact=True).fill(by)
    page.get_by_label("Measure", exact=True).select_option(CHAIN.MEASURE)
    page.get_by_label("It", exact=True).select_option("down")
    page.get_by_label("by", exact=True).fill("0.2")
    page.get_by_label("until", exact=True).fill(by)
    page.get_by_label("Policy parameters that it sets").fill(f"{CHAIN.BADGE} = PT1M\n{CHAIN.ACCOUNT} = PT1M")
    page.get_by_role("button", name="Keep the draft").click()
    page.get_by_role("button", name="Put it to the body").click()
    expect(page.locator("#voice")).to_be_visible()
    return page.url


def is_consented(ada, otto, mia, address):
    """A paramount objection of the physical side is integrated; then nobody sees harm. Return the decision's address."""
    for page in (otto, mia):
        goes(page, address, "Leavers' badges")
        page.get_by_role("button", name="No further question").click()
        if page is otto:
            expect(page.get_by_role("button", name="You have no further question")).to_be_visible()
    expect(mia.locator("#proposal > [role=status]")).to_contain_text("being revised")
    goes(ada, address, "Leavers' badges")
    ada.get_by_role("button", name="Put this text to the body for objections").click()
    expect(ada.get_by_role("button", name="Safe to try")).to_be_visible()
    goes(otto, address, "Leavers' badges")
    otto.locator("#voice summary").get_by_text("Object").click()
    otto.get_by_label("Why", exact=True).fill("Whoever leaves still has to walk out of the building.")
    otto.get_by_label("What harm would come of it").fill("People stand before closed turnstiles.")
    otto.locator("#voice").get_by_role("checkbox").check()
    otto.get_by_role("button", name="Object", exact=True).click()
    expect(otto.locator("#objections")).to_contain_text("paramount, open")
    for page in (mia, ada):
        goes(page, address, "Leavers' badges")
        expect(page.locator("#objections")).to_contain_text("walk out of the building")
        page.get_by_role("button", name="Safe to try").click()
        if page is mia:
            expect(page.get_by_role("button", name="You see no harm in trying it")).to_be_visible()
    expect(ada.locator("#proposal > [role=status]")).to_contain_text("objections being integrated")
    ada.get_by_text("Change the text first").click()
    ada.get_by_label("What is decided, word for word").fill("Badge and account end within two hours: time to walk out.")
    ada.get_by_label("Policy parameters that it sets").fill(f"{CHAIN.BADGE} = PT2H\n{CHAIN.ACCOUNT} = PT2H")
    ada.get_by_role("button", name="Put the changed text to the body").click()
    expect(ada.locator("#text")).to_contain_text("within two hours")
    goes(otto, address, "Leavers' badges")
    otto.get_by_label("How it is integrated, or why you take it back").fill("Two hours are enough to walk out.")
    otto.get_by_role("button", name="It is resolved").click()
    expect(otto.locator("#objections")).to_contain_text("resolved in version")
    for page in (otto, ada):
        goes(page, address, "Leavers' badges")
        page.get_by_role("button", name="Safe to try").click()
        expect(page.get_by_role("button", name="You see no harm in trying it")).to_be_visible()
    expect(ada.locator("#proposal")).to_contain_text("Missing for the quorum")
    goes(mia, address, "Leavers' badges").get_by_role("button", name="Safe to try").click()
    mia.get_by_role("link", name=re.compile(r"^decision ")).click()
    expect(mia.get_by_role("heading", level=1)).to_contain_text("Decision")
    expect(mia.locator("#choice")).to_contain_text("by consent")
    expect(mia.locator("#objections")).to_contain_text("integrated in version")
    expect(mia.locator("#effect")).to_contain_text("not judged yet")
    return mia.url


def reaches_the_door(otto, doors):
    """The policy has a version with its parameter; the running pipeline takes it up; what called somebody is only noted."""
    uid = doors.found(901)[0].uid
    goes(otto, "/findings?mode=page&rule=ww_007&work=all", "Findings")
    expect(otto.locator(f"#finding-{uid}")).to_be_visible()
    doors.quiet()
    goes(otto, "/policies/leaver-access", "Access of people who leave")
    expect(otto.get_by_text("version 1, in force since")).to_be_visible()
    badge = otto.locator("#s-1 li").filter(has_text="calls somebody")
    expect(badge.get_by_text("2 h", exact=True)).to_be_visible()
    expect(badge).to_contain_text("acts since")
    goes(otto, "/findings?mode=page&rule=ww_007&work=all", "Findings")
    expect(otto.locator(f"#finding-{uid}")).to_have_count(0)
    goes(otto, "/findings?mode=risk&rule=ww_007&work=all", "Findings")
    expect(otto.locator("#rows")).to_contain_text("Badges end within a deadline that has not passed yet")


def sources_speak(doors):
    """A day and more in which doors and directory speak in their rhythm, or no control test believes them."""
    watchword, begin = doors.watchword, doors.clock.now()
    person = f"employee,name,kind,role,site,since,until\n{5000 + GUARD},Guard,employee,guard,harbour,2020-01-01,\n"
    watchword.registry.load_people(person, "guard.csv", "test")
    watchword.registry.load_people(
        f"badge,employee,since,until\n{CHAIN.badge(GUARD)},{5000 + GUARD},2020-01-01,\n", "guard-badge.csv", "test"
    )
    watchword.mappings.forget()
    for index in range(26 * 6):
        at = begin + timedelta(minutes=10 * index)
        doors.door(GUARD, "granted", at, carry=index % 6 == 5)
    at = doors.clock.now()
    said = {"uuid": "u1", "published": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"), "eventType": "user.session.start"}
    said |= {"severity": "INFO", "outcome": {"result": "SUCCESS"}, "actor": {"id": "u1", "type": "User", "alternateId": "o@example.org"}}
    watchword.intake.accept("idp", [Incoming(json.dumps(said).encode())], at)
    while doors.pipeline.step():
        pass


def weeks_go_by(doors):
    """Nine periods in which badges end in time; then the jobs of the measuring process."""
    watchword, clock = doors.watchword, doors.clock
    after = CHAIN.leaving()[CHAIN.SIDES * CHAIN.LEAVERS :]
    doors.doors(after)
    clock.at = CHAIN.BEGIN + 2 * CHAIN.SIDES * CHAIN.PERIOD + timedelta(days=1)
    for number, left, *_ in after:
        if clock.now() - left < timedelta(days=31):
            record_check(watchword, "items-returned", f"person:{5000 + number}", by="otto", at=left + timedelta(hours=1))
    sources_speak(doors)
    watchword.measures.computing.backfill(clock.now(), names=[CHAIN.MEASURE])
    look(watchword, clock.now())
    judge_effects(watchword, clock.now())


def test_three_people_decide_and_the_house_follows(open_page, log_in, watchword, doors):
    ada, otto, mia = (log_in(open_page(), name) for name in SEATS)
    [body] = [each.uid for each in watchword.governance.committees.list() if each.name == "Board of entry"]
    is_over_the_appetite(otto, doors)
    is_on_the_agenda(mia, doors)
    goes(ada, "/controls/ps-4", "")
    fails = ada.locator("#evidence tr").filter(has=ada.locator(".result.fail")).filter(has_text="h after they left")
    expect(fails).not_to_have_count(0)
    decision = is_consented(ada, otto, mia, is_put(ada, body, doors))
    reaches_the_door(otto, doors)

    for page in (ada, otto, mia):
        page.goto("about:blank")  # nobody sits before a screen for half a year: a session ends long before
    weeks_go_by(doors)
    for page, name in ((ada, "ada"), (mia, "mia")):
        log_in(page, name)
    goes(ada, "/controls/ps-4", "")
    passes = ada.locator("#evidence tr").filter(has=ada.locator(".result.pass")).filter(has_text="ended in time")
    expect(passes).to_have_count(CHAIN.LEAVERS)
    expect(fails).to_have_count(0)
    goes(mia, decision, "Decision")
    effect = mia.locator("#effect")
    expect(effect).to_contain_text("a shift down, as expected")
    expect(effect).to_contain_text(re.compile(r"Now.*\d to \d.*n \d", re.DOTALL))
