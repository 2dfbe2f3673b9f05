from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from watchword.kit.chain import GENESIS, link
from watchword.kit.clock import to_millisecond
from watchword.kit.ids import random_uid, uid_of, uids_under
from watchword.kit.instant import from_ms, to_ms
from watchword.kit.secrets import key_from_file, sign, verify


def test_parts_cannot_run_into_each_other():
    assert uid_of("ab", "c") != uid_of("a", "bc")
    assert uid_of("a", b"b") == uid_of("a", "b")
    assert len(random_uid()) == len(uid_of("x")) == 32


@given(st.lists(st.text()), st.binary())
def test_a_common_beginning_gives_the_same_uids(parts, last):
    assert uids_under(*parts)(last) == uid_of(*parts, last)


@given(st.datetimes(min_value=datetime(1970, 1, 1), max_value=datetime(2200, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001 - hypothesis wants naive bounds
def test_moments_survive_the_column(moment):
    cut = to_millisecond(moment)
    assert from_ms(to_ms(moment)) == cut
    assert moment - cut < timedelta(milliseconds=1)


def test_moments_are_utc_whatever_zone_they_come_in():
    assert to_millisecond(datetime(2026, 1, 1, 1, tzinfo=timezone(timedelta(hours=1)))) == datetime(2026, 1, 1, tzinfo=UTC)


def test_a_chain_head_binds_all_before_it():
    one = link(GENESIS, b"a")
    assert link(one, b"b") != link(link(GENESIS, b"x"), b"b")


def test_signatures_fit_only_their_bytes(tmp_path):
    key = key_from_file(tmp_path / "keys" / "site.key")
    assert key == key_from_file(tmp_path / "keys" / "site.key")
    assert (tmp_path / "keys" / "site.key").stat().st_mode & 0o777 == 0o600
    assert verify(key, b"payload", sign(key, b"payload").upper())
    assert not verify(key, b"payload ", sign(key, b"payload"))
