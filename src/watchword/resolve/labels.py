"""Labels: the words by which people know a person, an asset, a place or a credential."""

from typing import TYPE_CHECKING

from watchword.model import OUTSIDE, PlaceKind

if TYPE_CHECKING:
    from watchword.resolve.directory import Directory


def short_name(name: str) -> str:
    """Return initial and family name: 'Ana Reyes' and 'Reyes, Ana' → 'A. Reyes'."""
    family, comma, given = (part.strip() for part in name.partition(","))
    if not comma:
        given, _, family = name.strip().rpartition(" ")
    return f"{given[0]}. {family}" if given and family else name.strip()


def label_of(directory: "Directory", uid: str) -> str:
    """Return the words for a uid; the uid itself where nobody gave it a name."""
    kind, colon, rest = uid.partition(":")
    if not colon:
        return _place_label(directory, uid)
    if kind == "person":
        person = directory.person(uid)
        return short_name(person.name) if person else f"person {rest}"
    if kind == "asset":
        asset = directory.asset(uid)
        return asset.name if asset else rest
    credential = directory.people.credentials.get(uid)
    if credential is not None:
        return credential.label
    return rest if kind == "account" else f"unknown {kind} #{rest[:6]}"


def _place_label(directory: "Directory", uid: str) -> str:
    door = directory.door(uid)
    if door is not None:
        return door.name
    place = directory.place(uid)
    if place is None:
        return uid
    parent = directory.place(place.parent)
    if parent is None:
        return place.name
    if place.kind is PlaceKind.FLOOR or uid.endswith(f"/{OUTSIDE}"):
        return f"{parent.name}, {place.name}"
    return place.name
