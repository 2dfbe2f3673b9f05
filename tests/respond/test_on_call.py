# ruff: noqa: ARG002 - peers of the tests keep the ports' signatures
"""On call as it is kept: rotas, swaps offered and taken, overrides, calendars in and out, gaps ahead; on both engines."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from watchword.kit.clock import ManualClock
from watchword.kit.errors import Conflict, Forbidden, InputError, NotFound
from watchword.respond.on_call_service import OnCall
from watchword.respond.rota import Hours, Layer

BERLIN = ZoneInfo("Europe/Berlin")
T0 = datetime(2026, 3, 3, 12, tzinfo=UTC)
WEEK = Layer("primary", ("ann", "ben"), date(2026, 3, 2))


class Roster:
    gone: frozenset = frozenset()

    def team_of(self, person):
        return "" if person in self.gone or person not in {"ann", "ben", "cem"} else "it"

    def members(self, team):
        return ["ann", "ben", "cem"]

    def deputies(self, incident):
        return []

    def managers(self):
        return []


@dataclass
class Trail:
    entries: list = field(default_factory=list)

    def write(self, actor, action, target="", reason="", detail=None, *, connection=None):
        assert connection is not None
        self.entries.append((actor, action))


@pytest.fixture
def house(records):
    made = OnCall(records, ManualClock(T0), Roster(), Trail(), b"k" * 32)
    made.put("first", "it", "Europe/Berlin", [WEEK], by="adm")
    return made


def names(house, *days):
    return [(house.who("it", datetime(2026, 3, day, 12, tzinfo=UTC)) or [None])[0].shift.person for day in days]


def test_a_rota_is_kept_and_changed_by_version(house):
    assert names(house, 3, 10, 17) == ["ann", "ben", "ann"]
    assert [duty.shift.person for duty in house.next("it", T0)] == ["ben"]
    assert house.who("physical", T0) == []
    kept = house.get("first")
    nights = Layer("nights", ("cem",), date(2026, 3, 2), time(0), 7, (Hours(time(20), time(6), frozenset({0, 1})),), date(2026, 6, 1))
    assert house.put("first", "it", "Europe/Berlin", [WEEK, nights], by="adm", version=kept.version).rota.layers == (WEEK, nights)
    with pytest.raises(Conflict, match="changed meanwhile"):
        house.put("first", "it", "Europe/Berlin", [WEEK], by="adm", version=kept.version)
    with pytest.raises(Conflict):
        house.put("second", "it", "Europe/Berlin", [WEEK], by="adm", version=3)
    with pytest.raises(InputError, match="nobody active is called 'zoe'") as caught:
        house.put("a/b", "police", "Mars", [Layer("x", ("zoe",), date(2026, 1, 1))], by="adm")
    assert "no time zone" in str(caught.value)
    assert "no team" in str(caught.value)
    with pytest.raises(NotFound):
        house.get("none")


def test_a_turn_is_offered_and_taken_once(house):
    with pytest.raises(Forbidden):
        house.offer_swap("first", "primary", 1, by="ann")
    uid = house.offer_swap("first", "primary", 1, by="ben", reason="wedding")
    assert [offer.uid for _, offer in house.offers()] == [uid]
    assert names(house, 10) == ["ben"]
    house.take_offer(uid, by="cem")
    assert names(house, 10) == ["cem"]
    with pytest.raises(Conflict):
        house.take_offer(uid, by="ann")
    moved = house.put("first", "it", "Europe/Berlin", [Layer("primary", ("ann", "ben"), date(2026, 3, 5))], by="adm", version=1)
    assert moved.rota.swaps[0].taker == "cem"
    assert names(house, 10, 13) == ["ann", "cem"]
    house.withdraw_swap(uid, by="cem")
    assert names(house, 13) == ["ben"]
    for wrong in (("first", "none", 1), ("none", "primary", 1), ("first", "primary", -1)):
        with pytest.raises(NotFound):
            house.take(*wrong, by="ann")


def test_a_shift_is_taken_with_one_click(house):
    house.take("first", "primary", 0, by="cem")
    assert names(house, 3) == ["cem"]
    with pytest.raises(Conflict, match="yours already"):
        house.take("first", "primary", 0, by="cem")
    house.take("first", "primary", 0, by="ben")
    assert names(house, 3) == ["ben"]


def test_an_override_wins_until_it_is_withdrawn(house):
    house.take("first", "primary", 1, by="cem")
    uid = house.override("first", datetime(2026, 3, 10, tzinfo=UTC), datetime(2026, 3, 11, tzinfo=UTC), "ann", by="adm", reason="ill")
    assert names(house, 10, 11) == ["ann", "cem"]
    house.withdraw_override(uid, by="adm")
    assert names(house, 10) == ["cem"]
    with pytest.raises(NotFound):
        house.withdraw_override(uid, by="adm")
    with pytest.raises(InputError):
        house.override("first", T0, T0, "ann", by="adm")
    with pytest.raises(InputError):
        house.override("first", T0, T0 + timedelta(days=1), "zoe", by="adm")
    assert [entry[1] for entry in house._auditor.entries] == ["rota.put", "rota.swap", "rota.override", "rota.override.withdraw"]


def test_gaps_a_week_ahead_and_whoever_left_is_one(house):
    week = T0 + timedelta(days=7)
    assert house.gaps(week) == []
    house.put(
        "first", "it", "Europe/Berlin", [Layer("primary", ("ann", "ben"), date(2026, 3, 2), until=date(2026, 3, 9))], by="adm", version=1
    )
    (gap,) = house.gaps(week)
    assert (gap.rota, gap.team, gap.since, gap.until) == ("first", "it", datetime(2026, 3, 9, 8, tzinfo=UTC), week)
    house._roster.gone = frozenset({"ann"})
    assert [each.since for each in house.gaps(week)] == [T0, gap.since]


def test_calendars_go_out_by_a_secret_address_and_come_in_as_overrides(house):
    token = house.feed_token("first")
    assert b"SUMMARY:ann" in house.calendar_of(token)
    fresh = house.renew_feed("first", by="adm")
    assert fresh != token
    with pytest.raises(NotFound):
        house.calendar_of(token)
    assert house.calendar_of(fresh) == house.calendar("first")
    text = b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nBEGIN:VEVENT\r\nUID:1\r\nSUMMARY:cem\r\nDTSTART:20260310T000000Z\r\nDTEND:20260311T000000Z\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    assert len(house.import_calendar("first", text, "leave.ics", by="adm").overrides) == 1
    house.import_calendar("first", text, "leave.ics", by="adm")
    assert len(house.get("first").rota.overrides) == 1
    assert names(house, 10, 11) == ["cem", "ben"]
    house.import_calendar("first", text.replace(b"20260310", b"20260312").replace(b"20260311", b"20260313"), "leave.ics", by="adm")
    assert names(house, 10, 12) == ["ben", "cem"]


def test_shifts_are_listed_within_bounds(house):
    found = house.shifts("first", datetime(2026, 3, 2, tzinfo=BERLIN), datetime(2026, 3, 23, tzinfo=BERLIN))
    assert [shift.person for shift in found] == ["ann", "ben", "ann"]
    with pytest.raises(InputError):
        house.shifts("first", T0, T0)
