"""Kept findings: a finding with the state of people's work on it, as values, as rows, and as JSON."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

import orjson

from watchword.model import Finding, FindingState, Mode

NAMED: Final = ("persons", "assets", "places", "credentials", "addresses", "events", "attack")
KINDS: Final = {
    "persons": "person",
    "assets": "asset",
    "places": "place",
    "credentials": "credential",
    "addresses": "address",
    "events": "event",
}
"""What a finding names → the kind under which it is found."""
CHUNK: Final = 400
"""How many values one statement names: within the bounds of both engines."""
_ENTITY = 200


class WorkState(StrEnum):
    """How far people are with a finding."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    CLOSED = "closed"


class Disposition(StrEnum):
    """What people found a finding to be."""

    TRUE = "true"
    BENIGN = "benign"
    """True, but allowed."""
    FALSE = "false"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class Work:
    """What people made of a finding so far."""

    state: WorkState = WorkState.OPEN
    disposition: Disposition | None = None
    note: str = ""
    by: str = ""
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class KeptFinding:
    """A finding and the work on it."""

    finding: Finding
    work: Work
    kept_at: datetime
    changed_at: datetime


def finding_json(finding: Finding) -> dict[str, Any]:
    """Return a finding as NDJSON, the API and exports show it."""
    return {
        "uid": finding.uid,
        "rule": finding.rule,
        "title": finding.title,
        "severity": finding.severity,
        "confidence": finding.confidence,
        "time": iso(finding.time),
        "first_time": iso(finding.first_time),
        "last_time": iso(finding.last_time),
        "because": finding.because,
        "persons": list(finding.persons),
        "assets": list(finding.assets),
        "places": list(finding.places),
        "credentials": list(finding.credentials),
        "addresses": list(finding.addresses),
        "events": list(finding.events),
        "state": finding.state.value,
        "mode": finding.mode.value,
    }


def iso(moment: datetime) -> str:
    """Return a moment as RFC 3339 in UTC with milliseconds."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parts(items: list[Any]) -> Iterable[list[Any]]:
    """Cut a list into pieces that one statement may name."""
    return (items[start : start + CHUNK] for start in range(0, len(items), CHUNK))


def _clean(text: str) -> str:
    # PostgreSQL's text holds neither NUL nor lone surrogates.
    return text.replace("\0", "\\x00").encode("utf-8", "backslashreplace").decode()


def row_of(finding: Finding) -> dict[str, Any]:
    """Return what the detector says as a row."""
    return {
        "uid": finding.uid,
        "rule": finding.rule,
        "rule_version": finding.rule_version,
        "title": _clean(finding.title),
        "severity": finding.severity,
        "confidence": finding.confidence,
        "time": finding.time,
        "first_time": finding.first_time,
        "last_time": finding.last_time,
        "because": _clean(finding.because),
        "mode": finding.mode.value,
        "state": finding.state.value,
        "author": _clean(finding.author),
        "refuted_by": finding.refuted_by,
        "named": orjson.dumps({name: [_clean(item) for item in getattr(finding, name)] for name in NAMED}).decode(),
    }


def entity_rows(finding: Finding) -> list[dict[str, Any]]:
    """Return one row for each thing that the finding names."""
    return [
        {"finding": finding.uid, "kind": kind, "entity": entity, "time": finding.time}
        for name, kind in KINDS.items()
        for entity in dict.fromkeys(_clean(item)[:_ENTITY] for item in getattr(finding, name))
    ]


def summary_of(finding: Finding) -> Mapping[str, Any]:
    """Return what the news says of a finding."""
    return {
        "rule": finding.rule,
        "title": finding.title,
        "severity": finding.severity,
        "mode": finding.mode.value,
        "state": finding.state.value,
        "time": iso(finding.time),
    }


def kept_of(row: Any) -> KeptFinding:
    """Return the kept finding of a row."""
    held: dict[str, list[str]] = orjson.loads(row.named)
    finding = Finding(
        uid=row.uid,
        rule=row.rule,
        rule_version=row.rule_version,
        title=row.title,
        severity=row.severity,
        confidence=row.confidence,
        time=row.time,
        first_time=row.first_time,
        last_time=row.last_time,
        because=row.because,
        state=FindingState(row.state),
        mode=Mode(row.mode),
        author=row.author,
        refuted_by=row.refuted_by,
        **{name: tuple(held.get(name, ())) for name in NAMED},
    )
    disposition = Disposition(row.disposition) if row.disposition else None
    work = Work(WorkState(row.work), disposition, row.note, row.work_by, row.work_at)
    return KeptFinding(finding, work, row.kept_at, row.changed_at)
