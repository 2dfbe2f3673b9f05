"""Options of a `[[responder]]` table: each is read once, strictly, and every fault names the option; secrets only by file or variable."""

import csv
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from watchword.connectors.product import PeerFault
from watchword.kit.duration import read_duration
from watchword.kit.errors import InputError

LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})
MOST_IDS: Final = 200_000
_ID: Final = re.compile(r"[\x21-\x7e][\x20-\x7e]{0,199}")


@dataclass(frozen=True, slots=True)
class Secret:
    """Where a secret is; it is read when it is needed, so that a changed one counts at once, and is never kept."""

    place: str
    path: Path | None = None

    def value(self) -> str:
        """Return the secret.

        Raises:
            PeerFault: the file or variable is not there, or empty; nothing was sent.
        """
        try:
            text = self.path.read_text(encoding="utf-8").strip() if self.path is not None else os.environ.get(self.place, "")
        except (OSError, UnicodeDecodeError) as error:
            raise PeerFault("secret", f"the secret in {self.place} cannot be read: {type(error).__name__}", sent=False) from None
        if not text:
            raise PeerFault("secret", f"there is no secret in {self.place}", sent=False)
        return text


@dataclass(slots=True)
class Ids:
    """Uids of ours and ids of a product's, from the settings and, if named, from a CSV file that is read again when it changes."""

    own: Mapping[str, str]
    path: Path | None = None
    _read: Mapping[str, str] | None = None
    _mark: tuple[int, int] = (0, 0)

    def get(self, uid: str) -> str:
        """Return the product's id, or ''."""
        return self.own.get(uid) or self._file().get(uid, "")

    def __bool__(self) -> bool:
        """Tell whether any can be known."""
        return bool(self.own) or self.path is not None

    def _file(self) -> Mapping[str, str]:
        if self.path is None:
            return {}
        try:
            stat = self.path.stat()
            if self._read is None or self._mark != (stat.st_mtime_ns, stat.st_size):
                self._read, self._mark = read_ids(self.path), (stat.st_mtime_ns, stat.st_size)
        except (OSError, InputError):
            return self._read or {}  # the last readable list stands until the file is mended
        return self._read


def read_ids(path: Path) -> dict[str, str]:
    """Read a CSV file with the columns ``uid,id``.

    Raises:
        InputError: it cannot be read, or a line is wrong; names the line.
    """
    found: dict[str, str] = {}
    try:
        with path.open(encoding="utf-8", newline="") as stream:
            rows = csv.reader(stream)
            if [cell.strip() for cell in next(rows, [])] != ["uid", "id"]:
                raise InputError(f"{path}:1: the first line must be uid,id")
            for number, row in enumerate(rows, 2):
                if not row:
                    continue
                if len(row) != 2 or not all(_ID.fullmatch(cell.strip()) for cell in row) or len(found) >= MOST_IDS:
                    raise InputError(f"{path}:{number}: expected uid,id, each of 1 to 200 plain characters, {MOST_IDS} lines at most")
                found[row[0].strip()] = row[1].strip()
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path} cannot be read: {error}") from error
    return found


class Options:
    """The options of one table. Whoever reads says `done` at the end, so that no misspelt option is overlooked."""

    def __init__(self, given: Mapping[str, Any], folder: Path) -> None:
        self._given, self.folder, self._known = dict(given), folder, set[str]()

    def has(self, key: str) -> bool:
        """Tell whether an option is given."""
        self._known.add(key)
        return key in self._given

    def text(self, key: str, default: str | None = None, *, choices: Sequence[str] = (), pattern: str = "") -> str:
        """Return a text; without default it must be given."""
        value = self._take(key, default)
        if not isinstance(value, str) or (default is None and not value.strip()):
            raise InputError(f"{key}: {value!r} is no text")
        if choices and value not in choices:
            raise InputError(f"{key}: {value!r} is not one of {', '.join(choices)}")
        if pattern and not re.fullmatch(pattern, value):
            raise InputError(f"{key}: {value!r} does not look right; it must match {pattern}")
        return value

    def flag(self, key: str, *, default: bool = False) -> bool:
        """Return true or false."""
        value = self._take(key, default)
        if not isinstance(value, bool):
            raise InputError(f"{key}: {value!r} is neither true nor false")
        return value

    def number(self, key: str, default: int, *, least: int, most: int) -> int:
        """Return a whole number within bounds."""
        value = self._take(key, default)
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise InputError(f"{key}: {value!r} is no whole number from {least} to {most}")
        return value

    def seconds(self, key: str, default: str, *, most: float) -> float:
        """Return a duration in seconds, at least a tenth of one."""
        value = self.text(key, default)
        try:
            found = read_duration(value).total_seconds()
        except InputError as error:
            raise InputError(f"{key}: {error}") from error
        if not 0.1 <= found <= most:
            raise InputError(f"{key}: {value} is out of bounds; choose 100ms to {most:g}s")
        return found

    def file(self, key: str) -> Path | None:
        """Return the path of a file that must be there, or None when the option is not given."""
        if not self.has(key):
            return None
        path = self.folder / Path(self.text(key)).expanduser()
        if not path.is_file():
            raise InputError(f"{key}: there is no file {path}")
        return path

    def url(self, key: str = "url", *, schemes: Sequence[str] = ("https", "http"), plain: Sequence[str] = ("http",)) -> str:
        """Return an address without user, query or fragment; one that is not encrypted only on this machine, or with ``plain = true``."""
        value = self.text(key)
        try:
            parts = urlsplit(value)
            host, _ = parts.hostname, parts.port
        except ValueError as error:
            raise InputError(f"{key}: {value!r} is no address: {error}") from error
        if parts.scheme not in schemes or not host or parts.username or parts.password or parts.query or parts.fragment:
            raise InputError(f"{key}: write an address as {schemes[0]}://host:port/path, without user, password or query")
        if parts.scheme in plain and host not in LOOPBACK and not self.flag("plain"):
            raise InputError(f"{key}: {parts.scheme} would send secrets in clear; use {schemes[0]}, or say plain = true to accept that")
        self._known.add("plain")
        return value.rstrip("/")

    def secret(self, key: str = "secret") -> Secret:
        """Return where a secret is: ``<key>_file`` names a file, ``<key>_env`` an environment variable."""
        found = self.secret_or_none(key)
        if found is None:
            raise InputError(f"{key}: name the file that holds it as {key}_file, or the environment variable as {key}_env")
        return found

    def secret_or_none(self, key: str) -> Secret | None:
        """Return where a secret is, or None when neither option is given."""
        if key in self._given:
            raise InputError(f"{key}: a secret does not stand in the settings; name its file as {key}_file, or its variable as {key}_env")
        in_file, in_variable = self.has(f"{key}_file"), self.has(f"{key}_env")
        if in_file and in_variable:
            raise InputError(f"{key}_file and {key}_env: give one of the two")
        if in_variable:
            return Secret(self.text(f"{key}_env", pattern=r"(?!WATCHWORD_)[A-Za-z_][A-Za-z0-9_]{0,99}"))
        if in_file:
            path = self.folder / Path(self.text(f"{key}_file")).expanduser()
            return Secret(str(path), path)
        return None

    def ids(self, key: str, pattern: str = "") -> Ids:
        """Return uids and ids: a table of the name, and a CSV file that ``<key>_file`` names."""
        own = self.table(key)
        path = self.file(f"{key}_file")
        every = {**own, **(read_ids(path) if path is not None else {})}
        for uid, found in every.items():
            if not _ID.fullmatch(found) or (pattern and not re.fullmatch(pattern, found)):
                raise InputError(f"{key}: {uid} = {found!r} is no id of this product" + (f"; it must match {pattern}" if pattern else ""))
        return Ids(own, path)

    def table(self, key: str) -> dict[str, str]:
        """Return a table of texts; empty when it is not given."""
        value = self._take(key, {})
        if not isinstance(value, dict) or not all(isinstance(each, str) for each in value.values()):
            raise InputError(f"{key}: expected a table of texts")
        return {str(name): each for name, each in value.items()}

    def tables(self, key: str) -> dict[str, dict[str, Any]]:
        """Return a table of tables; empty when it is not given."""
        value = self._take(key, {})
        if not isinstance(value, dict) or not all(isinstance(each, dict) for each in value.values()):
            raise InputError(f"{key}: expected a table of tables")
        return {str(name): dict(each) for name, each in value.items()}

    def texts(self, key: str) -> tuple[str, ...]:
        """Return a list of texts; empty when it is not given."""
        value = self._take(key, [])
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            raise InputError(f"{key}: expected a list of texts")
        return tuple(value)

    def done(self) -> None:
        """Refuse options that nobody read."""
        unknown = sorted(set(self._given) - self._known)
        if unknown:
            raise InputError(f"there is no option {unknown[0]!r} here; known are {', '.join(sorted(self._known))}")

    def _take(self, key: str, default: Any) -> Any:
        self._known.add(key)
        if key in self._given:
            return self._given[key]
        if default is None:
            raise InputError(f"{key}: is missing")
        return default
