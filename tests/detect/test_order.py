"""Rules by presence, travel, passage and use: the same findings in any order of arrival, however the events are cut into batches."""

import random
from datetime import timedelta

import pytest
from tests.detect.story import Story, at, coverage
from tests.detect.test_insight import closed_book

from watchword.detect.engine import Engine
from watchword.detect.loader import build_detectors, load_rules, shipped_rules
from watchword.model import Finding
from watchword.model.ocsf import EventClass

RULES = {"ww_001", "ww_003", "ww_004", "ww_005", "ww_006", "ww_010", "ww_018", "ww_019"}


def eventful() -> Story:
    """Two days on which every one of these rules has something to say."""
    story = Story(closed_book())
    chance = random.Random(5)
    for day in (0, 1):
        story.flow(at("6:00", day=day), "ws-1", bytes_out=2_000_000)
        story.logon(at("6:30", day=day), 1, "ws-2")
        for number in (1, 2, 3, 6):
            story.enter(at(f"7:{10 + number}", day=day), "front", number)
            story.enter(at(f"7:{20 + number}", day=day), "office", number)
        for hour in (8, 10, 12):
            story.enter(at(f"{hour}:00", day=day), "closet", 1)
            story.flow(at(f"{hour}:10", day=day), "ws-1", bytes_out=chance.randint(6_000_000, 9_000_000))
            if hour != 10:
                story.leave(at(f"{hour}:30", day=day), "closet", 1)
        location = {"city": "Lisbon", "country": "PT", "lat": 38.72, "long": -9.14}
        story.logon(at("9:00", day=day), 2, "mail", kind=3, src_endpoint={"ip": "198.51.100.7", "location": location}, ww_accuracy_km=20)
        story.add(at("11:00", day=day), "idp", EventClass.TUNNEL_ACTIVITY, 1, credential="account:p3", src_ip="198.51.100.9")
        story.enter(at("13:00", day=day), "far", 6, site="far")
        story.enter(at("13:30", day=day), "front", 6)
        story.enter(at("14:00", day=day), "front", 2)
        story.enter(at("14:00:03", day=day), "closet", 2)
        story.leave(at("15:00", day=day), "front", 3)
        story.logon(at("22:30", day=day), 3, "ws-1")
    return story


def judged_in(order: random.Random | None, story: Story) -> dict[str, Finding]:
    engine = Engine(
        build_detectors([rule for rule in load_rules(shipped_rules()) if rule.id in RULES], story.directory).detectors, story.directory
    )
    events = list(story.events)
    if order is not None:
        order.shuffle(events)
    low, now = at("0:00"), at("23:00", day=1)
    found: dict[str, Finding] = {}
    while events:
        size = order.randint(1, 12) if order is not None else len(events)
        batch, events = events[:size], events[size:]
        changes = engine.feed(batch, coverage(now), low=low)
        for finding in changes.withdrawn:
            found.pop(finding.uid, None)
        found.update({finding.uid: finding for finding in (*changes.changed, *changes.new)})
    changes = engine.tick(coverage(now + timedelta(days=3)), low=low)
    found.update({finding.uid: finding for finding in (*changes.changed, *changes.new)})
    assert not engine.failures
    assert not any(name.startswith("failed") for name in engine.counters)
    return found


@pytest.fixture(scope="module")
def story() -> Story:
    return eventful()


def test_the_story_concerns_every_rule(story: Story) -> None:
    assert {finding.rule for finding in judged_in(None, story).values()} == RULES


@pytest.mark.parametrize("seed", range(8))
def test_any_order_gives_the_same_findings(story: Story, seed: int) -> None:
    assert judged_in(random.Random(seed), story) == judged_in(None, story)
