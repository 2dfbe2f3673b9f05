"""Probing in a running house: due probes are tried in their rhythm and no faster than allowed, and results come in at the front door."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from watchword.app.mapping_book import shipped_mappings
from watchword.app.probing import Pace, Probing, probe_now, result_record, strangers
from watchword.app.settings import Settings
from watchword.app.watchword import open_watchword
from watchword.connectors.probe_target import Probe
from watchword.connectors.probes import NotAllowed, Outcome, Verdict
from watchword.ingest.mapping import load_mapping
from watchword.kit.clock import ManualClock
from watchword.measure.component import ProbeOf, components
from watchword.measure.uptime import State
from watchword.measure.uptime_signal import PROBES, Listener
from watchword.model import RawRecord
from watchword.simulate import organisation
from watchword.simulate.probing import Equipment, tried

NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)
SITE = "site: hq\nzones: {servers: {}}\ndoors: {d: {from: outside, to: servers}}\nassets: {srv-1: {kind: server, place: servers}}\n"
WEB = Probe("web", "srv-1", "http", "127.0.0.1", 80, every=timedelta(seconds=60))
DB = Probe("database", "srv-1", "tcp", "127.0.0.1", 5432, every=timedelta(seconds=30))


class Hands:
    """A clock for rhythms that is moved by hand."""

    def __init__(self) -> None:
        self.at = 1000.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def house(tmp_path):
    clock = ManualClock(NOW)
    with open_watchword(Settings(data=tmp_path, probe_targets=(WEB, DB), probe_allow=("127.0.0.0/8",), probe_rate=600), clock) as opened:
        opened.registry.load_site(SITE, "site.yaml", "test")
        yield opened


def waiting(house) -> int:
    return house.spool.depth().records


def test_probes_are_tried_in_their_rhythm_and_handed_in(house):
    seen, hands = [], Hands()

    def attempt(probe: Probe) -> Outcome:
        seen.append(probe.name)
        return Outcome(Verdict.UP)

    work = Probing(house, attempt, hands)
    assert PROBES in house.mappings.sources()
    with ThreadPoolExecutor(2) as pool:
        hands.at += 11
        assert work.step(pool) == 2
        assert work.step(pool) == 0
        hands.at += 31
        assert work.step(pool) == 1
        hands.at += 31
        assert work.step(pool) == 2
    assert sorted(seen) == ["database"] * 3 + ["web"] * 2
    assert waiting(house) == 5


def test_what_may_not_be_probed_leaves_no_result(house):
    def attempt(probe: Probe) -> Outcome:
        if probe is DB:
            raise NotAllowed("no", "probe.allow")
        return Outcome(Verdict.DOWN, "refuses port 80")

    with ThreadPoolExecutor(2) as pool:
        assert Probing(house, attempt, Hands()).step(pool, at_once=True) == 1
    assert waiting(house) == 1


def test_no_more_are_sent_than_the_rate_allows():
    hands = Hands()
    pace = Pace(60, hands)
    assert sum(pace.take() for _ in range(100)) == 10
    hands.at += 5
    assert sum(pace.take() for _ in range(100)) == 5
    hands.at += 10_000
    assert sum(pace.take() for _ in range(100)) == 60


def test_a_result_becomes_an_event_that_moves_the_component(house):
    mapping = load_mapping(shipped_mappings()[PROBES], f"{PROBES}.yaml", key=b"k" * 32)
    directory = house.registry.directory()
    watched = components(directory, [ProbeOf("web", "asset:srv-1", "http")])
    states = {}
    for verdict, said in ((Verdict.UP, ""), (Verdict.DEGRADED, "describes no video"), (Verdict.DOWN, 'answers with status 502: "x"\n')):
        record = RawRecord("ab" * 16, PROBES, NOW, result_record(WEB, Outcome(verdict, said), NOW))
        parsed = mapping.parse(record)
        events = [directory.identify(each) for each in getattr(parsed, "events", parsed)]
        assert [event.asset for event in events] == ["asset:srv-1"]
        (signal,) = Listener(watched, {}).signals(events)
        assert (signal.condition, signal.holds, signal.at) == ("probe web", timedelta(seconds=60), NOW)
        states[verdict] = (signal.state, signal.because)
    assert states[Verdict.UP] == (State.UP, "")
    assert states[Verdict.DEGRADED] == (State.DEGRADED, "describes no video")
    assert states[Verdict.DOWN][0] is State.DOWN
    assert states[Verdict.DOWN][1].startswith("answers with status 502")


def test_probes_of_nothing_that_is_described_are_named(house):
    assert strangers(house) == {}
    house.settings = Settings(data=house.settings.data, probe_targets=(Probe("x", "srv-9", "tcp", "127.0.0.1", 1),))
    assert strangers(house) == {"x": "srv-9"}
    assert probe_now(house)[0][1] is None  # no network is allowed: refused, and said so
    assert "probe.allow" in probe_now(house)[0][2]


def test_the_demos_equipment_fails_together_and_the_same_each_time():
    org = organisation(1)
    one, other = Equipment(org), Equipment(org)
    probes = {each.name: each for each in tried(org)}
    fed = next(
        trouble for step in range(60) for trouble in one.troubles(NOW.date() + timedelta(days=step)) if trouble.root in {"ups-h", "ups-m"}
    )
    middle = fed.since + (fed.until - fed.since) / 2
    site = fed.root[-1]
    assert other.answer(probes[f"{fed.root} battery"], middle)[0] == "down"
    assert other.answer(probes[f"sw-{site}-core ping"], middle)[0] == "down"
    cameras = [each for each in probes.values() if each.kind == "rtsp" and org.host[each.asset].site.startswith(site)]
    assert cameras
    assert all(one.answer(each, middle)[0] == "down" for each in cameras)
    assert fed.since in one.edges(cameras[0], fed.since - timedelta(hours=1), fed.until + timedelta(hours=1))
