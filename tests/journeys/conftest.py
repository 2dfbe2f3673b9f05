"""A small real house behind a real server, and a real Chromium that tolerates no error and no refused content."""

import contextlib
import importlib.util
import socket
import sys
import threading
import time
from pathlib import Path

import pytest

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
CHROMIUM = Path("/usr/bin/chromium")
WATCH = """
window.__refused = [];
addEventListener('securitypolicyviolation', (event) => window.__refused.push(event.violatedDirective + ' ' + event.blockedURI));
"""


def _house():
    if "watchword_test_house" not in sys.modules:
        spec = importlib.util.spec_from_file_location("watchword_test_house", Path(__file__).parents[1] / "web" / "house.py")
        module = importlib.util.module_from_spec(spec)
        sys.modules["watchword_test_house"] = module
        spec.loader.exec_module(module)
    return sys.modules["watchword_test_house"]


@pytest.fixture(scope="session")
def house():
    return _house()


@contextlib.contextmanager
def served(watchword):
    """Serve a Watchword's pages on a free port of loopback; yield the address."""
    import uvicorn

    from watchword.web.application import create_app

    bound = socket.socket()
    bound.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(create_app(watchword), log_config=None, access_log=False, timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    try:
        yield f"http://127.0.0.1:{bound.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(10)
        bound.close()


@pytest.fixture(scope="module")
def watchword(house, tmp_path_factory):
    from watchword.web.bundle import asset

    if not asset("app.js"):
        pytest.skip("the pages' bundle is not built: run make ui")
    with house.open_house(tmp_path_factory.mktemp("house")) as opened:
        yield opened


@pytest.fixture(scope="module")
def address(watchword):
    with served(watchword) as address:
        yield address


@pytest.fixture(scope="session")
def browser():
    if not CHROMIUM.exists():
        pytest.skip(f"Chromium absent: {CHROMIUM} (apt-get install chromium)")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS, timeout=90_000)
        yield started
        started.close()


@pytest.fixture
def open_page(browser, address):
    """Return a function that opens a page in a context of its own; at the end, no page may have complained."""
    contexts, complaints, pages = [], [], []

    def make(size=(1280, 720), scheme="light", script=True, expect=()):
        context = browser.new_context(
            viewport={"width": size[0], "height": size[1]},
            color_scheme=scheme,
            java_script_enabled=script,
            base_url=address,
            locale="en-GB",
        )
        contexts.append(context)
        if script:
            context.add_init_script(WATCH)
        page = context.new_page()
        page.set_default_timeout(15_000)
        pages.append(page)

        def hear(message):
            if message.type == "error" and not any(word in message.text for word in expect):
                complaints.append(message.text)

        page.on("console", hear)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        return page

    yield make
    for page in pages:
        with contextlib.suppress(Exception):
            complaints += page.evaluate("window.__refused ?? []")
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.fixture
def log_in(house):
    """Return a function that logs in by the form."""

    def do(page, name="ada", to="/"):
        page.goto(f"/log-in?next={to}")
        page.get_by_label("Name").fill(name)
        page.get_by_label("Password").fill(house.PASSWORD)
        page.get_by_role("button", name="Log in").click()
        page.wait_for_url(lambda url: "/log-in" not in url)
        return page

    return do
