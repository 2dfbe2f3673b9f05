"""Which values a drill tries for a variable: an example of its type, and whatever conditions and cases compare it with."""

import re
from collections.abc import Iterator, Mapping
from ipaddress import ip_network

from watchword.respond.plan import Declared, Plan
from watchword.respond.variables import fits

_TEXT = re.compile(r"'((?:[^'\\]|\\.)*)'")
_NUMBER = re.compile(r"(?<![\w.:'-])-?\d+(?:\.\d+)?(?![\w.:'])")
_EXAMPLES = {
    "bool": ("true", "false"),
    "integer": ("1",),
    "long": ("1",),
    "float": ("1.5",),
    "string": ("as found",),
    "ipv4-addr": ("192.0.2.10",),
    "ipv6-addr": ("2001:db8::10",),
    "mac-addr": ("02:00:5e:00:53:01",),
    "uuid": ("3fa2a3b1-8f0a-4d0b-9d6e-0a4d2b1c7e55",),
    "uri": ("https://example.org/",),
    "hexstring": ("0a",),
    "md5-hash": ("0123456789abcdef" * 2,),
    "hash": ("0123456789abcdef" * 4,),
    "sha256-hash": ("0123456789abcdef" * 4,),
    "dictionary": ("{}",),
}


class Candidates:
    """Values worth trying for a variable: what conditions and cases compare it with, their neighbours, and something else."""

    def __init__(self, books: Mapping[str, Plan], examples: Mapping[str, str]) -> None:
        """Read every condition and switch; `examples` say what a variable holds where any value of its type would do."""
        self._examples = examples
        self._texts: dict[str, set[str]] = {}
        for plan in books.values():
            for step in plan.steps.values():
                for name in re.findall(r"(__[A-Za-z][A-Za-z0-9_-]*?__):value", step.condition_text):
                    self._texts.setdefault(name, set()).update(_literals(step.condition_text))
                if step.switch:
                    self._texts.setdefault(step.switch, set()).update(step.cases)

    def of(self, name: str, declared: Declared) -> tuple[str, ...]:
        """Return values that fit the variable's type, its examples first."""
        given = [declared.value] if declared.external and declared.value is not None else []
        usual = (self._examples[name],) if name in self._examples else _EXAMPLES.get(declared.type, ("as found",))
        wanted = [*usual, *given, *sorted(self._texts.get(name, ()))]
        return tuple(dict.fromkeys(value for value in wanted if fits(declared.type, value))) or ("as found",)


def _literals(text: str) -> Iterator[str]:
    for quoted in _TEXT.findall(text):
        plain = re.sub(r"\\(.)", r"\1", quoted)
        yield plain
        yield plain.replace("%", "x").replace("_", "x")
        try:
            yield str(next(ip_network(plain, strict=False).hosts()))
        except (ValueError, StopIteration):
            continue
    for number in _NUMBER.findall(_TEXT.sub("", text)):
        if "." in number:
            yield from (number, str(float(number) + 1), str(float(number) - 1))
        else:
            yield from (number, str(int(number) + 1), str(int(number) - 1))
