"""Guard dispatch: a task with its place on the phones of those on duty; accepted only when one of them says so."""

from collections.abc import Mapping
from typing import Final

from watchword.connectors.product import GuardDesk, Maker, Parts, PeerFault, Product
from watchword.connectors.responder_options import Options
from watchword.kit.clock import Clock
from watchword.model.action import Action

VERBS: Final = frozenset({"guard.dispatch"})


class GuardDispatch(Product):
    """Hands the task to the desk that pages guards. Sent is not accepted: until somebody accepts, the outcome is unverified."""

    kind = "guard"

    def __init__(self, name: str, clock: Clock, desk: GuardDesk | None) -> None:
        super().__init__(name, VERBS, clock)
        self._desk = desk

    def would(self, action: Action) -> str:
        """Say whom it calls."""
        return f"a task for {action.parameters.get('guard') or 'the guard on duty'} at {action.target}: {action.parameters.get('task', '')}"

    def carry_out(self, action: Action) -> str:
        """Give the task, once per key."""
        return self._found().send(action)

    def observe(self, action: Action) -> Mapping[str, str] | None:
        """Read whether somebody accepted."""
        return {"task": "accepted"} if self._found().accepted(action) else {}

    def reach(self) -> str:
        """Tell whether there is a desk."""
        self._found()
        return "guards are called through the pages of this house"

    def _found(self) -> GuardDesk:
        if self._desk is None:
            raise PeerFault("no-desk", "nobody takes guard tasks here", sent=False)
        return self._desk


def plan(name: str, options: Options) -> Maker:
    """Read the options of a ``guard``: it has none."""
    options.done()

    def make(parts: Parts) -> Product:
        return GuardDispatch(name, parts.clock, parts.guards)

    return make
