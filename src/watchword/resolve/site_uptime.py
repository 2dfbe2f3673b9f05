"""What a site file says of expected function: which asset drives a door, what counts as working, cover of zones, promised uptime."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from watchword.kit.duration import read_duration
from watchword.kit.errors import InputError
from watchword.model import Asset, Calendar, Door, Place
from watchword.model.uptime import Cover, ServiceObjective, UptimeBook
from watchword.resolve.cursor import Cursor, did_you_mean
from watchword.resolve.site_calendar import resolve_calendar

KEYS: Final = ("controllers", "expects", "tests", "armed", "cover", "objectives")
TESTS: Final = ("lock", "walk", "footage")
FUNCTIONS: Final = (
    *("reachable", "recording", "picture", "clock", "storage", "power"),
    *("controller", "forced", "held", "contact", "lock", "armed", "trouble", "walk", "footage", "probes"),
)
"""Names of the functions that may be expected; a component of a kind has only some of them."""


@dataclass(slots=True)
class UptimeReader:
    """Reads the ``uptime`` section of each site; faults are noted at their lines."""

    places: Mapping[str, Place]
    doors: Mapping[str, Door]
    assets: Mapping[str, Asset]
    calendars: dict[str, Calendar]
    controllers: dict[str, str] = field(default_factory=dict)
    expects: dict[str, tuple[str, ...]] = field(default_factory=dict)
    tests: dict[str, timedelta] = field(default_factory=dict)
    armed: dict[str, str] = field(default_factory=dict)
    covers: dict[str, Cover] = field(default_factory=dict)
    objectives: dict[str, ServiceObjective] = field(default_factory=dict)

    def book(self) -> UptimeBook:
        """Return what was read of all sites."""
        return UptimeBook(
            self.controllers, self.expects, self.tests, self.armed, tuple(self.covers.values()), tuple(self.objectives.values())
        )

    def read(self, site: str, part: Cursor) -> None:
        """Read the section of a site, if it has one."""
        at = part.at("uptime")
        if at.value is None or not at.allow(*KEYS):
            return
        for name, cursor in at.entries("controllers"):
            self._controller(site, name, at.at("controllers"), cursor)
        for name, _ in at.entries("expects"):
            self._expected(site, name, at.at("expects"))
        for name, cursor in at.entries("tests"):
            self._test(name, at.at("tests"), cursor)
        for name, cursor in at.entries("armed"):
            uid = self._thing(site, name, cursor)
            calendar = resolve_calendar(at.at("armed"), name, site, self.calendars)
            if uid and calendar:
                self.armed[uid] = calendar
        for item in at.items("cover"):
            self._cover(site, item)
        for item in at.items("objectives"):
            self._objective(site, item)

    def _thing(self, site: str, name: str, cursor: Cursor) -> str:
        """Return the uid of the asset or door called so; '' and a fault when there is none."""
        for uid in (f"asset:{name}", f"{site}/doors/{name}"):
            if uid in self.assets or uid in self.doors:
                return uid
        own = [asset.name for asset in self.assets.values()] + [uid.rpartition("/")[2] for uid in self.doors if uid.startswith(f"{site}/")]
        cursor.fault(f"{name!r} is no asset and no door of {site!r}", remedy=did_you_mean(name, own) or "describe it first")
        return ""

    def _controller(self, site: str, name: str, at: Cursor, cursor: Cursor) -> None:
        asset = self._thing(site, name, cursor)
        for word, item in at.words(name):
            door = f"{site}/doors/{word}"
            if door not in self.doors:
                own = [uid.rpartition("/")[2] for uid in self.doors if uid.startswith(f"{site}/")]
                item.fault(f"door {word!r} is not described", remedy=did_you_mean(word, own))
            elif self.controllers.setdefault(door, asset) != asset:
                item.fault(f"door {word!r} has a controller already", remedy="name it once")

    def _expected(self, site: str, name: str, at: Cursor) -> None:
        uid = self._thing(site, name, at.at(name))
        found = []
        for word, item in at.words(name):
            if word in FUNCTIONS:
                found.append(word)
            else:
                item.fault(f"{word!r} is no function", remedy=did_you_mean(word, FUNCTIONS))
        if uid:
            self.expects[uid] = tuple(found)

    def _test(self, name: str, at: Cursor, cursor: Cursor) -> None:
        if name not in TESTS:
            cursor.fault(f"{name!r} is no kind of test", remedy=did_you_mean(name, TESTS))
            return
        found = self._duration(at, name)
        if found is not None:
            self.tests[name] = found

    def _duration(self, at: Cursor, key: str) -> timedelta | None:
        try:
            found = read_duration(at.text(key))
        except InputError as error:
            at.fault(str(error), key, remedy="write a duration such as 30d")
            return None
        if not timedelta(minutes=1) <= found <= timedelta(days=3660):
            at.fault(f"{key!r} is out of bounds", key, remedy="choose 1m to 3660d")
            return None
        return found

    def _subject(self, site: str, word: str) -> str:
        for uid in (f"{site}/{word}" if word != site else site, word):
            if uid in self.places:
                return uid
        alike = [uid for uid in self.places if uid.startswith(f"{site}/") and uid.endswith(f"/{word}")]
        return alike[0] if len(alike) == 1 else ""

    def _cover(self, site: str, item: Cursor) -> None:
        if not item.allow("place", "least", "of", "weight"):
            return
        word = item.text("place", required=True)
        place = self._subject(site, word)
        if not place:
            own = [uid.partition("/")[2] for uid in self.places if uid.startswith(f"{site}/")]
            item.fault(f"place {word!r} is not described at {site!r}", "place", remedy=did_you_mean(word, own))
            return
        of = tuple(uid for name, cursor in item.words("of") if (uid := self._thing(site, name, cursor)))
        least = item.number("least", 1, 1, 10_000)
        if least != int(least):
            item.fault("'least' must be a whole number", "least")
        if of and least > len(of):
            item.fault(f"needs {least:g} of {len(of)}: it can never be covered", "least", remedy="lower 'least', or name more in 'of'")
        if place in self.covers:
            item.fault(f"the cover of {word!r} is described a second time", "place")
            return
        self.covers[place] = Cover(place, int(least), of, item.number("weight", 1.0, 0.001, 1000.0))

    def _objective(self, site: str, item: Cursor) -> None:
        if not item.allow("of", "share", "window"):
            return
        word = item.text("of", required=True)
        uid = next((uid for uid in (f"asset:{word}", f"{site}/doors/{word}") if uid in self.assets or uid in self.doors), "")
        uid = uid or self._subject(site, word)
        if not uid:
            item.fault(f"{word!r} is no asset, door or place of {site!r}", "of", remedy="name what is described in this file")
            return
        share = item.number("share", 0.0, 0.5, 0.99999)
        if not share:
            item.fault("'share' is missing", remedy="write the promised share of time, as in share: 0.995")
        window = self._duration(item, "window") if item.at("window").value is not None else timedelta(days=30)
        if uid in self.objectives:
            item.fault(f"{word!r} has an objective already", "of")
        elif share and window is not None:
            self.objectives[uid] = ServiceObjective(uid, share, window)
