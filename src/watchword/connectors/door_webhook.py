"""Doors behind a signed HTTP webhook: commands with an idempotency key, and a read-back, for products and gateways that speak it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final
from urllib.parse import quote

from watchword.connectors.access_control import AccessControlResponder
from watchword.connectors.http_peer import HttpPeer, body_of, header_safe, signed
from watchword.connectors.product import Maker, Parts, PeerFault, Product, clipped
from watchword.connectors.responder_options import Options, Secret
from watchword.kit.clock import Clock
from watchword.kit.ids import random_uid

STATES: Final[Mapping[str, frozenset[str]]] = {
    "state": frozenset({"active", "suspended"}),
    "ingress": frozenset({"secured", "normal", "released"}),
    "egress": frozenset({"free", "blocked"}),
}
"""What a read-back may say; anything else is not believed."""


class WebhookDoors:
    """An access-control product that takes commands at ``POST /commands`` and tells states at ``GET /doors/ID`` and ``/credentials/ID``."""

    def __init__(self, peer: HttpPeer, secret: Secret, clock: Clock) -> None:
        self._peer, self._secret, self._clock = peer, secret, clock

    def suspend(self, card: str, key: str) -> str:
        """Send the command."""
        return self._command({"verb": "credential.suspend", "credential": card}, key)

    def reinstate(self, card: str, key: str) -> str:
        """Send the command."""
        return self._command({"verb": "credential.reinstate", "credential": card}, key)

    def secure(self, doors: Sequence[str], until: datetime, key: str) -> str:
        """Send the command; the product ends it by itself at `until`, should it have heard nothing from us by then."""
        return self._command(_securing(doors, until), key)

    def release(self, doors: Sequence[str], key: str) -> str:
        """Send the command."""
        return self._command({"verb": "door.release_ingress", "doors": list(doors)}, key)

    def card(self, card: str) -> Mapping[str, str]:
        """Read a credential."""
        return self._read(f"/credentials/{quote(card, safe='')}", ("state",))

    def door(self, door: str) -> Mapping[str, str]:
        """Read a door."""
        return self._read(f"/doors/{quote(door, safe='')}", ("ingress", "egress"))

    def would(self, verb: str, ids: Sequence[str], until: datetime) -> str:
        """Say the request, without its signature."""
        noun = verb.partition(".")[0]
        said: Mapping[str, object] = {"verb": verb, "credential": ids[0]}
        if noun != "credential":
            said = _securing(ids, until) if "secure" in verb else {"verb": "door.release_ingress", "doors": list(ids)}
        return f"POST {self._peer.url}/commands {body_of(said).decode()} (signed)"

    def reach(self) -> str:
        """Ask for its health."""
        self._get("/health")
        return f"{self._peer.url} answers"

    def _command(self, said: Mapping[str, object], key: str) -> str:
        safe = header_safe(key)
        body = body_of({**said, "key": safe})
        headers = {"Content-Type": "application/json", "Idempotency-Key": safe}
        headers |= signed(self._secret.value(), safe, self._clock.now(), body)
        answer = self._peer.call("POST", "/commands", body, headers)
        if answer.status == 202:
            raise PeerFault("accepted", "took the command but has not carried it out yet", sent=True)
        found = answer.document()
        if found.get("done") is not True:
            raise PeerFault("not-done", f"says that it did not do it: {clipped(str(found.get('said', 'no reason given')))}", sent=True)
        return clipped(str(found.get("said") or "The door system says that it is done"))

    def _read(self, path: str, keys: Sequence[str]) -> Mapping[str, str]:
        found = self._get(path)
        return {key: value for key in keys if isinstance(value := found.get(key), str) and value in STATES[key]}

    def _get(self, path: str) -> Mapping[str, object]:
        # A reading is signed over its method and path, so that no signature of one is good for another.
        headers = signed(self._secret.value(), random_uid(), self._clock.now(), f"GET {path}".encode())
        return self._peer.call("GET", path, None, headers).document()


def _securing(doors: Sequence[str], until: datetime) -> Mapping[str, object]:
    return {"verb": "door.secure_ingress", "doors": list(doors), "egress": "free", "until": until.isoformat()}


def plan(name: str, options: Options) -> Maker:
    """Read the options of a ``door_webhook``; see `responders`."""
    url, seconds = options.url(), options.seconds("time", "10s", most=60)
    authority, secret = options.file("authority"), options.secret()
    doors, credentials = options.ids("doors"), options.ids("credentials")

    def make(parts: Parts) -> Product:
        control = WebhookDoors(HttpPeer(url, seconds, authority), secret, parts.clock)
        return AccessControlResponder(name, parts.clock, control, doors=doors, credentials=credentials)

    return make
