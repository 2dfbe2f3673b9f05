"""The tutorial's commands, typed as they stand there, give what it says."""

import json
import re
import shlex
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "tutorial" / "first-findings.md"
BLOCK = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```", re.MULTILINE | re.DOTALL)


def workstations(folder: Path) -> str:
    rows = [line.split(",") for line in (folder / "workstations.csv").read_text().splitlines()[1:]]
    return "".join(
        f"  {name}: {{kind: workstation, place: office, addresses: [{address}], owner: {owner}}}\n" for name, address, owner in rows
    )


@pytest.mark.slow
def test_from_two_exports_to_the_one_person(run, tmp_path, monkeypatch):
    folder = tmp_path / "annex"
    shutil.copytree(PAGE.parent / "annex", folder)
    monkeypatch.chdir(folder)
    done, commands = {}, []
    for kind, name, text in BLOCK.findall(PAGE.read_text(encoding="utf-8")):
        if name:
            (folder / name).write_text(text + (workstations(folder) if name == "site.yaml" else ""))
        elif kind == "sh":
            commands += [line for line in text.splitlines() if line.startswith("watchword ")]
    assert len(commands) >= 9
    for line in commands:
        words = shlex.split(line)[1:]
        if "UID" in words:
            listed = run("--data", "annex-data", "findings", "list", "--filter", "rule=ww_018", "--format", "ndjson").out.splitlines()
            uid = next(row["uid"] for row in map(json.loads, listed) if "192.0.2.77" in row["addresses"])
            words[words.index("UID")] = uid
        ran = run(*words)
        assert ran.status == 0, f"{line}\n{ran.out}\n{ran.err}"
        done[line] = ran
    listed = next(ran.out for line, ran in done.items() if "findings list" in line)
    assert len(listed.splitlines()) == 26
    related = json.loads(next(ran.out for line, ran in done.items() if "--related" in line))["related"]
    assert (related[0]["kind"], related[0]["value"], len(related[0]["findings"])) == ("address", "192.0.2.77", 16)
    ranking = next(ran.out for line, ran in done.items() if "--rank" in line).splitlines()
    assert "192.0.2.77" in ranking[1]
    assert "M. Bauer" in ranking[2]
    again = run("--data", "annex-data", "ingest", "badges.csv", "--source", "badges", "--mapping", "badges.yaml")
    counts = json.loads(again.out)
    assert (counts["accepted"], counts["parsed"], counts["unparsed"], counts["duplicate"]) == (0, 0, 0, 2777)
