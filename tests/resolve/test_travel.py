from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watchword.model import Door
from watchword.model.ocsf import Access, Authentication, EventClass
from watchword.resolve import Claim, claim_of, haversine_km, impossible, least_travel_of
from watchword.resolve.travel import CITY_CHANGE, DoorGraph

NOON = datetime(2026, 2, 10, 12, tzinfo=UTC)
LOBBY, SERVER_ROOM, OFFICE = "harbour/main/0/lobby", "harbour/main/0/server-room", "harbour/main/0/office"
NONE = timedelta()


def later(claim, **by):
    return replace(claim, time=NOON + timedelta(**by))


def test_within_a_site_the_shortest_way_over_the_doors_counts(directory):
    assert directory.least_travel(SERVER_ROOM, OFFICE) == timedelta(seconds=(12 + 30) / 3)
    assert directory.least_travel("harbour/doors/D-02", "harbour/doors/D-03") == timedelta(seconds=(6 + 15) / 3)
    assert directory.least_travel("harbour/doors/D-02", "harbour/doors/D-02") == NONE
    assert directory.least_travel("harbour", LOBBY) == NONE
    assert directory.least_travel("harbour/doors/D-99", LOBBY) == NONE


def test_between_sites_the_matrix_then_the_great_circle_then_nothing(directory):
    assert directory.least_travel("harbour/doors/D-02", "mill/doors/G-01") == timedelta(minutes=95)
    assert directory.least_travel("mill", "shed") is None
    bare = DoorGraph.of(directory.doors())
    assert bare.metres(LOBBY, "mill/main/0/hall") is None


def test_doors_of_known_position_are_a_straight_line_apart():
    doors = [Door(f"a/doors/{n}", n, "a/outside", "a/m/0/hall", length_m=20, position=(x, 0.0)) for n, x in (("x", 0.0), ("y", 1.5))]
    assert DoorGraph.of(doors).metres("a/doors/x", "a/doors/y") == 1.5
    assert DoorGraph.of(replace(door, position=None) for door in doors).metres("a/doors/x", "a/doors/y") == 20


def test_haversine_of_known_distances():
    assert haversine_km((0, 0), (0, 180)) == pytest.approx(20015.1, abs=0.1)
    assert haversine_km((53.54, 9.98), (38.72, -9.14)) == pytest.approx(2193, abs=5)


def test_a_badge_and_a_sign_in_far_away(directory):
    badge = Claim(NOON, place="harbour/doors/D-02")
    lisbon = Claim(NOON, latitude=38.72, longitude=-9.14, accuracy_km=50)
    verdict, least, available = impossible(badge, later(lisbon, hours=1), timedelta(seconds=5), directory)
    assert verdict
    assert available == timedelta(hours=1)
    assert least == pytest.approx(timedelta(hours=(2193 - 50) / 900), abs=timedelta(minutes=1))
    assert impossible(later(lisbon, hours=1), badge, timedelta(seconds=5), directory)[0]
    assert not impossible(badge, later(lisbon, hours=3), NONE, directory)[0]


def test_it_must_be_strictly_longer_than_the_time_and_the_tolerance(directory):
    badge, mill = Claim(NOON, place="harbour/doors/D-02"), Claim(NOON, place="mill/doors/G-01")
    assert not impossible(badge, later(mill, minutes=90), timedelta(minutes=5), directory)[0]
    assert impossible(badge, later(mill, minutes=90), timedelta(minutes=5) - timedelta(milliseconds=1), directory)[0]


def test_cities_alone_give_two_hours(directory):
    berlin, lisbon = Claim(NOON, city="Berlin"), Claim(NOON, city="LISBON")
    assert impossible(berlin, later(lisbon, minutes=119), NONE, directory)[0]
    assert not impossible(berlin, later(lisbon, hours=2), NONE, directory)[0]
    assert least_travel_of(berlin, Claim(NOON, city="berlin "), directory) == NONE
    assert least_travel_of(Claim(NOON, place="harbour/doors/D-01"), berlin, directory) == CITY_CHANGE
    assert least_travel_of(Claim(NOON, place="shed/doors/S-01"), berlin, directory) is None


@pytest.mark.parametrize(
    "why", [{"network_kind": "vpn"}, {"network_kind": "Mobile"}, {"network_kind": "anycast"}, {"accuracy_km": 501.0}, {"confidence": 0.89}]
)
def test_what_is_no_claim(directory, why):
    claim = replace(Claim(NOON, latitude=0.0, longitude=0.0), **why)
    assert not claim.counts
    assert impossible(Claim(NOON, place="harbour/doors/D-02"), claim, NONE, directory) == (False, None, NONE)


def test_claims_of_events(directory, event_of):
    passage = directory.identify(event_of(activity=Access.TAKEN, data={"ww_reader": {"uid": "R-02"}}))
    assert claim_of(passage) == Claim(passage.time, place="harbour/doors/D-02", event="e")
    assert claim_of(replace(passage, activity_id=int(Access.DENIED))) is None
    location = {"lat": "38.72", "long": -9.14, "city": "Lisbon", "country": "PT"}
    data = {"src_endpoint": {"location": location}, "status_id": 1, "ww_accuracy_km": 20}
    sign_in = event_of(EventClass.AUTHENTICATION, Authentication.LOGON, data=data)
    assert claim_of(sign_in) == Claim(sign_in.time, "", 38.72, -9.14, "Lisbon", "PT", 20.0, "", 1.0, "e")
    assert claim_of(replace(sign_in, data=data | {"status_id": 2})) is None
    assert claim_of(replace(sign_in, data=data | {"ww_network_kind": "vpn"})) is None
    assert claim_of(replace(sign_in, data=data | {"ww_person_confidence": 0.6})) is None
    assert claim_of(replace(sign_in, data={})) is None
    assert claim_of(replace(sign_in, data={"src_endpoint": {"location": {"lat": "north"}}})) is None


POINT = st.tuples(st.floats(-90, 90), st.floats(-180, 180))


@settings(deadline=None)
@given(POINT, POINT)
def test_distance_is_the_same_both_ways_and_never_more_than_half_the_earth(a, b):
    assert haversine_km(a, b) == pytest.approx(haversine_km(b, a), abs=1e-6)
    assert 0 <= haversine_km(a, b) <= 20015.2


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7), st.floats(0, 100)), min_size=1, max_size=20))
def test_paths_obey_the_triangle_inequality(rows):
    doors = [
        Door(f"a/doors/{index}", "", f"a/m/0/{a}", f"a/m/0/{b}", length_m=metres) for index, (a, b, metres) in enumerate(rows) if a != b
    ]
    graph = DoorGraph.of(doors)
    zones = list(graph.edges)[:8]
    for a in zones:
        for b in zones:
            direct = graph.metres(a, b)
            assert direct == pytest.approx(graph.metres(b, a)) if direct is not None else graph.metres(b, a) is None
            for c in zones:
                via = (graph.metres(a, c), graph.metres(c, b))
                if None not in via:
                    assert direct is not None
                    assert direct <= sum(via) + 1e-6
