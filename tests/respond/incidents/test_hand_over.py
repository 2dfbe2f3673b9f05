"""The hand-over: item by item, and until then the outgoing one answers."""

import pytest
from tests.respond.incidents.conftest import Desk

from watchword.kit.errors import Conflict, Forbidden, InputError, NotFound
from watchword.model import Team
from watchword.model.incident import IncidentRole
from watchword.respond.hand_over import Handed, ItemKind, OpenItem, compare

LEAD = IncidentRole.LEAD


def led(desk: Desk) -> str:
    uid = desk.open()
    desk.incidents.assign(uid, LEAD, "ana", by="ana")
    return uid


def test_the_role_passes_with_the_last_item_and_not_before(desk: Desk) -> None:
    uid = led(desk)
    task = desk.incidents.tasks.add(uid, "Call the landlord", by="ana", team=Team.PHYSICAL)
    desk.open_items.append(OpenItem(ItemKind.TEMPORARY_ACTION, "a1", "Closet door secured until 13:00"))
    hand = desk.incidents.hand_overs.begin(uid, LEAD, "bo", by="ana", note="End of shift.")
    assert [(item.kind, item.uid) for item in hand.items] == [("task", task), ("temporary_action", "a1")]
    assert [one.uid for one in desk.incidents.hand_overs.waiting_for("bo")] == [hand.uid]
    assert any(step.code == "hand-over" and step.person == "bo" for step in desk.incidents.get(uid).owed)
    with pytest.raises(Forbidden):
        desk.incidents.hand_overs.acknowledge(hand.uid, "task", task, by="ana")
    with pytest.raises(NotFound):
        desk.incidents.hand_overs.acknowledge(hand.uid, "task", "no such", by="bo")
    with pytest.raises(Conflict, match="secured until"):
        desk.incidents.hand_overs.finish(hand.uid, by="bo")
    hand = desk.incidents.hand_overs.acknowledge(hand.uid, "task", task, by="bo")
    assert (hand.state, hand.responsible, desk.incidents.get(uid).incident.lead) == ("open", "ana", "ana")
    hand = desk.incidents.hand_overs.acknowledge(hand.uid, "temporary_action", "a1", by="bo")
    assert (hand.state, hand.responsible, desk.incidents.get(uid).incident.lead) == ("done", "bo", "bo")
    assert desk.kinds(uid).count("hand_over") == 4, "begun, two taken over, done"
    assert [(held.person, held.until is None) for held in desk.incidents.get(uid).roles] == [("ana", False), ("bo", True)]
    assert desk.incidents.verify(uid) == []


def test_what_comes_up_meanwhile_joins_the_list_and_what_is_done_leaves_it(desk: Desk) -> None:
    uid = led(desk)
    desk.open_items.append(OpenItem(ItemKind.WAIT, "w1", "Look at the closet"))
    hand = desk.incidents.hand_overs.begin(uid, LEAD, "bo", by="ana")
    desk.open_items[:] = [OpenItem(ItemKind.UNANSWERED_PAGE, "p1", "Page to the landlord")]
    with pytest.raises(Conflict, match="landlord"):
        desk.incidents.hand_overs.finish(hand.uid, by="bo")
    listed = {item.uid: item.settled for item in desk.incidents.hand_overs.get(hand.uid).items}
    assert listed == {"w1": True, "p1": False}, "a refusal leaves the list as it is now"
    hand = desk.incidents.hand_overs.acknowledge(hand.uid, "wait", "w1", by="bo")
    assert hand.state == "open"
    assert desk.incidents.hand_overs.acknowledge(hand.uid, "unanswered_page", "p1", by="bo").state == "done"


def test_an_item_that_opens_again_is_acknowledged_again(desk: Desk) -> None:
    uid = led(desk)
    wait = OpenItem(ItemKind.WAIT, "w1", "Look at the closet")
    other = OpenItem(ItemKind.WAIT, "w2", "Look at the office")
    desk.open_items[:] = [wait, other]
    hand = desk.incidents.hand_overs.begin(uid, LEAD, "bo", by="ana")
    desk.open_items[:] = [other]
    with pytest.raises(Conflict, match="office"):
        desk.incidents.hand_overs.finish(hand.uid, by="bo")
    desk.open_items[:] = [wait, other]
    with pytest.raises(Conflict, match=r"closet.*office"):
        desk.incidents.hand_overs.finish(hand.uid, by="bo")


def test_a_lead_with_open_things_is_not_replaced_behind_their_back(desk: Desk) -> None:
    uid = led(desk)
    desk.open_items.append(OpenItem(ItemKind.WAIT, "w1", "Look"))
    with pytest.raises(Conflict, match="hand the lead over"):
        desk.incidents.assign(uid, LEAD, "bo", by="bo")
    desk.open_items.clear()
    desk.incidents.assign(uid, LEAD, "bo", by="bo")
    assert desk.incidents.get(uid).incident.lead == "bo"


def test_only_one_at_a_time_and_somebody_to_somebody_else(desk: Desk) -> None:
    uid = led(desk)
    with pytest.raises(Conflict, match="already"):
        desk.incidents.hand_overs.begin(uid, LEAD, "ana", by="ana")
    with pytest.raises(Conflict, match="assign"):
        desk.incidents.hand_overs.begin(uid, IncidentRole.SCRIBE, "bo", by="ana")
    with pytest.raises(InputError):
        desk.incidents.hand_overs.begin(uid, LEAD, " ", by="ana")
    hand = desk.incidents.hand_overs.begin(uid, LEAD, "bo", by="ana")
    with pytest.raises(Conflict, match="under way"):
        desk.incidents.hand_overs.begin(uid, LEAD, "cy", by="ana")
    assert desk.incidents.hand_overs.cancel(hand.uid, by="ana", reason="Bo is ill.").responsible == "ana"
    with pytest.raises(Conflict, match="cancelled already"):
        desk.incidents.hand_overs.finish(hand.uid, by="bo")
    assert desk.incidents.hand_overs.finish(desk.incidents.hand_overs.begin(uid, LEAD, "cy", by="ana").uid, by="cy").state == "done"


def test_the_end_of_a_shift_hands_all_over(desk: Desk) -> None:
    uids = [led(desk) for _ in range(3)]
    desk.open_items.append(OpenItem(ItemKind.TIMER, "t", "Look again at 14:00"))
    hands = desk.incidents.hand_overs.begin_all("ana", "bo", by="ana")
    assert [hand.incident for hand in hands] == uids
    assert desk.incidents.hand_overs.begin_all("ana", "bo", by="ana") == []
    for hand in hands:
        desk.incidents.hand_overs.acknowledge(hand.uid, "timer", "t", by="bo")
    assert {desk.incidents.get(uid).incident.lead for uid in uids} == {"bo"}


def test_a_team_lead_hands_over_what_is_the_teams(desk: Desk) -> None:
    uid = led(desk)
    desk.incidents.assign(uid, IncidentRole.PHYSICAL_LEAD, "gus", by="ana")
    desk.incidents.assign(uid, IncidentRole.EVIDENCE_CUSTODIAN, "eve", by="ana")
    desk.open_items[:] = [
        OpenItem(ItemKind.WAIT, "w1", "Guard", team="physical"),
        OpenItem(ItemKind.WAIT, "w2", "Port", team="it"),
        OpenItem(ItemKind.EVIDENCE, "e1", "Disk", team="it"),
    ]
    begin = desk.incidents.hand_overs.begin
    assert [item.uid for item in begin(uid, IncidentRole.PHYSICAL_LEAD, "pia", by="gus").items] == ["w1"]
    assert [item.uid for item in begin(uid, IncidentRole.EVIDENCE_CUSTODIAN, "cy", by="eve").items] == ["e1"]


def test_lists_are_compared_by_kind_and_uid() -> None:
    listed = [Handed("wait", "a", "A", None), Handed("timer", "a", "A", None)]
    difference = compare(listed, [OpenItem(ItemKind.WAIT, "a", "A"), OpenItem(ItemKind.TASK, "a", "A")])
    assert [item.kind for item in difference.new] == [ItemKind.TASK]
    assert difference.gone == (("timer", "a"),)
