"""Hearing: what a source lost is known whatever the order of its arrivals, and rules, alibis and restarts leave it out."""

import random
from dataclasses import replace
from datetime import timedelta

from tests.detect.story import OFFICE, SERVER, SITE, SOURCES, Story, at, directory

from watchword.detect.alibi import Moment, Word, alibis
from watchword.detect.coverage import Gap, SourceCoverage, lost_at
from watchword.detect.gaps import Gaps
from watchword.detect.hearing import Hearing
from watchword.detect.insight import covered_within, lost_within, spans_of, whereabouts_of
from watchword.model import SourceKind, SourceStatus
from watchword.stores.records import open_records

DOORS = SOURCES[0]
"""Rhythm 30 min, so that its records count as lost after 90 min of silence."""
KINDS = (SourceKind.ACCESS_CONTROL,)


def test_a_silence_of_a_source_that_keeps_nothing_is_a_gap_once_it_speaks_again():
    hearing = Hearing({"doors": at("8:00")})
    assert not hearing.hear(DOORS, [at("8:30"), at("9:59")])
    assert hearing.hear(DOORS, [at("11:30")])
    assert hearing.gaps == [Gap("doors", at("9:59"), at("11:30"))]


def test_no_gap_without_a_rhythm_of_its_own_where_records_are_kept_or_at_first_hearing():
    moments = [at("8:00"), at("20:00")]
    assert not Hearing({}).hear(replace(DOORS, rhythm=None), moments)
    assert not Hearing({}).hear(replace(DOORS, lateness=timedelta(hours=24)), moments)
    assert not Hearing({}).hear(DOORS, [at("20:00")])


def test_any_order_and_any_cut_of_the_arrivals_gives_the_same_gaps():
    rng = random.Random(7)
    moments = sorted({at("0:00") + timedelta(seconds=rng.randrange(3 * 86400)) for _ in range(60)})
    whole = Hearing({})
    whole.hear(DOORS, moments)
    assert len(whole.gaps) > 5
    for seed in range(20):
        other, mixed = Hearing({}), moments[1:]
        random.Random(seed).shuffle(mixed)
        other.hear(DOORS, moments[:1])
        for start in range(0, len(mixed), 7):
            other.hear(DOORS, mixed[start : start + 7])
        assert sorted(other.gaps, key=lambda gap: gap.since) == whole.gaps


def test_an_absence_in_the_gap_is_never_judged_though_the_source_speaks_again():
    hearing = Hearing({"doors": at("8:00")})
    hearing.hear(DOORS, [at("12:00")])
    statuses = {"doors": SourceStatus("doors", last_received=at("13:00"), last_time=at("13:00"))}
    coverage = SourceCoverage(SOURCES, statuses, at("13:00"), hearing.gaps)
    assert coverage.decide(KINDS, SITE, at("9:00"), at("9:30")) is None
    assert coverage.decide(KINDS, SITE, at("7:00"), at("7:30")) is not None
    assert coverage.decide(KINDS, SITE, at("12:10"), at("12:30")) is not None


def test_gaps_are_kept_and_replaced(tmp_path):
    records = open_records(f"sqlite:///{tmp_path / 'records.sqlite3'}")
    records.migrate()
    gaps = Gaps(records)
    first, second = Gap("doors", at("8:00"), at("10:00")), Gap("doors", at("12:00"), at("15:00"))
    gaps.put("doors", [first, second])
    gaps.put("cameras", [Gap("cameras", at("8:00"))])
    assert gaps.list() == [Gap("cameras", at("8:00")), first, second]
    assert gaps.list(since=at("11:00")) == [Gap("cameras", at("8:00")), second]
    gaps.put("doors", [second])
    assert [gap for gap in gaps.list() if gap.source == "doors"] == [second]
    records.close()


def words(story: Story, gaps: list[Gap], moment: Moment) -> dict[str, Word]:
    doors = [event for event in story.events if event.place]
    holed = lost_within(lost_at(gaps, SOURCES))
    people = whereabouts_of(doors, directory(), covered_within(spans_of(doors), holed), holed)
    return {person: alibi.proofs[0].word for person, alibi in alibis(people, [moment]).items()}


def test_an_alibi_does_not_stand_on_hours_that_the_doors_lost():
    story = Story()
    story.enter(at("8:00", day=-1), "front", 3)
    story.enter(at("8:00"), "office", 1)
    story.leave(at("8:30"), "front", 2)
    story.enter(at("20:00"), "front", 3)
    whole = words(story, [], Moment(at("12:00"), SERVER))
    assert (whole["person:2"], whole["person:6"]) == (Word.EXCLUDED, Word.EXCLUDED)
    holed = words(story, [Gap("doors", at("9:00"), at("11:00"))], Moment(at("12:00"), SERVER))
    assert (holed["person:2"], holed["person:6"]) == (Word.POSSIBLE, Word.POSSIBLE), "left, and never came: both rest on a whole log"
    assert words(story, [Gap("doors", at("13:00"), at("15:00"))], Moment(at("12:00"), SERVER)) == whole
    assert words(story, [Gap("cameras", at("9:00"), at("11:00"))], Moment(at("12:00"), SERVER)) == whole
    assert words(story, [Gap("doors", at("9:00"), at("11:00"))], Moment(at("8:10"), OFFICE))["person:1"] is Word.PRESENT
