"""Maintenance windows: work with a ticket; what is found on a door, camera or panel then calls nobody, and is recorded all the same."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from watchword.model import Finding, Mode
from watchword.resolve.directory import Directory


@dataclass(frozen=True, slots=True)
class Maintenance:
    """That a place or an asset is being worked on, within [since, until)."""

    entity: str
    """Uid of a place (and all within it), door or asset."""
    since: datetime
    until: datetime
    ticket: str


def under_maintenance(finding: Finding, windows: Iterable[Maintenance], directory: Directory) -> Finding:
    """Return the finding as it counts: risk only, and saying so, when one of its places or assets is being worked on."""
    if finding.mode is not Mode.PAGE:
        return finding
    for window in windows:
        if window.since <= finding.time < window.until and _concerns(finding, window.entity, directory):
            return replace(
                finding, mode=Mode.RISK, because=f"{finding.because} Maintenance is under way ({window.ticket}), so nobody was called."
            )
    return finding


def _concerns(finding: Finding, entity: str, directory: Directory) -> bool:
    if entity in finding.assets or entity in finding.places:
        return True
    standing = (asset.place for uid in finding.assets if (asset := directory.asset(uid)) is not None)
    return any(place and directory.within(place, entity) for place in (*finding.places, *standing))
