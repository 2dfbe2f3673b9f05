"""Device times in every form that sources write."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watchword.ingest.moment import AMBIGUOUS, ASSUMED, MomentFault, moment_reader

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("form", "value"),
    [
        ("iso", "2026-03-01T12:00:00Z"),
        ("iso", "2026-03-01T12:00:00.0009999Z"),
        ("iso", "2026-03-01 13:00:00+01:00"),
        ("iso", "2026-03-01 12:00:00 UTC"),
        ("iso", " 2026-03-01T13:00:00 +0100 "),
        ("iso", "20260301T120000Z"),
        ("epoch", 1772366400),
        ("epoch", "1772366400.0004"),
        ("epoch_ms", 1772366400000),
        ("epoch_ms", "1772366400000"),
        ("%d.%m.%Y %H:%M:%S", "01.03.2026 12:00:00"),
        ("%d.%m.%Y %H:%M:%S", "1.3.2026 12:00:00"),
        ("%m/%d/%Y %I:%M:%S %p", "03/01/2026 12:00:00 PM"),
        ("%b %d %Y %H:%M:%S", "Mar 01 2026 12:00:00"),
        ("%Y%m%d%H%M%S", "20260301120000"),
        ("%Y-%m-%dT%H:%M:%S%z", "2026-03-01T13:00:00+0100"),
    ],
)
def test_a_form_is_read(form: str, value: object) -> None:
    assert moment_reader((form,), ZoneInfo("UTC"))(value) == (NOON, "")


@pytest.mark.parametrize(
    ("form", "value", "words"),
    [
        ("iso", "yesterday", "time.format"),
        ("epoch", "1772366400000", "epoch_ms"),
        ("epoch", "x", "seconds"),
        ("epoch_ms", "9" * 30, "milliseconds"),
        ("epoch", float("nan"), "seconds"),
        ("epoch", True, ""),
        ("%d.%m.%Y", "31.02.2026", "%d.%m.%Y"),
        ("%d.%m.%Y", "31-01-2026", "%d.%m.%Y"),
        ("iso", None, "ISO"),
        ("iso", "9999-12-31T23:59:59-10:00", "years"),
    ],
)
def test_what_cannot_be_read_is_named(form: str, value: object, words: str) -> None:
    if value is True:
        assert moment_reader((form,))(value)[0].year == 1970
        return
    with pytest.raises(MomentFault, match=words):
        moment_reader((form,))(value)


@pytest.mark.parametrize("form", ["soon", "%H:%M", "%Y-%m-%d %Z"])
def test_a_format_that_cannot_work_is_refused(form: str) -> None:
    with pytest.raises(ValueError, match=r"time format|no year|%Z"):
        moment_reader((form,))


def test_without_a_zone_utc_is_assumed_and_said() -> None:
    assert moment_reader(("iso",))("2026-03-01 12:00:00") == (NOON, ASSUMED)


def test_both_folds_and_the_gap() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    first, second = (moment_reader(("iso",), berlin, fold)("2026-10-25 02:59:59.9999") for fold in (0, 1))
    assert first == (datetime(2026, 10, 25, 0, 59, 59, 999000, tzinfo=UTC), AMBIGUOUS)
    assert second == (datetime(2026, 10, 25, 1, 59, 59, 999000, tzinfo=UTC), AMBIGUOUS)
    read = moment_reader(("iso",), berlin)
    for text in ("2026-03-29 02:00:00", "2026-03-29 02:59:59"):
        with pytest.raises(MomentFault, match="does not exist"):
            read(text)
    assert read("2026-03-29 03:00:00")[0] == datetime(2026, 3, 29, 1, 0, tzinfo=UTC)


@settings(max_examples=300, deadline=None)
@given(st.datetimes(datetime(1971, 1, 1), datetime(2037, 1, 1)))  # noqa: DTZ001 - wall-clock times are meant
def test_local_times_agree_with_the_tz_database(naive: datetime) -> None:
    zone = ZoneInfo("Europe/Lisbon")
    naive = naive.replace(microsecond=0)
    read = moment_reader(("%Y-%m-%d %H:%M:%S",), zone)
    expected = naive.replace(tzinfo=zone).astimezone(UTC)
    exists = expected.astimezone(zone).replace(tzinfo=None) == naive
    if exists:
        assert read(f"{naive:%Y-%m-%d %H:%M:%S}")[0] == expected
    else:
        with pytest.raises(MomentFault):
            read(f"{naive:%Y-%m-%d %H:%M:%S}")
