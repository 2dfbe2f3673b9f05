"""The pages of credibility: a second, blind look; the detectors' questions; what counting rewards; nobody named without leave."""

from datetime import timedelta

import pytest

from watchword.measure.review_service import SECRET, put_study
from watchword.model import Team
from watchword.model.incident import Closure
from watchword.model.metric import Flag
from watchword.respond.severity import rating_of

CLOSED = 60
LEAVE = "measures of single persons are switched off"


@pytest.fixture(scope="module")
def watchword(house, tmp_path_factory):
    """A house in which ada and mia closed sixty incidents in six weeks, of which some were drawn for a second look."""
    with house.open_house(tmp_path_factory.mktemp("credible")) as opened:
        for number in range(CLOSED):
            opened.clock.at = house.NOW - timedelta(weeks=6) + timedelta(weeks=5) * number / CLOSED
            by, team = ("ada", "it") if number % 3 else ("mia", "management")
            uid = opened.response.incidents.open(f"Case {number}", by=by, team=team, because="A test.", severity=3, teams=(Team.IT,))
            opened.response.incidents.close(uid, Closure.BENIGN, rating_of(3), by=by, team=team, note="Looked at.")
        opened.clock.at = house.NOW
        with opened.records.begin() as connection:
            put_study(connection, SECRET, {"secret": "of the test 0"}, house.NOW)
        assert opened.measures.reviews.draw(house.NOW) == 4
        assert opened.measures.reviews.draw(house.NOW) == 0
        yield opened


@pytest.fixture(scope="module")
def app(watchword):
    from watchword.web.application import create_app

    return create_app(watchword)


def _waiting(watchword, reviewer):
    return watchword.measures.reviews.waiting(reviewer)


def test_a_reviewer_sees_neither_the_closer_nor_the_first_verdict(client_of, watchword):
    root = client_of("root")
    blind = _waiting(watchword, "root")[0]
    page = root.get(f"/metrics/re-review/{blind.uid}")
    assert page.status_code == 200
    main = page.text.partition("<main")[2]
    assert "ada" not in main
    assert "mia" not in main
    assert "Looked at." not in main
    assert "was not shown" not in main
    assert f'href="/metrics/re-review/{blind.uid}"' in root.get("/metrics/re-review").text


def test_a_second_look_is_kept_once_and_shown_beside_the_first(client_of, watchword):
    root = client_of("root")
    blind = _waiting(watchword, "root")[0]
    where = f"/metrics/re-review/{blind.uid}"
    refused = root.post(where, data={"verdict": "maybe", "severity": "3"})
    assert refused.status_code == 422
    assert "is no verdict" in refused.text
    assert root.post(where, data={"verdict": "true", "severity": "9"}).status_code == 422
    kept = root.post(where, data={"verdict": "true", "severity": "3", "note": "The badge was copied."})
    assert (kept.status_code, kept.headers["location"]) == (303, f"/metrics/re-review#done-{blind.uid}")
    assert root.post(where, data={"verdict": "true", "severity": "3"}).status_code == 409
    page = root.get("/metrics/re-review").text
    assert "The badge was copied." in page
    assert "<strong>differs</strong>" in page
    entry = watchword.audit.entries(action="review.give", limit=1)[0]
    assert (entry.actor, entry.target) == ("root", blind.uid)


def test_whoever_closed_it_cannot_review_it(client_of, watchword):
    mine = {each.uid for each in _waiting(watchword, "root")} - {each.uid for each in _waiting(watchword, "mia")}
    assert mine, "the draw holds nothing that mia closed: choose another secret"
    mia = client_of("mia")
    for uid in mine:
        assert mia.get(f"/metrics/re-review/{uid}").status_code == 403
        assert mia.post(f"/metrics/re-review/{uid}", data={"verdict": "true", "severity": "3"}).status_code == 403


def test_who_may_not_measure_sees_results_alone(client_of, watchword):
    ada = client_of("ada")
    assert "Waits for a second look" not in ada.get("/metrics/re-review").text
    uid = _waiting(watchword, "root")[0].uid
    assert ada.get(f"/metrics/re-review/{uid}").status_code == 403


def test_disagreement_is_a_measure_with_its_interval(watchword, house):
    watchword.measures.computing.present(house.NOW + timedelta(minutes=1), ["review.disagreement"])
    metric = watchword.measures.metrics.latest("review.disagreement")
    assert metric.n >= 1
    assert metric.value is not None
    assert metric.lo < metric.value
    assert metric.coverage < 1
    assert "reviewed blind" in metric.because
    assert watchword.measures.metrics.inputs(metric.uid)[0][0] == "incident"


def test_the_detectors_ask_the_team_and_its_answer_is_kept(client_of, watchword, house):
    from watchword.measure.gaming_service import Doubt

    gaming = watchword.measures.gaming
    doubt = Doubt(
        Flag.REOPEN, "it", "response.resolve", "What some close comes back more often.", house.NOW - timedelta(weeks=4), house.NOW
    )
    gaming.settle([doubt], house.NOW)
    gaming.settle([doubt], house.NOW)
    assert len(gaming.prompts()) == 1
    assert [each.flag for each in watchword.measures.metrics.flags()] == [Flag.REOPEN]
    prompt = gaming.prompts()[0]
    ada = client_of("ada")
    assert "What some close comes back more often." in ada.get("/metrics/gaming").text
    assert ada.post(f"/metrics/gaming/{prompt.uid}", data={"answer": " "}).status_code == 422
    assert ada.post(f"/metrics/gaming/{prompt.uid}", data={"answer": "A rule was split in two."}).status_code == 303
    assert ada.post(f"/metrics/gaming/{prompt.uid}", data={"answer": "again"}).status_code == 409
    assert "A rule was split in two." in ada.get("/metrics/gaming").text
    assert client_of("aud").post(f"/metrics/gaming/{prompt.uid}", data={"answer": "no"}).status_code == 403
    gaming.settle([], house.NOW)
    assert watchword.measures.metrics.flags() == []
    assert gaming.prompts()[0].ended_at == house.NOW


def test_the_detectors_run_on_the_house_and_find_nothing_in_it(watchword, house):
    assert watchword.measures.gaming.look(house.NOW) == 0


def test_persons_are_named_only_where_the_house_allows_it(client_of, watchword):
    for name, status in (("ada", 403), ("aud", 403), ("mia", 403)):
        assert client_of(name).get("/metrics/gaming/people").status_code == status
    mia = client_of("mia")
    assert LEAVE in mia.get("/metrics/gaming/people").text
    assert "By person" not in mia.get("/metrics/gaming").text
    watchword.measures.gaming.persons = True
    try:
        page = mia.get("/metrics/gaming/people")
        assert page.status_code == 200
        assert "No sign in anybody" in page.text
        assert client_of("ada").get("/metrics/gaming/people").status_code == 403
        actions = [each.action for each in watchword.audit.entries(actor="mia", limit=5)]
        assert actions.count("person_measures.read") == 2
    finally:
        watchword.measures.gaming.persons = False


def test_what_counting_rewards_is_computed_and_kept(client_of, watchword):
    ada = client_of("ada")
    page = ada.get("/metrics/closures-versus-value")
    assert page.status_code == 200
    made, at = watchword.measures.studies.closures_versus_value()
    assert watchword.measures.studies.closures_versus_value()[1] == at
    for league in made.leagues:
        gamer = league.gamer
        assert (gamer.by_count, gamer.by_value) == (1, 10)
        assert f"{gamer.letter} closes <strong>{gamer.closures:.0f}</strong>" in page.text
        assert league.difference("closures") > 0.3
        assert league.difference("value") < -0.08
    stories = {each.name: each for each in made.stories}
    assert stories["honest_surge"].closures_change < -0.25
    assert stories["honest_surge"].value_change > 0.05
    assert stories["honest_mix_shift"].closures_change > 0.3
    assert stories["honest_mix_shift"].value_change < -0.08
    hasty = stories["premature_g0.6_one"]
    assert hasty.value_change > 0.02
    assert hasty.reopened_after > 2 * hasty.reopened_before
    assert hasty.found >= 0.9
    assert page.text.count('<svg class="turnover"') == 2


def test_programs_see_no_closer_and_give_a_second_verdict(watchword):
    from starlette.testclient import TestClient

    from watchword.api.application import make_api
    from watchword.app.principal import Permission

    _, secret = watchword.accounts.tokens.create("root", "second look", [Permission.READ, Permission.MEASURE], actor="test")
    headers = {"Authorization": f"Bearer {secret}"}
    with TestClient(make_api(watchword), base_url="http://watchword.test") as client:
        waiting = client.get("/api/v1/reviews/waiting", headers=headers).json()["items"]
        assert waiting
        assert {"closer", "verdict"}.isdisjoint(waiting[0])
        where = f"/api/v1/reviews/{waiting[0]['uid']}"
        assert client.post(where, json={"verdict": "maybe", "severity": 3}, headers=headers).status_code == 422
        given = client.post(where, json={"verdict": "benign", "severity": 3}, headers=headers)
        assert (given.status_code, given.json()["differs"]) == (200, False)
        assert client.post(where, json={"verdict": "benign", "severity": 3}, headers=headers).status_code == 409
        kept = client.get("/api/v1/reviews", headers=headers).json()
        assert given.json() in kept["items"]
        assert "closer" not in kept["items"][0]
        assert kept["by_severity"][0]["reviewed"] == len(kept["items"])
        prompts = client.get("/api/v1/gaming", headers=headers).json()["items"]
        assert client.post(f"/api/v1/gaming/{'0' * 32}/answer", json={"answer": "x"}, headers=headers).status_code == 403
        assert all(each["ended_at"] for each in prompts)
        leagues = client.get("/api/v1/closures-versus-value", headers=headers).json()["leagues"]
        assert [len(each["analysts"]) for each in leagues] == [10, 10]
