"""The closure log: what waited before each pick, closures that came back, and the detectors on a house's own log."""

from datetime import UTC, datetime, timedelta
from random import Random

from watchword.measure.closure_log import Closure, ClosureLog, Deed, Item, Pick, Verb, people_of, read_log
from watchword.measure.gaming_house import look
from watchword.measure.review_draw import draw
from watchword.model.metric import Flag

START = datetime(2026, 1, 5, tzinfo=UTC)
HOUR = timedelta(hours=1)
WEEK = timedelta(weeks=1)


def _item(uid: str, hour: float, severity: int, teams: str = "", **more: object) -> Item:
    return Item("incident", uid, START + hour * HOUR, severity, frozenset(teams.split()), **more)  # type: ignore[arg-type]


def _deed(hour: float, person: str, verb: Verb, item: str, verdict: str = "") -> Deed:
    return Deed(START + hour * HOUR, person, verb, item, verdict)


def test_each_pick_knows_what_waited_for_that_person() -> None:
    items = [_item("a", 0, 4), _item("b", 1, 1, "it"), _item("c", 1, 2, "physical"), _item("late", 9, 1)]
    deeds = [_deed(2, "ann", Verb.TAKE, "a"), _deed(3, "bob", Verb.TAKE, "c"), _deed(4, "ann", Verb.CLOSE, "b", "true")]
    log = read_log(items, deeds, {"ann": "it", "bob": "physical"})
    assert [(each.person, each.item, each.waiting) for each in log.picks] == [
        ("ann", "a", (1, 0, 0, 1)),
        ("bob", "c", (0, 0, 1, 0)),
        ("ann", "b", (0, 0, 0, 1)),
    ]
    assert [(each.item, each.verdict) for each in log.closures] == [("b", "true")]
    assert people_of(log) == ["ann", "bob"]
    assert people_of(log, "it") == ["ann"]


def test_what_is_reopened_waits_again_and_its_closure_knows_it() -> None:
    deeds = [
        _deed(1, "ann", Verb.CLOSE, "a", "false"),
        _deed(30, "bob", Verb.REOPEN, "a"),
        _deed(31, "bob", Verb.TAKE, "a"),
        _deed(40, "bob", Verb.CLOSE, "a", "true"),
        _deed(40 + 24 * 15, "ann", Verb.REOPEN, "a"),
    ]
    log = read_log([_item("a", 0, 2)], deeds, {})
    assert [each.came_back for each in log.closures] == [True, False]
    assert [each.person for each in log.picks] == ["ann", "bob"]


def test_programs_pick_nothing_and_what_was_withdrawn_waits_no_more() -> None:
    items = [_item("a", 0, 2), _item("b", 0, 3, ended=START + 2 * HOUR), _item("c", 0, 4)]
    log = read_log(items, [_deed(1, "", Verb.CLOSE, "a"), _deed(3, "ann", Verb.TAKE, "c"), _deed(3, "ann", Verb.TAKE, "unknown")], {})
    assert log.closures == ()
    assert [(each.item, each.waiting) for each in log.picks] == [("c", (1, 0, 0, 0))]


def test_marked_down_is_closed_as_less_grave_than_rated() -> None:
    log = read_log([_item("a", 0, 1, kept=3), _item("b", 0, 3)], [_deed(1, "x", Verb.CLOSE, each) for each in "ab"], {})
    assert [each.marked_down for each in log.closures] == [True, False]


def _house(seed: int, bad: str, weeks: int = 14) -> ClosureLog:
    """Return a log of four colleagues; from week 10 on, "bad" marks down half of the grave incidents and sweeps once."""
    chance, closures, picks = Random(seed), [], []
    people = ("ann", "ben", "cem", "dora")
    for number in range(weeks * 40):
        at = START + weeks * WEEK * number / (weeks * 40)
        person, severity = people[number % 4], chance.choice((1, 2, 3, 4, 4, 4))
        late = at >= START + 10 * WEEK
        down = severity <= 2 and chance.random() < (0.7 if late and person == bad else 0.05)
        closures.append(Closure(at, person, "incident", f"i{number}", severity, 4 if down else severity, "true"))
        picks.append(Pick(at, person, f"i{number}", severity, (3, 2, 1, 1)))
    if bad:
        sweep = START + 12 * WEEK
        closures += [Closure(sweep + timedelta(seconds=20 * each), bad, "incident", f"s{each}", 4, 4, "false") for each in range(20)]
    return ClosureLog(tuple(picks), tuple(closures), dict.fromkeys(people, "it"))


def test_a_house_hears_of_marking_down_and_sweeping_without_a_name() -> None:
    signs = look(_house(1, "cem"), START + 14 * WEEK, START)
    assert {(each.flag, each.person) for each in signs} == {(Flag.DOWNGRADE, "cem"), (Flag.BULK, "cem")}
    assert all("cem" not in each.told for each in signs)
    assert all(each.team == "it" for each in signs)
    assert "cem" in next(each for each in signs if each.flag is Flag.BULK).sign.because


def test_an_honest_house_and_a_young_one_hear_nothing() -> None:
    assert look(_house(2, ""), START + 14 * WEEK, START) == []
    assert look(_house(1, "cem"), START + 11 * WEEK, START) == []


def test_the_draw_is_fair_repeatable_and_bound_to_its_secret() -> None:
    closures = [
        Closure(START + number * HOUR, f"p{number % 3}", "finding", f"f{number}", 1 + number % 4, 1 + number % 4, "true")
        for number in range(600)
    ]
    drawn = draw(closures, "secret", "week 1")
    assert drawn == draw(list(reversed(closures)), "secret", "week 1")
    assert drawn != draw(closures, "other", "week 1")
    assert drawn != draw(closures, "secret", "week 2")
    assert 24 <= len(drawn) <= 36
    strata = {(each.severity, each.person): 0 for each in closures}
    for each in drawn:
        strata[each.severity, each.person] += 1
    assert all(2 <= count <= 3 for count in strata.values())
    # Somebody who closes one thing a week is looked at about once in twenty weeks, not never.
    alone = sum(len(draw(closures[:1], "secret", f"week {week}")) for week in range(2000))
    assert 70 <= alone <= 130
