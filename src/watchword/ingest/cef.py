"""CEF and LEEF: the security products' one-line formats, taken apart into columns; a key that stands twice is shown."""

import re
from typing import Final

REPEATED: Final = "cef.repeated"
"""Column that lists keys that stand more than once: their first value is kept, as senders do not escape what users type."""

_PIPE = re.compile(r"(?<!\\)((?:\\\\)*)\|")
_KEY = re.compile(r"(?:^|(?<=\s))([A-Za-z0-9_][\w.\[\]-]*)=")
_ESCAPE = re.compile(r"\\(.)")
_CEF_NAMES: Final = ("cef.vendor", "cef.product", "cef.version", "cef.id", "cef.name", "cef.severity")
_LEEF_NAMES: Final = ("leef.vendor", "leef.product", "leef.version", "leef.id")
_LABEL: Final = "Label"


class CefFault(ValueError):
    """The text starts as CEF or LEEF and then is not."""


def is_cef(text: str) -> bool:
    """Tell whether the message is CEF or LEEF."""
    return text.startswith(("CEF:", "LEEF:"))


def parse_cef(text: str) -> dict[str, object]:
    """Return the columns of a CEF or LEEF message: ``cef.vendor`` … ``cef.severity`` or ``leef.vendor`` … ``leef.id``, and its keys.

    A custom field is found by its own key (``cs1``) and, where that is free, by its label (``cs1Label=Reader`` makes ``Reader``).

    Raises:
        CefFault: header fields are missing.
    """
    return _parse_leef(text) if text.startswith("LEEF:") else _parse_cef(text)


def _header(text: str, count: int) -> list[str]:
    parts: list[str] = []
    at = 0
    for _ in range(count):
        found = _PIPE.search(text, at)
        if found is None:
            raise CefFault(f"has {len(parts)} of {count} header fields: each must end with |")
        parts.append(text[at : found.end() - 1])
        at = found.end()
    return [*parts, text[at:]]


def _unescape_header(text: str) -> str:
    return _ESCAPE.sub(r"\1", text) if "\\" in text else text


def _unescape_value(text: str) -> str:
    if "\\" not in text:
        return text
    return _ESCAPE.sub(lambda found: {"n": "\n", "r": "\r", "t": "\t"}.get(found[1], found[1] if found[1] in "=\\|" else found[0]), text)


def _parse_cef(text: str) -> dict[str, object]:
    parts = _header(text.removeprefix("CEF:").lstrip(), 7)
    columns: dict[str, object] = dict(zip(_CEF_NAMES, (_unescape_header(part.strip()) for part in parts[1:7]), strict=True))
    extension = parts[7]
    found = list(_KEY.finditer(extension))
    pairs = []
    for index, match in enumerate(found):
        end = found[index + 1].start() if index + 1 < len(found) else len(extension)
        pairs.append((match[1], _unescape_value(extension[match.end() : end].strip())))
    _take(columns, pairs)
    return columns


def _parse_leef(text: str) -> dict[str, object]:
    version, _, rest = text.removeprefix("LEEF:").partition("|")
    parts = _header(rest, 4)
    columns: dict[str, object] = dict(zip(_LEEF_NAMES, (_unescape_header(part.strip()) for part in parts[:4]), strict=True))
    body = parts[4]
    delimiter = "\t"
    if version.strip().startswith("2"):
        stated, bar, after = body.partition("|")
        if bar and len(stated) <= 6:
            delimiter, body = _leef_delimiter(stated), after
    pairs = [
        (key.strip(), value) for key, equals, value in (part.partition("=") for part in body.split(delimiter)) if equals and key.strip()
    ]
    _take(columns, pairs)
    return columns


def _leef_delimiter(stated: str) -> str:
    text = stated.strip() or stated
    if len(text) == 1:
        return text
    digits = text.lower().removeprefix("\\").removeprefix("0").removeprefix("x")
    try:
        return chr(int(digits, 16)) if digits else "\t"
    except (ValueError, OverflowError):
        return "\t"


def _take(columns: dict[str, object], pairs: list[tuple[str, str]]) -> None:
    repeated: list[str] = []
    for key, value in pairs:
        if key in columns:
            if key not in repeated:
                repeated.append(key)
            continue
        columns[key] = value
    for key, label in pairs:
        if key.endswith(_LABEL) and label and label not in columns and key.removesuffix(_LABEL) in columns:
            columns[label] = columns[key.removesuffix(_LABEL)]
    if repeated:
        columns[REPEATED] = repeated
