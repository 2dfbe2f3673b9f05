"""The archive: one file per segment, raw records and events as compressed Arrow columns behind a line of JSON; never changed."""

import errno
import os
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa

from watchword.ingest.ports import SealedFile, Segment
from watchword.kit.errors import Corrupt, Full
from watchword.stores.columns import SegmentColumns, events_from, records_from

MAGIC = b"WATCHWORD SEGMENT 1\n"
SUFFIX = ".segment"
UNLISTED = "unlisted"
_OPTIONS = pa.ipc.IpcWriteOptions(compression=pa.Codec("zstd", compression_level=1))


class FileArchive:
    """Segment files in a folder, by arrival date: ``2026-03-01/<segment>.segment``.

    Args:
        folder: where they are kept; made when needed.
        columns: shared with the event log, so that a segment's columns are made once.
    """

    def __init__(self, folder: Path, columns: SegmentColumns | None = None) -> None:
        self._folder = folder
        self._columns = columns or SegmentColumns()

    def write(self, segment: Segment, arrival: date) -> SealedFile:
        """Keep a segment. See `ingest.ports.Archive.write`."""
        parts = [_stream(batch) for batch in self._columns.of(segment)]
        head = {
            "segment": segment.uid, "batches": segment.batches, "records": len(segment.records), "events": len(segment.events),
            "lengths": [part.size for part in parts],
        }  # fmt: skip
        begin = MAGIC + orjson.dumps(head) + b"\n"
        digest = sha256(begin)
        for part in parts:
            digest.update(part)
        name = f"{arrival.isoformat()}/{segment.uid}{SUFFIX}"
        path = self._folder / name
        try:
            self._keep(path, [begin, *parts])
        except OSError as error:
            path.with_suffix(".part").unlink(missing_ok=True)
            if error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
                raise Full(f"the disk of the archive {self._folder} is full: make room; the records wait in the spool") from error
            raise
        return SealedFile(name, len(begin) + sum(part.size for part in parts), digest.hexdigest())

    def read(self, file: str, digest: str) -> Segment:
        """Return the segment of a file. See `ingest.ports.Archive.read`."""
        try:
            content = (self._folder / file).read_bytes()
        except OSError as error:
            raise Corrupt(f"archive file {file} cannot be read: {error.strerror}") from error
        if sha256(content).hexdigest() != digest:
            raise Corrupt(f"archive file {file} does not match its digest: its bytes were changed")
        if not content.startswith(MAGIC):
            raise Corrupt(f"archive file {file} is of a kind that this release does not know")
        end = content.index(b"\n", len(MAGIC)) + 1
        head: dict[str, Any] = orjson.loads(content[len(MAGIC) : end])
        first, second = head["lengths"]
        view = memoryview(content)
        records = _table(view[end : end + first])
        events = _table(view[end + first : end + first + second])
        return Segment(head["segment"], tuple(head["batches"]), tuple(records_from(records)), tuple(events_from(events)))

    def files(self) -> list[str]:
        """Return every file kept, oldest first."""
        found = self._folder.glob(f"????-??-??/*{SUFFIX}")
        return sorted((str(path.relative_to(self._folder)) for path in found), key=lambda name: int(Path(name).stem))

    def set_aside(self, file: str) -> None:
        """Move a file that no ledger knows to the folder ``unlisted``."""
        target = self._folder / UNLISTED / Path(file).name
        target.parent.mkdir(parents=True, exist_ok=True)
        (self._folder / file).replace(target)

    def remove(self, file: str) -> None:
        """Delete a file of a day that retention drops; one that is gone already changes nothing. See `ingest.ports.Archive.remove`."""
        path = self._folder / file
        path.unlink(missing_ok=True)
        if path.parent.exists() and not any(path.parent.iterdir()):
            path.parent.rmdir()
            _fsync(self._folder)

    def _keep(self, path: Path, pieces: list[Any]) -> None:
        fresh = not path.parent.exists()
        path.parent.mkdir(parents=True, exist_ok=True)
        if fresh:
            _fsync(self._folder)
        part = path.with_suffix(".part")
        with part.open("wb") as out:
            for piece in pieces:
                out.write(piece)
            out.flush()
            os.fsync(out.fileno())
        part.replace(path)
        _fsync(path.parent)


def _stream(batch: pa.RecordBatch) -> pa.Buffer:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema, options=_OPTIONS) as writer:
        writer.write_batch(batch)
    return sink.getvalue()


def _table(content: memoryview) -> pa.Table:
    return pa.ipc.open_stream(pa.py_buffer(content)).read_all()


def _fsync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
