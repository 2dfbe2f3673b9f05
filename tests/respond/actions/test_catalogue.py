"""The shipped catalogue is whole and agrees with its page; a catalogue that could lock people in cannot be read."""

import re
from pathlib import Path

import pytest

from watchword.connectors.simulated_devices import INITIAL, SETS
from watchword.kit.duration import say_duration
from watchword.kit.errors import ContentError, NotFound
from watchword.model.action import Action
from watchword.respond.approval import ApprovalRule, say_rule, stricter
from watchword.respond.catalogue import LifeSafety, read_catalogue, shipped_catalogue

PAGE = Path(__file__).parents[3] / "docs/reference/actions.md"
ENTRY = "says: Do {target}\n  domain: it\n  target: host\n  hazard: 1\n  expects: {a: b}\n  blast: host\n  manual: Do it to {target}\n"


def test_the_catalogue_has_every_verb_and_none_that_holds_people_in():
    names = {verb.name for verb in shipped_catalogue()}
    assert len(names) == 20
    assert not [name for name in names if "egress" in name or name.startswith("door.lock")]
    assert names == set(SETS), "the simulator knows every verb"


def test_every_verb_has_its_line_on_the_page():
    rows = {}
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if re.fullmatch(r"`[a-z]+\.[a-z_]+`", cells[0]):
            rows[cells[0].strip("`")] = cells[1:]
    verbs = {verb.name: verb for verb in shipped_catalogue()}
    assert set(rows) == set(verbs)
    for name, (target, hazard, agree, undo, longest, reads) in rows.items():
        verb = verbs[name]
        assert target == verb.target, name
        assert hazard == f"H{int(verb.hazard)}", name
        assert agree == (say_rule(verb.rule) if verb.rule.needed else "-"), name
        assert undo.strip("`") == (verb.undo or "-"), name
        assert longest == (say_duration(verb.longest) if verb.longest else "-"), name
        assert reads == ", ".join(f"{key}: {value}" for key, value in verb.expects.items()), name


def test_what_a_verb_sets_in_the_simulator_is_what_it_expects_and_its_undo_gives_back():
    catalogue = shipped_catalogue()
    for verb in catalogue:
        assert verb.agrees(SETS[verb.name]) is True, verb.name
        if verb.undo:
            kind = verb.name.partition(".")[0]
            assert catalogue.verb(verb.undo).agrees(INITIAL[kind]) is True, verb.name
            assert verb.agrees(INITIAL[kind]) is False, verb.name


def test_words_are_filled_once_and_never_read_again():
    verb = shipped_catalogue().verb("ticket.open")
    action = Action("ticket.open", "helpdesk", {"title": "{target} {0.__class__}"})
    assert verb.words(action) == "Open a ticket for helpdesk: {target} {0.__class__}"
    assert verb.by_hand(Action("ticket.open", "q", {})) == "Open a ticket in q: [title]. Write its number here."


def test_what_is_read_back_counts_only_where_something_was_read():
    verb = shipped_catalogue().verb("door.secure_ingress")
    assert verb.life_safety is LifeSafety.SECURING
    assert verb.agrees(None) is None
    assert verb.agrees({"battery": "full"}) is None
    assert verb.agrees({"ingress": "secured"}) is True
    assert verb.agrees({"ingress": "secured", "egress": "locked"}) is False
    with pytest.raises(NotFound, match=r"door\.secure_ingress"):
        shipped_catalogue().verb("door.lock_egress")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (f"door.lock_egress:\n  {ENTRY}", "cannot be a verb"),
        (f"door.pulse_lock:\n  {ENTRY}", "cannot be a verb"),
        (f"door.toggle_it:\n  {ENTRY}", "cannot be a verb"),
        (f"door.lock_out:\n  {ENTRY}", "cannot be a verb"),
        ("host.do_it:\n  says: x\n", "'hazard' is missing"),
        (f"host.do_it:\n  {ENTRY}  force: true\n", "unknown key 'force'"),
        (f"host.do_it:\n  {ENTRY}  undo: host.other\n  longest: 1h\n", "must be a verb here"),
        (f"host.do_it:\n  {ENTRY}  life_safety: securing\n", "hazard 3"),
        (f"host.do_it:\n  {ENTRY.replace('hazard: 1', 'hazard: 7')}", "'hazard' is 7"),
        (f"host.do_it:\n  {ENTRY.replace('hazard: 1', 'hazard: 3')}  approval: {{count: 1, teams: 1}}\n", "at least 2 from 2"),
        (f"host.do_it:\n  {ENTRY}  parameters: {{x: {{pattern: '('}}}}\n", "expected {says"),
        (f"host.do_it:\n  {ENTRY.replace('Do {target}', 'Do {port}')}", "{port} is no parameter"),
        ("[]", "holds no verbs"),
        (f"host.do_it:\n  {ENTRY}host.do_it:\n  {ENTRY}", "second time"),
    ],
)
def test_a_catalogue_with_a_fault_is_refused_by_line(text, fault):
    with pytest.raises(ContentError) as caught:
        read_catalogue(text, "mine.yaml")
    assert fault in str(caught.value)
    assert re.search(r"mine\.yaml:\d+:", str(caught.value))


def test_a_playbook_may_ask_for_more_than_the_catalogue_never_for_less():
    ours, theirs = ApprovalRule(2, 2), ApprovalRule(1, 1, frozenset({"it"}), exclude_requester=False)
    both = stricter(ours, theirs)
    assert (both.count, both.teams, both.of, both.exclude_requester) == (2, 2, frozenset({"it"}), True)
