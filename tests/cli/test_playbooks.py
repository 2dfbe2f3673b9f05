"""``watchword playbooks`` as it is typed."""

import csv
import io
import json
from importlib.resources import files

import pytest
from tests.respond.content.dead_end import untakeable

PLAYBOOKS = files("watchword") / "content" / "playbooks"
LAPTOP, LOSS = "stolen-laptop", "loss-of-the-access-control-system"


@pytest.fixture
def here(run, data):
    return lambda *words: run("--data", str(data), "playbooks", *words)


def text_of(name):
    return (PLAYBOOKS / f"{name}.json").read_text("utf-8")


def rows(ran):
    return [json.loads(line) for line in ran.out.splitlines()]


def test_the_list_has_the_shipped_ones_and_filters_by_rule_team_and_name(here):
    found = rows(here("list", "-f", "ndjson"))
    assert len(found) == 12
    assert {(one["errors"], one["warnings"], one["signed"]) for one in found} <= {(0, 0, "no"), (0, 0, "good")}
    assert [one["name"] for one in rows(here("list", "-f", "ndjson", "-F", "rule=ww_014"))] == ["Forced door, then unknown device"]
    assert [one["name"] for one in rows(here("list", "-f", "ndjson", "-F", f"name={LAPTOP}"))] == ["Stolen laptop"]
    assert len(rows(here("list", "-f", "ndjson", "-F", "team=physical", "-n", "3"))) == 3
    assert rows(here("list", "-f", "ndjson", "-F", "shipped=no")) == []
    assert next(csv.DictReader(io.StringIO(here("list", "-f", "csv").out)))["shipped"] == "True"
    assert "Stolen laptop" in here("-f", "table").out, "a list is what is asked for when no verb is"


def test_steps_are_shown_as_they_follow_each_other(here):
    ran = here("show", LAPTOP)
    lines = ran.out.splitlines()
    assert [line.split("  ")[0] for line in lines[1:4]] == ["start", "Ask the owner", "What became of it?"]
    assert lines[4].startswith("  Look at it before it works again")
    found = rows(here("show", LAPTOP, "-f", "ndjson"))
    assert {one["reverts_after"] for one in found if one["action"] == "account.disable"} == {"1d"}
    assert here("show", "no-such-playbook").status == 1


def test_lint_is_clean_on_the_shipped_ones_and_says_path_line_and_code_of_a_bad_one(here, tmp_path):
    assert here("lint").status == 0
    bad = tmp_path / "bad.json"
    bad.write_text(text_of(LAPTOP).replace("__loss__:value", "__lost__:value"))
    ran = here("lint", str(bad), "-f", "ndjson")
    assert ran.status == 1
    fault = rows(ran)[0]
    assert (fault["path"], fault["code"], fault["severity"]) == (str(bad), "undeclared-variable", "error")
    assert fault["line"] > 1
    assert "1 errors, 0 warnings" in ran.err
    assert here("lint", str(tmp_path / "none.json")).status == 2


def test_import_keeps_a_version_and_export_gives_it_back(here, tmp_path):
    own = json.loads(text_of(LAPTOP)) | {"id": "playbook--5d2a1e8c-5f0b-4c34-9b1e-0a8f7c6d5e4f", "name": "Our laptop"}
    file = tmp_path / "own.json"
    file.write_text(json.dumps(own))
    tried = here("import", str(file), "--dry-run")
    assert (tried.status, rows(tried)) == (0, [{"file": str(file), "errors": 0}])
    assert here("show", "our-laptop").status == 1, "a dry run keeps nothing"
    kept = here("import", str(file))
    assert kept.status == 0
    assert rows(kept)[0] | {"file": ""} == {
        "file": "", "name": "Our laptop", "id": own["id"], "modified": own["modified"], "errors": 0, "cut": [],
    }  # fmt: skip
    assert json.loads(here("export", "our-laptop").out) == own
    out = tmp_path / "out.json"
    assert here("export", "our-laptop", "--version", own["modified"], "--to", str(out)).status == 0
    assert json.loads(out.read_text()) == own
    again = here("export", "our-laptop", "--to", str(out))
    assert again.status == 2
    assert "is there already" in again.err
    own["workflow_start"] = own["workflow_exception"]
    own["modified"] = "2026-11-26T00:00:00.000Z"
    file.write_text(json.dumps(own))
    wrong = here("import", str(file))
    assert wrong.status == 1
    assert "no-start" in wrong.err


def test_a_signature_is_made_and_verified_and_a_changed_text_is_not(here, tmp_path):
    assert here("verify", LOSS).status == 1, "none is no good one"
    assert here("sign", LOSS).status == 0
    ran = here("verify", LOSS, "-f", "ndjson")
    assert ran.status == 0
    assert [(one["mathematics"], one["window"], one["trust"]) for one in rows(ran)] == [("valid", "open", "trusted")]
    signed = here("export", LOSS).out
    file = tmp_path / "signed.json"
    file.write_text(signed)
    assert here("verify", str(file)).status == 0
    file.write_text(signed.replace("Does everybody get out?", "Does nobody get out?"))
    ran = here("verify", str(file), "-f", "ndjson")
    assert ran.status == 1
    assert rows(ran)[0]["mathematics"] == "invalid"


def test_a_drill_prints_every_branch_with_what_was_done(here):
    ran = here("drill", LOSS, "-f", "ndjson")
    assert ran.status == 0, ran.err
    found = rows(ran)
    assert {one["ends"] for one in found} >= {"completed", "handled"}
    branches = {one["branch"] for one in found}
    assert {
        f"What is the cause? \N{RIGHTWARDS ARROW} case {cause}" for cause in ("attack", "power", "network", "controllers", "default")
    } <= branches
    assert any("host.isolate asset:laptop: done" in one["actions"] for one in found)
    assert any("1 person, not the one who asks: granted" in line for one in found for line in one["approvals"])
    assert any(one["refusals"] for one in found)
    assert f"{len(found)} of {len(found)} branches taken" in ran.err


def test_a_drill_of_a_file_with_a_dead_branch_fails_and_names_it(here, tmp_path):
    file = tmp_path / "dead.json"
    file.write_text(json.dumps(untakeable()))
    ran = here("drill", str(file))
    assert ran.status == 1
    assert "never taken: Never \N{RIGHTWARDS ARROW} true" in ran.err
    assert "never taken" in ran.out


def test_a_drill_needs_one_name_or_all_and_values_in_their_form(here):
    assert here("drill").status == 2
    assert here("drill", LOSS, "--all").status == 2
    assert "NAME=VALUE" in here("drill", LOSS, "--value", "x").err
