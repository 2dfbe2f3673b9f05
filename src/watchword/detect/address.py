"""Addresses: which network addresses are the organisation's own, and which lie beyond it."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from watchword.kit.errors import InputError

Network = IPv4Network | IPv6Network

INNER: tuple[Network, ...] = tuple(
    ip_network(text)
    for text in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "224.0.0.0/4",
        "240.0.0.0/4",
        "::/127",
        "fc00::/7",
        "fe80::/10",
        "ff00::/8",
    )
)
"""Ranges that never lead across the Internet (RFC 1918, 6598, 4193, 3927, 4291). Documentation ranges are left out on purpose."""


def networks_of(texts: Iterable[str]) -> tuple[Network, ...]:
    """Return the networks that a setting lists, such as ``203.0.113.0/24`` or a single address.

    Raises:
        InputError: a text is no address or network.
    """
    found: list[Network] = []
    for text in texts:
        try:
            found.append(ip_network(str(text).strip(), strict=False))
        except ValueError as error:
            raise InputError(f"{text!r} is no address or network: write it like 203.0.113.0/24", "own_networks") from error
    return tuple(found)


def _parse(address: str) -> IPv4Address | IPv6Address | None:
    try:
        parsed = ip_address(address)
    except ValueError:
        return None
    return (parsed.ipv4_mapped or parsed) if isinstance(parsed, IPv6Address) else parsed


@lru_cache(maxsize=65_536)
def _inner(address: str) -> bool | None:
    parsed = _parse(address)
    if parsed is None:
        return None
    return any(parsed.version == network.version and parsed in network for network in INNER)


@dataclass(frozen=True, slots=True)
class OwnNetwork:
    """The organisation's own addresses: private ranges, its public ranges, and the addresses of its assets."""

    ranges: tuple[Network, ...] = ()
    addresses: frozenset[str] = field(default_factory=frozenset)
    """Addresses of known assets, lower case."""

    def external(self, address: str) -> bool:
        """Tell whether the address is a readable one that lies beyond the organisation; no address is not external."""
        if not address or address.lower() in self.addresses:
            return False
        inner = _inner(address)
        if inner is None or inner:
            return False
        if not self.ranges:
            return True
        parsed = _parse(address)
        return parsed is not None and not any(parsed.version == network.version and parsed in network for network in self.ranges)
