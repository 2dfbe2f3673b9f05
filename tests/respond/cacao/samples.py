"""Playbooks of our own for tests: one that uses everything the standard knows, and small ones to be broken."""

import base64
import copy

from watchword.respond.extensions import AGENT_TARGET, DEFINITIONS, PLAYBOOK, STEP


def ident(kind, number):
    return f"{kind}--0a1b2c3d-0000-4000-8000-{number:012d}"


def encoded(text):
    return base64.b64encode(text.encode()).decode()


START, ACT, OTHER, END = ident("start", 1), ident("action", 2), ident("action", 3), ident("end", 4)
DESK, FIREWALL, DOOR = ident("group", 1), ident("http-api", 2), ident("location", 3)


def manual(text="Look at the door", **said):
    return {"type": "action", "name": "Do", "commands": [{"type": "manual", "command": text}], "agent": DESK, **said}


def small(**more):
    """A playbook that nothing is wrong with: start, action, end."""
    made = {
        "type": "playbook", "spec_version": "cacao-2.0", "id": ident("playbook", 1), "name": "Small", "description": "A small one",
        "created_by": ident("identity", 1), "created": "2026-01-01T00:00:00.000Z", "modified": "2026-01-02T00:00:00.000Z",
        "workflow_start": START,
        "workflow": {
            START: {"type": "start", "on_completion": ACT},
            ACT: manual(on_completion=END),
            END: {"type": "end"},
        },
        "agent_definitions": {DESK: {"type": "group", "name": "Control room"}},
    }  # fmt: skip
    return copy.deepcopy(made | more)


def full():
    """A playbook with every type of step, command, agent, authentication, marking and extension, physical ones included."""
    n = {
        word: ident(kind, number)
        for number, (word, kind) in enumerate(
            {
                "start": "start", "ask": "action", "fork": "parallel", "doors": "parallel", "secure": "action", "guard": "action",
                "end_secure": "end", "end_guard": "end", "end_doors": "end", "hunt": "action", "end_hunt": "end", "kind": "switch-condition",
                "theft": "action", "end_theft": "end", "other": "action", "end_other": "end", "late": "if-condition", "night": "action",
                "end_night": "end", "day": "action", "end_day": "end", "loop": "while-condition", "again": "action", "end_again": "end",
                "call": "playbook-action", "close": "action", "mend": "action", "end": "end", "exception": "action", "end_exception": "end",
            }.items(),
            10,
        )
    }  # fmt: skip
    rule = {"hazard": 3, "teams": ["it", "physical"], "exclude_requester": True, "expires_after": "10m"}
    steps = {
        n["start"]: {"type": "start", "on_completion": n["ask"]},
        n["ask"]: manual("Ask the guard what __door__:value looks like", out_args=["__kind__", "__count__"], on_completion=n["fork"], delay=1000,
                         timeout=600_000, owner=ident("identity", 2), external_references=[{"name": "Ours", "url": "https://example.org/door"}]),
        n["fork"]: {"type": "parallel", "next_steps": [n["doors"], n["hunt"]], "on_completion": n["kind"]},
        n["doors"]: {"type": "parallel", "next_steps": [n["secure"], n["guard"]], "on_completion": n["end_doors"],
                     "step_variables": {"__seen__": {"type": "bool"}}},
        n["secure"]: manual("Let nobody in through __door__:value", targets=[DOOR], on_success=n["end_secure"], step_extensions={STEP: {
            "approvals": rule, "raci": {"responsible": "physical", "accountable": "lead", "consulted": ["it"], "informed": ["management"]},
            "sla_timers": [{"clock": "acknowledge", "within": "5m", "on_breach": "page"}], "evidence": {"kinds": ["photo"], "minimum": 1},
            "catalogue_action": {"name": "door.secure_ingress", "target": ["__door__:value"], "parameters": {"note": "x"}, "revert_after": "30m"},
            "exercise": {"allowed": True, "twin": "door"}, "mapped_from": {"type": "foreign"}}}),
        n["end_secure"]: {"type": "end"},
        n["guard"]: manual("Stand outside", on_completion=n["end_guard"], out_args=["__seen__"], step_extensions={STEP: {"continue_on_failure": True}}),
        n["end_guard"]: {"type": "end"},
        n["end_doors"]: {"type": "end"},
        n["hunt"]: {"type": "action", "agent": FIREWALL, "targets": [FIREWALL, ident("ssh", 4)], "on_completion": n["end_hunt"], "commands": [
            *({"type": kind, "command_b64": encoded(kind)} for kind in ("sigma", "yara", "kestrel", "elastic", "jupyter")),
            *({"type": kind, "command": "id"} for kind in ("bash", "powershell", "caldera-cmd")),
            {"type": "ssh", "command_b64": encoded("show mac address-table")},
            {"type": "http-api", "command": "POST /block HTTP/1.1", "headers": {"Accept": ["application/json"]}, "content": "{}", "version": "1"},
            {"type": "openc2-http", "command": "POST /openc2 HTTP/1.1", "content_b64": encoded("{}"), "playbook_activity": "restrict-access"},
        ]},
        n["end_hunt"]: {"type": "end"},
        n["kind"]: {"type": "switch-condition", "switch": "__kind__:value", "cases": {"theft": n["theft"], "default": n["other"]},
                    "on_completion": n["late"]},
        n["theft"]: manual("Call the police", on_completion=n["end_theft"]),
        n["end_theft"]: {"type": "end"},
        n["other"]: manual("Write it down", on_completion=n["end_other"]),
        n["end_other"]: {"type": "end"},
        n["late"]: {"type": "if-condition", "condition": "__count__:value > 2 AND NOT __kind__:value = 'drill'", "on_true": n["night"],
                    "on_false": n["day"], "on_completion": n["loop"]},
        n["night"]: manual("Wake the deputy", on_completion=n["end_night"]),
        n["end_night"]: {"type": "end"},
        n["day"]: manual("Tell the deputy", on_completion=n["end_day"]),
        n["end_day"]: {"type": "end"},
        n["loop"]: {"type": "while-condition", "condition": "__count__:value < 3", "on_true": n["again"], "on_completion": n["call"],
                    "step_extensions": {STEP: {"loop_limit": 5}}},
        n["again"]: manual("Count again", out_args=["__count__"], on_completion=n["end_again"]),
        n["end_again"]: {"type": "end"},
        n["call"]: {"type": "playbook-action", "playbook_id": ident("playbook", 1), "playbook_version": "2026-01-02T00:00:00.000Z",
                    "in_args": ["__door__"], "on_completion": n["close"]},
        n["close"]: manual("Close it", on_success=n["end"], on_failure=n["mend"]),
        n["mend"]: manual("Mend it", on_completion=n["end"]),
        n["end"]: {"type": "end"},
        n["exception"]: manual("Page the lead", on_completion=n["end_exception"]),
        n["end_exception"]: {"type": "end"},
    }  # fmt: skip
    return small(
        id=ident("playbook", 2), name="Forced door, then unknown device", workflow=steps, workflow_start=n["start"],
        workflow_exception=n["exception"], playbook_types=["mitigation"], playbook_activities=["restrict-access"],
        valid_from="2026-01-01T00:00:00Z", valid_until="2030-01-01T00:00:00Z", priority=1, severity=80, impact=20, revoked=False,
        derived_from=[ident("playbook", 9)], related_to=[ident("campaign", 1)], industry_sectors=["utilities"], labels=["door"],
        markings=[ident("marking-tlp", 1), ident("marking-statement", 2)],
        playbook_processing_summary={"external_playbooks": True, "parallel_processing": True, "if_logic": True, "while_logic": True,
                                     "switch_logic": True, "temporal_logic": True, "data_markings": True, "extensions": True},
        playbook_variables={
            "__door__": {"type": "string", "external": True, "description": "uid of the door"},
            "__kind__": {"type": "string", "value": ""}, "__count__": {"type": "integer", "value": "0"}, "__api__": {"type": "string", "value": None},
            "__net__": {"type": "ipv4-addr", "value": "192.0.2.0/24", "constant": True},
        },
        playbook_extensions={PLAYBOOK: {"teams": ["it", "physical"], "review_due": "2027-01-31", "drilled_at": "2026-01-02T00:00:00.000Z",
                                        "triggers": {"rules": ["WW-004"], "start": "suggest"}}},
        authentication_info_definitions={
            ident("http-basic", 1): {"type": "http-basic", "user_id": "watchword", "kms": True, "kms_key_identifier": "firewall"},
            ident("oauth2", 2): {"type": "oauth2", "oauth_header": "__api__:value", "token": "__api__:value"},
            ident("user-auth", 3): {"type": "user-auth", "username": "net", "password": "__api__:value"},
        },
        agent_definitions={
            DESK: {"type": "group", "name": "Control room", "contact": {"email": {"work": "desk@example.org"}, "phone": {"desk": "+44 20 7946 0000"},
                                                                         "contact_details": "day and night"}},
            ident("individual", 5): {"type": "individual", "name": "The officer", "location": {"name": "Gate", "region": "europe", "country": "GB"}},
            ident("organization", 6): {"type": "organization", "name": "Guards Ltd"},
            FIREWALL: {"type": "http-api", "name": "Firewall", "address": {"url": ["https://firewall.example.org/api"], "vlan": [12]}, "port": "443",
                       "authentication_info": ident("http-basic", 1), "category": ["firewall"]},
        },
        target_definitions={
            DOOR: {"type": "location", "name": "Back door", "logical": ["ground floor"], "agent_target_extensions": {AGENT_TARGET: {"door": "mill/doors/back"}}},
            FIREWALL: {"type": "http-api", "name": "Firewall", "address": {"dname": ["firewall.example.org"]}},
            ident("ssh", 4): {"type": "ssh", "name": "Switch", "address": {"ipv4": ["192.0.2.4"], "l2mac": ["02:00:5e:00:53:01"]}, "port": "22",
                              "authentication_info": ident("user-auth", 3)},
            ident("linux", 7): {"type": "linux", "name": "Host", "address": {"ipv6": ["2001:db8::7"]}},
            ident("net-address", 8): {"type": "net-address", "name": "Net", "address": {"ipv4": ["192.0.2.9"]}, "authentication_info": ident("oauth2", 2)},
            ident("sector", 9): {"type": "sector", "name": "Water", "sector": "utilities"},
            ident("security-category", 10): {"type": "security-category", "name": "Switches", "category": ["switch"]},
        },
        extension_definitions={name: dict(one) for name, one in DEFINITIONS.items()},
        data_marking_definitions={
            ident("marking-tlp", 1): {"type": "marking-tlp", "id": ident("marking-tlp", 1), "created_by": ident("identity", 1),
                                      "created": "2026-01-01T00:00:00.000Z", "tlpv2_level": "TLP:GREEN"},
            ident("marking-statement", 2): {"type": "marking-statement", "id": ident("marking-statement", 2), "created_by": ident("identity", 1),
                                            "created": "2026-01-01T00:00:00.000Z", "statement": "For the site"},
        },
    )  # fmt: skip


def at(value, *pointer):
    for key in pointer:
        value = value[key]
    return value


def changed(made, *pointer, to):
    """Return a copy with the value at a pointer replaced; `to` None takes it out."""
    made = copy.deepcopy(made)
    holder = at(made, *pointer[:-1])
    if to is None:
        del holder[pointer[-1]]
    else:
        holder[pointer[-1]] = to
    return made
