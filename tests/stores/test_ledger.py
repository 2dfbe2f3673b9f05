# ruff: noqa: PT012 - a transaction that fails is a block
"""The ledger of ingest on both engines: sources, counts, mappings, unparsed records, news."""

import threading
from datetime import UTC, datetime, timedelta

import pytest

from watchword.ingest.ledger import Ledger
from watchword.kit.errors import NotFound
from watchword.model import Domain, Source, SourceKind, SourceStatus, Unparsed
from watchword.stores.records import SqlRecords

AT = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture
def ledger(records: SqlRecords) -> Ledger:
    return Ledger(records)


def test_sources_come_back_as_they_were_put_and_are_replaced_by_name(ledger: Ledger) -> None:
    doors = Source(
        "doors", Domain.PHYSICAL, SourceKind.ACCESS_CONTROL, "webhook", "m", "harbour", timedelta(hours=24), rhythm=timedelta(minutes=30)
    )
    ledger.put_source(doors)
    ledger.put_source(Source("a", Domain.IT, SourceKind.HOST, "csv"))
    assert ledger.sources() == [Source("a", Domain.IT, SourceKind.HOST, "csv"), doors]
    ledger.put_source(Source("doors", Domain.IT, SourceKind.OTHER, "csv"))
    assert ledger.source("doors") == Source("doors", Domain.IT, SourceKind.OTHER, "csv")
    ledger.remove_source("doors")
    with pytest.raises(NotFound, match="'doors'"):
        ledger.source("doors")


def test_counts_add_up_and_newest_times_only_move_forward(ledger: Ledger) -> None:
    ledger.add_tally([SourceStatus("a", accepted=2, parsed=1, unparsed=1, events=3, last_received=AT, last_time=AT)])
    ledger.add_tally([SourceStatus("a", accepted=1, last_received=AT - timedelta(days=1)), SourceStatus("b", duplicate=5)])
    ledger.add_tally([SourceStatus("b", last_time=AT)])
    assert ledger.statuses() == [
        SourceStatus("a", accepted=3, parsed=1, unparsed=1, events=3, last_received=AT, last_time=AT),
        SourceStatus("b", duplicate=5, last_time=AT),
    ]
    assert ledger.status("c") == SourceStatus("c")


def test_two_processes_count_the_same_source_at_once(ledger: Ledger) -> None:
    threads = [threading.Thread(target=lambda: [ledger.add_tally([SourceStatus("a", accepted=1)]) for _ in range(20)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ledger.status("a").accepted == 80


def test_a_mapping_gets_a_new_version_only_when_its_text_changes(ledger: Ledger) -> None:
    assert [ledger.put_mapping("m", text, AT) for text in ("one", "one", "two", "one")] == [1, 1, 2, 3]
    assert ledger.mapping("m").text == "one"
    assert ledger.mapping("m", 2).text == "two"
    assert [(kept.name, kept.version) for kept in ledger.mappings()] == [("m", 3)]
    with pytest.raises(NotFound):
        ledger.mapping("m", 9)


def test_unparsed_records_are_listed_newest_first_by_cursor_and_leave_the_list_when_mended(ledger: Ledger, records: SqlRecords) -> None:
    items = [Unparsed(f"{n:032x}", "a" if n % 2 else "b", AT + timedelta(seconds=n // 2), "no \0 time", "s\udcff") for n in range(10)]
    with records.begin() as connection:
        ledger.keep_unparsed(connection, items)
        ledger.keep_unparsed(connection, items[:1])
    ledger.add_tally([SourceStatus("a", unparsed=5), SourceStatus("b", unparsed=5)])
    seen: list[str] = []
    after = None
    while page := ledger.unparsed(after=after, limit=3):
        seen += [item.record for item in page]
        after = page[-1].received, page[-1].record
    assert seen == [item.record for item in reversed(items)]
    assert ledger.unparsed()[0].fault == "no \\x00 time"
    with records.begin() as connection:
        assert ledger.remove_unparsed(connection, [items[0].record, items[1].record, "f" * 32]) == 2
    assert {item.record for item in ledger.unparsed("a")} == {item.record for item in items[3::2]}
    assert (ledger.status("a").unparsed, ledger.status("b").unparsed) == (4, 4)


def test_news_is_followed_from_a_position_and_vanishes_with_its_transaction(ledger: Ledger, records: SqlRecords) -> None:
    assert ledger.last_position() == 0
    with records.begin() as connection:
        ledger.append_change(connection, "finding", "f1", {"rule": "ww_001", "who": "Zoë"}, AT)
    with pytest.raises(RuntimeError), records.begin() as connection:
        ledger.append_change(connection, "finding", "f2", {}, AT)
        raise RuntimeError
    with records.begin() as connection:
        ledger.append_change(connection, "segment", "7", {}, AT + timedelta(days=1))
    news = ledger.changes(0)
    assert [(change.kind, change.uid, dict(change.summary)) for change in news] == [
        ("finding", "f1", {"rule": "ww_001", "who": "Zoë"}),
        ("segment", "7", {}),
    ]
    assert ledger.changes(news[0].position) == news[1:]
    assert ledger.last_position() == news[-1].position
    assert ledger.forget_changes(AT + timedelta(hours=1)) == 1
    assert ledger.changes(0) == news[1:]


def test_positions_follow_the_order_of_commits(ledger: Ledger, records: SqlRecords) -> None:
    seen: list[int] = []
    stop = threading.Event()

    def follow() -> None:
        position = 0
        while not stop.is_set() or ledger.last_position() > position:
            for change in ledger.changes(position):
                seen.append(change.position)
                position = change.position

    def write() -> None:
        for n in range(15):
            with records.begin() as connection:
                ledger.append_change(connection, "test", str(n), {}, AT)

    follower, writers = threading.Thread(target=follow), [threading.Thread(target=write) for _ in range(4)]
    follower.start()
    for thread in writers:
        thread.start()
    for thread in writers:
        thread.join()
    stop.set()
    follower.join()
    assert len(seen) == 60
    assert seen == sorted(seen)
