"""The front door: uids, repetition, scrubbing, bounds."""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watchword.ingest import scrub as scrubbing
from watchword.ingest.intake import KEPT, Incoming, Intake, cut_fault
from watchword.ingest.occurrence import Occurrences
from watchword.ingest.ports import Receipt, SpoolBatch, SpoolDepth
from watchword.ingest.scrub import MARK, scrub, scrub_all
from watchword.kit.clock import ManualClock
from watchword.kit.errors import Full, NotFound
from watchword.kit.ids import uid_of
from watchword.model import Domain, RawRecord, Source, SourceKind

NOW = datetime(2026, 3, 2, 9, 0, 0, 123456, tzinfo=UTC)


class MemorySpool:
    def __init__(self) -> None:
        self.kept: list[RawRecord] = []
        self.known: set[str] = set()
        self.full = False

    def append(self, records: Sequence[RawRecord], *, once: bool) -> Receipt:
        if self.full:
            raise Full("full")
        fresh = []
        for record in records:
            if not once or record.uid not in self.known:
                self.known.add(record.uid)
                fresh.append(record)
        self.kept += fresh
        return Receipt(len(fresh), len(records) - len(fresh))

    def pending(self, records: int, without: Collection[int] = ()) -> list[SpoolBatch]:
        raise NotImplementedError

    def release(self, batches: Sequence[int]) -> None:
        raise NotImplementedError

    def depth(self) -> SpoolDepth:
        raise NotImplementedError


def intake(spool: MemorySpool, **more: object) -> Intake:
    sources = {
        name: Source(name, Domain.IT, SourceKind.HOST, connector) for name, connector in (("f", "csv"), ("h", "webhook"), ("s", "syslog"))
    }
    return Intake(spool, ManualClock(NOW), lambda: sources, **more)  # type: ignore[arg-type]


def test_a_file_sent_again_or_grown_adds_only_what_is_new() -> None:
    spool = MemorySpool()
    door = intake(spool)
    rows = [Incoming(b"a"), Incoming(b"b"), Incoming(b"a")]
    assert door.accept("f", rows) == Receipt(3, 0)
    assert door.accept("f", rows) == Receipt(0, 3)
    assert door.accept("f", [*rows, Incoming(b"a"), Incoming(b"c")]) == Receipt(2, 3)
    assert spool.kept[0].uid == uid_of("record", "f", b"a", "0")
    assert spool.kept[2].uid == uid_of("record", "f", b"a", "1")
    assert spool.kept[0].received == datetime(2026, 3, 2, 9, 0, 0, 123000, tzinfo=UTC)


def test_batches_of_one_delivery_share_their_count() -> None:
    door = intake(MemorySpool())
    shared = Occurrences()
    assert door.accept("f", [Incoming(b"a")], occurrences=shared) == Receipt(1, 0)
    assert door.accept("f", [Incoming(b"a")], occurrences=shared) == Receipt(1, 0)


def test_a_record_with_an_id_is_kept_once_and_syslog_always() -> None:
    spool = MemorySpool()
    door = intake(spool)
    assert door.accept("h", [Incoming(b"x", "1"), Incoming(b"y", "1"), Incoming(b"x", "2")]) == Receipt(2, 1)
    assert door.accept("s", [Incoming(b"x"), Incoming(b"x")]) == Receipt(2, 0)
    assert door.accept("s", [Incoming(b"x")]) == Receipt(1, 0)
    by_content = intake(spool, ids=lambda _source: lambda body: body[:1].decode())
    assert by_content.accept("h", [Incoming(b"1 first"), Incoming(b"1 second")]) == Receipt(0, 2)  # id 1 is known


def test_an_unknown_source_and_a_full_spool_are_refused() -> None:
    spool = MemorySpool()
    with pytest.raises(NotFound, match="watchword source add"):
        intake(spool).accept("nobody", [Incoming(b"x")])
    spool.full = True
    with pytest.raises(Full):
        intake(spool).accept("f", [Incoming(b"x")])
    assert not spool.kept


def test_a_record_too_long_is_cut_marked_and_kept() -> None:
    spool = MemorySpool()
    intake(spool).accept("f", [Incoming(b"x" * (3 << 20))])
    assert len(spool.kept[0].body) < KEPT + 100
    assert "record of 3145728 bytes, longer than 1048576" in cut_fault(spool.kept[0].body)


@pytest.mark.parametrize(
    ("body", "kept"),
    [
        (b'{"pin":"1234","user":"ann"}', b'{"pin":"[scrubbed]","user":"ann"}'),
        (b'{"pin_code": 1234, "x": {"Access_Token" : "a\\"b"}}', b'{"pin_code": "[scrubbed]", "x": {"Access_Token" : "[scrubbed]"}}'),
        (b'{"embedding":[0.1,0.2],"score":0.9}', b'{"embedding":"[scrubbed]","score":0.9}'),
        (
            b'{"CommandLine":"net user a password=b","TokenElevationType":"%%1936"}',
            b'{"CommandLine":"net user a password=b","TokenElevationType":"%%1936"}',
        ),
        (b"<13>app: login user=ann password=hunter2 ok", b"<13>app: login user=ann password=[scrubbed] ok"),
        (b"<13>app: Authorization: Bearer abc.def x", b"<13>app: Authorization: [scrubbed] x"),
        (b"<13>app: pinned 7", b"<13>app: pinned 7"),
    ],
)
def test_secrets_are_replaced_before_anything_is_kept(body: bytes, kept: bytes) -> None:
    assert scrub(body) == kept
    assert scrub(kept) == kept


PIECES = (
    b'"',
    b":",
    b" ",
    b"{",
    b"}",
    b",",
    b"=",
    b"pin",
    b"PIN",
    b"Pass_Word",
    b"apikey",
    b"tokens",
    b"cookie",
    b'"a"',
    b"7",
    b"[1]",
    b"\\",
    b"\n",
)


@given(st.lists(st.lists(st.sampled_from(PIECES), max_size=20).map(b"".join), max_size=4), st.booleans())
def test_the_quick_looks_change_nothing_of_what_is_scrubbed(bodies: list[bytes], as_json: bool) -> None:
    bodies = [b"{" + body if as_json else b"x" + body for body in bodies]
    pattern, by = (scrubbing._JSON, rb'\1"' + MARK + b'"') if as_json else (scrubbing._TEXT, rb"\1" + MARK)
    wanted = [pattern.sub(by, body) for body in bodies]
    assert [scrub(body) for body in bodies] == wanted
    assert list(scrub_all(bodies)) == wanted


def test_scrubbing_comes_before_the_uid() -> None:
    spool = MemorySpool()
    intake(spool).accept("h", [Incoming(b'{"pin":"1"}')])
    assert spool.kept[0].uid == uid_of("record", "h", b'{"pin":"[scrubbed]"}', "0")


@settings(max_examples=200, deadline=None)
@given(st.lists(st.binary(max_size=3), max_size=60))
def test_occurrences_count_like_a_list_does_also_beyond_their_exact_bound(bodies: list[bytes]) -> None:
    exact, bounded, again = Occurrences(), Occurrences(exact=2, bits=1 << 10), Occurrences(exact=2, bits=1 << 10)
    assert [exact.count(body) for body in bodies] == [bodies[:index].count(body) for index, body in enumerate(bodies)]
    numbered = [(body, bounded.count(body)) for body in bodies]
    assert len(set(numbered)) == len(numbered)
    assert [again.count(body) for body in bodies] == [number for _, number in numbered]
