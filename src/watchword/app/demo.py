"""The demonstration: a simulated organisation loaded like a real one, and its days played through the whole pipeline at full speed."""

import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from importlib.resources import files
from pathlib import Path
from random import Random
from typing import Any, Final
from zoneinfo import ZoneInfo

from watchword.app.pipeline import Pipeline
from watchword.app.settings import Settings
from watchword.app.watchword import Watchword, open_watchword
from watchword.connectors.files import ingest_file
from watchword.ingest.intake import Incoming
from watchword.ingest.jsonl import cut_delivery
from watchword.ingest.occurrence import Occurrences
from watchword.kit.clock import ManualClock
from watchword.kit.ids import uid_of
from watchword.model import Finding, FindingState
from watchword.model.ocsf import Severity
from watchword.simulate import GUEST_NETS, Delivery, Organisation, Simulation, Story, organisation, simulate

FIRST_DAY: Final = date(2026, 6, 1)
"""The Monday with which a run at full speed begins."""
SLICE: Final = timedelta(minutes=2)
"""Deliveries of one source within so much simulated time are taken in together, as a busy gateway would."""
STEP_RECORDS: Final = 4_000
LISTEN: Final = timedelta(minutes=10)
SETTLE: Final = timedelta(hours=49)
"""After the last delivery, so much time passes that nothing can still be open."""
LONG_AGO: Final = datetime.min.replace(tzinfo=UTC)
SILENCE: Final = "ww_036"
"""The one rule that speaks of arrival and not of event time: records that come in another order are other arrivals."""
SLACK: Final = timedelta(hours=1)
"""How far outside a story's own span a finding about it may lie."""


def demo_mappings() -> dict[str, str]:
    """Return the text of the demo site's mappings, by source."""
    folder = files("watchword") / "content" / "demo" / "mappings"
    return {item.name.removesuffix(".yaml"): item.read_text("utf-8") for item in folder.iterdir() if item.name.endswith(".yaml")}


def furnish(watchword: Watchword, org: Organisation) -> None:
    """Load the organisation's site file, people file and mappings, by the same doors as anybody's."""
    watchword.registry.load_site(org.site_yaml(), "demo-site.yaml", "demo")
    watchword.registry.load_people(org.people_csv(), "demo-people.csv", "demo")
    for name, text in demo_mappings().items():
        watchword.mappings.put(text, f"{name}.yaml", source=name)


def incoming_of(delivery: Delivery, connector: str, occurrences: Occurrences | None = None) -> list[Incoming]:
    """Return the records of a pushed delivery, as its connector cuts them.

    With `occurrences`, a syslog line has an id made of its bytes and of how often they came before, so that a replay in another order
    gives the same records.
    """
    if connector == "webhook":
        return [Incoming(record) for record in cut_delivery(delivery.body)]
    if occurrences is None:
        return [Incoming(delivery.body)]
    return [Incoming(delivery.body, uid_of(delivery.source, delivery.body, str(occurrences.count(delivery.body))))]


@dataclass(slots=True)
class Player:
    """Plays deliveries through the front door and the pipeline, on a clock that follows them."""

    watchword: Watchword
    pipeline: Pipeline
    clock: ManualClock
    records: int = 0
    waiting: int = 0
    listened: datetime = LONG_AGO
    groups: dict[str, list[Incoming]] = field(default_factory=dict)
    occurrences: Occurrences = field(default_factory=Occurrences)

    def play(self, deliveries: Iterable[Delivery]) -> None:
        """Take all deliveries in, in the given order, and judge them as they come."""
        connectors = {name: source.connector for name, source in self.watchword.mappings.sources().items()}
        opened: datetime | None = None
        for delivery in deliveries:
            if opened is None or delivery.at - opened >= SLICE:
                self._flush()
                opened = delivery.at
            self.clock.at = max(self.clock.at, delivery.at)
            if delivery.file:
                self._drop(delivery)
            else:
                self.groups.setdefault(delivery.source, []).extend(incoming_of(delivery, connectors[delivery.source], self.occurrences))
        self._flush()
        self._carry()

    def settle(self) -> None:
        """Let time pass until nothing is open any more."""
        self.pipeline.listen()
        for _ in range(3):
            self.clock.advance(SETTLE / 3)
            self.pipeline.idle()

    def _drop(self, delivery: Delivery) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / delivery.file
            path.write_bytes(delivery.body)
            mapping = self.watchword.mappings.of(delivery.source)
            receipt = ingest_file(path, delivery.source, mapping, self.watchword.intake)
        self._count(receipt.accepted)

    def _flush(self) -> None:
        accept, at = self.watchword.intake.accept, self.clock.at
        for source, group in self.groups.items():
            self._count(accept(source, group, at).accepted)
        self.groups.clear()
        if self.waiting >= STEP_RECORDS:
            self._carry()
        if self.clock.at - self.listened >= LISTEN:
            self.listened = self.clock.at
            self.pipeline.listen()

    def _count(self, accepted: int) -> None:
        self.records += accepted
        self.waiting += accepted

    def _carry(self) -> None:
        while self.pipeline.step():
            pass
        self.waiting = 0


def shuffled(deliveries: Iterable[Delivery], lateness: dict[str, timedelta], seed: int) -> Iterator[Delivery]:
    """Yield the deliveries in another order: each comes late by a random part of its source's allowed lateness."""
    rng = Random(seed)  # noqa: S311 - an order that can be drawn again
    late = [
        replace(delivery, at=delivery.at + timedelta(seconds=rng.random() * 0.9 * lateness[delivery.source].total_seconds()))
        for delivery in deliveries
    ]
    yield from sorted(late, key=lambda delivery: delivery.at)


def delayed(deliveries: Iterable[Delivery], source: str, day: date, by: timedelta) -> Iterator[Delivery]:
    """Yield the deliveries with one source's files of one day coming later."""
    moved = [
        replace(delivery, at=delivery.at + by) if delivery.source == source and delivery.at.date() == day else delivery
        for delivery in deliveries
    ]
    yield from sorted(moved, key=lambda delivery: delivery.at)


def tells(finding: Finding, rule: str, story: Story) -> bool:
    """Tell whether a finding is that rule's word about that story: its time, and someone or something that the story names."""
    if finding.rule != rule or finding.last_time < story.since - SLACK or finding.first_time > story.until + SLACK:
        return False
    named = {*story.persons, *story.assets, *story.addresses}
    said = {*finding.persons, *finding.assets, *finding.addresses}
    return (
        not (named or story.places)
        or bool(named & said)
        or any(f"{one}/".startswith(f"{other}/") or f"{other}/".startswith(f"{one}/") for one in story.places for other in finding.places)
    )


def verdict_of(story: Story, findings: Sequence[Finding]) -> dict[str, Any]:
    """Return whether the story was found, by which findings, and which rules are missing."""
    by_rule = {rule: [finding.uid for finding in findings if tells(finding, rule, story)] for rule in (*story.rules, *story.any_of)}
    missing = [rule for rule in story.rules if not by_rule[rule]]
    if story.any_of and not any(by_rule[rule] for rule in story.any_of):
        missing.append(" or ".join(story.any_of))
    return {
        "story": story.name,
        "found": not missing,
        "says": story.says,
        "since": story.since.isoformat(),
        "until": story.until.isoformat(),
        "findings": {rule: uids for rule, uids in by_rule.items() if uids},
        "missing": missing,
    }


def run_once(
    settings: Settings, days: int, seed: int, *, since: date = FIRST_DAY, order: Callable[[Simulation], Iterable[Delivery]] = iter
) -> dict[str, Any]:
    """Play days at full speed through the whole pipeline, with no server, and return what was found.

    Args:
        settings: Their data folder is filled.
        days: How many.
        seed: Which organisation and which stories.
        since: First local day.
        order: Puts the deliveries in another order, with other times of arrival (`shuffled`, `delayed`).

    Returns:
        ``stories`` (each found or missed, with its findings), ``benign`` (days, findings by severity, most of severity high or above
        on one day), ``uids`` (of all findings but those about silence),
        ``records``, ``events``, ``unparsed``, ``duplicate``, ``seconds``, ``events_per_second``, ``missed``.
    """
    settings = replace(settings, detect_egress=tuple(GUEST_NETS.values()))
    org = organisation(seed)
    clock = ManualClock(datetime(since.year, since.month, since.day, tzinfo=UTC) - timedelta(hours=3))
    with open_watchword(settings, clock, durable=False) as watchword:
        furnish(watchword, org)
        pipeline = Pipeline(watchword)
        pipeline.start()
        run = simulate(org, since, days, seed)
        began = time.monotonic()
        player = Player(watchword, pipeline, clock)
        player.play(order(run))
        player.settle()
        seconds = time.monotonic() - began
        findings = [finding for finding in watchword.findings.since(LONG_AGO) if standing(finding)]
        statuses = watchword.ledger.statuses()
    events = sum(status.events for status in statuses)
    stories = [verdict_of(story, findings) for story in run.truth()]
    return {
        "days": days,
        "seed": seed,
        "since": since.isoformat(),
        "stories": stories,
        "missed": sum(not story["found"] for story in stories),
        "benign": benign_of(findings, run.benign_days(), ZoneInfo(org.sites[0].zone)),
        "findings": dict(sorted(Counter(finding.rule for finding in findings).items())),
        "uids": sorted(finding.uid for finding in findings if finding.rule != SILENCE),
        "records": player.records,
        "events": events,
        "unparsed": sum(status.unparsed for status in statuses),
        "duplicate": sum(status.duplicate for status in statuses),
        "seconds": round(seconds, 2),
        "events_per_second": round(events / seconds) if seconds else 0,
    }


def standing(finding: Finding) -> bool:
    """Tell whether a finding was not withdrawn."""
    return finding.state is not FindingState.WITHDRAWN


def benign_of(findings: Sequence[Finding], days: Sequence[date], zone: ZoneInfo) -> dict[str, Any]:
    """Return how many findings there were on days without an attack, by severity, and the worst such day."""
    quiet = set(days)
    on = [(finding.time.astimezone(zone).date(), finding) for finding in findings]
    there = [(day, finding) for day, finding in on if day in quiet]
    high = Counter(day for day, finding in there if finding.severity >= Severity.HIGH)
    return {
        "days": [day.isoformat() for day in sorted(quiet)],
        "by_severity": {Severity(number).name.lower(): count for number, count in sorted(Counter(f.severity for _, f in there).items())},
        "most_high_in_a_day": max(high.values(), default=0),
        "high": [{"day": day.isoformat(), "rule": f.rule, "uid": f.uid, "because": f.because} for day, f in there if f.severity >= 4],
    }
