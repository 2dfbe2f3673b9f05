"""Acknowledgements that nothing followed: found, and made void so that paging resumes."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, and_, or_, select

from watchword.model.incident import Moment, MomentEntry
from watchword.respond import incident_tables as tables
from watchword.respond.casebook_service import Casebook
from watchword.respond.incident_state import STALE


@dataclass(frozen=True, slots=True)
class Stale:
    """A team that acknowledged, and has done nothing since."""

    incident: str
    team: str
    person: str
    """Who acknowledged."""
    acknowledged_at: datetime
    severity: int
    title: str
    exercise: bool


class Staleness:
    """Finds and voids acknowledgements (t4) that no first deed (t5) followed in time."""

    def __init__(self, casebook: Casebook) -> None:
        self._casebook = casebook

    def find(self, now: datetime, limit: int = 500) -> list[Stale]:
        """Return them, the longest ago first; how long one holds is by severity (`incident_state.STALE`)."""
        team, case = tables.incident_team, tables.incident
        late = or_(*(and_(case.c.severity == severity, team.c.acknowledged_at <= now - within) for severity, within in STALE.items()))
        query = (
            select(team, case.c.severity, case.c.title, case.c.exercise)
            .select_from(team.join(case, case.c.uid == team.c.incident))
            .where(team.c.engaged_at.is_(None), team.c.acknowledged_at.is_not(None), case.c.open, late)
            .order_by(team.c.acknowledged_at, team.c.incident, team.c.team)
            .limit(limit)
        )
        with self._casebook.records.read() as connection:
            rows = connection.execute(query).all()
        return [
            Stale(row.incident, row.team, row.acknowledged_by, row.acknowledged_at, row.severity, row.title, row.exercise) for row in rows
        ]

    def expire(self, connection: Connection, stale: Stale) -> bool:
        """Void one; False when the team has engaged, or acknowledged anew, since it was found."""
        table = tables.incident_team
        mine = (table.c.incident == stale.incident) & (table.c.team == stale.team)
        self._casebook.take_turn(connection)
        row = connection.execute(select(table).where(mine)).one_or_none()
        if row is None or row.engaged_at is not None or row.acknowledged_at != stale.acknowledged_at:
            return False
        reason = f"Acknowledged by {stale.person or 'somebody'} and nothing done since: the team is paged again."
        void = MomentEntry(Moment.ACKNOWLEDGED, None, "system", team=stale.team, recorded_by="system", reason=reason)
        self._casebook.record(connection, stale.incident, void)
        return True
