"""Grouping: what events must have in common to be looked at together, as keys."""

from collections.abc import Callable, Iterable, Sequence
from itertools import product

from watchword.detect.detector import Rule
from watchword.detect.selection import getter_of, plain, site_of, zone_of
from watchword.detect.setting import refuse
from watchword.model import Event
from watchword.model.field import ROLES
from watchword.resolve.directory import Directory

Group = Callable[[Event], tuple[str, ...]]
"""The values of one group-by word for an event; none: the event has no such value, and does not count."""
_ATTRIBUTES = ("person", "asset", "place", "credential", "source", "src_ip", "dst_ip")


def group_of(rule: Rule, name: str, directory: Directory, *path: str | int) -> Group:
    """Return how a group-by word is read: an attribute, ``site``, ``zone``, ``holder`` (the person, else the credential), or a role.

    Raises:
        ContentError: the word is none of these.
    """
    if name in _ATTRIBUTES:
        return lambda event: (value,) if (value := getattr(event, name)) else ()
    if name == "site":
        return lambda event: (value,) if (value := site_of(event, directory)) else ()
    if name == "zone":
        return lambda event: (value,) if (value := zone_of(event, directory)) else ()
    if name == "holder":
        return lambda event: (value,) if (value := event.person or event.credential) else ()
    if name in ROLES or "." in name:
        read = getter_of(name)

        def values(event: Event) -> tuple[str, ...]:
            found = read(event)
            if found is None:
                return ()
            return tuple(sorted({plain(item) for item in found})) if isinstance(found, list | tuple) else (plain(found),)

        return values
    raise refuse(rule, f"{name!r} cannot be grouped by", *path, remedy="a role, person, asset, credential, holder, place, zone or site")


def keys_of(event: Event, groups: Sequence[Group]) -> Iterable[str]:
    """Return the keys of an event: one for each combination of its values; none when a value is missing."""
    if len(groups) == 1:
        return groups[0](event)
    return ("|".join(values) for values in product(*(group(event) for group in groups)))
