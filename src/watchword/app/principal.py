"""Who asks and what they may do: roles, permissions, and the principal that every face hands to the services."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from watchword.kit.errors import Forbidden
from watchword.model import Team


class Permission(StrEnum):
    """What a role may do; the same words are the scopes of API tokens."""

    READ = "read"
    """See events, findings, places, people and assets without trails, sources and rankings."""
    TRAIL = "trail"
    """Read a person's trail, after giving a reason that is logged."""
    JUDGE = "judge"
    """Acknowledge findings and give verdicts."""
    INGEST = "ingest"
    """Hand in records."""
    SOURCES = "sources"
    """Change sources and mappings, re-parse records."""
    DIRECTORY = "directory"
    """Load site and people files."""
    AUDIT = "audit"
    """Read and verify the audit log."""
    ACCOUNTS = "accounts"
    """Make and change accounts and other people's tokens."""
    WALL = "wall"
    """See the wall display, which names nobody."""
    RESPOND = "respond"
    """Work on incidents: open and close them, start runs, do steps, hand over, keep evidence, acknowledge pages."""
    APPROVE = "approve"
    """Agree to actions, or stop them."""
    PLAYBOOKS = "playbooks"
    """Change and sign playbooks."""
    ROTA = "rota"
    """Change who is on call, how people are reached, and when pages rest."""
    MEASURE = "measure"
    """Set targets and service objectives, probes, re-review closures, share the dashboard."""
    PERSON_MEASURES = "person_measures"
    """See measures of single persons, where the setting allows them at all; each reading is logged."""
    GOVERN = "govern"
    """Take part in bodies: put items and proposals, ask, object, agree, keep minutes, do actions, hold reviews."""
    STEWARD = "steward"
    """Keep bodies, risks, controls, policies and investments: what a body works on."""


class Role(StrEnum):
    """The five kinds of people that log in."""

    ADMINISTRATOR = "administrator"
    IT_ANALYST = "it_analyst"
    CONTROL_ROOM_OPERATOR = "control_room_operator"
    MANAGER = "manager"
    AUDITOR = "auditor"


PERMISSIONS: Final[dict[Role, frozenset[Permission]]] = {
    Role.ADMINISTRATOR: frozenset(Permission),
    Role.IT_ANALYST: frozenset(
        {
            Permission.READ,
            Permission.TRAIL,
            Permission.JUDGE,
            Permission.SOURCES,
            Permission.WALL,
            Permission.RESPOND,
            Permission.APPROVE,
            Permission.GOVERN,
        }
    ),
    Role.CONTROL_ROOM_OPERATOR: frozenset(
        {
            Permission.READ,
            Permission.TRAIL,
            Permission.JUDGE,
            Permission.WALL,
            Permission.RESPOND,
            Permission.APPROVE,
            Permission.GOVERN,
        }
    ),
    Role.MANAGER: frozenset(
        {
            Permission.READ,
            Permission.WALL,
            Permission.RESPOND,
            Permission.APPROVE,
            Permission.PLAYBOOKS,
            Permission.ROTA,
            Permission.MEASURE,
            Permission.PERSON_MEASURES,
            Permission.GOVERN,
            Permission.STEWARD,
        }
    ),
    Role.AUDITOR: frozenset({Permission.READ, Permission.AUDIT}),
}
"""Who may do what. No role holds a right that it needs no more than once a year."""


TEAMS: Final[dict[Role, Team]] = {Role.IT_ANALYST: Team.IT, Role.CONTROL_ROOM_OPERATOR: Team.PHYSICAL}
"""The team for which a role speaks; whoever leads both speaks for management."""


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks: an account through a session or a token, with what it may do."""

    account: str
    """Uid of the account."""
    name: str
    role: Role
    permissions: frozenset[Permission]
    token: str = ""
    """Name of the API token used; empty for a session."""
    session: str = ""
    """Digest of the session; empty for a token."""
    full_name: str = ""
    must_change: bool = False

    @property
    def actor(self) -> str:
        """Return how the audit log names this principal."""
        return f"{self.name} (token {self.token})" if self.token else self.name

    @property
    def team(self) -> Team:
        """Return the team for which this principal speaks."""
        return TEAMS.get(self.role, Team.MANAGEMENT)

    def may(self, permission: Permission) -> bool:
        """Tell whether the permission is held."""
        return permission in self.permissions

    def require(self, permission: Permission) -> None:
        """Raise `Forbidden`, naming the permission, unless it is held."""
        if permission not in self.permissions:
            how = f"the scope {permission.value!r}" if self.token else f"a role with the permission {permission.value!r}"
            raise Forbidden(f"This needs {how}; {self.actor} has: {', '.join(sorted(self.permissions)) or 'none'}")
