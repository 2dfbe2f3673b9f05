"""Accounts at an identity provider over SCIM 2.0: made inactive and active again by PATCH, read back, found by user name."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from watchword.connectors.http_peer import HttpPeer, body_of
from watchword.connectors.product import Maker, Parts, PeerFault, Product
from watchword.connectors.responder_options import Ids, Options
from watchword.kit.clock import Clock
from watchword.kit.errors import InputError
from watchword.model.action import Action

PATCH_OP: Final = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
PREFIX: Final = "account:"
OWN_VERBS: Final = ("account.end_sessions", "account.require_step_up")
"""What SCIM has no word for: carried out only where the settings name the provider's own attribute."""
EXPECTS: Final[Mapping[str, Mapping[str, str]]] = {
    "account.end_sessions": {"sessions": "0"},
    "account.require_step_up": {"step_up": "required"},
}


@dataclass(frozen=True, slots=True)
class OwnAttribute:
    """An attribute of a provider's own schema by which it is told more than SCIM says."""

    path: str
    value: Any


class ScimIdentity(Product):
    """A SCIM 2.0 client (RFC 7644). Only what the provider answers to a reading counts as done."""

    kind = "scim_identity"

    def __init__(
        self, name: str, clock: Clock, peer: HttpPeer, *, accounts: Ids, own: Mapping[str, OwnAttribute], never: frozenset[str]
    ) -> None:
        super().__init__(name, frozenset({"account.disable", "account.enable", *own}), clock)
        self._peer, self._accounts, self._own, self._never = peer, accounts, own, never

    def serves(self, action: Action) -> bool:
        """Tell whether the target is an account that may be known here."""
        return super().serves(action) and bool(self._name(action))

    def would(self, action: Action) -> str:
        """Say the request, without the token."""
        return f"PATCH {self._peer.url}/Users/(id of {self._name(action)}) {self._change(action).decode()}"

    def carry_out(self, action: Action) -> str:
        """Send the change, unless it is so already."""
        name = self._name(action)
        if action.verb == "account.disable" and name.lower() in self._never:
            raise PeerFault("protected", f"{name} is never disabled by Watchword: it is named under never", sent=False)
        user = self._find(name)
        wanted = action.verb == "account.enable"
        if action.verb not in self._own and _active(user) is wanted:
            return f"{name} was {'active' if wanted else 'inactive'} already"
        headers = {"Content-Type": "application/scim+json"}
        version = user.get("meta", {}).get("version") if isinstance(user.get("meta"), dict) else None
        if isinstance(version, str) and version.isprintable():
            headers["If-Match"] = version  # another administrator's change in between is not written over
        self._peer.call("PATCH", f"/Users/{quote(str(user['id']), safe='')}", self._change(action), headers)
        return f"the provider took the change of {name}"

    def observe(self, action: Action) -> Mapping[str, str] | None:
        """Read the account."""
        user = self._find(self._name(action))
        own = self._own.get(action.verb)
        if own is not None:
            # Only an attribute that the provider shows can be read back; a write-only one says nothing.
            found = _at(user, own.path)
            return {} if found is None else (dict(EXPECTS[action.verb]) if found == own.value else {"reads": json.dumps(found)[:60]})
        active = _active(user)
        return {} if active is None else {"enabled": "true" if active else "false"}

    def reach(self) -> str:
        """Ask for the provider's own description."""
        self._peer.call("GET", "/ServiceProviderConfig")
        return f"{self._peer.url} answers"

    def _change(self, action: Action) -> bytes:
        own = self._own.get(action.verb)
        path, value = (own.path, own.value) if own is not None else ("active", action.verb == "account.enable")
        return body_of({"schemas": [PATCH_OP], "Operations": [{"op": "replace", "path": path, "value": value}]})

    def _name(self, action: Action) -> str:
        return self._accounts.get(action.target) or (
            action.target.removeprefix(PREFIX) if action.target.startswith(PREFIX) and not self._accounts else ""
        )

    def _find(self, name: str) -> dict[str, Any]:
        wanted = quote(f"userName eq {json.dumps(name)}", safe="")
        found = self._peer.call("GET", f"/Users?filter={wanted}&count=2").document().get("Resources", [])
        exact = [each for each in found if isinstance(each, dict) and _same(each.get("userName"), name)] if isinstance(found, list) else []
        if len(exact) != 1 or not isinstance(exact[0].get("id"), str) or not exact[0]["id"]:
            raise PeerFault("no-account", f"the provider has {'no' if not exact else 'more than one'} account {name}", sent=False)
        return dict(exact[0])


def _same(one: object, other: str) -> bool:
    return isinstance(one, str) and one.lower() == other.lower()


def _active(user: Mapping[str, Any]) -> bool | None:
    found = user.get("active")
    if isinstance(found, str) and found.lower() in {"true", "false"}:
        return found.lower() == "true"  # some providers write it as a text
    return found if isinstance(found, bool) else None


def _at(user: Mapping[str, Any], path: str) -> Any:
    """Return the value at ``attribute``, ``attribute.sub`` or ``urn:…:Schema:attribute``."""
    urn, _, last = path.rpartition(":")
    place: Any = user.get(urn) if urn else user
    for part in last.split("."):
        place = place.get(part) if isinstance(place, dict) else None
    return place


def plan(name: str, options: Options) -> Maker:
    """Read the options of a ``scim_identity``."""
    url, seconds, authority, token = (
        options.url(),
        options.seconds("time", "10s", most=60),
        options.file("authority"),
        options.secret("token"),
    )
    own: dict[str, OwnAttribute] = {}
    for verb, entry in options.tables("own").items():
        if verb not in OWN_VERBS or set(entry) != {"path", "value"} or not isinstance(entry["path"], str):
            raise InputError(f"own: {verb}: write path and value, for {' or '.join(OWN_VERBS)}")
        own[verb] = OwnAttribute(entry["path"], entry["value"])
    accounts, never = options.ids("accounts"), frozenset(each.lower() for each in options.texts("never"))

    def make(parts: Parts) -> Product:
        peer = HttpPeer(url, seconds, authority, lambda: {"Authorization": f"Bearer {token.value()}", "Accept": "application/scim+json"})
        return ScimIdentity(name, parts.clock, peer, accounts=accounts, own=own, never=never)

    return make
