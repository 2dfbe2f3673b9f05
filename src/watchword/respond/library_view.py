"""What the library shows: a version with its text and verdicts, or in a list; and the digest of what a version says."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Final

from watchword.model.playbook import Playbook
from watchword.respond.lint_report import Fault
from watchword.respond.signature import Verdict

LONGEST_VERSION: Final = 40
"""Characters of a `modified`, as the column keeps it."""
_SLUG: Final = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, slots=True)
class KeptPlaybook:
    """One version as the library keeps it."""

    id: str
    modified: str
    name: str
    text: str
    playbook: Playbook
    sha256: str
    """Of the text, in hex."""
    faults: tuple[Fault, ...]
    """Of both stages; one of severity ``error`` keeps it from starting."""
    signatures: tuple[Verdict, ...]
    review_due: date
    shipped: bool
    by: str
    at: datetime
    cut: tuple[str, ...] = ()
    """JSON pointers of secrets that were cut out on arrival."""
    received: tuple[str, ...] = ()
    """Verdicts on its signatures as it arrived: cutting a secret voids them."""

    @property
    def errors(self) -> tuple[Fault, ...]:
        """Return the faults that keep it from starting."""
        return tuple(fault for fault in self.faults if fault.severity == "error")


@dataclass(frozen=True, slots=True)
class Version:
    """A version, without its text."""

    id: str
    modified: str
    name: str
    errors: int
    warnings: int
    shipped: bool
    by: str
    at: datetime
    sha256: str
    review_due: date
    reviewed_by: str = ""
    reviewed_at: datetime | None = None


def body_digest(value: Mapping[str, Any]) -> str:
    """Return the SHA-256 of what a version says: its JSON with sorted keys, without signatures."""
    said = {name: one for name, one in value.items() if name != "signatures"}
    return hashlib.sha256(json.dumps(said, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()).hexdigest()


def moment_of(text: object) -> datetime | None:
    """Return the moment that a version names; None when it names none."""
    if not isinstance(text, str) or len(text) > LONGEST_VERSION:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found.astimezone(UTC) if found.tzinfo else None


def slug_of(text: str) -> str:
    """Return a name as people type it: small letters, digits and hyphens."""
    return _SLUG.sub("-", text.casefold().replace("'", "").replace("\N{RIGHT SINGLE QUOTATION MARK}", "")).strip("-")
