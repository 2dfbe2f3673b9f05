"""The registry: definitions, grades that say why, series that are never spliced, targets with a counter-metric, flags, the walk back."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from watchword.kit.clock import ManualClock
from watchword.kit.errors import Conflict, ContentError, InputError, NotFound
from watchword.measure import metric_service, target_service
from watchword.measure.calculator import MONDAY, Measured, code_hash, is_period, last_period, measured, periods, running
from watchword.measure.compute_service import Computing
from watchword.measure.definitions import MODES, definition, read_definitions, shipped_definitions
from watchword.measure.grade import grade_now, grade_of
from watchword.measure.metric_service import Metrics
from watchword.measure.metric_tables import metric_input, metric_value
from watchword.model.metric import Flag, Grade, MeasureClass, Target, Window

NOW = datetime(2026, 3, 11, 10, tzinfo=UTC)
SHARE = definition("response.false_share")
RISK = definition("risk_hours")


class Told:
    """An auditor that remembers."""

    def __init__(self):
        self.entries = []

    def write(self, actor, action, target="", *_, **__):
        self.entries.append((actor, action, target))


@pytest.fixture
def clock():
    return ManualClock(NOW)


@pytest.fixture
def auditor():
    return Told()


@pytest.fixture
def metrics(on_sqlite, clock, auditor):
    return Metrics(on_sqlite, clock, auditor)


def value(number=0.3, window=None, uids=(("incident", "a"),), now=NOW, **more):
    figures = {"lo": number - 0.04, "hi": number + 0.04, "n": 100} | more
    return measured(SHARE, window or running(SHARE, now), now, value=number, uids=uids, **figures)


# definitions


def test_every_definition_has_owners_weaknesses_and_a_formula_that_exists():
    shipped = shipped_definitions()
    assert {"risk_hours", "uptime.zone", "loss.expected", "compliance.pass", "two_clock_gap", "bus_factor", "decision_latency"} <= set(
        shipped
    )
    assert any(each.measure_class is MeasureClass.IMPACT for each in shipped.values())
    for each in shipped.values():
        assert each.owner_it, each.name
        assert each.owner_physical, each.name
        assert [text.partition(":")[0] for text in each.weaknesses] == list(MODES), each.name
        assert each.because.endswith("."), each.name
        assert len(code_hash(each.formula)) == 16, each.formula


def test_the_documents_list_every_measure():
    from pathlib import Path

    text = (Path(__file__).parents[2] / "docs" / "reference" / "metrics.md").read_text(encoding="utf-8")
    for name in shipped_definitions():
        assert f"| `{name}` |" in text, name


def test_a_wrong_file_is_told_by_line():
    good = "measures:\n  - {name: a, title: A, class: impact, domain: joint, unit: share, better: up, window: 7d, formula: x.y, owner_it: i, owner_physical: p, because: B., weaknesses: {regressional: N., extremal: N., causal: N., adversarial: N.}}\n"  # fmt: skip
    assert read_definitions(good, "m.yaml")["a"].window == timedelta(days=7)
    for old, new, words in (
        ("class: impact", "class: huge", "class is one of"),
        ("window: 7d", "window: soon", "no duration"),
        ("formula: x.y", "formula: x", "module.function"),
        ("because: B.", "because: B., counter: b", "not defined"),
        ("because: B.", "because: B., counter: a", "its own counter"),
        ("causal: N., ", "", "weaknesses lack 'causal'"),
        ("owner_it: i, ", "", "lacks 'owner_it'"),
        ("because: B.", "because: B., colour: red", "unknown key"),
        ("because: B.", "because: B., min_n: -1", "whole number from 0"),
    ):
        with pytest.raises(ContentError, match=words) as told:
            read_definitions(good.replace(old, new), "m.yaml")
        assert "m.yaml:2" in str(told.value)
    with pytest.raises(ContentError, match="is taken"):
        read_definitions(good + good.partition("\n")[2], "m.yaml")
    with pytest.raises(ContentError, match="lacks a list"):
        read_definitions("a: 1", "m.yaml")


# grades


@pytest.mark.parametrize(
    ("figures", "grade", "words"),
    [
        ({}, Grade.A, "narrow interval"),
        ({"n": 19}, Grade.C, "19 observations where B asks for 20"),
        ({"n": 9}, Grade.D, "9 observations"),
        ({"lo": 0.22, "hi": 0.4}, Grade.B, "± 9 points wide where A allows 5"),
        ({"lo": 0.1, "hi": 0.5}, Grade.C, "where B allows 12"),
        ({"lo": 0.0, "hi": 0.9}, Grade.D, "where C allows 25"),
        ({"hi": None}, Grade.D, "no interval"),
        ({"coverage": 0.92}, Grade.B, "only 92 %"),
        ({"coverage": 0.5}, Grade.D, "only 50 %"),
        ({"value": None}, Grade.D, "cannot be known"),
        ({"flags": (Flag.HEAPING,)}, Grade.D, "pile up just inside"),
    ],
)
def test_every_grade_says_why(figures, grade, words):
    found = grade_of(SHARE, **({"value": 0.3, "lo": 0.27, "hi": 0.33, "n": 100, "coverage": 1.0} | figures))
    assert found[0] is grade
    assert words in found[1]
    assert found[1].endswith(".")


def test_an_old_value_is_not_credible():
    metric = value().metric
    assert grade_now(SHARE, metric, NOW)[0] is Grade.A
    grade, why = grade_now(SHARE, metric, NOW + timedelta(hours=30))
    assert grade is Grade.D
    assert "30 hours old" in why


def test_a_full_count_may_be_none_of_nothing():
    assert grade_of(RISK, value=0.0, lo=0.0, hi=0.0, n=0, coverage=1.0)[0] is Grade.A


# windows


def test_periods_are_aligned_and_have_ended():
    week = last_period(RISK, NOW)
    assert week.since.isoweekday() == 1
    assert week.until <= NOW < week.until + RISK.window
    assert is_period(RISK, week)
    assert not is_period(RISK, running(RISK, NOW))
    found = periods(RISK, week.since - timedelta(days=20), NOW)
    assert [each.until for each in found[:-1]] == [each.since for each in found[1:]]
    assert len(found) == 3
    assert last_period(RISK, MONDAY + timedelta(days=7)).until == MONDAY + timedelta(days=7)


# values


def test_the_same_value_is_kept_once_and_leads_back(metrics, on_sqlite):
    first = value(uids=[("incident", "b"), ("incident", "a"), ("event", "e")])
    assert metrics.put_all([first]) == 1
    assert metrics.put_all([first]) == 0
    assert metrics.latest(SHARE.name) == first.metric
    assert metrics.inputs(first.metric.uid) == [("event", "e"), ("incident", "a"), ("incident", "b")]
    assert value(uids=[("incident", "a"), ("event", "e"), ("incident", "b")]).metric.inputs == first.metric.inputs
    with on_sqlite.read() as connection:
        assert connection.execute(select(func.count()).select_from(metric_value)).scalar_one() == 1
    with pytest.raises(NotFound):
        metrics.get("f" * 32)
    with pytest.raises(NotFound, match="metrics list"):
        metrics.latest("no.such")


def test_unknown_stays_unknown(metrics):
    unknown = measured(SHARE, running(SHARE, NOW), NOW, value=None, words="Nothing was counted.")
    metrics.put(unknown.metric)
    kept = metrics.latest(SHARE.name)
    assert kept.value is None
    assert kept.grade is Grade.D
    assert kept.because.startswith("Nothing was counted. Not credible")


def test_a_period_computed_anew_takes_the_place_of_the_old_one(metrics):
    windows = periods(SHARE, NOW - timedelta(days=200), NOW)
    metrics.put_all([value(0.2 + number / 100, window) for number, window in enumerate(windows)])
    again = value(0.9, windows[-1])
    metrics.put(again.metric, again.uids)
    series = metrics.series(SHARE.name)
    assert [each.window for each in series] == windows
    assert series[-1].value == 0.9
    metrics.put(value(0.2 + (len(windows) - 1) / 100, windows[-1]).metric)
    assert metrics.series(SHARE.name)[-1].value == pytest.approx(0.2 + (len(windows) - 1) / 100), "the old figure is current again"
    assert metrics.series(SHARE.name, since=windows[2].since)[0].window == windows[2]
    points, chart = metrics.signals(SHARE.name)
    assert len(points) == len(windows) >= 6
    assert chart is not None
    assert chart.lower >= 0


def test_of_running_values_the_last_hours_and_some_a_day_stay_and_what_is_held(metrics, clock, on_sqlite):
    uids = []
    for hour in range(60):
        clock.at = NOW + timedelta(hours=hour)
        each = value(0.3 + hour / 1000, running(SHARE, clock.at), now=clock.at, uids=[("incident", str(hour))])
        uids.append(each.metric.uid)
        metrics.put(each.metric, each.uids)
        if hour == 3:
            with on_sqlite.begin() as connection:
                metrics.hold(connection, [each.metric.uid])
    with on_sqlite.read() as connection:
        kept = set(connection.execute(select(metric_value.c.uid)).scalars())
    assert {uids[3], *uids[-4:]} <= kept
    assert len(kept) <= 4 * 3 + 1
    assert metrics.series(SHARE.name) == [], "running values are no points of the series"
    assert metrics.latest(SHARE.name).uid == uids[-1]
    metrics.sweep(clock.at)
    assert metrics.inputs(uids[-1]) == [("incident", "59")]
    assert metrics.inputs(uids[3]) == [("incident", "3")], "what is held leads back for good"
    clock.at = NOW + timedelta(days=90)
    assert metrics.sweep(clock.at) == len(kept) - 1
    assert metrics.get(uids[3]).uid == uids[3]
    assert metrics.inputs(uids[3]) == [("incident", "3")]
    with on_sqlite.read() as connection:
        assert connection.execute(select(func.count()).select_from(metric_input)).scalar_one() == 1


def test_sweeping_lets_inputs_go_that_no_value_names(metrics, clock, on_sqlite):
    one = value(uids=[("incident", "x")])
    metrics.put(one.metric, one.uids)
    assert metrics.sweep(NOW + timedelta(days=60)) == 1
    with on_sqlite.read() as connection:
        assert connection.execute(select(func.count()).select_from(metric_input)).scalar_one() == 0


def test_a_changed_definition_starts_a_new_series(metrics, monkeypatch):
    windows = periods(SHARE, NOW - timedelta(days=90), NOW)
    metrics.put_all([value(0.3, window) for window in windows])
    newer = dict(shipped_definitions()) | {SHARE.name: replace(SHARE, version=2)}
    monkeypatch.setattr(target_service, "shipped_definitions", lambda: newer)
    monkeypatch.setattr(target_service, "definition_of", newer.__getitem__)
    assert metric_service.Metrics.series(metrics, SHARE.name) == []
    assert metrics.latest(SHARE.name) is None


def test_subjects_stand_beside_each_other(metrics):
    metrics.put_all([value(0.3), value(0.4, subject="it"), value(0.5, subject="physical")])
    assert metrics.subjects(SHARE.name) == ["", "it", "physical"]
    assert {subject: metric.value for subject, metric in metrics.present(SHARE.name).items()} == {"": 0.3, "it": 0.4, "physical": 0.5}
    assert metrics.all_present()[SHARE.name].keys() == {"", "it", "physical"}


def test_it_is_the_same_on_both_engines(records, clock, auditor):
    metrics = Metrics(records, clock, auditor)
    windows = periods(SHARE, NOW - timedelta(days=200), NOW)
    metrics.put_all([value(0.2 + number / 100, window, subject=subject) for number, window in enumerate(windows) for subject in ("", "it")])
    metrics.put(value(0.9, windows[-1]).metric)
    for hour in range(3):
        clock.at = NOW + timedelta(hours=hour)
        metrics.put(value(0.5 + hour / 10, running(SHARE, clock.at), now=clock.at).metric)
    assert [each.value for each in metrics.series(SHARE.name)][-1] == 0.9
    assert {subject: each.value for subject, each in metrics.present(SHARE.name).items()} == {"": 0.7, "it": 0.2 + (len(windows) - 1) / 100}
    assert metrics.raise_flag(SHARE.name, "", Flag.BULK, "Many at once.")
    assert metrics.latest(SHARE.name).grade is Grade.D
    metrics.set_target(SHARE.name, Target(0.1, "Ana", "Otto", NOW), "mara")
    assert metrics.target(SHARE.name).value == 0.1
    assert metrics.sweep(NOW + timedelta(days=90)) == 4


# flags


def test_a_flag_grades_it_d_until_it_is_cleared(metrics, clock):
    metrics.put(value().metric)
    assert metrics.raise_flag(SHARE.name, "", Flag.SELECTION, "Easy ones were picked.")
    assert not metrics.raise_flag(SHARE.name, "", Flag.SELECTION, "Again.")
    kept = metrics.latest(SHARE.name)
    assert (kept.grade, kept.flags) == (Grade.D, (Flag.SELECTION,))
    assert kept.because.startswith("Easy ones were picked. Not credible")
    clock.at = NOW + timedelta(hours=1)
    metrics.put(value(0.31, now=clock.at).metric)
    assert metrics.latest(SHARE.name).grade is Grade.D, "what is computed while it is in force is graded D too"
    assert [flag.flag for flag in metrics.flags()] == [Flag.SELECTION]
    assert metrics.clear_flag(SHARE.name, "", Flag.SELECTION)
    clock.at = NOW + timedelta(days=40)
    metrics.put(value(0.32, now=clock.at).metric)
    assert metrics.latest(SHARE.name).grade is Grade.A
    assert metrics.flags() == []


# targets


def test_a_target_needs_a_counter_metric_and_an_owner_in_each_team(metrics, auditor, clock):
    target = Target(0.1, "Ana", "Otto", NOW)
    metrics.set_target(SHARE.name, target, "mara")
    assert metrics.target(SHARE.name) == target
    clock.at = NOW + timedelta(days=1)
    metrics.set_target(SHARE.name, replace(target, value=0.05, since=clock.at), "mara")
    assert [(each.target.value, each.until) for each in metrics.targets(SHARE.name)] == [(0.1, clock.at), (0.05, None)]
    assert auditor.entries == [("mara", "metric.target", SHARE.name)] * 2
    assert metrics.all_targets().keys() == {SHARE.name}
    metrics.end_target(SHARE.name, "mara", "Reached.")
    assert metrics.target(SHARE.name) is None
    with pytest.raises(NotFound, match="no target"):
        metrics.end_target(SHARE.name, "mara", "Again.")
    with pytest.raises(Conflict, match="counter-metric"):
        metrics.set_target("review.disagreement", target, "mara")
    with pytest.raises(InputError, match="owner in each team"):
        metrics.set_target(SHARE.name, replace(target, owner_physical=" "), "mara")
    with pytest.raises(InputError, match="between 0 and 1"):
        metrics.set_target(SHARE.name, replace(target, value=3), "mara")


# computing


class Steady:
    """A calculator of one measure with a value a window."""

    names = (SHARE.name,)

    def __init__(self, first, *, historic=True):
        self.first, self.historic, self.asked = first, historic, []

    def earliest(self):
        return self.first

    def compute(self, window, now):
        self.asked.append(window)
        yield Measured(value(0.3, window, now=now).metric)


class Broken(Steady):
    names = (RISK.name,)

    def compute(self, _window, _now):
        raise RuntimeError("no such luck")


def test_backfill_computes_what_is_missing_and_no_more(metrics):
    steady = Steady(NOW - timedelta(days=150))
    computing = Computing(metrics, [steady])
    outcome = computing.backfill(NOW)
    assert outcome.new == len(metrics.series(SHARE.name)) == 5
    assert computing.backfill(NOW).windows == 0
    assert computing.backfill(NOW, anew=True).new == 0
    assert Computing(metrics, [Steady(None)]).backfill(NOW).windows == 0
    assert min(window.until for window in steady.asked) > steady.first


def test_a_calculator_that_fails_stops_no_other(metrics):
    outcome = Computing(metrics, [Broken(NOW), Steady(NOW - timedelta(days=9))]).present(NOW)
    assert outcome.faults == ("Broken: RuntimeError('no such luck')",)
    assert metrics.latest(SHARE.name).value == 0.3


def test_what_has_no_past_is_computed_for_the_period_that_has_just_ended(metrics):
    snapshot = Steady(NOW - timedelta(days=300), historic=False)
    computing = Computing(metrics, lambda: [snapshot])
    assert computing.backfill(NOW).windows == 0
    assert computing.settled(NOW).windows == 1
    assert snapshot.asked == [last_period(SHARE, NOW)]
    assert computing.present(NOW, [SHARE.name]).values == 1
    with pytest.raises(NotFound):
        computing.present(NOW, ["no.such"])
    assert isinstance(snapshot.asked[-1], Window)
