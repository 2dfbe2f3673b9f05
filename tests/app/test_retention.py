"""Days that a policy lets go are dropped with their entry; a hold, an open incident or an unjudged segment keeps a day."""

from datetime import UTC, date, datetime, timedelta

import pytest

from watchword.app.pipeline import Pipeline
from watchword.app.retention import PARAMETER, Retention
from watchword.app.settings import read_settings
from watchword.app.watchword import open_watchword
from watchword.ingest.intake import Incoming
from watchword.ingest.segments import SegmentState
from watchword.kit.clock import ManualClock
from watchword.kit.errors import InputError, NotFound, Unavailable
from watchword.model import EventQuery, Finding, Source
from watchword.model.decision import Decision, Direction, Expectation, Method
from watchword.model.source import Domain, SourceKind

BEGIN = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAYS = 5


class House:
    def __init__(self, watchword, clock):
        self.watchword, self.clock = watchword, clock
        watchword.ledger.put_source(Source("probe", Domain.IT, SourceKind.HOST, "webhook"))
        self.pipeline = Pipeline(watchword)
        self.pipeline.start()
        for day in range(DAYS):
            clock.at = BEGIN + timedelta(days=day)
            watchword.intake.accept("probe", [Incoming(b'{"day": %d, "n": %d}' % (day, n)) for n in range(3)], clock.at)
            while self.pipeline.step():
                pass
        self.retention = Retention(watchword)

    def decide(self, kept_for):
        now = self.clock.now()
        words = {"question": "How long?", "choice": f"{kept_for}.", "because": "Enough.", "version_hash": "0" * 64}
        review = (now + timedelta(days=200)).date()
        decision = Decision(
            uid=f"{int(now.timestamp()):032x}", number=0, body="b", method=Method.CONSENT, decided=now, in_force=now, review_on=review,
            expects=Expectation("", Direction.NONE), sets={PARAMETER: kept_for}, **words,
        )  # fmt: skip
        with self.watchword.records.begin() as connection:
            return self.watchword.governance.decisions.put(connection, decision, "ana").uid

    def events(self):
        return self.watchword.events.events(EventQuery(limit=100))

    def days(self):
        return sorted({event.received.date() for event in self.events()})


@pytest.fixture
def house(tmp_path):
    clock = ManualClock(BEGIN)
    with open_watchword(read_settings(environment={}, overrides={"data": tmp_path}), clock) as watchword:
        yield House(watchword, clock)


def test_nothing_goes_until_a_body_has_said_for_how_long_days_are_kept(house):
    house.clock.at = BEGIN + timedelta(days=4000)
    assert house.retention.plan(house.clock.now()).kept_for is None
    assert house.retention.drop(house.clock.now()) == []
    assert len(house.days()) == DAYS


def test_days_that_are_over_go_whole_with_their_entry_and_the_chain_still_holds(house, tmp_path):
    decision = house.decide("P30D")
    house.clock.at = BEGIN + timedelta(days=32)
    assert house.retention.drop(house.clock.now()) == [date(2026, 3, 1), date(2026, 3, 2)]
    assert house.days() == [date(2026, 3, 3), date(2026, 3, 4), date(2026, 3, 5)]
    assert sorted(path.name for path in (tmp_path / "archive").iterdir()) == ["2026-03-03", "2026-03-04", "2026-03-05"]
    [newer, older] = house.retention.days()
    assert (older.day, older.state, older.records, older.decision) == (date(2026, 3, 1), "dropped", 3, decision)
    assert newer.dropped_at is not None
    verdict = house.watchword.sealer.verify_segments()
    assert verdict.faults == []
    assert verdict.segments == DAYS, "the ledger still counts what went"
    assert [entry.target for entry in house.watchword.audit.entries(action="retention.drop")][:2] == ["2026-03-02", "2026-03-01"]
    assert [each.lands for each in house.watchword.governance.policies.applied(PARAMETER)] == ["ingest.event_log_kept_for"]
    assert house.retention.drop(house.clock.now()) == [], "twice is once"


def test_a_held_day_stays_until_the_hold_is_released(house):
    house.decide("P14D")
    hold = house.retention.hold("Proceedings 12/26", date(2026, 3, 2), date(2026, 3, 3), by="ana")
    house.clock.at = BEGIN + timedelta(days=100)
    assert dict(house.retention.plan(house.clock.now()).held) == {
        date(2026, 3, 2): "legal hold: Proceedings 12/26",
        date(2026, 3, 3): "legal hold: Proceedings 12/26",
    }
    house.retention.drop(house.clock.now())
    assert house.days() == [date(2026, 3, 2), date(2026, 3, 3)]
    house.retention.release(hold.uid, "The case is closed", by="boris")
    house.retention.drop(house.clock.now())
    assert house.days() == []
    with pytest.raises(NotFound):
        house.retention.release(hold.uid, "again", by="boris")
    with pytest.raises(InputError):
        house.retention.hold(" ", None, None, by="ana")


def test_a_day_on_which_an_open_incident_rests_stays(house):
    house.decide("P14D")
    event = next(each for each in house.events() if each.received.date() == date(2026, 3, 4))
    moment = event.received
    finding = Finding("f" * 32, "ww_007", 1, "Odd", 4, 0.9, moment, moment, moment, "Something is odd.", events=(event.uid,))
    house.watchword.findings.put([finding])
    house.watchword.response.incidents.open("Odd", by="ana", team="it", because="It is odd", findings=[finding.uid])
    house.clock.at = BEGIN + timedelta(days=100)
    house.retention.drop(house.clock.now())
    assert house.days() == [date(2026, 3, 4)]
    [(day, why)] = house.retention.plan(house.clock.now()).held
    assert (day, "is open and rests on it" in why) == (date(2026, 3, 4), True)


def test_what_was_begun_is_finished_after_a_crash_even_when_the_policy_is_another_by_then(house, monkeypatch):
    house.decide("P14D")
    house.clock.at = BEGIN + timedelta(days=15)

    def dies(day, segments):
        raise Unavailable("the event log does not answer")

    with monkeypatch.context() as broken:
        broken.setattr(house.watchword.sealer, "drop_day", dies)
        with pytest.raises(Unavailable):
            house.retention.drop(house.clock.now())
    assert [day.state for day in house.retention.days()] == ["begun"]
    house.decide("P400D")
    assert house.retention.drop(house.clock.now()) == [date(2026, 3, 1)]
    assert [row.state for row in house.watchword.sealer.segments.rows(SegmentState.DROPPED)] == [SegmentState.DROPPED]


def test_no_policy_goes_below_a_fortnight(house):
    house.decide("P1D")
    house.clock.at = BEGIN + timedelta(days=10)
    assert house.retention.drop(house.clock.now()) == []
    assert house.retention.plan(house.clock.now()).kept_for == timedelta(days=14)
