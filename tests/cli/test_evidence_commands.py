"""Evidence and paper at the terminal: taken in, listed, handed out, checked where no data folder is, printed."""

import hashlib
import json
from datetime import UTC, datetime, timedelta

import pytest

from watchword.app.response import keep_clip
from watchword.app.settings import Settings
from watchword.app.watchword import open_watchword
from watchword.connectors.product import Clip
from watchword.kit.errors import Corrupt
from watchword.model.action import Action


@pytest.fixture
def folder(tmp_path):
    data = tmp_path / "data"
    with open_watchword(Settings(data=data)) as watchword:
        watchword.response.library.install_shipped()
        watchword.response.incidents.open("Door", by="ada", team="it", because="Seen.", severity=2)
    return data


def test_a_file_is_taken_in_listed_handed_out_and_checked(run, folder, tmp_path, monkeypatch):
    file = tmp_path / "clip.mp4"
    file.write_bytes(b"\x00clip" * 100)
    added = run(
        "evidence",
        "add",
        str(file),
        "--incident",
        "1",
        "--kind",
        "clip",
        "--source",
        "cam-03",
        "--clock-offset",
        "-2.5",
        "--data",
        str(folder),
    )
    assert added.status == 0, added.err
    piece = json.loads(added.out)
    assert piece["sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()
    assert run("evidence", "--incident", "#1", "--format", "ndjson", "--data", str(folder)).out == added.out
    shown = json.loads(run("evidence", "show", piece["uid"], "--data", str(folder)).out)
    assert (shown["intact"], shown["custody"][0]["deed"]) == (True, "acquired")
    bundle = tmp_path / "bundle.zip"
    out = run("evidence", "export", str(bundle), "--incident", "1", "--reason", "for the court", "--data", str(folder))
    assert out.status == 0, out.err
    key = json.loads(out.out)["key"]
    empty = tmp_path / "nothing here"
    empty.mkdir()
    monkeypatch.chdir(empty)
    checked = run("evidence", "verify", str(bundle), "--key", key)
    assert (checked.status, json.loads(checked.out)["originals"]) == (0, 1)
    assert list(empty.iterdir()) == []
    assert run("evidence", "verify", str(bundle), "--key", "0" * 64).status == 1
    content = bytearray(bundle.read_bytes())
    content[len(content) // 2] ^= 1
    bundle.write_bytes(content)
    broken = run("evidence", "verify", str(bundle))
    assert broken.status == 1
    assert json.loads(broken.out)["faults"]
    assert run("evidence", "verify", str(tmp_path / "none.zip")).status == 3


def test_what_cannot_be_taken_in_is_said(run, folder, tmp_path):
    assert run("evidence", "add", str(tmp_path / "none"), "--incident", "1", "--data", str(folder)).status == 2
    assert run("evidence", "add", str(folder / "records.sqlite3"), "--incident", "9", "--data", str(folder)).status == 1
    wrong = run("evidence", "add", str(folder / "records.sqlite3"), "--incident", "1", "--kind", "x", "--data", str(folder))
    assert (wrong.status, "clip, log" in wrong.err) == (2, True)


def test_runbooks_and_reports_are_printed(run, folder, tmp_path):
    made = run("paper", "runbooks", "--folder", str(tmp_path / "desk"), "--data", str(folder))
    assert made.status == 0, made.err
    assert len(list((tmp_path / "desk").glob("*.pdf"))) == json.loads(made.out)["files"] > 10
    for words in (("incident", "--incident", "1"), ("executive",), ("tactical", "--since", "7d")):
        out = tmp_path / "report.pdf"
        assert run("paper", "report", words[0], str(out), *words[1:], "--data", str(folder)).status == 0
        assert out.read_bytes().startswith(b"%PDF-")
    assert run("paper", "report", "incident", str(out), "--data", str(folder)).status == 2


def test_a_clip_that_a_responder_fetched_is_kept_once_and_as_it_came(folder, tmp_path):
    content, file = b"\x00\x00\x00 ftyp" * 50, tmp_path / "fetched.mp4"
    file.write_bytes(content)
    since = datetime(2026, 3, 2, 12, tzinfo=UTC)
    with open_watchword(Settings(data=folder)) as watchword:
        incident = watchword.response.incidents.reader.uid_of_number(1)
        action = Action("camera.fetch_clip", "harbour/cam-03", incident=incident, run="a" * 32, key="k1")
        clip = Clip(
            "harbour/cam-03",
            since,
            since + timedelta(minutes=1),
            hashlib.sha256(content).hexdigest(),
            len(content),
            file,
            "frigate",
            action,
        )
        uid = keep_clip(watchword.response.evidence, clip)
        assert keep_clip(watchword.response.evidence, clip) == uid
        piece = watchword.response.evidence.get(uid)
        assert (piece.about.name, piece.about.source) == ("cam-03-20260302-120000.mp4", "frigate, camera harbour/cam-03")
        assert watchword.response.evidence.originals.path(piece.sha256).read_bytes() == content
        other = Clip(
            "harbour/cam-03", since, since, "0" * 64, 1, file, "frigate", Action("camera.fetch_clip", "x", incident=incident, key="k2")
        )
        with pytest.raises(Corrupt):
            keep_clip(watchword.response.evidence, other)
