"""A cursor over a marked YAML document: reads one value after another and notes what is wrong with each, by path and line."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from difflib import get_close_matches
from typing import Any
from zoneinfo import ZoneInfo

from watchword.kit.clock import to_millisecond
from watchword.kit.errors import Fault
from watchword.kit.marked import Marked


def did_you_mean(word: str, known: Any) -> str:
    """Return a remedy that names the nearest known word, or lists the known ones when they are few."""
    words = [str(name) for name in known]
    close = get_close_matches(word, words, n=1)
    if not close:
        tails = {name.rpartition("/")[2]: name for name in words}
        close = [tails[tail] for tail in get_close_matches(word.rpartition("/")[2], list(tails), n=1)]
    if close:
        return f"did you mean {close[0]!r}?"
    return f"known: {', '.join(sorted(words))}" if 0 < len(words) <= 20 else ""


def moment_of(value: Any, zone: ZoneInfo) -> datetime:
    """Return the moment that a date (its first instant in the zone), a local time or a time with offset stands for.

    Raises:
        ValueError: it is none of these.
    """
    if isinstance(value, str):
        value = datetime.fromisoformat(value.strip())
    if isinstance(value, datetime):
        local = value if value.tzinfo else value.replace(tzinfo=zone)
    elif isinstance(value, date):
        local = datetime(value.year, value.month, value.day, tzinfo=zone)
    else:
        raise ValueError(f"{value!r} is no time")  # noqa: TRY004 - callers handle one kind of error for all that people may write
    return to_millisecond(local.astimezone(UTC))


@dataclass(slots=True)
class Cursor:
    """A place in a document. Readers return a harmless value where there is a fault, so that all faults come at once."""

    marked: Marked
    path: tuple[str | int | float, ...]
    value: Any
    faults: list[Fault]

    def fault(self, message: str, *path: str | float, remedy: str = "") -> None:
        """Note a fault at this place, or at a key of it."""
        self.faults.append(self.marked.fault(message, *self.path, *path, remedy=remedy))

    def at(self, key: str | float) -> "Cursor":
        """Return the cursor at a key; its value is None when the key is missing."""
        value = self.value.get(key) if isinstance(self.value, Mapping) else None
        return Cursor(self.marked, (*self.path, key), value, self.faults)

    def allow(self, *known: str) -> bool:
        """Note every key that is not known; tell whether this is a mapping at all."""
        if not isinstance(self.value, Mapping):
            self.fault(f"expected keys and values here, found {_kind(self.value)}", remedy=f"keys: {', '.join(known)}")
            return False
        for key in self.value:
            if key not in known:
                self.fault(f"unknown key {key!r}", key, remedy=did_you_mean(str(key), known))
        return True

    def text(self, key: str, default: str = "", *, required: bool = False) -> str:
        """Return a word or number as text."""
        value = self.at(key).value
        if value is None:
            if required:
                self.fault(f"{key!r} is missing")
            return default
        if isinstance(value, bool | list | dict):
            self.fault(f"{key!r} must be a text, found {_kind(value)}", key, remedy="put it in quotes")
            return default
        return str(value).strip()

    def flag(self, key: str, default: bool) -> bool:
        """Return a yes or no."""
        value = self.at(key).value
        if value is None or isinstance(value, bool):
            return default if value is None else value
        self.fault(f"{key!r} must be true or false, found {value!r}", key)
        return default

    def number(self, key: str, default: float, least: float, most: float) -> float:
        """Return a number within bounds."""
        value = self.at(key).value
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
            self.fault(f"{key!r} must be a number from {least:g} to {most:g}, found {value!r}", key)
            return default
        return float(value)

    def choice(self, key: str, default: str, known: Any) -> str:
        """Return one of the known words."""
        word = self.text(key, default).lower()
        if word not in known:
            self.fault(f"{key!r} is {word!r}, which is no known kind", key, remedy=did_you_mean(word, known))
            return default
        return word

    def moment(self, key: str, zone: ZoneInfo) -> datetime | None:
        """Return a moment, or None when the key is missing."""
        value = self.at(key).value
        if value is None:
            return None
        try:
            return moment_of(value, zone)
        except ValueError:
            self.fault(f"{key!r} is no date or time: {value!r}", key, remedy="write 2026-05-31 or 2026-05-31T18:00")
            return None

    def day(self, key: str) -> date | None:
        """Return a date, or None when the key is missing."""
        value = self.at(key).value
        if value is None or (isinstance(value, date) and not isinstance(value, datetime)):
            return value
        try:
            return date.fromisoformat(value)
        except (ValueError, TypeError):
            self.fault(f"{key!r} is no date: {value!r}", key, remedy="write 2026-05-31")
            return None

    def entries(self, key: str) -> Iterator[tuple[str, "Cursor"]]:
        """Yield name and cursor of every entry of a mapping; nothing when the key is missing."""
        inner = self.at(key)
        if inner.value is None:
            return
        if not isinstance(inner.value, Mapping):
            inner.fault(f"{key!r} must be a mapping from name to description, found {_kind(inner.value)}")
            return
        for name in inner.value:
            text = str(name).strip()
            if not text or "/" in text:
                inner.fault(f"{name!r} cannot be a name", name, remedy="a name is a word without '/'")
                continue
            yield text, inner.at(name)

    def items(self, key: str) -> Iterator["Cursor"]:
        """Yield the cursors of a list; a single value counts as a list of one; nothing when the key is missing."""
        inner = self.at(key)
        if inner.value is None:
            return
        if not isinstance(inner.value, list):
            yield inner
            return
        for index, value in enumerate(inner.value):
            yield Cursor(self.marked, (*inner.path, index), value, self.faults)

    def words(self, key: str) -> Iterator[tuple[str, "Cursor"]]:
        """Yield the texts of a list with their cursors."""
        for item in self.items(key):
            if item.value is None or isinstance(item.value, bool | list | dict) or not str(item.value).strip():
                item.fault(f"expected a text, found {_kind(item.value)}")
            else:
                yield str(item.value).strip(), item


def _kind(value: Any) -> str:
    words = {dict: "a mapping", list: "a list", str: f"the text {str(value)[:30]!r}", type(None): "nothing", bool: "true or false"}
    return words.get(type(value), repr(value))
