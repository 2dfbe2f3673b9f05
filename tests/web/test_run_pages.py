"""Pages of runs: where it stands, what people record, refusals with what to do instead, and the end of it; all by plain forms."""

import importlib.util
import sys
from pathlib import Path

import pytest

spec = importlib.util.spec_from_file_location("watchword_test_books", Path(__file__).parent / "books.py")
books = sys.modules.setdefault("watchword_test_books", importlib.util.module_from_spec(spec))
spec.loader.exec_module(books)


@pytest.fixture
def run(watchword):
    kept = watchword.response.library.put(books.text(books.door_book(120, "Door run")), "test")
    uid = watchword.response.runs.start(kept.id, "", {"__account__": "account:areyes"}, "ada", True)
    settle(watchword)
    return uid


def settle(watchword):
    while watchword.response.runs.step(watchword.clock.now()):
        pass


def path_of(watchword, uid):
    return watchword.response.runs.get(uid).waits[0].path


def test_the_page_says_where_it_stands_and_whom_it_waits_for(client_of, run):
    page = client_of("otto").get(f"/runs/{run}").text
    for words in ("running", "1 step waiting for people", "Look at the door", "I take it", "Not applicable", "10 min left to be done", "at-waits",
                  "waits for a person", "Exercise", "What is known"):  # fmt: skip
        assert words in page, words
    assert 'name="v.__seen__"' in page
    assert "/live?page=run&amp;after=" in page
    listed = client_of("aud").get("/runs").text
    assert f'href="/runs/{run}"' in listed
    assert "Look at it" in listed


def test_a_step_is_taken_and_recorded_by_forms(client_of, watchword, run):
    otto, path = client_of("otto"), path_of(watchword, run)
    assert otto.post(f"/runs/{run}/take", data={"path": path}).headers["location"] == f"/runs/{run}#waiting"
    assert "with otto" in otto.get(f"/runs/{run}").text
    assert client_of("ada").post(f"/runs/{run}/take", data={"path": path}).status_code == 409
    answer = otto.post(f"/runs/{run}/answer", data={"path": path, "result": "done", "note": "all quiet"})
    assert answer.status_code == 422
    assert "needs a value for __seen__" in answer.text
    assert "all quiet</textarea>" in answer.text
    answer = otto.post(f"/runs/{run}/answer", data={"path": path, "result": "failed"})
    assert answer.status_code == 422
    assert "Say what went wrong" in answer.text
    assert otto.post(f"/runs/{run}/answer", data={"path": path, "result": "maybe"}).status_code == 422
    answer = otto.post(f"/runs/{run}/answer", data={"path": path, "result": "done", "v.__seen__": "nobody", "note": "all quiet"})
    assert answer.status_code == 303
    settle(watchword)
    page = otto.get(f"/runs/{run}").text
    assert "waits for approval" in page
    assert "Approvals waiting" in page
    assert "Disable the account" in page
    assert "nobody" in page
    assert otto.post(f"/runs/{run}/answer", data={"path": path, "result": "done", "v.__seen__": "again"}).status_code == 409
    assert watchword.audit.entries(action="run.answer", limit=1)[0].actor == "otto"


def test_a_no_from_the_page_stops_the_action_and_the_other_way_is_taken(client_of, watchword, run):
    otto = client_of("otto")
    otto.post(f"/runs/{run}/answer", data={"path": path_of(watchword, run), "result": "done", "v.__seen__": "x"})
    settle(watchword)
    page = otto.get(f"/runs/{run}").text
    uid = watchword.response.approvals.of_run(run)[-1].uid

    def hidden(name):
        return page.partition(f'name="{name}" value="')[2].partition('"')[0].replace("&#43;", "+")

    form = {"digest": hidden("digest"), "shown": hidden("shown"), "back": f"/runs/{run}", "reason": "wrong account", "answer": "no"}
    answer = otto.post(f"/approvals/{uid}", data=form)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/runs/{run}")
    settle(watchword)
    page = otto.get(f"/runs/{run}").text
    assert "vetoed" in page
    assert "wrong account" in page
    assert "Call the help desk" in page
    assert "at-failed" in page


def test_the_dry_run_of_a_run(client_of, watchword, run):
    page = client_of("ada").get(f"/runs/{run}/dry-run").text
    assert "Nothing is sent" in page
    assert "Disable the account" in page
    assert "no machine does this here" in page or "twin" in page
    assert client_of("aud").get(f"/runs/{run}/dry-run").status_code == 403


def test_a_run_is_ended_with_a_reason(client_of, watchword, run):
    ada = client_of("ada")
    answer = ada.post(f"/runs/{run}/cancel", data={"reason": "  "})
    assert answer.status_code == 422
    assert "say why the run is ended" in answer.text
    assert ada.post(f"/runs/{run}/cancel", data={"reason": "false alarm"}).status_code == 303
    page = ada.get(f"/runs/{run}").text
    assert "ended" in page
    assert "End this run" not in page
    assert "Waits for people" not in page
    assert ada.post(f"/runs/{run}/cancel", data={"reason": "again"}).status_code == 409
    assert f'href="/runs/{run}"' not in ada.get("/runs").text
    assert f'href="/runs/{run}"' in ada.get("/runs?show=ended").text


def test_an_auditor_looks_and_does_nothing(client_of, watchword, run):
    aud = client_of("aud")
    page = aud.get(f"/runs/{run}").text
    assert "Your role does no steps" in page
    assert "I take it" not in page
    for deed in ("take", "answer", "cancel"):
        assert aud.post(f"/runs/{run}/{deed}", data={"path": path_of(watchword, run), "reason": "x"}).status_code == 403


def test_deeds_from_another_site_are_refused(app, client_of, run):
    from starlette.testclient import TestClient

    with TestClient(app, base_url="https://testserver", cookies=dict(client_of("ada").cookies), follow_redirects=False) as other:
        for deed in ("take", "answer", "cancel"):
            assert other.post(f"/runs/{run}/{deed}", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403


def test_news_of_a_run_draw_its_parts(app, client_of, watchword, run):
    from starlette.requests import Request

    from watchword.ingest.ledger import Change
    from watchword.web.live_regions import PAGES
    from watchword.web.pages import asker

    cookie = "; ".join(f"{name}={value}" for name, value in client_of("ada").cookies.items())
    scope = {"type": "http", "app": app, "method": "GET", "path": "/live", "query_string": b"", "headers": [(b"cookie", cookie.encode())],
             "server": ("testserver", 443), "scheme": "https", "client": ("127.0.0.1", 1), "root_path": ""}  # fmt: skip
    ask = asker(Request(scope))
    (region,) = [each for each in PAGES["run"] if each.name == "run"]
    mine = [Change(1, watchword.clock.now(), "run", run, {})]
    drawn = region.draw(ask, {"uid": run}, mine)
    for part in ("head", "waiting", "picture", "log", "side"):
        assert f'hx-target="#run-{part}"' in drawn
    assert region.draw(ask, {"uid": run}, [Change(2, watchword.clock.now(), "run", "0" * 32, {})]) == ""
