"""Rule files: every fault at once with its line, overrides, plug-ins, and shipped files that hold what they promise."""

import re
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
from tests.detect.story import directory

from watchword.detect import loader
from watchword.detect.loader import GROUP, build_detectors, load_rules, shipped_rules
from watchword.kit.errors import ContentError
from watchword.model import Mode

GOOD = """\
id: my_rule
title: Mine
level: low
operator: single
select:
  used: {class: physical_access, activity: granted}
because: "{person} at {place}"
"""
DOCS = Path(__file__).parents[2] / "docs" / "detections"


def faults(*texts: str, overrides: dict[str, dict[str, object]] | None = None) -> list[str]:
    with pytest.raises(ContentError) as caught:
        build_detectors(load_rules([(f"{number}.yaml", text) for number, text in enumerate(texts)], overrides), directory())
    return [str(fault) for fault in caught.value.faults]


def test_a_good_rule_loads():
    [rule] = load_rules([("good.yaml", GOOD)])
    assert (rule.id, rule.mode, rule.severity, rule.version) == ("my_rule", Mode.RISK, 2, 1)
    [detector] = build_detectors([rule], directory()).detectors
    assert detector.rule is rule


def test_all_faults_of_all_files_at_once():
    found = faults(
        GOOD.replace("level: low", "level: loud") + "nonsense: 1\n",
        "id: x\n",
        GOOD + "needs: [doors]\nconfidence: 2\nversion: zero\n",
        "title: [\n",
    )
    assert [re.match(r"\d\.yaml:\d+", fault) is not None for fault in found] == [True] * len(found)
    assert {fault.partition(":")[0] for fault in found} == {"0.yaml", "1.yaml", "2.yaml", "3.yaml"}
    assert any(fault.startswith("0.yaml:3:") for fault in found)
    assert any(fault.startswith("2.yaml:8:") for fault in found)


def test_faults_of_selections_settings_and_operators_name_the_line():
    assert faults(GOOD.replace("granted", "grated"))[0].startswith("0.yaml:6: 'grated' is no activity")
    assert faults(GOOD.replace("physical_access", "doors"))[0].startswith("0.yaml:6: 'doors' is no event class")
    assert "neither a role nor a fact" in faults(GOOD.replace("activity: granted", "persn: x"))[0]
    assert faults(GOOD.replace("single", "singel"))[0].startswith("0.yaml:4: there is no operator")
    assert "no duration" in faults(GOOD + "settings: {quiet: soon}\n")[0]
    assert "settings lack 'within'" in faults(GOOD.replace("single", "sequence"))[0]
    assert "not in select" in faults(GOOD.replace("single", "sequence") + "settings: {within: 1m, order: [a], group_by: [person]}\n")[0]
    assert "cannot be grouped" in faults(GOOD + "settings: {group_by: [colour]}\n")[0]
    assert (
        "no positive name"
        in faults(
            GOOD.replace("single", "sequence")
            + "settings: {within: 1m, order: [used], group_by: [person], unless: [{event: used, around: x}]}\n"
        )[0]
    )


def test_the_same_id_twice_names_both():
    assert "taken by 0.yaml:1" in faults(GOOD, GOOD)[0]


def test_overrides_change_what_they_may_and_nothing_else():
    files = [("good.yaml", GOOD + "settings: {quiet: 1m}\n")]
    [rule] = load_rules(files, {"my_rule": {"level": "high", "mode": "page", "confidence": 0.5, "settings": {"quiet": "2m"}}})
    assert (rule.severity, rule.mode, rule.confidence, rule.settings["quiet"]) == (4, Mode.PAGE, 0.5, "2m")
    assert load_rules(files, {"my_rule": {"enabled": False}}) == []
    with pytest.raises(ContentError) as caught:
        load_rules(files, {"my_rule": {"levle": "high", "settings": {"quite": "2m"}}, "other": {}})
    assert len(caught.value.faults) == 3


def test_a_plug_in_that_does_not_import_is_reported_and_stops_nothing(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(loader, "entry_points", lambda **_: [EntryPoint("strange", "no_such_package:make", GROUP)])
    rules = load_rules([("a.yaml", GOOD), ("b.yaml", GOOD.replace("my_rule", "other").replace("single", "strange"))])
    loaded = build_detectors(rules, directory())
    assert [detector.rule.id for detector in loaded.detectors] == ["my_rule"]
    assert str(loaded.broken[0]).startswith("b.yaml:4: operator 'strange' (no_such_package:make) does not load")


def test_a_plug_in_makes_detectors_but_cannot_take_the_name_of_ours(monkeypatch: pytest.MonkeyPatch):
    points = [EntryPoint("theirs", "watchword.detect.single:single", GROUP), EntryPoint("single", "no_such_package:make", GROUP)]
    monkeypatch.setattr(loader, "entry_points", lambda **_: points)
    loaded = build_detectors(
        load_rules([("a.yaml", GOOD), ("b.yaml", GOOD.replace("my_rule", "other").replace("single", "theirs"))]), directory()
    )
    assert len(loaded.detectors) == 2
    assert not loaded.broken


def test_shipped_rules_load_and_say_everything():
    rules = load_rules(shipped_rules())
    assert len(build_detectors(rules, directory()).detectors) == len(rules)
    for rule in rules:
        assert re.fullmatch(r"ww_\d{3}", rule.id), rule.id
        assert rule.path == f"content/rules/{rule.id}.yaml"
        assert rule.description, rule.id
        assert rule.attack, rule.id
        page = DOCS / f"{rule.id}.md"
        assert page.is_file(), f"docs/detections/{rule.id}.md is missing"
        assert rule.title in page.read_text("utf-8"), rule.id
