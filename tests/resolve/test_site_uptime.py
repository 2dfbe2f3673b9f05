"""The section of a site file that says what is expected to work."""

from datetime import timedelta

import pytest

from watchword.kit.errors import ContentError
from watchword.model.uptime import Cover, ServiceObjective
from watchword.resolve.site_file import read_site, read_sites

TEXT = """
site: hq
zones: {lobby: {}, servers: {kind: critical}}
doors:
  D-01: {from: outside, to: lobby, readers: R-1}
  D-02: {from: lobby, to: servers, readers: R-2}
assets:
  HC-1: {kind: controller, place: lobby}
  cam-1: {kind: camera, place: servers, sees: [D-02]}
  cam-2: {kind: camera, place: servers, sees: [D-02]}
  panel-1: {kind: panel, place: lobby}
calendars: {night: {days: mon-sun, hours: "22:00-06:00"}}
uptime:
"""


def read(section):
    return read_site(TEXT + section, "site.yaml")[0].uptime


def faults(section):
    with pytest.raises(ContentError) as caught:
        read_sites({"site.yaml": TEXT + section})
    return [str(fault) for fault in caught.value.faults]


def test_everything_can_be_said():
    book = read("""
  controllers: {HC-1: [D-01, D-02]}
  expects: {cam-1: [reachable, recording], D-01: [controller]}
  tests: {lock: 400d, walk: 90d}
  armed: {panel-1: night}
  cover:
    - {place: servers, least: 2, of: [cam-1, cam-2], weight: 3}
    - {place: lobby}
  objectives:
    - {of: cam-1, share: 0.99}
    - {of: D-01, share: 0.999, window: 7d}
    - {of: servers, share: 0.95}
""")
    assert book.controllers == {"hq/doors/D-01": "asset:HC-1", "hq/doors/D-02": "asset:HC-1"}
    assert book.expects == {"asset:cam-1": ("reachable", "recording"), "hq/doors/D-01": ("controller",)}
    assert book.tests == {"lock": timedelta(days=400), "walk": timedelta(days=90)}
    assert book.armed == {"asset:panel-1": "hq/calendars/night"}
    assert book.covers == (Cover("hq/main/0/servers", 2, ("asset:cam-1", "asset:cam-2"), 3.0), Cover("hq/main/0/lobby", 1))
    assert book.objectives == (
        ServiceObjective("asset:cam-1", 0.99),
        ServiceObjective("hq/doors/D-01", 0.999, timedelta(days=7)),
        ServiceObjective("hq/main/0/servers", 0.95),
    )


@pytest.mark.parametrize(
    ("section", "words"),
    [
        ("  controllers: {HC-2: [D-01]}\n", "'HC-2' is no asset and no door of 'hq'"),
        ("  controllers: {HC-1: [D-09]}\n", "door 'D-09' is not described"),
        ("  controllers: {HC-1: [D-01], panel-1: [D-01]}\n", "door 'D-01' has a controller already"),
        ("  expects: {cam-1: [flying]}\n", "'flying' is no function"),
        ("  tests: {lick: 5d}\n", "did you mean 'lock'?"),
        ("  tests: {lock: soon}\n", "is no duration"),
        ("  tests: {lock: 1s}\n", "is out of bounds"),
        ("  armed: {panel-1: noon}\n", "calendar 'noon' is not described"),
        ("  cover: [{place: cellar}]\n", "place 'cellar' is not described"),
        ("  cover: [{place: servers, least: 3, of: [cam-1, cam-2]}]\n", "needs 3 of 2: it can never be covered"),
        ("  cover: [{place: servers, least: 1.5}]\n", "must be a whole number"),
        ("  cover: [{place: servers}, {place: servers}]\n", "described a second time"),
        ("  objectives: [{of: cam-9, share: 0.9}]\n", "'cam-9' is no asset, door or place"),
        ("  objectives: [{of: cam-1}]\n", "'share' is missing"),
        ("  objectives: [{of: cam-1, share: 1}]\n", "must be a number from 0.5 to 0.99999"),
        ("  objectives: [{of: cam-1, share: 0.9}, {of: cam-1, share: 0.8}]\n", "has an objective already"),
        ("  promises: []\n", "unknown key 'promises'"),
    ],
)
def test_a_wrong_word_is_said_with_its_line(section, words):
    found = faults(section)
    assert any(words in each and each.startswith("site.yaml:") for each in found), found


def test_a_circle_of_dependencies_is_refused_with_the_way_around():
    text = "site: a\nassets:\n  x: {kind: switch, upstream: y}\n  y: {kind: switch, upstream: [z]}\n  z: {kind: other, upstream: x}\n  w: {kind: camera, upstream: x}\n"
    with pytest.raises(ContentError) as caught:
        read_sites({"site.yaml": text})
    found = [str(fault) for fault in caught.value.faults]
    assert len(found) == 1
    assert "depends on itself: x → y → z → x" in found[0]
    assert "take one of these dependencies out" in found[0]


def test_what_joins_again_below_is_no_circle():
    text = "site: a\nassets:\n  x: {kind: switch, upstream: [y, z]}\n  y: {kind: switch, upstream: w}\n  z: {kind: other, upstream: w}\n  w: {kind: other}\n"
    assert read_sites({"site.yaml": text}).assets.assets["asset:x"].upstream == ("asset:y", "asset:z")
