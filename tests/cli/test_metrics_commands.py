"""``watchword metrics`` as it is typed: list, show, compute, backfill, target, export, weights."""

import json


def test_measures_without_data_are_unknown_and_not_none(run, data):
    asked = run("--data", str(data), "metrics", "compute")
    assert json.loads(asked.out)["faults"] == []
    assert asked.status == 0
    rows = [json.loads(line) for line in run("--data", str(data), "metrics", "list", "--all", "--format", "ndjson").out.splitlines()]
    risk = next(row for row in rows if row["name"] == "risk_hours")
    assert risk["grade"] == "D"
    assert risk.get("value") is None
    assert json.loads(run("--data", str(data), "metrics", "backfill").out)["faults"] == []


def test_a_measure_is_shown_in_words(run, data):
    shown = run("--data", str(data), "metrics", "show", "risk_hours")
    assert shown.status == 0
    assert "counts the queue" in shown.err
    assert "adversarial:" in shown.err
    assert run("--data", str(data), "metrics", "show", "no.such").status == 1
    assert run("--data", str(data), "metrics", "inputs", "0" * 32).status == 1


def test_a_target_is_set_and_exported(run, data):
    assert run("--data", str(data), "metrics", "target", "risk_hours", "300").status == 0
    assert "counter-metric" in run("--data", str(data), "metrics", "target", "review.disagreement", "0.1").err
    exported = run("--data", str(data), "metrics", "export", "--format", "csv")
    assert exported.out.startswith("name,version,title,subject")
    assert run("--data", str(data), "metrics", "export", "risk_hours", "--series").status == 0
    weights = json.loads(run("--data", str(data), "metrics", "weights").out)
    assert weights["holds"]
