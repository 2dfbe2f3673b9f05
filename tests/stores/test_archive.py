"""Archive files: whole or absent, verbatim, and every changed byte shows."""

import os
import resource
import signal
from datetime import date
from hashlib import sha256
from pathlib import Path

import pytest

from watchword.ingest.ports import Segment
from watchword.kit.errors import Corrupt, Full
from watchword.stores.archive import FileArchive

DAY = date(2026, 3, 2)


@pytest.fixture
def archive(tmp_path: Path) -> FileArchive:
    return FileArchive(tmp_path / "archive")


def test_a_segment_comes_back_as_it_was(archive: FileArchive, make, tmp_path: Path) -> None:
    segment = make.segment(41, 200)
    kept = archive.write(segment, DAY)
    content = (tmp_path / "archive" / kept.file).read_bytes()
    assert (kept.file, kept.bytes, kept.digest) == ("2026-03-02/41.segment", len(content), sha256(content).hexdigest())
    assert archive.read(kept.file, kept.digest) == segment
    empty = Segment(42, (1, 2), (), ())
    kept = archive.write(empty, DAY)
    assert archive.read(kept.file, kept.digest) == empty
    assert archive.files() == ["2026-03-02/41.segment", "2026-03-02/42.segment"]


def test_the_same_segment_gives_the_same_bytes(archive: FileArchive, make, tmp_path: Path) -> None:
    segment = make.segment(41, 50)
    other = FileArchive(tmp_path / "other")
    assert archive.write(segment, DAY) == other.write(segment, DAY)


def test_any_changed_or_missing_byte_is_found(archive: FileArchive, make, tmp_path: Path) -> None:
    kept = archive.write(make.segment(1, 5), DAY)
    path = tmp_path / "archive" / kept.file
    content = path.read_bytes()
    for position in range(0, len(content), 97):
        path.write_bytes(content[:position] + bytes([content[position] ^ 1]) + content[position + 1 :])
        with pytest.raises(Corrupt, match="does not match its digest"):
            archive.read(kept.file, kept.digest)
    path.write_bytes(content[:-1])
    with pytest.raises(Corrupt, match="does not match"):
        archive.read(kept.file, kept.digest)
    path.unlink()
    with pytest.raises(Corrupt, match="cannot be read"):
        archive.read(kept.file, kept.digest)
    path.write_bytes(b"something else")
    with pytest.raises(Corrupt, match="of a kind"):
        archive.read(kept.file, sha256(b"something else").hexdigest())


def test_a_full_disk_leaves_no_half_file(archive: FileArchive, make, tmp_path: Path) -> None:
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    segment = Segment(1, (1,), (make.record(body=os.urandom(400_000)),), ())
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limit[1]))
        with pytest.raises(Full, match="archive"):
            archive.write(segment, DAY)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
        signal.signal(signal.SIGXFSZ, handler)
    assert [path for path in (tmp_path / "archive").rglob("*") if path.is_file()] == []
    kept = archive.write(segment, DAY)
    assert archive.read(kept.file, kept.digest) == segment


def test_files_are_listed_in_the_order_of_their_numbers_and_set_aside_is_not_listed(archive: FileArchive, make) -> None:
    for uid in (100, 9, 10):
        archive.write(make.segment(uid, 1), date(2026, 3, uid % 9 + 1))
    assert [Path(file).stem for file in archive.files()] == ["9", "10", "100"]
    archive.set_aside(archive.files()[0])
    assert [Path(file).stem for file in archive.files()] == ["10", "100"]
