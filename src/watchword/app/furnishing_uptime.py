"""The demo's equipment over the last two weeks: probes with their results, locks that were tried, and work that was announced."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random
from typing import Final
from zlib import crc32

from watchword.app.mapping_book import shipped_mappings
from watchword.app.probing import result_record
from watchword.app.watchword import Watchword
from watchword.connectors.probe_target import Probe
from watchword.connectors.probes import Outcome, Verdict
from watchword.ingest.intake import Incoming
from watchword.kit.clock import ManualClock, to_millisecond, to_ms
from watchword.measure.uptime_service import Uptime
from watchword.measure.uptime_signal import PROBES
from watchword.simulate import Organisation
from watchword.simulate.probing import Equipment, Tried, tried

PAST: Final = timedelta(days=14)
COARSE: Final = timedelta(hours=2)
"""The rhythm in which the past is told; the edges of outages stand in it to the second."""
EVERY: Final = timedelta(minutes=5)
BY: Final = "demo"
WORN: Final = "harbour/doors/D-04"
"""The dock door, whose bolt did not hold when it was last tried."""
DRIFTING: Final = "cam-14"
"""The camera whose clock runs away, and nobody has set it."""
FORGOTTEN: Final = ("harbour/doors/D-22", "mill/doors/M-09", "harbour/doors/D-31")
"""Doors whose locks nobody has tried for too long."""


def probe_settings(org: Organisation) -> list[str]:
    """Return the lines of the settings file with which the demo probes its simulated network."""
    lines = ["[probe]", "simulated = true", 'allow = ["10.10.0.0/16", "10.20.0.0/16"]', ""]
    for each in tried(org):
        lines += ["[[probe.targets]]", f"name = {json.dumps(each.name)}", f'asset = "{each.asset}"', f'kind = "{each.kind}"']
        lines += [f'host = "{each.host}"', f"port = {each.port}", f'path = "{each.path}"', 'every = "5m"', ""]
    return lines


def furnish_uptime(watchword: Watchword, org: Organisation) -> None:
    """Tell the past of the demo's equipment once: what probes found, what was tried by hand, what was announced."""
    if PROBES in watchword.mappings.sources():
        return
    watchword.mappings.put(shipped_mappings()[PROBES], f"{PROBES}.yaml", source=PROBES)
    now = watchword.clock.now()
    _tests(watchword, now)
    _work(watchword, now)
    _drift(watchword, now - timedelta(days=5))
    rows = sorted(_results(org, now - PAST, now))
    watchword.intake.accept(PROBES, [Incoming(body) for _, body in rows])


def _results(org: Organisation, since: datetime, until: datetime) -> Iterator[tuple[datetime, bytes]]:
    equipment = Equipment(org)
    for each in tried(org):
        if each.kind == "tcp" and each.asset.startswith("panel"):
            continue  # panels speak for themselves, from the first day on
        offset = timedelta(seconds=crc32(each.name.encode()) % 7200)
        rounds = [since + offset + COARSE * step for step in range(int((until - since - offset) / COARSE) + 1)]
        for at in sorted({since, *rounds, *equipment.edges(each, since, until)}):
            state, said = equipment.answer(each, at)
            last = at + COARSE > until
            yield at, result_record(_probe(each, EVERY * 2 if last else COARSE), Outcome(Verdict(state), said), at)


def _probe(each: Tried, every: timedelta) -> Probe:
    return Probe(each.name, each.asset, each.kind, each.host, each.port, each.path, every=every)


def _drift(watchword: Watchword, at: datetime) -> None:
    """Let one camera's recorder say that its clock is off."""
    moment = to_millisecond(at)
    stamp = moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    row = {"id": f"{DRIFTING}-{to_ms(moment):x}-cl", "time": stamp, "camera": DRIFTING, "type": "clock_drifted", "off_ms": 7400}
    watchword.intake.accept("cameras", [Incoming(json.dumps(row).encode())])


def _tests(watchword: Watchword, now: datetime) -> None:
    """Let every lock and panel have been tried within the last year, but for a few."""
    rng = Random(20)  # noqa: S311 - the same doors each time
    uptime = watchword.measures.uptime
    for uid, component in sorted(uptime.watched().components.items()):
        for condition in component.conditions:
            if condition.name not in {"lock", "walk"} or condition.holds is None:
                continue
            age = condition.holds * rng.uniform(0.08, 0.9)
            if uid in FORGOTTEN:
                age = condition.holds + timedelta(days=30)
            note = "the bolt does not reach its plate" if uid == WORN else ""
            uptime.record_test(uid, condition.name, passed=uid != WORN, by=BY, at=now - max(age, timedelta(days=15)), note=note)


def _work(watchword: Watchword, now: datetime) -> None:
    """Announce last week's work as it was announced then, and tomorrow night's."""
    night = now.replace(hour=21, minute=0, second=0, microsecond=0)
    then = night - timedelta(days=6)
    _as_of(watchword, then - timedelta(days=2)).plan("asset:sw-h-core", then, then + timedelta(minutes=50), "CHG-1042 new firmware", by=BY)
    _as_of(watchword, then - timedelta(days=2)).plan("harbour/lab/0", then, then + timedelta(hours=2), "CHG-1043 cameras cleaned", by=BY)
    coming = night + timedelta(days=1)
    watchword.measures.uptime.plan("mill/hall/0/floor", coming, coming + timedelta(hours=3), "CHG-1051 lamps above line 2", by=BY)


def _as_of(watchword: Watchword, at: datetime) -> Uptime:
    """Return uptime as it would be told at a moment of the past."""
    registry = watchword.registry
    return Uptime(watchword.records, ManualClock(at), watchword.audit, watchword.events, registry.directory)
