"""The consent round: no path to consent without the quorum of each domain or over an open paramount objection; the log binds it all."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from watchword.govern.consent import CLOCK, FINAL, FROZEN, Deed, Entry, Stage, State, append, due, replay
from watchword.govern.decision_rules import Fallback, Roll, Text, working_days_after
from watchword.kit.errors import Conflict, Corrupt, Forbidden, InputError, WatchwordError

MONDAY = datetime(2026, 3, 2, 9, tzinfo=UTC)
SEATS = {"ana": "it", "ben": "it", "otto": "physical", "pia": "physical", "mara": "other"}
ROLL = Roll(SEATS, 3, {"it": 1, "physical": 1}, holidays=(date(2026, 3, 5),))


def deed(state: State, at: datetime, who: str, what: Deed, **detail: object) -> State:
    return append(state, at, who, what, detail)[0]


def put(roll: Roll = ROLL) -> State:
    """Return a proposal of Ana's at its round of objections."""
    state = deed(State(), MONDAY, "ana", Deed.DRAFT, hash="h1")
    state = deed(state, MONDAY, "ana", Deed.SUBMIT, roll=roll.as_json())
    for who in sorted(set(SEATS) - {"ana"}):
        state = deed(state, MONDAY, who, Deed.ASKED)
    assert state.stage is Stage.REVISION  # everybody has asked: the round ended early
    return deed(state, MONDAY, "ana", Deed.REVISE, hash="h2", roll=roll.as_json())


def test_nobody_objects() -> None:
    state = put()
    assert state.stage is Stage.OBJECTION
    for who in SEATS:
        assert state.stage is Stage.OBJECTION
        state = deed(state, MONDAY, who, Deed.PASS)
    assert state.stage is Stage.CONSENTED
    assert state.hash == "h2"
    with pytest.raises(Conflict):
        deed(state, MONDAY, "ana", Deed.WITHDRAW)


def test_silence_is_no_consent() -> None:
    state = put()
    for who in ("ana", "ben", "mara"):  # three of five, and nobody for physical security
        state = deed(state, MONDAY, who, Deed.PASS)
    assert state.until is not None
    state = deed(state, state.until, CLOCK, Deed.TIME)
    assert state.stage is Stage.OBJECTION
    assert "0 of 1 for physical" in state.because
    for who in ("ana", "ben", "mara"):
        state = deed(state, MONDAY, who, Deed.PASS)
    assert state.until is not None
    assert deed(state, state.until, CLOCK, Deed.TIME).stage is Stage.TABLED


def test_silence_where_the_rule_says_so() -> None:
    state = put(replace(ROLL, silence_consents=True))
    assert state.until is not None
    assert deed(state, state.until, CLOCK, Deed.TIME).stage is Stage.CONSENTED


def test_paramount_objections_are_integrated_by_their_objector() -> None:
    state = put()
    state = deed(state, MONDAY, "otto", Deed.OBJECT, reason="the doors stay shut", harm="nobody gets out", paramount=True)
    seq = state.objections[0].seq
    for who in ("ana", "ben", "pia", "mara"):
        state = deed(state, MONDAY, who, Deed.PASS)
    assert state.stage is Stage.INTEGRATION
    with pytest.raises(Forbidden):
        deed(state, MONDAY, "ana", Deed.RESOLVE, objection=seq, how="I think so")
    state = deed(state, MONDAY, "ana", Deed.REVISE, hash="h3", roll=ROLL.as_json())
    with pytest.raises(Conflict):
        deed(state, MONDAY, "otto", Deed.PASS)
    state = deed(state, MONDAY, "otto", Deed.RESOLVE, objection=seq, how="doors fail open now")
    for who in SEATS:
        state = deed(state, MONDAY, who, Deed.PASS)
    assert state.stage is Stage.CONSENTED
    assert state.objections[0].resolved_in == state.version == 3


def test_minor_objections_are_recorded_and_do_not_block() -> None:
    state = put()
    state = deed(state, MONDAY, "otto", Deed.OBJECT, reason="it is ugly", harm="a little", paramount=False)
    for who in ("ana", "ben", "pia", "mara"):
        state = deed(state, MONDAY, who, Deed.PASS)
    assert state.stage is Stage.CONSENTED
    assert len(state.objections) == 1


@pytest.mark.parametrize("fallback", list(Fallback))
def test_two_rounds_of_integration_then_the_body(fallback: Fallback) -> None:
    roll = replace(ROLL, fallback=fallback, decider="mara")
    state = put(roll)
    for number in range(3):
        state = deed(state, MONDAY, "otto", Deed.OBJECT, reason="still", harm="much", paramount=True)
        for who in ("ana", "ben", "pia", "mara"):
            state = deed(state, MONDAY, who, Deed.PASS)
        if number < 2:
            assert state.stage is Stage.INTEGRATION
            state = deed(state, MONDAY, "ana", Deed.REVISE, hash=f"x{number}", roll=roll.as_json())
    if fallback is Fallback.TABLE:
        assert state.stage is Stage.TABLED
        return
    assert state.stage is Stage.ESCALATED
    if fallback is Fallback.DECIDER:
        with pytest.raises(Forbidden):
            deed(state, MONDAY, "ana", Deed.DECIDE, reason="because", agree=True)
        assert deed(state, MONDAY, "mara", Deed.DECIDE, reason="because", agree=True).stage is Stage.DECIDED
        assert deed(state, MONDAY, "mara", Deed.DECIDE, reason="because", agree=False).stage is Stage.TABLED
        return
    for who in ("ana", "ben", "mara"):
        state = deed(state, MONDAY, who, Deed.VOTE, agree=True)
    assert state.stage is Stage.ESCALATED  # three of five are less than two thirds
    assert deed(state, MONDAY, "pia", Deed.VOTE, agree=True).stage is Stage.DECIDED
    against = deed(deed(state, MONDAY, "pia", Deed.VOTE, agree=False), MONDAY, "otto", Deed.VOTE, agree=False)
    assert against.stage is Stage.TABLED


def test_reason_and_harm_are_said() -> None:
    for detail in ({"reason": "x"}, {"harm": "y"}, {"reason": " ", "harm": "y"}):
        with pytest.raises(InputError):
            append(put(), MONDAY, "otto", Deed.OBJECT, detail)


def test_the_log_binds_every_line() -> None:
    entries: list[Entry] = []
    state = State()
    for who, what, detail in (
        ("ana", Deed.DRAFT, {"hash": "h"}),
        ("ana", Deed.SUBMIT, {"roll": ROLL.as_json()}),
        ("otto", Deed.ASK, {"text": "why?"}),
        ("ana", Deed.ANSWER, {"question": 3, "text": "so"}),
    ):
        state, entry = append(state, MONDAY, who, what, detail)
        entries.append(entry)
    assert replay(entries) == state
    for changed in (
        [*entries[:2], replace(entries[2], detail={"text": "why not?"}), entries[3]],
        [entries[0], *entries[2:]],
        [*entries[:3], replace(entries[3], actor="otto")],
    ):
        with pytest.raises(Corrupt):
            replay(changed)


def test_working_days() -> None:
    # Thursday 5 March is a day off: two working days after Tuesday end on Friday.
    assert working_days_after(MONDAY + timedelta(days=1), 2, "UTC", ROLL.holidays) == MONDAY + timedelta(days=4)
    friday = datetime(2026, 3, 6, 16, tzinfo=UTC)
    assert working_days_after(friday, 1, "UTC") == datetime(2026, 3, 9, 16, tzinfo=UTC)
    assert working_days_after(friday + timedelta(days=1), 1, "UTC") == datetime(2026, 3, 10, tzinfo=UTC)
    # Clocks go forward on 29 March in Berlin: the same time of day, one hour earlier in UTC.
    before = datetime(2026, 3, 27, 9, tzinfo=UTC)
    assert working_days_after(before, 1, "Europe/Berlin") == datetime(2026, 3, 30, 8, tzinfo=UTC)


def test_a_text_is_its_hash() -> None:
    text = Text("t", "q", "c", "b", date(2026, 9, 1), {"direction": "none"}, {"a.b": "PT1H"}, ("m",), None, "policy", "p")
    assert Text.parse(text.canonical()) == text
    assert replace(text, choice="c ").hash != text.hash
    assert replace(text, sets={"a.b": "PT2H"}).hash != text.hash


PEOPLE = st.sampled_from([*SEATS, "stranger"])


class Rounds(RuleBasedStateMachine):
    """Anybody does anything at any time; what may not be done is refused and changes nothing."""

    @initialize(
        quorum=st.integers(1, 5),
        it=st.integers(1, 2),
        physical=st.integers(1, 2),
        fallback=st.sampled_from(list(Fallback)),
        silence=st.booleans(),
    )
    def begin(self, quorum: int, it: int, physical: int, fallback: Fallback, silence: bool) -> None:
        self.roll = Roll(SEATS, quorum, {"it": it, "physical": physical}, fallback, "mara", silence)
        self.now, self.state, self.entries = MONDAY, State(), list[Entry]()
        self.hashes: dict[int, str] = {}
        self.count = 0
        self.do("ana", Deed.DRAFT, hash="h0")

    def do(self, who: str, what: Deed, **detail: object) -> None:
        before = self.state
        try:
            self.state, entry = append(before, self.now, who, what, detail)
        except WatchwordError:
            return
        assert before.stage not in FINAL
        self.entries.append(entry)
        if before.stage in FROZEN:
            assert self.state.hash == before.hash
        self.hashes[self.state.version] = self.state.hash

    @rule(who=st.just("ana") | PEOPLE)
    def submit(self, who: str) -> None:
        self.do(who, Deed.SUBMIT, roll=self.roll.as_json())

    @rule(who=st.just("ana") | PEOPLE)
    def revise(self, who: str) -> None:
        self.count += 1
        self.do(who, Deed.REVISE, hash=f"h{self.count}", roll=self.roll.as_json())

    @rule(who=PEOPLE, text=st.sampled_from(["", "why?"]))
    def ask(self, who: str, text: str) -> None:
        self.do(who, Deed.ASK, text=text)

    @rule(who=PEOPLE)
    def asked(self, who: str) -> None:
        self.do(who, Deed.ASKED)

    @rule(who=PEOPLE, paramount=st.booleans())
    def object(self, who: str, paramount: bool) -> None:
        self.do(who, Deed.OBJECT, reason="r", harm="h", paramount=paramount)

    @rule(who=PEOPLE)
    def agree(self, who: str) -> None:
        self.do(who, Deed.PASS)

    @rule()
    def all_agree(self) -> None:
        for who in SEATS:
            self.do(who, Deed.ASKED)
            self.do(who, Deed.PASS)

    @rule(who=PEOPLE, index=st.integers(0, 5))
    def resolve(self, who: str, index: int) -> None:
        if index < len(self.state.objections):
            self.do(who, Deed.RESOLVE, objection=self.state.objections[index].seq, how="so")

    @rule(who=PEOPLE, agree=st.booleans())
    def vote(self, who: str, agree: bool) -> None:
        self.do(who, Deed.VOTE, agree=agree)
        self.do(who, Deed.DECIDE, agree=agree, reason="r")

    @rule(days=st.integers(0, 5))
    def wait(self, days: int) -> None:
        self.now += timedelta(days=days)
        if due(self.state, self.now):
            self.do(CLOCK, Deed.TIME)

    @precondition(lambda self: self.count > 3)
    @rule()
    def withdraw(self) -> None:
        self.do("ben", Deed.WITHDRAW)

    @invariant()
    def holds(self) -> None:
        state = self.state
        assert replay(self.entries) == state
        if state.stage is Stage.CONSENTED:
            assert not [each for each in state.objections if each.paramount and not each.resolved_in]
            voices = set(SEATS) if self.roll.silence_consents else set(state.answered)
            assert len(voices) >= self.roll.quorum
            for domain, least in self.roll.per_domain.items():
                assert sum(SEATS[who] == domain for who in voices) >= least
            assert state.hash == self.hashes[state.version]
        if state.stage is Stage.DECIDED:
            assert any(each.blocks for each in state.objections) or state.integrations == 2
        assert state.integrations <= 2
        assert "stranger" not in state.answered


TestRounds = Rounds.TestCase
TestRounds.settings = settings(max_examples=150, stateful_step_count=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
