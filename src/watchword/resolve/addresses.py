"""Addresses: one way of writing for what products write in many: MAC addresses and host names."""

import re

MAC = re.compile(r"(?:[0-9a-f]{2}[:-]){5}[0-9a-f]{2}|(?:[0-9a-f]{4}\.){2}[0-9a-f]{4}|[0-9a-f]{12}")


def canonical_address(text: str) -> str:
    """Return the address in lower case; a MAC with colons; a full host name as its first label (IP addresses stand as they are)."""
    key = text.strip().lower()
    if MAC.fullmatch(key):
        digits = re.sub(r"[^0-9a-f]", "", key)
        return ":".join(digits[index : index + 2] for index in range(0, 12, 2))
    if "." in key and key[-1].isalpha() and not key.replace(".", "").isdigit():
        return key.partition(".")[0]
    return key
