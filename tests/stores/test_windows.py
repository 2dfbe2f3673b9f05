"""Questions asked window by window give what one question over all time gives: with late arrivals, ties in time, cursors, and filters together."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from watchword.ingest.ports import Segment
from watchword.model import EventQuery, Order
from watchword.stores import eventlog
from watchword.stores.density import HOUR_MS, Density
from watchword.stores.eventlog import ClickHouseEventLog

PERSONS = ("person:0", "person:1", "person:rare")


@pytest.fixture(scope="module")
def spread(store):
    """An event log of 30,000 events over nine days in bursts: some arrive days late, many share their millisecond, one lies far in the future."""
    from importlib.util import module_from_spec, spec_from_file_location
    from pathlib import Path

    spec = spec_from_file_location("stores_conftest", Path(__file__).with_name("conftest.py"))
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    make, chance = module.Make(11), random.Random(11)
    log = ClickHouseEventLog(f"{store.url}/windows", store.token)
    log.prepare()
    events = []
    for day in range(10):
        arrived = make.noon + timedelta(days=day)
        made = []
        for n in range(3000):
            late = chance.random() < 0.15
            at = arrived - timedelta(seconds=chance.randrange(8 * 86_400 if late else 7200))
            if n == 0 and day == 4:
                at = arrived + timedelta(days=9000)
            record = make.record(at=arrived)
            person = chance.choices(PERSONS, (50, 10, 0.1))[0]
            made.append(make.event(record, time=at.replace(microsecond=chance.choice((0, 1000, 500_000))), person=person))
        made.sort(key=lambda event: event.order)
        log.insert(Segment(day + 1, (day + 1,), (), tuple(made)))
        events += made
    yield log, events
    log.close()


def _random_query(chance: random.Random, events: list) -> EventQuery:
    seed = chance.choice(events)
    choices = {
        "since": seed.time - timedelta(hours=chance.randrange(1, 200)), "until": seed.time + timedelta(hours=chance.randrange(1, 50)),
        "persons": (chance.choice(PERSONS),), "addresses": (chance.choice(["10.0.0.1", "2001:db8::1", "203.0.113.9"]), "198.51.100.7"),
        "places": ("harbour",), "classes": (seed.class_uid,), "severity": chance.randrange(1, 6), "text": chance.choice(["password", "door forced"]),
        "after": seed.order,
    }  # fmt: skip
    names = chance.sample(sorted(choices), chance.randrange(0, 4))
    return EventQuery(**{name: choices[name] for name in names}, order=chance.choice(list(Order)), limit=chance.choice([1, 20, 200]))


def test_windows_give_what_one_question_gives(spread, monkeypatch) -> None:
    log, events = spread
    chance = random.Random(3)
    asked: list[EventQuery] = []
    read = log._read
    monkeypatch.setattr(log, "_read", lambda query, *settings: (asked.append(query), read(query, *settings))[1])
    several = first_enough = 0
    for n in range(150):
        monkeypatch.setattr(eventlog, "FIRST_ROWS", (1, 5, 40)[n % 3])  # few rows, so that windows end everywhere
        query = _random_query(chance, events)
        plain = read(query)
        asked.clear()
        assert log.events(query) == plain
        several += len(asked) > 1
        first_enough += len(asked) == 1 and asked[0] != query
    assert several > 20
    assert first_enough > 20


@pytest.mark.parametrize("order", list(Order))
def test_pages_of_windows_walk_through_everything_once(spread, monkeypatch, order: Order) -> None:
    log, events = spread
    monkeypatch.setattr(eventlog, "FIRST_ROWS", 3)
    query = EventQuery(persons=("person:1",), text="password", order=order, limit=190)
    seen: list[str] = []
    while page := log.events(query):
        seen += [event.uid for event in page]
        query = replace(query, after=page[-1].order)
    wanted = [event for event in events if event.person == "person:1" and "password" in event.message.lower()]
    assert seen == [event.uid for event in sorted(wanted, key=lambda event: event.order, reverse=order is Order.NEWEST)]
    assert len(seen) > 1500


def test_events_newer_than_the_known_density_are_found(spread, store, make) -> None:
    log = ClickHouseEventLog(f"{store.url}/fresh", store.token)
    log.prepare()
    log.insert(make.segment(1, 500))
    assert len(log.events(EventQuery(limit=1))) == 1  # now the density is known
    later = make.segment(2, 5, at=make.noon + timedelta(days=3))
    log.insert(later)
    newest = max((event for event in later.events), key=lambda event: event.order)
    assert log.events(EventQuery(limit=1)) == [newest]
    log.close()


def test_without_a_density_every_question_is_one_window(spread, monkeypatch) -> None:
    log = ClickHouseEventLog(spread[0]._url, spread[0]._token)
    monkeypatch.setattr(eventlog, "DENSITY_SQL", "SELECT no_such_column FROM mergeTreeIndex({database}, 'event')")
    assert len(log.events(EventQuery(persons=("person:0",)))) == 200
    assert log._known_density() == Density()
    log.close()


def test_a_log_of_an_earlier_version_gets_the_index_of_addresses(store, make) -> None:
    log = ClickHouseEventLog(f"{store.url}/earlier", store.token)
    log.prepare()
    log._client(writing=True).command(f"ALTER TABLE {log.events_table} DROP INDEX ix_address")
    log.insert(make.segment(1, 50))
    log.prepare()
    rows = log._client(writing=True).query(
        "SELECT name FROM system.data_skipping_indices WHERE database = 'earlier' AND table = 'event' AND name = 'ix_address'"
    )
    assert rows.row_count == 1
    assert len(log.events(EventQuery(addresses=("10.0.0.1",)))) > 5
    log.close()


def _at(ms: float) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)


def test_a_window_holds_about_as_many_rows_as_wanted() -> None:
    density = Density.of(
        [(2 * HOUR_MS, 2 * HOUR_MS, 3 * HOUR_MS - 1, 1000), (0, 1000, HOUR_MS - 1, 100), (9 * HOUR_MS, 9 * HOUR_MS, 9 * HOUR_MS + 99, 10)]
    )
    newest, oldest = EventQuery(), EventQuery(order=Order.OLDEST)
    halves = density.cut(newest, 510)
    assert halves == (replace(newest, since=_at(2.5 * HOUR_MS)), replace(newest, until=_at(2.5 * HOUR_MS)))
    assert density.cut(newest, 5000) is None
    assert density.cut(replace(newest, since=_at(2.6 * HOUR_MS)), 510) is None
    assert density.cut(replace(newest, until=_at(2.5 * HOUR_MS)), 250) == (
        EventQuery(since=_at(2.25 * HOUR_MS), until=_at(2.5 * HOUR_MS)), EventQuery(until=_at(2.25 * HOUR_MS)),
    )  # fmt: skip
    halves = density.cut(replace(oldest, since=_at(2.25 * HOUR_MS)), 250)
    assert halves is not None
    assert (halves[0].until, halves[1].since) == (_at(2.5 * HOUR_MS), _at(2.5 * HOUR_MS))
    assert density.cut(oldest, 2000) is None
    assert Density().cut(newest, 1) is None
    after = density.cut(replace(newest, after=(_at(2.5 * HOUR_MS), "0" * 32)), 250)
    assert after is not None
    assert (after[0].since, after[0].after, after[1].after) == (_at(2.25 * HOUR_MS), (_at(2.5 * HOUR_MS), "0" * 32), None)
