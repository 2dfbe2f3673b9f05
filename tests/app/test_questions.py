"""Questions in words: times, filters, cursors; what is wrong is said with the remedy."""

import contextlib
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchword.app.questions import event_query, read_class, read_cursor, read_filters, read_moment, read_severity, write_cursor
from watchword.kit.errors import InputError
from watchword.model.ocsf import EventClass

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("now", NOW),
        ("24h", NOW - timedelta(hours=24)),
        ("-1h30m", NOW - timedelta(minutes=90)),
        ("7d ago", NOW - timedelta(days=7)),
        ("2026-02-01", datetime(2026, 2, 1, tzinfo=UTC)),
        ("2026-02-01T08:00:00+01:00", datetime(2026, 2, 1, 7, tzinfo=UTC)),
        ("2026-02-01T08:00:00Z", datetime(2026, 2, 1, 8, tzinfo=UTC)),
    ],
)
def test_moments(text, moment):
    assert read_moment(text, NOW) == moment


@pytest.mark.parametrize("text", ["", "yesterday", "99999999w", "2026-13-01", "0001-01-01T00:00:00+23:00", "'; DROP TABLE x"])
def test_no_moments(text):
    with pytest.raises(InputError, match="is no time"):
        read_moment(text, NOW)


def test_filters():
    assert read_filters(["a=1", "a=2", "b=x=y"], ("a", "b")) == {"a": ["1", "2"], "b": ["x=y"]}
    with pytest.raises(InputError, match="KEY one of a, b"):
        read_filters(["c=1"], ("a", "b"))
    with pytest.raises(InputError):
        read_filters(["a"], ("a",))


def test_queries():
    query = event_query(
        {"person": ["p"], "class": ["physical_access", "3002"], "severity": ["high"], "activity": ["1"], "text": ["a", "b"]}, limit=5
    )
    assert query.persons == ("p",)
    assert query.classes == (EventClass.PHYSICAL_ACCESS, 3002)
    assert (query.severity, query.activities, query.text, query.limit) == (4, (1,), "a b", 5)
    for wrong in ({"class": ["door"]}, {"severity": ["9"]}, {"activity": ["x"]}):
        with pytest.raises(InputError):
            event_query(wrong)
    assert read_class("authentication") == 3002
    assert read_severity(" Critical ") == 5


@given(st.datetimes(timezones=st.just(UTC)), st.text(max_size=100))
def test_cursors_come_back(moment, uid):
    moment = moment.replace(microsecond=moment.microsecond // 1000 * 1000)
    assert read_cursor(write_cursor(moment, uid)) == (moment, uid)


@given(st.text(max_size=200))
def test_no_text_breaks_a_cursor(text):
    with contextlib.suppress(InputError):
        read_cursor(text)
