"""Drills take every way of a playbook and say which they cannot take."""

from tests.respond.plans import act, ask, number, plan, step, text
from tests.respond.playbooks import called, twenty_steps

from watchword.respond.cacao import playbook_of
from watchword.respond.drill import Way, drill, ways_of
from watchword.respond.plan_making import plan_of
from watchword.respond.run_state import RunStatus


def by_key(*plans):
    return {one.key: one for one in plans}


def test_a_drill_takes_both_ways_of_every_choice():
    table = plan(
        ask("a", "b", out_args=("__n__",)),
        step("if-condition", "b", "c", condition="__n__:value > 5 AND __k__:value = 'door'", on_true="yes", on_false="no"),
        ask("yes", "end"), act("no", "end"), step("switch-condition", "c", "end", switch="__k__", cases={"door": "d", "default": "e"}),
        act("d", on_success="end", on_failure="e"), ask("e", "end"), n=number(), k=text(external=True),
    )  # fmt: skip
    done = drill(by_key(table), "p@1")
    assert done.missed == ()
    assert {Way("p@1", "b", "true"), Way("p@1", "c", "case door"), Way("p@1", "d", "failure")} <= done.wanted
    assert len(done.runs) <= 4


def test_a_way_that_no_answer_leads_to_is_named():
    table = plan(step("if-condition", "b", "end", condition="__n__:value = 1", on_true="yes"), ask("yes", "end"), n=number("2"))
    assert drill(by_key(table), "p@1").missed == (Way("p@1", "b", "true"), Way("p@1", "yes", "success"))


def test_failures_lead_through_branches_calls_and_exceptions():
    inner = plan(act("x", "end"), key="q@1")
    outer = plan(
        step("parallel", "p", "c", next_steps=("a", "b")), ask("a", "end"), act("b", "end"),
        step("playbook-action", "c", "end", book="q@1"), ask("help", "end"), exception="help",
    )  # fmt: skip
    done = drill(by_key(outer, inner), "p@1")
    assert done.missed == ()
    assert Way("p@1", "", "exception") in done.wanted
    assert Way("q@1", "x", "success") in done.wanted
    assert RunStatus.HANDLED in {run.status for run in done.runs}


def test_loops_end_although_nobody_says_when():
    loop = step("while-condition", "w", "end", condition="__more__:value", on_true="a")
    table = plan(loop, ask("a", "end", out_args=("__more__",)), more=step_bool())
    done = drill(by_key(table), "p@1")
    assert done.missed == ()
    assert done.runs[0].status is RunStatus.COMPLETED


def step_bool():
    from watchword.respond.plan import Declared

    return Declared("bool", "true")


def test_a_drill_gives_the_same_runs_every_time():
    books = twenty()
    first, again = drill(books, next(iter(books))), drill(books, next(iter(books)))
    assert first == again


def test_the_playbook_of_every_step_type_is_covered():
    books = twenty()
    root = next(iter(books))
    done = drill(books, root)
    assert done.missed == ()
    assert done.wanted == ways_of(books, root)
    assert {action.verb for run in done.runs for action in run.actions} >= {"account.disable", "account.require_step_up"}


def twenty():
    made = [twenty_steps(), called()]
    keys = [f"{one['id']}@{one['modified']}" for one in made]
    latest = {one["id"]: key for one, key in zip(made, keys, strict=True)}
    return {key: plan_of(playbook_of(one), key, keys, latest) for one, key in zip(made, keys, strict=True)}
