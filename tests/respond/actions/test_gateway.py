"""The gateway on both engines: intents, outcomes, approvals, read-back, reverts, recovery, exercises, alarms."""

from dataclasses import replace
from datetime import timedelta

import pytest

from watchword.kit.errors import Conflict, Forbidden, InputError, NotFound
from watchword.model.action import Outcome, OutcomeStatus
from watchword.respond.approval import Approver

IT = Approver("ida", "Ida", "it", "it_analyst")
PHYSICAL = Approver("cora", "Cora", "physical", "control_room_operator")
MANAGER = Approver("max", "Max", "management", "manager")
D2 = "harbour/doors/D-2"


class Wrapped:
    """A responder around the simulated one, that does something before or after."""

    def __init__(self, inner, before=None, after=None, answer=None, reads=True):
        self.inner, self.name, self.verbs = inner, inner.name, inner.verbs
        self.before, self.after, self.answer, self.reads = before, after, answer, reads

    def do(self, action, *, dry_run=False):
        if self.before and not dry_run:
            self.before(action)
        outcome = self.inner.do(action, dry_run=dry_run)
        if self.after and not dry_run:
            self.after(action)
        return self.answer(outcome) if self.answer else outcome

    def read(self, action):
        return self.inner.read(action) if self.reads else None


class Untouchable:
    """A responder that no exercise may ever reach."""

    name = "real"

    def __init__(self, verbs):
        self.verbs = verbs

    def do(self, action, *, dry_run=False):
        raise AssertionError(f"{action.verb} reached a device, dry run: {dry_run}")

    def read(self, action):
        raise AssertionError(f"{action.verb} was read from a device")


def test_a_securing_with_two_of_two_teams_is_done_read_back_logged_and_told(world):
    action = world.secured()
    deed = world.gateway.deed(action.key)
    assert deed.outcome.verified is True
    assert world.devices.state(f"door:{D2}") == {"ingress": "secured", "egress": "free"}
    assert deed.revert_at == world.clock.now() + timedelta(hours=1)
    assert [word for word, _, _ in world.audited("action")] == ["action.intend", "action.done"]
    assert any(kind == "action" and "Closet door" in text for _, kind, text in world.diary.lines)
    assert [(told["verb"], told["status"], told["verified"]) for told in world.told] == [("door.secure_ingress", "done", True)]
    assert [each.key for each in world.gateway.in_force()] == [action.key]


def test_the_same_key_has_its_effect_once(world):
    action = world.secured()
    first = world.gateway.deed(action.key).outcome
    assert world.gateway.perform(action, "") == first
    assert len(world.devices.effects()) == 1
    other = world.gateway.perform(replace(action, target="harbour/doors/D-1"), "")
    assert (other.status, other.code) == (OutcomeStatus.REFUSED, "key-reused")
    assert world.gateway.deed(action.key).outcome == first


@pytest.mark.parametrize(
    ("people", "code"),
    [
        ((), "approval-incomplete"),
        ((IT,), "approval-incomplete"),
        ((IT, Approver("ian", "Ian", "it")), "approval-incomplete"),
        ((IT, MANAGER), ""),
    ],
)
def test_two_people_of_two_teams_must_agree(world, people, code):
    action = world.action()
    assert world.gateway.perform(action, world.agree(action, *people)).code == code


def test_without_request_or_with_another_ones_it_is_refused(world):
    action = world.action()
    assert world.gateway.perform(action).code == "no-approval"
    granted = world.agree(action, IT, PHYSICAL)
    changed = replace(action, key="k2", revert_after=timedelta(hours=2))
    assert world.gateway.perform(changed, granted).code == "approval-void"
    assert world.gateway.perform(replace(action, key="k3", path="p9"), granted).code == "approval-elsewhere"
    assert world.gateway.perform(replace(action, key="k4"), granted).status is OutcomeStatus.DONE
    assert world.gateway.perform(replace(action, key="k5"), granted).code == "approval-used"


def test_a_veto_stops_and_an_old_yes_counts_no_more(world):
    action = world.action()
    uid = world.agree(action, IT)
    world.approvals.decide(uid, PHYSICAL, False, "wrong door", action.digest, world.clock.now())
    assert world.gateway.perform(action, uid).code == "vetoed"
    other = world.action(key="k2", path="p2")
    uid = world.agree(other, IT, PHYSICAL)
    world.clock.advance(timedelta(minutes=10, seconds=1))
    assert world.gateway.perform(other, uid).code == "approval-expired"
    assert world.devices.effects() == []
    assert len(world.audited("action.refuse")) == 2


def test_a_veto_after_the_grant_cannot_be_given_but_expiry_in_waiting_wakes(world):
    action = world.action()
    uid = world.agree(action, IT)
    assert world.woken == []
    world.clock.advance(timedelta(minutes=10))
    with pytest.raises(Conflict, match="expired"):
        world.approvals.decide(uid, PHYSICAL, True, "", action.digest, world.clock.now())
    assert world.woken == [("r1", "p1")]
    assert world.approvals.get(uid).state == "expired"
    assert world.approvals.expire(world.clock.now()) == 0


def test_who_may_answer(world):
    action = world.action(requested_by="ida")
    uid = world.agree(action)
    now = world.clock.now()
    with pytest.raises(Forbidden, match="colleague"):
        world.approvals.decide(uid, IT, True, "", action.digest, now)
    with pytest.raises(Conflict, match="changed"):
        world.approvals.decide(uid, PHYSICAL, True, "", "0" * 64, now)
    with pytest.raises(Forbidden, match="no team"):
        world.approvals.decide(uid, Approver("vic", "Vic", ""), True, "", action.digest, now)
    with pytest.raises(InputError, match="reason"):
        world.approvals.decide(uid, PHYSICAL, False, " ", action.digest, now)
    with pytest.raises(InputError, match="later"):
        world.approvals.decide(uid, PHYSICAL, True, "", action.digest, now + timedelta(seconds=1))
    world.approvals.decide(uid, PHYSICAL, True, "", action.digest, now)
    with pytest.raises(Conflict, match="already"):
        world.approvals.decide(uid, PHYSICAL, True, "", action.digest, now)
    with pytest.raises(NotFound):
        world.approvals.decide("f" * 32, PHYSICAL, True, "", action.digest, now)
    assert world.approvals.get(uid).missing.startswith("1 of 2 people from 2 teams")
    assert [each.uid for each in world.approvals.waiting("it")] == [uid]


def test_two_accounts_of_one_person_are_one_person(world):
    action = world.action()
    uid = world.agree(action, Approver("a", "A", "it", person="person:1"))
    with pytest.raises(Conflict, match="another person"):
        world.approvals.decide(uid, Approver("b", "A", "physical", person="person:1"), True, "", action.digest, world.clock.now())


def test_asking_again_is_the_same_request(world):
    action = world.action()
    uid = world.agree(action)
    assert world.agree(action) == uid
    world.approvals.decide(uid, PHYSICAL, False, "no", action.digest, world.clock.now())
    assert world.agree(action) == uid
    with world.records.begin() as connection:
        rule = world.approvals.read(connection, uid).rule
        again = world.approvals.ask(connection, action, rule, run="r1", path="p1", asked_by="rita", again=True)
    assert again != uid


def test_who_clicks_through_shows(world):
    for number in range(6):
        action = world.action(key=f"k{number}", path=f"p{number}")
        uid = world.agree(action)
        shown = world.clock.now()
        world.clock.advance(timedelta(seconds=2))
        world.approvals.decide(uid, IT, True, "", action.digest, shown)
        world.clock.advance(timedelta(seconds=30))
        if number:
            world.approvals.decide(uid, PHYSICAL, number != 3, "no" if number == 3 else "", action.digest, shown)
    ida, cora = world.approvals.fatigue(world.clock.now() - timedelta(days=1))
    assert (ida.account, ida.decisions, ida.yes, ida.quick, ida.tired) == ("ida", 6, 6, 6, True)
    assert (cora.account, cora.quick, cora.tired) == ("cora", 0, False)


def test_break_glass_replaces_approvers_pages_both_leads_and_opens_a_review(world):
    action = world.action()
    uid = world.agree(action)
    with pytest.raises(Forbidden):
        world.approvals.break_glass(uid, IT, "quick")
    with pytest.raises(InputError):
        world.approvals.break_glass(uid, MANAGER, "")
    world.approvals.break_glass(uid, MANAGER, "nobody answers")
    assert world.gateway.perform(action, uid).status is OutcomeStatus.DONE
    assert [page["teams"] for page in world.diary.pages] == [("it", "physical")]
    assert any(kind == "review" for _, kind, _ in world.diary.lines)
    assert [word for word, _, _ in world.audited("approval")][-2:] == ["approval.glass_refused", "approval.break_glass"]


def test_break_glass_never_passes_the_interlock(world):
    action = world.action()
    uid = world.agree(action)
    world.approvals.break_glass(uid, MANAGER, "now")
    world.burn()
    assert world.gateway.perform(action, uid).code == "fire-alarm"
    assert world.devices.effects() == []


@pytest.mark.parametrize(
    ("target", "code"),
    [("D-3", "egress-unverified"), ("D-4", "egress-unverified"), ("D-6", "egress-unverified"), ("D-99", "unknown-target")],
)
def test_only_doors_that_are_left_freely_by_hand_are_secured(world, target, code):
    action = world.action(target=f"harbour/doors/{target}")
    assert world.gateway.perform(action, world.agree(action, IT, PHYSICAL)).code == code
    assert world.devices.effects() == []


def test_a_zone_is_secured_as_a_whole_or_not_at_all(world):
    zone = world.gateway.render(world.action("zone.secure_ingress", "harbour/main/0/closet"))
    assert zone.parameters["doors"] == "harbour/doors/D-2 harbour/doors/D-4"
    assert world.gateway.perform(zone, world.agree(zone, IT, PHYSICAL)).code == "egress-unverified"
    store = world.gateway.render(world.action("zone.secure_ingress", "harbour/annex/0/store", key="k2"))
    other = replace(store, parameters={"doors": "harbour/doors/D-7"}, key="k3")
    assert world.gateway.perform(other, world.agree(other, IT, PHYSICAL)).code == "site-changed"
    assert world.gateway.perform(store, world.agree(store, IT, PHYSICAL)).status is OutcomeStatus.DONE
    assert world.devices.state("door:harbour/doors/D-5")["ingress"] == "secured"
    world.clock.advance(timedelta(hours=1))
    assert world.gateway.revert_due(world.clock.now()) == 1
    assert world.devices.state("door:harbour/doors/D-5")["ingress"] == "normal"
    assert world.gateway.in_force() == []


def test_a_bridge_needs_both_buildings_to_be_safe(world):
    world.burn("panel-2")
    action = world.action(target="harbour/doors/D-5")
    assert world.gateway.perform(action, world.agree(action, IT, PHYSICAL)).code == "fire-alarm"
    world.secured(key="k2", path="p2")


@pytest.mark.parametrize(
    ("verb", "target", "parameters", "code"),
    [
        ("host.isolate", "asset:panel-1", {}, "life-safety-device"),
        ("host.isolate", "asset:sw-2", {}, "life-safety-device"),
        ("address.block", "10.0.60.10", {}, "life-safety-device"),
        ("port.quarantine", "asset:sw-2", {"port": "Gi1/0/7"}, "life-safety-device"),
        ("port.quarantine", "asset:sw-2", {"port": "Gi1/0/7", "device": "ctl-1"}, "life-safety-device"),
        ("port.quarantine", "asset:sw-2", {"port": "Gi1/0/7", "device": "02:00:00:00:00:01"}, ""),
        ("port.quarantine", "asset:sw-3", {"port": "Gi1/0/7"}, ""),
        ("host.isolate", "asset:ws-1", {}, ""),
    ],
)
def test_what_safety_depends_on_is_never_cut_off(world, verb, target, parameters, code):
    action = world.action(verb, target, parameters=parameters)
    assert world.gateway.perform(action, world.agree(action, PHYSICAL)).code == code


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"verb": "door.lock_egress"}, "unknown-verb"),
        ({"revert_after": None}, "no-end"),
        ({"revert_after": timedelta(hours=9)}, "too-long"),
        ({"parameters": {"force": "yes"}}, "bad-parameter"),
        ({"target": "a\nb"}, "bad-target"),
    ],
)
def test_what_the_catalogue_does_not_know_is_refused_and_audited(world, change, code):
    action = replace(world.action(), **change)
    assert world.gateway.perform(action).code == code
    assert [detail["codes"][0] for _, _, detail in world.audited("action.refuse")] == [code]
    with pytest.raises(InputError):
        world.gateway.perform(replace(action, key=""))


def test_the_preview_says_what_would_happen_and_sends_nothing(world):
    preview = world.gateway.preview(world.action("zone.secure_ingress", "harbour/main/0/closet"))
    assert preview.blast.doors == ("harbour/doors/D-2", "harbour/doors/D-4")
    assert preview.blast.people_inside == 2
    assert [refusal.code for refusal in preview.refusals] == ["egress-unverified"]
    assert preview.rule.count == 2
    assert preview.would.said.startswith("would set")
    assert preview.undo.verb == "zone.release_ingress"
    assert not preview.clear
    host = world.gateway.preview(world.action("host.isolate", "asset:sw-3"))
    assert host.blast.hosts == ("asset:sw-3", "asset:ws-1")
    assert world.devices.effects() == []
    assert world.audited("action") == []


def test_a_state_ends_by_itself_and_a_late_end_says_so(world):
    action = world.secured()
    assert world.gateway.revert_due(world.clock.now()) == 0
    world.clock.advance(timedelta(hours=1, minutes=5))
    assert world.gateway.revert_due(world.clock.now()) == 1
    assert world.gateway.revert_due(world.clock.now()) == 0
    assert world.devices.state(f"door:{D2}")["ingress"] == "normal"
    assert world.gateway.in_force() == []
    assert world.diary.pages == []
    assert "late" in next(deed.sent.reason for deed in world.gateway.deeds.search(target=D2) if deed.reverts == action.key)


def test_a_revert_that_is_not_verified_pages_and_is_tried_again(world):
    world.secured()
    broken = world.make_gateway(responders=[Wrapped(world.devices, answer=lambda outcome: replace(outcome, status=OutcomeStatus.FAILED))])
    world.clock.advance(timedelta(hours=1))
    assert broken.revert_due(world.clock.now()) == 1
    (page,) = world.diary.pages
    assert page["teams"] == ("physical",)
    assert "return" in page["what_to_do"]
    assert broken.revert_due(world.clock.now()) == 0
    world.clock.advance(timedelta(minutes=1))
    assert world.gateway.revert_due(world.clock.now()) == 1
    assert world.gateway.in_force() == []
    assert len(world.diary.pages) == 1


def test_a_revert_leaves_alone_what_another_action_keeps(world):
    world.secured()
    world.clock.advance(timedelta(minutes=30))
    world.quiet()
    world.secured(key="k2", path="p2")
    world.clock.advance(timedelta(minutes=30))
    world.gateway.revert_due(world.clock.now())
    assert world.devices.state(f"door:{D2}")["ingress"] == "secured"
    world.clock.advance(timedelta(minutes=30))
    assert world.gateway.revert_due(world.clock.now()) == 1
    assert world.devices.state(f"door:{D2}")["ingress"] == "normal"


def test_lasting_longer_needs_its_own_approval_and_the_interlock(world):
    action = world.secured()
    asked = world.gateway.extension(action.key, timedelta(hours=3))
    assert world.gateway.extend(action.key, timedelta(hours=3), "", "rita", "still there").code == "no-approval"
    uid = world.agree(asked, IT, PHYSICAL)
    assert world.gateway.extend(action.key, timedelta(hours=4), uid, "rita", "x").code == "approval-void"
    assert world.gateway.extend(action.key, timedelta(hours=20), uid, "rita", "x").code == "too-long"
    assert world.gateway.extend(action.key, timedelta(hours=3), uid, "rita", "still there").status is OutcomeStatus.DONE
    assert world.gateway.deed(action.key).revert_at == world.gateway.deed(action.key).outcome_at + timedelta(hours=3)
    world.burn()
    assert world.gateway.extend(action.key, timedelta(hours=4), uid, "rita", "x").code == "fire-alarm"
    with pytest.raises(NotFound):
        world.gateway.extension("nothing", timedelta(hours=1))


def test_an_alarm_ends_every_securing_of_its_building(world):
    world.secured()
    world.secured(target="harbour/doors/D-7", key="k2", path="p2")
    assert world.burn() == ("harbour/main",)
    assert world.gateway.alarm("harbour/main") == 1
    assert world.gateway.alarm("harbour/main") == 0
    assert world.devices.state(f"door:{D2}")["ingress"] == "normal"
    assert world.devices.state("door:harbour/doors/D-7")["ingress"] == "secured"
    assert [deed.key for deed in world.gateway.in_force()] == ["k2"]
    assert world.audited("action.cancel")


def test_an_alarm_that_was_heard_but_not_acted_on_is_caught_up_with(world):
    world.secured()
    world.burn()
    assert world.gateway.revert_due(world.clock.now()) == 1
    assert world.devices.state(f"door:{D2}")["ingress"] == "normal"
    assert world.gateway.in_force() == []


def test_a_release_that_fails_in_a_fire_pages_and_is_tried_again_at_once(world):
    world.secured()
    broken = world.make_gateway(responders=[Wrapped(world.devices, before=lambda _: 1 / 0)])
    world.burn()
    assert broken.alarm("harbour/main") == 1
    assert [page["severity"] for page in world.diary.pages] == [1]
    assert world.gateway.revert_due(world.clock.now()) == 1
    assert world.devices.state(f"door:{D2}")["ingress"] == "normal"
    assert world.gateway.in_force() == []


def test_a_release_is_never_held_back(world):
    world.secured()
    world.burn()
    outcome = world.gateway.perform(world.action("door.release_ingress", key="k2"))
    assert outcome.status is OutcomeStatus.DONE
    assert world.gateway.in_force() == []


def test_an_alarm_while_the_door_is_being_secured_releases_it(world):
    def burn(action):
        if action.verb == "door.secure_ingress":
            world.burn()
            gateway.alarm("harbour/main")

    for when in ("before", "after"):
        gateway = world.make_gateway(responders=[Wrapped(world.devices, **{when: burn})])
        world.hear(world.signal("panel-1", code="110", activity=6, lifecycle=2))
        action = world.action(key=when, path=when)
        outcome = gateway.perform(action, world.agree(action, IT, PHYSICAL))
        assert outcome.status is OutcomeStatus.FAILED
        assert world.devices.state(f"door:{D2}")["ingress"] == "normal"
        assert gateway.in_force() == []


def test_an_alarm_that_came_and_went_while_a_door_was_being_secured_still_cancels_it(world):
    def burn_and_restore(action):
        if action.verb == "door.secure_ingress":
            world.burn()
            gateway.alarm("harbour/main")
            world.burn(lifecycle=2)

    gateway = world.make_gateway(responders=[Wrapped(world.devices, before=burn_and_restore)])
    action = world.action()
    outcome = gateway.perform(action, world.agree(action, IT, PHYSICAL))
    assert (outcome.status, outcome.code) == (OutcomeStatus.FAILED, "fire-alarm")
    assert world.devices.state(f"door:{D2}")["ingress"] == "normal"
    assert gateway.in_force() == []


def test_a_cancelled_intent_is_never_set_again_though_the_fire_is_over(world):
    class Dead(Exception):
        pass

    def die(action):
        raise SystemExit

    action = world.action()
    gateway = world.make_gateway(responders=[Wrapped(world.devices, before=die)])
    uid = world.agree(action, IT, PHYSICAL)
    with pytest.raises(SystemExit):
        gateway.perform(action, uid)
    world.burn()
    assert world.gateway.alarm("harbour/main") == 1
    world.hear(world.signal("panel-1", code="110", activity=6, lifecycle=2))
    outcome = world.gateway.perform(action, uid)
    assert outcome.code == "fire-alarm"
    assert world.devices.state(f"door:{D2}")["ingress"] == "normal"


@pytest.mark.parametrize("when", ["before", "after"])
def test_an_interrupted_action_is_carried_on_by_asking_the_device_first(world, when):
    def die(action):
        raise SystemExit

    action = world.action()
    uid = world.agree(action, IT, PHYSICAL)
    with pytest.raises(SystemExit):
        world.make_gateway(responders=[Wrapped(world.devices, **{when: die})]).perform(action, uid)
    assert world.gateway.deed(action.key).state == "open"
    assert world.gateway.recover() == 0
    world.clock.advance(timedelta(minutes=2))
    assert world.gateway.recover() == 1
    deed = world.gateway.deed(action.key)
    assert deed.outcome.status is OutcomeStatus.DONE
    assert deed.outcome.code == ("found-set" if when == "after" else "")
    assert [effect.calls for effect in world.devices.effects()] == [1]
    assert deed.revert_at is not None
    assert world.gateway.recover() == 0


def test_an_interrupted_securing_is_not_resumed_into_a_fire_nor_after_its_time(world):
    def die(action):
        raise SystemExit

    dying = world.make_gateway(responders=[Wrapped(world.devices, before=die)])
    for key, wait, code in (("k1", timedelta(minutes=2), "fire-alarm"), ("k2", timedelta(hours=2), "too-late")):
        action = world.action(key=key, path=key)
        uid = world.agree(action, IT, PHYSICAL)
        with pytest.raises(SystemExit):
            dying.perform(action, uid)
        if code == "fire-alarm":
            world.burn()
        world.clock.advance(wait)
        if code == "too-late":
            world.quiet()
        world.gateway.recover()
        assert world.gateway.deed(key).outcome.code == code
        assert world.devices.state(f"door:{D2}")["ingress"] == "normal"
        world.hear(world.signal("panel-1", code="110", activity=6, lifecycle=2))
        world.quiet()


def test_a_local_release_wins_and_is_not_fought(world):
    def release(action):
        world.devices.change(f"door:{D2}", ingress="released")

    action = world.action()
    outcome = world.make_gateway(responders=[Wrapped(world.devices, after=release)]).perform(action, world.agree(action, IT, PHYSICAL))
    assert outcome.code == "local-release"
    assert world.gateway.in_force() == []
    assert world.devices.state(f"door:{D2}")["ingress"] == "released"


def test_what_reads_otherwise_failed_and_what_cannot_be_read_is_not_verified(world):
    mute = world.make_gateway(responders=[Wrapped(world.devices, reads=False)])
    action = world.action("account.end_sessions", "account:eve", path="p5")
    outcome = mute.perform(action)
    assert (outcome.status, outcome.verified) == (OutcomeStatus.DONE, None)

    def nothing(action):
        world.devices.change(f"door:{D2}", ingress="normal")

    lying = world.make_gateway(responders=[Wrapped(world.devices, after=nothing)])
    action = world.action(key="k2")
    outcome = lying.perform(action, world.agree(action, IT, PHYSICAL))
    assert (outcome.status, outcome.code, outcome.verified) == (OutcomeStatus.FAILED, "read-back", False)


def test_a_responder_that_breaks_leaves_an_unknown_outcome_and_its_end_stands(world):
    def broken(outcome):
        raise RuntimeError("cable")

    gateway = world.make_gateway(responders=[Wrapped(world.devices, answer=broken, reads=False)])
    action = world.action("host.isolate", "asset:ws-1", revert_after=timedelta(hours=2))
    outcome = gateway.perform(action, world.agree(action, PHYSICAL))
    assert (outcome.status, outcome.code) == (OutcomeStatus.UNKNOWN, "broke")
    assert [deed.key for deed in world.gateway.in_force()] == ["k1"]
    world.clock.advance(timedelta(hours=2))
    assert world.gateway.revert_due(world.clock.now()) == 1
    assert world.gateway.in_force() == []


def test_without_a_responder_it_says_what_a_person_does(world):
    gateway = world.make_gateway(responders=[])
    outcome = gateway.perform(world.action("account.end_sessions", "account:eve"))
    assert outcome.code == "no-responder"
    assert "In the identity provider" in outcome.said


def test_an_exercise_reaches_twins_only_whatever_the_verb(world):
    gateway = world.make_gateway(responders=[Untouchable(world.devices.verbs)])
    samples = {
        "door": D2, "zone": "harbour/annex/0/store", "account": "account:eve", "host": "asset:ws-1", "switch": "asset:sw-3", "address": "192.0.2.9",
        "camera": "asset:cam-1", "queue": "helpdesk", "place": "harbour/main/0/lobby", "credential": "badge:" + "a" * 32,
    }  # fmt: skip
    values = {"port": "Gi1/0/7", "since": "2026-03-02T11:00:00Z", "until": "2026-03-02T11:05:00Z", "title": "t", "task": "look"}
    for number, verb in enumerate(gateway.catalogue):
        parameters = {name: values[name] for name in verb.parameters if name in values}
        action = world.action(verb.name, samples[verb.target], key=f"x{number}", path=f"x{number}", parameters=parameters, exercise=True)
        action = gateway.render(action)
        assert gateway.preview(action).would.responder == "twin"
        outcome = gateway.perform(action, world.agree(action, *(IT, PHYSICAL)[: verb.rule.count]) if verb.rule.needed else "")
        assert (outcome.status, outcome.responder) == (OutcomeStatus.DONE, "twin"), (verb.name, outcome)
        gateway.read(action)
    world.clock.advance(timedelta(hours=1))
    gateway.revert_due(world.clock.now())
    gateway.alarm("harbour/main")
    gateway.recover(timedelta())
    assert world.devices.effects() == []
    assert all(told["exercise"] for told in world.told)


def test_what_the_front_door_did_not_take_is_handed_over_again(world):
    def full(body):
        raise OSError("full")

    action = world.action("account.end_sessions", "account:eve")
    kept = world.gateway.telling._tell
    world.gateway.telling._tell = full
    assert world.gateway.perform(action).status is OutcomeStatus.DONE
    world.gateway.telling._tell = kept
    world.clock.advance(timedelta(seconds=10))
    world.gateway.recover()
    assert [told["verb"] for told in world.told] == ["account.end_sessions"]
    world.gateway.recover()
    assert len(world.told) == 1


def test_undoing_by_right_is_only_for_what_was_done(world):
    disable = world.action("account.disable", "account:eve", revert_after=timedelta(hours=1))
    assert world.gateway.perform(disable, world.agree(disable, PHYSICAL)).status is OutcomeStatus.DONE
    wrong = world.action("account.enable", "account:mallory", key="k2")
    assert world.gateway.perform_by_right(wrong, "", "k1").code == "no-approval"
    world.clock.advance(timedelta(hours=1))
    assert world.gateway.revert_due(world.clock.now()) == 1
    assert world.devices.state("account:account:eve")["enabled"] == "true"


def test_outcomes_are_whole_after_a_round_trip(world):
    action = world.secured()
    kept = world.gateway.deed(action.key)
    assert isinstance(kept.outcome, Outcome)
    assert kept.sent == action
    assert kept.digest == action.digest
