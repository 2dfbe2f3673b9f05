"""Lint, stage two of the validation: everything that the schema misses, each fault with its code and line."""

from typing import Any, Final

from watchword.respond.json_text import JsonFault, JsonText, read_json
from watchword.respond.lint_content import lint_content
from watchword.respond.lint_flow import Flow, lint_flow
from watchword.respond.lint_report import ERRORS, LINT_VERSION, WARNINGS, Fault, Report, objects
from watchword.respond.lint_scope import lint_scope
from watchword.respond.schema_check import check

__all__ = ["ERRORS", "LINT_VERSION", "MOST_STEPS", "MOST_VARIABLES", "WARNINGS", "Fault", "lint", "validate"]

MOST_STEPS: Final = 2_000
MOST_VARIABLES: Final = 5_000
"""Declared variables of a playbook and its steps; with `MOST_STEPS` the bound on what lint costs."""


def lint(text: str | bytes, name: str = "playbook") -> list[Fault]:
    """Return what stage two finds, by line. `name` is what the faults call the playbook, a path or an identifier.

    ``bad-json``, ``wrong-version``, ``no-workflow`` and ``too-many-steps`` end it.
    """
    document = _read(text, name)
    return [document] if isinstance(document, Fault) else lint_document(document, name)


def validate(text: str | bytes, name: str = "playbook") -> list[Fault]:
    """Return what both stages find, by line: the schema's faults have the code ``schema``. A playbook without errors here may start."""
    document = _read(text, name)
    if isinstance(document, Fault):
        return [document]
    found = lint_document(document, name)
    if not any(fault.code in ("wrong-version", "too-many-steps") for fault in found):
        found += check(document, name)
    return sorted(found, key=lambda fault: (fault.line, fault.code, fault.at))


def fatal(document: JsonText, name: str = "playbook") -> list[Fault]:
    """Return what ends stage two at once; empty where a playbook can be read at all."""
    report = Report(document, name)
    _lint_frame(document.value, report)
    return report.faults()


def lint_document(document: JsonText, name: str = "playbook") -> list[Fault]:
    """Return what stage two finds in JSON that has been read."""
    report = Report(document, name)
    if _lint_frame(document.value, report):
        flow = Flow(document.value)
        lint_flow(flow, report)
        lint_scope(flow, report)
        lint_content(flow, report)
    return report.faults()


def _lint_frame(playbook: Any, report: Report) -> bool:
    """Tell whether a playbook can be read at all, and report why not."""
    if not isinstance(playbook, dict):
        report.add("bad-json", "is no JSON object")
    elif playbook.get("spec_version") != "cacao-2.0":
        report.add("wrong-version", f"spec_version is {str(playbook.get('spec_version'))[:40]!r}, not 'cacao-2.0'", "spec_version")
    elif not isinstance(playbook.get("workflow"), dict):
        report.add("no-workflow", "workflow is missing or no object", "workflow")
    elif _too_many(playbook["workflow"], playbook):
        report.add("too-many-steps", f"has over {MOST_STEPS:,} steps or {MOST_VARIABLES:,} variables", "workflow")
    else:
        return True
    return False


def _read(text: str | bytes, name: str) -> JsonText | Fault:
    try:
        return read_json(text)
    except JsonFault as error:
        return Fault("bad-json", "error", name, error.line, str(error))


def _too_many(workflow: dict[str, object], playbook: dict[str, object]) -> bool:
    if len(workflow) > MOST_STEPS:
        return True
    declared = len(objects(playbook, "playbook_variables"))
    return declared + sum(len(objects(step, "step_variables")) for step in workflow.values()) > MOST_VARIABLES
