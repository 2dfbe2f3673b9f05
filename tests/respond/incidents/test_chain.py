"""The timeline's chain: whatever is changed, removed, moved or put in shows."""

import itertools
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, insert, select, update
from tests.respond.incidents.conftest import NOON

from watchword.app.audit import Audit
from watchword.kit.clock import ManualClock
from watchword.respond import incident_tables as tables
from watchword.respond.casebook_service import Casebook
from watchword.respond.timeline_service import Timeline, _problems
from watchword.stores.records import open_records

TABLE = tables.incident_entry
ONE, TWO = "a" * 32, "b" * 32
ENTRIES = 8


class UndoneError(Exception):
    """Takes a tampering back."""


@pytest.fixture(scope="module")
def casebook(tmp_path_factory: pytest.TempPathFactory):
    records = open_records(f"sqlite:///{tmp_path_factory.mktemp('chain')}/records.sqlite3")
    records.migrate()
    clock, numbers = ManualClock(NOON), itertools.count(1)
    book = Casebook(records, clock, Audit(records, clock), lambda: f"{next(numbers):032x}")
    with book.begin() as connection:
        for uid in (ONE, TWO):
            values = {"title": "t", "because": "b", "severity": 2, "teams": "it", "opened_by": "ana", "last_time": NOON}
            book.insert(connection, {"uid": uid, **values})
            for number in range(ENTRIES):
                clock.advance(timedelta(seconds=1))
                book.append(connection, uid, "note", f"Entry {number}", recorded_by="ana", team="it", refs={"n": str(number)})
    yield book
    records.close()


CHANGES = st.sampled_from(
    [
        ("text", "Something else"),
        ("kind", "said"),
        ("occurred_at", NOON - timedelta(days=1)),
        ("entered_at", NOON - timedelta(days=1)),
        ("recorded_by", "eve"),
        ("team", "physical"),
        ("refs", "{}"),
        ("corrects", 1),
        ("head", "0" * 64),
    ]
)
SEQS = st.integers(1, ENTRIES)
DEEDS = st.one_of(
    st.tuples(st.just("change"), SEQS, CHANGES),
    st.tuples(st.just("remove"), SEQS, st.none()),
    st.tuples(st.just("cut"), SEQS, st.none()),
    st.tuples(st.just("insert"), SEQS, st.none()),
    st.tuples(st.just("transplant"), SEQS, st.none()),
    st.tuples(st.just("swap"), st.integers(1, ENTRIES - 1), st.none()),
)


def tamper(connection, deed: str, seq: int, change) -> None:
    mine = TABLE.c.incident == ONE
    if deed == "change":
        connection.execute(update(TABLE).where(mine, TABLE.c.seq == seq).values({change[0]: change[1]}))
    elif deed == "remove":
        connection.execute(delete(TABLE).where(mine, TABLE.c.seq == seq))
    elif deed == "cut":
        connection.execute(delete(TABLE).where(mine, TABLE.c.seq >= seq))
    elif deed == "insert":
        row = connection.execute(select(TABLE).where(mine, TABLE.c.seq == seq)).one()._asdict()
        connection.execute(insert(TABLE).values(**{**row, "seq": ENTRIES + seq}))
    elif deed == "transplant":
        row = connection.execute(select(TABLE).where(TABLE.c.incident == TWO, TABLE.c.seq == seq)).one()._asdict()
        connection.execute(update(TABLE).where(mine, TABLE.c.seq == seq).values(**{**row, "incident": ONE}))
    else:
        connection.execute(update(TABLE).where(mine, TABLE.c.seq == seq).values(seq=999))
        connection.execute(update(TABLE).where(mine, TABLE.c.seq == seq + 1).values(seq=seq))
        connection.execute(update(TABLE).where(mine, TABLE.c.seq == 999).values(seq=seq + 1))


@settings(max_examples=120, deadline=None)
@given(st.lists(DEEDS, min_size=1, max_size=3))
def test_whatever_is_done_to_the_rows_shows(casebook, deeds) -> None:
    assert Timeline(casebook).verify(ONE) == []
    with pytest.raises(UndoneError), casebook.records.begin() as connection:  # noqa: PT012 - a transaction that is taken back
        before = connection.execute(select(TABLE).where(TABLE.c.incident == ONE).order_by(TABLE.c.seq)).all()
        for deed, seq, change in deeds:
            try:
                with connection.begin_nested():
                    tamper(connection, deed, seq, change)
            except Exception:  # noqa: BLE001, S112 - a deed that no longer fits what the one before left
                continue
        after = connection.execute(select(TABLE).where(TABLE.c.incident == ONE).order_by(TABLE.c.seq)).all()
        kept = casebook.find(connection, ONE)
        found = list(_problems(connection, ONE, kept.entries, kept.head))
        assert bool(found) == (after != before), deeds
        raise UndoneError
