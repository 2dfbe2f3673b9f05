"""Incidents on SQLite and PostgreSQL: from a finding to a closed, learnt-from incident, with every deed on the chain."""

from datetime import timedelta

import pytest
from sqlalchemy import delete, event, update
from tests.respond.incidents.conftest import NOON, Desk, finding, page

from watchword.detect.kept import WorkState
from watchword.kit.errors import Conflict, Forbidden, InputError, NotFound, TooLarge
from watchword.model import FindingState, Team
from watchword.model.incident import Closure, IncidentRole, IncidentState, Moment, Rating
from watchword.respond import incident_tables as tables
from watchword.respond.hand_over import ItemKind, OpenItem
from watchword.respond.incident_filter_service import IncidentFilter
from watchword.respond.severity import RatingStatus

CLOSET_DOOR = "hq/doors/closet"


def forced(desk: Desk) -> str:
    """Open an incident by triage: a forced door, then an unknown device."""
    first = page("f1", places=(CLOSET_DOOR,), attack=("T1200",))
    return desk.take(first, finding("f2", 5, assets=("asset:sw-closet",), attack=("T1078",), rule="r2"))[0]


def contain(desk: Desk, uid: str) -> None:
    desk.incidents.acknowledge(uid, by="ana", team="it")
    desk.incidents.acknowledge(uid, by="bo", team="physical")
    desk.incidents.declare(uid, Rating(operations=2), by="ana", team="it")
    desk.wait(minutes=10)
    desk.incidents.moment(
        uid, Moment.CONTAINED, desk.clock.now(), by="ana", source="read-back", evidence="port sw-closet/7 is down", speaker="it"
    )
    desk.incidents.moment(uid, Moment.RESTORED, desk.clock.now(), by="bo", speaker="physical")


def test_a_finding_worth_a_page_opens_and_what_belongs_to_it_joins(desk: Desk) -> None:
    uid = forced(desk)
    view = desk.incidents.get(uid)
    assert (view.incident.number, view.incident.title, view.incident.severity) == (1, "Door forced, Closet door", 2)
    assert view.incident.findings == ("f1", "f2")
    assert view.incident.teams == (Team.IT, Team.PHYSICAL)
    assert view.incident.state is IncidentState.TRIAGE
    assert {moment.value for moment, _ in view.moments} == {"t0", "t1", "t2"}
    assert view.moments[Moment.ONSET, ""].at == NOON
    assert (view.next_step.code, view.next_step.team) == ("acknowledge", "it")
    assert desk.take(page("f1", places=(CLOSET_DOOR,), attack=("T1200",))) == [], "asked again, nothing happens twice"
    later = finding("f3", 20, assets=("asset:sw-closet",), severity=5)
    assert [(taken.what, taken.severity) for taken in (desk.findings.put([later]), desk.incidents.triage([later]))[1]] == [("joined", 1)]
    assert desk.incidents.get(uid).incident.severity == 1, "a graver finding raises what no person has rated"
    assert desk.incidents.verify(uid) == []
    assert desk.incidents.reader.of_finding("f3") == (uid,)


def test_a_loose_finding_waits_for_the_one_that_opens(desk: Desk) -> None:
    assert desk.take(finding("f", assets=("asset:srv-1",))) == []
    uid = desk.take(page("p", 60, assets=("asset:srv-1",)))[0]
    view = desk.incidents.get(uid)
    assert view.incident.findings == ("f", "p")
    assert view.moments[Moment.ONSET, ""].at == NOON


def test_a_closed_finding_is_left_alone_and_a_withdrawn_one_is_told(desk: Desk) -> None:
    desk.take(finding("f", assets=("asset:srv-1",)))
    from watchword.detect.kept import Disposition

    desk.findings.record_work("f", state=WorkState.CLOSED, by="ana", disposition=Disposition.FALSE)
    uid = desk.take(page("p", 60, assets=("asset:srv-1",)))[0]
    assert desk.incidents.get(uid).incident.findings == ("p",)
    gone = page("p", 60, assets=("asset:srv-1",), state=FindingState.WITHDRAWN, refuted_by="e9")
    desk.findings.put([gone])
    assert desk.incidents.take([gone]) == [uid]
    assert desk.incidents.take([gone]) == []
    assert desk.kinds(uid).count("withdrawn") == 1


def test_hooks_are_called_in_the_transaction_that_opens(desk: Desk) -> None:
    seen = []
    desk.incidents.triager.on_open.append(
        lambda connection, incident, findings: seen.append((connection.in_transaction(), incident.severity, len(findings)))
    )
    forced(desk)
    assert seen == [(True, 2, 2)]


def test_a_hook_that_fails_leaves_no_incident(desk: Desk) -> None:
    def fail(*_):
        raise RuntimeError

    desk.incidents.triager.on_open.append(fail)
    with pytest.raises(RuntimeError):
        forced(desk)
    assert desk.incidents.list() == []


def test_from_opening_to_learning(desk: Desk) -> None:
    uid = forced(desk)
    contain(desk, uid)
    view = desk.incidents.get(uid)
    assert view.incident.state is IncidentState.RESTORED
    assert [(team.team, team.acknowledged_by, team.engaged_at is not None) for team in view.teams] == [
        ("it", "ana", True),
        ("physical", "bo", True),
    ]
    assert view.durations["contain"].value == timedelta(minutes=10)
    assert view.durations["hand-off latency"].value == timedelta(minutes=10)
    with pytest.raises(InputError):
        desk.incidents.close(uid, Closure.TRUE, Rating(operations=2), by="ana", team="it", note=" ")
    desk.incidents.close(uid, Closure.TRUE, Rating(operations=2), by="ana", team="it", note="A contractor's laptop.")
    view = desk.incidents.get(uid)
    assert (view.incident.state, view.incident.declared_severity, view.incident.closing_severity) == (IncidentState.CLOSED, 2, 2)
    assert view.next_step.code == "review"
    assert {desk.findings.get(one).work.state for one in ("f1", "f2")} == {WorkState.CLOSED}
    desk.incidents.moment(uid, Moment.REVIEWED, desk.wait(days=2), by="mia")
    desk.incidents.moment(uid, Moment.LEARNED, desk.wait(days=20), by="mia")
    view = desk.incidents.get(uid)
    assert view.incident.state is IncidentState.LEARNED
    assert view.durations["learn"].value == timedelta(days=22)
    assert desk.incidents.verify(uid) == []
    assert desk.audit.verify() == []
    assert {"incident.acknowledge", "incident.declare", "incident.moment", "incident.close"} <= {
        e.action for e in desk.audit.entries(target=uid)
    }


def test_closing_names_all_that_is_open_at_once(desk: Desk) -> None:
    uid = forced(desk)
    desk.incidents.tasks.add(uid, "Fetch the laptop", by="ana", team=Team.PHYSICAL)
    desk.open_items.append(OpenItem(ItemKind.TEMPORARY_ACTION, "a1", "Closet door secured until 13:00"))
    with pytest.raises(Conflict) as caught:
        desk.incidents.close(uid, Closure.TRUE, Rating(operations=3), by="ana", team="it", note="Over.")
    said = str(caught.value)
    for part in ("no person has acknowledged", "t6", "t7", "t9", "Fetch the laptop", "secured until", "milder"):
        assert part in said
    desk.open_items.clear()
    desk.incidents.tasks.drop(desk.incidents.get(uid).tasks[0].uid, by="ana", reason="It is gone.")
    desk.incidents.acknowledge(uid, by="ana", team="it")
    desk.incidents.close(uid, Closure.FALSE, Rating(operations=2), by="ana", team="it", note="A drill nobody announced.")
    assert desk.incidents.get(uid).next_step.code == "review"


def test_reopening_within_a_fortnight_voids_the_closure_and_later_opens_another(desk: Desk) -> None:
    uid = forced(desk)
    contain(desk, uid)
    with pytest.raises(Conflict, match="not closed"):
        desk.incidents.reopen(uid, by="ana", reason="It beeps again.")
    desk.incidents.close(uid, Closure.TRUE, Rating(operations=2), by="ana", team="it", note="Over.")
    desk.wait(days=13)
    assert desk.incidents.reopen(uid, by="bo", reason="It beeps again.") == uid
    view = desk.incidents.get(uid)
    assert (view.incident.state, view.incident.reopened, view.incident.open, view.incident.closure) == (
        IncidentState.RESTORED,
        1,
        True,
        None,
    )
    assert (Moment.CLOSED, "") not in view.moments
    assert [entry.at is None for entry in view.series if entry.moment is Moment.CLOSED] == [False, True]
    desk.incidents.close(uid, Closure.TRUE, Rating(operations=2), by="ana", team="it", note="Over now.")
    desk.wait(days=15)
    new = desk.incidents.reopen(uid, by="bo", team="physical", reason="Third time.")
    assert new != uid
    assert desk.incidents.get(uid).incident.state is IncidentState.CLOSED
    assert [(link.kind, link.number) for link in desk.incidents.get(new).links] == [("recurs", 1)]


def test_merging_moves_everything_and_the_old_uid_stands_for_the_new(desk: Desk) -> None:
    one = desk.open(title="One")
    desk.wait(minutes=30)
    desk.findings.put([finding("f9", -60, assets=("asset:ws-2",))])
    two = desk.open(title="Two", team="physical", by="bo", severity=1, findings=["f9"])
    task = desk.incidents.tasks.add(two, "Look", by="bo", team=Team.PHYSICAL)
    desk.incidents.merge(two, [one], by="ana", reason="One story.")
    view = desk.incidents.get(two)
    assert (view.incident.severity, view.incident.teams) == (1, (Team.IT, Team.PHYSICAL))
    assert view.moments[Moment.RAISED, ""].at == NOON + timedelta(hours=1), "the clock starts with the first alert of the story"
    assert desk.incidents.get(one).incident.merged_into == two
    assert desk.incidents.get(one).next_step.code == "merged"
    assert [row.incident.uid for row in desk.incidents.list()] == [two]
    with desk.records.begin() as connection:
        desk.incidents.append(connection, one, "action", "Port quarantined.", occurred_at=NOON, recorded_by="ana", team="it")
    last = desk.incidents.timeline(two, limit=999)[-2:]
    assert last[0].refs == {"merged_from": one}
    three = desk.open(title="Three")
    desk.incidents.merge(three, [two], by="ana", reason="Again.")
    assert desk.incidents.get(one).incident.merged_into == three, "nobody follows two links"
    assert desk.incidents.tasks.get(task).incident == three
    assert desk.incidents.get(three).incident.findings == ("f9",)
    for wrong in ([two], [three]):
        with pytest.raises((Conflict, InputError)):
            desk.incidents.merge(three, wrong, by="ana", reason="Once more.")
    drill = desk.open(title="Drill", exercise=True)
    with pytest.raises(Conflict, match="exercise"):
        desk.incidents.merge(three, [drill], by="ana", reason="No.")
    assert [desk.incidents.verify(uid) for uid in (one, two, three)] == [[], [], []]


def test_triage_merges_what_nobody_touched_and_suggests_once_where_people_work(desk: Desk) -> None:
    one = desk.take(page("p", assets=("asset:srv-1",)))[0]
    two = desk.take(page("q", 5, assets=("asset:sw-server",)))[0]
    desk.take(finding("b", 10, assets=("asset:srv-1", "asset:sw-server")))
    assert [desk.incidents.get(uid).incident.merged_into for uid in (one, two)] in (["", one], [two, ""])
    three = desk.take(page("r", 20, assets=("asset:console",)))[0]
    standing = one if not desk.incidents.get(one).incident.merged_into else two
    for uid in (standing, three):
        desk.incidents.acknowledge(uid, by="ana", team="it")
    taken = desk.take(finding("c", 30, assets=("asset:srv-1", "asset:console")))
    assert len(taken) == 2
    desk.take(finding("d", 31, assets=("asset:srv-1", "asset:console")))
    assert desk.kinds(standing).count("suggested") == 1
    assert [link.kind for link in desk.incidents.get(three).links] == ["suggested"]


def test_splitting_keeps_apart(desk: Desk) -> None:
    uid = desk.take(page("p", assets=("asset:srv-1",)), page("q", 5, assets=("asset:srv-1",), credentials=("badge:2",)))[0]
    with pytest.raises(InputError):
        desk.incidents.split(uid, ["p", "q"], "All", by="ana", team="it", reason="No.")
    new = desk.incidents.split(uid, ["q"], "The badge", by="ana", team="it", reason="Another matter.")
    assert desk.incidents.get(uid).incident.findings == ("p",)
    assert desk.incidents.get(new).incident.findings == ("q",)
    desk.take(finding("x", 10, assets=("asset:srv-1",)))
    assert "suggested" not in desk.kinds(uid)
    assert desk.incidents.get(uid).incident.merged_into == desk.incidents.get(new).incident.merged_into == ""


def test_what_is_taken_out_stays_out(desk: Desk) -> None:
    uid = desk.take(page("p", assets=("asset:srv-1",)), finding("f", 5, assets=("asset:srv-1",)))[0]
    desk.incidents.detach(uid, "f", by="ana", reason="The backup.")
    desk.take(finding("f", 5, assets=("asset:srv-1",)))
    assert desk.incidents.get(uid).incident.findings == ("p",)
    desk.incidents.attach(uid, "f", by="ana", because="It was not the backup.")
    assert desk.incidents.get(uid).incident.findings == ("p", "f")
    with pytest.raises(NotFound):
        desk.incidents.detach(uid, "nothing", by="ana", reason="x")


def test_a_downgrade_needs_a_reason_and_a_second_person_and_both_values_are_kept(desk: Desk) -> None:
    uid = desk.open(severity=2)
    assert desk.incidents.declare(uid, Rating(people=2), by="ana", team="it").status is RatingStatus.IN_FORCE
    with pytest.raises(InputError, match="reason"):
        desk.incidents.rate(uid, Rating(people=3), by="ana")
    waiting = desk.incidents.rate(uid, Rating(people=3), by="ana", reason="Nobody was there.")
    assert waiting.status is RatingStatus.WAITING
    assert desk.incidents.get(uid).incident.severity == 2, "the graver value holds until then"
    assert any(owed.code == "rating" for owed in desk.incidents.get(uid).owed)
    with pytest.raises(Forbidden):
        desk.incidents.verdicts.confirm(uid, waiting.uid, by="ana", yes=True)
    desk.incidents.verdicts.confirm(uid, waiting.uid, by="bo", yes=True)
    view = desk.incidents.get(uid)
    assert (view.incident.severity, view.incident.declared_severity) == (3, 2)
    with pytest.raises(InputError, match="waits for no second"):
        desk.incidents.verdicts.confirm(uid, waiting.uid, by="cy", yes=False)
    assert desk.incidents.rate(uid, Rating(people=2, in_doubt=("people",)), by="cy").severity == 1, "in doubt the graver"
    with pytest.raises(InputError):
        desk.incidents.rate(uid, Rating(money=0), by="cy")
    with pytest.raises(Conflict, match="declared already"):
        desk.incidents.declare(uid, Rating(), by="cy", team="it")


def test_machines_neither_acknowledge_nor_engage(desk: Desk) -> None:
    uid = forced(desk)
    with desk.records.begin() as connection:
        desk.incidents.mark(connection, uid, "t3", desk.clock.now(), source="page", team="it")
        desk.incidents.mark(connection, uid, "t4", desk.clock.now(), source="auto", team="it", evidence="bot")
        desk.incidents.mark(connection, uid, "t4", desk.clock.now(), source="page", team="it")
        desk.incidents.append(connection, uid, "action", "Isolated.", occurred_at=desk.clock.now(), recorded_by="run:1", team="it")
        desk.incidents.mark(connection, uid, "t7", desk.clock.now(), source="run")
    view = desk.incidents.get(uid)
    assert {(moment.value, team) for moment, team in view.moments} == {("t0", ""), ("t1", ""), ("t2", ""), ("t3", "it")}
    assert view.incident.state is IncidentState.TRIAGE, "contained needs its read-back"
    with desk.records.begin() as connection:
        desk.incidents.mark(connection, uid, "t4", desk.clock.now(), source="page", team="it", evidence="ana")
        desk.incidents.append(connection, uid, "action", "Isolated.", occurred_at=desk.clock.now(), recorded_by="ana", team="it")
        desk.incidents.mark(connection, uid, "t7", desk.clock.now(), source="read-back", evidence="host answers no ping")
    view = desk.incidents.get(uid)
    assert view.teams[0].acknowledged_by == "ana"
    assert view.teams[0].engaged_at is not None
    with pytest.raises(NotFound), desk.records.begin() as connection:
        desk.incidents.append(connection, "no such", "action", "x", occurred_at=NOON, recorded_by="ana")


def test_an_acknowledgement_that_nothing_follows_expires(desk: Desk) -> None:
    uid = forced(desk)
    desk.incidents.acknowledge(uid, by="ana", team="it")
    desk.incidents.acknowledge(uid, by="bo", team="physical")
    desk.incidents.tasks.finish(desk.incidents.tasks.add(uid, "Go there", by="bo", team=Team.PHYSICAL), by="bo", team="physical")
    assert desk.incidents.stale_acknowledgements(desk.clock.now()) == []
    now = desk.wait(minutes=31)
    stale = desk.incidents.stale_acknowledgements(now)
    assert [(one.incident, one.team, one.person) for one in stale] == [(uid, "it", "ana")]
    with desk.records.begin() as connection:
        assert desk.incidents.expire(connection, stale[0])
        assert not desk.incidents.expire(connection, stale[0])
    assert desk.incidents.stale_acknowledgements(now) == []
    assert (desk.incidents.get(uid).next_step.code, desk.incidents.get(uid).next_step.team) == ("acknowledge", "it")
    desk.incidents.acknowledge(uid, by="cy", team="it")
    assert desk.incidents.get(uid).teams[0].acknowledged_by == "cy"


def test_moments_are_revised_by_hand_and_not_by_machines_afterwards(desk: Desk) -> None:
    uid = forced(desk)
    earlier = NOON - timedelta(days=2)
    desk.incidents.moment(
        uid, Moment.ONSET, earlier, by="ana", source="camera", uncertainty=timedelta(minutes=5), evidence="clip 3", reason="Seen on film."
    )
    with desk.records.begin() as connection:
        desk.incidents.mark(connection, uid, "t0", NOON - timedelta(days=9), source="finding")
    view = desk.incidents.get(uid)
    assert (view.moments[Moment.ONSET, ""].at, view.moments[Moment.ONSET, ""].uncertainty) == (earlier, timedelta(minutes=5))
    assert view.durations["dwell"].uncertainty == timedelta(minutes=5)
    assert len([entry for entry in view.series if entry.moment is Moment.ONSET]) == 2, "the first stays in the series"
    wrong = [
        (Moment.CONTAINED, desk.clock.now(), {}),
        (Moment.DECLARED, desk.clock.now() + timedelta(hours=1), {}),
        (Moment.ACKNOWLEDGED, desk.clock.now(), {}),
        (Moment.ONSET, desk.clock.now() + timedelta(minutes=1), {"evidence": "x"}),
        (Moment.RESTORED, None, {}),
    ]
    for moment, when, more in wrong:
        with pytest.raises(InputError):
            desk.incidents.moment(uid, moment, when, by="ana", **more)
    with pytest.raises(Conflict, match="Close or reopen"):
        desk.incidents.moment(uid, Moment.CLOSED, desk.clock.now(), by="ana")


def test_a_changed_or_missing_entry_shows(desk: Desk) -> None:
    uid = desk.open()
    for number in range(6):
        desk.incidents.note(uid, f"Note {number} \x00 ü 'quoted'", by="ana", occurred_at=NOON)
    entries = desk.incidents.timeline(uid)
    assert [entry.seq for entry in entries] == list(range(1, len(entries) + 1))
    assert desk.incidents.verify(uid) == []
    table = tables.incident_entry
    victim = entries[4].seq

    def tamper(statement) -> list[str]:
        with desk.records.begin() as connection:
            connection.execute(statement)
            problems = desk.incidents.chronicle
            connection.commit()
        return problems.verify(uid)

    assert (
        f"entry {victim} was changed" in tamper(update(table).where(table.c.seq == victim).values(occurred_at=NOON - timedelta(hours=1)))[0]
    )
    tamper(update(table).where(table.c.seq == victim).values(occurred_at=entries[4].occurred_at))
    assert desk.incidents.verify(uid) == []
    last = entries[-1].seq
    assert "newest entries are missing" in tamper(delete(table).where(table.c.seq == last))[0]
    assert tamper(delete(table).where(table.c.seq == victim))[0] == f"entries {victim} to {victim} are missing"
    with pytest.raises(NotFound):
        desk.incidents.verify("no such")


def test_corrections_are_new_entries_and_the_paper_log_keeps_its_times(desk: Desk) -> None:
    uid = desk.open()
    note = desk.incidents.note(uid, "Door locked at 11:05.", by="ana", team="it", occurred_at=NOON - timedelta(minutes=55))
    desk.wait(minutes=3)
    fixed = desk.incidents.chronicle.correct(uid, note.seq, "It was 11:15.", by="bo", occurred_at=NOON - timedelta(minutes=45))
    assert (fixed.corrects, fixed.recorded_by, fixed.occurred_at) == (note.seq, "bo", NOON - timedelta(minutes=45))
    assert fixed.entered_at - note.entered_at == timedelta(minutes=3)
    kept = {entry.seq: entry for entry in desk.incidents.timeline(uid)}
    assert kept[note.seq].text == "Door locked at 11:05."
    order = [entry.seq for entry in desk.incidents.chronicle.by_occurrence(uid)]
    assert order.index(note.seq) < order.index(fixed.seq) < order.index(1)
    newest = desk.incidents.chronicle.page(uid, before=-1, limit=2)
    assert [entry.seq for entry in newest] == [len(kept), len(kept) - 1]
    assert [entry.kind for entry in desk.incidents.chronicle.page(uid, kinds=["correction"])] == ["correction"]
    with pytest.raises(TooLarge):
        desk.incidents.note(uid, "x" * 10_001, by="ana")
    with pytest.raises(NotFound):
        desk.incidents.chronicle.correct(uid, 999, "x", by="ana")


def test_people_talk_and_mention_each_other(desk: Desk) -> None:
    uid = desk.open()
    desk.incidents.say(uid, "@bo and @Physical: look at mail@home.example, please @cy.", by="ana", team="it")
    found = desk.incidents.chronicle.mentioned(["bo", "physical"])
    assert sorted(one.name for one in found) == ["bo", "physical"]
    assert found[0].by == "ana"
    assert desk.incidents.chronicle.saw(uid, "bo") == 1
    assert [one.name for one in desk.incidents.chronicle.mentioned(["bo", "physical", "cy"])] in (["physical", "cy"], ["cy", "physical"])


def test_tasks_have_team_owner_and_time(desk: Desk) -> None:
    uid = desk.open()
    task = desk.incidents.tasks.add(uid, "Secure the footage", by="ana", team=Team.PHYSICAL, sla=timedelta(minutes=20))
    assert desk.incidents.tasks.get(task).due == desk.clock.now() + timedelta(minutes=20)
    desk.incidents.tasks.add(uid, "Some time", by="ana", team=Team.IT)
    assert [one.title for one in desk.incidents.tasks.open_for([Team.PHYSICAL, Team.IT])] == ["Secure the footage", "Some time"]
    desk.incidents.tasks.give(task, by="ana", team=Team.PHYSICAL, owner="bo")
    assert [one.uid for one in desk.incidents.tasks.open_for(owner="bo")] == [task]
    desk.wait(minutes=21)
    row = desk.incidents.list()[0]
    assert (row.open_tasks, row.late_tasks) == (2, 1)
    done = desk.incidents.tasks.finish(task, by="bo", team="physical", note="Copied.")
    assert done.late(desk.clock.now())
    with pytest.raises(Conflict, match="done already"):
        desk.incidents.tasks.drop(task, by="bo", reason="x")
    assert [row.incident.uid for row in desk.incidents.list(IncidentFilter(person="ana"))] == []


def test_the_first_thing_on_the_page_walks_through_an_incident(desk: Desk) -> None:
    uid = forced(desk)

    def following() -> tuple[str, str]:
        step = desk.incidents.get(uid).next_step
        return step.code, step.who

    assert following() == ("acknowledge", "IT")
    desk.incidents.acknowledge(uid, by="ana", team="it")
    assert following() == ("acknowledge", "Physical security")
    desk.incidents.acknowledge(uid, by="bo", team="physical")
    assert following() == ("engage", "ana")
    desk.incidents.declare(uid, Rating(operations=2), by="ana", team="it")
    assert following() == ("engage", "bo")
    with desk.records.begin() as connection:
        refs = {"verb": "door.secure_ingress", "door": CLOSET_DOOR}
        desk.incidents.append(
            connection, uid, "action", "Secured.", occurred_at=desk.clock.now(), recorded_by="bo", team="physical", refs=refs
        )
    assert following() == ("lead", "Anybody")
    desk.incidents.assign(uid, IncidentRole.LEAD, "ana", by="ana")
    assert "no-safety-officer" in {warning.code for warning in desk.incidents.get(uid).warnings}
    desk.open_items.append(OpenItem(ItemKind.APPROVAL, "ap", "isolate srv-1", owner="mia"))
    assert following() == ("approval", "mia")
    desk.open_items.clear()
    assert following() == ("contain", "ana")
    desk.wait(minutes=11)
    assert {warning.code for warning in desk.incidents.get(uid).warnings} == {"no-safety-officer", "empty"}


def test_the_list_takes_few_statements_however_long_it_is(desk: Desk) -> None:
    for number in range(30):
        desk.open(title=f"Number {number}", severity=1 + number % 4)
    engine, said = desk.records.engine, []

    @event.listens_for(engine, "before_cursor_execute")
    def count(_connection, _cursor, statement, *_):
        said.append(statement)

    rows = desk.incidents.list(limit=20)
    event.remove(engine, "before_cursor_execute", count)
    assert len([one for one in said if one.lstrip().upper().startswith("SELECT")]) <= 6
    last = rows[-1].incident
    rest = desk.incidents.list(after=(last.severity, last.opened_at, last.uid))
    found = [row.incident for row in (*rows, *rest)]
    assert len({one.uid for one in found}) == 30
    assert [one.severity for one in found] == sorted(one.severity for one in found)
    assert [row.incident.number for row in desk.incidents.list(IncidentFilter(newest=True), limit=2)]
    assert [row.incident.title for row in desk.incidents.list(IncidentFilter(text="#7"))] == ["Number 6"]
    assert desk.incidents.reader.counts()["triage", 1] == 8


def test_similar_incidents_of_the_past_say_what_they_share(desk: Desk) -> None:
    old = desk.take(page("p", addresses=("203.0.113.9",), assets=("asset:srv-1",)))[0]
    desk.incidents.acknowledge(old, by="ana", team="it")
    desk.incidents.close(old, Closure.BENIGN, Rating(operations=2), by="ana", team="it", note="A scan we ordered.")
    desk.open(title="Nothing in common")
    new = desk.take(page("q", 60 * 24 * 10, addresses=("203.0.113.9",)))[0]
    found = desk.incidents.similar(new)
    assert [(one.uid, one.closure) for one in found] == [(old, "benign")]
    assert "address 203.0.113.9, in no other" in found[0].because
