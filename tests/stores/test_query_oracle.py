# ruff: noqa: S608, C901 - the oracle writes its SQL by hand, in one function
"""Every shape of question, answered by the event log and by DuckDB on the same columns: the answers are equal."""

import random
from dataclasses import replace
from datetime import timedelta

import duckdb
import pyarrow as pa
import pytest

from watchword.model import Count, CountQuery, Event, EventQuery, Grouping, Order
from watchword.stores.columns import event_batch
from watchword.stores.eventlog import ClickHouseEventLog


@pytest.fixture(scope="module")
def filled(store):
    """An event log with four segments on two arrival dates, and their events."""
    from importlib.util import module_from_spec, spec_from_file_location
    from pathlib import Path

    spec = spec_from_file_location("stores_conftest", Path(__file__).with_name("conftest.py"))
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    make = module.Make(5)
    log = ClickHouseEventLog(f"{store.url}/oracle", store.token)
    log.prepare()
    segments = [make.segment(n, 400, at=make.noon + timedelta(days=n // 2, seconds=n)) for n in range(1, 5)]
    for segment in segments:
        log.insert(segment)
    events = [(segment.uid, event) for segment in segments for event in segment.events]
    yield log, events
    log.close()


@pytest.fixture(scope="module")
def oracle(filled):
    connection = duckdb.connect()
    table = pa.concat_tables([pa.table(event_batch(uid, [event])) for uid, event in filled[1]])
    connection.register("arrow_event", table)
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute(
        "CREATE TABLE event AS SELECT epoch_ms(time) AS time, epoch_ms(received) AS received, lower(hex(uid)) AS uid, lower(hex(record)) AS record, "
        "* EXCLUDE (time, received, uid, record) FROM arrow_event"
    )
    yield connection
    connection.close()


def _ms(at) -> int:
    return int(at.timestamp() * 1000 + 0.5)


def _where(q: EventQuery) -> tuple[str, list]:
    parts, values = ["TRUE"], []

    def add(text: str, *given) -> None:
        parts.append(text)
        values.extend(given)

    for column, since, until in (("time", q.since, q.until), ("received", q.received_since, q.received_until)):
        if since is not None:
            add(f"{column} >= ?", _ms(since))
        if until is not None:
            add(f"{column} < ?", _ms(until))
    named = {
        "uid": q.uids, "record": q.records, "person": q.persons, "asset": q.assets, "credential": q.credentials, "source": q.sources,
        "class_uid": q.classes, "activity_id": q.activities,
    }  # fmt: skip
    for column, wanted in named.items():
        if wanted:
            add(f"list_contains(?, {column})", list(wanted))
    if q.places:
        add(
            "(" + " OR ".join("place = ? OR place[1:length(?)] = ?" for _ in q.places) + ")",
            *(v for p in q.places for v in (p, p + "/", p + "/")),
        )
    if q.addresses:
        add("(list_contains(?, src_ip) OR list_contains(?, dst_ip))", list(q.addresses), list(q.addresses))
    if q.severity:
        add("severity_id >= ?", q.severity)
    for word in q.text.lower().split():
        add("list_contains(regexp_split_to_array(lower(message), '[^a-z0-9\\x{80}-\\x{10ffff}]+'), ?)", word)
    if q.segment is not None:
        add("segment = ?", q.segment)
    if q.after is not None:
        sign = "<" if q.order is Order.NEWEST else ">"
        add(f"(time, uid) {sign} (?, ?)", _ms(q.after[0]), q.after[1])
    return " AND ".join(parts), values


SHAPES: dict[str, dict] = {
    "all": {}, "person": {"persons": ("person:3",)}, "persons": {"persons": ("person:1", "person:2", "person:unknown")},
    "nobody": {"persons": ("",)}, "asset": {"assets": ("asset:ws-1",)}, "credential": {"credentials": ("badge:" + "ab" * 16,)},
    "address on either side": {"addresses": ("10.0.0.1",)}, "addresses": {"addresses": ("2001:db8::1", "198.51.100.7")},
    "site": {"places": ("harbour",)}, "building": {"places": ("harbour/main/1",)}, "door": {"places": ("harbour/doors/front",)},
    "places": {"places": ("mill", "harbour/doors")}, "like pattern": {"places": ("harbour/%",)}, "source": {"sources": ("doors",)},
    "no source": {"sources": ("none",)}, "class": {"classes": (3002,)}, "class and activity": {"classes": (3002, 4001), "activities": (1, 2, 3)},
    "severity": {"severity": 4}, "word": {"text": "failed"}, "words in another case": {"text": "ROOT Password"}, "unicode word": {"text": "ÜNÏCODE"},
    "no such word": {"text": "fail"}, "segment": {"segment": 3}, "no segment": {"segment": 99},
    "injection": {"persons": ("' OR 1=1 --", "{p0:String}", "\\"), "text": "\\' OR 1=1"},
}  # fmt: skip


@pytest.mark.parametrize("order", list(Order))
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_events_of_each_field(filled, oracle, shape: dict, order: Order) -> None:
    _compare(filled, oracle, EventQuery(**shape, order=order, limit=5000))


def _compare(filled, oracle, query: EventQuery) -> list[Event]:
    log, events = filled
    where, values = _where(query)
    way = "DESC" if query.order is Order.NEWEST else "ASC"
    wanted = oracle.execute(f"SELECT uid FROM event WHERE {where} ORDER BY time {way}, uid {way} LIMIT {query.limit}", values).fetchall()
    got = log.events(query)
    assert [event.uid for event in got] == [uid for (uid,) in wanted]
    by_uid = {event.uid: event for _, event in events}
    assert got == [by_uid[event.uid] for event in got]
    return got


def _random_query(chance: random.Random, events: list[tuple[int, Event]]) -> EventQuery:
    seed = chance.choice(events)[1]
    span = timedelta(milliseconds=chance.randrange(1, 200_000_000))
    choices = {
        "since": seed.time - span, "until": seed.time + span, "received_since": seed.received, "received_until": seed.received + span,
        "uids": (seed.uid, chance.choice(events)[1].uid), "records": (seed.record,), "persons": (seed.person, "person:1"),
        "assets": (seed.asset,), "places": (seed.place.rpartition("/")[0] or "mill",), "credentials": (seed.credential,),
        "addresses": (seed.src_ip or "10.0.0.1",), "sources": (seed.source,), "classes": (seed.class_uid,), "activities": (seed.activity_id, 1),
        "severity": chance.randrange(1, 6), "text": chance.choice(["password", "door forced", "7", "done"]), "segment": chance.randrange(1, 5),
    }  # fmt: skip
    names = chance.sample(sorted(choices), chance.randrange(1, 4))
    query = EventQuery(**{name: choices[name] for name in names}, order=chance.choice(list(Order)), limit=chance.choice([1, 7, 500]))
    return replace(query, after=(seed.time, seed.uid)) if chance.random() < 0.4 else query


def test_events_of_fields_together(filled, oracle) -> None:
    chance = random.Random(7)
    found = sum(len(_compare(filled, oracle, _random_query(chance, filled[1]))) for _ in range(120))
    assert found > 1000


@pytest.mark.parametrize("order", list(Order))
def test_cursors_walk_through_everything_once_also_within_a_millisecond(filled, oracle, order: Order) -> None:
    log, events = filled
    query = EventQuery(classes=(3002, 4001), order=order, limit=97)
    seen: list[str] = []
    while page := log.events(query):
        seen += [event.uid for event in page]
        query = replace(query, after=page[-1].order)
    wanted = sorted((event for _, event in events if event.class_uid in {3002, 4001}), key=lambda e: e.order, reverse=order is Order.NEWEST)
    assert seen == [event.uid for event in wanted]


@pytest.mark.parametrize("by", [None, *Grouping])
@pytest.mark.parametrize("bucket", [None, timedelta(minutes=5), timedelta(hours=1), timedelta(days=1)])
def test_counts(filled, oracle, by: Grouping | None, bucket: timedelta | None) -> None:
    log, _ = filled
    query = CountQuery(EventQuery(severity=2, places=("harbour",)), by=by, bucket=bucket, limit=50_000)
    where, values = _where(query.events)
    key = f"CAST({by.value} AS VARCHAR)" if by else "''"
    width = bucket // timedelta(milliseconds=1) if bucket else 0
    at = f"(time // {width}) * {width}" if bucket else "NULL"
    inner = f"SELECT {key} AS key, {at} AS bin, count(*) AS n, min(time) AS f, max(time) AS l FROM event WHERE {where} GROUP BY ALL HAVING n > 0"
    order = "sum(n) OVER (PARTITION BY key) DESC, key, bin" if by and bucket else "n DESC, key" if by else "bin"
    wanted = oracle.execute(f"SELECT * FROM ({inner}) ORDER BY {order}", values).fetchall()
    got = [(c.key, None if c.at is None else _ms(c.at), c.events, _ms(c.first_time), _ms(c.last_time)) for c in log.counts(query)]
    assert got == wanted
    assert sum(row[2] for row in got) > 500
    assert log.counts(replace(query, limit=1))[0] == Count(**{f: getattr(log.counts(query)[0], f) for f in Count.__slots__})
