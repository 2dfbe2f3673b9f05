"""Objects made by the million are the same objects."""

from dataclasses import FrozenInstanceError, replace
from datetime import UTC, datetime

import pytest

from watchword.ingest.mapping_run import event_uid
from watchword.kit.ids import uid_of
from watchword.model import Event, RawRecord
from watchword.model.making import make_event, make_record

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def test_a_made_event_is_an_event() -> None:
    fields = ("a" * 32, "b" * 32, "s", NOON, NOON, 1, 2, 3, "p", "a", "l", "c", "1.2.3.4", "5.6.7.8", "m", {"x": 1})
    made = make_event(*fields)
    assert type(made) is Event
    assert made == Event(*fields)
    assert replace(made, person="q").person == "q"
    with pytest.raises(FrozenInstanceError):
        made.person = "q"  # type: ignore[misc]


def test_a_made_record_is_a_record() -> None:
    made = make_record("a" * 32, "s", NOON, b"x")
    assert type(made) is RawRecord
    assert made == RawRecord("a" * 32, "s", NOON, b"x")
    assert hash(made) == hash(RawRecord("a" * 32, "s", NOON, b"x"))


@pytest.mark.parametrize("record", ["a" * 32, "short", "é" * 32, ""])
@pytest.mark.parametrize("index", [0, 1, 12])
def test_an_events_uid_is_the_hash_of_record_and_index(record: str, index: int) -> None:
    assert event_uid(record, index) == uid_of("event", record, str(index))
