"""What lint finds: the codes with their severities and meanings, one fault, and the report in which faults gather within bounds."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from watchword.respond.json_text import JsonText, Key

LINT_VERSION: Final = 1
"""Rises when a code is added or a rule changes: kept faults of an older version are found anew; a run pins the version."""
MOST_PER_CODE: Final = 100
"""Faults of one code that are kept; the last one says how many more there are."""

Severity = Literal["error", "warning"]

ERRORS: Final[Mapping[str, str]] = {
    "bad-json": "is no JSON as playbooks need it: syntax, not UTF-8, a key twice, NaN, over 5 MB, too deep",
    "wrong-version": "is not of CACAO 2.0",
    "no-workflow": "has no workflow",
    "too-many-steps": "has more steps than anybody can follow",
    "no-start": "does not begin with a start step",
    "no-end": "has no end step",
    "no-action": "has no step that does anything",
    "bad-id": "has a key that is no identifier",
    "unknown-step-type": "has a step of a type that does not exist",
    "unread-step": "has a step whose key does not begin with its type, so that the schema does not read it",
    "dangling-step": "points at a step that is not there",
    "dangling-agent": "names an agent that is not defined",
    "dangling-target": "names a target that is not defined",
    "dangling-auth": "names authentication information that is not defined",
    "both-successors": "says on_completion beside on_success or on_failure",
    "no-successor": "has a step that leads nowhere",
    "cycle": "comes back to a step by following steps and branches",
    "unknown-command": "has a command of a type that the specification does not list",
    "command-body": "has a command without what it needs, with both forms of it, or with broken base64",
    "condition-syntax": "has a condition that cannot be read",
    "condition-type": "has a condition whose types do not go together",
    "switch-variable": "has a switch that is not exactly one variable",
    "undeclared-variable": "uses a variable that is declared nowhere",
    "variable-name": "has a variable whose name is none",
    "constant-output": "writes to a constant",
    "extension-body": "has one of our extensions with a member that is unknown or cannot be read",
    "missing-secret": "needs a secret that it neither names nor refers to",
    "inward-address": "sends a request to this machine, its link or a cloud's metadata",
}
"""A playbook with one of these does not start."""
WARNINGS: Final[Mapping[str, str]] = {
    "extra-start": "has a further start step",
    "unreachable": "has a step that nothing leads to",
    "shared-end": "has an end that more than one of the main flow and the branches reach",
    "id-mismatch": "has a key that does not begin with the type of what it names",
    "step-uuid": "has a step whose UUID is not of version 4",
    "unknown-agent-type": "has an agent or target of a type that the specification does not list",
    "unknown-auth-type": "has authentication information of a type that the specification does not list",
    "variable-scope": "uses a variable where it cannot be seen",
    "variable-shadow": "declares a variable again within the scope of another of its name",
    "variable-type": "has a variable of an unlisted type, or a value that is not of its type",
    "bare-variable": "names a variable without :value, so that the name itself is sent",
    "parallel-write": "writes one variable from two branches of a parallel",
    "switch-no-default": "has a switch without a default",
    "start-line": "has a request line that is not METHOD target HTTP/n",
    "clear-secret": "holds a secret in clear",
    "address-format": "has an address that is not written as its kind asks",
    "contact-format": "has a mail address or telephone number that is none",
    "dangling-marking": "names a data marking that is not defined",
    "undeclared-extension": "uses an extension that is not defined in it",
    "time-order": "has a time that lies before the one that it must follow",
    "time-precision": "has a created or modified that is no moment with exactly three decimals",
    "activities-missing": "says playbook_types without playbook_activities",
    "summary-mismatch": "has a processing summary that does not say what is in it",
    "attack-playbook": "describes an attack; it never starts by rule",
    "unsafe-link": "has a link that is neither http nor https; pages show it as text",
    "template-text": "has text in the form of a template; it is shown as it stands and never filled in",
    "hidden-text": "has control or direction characters that make a text look other than it is",
}
"""A playbook with these may start."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that lint found."""

    code: str
    severity: Severity
    path: str
    """Name of the file or playbook."""
    line: int
    text: str
    at: str = ""
    """JSON pointer (RFC 6901) of what it is about."""

    def __str__(self) -> str:
        """Return ``path:line: code: text``, as editors and people read it."""
        return f"{self.path}:{self.line}: {self.code}: {self.text}"


def pointer_text(pointer: tuple[Key, ...]) -> str:
    """Return a JSON pointer (RFC 6901)."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in pointer)


class Report:
    """Gathers faults for one document."""

    def __init__(self, document: JsonText, name: str) -> None:
        """Begin an empty report on a document that is called `name`."""
        self.document = document
        self._name = name
        self._faults: list[Fault] = []
        self._counts: Counter[str] = Counter()

    def add(self, code: str, text: str, *pointer: Key) -> None:
        """Add a fault at a place."""
        self._counts[code] += 1
        if self._counts[code] > MOST_PER_CODE:
            return
        severity: Severity = "error" if code in ERRORS else "warning"
        self._faults.append(Fault(code, severity, self._name, self.document.line(*pointer), text[:500], pointer_text(pointer)))

    def faults(self) -> list[Fault]:
        """Return the faults by line."""
        found = sorted(self._faults, key=lambda fault: (fault.line, fault.code, fault.at))
        for code, count in self._counts.items():
            if count > MOST_PER_CODE:
                last = max(place for place, fault in enumerate(found) if fault.code == code)
                one = found[last]
                more = f"{one.text} (and {count - MOST_PER_CODE:,} more of this kind)"
                found[last] = Fault(one.code, one.severity, one.path, one.line, more, one.at)
        return found


def objects(value: Any, key: str) -> dict[str, dict[str, Any]]:
    """Return the members of a dictionary within an object that are objects; nothing where it is none."""
    found = value.get(key) if isinstance(value, dict) else None
    return {name: one for name, one in found.items() if isinstance(one, dict)} if isinstance(found, dict) else {}


def items(value: Any, key: str) -> list[Any]:
    """Return a list within an object; empty where it is none."""
    found = value.get(key) if isinstance(value, dict) else None
    return found if isinstance(found, list) else []


def word(value: Any, key: str) -> str:
    """Return a text within an object; empty where it is none."""
    found = value.get(key) if isinstance(value, dict) else None
    return found if isinstance(found, str) else ""
