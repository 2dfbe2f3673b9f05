"""Runs on both engines: started or refused, answered, agreed to, moved on by workers, ended, listed, reported when they stand still."""

import json
import threading
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update
from tests.respond.durable_worker import World, patient
from tests.respond.playbooks import Shelf, called, document, machine, manual, name_of, twenty_steps, variable

from watchword.connectors.simulated_devices import SimulatedDevices
from watchword.kit.clock import ManualClock
from watchword.kit.errors import Conflict, InputError, NotFound
from watchword.model.action import Outcome, OutcomeStatus
from watchword.respond.approval import Approver
from watchword.respond.extensions import STEP
from watchword.respond.run_service import RunFilter, RunRefused
from watchword.respond.run_state import RunStatus
from watchword.respond.run_tables import playbook_run, run_pin, run_timer, step_attempt

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
IDA, CORA = Approver("ida", "Ida", "it"), Approver("cora", "Cora", "physical")
START, A, B, END = name_of("start", 1), name_of("action", 2), name_of("action", 3), name_of("end", 4)
P = name_of("playbook", 1)


class Log:
    def __init__(self):
        self.lines, self.moments, self.pages = [], [], []

    def append(self, _connection, _incident, kind, text, **_more):
        self.lines.append((kind, text))

    def mark(self, _connection, _incident, moment, _at, **more):
        self.moments.append((moment, more["team"]))

    def page(self, _connection, **said):
        self.pages.append(said)


class Desk(World):
    """A world with a clock that is moved by hand and a log that is read."""

    def __init__(self, records, folder, *documents):
        clock = ManualClock(NOON)
        super().__init__(records, clock, SimulatedDevices(folder / "devices.sqlite3", clock), Shelf(*documents))
        self.shelf, self.log = self.runs._pins.library, Log()
        self.runs._log = self.runs._moves.log = self.log
        self.runs._moves.pager = self.log

    def start(self, **more):
        said = {"playbook": P, "incident": "incident", "variables": {}, "by": "starter"} | more
        return self.runs.start(**said)

    def step(self, **span):
        self.clock.advance(timedelta(**span))
        return self.runs.step(self.clock.now())

    def agree(self, *people):
        for view in self.approvals.waiting():
            for one in people:
                self.approvals.decide(view.uid, one, True, "", view.digest, self.clock.now())

    def status(self, run):
        return self.runs.get(run).status.value

    def steps(self, run):
        return {step.name: step.status.value for step in self.runs.get(run).steps}


both = pytest.mark.parametrize("records_url", ["sqlite", "postgresql"], indirect=True)


@pytest.fixture
def records_url(request, tmp_path):
    """SQLite, and PostgreSQL where a test says `both`."""
    if getattr(request, "param", "sqlite") == "sqlite":
        return f"sqlite:///{tmp_path}/records.sqlite3"
    return request.getfixturevalue("postgres_database")()


@pytest.fixture
def make(records, tmp_path):
    made = []

    def build(*documents):
        made.append(Desk(records, tmp_path, *documents))
        return made[-1]

    yield build
    for one in made:
        one.runs.close()


def two(first, second, **more):
    """A playbook of two steps."""
    steps = {
        START: {"type": "start", "on_completion": A},
        A: first | {"on_completion": B},
        B: second | {"on_completion": END},
        END: {"type": "end"},
    }
    return document(1, "Two steps", steps, **more)


DISABLE = machine("account.disable", "ana", name="Disable", revert_after="1h")


# a run from start to end


@both
def test_a_run_of_every_step_type_goes_to_its_end(make):
    desk = make(twenty_steps(), called())
    run = desk.start(variables={"__who__": "ana"})
    answers = {"Ask": {"__grave__": "high"}, "Tell": {"__told__": "yes"}, "Look": {"__seen__": "smoke"}}
    for _ in range(60):
        desk.step(seconds=1)
        desk.agree(IDA, CORA)
        for wait in desk.runs.waits():
            if wait.kind == "person":
                values = (
                    {"__n__": wait.path[len(wait.path.partition("#")[0]) + 1]} if wait.title == "Count" else answers.get(wait.title, {})
                )
                desk.runs.answer(run, wait.path, "failed" if wait.title == "Try" else "done", values, "ida", "it", "as asked")
        if desk.status(run) != "running":
            break
    view = desk.runs.get(run)
    assert (view.status, view.variables) == (RunStatus.COMPLETED, {})
    assert len(view.steps) > 20
    assert [step.seq for step in view.steps] == list(range(1, len(view.steps) + 1))
    assert len(view.approvals) == 2
    assert len({effect.key for effect in desk.devices.effects()}) == 9
    assert ("t5", "it") in desk.log.moments
    assert desk.log.moments.count(("t5", "it")) == 1
    assert not view.waits
    assert not desk.runs.stalled(desk.clock.now() + timedelta(days=1))


def test_the_run_uses_what_it_pinned_not_what_the_library_has_now(make, records):
    desk = make(two(manual("Look", name="Look"), DISABLE))
    run = desk.start()
    desk.shelf.put(two(manual("Edited", name="Edited"), manual("Edited too", name="Edited too"), modified="2026-02-01T00:00:00.000Z"))
    desk.runs.answer(run, A, "done", {}, "ida", "it")
    desk.step()
    desk.agree(IDA)
    desk.step()
    assert desk.steps(run) == {START: "done", "Look": "done", "Disable": "done", END: "done"}
    with records.read() as connection:
        (pin,) = connection.execute(select(run_pin)).all()
    assert json.loads(pin.text)["modified"] == "2026-01-05T09:00:00.000Z"
    assert pin.sha256 == desk.runs.get(run).sha256


@both
def test_the_same_start_asked_twice_is_one_run(make):
    desk = make(two(manual("Look"), manual("Again")))
    assert desk.start(key="finding-1") == desk.start(key="finding-1")
    assert len(desk.runs.list()) == 1


@both
def test_lists_are_filtered(make):
    desk = make(two(manual("Look"), manual("Again")))
    first, second = desk.start(incident="one"), desk.start(incident="two", exercise=True)
    assert [view.uid for view in desk.runs.list(RunFilter(incident="one"))] == [first]
    assert [view.uid for view in desk.runs.list(RunFilter(exercise=True))] == [second]
    desk.runs.cancel(first, "ana", "not needed")
    assert [view.uid for view in desk.runs.list(RunFilter(status=(RunStatus.CANCELLED,)))] == [first]
    with pytest.raises(NotFound):
        desk.runs.get("nothing")


# refused


def refused(desk, **more):
    with pytest.raises(RunRefused) as caught:
        desk.start(**more)
    assert desk.runs.list() == []
    return {refusal.code for refusal in caught.value.refusals}


def test_all_refusals_come_at_once(make):
    call = {"type": "playbook-action", "playbook_id": name_of("playbook", 9)}
    ssh = {"type": "action", "agent": "ssh--00000000-0000-4000-8000-00000000cccc", "commands": [{"type": "ssh", "command": "reboot"}]}
    desk = make(two(call, ssh, revoked=True, valid_until="2026-01-06T00:00:00.000Z"))
    assert refused(desk) == {"missing_playbook", "unmapped_command", "revoked", "expired"}


def test_an_unknown_agent_is_refused_and_a_mapped_one_is_not(make):
    odd = "soarca--00000000-0000-4000-8000-00000000dddd"
    made = two(manual("Look", agent=odd), manual("Again"))
    made["agent_definitions"][odd] = {"type": "soarca", "name": "odd"}
    desk = make(made)
    assert refused(desk) == {"unmapped_agent"}
    made["workflow"][A]["step_extensions"] = {STEP: {"mapped_from": {"agent": odd}}}
    desk.shelf.put(made | {"modified": "2026-02-01T00:00:00.000Z"})
    assert desk.start()


def test_a_mapped_command_is_an_action_or_a_persons(make):
    ssh = {
        "type": "action",
        "agent": "group--00000000-0000-4000-8000-00000000aaaa",
        "commands": [{"type": "ssh", "command": "disable __who__:value"}],
    }
    by_machine = ssh | {
        "step_extensions": {
            STEP: {"mapped_from": {"type": "ssh"}, "catalogue_action": {"name": "account.end_sessions", "target": "__who__:value"}}
        }
    }
    by_hand = ssh | {"step_extensions": {STEP: {"mapped_from": {"type": "ssh"}}}}
    desk = make(two(by_machine, by_hand, variables={"__who__": variable(value="ana", external=True)}))
    run = desk.start()
    desk.step()
    (wait,) = desk.runs.waits()
    assert "disable ana" in wait.words
    assert [effect.target for effect in desk.devices.effects()] == ["ana"]
    desk.runs.answer(run, wait.path, "done", {}, "ida", "it")
    assert desk.status(run) == "completed"


def test_an_attack_is_never_started_by_a_rule(make):
    desk = make(two(manual("Look"), manual("Again"), playbook_types=["attack"]))
    assert refused(desk, rule="ww_001") == {"attack_by_rule"}
    assert desk.start()


def test_validity_is_overridden_by_a_person_with_a_reason_only(make):
    desk = make(two(manual("Look"), manual("Again"), valid_until="2026-01-06T00:00:00.000Z"))
    assert refused(desk) == {"expired"}
    assert refused(desk, rule="ww_001", override="it is urgent") == {"expired"}
    run = desk.start(override="nothing newer is there")
    assert desk.runs.get(run).override == "nothing newer is there"


def test_a_playbook_with_faults_does_not_start(make):
    desk = make()
    fault = type("Fault", (), {"code": "cycle", "severity": "error", "text": "a cycle"})()
    desk.shelf.put(two(manual("Look"), manual("Again")), [fault])
    assert refused(desk) == {"cycle"}


def test_a_signature_policy_is_asked(make):
    desk = make(two(manual("Look"), manual("Again")))
    desk.runs._pins._signature_fault = lambda _kept: "its key is not trusted"
    assert refused(desk) == {"signature"}


@pytest.mark.parametrize(
    ("given", "code"), [({}, "missing_variable"), ({"__n__": "many"}, "variable_type"), ({"__n__": "1", "__x__": "1"}, "unknown_variable")]
)
def test_variables_of_the_caller_are_checked(make, given, code):
    desk = make(two(manual("Look"), manual("Again"), variables={"__n__": variable("integer", external=True)}))
    assert refused(desk, variables=given) == {code}


def test_an_action_that_the_catalogue_does_not_have_is_refused(make):
    desk = make(two(machine("door.open_wide", "d-1"), manual("Again")))
    assert refused(desk) == {"unknown_verb"}


def calling(number, other):
    call = {"type": "playbook-action", "playbook_id": name_of("playbook", other), "on_completion": END}
    return document(number, f"P{number}", {START: {"type": "start", "on_completion": A}, A: call, END: {"type": "end"}})


def test_playbooks_that_run_themselves_or_too_deep_are_refused(make):
    assert refused(make(calling(1, 2), calling(2, 1))) == {"recursion"}
    chain = [calling(number, number + 1) for number in range(1, 9)]
    last = document(9, "Last", {START: {"type": "start", "on_completion": END}, END: {"type": "end"}})
    assert refused(make(*chain, last)) == {"too_deep"}
    assert make(*chain[1:], last).start(playbook=name_of("playbook", 2))


def test_steps_that_nest_too_deep_are_refused(make):
    steps = {START: {"type": "start", "on_completion": name_of("if-condition", 10)}, END: {"type": "end"}}
    for number in range(10, 40):
        inside = name_of("if-condition", number + 1) if number < 39 else END
        steps[name_of("if-condition", number)] = {
            "type": "if-condition",
            "condition": "__n__:value = 1",
            "on_true": inside,
            "on_completion": END,
        }
    assert refused(make(document(1, "Deep", steps, variables={"__n__": variable("integer", "1")}))) == {"too_deep"}


# people


def test_a_record_is_checked_before_it_is_kept(make):
    extra = {"evidence": {"kinds": ["photo"], "minimum": 2}}
    desk = make(two(manual("Look", name="Look", out_args=["__n__"], **extra), manual("Again"), variables={"__n__": variable("integer")}))
    run = desk.start()
    for wrong in (
        {"result": "perhaps", "values": {}}, {"result": "done", "values": {}}, {"result": "done", "values": {"__n__": "many"}},
        {"result": "done", "values": {"__n__": "1", "__x__": "2"}}, {"result": "done", "values": {"__n__": "1"}, "evidence": ["e1", "e1"]},
    ):  # fmt: skip
        with pytest.raises(InputError):
            desk.runs.answer(run, A, by="ida", team="it", **wrong)
    desk.runs.answer(run, A, "done", {"__n__": "1"}, "ida", "it", "seen", ["e1", "e2"])
    (look,) = [step for step in desk.runs.get(run).steps if step.name == "Look"]
    assert (look.status.value, look.by, look.note, look.evidence) == ("done", "ida", "seen", ("e1", "e2"))
    with pytest.raises(Conflict):
        desk.runs.answer(run, A, "done", {"__n__": "1"}, "bo", "it")
    with pytest.raises(NotFound):
        desk.runs.answer(run, "nowhere", "done", {}, "bo", "it")


@both
def test_taking_a_step_stops_the_clock_of_acknowledgement(make):
    timers = [{"clock": "acknowledge", "within": "5m", "on_breach": "page"}, {"clock": "complete", "within": "10m", "on_breach": "note"}]
    desk = make(two(manual("Look", name="Look", raci={"responsible": "it"}, sla_timers=timers), manual("Again")))
    run = desk.start()
    (wait,) = desk.runs.waits("it")
    desk.runs.take(run, wait.path, "ida", "it")
    with pytest.raises(Conflict):
        desk.runs.take(run, wait.path, "bo", "it")
    assert desk.runs.waits("it")[0].owner == "ida"
    desk.step(minutes=6)
    assert [timer.fired_at for timer in desk.runs.get(run).timers] == [None, None]
    desk.step(minutes=6)
    (told,) = [text for kind, text in desk.log.lines if kind == "timer"]
    assert "complete" in told
    assert not desk.log.pages


def test_a_breach_pages_the_team_and_fires_once(make):
    timers = [{"clock": "acknowledge", "within": "5m", "on_breach": "page"}]
    desk = make(two(manual("Look", name="Look", raci={"responsible": "physical"}, sla_timers=timers), manual("Again")))
    run = desk.start()
    desk.step(minutes=30)
    desk.step(minutes=30)
    (page,) = desk.log.pages
    assert page["teams"] == ("physical",)
    assert page["exercise"] is False
    (timer,) = desk.runs.get(run).timers
    assert timer.late
    assert desk.status(run) == "running"


def test_a_failed_run_pages_the_lead(make):
    desk = make(two(manual("Look", name="Look"), manual("Again")))
    run = desk.start()
    desk.runs.answer(run, A, "failed", {}, "ida", "it", "cannot")
    assert desk.status(run) == "failed"
    assert len(desk.log.pages) == 1


@both
def test_a_cancelled_run_does_nothing_more(make):
    desk = make(two(DISABLE, manual("Again")))
    run = desk.start()
    with pytest.raises(InputError):
        desk.runs.cancel(run, "ana", " ")
    desk.runs.cancel(run, "ana", "false alarm")
    with pytest.raises(Conflict):
        desk.runs.cancel(run, "ana", "again")
    desk.agree(IDA)
    desk.step()
    assert desk.devices.effects() == []
    assert desk.runs.waits() == []


def test_an_action_not_yet_taken_up_is_not_done_after_cancelling(make):
    desk = make(two(machine("account.end_sessions", "ana"), manual("Again")))
    run = desk.start()
    desk.runs.cancel(run, "ana", "false alarm")
    desk.step()
    assert desk.devices.effects() == []
    assert [attempt.status for attempt in desk.runs.get(run).attempts] == ["cancelled"]


# approvals, gateway, time


def test_a_veto_is_followed_with_its_reason(make):
    desk = make(two(DISABLE, manual("Again")))
    run = desk.start()
    (view,) = desk.approvals.waiting()
    desk.approvals.decide(view.uid, IDA, False, "wrong person", view.digest, desk.clock.now())
    desk.step()
    (step,) = [one for one in desk.runs.get(run).steps if one.name == "Disable"]
    assert (step.code, "wrong person" in step.said) == ("vetoed", True)
    assert desk.devices.effects() == []


def test_an_expired_request_fails_the_step(make):
    desk = make(two(DISABLE, manual("Again")))
    run = desk.start()
    desk.clock.advance(timedelta(hours=7))
    desk.approvals.expire(desk.clock.now())
    desk.step()
    assert desk.runs.get(run).code == "expired"


def test_a_refusal_of_the_gateway_fails_the_step(make):
    desk = make(two(machine("account.disable", "ana", revert_after="100d", name="Too long"), manual("Again")))
    run = desk.start()
    desk.agree(IDA)
    desk.step()
    assert desk.runs.get(run).status is RunStatus.FAILED
    assert desk.devices.effects() == []


@both
def test_a_hung_responder_fails_its_step_and_holds_no_other_run(make, monkeypatch):
    monkeypatch.setattr("watchword.respond.run_work_service.PATIENCE", 0.05)
    desk = make(two(machine("account.end_sessions", "ana", timeout=100, name="Hung"), manual("Again")))
    desk.shelf.put(document(2, "Other", two(machine("account.end_sessions", "bo"), manual("Again"))["workflow"]))
    hung = threading.Event()
    real = desk.gateway.perform
    monkeypatch.setattr(
        desk.gateway,
        "perform",
        lambda action, approval="": hung.wait(20) and real(action, approval) if action.target == "ana" else real(action, approval),
    )
    run, other = desk.start(), desk.start(playbook=name_of("playbook", 2))
    try:
        for _ in range(10):
            desk.step(milliseconds=50)
        assert desk.runs.get(run).code == "ACTION_TIMEOUT"
        assert desk.steps(other)[A] == "done"
    finally:
        hung.set()
    desk.runs.close()
    (attempt,) = desk.runs.get(run).attempts
    assert attempt.status == "overran"
    assert desk.status(run) == "failed"


def test_a_store_that_does_not_answer_is_asked_again(make, monkeypatch):
    from watchword.kit.errors import Unavailable

    desk = make(two(machine("account.end_sessions", "ana"), manual("Again")))
    run, real = desk.start(), desk.gateway.perform

    def broken(action, approval=""):
        raise Unavailable("the database does not answer")

    monkeypatch.setattr(desk.gateway, "perform", broken)
    desk.step()
    assert desk.runs.get(run).attempts[0].status == "open"
    monkeypatch.setattr(desk.gateway, "perform", real)
    desk.step()
    assert desk.devices.effects() == []
    desk.step(seconds=10)
    assert len(desk.devices.effects()) == 1


def test_a_gateway_that_breaks_fails_the_step(make, monkeypatch):
    desk = make(two(machine("account.end_sessions", "ana"), manual("Again")))
    run = desk.start()
    monkeypatch.setattr(desk.gateway, "perform", lambda *_said: 1 / 0)
    desk.step()
    assert desk.runs.get(run).code == "gateway"


def test_an_outcome_of_another_worker_is_left_to_it(make, monkeypatch):
    desk = make(two(machine("account.end_sessions", "ana"), manual("Again")))
    run = desk.start()
    monkeypatch.setattr(desk.gateway, "perform", lambda *_said: Outcome(OutcomeStatus.UNKNOWN, "elsewhere", NOON, code="taken-over"))
    desk.step()
    assert desk.status(run) == "running"


@both
def test_timers_keep_their_length_when_the_clock_is_put_back(make, records):
    desk = make(two(machine("account.end_sessions", "ana", delay=60_000), manual("Again")))
    desk.start()
    desk.step(minutes=-30)
    with records.read() as connection:
        (timer,) = connection.execute(select(run_timer)).all()
    assert timer.due_at == desk.clock.now() + timedelta(minutes=1)
    desk.step(seconds=61)
    assert len(desk.devices.effects()) == 1


@both
def test_a_lease_of_a_dead_worker_runs_out_also_when_the_clock_is_put_back(make, records):
    desk = make(two(machine("account.end_sessions", "ana"), manual("Again")))
    desk.start()
    with records.begin() as connection:
        connection.execute(update(step_attempt).values(lease="dead", lease_until=NOON + timedelta(seconds=1)))
    desk.step(minutes=-30)
    assert len(desk.devices.effects()) == 1


@both
def test_runs_that_should_have_moved_are_reported(make, records):
    desk = make(two(machine("account.end_sessions", "ana"), manual("Again")))
    run = desk.start()
    assert desk.runs.stalled(NOON + timedelta(seconds=30)) == []
    (stalled,) = desk.runs.stalled(NOON + timedelta(minutes=5))
    assert (stalled.run, stalled.since, stalled.why) == (run, NOON, "an action is with no worker")
    desk.step()
    assert desk.runs.stalled(NOON + timedelta(days=5)) == []
    with records.begin() as connection:
        connection.execute(update(playbook_run).values(more=True))
    assert desk.runs.stalled(NOON + timedelta(days=5))[0].why == "it was not gone on with"


@both
def test_two_workers_at_once_do_everything_once(make, records, tmp_path):
    desk = make(
        *[
            document(number, f"P{number}", two(machine("account.end_sessions", f"user{number}"), manual("Again"))["workflow"])
            for number in range(1, 9)
        ]
    )
    other = Desk(records, tmp_path)
    desk.approvals.wake = desk.runs.wake
    for number in range(1, 9):
        desk.start(playbook=name_of("playbook", number))
    threads = [threading.Thread(target=lambda one=one: [one.step() for _ in range(5)]) for one in (desk, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    other.runs.close()
    assert sorted(effect.target for effect in desk.devices.effects()) == [f"user{number}" for number in range(1, 9)]
    assert {effect.calls for effect in desk.devices.effects()} == {1}
    assert len(desk.runs.waits()) == 8


def test_an_exercise_goes_to_twins_only(make):
    desk = make(two(machine("account.end_sessions", "ana"), manual("Again")))
    run = desk.start(exercise=True)
    desk.step()
    assert desk.devices.effects() == []
    assert desk.runs.get(run).exercise


# export


def test_the_status_is_exported_in_the_words_of_other_tools(make):
    desk = make(two(machine("account.end_sessions", "ana", name="End"), manual("Look")))
    run = desk.start()
    desk.step()
    words = {one["workflow_step"]: one for one in desk.runs.export(run)}
    assert words[A]["status"] == "successfully_executed"
    assert words[A]["automated_execution"] is True
    assert words[B]["status"] == "ongoing"
    assert {one["type"] for one in words.values()} == {"execution-status"}
    assert all(one["id"].startswith("execution-status--") and one["start_time"].endswith("Z") for one in words.values())
    assert words[A]["command_b64"] == ["YWNjb3VudC5lbmRfc2Vzc2lvbnMgYW5h"]


def test_the_catalogue_of_the_test_asks_as_the_shipped_one_does():
    from watchword.respond.catalogue import shipped_catalogue

    shipped, ours = shipped_catalogue(), patient(shipped_catalogue())
    assert {name: (verb.rule.count, verb.rule.teams) for name, verb in shipped.verbs.items()} == {
        name: (verb.rule.count, verb.rule.teams) for name, verb in ours.verbs.items()
    }
