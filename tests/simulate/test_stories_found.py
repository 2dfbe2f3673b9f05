"""The loop closed without a server: deliveries → mappings → directory → engine, and every story must be found."""

from collections import Counter
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest

from watchword.detect.coverage import SourceCoverage
from watchword.detect.engine import Engine
from watchword.detect.loader import build_detectors, load_rules, shipped_rules
from watchword.detect.silence import SilenceRule
from watchword.model.ocsf import Severity
from watchword.simulate import organisation, simulate

SEED = 2026
MONDAY = date(2026, 11, 2)
DAYS = 3
STEP = timedelta(minutes=15)


@pytest.fixture(scope="module")
def judged(make_door_session, steps):
    org = organisation(SEED, MONDAY)
    door = make_door_session(org)
    run = simulate(org, MONDAY, DAYS, SEED)
    detectors = build_detectors(load_rules(shipped_rules()), door.directory).detectors
    engine = Engine(detectors, door.directory)
    found = {}
    now = None
    for now, batch in steps(door.events(run), STEP):
        changes = engine.feed(batch, SourceCoverage(list(door.sources.values()), door.statuses, now))
        found.update({finding.uid: finding for finding in changes.findings})
        for finding in changes.withdrawn:
            found.pop(finding.uid, None)
    assert engine.failures == {}
    for rule in (detector for detector in detectors if isinstance(detector, SilenceRule)):
        rule.lookback = timedelta(days=DAYS + 1)
        arrivals = {name: thinned(moments) for name, moments in door.arrivals.items()}
        found.update({finding.uid: finding for finding in rule.findings(door.sources.values(), arrivals, now)})
    return run, list(found.values())


def thinned(moments):
    """Keep one arrival a minute: silence is judged in minutes."""
    kept = []
    for moment in moments:
        if not kept or moment - kept[-1] >= timedelta(minutes=1):
            kept.append(moment)
    return kept


def concerns(finding, story):
    """Tell whether a finding speaks of a story's time and of something that the story names."""
    if finding.last_time < story.since or finding.first_time > story.until:
        return False
    named = {*story.persons, *story.places, *story.assets, *story.addresses}
    said = {*finding.persons, *finding.places, *finding.assets, *finding.addresses}
    return bool(named & said) or finding.rule == "ww_036"


@pytest.mark.slow
def test_every_story_is_found(judged):
    run, findings = judged
    missed = {}
    for story in run.truth():
        fired = {finding.rule for finding in findings if concerns(finding, story)}
        lacking = set(story.rules) - fired
        if lacking or (story.any_of and not fired & set(story.any_of)):
            missed[story.name] = (sorted(lacking), sorted(fired), story.says)
    assert len(run.truth()) == 11
    assert missed == {}


@pytest.mark.slow
def test_benign_days_are_quiet(judged):
    run, findings = judged
    zone = ZoneInfo("Europe/Berlin")
    quiet = set(run.benign_days())
    high = [
        (finding.time.astimezone(zone).date(), finding.rule, finding.because)
        for finding in findings
        if finding.severity >= Severity.HIGH and finding.time.astimezone(zone).date() in quiet
    ]
    assert all(count <= 2 for count in Counter(day for day, *_ in high).values()), high
