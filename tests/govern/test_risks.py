"""The risk register kept: learning from events, acceptance by Decision that freezes and reopens, forecasts scored, candidates handed in."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from watchword.govern.appetite import Appetite, Stand, stand_of, words_of
from watchword.govern.budget_service import Budgets, Plan
from watchword.govern.forecast import Forecast, Outcome, calibration, score
from watchword.govern.register_file import as_plain, read_register, safeguard_of, scenario_of, shipped_register
from watchword.govern.risk_agenda_service import RiskAgenda
from watchword.govern.risk_event_service import RiskEvents
from watchword.govern.risk_forecast_service import RiskForecasts
from watchword.govern.risk_run_service import RiskRuns
from watchword.govern.risk_service import Risks, Told, told_by
from watchword.govern.risk_treatment_service import RiskTreatments, Terms
from watchword.govern.scenario import Parent
from watchword.govern.treatment import Treats
from watchword.kit.clock import ManualClock
from watchword.kit.errors import Conflict, ContentError, InputError
from watchword.measure.compliance import Result, Span
from watchword.model.decision import Decision, Direction, Expectation, Method

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
SMALL = {"outer": 30, "inner": 200}


class Log:
    """An audit log that remembers."""

    def __init__(self):
        self.rows = []

    def write(self, actor, action, target="", *more, connection=None, **others):
        del more, others
        assert connection is not None, "written in the transaction of the change"
        self.rows.append((actor, action, target))


class Book:
    def __init__(self, records):
        self.records, self.clock, self.log = records, ManualClock(NOW), Log()
        self.told = {}
        self.register = Risks(records, self.clock, self.log, lambda control, *_: self.told.get(control))
        self.events = RiskEvents(records, self.clock, self.log, self.register)
        self.runs = RiskRuns(records, self.clock, self.register)
        self.treatments = RiskTreatments(records, self.clock, self.log, self.register, self.runs)
        self.forecasts = RiskForecasts(records, self.clock, self.register, self.runs)
        self.budgets = Budgets(records, self.register, self.runs)
        self.agenda = RiskAgenda(self.register, self.events, self.runs, self.treatments, lambda _: "")

    def fill(self):
        found = shipped_register()
        counted = tuple(replace(each, counted_since=date(2025, 3, 1)) for each in found.scenarios)
        self.register.load(replace(found, scenarios=counted), by="maria")

    def run(self, seconds=1):
        self.clock.advance(timedelta(seconds=seconds))
        found = self.runs.do_waiting(self.clock.now(), **SMALL)
        assert found is not None
        assert found.state == "done", found.fault
        return found


@pytest.fixture
def book(records):
    return Book(records)


def decision(kind, subject, expires=None):
    return Decision(
        uid="d" * 32,
        number=7,
        body="b" * 32,
        question="?",
        choice="We bear it until the doors are changed",
        because="It costs less than its cure",
        version_hash="0" * 64,
        method=Method.CONSENT,
        decided=NOW,
        in_force=NOW,
        review_on=date(2026, 9, 1),
        expects=Expectation("", Direction.NONE),
        kind=kind,
        subject=subject,
        expires=expires,
    )


def test_the_starter_register_is_whole():
    found = shipped_register()
    assert len(found.scenarios) == 12
    assert all(each.example and each.source and each.rules is not None for each in found.scenarios)
    assert {each.domain for each in found.safeguards} == {"it", "physical", "joint"}
    for each in found.scenarios:
        assert scenario_of(as_plain(each)) == each
    for one in found.safeguards:
        assert safeguard_of(as_plain(one)) == one


def test_every_fault_of_a_file_is_named_by_its_line():
    text = """scenarios:
  - uid: a
    title: A
    story: S
    threat: T
    owner: O
    shape: 1
    years: 2
    low: 50
    high: 20
  - uid: b
    title: B
    story: S
    threat: T
    owner: O
    shape: many
    years: 2
    low: 1
    high: 2
safeguards:
  - uid: g
    title: G
    domain: moon
    protects: [{scenario: nowhere, frequency: [0.2, 0.1]}]
"""
    with pytest.raises(ContentError) as caught:
        read_register(text, "risks.yaml")
    assert [(fault.line, fault.message.partition(" ")[0]) for fault in caught.value.faults] == [(9, "the"), (16, "shape"), (23, "the")]


def test_a_change_is_audited_versioned_and_asks_for_a_computation(book):
    book.fill()
    assert book.runs.waiting() is not None
    book.run()
    kept = book.register.scenario("stolen-laptop")
    version = book.register.put_scenario(replace(kept.thing, shape=9.0), by="maria", version=kept.version)
    assert version == kept.version + 1
    assert ("maria", "risk.scenario", "stolen-laptop") in book.log.rows
    assert book.runs.waiting() is not None
    with pytest.raises(Conflict, match="changed meanwhile"):
        book.register.put_scenario(kept.thing, by="tom", version=kept.version)
    fire = book.register.scenario("fire-in-server-room").thing
    with pytest.raises(InputError, match="circle"):
        book.register.put_scenario(replace(fire, parents=(Parent("evidence-lost", 0.5),)), by="maria")


def test_the_same_inputs_give_the_same_figures(book):
    book.fill()
    first = book.run()
    book.runs.ask(by="maria")
    second = book.run(0)
    assert first.uid != second.uid
    assert first.inputs == second.inputs
    assert book.runs.results(first.uid) == book.runs.results(second.uid)


def test_events_that_a_person_confirms_move_the_rate(book):
    book.fill()
    before = book.run()
    for day in (3, 9, 20):
        book.events.tell("cloned-badge", NOW - timedelta(days=day), loss=80_000.0, because="A copy was used", by="tom")
    after = book.run()
    moves = book.runs.moves(after, before, "cloned-badge")
    assert moves["events"] > 0
    assert sum(abs(value) for cause, value in moves.items() if cause != "events") < 1
    peril = book.runs.result(after.uid, "now", "cloned-badge").peril
    assert (peril.events, len(peril.losses)) == (3, 3)
    assert 0 < peril.exposure < 1.01, "time under controls counts less than the year that went by"
    with pytest.raises(Conflict, match="counted from"):
        book.events.tell("cloned-badge", NOW - timedelta(days=800), loss=None, because="long ago", by="tom")


def test_evidence_takes_the_place_of_what_is_assumed(book):
    book.fill()
    first = book.run()
    assert "leaver-process" in book.runs.result(first.uid, "now", "leaver-keeps-access").assumed
    book.told["ps-4"] = Told(0.2, NOW - timedelta(days=400))
    book.runs.ask(by="maria")
    second = book.run()
    result = book.runs.result(second.uid, "now", "leaver-keeps-access")
    assert "leaver-process" not in result.assumed
    assert {guard.uid: guard.reliability for guard in result.peril.guards}["leaver-process"] == pytest.approx(0.2)
    assert book.runs.moves(second, first, "leaver-keeps-access")["reliability"] > 0
    assert result.picture.mean > book.runs.result(first.uid, "now", "leaver-keeps-access").picture.mean


def test_before_the_first_evidence_it_is_assumed_after_it_silence_counts_against():
    day = timedelta(days=1)
    spans = [Span("a", Result.INSUFFICIENT, NOW - 20 * day, NOW - 10 * day), Span("a", Result.PASS, NOW - 10 * day, NOW - 5 * day)]
    told = told_by(spans, NOW - 30 * day, NOW)
    assert told == Told(0.5, NOW - 10 * day)
    assert told_by(spans[:1], NOW - 30 * day, NOW) is None
    assert told_by([], NOW - 30 * day, NOW) is None


def test_an_acceptance_needs_a_decision_with_an_end_freezes_the_risk_and_is_reopened(book):
    book.fill()
    book.run()
    with pytest.raises(Conflict, match="Decision"):
        book.treatments.treat("stolen-laptop", Treats.ACCEPT, Terms("no"), by="maria")
    with book.records.begin() as connection, pytest.raises(InputError, match="expiry"):
        book.treatments.check_decision(connection, decision("acceptance", "stolen-laptop"))
    with book.records.begin() as connection, pytest.raises(InputError, match="about a scenario"):
        book.treatments.check_decision(connection, decision("acceptance", "nothing", date(2027, 1, 1)))
    with book.records.begin() as connection:
        book.treatments.on_decided(connection, decision("acceptance", "stolen-laptop", date(2027, 1, 1)))
    (kept,) = book.treatments.listed("stolen-laptop")
    assert kept.frozen.mean > 0
    assert kept.decision == "d" * 32
    assert book.treatments.reopen(NOW) == 0, "nothing has changed"
    book.run()
    for day in range(4):
        book.events.tell("stolen-laptop", NOW - timedelta(days=day + 1), loss=400_000.0, because="taken", by="tom")
    book.run()
    assert book.treatments.reopen(NOW) == 1
    (kept,) = book.treatments.listed("stolen-laptop")
    assert kept.reopened
    found = [each for each in book.agenda.candidates(book.clock.now()) if each.kind == "acceptance"]
    assert [each.refs[0] for each in found] == ["risk:stolen-laptop"]
    assert found[0].urgency == 3.0
    assert f"decision:{'d' * 32}" in found[0].refs
    later = datetime(2027, 1, 2, tzinfo=UTC)
    assert any("has ended" in each.title for each in book.agenda.candidates(later) if each.kind == "acceptance")


def test_an_investment_that_is_decided_is_approved_and_brings_something(book):
    book.fill()
    book.run()
    with book.records.begin() as connection:
        book.treatments.on_decided(connection, decision("investment", "call-back disk-encryption"))
    assert {each.thing.uid for each in book.register.kept_safeguards() if each.decision} == {"call-back", "disk-encryption"}
    run = book.run()
    planned, now = (book.runs.result(run.uid, world, "") for world in ("planned", "now"))
    assert planned.picture.mean < now.picture.mean
    bought = book.budgets.bought(NOW)
    assert bought.per_euro > 0
    assert bought.band[0] <= bought.mean <= bought.band[1]


def test_the_budget_is_weighed_with_the_run(book):
    book.fill()
    run = book.run()
    assert book.budgets.compute(run.uid, NOW).best is None, "nobody has said what may be spent"
    book.budgets.set_plan(Plan(budget=150_000, people_days=120, floor_it=10_000, floor_physical=10_000), by="maria")
    run = book.run()
    found = book.budgets.compute(run.uid, NOW)
    assert book.budgets.latest() == found
    assert found.best.cost <= 150_000
    assert {each.uid for each in found.options if each.chosen} == set(found.best.options)
    assert [each.uid for each in found.contributions if each.redundant] == ["video-analytics"]
    with pytest.raises(InputError, match="horizon"):
        book.budgets.set_plan(Plan(horizon=0.5), by="maria")


def test_a_risk_over_its_appetite_is_put_forward(book):
    book.fill()
    kept = book.register.scenario("help-desk-impersonated").thing
    book.register.put_scenario(replace(kept, appetite=50_000.0, appetite_share=0.01), by="maria")
    book.register.set_appetite(Appetite(100_000.0, 0.05), by="maria")
    book.run()
    found = {each.refs[0]: each for each in book.agenda.candidates(NOW) if each.kind == "risk"}
    assert found["risk:help-desk-impersonated"].urgency == 3.0
    assert "is borne" in found["risk:help-desk-impersonated"].why
    assert "risk:" in found, "the whole house"
    assert found["risk:"].delta_risk_eur > 0
    signal = RiskAgenda(book.register, book.events, book.runs, book.treatments, lambda _: "", lambda: "Loss avoided: below its limits.")
    assert any(each.why == "Loss avoided: below its limits." for each in signal.candidates(NOW))
    assert not any(each.refs == ("metric:loss.reduction|",) for each in book.agenda.candidates(NOW))


def test_forecasts_are_made_once_in_a_while_and_scored_when_over(book):
    book.fill()
    run = book.run()
    assert book.forecasts.make(run, NOW, **SMALL) == 24
    assert book.forecasts.make(run, NOW + timedelta(days=1), **SMALL) == 0
    book.clock.advance(timedelta(days=100))
    book.events.tell("cloned-badge", NOW + timedelta(days=20), loss=1_000.0, because="A copy", by="tom")
    assert book.forecasts.score(book.clock.now()) == 12
    (_, outcome), *_ = [pair for pair in book.forecasts.listed("cloned-badge") if pair[1]]
    assert outcome == Outcome(1, 1_000.0)
    found = book.forecasts.calibration()
    assert found.held.n == 12
    assert found.brier is not None
    assert book.forecasts.calibration("stolen-laptop").held.n == 1


def test_scores_and_stands_in_plain_values():
    said = Forecast("u", "s", NOW, NOW, 0.3, (0, 2), (0.0, 5.0), 1.0, "r")
    assert score(said, Outcome(0, 0.0)).brier == pytest.approx(0.09)
    assert score(said, Outcome(3, None)) == replace(score(said, Outcome(3, None)), events_held=False, loss_held=None)
    assert calibration([]).brier is None
    appetite = Appetite(1e6, 0.05)
    stands = [
        stand_of(appetite, over, band) for over, band in ((0.01, (0, 0.02)), (0.04, (0, 0.1)), (0.06, (0.01, 0.1)), (0.2, (0.1, 0.3)))
    ]
    assert stands == [Stand.WITHIN, Stand.UNSURE, Stand.OVER, Stand.SURELY_OVER]
    assert stand_of(Appetite(0, 0.05), 0.9, (0.9, 0.9)) is Stand.UNSAID
    assert "is borne" in words_of(appetite, 0.04, (0, 0.1))


def test_a_fault_of_the_register_is_kept_with_the_run_and_stops_nothing(book, monkeypatch):
    book.fill()
    good = book.run()

    def broken(now):
        raise InputError("these scenarios bring each other about in a circle: a → b → a", "parents")

    monkeypatch.setattr(book.register, "register", broken)
    book.runs.ask(by="maria")
    found = book.runs.do_waiting(NOW + timedelta(minutes=1), **SMALL)
    assert found.state == "failed"
    assert "circle" in found.fault
    assert book.runs.latest().uid == good.uid
    assert book.runs.failed().uid == found.uid


def test_old_computations_are_thinned(book):
    book.fill()
    book.run()
    for _ in range(3):
        book.runs.ask(by="maria")
        book.run()
    book.clock.advance(timedelta(days=30))
    assert book.runs.sweep(book.clock.now()) == 3
    assert book.runs.latest() is not None
