"""Changes to steps: whatever is done, what is not touched stays, and the playbook is still one that the linter can follow."""

import copy
import itertools
import random

import pytest
from tests.respond.cacao.samples import END, START, full, ident, small

from watchword.kit.errors import InputError
from watchword.respond import playbook_edit as edit
from watchword.respond.cacao import write_json
from watchword.respond.extensions import STEP
from watchword.respond.lint import validate

STRUCTURE = {
    "dangling-step",
    "both-successors",
    "no-successor",
    "cycle",
    "no-start",
    "no-end",
    "unreachable",
    "shared-end",
    "bad-id",
    "schema",
}


@pytest.fixture
def ids():
    numbers = itertools.count(900)
    return lambda: f"0a1b2c3d-0000-4000-8000-{next(numbers):012d}"


def broken(value):
    """What is wrong with the structure; steps that say nothing yet are no fault of an edit."""
    found = validate(write_json(value))
    return [str(one) for one in found if one.code in STRUCTURE and not one.at.endswith(("condition", "switch", "playbook_id", "command"))]


def test_a_new_playbook_asks_only_for_what_its_step_does(ids):
    made = edit.new_playbook("Mine", ids, "2026-03-01T09:00:00.000Z")
    assert {one.code for one in validate(write_json(made))} == {"command-body"}
    step = next(one for one in made["workflow"].values() if one["type"] == "action")
    step["commands"][0]["command"] = "Look"
    assert validate(write_json(made)) == []


def test_a_copy_says_where_it_comes_from_and_is_not_signed(ids):
    made = edit.copy_of(full() | {"signatures": [{}]}, "Ours", ids, "2026-03-01T09:00:00.000Z")
    assert made["derived_from"] == [ident("playbook", 9), ident("playbook", 2)]
    assert made["name"] == "Ours"
    assert "signatures" not in made
    assert made["id"] != full()["id"]


@pytest.mark.parametrize("kind", edit.KINDS)
def test_every_kind_of_step_is_put_in_with_a_sound_structure(ids, kind):
    made = small()
    act = made["workflow"][START]["on_completion"]
    new = edit.insert_after(made, act, kind, ids)
    assert made["workflow"][act]["on_completion"] == new
    assert made["workflow"][new]["on_completion"] == END
    assert broken(made) == []
    edit.remove(made, new)
    assert made == small()


def test_after_a_step_with_two_ways_out_comes_its_success(ids):
    made = full()
    close = next(name for name, step in made["workflow"].items() if "on_failure" in step)
    before = dict(made["workflow"][close])
    new = edit.insert_after(made, close, "action", ids)
    assert made["workflow"][close]["on_success"] == new
    assert made["workflow"][close]["on_failure"] == before["on_failure"]
    assert made["workflow"][new]["on_completion"] == before["on_success"]


def test_branches_are_added_and_taken_out_with_their_steps(ids):
    made = full()
    fork = next(name for name, step in made["workflow"].items() if step["type"] == "parallel")
    size = len(made["workflow"])
    edit.add_way(made, fork, ids)
    assert len(made["workflow"][fork]["next_steps"]) == 3
    assert broken(made) == []
    edit.remove_way(made, fork, "2")
    assert len(made["workflow"]) == size
    with pytest.raises(InputError, match="none of its kind"):
        edit.remove_way(made, fork, "0")
    switch = next(name for name, step in made["workflow"].items() if step["type"] == "switch-condition")
    edit.add_way(made, switch, ids, "fire")
    with pytest.raises(InputError, match="each value has one case"):
        edit.add_way(made, switch, ids, "fire")
    edit.rename_case(made["workflow"][switch], "case:fire", "smoke")
    assert list(made["workflow"][switch]["cases"]) == ["theft", "default", "smoke"]
    edit.remove_way(made, switch, "case:smoke")
    assert made == full()


def test_a_step_is_moved_with_its_branches_and_never_into_itself(ids):
    made = full()
    names = list(made["workflow"])
    fork = next(name for name in names if name.startswith("parallel"))
    within = edit.inside(made, fork)
    switch = next(name for name in names if name.startswith("switch"))
    edit.move(made, fork, switch)
    assert made["workflow"][switch]["on_completion"] == fork
    assert within == edit.inside(made, fork)
    assert broken(made) == []
    with pytest.raises(InputError, match="within itself"):
        edit.move(made, fork, min(within))
    with pytest.raises(InputError, match="Nothing follows an end"):
        edit.move(made, fork, names[-1])
    with pytest.raises(InputError, match="stay where they are"):
        edit.move(made, made["workflow_start"], switch)


def test_up_and_down_change_neighbours_and_undo_each_other(ids):
    made = small()
    act = made["workflow"][START]["on_completion"]
    new = edit.insert_after(made, act, "action", ids)
    kept = copy.deepcopy(made)
    edit.move_up(made, new)
    assert made["workflow"][START]["on_completion"] == new
    edit.move_up(made, new)
    assert made["workflow"][START]["on_completion"] == new
    edit.move_down(made, new)
    edit.move_down(made, new)
    assert made == kept


def test_what_is_not_there_is_said(ids):
    made = small()
    for deed in (
        lambda: edit.insert_after(made, "action--none", "action", ids),
        lambda: edit.insert_after(made, END, "action", ids),
        lambda: edit.insert_after(made, START, "magic", ids),
        lambda: edit.insert_first(made, START, "on_true", "action", ids),
        lambda: edit.remove(made, START),
        lambda: edit.remove(made, "nothing"),
        lambda: edit.move(made, "nothing", START),
        lambda: edit.add_way(made, START, ids),
        lambda: edit.remove_way(made, START, "0"),
    ):
        with pytest.raises(InputError):
            deed()
    assert made == small()


def test_a_catch_for_failures(ids):
    made = small()
    new = edit.catch_failures(made, ids)
    assert made["workflow_exception"] == new
    assert broken(made) == []


def test_definitions_and_summary_follow_the_steps(ids):
    made = small(playbook_processing_summary={"manual_playbook": True})
    act = made["workflow"][START]["on_completion"]
    made["workflow"][act]["step_extensions"] = {STEP: {"continue_on_failure": True}}
    edit.insert_after(made, act, "while-condition", ids)
    edit.finish(made)
    assert STEP in made["extension_definitions"]
    assert made["playbook_processing_summary"] == {"manual_playbook": True, "while_logic": True, "extensions": True}


@pytest.mark.parametrize("seed", range(30))
def test_any_row_of_changes_keeps_the_structure(ids, seed):
    """Whatever is put in, moved and taken out in whatever order: every step is led to, every pointer leads somewhere, nothing circles."""
    chance, made = random.Random(seed), full()
    for _ in range(25):
        names = list(made["workflow"])
        one, other = chance.choice(names), chance.choice(names)
        ways = edit.ways_in(made["workflow"][other])
        deeds = (
            lambda one=one: edit.insert_after(made, one, chance.choice(list(edit.KINDS)), ids),
            lambda one=one: edit.remove(made, one),
            lambda one=one, other=other: edit.move(made, one, other),
            lambda one=one, other=other, ways=ways: edit.move(made, one, other, chance.choice(ways)[0] if ways else ""),
            lambda one=one: edit.move_up(made, one),
            lambda one=one: edit.move_down(made, one),
            lambda one=one: edit.add_way(made, one, ids, str(chance.random())),
            lambda other=other, ways=ways: edit.remove_way(made, other, chance.choice(ways)[0]) if ways else None,
        )
        kept = copy.deepcopy(made)
        try:
            chance.choice(deeds)()
        except InputError:
            assert made == kept
        assert broken(made) == [], seed
