"""When the worker seals: half a segment at once, a burst's tail as soon as nothing more comes, a trickle once it has waited."""

from datetime import timedelta

from watchword.app.work import Ripe


def ripe() -> Ripe:
    return Ripe(1000, timedelta(seconds=1))


def test_half_a_segment_is_sealed_at_once() -> None:
    assert ripe().ripe(500, 0.0)
    assert not ripe().ripe(499, 0.0)


def test_a_trickle_waits_for_its_linger() -> None:
    one = ripe()
    assert [one.ripe(waiting, at) for waiting, at in ((1, 0.0), (2, 0.5), (2, 0.9), (2, 1.0))] == [False, False, False, True]
    one.sealed()
    assert not one.ripe(2, 1.1)


def test_a_bursts_tail_does_not_wait_once_nothing_more_comes() -> None:
    one = ripe()
    assert one.ripe(900, 0.0)
    one.sealed()
    assert [one.ripe(waiting, at) for waiting, at in ((10, 0.05), (20, 0.1), (20, 0.15))] == [False, False, True]
    one.sealed()
    assert [one.ripe(5, 0.2), one.ripe(5, 0.25)] == [False, False], "what comes after the tail is a trickle"


def test_nothing_is_never_ripe() -> None:
    one = ripe()
    assert not one.ripe(0, 0.0)
    assert not one.ripe(-3, 9.0), "what is under way may be counted twice for a moment"
