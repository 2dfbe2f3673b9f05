"""Switches and firewalls over SSH: a port into quarantine, an address blocked; only commands of the family's list, host key pinned."""

import base64
import re
import socket
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import paramiko

from watchword.connectors.device_family import Family, address_values, family_of
from watchword.connectors.kept_states import KeptStates
from watchword.connectors.product import Maker, Parts, PeerFault, Product, clipped
from watchword.connectors.responder_options import Ids, Options, Secret
from watchword.kit.clock import Clock
from watchword.kit.errors import ContentError, InputError
from watchword.model.action import Action

MOST_BYTES: Final = 256 * 1024
"""Bytes of one answer that are read."""
PORT_VERBS: Final = frozenset({"port.quarantine", "port.release"})
ADDRESS_VERBS: Final = frozenset({"address.block", "address.unblock"})
_CONTROL: Final = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|[\x00-\x08\x0b-\x1f\x7f]")
HOME: Final = "home"


@dataclass(frozen=True, slots=True)
class Login:
    """Where a device is, and how it and we prove ourselves."""

    host: str
    port: int
    user: str
    fingerprint: str
    """``SHA256:…`` of the device's host key, as ``ssh-keygen -lf`` writes it."""
    seconds: float
    password: Secret | None = None
    key: Path | None = None


class SwitchSsh(Product):
    """One switch or firewall. A port's own network is kept on disk before it is taken out of it."""

    kind = "switch_ssh"

    def __init__(
        self, name: str, clock: Clock, family: Family, login: Login, *, switches: Ids, quarantine: str, normal: str, kept: KeptStates
    ) -> None:
        verbs = (PORT_VERBS if family.port and quarantine else frozenset()) | (ADDRESS_VERBS if family.address else frozenset())
        super().__init__(name, verbs, clock)
        self._family, self._login, self._switches = family, login, switches
        self._quarantine, self._normal, self._kept = quarantine, normal, kept

    def serves(self, action: Action) -> bool:
        """Tell whether the port is this switch's; an address is blocked by any firewall that is asked."""
        return super().serves(action) and (action.verb in ADDRESS_VERBS or bool(self._switches.get(action.target)))

    def would(self, action: Action) -> str:
        """Say the commands."""
        if action.verb == "port.release":
            home = self._home(action) or "(the network it was in)"
            shown = [template.replace("{vlan}", home).replace("{port}", self._port(action)) for template in self._commands(action)]
        else:
            shown = self._rendered(self._commands(action), self._values(action, self._quarantine))
        return f"to {self._login.host}: {'; '.join([*self._family.before, *shown])}"

    def carry_out(self, action: Action) -> str:
        """Send the commands; a state that is there already is left alone."""
        with self._session() as ask:
            if action.verb in ADDRESS_VERBS:
                wanted = action.verb == "address.block"
                if self._blocked(ask, action) is wanted:
                    return f"{action.target} was {'blocked' if wanted else 'not blocked'} already"
                self._send(ask, action, self._values(action, ""))
                return f"{self._login.host} took the command for {action.target}"
            now, thing = self._vlan(ask, action), f"{action.target} {self._port(action)}"
            if action.verb == "port.quarantine":
                if now == self._quarantine:
                    return f"port {self._port(action)} was in quarantine already"
                self._kept.keep(thing, HOME, now)
                self._send(ask, action, self._values(action, self._quarantine))
                return f"port {self._port(action)} taken out of network {now} into {self._quarantine}"
            home = self._home(action)
            if not home:
                raise PeerFault("no-home", f"nothing is known of the network of port {self._port(action)}: set it by hand", sent=False)
            if now != home:
                self._send(ask, action, self._values(action, home))
            return f"port {self._port(action)} is back in network {home}"

    def observe(self, action: Action) -> Mapping[str, str] | None:
        """Read the port's network, or the list of blocked addresses, by the family's show command."""
        with self._session() as ask:
            if action.verb in ADDRESS_VERBS:
                return {"blocked": "true" if self._blocked(ask, action) else "false"}
            now = self._vlan(ask, action)
            if now == self._quarantine:
                return {"vlan": "quarantine"}
            return {"vlan": "normal" if now == self._home(action) or not self._home(action) else f"network {now}"}

    def reach(self) -> str:
        """Log in."""
        with self._session():
            return f"{self._login.host} lets {self._login.user} in, with the host key that is pinned"

    # commands

    def _commands(self, action: Action) -> tuple[str, ...]:
        if action.verb in PORT_VERBS and self._family.port is not None:
            return self._family.port.put
        given = self._family.address
        if given is None:
            raise PeerFault("unknown-verb", f"{self._family.name} does not do {action.verb}", sent=False)
        return given.block if action.verb == "address.block" else given.unblock

    def _values(self, action: Action, vlan: str) -> dict[str, str]:
        if action.verb in PORT_VERBS:
            return {"port": self._port(action), "vlan": vlan}
        try:
            values = address_values(action.target.removeprefix("address:").removeprefix("ip:"))
        except InputError as error:
            raise PeerFault("bad-value", str(error), sent=False) from None
        sets = self._family.address.sets if self._family.address is not None else {}
        return {**values, "set": sets.get(values["version"], "")}

    def _rendered(self, templates: Sequence[str], values: Mapping[str, str]) -> list[str]:
        try:
            return [self._family.render(template, values) for template in templates]
        except InputError as error:
            raise PeerFault("bad-value", str(error), sent=False) from None

    def _send(self, ask: "_Ask", action: Action, values: Mapping[str, str]) -> None:
        for number, command in enumerate(self._rendered(self._commands(action), values)):
            answer = ask(command, sent=number > 0)
            if fault := self._family.fault(answer):
                raise PeerFault("rejected", f"{self._login.host} does not take {command!r}: {fault}", sent=number > 0)

    def _vlan(self, ask: "_Ask", action: Action) -> str:
        port = self._family.port
        if port is None:
            raise PeerFault("unknown-verb", f"{self._family.name} has no ports", sent=False)
        [command] = self._rendered([port.show], {"port": self._port(action)})
        answer = ask(command)
        found = "" if self._family.fault(answer) else self._family.vlan_of(answer)
        if not re.fullmatch(r"[0-9]{1,4}", found):
            raise PeerFault("no-port", f"{self._login.host} does not say which network {self._port(action)} is in", sent=False)
        return found

    def _blocked(self, ask: "_Ask", action: Action) -> bool:
        given, values = self._family.address, self._values(action, "")
        [command] = self._rendered([given.show if given is not None else ""], values)
        answer = ask(command)
        if fault := self._family.fault(answer):
            raise PeerFault("rejected", f"{self._login.host} does not take {command!r}: {fault}", sent=False)
        return values["address"] in re.findall(r"[0-9A-Fa-f.:]+", answer)

    @staticmethod
    def _port(action: Action) -> str:
        return action.parameters.get("port", "")

    def _home(self, action: Action) -> str:
        return self._kept.of(f"{action.target} {self._port(action)}").get(HOME, self._normal)

    # the session

    @contextmanager
    def _session(self) -> Iterator["_Ask"]:
        given, ends = self._login, time.monotonic() + 4 * self._login.seconds
        try:
            wire = socket.create_connection((given.host, given.port), given.seconds)
        except OSError as error:
            raise PeerFault("unreachable", f"{given.host}:{given.port} could not be reached: {error}", sent=False) from None
        transport: Any = None
        try:
            try:
                transport = paramiko.Transport(wire)
                transport.banner_timeout = transport.auth_timeout = given.seconds
                transport.start_client(timeout=given.seconds)
                self._check_key(transport)
                self._log_in(transport)
            except (paramiko.SSHException, OSError, EOFError) as error:
                raise PeerFault("login", f"{given.host}: {type(error).__name__}: {clipped(str(error))}", sent=False) from None
            ask = _Ask(transport, self._family, given, ends)
            try:
                ask.begin()
                yield ask
            finally:
                ask.close()
        finally:
            if transport is not None:
                transport.close()
            wire.close()

    def _check_key(self, transport: Any) -> None:
        key = transport.get_remote_server_key()
        found = "SHA256:" + base64.b64encode(sha256(key.asbytes()).digest()).decode().rstrip("=")
        if found != self._login.fingerprint:
            raise PeerFault("host-key", f"{self._login.host} shows the host key {found}, not the one that is pinned", sent=False)

    def _log_in(self, transport: Any) -> None:
        given = self._login
        if given.key is not None:
            phrase = given.password.value() if given.password is not None else None
            try:
                key = paramiko.PKey.from_path(given.key, passphrase=phrase.encode() if phrase else None)
            except (OSError, ValueError, paramiko.SSHException, paramiko.pkey.UnknownKeyType) as error:
                raise PeerFault("secret", f"the key in {given.key} cannot be used: {type(error).__name__}", sent=False) from None
            transport.auth_publickey(given.user, key)
        elif given.password is not None:
            transport.auth_password(given.user, given.password.value(), fallback=False)
        if not transport.is_authenticated():
            raise PeerFault("login", f"{given.host} does not let {given.user} in", sent=False)


class _Ask:
    """Sends one command and returns the answer, within the session's time."""

    def __init__(self, transport: Any, family: Family, login: Login, ends: float) -> None:
        self._transport, self._family, self._login, self._ends = transport, family, login, ends
        self._shell: Any = None

    def begin(self) -> None:
        """Open the interactive session of a family that needs one."""
        if self._family.shell:
            try:
                self._shell = self._transport.open_session(timeout=self._login.seconds)
                self._shell.get_pty(term="dumb", width=500, height=1000)
                self._shell.invoke_shell()
            except (paramiko.SSHException, OSError) as error:
                raise PeerFault("login", f"{self._login.host} gives no session: {type(error).__name__}", sent=False) from None
            self._until_prompt(sent=False)
        for command in self._family.before:
            self(command)

    def __call__(self, command: str, *, sent: bool = False) -> str:
        try:
            if self._shell is None:
                channel = self._transport.open_session(timeout=self._login.seconds)
                try:
                    channel.set_combine_stderr(True)
                    channel.exec_command(command)
                    answer = self._read(channel, None, sent=True)
                    code = channel.recv_exit_status() if channel.status_event.wait(min(1.0, self._login.seconds)) else 0
                    if code > 0:
                        said = clipped(answer) or "nothing"
                        raise PeerFault("rejected", f"{self._login.host} ended {command!r} with {code}, saying {said}", sent=True)
                    return answer
                finally:
                    channel.close()
            self._shell.sendall(command.encode() + b"\n")
            return self._until_prompt(sent=sent).partition("\n")[2]
        except (paramiko.SSHException, OSError, EOFError) as error:
            raise PeerFault("broken-off", f"{self._login.host} broke off: {type(error).__name__}", sent=True) from None

    def close(self) -> None:
        """End the interactive session."""
        if self._shell is not None:
            self._shell.close()

    def _until_prompt(self, *, sent: bool) -> str:
        return self._read(self._shell, self._family.prompt, sent=sent)

    def _read(self, channel: Any, prompt: re.Pattern[str] | None, *, sent: bool) -> str:
        taken = bytearray()
        while True:
            left = min(self._login.seconds, self._ends - time.monotonic())
            if left <= 0 or len(taken) > MOST_BYTES:
                raise PeerFault("timeout", f"{self._login.host} does not come to an end of its answer", sent=True)
            channel.settimeout(left)
            try:
                piece = channel.recv(8192)
            except TimeoutError:
                raise PeerFault("timeout", f"{self._login.host} did not answer within {self._login.seconds:g} s", sent=True) from None
            taken += piece
            text = _CONTROL.sub("", taken.decode("utf-8", "replace").replace("\r\n", "\n"))
            last = text.rpartition("\n")[2]
            if not piece:
                if prompt is not None:
                    raise PeerFault("broken-off", f"{self._login.host} ended the session", sent=sent)
                return text
            if prompt is not None and prompt.fullmatch(last):
                return text


def plan(name: str, options: Options) -> Maker:
    """Read the options of a ``switch_ssh``."""
    own = options.file("family_file")
    try:
        family = family_of(options.text("family", ""), own)
    except ContentError as error:
        raise InputError(f"family: {error}") from error
    key, password = options.file("key_file"), options.secret_or_none("password")
    if key is None and password is None:
        raise InputError("key_file: name the private key, or password_file")
    login = Login(
        host=options.text("host", pattern=r"[A-Za-z0-9.:_-]{1,253}"),
        port=options.number("port", 22, least=1, most=65535),
        user=options.text("user"),
        fingerprint=options.text("fingerprint", pattern=r"SHA256:[A-Za-z0-9+/]{43}"),
        seconds=options.seconds("time", "10s", most=60),
        password=password,
        key=key,
    )
    network = r"[0-9]{1,4}"
    quarantine = options.text("quarantine_vlan", pattern=network) if family.port else ""
    normal = options.text("normal_vlan", "", pattern=f"({network})?")
    if quarantine and quarantine == normal:
        raise InputError("quarantine_vlan: is the same as normal_vlan")
    switches = options.ids("switches")

    def make(parts: Parts) -> Product:
        kept = KeptStates(parts.folder / f"{sha256(name.encode()).hexdigest()[:16]}.sqlite3")
        return SwitchSsh(name, parts.clock, family, login, switches=switches, quarantine=quarantine, normal=normal, kept=kept)

    return make
