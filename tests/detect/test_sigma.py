"""Sigma: what each construct means, that every document is accounted for, and that the shared cases come out exactly."""

import io
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.detect.story import Story, at, directory

from watchword.detect.sigma import SigmaSet, check, load_sigma, own_view
from watchword.detect.sigma_values import View
from watchword.ingest.mapping_load import load_mapping
from watchword.ingest.native import Native
from watchword.model import Mode
from watchword.model.ocsf import Access

MAPPING = Path(__file__).parents[2] / "src/watchword/content/mappings/windows-json.yaml"
HEAD = "title: T\nid: 11111111-1111-1111-1111-111111111111\nlogsource: {product: p}\n"


def rule(detection: str, head: str = HEAD) -> SigmaSet:
    lines = "\n".join("    " + line for line in detection.strip().splitlines())
    return load_sigma([("r.yml", f"{head}detection:\n{lines}\n")])


def hits(detection: str, fields: dict[str, Any]) -> bool:
    loaded = rule(detection)
    assert not loaded.rejected, loaded.rejected
    return bool(loaded.match(Native("p", "", "", fields)))


@pytest.mark.parametrize(
    ("selection", "fields", "wanted"),
    [
        ("a: Foo", {"a": "fOO"}, True),
        ("a: Foo", {"a": "foo "}, False),
        ("a: 4624", {"a": "4624"}, True),
        ("a: '4624'", {"a": 4624}, True),
        ("a: true", {"a": "True"}, True),
        ("a: 'true'", {"a": True}, True),
        ("a: [x, y]", {"a": "Y"}, True),
        ("a: x", {"a": ["z", "X"]}, True),
        ("a|contains: ell", {"a": "HELLO"}, True),
        ("a|contains|all: [he, lo]", {"a": "hello"}, True),
        ("a|contains|all: [he, xx]", {"a": "hello"}, False),
        ("a|startswith: he", {"a": "Hello"}, True),
        ("a|endswith: he", {"a": "Hello"}, False),
        ("a: h*o", {"a": "hello\nfoo"}, True),
        ("a: h?llo", {"a": "hallo"}, True),
        ("a: h?llo", {"a": "hllo"}, False),
        (r"a: 'C:\\Win*'", {"a": "c:\\windows"}, True),
        (r"a: 'x\*y'", {"a": "x*y"}, True),
        (r"a: 'x\*y'", {"a": "xzy"}, False),
        ("a|endswith: '1?'", {"a": "0x10"}, True),
        ("a|cased: Foo", {"a": "Foo"}, True),
        ("a|cased: Foo", {"a": "foo"}, False),
        ("a|contains|cased: Fo", {"a": "xFo"}, True),
        ("a|re: '^F.o$'", {"a": "Foo"}, True),
        ("a|re: '^F.o$'", {"a": "foo"}, False),
        ("a|re|i: '^F.o$'", {"a": "foo"}, True),
        ("a|cidr: 10.0.0.0/8", {"a": "10.2.3.4"}, True),
        ("a|cidr: 10.0.0.0/8", {"a": "::ffff:10.2.3.4"}, True),
        ("a|cidr: 10.0.0.0/8", {"a": "none"}, False),
        ("a|gt: 5", {"a": "6"}, True),
        ("a|gt: 5", {"a": 5}, False),
        ("a|lte: 5", {"a": 5.0}, True),
        ("a|gte: 5", {"a": "many"}, False),
        ("a: null", {}, True),
        ("a: null", {"a": None}, True),
        ("a: null", {"a": ""}, False),
        ("a: ''", {"a": ""}, True),
        ("a: ''", {}, False),
        ("a|exists: true", {"a": ""}, True),
        ("a|exists: false", {"a": ""}, False),
        ("a|exists: false", {}, True),
        ("a|neq: 5", {}, True),
        ("a|neq: 5", {"a": "5"}, False),
        ("a|fieldref: b", {"a": "X", "b": "x"}, True),
        ("a|fieldref: b", {}, False),
        ("a|fieldref: b", {"a": "x"}, False),
        ("a|windash|contains: ' -x'", {"a": "cmd /x"}, True),
        ("a|windash|contains: ' -x'", {"a": "cmd \u2013x"}, True),
        ("a|base64offset|contains: foo", {"a": "xxZvbyy"}, True),
        ("a|utf16le|base64offset|contains: foo", {"a": "ZgBvAG8A"}, True),
        ("a|hour: 5", {"a": "2026-01-01T05:59:00Z"}, True),
        ("a|hour: 5", {"a": "2026-01-01T05:59:00+02:00"}, False),
        ("a.b: x", {"a.b": "X"}, True),
        ("a.b: x", {"a": {"b": "x"}}, True),
        ("a.b: x", {"a": [{"b": "y"}, {"b": "x"}]}, True),
        ("a: x", {"b": "x"}, False),
    ],
)
def test_a_value_means(selection: str, fields: dict[str, Any], wanted: bool):
    assert hits(f"s:\n    {selection}\ncondition: s", fields) is wanted


@pytest.mark.parametrize(
    ("condition", "fields", "wanted"),
    [
        ("a and not b", {"a": 1}, True),
        ("a and not b", {"a": 1, "b": 1}, False),
        ("not a", {}, True),
        ("1 of *", {"b": 1}, True),
        ("all of them", {"a": 1, "b": 1}, True),
        ("all of them", {"a": 1}, False),
        ("(a or b) and not (a and b)", {"a": 1, "b": 1}, False),
    ],
)
def test_a_condition_means(condition: str, fields: dict[str, Any], wanted: bool):
    assert hits(f"a: {{a: 1}}\nb: {{b: 1}}\ncondition: {condition}", fields) is wanted


def test_keywords_are_sought_in_values_not_in_names_nor_across_them():
    detection = "k: [need*le, pin]\ncondition: k"
    assert hits(detection, {"x": "a NEEDLE b"})
    assert hits(detection, {"x": {"y": ["some pins"]}})
    assert not hits(detection, {"needle": "x"})
    assert not hits(detection, {"a": "need", "b": "le"})
    assert hits("k:\n    '|all': [one, two]\ncondition: k", {"a": "one", "b": "two"})
    assert not hits("k:\n    '|all': [one, two]\ncondition: k", {"a": "one"})


def test_the_logsource_routes():
    head = "title: T\nid: 22222222-2222-2222-2222-222222222222\nlogsource: {product: windows, category: process_creation}\n"
    loaded = rule("s: {a: 1}\ncondition: s", head)
    assert loaded.match(Native("windows", "process_creation", "sysmon", {"a": 1}))
    assert loaded.match(Native("windows", "x", "", {"a": 1}, categories=("x", "process_creation")))
    assert not loaded.match(Native("linux", "process_creation", "", {"a": 1}))
    assert not loaded.match(Native("windows", "", "security", {"a": 1}))
    assert not loaded.match(Native("", "", "", {"a": 1}))
    assert loaded.unrouted == 3


@pytest.mark.parametrize("event_id", [4624, "4624", None, 1])
def test_the_event_id_narrows_without_losing_a_match(event_id: object):
    texts = [
        "s: {EventID: 4624}\ncondition: s",
        "s: {EventID: [4624, 4625], a: 1}\ncondition: s",
        "s: {a: 1}\ncondition: s",
        "s: {EventID: 4624}\nk: {a: 1}\ncondition: s or k",
        "s: {EventID: 4624}\ncondition: not s",
    ]
    files = [
        (f"{number}.yml", f"title: T\nname: n{number}\nlogsource: {{product: p}}\ndetection:\n    " + text.replace("\n", "\n    ") + "\n")
        for number, text in enumerate(texts)
    ]
    loaded = load_sigma(files)
    assert len(loaded.loaded) == len(texts)
    native = Native("p", "", "", {"a": 1} | ({} if event_id is None else {"EventID": event_id}))
    assert loaded.match(native) == [entry for entry in loaded.loaded if entry.matches(View(native.fields))]


def test_every_document_is_loaded_or_rejected_with_its_line(tmp_path: Path):
    texts = {
        "good.yml": HEAD + "detection:\n    s: {a: 1}\n    condition: s\n",
        "same.yml": HEAD + "detection:\n    s: {a: 2}\n    condition: s\n",
        "two.yml": "title: A\nlogsource: {product: p}\ndetection:\n    s: {a: 1}\n    condition: s\n---\ntitle: B\ncorrelation: {type: event_count}\n",
        "filter.yml": "title: F\nfilter: {rules: [x]}\nlogsource: {product: p}\n",
        "list.yml": HEAD.replace("1111-111111111111", "3333-333333333333") + "detection:\n    s:\n        a: []\n    condition: s\n",
        "modifier.yml": "title: M\nlogsource: {product: p}\ndetection:\n    s:\n        b: 1\n        a|wrong: 1\n    condition: s\n",
        "number.yml": "title: N\nlogsource: {product: p}\ndetection:\n    s:\n        a|gt: 'five'\n    condition: s\n",
        "condition.yml": "title: C\nlogsource: {product: p}\ndetection:\n    s: {a: 1}\n    condition: 2 of them\n",
        "missing.yml": "title: C\nlogsource: {product: p}\ndetection:\n    s: {a: 1}\n    condition: t\n",
        "source.yml": "title: C\nlogsource: {}\ndetection:\n    s: {a: 1}\n    condition: s\n",
        "twice.yml": "title: C\ntitle: D\n",
        "noyaml.yml": "a: [",
        "expand.yml": "title: E\nlogsource: {product: p}\ndetection:\n    s:\n        a|expand: '%Servers%'\n    condition: s\n",
        "unused.yml": "title: U\nlogsource: {product: p}\ndetection:\n    s: {a: 1}\n    t: {a: 2}\n    condition: s\n",
    }
    for name, text in texts.items():
        (tmp_path / name).write_text(text, "utf-8")
    report = check([tmp_path])
    assert report.documents == len(report.loaded) + report.refused == len(texts) + 1
    assert {entry.rule.title for entry in report.loaded} == {"T", "A", "U"}
    where = {(Path(fault.path).name, fault.line) for fault in report.rejected}
    assert {("modifier.yml", 6), ("number.yml", 5), ("list.yml", 6), ("condition.yml", 5), ("missing.yml", 5), ("twice.yml", 2)} <= where
    assert any("good.yml:2" in fault.message for fault in report.rejected if fault.path.endswith("same.yml"))
    assert any("%Servers%" in fault.message for fault in report.rejected)
    assert [Path(fault.path).name for fault in report.warnings] == ["unused.yml"]


def test_a_placeholder_loads_with_its_list():
    text = "title: E\nlogsource: {product: p}\ndetection:\n    s:\n        a|expand: '%Servers%'\n    condition: s\n"
    loaded = load_sigma([("e.yml", text)], {"Servers": ["alpha", "Beta"]})
    assert loaded.match(Native("p", "", "", {"a": "BETA"}))
    assert not loaded.match(Native("p", "", "", {"a": "gamma"}))
    empty = load_sigma([("e.yml", text)], {"Servers": []})
    assert len(empty.loaded) == 1
    assert not empty.match(Native("p", "", "", {"a": "alpha"}))


def test_a_finding_says_what_was_seen_and_who_wrote_the_rule():
    head = HEAD + "author: Ada\nlevel: high\ntags: [attack.execution, attack.t1059.001]\n"
    loaded = rule("s:\n    Image|endswith: cmd.exe\nn: {User: SYSTEM}\ncondition: s and not n", head)
    native = Native("p", "", "", {"Image": "C:\\cmd.exe"}, blind=frozenset({"User"}))
    [entry] = loaded.match(native)
    story = Story()
    event = story.logon(at("9:00"), 1, "ws-1")
    finding = loaded.finding(entry, event, directory(), native)
    assert (finding.rule, finding.severity, finding.mode, finding.author) == (entry.id, 4, Mode.RISK, "Ada")
    assert finding.attack == ("T1059.001",)
    assert finding.persons == ("person:1",)
    for word in ("cmd.exe", "ws-1", "A. Reyes", "Ada", "cannot supply User"):
        assert word in finding.because
    assert "  " not in finding.because


def test_rules_for_our_own_events():
    head = "title: T\nid: 11111111-1111-1111-1111-111111111111\nlogsource: {product: watchword, category: physical_access}\n"
    loaded = rule("s: {activity_id: 2, ww_portal.uid|endswith: server}\ncondition: s", head)
    story = Story()
    refused = own_view(story.door(at("9:00"), "server", Access.DENIED, 1))
    granted = own_view(story.door(at("9:00"), "server", Access.GRANTED, 1))
    assert refused is not None
    assert granted is not None
    assert loaded.match(refused)
    assert not loaded.match(granted)
    assert own_view(story.logon(at("9:00"), 1, "ws-1")) is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(["a", "b", "a.b", "EventID"]), JSON))
def test_no_record_breaks_the_matching(fields: dict[str, Any]):
    loaded = rule(
        "s:\n    a|re: 'x+'\nt: {a.b|contains: y}\nu: {b|cidr: 10.0.0.0/8}\nv: {a|hour: 3}\nw: {a|gt: 4}\nx: ['k*k']\ncondition: 1 of them"
    )
    loaded.match(Native("p", "", "", fields))


@pytest.mark.slow
def test_the_shared_cases_come_out_exactly(shared_data: Path, tmp_path: Path):
    folder = shared_data / "sigma"
    with tarfile.open(folder / "rules.tar.gz") as archive:
        members = [member for member in archive.getmembers() if member.name.endswith(".yml")]
        files = [(member.name, io.TextIOWrapper(archive.extractfile(member) or io.BytesIO(), "utf-8").read()) for member in members]
    loaded = load_sigma(files)
    assert loaded.report.documents == 3780
    assert all("needs the list" in fault.message for fault in loaded.rejected)
    assert (len(loaded.loaded), loaded.report.refused) == (3755, 25)
    view = load_mapping(MAPPING.read_text("utf-8"), "windows-json").view
    assert view is not None
    found = tmp_path / "hits.tsv"
    with found.open("w") as out:
        for number, line in enumerate((folder / "regression_events.jsonl").read_bytes().splitlines()):
            for entry in loaded.match(view.of(orjson.loads(line))):
                out.write(f"{number}\t{entry.id}\n")
    scored = subprocess.run(
        [sys.executable, str(folder / "score.py"), "regression", str(found)], capture_output=True, text=True, check=False
    )
    assert scored.returncode == 0, scored.stdout
