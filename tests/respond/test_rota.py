"""The rota: what beats what, changes of the clocks, swaps that follow, gaps; properties over any rota."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watchword.kit.errors import ContentError, InputError
from watchword.respond.rota import Hours, Layer, Override, Reason, Rota, Swap, faults, gaps, holder, next_up, on_call, shifts, void_swaps
from watchword.respond.rota_calendar import feed, read
from watchword.respond.rota_layers import layer_of, layer_value, layers_of, layers_text

BERLIN = ZoneInfo("Europe/Berlin")
WEEK = Layer("primary", ("ann", "ben", "cem"), date(2026, 3, 2))
ROTA = Rota("it-first", "it", "Europe/Berlin", (WEEK,))


def at(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=BERLIN).astimezone(UTC)


def who(rota: Rota, moment: datetime) -> str:
    shift = on_call(rota, moment)
    return shift.person if shift else ""


def test_turns_change_at_the_hand_over():
    assert who(ROTA, at(2026, 3, 2, 8, 59)) == ""
    assert [who(ROTA, at(2026, 3, day, hour)) for day, hour in ((2, 9), (9, 8), (9, 9), (16, 9), (23, 9))] == [
        "ann",
        "ann",
        "ben",
        "cem",
        "ann",
    ]
    up = next_up(ROTA, at(2026, 3, 3, 12))
    assert (up.person, up.since) == ("ben", at(2026, 3, 9, 9))


def test_an_override_beats_a_swap_and_a_swap_beats_a_layer():
    swapped = replace(ROTA, swaps=(Swap("s", "primary", 1, "ben", "dee"),))
    assert who(swapped, at(2026, 3, 10, 12)) == "dee"
    assert on_call(swapped, at(2026, 3, 10, 12)).instead_of == "ben"
    over = replace(swapped, overrides=(Override("o", at(2026, 3, 10, 10), at(2026, 3, 10, 14), "eli"),))
    assert [who(over, at(2026, 3, 10, hour)) for hour in (9, 10, 13, 14)] == ["dee", "eli", "eli", "dee"]
    later = replace(over, overrides=(*over.overrides, Override("p", at(2026, 3, 10, 12), at(2026, 3, 10, 13), "fay")))
    assert [who(later, at(2026, 3, 10, hour)) for hour in (11, 12, 13)] == ["eli", "fay", "eli"]


def test_a_swap_follows_the_turn_when_the_layer_moves():
    swapped = replace(ROTA, swaps=(Swap("s", "primary", 1, "ben", "dee"),))
    moved = replace(swapped, layers=(replace(WEEK, first=date(2026, 3, 4), hand_over=time(18)),))
    assert [shift.person for shift in shifts(moved, at(2026, 3, 4, 18), at(2026, 3, 25, 18))] == ["ann", "dee", "cem"]
    assert on_call(moved, at(2026, 3, 11, 18)).reason is Reason.SWAP


def test_a_swap_follows_its_giver_when_the_order_changes_and_is_void_when_the_giver_leaves():
    swapped = replace(ROTA, swaps=(Swap("s", "primary", 1, "ben", "dee"),))
    other = replace(swapped, layers=(replace(WEEK, people=("ann", "cem", "ben")),))
    assert [shift.person for shift in shifts(other, at(2026, 3, 2, 9), at(2026, 3, 23, 9))] == ["ann", "cem", "dee"]
    gone = replace(swapped, layers=(replace(WEEK, people=("ann", "cem")),))
    assert who(gone, at(2026, 3, 10, 12)) == "cem"
    assert void_swaps(gone) == [swapped.swaps[0]]
    assert void_swaps(replace(swapped, layers=())) == [swapped.swaps[0]]


def test_a_swapped_turn_can_be_given_on():
    chain = (Swap("s", "primary", 1, "ben", "dee"), Swap("t", "primary", 1, "dee", "eli"))
    assert who(replace(ROTA, swaps=chain), at(2026, 3, 10, 12)) == "eli"
    assert holder(WEEK, chain, 1) == "eli"


def test_a_day_of_hand_over_keeps_its_local_hour_across_both_changes_of_the_clocks():
    daily = replace(ROTA, layers=(replace(WEEK, days=1),))
    spring = shifts(daily, at(2026, 3, 28, 9), at(2026, 3, 30, 9))
    assert [shift.until - shift.since for shift in spring] == [timedelta(hours=23), timedelta(hours=24)]
    autumn = shifts(daily, at(2026, 10, 24, 9), at(2026, 10, 26, 9))
    assert [shift.until - shift.since for shift in autumn] == [timedelta(hours=25), timedelta(hours=24)]
    assert {shift.since.astimezone(BERLIN).time() for shift in spring + autumn} == {time(9)}


def test_hours_that_the_change_skips_or_repeats():
    night = Layer("night", ("ann",), date(2026, 3, 1), time(0), 1, (Hours(time(2, 15), time(2, 45)),))
    rota = replace(ROTA, layers=(night,))
    spring = shifts(rota, at(2026, 3, 29, 0), at(2026, 3, 30, 0))
    assert [(shift.since.hour, shift.since.minute, shift.until - shift.since) for shift in spring] == [(1, 15, timedelta(minutes=30))]
    swallowed = replace(rota, layers=(replace(night, hours=(Hours(time(2, 30), time(3, 15)),)),))
    assert shifts(swallowed, at(2026, 3, 29, 0), at(2026, 3, 30, 0)) == []
    autumn = shifts(rota, at(2026, 10, 25, 0), at(2026, 10, 26, 0))
    assert [shift.since.hour for shift in autumn] == [0]  # the first of the two


def test_an_upper_layer_takes_its_hours_and_the_lower_one_has_the_rest():
    nights = Layer("nights", ("nia",), date(2026, 3, 2), time(0), 7, (Hours(time(20), time(6)),))
    both = replace(ROTA, layers=(WEEK, nights))
    assert [who(both, at(2026, 3, 3, hour)) for hour in (5, 6, 12, 19, 20, 23)] == ["nia", "ann", "ann", "ann", "nia", "nia"]
    assert gaps(both, at(2026, 3, 3, 0), at(2026, 3, 10, 0)) == []


def test_gaps_are_named():
    office = replace(ROTA, layers=(replace(WEEK, hours=(Hours(time(8), time(18), frozenset(range(5))),)),))
    found = gaps(office, at(2026, 3, 6, 12), at(2026, 3, 9, 12))
    assert [(gap.since, gap.until) for gap in found] == [(at(2026, 3, 6, 18), at(2026, 3, 9, 8))]
    ends = replace(ROTA, layers=(replace(WEEK, until=date(2026, 3, 9)),))
    assert [gap.since for gap in gaps(ends, at(2026, 3, 5, 9), at(2026, 3, 12, 9))] == [at(2026, 3, 9, 9)]
    assert len(gaps(replace(ROTA, layers=()), at(2026, 3, 5, 9), at(2026, 3, 12, 9))) == 1


def test_faults_say_what_to_do():
    wrong = replace(ROTA, zone="Mars/Base", layers=(replace(WEEK, people=(), days=0), replace(WEEK, until=date(2026, 1, 1))))
    assert len(faults(wrong)) == 5
    assert faults(ROTA) == []
    with pytest.raises(ValueError, match="at most"):
        shifts(ROTA, at(2026, 1, 1, 0), at(2036, 1, 1, 0))


PEOPLE = ("ann", "ben", "cem", "dee")
LAYERS = st.builds(
    Layer,
    st.sampled_from(("one", "two")),
    st.lists(st.sampled_from(PEOPLE), min_size=1, max_size=4).map(tuple),
    st.dates(date(2026, 3, 1), date(2026, 4, 20)),
    st.times().map(lambda each: each.replace(second=0, microsecond=0)),
    st.integers(1, 9),
    st.lists(st.builds(Hours, st.times(), st.times(), st.frozensets(st.integers(0, 6), min_size=1)), max_size=2).map(tuple),
    st.none() | st.dates(date(2026, 4, 21), date(2026, 6, 1)),
)
MOMENTS = st.integers(0, 21 * 86_400).map(lambda seconds: datetime(2026, 3, 20, tzinfo=UTC) + timedelta(seconds=seconds))
OVERRIDES = st.builds(
    lambda uid, since, hours, person: Override(uid, since, since + timedelta(hours=hours), person),
    st.uuids().map(str),
    MOMENTS,
    st.integers(1, 60),
    st.sampled_from(PEOPLE),
)
SWAPS = st.builds(
    Swap, st.uuids().map(str), st.sampled_from(("one", "two")), st.integers(0, 9), st.sampled_from(PEOPLE), st.sampled_from(PEOPLE)
)
ROTAS = st.builds(
    Rota,
    st.just("r"),
    st.just("it"),
    st.sampled_from(("Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "Pacific/Apia", "UTC")),
    st.lists(LAYERS, max_size=2, unique_by=lambda each: each.name).map(tuple),
    st.lists(SWAPS, max_size=3).map(tuple),
    st.lists(OVERRIDES, max_size=3).map(tuple),
)
SINCE, UNTIL = datetime(2026, 3, 20, tzinfo=UTC), datetime(2026, 4, 12, tzinfo=UTC)


@settings(deadline=None, max_examples=120)
@given(ROTAS)
def test_shifts_and_gaps_tile_the_time(rota):
    found = shifts(rota, SINCE, UNTIL)
    tiles = sorted([(each.since, each.until) for each in found] + [(each.since, each.until) for each in gaps(rota, SINCE, UNTIL)])
    assert all(since < until for since, until in tiles)
    assert tiles[0][0] == SINCE
    assert tiles[-1][1] == UNTIL
    assert all(one[1] == other[0] for one, other in pairwise(tiles))


@settings(deadline=None, max_examples=80)
@given(ROTAS, MOMENTS)
def test_one_moment_agrees_with_the_stretch_around_it(rota, moment):
    around = next((each for each in shifts(rota, SINCE, UNTIL) if each.since <= moment < each.until), None)
    now = on_call(rota, moment)
    assert (around is None) == (now is None)
    if now is not None:
        assert (around.person, around.reason, around.turn) == (now.person, now.reason, now.turn)
        assert now.since <= moment < now.until


@settings(deadline=None, max_examples=80)
@given(ROTAS, OVERRIDES)
def test_a_fresh_override_always_wins_and_changes_nothing_else(rota, override):
    over = replace(rota, overrides=(*rota.overrides, override))
    for each in shifts(over, SINCE, UNTIL):
        inside = override.since <= each.since < override.until
        assert not inside or each.person == override.person
    probe = override.until
    assert who(over, probe) == who(rota, probe)


@settings(deadline=None, max_examples=60)
@given(ROTAS)
def test_layers_survive_being_kept(rota):
    assert layers_of(layers_text(rota.layers)) == tuple(
        replace(
            each,
            hours=tuple(
                Hours(h.since.replace(second=0, microsecond=0), h.until.replace(second=0, microsecond=0), h.days) for h in each.hours
            ),
        )
        for each in rota.layers
    )


def test_layers_that_are_none():
    assert layer_of(layer_value(WEEK)) == WEEK
    for wrong in ('{"a": 1}', "[1]", '[{"name": "x"}]', "no", '[{"name": "x", "people": ["a"], "first": "2026-02-31"}]'):
        with pytest.raises(InputError):
            layers_of(wrong)


# calendars


def test_a_feed_is_read_back_as_the_same_duties():
    found = shifts(ROTA, at(2026, 3, 2, 9), at(2026, 4, 13, 9))
    text = feed(ROTA, found, at(2026, 3, 1, 0))
    back = read(text, "a.ics", "Europe/Berlin", at(2026, 3, 2, 9), at(2026, 4, 13, 9), lambda name: name if name in WEEK.people else "")
    assert [(each.since, each.until, each.person) for each in back.overrides] == [(each.since, each.until, each.person) for each in found]
    assert text == feed(ROTA, found, at(2026, 3, 1, 0))


ICS = """BEGIN:VCALENDAR\r
VERSION:2.0\r
PRODID:test\r
{}END:VCALENDAR\r
"""
EVENT = "BEGIN:VEVENT\r\nUID:{uid}\r\n{lines}END:VEVENT\r\n"


def calendar(*events: str) -> bytes:
    return ICS.format("".join(EVENT.format(uid=index, lines=lines) for index, lines in enumerate(events))).encode()


def taken(data: bytes):
    return read(
        data, "x.ics", "Europe/Berlin", at(2026, 3, 20, 0), at(2026, 4, 10, 0), lambda name: name if name in PEOPLE else ""
    ).overrides


def test_repeated_duties_keep_their_wall_clock_across_the_change_and_leave_out_what_is_left_out():
    weekly = "SUMMARY:ann\r\nDTSTART;TZID=Europe/Berlin:20260306T220000\r\nDTEND;TZID=Europe/Berlin:20260307T060000\r\nRRULE:FREQ=WEEKLY\r\nEXDATE;TZID=Europe/Berlin:20260403T220000\r\n"
    found = taken(calendar(weekly))
    assert [(each.since, each.until) for each in found] == [(at(2026, 3, day, 22), at(2026, 3, day + 1, 6)) for day in (20, 27)]
    until = "SUMMARY:ben\r\nDTSTART;TZID=Europe/Berlin:20260401T080000\r\nDURATION:PT2H\r\nRRULE:FREQ=DAILY;UNTIL=20260403T070000Z\r\n"
    assert [each.since for each in taken(calendar(until))] == [at(2026, 4, day, 8) for day in (1, 2, 3)]


def test_whole_days_are_local_days_and_attendees_count():
    found = taken(calendar("SUMMARY:Night watch\r\nATTENDEE:mailto:dee\r\nDTSTART;VALUE=DATE:20260329\r\nDTEND;VALUE=DATE:20260330\r\n"))
    assert [(each.person, each.until - each.since) for each in found] == [("dee", timedelta(hours=23))]


def test_faults_of_a_calendar_come_all_at_once_with_their_lines():
    with pytest.raises(ContentError) as caught:
        taken(
            calendar(
                "SUMMARY:nobody\r\nDTSTART:20260401T080000Z\r\nDTEND:20260401T090000Z\r\n",
                "SUMMARY:ann\r\nDTSTART:20260401T080000Z\r\nDTEND:20260401T070000Z\r\n",
                "SUMMARY:ann\r\nDTSTART:20260401T080000Z\r\nDTEND:20260401T090000Z\r\nRRULE:FREQ=SECONDLY\r\n",
                "SUMMARY:ann\r\n",
            )
        )
    assert [fault.line for fault in caught.value.faults] == [4, 10, 16, 23]
    for wrong in (b"", b"hello", b"x" * (3 << 20)):
        with pytest.raises(ContentError):
            taken(wrong)


def test_a_calendar_that_repeats_without_end_is_bounded():
    daily = "SUMMARY:ann\r\nDTSTART:19000101T080000Z\r\nDTEND:19000101T090000Z\r\nRRULE:FREQ=DAILY\r\n"
    assert len(taken(calendar(daily))) <= 30
