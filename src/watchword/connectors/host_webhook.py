"""Host isolation by a signed webhook: a body template of the settings' choice (Wazuh's active response first), read-back where offered."""

from collections.abc import Mapping
from typing import Final
from urllib.parse import quote

from watchword.connectors.http_peer import HttpPeer, body_of, header_safe, signed
from watchword.connectors.product import Maker, Parts, PeerFault, Product, clipped
from watchword.connectors.responder_options import Ids, Options, Secret
from watchword.kit.clock import Clock
from watchword.kit.ids import random_uid
from watchword.model.action import Action

VERBS: Final = frozenset({"host.isolate", "host.release"})
TEMPLATES: Final = ("wazuh", "plain")


class HostWebhook(Product):
    """Isolates and releases hosts. Without a read-back the outcome stays unverified, and says so."""

    kind = "host_webhook"

    def __init__(
        self,
        name: str,
        clock: Clock,
        peer: HttpPeer,
        *,
        secret: Secret,
        hosts: Ids,
        template: str,
        commands: Mapping[str, str],
        reads: bool,
    ) -> None:
        super().__init__(name, VERBS, clock)
        self._peer, self._secret, self._hosts = peer, secret, hosts
        self._template, self._commands, self._reads = template, commands, reads

    def serves(self, action: Action) -> bool:
        """Tell whether the host is known here."""
        return super().serves(action) and bool(self._hosts.get(action.target))

    def would(self, action: Action) -> str:
        """Say the request, without its signature."""
        method, path, body = self._request(action)
        return f"{method} {self._peer.url}{path} {body.decode()} (signed)"

    def carry_out(self, action: Action) -> str:
        """Send the command."""
        method, path, body = self._request(action)
        key = header_safe(action.key)
        headers = {"Content-Type": "application/json", "Idempotency-Key": key, **signed(self._secret.value(), key, self.clock.now(), body)}
        answer = self._peer.call(method, path, body, headers)
        if self._template == "wazuh":
            found = answer.document()
            if found.get("error", 0) != 0:  # the manager answers 200 even for an agent that it could not tell
                raise PeerFault("not-done", f"did not reach the agent: {clipped(str(found.get('message', found['error'])))}", sent=False)
        return f"the endpoint manager took {action.verb} for {self._hosts.get(action.target)}"

    def observe(self, action: Action) -> Mapping[str, str] | None:
        """Read ``isolated`` at ``GET /hosts/ID``, where the other side offers it."""
        if not self._reads:
            return None
        path = f"/hosts/{quote(self._hosts.get(action.target), safe='')}"
        headers = signed(self._secret.value(), random_uid(), self.clock.now(), f"GET {path}".encode())
        found = self._peer.call("GET", path, None, headers).document().get("isolated")
        return {"isolated": "true" if found else "false"} if isinstance(found, bool) else {}

    def reach(self) -> str:
        """Ask for its health."""
        self._peer.call("GET", "/health", None, signed(self._secret.value(), random_uid(), self.clock.now(), b"GET /health"))
        return f"{self._peer.url} answers"

    def _request(self, action: Action) -> tuple[str, str, bytes]:
        host = self._hosts.get(action.target)
        if self._template == "wazuh":
            # The agent reads the alert's data; an active response learns from `add` or `delete` which way it goes.
            data = {"command": "add" if action.verb == "host.isolate" else "delete", "incident": action.incident, "key": action.key}
            said = {"command": self._commands[action.verb], "arguments": [], "alert": {"data": {"watchword": data}}}
            return "PUT", f"/active-response?agents_list={quote(host, safe='')}", body_of(said)
        return (
            "POST",
            "/commands",
            body_of({"verb": action.verb, "host": host, "key": header_safe(action.key), "incident": action.incident}),
        )


def plan(name: str, options: Options) -> Maker:
    """Read the options of a ``host_webhook``."""
    template = options.text("template", "plain", choices=TEMPLATES)
    url, seconds, authority = options.url(), options.seconds("time", "15s", most=60), options.file("authority")
    secret, token, reads = options.secret(), options.secret_or_none("token"), options.flag("reads")
    hosts = options.ids("hosts", r"[0-9]{3,8}" if template == "wazuh" else "")
    word = r"!?[A-Za-z0-9._-]{1,60}"
    commands = {
        "host.isolate": options.text("isolate", "!watchword-isolate", pattern=word),
        "host.release": options.text("release", "!watchword-release", pattern=word),
    }

    def make(parts: Parts) -> Product:
        def proof() -> Mapping[str, str]:
            return {} if token is None else {"Authorization": f"Bearer {token.value()}"}

        peer = HttpPeer(url, seconds, authority, proof)
        return HostWebhook(name, parts.clock, peer, secret=secret, hosts=hosts, template=template, commands=commands, reads=reads)

    return make
