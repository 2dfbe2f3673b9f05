"""Stage one of the validation: what the schema of CACAO 2.0 accepts and refuses, with the line of each fault."""

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from itertools import islice
from typing import Any, Final

from jsonschema import Draft7Validator  # type: ignore[import-untyped] # ships no types
from jsonschema.exceptions import ValidationError  # type: ignore[import-untyped] # ships no types

from watchword.respond.json_text import JsonText
from watchword.respond.lint_report import Fault, pointer_text

MOST_FAULTS: Final = 200
CODE: Final = "schema"
_LONGEST: Final = 200
_SAID: Final = {
    "minItems": "must hold at least {}; leave it out where there is nothing to say",
    "minProperties": "must hold at least {}; leave it out where there is nothing to say",
    "minimum": "must be at least {}",
    "maximum": "must be at most {}",
    "not": "says something that a step or marking of its type may not say",
    "oneOf": "must name exactly one of public_key, public_cert_chain, cert_url and thumbprint",
}


def passes(value: Any) -> bool:
    """Tell whether a JSON value passes stage one."""
    return bool(_validator().is_valid(value))


def check(document: JsonText, name: str = "playbook") -> list[Fault]:
    """Return the faults that the schema finds, in the order of their lines, at most `MOST_FAULTS`."""
    found = []
    for error in islice(_validator().iter_errors(document.value), MOST_FAULTS):
        pointer = tuple(error.absolute_path)
        found.append(Fault(CODE, "error", name, document.line(*pointer), _words(error, pointer), pointer_text(pointer)))
    return sorted(found, key=lambda fault: (fault.line, fault.text))


@cache
def _validator() -> Draft7Validator:
    text = files("watchword.content").joinpath("cacao").joinpath("playbook.json").read_text(encoding="utf-8")
    schema: Mapping[str, Any] = json.loads(text)
    return Draft7Validator(schema)


def _words(error: ValidationError, pointer: tuple[str | int, ...]) -> str:
    """Say one fault without the whole value that it is about, which may be megabytes."""
    where = next((str(part) for part in reversed(pointer) if isinstance(part, str)), "the playbook")[:80]
    rule, wanted = str(error.validator), error.validator_value
    if rule == "required" and isinstance(error.instance, dict):
        return f"{where} lacks {', '.join(name for name in wanted if name not in error.instance)}"
    if rule in ("type", "enum"):
        return f"{where} must be {' or '.join([wanted] if isinstance(wanted, str) else map(str, wanted))}"[:_LONGEST]
    if rule == "pattern":
        return f"{where}: {str(error.instance)[:60]!r} is not written as the schema asks"
    return f"{where} {_SAID.get(rule, 'is not as the schema asks').format(wanted)}"
