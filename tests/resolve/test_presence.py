import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watchword.model.ocsf import Access, Authentication, EventClass, Logon, Occupancy, Video, Visit
from watchword.resolve import Evidence, Presence, PresenceState, Sort, State, evidence_of

SITE, LOBBY, SERVER_ROOM, OFFICE = "harbour", "harbour/main/0/lobby", "harbour/main/0/server-room", "harbour/main/0/office"
VAULT, OUTSIDE, MILL = "harbour/main/0/vault", "harbour/outside", "mill/main/0/hall"
NINE = datetime(2026, 2, 10, 8, tzinfo=UTC)
"""Nine o'clock in Berlin."""
HOUR = timedelta(hours=1)


def seen(hours, place, sort=Sort.TAKEN, confidence=0.95, uid="", door=""):
    time = NINE + timedelta(hours=hours)
    return Evidence(time, uid or f"{sort}@{hours}{place}", "person:1042", sort, place, confidence, door)


def state(directory, evidence, place, hours, **more):
    covered = more.pop("covered", None)
    return Presence(evidence, directory, covered).state(place, NINE + timedelta(hours=hours), **more)


def passage(directory, event_of, reader, activity=Access.TAKEN, **more):
    return directory.identify(event_of(activity=activity, person="person:1042", data={"ww_reader": {"uid": reader}}, **more))


# Evidence


@pytest.mark.parametrize(
    ("reader", "activity", "sort", "confidence", "place"),
    [
        ("R-02", Access.TAKEN, Sort.TAKEN, 0.95, SERVER_ROOM),
        ("R-02", Access.GRANTED, Sort.GRANTED, 0.80, SERVER_ROOM),
        ("R-01-in", Access.GRANTED, Sort.GRANTED, 0.90, LOBBY),
        ("R-01-out", Access.TAKEN, Sort.TAKEN, 0.95, OUTSIDE),
        ("R-02", Access.NOT_TAKEN, Sort.NOT_TAKEN, 0.0, SERVER_ROOM),
    ],
)
def test_a_passage_proves(directory, event_of, reader, activity, sort, confidence, place):
    found = evidence_of(passage(directory, event_of, reader, activity), directory)
    assert (found.sort, found.confidence, found.place) == (sort, confidence, place)


def test_who_reported_at_a_muster_point_is_there_and_out_of_everywhere_else(directory, event_of):
    inside = seen(0, SERVER_ROOM)
    made = event_of(class_uid=int(EventClass.OCCUPANCY), activity=Occupancy.MUSTERED, person="person:1042", place=OUTSIDE)
    mustered = evidence_of(replace(made, time=NINE + HOUR), directory)
    assert (mustered.sort, mustered.place, mustered.confidence) == (Sort.MUSTER, OUTSIDE, 0.90)
    assert state(directory, [inside], SERVER_ROOM, 1.5).state is State.IN
    assert state(directory, [inside, mustered], SERVER_ROOM, 1.5).state is State.OUT
    assert state(directory, [inside, mustered], SITE, 1.5).state is State.OUT
    assert state(directory, [inside, mustered], SERVER_ROOM, 0.5).state is State.IN
    assert evidence_of(replace(made, activity_id=int(Occupancy.COUNTED)), directory) is None
    assert evidence_of(replace(made, place=""), directory) is None


def test_a_passage_proves_nothing(directory, event_of):
    assert evidence_of(passage(directory, event_of, "R-02", Access.DENIED), directory) is None
    assert evidence_of(passage(directory, event_of, "R-04", Access.GRANTED), directory) is None
    granted = directory.identify(
        event_of(activity=Access.GRANTED, person="p", data={"ww_reader": {"uid": "R-04", "direction": "in"}}),
    )
    assert evidence_of(granted, directory) is None  # its passage sensor will tell
    taken = replace(granted, activity_id=int(Access.TAKEN))
    assert evidence_of(taken, directory).place == VAULT
    assert evidence_of(replace(taken, person=""), directory) is None
    assert evidence_of(replace(taken, place="harbour/doors/D-99"), directory) is None
    assert evidence_of(replace(taken, credential="plate:1"), directory).confidence == 0.5


def test_a_console_a_visit_and_a_plate_prove(directory, event_of):
    data = {"device": {"hostname": "con-1"}, "logon_type_id": int(Logon.INTERACTIVE), "status_id": 1}
    logon = directory.identify(event_of(EventClass.AUTHENTICATION, Authentication.LOGON, person="p", data=data))
    assert evidence_of(logon, directory) == Evidence(logon.time, "e", "p", Sort.CONSOLE, OFFICE, 0.6)
    for changed in ({"status_id": 2}, {"logon_type_id": 3}, {"is_remote": True}):
        assert evidence_of(replace(logon, data=data | changed), directory) is None
    assert evidence_of(replace(logon, asset="asset:ws-042"), directory) is None
    visit = event_of(EventClass.VISITOR, Visit.CHECKED_IN, person="p", place=LOBBY)
    assert evidence_of(visit, directory).confidence == 0.9
    gone = evidence_of(replace(visit, activity_id=int(Visit.CHECKED_OUT)), directory)
    assert (gone.sort, gone.place) == (Sort.VISIT, OUTSIDE)
    plate = event_of(EventClass.VIDEO_ANALYTIC, Video.PLATE_READ, person="p", place=LOBBY)
    assert evidence_of(plate, directory).confidence == 0.5


# States


def test_confidence_decays_and_ends_in_unknown_never_in_out(directory):
    evidence = [seen(0, SERVER_ROOM)]
    assert state(directory, evidence, SERVER_ROOM, 0) == PresenceState(State.IN, 0.95, NINE, evidence[0].event)
    assert state(directory, evidence, SERVER_ROOM, 6).confidence == pytest.approx(0.95 / 2)
    assert state(directory, evidence, SERVER_ROOM, 8.3).state is State.UNKNOWN
    assert state(directory, evidence, SERVER_ROOM, 11.99, min_confidence=0.0).state is State.IN
    assert state(directory, evidence, SERVER_ROOM, 12, min_confidence=0.0) == PresenceState(State.UNKNOWN)
    assert state(directory, evidence, SERVER_ROOM, -0.001).state is State.UNKNOWN


def test_a_place_whose_exits_are_all_read_keeps_its_people_longer(directory):
    assert state(directory, [seen(0, VAULT)], VAULT, 12).confidence == pytest.approx(0.95 / 2)
    assert state(directory, [seen(0, VAULT)], SITE, 12).confidence == pytest.approx(0.95 / 2)


def test_entering_a_zone_implies_what_encloses_it_and_leaves_its_siblings(directory):
    evidence = [seen(0, LOBBY), seen(1, SERVER_ROOM)]
    for place in (SERVER_ROOM, "harbour/main/0", "harbour/main", SITE):
        assert state(directory, evidence, place, 1).state is State.IN
    for place in (LOBBY, OFFICE, OUTSIDE, "mill", MILL):
        assert state(directory, evidence, place, 1).state is State.OUT
    assert state(directory, evidence, SITE, 1).since == NINE


def test_leaving_and_another_site_are_proof_of_out(directory):
    left = [seen(0, LOBBY), seen(3, OUTSIDE)]
    assert state(directory, left, SITE, 3).state is State.OUT
    assert state(directory, left, SITE, 2.99).state is State.IN
    assert state(directory, [seen(0, LOBBY), seen(3, MILL)], SITE, 4).state is State.OUT


def test_a_visit_to_the_site_says_nothing_of_its_zones(directory):
    evidence = [seen(0, SITE, Sort.VISIT, 0.9)]
    assert state(directory, evidence, SITE, 1).state is State.IN
    assert state(directory, evidence, LOBBY, 1).state is State.UNKNOWN
    assert state(directory, evidence, "mill", 1).state is State.OUT


def test_not_taken_cancels_its_granted_as_if_it_had_never_been(directory):
    granted = seen(1, SERVER_ROOM, Sort.GRANTED, 0.8, "b", "harbour/doors/D-02")
    back = seen(1.01, SERVER_ROOM, Sort.NOT_TAKEN, 0.0, "c", "harbour/doors/D-02")
    evidence = [seen(0, LOBBY), granted, back]
    assert state(directory, evidence, LOBBY, 1.005).state is State.IN
    assert state(directory, evidence, SERVER_ROOM, 2).state is State.OUT
    assert state(directory, [seen(0, LOBBY), granted, replace(back, door="harbour/doors/D-04")], SERVER_ROOM, 2).state is State.IN
    assert state(directory, [seen(0, LOBBY), granted, replace(back, time=back.time + HOUR)], SERVER_ROOM, 2).state is State.IN


def test_each_not_taken_cancels_one_granted(directory):
    first = seen(1, SERVER_ROOM, Sort.GRANTED, 0.8, "a", "d")
    second = seen(1.01, SERVER_ROOM, Sort.GRANTED, 0.8, "b", "d")
    back = [seen(1.02, SERVER_ROOM, Sort.NOT_TAKEN, 0.0, name, "d") for name in ("c", "e")]
    assert state(directory, [first, second, back[0]], SERVER_ROOM, 2).event == "a"
    assert state(directory, [first, second, *back], SERVER_ROOM, 2).state is State.UNKNOWN


def test_a_console_says_in_but_proves_nothing_of_elsewhere(directory):
    evidence = [seen(0, MILL), seen(1, OFFICE, Sort.CONSOLE, 0.6)]
    assert state(directory, evidence, OFFICE, 1).confidence == 0.6
    assert state(directory, evidence, "mill", 1).state is State.UNKNOWN
    ignoring = {evidence[1].event}
    assert state(directory, evidence, "mill", 1, ignoring=ignoring).state is State.IN
    assert state(directory, evidence, SITE, 1, ignoring=ignoring).state is State.OUT
    both = [seen(0, LOBBY), seen(1, OFFICE, Sort.CONSOLE, 0.6)]
    assert state(directory, both, SITE, 1).confidence == pytest.approx(0.95 * 23 / 24)


def test_a_door_stands_for_what_is_behind_it(directory):
    assert state(directory, [seen(0, SERVER_ROOM)], "harbour/doors/D-02", 0).state is State.IN


def test_where(directory):
    presence = Presence([seen(0, LOBBY), seen(1, SERVER_ROOM), seen(2, OUTSIDE)], directory)
    assert [presence.where(NINE + timedelta(hours=hours)) for hours in (-1, 0, 1, 2, 40)] == [
        None,
        (LOBBY, 0.95),
        (SERVER_ROOM, 0.95),
        (OUTSIDE, 0.95),
        None,
    ]
    narrowed = Presence([seen(0, OFFICE, Sort.CONSOLE, 0.6), seen(1, SITE, Sort.VISIT, 0.9)], directory)
    assert narrowed.where(NINE + HOUR)[0] == OFFICE


# The covered day


def always(site, since, until):
    return True


def test_a_covered_day_without_entry_is_out(directory):
    found = state(directory, [], SITE, 3, covered=always)
    assert (found.state, found.confidence, found.since, found.event) == (State.OUT, 0.8, datetime(2026, 2, 9, 23, tzinfo=UTC), "")
    assert state(directory, [], SERVER_ROOM, 3, covered=always).state is State.OUT
    assert state(directory, [], SITE, 3, covered=lambda *_: False).state is State.UNKNOWN
    assert state(directory, [], SITE, 3).state is State.UNKNOWN
    assert state(directory, [], SITE, 3, covered=always, min_confidence=0.9).state is State.UNKNOWN


def test_a_covered_day_needs_every_perimeter_door_read(directory):
    assert state(directory, [], "shed", 3, covered=always).state is State.UNKNOWN


def test_an_entry_today_or_carried_over_spoils_it(directory):
    entered = [seen(-1, LOBBY, Sort.GRANTED, 0.35)]
    assert state(directory, entered, SITE, 3, covered=always).state is State.UNKNOWN
    stayed = [seen(-12, LOBBY)]  # 21:00 the evening before, and the site's exits are read: 24 h
    assert state(directory, stayed, SITE, 11.5, covered=always).state is State.UNKNOWN
    long_gone = [seen(-34, LOBBY)]
    assert state(directory, long_gone, SITE, 3, covered=always).state is State.OUT


def test_the_day_is_the_places_own(directory):
    asked = []

    def covered(site, since, until):
        asked.append((site, since, until))
        return False

    state(directory, [], "mill", 1, covered=covered)
    assert asked == [("mill", datetime(2026, 2, 10, tzinfo=UTC), NINE + HOUR)]


def test_the_day_on_which_clocks_change_has_its_own_length(directory):
    asked = []
    presence = Presence([], directory, lambda *span: bool(asked.append(span[1])))
    presence.state(SITE, datetime(2026, 3, 29, 12, tzinfo=UTC))
    presence.state(SITE, datetime(2026, 10, 25, 12, tzinfo=UTC))
    assert asked == [datetime(2026, 3, 28, 23, tzinfo=UTC), datetime(2026, 10, 24, 22, tzinfo=UTC)]


# Properties

PLACES = [LOBBY, SERVER_ROOM, OFFICE, VAULT, OUTSIDE, MILL, "mill/outside", SITE]
ITEM = st.tuples(st.integers(0, 60), st.sampled_from(PLACES), st.sampled_from(list(Sort)), st.sampled_from(["d", "e"]))
EVIDENCE = st.lists(ITEM, max_size=14).map(
    lambda items: [seen(hours / 2, place, sort, 0.9, f"{index:02}", door) for index, (hours, place, sort, door) in enumerate(items)],
)


@settings(deadline=None)
@given(EVIDENCE, st.randoms(use_true_random=False), st.integers(0, 140))
def test_order_and_repetition_do_not_matter(directory, evidence, shuffler, quarter):
    shuffled = evidence + evidence[:3]
    shuffler.shuffle(shuffled)
    at = NINE + timedelta(minutes=15 * quarter)
    for place in PLACES:
        one, other = Presence(evidence, directory, always), Presence(shuffled, directory, always)
        assert one.state(place, at) == other.state(place, at)
        assert one.where(at) == other.where(at)
        assert one.stays(place) == other.stays(place)


@settings(deadline=None)
@given(EVIDENCE, st.integers(0, 140))
def test_in_and_out_never_both(directory, evidence, quarter):
    presence, at = Presence(evidence, directory, always), NINE + timedelta(minutes=15 * quarter)
    states = {
        place: presence.state(place, at, 0.0).state
        for place in (*PLACES, "harbour/main", "harbour/main/0", "mill", "mill/main", "mill/main/0")
    }
    for place, found in states.items():
        if found is State.IN and not place.endswith("/outside"):
            steps = place.split("/")
            for length in range(1, len(steps)):
                assert states["/".join(steps[:length])] is not State.OUT
    inside = [place for place in (LOBBY, SERVER_ROOM, OFFICE, VAULT, OUTSIDE, MILL, "mill/outside") if states[place] is State.IN]
    assert len(inside) <= 1


@settings(deadline=None)
@given(EVIDENCE)
def test_stays_are_half_open_and_say_what_the_state_says(directory, evidence):
    presence = Presence(evidence, directory)
    for place in PLACES:
        stays = presence.stays(place)
        for before, after in pairwise(stays):
            assert before.until <= after.since
        moments = {item.time for item in evidence} | {edge for stay in stays for edge in (stay.since, stay.until)}
        for at in moments:
            proved = presence.state(place, at, 0.0)
            held = [stay.state for stay in stays if stay.since <= at < stay.until]
            assert [proved.state] == (held or [State.UNKNOWN])


def test_a_busy_year_is_judged_quickly(directory):
    places = [LOBBY, SERVER_ROOM, OFFICE, OUTSIDE]
    draw = random.Random(1)
    evidence = [seen(index / 4, draw.choice(places), uid=str(index)) for index in range(20_000)]
    presence = Presence(evidence, directory)
    for hours in range(0, 5_000, 5):
        assert presence.state(SITE, NINE + timedelta(hours=hours)).state is not State.UNKNOWN


def test_older_evidence_counts_only_for_the_area_that_was_not_left(directory):
    evidence = [seen(0, VAULT), seen(1, LOBBY, Sort.GRANTED, 0.8)]
    assert state(directory, evidence, SITE, 2).confidence == pytest.approx(0.95 * 22 / 24)
    assert state(directory, evidence, SERVER_ROOM, 2).confidence == pytest.approx(0.8 * 11 / 12)
    assert state(directory, [seen(0, MILL), seen(1, LOBBY)], SERVER_ROOM, 13, min_confidence=0.0).state is State.UNKNOWN
