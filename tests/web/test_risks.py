"""The pages of risks and budget: what is computed is shown with its band, what is unknown is said, forms say their faults in place."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from watchword.govern.budget_service import Plan
from watchword.govern.register_file import shipped_register


def small(watchword, minutes=0):
    book = watchword.governance.risks
    run = book.runs.do_waiting(watchword.clock.now() + timedelta(minutes=minutes), outer=40, inner=400)
    assert run is not None
    assert run.state == "done", run.fault
    book.budgets.compute(run.uid, watchword.clock.now())
    return run


@pytest.fixture(scope="module")
def kept(watchword):
    book = watchword.governance.risks
    found = shipped_register()
    counted = tuple(replace(each, counted_since=date(2026, 1, 1)) for each in found.scenarios)
    book.register.load(replace(found, scenarios=counted), by="test")
    book.budgets.set_plan(Plan(budget=150_000, people_days=120, floor_it=20_000, floor_physical=20_000), by="test")
    small(watchword)
    return watchword


def test_an_empty_register_says_how_to_begin(ada, watchword):
    if watchword.governance.risks.register.scenarios():
        pytest.skip("another test of this module has filled the register")
    assert "The register is empty" in ada.get("/risks").text


def test_the_list_shows_every_scenario_with_its_band(kept, ada):
    page = ada.get("/risks").text
    for scenario in kept.governance.risks.register.scenarios():
        assert f'href="/risks/{scenario.uid}"' in page
    assert 'class="loss-band"' in page
    assert "Loss exceedance." in page
    assert page.count("example</span>") >= 12
    assert "/entities" in page, "the ranking of the day stands beside, never mixed"


def test_a_scenario_shows_what_stands_behind_it(kept, ada):
    page = ada.get("/risks/leaver-keeps-access").text
    assert "Ramesh" in page
    assert "? assumed" in page
    assert "Nothing moved it" in page
    assert ada.get("/risks/no-such-thing").status_code == 404


def test_the_budget_shows_choice_robustness_and_what_could_go(kept, ada):
    page = ada.get("/budget").text
    assert "✓ in it" in page
    assert "every choice was weighed" in page
    assert "could go" in page
    assert ada.get("/budget/video-analytics").status_code == 200


def test_forms_change_an_estimate_and_say_their_faults(kept, ada, root):
    scenario = kept.governance.risks.register.scenario("stolen-laptop")
    fields = {
        "title": scenario.thing.title,
        "story": scenario.thing.story,
        "threat": "thief",
        "owner": "IT operations lead",
        "source": "our own list of losses",
        "shape": "9",
        "years": "4",
        "low": "3k",
        "high": "0.3M",
        "appetite": "500 000",
        "appetite_share": "10",
        "counted_since": "2026-01-01",
        "rules": "ww_003, ww_019",
        "version": str(scenario.version),
    }
    assert root.post("/risks/stolen-laptop", data=fields | {"low": "lots"}).status_code == 422
    answer = root.post("/risks/stolen-laptop", data=fields)
    assert answer.status_code in {200, 303}
    changed = kept.governance.risks.register.scenario("stolen-laptop").thing
    assert (changed.shape, changed.low, changed.high, changed.example) == (9, 3_000, 300_000, False)
    assert root.post("/risks/stolen-laptop", data=fields).status_code == 409, "somebody else's change is not written over"
    assert kept.governance.risks.runs.waiting() is not None
    assert "was asked for" in ada.get("/risks").text
    small(kept, 1)
    assert "a changed estimate" in ada.get("/risks/stolen-laptop").text.lower()


def test_an_event_told_by_hand_moves_the_estimate(kept, ada):
    answer = ada.post(
        "/risks/cloned-badge/events", data={"at": "2026-02-01T10:00", "loss": "20k", "because": "A copy was used at the gate"}
    )
    assert answer.status_code in {200, 303}
    small(kept, 2)
    page = ada.get("/risks/cloned-badge").text
    assert "A copy was used at the gate" in page
    assert "What was seen" in page


def test_who_may_not_keep_the_register_changes_nothing(kept, ada):
    assert ada.get("/risks").status_code == 200
    assert ada.post("/risk-appetite", data={"euros": "1M", "share": "5"}).status_code == 403
