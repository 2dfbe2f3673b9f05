"""Fields of a mapping: a value found in a record is put at its OCSF path, with the schema's type; what does not fit is kept apart."""

from collections.abc import Callable
from typing import Any, Final

from watchword.ingest.credential import badge_hash, canonical_ip, canonical_mac, card_tail, split_account
from watchword.ingest.mapping_values import SpecFault, text_of
from watchword.ingest.ocsf_schema import Attribute

Put = Callable[[dict[str, Any], Any], None]
"""Puts a value (never None) into the document."""
_TRUE: Final = frozenset({"true", "yes", "1", "y", "on"})
_FALSE: Final = frozenset({"false", "no", "0", "n", "off"})
UNREAD: Final = "unread:"
"""Start of the label of a value that does not have the type wanted; the value stands under ``unmapped``."""


def put_at(path: str, attribute: Attribute, key: bytes) -> Put:
    """Return how values of a path are put; card numbers are hashed under the site's key at once."""
    if path == "ww_credential.hash":
        return _badge_put(key)
    if path == "user.name":
        return _account_put()
    steps = path.split(".")
    fit = fitter(attribute)
    setter = _setter(steps)
    if fit is None:
        return setter

    def put(data: dict[str, Any], value: Any) -> None:
        try:
            fitting = fit(value)
        except (ValueError, TypeError, OverflowError):
            put_unread(data, path, value)
            return
        if fitting is not None:
            setter(data, fitting)

    return put


def put_unread(data: dict[str, Any], path: str, value: Any) -> None:
    """Keep a value that does not fit its path under ``unmapped``, and label the event."""
    data.setdefault("unmapped", {})[path] = value if isinstance(value, str | int | float | bool) else text_of(value)
    data.setdefault("metadata", {}).setdefault("labels", []).append(UNREAD + path)


def _setter(steps: list[str]) -> Put:
    if len(steps) == 1:
        only = steps[0]

        def put_one(data: dict[str, Any], value: Any) -> None:
            data[only] = value

        return put_one
    if len(steps) == 2:
        outer, inner = steps

        def put_two(data: dict[str, Any], value: Any) -> None:
            held = data.get(outer)
            if held is None:
                data[outer] = {inner: value}
            else:
                held[inner] = value

        return put_two
    way, last = steps[:-1], steps[-1]

    def put_deep(data: dict[str, Any], value: Any) -> None:
        for step in way:
            data = data.setdefault(step, {})
        data[last] = value

    return put_deep


def fitter(attribute: Attribute) -> Callable[[Any], Any] | None:
    """Return what makes a value fit the attribute's type (ValueError when it cannot); None when any value will do."""
    if attribute.array:
        one = fitter(Attribute(attribute.name, attribute.type, attribute.base, enum=attribute.enum))

        def fit_all(value: Any) -> Any:
            items = value if isinstance(value, list) else [value]
            return [item if one is None else one(item) for item in items if item is not None]

        return fit_all
    if attribute.base in {"integer_t", "long_t"}:
        return _enum_fitter(attribute) if attribute.enum else _integer_fitter(attribute)
    return _FITS.get(attribute.type) or _FITS.get(attribute.base)


def number_of(attribute: Attribute, word: str) -> int | None:
    """Return the enum number that a caption stands for, written ``Held Open``, ``held_open`` or ``held open``; None if none does."""
    folded = _fold(word)
    for number, caption in attribute.enum.items():
        if _fold(caption) == folded:
            return int(number)
    return None


def _fold(word: str) -> str:
    return "".join(character for character in word.lower() if character.isalnum())


def _enum_fitter(attribute: Attribute) -> Callable[[Any], Any]:
    table = {_fold(caption): int(number) for number, caption in attribute.enum.items()}
    plain = _integer_fitter(attribute)

    def fit(value: Any) -> Any:
        if type(value) is int:
            return value
        if isinstance(value, str):
            number = table.get(_fold(value))
            if number is not None:
                return number
        return plain(value)

    return fit


def _integer_fitter(attribute: Attribute) -> Callable[[Any], Any]:
    low, high = attribute.low, attribute.high

    def fit(value: Any) -> int:
        if type(value) is int:
            number = value
        elif isinstance(value, bool):
            raise ValueError("a truth value is no number")
        elif isinstance(value, str):
            text = value.strip()
            number = int(text, 16) if text[:2] in {"0x", "0X"} else int(text) if text.lstrip("+-").isdigit() else _whole(float(text))
        else:
            number = _whole(float(value))
        if (low is not None and number < low) or (high is not None and number > high) or abs(number) >= 1 << 63:
            raise ValueError(f"{number} is out of range")
        return number

    return fit


def _whole(number: float) -> int:
    if not number.is_integer():
        raise ValueError(f"{number} is no whole number")
    return int(number)


def _fit_float(value: Any) -> float:
    if isinstance(value, bool):
        raise TypeError("a truth value is no number")
    number = float(value)
    if number != number or number in {float("inf"), float("-inf")}:  # noqa: PLR0124 - the test for NaN
        raise ValueError("not a finite number")
    return number


def _fit_boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    text = text_of(value).strip().lower()
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    raise ValueError(f"{text[:40]!r} is neither true nor false")


def _badge_put(key: bytes) -> Put:
    def put(data: dict[str, Any], value: Any) -> None:
        number = text_of(value).strip()
        if number:
            credential = data.setdefault("ww_credential", {})
            credential["hash"] = badge_hash(key, number)
            credential["last4"] = card_tail(number)
            credential.setdefault("type", "card")

    return put


def _account_put() -> Put:
    def put(data: dict[str, Any], value: Any) -> None:
        name, domain = split_account(text_of(value).strip())
        if not name:
            return
        user = data.setdefault("user", {})
        user["name"] = name
        if domain:
            user.setdefault("domain", domain)

    return put


def translator(attribute: Attribute) -> Callable[[Any], Any]:
    """Return what turns a value written in a mapping (literal, value map, default) into what the attribute takes.

    The function raises `SpecFault` for a word that means nothing there.
    """
    fit = fitter(attribute)

    def translate(value: Any) -> Any:
        if value is None or fit is None:
            return value
        try:
            return fit(value)
        except (ValueError, TypeError, OverflowError):
            known = ", ".join(f"{caption} ({number})" for number, caption in attribute.enum.items())
            raise SpecFault(
                f"{value!r} does not fit {attribute.name}", remedy=f"known: {known}" if known else f"a {attribute.type} is wanted"
            ) from None

    return translate


_FITS: Final[dict[str, Callable[[Any], Any]]] = {
    "float_t": _fit_float,
    "boolean_t": _fit_boolean,
    "ip_t": lambda value: canonical_ip(text_of(value)) or None,
    "mac_t": lambda value: canonical_mac(text_of(value)),
    "string_t": text_of,
}
