"""Probing: carries the probes of the settings out in their rhythm, and hands what they find in at the front door."""

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from typing import Final
from zlib import crc32

import structlog

from watchword.app.mapping_book import shipped_mappings
from watchword.app.watchword import Watchword
from watchword.connectors.probe_target import Probe
from watchword.connectors.probes import NotAllowed, Outcome, Prober
from watchword.ingest.intake import Incoming
from watchword.kit.clock import to_millisecond, to_ms
from watchword.kit.errors import WatchwordError
from watchword.kit.ids import random_uid
from watchword.measure.uptime_signal import PROBES

AT_ONCE: Final = 16
"""Probes under way at a time."""
NAP: Final = 1.0
SPREAD: Final = 10.0
"""Seconds over which the first round is spread, so that nothing comes in bursts."""

log = structlog.get_logger()
Try = Callable[[Probe], Outcome]


class Pace:
    """How many probes may still be sent: so many a minute, saved up for no longer than that minute."""

    def __init__(self, per_minute: int, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._rate = per_minute / 60
        self._most = float(per_minute)
        self._monotonic = monotonic
        self._left = max(1.0, self._most / 6)
        self._at = monotonic()

    def take(self) -> bool:
        """Tell whether one more may be sent now, and count it."""
        now = self._monotonic()
        self._left = min(self._most, self._left + (now - self._at) * self._rate)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True


class Probing:
    """Carries out what is due, as often as somebody calls it."""

    def __init__(self, watchword: Watchword, attempt: Try, monotonic: Callable[[], float] = time.monotonic) -> None:
        """Take the house, how a probe is tried, and a clock for rhythms that never jumps."""
        self._watchword = watchword
        self._attempt = attempt
        self._monotonic = monotonic
        self._pace = Pace(watchword.settings.probe_rate, monotonic)
        began = monotonic()
        self._due = {probe.name: began + crc32(probe.name.encode()) % 1000 / 1000 * SPREAD for probe in watchword.settings.probe_targets}
        self._refused: set[str] = set()
        if PROBES not in watchword.mappings.sources():
            watchword.mappings.put(shipped_mappings()[PROBES], f"{PROBES}.yaml", source=PROBES)

    def step(self, pool: ThreadPoolExecutor, *, at_once: bool = False) -> int:
        """Carry out the probes that are due, hand their results in, and return how many there were.

        Args:
            pool: Where they run side by side.
            at_once: Do not wait for their rhythm: try each of them now.
        """
        now = self._monotonic()
        due = [each for each in self._watchword.settings.probe_targets if at_once or self._due[each.name] <= now]
        chosen = []
        for probe in sorted(due, key=lambda each: self._due[each.name]):
            if not self._pace.take():
                break  # it stays due: the longest overdue comes first
            self._due[probe.name] = now + probe.every.total_seconds()
            chosen.append(probe)
        found = [each for each in pool.map(self._one, chosen) if each is not None]
        if found:
            self._watchword.intake.accept(PROBES, [Incoming(each) for each in found])
        return len(found)

    def _one(self, probe: Probe) -> bytes | None:
        at = self._watchword.clock.now()
        try:
            outcome = self._attempt(probe)
        except NotAllowed as error:
            if probe.name not in self._refused:
                self._refused.add(probe.name)
                log.warning("probe_refused", probe=probe.name, fault=str(error))
            return None
        return result_record(probe, outcome, at)


def result_record(probe: Probe, outcome: Outcome, at: datetime) -> bytes:
    """Return what is handed in of one result: it says until when the next is expected."""
    moment = to_millisecond(at)
    row = {
        "uid": random_uid(),
        "time": moment.isoformat(timespec="milliseconds"),
        "asset": probe.asset,
        "probe": probe.name,
        "kind": probe.kind,
        "state": outcome.verdict.value,
        "said": outcome.said,
        "took_ms": round(outcome.took.total_seconds() * 1000),
        "until": to_ms(moment + probe.every),
    }
    return json.dumps(row).encode()


def attempt_of(watchword: Watchword) -> Try:
    """Return how this house tries its probes: for real, or on the demo's simulated network."""
    settings = watchword.settings
    if settings.probe_simulated:
        from watchword.app.feeder import Feed  # noqa: PLC0415 - only the demo needs the simulator
        from watchword.app.simulated_network import SimulatedNetwork  # noqa: PLC0415 - as above
        from watchword.simulate import organisation  # noqa: PLC0415 - as above

        try:
            seed = Feed.read(settings.data).seed
        except FileNotFoundError:
            seed = 1
        return SimulatedNetwork(watchword.clock, organisation(seed)).try_one
    return Prober(settings.probe_allow, watchword.clock.now).try_one


def strangers(watchword: Watchword) -> Mapping[str, str]:
    """Return the probes whose asset no site file describes, by name: nothing could be said of their results."""
    known = watchword.registry.directory().assets.assets
    return {each.name: each.asset for each in watchword.settings.probe_targets if f"asset:{each.asset}" not in known}


@contextmanager
def probing(watchword: Watchword, stopping: threading.Event) -> Iterator[None]:
    """Probe beside whatever else this process does, until it ends."""
    if not watchword.settings.probe_targets:
        yield
        return
    for name, asset in strangers(watchword).items():
        log.warning("probe_of_unknown_asset", probe=name, asset=asset, remedy="describe it in the site file")
    ended = threading.Event()
    thread = threading.Thread(target=_forever, args=(watchword, stopping, ended), name="probing", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(35)


def _forever(watchword: Watchword, stopping: threading.Event, ended: threading.Event) -> None:
    work: Probing | None = None
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="probe") as pool:
        while not stopping.is_set() and not ended.wait(NAP):
            try:
                work = work or Probing(watchword, attempt_of(watchword))
                work.step(pool)
            except WatchwordError as error:  # the spool is full, an engine is away: what is due stays due
                log.warning("probing_waits", reason=str(error))
            except Exception:
                log.exception("probing_failed")


def probe_now(watchword: Watchword, names: Sequence[str] = ()) -> list[tuple[Probe, Outcome | None, str]]:
    """Try probes once, without handing anything in: (probe, outcome, why it was refused)."""
    attempt = attempt_of(watchword)
    chosen = [each for each in watchword.settings.probe_targets if not names or each.name in names]

    def one(probe: Probe) -> tuple[Probe, Outcome | None, str]:
        try:
            return probe, attempt(probe), ""
        except NotAllowed as error:
            return probe, None, str(error)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(one, chosen))
