"""Addresses: one way of writing for what products write in many: IP and MAC addresses, host names and device ids."""

import re
from ipaddress import ip_address

from watchword.ingest.credential import canonical_ip, canonical_mac

MAC = re.compile(r"(?:[0-9a-f]{2}[:-]){5}[0-9a-f]{2}|(?:[0-9a-f]{4}\.){2}[0-9a-f]{4}|[0-9a-f]{12}")


def canonical_address(text: str) -> str:
    """Return the address in lower case: a MAC with colons, an IP address in its shortest form, anything else as it stands."""
    key = text.strip().lower()
    if MAC.fullmatch(key):
        return canonical_mac(key)
    if ":" in key or key[:1].isdigit():
        try:
            return canonical_ip(key)
        except ValueError:
            return key
    return key


def first_label(name: str) -> str:
    """Return the first label of a full host name (``ws-042.corp.example`` → ``ws-042``); '' for IP addresses and single words."""
    head, dot, _ = name.partition(".")
    return head if dot and not _is_ip(name) else ""


def _is_ip(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
