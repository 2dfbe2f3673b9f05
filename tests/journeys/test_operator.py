"""An operator's night: log in, see what comes in, open, acknowledge, read a trail for a reason; by mouse, by keys, without script."""

import itertools
from dataclasses import replace

import pytest
from playwright.sync_api import expect

from watchword.kit.ids import uid_of
from watchword.model import EventQuery, Mode
from watchword.model.ocsf import Access, EventClass

pytestmark = pytest.mark.journey
NUMBERS = itertools.count(5000)


def happen(watchword, house, words, **more):
    """Let an event come in as the worker lets it."""
    made = house.event(next(NUMBERS), "windows", 1, EventClass.PROCESS_ACTIVITY, 1, words, **more)
    house.hand_in(watchword, [made])
    return made


def raise_finding(watchword, house, title, **more):
    """Let a detector find something."""
    events = {each.message.split(" ")[1]: each for each in watchword.events.events(EventQuery(limit=200)) if " " in each.message}
    made = house.lisbon([None, events["opened"], events["logged"]], number=str(next(NUMBERS)))
    made = replace(made, title=title, because=f"{title}: {made.because}", **more)
    watchword.findings.put([made])
    return made


def live(page):
    expect(page.locator("#live")).to_have_text("Live")
    return page


def test_from_log_in_to_acknowledgement(open_page, log_in, watchword, house):
    page = live(log_in(open_page()))
    expect(page.get_by_role("heading", level=1)).to_have_text("Overview")
    made = raise_finding(watchword, house, "Badge lent", severity=5)
    expect(page.locator("#needs").get_by_text("Badge lent")).to_be_visible()
    expect(page.get_by_role("alert").get_by_text("Badge lent")).to_be_visible()
    page.locator(f"#need-{made.uid}").get_by_role("link", name="Badge lent").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Badge lent")
    expect(page.get_by_role("img", name="Time axis: 1 physical and 1 IT events")).to_be_visible()
    page.locator("details.event-detail").first.locator("summary").click()
    expect(page.get_by_text('"raw": "areyes logged on')).to_be_visible()
    expect(page.get_by_role("heading", name="Related by pivot")).to_be_visible()
    expect(page.locator("#related").get_by_text("Same external address")).to_be_visible()
    page.get_by_role("button", name="Acknowledge").click()
    expect(page.get_by_text("Acknowledged by ada")).to_be_visible()
    assert watchword.findings.get(made.uid).work.by == "ada"
    page.goto("/")
    expect(page.locator(f"#need-{made.uid}")).to_have_count(0)


def test_new_events_appear_and_wait_while_a_row_is_read(open_page, log_in, watchword, house):
    page = live(log_in(open_page(), to="/timeline"))
    happen(watchword, house, "first arrival")
    expect(page.locator("[data-rows] tr").first).to_contain_text("first arrival")
    page.locator("[data-rows] tr").first.get_by_role("link", name="first arrival").focus()
    happen(watchword, house, "second arrival")
    happen(watchword, house, "third arrival")
    bar = page.locator("#waiting-bar").get_by_role("button")
    expect(bar).to_have_text("2 new")
    expect(page.locator("[data-rows] tr").first).to_contain_text("first arrival")
    bar.click()
    expect(page.locator("[data-rows] tr").nth(0)).to_contain_text("arrival")
    expect(page.locator("[data-rows]").get_by_text("second arrival")).to_be_visible()
    expect(page.locator("[data-rows]").get_by_text("third arrival")).to_be_visible()
    expect(bar).to_be_hidden()


def test_a_cut_stream_says_so_and_loses_nothing(open_page, log_in, watchword, house):
    page = live(log_in(open_page(expect=("ERR_INTERNET_DISCONNECTED", "Failed to load resource", "Failed to fetch")), to="/timeline"))
    said = [f"numbered {number}" for number in range(6)]
    for words in said[:2]:
        happen(watchword, house, words)
    expect(page.locator("[data-rows]").get_by_text(said[1])).to_be_visible()
    page.context.set_offline(True)
    page.evaluate("document.getElementById('stream')._htmx.sse.reader.cancel()")
    expect(page.locator("#live")).to_contain_text("Reconnecting since")
    for words in said[2:4]:
        happen(watchword, house, words)
    page.context.set_offline(False)
    expect(page.locator("[data-rows]").get_by_text(said[3])).to_be_visible(timeout=30_000)
    for words in said[4:]:
        happen(watchword, house, words)
    expect(page.locator("[data-rows]").get_by_text(said[5])).to_be_visible()
    for words in said:
        expect(page.locator("[data-rows]").get_by_text(words, exact=True)).to_have_count(1)
    expect(page.locator("#live")).to_have_text("Live")


def test_a_list_that_is_pointed_at_stays_and_catches_up(open_page, log_in, watchword, house):
    page = live(log_in(open_page()))
    page.locator("#needs").hover()
    made = raise_finding(watchword, house, "Held back")
    expect(page.locator("#needs")).to_have_attribute("data-behind", "")
    expect(page.locator(f"#need-{made.uid}")).to_have_count(0)
    page.get_by_role("heading", level=1).hover()
    expect(page.locator(f"#need-{made.uid}")).to_be_visible()


def test_a_plan_follows_its_doors(open_page, log_in, watchword, house):
    page = live(log_in(open_page(), to="/places/harbour"))
    door = page.locator(".plan a[href='/places/harbour/doors/D-02']")
    expect(door).to_have_class("door door-closed")
    made = house.event(
        next(NUMBERS), "harbour-doors", 0, EventClass.PHYSICAL_ACCESS, Access.HELD_OPEN, "Office door held", place="harbour/doors/D-02"
    )
    house.hand_in(watchword, [made])
    expect(door).to_have_class("door door-alarm")
    assert page.evaluate("document.querySelector('.plan').namespaceURI") == "http://www.w3.org/2000/svg"
    expect(page.get_by_role("link", name="Office door: held open 0 s")).to_be_visible()
    page.locator(".plan a[href='/places/harbour/doors/D-01']").focus()
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.getAttribute('href')").startswith("/places/harbour/doors/")
    assert page.evaluate("document.activeElement.getAttribute('href')") != "/places/harbour/doors/D-01"


def test_a_trail_asks_for_a_reason_and_logs_it(open_page, log_in, watchword):
    page = log_in(open_page(), "otto", to="/people")
    page.get_by_role("link", name="Ana Reyes").click()
    expect(page.get_by_text("badge opened R-03")).to_have_count(0)
    page.get_by_label("Why do you need the trail of A. Reyes?").fill("two places at once, finding of tonight")
    page.get_by_role("button", name="Log the reason").click()
    expect(page.get_by_text("badge opened R-03")).to_be_visible()
    expect(page.get_by_text("open to you until")).to_be_visible()
    entry = watchword.audit.entries(action="trail.read", limit=1)[0]
    assert (entry.actor, entry.reason) == ("otto", "two places at once, finding of tonight")


def test_printing_a_trail_is_logged(open_page, log_in, watchword):
    page = log_in(open_page(), to="/people/person:1042")
    if page.get_by_label("Why do you need the trail of A. Reyes?").count():
        page.get_by_label("Why do you need the trail of A. Reyes?").fill("badge at two places at once")
        page.get_by_role("button", name="Log the reason and show the trail").click()
    mark = page.locator("[data-print]")
    expect(mark).to_be_hidden()
    with page.expect_response("**/trail/print") as answer:
        page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert answer.value.status == 204
    entry = watchword.audit.entries(action="trail.print", limit=1)[0]
    assert (entry.actor, entry.target, entry.detail) == ("ada", "person:1042", {"page": "/people/person:1042"})
    page.emulate_media(media="print")
    expect(mark).to_be_visible()
    expect(mark).to_contain_text("Read by Ada L.")


def test_by_keys_alone(open_page, log_in, watchword, house):
    one, two = (raise_finding(watchword, house, title, severity=3, mode=Mode.RISK) for title in ("Key one", "Key two"))
    page = log_in(open_page())
    page.keyboard.press("g")
    page.keyboard.press("f")
    page.wait_for_url("**/findings")
    live(page)
    page.keyboard.press("j")
    first = page.evaluate("document.activeElement.closest('[data-row]').id")
    page.keyboard.press("x")
    page.keyboard.press("j")
    assert page.evaluate("document.activeElement.closest('[data-row]').id") != first
    page.keyboard.press("k")
    assert page.evaluate("document.activeElement.closest('[data-row]').id") == first
    expect(page.locator(f"#{first} input[type=checkbox]")).to_be_checked()
    page.keyboard.press("Enter")
    page.wait_for_url("**/findings/*")
    page.keyboard.press("a")
    expect(page.get_by_text("Acknowledged by ada")).to_be_visible()
    assert watchword.findings.get(first.removeprefix("finding-")).work.state.value == "acknowledged"
    page.keyboard.press("?")
    page.wait_for_url("**/help")
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "search"
    page.keyboard.type("jkg")
    expect(page.locator("#search")).to_have_value("jkg")
    assert {one.uid, two.uid} & {first.removeprefix("finding-")} or first


def test_keys_can_be_switched_off(open_page, log_in):
    page = log_in(open_page(), to="/account")
    page.get_by_label("Single keys work").uncheck()
    page.get_by_role("button", name="Keep").click()
    page.goto("/")
    page.keyboard.press("?")
    page.wait_for_timeout(300)
    assert page.url.endswith("/")


def test_a_session_that_ended_leads_to_the_log_in_page(open_page, log_in, watchword, house):
    page = live(log_in(open_page(expect=("401",)), "mia"))
    watchword.accounts.set_disabled("mia", True, actor="root")
    watchword.accounts.set_disabled("mia", False, actor="root")
    page.evaluate("document.getElementById('stream')._htmx.sse.reader.cancel()")
    page.wait_for_url("**/log-in?next=**")


def test_without_script_every_page_reads_and_forms_work(open_page, log_in, watchword, house):
    made = raise_finding(watchword, house, "No script")
    page = log_in(open_page(script=False))
    expect(page.get_by_text("No script").first).to_be_visible()
    for path, words in (
        ("/timeline", "badge opened R-03"),
        ("/findings", "No script"),
        ("/places/harbour", "Front door"),
        ("/people", "Ana Reyes"),
        ("/assets", "cam-03"),
        ("/sources", "harbour-doors"),
        ("/entities", "A. Reyes"),
        ("/help", "anti-passback"),
    ):
        page.goto(path)
        expect(page.locator("main").get_by_text(words).first).to_be_visible()
    page.goto("/places/harbour")
    expect(page.locator("svg.plan")).to_be_visible()
    page.goto("/timeline")
    page.get_by_label("Words").fill("refused")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_text("badge refused at R-03")).to_be_visible()
    expect(page.get_by_text("badge opened R-03")).to_have_count(0)
    page.goto(f"/findings/{made.uid}/related")
    expect(page.get_by_text("Same external address")).to_be_visible()
    page.goto(f"/findings/{made.uid}")
    page.get_by_role("button", name="Acknowledge").click()
    expect(page.get_by_text("Acknowledged by ada")).to_be_visible()
    page.get_by_label("True, but allowed").check()
    page.get_by_label("Why").fill("she lent it to the plumber")
    page.get_by_role("button", name="Close it").click()
    expect(page.get_by_text("she lent it to the plumber").first).to_be_visible()


def test_the_wall_names_nobody_and_fits(open_page, log_in, watchword, house):
    from watchword.app.principal import Permission

    raise_finding(watchword, house, "Wall finding", severity=4)
    _, secret = watchword.tokens.create("root", "wall", [Permission.WALL], actor="root")
    page = open_page(size=(1920, 1080), scheme="light", expect=("ERR_INTERNET_DISCONNECTED", "Failed to load resource", "Failed to fetch"))
    page.goto(f"/wall?token={secret}")
    assert page.url.endswith("/wall")
    expect(page.get_by_text("Wall finding")).to_be_visible()
    assert "Reyes" not in page.locator("body").inner_text()
    assert page.evaluate("document.documentElement.scrollHeight <= innerHeight && document.documentElement.scrollWidth <= innerWidth")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != "rgb(242, 244, 247)"
    smallest = page.evaluate("""Math.min(...[...document.querySelectorAll('body *')]
        .filter((each) => [...each.childNodes].some((node) => node.nodeType === 3 && node.data.trim()) && each.getClientRects().length)
        .map((each) => parseFloat(getComputedStyle(each).fontSize) * (each.ownerSVGElement ? each.ownerSVGElement.getScreenCTM().a : 1)))""")
    assert smallest >= 24
    expect(page.locator("#stale")).to_be_hidden()
    page.context.set_offline(True)
    page.evaluate("document.getElementById('stream')._htmx.sse.reader.cancel()")
    expect(page.locator("#stale")).to_be_visible()
    assert uid_of("x")
