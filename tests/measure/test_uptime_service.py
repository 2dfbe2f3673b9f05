"""Uptime as it is kept: events in any order and any batches give one answer, and what people and budgets add to it."""

import importlib.util
import sys
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest

from watchword.detect.service import Findings
from watchword.ingest.ledger import Ledger
from watchword.kit.clock import ManualClock
from watchword.kit.errors import InputError, NotFound
from watchword.measure.component import ComponentKind, ProbeOf, Way
from watchword.measure.error_budget import AlertKind
from watchword.measure.metric_service import Metrics
from watchword.measure.objective_service import BURN, Objectives
from watchword.measure.uptime import State
from watchword.measure.uptime_calculator_service import UptimeCalculator
from watchword.measure.uptime_service import Uptime
from watchword.measure.uptime_signal import Listener
from watchword.model import Domain, FindingState, Mode, Source, SourceKind
from watchword.model.metric import Window
from watchword.model.ocsf import Access, Health, Severity, Status

_spec = importlib.util.spec_from_file_location("uptime_story", Path(__file__).parent / "uptime_story.py")
story = importlib.util.module_from_spec(_spec)
sys.modules["uptime_story"] = story
_spec.loader.exec_module(story)
START, at = story.START, story.at
PROBE = ProbeOf("web", "asset:srv-1", "http")
RHYTHMS = {"cameras": timedelta(seconds=60), "panel": timedelta(minutes=30)}


class Stand:
    """Everything that one test needs."""

    def __init__(self, records) -> None:
        self.records, self.log, self.make = records, story.Log(), story.Making()
        self.auditor, self.clock = story.Auditor(), ManualClock(START)
        self.directory, self.heard = story.directory(), START
        ledger = Ledger(records)
        for name, rhythm in RHYTHMS.items():
            ledger.put_source(Source(name, Domain.PHYSICAL, SourceKind.OTHER, "webhook", rhythm=rhythm))
        self.findings = Findings(records, self.clock)
        self.objectives = Objectives(records, self.clock, self.auditor, self.findings, lambda: self.directory)
        self.open()

    def open(self) -> Uptime:
        self.uptime = Uptime(
            self.records, self.clock, self.auditor, self.log, lambda: self.directory, probes=[PROBE], named=self.objectives.subjects
        )
        return self.uptime

    def hear(self, *events, now: float | None = None):
        events = [story.replace(event, received=max(event.received, self.heard)) for event in events]
        self.log.all += events
        moment = at(now) if now is not None else max([self.clock.at, *(event.received for event in events)])
        self.clock.at = max(self.clock.at, moment)
        self.heard = moment
        return self.uptime.advance(self.clock.at)

    def house(self, until: float):
        self.clock.at = max(self.clock.at, at(until))
        return self.uptime.house(Window(START, at(until)), self.clock.at)


@pytest.fixture
def stand(on_sqlite):
    return Stand(on_sqlite)


@pytest.fixture
def both(records):
    """The same on both engines, one after the other."""
    return Stand(records)


def plain(spans):
    return [((span.since - START).total_seconds(), (span.until - START).total_seconds(), span.state.value) for span in spans]


def test_what_is_watched_and_what_makes_it_work(stand):
    watched = stand.uptime.watched()
    kinds = {uid: each.kind for uid, each in watched.components.items()}
    assert kinds == {
        "asset:ups": ComponentKind.SENSOR, "asset:sw-1": ComponentKind.SWITCH, "asset:HC-1": ComponentKind.CONTROLLER,
        "asset:cam-1": ComponentKind.CAMERA, "asset:cam-2": ComponentKind.CAMERA, "asset:panel-1": ComponentKind.PANEL,
        "asset:srv-1": ComponentKind.SERVICE, "hq/doors/D-01": ComponentKind.DOOR, "hq/doors/D-02": ComponentKind.DOOR,
    }  # fmt: skip
    door = watched.components["hq/doors/D-01"]
    assert [(each.name, each.way) for each in door.conditions] == [
        ("controller", Way.FOLLOWS), ("forced", Way.FAULT), ("held", Way.FAULT), ("contact", Way.FAULT), ("lock", Way.TEST),
    ]  # fmt: skip
    assert door.conditions[-1].holds == timedelta(days=30)
    assert watched.components["asset:srv-1"].domain is Domain.IT
    assert watched.zones["hq/main/0/servers"].members == ("asset:cam-1", "asset:cam-2")


def test_heartbeats_and_their_absence(stand):
    stand.hear(*(stand.make.health(second, "cam-1") for second in (0, 60, 120)), now=600)
    assert plain(stand.house(600).spans("asset:cam-1")) == [(0, 240, "up"), (240, 600, "unknown")]
    stand.hear(stand.make.health(700, "cam-1"), now=720)
    assert plain(stand.house(720).spans("asset:cam-1")) == [(0, 240, "up"), (240, 700, "unknown"), (700, 720, "up")]


def test_trouble_degrades_until_its_end_is_reported(stand):
    make = stand.make
    beats = [make.health(second, "cam-1") for second in range(0, 600, 60)]
    drift = make.health(130, "cam-1", Health.CLOCK_DRIFTED)
    mended = make(250, 7731024, 99, asset="asset:cam-1", data={"ww_value": "restored clock"})
    stopped, resumed = make.health(400, "cam-1", Health.RECORDING_STOPPED), make.health(430, "cam-1", Health.RECORDING_RESUMED)
    stand.hear(*beats, drift, mended, stopped, resumed, now=600)
    spans = stand.house(600).spans("asset:cam-1")
    assert plain(spans) == [(0, 130, "up"), (130, 250, "degraded"), (250, 400, "up"), (400, 430, "down"), (430, 600, "up")]
    assert spans[1].because == "its clock is off by 2 s or more"
    assert spans[1].event == drift.uid


def test_a_door_follows_its_controller_its_contact_and_its_lock_test(stand):
    make, uid = stand.make, "hq/doors/D-02"
    stand.hear(*(make.health(second, "HC-1") for second in range(0, 1000, 50)), now=1000)
    assert plain(stand.house(1000).spans(uid)) == [(0, 1000, "unknown")]  # nobody ever tried its lock
    stand.uptime.record_test(uid, "lock", passed=True, by="otto", at=START - timedelta(days=1))
    assert plain(stand.house(1000).spans(uid)) == [(0, 1000, "up")]
    stand.hear(make.door(200, "D-02", Access.FORCED), make.door(300, "D-02", 99, "closed"), now=1000)
    stand.hear(make.door(500, "D-02", Access.HELD_OPEN), make.door(520, "D-02", Access.MODE_CHANGED, "locked"), now=1000)
    assert plain(stand.house(1000).spans(uid)) == [
        (0, 200, "up"),
        (200, 300, "down"),
        (300, 500, "up"),
        (500, 520, "down"),
        (520, 1000, "up"),
    ]
    stand.hear(make.health(600, "HC-1", Health.OFFLINE), make.health(640, "HC-1"), now=1000)
    spans = stand.house(1000).spans(uid)
    assert [span.because for span in spans if (span.since, span.state) == (at(600), State.DOWN)] == ["HC-1: it is offline"]
    assert ("otto", "uptime.test", uid) in stand.auditor.said


def test_a_panel_is_up_while_it_is_armed_as_scheduled_and_without_trouble(stand):
    make = stand.make
    hour = 3600
    beats = [make.panel(second, "602", 1) for second in range(0, 20 * hour, 1700)]
    opened, closed = make.panel(0, "401", 1), make.panel(15 * hour, "401", 2)  # 23:00: an hour late
    trouble, ended = make.panel(3 * hour, "301", 1), make.panel(4 * hour, "301", 2)
    stand.hear(*beats, opened, closed, trouble, ended, now=20 * hour)
    spans = stand.house(20 * hour).spans("asset:panel-1")
    assert plain(spans) == [
        (0, 3 * hour, "up"), (3 * hour, 4 * hour, "degraded"), (4 * hour, 14 * hour, "up"), (14 * hour, 15 * hour, "down"),
        (15 * hour, 20 * hour, "up"),
    ]  # fmt: skip
    assert "not armed" in spans[3].because


def test_a_service_is_what_its_probes_say(stand):
    make = stand.make
    results = [make.probe(0, "srv-1", "web", Status.SUCCESS), make.probe(60, "srv-1", "web", Status.FAILURE, said="answers with status 502"),
               make.probe(120, "srv-1", "web", Status.SUCCESS), make.probe(180, "srv-1", "web", Status.SUCCESS)]  # fmt: skip
    stand.hear(*results, now=400)
    spans = stand.house(400).spans("asset:srv-1")
    assert plain(spans) == [(0, 60, "up"), (60, 120, "down"), (120, 300, "up"), (300, 400, "unknown")]
    assert spans[1].because == "answers with status 502"


def random_events(rng: Random, make) -> list:
    """Draw an hour of heartbeats, troubles, doors and probes."""
    events = []
    for camera in ("cam-1", "cam-2"):
        events += [make.health(second + rng.random() * 5, camera) for second in range(0, 3600, 60) if rng.random() < 0.8]
    for _ in range(rng.randrange(14)):
        second, name = rng.randrange(3600), rng.choice(("cam-1", "cam-2", "HC-1", "sw-1"))
        kinds = (Health.OFFLINE, Health.ONLINE, Health.CLOCK_DRIFTED, Health.RECORDING_STOPPED, Health.RECORDING_RESUMED, Health.POWER_LOST)
        events.append(make.health(second, name, rng.choice(kinds)))
    for _ in range(rng.randrange(8)):
        activity, value = rng.choice(((Access.FORCED, ""), (Access.HELD_OPEN, ""), (99, "closed"), (Access.MODE_CHANGED, "locked")))
        events.append(make.door(rng.randrange(3600), "D-01", activity, value))
    answers = (Status.SUCCESS, Status.SUCCESS, Status.FAILURE)
    return events + [make.probe(second, "srv-1", "web", rng.choice(answers), every=120) for second in range(0, 3600, 120)]


@pytest.mark.parametrize("seed", range(6))
def test_events_in_any_order_and_any_batches_equal_a_look_at_every_second(stand, seed):
    """Acceptance test 7 f: what the kept lines say is what reading the events second by second says."""
    rng = Random(seed)
    events = random_events(rng, stand.make)
    arriving = [(event, event.time + timedelta(seconds=1 if rng.random() < 0.8 else rng.randrange(1, 1500))) for event in events]
    ranked = sorted(((story.replace(event, received=moment)) for event, moment in arriving), key=lambda event: event.received)
    while ranked:
        size = rng.randrange(1, 40)
        batch, ranked = ranked[:size], ranked[size:]
        rng.shuffle(batch)
        stand.hear(*batch)
        if rng.random() < 0.2:
            stand.open()  # the process was started anew
    house = stand.house(6000)
    by_line: dict[tuple[str, str], list] = {}
    for signal in Listener(stand.uptime.watched().components, RHYTHMS).signals(events):
        by_line.setdefault((signal.component, signal.condition), []).append(signal)
    for (component, condition), heard in by_line.items():
        kept = house._facts.lines[component][condition]
        for second in range(0, 6000, 7):
            moment = at(second + 0.5)
            found = next((span.state for span in kept if span.since <= moment < span.until), None)
            assert found is _by_hand(heard, moment), (component, condition, second)


def _by_hand(heard, moment):
    state = expires = None
    for signal in sorted(heard, key=lambda one: one.order):
        if signal.at > moment:
            break
        ends = None if signal.holds is None else signal.at + 2 * signal.holds
        if signal.state is state and not (expires is not None and signal.at > expires):
            expires = None if ends is None or expires is None else max(ends, expires)
        else:
            state, expires = signal.state, ends
    return State.UNKNOWN if state is not None and expires is not None and moment >= expires else state


def test_a_zone_needs_two_of_two_and_shared_causes_are_found(stand):
    make = stand.make
    beats = [make.health(second, name) for name in ("cam-1", "cam-2", "sw-1", "HC-1") for second in range(0, 3600, 60)]
    gone = [
        make.health(1000, "sw-1", Health.OFFLINE),
        make.health(1001, "cam-1", Health.OFFLINE),
        make.health(1002, "cam-2", Health.OFFLINE),
    ]
    beats = [event for event in beats if not at(1000) <= event.time < at(1500) or event.asset == "asset:HC-1"]
    stand.hear(*beats, *gone, now=3600)
    house = stand.house(3600)
    assert house.zone_shares("hq/main/0/servers").down == timedelta(seconds=499)
    cause = next(cause for cause in house.causes if cause.root == "asset:sw-1")
    assert {one.component for one in cause.outages} == {"asset:sw-1", "asset:cam-1", "asset:cam-2"}
    assert house.lost[Domain.PHYSICAL, Domain.IT] == pytest.approx((499 + 498) / 60, abs=0.01)
    assert house.worst_zone == "hq/main/0/servers"


def test_planned_work_is_announced_before_and_audited(both):
    stand = both
    stand.hear(*(stand.make.health(second, "cam-1") for second in (0, 60)), now=100)
    stand.clock.at = at(600)
    with pytest.raises(InputError, match="ends after it begins"):
        stand.uptime.plan("asset:cam-1", at(0), at(500), "CHG-1", by="mara")  # all of it over: it excuses nothing
    with pytest.raises(InputError, match="no asset, door or place"):
        stand.uptime.plan("asset:none", at(700), at(800), "CHG-1", by="mara")
    with pytest.raises(InputError, match="say what for"):
        stand.uptime.plan("asset:cam-1", at(700), at(800), " ", by="mara")
    work = stand.uptime.plan("hq/main/0/servers", at(0), at(900), "CHG-2", by="mara")
    assert work.since == at(600)  # what is announced late excuses only what comes later
    assert plain(stand.house(1000).spans("asset:cam-1")) == [
        (0, 180, "up"),
        (180, 600, "unknown"),
        (600, 900, "planned"),
        (900, 1000, "unknown"),
    ]
    other = stand.uptime.plan("asset:cam-1", at(5000), at(6000), "CHG-3", by="mara")
    stand.uptime.end_work(other.uid, by="mara")
    assert [each.uid for each in stand.uptime.work()] == [work.uid]
    with pytest.raises(NotFound):
        stand.uptime.end_work(other.uid, by="mara")
    assert [action for _, action, _ in stand.auditor.said] == ["uptime.plan", "uptime.plan", "uptime.end_work"]


def test_a_fault_found_mended_by_hand_ends(stand):
    make = stand.make
    stand.hear(*(make.health(second, "cam-1") for second in range(0, 600, 60)), make.health(100, "cam-1", Health.STORAGE_FAILED), now=600)
    stand.clock.at = at(550)
    stand.uptime.record_test("asset:cam-1", "storage", passed=True, by="ana")
    assert plain(stand.house(600).spans("asset:cam-1")) == [(0, 100, "up"), (100, 550, "degraded"), (550, 600, "up")]
    with pytest.raises(InputError, match="has no function 'lock'"):
        stand.uptime.record_test("asset:cam-1", "lock", passed=True, by="ana")
    with pytest.raises(InputError, match="cannot lie ahead"):
        stand.uptime.record_test("hq/doors/D-01", "lock", passed=True, by="ana", at=at(10_000))
    with pytest.raises(NotFound, match="is not watched"):
        stand.uptime.record_test("asset:none", "lock", passed=True, by="ana")


def test_a_burning_budget_pages_once_and_ends(both):
    stand = both
    make = stand.make
    day = 86_400
    beats = [make.health(second, "cam-1") for second in range(0, 4 * day, 110)]
    out = (3 * day, 3 * day + 1800)
    stand.hear(*(event for event in beats if not out[0] <= (event.time - START).total_seconds() < out[1]), now=out[0])
    stand.hear(make.health(out[0] + 1, "cam-1", Health.OFFLINE), now=out[0] + 1200)

    def watch(second):
        stand.clock.at = at(second)
        stand.uptime.advance(at(second))
        return stand.objectives.watch(stand.uptime.house(Window(at(second) - timedelta(days=30), at(second)), at(second)))

    assert watch(out[0] + 1200) >= 1
    assert watch(out[0] + 1260) == 0
    kept = [each.finding for each in stand.findings.list() if each.finding.rule == BURN and each.finding.mode is Mode.PAGE]
    page = next(each for each in kept if each.assets == ("asset:cam-1",))
    assert page.severity == Severity.HIGH
    assert page.state is FindingState.PROVISIONAL
    assert "cam-1 was not up" in page.because
    assert "99 %" in page.because
    assert ("asset:cam-1", AlertKind.PAGE.value) in stand.objectives.burning()
    assert watch(out[1] + 6 * 3600) >= 1
    assert ("asset:cam-1", AlertKind.PAGE.value) not in stand.objectives.burning()
    assert stand.findings.get(page.uid).finding.state is FindingState.FINAL


def test_nobody_is_called_for_what_was_never_heard_of(stand):
    stand.hear(stand.make.health(0, "cam-2"), now=86_400)
    house = stand.house(86_400)
    service = next(each for each in stand.objectives.services(house) if each.kept.objective.subject == "asset:cam-1")
    assert service.budget.exhausted
    stand.objectives.watch(house)
    assert all("asset:cam-1" not in each.finding.assets for each in stand.findings.list())


def test_objectives_of_people_take_the_place_of_the_files(both):
    stand = both
    assert [(each.objective.subject, each.objective.share, each.by) for each in stand.objectives.kept()] == [
        ("asset:cam-1", 0.99, ""), ("hq/main/0/servers", 0.95, ""),
    ]  # fmt: skip
    stand.objectives.put("asset:cam-1", 0.999, timedelta(days=14), by="mara")
    stand.objectives.put("asset:cam-1", 0.995, timedelta(days=14), by="mara")
    assert [each.objective.share for each in stand.objectives.kept()] == [0.995, 0.95]
    stand.objectives.remove("asset:cam-1", by="mara")
    assert stand.objectives.kept()[0].objective.share == 0.99
    for subject, share, days, words in (
        ("asset:none", 0.9, 30, "is no asset"), ("asset:cam-1", 1.0, 30, "out of bounds"), ("asset:cam-1", 0.9, 400, "1 to 92 days"),
    ):  # fmt: skip
        with pytest.raises(InputError, match=words):
            stand.objectives.put(subject, share, timedelta(days=days), by="mara")
    with pytest.raises(NotFound):
        stand.objectives.remove("asset:cam-1", by="mara")


def test_measures_carry_interval_grade_and_the_way_back_to_events(stand):
    make = stand.make
    beats = [make.health(second, name) for name in ("cam-1", "cam-2") for second in range(0, 8 * 86_400, 115)]
    gone = make.health(5 * 86_400, "cam-1", Health.OFFLINE)
    kept = [event for event in beats if event.asset != "asset:cam-1" or not gone.time < event.time < gone.time + timedelta(hours=2)]
    stand.hear(*kept, gone, now=8 * 86_400)
    metrics = Metrics(stand.records, stand.clock, stand.auditor)
    calculator = UptimeCalculator(stand.records, stand.uptime, stand.objectives, metrics.definition)
    assert calculator.earliest() == START
    now = at(8 * 86_400)
    found = {(each.metric.name, each.metric.subject): each for each in calculator.compute(Window(now - timedelta(days=7), now), now)}
    camera = found["uptime.component", "asset:cam-1"]
    assert camera.metric.value == pytest.approx(1 - 2 / 168, abs=0.001)
    assert camera.metric.lo < camera.metric.value < camera.metric.hi
    assert camera.uids == (("event", gone.uid),)
    assert camera.metric.details["outages"] == 1
    assert found["uptime.zone", "hq/main/0/servers"].metric.value == pytest.approx(1 - 2 / 168, abs=0.001)
    assert found["uptime.component", "physical"].metric.value < 1
    assert found["uptime.coverage", "asset:cam-1"].metric.value == pytest.approx(1)
    never = found["uptime.component", "asset:srv-1"].metric
    assert (never.value, never.hi, never.coverage, never.grade.value) == (0.0, 1.0, 0.0, "D")
    month = {
        (each.metric.name, each.metric.subject): each.metric for each in calculator.compute(Window(now - timedelta(days=28), now), now)
    }
    assert month["error_budget.left", "asset:cam-1"].value == pytest.approx(0.01 * 28 * 1440 - 120, abs=3)
    assert {"dependency.shared_cause"} <= {name for name, _ in month}
