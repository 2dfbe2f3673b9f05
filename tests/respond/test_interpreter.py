"""The interpreter's rules, one by one: routing, scopes, branches, loops, calls, approvals, timers, refusing to guess."""

import pytest
from tests.respond.plans import NOON, Table, act, ask, number, plan, step, text

from watchword.model.action import OutcomeStatus
from watchword.respond import interpreter
from watchword.respond.approval import ApprovalRule
from watchword.respond.plan import PlanStep, Sla, StepType, timedelta
from watchword.respond.run_state import (
    AskApproval,
    AskPerson,
    Cancel,
    Decided,
    Fired,
    Overran,
    Perform,
    Performed,
    SetTimer,
    TimerKind,
    Told,
)

TWO = ApprovalRule(2, 2)


def paths(table, kind):
    return set(table.open(kind))


# routing


def test_success_follows_on_completion_and_an_end_ends_the_run():
    table = Table(plan(act("a", "b"), ask("b", "end")))
    assert paths(table, Perform) == {"a"}
    table.done("a")
    assert table.status("a") == "done"
    assert paths(table, AskPerson) == {"b"}
    table.answer("b")
    assert table.ended == "completed"
    assert table.order == ["start", "a", "b", "end"]
    assert not table.state.steps
    assert not table.state.flows


def test_success_and_failure_have_their_own_ways():
    split = act("a", on_success="good", on_failure="bad")
    for failing, way in ((False, "good"), (True, "bad")):
        table = Table(plan(split, ask("good", "end"), ask("bad", "end")))
        (table.fail if failing else table.done)("a")
        assert paths(table, AskPerson) == {way}
        table.answer(way)
        assert table.ended == "completed"


def test_failure_does_not_follow_on_completion():
    table = Table(plan(act("a", "b"), ask("b", "end")))
    table.fail("a", code="timeout")
    assert table.ended == "failed"
    assert table.state.code == "timeout"
    assert "b" not in table.history
    assert [told.page for told in table.effects if isinstance(told, Told) and told.page] == ["lead"]


def test_failure_follows_on_completion_where_the_extension_says_so():
    table = Table(plan(act("a", "b", continue_on_failure=True), ask("b", "end")))
    table.fail("a")
    assert paths(table, AskPerson) == {"b"}
    table.answer("b")
    assert table.ended == "completed"


def test_the_exception_flow_catches_once_and_the_run_is_handled():
    table = Table(plan(act("a", "b"), ask("b", "end"), ask("help", "end"), exception="help"))
    table.fail("a")
    assert paths(table, AskPerson) == {"exception/help"}
    table.answer("exception/help")
    assert table.ended == "handled"
    assert "'a'" in table.state.said


def test_a_failure_in_the_exception_flow_ends_the_run():
    table = Table(plan(act("a", "b"), ask("b", "end"), ask("help", "end"), exception="help"))
    table.fail("a")
    table.answer("exception/help", "failed")
    assert table.ended == "failed"


def test_a_step_without_successor_is_a_failure_not_a_quiet_end():
    table = Table(plan(act("a")))
    table.done("a")
    assert table.ended == "failed"
    assert table.state.code == "no_successor"


@pytest.mark.parametrize(
    ("outcome", "code"),
    [
        ({"status": OutcomeStatus.FAILED}, "failed"),
        ({"status": OutcomeStatus.REFUSED, "code": "fire-unknown"}, "fire-unknown"),
        ({"status": OutcomeStatus.UNKNOWN}, "unknown"),
        ({"verified": False}, "not_verified"),
    ],
)
def test_only_done_and_not_contradicted_is_success(outcome, code):
    table = Table(plan(act("a", "end")))
    table.done("a", **outcome)
    assert (table.status("a"), table.state.code) == ("failed", code)


def test_an_action_without_read_back_succeeds_and_says_so():
    table = Table(plan(act("a", "end")))
    table.done("a", verified=None)
    assert "not read back" in table.history["a"].said


def test_an_action_runs_on_every_target_in_order():
    table = Table(plan(act("a", "end", targets=("one", "two"))))
    assert table.open(Perform)["a"].action.target == "one"
    table.done("a")
    assert table.open(Perform)["a"].action.target == "two"
    table.done("a", work=0)  # the first one's outcome, told again
    assert table.state.steps["a"].work == 1
    table.done("a", work=1)
    assert table.ended == "completed"


def test_keys_differ_by_target_and_path_and_are_the_same_when_asked_again():
    table = Table(plan(act("a", "end", targets=("one", "two"))))
    other = Table(plan(act("a", "end", targets=("one", "two"))))
    first = table.open(Perform)["a"].action
    assert first.key == other.open(Perform)["a"].action.key
    table.done("a")
    assert table.open(Perform)["a"].action.key != first.key


# variables


def test_values_go_into_actions_and_outputs_come_back():
    table = Table(
        plan(act("a", "b", targets=("__door__:value",), parameters={"why": "for __who__:value"}, out_args=("__state__",)),
             step("if-condition", "b", "end", condition="__state__:value = 'held'", on_true="c"), ask("c", "end"),
             door=text(external=True), who=text("Ana"), state=text()),
        values={"__door__": "door-7"},
    )  # fmt: skip
    action = table.open(Perform)["a"].action
    assert (action.target, action.parameters) == ("door-7", {"why": "for Ana"})
    table.done("a", {"state": "held"})
    assert paths(table, AskPerson) == {"b/c"}


def test_an_unknown_value_fails_the_step_before_anything_is_done():
    table = Table(plan(act("a", "end", targets=("__door__:value",)), door=text()))
    assert (table.ended, table.state.code) == ("failed", "unknown_value")
    assert not [one for one in table.effects if isinstance(one, Perform)]


@pytest.mark.parametrize(
    ("declared", "given", "code"),
    [(number(), {"n": "many"}, "variable_type"), (number("1", constant=True), {"n": "2"}, "constant_output"), (number(), {}, "no_output")],
)
def test_a_wrong_output_fails_the_step(declared, given, code):
    table = Table(plan(ask("a", "end", out_args=("__n__",)), n=declared))
    table.answer("a", **given)
    assert (table.status("a"), table.state.code) == ("failed", code)


def test_an_output_goes_to_the_steps_own_variable_first():
    table = Table(
        plan(ask("a", "b", out_args=("__n__",), variables={"__n__": number("7")}),
             step("if-condition", "b", "end", condition="__n__:value = 1", on_true="c"), ask("c", "end"), n=number("1")),
    )  # fmt: skip
    table.answer("a", n="5")
    assert paths(table, AskPerson) == {"b/c"}
    assert table.history["a"].values == {"__n__": "5"}


def test_what_a_person_reads_keeps_unknown_names():
    table = Table(plan(ask("a", "end", words="Call __who__:value about __what__:value"), who=text("Bo"), what=text()))
    assert table.open(AskPerson)["a"].words == "Call Bo about __what__:value"


def test_not_applicable_goes_on_and_writes_nothing():
    table = Table(plan(ask("a", "b", out_args=("__n__",)), ask("b", "end"), n=number()))
    table.answer("a", "not_applicable")
    assert table.status("a") == "skipped"
    assert paths(table, AskPerson) == {"b"}
    assert table.state.flows[""].values == {"__n__": None}


# if, switch, while


@pytest.mark.parametrize(("value", "way"), [("1", "b/yes"), ("2", "b/no")])
def test_if_takes_one_way_and_goes_on(value, way):
    table = Table(
        plan(step("if-condition", "b", "after", condition="__n__:value = 1", on_true="yes", on_false="no"),
             ask("yes", "end"), ask("no", "end"), ask("after", "end"), n=number(value)),
    )  # fmt: skip
    assert paths(table, AskPerson) == {way}
    table.answer(way)
    assert paths(table, AskPerson) == {"after"}


def test_if_without_false_goes_on():
    choice = step("if-condition", "b", "after", condition="__n__:value = 1", on_true="yes")
    table = Table(plan(choice, ask("yes", "end"), ask("after", "end"), n=number("2")))
    assert paths(table, AskPerson) == {"after"}


@pytest.mark.parametrize("declared", [number(None), number("two")])
def test_a_condition_that_cannot_be_decided_fails_and_is_never_false(declared):
    choice = step("if-condition", "b", on_success="after", on_failure="help", condition="__n__:value = 1", on_true="yes", on_false="no")
    table = Table(plan(choice, ask("yes", "end"), ask("no", "end"), ask("after", "end"), ask("help", "end"), n=declared))
    assert table.history["b"].code == "condition"
    assert paths(table, AskPerson) == {"help"}


@pytest.mark.parametrize(("value", "way"), [("red", "s/one"), ("Red", "s/other"), ("", "s/other")])
def test_switch_compares_exactly_and_falls_to_its_default(value, way):
    table = Table(
        plan(step("switch-condition", "s", "end", switch="__c__", cases={"red": "one", "default": "other"}),
             ask("one", "end"), ask("other", "end"), c=text(value)),
    )  # fmt: skip
    assert paths(table, AskPerson) == {way}


@pytest.mark.parametrize(("value", "code"), [("blue", "no_case"), (None, "unknown_value")])
def test_switch_without_a_case_fails(value, code):
    table = Table(plan(step("switch-condition", "s", "end", switch="__c__", cases={"red": "one"}), ask("one", "end"), c=text(value)))
    assert (table.ended, table.state.code) == ("failed", code)


def test_while_is_tested_before_each_turn():
    loop = step("while-condition", "w", "end", condition="__n__:value < 3", on_true="a")
    table = Table(plan(loop, ask("a", "end", out_args=("__n__",)), n=number("1")))
    table.answer("w#1/a", n="2")
    table.answer("w#2/a", n="3")
    assert table.ended == "completed"
    assert table.history["w"].turn == 2
    none = Table(plan(loop, ask("a", "end", out_args=("__n__",)), n=number("3")))
    assert (none.ended, none.history["w"].turn) == ("completed", 0)


def test_a_loop_that_reaches_its_limit_fails():
    choice = step("if-condition", "a", "end", condition="__n__:value = 2", on_true="end")
    table = Table(
        plan(step("while-condition", "w", "end", condition="__n__:value = 1", on_true="a", loop_limit=250), choice, n=number("1"))
    )
    assert (table.ended, table.state.code) == ("failed", "loop_limit")
    assert table.history["w"].turn == 250
    assert table.state.reached > 2 * interpreter.BOUND


def test_a_shadowed_counter_never_ends_its_loop():
    body = ask("a", "end", out_args=("__n__",), variables={"__n__": number()})
    loop = step("while-condition", "w", "end", condition="__n__:value != 2", on_true="a", loop_limit=3, variables={"__n__": number("0")})
    table = Table(plan(loop, body))
    for turn in (1, 2, 3):
        table.answer(f"w#{turn}/a", n="2")
    assert table.state.code == "loop_limit"


def test_one_transition_is_bounded(monkeypatch):
    monkeypatch.setattr(interpreter, "BOUND", 10)
    loop = step("while-condition", "w", "end", condition="__n__:value = 1", on_true="end", loop_limit=50)
    table = Table(plan(loop, n=number("1")))
    assert table.state.code == "loop_limit"


def test_a_run_cannot_grow_without_end(monkeypatch):
    monkeypatch.setattr(interpreter, "MOST_STEPS", 100)
    loop = step("while-condition", "w", "end", condition="__n__:value = 1", on_true="end", loop_limit=10_000)
    table = Table(plan(loop, n=number("1")))
    assert (table.ended, table.state.code) == ("failed", "too_many_steps")


# parallel


def forked(**more):
    return step("parallel", "p", "after", next_steps=("a", "b"), **more)


def test_parallel_opens_all_branches_and_waits_for_all():
    table = Table(plan(forked(), ask("a", "end"), act("b", "end"), ask("after", "end")))
    assert (paths(table, AskPerson), paths(table, Perform)) == ({"p/1/a"}, {"p/2/b"})
    table.done("p/2/b")
    assert "after" not in table.history
    table.answer("p/1/a")
    assert paths(table, AskPerson) == {"after"}


def test_a_failed_branch_cancels_no_other_and_fails_the_step():
    table = Table(plan(forked(), ask("a", "a2"), ask("a2", "end"), act("b", "end"), ask("after", "end")))
    table.fail("p/2/b")
    assert table.ended == "running"
    table.answer("p/1/a")
    table.answer("p/1/a2")
    assert (table.ended, table.state.code) == ("failed", "branch_failed")
    assert "after" not in table.history


def test_a_failed_branch_goes_where_the_parallel_step_says():
    fork = PlanStep("p", StepType.PARALLEL, on_success="after", on_failure="help", next_steps=("a", "b"))
    table = Table(plan(fork, ask("a", "end"), ask("b", "end"), ask("after", "end"), ask("help", "end")))
    table.answer("p/1/a", "failed")
    table.answer("p/2/b")
    assert paths(table, AskPerson) == {"help"}


def test_branches_read_the_fork_and_join_in_their_order():
    write = {"out_args": ("__n__",)}
    table = Table(
        plan(forked(), ask("a", "a2", **write), ask("a2", "end", words="a sees __n__:value"),
             ask("b", "b2", **write), ask("b2", "end", words="b sees __n__:value"), ask("after", "end", words="__n__:value"), n=number("0")),
    )  # fmt: skip
    table.answer("p/2/b", n="2")
    assert table.open(AskPerson)["p/2/b2"].words == "b sees 2"
    table.answer("p/1/a", n="1")
    assert table.open(AskPerson)["p/1/a2"].words == "a sees 1"
    assert table.state.flows[""].values == {"__n__": "0"}
    table.answer("p/1/a2")
    table.answer("p/2/b2")
    assert table.open(AskPerson)["after"].words == "2"


def test_nested_forks_join_into_the_branch_around_them():
    inner = step("parallel", "q", "a2", next_steps=("c", "d"))
    table = Table(
        plan(step("parallel", "p", "after", next_steps=("q", "b")), inner, ask("c", "end", out_args=("__n__",)), ask("d", "end"),
             ask("a2", "end", words="__n__:value"), ask("b", "end", words="__n__:value"), ask("after", "end", words="__n__:value"),
             n=number("0")),
    )  # fmt: skip
    table.answer("p/1/q/1/c", n="5")
    table.answer("p/1/q/2/d")
    assert table.open(AskPerson)["p/1/a2"].words == "5"
    assert table.state.flows[""].values == {"__n__": "0"}
    table.answer("p/1/a2")
    table.answer("p/2/b")
    assert table.open(AskPerson)["after"].words == "5"


# playbook-action


def called(**more):
    return plan(
        ask("x", "end", words="__in__:value", out_args=("__out__",)), key="q@1", **{"in": text(external=True), "out": text()}, **more
    )


def call(follows="after", **more):
    return step("playbook-action", "c", follows, book="q@1", in_args=("__in__",), out_args=("__out__",), **more)


def test_a_called_playbook_has_its_own_scope_and_gives_its_arguments_back():
    outer = plan(call(), ask("after", "end", words="__out__:value __x__:value"), out=text(), x=text("mine"), **{"in": text("given")})
    table = Table(outer, called())
    assert table.open(AskPerson)["c/x"].words == "given"
    table.answer("c/x", out="found")
    assert table.open(AskPerson)["after"].words == "found mine"


def test_a_called_playbook_that_fails_fails_the_step_also_when_its_exception_flow_ended():
    outer = plan(call(), ask("after", "end"), out=text(), **{"in": text("given")})
    for inner in (called(), called(exception="end")):
        table = Table(outer, inner)
        table.answer("c/x", "failed")
        assert (table.ended, table.status("c")) == ("failed", "failed")
        assert "after" not in table.history


def test_a_call_without_its_argument_fails():
    table = Table(plan(call(), ask("after", "end"), out=text(), **{"in": text()}), called())
    assert (table.ended, table.state.code) == ("failed", "missing_variable")


# approvals


def test_an_action_waits_for_approval_and_is_then_performed_with_it():
    table = Table(plan(act("a", "end", approval=TWO)))
    assert paths(table, Perform) == set()
    assert table.open(AskApproval)["a"].rule == TWO
    table.decide("a")
    assert table.open(Perform)["a"].approval == "request"


def test_a_veto_fails_the_step():
    table = Table(plan(act("a", on_success="end", on_failure="b", approval=TWO), ask("b", "end")))
    table.decide("a", granted=False)
    assert (table.history["a"].code, paths(table, AskPerson)) == ("vetoed", {"b"})


def test_an_approval_of_another_action_is_void_and_asked_anew():
    table = Table(plan(act("a", "end", approval=TWO)))
    table.give(Decided("a", "0" * 64, granted=True, approval="old"))
    assert paths(table, Perform) == set()
    assert len([one for one in table.effects if isinstance(one, AskApproval)]) == 2


def test_a_manual_step_can_need_approval_too():
    table = Table(plan(ask("a", "end", approval=TWO)))
    assert paths(table, AskPerson) == set()
    table.decide("a")
    assert paths(table, AskPerson) == {"a"}


def test_two_approvals_in_two_branches_do_not_disturb_one_another():
    table = Table(plan(forked(), act("a", "end", approval=TWO), act("b", "end", approval=TWO), ask("after", "end")))
    table.decide("p/2/b")
    assert paths(table, Perform) == {"p/2/b"}
    assert table.state.steps["p/1/a"].status.value == "approval"
    table.decide("p/1/a")
    table.done("p/1/a")
    table.done("p/2/b")
    assert paths(table, AskPerson) == {"after"}


# exercises


def test_actions_carry_the_exercise_mark_and_forbidden_ones_are_talked_through():
    table = Table(plan(act("a", "b"), act("b", "end", words="hold the door", exercise_allowed=False)), exercise=True)
    assert table.open(Perform)["a"].action.exercise
    table.done("a")
    assert paths(table, AskPerson) == {"b"}


# time


def test_a_delay_is_a_timer():
    table = Table(plan(act("a", "end", delay=timedelta(minutes=5))))
    timer = table.open(SetTimer)["a"]
    assert (timer.kind, timer.due) == (TimerKind.DELAY, NOON + timedelta(minutes=5))
    table.give(Fired("a", TimerKind.DELAY))
    assert paths(table, Perform) == {"a"}
    table.give(Fired("a", TimerKind.DELAY))
    assert len([one for one in table.effects if isinstance(one, Perform)]) == 1


def test_a_timeout_fails_a_manual_step_with_its_path():
    table = Table(plan(ask("a", "end", timeout=timedelta(minutes=1))))
    table.give(Fired("a", TimerKind.TIMEOUT))
    assert table.state.code == "ACTION_TIMEOUT"
    assert "(a)" in table.state.said


def test_a_timeout_of_a_composite_ends_what_is_inside():
    table = Table(plan(forked(timeout=timedelta(minutes=1)), ask("a", "end"), act("b", "end"), ask("after", "end")))
    table.give(Fired("p", TimerKind.TIMEOUT))
    assert (table.status("p/1/a"), table.status("p/2/b"), table.status("p")) == ("cancelled", "cancelled", "failed")
    assert (table.ended, dict(table.state.flows)) == ("failed", {})
    table.give(Performed("p/2/b", 0, None))
    assert table.ended == "failed"


def test_a_machine_that_does_not_answer_fails_its_step():
    table = Table(plan(act("a", "end")))
    table.give(Overran("a", 0))
    assert table.state.code == "ACTION_TIMEOUT"


@pytest.mark.parametrize(("on_breach", "page"), [("page", "team"), ("note", "")])
def test_a_breached_clock_is_told_once_and_the_step_goes_on(on_breach, page):
    table = Table(plan(ask("a", "end", team="it", slas=(Sla("acknowledge", timedelta(minutes=5), on_breach),))))
    assert table.open(SetTimer)["a"].clock == "acknowledge/5m"
    made = table.give(Fired("a", TimerKind.SLA, "acknowledge/5m", late=True))
    (told,) = made.effects
    assert (told.kind, told.page, told.team) == ("timer", page, "it")
    assert "late" in told.text
    assert paths(table, AskPerson) == {"a"}


# ending


def test_a_cancelled_run_asks_for_nothing_more():
    table = Table(plan(forked(), ask("a", "end"), act("b", "end"), ask("after", "end")))
    table.give(Cancel("ana", "false alarm"))
    assert table.ended == "cancelled"
    assert {table.status(path) for path in ("p", "p/1/a", "p/2/b")} == {"cancelled"}
    table.done("p/2/b")
    table.answer("p/1/a")
    assert table.ended == "cancelled"


def test_answers_that_come_late_or_twice_change_nothing():
    table = Table(plan(ask("a", "b"), ask("b", "end")))
    table.answer("a")
    before = table.state
    table.answer("a")
    table.done("b")
    table.give(Fired("gone", TimerKind.DELAY))
    assert table.state == before
