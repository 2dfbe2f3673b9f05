"""The drop folder: files that others put there are taken in once they are whole, then moved aside."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from watchword.ingest.ports import Receipt
from watchword.kit.errors import Full, WatchwordError

DONE: Final = "done"
REFUSED: Final = "refused"
_UNFINISHED: Final = (".part", ".tmp", ".partial", ".filepart", ".crdownload", "~")


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of one file."""

    path: Path
    """Where it lies now."""
    receipt: Receipt | None
    fault: str = ""
    """Why it was refused; empty when it was taken in."""


class DropFolder:
    """Looks into a folder when asked. A file counts as whole once its size and time of change stayed the same between two looks.

    Names that begin with a dot or end in ``.part``, ``.tmp`` or the like are left alone until they are renamed. A file is moved to
    ``done/`` only after all its records are durable; after a crash in between it is taken again, and its records are known already.
    """

    def __init__(self, folder: Path, ingest: Callable[[Path], Receipt]) -> None:
        """Take `ingest`, which takes a whole file in (see `connectors.files.ingest_file`)."""
        self._folder = folder
        self._ingest = ingest
        self._seen: dict[Path, tuple[int, int]] = {}

    def look(self) -> list[Taken]:
        """Take in the files that are whole; return what became of each.

        Raises:
            Full: the spool is full; the file stays, and is taken at a later look.
        """
        taken = []
        seen: dict[Path, tuple[int, int]] = {}
        for path in self._waiting():
            try:
                status = path.stat()
            except FileNotFoundError:
                continue
            state = (status.st_size, status.st_mtime_ns)
            if self._seen.get(path) == state:
                taken.append(self._take(path))
            else:
                seen[path] = state
        self._seen = seen
        return taken

    def _waiting(self) -> list[Path]:
        if not self._folder.is_dir():
            return []
        with os.scandir(self._folder) as entries:
            names = [entry.name for entry in entries if entry.is_file(follow_symlinks=False)]
        return sorted(self._folder / name for name in names if not name.startswith(".") and not name.lower().endswith(_UNFINISHED))

    def _take(self, path: Path) -> Taken:
        try:
            receipt = self._ingest(path)
        except Full:
            raise
        except WatchwordError as error:
            return Taken(self._move(path, REFUSED), None, str(error))
        return Taken(self._move(path, DONE), receipt)

    def _move(self, path: Path, where: str) -> Path:
        folder = self._folder / where
        folder.mkdir(exist_ok=True)
        target = folder / path.name
        number = 1
        while target.exists():
            target = folder / f"{path.stem}-{number}{path.suffix}"
            number += 1
        return path.rename(target)
