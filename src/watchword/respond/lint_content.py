"""Lint of what a playbook holds beside its flow: commands, definitions and the references to them, times, markings, extensions, texts."""

import re
from base64 import b64decode
from binascii import Error as NoBase64
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from watchword.respond.extensions import (
    AGENT_TARGET,
    PLAYBOOK,
    STEP,
    ExtensionFault,
    read_agent_target_extension,
    read_playbook_extension,
    read_step_extension,
)
from watchword.respond.json_text import Key
from watchword.respond.lint_address import REQUEST_TYPES, lint_address, lint_request
from watchword.respond.lint_flow import IDENTIFIER, Flow
from watchword.respond.lint_report import Report, items, objects, word
from watchword.respond.lint_scope import variable_like
from watchword.respond.secret_cut import clear_secrets

AGENT_TYPES: Final = frozenset(
    {"group", "http-api", "individual", "linux", "location", "net-address", "organization", "sector", "security-category", "ssh"}
)
AUTH_TYPES: Final = frozenset({"http-basic", "oauth2", "user-auth"})
EITHER: Final = frozenset({"bash", "caldera-cmd", "manual", "powershell", "ssh"})
"""Commands that are said in clear or in base64."""
ENCODED: Final = frozenset({"elastic", "jupyter", "kestrel", "sigma", "yara"})
"""Commands that are said in base64 alone."""
COMMAND_TYPES: Final = EITHER | ENCODED | REQUEST_TYPES
DEFINITIONS: Final = (
    "agent_definitions",
    "target_definitions",
    "authentication_info_definitions",
    "extension_definitions",
    "data_marking_definitions",
)
_MAIL: Final = re.compile(r"[^@\s<>\"']{1,64}@[^@\s<>\"'.]+(?:\.[^@\s<>\"'.]+)+")
_PHONE: Final = re.compile(r"\+?[0-9(][0-9 ()./-]{2,30}(?: ?(?:x|ext\.?) ?[0-9]{1,6})?")
_PRECISE: Final = re.compile(r"[^.]+\.[0-9]{3}Z")
_TEMPLATE: Final = re.compile(r"\{\{|\{%|<%|\$\{|#\{")
_TEMPLATE_IN_COMMAND: Final = re.compile(r"\{\{|\{%|<%")
_HIDDEN: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b\u202a-\u202e\u2066-\u2069\ufeff]")
SIGNED: Final = frozenset({"digital_signatures", "countersigned_signatures"})
_SUMMARY: Final = {"parallel_processing": "parallel", "if_logic": "if-condition", "while_logic": "while-condition"}

_Known = Mapping[str, Mapping[str, Mapping[str, Any]]]
"""Member of the playbook → its definitions by identifier."""


def lint_content(flow: Flow, report: Report) -> None:
    """Report what is wrong with everything that is not the flow itself."""
    playbook = flow.playbook
    for identifier in playbook["workflow"]:
        _lint_key("workflow", identifier, report)
    known = {member: objects(playbook, member) for member in DEFINITIONS}
    for identifier, step in flow.steps.items():
        _lint_step(known, identifier, step, report)
    for member in DEFINITIONS:
        found = playbook.get(member)
        for identifier in found if isinstance(found, dict) else ():
            _lint_key(member, identifier, report)
        for identifier, one in known[member].items():
            _lint_prefix(member, identifier, one, report)
            _lint_definition(known, member, identifier, one, report)
    _lint_head(flow, known, report)
    _lint_extensions(playbook, report)
    for pointer, text in clear_secrets(playbook):
        report.add("clear-secret", text, *pointer)
    _lint_texts(playbook, report)


def _lint_key(member: str, identifier: str, report: Report) -> None:
    if IDENTIFIER.fullmatch(identifier) is None:
        report.add("bad-id", f"{identifier[:80]!r} is no identifier: a type, two hyphens, a UUID of version 1 to 5", member, identifier)


def _lint_prefix(member: str, identifier: str, one: Mapping[str, Any], report: Report) -> None:
    kind = word(one, "type")
    if kind and IDENTIFIER.fullmatch(identifier) and identifier.partition("--")[0] != kind:
        report.add("id-mismatch", f"the key of a {kind[:40]} begins with another type", member, identifier)


def _lint_step(known: _Known, identifier: str, step: Mapping[str, Any], report: Report) -> None:
    _lint_prefix("workflow", identifier, step, report)
    if step.get("type") != "action":
        return
    at = ("workflow", identifier)
    agent = step.get("agent")
    if isinstance(agent, str) and agent not in known["agent_definitions"]:
        report.add("dangling-agent", f"{agent[:80]} is not among agent_definitions", *at, "agent")
    for place, target in enumerate(items(step, "targets")):
        if isinstance(target, str) and target not in known["target_definitions"]:
            report.add("dangling-target", f"{target[:80]} is not among target_definitions", *at, "targets", place)
    for place, command in enumerate(items(step, "commands")):
        if isinstance(command, dict):
            _lint_command(command, (*at, "commands", place), report)


def _lint_command(command: Mapping[str, Any], at: tuple[Key, ...], report: Report) -> None:
    kind = command.get("type")
    if not isinstance(kind, str):
        return
    if kind not in COMMAND_TYPES:
        report.add("unknown-command", f"{kind[:40]!r} is no type of command that the specification lists", *at, "type")
        return
    for fault in _body_faults(kind, command):
        report.add("command-body", fault, *at)
    if kind in REQUEST_TYPES and word(command, "command").strip():
        lint_request(command, at, report)


def _body_faults(kind: str, command: Mapping[str, Any]) -> Iterator[str]:
    clear, encoded = word(command, "command").strip(), word(command, "command_b64").strip()
    if kind in EITHER and "command" in command and "command_b64" in command:
        yield "command and command_b64 are both given"
    elif kind in EITHER and not clear and not encoded:
        yield "neither command nor command_b64 says anything"
    elif kind in ENCODED and not encoded:
        yield f"{kind} needs command_b64"
    elif kind in REQUEST_TYPES and not clear:
        yield f"{kind} needs command, its request line"
    if kind == "openc2-http" and not word(command, "content_b64").strip():
        yield "openc2-http needs content_b64"
    if kind == "http-api" and "content" in command and "content_b64" in command:
        yield "content and content_b64 are both given"
    for name in ("command_b64", "content_b64"):
        if not _is_base64(word(command, name)):
            yield f"{name} is no base64"


def _is_base64(text: str) -> bool:
    try:
        b64decode("".join(text.split()), validate=True)
    except (NoBase64, ValueError):
        return False
    return True


def _lint_definition(known: _Known, member: str, identifier: str, one: Mapping[str, Any], report: Report) -> None:
    kind, at = word(one, "type"), (member, identifier)
    if member == "authentication_info_definitions":
        if kind and kind not in AUTH_TYPES:
            report.add("unknown-auth-type", f"{kind[:40]!r} is no type of authentication that the specification lists", *at)
    elif member == "data_marking_definitions":
        _lint_times(one, at, report)
    elif member != "extension_definitions":
        if kind and kind not in AGENT_TYPES:
            report.add("unknown-agent-type", f"{kind[:40]!r} is no type of agent or target that the specification lists", *at)
        _lint_proof(known, one, at, report)
        lint_address(one, at, report)
        _lint_contact(one, at, report)


def _lint_proof(known: _Known, agent: Mapping[str, Any], at: tuple[Key, ...], report: Report) -> None:
    """Report on how an agent or target is authenticated with: the reference, and a secret that is nowhere."""
    named = agent.get("authentication_info")
    if not isinstance(named, str):
        return
    info = known["authentication_info_definitions"].get(named)
    if info is None:
        report.add("dangling-auth", f"{named[:80]} is not among authentication_info_definitions", *at, "authentication_info")
        return
    given = info.get("kms") is True and word(info, "kms_key_identifier")
    if not given and not any(word(info, name) for name in ("password", "token")):
        text = "has no secret; set kms to true and kms_key_identifier to the name under which it is kept"
        report.add("missing-secret", text, "authentication_info_definitions", named)


def _lint_contact(agent: Mapping[str, Any], at: tuple[Key, ...], report: Report) -> None:
    contact = agent.get("contact")
    for member, shape, what in (("email", _MAIL, "mail address"), ("phone", _PHONE, "telephone number")):
        found = contact.get(member) if isinstance(contact, dict) else None
        for name, one in found.items() if isinstance(found, dict) else ():
            if isinstance(one, str) and not variable_like(one) and not shape.fullmatch(one):
                report.add("contact-format", f"{one[:80]!r} is no {what}", *at, "contact", member, name)


# the playbook itself


def _lint_head(flow: Flow, known: _Known, report: Report) -> None:
    playbook = flow.playbook
    _lint_times(playbook, (), report)
    for place, signature in enumerate(items(playbook, "signatures")):
        if isinstance(signature, dict):
            _lint_times(signature, ("signatures", place), report)
    types = items(playbook, "playbook_types")
    if types and not items(playbook, "playbook_activities"):
        report.add("activities-missing", "playbook_types asks for playbook_activities beside it", "playbook_types")
    if "attack" in types:
        report.add("attack-playbook", "its type is attack, so no rule starts it", "playbook_types")
    for place, marking in enumerate(items(playbook, "markings")):
        if isinstance(marking, str) and marking not in known["data_marking_definitions"]:
            report.add("dangling-marking", f"{marking[:80]} is not among data_marking_definitions", "markings", place)
    summary = playbook.get("playbook_processing_summary")
    if isinstance(summary, dict):
        wrong = sorted(name for name, is_so in _summary(flow).items() if _mismatch(name, bool(summary.get(name, False)), is_so))
        if wrong:
            report.add("summary-mismatch", f"{', '.join(wrong)} is not as the playbook is", "playbook_processing_summary")


def _mismatch(name: str, said: bool, is_so: bool) -> bool:
    """Tell whether a summary is wrong. Signing makes no new version, so it may leave its flag unsaid, but not said without a signature."""
    return said and not is_so if name in SIGNED else said is not is_so


def _summary(flow: Flow) -> dict[str, bool]:
    playbook, steps = flow.playbook, list(flow.steps.values())
    kinds = {word(step, "type") for step in steps}
    commands = [command for step in steps for command in items(step, "commands") if isinstance(command, dict)]
    signatures = [one for one in items(playbook, "signatures") if isinstance(one, dict)]
    extended = bool(playbook.get("playbook_extensions")) or any(step.get("step_extensions") for step in steps)
    return {
        **{name: kind in kinds for name, kind in _SUMMARY.items()},
        "manual_playbook": bool(commands) and all(one.get("type") == "manual" for one in commands) and "playbook-action" not in kinds,
        "external_playbooks": "playbook-action" in kinds,
        "switch_logic": "switch-condition" in kinds,
        "temporal_logic": any(step.get("delay") or step.get("timeout") for step in steps),
        "data_markings": bool(items(playbook, "markings")),
        "digital_signatures": bool(signatures),
        "countersigned_signatures": any(one.get("signature") for one in signatures),
        "extensions": extended or bool(playbook.get("extension_definitions")),
    }


def _lint_times(one: Mapping[str, Any], at: tuple[Key, ...], report: Report) -> None:
    """Report on the times of a playbook, a marking or a signature."""
    for name in ("created", "modified"):
        text = word(one, name)
        if text and (not _PRECISE.fullmatch(text) or _moment(text) is None):
            report.add("time-precision", f"{name} is no moment with exactly three decimals: {text[:40]!r}", *at, name)
    for name in ("valid_from", "valid_until"):
        if word(one, name) and _moment(word(one, name)) is None:
            report.add("time-order", f"{name} is no moment of the calendar: {word(one, name)[:40]!r}", *at, name)
    created, modified, begin, end = (_moment(word(one, name)) for name in ("created", "modified", "valid_from", "valid_until"))
    if created and modified and modified < created:
        report.add("time-order", "modified lies before created", *at, "modified")
    if begin and end and end <= begin:
        report.add("time-order", "valid_until does not lie after valid_from", *at, "valid_until")


def _moment(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(re.sub(r":60(\.\d+)?Z$", r":59\1Z", text))
    except ValueError:
        return None
    return found if found.tzinfo else None


def _lint_extensions(playbook: Mapping[str, Any], report: Report) -> None:
    declared = objects(playbook, "extension_definitions")
    for members, extensions in _extended(playbook):
        for identifier, value in extensions.items():
            if identifier not in declared:
                report.add("undeclared-extension", f"{identifier[:80]} is not among extension_definitions", *members, identifier)
            read = {STEP: read_step_extension, PLAYBOOK: read_playbook_extension, AGENT_TARGET: read_agent_target_extension}.get(identifier)
            if read is None:
                continue
            try:
                read(value if isinstance(value, dict) else {"": value})
            except ExtensionFault as error:
                for pointer, text in error.faults:
                    report.add("extension-body", f"{'.'.join(map(str, pointer))} {text}", *members, identifier, *pointer)


def _extended(playbook: Mapping[str, Any]) -> Iterator[tuple[tuple[Key, ...], dict[str, Any]]]:
    places: list[tuple[tuple[Key, ...], Any]] = [(("playbook_extensions",), playbook.get("playbook_extensions"))]
    for member, inner in (
        ("workflow", "step_extensions"),
        ("agent_definitions", "agent_target_extensions"),
        ("target_definitions", "agent_target_extensions"),
        ("authentication_info_definitions", "authentication_info_extensions"),
        ("data_marking_definitions", "marking_extensions"),
    ):
        places += [((member, name, inner), one.get(inner)) for name, one in objects(playbook, member).items()]
    return ((members, found) for members, found in places if isinstance(found, dict))


def _lint_texts(playbook: Mapping[str, Any], report: Report) -> None:
    """Look at every text once: templates, hidden characters, and links that are none."""
    waiting: list[tuple[tuple[Key, ...], Any]] = [((), playbook)]
    while waiting:
        at, here = waiting.pop()
        inner = here.items() if isinstance(here, dict) else enumerate(here)
        for key, one in inner:
            if isinstance(one, dict | list):
                waiting.append(((*at, key), one))
            elif isinstance(one, str):
                _lint_one_text(one, (*at, key), report)


def _lint_one_text(text: str, at: tuple[Key, ...], report: Report) -> None:
    shape = _TEMPLATE_IN_COMMAND if "commands" in at else _TEMPLATE
    if shape.search(text):
        report.add("template-text", "has the form of a template; it is shown as it stands", *at)
    if _HIDDEN.search(text):
        report.add("hidden-text", "holds characters that cannot be seen or that turn the direction of writing", *at)
    if "external_references" in at and at[-1] == "url" and not text.lower().startswith(("http://", "https://")):
        report.add("unsafe-link", f"{text[:60]!r} is neither http nor https", *at)
