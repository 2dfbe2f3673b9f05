"""The agenda's program: never worse than any greedy choice, shares of the domains kept wherever they can be, inputs owed come up."""

from dataclasses import replace
from datetime import date
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watchword.govern.agenda import Bounds, Weighed, build, counts_for, weigh
from watchword.govern.candidate import Candidate, IsoInput, staleness_of, urgency_of, value_of

ITEMS = st.lists(
    st.builds(
        lambda value, minutes, domain, number: Weighed(Candidate("item", f"t{number}", "", minutes=minutes, domain=domain), value),
        st.floats(1, 1000),
        st.integers(1, 40),
        st.sampled_from(["it", "physical", "joint"]),
        st.integers(0, 10**6),
    ),
    max_size=9,
)


def minutes_of(items: tuple[Weighed, ...], domain: str = "") -> int:
    return sum(each.candidate.minutes for each in items if not domain or counts_for(each.candidate, domain))


@settings(max_examples=60, deadline=None)
@given(ITEMS, st.integers(10, 90))
def test_it_weighs_at_least_as_much_as_any_greedy_agenda(items: list[Weighed], length: int) -> None:
    agenda = build(items, Bounds(length))
    assert agenda.minutes <= length
    assert {id(each) for each in (*agenda.chosen, *agenda.left)} == {id(each) for each in items}
    for order in (lambda each: -each.density, lambda each: -each.value, lambda each: each.candidate.minutes):
        left, worth = length, 0.0
        for each in sorted(items, key=order):
            if each.candidate.minutes <= left:
                left -= each.candidate.minutes
                worth += each.value
        assert sum(each.value for each in agenda.chosen) >= worth - 1e-6 * max(1, worth)


@settings(max_examples=40, deadline=None)
@given(ITEMS, st.integers(20, 60), st.floats(0.1, 0.5))
def test_each_domain_has_its_minutes_wherever_any_agenda_gives_them(items: list[Weighed], length: int, share: float) -> None:
    bounds = Bounds(length, share)
    agenda = build(items, bounds)
    lacking = [domain for domain in ("it", "physical") if minutes_of(agenda.chosen, domain) < bounds.floor(items, domain) - 1e-6]
    assert len(agenda.dropped) == len(lacking)
    if lacking:
        best = max(
            sum(min(0.0, minutes_of(chosen, domain) - bounds.floor(items, domain)) for domain in ("it", "physical"))
            for size in range(len(items) + 1)
            for chosen in combinations(items, size)
            if minutes_of(chosen) <= length
        )
        assert best < -1e-9  # no agenda gives both their minutes


def test_physical_matters_are_not_crowded_out() -> None:
    it = [Weighed(Candidate("risk", f"i{number}", "", minutes=20, domain="it"), 10_000.0 - number) for number in range(5)]
    doors = Weighed(Candidate("risk", "doors", "", minutes=15, domain="physical"), 1.0)
    agenda = build([*it, doors], Bounds(60, 0.25))
    assert doors in agenda.chosen
    assert agenda.dropped == ()
    assert doors not in build([*it, doors], Bounds(60, 0)).chosen


def test_every_review_input_comes_up_within_a_quarter() -> None:
    heavy = [Weighed(Candidate("risk", f"r{number}", "", minutes=20, iso_input=IsoInput.RISKS), 5_000.0) for number in range(9)]
    standing = [Weighed(Candidate("standing", name, "", minutes=5, iso_input=name), 1.0) for name in IsoInput]
    owed = {each.value for each in IsoInput}
    for left in (3, 2, 1):
        agenda = build([*heavy, *standing], Bounds(60, 0, frozenset(owed), left))
        assert not agenda.dropped
        owed -= {str(each.candidate.iso_input) for each in agenda.chosen}
    assert owed == set()


def test_members_items_come_first_as_long_as_there_is_room() -> None:
    own = [weigh(Candidate("item", f"own {number}", "", minutes=25), 0, 1.0, pinned=True) for number in range(3)]
    heavy = weigh(Candidate("risk", "heavy", "", 1e6, minutes=30), 0, 1.0)
    agenda = build([*own, heavy], Bounds(60))
    assert [each.pinned for each in agenda.chosen] == [True, True]
    assert agenda.dropped == ("1 items of members do not fit",)


def test_weight() -> None:
    day = date(2026, 5, 1)
    assert urgency_of(date(2026, 6, 30), day) == 1
    assert urgency_of(date(2026, 5, 16), day) == pytest.approx(2)
    assert urgency_of(date(2026, 4, 1), day) == 3
    assert [staleness_of(age, 10) for age in (1, 10, 20, 90)] == [1, 1, 2, 3]
    candidate = Candidate("risk", "t", "", 100.0, 2.0, 1.5)
    assert value_of(candidate, 2, 7) == 100 * 2 * 1.5 * 3
    assert value_of(replace(candidate, delta_risk_eur=None), 0, 7) == 7 * 2 * 1.5
