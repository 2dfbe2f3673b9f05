"""The repository of findings on SQLite and, where one is offered, PostgreSQL."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from tests.detect.story import Story, at, verdict

from watchword.detect.service import Disposition, FindingFilter, Findings, Work, WorkState, finding_json
from watchword.ingest.ledger import Ledger
from watchword.kit.clock import ManualClock
from watchword.kit.errors import Conflict, InputError, NotFound
from watchword.kit.tables import metadata
from watchword.model import Finding, FindingState, Mode
from watchword.model.ocsf import Access
from watchword.stores.catalogue import load
from watchword.stores.records import SqlRecords, open_records


@pytest.fixture(params=["sqlite", "postgresql"])
def records(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SqlRecords]:
    load(["watchword.ingest.tables", "watchword.detect.tables"])
    tables = [metadata.tables[name] for name in ("change", "finding", "finding_entity")]
    url = request.getfixturevalue("postgres_database")() if request.param == "postgresql" else f"sqlite:///{tmp_path / 'records.sqlite3'}"
    opened = open_records(url)
    with opened.begin() as connection:
        metadata.create_all(connection, tables=tables)
    yield opened
    opened.close()


@pytest.fixture
def findings(records: SqlRecords) -> Findings:
    return Findings(records, ManualClock(at("12:00")))


def some() -> list[Finding]:
    story = Story()
    story.door(at("2:00"), "server", Access.TAKEN)
    story.door(at("3:00"), "office", Access.GRANTED, 4)
    for minute in range(5):
        story.door(at(f"4:0{minute}"), "closet", Access.DENIED, 3)
    return [*verdict("ww_031", story), *verdict("ww_007", story), *verdict("ww_020", story)]


def test_kept_as_it_was_and_newest_first(findings: Findings):
    unlock, leaver, probing = some()
    assert findings.put([unlock, leaver, probing]) == 3
    assert [kept.finding for kept in findings.list()] == [probing, leaver, unlock]
    assert findings.get(leaver.uid).finding == leaver
    assert findings.get(leaver.uid).work == Work()
    with pytest.raises(NotFound):
        findings.get("0" * 32)


def test_the_same_again_writes_nothing_and_tells_no_news(findings: Findings, records: SqlRecords):
    findings.put(some())
    news = Ledger(records)
    assert [change.kind for change in news.changes(0)] == ["finding"] * 3
    assert findings.put(some()) == 0
    assert len(news.changes(0)) == 3


def test_a_change_keeps_peoples_work(findings: Findings):
    unlock, *_ = some()
    findings.put([replace(unlock, state=FindingState.PROVISIONAL)])
    findings.record_work(unlock.uid, state=WorkState.ACKNOWLEDGED, by="olga", note="looking")
    assert findings.put([unlock]) == 1
    kept = findings.get(unlock.uid)
    assert kept.finding.state is FindingState.FINAL
    assert (kept.work.state, kept.work.by, kept.work.note) == (WorkState.ACKNOWLEDGED, "olga", "looking")


def test_withdrawn_is_hidden_but_never_erased(findings: Findings):
    unlock, leaver, _ = some()
    findings.put([unlock, leaver])
    findings.put([replace(unlock, state=FindingState.WITHDRAWN, refuted_by="a" * 32)])
    assert [kept.finding.uid for kept in findings.list()] == [leaver.uid]
    assert findings.get(unlock.uid).finding.refuted_by == "a" * 32
    gone = findings.list(FindingFilter(states=(FindingState.WITHDRAWN,)))
    assert [kept.finding.uid for kept in gone] == [unlock.uid]
    assert findings.since(at("0:00")) == [leaver]
    findings.put([replace(leaver, uid="b" * 32, state=FindingState.WITHDRAWN)])
    with pytest.raises(NotFound):
        findings.get("b" * 32)


def test_filters(findings: Findings):
    unlock, leaver, probing = some()
    findings.put([unlock, leaver, probing])

    def uids(**wanted: object) -> list[str]:
        return [kept.finding.uid for kept in findings.list(FindingFilter(**wanted))]  # type: ignore[arg-type]

    assert uids(rules=("ww_007",)) == [leaver.uid]
    assert uids(severity=4) == [leaver.uid, unlock.uid]
    assert uids(mode=Mode.RISK) == [probing.uid]
    assert uids(person="person:4") == [leaver.uid]
    assert uids(credential="badge:3") == [probing.uid]
    assert uids(place="hq") == [probing.uid, leaver.uid, unlock.uid]
    assert uids(place="hq/doors/office") == [leaver.uid]
    assert uids(place="h") == []
    assert uids(since=at("3:00"), until=at("4:00")) == [leaver.uid]
    assert uids(text="MARSH office") == [leaver.uid]
    assert uids(text="100%") == []
    assert uids(event=probing.events[2]) == [probing.uid]
    assert [kept.finding.uid for kept in findings.list(person="person:3")] == [probing.uid]
    assert findings.of_events([leaver.events[0], "f" * 32]) == {leaver.events[0]: [leaver.uid]}
    assert findings.counts()["ww_007", 4, "page"] == 1


def test_pages_by_cursor(findings: Findings):
    base = some()[0]
    many = [replace(base, uid=f"{number:032x}", time=base.time + timedelta(seconds=number // 2)) for number in range(11)]
    findings.put(many)
    seen: list[str] = []
    after = None
    while page := findings.list(limit=3, after=after):
        seen += [kept.finding.uid for kept in page]
        after = (page[-1].finding.time, page[-1].finding.uid)
    assert seen == [finding.uid for finding in reversed(many)]


def test_work_needs_a_disposition_to_close_and_refuses_what_was_not_seen(findings: Findings):
    unlock, *_ = some()
    findings.put([unlock])
    with pytest.raises(InputError):
        findings.record_work(unlock.uid, state=WorkState.CLOSED, by="olga")
    with pytest.raises(InputError):
        findings.record_work(unlock.uid, state=WorkState.OPEN, by="olga", disposition=Disposition.TRUE)
    seen = findings.get(unlock.uid).work
    closed = findings.record_work(unlock.uid, state=WorkState.CLOSED, by="olga", disposition=Disposition.BENIGN, note="drill", seen=seen)
    assert closed.work.disposition is Disposition.BENIGN
    assert closed.work.at == at("12:00")
    with pytest.raises(Conflict):
        findings.record_work(unlock.uid, state=WorkState.ACKNOWLEDGED, by="ben", seen=seen)
    with pytest.raises(NotFound):
        findings.record_work("0" * 32, state=WorkState.ACKNOWLEDGED, by="ben")


def test_json_has_exactly_the_keys_of_the_export():
    keys = (
        "uid rule title severity confidence time first_time last_time because persons assets places credentials addresses events state mode"
    )
    written = finding_json(some()[1])
    assert list(written) == keys.split()
    assert written["time"] == "2026-11-03T03:00:00.000Z"


def test_hostile_text_is_kept(findings: Findings):
    unlock, *_ = some()
    evil = "'; DROP TABLE finding; -- <script>\0"
    findings.put([replace(unlock, because=evil, addresses=(evil * 20,))])
    assert findings.list(FindingFilter(text="DROP"))[0].finding.because.startswith("'; DROP TABLE")
