"""Framing: the same records come out however the stream is cut into pieces, and no line can fill the memory."""

import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watchword.ingest.framing import Framer, FramingFault
from watchword.ingest.intake import KEPT, cut_fault


def through(framer: Framer, *pieces: bytes) -> list[bytes]:
    records = [record for piece in pieces for record in framer.feed(piece)]
    return records + list(framer.end())


RECORDS = st.lists(
    st.binary(min_size=1, max_size=40).filter(lambda body: b"\n" not in body and body.strip(b"\r\x00") == body and body),
    min_size=1,
    max_size=8,
)


@settings(max_examples=200, deadline=None)
@given(RECORDS, st.lists(st.integers(1, 30), min_size=1, max_size=40))
def test_lines_survive_any_cutting(records: list[bytes], cuts: list[int]) -> None:
    stream = b"".join(record + b"\n" for record in records)
    assert through(Framer("lines"), *pieces_of(stream, cuts)) == records


@settings(max_examples=200, deadline=None)
@given(st.lists(st.binary(min_size=1, max_size=40), min_size=1, max_size=8), st.lists(st.integers(1, 30), min_size=1, max_size=40))
def test_counted_records_survive_any_cutting(records: list[bytes], cuts: list[int]) -> None:
    stream = b"".join(b"%d " % len(record) + record for record in records)
    assert through(Framer("auto"), *pieces_of(stream, cuts)) == records


def pieces_of(stream: bytes, cuts: list[int]) -> list[bytes]:
    pieces, at, index = [], 0, 0
    while at < len(stream):
        size = cuts[index % len(cuts)]
        pieces.append(stream[at : at + size])
        at += size
        index += 1
    return pieces


def test_a_newline_inside_a_counted_record_is_part_of_it() -> None:
    assert through(Framer(), b"7 <13>a\nb\n5 <13>c") == [b"<13>a\nb", b"<13>c"]


def test_a_last_line_without_end_is_kept() -> None:
    assert through(Framer(), b"<13>one\r\n<13>two") == [b"<13>one", b"<13>two"]


@pytest.mark.parametrize("stream", [b"12x <13>", b"99999999999999 x", b"1234567890123"])
def test_a_broken_count_is_a_fault(stream: bytes) -> None:
    with pytest.raises(FramingFault, match="one way of framing"):
        list(Framer().feed(stream))


def test_long_records_are_cut_and_marked_in_both_ways_of_framing() -> None:
    for stream in (b"x" * 5000 + b"\nnext\n", b"5000 " + b"x" * 5000 + b"4 next"):
        mode = "counted" if stream[:1] == b"5" else "lines"
        for size in (1, 7, 1000, 10_000):
            first, second = through(Framer(mode, limit=1000), *pieces_of(stream, [size]))
            assert "record of 5000 bytes, longer than 1000" in cut_fault(first)
            assert second == b"next"


@pytest.mark.parametrize("counted", [False, True])
def test_a_line_of_one_gigabyte_does_not_fill_the_memory(counted: bool) -> None:
    piece = b"x" * (4 << 20)
    framer = Framer()
    tracemalloc.start()
    if counted:
        assert not list(framer.feed(b"%d " % (256 * len(piece))))
    got: list[bytes] = []
    for _ in range(256):
        got += framer.feed(piece)
    got += framer.feed(b"5 <13>z" if counted else b"\n<13>z\n")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 24 << 20
    assert len(got[0]) < KEPT + 100
    assert f"record of {256 * len(piece)} bytes" in cut_fault(got[0])
    assert got[1] == b"<13>z"
