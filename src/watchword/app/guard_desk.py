"""The guards' desk: a guard task is a page to the physical team and a task on the incident; whoever acknowledges the page accepts it."""

from collections.abc import Callable
from typing import Final

from sqlalchemy import select

from watchword.connectors.product import PeerFault
from watchword.kit.errors import WatchwordError
from watchword.kit.records import Records
from watchword.model.action import Action, Team
from watchword.resolve import Directory
from watchword.respond.escalation import Status
from watchword.respond.incident_service import Incidents
from watchword.respond.paging_service import Pager
from watchword.respond.paging_tables import page as page_table

SEVERITY: Final = 2
"""A guard task calls as an incident of this severity does: one team, the next step after its policy's time."""
TITLE: Final = 150


class HousePager:
    """Implements `connectors.product.GuardDesk` on the incidents and the pager of this house."""

    def __init__(self, records: Records, incidents: Incidents, pager: Pager, directory: Callable[[], Directory]) -> None:
        self._records, self._incidents, self._pager, self._directory = records, incidents, pager, directory

    def send(self, action: Action) -> str:
        """Page the physical team once per action, with place and task, and put the task on the incident."""
        if not action.incident:
            raise PeerFault("no-incident", "a guard is sent for an incident: open one first", sent=False)
        place, task = self._directory().label(action.target), action.parameters.get("task", "")
        guard = action.parameters.get("guard", "")
        title = f"Guard wanted at {place}"[:TITLE]
        words = f"{task} (for {guard})" if guard else task
        try:
            with self._records.begin() as connection:
                new = self._page(action) is None
                self._pager.page(
                    connection, incident=action.incident, severity=SEVERITY, teams=(Team.PHYSICAL.value,), title=title, place=place,
                    what_to_do=words, exercise=action.exercise, key=_key(action), places=(action.target,),
                )  # fmt: skip
            if new:
                self._incidents.tasks.add(
                    action.incident, title, by=action.requested_by or "system", team=Team.PHYSICAL, owner=guard, detail=task
                )
        except WatchwordError as error:
            raise PeerFault("not-paged", str(error), sent=False) from error
        return f"the physical team is paged to {place}; nobody has accepted yet"

    def accepted(self, action: Action) -> str:
        """Return who acknowledged the page for the physical team, or ''."""
        uid = self._page(action)
        if uid is None:
            return ""
        tracks = self._pager.get(uid).tracks
        return next((track.by for track in tracks if track.team == Team.PHYSICAL and track.status is Status.ACKNOWLEDGED), "")

    def _page(self, action: Action) -> str | None:
        with self._records.read() as connection:
            return connection.execute(select(page_table.c.uid).where(page_table.c.key == _key(action))).scalar_one_or_none()


def _key(action: Action) -> str:
    return f"guard:{action.key}"[:200]
