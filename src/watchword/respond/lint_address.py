"""Lint of where requests go: addresses, ports and request lines, and whether one points back at this machine or its network's innards."""

import re
from collections.abc import Mapping
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any, Final
from urllib.parse import urlsplit

from watchword.respond.json_text import Key
from watchword.respond.lint_report import Report, items, word
from watchword.respond.lint_scope import variable_like
from watchword.respond.variables import fits

SCHEMES: Final = frozenset({"http", "https", "ldap", "ldaps", "ssh"})
"""Schemes of addresses that anything here could speak to."""
START_LINE: Final = re.compile(r"[A-Z]{2,20} \S+ HTTP/[0-9](?:\.[0-9])?", re.ASCII)
REQUEST_TYPES: Final = frozenset({"http-api", "openc2-http"})
INNER_NAMES: Final = frozenset({"localhost", "metadata", "metadata.google.internal", "instance-data", "host.docker.internal"})
_NAME: Final = re.compile(
    r"(?=.{1,253}\Z)(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?\.)*[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.?", re.IGNORECASE | re.ASCII
)
_NUMERIC: Final = re.compile(r"(?:0[xX][0-9a-fA-F]*|[0-9]+)(?:\.(?:0[xX][0-9a-fA-F]*|[0-9]+)){0,3}", re.ASCII)
_MAC: Final = re.compile(r"[0-9a-fA-F]{2}(?::[0-9a-fA-F]{2}){5}")


def lint_address(agent: Mapping[str, Any], at: tuple[Key, ...], report: Report) -> None:
    """Report on the addresses and the port of one agent or target."""
    address = agent.get("address")
    kinds = address if isinstance(address, dict) else {}
    for kind in kinds:
        for place, one in enumerate(items(kinds, kind)):
            if not isinstance(one, str) or variable_like(one):
                continue
            fault = _address_fault(kind, one)
            if fault:
                report.add("address-format", fault, *at, "address", kind, place)
            if agent.get("type") == "http-api" and points_inward(one):
                report.add("inward-address", f"{one[:80]} is this machine, its link or a cloud's metadata", *at, "address", kind, place)
    port = word(agent, "port")
    if port and not variable_like(port) and not (port.isascii() and port.isdigit() and 0 < int(port[:9]) < 65_536):
        report.add("address-format", f"{port[:20]!r} is no port", *at, "port")


def lint_request(command: Mapping[str, Any], at: tuple[Key, ...], report: Report) -> None:
    """Report on the request line of a command that sends a request."""
    line = word(command, "command")
    if not START_LINE.fullmatch(line):
        report.add("start-line", f"{line[:80]!r} is not METHOD target HTTP/n", *at, "command")
    for part in line.split()[1:2]:
        if "://" in part and points_inward(part):
            report.add("inward-address", f"{part[:80]} is this machine, its link or a cloud's metadata", *at, "command")
    headers = command.get("headers")
    for name in headers if isinstance(headers, dict) else {}:
        if name.lower() == "host":
            for place, one in enumerate(items(headers, name)):
                if isinstance(one, str) and points_inward(one.partition(":")[0]):
                    report.add("inward-address", f"{one[:80]} is this machine, its link or a cloud's metadata", *at, "headers", name, place)


def points_inward(text: str) -> bool:
    """Tell whether an address, name or URL is this machine, its own link, a cloud's metadata service, or a number in disguise."""
    host = _host(text)
    if not host or variable_like(host):
        return False
    host = host.rstrip(".").lower().partition("%")[0]
    if host in INNER_NAMES or host.endswith((".localhost", ".localdomain")):
        return True
    try:
        found: IPv4Address | IPv6Address = ip_address(host)
    except ValueError:
        return _NUMERIC.fullmatch(host) is not None
    if isinstance(found, IPv6Address):
        found = found.ipv4_mapped or found.sixtofour or found
    return found.is_loopback or found.is_link_local or found.is_unspecified or found.is_multicast or str(found) in _METADATA


_METADATA: Final = frozenset({"100.100.100.200", "192.0.0.192", "fd00:ec2::254"})
"""Addresses at which clouds serve an instance its own secrets, beside the link-local one."""


def _host(text: str) -> str:
    if "://" not in text:
        return text.partition("/")[0]
    try:
        return urlsplit(text.strip()).hostname or ""
    except ValueError:
        return ""


def _address_fault(kind: str, text: str) -> str:
    """Say why a text is no address of its kind; empty when it is."""
    if kind == "url":
        return _url_fault(text)
    if kind in ("ipv4", "ipv6"):
        return "" if fits(f"{kind}-addr", text) else f"{text[:80]!r} is no {kind} address"
    if kind == "l2mac":
        return "" if _MAC.fullmatch(text) else f"{text[:80]!r} is no MAC address"
    if kind == "dname":
        return "" if _NAME.fullmatch(text) else f"{text[:80]!r} is no domain name"
    return ""


def _url_fault(text: str) -> str:
    try:
        parts = urlsplit(text)
        known = parts.scheme.lower() in SCHEMES and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        known = False
    if known and not any(char.isspace() or not char.isprintable() for char in text):
        return ""
    return f"{text[:80]!r} is no address that requests go to: {', '.join(sorted(SCHEMES))} and a host"
