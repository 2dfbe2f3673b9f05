"""The screen channel: a page stands on the desk's own pages, and counts as sent while somebody of the team looks at them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from watchword.respond.ports import Channel, Delivery, Sent
from watchword.respond.reach_service import Channels, DeskChannel

KIND = "screen"


@dataclass(slots=True)
class ScreenChannel:
    """One desk's screen. Nothing is sent: the page is a row that Overview, the incident and the phone page show."""

    name: str
    team: str
    present: Callable[[str], Sequence[str]]
    """Return who of a team is logged in."""
    kind: str = KIND

    def send(self, title: str, body: str, *, to: Sequence[str] = ()) -> Sent:
        """Tell who can see it; failed when nobody of the team is logged in."""
        del title, body, to
        people = self.present(self.team)
        if not people:
            return Sent(Delivery.FAILED, "nobody of the team is logged in")
        return Sent(Delivery.SENT, f"on the screen of {', '.join(people[:3])}{' and others' if len(people) > 3 else ''}")


@dataclass(frozen=True, slots=True)
class WithScreens:
    """Implements `Channels`: the screens of desks beside the channels of another."""

    others: Channels
    screens: Mapping[str, tuple[DeskChannel, ScreenChannel]] = field(default_factory=dict)

    def desks(self) -> Sequence[DeskChannel]:
        """Return the shared channels, screens last."""
        return [*self.others.desks(), *(desk for desk, _ in self.screens.values())]

    def desk(self, name: str) -> Channel:
        """Return a shared channel.

        Raises:
            NotFound: the settings name none of this name.
        """
        if name in self.screens:
            return self.screens[name][1]
        return self.others.desk(name)

    def open(self, address: str, kind: str, name: str) -> Channel:
        """Return the channel of a personal address, as the other does."""
        return self.others.open(address, kind, name)
