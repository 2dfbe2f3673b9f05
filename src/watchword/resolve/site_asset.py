"""Assets as a site file writes them: kind, place, owner, addresses with their times, what a camera sees, what each depends on."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

from watchword.kit.errors import Fault
from watchword.model import Asset, AssetBook, AssetKind, Door, Lease, Place, PlaceKind
from watchword.resolve.addresses import canonical_address
from watchword.resolve.cursor import Cursor, did_you_mean

KEYS: Final = ("kind", "place", "owner", "addresses", "sees", "upstream", "shared", "protects")
EVER: Final = (datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC))


class AssetReader:
    """Reads assets one by one, then checks what they say of each other."""

    def __init__(self, places: Mapping[str, Place], doors: Mapping[str, Door], notes: list[Fault]) -> None:
        self.places, self.doors, self.notes = places, doors, notes
        self.assets: dict[str, Asset] = {}
        self.leases: dict[str, list[Lease]] = {}
        self.cursors: dict[str, Cursor] = {}
        self.fixed: dict[str, str] = {}

    def book(self) -> AssetBook:
        """Return what was read."""
        return AssetBook(self.assets, tuple(lease for same in self.leases.values() for lease in same))

    def read(self, site: str, name: str, cursor: Cursor, zone: ZoneInfo) -> None:
        """Read the asset at the cursor; faults are noted there."""
        uid = f"asset:{name}"
        if not cursor.allow(*KEYS):
            return
        if uid in self.assets:
            first = self.cursors[uid]
            cursor.fault(f"asset {name!r} is described a second time", remedy=f"see {first.marked.name}:{first.marked.line(*first.path)}")
            return
        self.cursors[uid] = cursor
        owner = cursor.text("owner").removeprefix("person:")
        kind = AssetKind(cursor.choice("kind", AssetKind.OTHER, tuple(AssetKind)))
        self.assets[uid] = Asset(
            uid,
            name,
            kind,
            self._place(site, cursor),
            f"person:{owner}" if owner else "",
            self._addresses(uid, name, cursor, zone),
            self._sees(site, cursor),
            tuple(word for word, _ in cursor.words("upstream")),
            cursor.flag("shared", False),
            self._protects(site, kind, cursor),
        )
        if kind is AssetKind.CAMERA and not self.assets[uid].sees:
            self.notes.append(cursor.marked.fault(f"camera {name!r} sees no door", *cursor.path))

    def _place(self, site: str, cursor: Cursor) -> str:
        named = cursor.text("place")
        if not named:
            return ""
        alike = [uid for uid, place in self.places.items() if place.kind is PlaceKind.ZONE and uid.startswith(f"{site}/")]
        exact = [uid for uid in alike if uid in {f"{site}/{named}", named}] or [uid for uid in alike if uid.endswith(f"/{named}")]
        if len(exact) == 1:
            return exact[0]
        below = [uid.partition("/")[2] for uid in alike]
        cursor.fault(f"place {named!r} is no zone of {site!r}", "place", remedy=did_you_mean(named, below) or "write building/floor/zone")
        return ""

    def _addresses(self, uid: str, name: str, cursor: Cursor, zone: ZoneInfo) -> tuple[str, ...]:
        found = []
        self._fixed(canonical_address(name), uid, cursor)
        for item in cursor.items("addresses"):
            if isinstance(item.value, dict):
                if not item.allow("address", "since", "until"):
                    continue
                address = canonical_address(item.text("address", required=True))
                since, until = item.moment("since", zone), item.moment("until", zone)
                if since is not None and until is not None and since >= until:
                    item.fault("'since' must be before 'until'", "until")
                self._lease(Lease(address, uid, since, until), item)
            elif isinstance(item.value, str) and item.value.strip():
                address = canonical_address(item.value)
                self._fixed(address, uid, item)
                found.append(address)
            else:
                item.fault(f"{item.value!r} is no address", remedy="put it in quotes: a MAC address can look like a number or time to YAML")
        return tuple(found)

    def _fixed(self, address: str, uid: str, cursor: Cursor) -> None:
        other = self.fixed.setdefault(address, uid)
        if other != uid:
            remedy = "remove one, or give each its since and until"
            cursor.fault(f"address {address!r} already belongs to {other.partition(':')[2]!r}", remedy=remedy)

    def _lease(self, lease: Lease, cursor: Cursor) -> None:
        same = self.leases.setdefault(lease.address, [])
        for other in same:
            since, until = max(other.since or EVER[0], lease.since or EVER[0]), min(other.until or EVER[1], lease.until or EVER[1])
            if since < until:
                cursor.fault(
                    f"address {lease.address!r} belongs to {other.asset.partition(':')[2]!r} at the same time", remedy="mend since or until"
                )
        same.append(lease)

    def _sees(self, site: str, cursor: Cursor) -> tuple[str, ...]:
        found = []
        for word, item in cursor.words("sees"):
            uid = word if word in self.doors else f"{site}/doors/{word}"
            if uid in self.doors:
                found.append(uid)
            else:
                own = [door.rpartition("/")[2] for door in self.doors if door.startswith(f"{site}/")]
                item.fault(f"sees door {word!r}, which is not described", remedy=did_you_mean(word, own))
        return tuple(found)

    def _protects(self, site: str, kind: AssetKind, cursor: Cursor) -> tuple[str, ...]:
        found = []
        for word, item in cursor.words("protects"):
            uid = word if word in self.places else f"{site}/{word}"
            if uid in self.places and self.places[uid].kind is PlaceKind.BUILDING:
                found.append(uid)
            else:
                own = [place.uid.rpartition("/")[2] for place in self.places.values() if place.kind is PlaceKind.BUILDING]
                item.fault(f"protects {word!r}, which is no building of {site!r}", remedy=did_you_mean(word, own))
        if found and kind is not AssetKind.PANEL:
            cursor.fault("'protects' is for fire panels", "protects", remedy="write kind: panel, or leave it out")
        return tuple(found)

    def finish(self) -> None:
        """Turn the names of what assets depend on into uids, once all assets are known."""
        names = [asset.name for asset in self.assets.values()]
        for uid, asset in self.assets.items():
            cursor = self.cursors[uid]
            found = []
            for word, item in cursor.words("upstream"):
                other = f"asset:{word.removeprefix('asset:')}"
                if other not in self.assets:
                    item.fault(f"depends on {word!r}, which is not described", remedy=did_you_mean(word, names) or "add it, kind: other")
                elif other == uid:
                    item.fault("depends on itself")
                else:
                    found.append(other)
            self.assets[uid] = replace(asset, upstream=tuple(found))
        self._circles()

    def _circles(self) -> None:
        """Note each circle of assets that depend on each other, once, with the way around it."""
        done: set[str] = set()
        for start in self.assets:
            way: list[str] = []
            stack = [(start, 0)]
            while stack:  # depth first; `done` holds what leads into no circle that was not noted
                uid, depth = stack.pop()
                del way[depth:]
                if uid in way:
                    circle = [*way[way.index(uid) :], uid]
                    words = " → ".join(each.partition(":")[2] for each in circle)
                    self.cursors[uid].fault(f"depends on itself: {words}", "upstream", remedy="take one of these dependencies out")
                    done.update(circle)
                elif uid not in done:
                    way.append(uid)
                    done.add(uid)
                    stack += [(other, len(way)) for other in self.assets[uid].upstream if other in self.assets]
