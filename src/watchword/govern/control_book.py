"""The control book: what control tests must know of a house and no site file says, read from a small YAML file."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from watchword.kit.errors import ContentError, Fault
from watchword.kit.marked import Marked, read_marked

KEYS: Final = ("roles", "vestibules", "posts", "racks", "power", "tracked", "backed_up", "skills")


@dataclass(frozen=True, slots=True)
class Book:
    """What was written down. Empty parts were not: the tests that need them say *insufficient*."""

    roles: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Zone → roles that may enter without escort."""
    vestibules: tuple[tuple[str, str], ...] = ()
    """Pairs of doors that must never be open together."""
    posts: tuple[str, ...] = ()
    """Zones in which a guard must stand round the clock."""
    racks: tuple[str, ...] = ()
    """Doors and sensors of racks and cages."""
    power: tuple[str, ...] = ()
    """Assets that are uninterruptible power supplies."""
    tracked: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Tagged asset → places in which it may be."""
    backed_up: tuple[str, ...] = ()
    """Assets whose configuration must be backed up; empty: every panel and controller."""
    skills: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Role → skills that must be assessed."""
    version: int = 0
    """Which version of the text; 0: none was ever kept."""


def read_book(text: str, name: str = "control book", version: int = 0) -> Book:
    """Read a control book.

    Raises:
        ContentError: with every fault, each at its line.
    """
    marked = read_marked(text, name)
    if not isinstance(marked.value, dict):
        raise ContentError([Fault(name, 1, "is no mapping", f"write some of: {', '.join(KEYS)}")])
    reading = _Reading(marked)
    reading.known()
    book = Book(
        roles={zone: frozenset(words) for zone, words in reading.lists("roles").items()},
        vestibules=reading.pairs("vestibules"),
        posts=reading.words("posts"),
        racks=reading.words("racks"),
        power=reading.words("power"),
        tracked={asset: tuple(words) for asset, words in reading.lists("tracked").items()},
        backed_up=reading.words("backed_up"),
        skills={role: tuple(words) for role, words in reading.lists("skills").items()},
        version=version,
    )
    if reading.faults:
        raise ContentError(reading.faults)
    return book


class _Reading:
    def __init__(self, marked: Marked) -> None:
        self.marked = marked
        self.faults: list[Fault] = []

    def known(self) -> None:
        for key in self.marked.value:
            if key not in KEYS:
                self._fault(f"{key!r} is unknown", f"write one of: {', '.join(KEYS)}", key)

    def words(self, key: str) -> tuple[str, ...]:
        found = self.marked.value.get(key) or []
        if not _is_words(found):
            self._fault(f"{key!r} must be a list of uids", "write - UID on a line each", key)
            return ()
        return tuple(found)

    def lists(self, key: str) -> dict[str, list[str]]:
        found = self.marked.value.get(key) or {}
        if not isinstance(found, dict) or not all(isinstance(name, str) and _is_words(words) for name, words in found.items()):
            self._fault(f"{key!r} must be a mapping of lists", "write NAME: [one, two]", key)
            return {}
        return dict(found)

    def pairs(self, key: str) -> tuple[tuple[str, str], ...]:
        found = self.marked.value.get(key) or []
        if not isinstance(found, list) or not all(_is_words(pair) and len(pair) == 2 for pair in found):
            self._fault(f"{key!r} must be a list of pairs of doors", "write - [site/doors/A, site/doors/B]", key)
            return ()
        return tuple((pair[0], pair[1]) for pair in found)

    def _fault(self, text: str, remedy: str, *path: str) -> None:
        self.faults.append(self.marked.fault(text, *path, remedy=remedy))


def _is_words(found: object) -> bool:
    return isinstance(found, list) and all(isinstance(each, str) and each for each in found)
