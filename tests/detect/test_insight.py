"""Insight over a log and kept findings says the same as the pure outlook over everything in memory."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from tests.detect.story import SITE, Story, at, directory, verdict

from watchword.detect.insight import Insight, insight_of
from watchword.detect.pivot import Kind, related
from watchword.detect.service import Disposition, Findings, WorkState
from watchword.ingest.ports import Segment
from watchword.kit.clock import ManualClock
from watchword.kit.errors import NotFound
from watchword.model import Count, CountQuery, Event, EventQuery, Finding, Grouping, Order, RawRecord, Reader
from watchword.resolve.directory import Directory
from watchword.stores.records import open_records

TABLES = ("watchword.detect.tables", "watchword.ingest.tables")


class Log:
    """An event log in memory that answers what insight asks."""

    def __init__(self, events: Sequence[Event]) -> None:
        self.kept = sorted(events, key=lambda event: event.order)

    def events(self, query: EventQuery) -> list[Event]:
        found = [event for event in self.kept if _fits(event, query)]
        if query.order is Order.NEWEST:
            found.reverse()
        elif query.after is not None:
            found = [event for event in found if event.order > query.after]
        return found[: query.limit]

    def counts(self, query: CountQuery) -> list[Count]:
        assert query.by in {None, Grouping.SRC_IP, Grouping.DST_IP}
        matching = [event for event in self.kept if _fits(event, query.events)]
        counted = Counter(getattr(event, query.by.value) if query.by else "" for event in matching)
        return [Count(key, None, number, matching[0].time, matching[-1].time) for key, number in counted.items()]

    def newest(self) -> datetime | None:
        return self.kept[-1].time if self.kept else None

    def insert(self, segment: Segment) -> None:
        raise NotImplementedError

    def holds(self, segment: int) -> tuple[int, int]:
        raise NotImplementedError

    def records(self, uids: Sequence[str]) -> list[RawRecord]:
        raise NotImplementedError


def _fits(event: Event, query: EventQuery) -> bool:
    return (
        (query.since is None or query.since <= event.time)
        and (query.until is None or event.time < query.until)
        and (not query.uids or event.uid in query.uids)
        and (not query.classes or event.class_uid in query.classes)
        and (not query.addresses or event.src_ip in query.addresses or event.dst_ip in query.addresses)
        and (not query.credentials or event.credential in query.credentials)
        and (not query.places or event.site in query.places)
        and (not query.assets or event.asset in query.assets)
    )


def closed_book() -> Directory:
    """The small site with an exit reader at the closet."""
    book = directory()
    closet = book.door(f"{SITE}/doors/closet")
    assert closet is not None
    read = replace(closet, readers=(*closet.readers, Reader("closet-out", closet.uid, "out")))
    return Directory(replace(book.site, doors={**book.site.doors, read.uid: read}), book.people, book.assets)


@pytest.fixture
def story() -> Story:
    """Two people's machines send abroad while they are in the closet in turn; a third stays in the office."""
    told = Story(closed_book())
    told.enter(at("6:00", day=-1), "front", 3)
    for number in (1, 2, 6):
        told.enter(at("7:00"), "office", number)
    for hour, number in ((8, 1), (9, 2), (10, 1), (11, 2)):
        told.enter(at(f"{hour}:00"), "closet", number)
        told.flow(at(f"{hour}:10"), f"ws-{number}", bytes_out=9_000_000)
        told.leave(at(f"{hour}:40"), "closet", number)
    told.flow(at("11:45"), "ws-1", bytes_out=4_000)
    told.enter(at("20:00"), "front", 3)
    return told


@pytest.fixture
def findings(tmp_path: Path) -> Iterator[Findings]:
    records = open_records(f"sqlite:///{tmp_path / 'r.sqlite3'}")
    records.migrate(TABLES)
    yield Findings(records, ManualClock(at("12:00")))
    records.close()


def service(story: Story, kept: Findings) -> tuple[Insight, list[Finding]]:
    found = verdict("ww_018", story)
    kept.put(found)
    return Insight(Log(story.events), kept, lambda: story.directory, ManualClock(at("12:00"))), found


def test_ranking_is_that_of_the_pure_outlook(story: Story, findings: Findings) -> None:
    insight, found = service(story, findings)
    assert len(found) == 4
    until = at("20:00") + timedelta(milliseconds=1)
    expected = insight_of(found, story.events, story.directory, at=until).rank()
    assert insight.rank() == expected
    persons = insight.rank(kinds=[Kind.PERSON])
    assert persons[0].entity == "person:6"
    assert persons[0].alibi is not None
    assert (persons[0].alibi.excluded, len(persons[0].alibi.proofs)) == (0, 5), "the small flow to the same address is a moment too"
    assert insight.rank(since=at("20:00")) == []


def test_what_people_found_false_does_not_count(story: Story, findings: Findings) -> None:
    insight, found = service(story, findings)
    for finding in found:
        findings.record_work(finding.uid, state=WorkState.CLOSED, by="ana", disposition=Disposition.FALSE)
    assert insight.rank() == []


def test_related_is_that_of_the_pure_pivot(story: Story, findings: Findings) -> None:
    insight, found = service(story, findings)
    own = insight_of(found, story.events, story.directory).own
    assert insight.related(found[0].uid) == related(found[0], story.events, own, findings.since(at("0:00")))
    shared = insight.related(found[0].uid, limit=2)[0]
    assert (shared.value, shared.total, len(shared.events), len(shared.findings)) == ("203.0.113.9", 4, 2, 3)
    with pytest.raises(NotFound):
        insight.related("nothing")
