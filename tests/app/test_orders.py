"""The same records in another order, or a controller's day coming 20 hours late, give the same findings through the whole pipeline."""

from datetime import timedelta

import pytest

from watchword.app.demo import FIRST_DAY, delayed, run_once, shuffled
from watchword.app.settings import read_settings

SEED = 9011
ORDER = 2
"""In this order a file comes more than a day late, beside events that the engine still holds."""


def played(folder, order=iter, days=1):
    return run_once(read_settings(None, {}, {"data": folder}), days, SEED, order=order)


def lateness_of_sources():
    from watchword.app.demo import demo_mappings
    from watchword.ingest.mapping import load_mapping

    return {name: load_mapping(text, name, key=b"k").source(name).lateness for name, text in demo_mappings().items()}


def uids(outcome):
    return set(outcome["uids"])


@pytest.fixture(scope="module")
def in_order(tmp_path_factory):
    return played(tmp_path_factory.mktemp("in-order"))


@pytest.mark.slow
def test_every_story_of_the_day_is_found(in_order):
    assert in_order["stories"]
    assert [story["story"] for story in in_order["stories"] if not story["found"]] == []
    assert in_order["unparsed"] < in_order["records"] / 500


@pytest.mark.slow
def test_any_order_within_the_lateness_gives_the_same_findings(in_order, tmp_path):
    lateness = lateness_of_sources()
    other = played(tmp_path / "shuffled", lambda run: shuffled(run, lateness, ORDER))
    assert uids(other) == uids(in_order)


@pytest.mark.slow
def test_a_days_upload_that_comes_twenty_hours_late_gives_the_same_findings(in_order, tmp_path):
    day = FIRST_DAY
    other = played(tmp_path / "late", lambda run: delayed(run, "mill-doors", day, timedelta(hours=20)))
    assert uids(other) == uids(in_order)
