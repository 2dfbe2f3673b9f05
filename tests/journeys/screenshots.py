"""Takes the screenshots of docs/screenshots/ from a running Watchword: BASE_URL, name and password in, PNG files out.

python tests/journeys/screenshots.py http://127.0.0.1:8440 admin docs/screenshots < password-file
"""

import argparse
import sys
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
SIZE = {"width": 1440, "height": 900}
WALL = {"width": 1920, "height": 1080}


def main() -> None:
    """Log in once per theme and photograph each page once it is live."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("base", help="address of the running Watchword")
    parser.add_argument("name", help="account; its password is read from stdin")
    parser.add_argument("out", type=Path, help="folder for the pictures")
    parser.add_argument("--chromium", default="/usr/bin/chromium")
    parser.add_argument("--finding", default="", help="uid of the finding to show; else the worst one that rests on both sides")
    parser.add_argument("--site", default="", help="site to show; else the first")
    chosen = parser.parse_args()
    password = sys.stdin.readline().strip()
    chosen.out.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chosen.chromium, args=list(FLAGS), timeout=90_000)
        for scheme in ("light", "dark"):
            context = browser.new_context(viewport=SIZE, color_scheme=scheme, base_url=chosen.base, locale="en-GB")
            page = context.new_page()
            log_in(page, chosen.name, password)
            take(page, "/", chosen.out / f"overview-{scheme}.png")
            take(page, "/timeline", chosen.out / f"timeline-{scheme}.png")
            take(page, f"/findings/{chosen.finding or best_finding(page)}", chosen.out / f"finding-{scheme}.png")
            take(page, f"/places/{chosen.site}" if chosen.site else first_site(page), chosen.out / f"places-{scheme}.png")
            take(page, "/entities", chosen.out / f"ranking-{scheme}.png", live=False)
            page.set_viewport_size(WALL)
            take(page, "/wall", chosen.out / f"wall-{scheme}.png", live=False)
            context.close()
        phone = browser.new_context(viewport={"width": 390, "height": 844}, color_scheme="dark", base_url=chosen.base, has_touch=True)
        page = phone.new_page()
        log_in(page, chosen.name, password)
        take(page, "/", chosen.out / "phone-overview-dark.png")
        browser.close()
    sys.stdout.write(f"{len(list(chosen.out.glob('*.png')))} pictures in {chosen.out}\n")


def log_in(page: Page, name: str, password: str) -> None:
    """Log in by the form."""
    page.goto("/log-in")
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url(lambda url: "/log-in" not in url)


def take(page: Page, path: str, file: Path, *, live: bool = True) -> None:
    """Photograph a page when its stream is open and its parts have come."""
    page.goto(path)
    if live:
        page.locator("#live[data-state=live]").wait_for()
    page.wait_for_load_state("load")
    page.wait_for_timeout(1_200)
    page.evaluate("document.querySelector('main > p.notice')?.remove()")  # the hint about the first password
    page.screenshot(path=str(file))


def best_finding(page: Page) -> str:
    """Return the uid of the worst recent finding whose events come from both sides; the newest one when none does."""
    page.goto("/findings?work=all")
    rows = page.locator("[data-rows] tr")
    found = [(row.get_attribute("class") or "", (row.get_attribute("id") or "").removeprefix("finding-")) for row in rows.all()]
    if not found:
        sys.exit("There is no finding yet: let the demo run for a minute")
    for _, uid in sorted(found, reverse=True)[:20]:
        page.goto(f"/findings/{uid}")
        axis = page.locator("svg.axis")
        if axis.count() and axis.locator("a.physical").count() and axis.locator("a.it").count():
            return uid
    return found[0][1]


def first_site(page: Page) -> str:
    """Return the path of the first site's page."""
    page.goto("/places")
    links = page.locator("main a[data-open]")
    return (
        (links.first.get_attribute("href") or "/places")
        if "/places/" not in page.url
        else page.url.partition("//")[2].partition("/")[2].join(("/", ""))
    )


if __name__ == "__main__":
    main()
