"""The shipped playbooks: clean, whole, two-handed, fire first, every way taken, and the page that describes them."""

import json
import re
from datetime import date
from functools import cache
from pathlib import Path

import pytest

from watchword.detect.loader import shipped_rules
from watchword.model.action import Hazard
from watchword.respond.cacao import decode, encode
from watchword.respond.catalogue import LifeSafety, Temporary, shipped_catalogue
from watchword.respond.drill import drill
from watchword.respond.extensions import STEP, playbook_extension, step_extension
from watchword.respond.library_view import slug_of
from watchword.respond.lint import validate
from watchword.respond.plan_making import plan_of

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "src" / "watchword" / "content" / "playbooks"
FILES = sorted(FOLDER.glob("*.json"))
CATALOGUE = shipped_catalogue()
FILLED = {"__incident__", "__finding__", "__person__", "__asset__", "__credential__", "__account__", "__address__", "__place__", "__door__"}
"""What `app.starting` fills from findings."""
FIRE = "Fire first"
each = pytest.mark.parametrize("file", FILES, ids=[file.stem for file in FILES])


@cache
def playbook_of(file):
    return decode(file.read_text("utf-8"))


def made(file):
    playbook = playbook_of(file)
    key = f"{playbook.id}@{playbook.modified}"
    return plan_of(playbook, key, [key], {playbook.id: key})


def actions(file):
    return [step for step in playbook_of(file).workflow.values() if step.type == "action"]


def machines(file):
    return [(step, said.catalogue_action, said) for step in actions(file) if (said := step_extension(step)).catalogue_action is not None]


def test_there_are_twelve_each_under_its_own_name():
    assert len(FILES) == 12
    assert len({playbook_of(file).id for file in FILES}) == 12
    assert [slug_of(playbook_of(file).name) for file in FILES] == [file.stem for file in FILES]


@each
def test_neither_schema_nor_linter_has_anything_against_it(file):
    assert [str(fault) for fault in validate(file.read_text("utf-8"), file.name)] == []


@each
def test_it_comes_back_as_it_was_written(file):
    text = file.read_text("utf-8")
    assert encode(decode(text)) == text
    assert json.loads(text)["markings"] == list(json.loads(text)["data_marking_definitions"])
    assert [one.tlpv2_level for one in playbook_of(file).data_marking_definitions.values()] == ["TLP:CLEAR"]


@each
def test_every_step_is_reached(file):
    plan = made(file)
    todo, seen = [plan.start, plan.exception], set()
    while todo:
        name = todo.pop()
        if not name or name in seen:
            continue
        seen.add(name)
        step = plan.steps[name]
        todo += [step.after_success, step.after_failure, step.on_true, step.on_false, *step.next_steps, *step.cases.values()]
    assert seen == set(plan.steps)


@each
def test_a_drill_takes_its_every_way(file):
    plan = made(file)
    done = drill({plan.key: plan}, plan.key)
    assert done.missed == ()
    assert any(step.on_true or step.cases for step in plan.steps.values()), "a playbook without a decision is a list"


@each
def test_both_trades_have_their_part_and_every_step_its_people(file):
    teams = [step_extension(step).raci.responsible for step in actions(file)]
    assert {"it", "physical"} <= set(teams)
    assert set(teams) == set(playbook_extension(playbook_of(file)).teams)
    for step in actions(file):
        raci = step_extension(step).raci
        assert raci.responsible, step.name
        assert raci.accountable, step.name
    told = {one for step in actions(file) for one in step_extension(step).raci.informed}
    assert {"it", "physical"} <= {word.removesuffix("_lead") for word in told}


@each
def test_what_a_person_does_says_who_what_when_done_and_what_if_not(file):
    for step in actions(file):
        if step_extension(step).catalogue_action is None:
            words = step.commands[0].command
            assert re.fullmatch(r"Who: .+\.\nDo: .+\nDone when: .+\nIf not: .+", words, re.DOTALL), step.name
        assert [command.type for command in step.commands] == ["manual"], "another engine shows it to a person and moves no door"


@each
def test_there_are_timers_that_page_and_evidence_is_asked_for(file):
    said = [step_extension(step) for step in actions(file)]
    clocks = {timer.clock for one in said for timer in one.sla_timers if timer.on_breach == "page"}
    assert clocks == {"acknowledge", "complete"}
    assert any(one.evidence is not None and one.evidence.minimum for one in said)


@each
def test_actions_are_of_the_catalogue_with_their_parameters_and_end_in_time(file):
    for step, action, said in machines(file):
        verb = CATALOGUE.verb(action.name)
        assert action.target, step.name
        needed = {name for name, one in verb.parameters.items() if not one.optional}
        assert needed <= set(action.parameters) <= set(verb.parameters), step.name
        if verb.temporary is Temporary.REQUIRED:
            assert action.revert_after is not None, step.name
        if action.revert_after is not None:
            assert verb.undo, step.name
            assert verb.longest is None or action.revert_after <= verb.longest, step.name
        if verb.hazard >= Hazard.H2:
            assert said.approvals.hazard is verb.hazard, step.name
            assert said.approvals.rule.count >= verb.rule.count, step.name


@each
def test_behind_every_action_stands_a_person_who_is_asked_for_the_same_approvals(file):
    steps = playbook_of(file).workflow
    for step, action, said in machines(file):
        hand = steps[step.on_failure]
        beside = step_extension(hand)
        assert beside.catalogue_action is None, "by hand is no second try of the machine"
        assert beside.approvals == said.approvals, step.name
        assert hand.on_completion == step.on_success, step.name
        if CATALOGUE.verb(action.name).life_safety is LifeSafety.SECURING:
            assert "Fire not known to be normal" in hand.commands[0].command
            assert "way out stays free" in hand.commands[0].command


@each
def test_no_way_leads_to_a_securing_but_past_somebody_who_looked_for_fire(file):
    plan = made(file)
    securing = {
        name
        for name, step in plan.steps.items()
        if step.machine is not None and CATALOGUE.verb(step.machine.verb).life_safety is LifeSafety.SECURING
    }

    def walk(name, looked, seen):
        """Follow one flow and what lies inside it; return whether fire was looked for at its end, on every way."""
        if not name or (name, looked) in seen:
            return
        seen.add((name, looked))
        assert looked or name not in securing, plan.steps[name].title
        step = plan.steps[name]
        after = looked or step.name.startswith(FIRE)
        for inner in (step.on_true, step.on_false, *step.next_steps, *step.cases.values()):
            walk(inner, looked, seen)
        walk(step.after_success, after, seen)
        walk(step.after_failure, looked or "fire" in plan.steps[step.after_failure].words.lower() if step.after_failure else looked, seen)

    walk(plan.start, False, set())


def test_some_of_them_secure_ingress_and_none_names_another_way_to_hold_a_door():
    verbs = {action.name for file in FILES for _, action, _ in machines(file)}
    assert {
        "door.secure_ingress",
        "zone.secure_ingress",
        "port.quarantine",
        "host.isolate",
        "credential.suspend",
        "account.disable",
    } <= verbs
    assert verbs <= set(CATALOGUE.verbs)
    assert not [verb for verb in verbs if "egress" in verb]


@each
def test_its_triggers_are_rules_that_exist_and_one_that_starts_by_itself_begins_harmless(file):
    triggers = playbook_extension(playbook_of(file)).triggers
    if triggers is None:
        return
    assert triggers.rules
    assert set(triggers.rules) <= {path.stem for path in shipped_paths()}
    if triggers.start == "auto":
        assert early_verbs(made(file)) <= {"guard.dispatch"}


def shipped_paths():
    found = list((ROOT / "src" / "watchword" / "content" / "rules").glob("*.yaml"))
    assert len(shipped_rules()) == len(found)
    return found


def early_verbs(plan):
    """Return the verbs that run before any person has spoken or agreed."""
    found, todo, seen = set(), [plan.start], set()
    while todo:
        name = todo.pop()
        if not name or name in seen:
            continue
        seen.add(name)
        step = plan.steps[name]
        if step.type.value == "action" and step.machine is None:
            continue
        if step.machine is not None:
            found.add(step.machine.verb)
            if CATALOGUE.verb(step.machine.verb).rule.needed:
                continue
        todo += [step.on_true, step.on_false, *step.next_steps, *step.cases.values(), step.after_success]
    return found


def test_three_start_by_themselves():
    auto = {file.stem for file in FILES if (said := playbook_extension(playbook_of(file)).triggers) is not None and said.start == "auto"}
    assert auto == {"forced-door-then-unknown-device", "camera-lost-before-an-entry", "leavers-badge-or-account-in-use"}


@each
def test_what_comes_from_outside_is_what_a_finding_fills_and_may_be_empty(file):
    external = {name: one for name, one in playbook_of(file).playbook_variables.items() if one.external}
    assert set(external) <= FILLED
    assert {one.value for one in external.values()} == {""}, "a finding that names no door must not keep the playbook from starting"


@each
def test_it_says_where_good_practice_is_and_when_it_is_looked_at_again(file):
    playbook = playbook_of(file)
    assert len(playbook.external_references) >= 3
    for one in playbook.external_references:
        assert one.name, file.stem
        assert one.source, file.stem
        assert one.description, file.stem
        assert not one.url or one.url.startswith("https://"), one.url
    assert playbook_extension(playbook).review_due > date(2026, 11, 25)


def test_every_one_has_its_paragraph_and_every_paragraph_its_playbook():
    text = (ROOT / "docs" / "reference" / "shipped-playbooks.md").read_text("utf-8")
    sections = dict(zip(re.findall(r"^## (.+)$", text, re.MULTILINE), re.split(r"^## .+$", text, flags=re.MULTILINE)[1:], strict=True))
    assert set(sections) == {playbook_of(file).name for file in FILES}
    for file in FILES:
        playbook, section = playbook_of(file), sections[playbook_of(file).name]
        triggers = playbook_extension(playbook).triggers
        for rule in () if triggers is None else triggers.rules:
            assert f"[{rule}](../detections/{rule}.md)" in section, (file.stem, rule)
        assert ("Starts by itself" in section) == (triggers is not None and triggers.start == "auto"), file.stem
        named = section.partition("Sources:")[2]
        assert named, file.stem
        for word in set(re.findall(r"NIST SP [0-9-]+[0-9](?:r[0-9])?|ISO(?:/IEC)? [0-9]+|NFPA [0-9]+", named)):
            assert any(word in one.name for one in playbook.external_references), (file.stem, word)


def test_extension_key_is_the_one_that_steps_use():
    assert all(STEP in step.step_extensions for file in FILES for step in actions(file))
