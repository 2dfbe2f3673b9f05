"""Files in: exact bytes, bounded memory, resent files, half-written files."""

import tracemalloc
from collections.abc import Iterator
from datetime import UTC, datetime
from io import RawIOBase
from pathlib import Path

import pytest

from watchword.connectors.drop import DropFolder
from watchword.connectors.files import check_file, ingest_file, lines_of, read_file, try_file
from watchword.ingest.intake import Intake, cut_fault
from watchword.ingest.mapping import Mapping, load_mapping
from watchword.ingest.ports import Receipt
from watchword.kit.clock import ManualClock
from watchword.kit.errors import ContentError, Full, InputError
from watchword.model import Domain, RawRecord, Source, SourceKind

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
BADGES = """
mapping: badges
format: {kind: csv}
time: {from: time, zone: UTC}
events: [{class: physical_access, activity: granted, fields: {badge: badge, reader: reader}}]
"""


class Kept:
    """A spool in memory."""

    def __init__(self) -> None:
        self.records: dict[str, RawRecord] = {}
        self.full = False

    def append(self, records: list[RawRecord], *, once: bool) -> Receipt:  # noqa: ARG002 - the port's signature
        if self.full:
            raise Full("the spool is full")
        fresh = {record.uid: record for record in records if record.uid not in self.records}
        self.records |= fresh
        return Receipt(len(fresh), len(records) - len(fresh))


def door(kept: Kept) -> Intake:
    sources = {"doors": Source("doors", Domain.PHYSICAL, SourceKind.ACCESS_CONTROL, "csv")}
    return Intake(kept, ManualClock(NOW), lambda: sources)  # type: ignore[arg-type]


def badges() -> Mapping:
    return load_mapping(BADGES, "badges.yaml", key=b"k")


def test_a_file_is_taken_once_however_often_it_is_sent(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_bytes(b"time,badge,reader\r\n2026-03-01 08:00:00,1,R1\r\n2026-03-01 08:00:00,1,R1\r\n2026-03-01 08:00:01,2,R1")
    kept = Kept()
    assert ingest_file(path, "doors", badges(), door(kept)) == Receipt(3, 0)
    assert ingest_file(path, "doors", badges(), door(kept)) == Receipt(0, 3)
    with path.open("ab") as stream:
        stream.write(b"\r\n2026-03-01 08:00:02,3,R1\r\n")
    assert ingest_file(path, "doors", badges(), door(kept)) == Receipt(1, 3)
    parsed = [badges().parse(record) for record in kept.records.values()]
    assert all(one.events and not one.fault for one in parsed)


def test_a_missing_column_names_file_line_column_and_remedy(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_bytes(b"time,card,reader\n2026-03-01 08:00:00,1,R1\n")
    with pytest.raises(ContentError) as caught:
        check_file(path, badges())
    assert f"{path}:1: header (line 1) lacks column 'badge'" in str(caught.value)
    assert "format.optional" in str(caught.value)
    path.write_bytes(b"")
    with pytest.raises(ContentError, match="is empty"):
        check_file(path, badges())


def test_trying_shows_lines_events_and_faults(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_bytes(b"time,badge,reader\n2026-03-01 08:00:00,1,R1\nsoon,2,R1\n2026-03-01 08:00:00,\xff,R1\n2026-03-01 08:00:00,4\n")
    tried = try_file(path, badges(), 10, NOW)
    assert [one.line for one in tried] == [2, 3, 4, 5]
    assert tried[0].events
    assert "column time" in tried[1].fault
    assert "column 2" in tried[2].fault
    assert "2 values where 3 columns" in tried[3].fault
    assert len(try_file(path, badges(), 1, NOW)) == 1


def test_json_lines_keep_their_bytes(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_bytes(b'\xef\xbb\xbf{"b": 1,  "a": 2}\r\n\n{"c":3}')
    mapping = load_mapping("mapping: m\nformat: {kind: json}\nevents: []", "m")
    assert [item.body for batch in read_file(path, mapping) for item in batch] == [b'{"b": 1,  "a": 2}', b'{"c":3}']


def test_what_cannot_be_read_says_why(tmp_path: Path) -> None:
    path = tmp_path / "wide.csv"
    path.write_bytes("time,badge".encode("utf-16"))
    with pytest.raises(InputError, match="iconv"):
        list(read_file(path, badges()))
    with pytest.raises(InputError, match="No such file"):
        list(read_file(tmp_path / "absent", badges()))


class Endless(RawIOBase):
    """A stream of one very long line, made as it is read."""

    def __init__(self, size: int, after: bytes) -> None:
        self.left = size
        self.after = after
        self.piece = b"x" * (1 << 20)

    def read(self, size: int = -1) -> bytes:
        if self.left <= 0:
            rest, self.after = self.after, b""
            return rest
        taken = self.piece[: min(size, self.left)]
        self.left -= len(taken)
        return taken


def test_a_line_of_one_gigabyte_is_cut_and_the_rest_is_read() -> None:
    tracemalloc.start()
    got: Iterator[bytes] = lines_of(Endless(1 << 30, b"\nnext\n"))  # type: ignore[arg-type]
    long, after = list(got)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert f"record of {1 << 30} bytes" in cut_fault(long.rstrip(b"\n"))
    assert after == b"next\n"
    assert peak < 24 << 20


def test_a_drop_folder_takes_whole_files_only(tmp_path: Path) -> None:
    kept = Kept()
    folder = DropFolder(tmp_path, lambda path: ingest_file(path, "doors", badges(), door(kept)))
    path = tmp_path / "a.csv"
    path.write_bytes(b"time,badge,reader\n2026-03-01 08:00:00,1,R1\n")
    (tmp_path / "b.csv.part").write_bytes(b"time")
    (tmp_path / ".c.csv").write_bytes(b"time")
    assert folder.look() == []
    with path.open("ab") as stream:
        stream.write(b"2026-03-01 08:00:01,2,R1\n")
    assert folder.look() == []  # it grew since the last look
    (taken,) = folder.look()
    assert (taken.receipt, taken.path) == (Receipt(2, 0), tmp_path / "done" / "a.csv")
    assert not path.exists()
    assert folder.look() == []
    path.write_bytes(b"time,badge,reader\n2026-03-01 08:00:00,1,R1\n")
    folder.look()
    (again,) = folder.look()
    assert (again.receipt, again.path.name) == (Receipt(0, 1), "a-1.csv")


def test_a_file_stays_while_the_spool_is_full_and_is_set_aside_when_refused(tmp_path: Path) -> None:
    kept = Kept()
    kept.full = True
    folder = DropFolder(tmp_path, lambda path: ingest_file(path, "doors", badges(), door(kept)))
    path = tmp_path / "a.csv"
    path.write_bytes(b"time,badge,reader\n2026-03-01 08:00:00,1,R1\n")
    folder.look()
    with pytest.raises(Full):
        folder.look()
    assert path.exists()
    kept.full = False
    taken = [one for _ in range(3) for one in folder.look()]
    assert [one.receipt for one in taken] == [Receipt(1, 0)]
    wide = tmp_path / "w.csv"
    wide.write_bytes("time".encode("utf-16"))
    folder.look()
    (refused,) = folder.look()
    assert "UTF-16" in refused.fault
    assert refused.path == tmp_path / "refused" / "w.csv"
