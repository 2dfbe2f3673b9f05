"""The life-safety interlock over every state of its inputs, and over any sequence of calls with races, crashes and clocks."""

import shutil
import tempfile
from dataclasses import replace
from datetime import date, timedelta
from itertools import product
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import event

from watchword.kit.errors import WatchwordError
from watchword.kit.ids import uid_of
from watchword.model import Door
from watchword.model.action import OutcomeStatus
from watchword.respond.approval import Approver
from watchword.respond.catalogue import LifeSafety
from watchword.respond.fire_fact import FireFact, FireState
from watchword.respond.interlock import Scene, judge
from watchword.stores.records import open_records

TODAY = date(2026, 3, 2)
IT = Approver("ida", "Ida", "it", "it_analyst")
PHYSICAL = Approver("cora", "Cora", "physical", "control_room_operator")
MANAGER = Approver("max", "Max", "management", "manager")
SECURABLE = {"D-1", "D-2", "D-5", "D-7"}
SIDES = {
    "D-1": ("main",),
    "D-2": ("main",),
    "D-3": ("main",),
    "D-4": ("main",),
    "D-5": ("annex", "main"),
    "D-6": ("main",),
    "D-7": ("annex",),
}


@pytest.mark.parametrize("state", [*FireState, None])
def test_securing_is_allowed_in_one_state_of_the_world_only(state):
    for known, hardware, checked in product([True, False], ["", "electric", "free_mechanical"], [None, 0, 400, 401, -1]):
        when = None if checked is None else TODAY - timedelta(days=checked)
        door = Door("s/doors/D", "D", "s/a/0/x", "s/a/0/y", egress_hardware=hardware, egress_checked=when)
        facts = [] if state is None else [FireFact("s/a", state)]
        refusals = judge(Scene(LifeSafety.SECURING, known, (door,), ("s/a",)), facts, TODAY)
        allowed = state is FireState.NORMAL and known and hardware == "free_mechanical" and checked in {0, 400}
        assert bool(refusals) is not allowed, (known, hardware, checked)
        assert judge(Scene(LifeSafety.RELEASING, known, (door,), ("s/a",)), facts, TODAY) == ()


def test_without_doors_or_buildings_nothing_is_secured():
    assert {each.code for each in judge(Scene(LifeSafety.SECURING, True), (), TODAY)} == {"no-door", "fire-unknown"}


class Witness:
    """A responder that checks the world itself at the moment it is told to act, and lets things happen right then."""

    def __init__(self, machine, inner):
        self.machine, self.inner, self.name, self.verbs = machine, inner, inner.name, inner.verbs
        self.race = ""

    def do(self, action, *, dry_run=False):  # noqa: C901 - one line per thing that may go wrong
        if dry_run:
            return self.inner.do(action, dry_run=True)
        securing = "secure_" in action.verb
        if securing:
            self.machine.saw(action)
        race = self.race if securing else ""
        if securing:
            self.race = ""
        if race == "alarm-and-over-before":
            self.machine.ignite("main", "race")
            self.machine.extinguish("main", "race")
        if race == "alarm-before":
            self.machine.ignite("main", "race")
        if race == "crash-before":
            raise SystemExit
        outcome = self.inner.do(action)
        if race == "alarm-after":
            self.machine.ignite("main", "race")
        if race == "alarm-and-over":
            self.machine.ignite("main", "race")
            self.machine.extinguish("main", "race")
        if race == "local":
            for device in list(self.machine.doors_of(action)):
                self.inner.change(f"door:harbour/doors/{device}", ingress="released")
        if race == "crash-after":
            raise SystemExit
        return outcome

    def read(self, action):
        return self.inner.read(action)


class House(RuleBasedStateMachine):
    """Everything that can be done to doors, in any order, against a plain model of what is known of fire."""

    template: Path
    done = 0
    """How many securings were done over all runs: without any, nothing would be shown."""
    make_world: type

    def __init__(self):
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="ww-interlock"))
        shutil.copy(self.template, self.folder / "records.sqlite3")
        self.records = open_records(f"sqlite:///{self.folder}/records.sqlite3")
        event.listen(self.records.engine, "connect", lambda raw, _: raw.execute("PRAGMA synchronous = OFF"))  # no power is cut here
        self.world = self.make_world(self.records, self.folder)
        for devices in (self.world.devices, self.world.twins):
            devices.durable = False
        self.witness, self.twin = Witness(self, self.world.devices), Witness(self, self.world.twins)
        self.world.gateway = self.world.make_gateway(responders=[self.witness], twins=[self.twin])
        self.present = {"main": set(), "annex": set()}
        self.faults = {"main": set(), "annex": set()}
        self.heard = {"main": None, "annex": None}
        self.number, self.refused, self.real_calls = 0, 0, 0
        self.kept = []
        self.wrong = []

    def teardown(self):
        self.records.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    # the model

    def normal(self, building):
        heard = self.heard[building]
        fresh = heard is not None and self.world.clock.now() - heard <= timedelta(minutes=40)
        return fresh and not self.present[building] and not self.faults[building]

    def doors_of(self, action):
        doors = action.parameters.get("doors", action.target).split()
        return [each.rpartition("/")[2] for each in doors]

    def saw(self, action):
        # Noted, not raised: the gateway takes whatever a responder raises for an unknown outcome.
        for door in self.doors_of(action):
            if door not in SECURABLE:
                self.wrong.append(f"{door} was secured")
            if not all(self.normal(building) for building in SIDES.get(door, ("main",))):
                self.wrong.append(f"{door} was secured though fire is not known to be normal")

    def panel(self, building):
        self.heard[building] = self.world.clock.now()
        return "panel-1" if building == "main" else "panel-2"

    def ignite(self, building, point):
        alarms = self.world.burn(self.panel(building), point=point)
        self.present[building].add(point)
        for each in alarms:
            self.world.gateway.alarm(each)

    def extinguish(self, building, point):
        self.world.burn(self.panel(building), point=point, lifecycle=2)
        self.present[building].discard(point)

    # what happens

    @initialize(quiet=st.sampled_from([True, True, True, False]))
    def start(self, quiet):
        if quiet:
            self.world.hear(self.world.signal(self.panel("main")), self.world.signal(self.panel("annex")))

    buildings = st.sampled_from(["main", "annex"])
    points = st.sampled_from(["p1", "p2"])

    @rule()
    def all_is_well(self):
        """Every point is restored and both panels speak: from here securing is possible again."""
        for building in ("main", "annex"):
            for point in sorted(self.present[building]):
                self.extinguish(building, point)
            self.power_is(building, over=True)

    @rule(building=buildings, point=points, what=st.sampled_from(["alarm", "restore", "fault", "fault over", "heartbeat"]))
    def panel_speaks(self, building, point, what):
        if what == "alarm":
            self.ignite(building, point)
        elif what == "restore":
            self.extinguish(building, point)
        elif what == "heartbeat":
            self.world.hear(self.world.signal(self.panel(building)))
        else:
            self.power_is(building, over=what == "fault over")

    def power_is(self, building, *, over):
        self.world.hear(self.world.signal(self.panel(building), code="301", lifecycle=2 if over else 1))
        (self.faults[building].discard if over else self.faults[building].add)("power")

    @rule(minutes=st.sampled_from([1, 9, 11, 41, 61]))
    def wait(self, minutes):
        self.world.clock.advance(timedelta(minutes=minutes))

    @rule(goal=st.sampled_from(["D-1", "D-2", "D-3", "D-4", "D-5", "D-6", "D-7", "annex/0/store"]))
    def secure_with_everything_it_takes(self, goal):
        self.secure(goal, "two", "", exercise=False)

    @rule(
        goal=st.sampled_from(["D-1", "D-2", "D-3", "D-4", "D-5", "D-6", "D-7", "D-99", "closet", "annex/0/store"]),
        consent=st.sampled_from(["none", "one", "same-team", "two", "two", "two", "veto", "glass", "late", "changed"]),
        race=st.sampled_from(
            ["", "", "", "alarm-before", "alarm-after", "alarm-and-over", "alarm-and-over-before", "crash-before", "crash-after", "local"]
        ),
        exercise=st.sampled_from([False, False, True]),
    )
    def secure_somehow(self, goal, consent, race, exercise):
        self.secure(goal, consent, race, exercise=exercise)

    def secure(self, goal, consent, race, *, exercise):
        self.number += 1
        zone = not goal.startswith("D-")
        uid = {"closet": "harbour/main/0/closet"}.get(goal, f"harbour/{goal}") if zone else f"harbour/doors/{goal}"
        action = self.world.action(
            "zone.secure_ingress" if zone else "door.secure_ingress", uid, f"k{self.number}", path=f"p{self.number}", exercise=exercise
        )
        action = self.world.gateway.render(action)
        before = len(self.world.devices.effects())
        approval = self.consent(action, consent)
        if consent == "changed":
            action = replace(action, revert_after=timedelta(hours=3))
        hand = self.twin if exercise else self.witness
        hand.race = race
        try:
            outcome = self.world.gateway.perform(action, approval)
        except SystemExit:
            outcome = None
        finally:
            fell, hand.race = race and not hand.race, ""
        if outcome is None:
            self.kept.append((action, approval))
        elif outcome.status is OutcomeStatus.REFUSED:
            self.refused += 1
        elif outcome.status is OutcomeStatus.DONE:
            House.done += 1
            assert consent in {"two", "glass"}, f"done with {consent}"
            elsewhere = race.startswith("alarm") and all("main" not in SIDES[door] for door in self.doors_of(action))
            assert not fell or elsewhere, f"done though {race}"
        if exercise:
            own = {
                effect.key
                for effect in self.world.devices.effects()[before:]
                if effect.key.startswith((action.key, uid_of("action", action.key)))
            }
            assert not own, "an exercise reached a device"

    @rule(
        trouble=st.sampled_from(["alarm", "fault", "silence", "over"]),
        again=st.booleans(),
        crash=st.sampled_from(["crash-before", "crash-after"]),
    )
    def secure_interrupted(self, trouble, again, crash):
        """A worker dies while it secures a door; before anybody carries it on, something happens."""
        self.all_is_well()
        self.secure("D-2", "two", crash, exercise=False)
        if trouble in {"alarm", "over"}:
            self.ignite("main", "p1")
        if trouble == "over":
            self.extinguish("main", "p1")
        if trouble == "fault":
            self.power_is("main", over=False)
        self.world.clock.advance(timedelta(minutes=41 if trouble == "silence" else 2))
        if again:
            self.again()
        else:
            self.world.gateway.recover()

    def consent(self, action, kind):
        if kind == "none":
            return ""
        uid = self.world.agree(action)
        now = self.world.clock.now()
        votes = {"one": [IT], "same-team": [IT, Approver("ian", "Ian", "it")], "veto": [IT], "glass": []}.get(kind, [IT, PHYSICAL])
        for person in votes:
            self.world.approvals.decide(uid, person, True, "", action.digest, now)
        if kind == "veto":
            self.world.approvals.decide(uid, PHYSICAL, False, "no", action.digest, now)
        if kind == "glass":
            self.world.approvals.break_glass(uid, MANAGER, "alone")
        if kind == "late":
            self.world.clock.advance(timedelta(minutes=11))
        return uid

    def again(self):
        """Whoever was interrupted asks again under the same key."""
        if self.kept:
            action, approval = self.kept.pop()
            self.refused += self.world.gateway.perform(action, approval).status is OutcomeStatus.REFUSED and self.is_new_refusal(action)

    def is_new_refusal(self, action):
        return any(word == "action.refuse" and detail.get("key") == action.key for word, _, detail in self.world.audited("action.refuse"))

    def release(self, door):
        self.number += 1
        action = self.world.action("door.release_ingress", f"harbour/doors/{door}", f"k{self.number}", path=f"p{self.number}")
        assert self.world.gateway.perform(action).status is OutcomeStatus.DONE, "a release was held back"

    @rule(
        what=st.sampled_from(["again", "release", "recover", "revert", "extend"]),
        door=st.sampled_from(["D-1", "D-2", "D-5"]),
        agreed=st.booleans(),
    )
    def afterwards(self, what, door, agreed):
        if what == "again":
            self.again()
        elif what == "release":
            self.release(door)
        elif what == "recover":
            self.world.gateway.recover()
        elif what == "revert":
            self.world.gateway.revert_due(self.world.clock.now())
        else:
            self.extend(3, agreed)

    def extend(self, hours, agreed):
        for deed in self.world.gateway.in_force()[:1]:
            try:
                asked = self.world.gateway.extension(deed.key, timedelta(hours=hours))
                uid = self.world.agree(asked, IT, PHYSICAL) if agreed else ""
                outcome = self.world.gateway.extend(deed.key, timedelta(hours=hours), uid, "rita", "longer")
            except WatchwordError:
                return
            if outcome.status is OutcomeStatus.REFUSED:
                self.refused += 1
            else:
                assert agreed
                assert all(self.normal(building.rpartition("/")[2]) for building in deed.buildings)

    # what always holds

    @invariant()
    def no_device_was_told_to_secure_what_may_not_be(self):
        assert not self.wrong

    @invariant()
    def nobody_is_locked_in_and_no_fire_finds_a_secured_door(self):
        for devices in (self.world.devices, self.world.twins):
            for door, sides in SIDES.items():
                state = devices.state(f"door:harbour/doors/{door}")
                assert state["egress"] == "free"
                if state["ingress"] == "secured":
                    assert door in SECURABLE
                    assert not any(self.present[building] for building in sides), f"{door} stays secured in a fire"

    @invariant()
    def every_refusal_is_in_the_audit_log(self):
        entries = self.world.audited("action.refuse")
        assert len(entries) >= self.refused
        deeds = [deed for deed in self.world.gateway.deeds.search(limit=10_000) if deed.state == "refused"]
        said = {(target, detail.get("key") or "") for _, target, detail in [*entries, *self.world.audited("action.refused")]}
        assert all((deed.sent.target, deed.key) in said or (deed.sent.target, "") in said for deed in deeds)

    @invariant()
    def what_is_secured_ends_by_itself(self):
        for deed in self.world.gateway.deeds.standing():
            assert not deed.securing or deed.revert_at is not None


def test_no_sequence_of_calls_secures_an_egress_or_acts_while_fire_is_not_known_to_be_normal(sqlite_template, world_type):
    House.done = 0
    House.template, House.make_world = sqlite_template, world_type
    run_state_machine_as_test(
        House,
        settings=settings(
            max_examples=90, stateful_step_count=30, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
        ),
    )
    assert House.done > 40
