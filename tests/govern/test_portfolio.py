"""Portfolios: exact against every choice tried by hand, branch and bound equal to it, limits kept, overlap counted once."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watchword.govern import portfolio
from watchword.govern.overlap import Products
from watchword.govern.portfolio import Limits, Losses, Option, best, by_solo_return, greedy, robustness
from watchword.govern.redundancy import contributions
from watchword.kit.errors import InputError
from watchword.measure.loss import Guard, Peril, expected


def instance(seed, count=8, scenarios=5):
    rng = np.random.default_rng(seed)
    left = 1 - np.where(rng.random((scenarios, count)) < 0.5, rng.uniform(0.1, 0.9, (scenarios, count)), 0.0)
    names = [f"c{index}" for index in range(count)]
    options = [
        Option(
            name,
            float(rng.integers(1, 20)),
            float(rng.integers(0, 5)),
            str(rng.choice(["it", "physical", "joint"])),
            (names[index - 1],) if index and rng.random() < 0.25 else (),
        )
        for index, name in enumerate(names)
    ]
    return Losses(rng.lognormal(3, 1, scenarios), left), options


def tried(losses, options, limits):
    """The best choice by trying each: nothing clever."""
    found = None
    for bits in product((0, 1), repeat=len(options)):
        chosen = [index for index, bit in enumerate(bits) if bit]
        names = {options[index].uid for index in chosen}
        cost, days = (sum(getattr(options[index], name) for index in chosen) for name in ("cost", "people_days"))
        floors = all(
            sum(options[index].cost for index in chosen if options[index].domain in {domain, "joint"}) >= floor
            for domain, floor in (limits.floors or {}).items()
        )
        if cost > limits.budget or days > limits.people_days or not floors:
            continue
        if any(not names.issuperset(options[index].requires) for index in chosen):
            continue
        worth = sum(base * (1 - np.prod([left[index] for index in chosen])) for base, left in zip(losses.base, losses.left, strict=True))
        found = worth if found is None else max(found, worth)
    return found


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.1, 0.9), st.booleans())
def test_enumeration_and_branch_and_bound_find_the_best(seed, share, floored):
    losses, options = instance(seed)
    total = sum(option.cost for option in options)
    limits = Limits(share * total, 12.0, {"it": 0.1 * total} if floored else None)
    want = tried(losses, options, limits)
    if want is None:
        with pytest.raises(InputError, match="floors"):
            best(losses, options, limits)
        return
    exact = best(losses, options, limits)
    searched = portfolio._bounded(losses, options, limits)
    assert exact.reduction == pytest.approx(want)
    assert searched.reduction == pytest.approx(want)
    assert searched.exact
    assert exact.cost <= limits.budget * 1.000001
    for other in (greedy, by_solo_return):
        assert (
            other(losses, options, Limits(limits.budget, 12.0)).reduction
            <= best(losses, options, Limits(limits.budget, 12.0)).reduction + 1e-9
        )


def test_forty_options_are_weighed_by_branch_and_bound():
    losses, options = instance(3, count=40, scenarios=6)
    limits = Limits(0.25 * sum(option.cost for option in options))
    found = best(losses, options, limits)
    assert found.reduction >= greedy(losses, options, limits).reduction - 1e-9
    assert found.bound >= found.reduction
    assert found.cost <= limits.budget * 1.000001


def test_ranking_by_solo_return_pays_for_overlap_twice():
    """Two options that stop the same thing are each the best alone; together they leave the other risk as it was."""
    losses = Losses(np.array([100.0, 60.0]), np.array([[0.1, 0.15, 1.0], [1.0, 1.0, 0.2]]))
    options = [Option("a", 10.0), Option("b", 10.0), Option("c", 10.0)]
    assert set(best(losses, options, Limits(20.0)).options) == {"a", "c"}
    assert set(by_solo_return(losses, options, Limits(20.0)).options) == {"a", "b"}


def test_robustness_says_how_often_an_option_is_in_the_best_choice():
    options = [Option("a", 1.0), Option("b", 1.0)]
    draws = [Losses(np.array([1.0, worth]), np.array([[0.5, 1.0], [1.0, 0.5]])) for worth in (0.5, 0.5, 0.5, 2.0)]
    shares, many = robustness(draws, options, Limits(1.0))
    assert (shares, many) == ({"a": 0.75, "b": 0.25}, 4)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ([Option("a", 1.0), Option("a", 1.0)], "twice"),
        ([Option("a", 1.0, requires=("b",))], "neither in place nor an option"),
        ([Option(f"c{index}", 1.0) for index in range(61)], "at most 60"),
    ],
)
def test_faulty_options_are_refused(options, words):
    with pytest.raises(InputError, match=words):
        best(Losses(np.ones(1), np.ones((1, len(options)))), options, Limits(1.0))


def perils():
    shared = Guard("shared", (0.4, 0.4))
    parent = Peril("parent", 4e9, 1e10, 1e4, 1e5, (shared,), weight=1e9)
    child = Peril("child", 2e9, 1e10, 1e4, 1e6, (shared, Guard("own", (0.1, 0.1), (0.5, 0.5))), (("parent", 0.3),), weight=1e9)
    return [parent, child]


def test_products_are_the_expected_losses_of_the_engine():
    """With parents, frequency and loss: what is left with a set of safeguards equals the engine's own expectation."""
    products = Products(perils(), outer=3)
    for there in ((), ("shared",), ("own",), ("shared", "own")):
        guarded = [
            Peril(
                each.uid,
                each.shape,
                each.years,
                each.low,
                each.high,
                tuple(g for g in each.guards if g.uid in there),
                each.parents,
                weight=1e9,
            )
            for each in perils()
        ]
        assert products.expected(there) == pytest.approx([sum(expected(guarded).values())] * 3, rel=1e-3)
    losses = products.losses(("shared", "own"), (), 0)
    assert losses.base.sum() - losses.reduction([0, 1]) == pytest.approx(products.expected(("shared", "own"))[0])


def test_a_tool_that_adds_nothing_could_go():
    found = contributions([100.0] * 10, {"idle": [100.5] * 10, "useful": [900.0] * 9 + [100.0]}, {"idle": 50.0, "useful": 50.0})
    assert [each.uid for each in found] == ["idle", "useful"]
    assert [each.redundant for each in found] == [True, False]
    assert found[1].below == pytest.approx(0.1)
    assert found[0].per_euro == pytest.approx(0.01)
