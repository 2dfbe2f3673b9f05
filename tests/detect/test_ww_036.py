"""Detection 36: a source silent."""

import random
from datetime import datetime, timedelta

from tests.detect.story import SITE, at, directory

from watchword.detect.loader import build_detectors, load_rules, shipped_rules
from watchword.detect.silence import SilenceRule, SilenceWatch, expected_gap, silences
from watchword.model import Asset, AssetBook, AssetKind, Domain, FindingState, Source, SourceKind
from watchword.resolve.directory import Directory

MINUTE = timedelta(minutes=1)


def source(name: str, rhythm: timedelta | None = timedelta(minutes=10), site: str = SITE) -> Source:
    return Source(name, Domain.PHYSICAL, SourceKind.ACCESS_CONTROL, "syslog", site=site, rhythm=rhythm)


def book(**assets: tuple[str, ...]) -> Directory:
    known = directory()
    more = {f"asset:{name}": Asset(f"asset:{name}", name, AssetKind.PANEL, addresses=(name,), upstream=up) for name, up in assets.items()}
    return Directory(known.site, known.people, AssetBook({**known.assets.assets, **more}))


def the_rule(known: Directory | None = None) -> SilenceRule:
    rules = [rule for rule in load_rules(shipped_rules()) if rule.id == "ww_036"]
    [made] = build_detectors(rules, known or directory()).detectors
    assert isinstance(made, SilenceRule)
    return made


def every(minutes: int, since: datetime, until: datetime) -> list[datetime]:
    return [since + timedelta(minutes=minutes * step) for step in range(int((until - since) / timedelta(minutes=minutes)) + 1)]


def test_silent_for_three_times_its_rhythm():
    arrivals = {"door": every(5, at("8:00"), at("9:00"))}
    [finding] = the_rule().findings([source("door")], arrivals, at("9:30:01"))
    assert (finding.severity, finding.state) == (3, FindingState.PROVISIONAL)
    assert (finding.first_time, finding.time) == (at("9:00"), at("9:30"))
    assert "door" in finding.because
    assert "10 min" in finding.because
    assert "10:00:00 CET" in finding.because


def test_not_yet_and_a_source_that_never_spoke_are_nothing():
    arrivals = {"door": every(5, at("8:00"), at("9:00"))}
    assert the_rule().findings([source("door"), source("new")], arrivals, at("9:30")) == []


def test_the_next_record_closes_it_under_the_same_uid():
    rule = the_rule()
    before = every(5, at("8:00"), at("9:00"))
    [opened] = rule.findings([source("door")], {"door": before}, at("9:40"))
    [closed] = rule.findings([source("door")], {"door": [*before, at("10:00")]}, at("10:05"))
    assert closed.uid == opened.uid
    assert (closed.state, closed.last_time) == (FindingState.FINAL, at("10:00"))
    assert "came again after 60 min" in closed.because


def test_two_that_share_nothing_are_high():
    known = book(door=("asset:core",), panel=("asset:recorder",))
    arrivals = {"door": every(5, at("8:00"), at("9:00")), "panel": every(5, at("8:00"), at("9:05"))}
    found = the_rule(known).findings([source("door"), source("panel")], arrivals, at("9:50"))
    assert [finding.severity for finding in found] == [4, 4]
    assert "shares no feed" in found[0].because


def test_two_that_share_a_switch_are_one_finding_on_it():
    known = book(door=("asset:sw-closet",), panel=("asset:core",))
    arrivals = {"door": every(5, at("8:00"), at("9:00")), "panel": every(5, at("8:00"), at("9:05"))}
    [finding] = the_rule(known).findings([source("door"), source("panel")], arrivals, at("9:50"))
    assert finding.severity == 3
    assert finding.assets == ("asset:core", "asset:door", "asset:panel")


def test_far_apart_in_time_or_place_are_two():
    known = book(door=("asset:core",), panel=("asset:core",))
    arrivals = {"door": every(5, at("8:00"), at("9:00")), "panel": every(5, at("8:00"), at("9:15"))}
    assert len(the_rule(known).findings([source("door"), source("panel")], arrivals, at("10:00"))) == 2
    arrivals["panel"] = arrivals["door"]
    assert len(the_rule(known).findings([source("door"), source("panel", site="far")], arrivals, at("10:00"))) == 2


def test_the_rhythm_is_learned_and_a_quiet_source_is_not_judged():
    learned = source("door", rhythm=None)
    arrivals = every(10, at("0:00", day=-7), at("9:00"))
    assert expected_gap(learned, arrivals, at("9:00")) == 10 * MINUTE
    assert silences(learned, arrivals, at("9:30"), at("0:00")) == []
    [silence] = silences(learned, arrivals, at("9:31"), at("0:00"))
    assert silence.last == at("9:00")
    assert silences(learned, every(60, at("0:00"), at("9:00")), at("23:00"), at("0:00")) == []
    assert expected_gap(source("door", rhythm=timedelta(seconds=1)), [], at("9:00")) == MINUTE


def test_a_pure_function_of_the_set_of_arrivals():
    rng = random.Random(5)
    arrivals = sorted({at("0:00") + timedelta(seconds=rng.randrange(86400)) for _ in range(300)})
    whole = silences(source("door", timedelta(minutes=2)), arrivals, at("0:00", day=1), at("0:00"))
    assert len(whole) > 3
    known: set[datetime] = set()
    for moment in arrivals:
        known.add(moment)
    assert silences(source("door", timedelta(minutes=2)), sorted(known), at("0:00", day=1), at("0:00")) == whole


def test_the_watch_says_each_thing_once():
    watch = SilenceWatch([the_rule()])
    before = every(5, at("8:00"), at("9:00"))
    sources = [source("door")]
    new, changed, gone = watch.listen(sources, {"door": before}, at("9:40"))
    assert (len(new), changed, gone) == (1, [], [])
    assert watch.listen(sources, {"door": before}, at("9:45")) == ([], [], [])
    new, changed, gone = watch.listen(sources, {"door": [*before, at("10:00")]}, at("10:01"))
    assert (new, len(changed), gone) == ([], 1, [])
    assert watch.listen(sources, {"door": [*before, *every(5, at("10:00", day=3), at("11:00", day=3))]}, at("11:00", day=3))[2] == []
