"""Drafts on both engines: one per person and playbook, bounded, and gone when they are dropped."""

from datetime import UTC, datetime, timedelta

import pytest

from watchword.kit.clock import ManualClock
from watchword.kit.errors import InputError
from watchword.respond.draft_service import MOST_DRAFTS, Drafts

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_a_draft_is_ones_own_and_the_last_one_stands(records):
    clock = ManualClock(NOW)
    drafts = Drafts(records, clock)
    drafts.put("playbook--1", "mia", "{}", "v1")
    clock.advance(timedelta(minutes=1))
    drafts.put("playbook--1", "mia", '{"a": "ä"}', "v1")
    drafts.put("playbook--1", "root", "{ }", "")
    kept = drafts.get("playbook--1", "mia")
    assert kept is not None
    assert (kept.text, kept.base, kept.at) == ('{"a": "ä"}', "v1", NOW + timedelta(minutes=1))
    assert [one.text for one in drafts.of("root")] == ["{ }"]
    drafts.drop("playbook--1", "mia")
    assert drafts.get("playbook--1", "mia") is None
    assert drafts.get("playbook--1", "root") is not None


def test_drafts_are_bounded(records):
    drafts = Drafts(records, ManualClock(NOW))
    with pytest.raises(InputError, match="longer than 5 MB"):
        drafts.put("playbook--1", "mia", "x" * 5_000_001, "")
    for number in range(MOST_DRAFTS):
        drafts.put(f"playbook--{number}", "mia", "{}", "")
    with pytest.raises(InputError, match="save or discard one first"):
        drafts.put("playbook--more", "mia", "{}", "")
    drafts.put("playbook--0", "mia", "{ }", "")
