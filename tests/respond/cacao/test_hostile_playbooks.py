"""Hostile playbooks: each is refused or made harmless with its code, in bounded time and memory."""

import json
import random
import time
import tracemalloc

import pytest
from tests.respond.cacao.samples import ACT, DESK, END, START, ident, manual, small

from watchword.kit.errors import ContentError
from watchword.respond.cacao import decode, encode
from watchword.respond.lint import MOST_STEPS, validate

LONGEST = 20.0
"""Seconds of processor time that any playbook may cost, on a slow and busy machine; measured: under five."""
MOST_BYTES = 600_000_000


def within(made):
    """Validate within the bounds and return the codes."""
    text = made if isinstance(made, str | bytes) else json.dumps(made, separators=(",", ":"))
    began = time.process_time()
    found = validate(text)
    assert time.process_time() - began < LONGEST
    assert len(found) < 5_000
    assert all(len(fault.text) <= 600 for fault in found)
    return {fault.code for fault in found}


def chain(count, link):
    """A workflow of so many steps, each made by `link(number)`."""
    return small(workflow={ident("parallel", number): link(number) for number in range(count)}, workflow_start=ident("parallel", 0))


def to(*numbers):
    return [ident("parallel", number % MOST_STEPS) for number in numbers]


HOSTILE = {
    "a hundred thousand steps": (lambda: small(workflow={ident("end", number): {} for number in range(95_000)}), {"too-many-steps"}),
    "more than five megabytes": (lambda: small(description="x" * 5_000_000), {"bad-json"}),
    "two hundred thousand brackets": (lambda: "[" * 200_000, {"bad-json"}),
    "deep objects": (lambda: '{"a":' * 150_000, {"bad-json"}),
    "a ring of steps": (
        lambda: chain(MOST_STEPS, lambda n: {"type": "parallel", "next_steps": to(n + 1, n + 2), "on_completion": to(n + 1)[0]}),
        {"cycle"},
    ),
    "every step a branch of the ones before": (
        lambda: chain(
            MOST_STEPS,
            lambda n: {
                "type": "parallel",
                "next_steps": [ident("parallel", other) for other in range(n + 1, min(MOST_STEPS, n + 30))],
                "on_completion": ident("parallel", min(n + 1, MOST_STEPS - 1)),
                "step_variables": {"__a__": {"type": "string"}, "__b__": {"type": "string"}},
                "out_args": ["__a__", "__c__"],
            },
        ),
        {"cycle", "parallel-write", "undeclared-variable"},
    ),
    "a step that leads to itself": (
        lambda: small(workflow={START: {"type": "start", "on_completion": START}, ACT: manual(on_completion=ACT), END: {"type": "end"}}),
        {"cycle"},
    ),
    "many variables": (
        lambda: small(playbook_variables={f"__v{number}__": {"type": "string"} for number in range(60_000)}),
        {"too-many-steps"},
    ),
    "names that could begin anywhere": (
        lambda: small(
            workflow={
                START: {"type": "start", "on_completion": ACT},
                ACT: manual("__a" * 1_500_000 + ":value", on_completion=END),
                END: {"type": "end"},
            }
        ),
        set(),
    ),
    "a pattern that explodes elsewhere": (
        lambda: small(
            workflow={
                START: {"type": "start", "on_completion": ident("if-condition", 1)},
                ident("if-condition", 1): {
                    "type": "if-condition",
                    "condition": "__a__:value MATCHES '(a+)+$'",
                    "on_true": ACT,
                    "on_completion": END,
                },
                ACT: manual(on_completion=ident("end", 9)),
                ident("end", 9): {"type": "end"},
                END: {"type": "end"},
            },
            playbook_variables={"__a__": {"type": "string", "value": "a" * 100_000 + "!"}},
        ),
        set(),
    ),
    "a secret, a script, a template, an inner address": (
        lambda: small(
            name="{{ config.items() }}",
            description="{% for x in y %}\u202e<script>alert(1)</script>",
            labels=["${jndi:ldap://x}", "#{7*7}"],
            external_references=[{"name": "x", "url": "javascript:alert(1)"}, {"name": "y", "url": "data:text/html,x"}],
            authentication_info_definitions={ident("http-basic", 1): {"type": "http-basic", "password": "hunter2"}},
            agent_definitions={
                DESK: {"type": "group", "name": "{{7*7}}"},
                ident("http-api", 1): {
                    "type": "http-api",
                    "name": "x",
                    "address": {"url": ["http://169.254.169.254/latest/meta-data", "gopher://x/"]},
                    "authentication_info": ident("http-basic", 1),
                },
            },
        ),
        {"template-text", "hidden-text", "unsafe-link", "clear-secret", "inward-address", "address-format"},
    ),
    "no text anywhere": (
        lambda: small(name=None, workflow={"": {}, ACT: None, START: [], END: {"type": [], "cases": 3, "next_steps": {}}}),
        {"bad-id", "schema"},
    ),
    "half a character": (lambda: b'{"name": "\xed\xa0\x80"}', {"bad-json"}),
    "a number without end": (lambda: '{"a": ' + "9" * 4_000_000 + "}", {"bad-json"}),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_it_costs_little_and_gets_its_codes(name):
    make, wanted = HOSTILE[name]
    assert wanted <= within(make())


def test_it_takes_little_memory():
    text = json.dumps(small(workflow={ident("end", number): {} for number in range(80_000)}), separators=(",", ":"))
    tracemalloc.start()
    try:
        validate(text)
        assert tracemalloc.get_traced_memory()[1] < MOST_BYTES
    finally:
        tracemalloc.stop()


def test_whatever_is_broken_is_judged_without_a_crash(expected):
    chance = random.Random(11)
    raws = [raw for _, raw in expected.values() if len(raw) < 20_000]
    for _ in range(200):
        raw = bytearray(chance.choice(raws))
        for _ in range(chance.randint(1, 6)):
            at = chance.randrange(len(raw))
            raw[at : at + chance.randint(0, 3)] = chance.choice(
                [b"", b"{", b"}", b'"', b"[]", b"null", b"\xff", b"\\", b"9", b":", b"__a__:value", b"--"]
            )
        validate(bytes(raw))
        try:
            playbook = decode(bytes(raw))
        except ContentError:
            continue
        assert json.loads(encode(playbook)) == json.loads(bytes(raw))


def test_wrong_kinds_everywhere_are_judged_without_a_crash():
    from tests.respond.cacao.samples import full
    from tests.respond.cacao.test_schema_difference import mutate

    chance = random.Random(12)
    for _ in range(150):
        made = mutate(chance, mutate(chance, full()))
        validate(json.dumps(made))
        assert json.loads(encode(decode(json.dumps(made)))) == made
