"""Device families: the only commands that may be sent to a switch or firewall, as templates, and how their answers are read."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from ipaddress import ip_address
from pathlib import Path
from string import Formatter
from typing import Any, Final

from watchword.kit.errors import ContentError, Fault, InputError
from watchword.kit.marked import read_marked

PLAIN: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9./:_-]{0,99}")
"""What may ever be put into a template: no space, quote, separator or sign that a shell or a command line reads."""
TEMPLATE: Final = re.compile(r"[A-Za-z0-9 ./:_{}-]{1,200}")
KNOWN: Final = frozenset({"port", "vlan", "address", "set"})


@dataclass(frozen=True, slots=True)
class PortCommands:
    """How a port is put into a network, and how it is read."""

    put: tuple[str, ...]
    show: str
    vlan: re.Pattern[str]
    otherwise: str
    """The network of a port whose configuration names none."""
    present: re.Pattern[str]
    """What an answer must hold to be about a port at all."""


@dataclass(frozen=True, slots=True)
class AddressCommands:
    """How an address is blocked, and how it is read."""

    block: tuple[str, ...]
    unblock: tuple[str, ...]
    show: str
    sets: Mapping[str, str] = field(default_factory=dict)
    """Version of the protocol → name of the list."""


@dataclass(frozen=True, slots=True)
class Family:
    """One family of devices."""

    name: str
    shell: bool
    """Whether commands go into one interactive session; else each is executed for itself."""
    prompt: re.Pattern[str]
    errors: tuple[re.Pattern[str], ...]
    before: tuple[str, ...]
    parameters: Mapping[str, re.Pattern[str]]
    port: PortCommands | None = None
    address: AddressCommands | None = None

    def render(self, template: str, values: Mapping[str, str]) -> str:
        """Fill a template once.

        Raises:
            InputError: a value does not match its pattern, or holds more than letters, digits and ``./:_-``.
        """
        parts = []
        for literal, name, _, _ in Formatter().parse(template):
            parts.append(literal)
            if name is None:
                continue
            value, pattern = values.get(name, ""), self.parameters.get(name)
            if not PLAIN.fullmatch(value) or (pattern is not None and not pattern.fullmatch(value)):
                raise InputError(f"{value[:60]!r} cannot stand for {name} in a command of {self.name}", name)
            parts.append(value)
        return "".join(parts)

    def fault(self, answer: str) -> str:
        """Return the first line by which the device says that it did not understand or allow a command, or ''."""
        for line in answer.splitlines():
            if any(error.search(line.strip()) for error in self.errors):
                return line.strip()
        return ""

    def vlan_of(self, answer: str) -> str:
        """Return the network that an answer says a port is in, or '' when it is not about a port."""
        if self.port is None or not any(self.port.present.search(line.strip()) for line in answer.splitlines()):
            return ""
        found = [match[1] for line in answer.splitlines() if (match := self.port.vlan.match(line.rstrip()))]
        return found[-1] if found else self.port.otherwise


def address_values(text: str) -> dict[str, str]:
    """Return an address in its one canonical way of writing, and the version of its protocol.

    Raises:
        InputError: it is no single address, or one that no block can be meant for.
    """
    try:
        found = ip_address(text)
    except ValueError as error:
        raise InputError(f"{text[:60]!r} is no IP address", "address") from error
    if found.is_unspecified or found.is_loopback or found.is_multicast or "%" in str(found):
        raise InputError(f"{found} is an address that is never blocked", "address")
    return {"address": str(found), "version": str(found.version)}


def shipped_families() -> tuple[str, ...]:
    """Return the names of the families that Watchword ships."""
    return tuple(sorted(each.name.removesuffix(".yaml") for each in (files("watchword") / "content" / "devices").iterdir()))


def family_of(name: str, path: Path | None = None) -> Family:
    """Return a shipped family, or the one in a file.

    Raises:
        ContentError: the file is wrong.
        InputError: there is no such family.
    """
    if path is not None:
        return read_family(path.read_text("utf-8"), str(path))
    if name not in shipped_families():
        raise InputError(f"family: {name!r} is not one of {', '.join(shipped_families())}; or name a file as family_file")
    return read_family((files("watchword") / "content" / "devices" / f"{name}.yaml").read_text("utf-8"), f"content/devices/{name}.yaml")


def read_family(text: str, name: str) -> Family:
    """Read a family.

    Raises:
        ContentError: naming the file and what is wrong.
    """
    value: Any = read_marked(text, name).value
    try:
        port, address = value.get("port"), value.get("address")
        templates = [*value.get("before", [])]
        if port:
            templates += [*port["set"], port["show"]]
        if address:
            templates += [*address["block"], *address["unblock"], address["show"]]
        for template in templates:
            used = {field_name for _, field_name, _, _ in Formatter().parse(str(template)) if field_name is not None}
            if not TEMPLATE.fullmatch(str(template)) or used - KNOWN:
                raise ContentError(
                    [Fault(name, 1, f"{template!r} cannot be a command", "plain words and {port}, {vlan}, {address}, {set}")]
                )
        return Family(
            str(value["family"]),
            {"shell": True, "exec": False}[value["session"]],
            re.compile(value.get("prompt", r"[>#$]\s?$")),
            tuple(re.compile(each) for each in value["errors"]),
            tuple(value.get("before", [])),
            {str(key): re.compile(each) for key, each in value.get("parameters", {}).items()},
            PortCommands(
                tuple(port["set"]), port["show"], re.compile(port["vlan"]), str(port["otherwise"]), re.compile(port["present"])
            ) if port else None,
            AddressCommands(
                tuple(address["block"]), tuple(address["unblock"]), address["show"], {str(k): str(v) for k, v in address["sets"].items()}
            ) if address else None,
        )  # fmt: skip
    except (KeyError, TypeError, AttributeError, re.error, ValueError) as error:
        raise ContentError(
            [Fault(name, 1, f"is no device family: {type(error).__name__}: {error}", "see docs/reference/responders.md")]
        ) from error
