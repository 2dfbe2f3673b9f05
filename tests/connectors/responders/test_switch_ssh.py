"""A switch and a firewall over SSH: a paramiko server that behaves as they do, hangs, and shows another key."""

import base64
import re
import socket
import threading
import time
from contextlib import suppress
from hashlib import sha256

import paramiko
import pytest

from watchword.connectors.device_family import family_of, read_family, shipped_families
from watchword.kit.errors import ContentError, InputError
from watchword.model.action import Action

SWITCH, PORT = "asset:sw-3", "GigabitEthernet1/0/7"


class Device(paramiko.ServerInterface):
    """An SSH server for one switch (interactive) or one firewall (commands), on a free port of this machine."""

    def __init__(self) -> None:
        self.key = paramiko.ECDSAKey.generate()
        self.fingerprint = "SHA256:" + base64.b64encode(sha256(self.key.asbytes()).digest()).decode().rstrip("=")
        self.vlans, self.blocked = {PORT: "42", "Fa0/1": "1"}, set()
        self.lines, self.hangs, self.deaf, self.rejects = [], False, False, ""
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._open: list[paramiko.Transport] = []
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(5)
        for transport in self._open:
            transport.close()
            transport.join(5)

    def _accept(self) -> None:
        while True:
            try:
                wire, _ = self._listener.accept()
            except OSError:
                return
            transport = paramiko.Transport(wire)
            transport.add_server_key(self.key)
            transport.start_server(server=self, event=threading.Event())
            self._open.append(transport)

    def get_allowed_auths(self, username):  # noqa: ARG002 - paramiko names it
        return "password,publickey"

    def check_auth_password(self, username, password):
        return paramiko.AUTH_SUCCESSFUL if (username, password) == ("watchword", "switch-password") else paramiko.AUTH_FAILED

    def check_channel_request(self, kind, chanid):  # noqa: ARG002 - paramiko names them
        return paramiko.OPEN_SUCCEEDED

    def check_channel_pty_request(self, *_):
        return True

    def check_channel_shell_request(self, channel):
        threading.Thread(target=self._safely, args=(self._ios, channel), daemon=True).start()
        return True

    def check_channel_exec_request(self, channel, command):
        threading.Timer(0.05, self._safely, (self._nft, channel, command.decode())).start()  # after the request itself is answered
        return True

    @staticmethod
    def _safely(part, *given) -> None:
        with suppress(OSError, EOFError, paramiko.SSHException):  # whoever was kept waiting has gone
            part(*given)

    def _ios(self, channel) -> None:  # noqa: C901 - a command line is a list of cases
        mode, port, text = "", "", b""
        channel.sendall(b"\r\nAuthorised use only.\r\n\r\nsw-3#")
        while not self.hangs:
            piece = channel.recv(1024)
            if not piece:
                return
            channel.sendall(piece.replace(b"\n", b"\r\n"))
            text += piece
            while b"\n" in text:
                raw, _, text = text.partition(b"\n")
                line, said = raw.decode(), ""
                self.lines.append(line)
                if self.rejects and line.startswith(self.rejects):
                    said = "            ^\r\n% Invalid input detected at '^' marker.\r\n"
                elif line == "configure terminal":
                    mode = "(config)"
                elif line == "end":
                    mode = ""
                elif line.startswith("interface "):
                    port, mode = line.split()[1], "(config-if)"
                elif found := re.fullmatch(r"switchport access vlan (\d+)", line):
                    if not self.deaf:
                        self.vlans[port] = found[1]
                elif line.startswith("show running-config interface "):
                    name = line.split()[-1]
                    vlan = self.vlans.get(name)
                    said = f"Building configuration...\r\n\r\ninterface {name}\r\n"
                    said += f" switchport access vlan {vlan}\r\n" if vlan != "1" else ""
                    said = f"{said} switchport mode access\r\nend\r\n\r\n" if vlan else "% Invalid input detected\r\n"
                channel.sendall(f"{said}sw-3{mode}#".encode())

    def _nft(self, channel, command) -> None:
        self.lines.append(command)
        if self.hangs:
            time.sleep(3)
        if found := re.fullmatch(r"nft (add|delete) element inet watchword (blocked[46]) \{ ([0-9a-f.:]+) \}", command):
            (self.blocked.add if found[1] == "add" else self.blocked.discard)(found[3])
        else:
            channel.sendall(str({"nftables": [{"set": {"elem": sorted(self.blocked)}}]}).encode())
        channel.send_exit_status(7 if self.rejects else 0)
        channel.close()


@pytest.fixture
def device():
    made = Device()
    yield made
    made.close()


@pytest.fixture
def options(device, tmp_path):
    (tmp_path / "switch.password").write_text("switch-password")
    return {
        "host": "127.0.0.1", "port": device.port, "user": "watchword", "password_file": "switch.password",
        "fingerprint": device.fingerprint, "time": "5s",
    }  # fmt: skip


@pytest.fixture
def switch(make, options):
    return make("switch_ssh", family="cisco-ios", quarantine_vlan="666", switches={SWITCH: "sw-3"}, **options)


@pytest.fixture
def firewall(make, options):
    return make("switch_ssh", family="linux-nft", **options)


def quarantine(port=PORT, target=SWITCH, key="k", verb="port.quarantine"):
    return Action(verb, target, {"port": port}, key=key)


def test_the_gateway_quarantines_a_port_reads_it_back_and_returns_it_to_its_own_network(switch, device, perform):
    outcome = perform(switch, "port.quarantine", SWITCH, parameters={"port": PORT})
    assert (outcome.status, outcome.verified) == ("done", True), outcome
    assert device.vlans[PORT] == "666"
    assert "already" in switch.do(quarantine(key="k5")).said
    assert perform(switch, "port.release", SWITCH, "k2", parameters={"port": PORT}).verified is True
    assert device.vlans[PORT] == "42"


def test_the_home_network_is_known_after_a_restart(make, options, switch, device):
    assert switch.do(quarantine("Fa0/1")).status == "done"
    again = make("switch_ssh", family="cisco-ios", quarantine_vlan="666", switches={SWITCH: "sw-3"}, **options)
    assert again.do(quarantine("Fa0/1", verb="port.release")).status == "done"
    assert device.vlans["Fa0/1"] == "1"


def test_a_switch_that_does_not_do_it_is_found_out(switch, device, perform):
    device.deaf = True
    outcome = perform(switch, "port.quarantine", SWITCH, parameters={"port": PORT})
    assert (outcome.status, outcome.code) == ("failed", "read-back")


def test_a_command_that_the_switch_rejects_is_named(switch, device):
    device.rejects = "switchport"
    outcome = switch.do(quarantine())
    assert (outcome.status, outcome.code) == ("unknown", "rejected")
    device.rejects = "configure"
    assert switch.do(quarantine(key="k2")).status == "failed"


def test_an_address_is_blocked_and_unblocked(firewall, device, perform):
    assert perform(firewall, "address.block", "198.51.100.7").verified is True
    assert device.blocked == {"198.51.100.7"}
    assert firewall.do(Action("address.block", "2001:DB8::0:1", key="k7")).status == "done"
    assert "2001:db8::1" in device.blocked
    assert perform(firewall, "address.unblock", "198.51.100.7", "k2").verified is True


@pytest.mark.parametrize(
    "target", ["198.51.100.7; reboot", "$(reboot)", "198.51.100.0/24", "0.0.0.0", "127.0.0.1", "fe80::1%eth0", "::ffff:1 }"]
)
def test_nothing_but_one_address_gets_into_a_command(firewall, device, target):
    outcome = firewall.do(Action("address.block", target, key="k"))
    assert (outcome.status, outcome.code) == ("failed", "bad-value")
    assert not any("add" in line for line in device.lines)


@pytest.mark.parametrize("port", ["Gi1/0/7\nreload", "Gi1/0/7 ; reload", "Gi1/0/7|more", "", "1"])
def test_nothing_but_a_ports_name_gets_into_a_command(switch, device, port):
    outcome = switch.do(quarantine(port))
    assert (outcome.status, outcome.code) == ("failed", "bad-value")
    assert not any("interface" in line or "reload" in line for line in device.lines)
    assert switch.do(quarantine(port), dry_run=True).status == "failed"


def test_another_host_key_is_refused_before_the_password_is_shown(make, options, device):
    other = make(
        "switch_ssh", family="cisco-ios", quarantine_vlan="666", switches={SWITCH: "x"}, **{**options, "fingerprint": "SHA256:" + "A" * 43}
    )
    outcome = other.do(quarantine())
    assert (outcome.status, outcome.code) == ("failed", "host-key")
    assert device.lines == []


def test_a_wrong_password_and_nobody_there_are_named(make, options, tmp_path, device):
    (tmp_path / "switch.password").write_text("wrong-password")
    given = make("switch_ssh", family="linux-nft", **options)
    outcome = given.do(Action("address.block", "198.51.100.7", key="k"))
    assert (outcome.status, outcome.code) == ("failed", "login")
    assert "wrong-password" not in outcome.said
    given = make("switch_ssh", family="linux-nft", **{**options, "port": 1})
    assert given.do(Action("address.block", "198.51.100.7", key="k")).code == "unreachable"


def test_a_device_that_hangs_is_left_in_time(make, options, device):
    device.hangs = True
    brief = {**options, "time": "1s"}
    switch = make("switch_ssh", family="cisco-ios", quarantine_vlan="666", switches={SWITCH: "sw-3"}, **brief)
    firewall = make("switch_ssh", family="linux-nft", **brief)
    began = time.monotonic()
    assert (switch.do(quarantine()).status, switch.read(quarantine())) == ("unknown", None)
    assert firewall.do(Action("address.block", "198.51.100.7", key="k")).code == "timeout"
    assert time.monotonic() - began < 20


def test_a_dry_run_shows_the_commands_and_logs_in_nowhere(switch, device):
    said = switch.do(quarantine(), dry_run=True).said
    assert f"interface {PORT}; switchport access vlan 666; end" in said
    assert "(the network it was in)" in switch.do(quarantine(verb="port.release"), dry_run=True).said
    assert device.lines == []


def test_it_serves_only_its_own_switch_and_what_its_family_can(switch, firewall):
    assert not switch.serves(quarantine(target="asset:sw-1"))
    assert not switch.serves(Action("address.block", "198.51.100.7", key="k"))
    assert not firewall.serves(quarantine())


def test_every_shipped_family_reads_and_a_wrong_one_is_named():
    for name in shipped_families():
        assert family_of(name).name == name
    with pytest.raises(InputError, match="is not one of"):
        family_of("abacus")
    with pytest.raises(ContentError, match="cannot be a command"):
        read_family(
            "family: x\nsession: exec\nerrors: []\naddress: {block: ['iptables; reboot'], unblock: [x], show: x, sets: {}}", "x.yaml"
        )
    with pytest.raises(ContentError, match="is no device family"):
        read_family("family: x", "x.yaml")


def test_it_says_whether_it_is_let_in(switch):
    assert "lets watchword in" in switch.reach()
