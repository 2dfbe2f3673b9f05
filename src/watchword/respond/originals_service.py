"""Originals: files named by their SHA-256, written once, never re-encoded; what a killed acquisition left behind is swept."""

import errno
import fcntl
import os
import shutil
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO, Final

from watchword.kit.errors import Corrupt, Full, TooLarge
from watchword.kit.ids import random_uid

CHUNK: Final = 1 << 20
ORPHAN: Final = 3600.0
"""Seconds after which a file that nobody names is taken for left behind."""
INCOMING, OUTGOING = ".incoming", ".outgoing"
LARGEST: Final = 16 * 1024**3


@dataclass(frozen=True, slots=True)
class Taken:
    """Bytes that have come in whole and are not yet kept."""

    path: Path
    sha256: str
    size: int


class Originals:
    """Files below ``<folder>/<first two digits>/<sha256>``."""

    def __init__(self, folder: Path, largest: int = LARGEST, reserve: int = 0) -> None:
        self._folder, self._largest, self._reserve = folder, largest, reserve

    @property
    def outgoing(self) -> Path:
        """The folder in which exports are made before they are handed out."""
        found = self._folder / OUTGOING
        found.mkdir(mode=0o700, parents=True, exist_ok=True)
        return found

    def path(self, digest: str) -> Path:
        """Return where an original lies."""
        return self._folder / digest[:2] / digest

    @contextmanager
    def taking(self, stream: BinaryIO) -> Iterator[Taken]:
        """Read a stream to its end into a file of its own, hashing as it comes; what is not kept within the block is gone after it.

        Raises:
            TooLarge: it has more bytes than the settings allow.
            Full: the disk is.
        """
        incoming = self._folder / INCOMING
        incoming.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = incoming / random_uid()
        try:
            yield self._receive(stream, path)
        except OSError as error:
            if error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
                raise Full(f"the disk of the evidence folder {self._folder} is full: make room, then acquire it again") from error
            raise
        finally:
            path.unlink(missing_ok=True)

    def _receive(self, stream: BinaryIO, path: Path) -> Taken:
        digest, size = sha256(), 0
        with path.open("xb") as out:
            while chunk := stream.read(CHUNK):
                size += len(chunk)
                if size > self._largest:
                    raise TooLarge(f"A piece of evidence has at most {self._largest:,} bytes; raise evidence.largest.", "file")
                if self._reserve and size % (64 * CHUNK) < len(chunk) and shutil.disk_usage(path.parent).free < self._reserve:
                    raise Full(f"the disk of the evidence folder {self._folder} is full but for its reserve: make room")
                digest.update(chunk)
                out.write(chunk)
            out.flush()
            os.fsync(out.fileno())
        path.chmod(0o400)
        return Taken(path, digest.hexdigest(), size)

    @contextmanager
    def keeping(self, taken: Taken) -> Iterator[None]:
        """Put the file in its place, then let the block commit its row: the sweep waits meanwhile, so that no row is without its file."""
        with self._locked(fcntl.LOCK_SH):
            target = self.path(taken.sha256)
            fresh = not target.parent.exists()
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            if fresh:
                _fsync(self._folder)
            os.utime(taken.path)
            taken.path.replace(target)
            _fsync(target.parent)
            yield

    def open(self, digest: str, size: int) -> BinaryIO:
        """Open an original for reading.

        Raises:
            Corrupt: it is gone, or has not its size.
        """
        try:
            file = self.path(digest).open("rb")
        except OSError as error:
            raise Corrupt(f"the original {digest} cannot be read: {error.strerror}; restore it from a backup") from error
        found = os.fstat(file.fileno()).st_size
        if found != size:
            file.close()
            raise Corrupt(f"the original {digest} has {found:,} bytes and should have {size:,}; restore it from a backup")
        return file

    def fault(self, digest: str, size: int) -> str:
        """Return what is wrong with an original; '' when it is what was acquired."""
        try:
            with self.open(digest, size) as file:
                found = sha256()
                while chunk := file.read(CHUNK):
                    found.update(chunk)
        except (Corrupt, OSError) as error:
            return str(error)
        return "" if found.hexdigest() == digest else f"the original {digest} is not what was acquired: its bytes were changed"

    def sweep(self, named: Callable[[Collection[str]], Collection[str]]) -> int:
        """Delete files that are an hour old and that nobody names; return how many.

        Args:
            named: of some digests, those that a row names.
        """
        if not self._folder.is_dir():
            return 0
        oldest, count = time.time() - ORPHAN, 0
        for name in (INCOMING, OUTGOING):
            for path in (self._folder / name).glob("*"):
                with suppress(FileNotFoundError):
                    if path.stat().st_mtime < oldest:
                        path.unlink()
                        count += 1
        for below in self._folder.glob("[0-9a-f][0-9a-f]"):
            with self._locked(fcntl.LOCK_EX):
                old = {path.name for path in below.iterdir() if path.stat().st_mtime < oldest}
                orphans = old.difference(named(old)) if old else set()
                for name in orphans:
                    (below / name).unlink()
            count += len(orphans)
        return count

    @contextmanager
    def _locked(self, how: int) -> Iterator[None]:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (self._folder / ".lock").open("ab") as lock:
            fcntl.flock(lock, how)
            yield


def _fsync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
