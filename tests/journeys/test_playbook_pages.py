"""Playbooks and runs in a real browser: structure, live runs, faults beside the field as one types, every size and theme, no script."""

import importlib.util
import os
import sys
from pathlib import Path

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.journey
GOLDEN = Path(__file__).parent / "golden"
spec = importlib.util.spec_from_file_location("watchword_test_books", Path(__file__).parents[1] / "web" / "books.py")
books = sys.modules.setdefault("watchword_test_books", importlib.util.module_from_spec(spec))
spec.loader.exec_module(books)
LOOK = books.ident("action", 2)


@pytest.fixture
def book(watchword):
    return watchword.response.library.put(books.text(books.door_book()), "test")


@pytest.fixture
def run(watchword, book):
    uid = watchword.response.runs.start(book.id, "", {}, "ada", True, key="journey")
    settle(watchword)
    return uid


def settle(watchword):
    while watchword.response.runs.step(watchword.clock.now()):
        pass


def compare(page, name):
    """Compare the accessibility tree of `main` with its golden file; WATCHWORD_GOLDEN=write keeps the present one."""
    main = page.get_by_role("main")
    kept = GOLDEN / f"{name}.yml"
    if os.environ.get("WATCHWORD_GOLDEN") == "write":
        kept.write_text(main.aria_snapshot() + "\n")
    expect(main).to_match_aria_snapshot(kept.read_text())


def test_structure_is_as_kept(open_page, log_in, book, run):
    page = log_in(open_page(), "mia")
    page.goto(f"/playbooks/{book.id}")
    page.evaluate("document.getElementById('runs').remove()")
    compare(page, "playbook")
    page.goto(f"/runs/{run}")
    page.evaluate("document.getElementById('facts').remove()")
    compare(page, "run")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [(1280, 720), (390, 844)], ids=["1280", "390"])
def test_every_page_fits_every_screen(open_page, log_in, book, run, size, scheme):
    page = log_in(open_page(size=size, scheme=scheme), "root")
    edit = f"/playbooks/{book.id}/edit"
    for path in ("/playbooks", f"/playbooks/{book.id}", edit, f"{edit}?step={LOOK}", f"{edit}?part=variables", "/playbooks/new",
                 f"/playbooks/{book.id}/start", "/runs", f"/runs/{run}", f"/runs/{run}/dry-run"):  # fmt: skip
        page.goto(path)
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        over = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert over <= 0, f"{path} is {over} px too wide"


def test_a_run_moves_on_before_ones_eyes(open_page, log_in, watchword, book):
    uid = watchword.response.runs.start(book.id, "", {}, "ada", True)
    settle(watchword)
    page = log_in(open_page(), "otto", to=f"/runs/{uid}")
    expect(page.locator("#live")).to_have_text("Live")
    picture = page.locator("svg.flow")
    expect(picture.get_by_role("link", name="1. Look at it: a person does it, waits for a person")).to_be_visible()
    path = watchword.response.runs.get(uid).waits[0].path
    watchword.response.runs.answer(uid, path, "done", {"__seen__": "nobody"}, "ada", "it")
    settle(watchword)
    expect(picture.get_by_role("link", name="2. Shut the account: an action, waits for approval")).to_be_visible()
    assert page.evaluate("document.querySelector('svg.flow').namespaceURI") == "http://www.w3.org/2000/svg"
    expect(page.get_by_role("heading", name="Approvals waiting")).to_be_visible()
    page.get_by_label("Reason (needed for a no)").fill("not this one")
    page.get_by_role("button", name="Say no: stop it").click()
    settle(watchword)
    expect(page.get_by_role("heading", name="3. By hand")).to_be_visible()


def test_faults_come_beside_the_field_as_one_types(open_page, log_in, watchword, book):
    page = log_in(open_page(), "mia", to=f"/playbooks/{book.id}/edit?step={LOOK}")
    page.get_by_label("Begins later by").fill("soon")
    expect(page.locator("#fault-delay")).not_to_be_empty()
    expect(page.locator("#tally")).to_contain_text("error")
    page.get_by_label("Begins later by").fill("5m")
    expect(page.locator("#fault-delay")).to_be_empty()
    expect(page.get_by_label("Begins later by")).to_be_focused()
    expect(page.get_by_text("nothing changed yet")).to_be_visible()
    page.get_by_label("Put in").select_option("parallel")
    page.get_by_role("button", name="after this step").click()
    expect(page.get_by_role("heading", name="2. All at once")).to_be_visible()
    page.locator("svg.flow").get_by_role("link", name="1. Look at it").click()
    expect(page.get_by_label("Begins later by")).to_have_value("5m")
    page.get_by_role("button", name="Discard").click()
    page.wait_for_url(f"**/playbooks/{book.id}")


def test_without_script_a_playbook_is_written_saved_and_run(open_page, log_in, watchword):
    page = log_in(open_page(script=False), "mia", to="/playbooks/new")
    page.get_by_label("Name").fill("Water in the plant room")
    page.get_by_role("button", name="Begin").click()
    page.get_by_role("link", name="1. Control").or_(page.locator("#steps a").first).first.click()
    page.get_by_label("What a person does").first.fill("Shut the valve")
    page.get_by_label("Responsible").select_option("physical")
    page.get_by_role("button", name="Keep in the draft").click()
    expect(page.get_by_text("no fault")).to_be_visible()
    page.get_by_role("button", name="Save as a new version").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Water in the plant room")
    page.get_by_role("link", name="Start or dry run").click()
    page.get_by_label("As an exercise").check()
    page.get_by_role("button", name="Start", exact=True).click()
    settle(watchword)
    page.reload()
    page.get_by_role("button", name="I take it").click()
    expect(page.get_by_text("with mia").first).to_be_visible()
    page.get_by_role("button", name="Done").click()
    settle(watchword)
    page.reload()
    expect(page.locator("#run-head")).to_contain_text("done")
