"""Commands about incidents, runs, approvals, pages and who is on call: offline, on a data folder with no server running."""

import json

import pytest

from watchword.app.settings import Settings
from watchword.app.watchword import open_watchword

PASSWORD = "correct horse battery staple"
LISTS = ("incidents list", "runs list", "approvals list", "pages list", "on-call list")


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """A data folder with accounts, a rota, the shipped playbooks and an open page."""
    from datetime import date

    from watchword.app.principal import Role
    from watchword.respond.rota import Layer

    folder = tmp_path_factory.mktemp("response") / "data"
    folder.mkdir(parents=True)
    (folder / "watchword.toml").write_text("[respond]\nsimulated = true\n")
    with open_watchword(Settings(data=folder, respond_simulated=True)) as watchword:
        for name, role in (("ivo", Role.IT_ANALYST), ("otto", Role.CONTROL_ROOM_OPERATOR), ("mia", Role.MANAGER), ("aud", Role.AUDITOR)):
            watchword.accounts.create(name, role, PASSWORD, actor="test")
        watchword.response.on_call.put("IT", "it", "UTC", [Layer("week", ("ivo", "mia"), date(2026, 1, 5))], by="test")
        watchword.response.library.install_shipped()
    return folder


@pytest.fixture
def typed(run, house):
    """Type a command; a JSON answer is read."""

    def command(*words, status=0, stdin=""):
        ran = run("--data", str(house), *words, stdin=stdin)
        assert ran.status == status, ran.err
        lines = ran.out.splitlines()
        return json.loads(lines[0]) if status == 0 and len(lines) == 1 and lines[0].startswith("{") else ran

    return command


@pytest.mark.parametrize("words", LISTS)
def test_lists_come_in_every_form_and_name_their_filters(typed, words):
    for form in ("table", "ndjson", "csv"):
        typed(*words.split(), "--format", form, "--since", "2000-01-01", "--until", "now", "--limit", "5")
    assert "KEY one of" in typed(*words.split(), "--filter", "colour=red", status=2).err
    assert "no time" in typed(*words.split(), "--since", "soon", status=2).err
    typed(words.split()[0], "--limit", "5")


def test_an_incident_by_its_number(typed, house):
    made = typed("incidents", "open", "Odd badge", "--because", "seen on camera", "--severity", "2", "--team", "physical")
    number = str(made["number"])
    assert made["teams"] == ["physical"]
    assert "known are" in typed("incidents", "open", "x", "--because", "y", "--team", "sea", status=2).err
    shown = typed("incidents", "show", number)
    assert [each["moment"] for each in shown["moments"] if each["moment"] == "t4"] == []
    typed("incidents", "note", f"#{number}", "Door found ajar", "--at", "2h")
    told = typed("incidents", "show", number, "--timeline")["timeline"]
    assert told[-1]["text"] == "Door found ajar"
    assert told[-1]["recorded_by"].startswith("cli:")
    assert typed("incidents", "verify", number) == {"incident": made["uid"], "intact": True, "entries": len(told), "problems": []}
    typed("incidents", "show", "999", status=1)
    typed("incidents", "show", "none", status=1)
    found = typed("incidents", "list", "--format", "ndjson", "--filter", "severity=2", "--filter", "open=yes", "--filter", "text=odd")
    assert found["uid"] == made["uid"]
    assert found["next"]
    assert "yes or no" in typed("incidents", "list", "--filter", "open=maybe", status=2).err
    assert "lost" in typed("incidents", "list", "--filter", "state=lost", status=2).err
    dry = typed("incidents", "close", number, "--verdict", "benign", "--note", "the cleaner", "--dry-run")
    assert dry["dry_run"] is True
    assert dry["still_open"]
    assert "cannot be closed" in typed("incidents", "close", number, "--verdict", "benign", "--note", "the cleaner", status=1).err
    typed("incidents", "close", number, "--verdict", "odd", "--note", "x", status=2)
    other = typed("incidents", "open", "Same badge", "--because", "again")
    assert typed("incidents", "merge", number, str(other["number"]), "--reason", "one", "--dry-run")["takes_up"] == [other["uid"]]
    assert typed("incidents", "show", str(other["number"]))["merged_into"] == ""
    typed("incidents", "merge", number, str(other["number"]), "--reason", "one story")
    assert typed("incidents", "show", str(other["number"]))["merged_into"] == made["uid"]
    typed("incidents", "merge", number, number, "--reason", "x", status=2)


def test_a_changed_entry_is_found(typed, house):
    made = typed("incidents", "open", "Chained", "--because", "a test")
    from sqlalchemy import text

    with open_watchword(Settings(data=house)) as watchword, watchword.records.begin() as connection:
        connection.execute(text("UPDATE incident_entry SET text = 'other' WHERE incident = :uid AND seq = 1"), {"uid": made["uid"]})
    ran = typed("incidents", "verify", made["uid"], status=1)
    assert "entry 1 was changed" in ran.err
    assert json.loads(ran.out)["intact"] is False


def test_a_run_is_started_answered_and_ended(typed, house):
    incident = typed("incidents", "open", "Laptop gone", "--because", "its owner says so")
    typed("runs", "start", "stolen-laptop", status=2)
    assert "there are" in typed("runs", "start", "lost-ship", "--exercise", status=1).err
    values = [word for name in ("finding", "person", "asset", "credential", "account") for word in ("--set", f"{name}=x:{name}")]
    typed("runs", "start", "stolen-laptop", "--exercise", "--set", "person", status=2)
    made = typed("runs", "start", "stolen-laptop", "--incident", str(incident["number"]), *values, "--exercise")
    assert (made["status"], made["exercise"]) == ("running", True)
    with open_watchword(Settings(data=house, respond_simulated=True)) as watchword:
        for _ in range(20):
            watchword.response.runs.step(watchword.clock.now())
    shown = typed("runs", "show", made["uid"])
    path = next(each["path"] for each in shown["waits"] if each["kind"] == "person")
    typed("runs", "answer", made["uid"], path, "--result", "maybe", status=2)
    typed("runs", "answer", made["uid"], path, "--result", "done", "--team", "sea", status=2)
    done = typed("runs", "answer", made["uid"], path, "--result", "not_applicable", "--note", "not ours", "--team", "it")
    assert (done["status"], done["note"]) == ("skipped", "not ours")
    assert "execution-status" in typed("runs", "show", made["uid"], "--status").out
    listed = typed("runs", "list", "--format", "ndjson", "--filter", f"incident={incident['number']}", "--filter", "exercise=yes")
    assert listed["uid"] == made["uid"]
    assert typed("runs", "cancel", made["uid"], "--reason", "a test")["status"] == "cancelled"
    typed("runs", "cancel", made["uid"], "--reason", "again", status=1)
    typed("runs", "show", "none", status=1)


def test_a_word_is_given_by_a_person_at_a_terminal(typed, house, run, monkeypatch):
    incident = typed("incidents", "open", "Scanned", "--because", "by that address")["uid"]
    with open_watchword(Settings(data=house, respond_simulated=True)) as watchword:
        from datetime import timedelta

        from watchword.app import by_hand

        action = by_hand.wanted(
            watchword, incident, "address.block", "203.0.113.9", {}, timedelta(hours=1), reason="it scans us", by="ivo", nonce="abcdefgh"
        )
        uid = by_hand.ask(watchword, action).approval
    assert "203.0.113.9" in typed("approvals", "list", "--filter", f"incident={incident}", "--format", "ndjson")["words"]
    assert typed("approvals", "show", uid)["preview"]["refusals"] == []
    assert "Only a person" in typed("approvals", "answer", uid, "--account", "mia", status=1, stdin=PASSWORD).err

    def sit(*answers, account, status):
        words = ("--data", str(house), "approvals", "answer", uid, "--account", account)
        monkeypatch.setattr("watchword.cli.person.must_be_terminal", lambda: None)
        monkeypatch.setattr("watchword.cli.approvals.must_be_terminal", lambda: None)
        said = list(answers)
        monkeypatch.setattr("typer.prompt", lambda *_, **__: said.pop(0))
        ran = run(*words)
        assert ran.status == status, ran.err
        return ran

    assert "do not fit" in sit("agree", "", "wrong", account="mia", status=1).err
    assert "whoever asks" in sit("agree", "", PASSWORD, account="ivo", status=1).err
    assert "approve" in sit("agree", "", PASSWORD, account="aud", status=1).err
    sit("perhaps", account="mia", status=2)
    done = sit("agree", "", PASSWORD, account="mia", status=0)
    assert "needs 1 person" in done.err
    assert json.loads(done.out)["outcome"]["status"] == "done"


def test_a_page_is_taken_by_a_person(typed, house, run, monkeypatch):
    incident = typed("incidents", "open", "Fire door", "--because", "open")["uid"]
    with open_watchword(Settings(data=house)) as watchword, watchword.records.begin() as connection:
        page = watchword.response.pager.page(
            connection,
            incident=incident,
            severity=3,
            teams=["it"],
            title="Fire door",
            place="",
            what_to_do="Look.",
            exercise=False,
            key="p1",
        )
    assert typed("pages", "list", "--format", "ndjson", "--filter", f"incident={incident}")["waits_for"] == ["it"]
    assert "Only a person" in typed("pages", "acknowledge", page, "--account", "ivo", status=1).err
    monkeypatch.setattr("watchword.cli.person.must_be_terminal", lambda: None)
    monkeypatch.setattr("watchword.cli.pages.must_be_terminal", lambda: None)
    monkeypatch.setattr("typer.prompt", lambda *_, **__: PASSWORD)
    assert typed("pages", "acknowledge", page, "--account", "ivo")["waits_for"] == []
    typed("pages", "acknowledge", page, "--account", "ivo", status=1)


def test_who_is_on_duty(typed, tmp_path):
    found = typed("on-call", "who", "--team", "it", "--at", "2026-01-06", "--format", "ndjson").out.splitlines()
    assert [json.loads(each)["person"] for each in found] == ["ivo", "mia"]
    typed("on-call", "who", "--team", "sea", status=2)
    shifts = typed("on-call", "shifts", "IT", "--since", "2026-01-06", "--until", "2026-01-20", "--format", "ndjson").out.splitlines()
    assert [json.loads(each)["person"] for each in shifts] == ["ivo", "mia", "ivo"]
    typed("on-call", "shifts", "none", status=1)
    typed("on-call", "gaps", "--days", "7")
    out = tmp_path / "it.ics"
    typed("on-call", "export", "IT", "--output", str(out))
    assert b"BEGIN:VCALENDAR" in out.read_bytes()
    ahead = out.read_text().replace("SUMMARY:ivo", "SUMMARY:otto").replace("SUMMARY:mia", "SUMMARY:otto")
    out.write_text(ahead)
    assert typed("on-call", "import", "IT", str(out))["duties"] > 5
    assert {json.loads(each)["person"] for each in typed("on-call", "shifts", "IT", "--format", "ndjson").out.splitlines()} == {"otto"}
    out.write_text(ahead.replace("otto", "nobody"))
    assert "it.ics:" in typed("on-call", "import", "IT", str(out), status=1).err
    typed("on-call", "import", "IT", str(tmp_path / "none.ics"), status=3)
