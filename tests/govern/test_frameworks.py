"""Frameworks: every shared file imported with its counts, our own titles complete and our own, overlaps never more than partial."""

import gzip
import json
from datetime import timedelta

import pytest
from tests.govern.control_day import NOW, facts_after

from watchword.app.audit import Audit
from watchword.govern.control_checks import CHECKS_BY_NAME, shipped_tests
from watchword.govern.control_service import Controls
from watchword.govern.control_test import evaluate
from watchword.govern.crosswalk import MapRow, Reach, Relation, reach, turned
from watchword.govern.framework import Catalogue, MapFile, Selection, read_framework
from watchword.govern.framework_service import CSF, ISO, SP800, Frameworks, shipped_titles
from watchword.kit.clock import ManualClock
from watchword.kit.errors import ContentError, NotFound
from watchword.measure.compliance import Result
from watchword.stores.records import open_records

CATALOGUES = {
    "NIST_SP-800-53_rev5.0.1_catalog-min.json.gz": (SP800, {"control": 298, "enhancement": 709}, 182),
    "NIST_CSF_v2.0_catalog.xml": (CSF, {"function": 6, "category": 22, "subcategory": 106}, 91),
    "nist_csf_2.0_flat.json": (CSF, {"function": 6, "category": 22, "subcategory": 106}, 91),
}
SELECTIONS = {
    f"NIST_SP-800-53_rev5_{name.upper()}-baseline{rest}": (name, count)
    for name, plain, resolved in (("low", 149, 149), ("moderate", 287, 287), ("high", 370, 370), ("privacy", 96, 102))
    for rest, count in (("_profile-min.json", plain), ("-resolved-profile_catalog-min.json.gz", resolved))
}
MAPS = {"map_csf-2.0_to_iso27001-2022.csv": (CSF, 341, 106, 90), "map_sp800-53r5_to_iso27001-2022.csv": (SP800, 642, 220, 120)}


@pytest.fixture(scope="module")
def frameworks_data(shared_data):
    return shared_data / "frameworks"


@pytest.fixture(scope="module")
def frameworks(tmp_path_factory):
    records = open_records(f"sqlite:///{tmp_path_factory.mktemp('f') / 'records.sqlite3'}")
    records.migrate()
    clock = ManualClock(NOW)
    yield Frameworks(records, clock, Audit(records, clock))
    records.close()


@pytest.mark.parametrize("name", CATALOGUES)
def test_catalogues_are_imported_whole(frameworks, frameworks_data, name):
    framework, active, withdrawn = CATALOGUES[name]
    found = frameworks.take((frameworks_data / name).read_bytes(), name, by="mia")
    assert isinstance(found, Catalogue)
    assert found.name == framework
    assert {kind: found.count(kind) for kind in active} == active
    assert sum(each.withdrawn for each in found.controls) == withdrawn
    assert len(frameworks.controls(framework)) == len(found.controls)
    kept = next(each for each in frameworks.all() if each.name == framework)
    assert kept.withdrawn == withdrawn
    assert kept.imported_by == "mia"


@pytest.mark.parametrize("name", SELECTIONS)
def test_baselines_are_imported_whole(frameworks, frameworks_data, name):
    baseline, count = SELECTIONS[name]
    found = frameworks.take((frameworks_data / name).read_bytes(), name, by="mia")
    assert isinstance(found, Selection)
    assert (found.name, found.framework, len(found.ids)) == (baseline, SP800, count)
    assert frameworks.baselines()[baseline] == count


@pytest.mark.parametrize("name", MAPS)
def test_maps_are_imported_whole_and_say_partial_at_most(frameworks, frameworks_data, name):
    source, rows, sources, targets = MAPS[name]
    found = frameworks.take((frameworks_data / name).read_bytes(), name, by="mia")
    assert isinstance(found, MapFile)
    assert (found.source, found.target, len(found.rows)) == (source, ISO, rows)
    assert (len({row.source for row in found.rows}), len({row.target for row in found.rows})) == (sources, targets)
    assert len(frameworks.maps(source, ISO)) >= rows
    assert len(frameworks.maps(ISO, source)) >= rows
    assert {each.reach for each in frameworks.reached(ISO)} <= {Reach.PARTIAL, Reach.NONE}


def test_files_that_are_no_frameworks_are_refused(frameworks, frameworks_data):
    for name in ("nice_components_v2.json", "README.md", "LICENSE-oscal-content.md"):
        with pytest.raises(ContentError, match=r"framework|OSCAL"):
            frameworks.take((frameworks_data / name).read_bytes(), name, by="mia")


def test_our_titles_name_every_base_control_and_are_not_the_official_ones(frameworks_data):
    ours, official = shipped_titles(SP800), {}
    for level in ("LOW", "MODERATE", "HIGH", "PRIVACY"):
        name = f"NIST_SP-800-53_rev5_{level}-baseline_profile-min.json"
        found = read_framework((frameworks_data / name).read_bytes(), name)
        assert {uid for uid in found.ids if "." not in uid} <= ours.keys()
    assert {test.control for test in shipped_tests()} <= ours.keys()
    name = "NIST_SP-800-53_rev5.0.1_catalog-min.json.gz"
    official = {each.id: each for each in read_framework((frameworks_data / name).read_bytes(), name).controls}
    assert ours.keys() - {each for each in ours if "-" not in each} <= official.keys()
    assert not [uid for uid, title in ours.items() if uid in official and title.casefold() == official[uid].title.casefold()]
    rows = json.loads((frameworks_data / "nist_csf_2.0_flat.json").read_text(encoding="utf-8"))
    assert {row["id"] for row in rows if row["active"]} == shipped_titles(CSF).keys()
    statements = {row["statement"].casefold() for row in rows} | {row["title"].casefold() for row in rows}
    assert not [title for title in shipped_titles(CSF).values() if title.casefold() in statements]


def test_ids_that_our_tests_name_are_in_force(frameworks_data):
    name = "NIST_SP-800-53_rev5.0.1_catalog-min.json.gz"
    active = {each.id for each in read_framework((frameworks_data / name).read_bytes(), name).controls if not each.withdrawn}
    assert {test.control for test in shipped_tests()} <= active
    assert {uid for test in shipped_tests() for uid in test.csf} <= shipped_titles(CSF).keys()


def test_without_an_import_ids_and_titles_of_ours_are_there(tmp_path):
    records = open_records(f"sqlite:///{tmp_path / 'records.sqlite3'}")
    records.migrate()
    fresh = Frameworks(records, ManualClock(NOW), Audit(records, ManualClock(NOW)))
    assert {each.name for each in fresh.all()} == {SP800, CSF}
    assert fresh.title(SP800, "pe-3") == "Doors under control"
    assert sum(each.reach is Reach.WHOLE for each in fresh.reached(SP800)) == 30
    assert sum(each.reach is Reach.PARTIAL for each in fresh.reached(CSF)) > 10
    with pytest.raises(NotFound, match="import"):
        fresh.controls("cis")
    records.close()


def test_only_equal_and_superset_pass_through():
    rows = [MapRow("a", "x", Relation.INTERSECT), MapRow("a", "y", Relation.SUPERSET), MapRow("b", "z", Relation.EQUAL)]
    found = {each.id: each.reach for each in reach(rows, ["a"], ["x", "y", "z"])}
    assert found == {"x": Reach.PARTIAL, "y": Reach.WHOLE, "z": Reach.NONE}
    assert turned(rows)[1] == MapRow("y", "a", Relation.SUBSET)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"[1, 2]",
        b'{"catalog": {}}',
        b'{"profile": {"imports": []}}',
        b"<catalog/>",
        b'<!DOCTYPE x [<!ENTITY a "b">]><catalog xmlns="http://csrc.nist.gov/ns/oscal/1.0">&a;</catalog>',
        b"source,target,relationship\nac-1,5.2,same\n",
        b"\x1f\x8b broken",
        b"\xff\xfe\x00",
        gzip.compress(b"not a framework", mtime=0),
        b"[" * 100_000,
    ],
)
def test_hostile_files_are_refused_in_words(raw):
    with pytest.raises(ContentError):
        read_framework(raw, "file")


def test_controls_are_kept_on_both_engines(records):
    clock = ManualClock(NOW)
    audit = Audit(records, clock)
    controls = Controls(records, clock, audit)
    facts = facts_after()
    for name in ("pe-3", "ac-2"):
        controls.keep(controls.tests[name], evaluate(controls.tests[name], facts, CHECKS_BY_NAME), facts)
        controls.keep(controls.tests[name], evaluate(controls.tests[name], facts, CHECKS_BY_NAME), facts)
    assert controls.control("pe-3").word == "pass"
    assert controls.inputs(controls.control("pe-3").evidence[0].uid)
    controls.attest("ir-8", "", Result.PASS, "The plan was read in the meeting.", by="mia", lasts=timedelta(days=30))
    assert controls.sweep() == 0
    assert controls.configure("posts: [a]", "b.yaml", by="mia") == 1
    kept = Frameworks(records, clock, audit)
    kept.take(b"source,target,relationship\nac-1,5.2,intersect\n", "map_a_to_b.csv", by="mia")
    kept.take(b"source,target,relationship\nac-1,5.3,equal\n", "map_a_to_b.csv", by="mia")
    assert [row.target for row in kept.maps(SP800, ISO) if row.source == "ac-1"] == ["5.3"]
