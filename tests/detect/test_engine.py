"""The engine: order, batches and restarts do not matter; provisional becomes final or is withdrawn; bounds show."""

import random
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.detect.story import SERVER, Story, at, coverage, detector, directory

from watchword.detect.coverage import Gap
from watchword.detect.detector import Detector
from watchword.detect.engine import BOUNDS_RULE, Changes, Engine, replay
from watchword.detect.loader import build_detectors, load_rules, shipped_rules
from watchword.detect.maintenance import Maintenance
from watchword.model import Event, Finding, FindingState, Mode
from watchword.model.ocsf import Access, BuildingControl, Health

LATENESS = timedelta(hours=24)
BOOK = directory()


class Kept:
    """What a store keeps of the changes."""

    def __init__(self) -> None:
        self.findings: dict[str, Finding] = {}

    def take(self, changes: Changes) -> None:
        for finding in changes.findings:
            self.findings[finding.uid] = finding

    @property
    def standing(self) -> dict[str, Finding]:
        return {uid: finding for uid, finding in self.findings.items() if finding.state is not FindingState.WITHDRAWN}


def all_detectors() -> list[Detector]:
    return list(build_detectors(load_rules(shipped_rules()), BOOK).detectors)


def run(batches: Iterable[Sequence[Event]], now: datetime, detectors: Sequence[Detector] | None = None) -> dict[str, Finding]:
    engine, kept = Engine(detectors or all_detectors(), BOOK, lateness=LATENESS), Kept()
    for batch in batches:
        kept.take(engine.feed(batch, coverage(now)))
    kept.take(engine.tick(coverage(now + timedelta(days=30))))
    assert engine.failures == {}
    return kept.standing


def busy_days(seed: int = 1, days: int = 2) -> list[Event]:
    """Days on which a bit of everything happens, attacks and ordinary life mixed."""
    story, rng = Story(BOOK), random.Random(seed)
    doors = ("front", "office", "server", "closet", "stores")

    def when(day: int) -> datetime:
        return at("0:00", day) + timedelta(seconds=rng.randrange(86400))

    for day in range(days):
        for _ in range(30):
            number, door, moment = rng.randint(1, 6), rng.choice(doors), when(day)
            story.door(moment, door, Access.GRANTED, number)
            story.door(moment + timedelta(seconds=3), door, Access.TAKEN, number)
        for _ in range(6):
            story.leave(when(day), rng.choice(("front", "office")), rng.randint(1, 6))
            story.door(when(day), rng.choice(doors), rng.choice((Access.FORCED, Access.HELD_OPEN, Access.TAKEN, Access.REQUEST_TO_EXIT)))
            story.logon(when(day), rng.randint(1, 6), rng.choice(("ws-1", "ws-2", "console", "srv-1")), kind=rng.choice((2, 3, 10)))
            story.privileged(when(day), rng.randint(1, 6), rng.choice(("console", "srv-1")))
            story.device(when(day), rng.choice(("sw-closet", "sw-server")))
            story.person_seen(when(day), "cam-in", SERVER)
            story.health(when(day), rng.choice(("cam-server", "cam-front", "cam-closet")), rng.choice((Health.OFFLINE, Health.ONLINE)))
            story.flow(when(day), rng.choice(("ws-1", "ws-2")), bytes_out=rng.randrange(10_000_000))
        burst, number = when(day), rng.randint(1, 6)
        for step in range(9):
            story.door(burst + timedelta(seconds=50 * step), rng.choice(doors), Access.DENIED, number)
        story.building(when(day), rng.choice((BuildingControl.ALARM, BuildingControl.RESTORED)))
    return story.events


EVENTS = busy_days()
LAST = max(event.time for event in EVENTS)
FIRST = min(event.time for event in EVENTS)
NOW = FIRST + LATENESS
"""So early that no event is later than allowed, in whatever order they come."""


def test_the_busy_days_give_something_of_most_rules():
    rules = {finding.rule for finding in run([EVENTS], NOW).values()}
    assert {"ww_007", "ww_012", "ww_013", "ww_020", "ww_031"} <= rules


def test_each_event_alone_gives_the_same_as_all_at_once():
    together = run([EVENTS], NOW)
    singly = run([[event] for event in sorted(EVENTS, key=lambda event: event.uid)], NOW)
    assert singly == together


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.integers(0, 2**32), cuts=st.lists(st.integers(0, len(EVENTS)), max_size=8), stops=st.sets(st.integers(0, 8), max_size=2))
def test_order_batches_and_restarts_do_not_matter(seed: int, cuts: list[int], stops: set[int]):
    order = list(EVENTS)
    random.Random(seed).shuffle(order)
    borders = [0, *sorted(cuts), len(order)]
    batches = [order[since:until] for since, until in pairwise(borders)]
    engine, kept = Engine(all_detectors(), BOOK, lateness=LATENESS), Kept()
    seen: list[Event] = []
    for number, batch in enumerate(batches):
        kept.take(engine.feed([*batch, *batch[:3]], coverage(NOW)))
        seen += batch
        if number in stops:
            oldest = engine.oldest()
            engine = Engine(all_detectors(), BOOK, lateness=LATENESS)
            held = [event for event in seen if oldest is not None and event.time >= oldest]
            kept.take(engine.warm(held, coverage(NOW), kept.findings.values()))
    kept.take(engine.tick(coverage(LAST + timedelta(days=3))))
    assert kept.standing == run([EVENTS], NOW)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_as_they_come_with_the_frontier_moving_equals_all_at_once(seed: int):
    """Events arrive many hours late, and old ones are forgotten on the way."""
    events = busy_days(seed, days=6)
    rng = random.Random(seed)
    arrivals = sorted(
        ((event.time + timedelta(seconds=rng.choice((1, 60, rng.randrange(50_000)))), event) for event in events), key=lambda pair: pair[0]
    )
    engine, kept = Engine(all_detectors(), BOOK, lateness=LATENESS), Kept()
    for start in range(0, len(arrivals), 10):
        chunk = arrivals[start : start + 10]
        kept.take(engine.feed([event for _, event in chunk], coverage(chunk[-1][0])))
    assert not engine.counters["overdue"]
    held = sum(events for _, events in engine.sizes().values())
    kept.take(engine.tick(coverage(arrivals[-1][0] + timedelta(days=5))))
    expected = run([events], min(event.time for event in events) + LATENESS)
    assert {uid: finding.rule for uid, finding in kept.standing.items()} == {uid: finding.rule for uid, finding in expected.items()}
    assert all(finding.state is FindingState.FINAL for finding in kept.standing.values())
    assert held < sum(1 for _ in events) * 12


def test_a_late_reason_withdraws_and_names_itself():
    story = Story(BOOK)
    story.door(at("2:00:00"), "server", Access.TAKEN)
    engine = Engine([detector("ww_031", BOOK)], BOOK, lateness=timedelta(hours=1))
    [new] = engine.feed(story.events, coverage(at("2:00:30"))).new
    assert new.state is FindingState.PROVISIONAL
    grant = story.door(at("2:00:01"), "server", Access.GRANTED, 1)
    [gone] = engine.feed([grant], coverage(at("2:01:00"))).withdrawn
    assert (gone.uid, gone.state, gone.refuted_by) == (new.uid, FindingState.WITHDRAWN, grant.uid)


def test_a_pending_window_is_judged_when_it_becomes_decidable():
    story = Story(BOOK)
    story.door(at("2:00:00"), "server", Access.TAKEN)
    engine = Engine([detector("ww_031", BOOK)], BOOK, lateness=timedelta(hours=1))
    assert engine.feed(story.events, coverage(at("2:00:02"))).findings == ()
    assert engine.tick(coverage(at("2:00:10"))).findings == ()
    [new] = engine.tick(coverage(at("2:00:20"))).new
    assert new.state is FindingState.PROVISIONAL
    judged = engine.counters["judged"]
    assert engine.tick(coverage(at("2:01:00"))).findings == ()
    assert engine.counters["judged"] == judged
    [changed] = engine.tick(coverage(at("2:03:00"))).changed
    assert (changed.uid, changed.state) == (new.uid, FindingState.FINAL)
    assert engine.tick(coverage(at("2:04:00"))).findings == ()


def test_events_in_a_gap_are_counted_as_uncovered_and_give_nothing():
    story = Story(BOOK)
    story.door(at("2:00:00"), "server", Access.TAKEN)
    engine = Engine([detector("ww_031", BOOK)], BOOK, lateness=timedelta(hours=1))
    gaps = [Gap("doors", at("1:59"), at("2:05"))]
    assert engine.feed(story.events, coverage(at("2:10"), gaps=gaps)).findings == ()
    engine.tick(coverage(at("23:00", day=2), gaps=gaps))
    assert engine.counters["uncovered:ww_031"] == 1


def test_later_than_allowed_is_handed_back_and_replayed():
    engine, kept = Engine(all_detectors(), BOOK, lateness=LATENESS), Kept()
    changes = engine.feed(EVENTS, coverage(LAST + timedelta(days=30)))
    assert changes.findings == ()
    assert len(changes.overdue) == engine.counters["overdue"] > 0
    fresh = Engine(all_detectors(), BOOK, lateness=LATENESS)
    for changes in replay(fresh, sorted(EVENTS, key=lambda event: event.order), coverage(LAST + timedelta(days=30)), batch=50):
        kept.take(changes)
    assert kept.standing.keys() == run([EVENTS], NOW).keys()


def test_maintenance_calls_nobody_and_says_so():
    story = Story(BOOK)
    story.door(at("2:00:00"), "server", Access.TAKEN)
    story.door(at("3:00:00"), "server", Access.TAKEN)
    windows = [Maintenance("hq/main/g", at("1:30"), at("2:30"), "CHG-17")]
    engine = Engine([detector("ww_031", BOOK)], BOOK, maintenance=windows)
    first, second = engine.feed(story.events, coverage(at("4:00"))).new
    assert (first.mode, second.mode) == (Mode.RISK, Mode.PAGE)
    assert "CHG-17" in first.because


def test_overflow_is_counted_and_said():
    story = Story(BOOK)
    for second in range(0, 300, 2):
        story.door(at("2:00") + timedelta(seconds=second), "server", Access.DENIED, 3)
    engine = Engine([detector("ww_020", BOOK, any=[{"at_least": 1000}])], BOOK, events_per_key=100)
    changes = engine.feed(story.events, coverage(at("2:10")))
    assert [finding.rule for finding in changes.new] == [BOUNDS_RULE]
    assert engine.sizes()["ww_020"] == (1, 90)
    few = Engine([detector("ww_020", BOOK)], BOOK, keys=0)
    assert [finding.rule for finding in few.feed(story.events, coverage(at("2:10"))).new] == [BOUNDS_RULE]
    assert few.counters["unwatched"] == len(story.events)


def test_findings_survive_an_overflow():
    story = Story(BOOK)
    for second in range(0, 400, 2):
        story.door(at("2:00") + timedelta(seconds=second), "server", Access.DENIED, 3)
    engine, kept = Engine([detector("ww_020", BOOK)], BOOK, events_per_key=50), Kept()
    for event in story.events:
        kept.take(engine.feed([event], coverage(at("2:10"))))
    assert len([finding for finding in kept.standing.values() if finding.rule == "ww_020"]) == 40


def test_a_failing_detector_stops_nothing_else():
    broken = detector("ww_013", BOOK)
    broken.judge = None  # type: ignore[method-assign,assignment]
    engine = Engine([broken, detector("ww_020", BOOK)], BOOK)
    assert {finding.rule for finding in engine.feed(EVENTS, coverage(NOW)).new} == {"ww_020"}
    assert engine.counters["failed:ww_013"] > 0
    assert "ww_013" in engine.failures


def test_the_same_batch_again_changes_nothing():
    engine = Engine(all_detectors(), BOOK, lateness=LATENESS)
    assert engine.feed(EVENTS, coverage(NOW)).new
    assert engine.feed(EVENTS, coverage(NOW)).findings == ()


def test_warm_says_nothing_that_is_stored_and_withdraws_what_no_longer_follows():
    first, kept = Engine(all_detectors(), BOOK, lateness=LATENESS), Kept()
    kept.take(first.feed(EVENTS, coverage(NOW)))
    again = Engine(all_detectors(), BOOK, lateness=LATENESS)
    assert again.warm(EVENTS, coverage(NOW), kept.findings.values()).findings == ()
    stray = replace(next(iter(kept.findings.values())), uid="0" * 32)
    third = Engine(all_detectors(), BOOK, lateness=LATENESS)
    changes = third.warm(EVENTS, coverage(NOW), [*kept.findings.values(), stray])
    assert [finding.uid for finding in changes.withdrawn] == [stray.uid]
