"""What others recorded, by mappings of a screenful, on one time line with a badge log; no server runs."""

import csv
import gzip
import json
import tarfile
from collections import Counter
from contextlib import closing
from itertools import islice

import pytest

from watchword.stores.owner import OwnedStore

BENCH_LINES = 5_000
READERS = """\
mapping: badges
describes: Proximity readers, a CSV export
source: {domain: physical, kind: access_control, connector: csv, lateness: 24h, resolution: 1s}
format: {kind: csv}
time: {from: time, format: "%Y-%m-%d %H:%M:%S", zone: Europe/Paris}
events:
  - class: physical_access
    activity: granted
    fields: {badge: badge, reader: reader, direction: in/out}
"""
BADGES = """\
time,badge,reader,in/out
2020-10-19 14:28:40,00421,front,in
2022-01-12 22:35:30,00421,front,in
2026-07-23 05:55:36,00977,front,in
2026-07-23 17:55:36,00977,front,out
"""
"""Local times beside what the other sources recorded."""


@pytest.fixture(scope="module")
def recorded(shared_data):
    """Folders of what others recorded."""
    sigma, unifi = shared_data / "sigma", shared_data / "sources" / "uiprotect" / "events.jsonl"
    for each in (sigma / "bench_events.jsonl.gz", sigma / "regression_events.jsonl", sigma / "rules.tar.gz", unifi):
        if not each.is_file():
            pytest.skip(f"shared data absent: {each}")
    return sigma, unifi


@pytest.fixture
def folder(tmp_path, recorded, monkeypatch):
    """A newcomer's folder: their badge log, mapping, rules and settings."""
    sigma, _ = recorded
    monkeypatch.chdir(tmp_path)
    (tmp_path / "badges.yaml").write_text(READERS)
    (tmp_path / "badges.csv").write_text(BADGES)
    (tmp_path / "watchword.toml").write_text('[detect]\nrules = ["rules"]\n')
    with gzip.open(sigma / "bench_events.jsonl.gz", "rb") as packed, (tmp_path / "bench.jsonl").open("wb") as out:
        out.writelines(islice(packed, BENCH_LINES))
    with (sigma / "expected_hits.csv").open() as rows:
        wanted = {row["rule_path"] for row in csv.DictReader(rows)}
    (tmp_path / "rules").mkdir()
    with tarfile.open(sigma / "rules.tar.gz") as packed:
        for member in packed:
            if member.name in wanted and (body := packed.extractfile(member)) is not None:
                with closing(body):
                    (tmp_path / "rules" / member.name.rpartition("/")[2]).write_bytes(body.read())
    with OwnedStore(tmp_path / "data", serving=True):
        yield tmp_path


def receipt(ran):
    assert ran.status == 0, ran.err
    return json.loads(ran.out)


@pytest.mark.slow
def test_recorded_bytes_and_a_badge_log_on_one_time_line(run, folder, recorded):
    sigma, unifi = recorded
    taken = {}
    for source, mapping, file, lines in (
        ("doors", "badges.yaml", "badges.csv", 4),
        ("unifi", "unifi-protect", str(unifi), len(unifi.read_bytes().splitlines())),
        ("windows", "windows-json", "bench.jsonl", BENCH_LINES),
        ("windows", "windows-json", str(sigma / "regression_events.jsonl"), 163),
    ):
        counts = receipt(run("ingest", file, "--source", source, "--mapping", mapping))
        assert (counts["accepted"] + counts["duplicate"], counts["parsed"], counts["unparsed"]) == (lines, counts["accepted"], 0)
        assert counts["duplicate"] <= lines // 1000, "what was recorded was recorded once"
        taken[source] = taken.get(source, 0) + counts["accepted"]
    again = receipt(run("ingest", str(unifi), "--source", "unifi"))
    assert (again["accepted"], again["parsed"], again["duplicate"]) == (0, 0, taken["unifi"])

    line = [json.loads(each) for each in run("events", "list", "--format", "ndjson", "--limit", "100000").out.splitlines()]
    assert Counter(each["source"] for each in line) == taken
    times = [each["time"] for each in line]
    assert times == sorted(times, reverse=True)
    morning = run("events", "list", "--since", "2026-07-23T03:55:00Z", "--until", "2026-07-23T03:56:00Z", "--format", "ndjson").out
    assert [json.loads(each)["source"] for each in morning.splitlines()] == ["windows", "doors", "windows"]
    around = ("--since", "2022-01-01T00:00:00Z", "--until", "2022-02-01T00:00:00Z", "--limit", "5000")
    january = Counter(json.loads(each)["source"] for each in run("events", "list", *around, "--format", "ndjson").out.splitlines())
    assert set(january) == {"doors", "unifi"}

    found = [json.loads(each) for each in run("findings", "list", "--format", "ndjson").out.splitlines()]
    by_rule = {each["rule"] for each in found}
    with (sigma / "expected_hits.csv").open() as rows:
        expected = {row["rule_id"] for row in csv.DictReader(rows)}
    assert len(by_rule & expected) == len(expected), sorted(expected - by_rule)
    assert all("Sigma rule by " in each["because"] for each in found if each["rule"] in expected)
    shown = next(each for each in found if each["rule"] in expected)
    assert json.loads(run("findings", "show", shown["uid"]).out)["because"] == shown["because"]


def test_a_shipped_mapping_can_be_found_and_copied(run, tmp_path):
    data = ("--data", str(tmp_path / "none"))
    listed = [json.loads(each) for each in run(*data, "mappings", "list", "--format", "ndjson").out.splitlines()]
    assert {"unifi-protect", "windows-json"} <= {each["name"] for each in listed}
    assert run(*data, "mappings", "show", "unifi-protect").out.startswith("mapping: unifi-protect\n")
    assert run(*data, "mappings", "show", "nothing").status == 1
    assert not (tmp_path / "none").exists(), "a look makes nothing"


def test_a_slip_is_answered_with_what_helps(run, tmp_path):
    file = tmp_path / "badge.csv"
    file.write_text("time,badge,reader,in/out\n2026-03-02 08:00:00,4711,R-01,in\nbroken,4711,R-01,in\n")
    missing = run("--data", str(tmp_path / "d"), "source", "try", "nosuch.yaml", str(file))
    assert missing.status == 1
    assert "none of this name is shipped: those are badge-csv, cef" in missing.err
    tried = run("--data", str(tmp_path / "d"), "source", "try", "badge-csv", str(file), "--format", "csv")
    assert next(row.split(",")[0] for row in tried.out.splitlines()[1:] if row[:1].isdigit()) == "2", "the first record stands in line 2"
    assert "1 record cannot be parsed" in tried.err
    listed = run("--data", str(tmp_path / "d"), "sources", "--format", "table")
    assert (listed.status, listed.out, listed.err) == (0, "", "nothing found\n")
