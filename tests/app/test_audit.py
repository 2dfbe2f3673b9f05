"""The audit log: appends, lists, and shows every change, gap and rewriting."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from watchword.app.audit import Audit
from watchword.kit.clock import ManualClock
from watchword.kit.errors import Corrupt

START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


@pytest.fixture
def clock():
    return ManualClock(START)


@pytest.fixture
def audit(records, clock):
    return Audit(records, clock)


def change(records, statement, **values):
    with records.begin() as connection:
        connection.execute(text(statement), values)


def test_entries_are_listed_newest_first_with_a_cursor(audit, clock):
    for number in range(5):
        audit.write("ada", "finding.acknowledge", f"f{number}", detail={"n": number})
        clock.advance(timedelta(seconds=1))
    page = audit.entries(limit=2)
    assert [entry.seq for entry in page] == [5, 4]
    assert page[0].time == START + timedelta(seconds=4)
    assert page[0].detail == {"n": 4}
    assert [entry.seq for entry in audit.entries(limit=9, before=page[-1].seq)] == [3, 2, 1]
    assert audit.verify() == []


def test_entries_are_found_by_actor_action_target_and_time(audit, clock):
    audit.write("ada", "trail.read", "person:1", "door left open")
    clock.advance(timedelta(hours=1))
    audit.write("bob", "finding.acknowledge", "f1")
    assert [e.actor for e in audit.entries(actor="ada")] == ["ada"]
    assert [e.action for e in audit.entries(action="trail")] == ["trail.read"]
    assert [e.target for e in audit.entries(target="f1")] == ["f1"]
    assert [e.seq for e in audit.entries(since=START + timedelta(minutes=1))] == [2]
    assert [e.seq for e in audit.entries(until=START + timedelta(minutes=1))] == [1]
    assert audit.entries(action="%") == []


def test_deed_and_entry_are_kept_or_lost_together(audit, records):
    def fail_midway():
        with records.begin() as connection:
            audit.write("ada", "account.create", "eve", connection=connection)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_midway()
    assert audit.entries() == []
    audit.write("ada", "account.create", "eve")
    assert audit.entries()[0].seq == 1
    assert audit.verify() == []


@pytest.mark.parametrize("column", ["actor", "action", "target", "reason", "detail"])
def test_a_changed_entry_shows(audit, records, column):
    for number in range(4):
        audit.write("ada", "trail.read", f"person:{number}", "why")
    change(records, f"UPDATE audit SET {column} = 'other' WHERE seq = 2")  # noqa: S608 - our own column names
    assert any("entry 2 was changed" in problem for problem in audit.verify())
    with pytest.raises(Corrupt, match="entry 2"):
        audit.require_intact()


def test_a_changed_time_shows(audit, records):
    audit.write("ada", "trail.read", "person:1")
    change(records, "UPDATE audit SET time = time + 1")
    assert audit.verify() == ["entry 1 was changed, or one before it was replaced"]


def test_a_missing_entry_shows(audit, records):
    for number in range(4):
        audit.write("ada", "trail.read", f"person:{number}")
    change(records, "DELETE FROM audit WHERE seq = 3")
    assert audit.verify()[0] == "entries 3 to 3 are missing"


def test_missing_newest_entries_show(audit, records):
    for number in range(4):
        audit.write("ada", "trail.read", f"person:{number}")
    change(records, "DELETE FROM audit WHERE seq >= 3")
    assert audit.verify() == ["the newest entries are missing: the log should reach entry 4"]


def test_a_log_rewritten_as_a_whole_does_not_contain_its_anchor(audit, records):
    audit.write("ada", "trail.read", "person:1")
    anchor = audit.head()
    change(records, "DELETE FROM audit")
    change(records, "DELETE FROM audit_head")
    audit.write("ada", "trail.read", "person:2")
    assert audit.verify() == []
    assert audit.verify(anchor=anchor) == ["the log does not contain entry 1 as it was anchored"]


def test_the_anchor_of_an_intact_log_is_found_later(audit):
    audit.write("ada", "trail.read", "person:1")
    anchor = audit.head()
    audit.write("ada", "trail.read", "person:2")
    assert audit.verify(anchor=anchor) == []


def test_a_check_is_kept_for_the_audit_page(audit, records, clock):
    assert audit.last_check() is None
    audit.write("ada", "trail.read", "person:1")
    assert audit.check().intact
    clock.advance(timedelta(minutes=1))
    change(records, "UPDATE audit SET actor = 'eve'")
    assert not audit.check().intact
    assert audit.last_check().problems == ("entry 1 was changed, or one before it was replaced",)


def test_text_from_outside_is_kept_as_it_can_be(audit):
    entry = audit.write("a\x00b\ud800", "session.refuse", "<script>'; DROP TABLE audit; --", detail={"x": "\x00"})
    assert entry.actor == "a\ufffdb?"
    assert audit.entries()[0].target == "<script>'; DROP TABLE audit; --"
    assert audit.verify() == []


def test_two_writers_never_build_on_the_same_entry(audit):
    threads = [threading.Thread(target=lambda: [audit.write("ada", "trail.read", "p") for _ in range(20)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(audit.entries(limit=200)) == 80
    assert audit.verify() == []
