"""``watchword controls`` and ``watchword frameworks`` at the terminal."""

import json

import pytest


@pytest.fixture
def ask(run, tmp_path):
    """Run a command on a data folder of its own; return what it printed as rows."""
    folder = str(tmp_path / "data")

    def command(*words):
        done = run("--data", folder, *words)
        assert done.status == 0, done.err
        return [json.loads(line) for line in done.out.splitlines() if line.startswith("{")]

    return command


def test_without_data_everything_is_unknown_and_nothing_passes(ask):
    rows = ask("controls", "list", "--format", "ndjson")
    assert len(rows) == 30
    assert {row["state"] for row in rows} == {"unknown"}
    assert {row["pass"] for row in rows} == {None}


def test_controls_are_tested_shown_and_exported(run, data, tmp_path):
    folder = ("--data", str(data))
    tested = run(*folder, "controls", "test")
    assert tested.status == 0, tested.err
    assert "results changed" in tested.err
    shown = run(*folder, "controls", "show", "pe-3", "--format", "ndjson")
    line = json.loads(shown.out.splitlines()[0])
    assert line["result"] == "insufficient"
    one = run(*folder, "controls", "evidence", line["uid"])
    assert json.loads(one.out)["inputs"] == []
    said = run(*folder, "controls", "attest", "ir-8", "Both team leads walked through the plan.", "--lasts", "60d", "--sampled")
    assert json.loads(said.out)["quality"] == 0.9
    assert run(*folder, "controls", "attest", "ir-8", "ok").status == 2
    made = run(*folder, "controls", "check", "walk-test", "--on", "asset:panel", "--failed", "--note", "one is blind", "--at", "2h")
    assert json.loads(made.out)["kind"] == "walk-test"
    assert run(*folder, "controls", "check", "moon-test").status == 2
    book = tmp_path / "book.yaml"
    book.write_text("posts: [hq/lobby]\n", encoding="utf-8")
    assert json.loads(run(*folder, "controls", "configure", str(book)).out)["version"] == 1
    book.write_text("moons: []\n", encoding="utf-8")
    assert run(*folder, "controls", "configure", str(book)).status == 1
    exported = json.loads(run(*folder, "controls", "export").out)
    assert exported["assessment-results"]["results"][0]["findings"]
    assert "assessment-plan" in json.loads(run(*folder, "controls", "export", "--plan").out)


def test_frameworks_are_imported_and_shown(run, ask, tmp_path):
    file = tmp_path / "map_sp800-53_to_house.csv"
    file.write_text("source,target,relationship\npe-3,H-1,equal\npe-4,H-2,intersect\npe-5,H-3,equal\n", encoding="utf-8")
    assert ask("frameworks", "import", str(file))[0]["rows"] == 3
    assert {row["name"] for row in ask("frameworks", "list", "--format", "ndjson")} == {"sp800-53", "csf-2.0"}
    rows = {row["id"]: row["reach"] for row in ask("frameworks", "show", "house", "--format", "ndjson")}
    assert rows == {"H-1": "whole", "H-2": "partial", "H-3": "none"}
    assert len(ask("frameworks", "map", "sp800-53", "house", "--format", "ndjson")) == 3
    missing = run("--data", str(tmp_path / "data"), "frameworks", "import", str(tmp_path / "no.json"))
    assert missing.status == 2
    file.write_text("nothing", encoding="utf-8")
    assert run("--data", str(tmp_path / "data"), "frameworks", "import", str(file)).status == 1
