"""Paper: what people write is printed as it stands, runbooks are made once a night, and a house without playbooks prints an index all the same."""

import json
import os
import re
import zlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import typst

from watchword.app.paper import KINDS, incident_paper, period_paper
from watchword.app.responding import Responding
from watchword.app.runbook import due, playbook_paper, write_runbooks
from watchword.app.settings import Settings
from watchword.app.typeset import TEMPLATES, printed, typeset
from watchword.app.watchword import open_watchword
from watchword.kit.clock import ManualClock
from watchword.kit.errors import InputError
from watchword.respond.rota import Layer

NOON = datetime(2026, 11, 4, 12, tzinfo=UTC)
HOSTILE = (
    '#import "@preview/evil:1.0.0": * #panic("no") $x^2$ *b* _i_ `r` <label> @ref = head \\u{41} // c /* c */ [x] {y} #read("/etc/passwd")'
    "\n#sys.inputs\u202e\x00 " + "A" * 500
)


@pytest.fixture
def watchword(tmp_path):
    with open_watchword(Settings(data=tmp_path / "data", name="Harbour #watch"), ManualClock(NOON)) as opened:
        yield opened


def headings_of(template, data):
    """Return the headings that a template lays out, as typst itself says: pieces of text and breaks, nothing else."""
    inputs = {"data": json.dumps(printed(data), ensure_ascii=False)}
    found = json.loads(typst.query(TEMPLATES / f"{template}.typ", "heading", root=TEMPLATES, sys_inputs=inputs))
    return [each["body"] for each in found]


def sheet(**more):
    said = {"title": HOSTILE, "banner": "REAL", "head": HOSTILE, "house": HOSTILE, "foot": HOSTILE, "facts": [(HOSTILE, HOSTILE)]}
    section = {"title": HOSTILE, "text": HOSTILE, "widths": [0, 1], "head": [HOSTILE, "b"], "rows": [[HOSTILE, HOSTILE]], "none": "None."}
    return {**said, "sections": [section], **more}


def text_of(pdf):
    """Return the text of a PDF of ours: glyphs of its page streams, through the maps of its subset fonts."""
    streams = [zlib.decompress(part) for part in re.findall(rb"stream\r?\n(.*?)\r?\nendstream", pdf, re.DOTALL) if part[:1] == b"x"]
    glyphs = {}
    for each in streams:
        if b"beginbfchar" in each:
            pairs = re.findall(rb"<([0-9A-Fa-f]{4})> <([0-9A-Fa-f]{4,})>", each)
            glyphs |= {code.lower(): bytes.fromhex(value.decode()).decode("utf-16-be", "replace") for code, value in pairs}
    return glyphs


def test_hostile_text_is_printed_as_it_stands():
    one = " ".join(HOSTILE.split())
    bodies = headings_of("report", sheet(title=one, sections=[{"title": one, "text": HOSTILE}]))
    assert bodies == [{"func": "text", "text": printed(one)}] * 2
    pdf = typeset("report", sheet(), NOON)
    assert pdf.startswith(b"%PDF-")
    assert {"#", "$", "*", "_", "`", "@", "\\"} <= set(text_of(pdf).values()), "the signs themselves are on the page"


def test_a_sheet_is_the_same_whenever_it_is_set():
    assert typeset("report", sheet(), NOON) == typeset("report", sheet(), NOON)


def test_control_and_direction_characters_are_shown_and_long_words_broken():
    shown = printed({"a": ["x\u202ey\x00z\nnext", "A" * 40]})
    assert shown["a"][0] == "x\ufffdy\ufffdz\nnext"
    assert shown["a"][1].replace("\u200b", "") == "A" * 40
    assert shown["a"][1].count("\u200b") == 2


def test_every_report_of_an_incident_is_printed_whatever_it_says(watchword):
    uid = watchword.response.incidents.open(HOSTILE[:290], by="ada", team="it", because=HOSTILE, severity=1)
    for _ in range(30):
        watchword.response.incidents.note(uid, HOSTILE, by="ada", team="it")
    sizes = {kind: len(incident_paper(watchword, uid, kind)) for kind in KINDS}
    assert sizes["incident"] > sizes["tactical"]
    with pytest.raises(InputError):
        incident_paper(watchword, uid, "other")
    for kind in ("executive", "tactical"):
        assert period_paper(watchword, kind, NOON - timedelta(days=30), NOON + timedelta(hours=1)).startswith(b"%PDF-")
    with pytest.raises(InputError, match="period"):
        period_paper(watchword, "incident", NOON - timedelta(days=30), NOON)
    with pytest.raises(InputError, match="before"):
        period_paper(watchword, "executive", NOON, NOON)


def captured(monkeypatch):
    seen = {}

    def keep(template, data, made_at, *, verbatim=None):
        seen[template] = {**data, **(verbatim or {})}
        return typeset(template, data, made_at, verbatim=verbatim)

    monkeypatch.setattr("watchword.app.runbook.typeset", keep)
    monkeypatch.setattr("watchword.app.paper.typeset", keep)
    return seen


def test_a_runbook_has_steps_branches_contacts_rota_version_and_code(watchword, monkeypatch):
    from watchword.app.accounts import Role

    response = watchword.response
    response.library.install_shipped()
    watchword.accounts.create("otto", Role.CONTROL_ROOM_OPERATOR, "correct horse battery", actor="test")
    rota = Layer("day", ("otto",), NOON.date() - timedelta(days=7))
    response.on_call.put("Desk", "physical", "Europe/Berlin", [rota], by="test")
    seen = captured(monkeypatch)
    kept = response.library.find("stolen-laptop")
    assert playbook_paper(watchword, kept).startswith(b"%PDF-")
    data = seen["runbook"]
    assert ("Version", kept.modified) in data["facts"]
    assert ("SHA-256", kept.sha256) in data["facts"]
    assert data["calls"][0]["rows"][0][:3] == ("Physical security", "on call (Desk)", "otto")
    assert data["calls"][1]["rows"][0][3] == "otto"
    assert data["qr"].startswith("<svg")
    numbers = {step["number"] for step in data["steps"]}
    leads = [words for step in data["steps"] for _, words in step["leads"]]
    assert len(numbers) == len(data["steps"]) > 30
    assert {re.match(r"step (\d+)", lead)[1] for lead in leads if lead.startswith("step")} <= numbers
    assert any(when not in {"then", "if it fails"} for step in data["steps"] for when, _ in step["leads"])
    assert any("By hand:" in step["text"] for step in data["steps"])
    assert any(step["records"] for step in data["steps"])


def test_the_executive_page_names_nobody(watchword, monkeypatch):
    uid = watchword.response.incidents.open("Ana Reyes left", by="areyes", team="it", because="Ana Reyes did it.", severity=1)
    seen = captured(monkeypatch)
    incident_paper(watchword, uid, "executive")
    assert "reyes" not in json.dumps(seen["report"], default=str).lower()


def test_evidence_stands_in_the_report_with_hash_and_clock(watchword, monkeypatch):
    import io

    from watchword.respond.evidence_view import About, EvidenceKind

    uid = watchword.response.incidents.open("Door", by="ada", team="it", because="Seen.", severity=2)
    about = About(EvidenceKind.CLIP, "a.mp4", clock_offset=timedelta(seconds=90))
    piece = watchword.response.evidence.acquire(io.BytesIO(b"x"), about, incident=uid, by="ada", team="it")
    seen = captured(monkeypatch)
    incident_paper(watchword, uid)
    rows = next(each["rows"] for each in seen["report"]["sections"] if each["title"] == "Evidence")
    assert rows[0][3:5] == [piece.sha256, "90.000 s ahead of ours"]


def test_runbooks_are_made_once_a_night_one_at_a_time_and_old_ones_go(watchword):
    folder = Path(watchword.settings.data) / "paper"
    responding = Responding(watchword)
    watchword.response.library.install_shipped()
    assert due(watchword)
    counts = []
    for _ in range(30):
        responding.look_round()
        counts.append(len(list(folder.glob("*.pdf"))))
    assert counts[:3] == [1, 2, 3]
    assert counts[-1] == len(watchword.response.library.list()) + 1
    index = folder / "index.pdf"
    assert index.stat().st_mode & 0o777 == 0o600
    os.utime(index, (NOON.timestamp(),) * 2)
    assert not due(watchword)
    watchword.clock.advance(timedelta(hours=13, minutes=59))  # 01:59 UTC, as there is no site yet
    assert not due(watchword)
    watchword.clock.advance(timedelta(minutes=1))
    assert due(watchword)
    (folder / "gone-00000000.pdf").write_bytes(b"of a playbook that is no more")
    made = write_runbooks(watchword)
    assert made.faults == ()
    assert not (folder / "gone-00000000.pdf").exists()


def test_an_index_is_made_where_there_are_no_playbooks(watchword, tmp_path):
    made = write_runbooks(watchword, tmp_path / "elsewhere")
    assert [path.name for path in made.files] == ["index.pdf"]
