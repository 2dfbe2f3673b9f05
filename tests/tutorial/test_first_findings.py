"""The tutorial "First findings": its own mapping and site files, over a generated month, lead to the culprit."""

import re
import subprocess
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.tutorial.annex import DROP, SAMPLE, Month, month

from watchword.detect.coverage import SourceCoverage
from watchword.detect.engine import Engine, replay
from watchword.detect.insight import insight_of
from watchword.detect.loader import build_detectors, load_rules, shipped_rules
from watchword.detect.pivot import Kind, related
from watchword.detect.ranking import Ranked
from watchword.ingest.delimited import rows, with_header
from watchword.ingest.mapping import Mapping, load_mapping
from watchword.kit.ids import uid_of
from watchword.model import Event, Finding, RawRecord, SourceStatus
from watchword.resolve.directory import Directory
from watchword.resolve.people_file import read_people
from watchword.resolve.site_file import read_site

PAGE = Path(__file__).parents[2] / "docs/tutorial/first-findings.md"
KEY = b"k" * 32
RECEIVED = datetime(2026, 11, 1, tzinfo=UTC)


def block(name: str) -> str:
    """Return the fenced block of the page that is headed by this file name."""
    found = re.search(rf"^```\w+ {re.escape(name)}\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    assert found is not None, f"the tutorial has no block {name}"
    return found[1]


def command(beginning: str) -> str:
    """Return the command of the page that begins so."""
    found = next((line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith(beginning)), None)
    assert found is not None, f"the tutorial has no command {beginning}"
    return found


def site_text(folder: Path, data: Month) -> str:
    """Do as the reader does: write the site file, then append the workstations with the page's own command."""
    (folder / "site.yaml").write_text(block("site.yaml"), encoding="utf-8")
    (folder / "workstations.csv").write_text(data.workstations, encoding="utf-8")
    subprocess.run(["sh", "-c", command("awk ")], cwd=folder, check=True)
    return (folder / "site.yaml").read_text(encoding="utf-8")


def events_of(mapping: Mapping, source: str, text: str, directory: Directory) -> list[Event]:
    header = b""
    found: list[Event] = []
    for row in rows(text.encode().splitlines(keepends=True), mapping.format.csv):
        if row.is_header:
            header = row.body
            continue
        body = with_header(header, row.body)
        parsed = mapping.parse(RawRecord(uid_of("record", source, body), source, RECEIVED, body))
        assert not parsed.fault
        assert parsed.mapped
        found.extend(directory.identify(event) for event in parsed.events)
    return found


@dataclass(frozen=True)
class Outcome:
    data: Month
    directory: Directory
    events: list[Event]
    findings: list[Finding]
    ranking: list[Ranked]
    seconds: dict[str, float]

    def first(self, kind: Kind) -> Ranked:
        return next(item for item in self.ranking if item.kind is kind)


def judge(events: Iterable[Event], mappings: dict[str, Mapping], directory: Directory) -> list[Finding]:
    ordered = sorted(events, key=lambda event: event.order)
    sources = [mapping.source(name) for name, mapping in mappings.items()]
    newest = {source.name: max(event.time for event in ordered if event.source == source.name) for source in sources}
    statuses = {name: SourceStatus(name, last_received=RECEIVED, last_time=newest[name]) for name in newest}
    coverage = SourceCoverage(sources, statuses, RECEIVED)
    engine = Engine(build_detectors(load_rules(shipped_rules()), directory).detectors, directory)
    found: dict[str, Finding] = {}
    for changes in replay(engine, ordered, coverage):
        found.update({finding.uid: finding for finding in (*changes.new, *changes.changed)})
        for finding in changes.withdrawn:
            found.pop(finding.uid, None)
    assert not engine.failures
    return sorted(found.values(), key=lambda finding: (finding.time, finding.uid))


def run(folder: Path, data: Month) -> Outcome:
    start = time.perf_counter()
    site, assets = read_site(site_text(folder, data), "site.yaml")
    people = read_people(data.people, "people.csv", KEY)
    directory = Directory(site, people.book, assets)
    mappings = {name: load_mapping(block(f"{name}.yaml"), f"{name}.yaml", key=KEY) for name in ("badges", "flows")}
    events = events_of(mappings["badges"], "badges", data.badges, directory)
    events += events_of(mappings["flows"], "flows", data.flows, directory)
    parsed = time.perf_counter()
    findings = judge(events, mappings, directory)
    judged = time.perf_counter()
    newest = max(event.time for event in events)
    ranking = insight_of(findings, events, directory, at=newest).rank(limit=100)
    ranked = time.perf_counter()
    return Outcome(data, directory, events, findings, ranking, {"parse": parsed - start, "judge": judged - parsed, "rank": ranked - judged})


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    return run(tmp_path_factory.mktemp("annex"), month())


def test_full_scale_in_time(outcome: Outcome) -> None:
    assert outcome.data.badge_rows >= 10_000
    assert outcome.data.flow_rows >= 115_000
    assert len(outcome.events) == outcome.data.badge_rows + outcome.data.flow_rows
    print({name: round(seconds, 2) for name, seconds in outcome.seconds.items()})  # noqa: T201 - the figure that the report quotes
    assert sum(outcome.seconds.values()) < 60


def test_every_event_is_resolved(outcome: Outcome) -> None:
    assert all(event.person and event.place for event in outcome.events if event.source == "badges")
    assert all(event.asset for event in outcome.events if event.source == "flows")


def test_findings(outcome: Outcome) -> None:
    counts = Counter(finding.rule for finding in outcome.findings)
    assert set(counts) == {"ww_010", "ww_018", "ww_019"}
    assert counts["ww_010"] == outcome.data.passbacks
    stolen = [finding for finding in outcome.findings if DROP in finding.addresses]
    assert Counter(finding.rule for finding in stolen) == {"ww_018": outcome.data.thefts, "ww_019": outcome.data.early}
    assert {asset for finding in stolen for asset in finding.assets} == outcome.data.victims
    assert counts["ww_018"] <= outcome.data.thefts + 3, "three locked machines synchronise, no more"
    assert counts["ww_019"] == outcome.data.early


def test_pivot_on_the_common_destination(outcome: Outcome) -> None:
    finding = next(finding for finding in outcome.findings if finding.rule == "ww_018" and DROP in finding.addresses)
    shared = related(finding, outcome.events, insight_of([], [], outcome.directory).own, outcome.findings)
    assert (shared[0].kind, shared[0].value) == (Kind.ADDRESS, DROP)
    assert shared[0].total == outcome.data.thefts + outcome.data.early - 1
    assert set(shared[0].assets) | {*finding.assets} == outcome.data.victims
    assert len(shared[0].findings) == outcome.data.thefts + outcome.data.early - 1


def test_ranking_with_alibis(outcome: Outcome) -> None:
    address, person = outcome.first(Kind.ADDRESS), outcome.first(Kind.PERSON)
    assert address.entity == DROP
    assert person.entity == outcome.data.culprit
    assert outcome.ranking[0].entity in {DROP, outcome.data.culprit}
    assert person.alibi is not None
    assert person.alibi.excluded == 0
    assert person.alibi.present == len(person.alibi.proofs)
    assert sum(len(proof.moment.findings) for proof in person.alibi.proofs) == outcome.data.thefts + outcome.data.early
    assert person.findings_against == ()
    assert len(person.findings_for) == outcome.data.thefts + outcome.data.early
    assert person.alibi.share > 0.5
    second = [item for item in outcome.ranking if item.kind is Kind.PERSON][1]
    assert person.score > 1.5 * second.score


def test_owners_are_cleared_by_their_own_badges(outcome: Outcome) -> None:
    persons = {item.entity: item for item in outcome.ranking if item.kind is Kind.PERSON}
    for finding in outcome.findings:
        if finding.rule == "ww_018" and DROP in finding.addresses:
            owner = persons[finding.persons[0]]
            assert finding.uid in owner.findings_against
            assert owner.alibi is not None
            assert owner.alibi.excluded > 0


def test_another_month_and_another_culprit(tmp_path: Path) -> None:
    small = run(tmp_path, month(staff=30, days=12, flows_a_day=20, seed=timedelta(days=3).days))
    assert small.first(Kind.ADDRESS).entity == DROP
    assert small.first(Kind.PERSON).entity == small.data.culprit


def test_the_readers_month_gives_what_the_page_says(tmp_path: Path) -> None:
    folder = PAGE.parent / "annex"
    files = {name: (folder / f"{name}.csv").read_text(encoding="utf-8") for name in ("badges", "flows", "people", "workstations")}
    told = run(tmp_path, replace(month(**SAMPLE), **files))
    page = " ".join(PAGE.read_text(encoding="utf-8").split())
    counts = Counter(finding.rule for finding in told.findings)
    assert counts == {"ww_010": 5, "ww_018": 17, "ww_019": 3}
    assert "25 findings in all" in page
    for said in ("*B. Albrecht (badge …37) went", "*ws-05 (Open-plan office) sent 11.0 MB", "*ws-02, C. Albrecht's own, sent 8.1 MB"):
        assert said in page
        assert any(finding.because.startswith(said[1:6]) for finding in told.findings)
    address, person = told.first(Kind.ADDRESS), told.first(Kind.PERSON)
    assert (address.entity, len(address.findings_for)) == (DROP, 17)
    assert (person.label, person.entity) == ("M. Bauer", told.data.culprit)
    assert person.alibi is not None
    assert (person.alibi.excluded, person.alibi.present, len(person.alibi.proofs)) == (0, 14, 14)
    assert not any(person.entity in finding.persons for finding in told.findings)
