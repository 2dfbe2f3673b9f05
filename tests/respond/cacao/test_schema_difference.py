"""Our schema against the official ones, read as draft-07: the same verdict on every playbook, sound or broken."""

import copy
import json
import random

import jsonschema
import pytest
import referencing
from referencing.jsonschema import DRAFT7
from tests.respond.cacao.samples import full, small

from watchword.respond.schema_check import passes

ROUNDS = 1_000
ATOMS = [
    None, True, False, 0, 1, -1, 5000, 1.5, "", "x", "default", [], {}, ["x"], {"x": "y"}, [None], "2026-02-31T00:00:00Z", "2026-01-01T00:00:00", "2026-01-01T23:59:60.5Z",
    "action--0a1b2c3d-0000-4000-8000-000000000001", "playbook-action--0a1b2c3d-0000-4000-8000-000000000001", "X--0a1b2c3d-0000-4000-8000-000000000001", "start--0a1b2c3d-0000-6000-8000-000000000001",
    "end--0a1b2c3d-0000-4000-8000-000000000001\n", "10.0.0.1", "rm -rf / 10.0.0.1", "256.1.1.1", "1.2.3", "01.02.03.004", "10.0.0.0/8", "::1", "::", "2001:db8::7", "1:2:3:4:5:6:7:8", "1:2:3", "fe80::1%eth0",
    "fe80:%1", "::ffff:10.0.0.1", "::ffff:0:10.0.0.1", "a::1.2.3.4", "x::zz", "12345::", "https://example.org/x", "javascript:foo.com", "http://localhost", "http://10.0.0.1/", "a.bc", "aa.bcdefgh", "..aa", "02:00:5e:00:53:01",
    "02-00-5e-00-53-01", "marking-iep", "europe", "TLP:RED", "__a__:value", "__a__", "jss", "cacao-2.0", "manual", 4095, 4096, 100, 101, "80",
]  # fmt: skip
NAMES = [
    "type", "name", "description", "delay", "timeout", "owner", "on_completion", "on_success", "on_failure", "step_extensions", "step_variables", "external_references", "commands", "agent", "targets", "in_args",
    "out_args", "condition", "on_true", "on_false", "switch", "cases", "next_steps", "playbook_id", "playbook_version", "address", "port", "authentication_info", "category", "location", "contact", "logical",
    "sector", "kms", "token", "oauth_header", "url", "ipv4", "ipv6", "l2mac", "vlan", "dname", "region", "labels", "markings", "signatures", "revoked", "valid_until", "value", "constant", "external", "public_key",
    "cert_url", "thumbprint", "public_cert_chain", "signature", "playbook_activities", "derived_from", "priority", "__v__", "__1__", "email", "phone", "created", "modified",
]  # fmt: skip


@pytest.fixture(scope="module")
def official(cacao_data):
    schemas = [json.loads(path.read_text(encoding="utf-8")) for path in sorted((cacao_data / "schemas").rglob("*.json"))]
    registry = referencing.Registry().with_resources((one["$id"], DRAFT7.create_resource(one)) for one in schemas)
    playbook = next(one for one in schemas if one["$id"].endswith("/schemas/playbook.json"))
    return jsonschema.Draft7Validator(playbook, registry=registry)


@pytest.fixture(scope="module")
def seeds(expected):
    from datetime import UTC, datetime

    from watchword.respond.signature import key_of_seed, sign

    small_ones = [json.loads(raw) for _, raw in expected.values() if len(raw) < 20_000]
    return [small(), full(), sign(small(), key_of_seed(b"s" * 32), signee="x", now=datetime(2026, 1, 1, tzinfo=UTC)), *small_ones]


def places(value, found):
    """Every container within a JSON value."""
    found.append(value)
    for inner in value.values() if isinstance(value, dict) else value:
        if isinstance(inner, dict | list):
            places(inner, found)
    return found


def mutate(chance, made):
    """Change one to three things at random places."""
    made = copy.deepcopy(made)
    for _ in range(chance.randint(1, 3)):
        holder = chance.choice(places(made, []))
        if isinstance(holder, list):
            if holder and chance.random() < 0.7:
                place = chance.randrange(len(holder))
                if chance.random() < 0.4:
                    del holder[place]
                else:
                    holder[place] = copy.deepcopy(chance.choice(ATOMS))
            else:
                holder.append(copy.deepcopy(chance.choice(ATOMS)))
            continue
        kind = chance.random()
        if holder and kind < 0.35:
            del holder[chance.choice(list(holder))]
        elif holder and kind < 0.75:
            holder[chance.choice(list(holder))] = copy.deepcopy(chance.choice(ATOMS))
        elif holder and kind < 0.85:
            key = chance.choice(list(holder))
            holder[chance.choice(["x", key + "x", "end" + key, key.upper(), key + "\n"])] = holder.pop(key)
        else:
            holder[chance.choice(NAMES)] = copy.deepcopy(chance.choice(ATOMS))
    return made


def test_the_verdicts_are_those_of_the_official_schemas(official, seeds):
    chance = random.Random(20260301)
    counts = {True: 0, False: 0}
    for _ in range(ROUNDS):
        made = mutate(chance, chance.choice(seeds))
        theirs = official.is_valid(made)
        assert passes(made) is theirs, json.dumps(made)[:4_000]
        counts[theirs] += 1
    assert min(counts.values()) > ROUNDS // 10, counts


@pytest.mark.parametrize("kind", ["url", "ipv4", "ipv6", "l2mac", "vlan", "dname"])
def test_every_address_gets_the_same_verdict(official, kind):
    from tests.respond.cacao.samples import ident

    pieces = [
        "::",
        ":",
        "1",
        "ffff",
        "10.0.0.1",
        "256",
        ".",
        "fe80:",
        "%e",
        "a",
        "0:",
        "0000",
        "12345",
        " ",
        "https://",
        "x.com",
        "é",
        "02:00",
    ]
    chance = random.Random(7)
    values = [one for one in ATOMS if not isinstance(one, list | dict)] + [
        "".join(chance.choices(pieces, k=chance.randint(1, 9))) for _ in range(150)
    ]
    for value in values:
        for agent in ("http-api", "linux"):
            made = small(agent_definitions={ident(agent, 1): {"type": agent, "name": "x", "address": {kind: [value]}}})
            assert passes(made) is official.is_valid(made), (kind, agent, value)
