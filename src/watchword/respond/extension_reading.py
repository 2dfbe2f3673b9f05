"""Reads the members of our extensions one by one, and remembers every fault: what is misspelt, unknown or of a wrong kind."""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final, TypeVar

from watchword.kit.duration import read_duration
from watchword.kit.errors import InputError, WatchwordError
from watchword.model.action import Hazard

LONGEST: Final = 2_000
"""Characters of one text."""
MOST: Final = 100
"""Items of one list, members of one mapping."""

Pointer = tuple[str | int, ...]
T = TypeVar("T")


class ExtensionFault(WatchwordError):
    """One of our extensions says something that cannot be read; every fault with the members that lead to it."""

    def __init__(self, faults: list[tuple[Pointer, str]]) -> None:
        """Keep the faults as (pointer within the extension, words)."""
        self.faults = tuple(faults)
        super().__init__("; ".join(f"{'.'.join(map(str, pointer))}: {text}" for pointer, text in faults))


class Members:
    """The members of one JSON object. What is asked for is known; the rest is a fault."""

    def __init__(self, value: Mapping[str, Any], pointer: Pointer = (), faults: list[tuple[Pointer, str]] | None = None) -> None:
        self._value = value
        self._pointer = pointer
        self._faults: list[tuple[Pointer, str]] = [] if faults is None else faults
        self._known: set[str] = set()

    def wrong(self, text: str, *pointer: str | int) -> None:
        """Remember a fault."""
        self._faults.append(((*self._pointer, *pointer), text))

    def finish(self) -> None:
        """End the reading of the outermost object.

        Raises:
            ExtensionFault: something was wrong.
        """
        self.close()
        if self._faults:
            raise ExtensionFault(self._faults)

    def close(self) -> None:
        """Remember members that nobody asked for, and those that are null: leaving a safeguard out is said by leaving it out."""
        for name, value in self._value.items():
            if value is None and name in self._known:
                self.wrong("is null; leave it out, or say what is meant", name)
            if name not in self._known:
                self.wrong(f"is not known here; known are {', '.join(sorted(self._known))}", name)

    def peek(self, name: str) -> Any:
        """Return a member as it stands; None when it is not there."""
        self._known.add(name)
        return self._value.get(name)

    def text(self, name: str) -> str:
        """Return a text; empty when it is not there."""
        value = self.peek(name)
        if value is None:
            return ""
        if not isinstance(value, str) or len(value) > LONGEST:
            self.wrong(f"is no text of at most {LONGEST:,} characters", name)
            return ""
        return value

    def choice(self, name: str, among: frozenset[str], default: str) -> str:
        """Return one word of a few; without a default it must be there."""
        value = self.peek(name)
        if value is None and default:
            return default
        if not isinstance(value, str) or value not in among:
            self.wrong(f"is none of {', '.join(sorted(among))}", name)
            return default
        return value

    def words(self, name: str, *, among: frozenset[str] | None = None) -> tuple[str, ...]:
        """Return a list of texts; empty when it is not there."""
        value = self.peek(name)
        if value is None:
            return ()
        if not isinstance(value, list) or len(value) > MOST or not all(isinstance(one, str) and 0 < len(one) <= LONGEST for one in value):
            self.wrong(f"is no list of at most {MOST} texts", name)
            return ()
        for place, one in enumerate(value):
            if among is not None and one not in among:
                self.wrong(f"is none of {', '.join(sorted(among))}", name, place)
        return tuple(value)

    def texts(self, name: str) -> dict[str, str]:
        """Return a mapping of words to texts."""
        value = self.peek(name)
        if value is None:
            return {}
        if (
            not isinstance(value, dict)
            or len(value) > MOST
            or not all(isinstance(one, str) and len(one) <= LONGEST for one in value.values())
        ):
            self.wrong(f"is no mapping of at most {MOST} names to texts", name)
            return {}
        return dict(value)

    def number(self, name: str, least: int, most: int) -> int | None:
        """Return a whole number within bounds; None when it is not there."""
        value = self.peek(name)
        if value is None:
            return None
        if type(value) is not int or not least <= value <= most:
            self.wrong(f"is no whole number from {least} to {most:,}", name)
            return None
        return value

    def hazard(self, name: str) -> Hazard | None:
        """Return a hazard, written 2 or H2."""
        value = self.peek(name)
        if isinstance(value, str) and value in Hazard.__members__:
            return Hazard[value]
        number = self.number(name, 0, int(max(Hazard)))
        return None if number is None else Hazard(number)

    def flag(self, name: str, *, default: bool) -> bool:
        """Return true or false."""
        value = self.peek(name)
        if value is None:
            return default
        if not isinstance(value, bool):
            self.wrong("is neither true nor false", name)
            return default
        return value

    def duration(self, name: str, *, needed: bool) -> timedelta | None:
        """Return a duration above nought, such as 15m."""
        value = self.peek(name)
        if value is None and not needed:
            return None
        try:
            found = read_duration(value) if isinstance(value, str) else timedelta()
        except InputError:
            found = timedelta()
        if found <= timedelta():
            self.wrong("is no duration, such as 15m or 1h30m", name)
            return None
        return found

    def day(self, name: str) -> date | None:
        """Return a day, 2027-01-31."""
        value = self.peek(name)
        if value is None:
            return None
        try:
            return date.fromisoformat(value if isinstance(value, str) else "")
        except ValueError:
            self.wrong("is no day, such as 2027-01-31", name)
            return None

    def moment(self, name: str) -> datetime | None:
        """Return a moment in UTC, 2027-01-31T09:00:00.000Z."""
        value = self.peek(name)
        if value is None:
            return None
        try:
            found = datetime.fromisoformat(value if isinstance(value, str) else "")
        except ValueError:
            found = None
        if found is None or found.tzinfo is None:
            self.wrong("is no moment, such as 2027-01-31T09:00:00.000Z", name)
            return None
        return found.astimezone(UTC)

    def anything(self, name: str) -> Mapping[str, Any] | None:
        """Return an object, whatever it holds."""
        value = self.peek(name)
        if value is not None and not isinstance(value, dict):
            self.wrong("is no object", name)
            return None
        return value

    def part(self, name: str, read: "Callable[[Members], T]") -> T | None:
        """Read an object within this one; None when it is not there."""
        value = self.anything(name)
        if value is None:
            return None
        return self._inner(value, read, name)

    def parts(self, name: str, read: "Callable[[Members], T]") -> tuple[T, ...]:
        """Read a list of objects within this one."""
        value = self.peek(name)
        if value is None:
            return ()
        if not isinstance(value, list) or len(value) > MOST or not all(isinstance(one, dict) for one in value):
            self.wrong(f"is no list of at most {MOST} objects", name)
            return ()
        return tuple(self._inner(one, read, name, place) for place, one in enumerate(value))

    def _inner(self, value: Mapping[str, Any], read: "Callable[[Members], T]", *pointer: str | int) -> T:
        inner = Members(value, (*self._pointer, *pointer), self._faults)
        found = read(inner)
        inner.close()
        return found
