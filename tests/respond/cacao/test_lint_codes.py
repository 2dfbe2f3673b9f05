"""Every code of the linter: a playbook that earns it, at its place, and one close by that does not."""

import json
from pathlib import Path

import pytest
from tests.respond.cacao.samples import ACT, DESK, END, FIREWALL, OTHER, START, changed, encoded, full, ident, manual, small

from watchword.respond.extensions import STEP
from watchword.respond.lint import ERRORS, WARNINGS, lint

W = "workflow"
PARALLEL, SWITCH, IF, WHILE = ident("parallel", 5), ident("switch-condition", 5), ident("if-condition", 5), ident("while-condition", 5)
HTTP = {"type": "http-api", "name": "API", "address": {"url": ["https://api.example.org/"]}}
AUTH = ident("http-basic", 1)


def found(made):
    return lint(made if isinstance(made, str | bytes) else json.dumps(made, indent=1))


def codes(made):
    return {fault.code for fault in found(made)}


def steps(*more, start=START, **named):
    """A small playbook with further steps put in: (identifier, step)."""
    made = small()
    made[W].update(more)
    made["workflow_start"] = start
    return made | named


def command(**said):
    return changed(small(), W, ACT, "commands", to=[said])


def agent(kind="group", **said):
    return changed(small(), "agent_definitions", DESK, to={"type": kind, "name": "Desk", **said})


def variables(**declared):
    return {f"__{name}__": one if isinstance(one, dict) else {"type": one} for name, one in declared.items()}


def branch(kind, identifier, step=None, declared=None, **said):
    """A playbook whose only action opens a branch: start, the composite, and within it an action and its end."""
    inner_end = ident("end", 6)
    made = small(playbook_variables=variables(**(declared or {})))
    made[W] = {
        START: {"type": "start", "on_completion": identifier},
        identifier: {"type": kind, "on_completion": END, **said},
        ACT: manual(on_completion=inner_end) | (step or {}),
        inner_end: {"type": "end"},
        END: {"type": "end"},
    }
    return made


def two_branches(one=None, other=None, declared=None, **said):
    ends = [ident("end", 6), ident("end", 7)]
    made = branch("parallel", PARALLEL, one, declared, next_steps=[ACT, OTHER], **said)
    made[W][OTHER] = manual(on_completion=ends[1]) | (other or {})
    made[W][ends[1]] = {"type": "end"}
    return made


def condition(text, **declared):
    return branch("if-condition", IF, condition=text, on_true=ACT, declared=declared)


def extension(said):
    made = full()
    made[W] = {**small()[W], ACT: manual(on_completion=END, step_extensions={STEP: said})}
    return made | {"workflow_start": START, "workflow_exception": END}


def proof(info, kind="http-basic"):
    return small(
        authentication_info_definitions={ident(kind, 1): {"type": kind, **info}},
        target_definitions={FIREWALL: {**HTTP, "authentication_info": ident(kind, 1)}},
    )


CASES = {
    "bad-json": [("{", small()), (b"\xff{}", small()), ('{"a": 1, "a": 2}', small()), ('{"a": NaN}', small()), ("[" * 200, small()),
                 ('"' + "x" * 5_000_000 + '"', small()), ("[]", small()), ('{"a": 1e999}', small()), ('{"a": "\\ud800"}', small())],
    "wrong-version": [(small(spec_version="1.0"), small()), (changed(small(), "spec_version", to=None), small())],
    "no-workflow": [(changed(small(), W, to=None), small()), (small(workflow=[]), small())],
    "too-many-steps": [(small(workflow={ident("end", number): {"type": "end"} for number in range(2_001)}), small())],
    "no-start": [(small(workflow_start=ACT), small())],
    "no-end": [(changed(small(), W, END, to=None), small())],
    "no-action": [(changed(small(), W, ACT, to=None), small())],
    "bad-id": [(steps(("action-7", manual(on_completion=END))), steps((OTHER, manual(on_completion=END)))),
               (small(agent_definitions={"desk": {"type": "group", "name": "x"}, DESK: {"type": "group", "name": "y"}}), small())],
    "unknown-step-type": [(changed(small(), W, ACT, "type", to="single"), small()), (steps((ident("loop", 5), {})), small()),
                          (steps((ident("loop", 5), 3)), small())],
    "unread-step": [(steps((ident("step", 5), manual(on_completion=END))), small())],
    "dangling-step": [(changed(small(), W, ACT, "on_completion", to=OTHER), small()), (small(workflow_exception=OTHER), small(workflow_exception=ACT)),
                      (branch("switch-condition", SWITCH, switch="__a__:value", cases={"x": OTHER}, declared={"a": "string"}),
                       branch("switch-condition", SWITCH, switch="__a__:value", cases={"x": ACT}, declared={"a": "string"}))],
    "dangling-agent": [(changed(small(), W, ACT, "agent", to=FIREWALL), small())],
    "dangling-target": [(changed(small(), W, ACT, "targets", to=[FIREWALL]),
                         changed(small(target_definitions={FIREWALL: HTTP}), W, ACT, "targets", to=[FIREWALL]))],
    "dangling-auth": [(agent("http-api", address={}, authentication_info=AUTH), proof({"password": "__x__:value"}))],
    "both-successors": [(changed(small(), W, ACT, "on_failure", to=END), changed(changed(small(), W, ACT, "on_completion", to=None), W, ACT, "on_success", to=END))],
    "no-successor": [(changed(small(), W, ACT, "on_completion", to=None), small())],
    "cycle": [(changed(small(), W, ACT, "on_completion", to=START), small()), (changed(small(), W, ACT, "on_completion", to=ACT), small()),
              (branch("while-condition", WHILE, {"on_completion": WHILE}, condition="__a__:value", on_true=ACT, declared={"a": "bool"}),
               branch("while-condition", WHILE, condition="__a__:value", on_true=ACT, declared={"a": "bool"}))],
    "unknown-command": [(command(type="openc2", command="x"), command(type="ssh", command="x"))],
    "command-body": [(command(type="manual", command=" "), command(type="manual", command="x")), (command(type="bash"), command(type="bash", command_b64=encoded("x"))),
                     (command(type="ssh", command="x", command_b64=encoded("x")), small()), (command(type="bash", command_b64="x"), small()),
                     (command(type="http-api"), command(type="http-api", command="GET / HTTP/1.1")), (command(type="sigma", command="x"), command(type="sigma", command_b64=encoded("x"))),
                     (command(type="openc2-http", command="POST / HTTP/1.1"), command(type="openc2-http", command="POST / HTTP/1.1", content_b64=encoded("{}"))),
                     (command(type="http-api", command="GET / HTTP/1.1", content="", content_b64=""), small())],
    "condition-syntax": [(condition("__a__:value = yes", a="string"), condition("__a__:value = 'yes'", a="string")), (condition("true"), small()), (condition(""), small())],
    "condition-type": [(condition("__a__:value > 3", a="string"), condition("__a__:value > 3", a="integer")),
                       (condition("__a__:value", a="string"), condition("__a__:value", a="bool")), (condition("__a__:value = 'x'", a="integer"), small())],
    "switch-variable": [(branch("switch-condition", SWITCH, switch="theft", cases={"default": ACT}),
                         branch("switch-condition", SWITCH, switch="__a__:value", cases={"default": ACT}, declared={"a": "string"}))],
    "undeclared-variable": [(command(type="manual", command="See __a__:value"), command(type="manual", command="See the door") | {"playbook_variables": variables(a="string")}),
                            (changed(small(), W, ACT, "out_args", to=["__a__"]), changed(small(playbook_variables=variables(a="string")), W, ACT, "out_args", to=["__a__"])),
                            (condition("__a__:value = 'x'"), small()), (agent("ssh", address={"ipv4": ["__a__:value"]}), small())],
    "variable-name": [(small(playbook_variables={"__a.b__": {"type": "string"}}), small(playbook_variables=variables(a="string"))),
                      (changed(small(), W, ACT, "in_args", to=["a"]), small())],
    "constant-output": [(changed(small(playbook_variables=variables(a={"type": "string", "constant": True})), W, ACT, "out_args", to=["__a__"]),
                         changed(small(playbook_variables=variables(a="string")), W, ACT, "out_args", to=["__a__"]))],
    "extension-body": [(extension({"aprovals": {"count": 1}}), extension({"approvals": {"count": 1}})), (extension({"approvals": {"count": "two"}}), small()),
                       (extension({"loop_limit": 0}), extension({"loop_limit": 1})), (extension({"approvals": None}), small()),
                       (extension({"catalogue_action": {"name": "lock"}}), extension({"catalogue_action": {"name": "door.secure_ingress"}}))],
    "missing-secret": [(proof({"user_id": "x"}), proof({"user_id": "x", "kms": True, "kms_key_identifier": "name"}))],
    "inward-address": [(agent("http-api", address={"url": [url]}), agent("http-api", address={"url": ["https://api.example.org/"]}))
                       for url in ("http://127.0.0.1/", "http://localhost:8123/", "http://169.254.169.254/latest/", "http://[::1]/", "http://2130706433/", "http://0x7f.1/",
                                   "http://0.0.0.0/", "http://[::ffff:127.0.0.1]/", "http://metadata.google.internal/", "https://user@127.1/")]
                      + [(command(type="http-api", command="GET http://127.0.0.1/admin HTTP/1.1"), command(type="http-api", command="GET /admin HTTP/1.1"))],
    "extra-start": [(steps((ident("start", 9), {"type": "start", "on_completion": ACT})), small())],
    "unreachable": [(steps((OTHER, manual(on_completion=END))), steps((OTHER, manual(on_completion=END)), workflow_exception=OTHER))],
    "shared-end": [(two_branches({"on_completion": END}), two_branches()), (two_branches({"on_completion": ident("end", 7)}), small())],
    "id-mismatch": [(small(agent_definitions={DESK: {"type": "individual", "name": "x"}}), small())],
    "step-uuid": [(steps(("end--aa7caf3a-d55a-5e9a-b34e-056215fba56a", {"type": "end"})), small())],
    "unknown-agent-type": [(agent("robot"), agent("group"))],
    "unknown-auth-type": [(proof({"password": "__a__:value"}, kind="saml"), proof({"password": "__a__:value"}))],
    "variable-scope": [(two_branches({"step_variables": variables(a="string")}, {"commands": [{"type": "manual", "command": "__a__:value"}]}),
                        two_branches({}, {"commands": [{"type": "manual", "command": "__a__:value"}]}, step_variables=variables(a="string")))],
    "variable-shadow": [(two_branches({"step_variables": variables(a="string")}, step_variables=variables(a="string")),
                         two_branches({"step_variables": variables(a="string")}, {"step_variables": variables(a="string")})),
                        (changed(small(playbook_variables=variables(a="string")), W, ACT, "step_variables", to=variables(a="string")), small())],
    "variable-type": [(small(playbook_variables=variables(a="ip")), small(playbook_variables=variables(a="ipv4-addr"))),
                      (small(playbook_variables=variables(a={"type": "integer", "value": "five"})), small(playbook_variables=variables(a={"type": "integer", "value": "5"})))],
    "bare-variable": [(command(type="manual", command="See __a__ now"), command(type="manual", command="See the door")),
                      (agent("ssh", address={"dname": ["__host__"]}), small())],
    "parallel-write": [(two_branches({"out_args": ["__a__"]}, {"out_args": ["__a__"]}, {"a": "string"}),
                        two_branches({"out_args": ["__a__"]}, {"out_args": ["__b__"]}, {"a": "string", "b": "string"})),
                       (two_branches({"out_args": ["__a__"]}, {"out_args": ["__a__"]}, {"a": "string"}),
                        two_branches({"out_args": ["__a__"]}, {"out_args": ["__a__"], "step_variables": variables(a="string")}, {"a": "string"}))],
    "switch-no-default": [(branch("switch-condition", SWITCH, switch="__a__:value", cases={"x": ACT}, declared={"a": "string"}),
                           branch("switch-condition", SWITCH, switch="__a__:value", cases={"default": ACT}, declared={"a": "string"}))],
    "start-line": [(command(type="http-api", command="GET get HTTP1.1"), command(type="http-api", command="GET get HTTP/1.1"))],
    "clear-secret": [(proof({"password": "hunter2"}), proof({"password": "__a__:value"})), (proof({"password": "x", "kms": False}), proof({"password": "x", "kms": True})),
                     (agent("http-api", address={"url": ["https://me:secret@api.example.org/"]}), agent("http-api", address={"url": ["https://me@api.example.org/"]})),
                     (command(type="http-api", command="GET / HTTP/1.1", headers={"Authorization": ["Bearer abc"]}),
                      command(type="http-api", command="GET / HTTP/1.1", headers={"Authorization": ["Bearer __a__:value"]}))],
    "address-format": [(agent("ssh", address={kind: [wrong]}, port="22"), agent("ssh", address={kind: [right]}, port="22")) for kind, wrong, right in (
                          ("url", "javascript:foo.com", "https://foo.com"), ("url", "file:///etc/passwd", "ssh://host"), ("ipv4", "rm -rf / 10.0.0.1", "10.0.0.0/8"),
                          ("ipv6", "::zz", "2001:db8::1"), ("l2mac", "02-00", "02:00:5e:00:53:01"), ("dname", "hxxp://x/", "door-7.example.org"))]
                      + [(agent("ssh", address={}, port="70000"), agent("ssh", address={}, port="__p__:value"))],
    "contact-format": [(agent(contact={"email": {"a": "me"}}), agent(contact={"email": {"a": "me@example.org"}})),
                       (agent(contact={"phone": {"a": "<script>"}}), agent(contact={"phone": {"a": "+44 (0)20 7946-0000 x12"}}))],
    "dangling-marking": [(small(markings=[ident("marking-tlp", 1)]), full())],
    "undeclared-extension": [(changed(small(), W, ACT, "step_extensions", to={STEP: {}}), full()),
                             (small(playbook_extensions={ident("extension-definition", 1): {}}), small())],
    "time-order": [(small(modified="2025-12-31T00:00:00.000Z"), small(modified="2026-01-01T00:00:00.000Z")),
                   (small(valid_from="2026-01-01T00:00:00Z", valid_until="2026-01-01T00:00:00Z"), small(valid_from="2026-01-01T00:00:00Z", valid_until="2026-01-01T00:00:01Z")),
                   (small(valid_until="2026-02-31T00:00:00Z"), small(valid_until="2027-02-28T23:59:60Z"))],
    "time-precision": [(small(modified="2026-01-02T00:00:00Z"), small()), (small(created="2025-02-31T00:00:00.000Z"), small())],
    "activities-missing": [(small(playbook_types=["mitigation"]), small(playbook_types=["mitigation"], playbook_activities=["step-sequence"]))],
    "summary-mismatch": [(small(playbook_processing_summary={}), small(playbook_processing_summary={"manual_playbook": True})),
                         (small(playbook_processing_summary={"manual_playbook": True, "digital_signatures": True}), small(playbook_processing_summary={"manual_playbook": True}))],
    "attack-playbook": [(small(playbook_types=["attack"], playbook_activities=["step-sequence"]), full())],
    "unsafe-link": [(small(external_references=[{"name": "x", "url": "javascript:alert(1)"}]), small(external_references=[{"name": "x", "url": "https://example.org"}]))],
    "template-text": [(small(name="{{ 7*7 }}"), small(name="{ 7*7 }")), (small(description="${jndi:x}"), small()), (command(type="bash", command="{% x %}"), command(type="bash", command="echo ${HOME}"))],
    "hidden-text": [(small(name="door\u202egpj"), small(name="Tür")), (small(description="\u001b[31m"), small(description="a\n\tb"))],
}  # fmt: skip


def test_every_code_has_its_playbooks():
    assert set(CASES) == set(ERRORS) | set(WARNINGS)
    assert not set(ERRORS) & set(WARNINGS)


@pytest.mark.parametrize(
    ("code", "bad", "good"),
    [(code, *pair) for code, pairs in CASES.items() for pair in pairs],
    ids=[f"{c}-{i}" for c, p in CASES.items() for i in range(len(p))],
)
def test_a_code_is_found_where_it_is_earned_and_only_there(code, bad, good):
    earned = [fault for fault in found(bad) if fault.code == code]
    assert earned, [str(fault) for fault in found(bad)]
    assert {fault.severity for fault in earned} == {"error" if code in ERRORS else "warning"}
    assert code not in codes(good)


def test_what_is_wrong_once_is_found_alone():
    assert codes(small()) == set()
    assert codes(changed(small(), W, ACT, "agent", to=FIREWALL)) == {"dangling-agent"}
    assert codes(changed(small(), W, ACT, "on_completion", to=None)) == {"no-successor", "unreachable"}


def test_a_fault_points_at_its_line():
    text = json.dumps(changed(small(), W, ACT, "commands", 0, "command", to=""), indent=1)
    (fault,) = lint(text, "door.json")
    assert fault.path == "door.json"
    assert '"type": "manual"' in text.splitlines()[fault.line]
    assert fault.at == f"/workflow/{ACT}/commands/0"


def test_a_thousand_faults_of_a_kind_are_counted_not_listed():
    many = {ident("action", number): manual(on_completion=END, targets=[FIREWALL]) for number in range(10, 500)}
    listed = [fault for fault in found(steps(*many.items())) if fault.code == "dangling-target"]
    assert len(listed) == 100
    assert "390 more" in listed[-1].text


def test_every_code_is_in_the_docs():
    page = (Path(__file__).parents[3] / "docs" / "reference" / "playbooks.md").read_text(encoding="utf-8")
    assert [code for code in (*ERRORS, *WARNINGS) if f"| `{code}` |" not in page] == []
