"""Tickets by a signed webhook: one ticket per idempotency key, read back where the desk's gateway tells."""

from collections.abc import Mapping
from typing import Final
from urllib.parse import quote

from watchword.connectors.http_peer import HttpPeer, body_of, header_safe, signed
from watchword.connectors.product import Maker, Parts, PeerFault, Product, clipped
from watchword.connectors.responder_options import Ids, Options, Secret
from watchword.kit.clock import Clock
from watchword.kit.ids import random_uid
from watchword.model.action import Action

VERBS: Final = frozenset({"ticket.open"})


class TicketWebhook(Product):
    """Opens tickets in queues that the settings name."""

    kind = "ticket_webhook"

    def __init__(self, name: str, clock: Clock, peer: HttpPeer, secret: Secret, queues: Ids, *, reads: bool) -> None:
        super().__init__(name, VERBS, clock)
        self._peer, self._secret, self._queues, self._reads = peer, secret, queues, reads

    def serves(self, action: Action) -> bool:
        """Tell whether the queue is known here."""
        return super().serves(action) and bool(self._queues.get(action.target))

    def would(self, action: Action) -> str:
        """Say the request, without its signature."""
        return f"POST {self._peer.url}/tickets {self._body(action).decode()} (signed)"

    def carry_out(self, action: Action) -> str:
        """Open the ticket."""
        key, body = header_safe(action.key), self._body(action)
        headers = {"Content-Type": "application/json", "Idempotency-Key": key, **signed(self._secret.value(), key, self.clock.now(), body)}
        number = self._peer.call("POST", "/tickets", body, headers).document().get("ticket")
        if not isinstance(number, str | int) or isinstance(number, bool) or not str(number).strip():
            raise PeerFault("bad-answer", "took the ticket but gave no number", sent=True)
        return f"ticket {clipped(str(number))[:60]} is open in {action.target}"

    def observe(self, action: Action) -> Mapping[str, str] | None:
        """Read at ``GET /tickets/by-key/KEY`` whether the ticket is there."""
        if not self._reads:
            return None
        path = f"/tickets/by-key/{quote(header_safe(action.key), safe='')}"
        headers = signed(self._secret.value(), random_uid(), self.clock.now(), f"GET {path}".encode())
        try:
            found = self._peer.call("GET", path, None, headers).document()
        except PeerFault as fault:
            if fault.code == "http-404":
                return {"ticket": "none"}
            raise
        return {"ticket": "open"} if found.get("ticket") else {}

    def reach(self) -> str:
        """Ask for its health."""
        self._peer.call("GET", "/health", None, signed(self._secret.value(), random_uid(), self.clock.now(), b"GET /health"))
        return f"{self._peer.url} answers"

    def _body(self, action: Action) -> bytes:
        given = action.parameters
        said = {"queue": self._queues.get(action.target), "title": given.get("title", ""), "text": given.get("text", "")}
        return body_of({**said, "priority": given.get("priority", "3"), "incident": action.incident, "key": header_safe(action.key)})


def plan(name: str, options: Options) -> Maker:
    """Read the options of a ``ticket_webhook``."""
    url, seconds, authority = options.url(), options.seconds("time", "10s", most=60), options.file("authority")
    secret, queues, reads = options.secret(), options.ids("queues"), options.flag("reads")

    def make(parts: Parts) -> Product:
        return TicketWebhook(name, parts.clock, HttpPeer(url, seconds, authority), secret, queues, reads=reads)

    return make
