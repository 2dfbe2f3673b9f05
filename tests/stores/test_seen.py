"""The uids ever kept: exactly what a plain set would say, over commits, foldings, several spools of one file, and purges."""

import contextlib
import sqlite3
import time
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from watchword.kit.ids import uid_of
from watchword.model import RawRecord
from watchword.stores import seen
from watchword.stores.spool import SqliteSpool

DEEDS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["append"]), st.integers(0, 1), st.lists(st.integers(0, 40), min_size=1, max_size=12)),
        st.tuples(st.sampled_from(["fold", "reopen"]), st.integers(0, 1), st.just([])),
    ),
    max_size=12,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(deeds=DEEDS)
def test_what_is_new_is_what_a_set_would_call_new(deeds, tmp_path_factory, make) -> None:
    path = tmp_path_factory.mktemp("seen") / "spool"
    spools = [SqliteSpool(path), SqliteSpool(path)]
    known: set[int] = set()
    for what, which, numbers in deeds:
        if what == "append":
            records = [RawRecord(uid_of("seen", str(number)), "s", make.noon, b"x") for number in numbers]
            receipt = spools[which].append(records, once=True)
            new = set(numbers) - known
            assert (receipt.accepted, receipt.duplicate) == (len(new), len(numbers) - len(new))
            known |= new
        elif what == "fold":
            spools[which].fold_seen(1)
        else:
            spools[which].close()
            spools[which] = SqliteSpool(path)
    assert spools[0].depth().records == len(known)
    for spool in spools:
        spool.close()


def test_folding_waits_until_it_is_worth_the_while_and_leaves_nothing_appended(tmp_path: Path, make) -> None:
    spool = SqliteSpool(tmp_path / "spool")
    records = make.records(30)
    for record in records:
        spool.append([record], once=True)
    assert spool.fold_seen() == 0
    assert spool.fold_seen(1) == 30
    assert spool.fold_seen(1) == 0
    assert spool.append(records, once=True).duplicate == 30
    spool.close()


def test_a_sender_without_a_worker_has_its_uids_folded_all_the_same(tmp_path: Path, make, monkeypatch) -> None:
    monkeypatch.setattr("watchword.stores.spool.FOLD_MUST", 20)
    monkeypatch.setattr(seen, "_SLICE", 7)
    spool = SqliteSpool(tmp_path / "spool")
    records = make.records(60)
    for start in range(0, 60, 5):
        spool.append(records[start : start + 5], once=True)
    until = time.monotonic() + 20
    with contextlib.closing(sqlite3.connect(tmp_path / "spool")) as other:
        while other.execute("SELECT count(*) FROM seen").fetchone()[0] < 20:
            assert time.monotonic() < until
            time.sleep(0.02)
    assert spool.append(records, once=True).duplicate == 60
    spool.close()
