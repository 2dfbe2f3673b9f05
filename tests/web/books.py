"""Playbooks for the tests of pages: two small ones, and one full of hostile texts."""

import json

from watchword.respond.extensions import DEFINITIONS, PLAYBOOK, STEP

HOSTILE = "<script>alert('x')</script>{{ 7 * 7 }}${7*7}"


def ident(kind, number):
    return f"{kind}--0a1b2c3d-0000-4000-8000-{number:012d}"


DESK = ident("group", 1)


def manual(text, **said):
    ours = {key: said.pop(key) for key in ("raci", "sla_timers", "evidence", "catalogue_action", "approvals") if key in said}
    step = {"type": "action", "commands": [{"type": "manual", "command": text}], "agent": DESK, **said}
    return step | ({"step_extensions": {STEP: ours}} if ours else {})


def document(number, name, steps, **more):
    return {
        "type": "playbook", "spec_version": "cacao-2.0", "id": ident("playbook", number), "name": name, "description": f"About {name}",
        "created_by": ident("identity", 1), "created": "2026-01-01T00:00:00.000Z", "modified": "2026-01-02T00:00:00.000Z",
        "workflow_start": ident("start", 1), "workflow": {ident("start", 1): {"type": "start", "on_completion": ident("action", 2)}, **steps},
        "agent_definitions": {DESK: {"type": "group", "name": "Control room"}}, "extension_definitions": dict(DEFINITIONS),
    } | more  # fmt: skip


def door_book(number=101, name="Forced door", **more):
    """A manual step that records a value, then an action that one other person must agree to."""
    raci = {"responsible": "physical", "accountable": "lead", "informed": ["it"]}
    steps = {
        ident("action", 2): manual(
            "Look at the door", name="Look at it", out_args=["__seen__"], raci=raci,
            sla_timers=[{"clock": "complete", "within": "10m", "on_breach": "page"}], on_completion=ident("action", 3),
        ),
        ident("action", 3): manual(
            "Disable the account", name="Shut the account", on_success=ident("end", 4), on_failure=ident("action", 5),
            catalogue_action={"name": "account.disable", "target": ["__account__:value"], "revert_after": "4h"},
        ),
        ident("action", 5): manual("Call the help desk", name="By hand", on_completion=ident("end", 6)),
        ident("end", 4): {"type": "end"},
        ident("end", 6): {"type": "end"},
    }  # fmt: skip
    variables = {
        "__seen__": {"type": "string", "value": ""},
        "__account__": {"type": "string", "value": "account:areyes", "external": True, "description": "Whose account"},
    }
    ours = {PLAYBOOK: {"teams": ["it", "physical"], "review_due": "2027-01-31", "triggers": {"rules": ["ww_004"], "start": "suggest"}}}
    return document(number, name, steps, **({"playbook_variables": variables, "playbook_extensions": ours} | more))


def hostile_book(number=102):
    """Every text is an attack on whoever shows it."""
    steps = {
        ident("action", 2): manual(
            HOSTILE, name=HOSTILE, description=HOSTILE, on_completion=ident("end", 4),
            external_references=[{"name": HOSTILE, "url": "javascript:alert(1)"}, {"name": "data", "url": "data:text/html,<script>"}],
        ),
        ident("end", 4): {"type": "end"},
    }  # fmt: skip
    made = document(number, HOSTILE + "n" * 5_000, steps, description=HOSTILE, labels=[HOSTILE])
    made["external_references"] = [{"name": HOSTILE, "url": "JavaScript:alert(2)"}, {"name": "good", "url": "https://example.org/x"}]
    made["agent_definitions"][DESK]["name"] = HOSTILE
    made["playbook_variables"] = {"__x__": {"type": "string", "value": HOSTILE, "description": HOSTILE}}
    return made


def text(made):
    return json.dumps(made)
