"""A segment that could not be stored or judged at first is taken up again by the same worker: it is sealed, so nothing else would."""

from datetime import UTC, date, datetime, timedelta

import pytest

from watchword.app.demo import furnish, incoming_of
from watchword.app.pipeline import Pipeline
from watchword.app.settings import read_settings
from watchword.app.watchword import open_watchword
from watchword.ingest.intake import Incoming
from watchword.ingest.segments import SegmentState
from watchword.kit.clock import ManualClock
from watchword.kit.errors import Full
from watchword.kit.ids import uid_of
from watchword.model import EventQuery, Source, SourceStatus
from watchword.model.source import Domain, SourceKind
from watchword.simulate import organisation, simulate

BODIES = [b'{"n": 1}', b'{"n": 2}', b'{"n": 3}']


class Refusing:
    """An object of which one method fails the first time."""

    def __init__(self, inner, name):
        self._inner = inner
        self._name = name
        self.left = 1

    def __getattr__(self, name):
        found = getattr(self._inner, name)
        if name != self._name:
            return found

        def once(*given, **named):
            if self.left:
                self.left -= 1
                raise Full("the disk is full")
            return found(*given, **named)

        return once


@pytest.fixture
def watchword(tmp_path):
    with open_watchword(read_settings(environment={}, overrides={"data": tmp_path})) as opened:
        opened.ledger.put_source(Source("probe", Domain.IT, SourceKind.HOST, "webhook"))
        yield opened


@pytest.mark.parametrize(("where", "what"), [("_log", "insert"), ("segments", "move"), ("_spool", "release")])
def test_a_segment_is_finished_once_there_is_room_again(watchword, monkeypatch, where, what):
    pipeline = Pipeline(watchword)
    pipeline.start()
    watchword.intake.accept("probe", [Incoming(body) for body in BODIES])
    monkeypatch.setattr(watchword.sealer, where, Refusing(getattr(watchword.sealer, where), what))
    with pytest.raises(Full):
        pipeline.step()
    while pipeline.step():
        pass
    assert watchword.spool.depth().records == 0
    assert len(watchword.events.events(EventQuery())) == len(BODIES)
    assert [row.state for row in watchword.sealer.segments.rows(*SegmentState)] == [SegmentState.JUDGED]


def test_findings_that_could_not_be_kept_are_kept_with_the_next(watchword, monkeypatch):
    pipeline = Pipeline(watchword)
    pipeline.start()
    watchword.intake.accept("probe", [Incoming(BODIES[0])])
    monkeypatch.setattr(watchword, "findings", Refusing(watchword.findings, "put"))
    with pytest.raises(Full):
        pipeline.step()
    assert pipeline.step() == 0
    assert [row.state for row in watchword.sealer.segments.rows(*SegmentState)] == [SegmentState.JUDGED]


def test_a_segment_is_not_judged_before_the_late_history_it_brought_is(watchword):
    org = organisation(3)
    furnish(watchword, org)
    watchword.mappings.forget()
    old = [delivery for delivery in simulate(org, date(2026, 6, 1), 1, 3, stories=()) if delivery.source == "harbour-doors"][:20]
    watchword.intake.accept("harbour-doors", [item for delivery in old for item in incoming_of(delivery, "webhook")])
    pipeline = Pipeline(watchword)
    pipeline.start()
    pipeline.step(sweeping=False)
    assert pipeline.judge.overdue is not None
    assert len(list(watchword.sealer.unjudged())) == 1, "a crash here must repeat the sweep"
    after_a_crash = Pipeline(watchword)
    after_a_crash.start()
    assert after_a_crash.judge.overdue is None
    assert list(watchword.sealer.unjudged()) == []


def test_what_a_source_lost_stays_uncovered_after_it_speaks_again_and_after_a_restart(tmp_path):
    clock = ManualClock(datetime(2026, 6, 1, 8, tzinfo=UTC))
    with open_watchword(read_settings(environment={}, overrides={"data": tmp_path}), clock) as watchword:
        watchword.ledger.put_source(Source("reader", Domain.PHYSICAL, SourceKind.ACCESS_CONTROL, "syslog", rhythm=timedelta(minutes=10)))
        pipeline = Pipeline(watchword)
        pipeline.start()
        for hour in (8, 9, 12):
            clock.at = datetime(2026, 6, 1, hour, tzinfo=UTC)
            watchword.intake.accept("reader", [Incoming(BODIES[0], uid_of("reader", str(hour)))])
            pipeline.step()
        asked = [datetime(2026, 6, 1, 10, minute, tzinfo=UTC) for minute in (0, 10)]
        for each in (pipeline, Pipeline(watchword)):
            each.judge.statuses["reader"] = SourceStatus("reader", last_received=clock.at, last_time=clock.at)
            assert each.judge.coverage().in_gap([SourceKind.ACCESS_CONTROL], "", *asked)
            assert each.judge.coverage().decide([SourceKind.ACCESS_CONTROL], "", *asked) is None
        assert [(gap.since.hour, gap.until.hour) for gap in watchword.gaps.list()] == [(8, 9), (9, 12)]
