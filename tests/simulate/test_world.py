import json
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from itertools import takewhile

import pytest

from watchword.simulate import STORIES, live, simulate

MONDAY = date(2026, 11, 2)


@pytest.fixture(scope="module")
def one_day(org):
    return list(simulate(org, MONDAY, 1, 5))


def test_the_same_seed_gives_the_same_bytes(org, one_day):
    assert list(simulate(org, MONDAY, 1, 5)) == one_day
    assert list(simulate(org, MONDAY, 1, 6)) != one_day


def test_deliveries_come_in_order_of_arrival(one_day):
    times = [delivery.at for delivery in one_day]
    assert times == sorted(times)
    assert all(time.tzinfo is not None for time in times)


def test_a_day_has_the_volume_of_a_real_one(one_day):
    lines = Counter()
    for delivery in one_day:
        lines[delivery.source] += delivery.body.count(b"\n") + (not delivery.file) - bool(delivery.file)
    assert set(lines) == {"harbour-doors", "mill-doors", "windows", "idp", "firewall", "switches", "cameras", "panel", "visitors", "linux"}
    assert 20_000 <= lines.total() <= 60_000


def test_a_week_holds_every_story_and_quiet_days(org):
    run = simulate(org, MONDAY, 7, 9)
    stories = run.truth()
    assert {story.name for story in stories} == set(STORIES)
    quiet = run.benign_days()
    assert len(quiet) >= 3
    assert sum(day.weekday() < 5 for day in quiet) >= 2
    assert all(story.since < story.until and story.says and story.rules for story in stories)
    assert run.near_misses()


def test_the_truth_is_known_before_and_after_the_run(org):
    run = simulate(org, MONDAY, 1, 12)
    before = run.truth()
    assert sum(1 for _ in run) > 20_000
    assert run.truth() == before


def test_without_stories_every_day_is_quiet(org):
    run = simulate(org, MONDAY, 3, 5, stories=())
    assert run.truth() == []
    assert len(run.benign_days()) == 3


@pytest.mark.parametrize("name", sorted(STORIES))
def test_each_story_can_be_asked_for(org, door, name):
    day = MONDAY + timedelta(days=1)
    for seed in range(5):
        run = simulate(org, day, 1, seed, stories={day: [name]})
        (story,) = run.truth()
        assert story.name == name
        for person in story.persons:
            assert door.directory.person(person) is not None
        for place in story.places:
            assert door.directory.place(place) or door.directory.door(place), place
        for asset in story.assets:
            assert door.directory.asset(asset) is not None


def test_the_mill_uploads_in_batches_and_now_and_then_twice(org):
    files = [delivery for delivery in simulate(org, MONDAY, 2, 5, stories=()) if delivery.source == "mill-doors"]
    assert len(files) < 60
    assert len({file.file for file in files}) < len(files)
    nightly = [file for file in files if file.file.startswith("mc-3")]
    assert nightly
    assert all(file.at.hour == 22 for file in nightly)


def test_a_live_run_opens_with_an_attack_and_never_ends(org):
    start = datetime(2026, 11, 3, 9, 0, tzinfo=UTC)
    run = live(org, start, 5)
    within = list(takewhile(lambda delivery: delivery.at < start + timedelta(minutes=10), run))
    assert within[0].at >= start
    forced = [json.loads(line) for delivery in within if delivery.source == "harbour-doors" for line in delivery.body.splitlines()]
    assert any(row["result"] == "forced" for row in forced)
    assert run.truth()[0].since <= start
    assert sum(story.since < start + timedelta(hours=2) for story in run.truth()) >= 7
    later = next(delivery for delivery in run if delivery.at > start + timedelta(hours=40))
    assert later.at > start


def test_a_live_run_can_begin_with_the_hours_before(org):
    start = datetime(2026, 11, 3, 9, 0, tzinfo=UTC)
    run = live(org, start, 5, history=timedelta(hours=4))
    first = next(run)
    assert start - timedelta(hours=4) <= first.at < start - timedelta(hours=3)
    assert run.truth()[0].since >= start - timedelta(minutes=1)
