"""How pages stand: structure as golden files, every size and theme without a complaint or anything beyond the edge."""

import os
from pathlib import Path

import pytest
from playwright.sync_api import expect

from watchword.kit.ids import uid_of

pytestmark = pytest.mark.journey
GOLDEN = Path(__file__).parent / "golden"
LISBON = uid_of("finding", "1")
PAGES = {
    "overview": "/",
    "timeline": "/timeline",
    "findings": "/findings",
    "finding": f"/findings/{LISBON}",
    "places": "/places/harbour",
    "person": "/people/person:1042",
    "assets": "/assets",
    "sources": "/sources",
    "ranking": "/entities",
    "wall": "/wall",
}


@pytest.mark.parametrize("name", PAGES)
def test_structure_is_as_kept(open_page, log_in, name):
    """Compare the accessibility tree of `main` with its golden file; WATCHWORD_GOLDEN=write keeps the present one."""
    page = log_in(open_page(), "ada")
    page.goto(PAGES[name])
    if name == "finding":
        expect(page.locator("#related").get_by_text("Same external address")).to_be_visible()
        page.evaluate("document.getElementById('rule').remove()")  # rules' words are theirs
    main = page.get_by_role("main")
    kept = GOLDEN / f"{name}.yml"
    if os.environ.get("WATCHWORD_GOLDEN") == "write":
        kept.write_text(main.aria_snapshot() + "\n")
    expect(main).to_match_aria_snapshot(kept.read_text())


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [(1280, 720), (1920, 1080), (390, 844)], ids=["1280", "1920", "390"])
def test_every_page_fits_every_screen(open_page, log_in, size, scheme):
    page = log_in(open_page(size=size, scheme=scheme), "root")
    for path in [*PAGES.values(), "/account", "/help", "/audit", "/sources/windows", "/places/harbour/doors/D-01"]:
        if path == "/wall" and size[0] < 1000:
            continue  # a wall is no telephone
        page.goto(path)
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        over = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert over <= 0, f"{path} is {over} px too wide"
        ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
        if path != "/wall":
            assert ground == {"light": "rgb(242, 244, 247)", "dark": "rgb(16, 22, 29)"}[scheme]


def test_a_choice_of_theme_wins_over_the_device(open_page, log_in):
    page = log_in(open_page(scheme="light"), to="/account")
    page.get_by_label("dark").check()
    page.get_by_role("button", name="Keep").click()
    page.goto("/")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(16, 22, 29)"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_is_readable(open_page, log_in, scheme):
    """Every text has a contrast of at least 4.5 to 1 with the ground it stands on (WCAG 1.4.3)."""
    page = log_in(open_page(scheme=scheme), "root")
    for path in ("/", "/timeline", f"/findings/{LISBON}", "/places/harbour", "/sources", "/account"):
        page.goto(path)
        weak = page.evaluate("""() => {
            const rgb = (text) => (text.match(/[\\d.]+/g) ?? []).map(Number);
            const luminance = ([r, g, b]) => [r, g, b].map((c) => (c /= 255) <= .03928 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4)
                .reduce((sum, c, i) => sum + c * [.2126, .7152, .0722][i], 0);
            const ground = (each) => {
                for (; each; each = each.parentElement) {
                    const colour = rgb(getComputedStyle(each).backgroundColor);
                    if (colour.length === 3 || colour[3] > .99) return colour;
                }
                return [255, 255, 255];
            };
            return [...document.querySelectorAll('body *')]
                .filter((each) => !each.ownerSVGElement && each.tagName !== 'SVG' && each.getClientRects().length && !each.disabled)
                .filter((each) => [...each.childNodes].some((node) => node.nodeType === 3 && node.data.trim()))
                .map((each) => {
                    const [a, b] = [luminance(rgb(getComputedStyle(each).color)), luminance(ground(each))];
                    return [(Math.max(a, b) + .05) / (Math.min(a, b) + .05), each.className, each.textContent.trim().slice(0, 30)];
                })
                .filter(([ratio]) => ratio < 4.5);
        }""")
        assert weak == [], path
