"""Commands as they are typed: what they print, what they refuse, with which exit status."""

import csv
import io
import json
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from watchword.stores.located import LocatedEventLog

ROOT = Path(__file__).parents[2]
LISTS = ("events list", "findings list", "entities list", "entities rank", "entities --rank", "sources list", "source unparsed", "people list",
         "mappings list", "audit list", "accounts list", "tokens list", "rules list")  # fmt: skip
MAPPING = """mapping: doors
source: {domain: physical, kind: access_control, connector: csv, site: hq}
format: {kind: csv}
time: {from: when, format: "%Y-%m-%d %H:%M:%S", zone: UTC}
events:
  - class: physical_access
    activity: granted
    message: "{who} at {reader}"
    fields: {badge: who, reader: reader}
"""
SITE = """site: hq
name: Headquarters
zone: UTC
zones:
  hall: {name: Hall}
doors:
  main: {name: Main door, from: outside, to: hall, readers: {in: main-in, out: main-out}}
"""
PEOPLE = "employee number,name,badge\n1,Ada Stone,1001\n2,Ben Hill,1002\n"
ROWS = [
    "2026-06-01 08:00:00,1001,main-in",
    "2026-06-01 08:05:00,1002,main-in",
    "2026-06-01 17:00:00,1001,main-out",
    "01.06.2026 18:00:00,1001,main-in",
]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    for name, text in {
        "doors.yaml": MAPPING,
        "site.yaml": SITE,
        "people.csv": PEOPLE,
        "log.csv": "\n".join(["when,who,reader", *ROWS]) + "\n",
        "bad-site.yaml": SITE.replace("to: hall", "to: cellar").replace("zone: UTC", "zone: Mars/Olympus"),
        "bad.yaml": MAPPING.replace("format: {kind: csv}", "format: {kind: vsc}").replace("events:", "evnts:"),
    }.items():
        (folder / name).write_text(text)
    return folder


@pytest.fixture(scope="module")
def filled(data, files):
    """The data folder with a site, two people and four door records, one of which cannot be parsed."""

    def command(*words):
        return subprocess.run(
            [sys.executable, "-m", "watchword", "--data", data, *words], capture_output=True, text=True, check=False, cwd=files
        )

    for words in (("site", "load", "site.yaml"), ("people", "load", "people.csv")):
        ran = command(*words)
        assert ran.returncode == 0, ran.stderr
    ran = command("ingest", "log.csv", "--source", "doors", "--mapping", "doors.yaml")
    assert (ran.returncode, json.loads(ran.stdout)) == (1, {"accepted": 4, "parsed": 3, "unparsed": 1, "duplicate": 0}), ran.stderr
    assert "watchword source unparsed doors" in ran.stderr
    return data


def test_help_is_quick():
    code = (
        "import sys; from watchword.cli.main import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "print(sorted(set(sys.modules) & {'fastapi', 'starlette', 'sqlalchemy', 'chdb', 'pyarrow', 'uvicorn', 'alembic', 'sigma', 'pydantic'}))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines()[-1] == "[]"
    assert "findings" in ran.stdout
    assert "\x1b" not in ran.stdout


@pytest.mark.parametrize("words", LISTS)
@pytest.mark.parametrize("form", ["table", "ndjson", "csv"])
def test_every_list_comes_in_every_form(run, filled, words, form):
    ran = run("--data", str(filled), *words.split(), "--format", form, "--since", "2000-01-01", "--until", "now", "--limit", "5")
    assert ran.status == 0, ran.err
    if form == "ndjson":
        assert all(isinstance(json.loads(line), dict) for line in ran.out.splitlines())
    if form == "csv":
        assert len({len(row) for row in csv.reader(io.StringIO(ran.out, newline=""))}) <= 1


@pytest.mark.parametrize("words", LISTS)
def test_every_list_says_what_can_be_filtered(run, filled, words):
    ran = run("--data", str(filled), *words.split(), "--filter", "colour=red")
    assert ran.status == 2
    assert "KEY one of" in ran.err
    assert run("--data", str(filled), *words.split(), "--since", "soon").status == 2
    assert run("--data", str(filled), *words.split(), "--format", "xml").status == 2


def test_events(run, filled):
    ran = run("events", "list", "--data", str(filled), "--format", "ndjson", "--oldest")
    rows = [json.loads(line) for line in ran.out.splitlines()]
    assert [row["message"] for row in rows] == ["1001 at main-in", "1002 at main-in", "1001 at main-out"] or all(
        "at main" in row["message"] for row in rows
    )
    assert [row["person"] for row in rows] == ["person:1", "person:2", "person:1"]
    assert rows[0]["time"] == "2026-06-01T08:00:00.000Z"
    assert rows[0]["place"] == "hq/doors/main"
    one = run("events", "show", rows[0]["uid"], "--data", str(filled))
    assert json.loads(one.out)["uid"] == rows[0]["uid"]
    assert ROWS[0] in run("events", "show", rows[0]["uid"], "--raw", "--data", str(filled)).out
    assert run("events", "show", "0" * 32, "--data", str(filled)).status == 1
    late = run(
        "events",
        "list",
        "--data",
        str(filled),
        "--format",
        "ndjson",
        "--since",
        "2026-06-01T12:00:00Z",
        "--filter",
        "class=physical_access",
    )
    assert len(late.out.splitlines()) == 1


def test_trails_need_a_reason(run, filled):
    for words in (("people", "show", "person:1"), ("people", "trail", "person:1"), ("events", "list", "--filter", "person=person:1")):
        ran = run("--data", str(filled), *words)
        assert ran.status == 1
        assert "--reason" in ran.err
    ran = run(
        "--data",
        str(filled),
        "people",
        "trail",
        "person:1",
        "--since",
        "2026-01-01",
        "--reason",
        "ticket 12: lost badge",
        "--format",
        "ndjson",
    )
    assert len(ran.out.splitlines()) == 2
    shown = json.loads(run("--data", str(filled), "people", "show", "person:1", "--reason", "ticket 12: lost badge").out)
    assert shown["name"] == "Ada Stone"
    assert "1001" not in json.dumps(shown)
    log = [
        json.loads(line)
        for line in run("--data", str(filled), "audit", "list", "--format", "ndjson", "--filter", "action=trail").out.splitlines()
    ]
    assert {(each["target"], each["reason"]) for each in log} == {("person:1", "ticket 12: lost badge")}
    assert log[0]["actor"].startswith("cli:")


def test_unparsed_records_stay_until_they_are_mended(run, filled):
    listed = run("--data", str(filled), "source", "unparsed", "doors", "--format", "ndjson")
    assert "01.06.2026" in json.loads(listed.out)["sample"]
    still = run("--data", str(filled), "source", "reparse", "doors")
    assert (still.status, json.loads(still.out)) == (1, {"source": "doors", "mended": 0, "unparsed": 1})
    status = json.loads(run("--data", str(filled), "sources", "show", "doors").out)
    assert (status["accepted"], status["parsed"], status["unparsed"]) == (4, 3, 1)


def test_files_are_checked_all_faults_at_once(run, files, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ran = run("site", "check", str(files / "bad-site.yaml"))
    assert ran.status == 1
    assert f"{files / 'bad-site.yaml'}:3:" in ran.err
    assert "cellar" in ran.err
    assert run("site", "check", str(files / "site.yaml")).status == 0
    assert run("people", "load", "--dry-run", str(files / "people.csv")).status == 0
    bad = run("source", "try", str(files / "bad.yaml"), str(files / "log.csv"))
    assert bad.status == 1
    assert f"{files / 'bad.yaml'}:3:" in bad.err
    assert "evnts" in bad.err
    assert run("source", "add", "x", "--mapping", str(files / "doors.yaml"), "--dry-run").status == 0
    assert list(tmp_path.iterdir()) == [], "looking makes no data folder"
    assert run("site", "check", "nowhere.yaml").status == 2


def test_trying_a_mapping_stores_nothing(run, files, tmp_path):
    ran = run("--data", str(tmp_path / "none"), "source", "try", str(files / "doors.yaml"), str(files / "log.csv"), "--format", "ndjson")
    assert ran.status == 1
    rows = [json.loads(line) for line in ran.out.splitlines()]
    assert [bool(row["fault"]) for row in rows] == [False, False, False, True]
    assert rows[0]["class"] == "physical_access"
    assert not (tmp_path / "none").exists()


def test_sources_and_tokens(run, filled, files):
    assert run("--data", str(filled), "source", "add", "more", "--mapping", str(files / "doors.yaml"), "--connector", "webhook").status == 0
    assert run("--data", str(filled), "source", "add", "more", "--mapping", str(files / "doors.yaml")).status == 1
    token = json.loads(run("--data", str(filled), "source", "token", "more").out)
    assert token["token"].startswith("wws_")
    assert json.loads(run("--data", str(filled), "source", "token", "more", "--signing").out)["signing_key"].startswith("whsec_")
    assert run("--data", str(filled), "source", "token", "nothing").status == 1
    assert run("--data", str(filled), "source", "remove", "more").status == 0
    assert run("--data", str(filled), "mappings", "show", "doors").out == MAPPING
    assert run("--data", str(filled), "ingest", str(files / "log.csv"), "--source", "unheard").status == 1
    again = run("--data", str(filled), "ingest", str(files / "log.csv"), "--source", "doors", "--mapping", str(files / "doors.yaml"))
    assert json.loads(again.out) == {"accepted": 0, "parsed": 0, "unparsed": 0, "duplicate": 4}


def test_accounts_never_take_a_password_from_the_command_line(run, filled, tmp_path, monkeypatch):
    secret = tmp_path / "secret"
    secret.write_text("correct horse battery staple\n")
    made = run("--data", str(filled), "accounts", "add", "ann", "--role", "it-analyst", "--password-file", str(secret))
    assert json.loads(made.out)["role"] == "it_analyst"
    assert run("--data", str(filled), "accounts", "add", "ann", "--role", "auditor", "--password-file", str(secret)).status == 1
    assert run("--data", str(filled), "accounts", "add", "bob", "--role", "boss", "--password-file", str(secret)).status == 2
    assert run("--data", str(filled), "accounts", "add", "bob", "--role", "auditor", stdin="short\n").status == 2
    assert run("--data", str(filled), "accounts", "password", "ann", stdin="another long enough one\n").status == 0
    monkeypatch.setenv("WATCHWORD_PASSWORD", "yet another long enough one")
    assert run("--data", str(filled), "accounts", "password", "ann").status == 0
    token = json.loads(run("--data", str(filled), "tokens", "add", "probe", "--account", "ann", "--scope", "read", "--life", "30d").out)
    assert token["secret"].startswith("ww_")
    assert token["secret"] not in run("--data", str(filled), "tokens", "list", "--format", "ndjson").out
    assert run("--data", str(filled), "tokens", "revoke", token["uid"]).status == 0
    assert run("--data", str(filled), "tokens", "add", "probe", "--account", "ann", "--scope", "fly").status == 2
    assert run("--data", str(filled), "accounts", "disable", "ann").status == 0


def test_the_audit_log_is_verified(run, filled, tmp_path):
    anchor = tmp_path / "anchor"
    assert run("--data", str(filled), "audit", "verify", "--write-anchor", str(anchor)).status == 0
    ran = run("--data", str(filled), "audit", "verify", "--anchor", str(anchor))
    assert json.loads(ran.out)["intact"] is True
    seq, head = anchor.read_text().split()
    anchor.write_text(f"{seq} {'0' * len(head)}")
    ran = run("--data", str(filled), "audit", "verify", "--anchor", str(anchor))
    assert (ran.status, json.loads(ran.out)["intact"]) == (1, False)
    assert "anchored" in ran.err


def test_the_doctor(run, filled, tmp_path):
    ran = run("--data", str(filled), "doctor", "--format", "ndjson", "--deep")
    rows = {row["check"]: row for row in map(json.loads, ran.out.splitlines())}
    assert ran.status == 0, ran.out
    assert {
        "python",
        "chdb",
        "settings",
        "data folder",
        "disk",
        "keys",
        "ports",
        "records",
        "spool",
        "event log",
        "clock",
        "archive",
    } <= set(rows)
    settings = tmp_path / "w.toml"
    settings.write_text("[spool]\nbites = 1\n")
    ran = run("--settings", str(settings), "doctor", "--format", "ndjson")
    assert ran.status == 1
    assert any(row["state"] == "wrong" and "w.toml:2" in row["detail"] for row in map(json.loads, ran.out.splitlines()))


def test_rules(run, tmp_path):
    rows = [json.loads(line) for line in run("rules", "list", "--format", "ndjson").out.splitlines()]
    assert len(rows) >= 18
    assert json.loads(run("rules", "show", rows[0]["id"]).out)["id"] == rows[0]["id"]
    assert run("rules", "show", "none").status == 1
    assert run("rules", "check").status == 0
    (tmp_path / "bad.yml").write_text("title: x\n")
    settings = tmp_path / "w.toml"
    settings.write_text('[detect]\nrules = ["."]\n[detect.overrides.ww_999]\nmode = "page"\n')
    ran = run("--settings", str(settings), "rules", "check")
    assert ran.status == 1
    assert "bad.yml" in ran.err
    assert "ww_999" in ran.err


def test_findings_that_are_not_there(run, filled):
    assert run("--data", str(filled), "findings", "show", "none").status == 1
    assert run("--data", str(filled), "findings", "acknowledge", "none").status == 1
    assert run("--data", str(filled), "findings", "close", "none", "--verdict", "perhaps").status == 2
    assert run("--data", str(filled), "findings", "list", "--filter", "severity=loud").status == 2
    assert run("--data", str(filled), "findings", "list", "--filter", "mode=page", "--filter", "mode=risk").status == 2


def test_no_reach(run, tmp_path, monkeypatch):
    monkeypatch.setenv("WATCHWORD_EVENTS_URL", "http://127.0.0.1:9/x")
    monkeypatch.setattr("watchword.app.watchword.LocatedEventLog", partial(LocatedEventLog, patience=0.1))
    ran = run("--data", str(tmp_path / "d"), "events", "list")
    assert ran.status == 3, ran.err


def test_a_mended_mapping_reads_them(run, filled, files):
    mended = files / "mended.yaml"
    mended.write_text(MAPPING.replace('format: "%Y-%m-%d %H:%M:%S"', 'format: ["%Y-%m-%d %H:%M:%S", "%d.%m.%Y %H:%M:%S"]'))
    assert run("--data", str(filled), "source", "add", "doors", "--mapping", str(mended), "--replace").status == 0
    ran = run("--data", str(filled), "source", "reparse", "doors")
    assert (ran.status, json.loads(ran.out)) == (0, {"source": "doors", "mended": 1, "unparsed": 0}), ran.err
    assert run("--data", str(filled), "source", "unparsed", "doors").out == ""
    events = run("--data", str(filled), "events", "list", "--filter", "source=doors", "--format", "ndjson").out.splitlines()
    assert (len(events), json.loads(events[0])["time"]) == (4, "2026-06-01T18:00:00.000Z")
    status = json.loads(run("--data", str(filled), "sources", "show", "doors").out)
    assert (status["accepted"], status["parsed"], status["unparsed"]) == (4, 4, 0)
