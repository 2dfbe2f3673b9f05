"""Pictures and words, as pure functions: time axis, sparkline, plan, door and zone states, sources' voices, times, looks."""

import xml.etree.ElementTree as ET
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchword.model import Domain, Event, Source, SourceKind, SourceStatus
from watchword.model.ocsf import Access, EventClass, Health
from watchword.web import words
from watchword.web.cookies import Look
from watchword.web.place_state import DoorWord, door_state, site_state
from watchword.web.source_rows import Voice, doors_known, source_row, source_rows
from watchword.web.sparkline import Hour, sparkline
from watchword.web.time_axis import AxisMark, time_axis

NOW = datetime(2026, 3, 3, 7, 50, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")


def svg(markup):
    root = ET.fromstring(str(markup))  # noqa: S314 - our own picture
    assert root.tag == "svg"
    return root


def mark(number, at, physical=True, text='a < b & "c"'):
    return AxisMark(number, at, physical, text, f"#event-{number}")


def test_an_axis_has_a_lane_for_each_side_and_a_link_for_each_event():
    root = svg(time_axis([mark(1, NOW), mark(2, NOW + timedelta(minutes=3), physical=False)], NOW + timedelta(minutes=3), BERLIN))
    assert [link.get("href") for link in root.iter("a")] == ["#event-1", "#event-2"]
    assert [link.get("class") for link in root.iter("a")] == ["physical", "it"]
    assert "1 physical and 1 IT events within 3 min" in root.get("aria-label")
    words_in = [each.text for each in root.iter("text")]
    assert "Physical" in words_in
    assert "IT" in words_in
    assert "Finding 08:53:00" in words_in


def test_marks_that_would_cover_each_other_stand_in_rows():
    root = svg(
        time_axis(
            [mark(number, NOW + timedelta(milliseconds=number)) for number in range(4)] + [mark(9, NOW + timedelta(hours=1))], None, BERLIN
        )
    )
    tops = [rect.get("y") for rect in root.iter("rect") if rect.get("class") == "mark"]
    assert len(set(tops[:4])) == 4


def test_nothing_to_draw_is_nothing():
    assert time_axis([], NOW, BERLIN) == ""
    assert sparkline([], BERLIN) == ""


@given(st.lists(st.tuples(st.integers(0, 10**7), st.booleans()), min_size=1, max_size=60))
def test_any_events_give_a_picture_whose_marks_lie_inside(seconds):
    root = svg(time_axis([mark(n, NOW + timedelta(seconds=s), p) for n, (s, p) in enumerate(seconds)], None, BERLIN))
    width, height = (float(each) for each in root.get("viewBox").split()[2:])
    for rect in root.iter("rect"):
        assert float(rect.get("x")) >= 0
        assert float(rect.get("x")) + float(rect.get("width")) <= width
        assert float(rect.get("y")) + float(rect.get("height")) <= height
    assert len(list(root.iter("path"))) < 40


def test_a_sparkline_shows_unknown_hours_as_unknown_and_never_as_zero():
    hours = [Hour(NOW, 10, 0), Hour(NOW + timedelta(hours=1), 5, None)]
    root = svg(sparkline(hours, BERLIN))
    assert "15 IT, 0 physical; 1 hours" in root.get("aria-label")
    assert [rect.get("class") for rect in root.iter("rect")] == ["bar-it", "bar-it", "unknown"]


def door_event(activity, minutes, **data):
    at = NOW - timedelta(minutes=minutes)
    return Event(f"{minutes:032d}", "r", "s", at, at, int(EventClass.PHYSICAL_ACCESS), int(activity), place="h/doors/D", data=data)


def state(*events, known=True, scheduled=False):
    return door_state("h/doors/D", list(events), NOW, known=known, why="silent", scheduled=scheduled)


def test_a_door_is_closed_when_its_controller_speaks_and_says_nothing_else():
    assert state().word is DoorWord.CLOSED
    assert state(known=False).word is DoorWord.UNKNOWN
    assert state(scheduled=True).word is DoorWord.OPEN


def test_a_door_alarm_lasts_until_a_normal_event_and_then_nobody_knows():
    assert state(door_event(Access.FORCED, 5)).detail == "forced"
    assert state(door_event(Access.FORCED, 5), known=False).word is DoorWord.ALARM
    assert state(door_event(Access.FORCED, 5), door_event(Access.GRANTED, 4)).word is DoorWord.CLOSED
    assert state(door_event(Access.HELD_OPEN, 300)).word is DoorWord.UNKNOWN


def test_the_last_mode_decides():
    assert state(door_event(Access.MODE_CHANGED, 5, ww_value="unlocked")).word is DoorWord.OPEN
    assert state(door_event(Access.MODE_CHANGED, 5, ww_value="locked"), scheduled=True).word is DoorWord.CLOSED
    assert state(door_event(Access.DENIED, 0)).flash == "denied"


def test_a_sites_state_does_not_depend_on_the_order_of_events(watchword, house):
    from itertools import permutations

    from watchword.model import EventQuery

    directory = watchword.registry.directory()
    events = watchword.events.events(EventQuery(places=("harbour",), limit=50))[-5:]
    states = {repr(site_state("harbour", order, directory, house.NOW, known=True)) for order in permutations(events)}
    assert len(states) == 1
    found = site_state("harbour", events, directory, house.NOW, known=True)
    assert found.zones["harbour/main/0/server-room"].people == 1
    assert found.cameras["asset:cam-03"].word == "offline"
    assert found.doors["harbour/doors/D-01"].word is DoorWord.ALARM
    dark = site_state("harbour", [], directory, house.NOW, known=False, why="silent")
    assert dark.people is None
    assert {door.word for door in dark.doors.values()} == {DoorWord.UNKNOWN}


def test_a_camera_that_comes_back_watches(watchword, house):
    directory = watchword.registry.directory()
    lost = house.event(1, "cameras", 9, EventClass.DEVICE_HEALTH, Health.OFFLINE, "x", asset="asset:cam-03", place="harbour/main/0/lobby")
    back = house.event(2, "cameras", 5, EventClass.DEVICE_HEALTH, Health.ONLINE, "x", asset="asset:cam-03", place="harbour/main/0/lobby")
    assert site_state("harbour", [lost, back], directory, house.NOW, known=True).cameras["asset:cam-03"].word == "watching"
    assert site_state("harbour", [], directory, house.NOW, known=True).cameras["asset:cam-03"].word == "unknown"


def source(**more):
    return Source("s", Domain.PHYSICAL, SourceKind.ACCESS_CONTROL, "webhook", **{"rhythm": timedelta(minutes=10), **more})


@pytest.mark.parametrize(
    ("minutes", "rhythm", "voice"),
    [(29, 10, Voice.REPORTING), (31, 10, Voice.SILENT), (None, 10, Voice.NEVER), (900, None, Voice.UNJUDGED), (2, 0.1, Voice.REPORTING)],
)
def test_a_source_is_silent_after_three_times_its_rhythm(minutes, rhythm, voice):
    heard = None if minutes is None else NOW - timedelta(minutes=minutes)
    one = source(rhythm=None if rhythm is None else timedelta(minutes=rhythm))
    assert source_row(one, SourceStatus("s", last_received=heard), NOW).voice is voice


def test_shares_are_unknown_before_the_first_record():
    row = source_row(source(), SourceStatus("s"), NOW)
    assert row.unparsed_share is None
    assert row.lag is None
    row = source_row(source(), SourceStatus("s", accepted=10, unparsed=1, last_received=NOW, last_time=NOW - timedelta(hours=1)), NOW)
    assert row.unparsed_share == 0.1
    assert row.lag == timedelta(hours=1)


def test_doors_are_known_only_while_their_controllers_speak_promptly():
    heard = SourceStatus("s", last_received=NOW)
    assert doors_known(source_rows([source()], [heard], NOW), "h") == (True, "")
    assert not doors_known([], "h")[0]
    assert doors_known(source_rows([source()], [], NOW), "h")[1] == "s is never heard."
    assert "batches" in doors_known(source_rows([source(lateness=timedelta(hours=24))], [heard], NOW), "h")[1]
    assert not doors_known(source_rows([source(site="other")], [heard], NOW), "h")[0]


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0 s"),
        (59, "59 s"),
        (60, "1 min"),
        (3599, "59 min"),
        (3600, "1 h"),
        (3700, "1 h 1 min"),
        (90_000, "1 d 1 h"),
        (10**6, "11 d"),
        (-1, "now"),
        (-90, "in 1 min"),
    ],
)
def test_ages(seconds, said):
    assert words.age_words(timedelta(seconds=seconds)) == said


def test_times_name_zone_offset_and_utc():
    times = words.Times(NOW, BERLIN)
    assert str(times.mark(NOW)).startswith(
        '<time datetime="2026-03-03T07:50:00.000Z" title="Tue 3 Mar 2026 08:50:00 CET (UTC+0100) = 2026-03-03 07:50:00 UTC">08:50:00'
    )
    assert times.clock(NOW - timedelta(days=1)) == "2 Mar 08:50:00"
    assert times.clock(NOW - timedelta(days=400)).endswith("Jan 2025 08:50:00")
    assert "never" in times.mark(None)


@pytest.mark.parametrize(
    ("value", "said"),
    [(1.0, "certain, 1"), (0.8, "likely, .8"), (0.85, "likely, .85"), (0.5, "possible, .5"), (0.1, "faint, .1"), (0.0, "faint, 0")],
)
def test_confidence_in_words_and_number(value, said):
    assert words.confidence_words(value) == said


@given(st.dictionaries(st.sampled_from(["theme", "density", "clock", "zone", "keys"]), st.text()))
def test_a_look_takes_only_what_it_knows(choices):
    look = Look().with_choice(**choices)
    assert look.theme in {"system", "light", "dark"}
    assert look.clock in {"site", "mine", "utc"}
    assert look.mine()


def test_every_class_of_events_has_a_word():
    assert set(words.CLASS_WORDS) == set(EventClass)
    assert words.activity_word(int(EventClass.PHYSICAL_ACCESS), 6) == "Door: held open"
    assert words.class_word(424242) == "class 424242"
