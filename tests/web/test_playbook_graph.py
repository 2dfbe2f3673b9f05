"""The picture of a playbook: every step is drawn once, the order is from top to bottom, and nothing hostile gets into it."""

import re

import pytest

from watchword.model.playbook import ActionStep, IfStep, ParallelStep, Playbook, Step, WhileStep
from watchword.respond.playbook_flow import flow_of
from watchword.web.layered_layout import MOST_BENDS, TooLarge, layered
from watchword.web.playbook_graph import MOST_DRAWN, Standing, playbook_svg, wrapped

SIZES = {"wide": 100, "high": 40, "across": 20, "down": 30}


def chain(count, **first):
    """A playbook of so many steps one after the other."""
    steps = {"start": Step(type="start", on_completion="a1")}
    for number in range(1, count + 1):
        follows = f"a{number + 1}" if number < count else "end"
        steps[f"a{number}"] = ActionStep(type="action", name=f"Step {number}", on_completion=follows)
    steps["end"] = Step(type="end")
    return Playbook(name="Chain", workflow_start="start", workflow={**steps, **first})


def branched():
    steps = {
        "start": Step(type="start", on_completion="if"),
        "if": IfStep(type="if-condition", name="Open?", condition="__x__:value", on_true="both", on_false="", on_completion="loop"),
        "both": ParallelStep(type="parallel", name="Both", next_steps=("left", "right"), on_completion="e1"),
        "left": ActionStep(type="action", name="Left", on_completion="e2"),
        "right": ActionStep(type="action", name="Right", on_success="e3", on_failure="mend"),
        "mend": ActionStep(type="action", name="Mend", on_completion="e3"),
        "loop": WhileStep(type="while-condition", name="Again?", condition="__x__:value", on_true="body", on_completion="end"),
        "body": ActionStep(type="action", name="Body", on_completion="e4"),
        **{f"e{number}": Step(type="end") for number in range(1, 5)},
        "end": Step(type="end"),
        "catch": ActionStep(type="action", name="Catch", on_completion="end"),
        "alone": ActionStep(type="action", name="Alone", on_completion="end"),
    }
    return Playbook(name="Branched", workflow_start="start", workflow_exception="catch", workflow=steps)


def edges_of(playbook):
    return {(edge.source, edge.target, edge.kind) for edge in flow_of(playbook).edges}


def test_ends_of_branches_lead_on_to_what_follows():
    flow = flow_of(branched())
    assert edges_of(branched()) == {
        ("start", "if", "next"), ("if", "both", "way"), ("if", "loop", "way"), ("both", "left", "way"), ("both", "right", "way"),
        ("left", "loop", "next"), ("right", "loop", "next"), ("right", "mend", "failure"), ("mend", "loop", "next"),
        ("loop", "body", "way"), ("body", "loop", "back"), ("loop", "end", "way"), ("catch", "end", "next"),
    }  # fmt: skip
    assert [name for name in flow.order if name in flow.numbers] == ["if", "both", "left", "right", "mend", "loop", "body", "catch"]
    assert flow.unreached == ("alone",)
    assert flow.numbers["alone"] == 9


def test_every_edge_leads_down_but_those_that_close_a_circle():
    flow = flow_of(branched())
    layout = layered(flow.order, [(edge.source, edge.target) for edge in flow.edges], **SIZES)
    for edge in flow.edges:
        down = layout.at[edge.target][1] > layout.at[edge.source][1]
        assert down is ((edge.source, edge.target) not in layout.back), edge
    assert layout.back == {("body", "loop")}
    places = sorted(layout.at.values())
    for one in places:
        assert all(one is other or abs(one[1] - other[1]) >= SIZES["high"] or abs(one[0] - other[0]) >= SIZES["wide"] for other in places)


def test_circles_and_pointers_to_nothing_end():
    steps = {
        "start": Step(type="start", on_completion="a"),
        "a": ActionStep(type="action", on_completion="b"),
        "b": ActionStep(type="action", on_completion="a", on_failure="nowhere"),
        "self": ParallelStep(type="parallel", next_steps=("self", "nowhere"), on_completion="self"),
    }
    playbook = Playbook(workflow_start="start", workflow=steps, workflow_exception="self")
    assert ("b", "a") in layered(flow_of(playbook).order, [("a", "b"), ("b", "a")], **SIZES).back
    assert playbook_svg(playbook)


def test_a_large_playbook_is_a_list_and_a_huge_one_costs_little():
    assert playbook_svg(chain(MOST_DRAWN - 2))
    assert playbook_svg(chain(MOST_DRAWN + 1)) is None
    flow = flow_of(chain(20_000))
    assert len(flow.order) == 2_000
    assert flow.left_out == 18_002
    assert playbook_svg(chain(20_000), flow=flow) is None


def test_a_tangle_is_refused():
    nodes = [str(number) for number in range(120)]
    edges = [(one, other) for place, one in enumerate(nodes) for other in nodes[place + 1 :]]
    with pytest.raises(TooLarge):
        layered(nodes, edges, **SIZES)
    assert MOST_BENDS < 120**3


def test_nesting_without_end_is_no_recursion():
    deep = 1_500
    steps = {"start": Step(type="start", on_completion="p0")}
    for number in range(deep):
        steps[f"p{number}"] = IfStep(type="if-condition", condition="x", on_true=f"p{number + 1}", on_completion="")
    steps[f"p{deep}"] = Step(type="end")
    flow = flow_of(Playbook(workflow_start="start", workflow=steps))
    assert len(flow.order) == deep + 1


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", '"><svg onload=alert(1)>', "{{ 7 * 7 }}", "x" * 90_000, "\u202egnp.exe"])
def test_hostile_texts_stay_texts(text):
    step = ActionStep(type="action", name=text, description=text, on_completion="end", agent=text)
    drawn = str(playbook_svg(chain(1, a1=step, end=Step(type="end"))))
    assert "<script" not in drawn
    assert "<svg onload" not in drawn
    assert "49" not in re.sub(r"[\d.]+ [\d.]+", "", drawn) or "{{" in drawn
    assert len(drawn) < 10_000


def test_where_a_run_stands_is_said_by_word_mark_and_class():
    drawn = str(playbook_svg(chain(2), standings={"start": Standing("done", "done"), "a1": Standing("now", "running", 3)}))
    assert 'class="node person at-now"' in drawn
    assert "running, 3 times" in drawn
    assert '<g class="state"' in drawn
    assert "now at Step 1" in drawn
    assert 'class="edge next taken"' in drawn


def test_lines_are_cut_with_an_ellipsis():
    assert wrapped("one two three", 7, 2) == ["one two", "three"]
    assert wrapped("one two three four five", 7, 2) == ["one two", "three…"]
    assert wrapped("abcdefghij", 5, 2) == ["abcd…"]
