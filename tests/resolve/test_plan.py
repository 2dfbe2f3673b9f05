import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watchword.kit.errors import ContentError
from watchword.model import Door, Place, PlaceKind, SiteBook
from watchword.resolve.plan import floors_of, lay_out, leads_outside
from watchword.resolve.site_file import read_sites

FLOOR = "harbour/main/0"


def overlaps(a, b):
    return min(a.x + a.width, b.x + b.width) - max(a.x, b.x) > 0.01 and min(a.y + a.height, b.y + b.height) - max(a.y, b.y) > 0.01


def on_edge(room, x, y):
    across = room.x - 0.5 <= x <= room.x + room.width + 0.5
    up = room.y - 0.5 <= y <= room.y + room.height + 0.5
    near_x = min(abs(x - room.x), abs(x - room.x - room.width)) <= 0.5
    near_y = min(abs(y - room.y), abs(y - room.y - room.height)) <= 0.5
    return (across and near_y) or (up and near_x)


def test_a_floor_is_laid_out_from_its_doors(site_text):
    read = read_sites({"s": site_text})
    plan = lay_out(read.site, FLOOR, read.assets)
    rooms = {room.name: room for room in plan.rooms}
    assert set(rooms) == {"Lobby", "Office A", "Server room 2", "Vault"}
    assert not plan.surveyed
    for mark in plan.doors:
        assert mark.link is None
        assert all(on_edge(room, mark.x, mark.y) for room in plan.rooms if room.uid in mark.rooms)
    front = next(mark for mark in plan.doors if mark.name == "Front door")
    assert leads_outside(front)
    assert front.leads_to == "harbour/outside"
    (camera,) = plan.cameras
    assert camera.room == rooms["Lobby"].uid
    assert len(camera.looks) == 2
    assert plan.width <= 1280
    assert lay_out(read.site, FLOOR, read.assets) == plan
    assert [place.uid for place in floors_of(read.site, "harbour")] == [FLOOR]


@settings(deadline=None)
@given(st.integers(0, 24), st.lists(st.tuples(st.integers(-1, 23), st.integers(0, 23)), max_size=50))
def test_rooms_never_overlap_and_every_door_is_on_the_plan(count, joins):
    zones = [f"a/m/0/z{index}" for index in range(count)]
    places = {uid: Place(uid, f"Zone number {uid[7:]}", PlaceKind.ZONE, "a/m/0") for uid in zones}
    doors = {}
    for index, (a, b) in enumerate(joins):
        if b < count and a < count and a != b:
            uid = f"a/doors/{index}"
            doors[uid] = Door(uid, uid, zones[a] if a >= 0 else "a/outside", zones[b])
    plan = lay_out(SiteBook(places, doors), "a/m/0")
    assert len(plan.rooms) == count
    assert len(plan.doors) == len(doors)
    for index, room in enumerate(plan.rooms):
        assert room.x >= 0
        assert room.y >= 0
        assert room.x + room.width <= plan.width
        assert room.y + room.height <= plan.height
        assert room.width >= 40
        assert room.height >= 40
        assert not any(overlaps(room, other) for other in plan.rooms[index + 1 :])
    spots = [(round(mark.x), round(mark.y)) for mark in plan.doors if mark.link is None]
    assert len(spots) == len(set(spots))
    if count:
        lonely = [mark for mark in plan.doors if mark.link is not None]
        reached = {tuple(sorted(mark.rooms)) for mark in plan.doors if len(mark.rooms) == 2}
        assert len({tuple(sorted(mark.rooms)) for mark in lonely}) <= max(0, len(reached) - count + components(count, reached, zones))


def components(count, pairs, zones):
    group = {zone: zone for zone in zones}

    def root(zone):
        while group[zone] != zone:
            zone = group[zone]
        return zone

    for a, b in pairs:
        group[root(a)] = root(b)
    return len({root(zone) for zone in zones})


def feature(kind, coordinates, **properties):
    return {"type": "Feature", "properties": properties, "geometry": {"type": kind, "coordinates": coordinates}}


def square(x, y, size):
    return [[[x, y], [x + size, y], [x + size, y + size], [x, y + size], [x, y]]]


def collection(*features, **more):
    return json.dumps({"type": "FeatureCollection", "features": list(features), **more}, indent=1)


def test_surveyed_rooms_keep_their_shape_with_north_up(site_text):
    text = collection(
        feature("Polygon", square(0, 0, 10), zone="lobby"),
        feature("Polygon", square(0, 10, 10), name={"en": "Office A"}),
        feature("MultiPolygon", [square(10, 0, 2), square(10, 0, 5)], zone="main/0/vault"),
        feature("Point", [5, 10], door="D-03"),
        feature("LineString", [[10, 2], [10, 4]], door="D-04"),
        feature("Point", [1, 1], name="A plant"),
        units="metres",
    )
    site = site_text.replace("travel:", "geometry: plan.geojson\ntravel:", 1)
    read = read_sites({"s": site}, {"plan.geojson": text})
    assert any("'A plant'" in note.message for note in read.notes)
    plan = lay_out(read.site, FLOOR, read.assets)
    rooms = {room.name: room for room in plan.rooms}
    assert plan.surveyed
    assert rooms["Office A"].y < rooms["Lobby"].y
    assert rooms["Lobby"].width == pytest.approx(rooms["Office A"].width)
    assert rooms["Vault"].width == pytest.approx(rooms["Lobby"].width / 2, abs=0.2)
    assert rooms["Server room 2"].y > rooms["Lobby"].y + rooms["Lobby"].height
    doors = {mark.uid: mark for mark in plan.doors}
    assert doors["harbour/doors/D-03"].angle in {0.0, 180.0}
    assert doors["harbour/doors/D-04"].angle == 90.0
    assert plan.width <= 1280


def test_longitude_and_latitude_become_metres(site_text):
    text = collection(feature("Polygon", square(9.98, 53.54, 0.001), zone="lobby"))
    read = read_sites({"s": site_text.replace("travel:", "geometry: plan.geojson\ntravel:", 1)}, {"plan.geojson": text})
    shape = read.site.places["harbour/main/0/lobby"].shape
    assert shape[0] == (0.0, 0.0)
    assert shape[2] == (pytest.approx(66.1, abs=0.1), pytest.approx(111.2, abs=0.1))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "is no JSON"),
        ("[" * 100_000, "is no JSON"),
        ("[]", "is no GeoJSON FeatureCollection"),
        (
            collection(feature("Point", [0, 0], zone="lobby")),
            "plan.geojson:5: feature 0 ('harbour/main/0/lobby') has no usable coordinates",
        ),
        (collection(feature("Polygon", [], zone="lobby")), "no usable coordinates"),
        (collection(feature("Polygon", [[["a", 0], [1, 1], [2, 2]]], zone="lobby")), "no usable coordinates"),
        (collection(feature("Point", [float("nan"), 0], door="D-01")), "no usable coordinates"),
    ],
)
def test_bad_geometry_is_named(site_text, text, said):
    with pytest.raises(ContentError) as caught:
        read_sites({"s": site_text.replace("travel:", "geometry: plan.geojson\ntravel:", 1)}, {"plan.geojson": text})
    assert said in str(caught.value)


def test_features_that_are_nothing_are_left_out(site_text):
    text = collection(None, "x", {"type": "Feature"}, feature("Point", [0, 0]))
    read = read_sites({"s": site_text.replace("travel:", "geometry: plan.geojson\ntravel:", 1)}, {"plan.geojson": text})
    assert sum("left out" in note.message for note in read.notes) == 4
