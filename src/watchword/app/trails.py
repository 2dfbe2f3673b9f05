"""Trails: whose events a question asks for without naming them, so that a reason is asked there too."""

from collections.abc import Iterable
from datetime import datetime

from watchword.resolve.directory import Directory


def owners_of(
    directory: Directory, assets: Iterable[str], addresses: Iterable[str], since: datetime | None, until: datetime | None, now: datetime
) -> tuple[str, ...]:
    """Return the people whose own the asked assets were within [since, until): what their machine did is what they did.

    Args:
        directory: Who and what is known.
        assets: Uids that are asked for.
        addresses: IP addresses that are asked for: those of a machine now, or at the end of the window, count as the machine.
        since: From when; None: from ever.
        until: Until when; None: now.
        now: The present moment.
    """
    behind = (directory.asset_at(address, until or now) for address in addresses)
    machines = dict.fromkeys([*assets, *(asset.uid for asset in behind if asset is not None)])
    return tuple(dict.fromkeys(person for machine in machines for person in directory.owners(machine, since, until)))
