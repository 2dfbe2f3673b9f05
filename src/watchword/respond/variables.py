"""The variables of playbooks: their names, their types, where a text refers to them, and the text with their values in it."""

import re
from collections.abc import Callable, Iterator, Mapping
from ipaddress import IPv4Network, IPv6Network
from typing import Final, Protocol

NAME: Final = re.compile(r"__[a-zA-Z][a-zA-Z0-9_-]{0,199}?__", re.ASCII)
"""A variable's name: a letter after two underscores, at most 200 characters between them; its case counts."""
WHOLE: Final = re.compile(r"\s*(__[a-zA-Z][a-zA-Z0-9_-]{0,199}?__):value\s*", re.ASCII)
"""A text that is one use of a variable and nothing else."""
_RUN: Final = re.compile(r"(?<![A-Za-z0-9_-])[A-Za-z0-9_-]++(?=:value)", re.ASCII)
_BEGIN: Final = re.compile(r"__[a-zA-Z]", re.ASCII)
_MOST_NAME: Final = 204
BARE: Final = re.compile(r"(?<![A-Za-z0-9_])__[a-zA-Z](?:[a-zA-Z0-9-]|_(?!_)){0,199}__(?!:value|[A-Za-z0-9_])", re.ASCII)
"""A name standing in a text without ``:value``: it is sent as it stands, which nobody means."""
TYPES: Final = frozenset(
    {
        "bool",
        "dictionary",
        "float",
        "hash",
        "hexstring",
        "integer",
        "ipv4-addr",
        "ipv6-addr",
        "long",
        "mac-addr",
        "md5-hash",
        "sha256-hash",
        "string",
        "uri",
        "uuid",
    }
)
"""The types that the specification names; another type takes any text."""
NUMBERS: Final = frozenset({"integer", "long", "float"})
ADDRESSES: Final = {"ipv4-addr": IPv4Network, "ipv6-addr": IPv6Network}
LONGEST: Final = 1_000_000
"""Characters of a rendered text: values within values must not grow without end."""
SHAPES: Final[Mapping[str, re.Pattern[str]]] = {
    "bool": re.compile(r"true|false"),
    "float": re.compile(r"[+-]?(?:[0-9]{1,400}(?:\.[0-9]{0,400})?|\.[0-9]{1,400})(?:[eE][+-]?[0-9]{1,3})?"),
    "integer": re.compile(r"[+-]?[0-9]{1,400}"),
    "long": re.compile(r"[+-]?[0-9]{1,400}"),
    "hexstring": re.compile(r"(?:[0-9a-fA-F]{2})*"),
    "mac-addr": re.compile(r"[0-9a-fA-F]{2}(?:[:-][0-9a-fA-F]{2}){5}"),
    "md5-hash": re.compile(r"[0-9a-fA-F]{32}"),
    "sha256-hash": re.compile(r"[0-9a-fA-F]{64}"),
    "uri": re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*:\S+"),
    "uuid": re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}"),
}


class Valued(Protocol):
    """A variable as a condition or a text sees it."""

    @property
    def type(self) -> str:
        """Its type, one of `TYPES` or a word of the author's."""
        ...

    @property
    def value(self) -> str | None:
        """Its value; the empty text is known to be empty, None is unknown."""
        ...


class RenderFailed(Exception):
    """A text names a variable that is not declared or not known; the message says which."""


def fits(kind: str, value: str) -> bool:
    """Tell whether a value, which is always a text, is of a type. Types that the specification does not name take any text."""
    network = ADDRESSES.get(kind)
    if network is not None:
        try:
            network(value)
        except ValueError:
            return False
        return not value.startswith(("+", "-", " "))
    shape = SHAPES.get(kind)
    return shape is None or shape.fullmatch(value) is not None


def is_name(text: str) -> bool:
    """Tell whether a text is a variable's name."""
    return NAME.fullmatch(text) is not None


def argument_name(text: str) -> str:
    """Return the variable that an item of ``in_args`` or ``out_args`` names; both ``__a__`` and ``__a__:value`` are in use."""
    return text.removesuffix(":value")


def uses(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield every use of a variable in a text, whatever follows it: where it begins, where it ends, and the name.

    Where a name could begin at two places, the left one counts. Time is in proportion to the text.
    """
    done = 0
    for run in _RUN.finditer(text):
        end = run.end()
        if not text.endswith("__", run.start(), end):
            continue
        found = _BEGIN.search(text, max(run.start(), done, end - _MOST_NAME), end - 2)
        if found is not None:
            done = end + len(":value")
            yield found.start(), done, text[found.start() : end]


def references(text: str) -> Iterator[str]:
    """Yield the name of every variable that a text uses, in order, as often as it does."""
    return (name for _, _, name in uses(text))


def has_reference(text: str) -> bool:
    """Tell whether a text uses a variable."""
    return next(uses(text), None) is not None


def bare_names(text: str) -> Iterator[str]:
    """Yield every variable's name that stands in a text without ``:value``."""
    return (found[0] for found in BARE.finditer(text))


def render(text: str, variables: Mapping[str, Valued]) -> str:
    """Return the text with values in place of ``__name__:value``. Values are put in as they are and not searched again.

    Raises:
        RenderFailed: a variable is not declared, its value is not known or not of its type, or the text grows too long.
    """

    def put(use: str, name: str) -> str:
        del use
        variable = variables.get(name)
        if variable is None:
            raise RenderFailed(f"{name} is declared nowhere that this step sees")
        if variable.value is None:
            raise RenderFailed(f"the value of {name} is not known")
        if not fits(variable.type, variable.value):
            raise RenderFailed(f"{variable.value[:60]!r} in {name} is no {variable.type}")
        return variable.value

    return _replaced(text, put)


def render_known(text: str, variables: Mapping[str, Valued]) -> str:
    """Return the text for a person: known values in their place, what is not known left as it was written.

    Raises:
        RenderFailed: the text grows too long.
    """

    def put(use: str, name: str) -> str:
        variable = variables.get(name)
        return use if variable is None or variable.value is None else variable.value

    return _replaced(text, put)


def _replaced(text: str, put: Callable[[str, str], str]) -> str:
    parts, done, length = [], 0, len(text)
    for begin, end, name in uses(text):
        parts += [text[done:begin], put(text[begin:end], name)]
        length += len(parts[-1]) - (end - begin)
        done = end
        if length > LONGEST:
            raise RenderFailed(f"the text grows past {LONGEST:,} characters with its values in it")
    return "".join([*parts, text[done:]])
