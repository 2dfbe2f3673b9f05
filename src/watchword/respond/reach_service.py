"""Who can be reached and by what: what paging asks of the accounts and of the channels."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from watchword.respond.ports import Channel


class Roster(Protocol):
    """Who may be called, from the accounts; whoever is disabled there is not in it."""

    def team_of(self, person: str) -> str:
        """Return the team of an account name; empty when nobody active is called so."""
        ...

    def members(self, team: str) -> Sequence[str]:
        """Return the account names of a team."""
        ...

    def deputies(self, incident: str) -> Sequence[str]:
        """Return the deputies of an incident's lead; empty when it has none."""
        ...

    def managers(self) -> Sequence[str]:
        """Return who is called when everybody else has not answered."""
        ...


@dataclass(frozen=True, slots=True)
class DeskChannel:
    """A shared channel from the settings: a desk's screen, a group's chat, a webhook."""

    name: str
    kind: str
    """``mail``, ``push``, ``chat``, ``sms``, ``voice`` or ``webhook``."""
    team: str
    """Whose desk; empty: nobody's, reached by its name only."""


class Channels(Protocol):
    """Opens channels; a text that is no address of a known service is refused with its place."""

    def desks(self) -> Sequence[DeskChannel]:
        """Return the shared channels that the settings name."""
        ...

    def desk(self, name: str) -> Channel:
        """Return a shared channel.

        Raises:
            NotFound: the settings name no such channel.
        """
        ...

    def open(self, address: str, kind: str, name: str) -> Channel:
        """Return the channel of a personal address.

        Raises:
            InputError: no service reads this address; `name` is in the message, the address is not.
        """
        ...


@dataclass(frozen=True, slots=True)
class Reached:
    """One attempt to reach somebody, as both desks see it."""

    page: str
    team: str
    person: str
    """Account name; empty: a shared channel."""
    channel: str
    """Name of the contact or shared channel."""
    kind: str
    status: str
    """``due``, ``sending``, ``sent``, ``failed``, ``timed_out``, ``dropped`` or ``nobody``.

    ``sent``: the service took it; nobody knows yet who read it.
    """
    made: datetime
    ended: datetime | None
    tries: int
    detail: str
    perhaps_twice: bool
    """The process died while it was sent, so that it was sent again."""
    step: int
    round: int
    acknowledged_by: str
    """Who acknowledged this team's page; empty: nobody yet."""
    acknowledged_at: datetime | None
    how: str
