"""The third-party playbooks: every verdict and code as expected, nothing lost on the way through the model."""

import json

import pytest
from tests.respond.cacao.samples import full, small

from watchword.respond.cacao import decode, encode, json_of, playbook_of
from watchword.respond.extension_writing import write_playbook_extension, write_step_extension
from watchword.respond.extensions import DEFINITIONS, PLAYBOOK, STEP, read_playbook_extension, read_step_extension
from watchword.respond.json_text import read_json
from watchword.respond.lint import lint, validate
from watchword.respond.schema_check import check, passes


def codes(faults, severity):
    return ";".join(sorted({fault.code for fault in faults if fault.severity == severity}))


def test_there_are_as_many_as_the_acceptance_counts(expected):
    rows = [row for row, _ in expected.values()]
    assert len(rows) == 23
    assert sum(row["schema"] == "PASS" for row in rows) == 15
    assert sum(row["schema"] == "PASS" and not row["lint_errors"] for row in rows) == 8


def test_the_schema_gives_every_expected_verdict(expected):
    got = {name: (("PASS", "FAIL")[bool(found := check(read_json(raw)))], len(found)) for name, (_, raw) in expected.items()}
    assert got == {name: (row["schema"], int(row["schema_errors"])) for name, (row, _) in expected.items()}


def test_lint_finds_every_expected_code_and_no_other(expected):
    found = {name: lint(raw, name) for name, (_, raw) in expected.items()}
    got = {name: (codes(faults, "error"), codes(faults, "warning")) for name, faults in found.items()}
    assert got == {name: (row["lint_errors"], row["lint_warnings"]) for name, (row, _) in expected.items()}


def test_every_fault_names_a_line_that_is_there_and_a_place_that_leads_there(expected):
    for name, (_, raw) in expected.items():
        lines = raw.count(b"\n") + 1
        for fault in validate(raw, name):
            assert 1 <= fault.line <= lines
            assert str(fault).startswith(f"{name}:{fault.line}: {fault.code}: ")
            last = fault.at.rpartition("/")[2].replace("~1", "/").replace("~0", "~")
            if last and not last.isdigit() and fault.code not in ("no-workflow", "wrong-version"):
                assert last.encode() in raw.splitlines()[fault.line - 1], fault


def test_no_file_is_lost_on_the_way_through_the_model(expected):
    for raw in (raw for _, raw in expected.values()):
        assert json.loads(encode(decode(raw))) == json.loads(raw)


def test_our_extensions_travel_with_the_third_party_playbooks(sound):
    assert len(sound) == 15
    for value in sound.values():
        extended = json.loads(json.dumps(value))
        for step in extended["workflow"].values():
            step.setdefault("step_extensions", {})[STEP] = {"raci": {"responsible": "it"}, "loop_limit": 3}
        extended.setdefault("playbook_extensions", {})[PLAYBOOK] = {"teams": ["it", "physical"]}
        extended.setdefault("extension_definitions", {}).update(DEFINITIONS)
        assert json.loads(encode(decode(json.dumps(extended)))) == extended
        assert passes(extended)


@pytest.mark.parametrize("made", [small(), full()], ids=["small", "full"])
def test_our_own_samples_are_clean_and_travel_whole(made):
    assert [str(fault) for fault in validate(json.dumps(made))] == []
    assert json.loads(encode(decode(json.dumps(made)))) == made


def test_the_model_holds_what_a_playbook_says():
    playbook = playbook_of(full())
    assert not playbook.extra.keys() - {"revoked"}
    assert {type(step).__name__ for step in playbook.workflow.values()} == {
        "Step", "ActionStep", "PlaybookActionStep", "ParallelStep", "IfStep", "WhileStep", "SwitchStep",
    }  # fmt: skip
    assert all(not step.extra for step in playbook.workflow.values())
    assert all(not one.extra for one in (*playbook.agent_definitions.values(), *playbook.target_definitions.values()))
    assert len([head for step in playbook.workflow.values() for head in step.branches]) == 2 + 2 + 2 + 2 + 1


def test_what_the_model_does_not_know_stays_where_it_was():
    made = small(extra={"a": [1]}, unknown=None, name=5, labels=["x", 3], revoked=False, workflow={"x": 3})
    playbook = playbook_of(made)
    assert (playbook.name, playbook.labels, dict(playbook.workflow)) == ("", (), {})
    assert json_of(playbook) == made


def test_our_extensions_are_written_as_they_are_read():
    made = full()
    for step in made["workflow"].values():
        said = step.get("step_extensions", {}).get(STEP)
        if said is not None:
            read = read_step_extension(said)
            assert read_step_extension(write_step_extension(read)) == read
    said = made["playbook_extensions"][PLAYBOOK]
    assert write_playbook_extension(read_playbook_extension(said)) == said
