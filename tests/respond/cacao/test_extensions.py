"""Our extensions: read as they are meant, refused where they cannot be, written as they were read."""

from datetime import UTC, date, datetime, timedelta

import pytest
from tests.respond.cacao.samples import DOOR, full

from watchword.model.action import Hazard
from watchword.respond.approval import ApprovalRule
from watchword.respond.cacao import playbook_of
from watchword.respond.extension_writing import write_playbook_extension, write_step_extension
from watchword.respond.extensions import (
    Approvals,
    ExtensionFault,
    SlaTimer,
    agent_target_extension,
    playbook_extension,
    read_agent_target_extension,
    read_playbook_extension,
    read_step_extension,
    step_extension,
)


def test_a_playbook_that_says_everything():
    playbook = playbook_of(full())
    said = next(
        step_extension(step) for step in playbook.workflow.values() if step.name == "Do" and step.on_success and step.step_extensions
    )
    assert said.approvals.rule == ApprovalRule(
        2, 2, frozenset({"it", "physical"}), exclude_requester=True, expires_after=timedelta(minutes=10)
    )
    assert (said.raci.responsible, said.raci.consulted) == ("physical", ("it",))
    assert said.sla_timers == (SlaTimer("acknowledge", timedelta(minutes=5), "page"),)
    assert (said.evidence.kinds, said.evidence.minimum) == (("photo",), 1)
    assert (said.catalogue_action.name, said.catalogue_action.target, said.catalogue_action.revert_after) == (
        "door.secure_ingress",
        ("__door__:value",),
        timedelta(minutes=30),
    )
    assert (said.exercise.allowed, said.exercise.twin, said.mapped_from) == (True, "door", {"type": "foreign"})
    whole = playbook_extension(playbook)
    assert (whole.teams, whole.review_due, whole.drilled_at) == (("it", "physical"), date(2027, 1, 31), datetime(2026, 1, 2, tzinfo=UTC))
    assert (whole.triggers.rules, whole.triggers.start) == (("WW-004",), "suggest")
    assert agent_target_extension(playbook.target_definitions[DOOR]).door == "mill/doors/back"


def test_nothing_said_is_everything_at_its_default():
    said = read_step_extension({})
    assert write_step_extension(said) == {}
    assert (said.approvals, said.loop_limit, said.continue_on_failure, said.sla_timers) == (None, None, False, ())
    assert write_playbook_extension(read_playbook_extension({})) == {}


@pytest.mark.parametrize(
    ("said", "rule"),
    [
        ({"hazard": 2}, ApprovalRule(1, 1)), ({"hazard": "H3"}, ApprovalRule(2, 2)), ({"hazard": 0}, ApprovalRule()), ({"count": 3}, ApprovalRule(3, 1)),
        ({"hazard": 3, "count": 4}, ApprovalRule(4, 2)), ({"count": 2, "teams": 2, "exclude_requester": False}, ApprovalRule(2, 2, exclude_requester=False)),
        ({"count": 1, "teams": ["management"]}, ApprovalRule(1, 1, frozenset({"management"}))), ({"count": 1, "teams": ["it", "physical"]}, ApprovalRule(1, 1, frozenset({"it", "physical"}))),
        ({"count": 1, "expires_after": "1h"}, ApprovalRule(1, 1, expires_after=timedelta(hours=1))),
    ],
)  # fmt: skip
def test_approval_rules(said, rule):
    read = read_step_extension({"approvals": said})
    assert read.approvals.rule == rule
    assert read_step_extension(write_step_extension(read)) == read
    assert Approvals(Hazard.H3).rule.needed


@pytest.mark.parametrize(
    ("said", "where"),
    [
        ({"aprovals": {}}, ("aprovals",)), ({"approvals": None}, ("approvals",)), ({"approvals": []}, ("approvals",)), ({"approvals": {}}, ("approvals", "count")),
        ({"approvals": {"count": "2"}}, ("approvals", "count")), ({"approvals": {"count": True}}, ("approvals", "count")), ({"approvals": {"count": -1}}, ("approvals", "count")),
        ({"approvals": {"count": 99}}, ("approvals", "count")), ({"approvals": {"hazard": 4}}, ("approvals", "hazard")), ({"approvals": {"hazard": "H9"}}, ("approvals", "hazard")),
        ({"approvals": {"count": 1, "teams": 2}}, ("approvals", "teams")), ({"approvals": {"count": 1, "teams": ["guards"]}}, ("approvals", "teams", 0)),
        ({"approvals": {"count": 1, "exclude_requester": "no"}}, ("approvals", "exclude_requester")), ({"approvals": {"count": 1, "expires_after": "soon"}}, ("approvals", "expires_after")),
        ({"approvals": {"count": 1, "expires_after": "0s"}}, ("approvals", "expires_after")), ({"raci": {"responsible": 3}}, ("raci", "responsible")), ({"raci": {"informed": "it"}}, ("raci", "informed")),
        ({"sla_timers": {}}, ("sla_timers",)), ({"sla_timers": [{"clock": "x", "within": "5m"}]}, ("sla_timers", 0, "clock")), ({"sla_timers": [{"clock": "complete"}]}, ("sla_timers", 0, "within")),
        ({"sla_timers": [{"clock": "complete", "within": "5m", "on_breach": "shout"}]}, ("sla_timers", 0, "on_breach")), ({"evidence": {"minimum": -1}}, ("evidence", "minimum")),
        ({"catalogue_action": {"name": "lock"}}, ("catalogue_action", "name")), ({"catalogue_action": {}}, ("catalogue_action", "name")),
        ({"catalogue_action": {"name": "door.x", "parameters": {"a": 1}}}, ("catalogue_action", "parameters")), ({"catalogue_action": {"name": "door.x", "target": [3]}}, ("catalogue_action", "target")),
        ({"catalogue_action": {"name": "door.x", "revert_after": 5}}, ("catalogue_action", "revert_after")), ({"loop_limit": 0}, ("loop_limit",)), ({"loop_limit": 10_001}, ("loop_limit",)),
        ({"continue_on_failure": 1}, ("continue_on_failure",)), ({"exercise": {"allowed": "yes"}}, ("exercise", "allowed")), ({"mapped_from": "x"}, ("mapped_from",)),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_a_fault_at_its_place(said, where):
    with pytest.raises(ExtensionFault) as caught:
        read_step_extension(said)
    assert where in [pointer for pointer, _ in caught.value.faults]


def test_all_faults_come_at_once():
    with pytest.raises(ExtensionFault) as caught:
        read_step_extension({"loop_limit": 0, "approvals": {"count": -1}, "x": 1})
    assert len(caught.value.faults) >= 3
    for read, said in (
        (
            read_playbook_extension,
            {"teams": ["x"], "review_due": "soon", "drilled_at": "2026-01-01T00:00:00", "triggers": {"start": "always"}, "y": 1},
        ),
        (read_agent_target_extension, {"door": 3, "zone": "x"}),
    ):
        with pytest.raises(ExtensionFault) as caught:
            read(said)
        assert len(caught.value.faults) == len(said)
