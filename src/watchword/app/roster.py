"""The roster: who may be called and for which team, read from the accounts."""

from collections.abc import Sequence

from sqlalchemy import select

from watchword.app.accounts import Accounts
from watchword.app.principal import TEAMS, Role
from watchword.kit.records import Records
from watchword.model import Team
from watchword.model.incident import IncidentRole
from watchword.respond.incident_tables import incident_role

CALLED = frozenset({Role.IT_ANALYST, Role.CONTROL_ROOM_OPERATOR, Role.MANAGER, Role.ADMINISTRATOR})
"""Roles of people who respond; an auditor is called by nobody."""


class AccountRoster:
    """Implements `respond.reach_service.Roster` on the accounts: a disabled account is called no more."""

    def __init__(self, accounts: Accounts, records: Records) -> None:
        self._accounts = accounts
        self._records = records

    def team_of(self, person: str) -> str:
        """Return the team of an account name; empty when nobody active is called so."""
        return self._teams().get(person, "")

    def members(self, team: str) -> Sequence[str]:
        """Return the account names of a team."""
        return [name for name, own in self._teams().items() if own == team]

    def deputies(self, incident: str) -> Sequence[str]:
        """Return the deputies of an incident's lead; empty when it has none."""
        mine = (incident_role.c.incident == incident) & (incident_role.c.role == IncidentRole.DEPUTY.value)
        query = select(incident_role.c.person).where(mine, incident_role.c.until.is_(None)).order_by(incident_role.c.since)
        with self._records.read() as connection:
            return list(connection.execute(query).scalars())

    def managers(self) -> Sequence[str]:
        """Return who is called when everybody else has not answered."""
        return [one.name for one in self._accounts.accounts() if one.role is Role.MANAGER and not one.disabled]

    def _teams(self) -> dict[str, str]:
        found = (one for one in self._accounts.accounts() if not one.disabled and one.role in CALLED)
        return {one.name: TEAMS.get(one.role, Team.MANAGEMENT).value for one in found}
