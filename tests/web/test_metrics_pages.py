"""The dashboard's pages: what they show, who may change what, what a stranger with a link gets to see."""

import re

import pytest

NAMES = ("Reyes", "Petra Name", "Strange log-ins", "Camera of the lobby", "mia", "ada")


@pytest.fixture(scope="module")
def measured_house(house, tmp_path_factory):
    import importlib.util
    import sys
    from pathlib import Path

    spec = importlib.util.spec_from_file_location("watchword_test_measured", Path(__file__).parent / "measured.py")
    module = sys.modules.setdefault("watchword_test_measured", importlib.util.module_from_spec(spec))
    spec.loader.exec_module(module)
    with house.open_house(tmp_path_factory.mktemp("measured")) as opened:
        module.furnish_measures(opened, house.NOW)
        yield opened


@pytest.fixture(scope="module")
def watchword(measured_house):
    return measured_house


@pytest.fixture(scope="module")
def app(measured_house):
    from watchword.web.application import create_app

    return create_app(measured_house)


@pytest.fixture
def mia(client_of):
    return client_of("mia")


def plain(text):
    return re.sub(r"[ \n]+", " ", re.sub(r"<[^>]+>", " ", text))


def test_the_dashboard_shows_figures_with_what_they_rest_on(ada):
    text = ada.get("/metrics").text
    shown = plain(text)
    assert "3\u202f408" in shown
    assert "Chance alone moves it as far" in shown
    for word in (
        "A firm",
        "n 64 · 97 % seen",
        "D not credible",
        "Times pile up just inside the limit of four hours.",
        "would read",
        "unknown",
    ):
        assert word in shown, word
    assert 'href="/incidents/' in text
    assert "Set the target" not in text
    assert "Make a link" not in text  # an analyst shares nothing


def test_who_reads_only_is_offered_no_deed(client_of):
    aud = client_of("aud")
    assert aud.get("/metrics").status_code == 200
    for path in ("/metrics/shares", "/metrics/risk_hours/target", "/metrics/risk_hours/target/end", "/metrics/shares/x/revoke"):
        assert aud.post(path, data={"title": "x"}).status_code == 403, path


def test_nobody_sees_it_without_a_log_in(client_of):
    for path in ("/metrics", "/metrics/risk_hours", "/metrics/board.pdf", "/metrics/board.docx", "/metrics/reports/2026-02.pdf"):
        assert client_of().get(path).headers["location"].startswith("/log-in")


def test_a_measure_shows_definition_weaknesses_and_every_subject(ada):
    shown = plain(ada.get("/metrics/response.acknowledge").text)
    for word in (
        "response.acknowledge@1",
        "response_times.clock_metric",
        "regressional",
        "adversarial",
        "IT",
        "Petra Name",
        "Show the numbers",
    ):
        assert word in shown, word
    assert "physical security" in plain(ada.get("/metrics/response.acknowledge?subject=physical").text)
    assert ada.get("/metrics/no.such").status_code == 404


def test_a_value_leads_back_to_what_was_read_for_it(ada, watchword):
    value = watchword.measures.metrics.latest("risk_hours")
    text = ada.get(f"/metric-values/{value.uid}").text
    uids = [uid for kind, uid in watchword.measures.metrics.inputs(value.uid) if kind == "incident"]
    assert len(uids) == 3
    for uid in uids:
        assert f'href="/incidents/{uid}"' in text
        assert ada.get(f"/incidents/{uid}").status_code == 200
    assert ada.get("/metric-values/" + "0" * 32).status_code == 404


def test_a_target_needs_an_owner_in_each_team_and_a_number(mia, watchword):
    path = "/metrics/joint_engagement/target"
    for form, fault in (
        ({"value": "80", "owner_it": "CISO", "owner_physical": " "}, "owner in each team"),
        ({"value": "much", "owner_it": "a", "owner_physical": "b"}, "a target is a number"),
        ({"value": "nan", "owner_it": "a", "owner_physical": "b"}, "a target is a number"),
        ({"value": "180", "owner_it": "a", "owner_physical": "b"}, "between 0 and 1"),
    ):
        answer = mia.post(path, data=form)
        assert answer.status_code == 422
        assert fault in answer.text
    assert mia.post(path, data={"value": "75,5", "owner_it": "CISO", "owner_physical": "Guard lead"}).status_code == 303
    kept = watchword.measures.metrics.target("joint_engagement")
    assert (kept.value, kept.owner_physical) == (0.755, "Guard lead")
    assert "at least 76 %" in plain(mia.get("/metrics/joint_engagement").text)
    assert mia.post(path + "/end", data={"reason": "It is over."}).status_code == 303
    assert watchword.measures.metrics.target("joint_engagement") is None
    assert any(entry.action == "metric.untarget" and entry.reason == "It is over." for entry in watchword.audit.entries())


def test_a_measure_without_a_counter_metric_offers_no_target(mia, watchword):
    name = next(each.name for each in watchword.measures.metrics.definitions() if not each.counter)
    assert "no counter-metric" in mia.get(f"/metrics/{name}").text
    assert mia.post(f"/metrics/{name}/target", data={"value": "1", "owner_it": "a", "owner_physical": "b"}).status_code == 422


def test_a_stranger_with_a_link_reads_and_learns_no_name(mia, client_of, watchword):
    answer = mia.post("/metrics/shares", data={"title": "The insurer", "days": "7"})
    secret = re.search(r'/shared/([\w-]+)"', answer.text).group(1)
    stranger = client_of()
    page = stranger.get(f"/shared/{secret}")
    assert page.status_code == 200
    assert page.headers["referrer-policy"] == "no-referrer"
    assert "noindex" in page.headers["x-robots-tag"]
    assert "set-cookie" not in page.headers
    shown = plain(page.text)
    assert "3\u202f408" in shown
    assert "Times pile up just inside the limit." in shown
    assert not [name for name in NAMES if re.search(rf"\b{name}\b", shown)]
    assert not re.findall(r'href="/(?!static/)[^"]*"', page.text)
    assert "<form" not in page.text
    assert stranger.get("/metrics").status_code == 303  # it opens nothing else
    share = watchword.measures.shares.list()[0]
    assert mia.post(f"/metrics/shares/{share.uid}/revoke").status_code == 303
    gone = stranger.get(f"/shared/{secret}")
    assert gone.status_code == 404
    assert "does not work" in gone.text


def test_guessing_links_is_slow(client_of, monkeypatch):
    from watchword.kit.limits import Limiter
    from watchword.web import shared

    monkeypatch.setattr(shared, "LIMITER", Limiter(30))
    stranger = client_of()
    answers = [stranger.get(f"/shared/guess-{number}") for number in range(25)]
    assert {answer.status_code for answer in answers} == {404, 429}
    assert int(answers[-1].headers["retry-after"]) > 0


def test_a_link_without_a_name_is_refused_in_words(mia):
    answer = mia.post("/metrics/shares", data={"title": " ", "days": "7"})
    assert answer.status_code == 422
    assert "for whom it is" in answer.text


def test_reports_come_as_pdf_and_word_and_the_reading_is_logged(ada, watchword):
    pdf, word = ada.get("/metrics/board.pdf"), ada.get("/metrics/board.docx?days=7")
    assert pdf.content.startswith(b"%PDF-")
    assert word.content.startswith(b"PK")
    assert 'filename="board-2026-03-03.docx"' in word.headers["content-disposition"]
    assert ada.get("/metrics/board.pdf?days=0").status_code == 422
    assert sum(entry.action == "report.print" for entry in watchword.audit.entries()) >= 2
    assert ada.get("/metrics/reports/1999-01.pdf").status_code == 404


def test_overview_and_wall_say_what_is_out_of_limits(ada, root):
    overview = plain(ada.get("/").text)
    assert "Metrics out of limits" in overview
    assert "Controls evidenced to pass its target is missed" in overview
    wall = plain(root.get("/wall").text)
    assert "Risk-hours, 7 days: 3\u202f408" in wall


def test_unknown_is_a_dashed_question_mark_in_an_empty_house(client_of, house, tmp_path):
    from starlette.testclient import TestClient

    from watchword.web.application import create_app

    with house.open_house(tmp_path) as empty:
        client = TestClient(create_app(empty), base_url="https://testserver", headers={"Sec-Fetch-Site": "same-origin"})
        client.post("/log-in", data={"name": "ada", "password": house.PASSWORD})
        text = client.get("/metrics").text
        shown = plain(text)
        assert "? unknown It was not computed yet." in shown
        assert not re.search(r'class="big">0<', text)
        assert client.get("/metrics/risk_hours").status_code == 200
        assert client.get("/metrics/board.pdf").content.startswith(b"%PDF-")
