"""Playbooks for tests, written here as CACAO JSON, and a shelf that keeps them as the library would."""

import hashlib
import json
from dataclasses import dataclass, field

from watchword.kit.errors import NotFound
from watchword.model.playbook import Playbook
from watchword.respond.cacao import decode
from watchword.respond.extensions import DEFINITIONS, STEP

MADE = "2026-01-05T09:00:00.000Z"
IT, GUARDS = "group--00000000-0000-4000-8000-00000000aaaa", "group--00000000-0000-4000-8000-00000000bbbb"


def name_of(kind, number):
    return f"{kind}--00000000-0000-4000-8000-{number:012d}"


def manual(text, **said):
    """An action step that a person does."""
    extension = {
        key: said.pop(key) for key in ("approvals", "raci", "sla_timers", "evidence", "exercise", "continue_on_failure") if key in said
    }
    made = {"type": "action", "commands": [{"type": "manual", "command": text}], "agent": said.pop("agent", IT), **said}
    return made | ({"step_extensions": {STEP: extension}} if extension else {})


def machine(verb, target, *, parameters=None, revert_after="", approvals=None, **said):
    """An action step that the gateway does."""
    action = {"name": verb, "target": [target], "parameters": parameters or {}}
    if revert_after:
        action["revert_after"] = revert_after
    extension = {"catalogue_action": action} | ({"approvals": approvals} if approvals else {})
    command = {"type": "manual", "command": f"{verb} {target}"}
    return {"type": "action", "commands": [command], "agent": IT, "step_extensions": {STEP: extension}, **said}


def document(number, name, steps, *, variables=None, modified=MADE, exception="", **more):
    """A playbook with the given workflow; its first step is `start` and its extension definitions are complete."""
    start = next(key for key, step in steps.items() if step["type"] == "start")
    return {
        "type": "playbook", "spec_version": "cacao-2.0", "id": name_of("playbook", number), "name": name,
        "created_by": name_of("identity", 1), "created": MADE, "modified": modified,
        "playbook_types": ["mitigation"], "playbook_activities": ["step-sequence"],
        "workflow_start": start, "workflow": steps, "playbook_variables": variables or {},
        "agent_definitions": {IT: {"type": "group", "name": "IT desk"}, GUARDS: {"type": "group", "name": "Control room"}},
        "extension_definitions": dict(DEFINITIONS),
    } | ({"workflow_exception": exception} if exception else {}) | more  # fmt: skip


@dataclass
class KeptBook:
    id: str
    modified: str
    text: str
    playbook: Playbook
    sha256: str
    faults: list = field(default_factory=list)


class Shelf:
    """Keeps versions of playbooks; the newest is the one put last."""

    def __init__(self, *documents):
        self.kept = {}
        for one in documents:
            self.put(one)

    def put(self, made, faults=()):
        text = made if isinstance(made, str) else json.dumps(made)
        playbook = decode(text)
        kept = KeptBook(playbook.id, playbook.modified, text, playbook, hashlib.sha256(text.encode()).hexdigest(), list(faults))
        self.kept.setdefault(playbook.id, {})[playbook.modified] = kept
        return kept

    def get(self, id, modified=""):  # noqa: A002 - as the library calls it
        versions = self.kept.get(id, {})
        if not versions or (modified and modified not in versions):
            raise NotFound(f"there is no playbook {id!r} {modified}".strip())
        return versions[modified or list(versions)[-1]]


def variable(kind="string", value=None, **more):
    return {"type": kind, **({} if value is None else {"value": value}), **more}


def twenty_steps():
    """A playbook of twenty steps with every type of step, two approvals in parallel, a timer, a loop, a call and a revert."""
    s = {word: name_of(kind, number) for number, (word, kind) in enumerate({
        "start": "start", "ask": "action", "grave": "if-condition", "ticket": "action", "end_if": "end", "kind": "switch-condition",
        "guard": "action", "end_guard": "end", "note": "action", "end_note": "end", "fork": "parallel", "disable": "action",
        "end_disable": "end", "block": "action", "tell": "action", "end_block": "end", "loop": "while-condition", "sessions": "action",
        "count": "action", "end_loop": "end", "later": "action", "call": "playbook-action", "try": "action", "mend": "action", "end": "end",
    }.items(), 1)}  # fmt: skip
    agreed = {"count": 2, "teams": 2, "exclude_requester": True, "expires_after": "6h"}
    steps = {
        s["start"]: {"type": "start", "on_completion": s["ask"]},
        s["ask"]: manual("How grave is it?", name="Ask", out_args=["__grave__"], on_completion=s["grave"],
                         sla_timers=[{"clock": "acknowledge", "within": "1s", "on_breach": "page"}]),
        s["grave"]: {"type": "if-condition", "name": "Grave?", "condition": "__grave__:value = 'high'", "on_true": s["ticket"], "on_completion": s["kind"]},
        s["ticket"]: machine("account.require_step_up", "__who__:value-1", name="Step up", on_completion=s["end_if"]),
        s["end_if"]: {"type": "end"},
        s["kind"]: {"type": "switch-condition", "name": "Kind", "switch": "__grave__:value", "cases": {"high": s["guard"], "default": s["note"]}, "on_completion": s["fork"]},
        s["guard"]: machine("account.require_step_up", "__who__:value-2", name="Step up too", on_completion=s["end_guard"]),
        s["end_guard"]: {"type": "end"},
        s["note"]: manual("Write a note", name="Note", on_completion=s["end_note"]),
        s["end_note"]: {"type": "end"},
        s["fork"]: {"type": "parallel", "name": "Both at once", "next_steps": [s["disable"], s["block"]], "on_completion": s["loop"]},
        s["disable"]: machine("account.disable", "__who__:value-3", name="Disable", approvals=agreed, on_completion=s["end_disable"]),
        s["end_disable"]: {"type": "end"},
        s["block"]: machine("account.disable", "__who__:value-4", name="Disable for a while", approvals=agreed, revert_after="5h", on_completion=s["tell"]),
        s["tell"]: manual("Tell the owner", name="Tell", agent=GUARDS, out_args=["__told__"], on_completion=s["end_block"]),
        s["end_block"]: {"type": "end"},
        s["loop"]: {"type": "while-condition", "name": "Twice", "condition": "__n__:value < 2", "on_true": s["sessions"], "on_completion": s["later"]},
        s["sessions"]: machine("account.end_sessions", "__who__:value-5-__n__:value", name="End sessions", on_completion=s["count"]),
        s["count"]: manual("Count", name="Count", out_args=["__n__"], on_completion=s["end_loop"]),
        s["end_loop"]: {"type": "end"},
        s["later"]: machine("account.end_sessions", "__who__:value-6", name="A little later", delay=300, on_completion=s["call"]),
        s["call"]: {"type": "playbook-action", "name": "Call", "playbook_id": name_of("playbook", 2), "in_args": ["__who__"], "out_args": ["__seen__"], "on_completion": s["try"]},
        s["try"]: manual("This goes wrong", name="Try", on_success=s["end"], on_failure=s["mend"]),
        s["mend"]: machine("account.end_sessions", "__who__:value-7", name="Mend", on_completion=s["end"]),
        s["end"]: {"type": "end"},
    }  # fmt: skip
    variables = {
        "__who__": variable(external=True), "__grave__": variable(), "__told__": variable(), "__seen__": variable(),
        "__n__": variable("integer", "0"),
    }  # fmt: skip
    return document(1, "Twenty steps", steps, variables=variables)


def called():
    """The playbook that the one of twenty steps runs."""
    start, lock, look, end = name_of("start", 1), name_of("action", 2), name_of("action", 3), name_of("end", 4)
    steps = {
        start: {"type": "start", "on_completion": lock},
        lock: machine("account.end_sessions", "__who__:value-8", name="Inside", on_completion=look),
        look: manual("What do you see?", name="Look", out_args=["__seen__"], on_completion=end),
        end: {"type": "end"},
    }
    return document(2, "Called", steps, variables={"__who__": variable(external=True), "__seen__": variable()})
