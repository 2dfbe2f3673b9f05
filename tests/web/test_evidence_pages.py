"""Evidence, papers and the paper log in the browser's eyes: taken in, opened with a reason, handed on by two, handed out, printed, entered."""

import io
import json
import re
import zipfile
from datetime import timedelta

import pytest
from sqlalchemy import update

from watchword.app import tables
from watchword.respond.bundle_check import check

FILE = {"file": ("door 3 \u00fc.mp4", b"\x00\x01clip\xff" * 1000, "video/mp4")}
SAID = {"kind": "clip", "reason": "the guard's recorder", "source": "cam-03", "offset": "-2,5", "player": "any; H.264", "note": "<b>x</b>"}


@pytest.fixture
def otto(client_of):
    return client_of("otto")


@pytest.fixture(scope="module")
def incident(watchword):
    watchword.response.library.install_shipped()
    return watchword.response.incidents.open("Forced <door>", by="ada", team="it", because="Seen.", severity=2)


def taken(client, incident):
    answer = client.post(f"/incidents/{incident}/evidence", data=SAID, files=FILE)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


def test_a_file_is_taken_in_and_shown(otto, watchword, incident):
    where = taken(otto, incident)
    page = otto.get(where).text
    assert "door 3 ü.mp4" in page
    assert "2.500 s behind ours" in page
    assert "&lt;b&gt;x&lt;/b&gt;" in page
    assert "the guard&#39;s recorder" in page
    assert "intact" in otto.get(f"{where}?verify=1").text
    assert where in otto.get(f"/incidents/{incident}/evidence").text
    assert where in otto.get("/evidence?whose=mine").text
    piece = watchword.response.evidence.get(where.rpartition("/")[2])
    assert watchword.response.evidence.originals.path(piece.sha256).read_bytes() == FILE["file"][1]


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"kind": "x"}, "Choose what it is"),
        ({"reason": " "}, "Say why"),
        ({"offset": "soon"}, "number of seconds"),
        ({"since": "never"}, "no time"),
    ],
)
def test_what_is_wrong_is_said_at_the_form(otto, incident, change, word):
    answer = otto.post(f"/incidents/{incident}/evidence", data={**SAID, **change}, files=FILE)
    assert answer.status_code == 422
    assert word in answer.text


def test_no_file_and_too_large_a_file_are_refused_before_the_body_is_read(otto, watchword, incident):
    assert otto.post(f"/incidents/{incident}/evidence", data=SAID).status_code == 422
    answer = otto.post(
        f"/incidents/{incident}/evidence",
        content=b"x",
        headers={"content-length": str(10**12), "content-type": "multipart/form-data; boundary=x"},
    )
    assert answer.status_code == 422
    assert "at most" in answer.text


def test_who_may_not_respond_takes_nothing_in_and_opens_nothing(client_of, otto, incident):
    where = taken(otto, incident)
    auditor = client_of("aud")
    assert auditor.get(where).status_code == 200
    assert auditor.post(f"/incidents/{incident}/evidence", data=SAID, files=FILE).status_code == 403
    assert auditor.post(f"{where}/open", data={"reason": "curious"}).status_code == 403
    assert client_of().post(f"/incidents/{incident}/evidence", data=SAID, files=FILE).headers["location"].startswith("/log-in")


def test_opening_takes_a_reason_and_is_a_download(otto, watchword, incident):
    where = taken(otto, incident)
    assert otto.post(f"{where}/open", data={"reason": " "}).status_code == 422
    answer = otto.post(f"{where}/open", data={"reason": "to see the face"})
    assert answer.content == FILE["file"][1]
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"].startswith("attachment")
    assert "to see the face" in otto.get(where).text
    assert watchword.audit.entries(action="evidence.viewed")[0].reason == "to see the face"


def test_the_raw_records_behind_the_findings_are_taken_in(otto, watchword, incident):
    assert otto.post(f"/incidents/{incident}/evidence/records", data={"reason": "what the doors said"}).status_code == 422
    finding = watchword.findings.list(limit=1)[0].finding
    watchword.response.incidents.attach(incident, finding.uid, by="ada", team="it")
    assert otto.post(f"/incidents/{incident}/evidence/records", data={"reason": " "}).status_code == 422
    answer = otto.post(f"/incidents/{incident}/evidence/records", data={"reason": "what the doors said"})
    assert answer.status_code == 303
    piece = watchword.response.evidence.get(answer.headers["location"].rpartition("/")[2])
    lines = [json.loads(line) for line in watchword.response.evidence.originals.path(piece.sha256).read_bytes().splitlines()]
    assert 0 < len(lines) <= len(finding.events)
    assert all(line["source"] in piece.about.source for line in lines)


def test_two_people_hand_it_on_and_an_old_log_in_takes_a_password(ada, otto, house, watchword, incident):
    where = taken(otto, incident)
    assert ada.post(f"{where}/custody", data={"deed": "offer", "to": "mia"}).status_code == 403
    assert otto.post(f"{where}/custody", data={"deed": "offer", "to": "ada", "reason": "end of shift"}).status_code == 303
    assert "offers it to you" in ada.get(where).text
    assert where in ada.get("/evidence").text
    with watchword.records.begin() as connection:
        connection.execute(update(tables.session).values(created=watchword.clock.now() - timedelta(hours=1)))
    assert "Your password" in ada.get(where).text
    refused = ada.post(f"{where}/custody", data={"deed": "accept"})
    assert refused.status_code == 403
    assert "give your password" in refused.text
    assert ada.post(f"{where}/custody", data={"deed": "accept", "password": "wrong"}).status_code == 403
    assert ada.post(f"{where}/custody", data={"deed": "accept", "password": house.PASSWORD}).status_code == 303
    piece = watchword.response.evidence.get(where.rpartition("/")[2])
    assert piece.custodian == "ada"
    assert watchword.response.evidence.verify(piece.uid) == []
    assert otto.post(f"{where}/custody", data={"deed": "burn", "password": house.PASSWORD}).status_code == 422


def test_everything_is_handed_out_as_a_bundle(otto, watchword, incident):
    taken(otto, incident)
    assert otto.post(f"/incidents/{incident}/evidence/export", data={"reason": ""}).status_code == 422
    answer = otto.post(f"/incidents/{incident}/evidence/export", data={"reason": "for the court"})
    assert answer.headers["content-type"] == "application/zip"
    faults, manifest = check(io.BytesIO(answer.content), watchword.response.evidence.public_key)
    assert faults == []
    assert manifest["incident"]["title"] == "Forced <door>"
    assert list(watchword.response.evidence.originals.outgoing.iterdir()) == []
    with zipfile.ZipFile(io.BytesIO(answer.content)) as bundle:
        assert json.loads(bundle.read("timeline.ndjson").splitlines()[0])["seq"] == 1


def test_reports_and_runbooks_are_printed(otto, client_of, watchword, incident):
    for kind in ("incident", "tactical", "executive"):
        answer = otto.get(f"/incidents/{incident}/report/{kind}.pdf")
        assert answer.headers["content-type"] == "application/pdf"
        assert answer.content.startswith(b"%PDF-")
    assert otto.get(f"/incidents/{incident}/report/other.pdf").status_code == 404
    assert otto.get("/reports/executive.pdf?days=7").content.startswith(b"%PDF-")
    assert otto.get("/reports/tactical.pdf?days=0").status_code == 422
    kept = watchword.response.library.find("stolen-laptop")
    assert otto.get(f"/playbooks/{kept.id}/paper.pdf").content.startswith(b"%PDF-")
    assert client_of("aud").get(f"/playbooks/{kept.id}/paper.pdf").status_code == 403
    assert f"/incidents/{incident}/report/incident.pdf" in otto.get(f"/incidents/{incident}").text


def sheet(**rows):
    return {f"{name}.{number[1:]}": value for number, row in rows.items() for name, value in row.items()} | {"rows": "15"}


def test_the_paper_log_answers_what_waits_and_writes_the_rest_into_the_timeline(ada, watchword, incident):
    response = watchword.response
    kept = response.library.find("stolen-laptop")
    known = {name: "person:1042" for name, one in kept.playbook.playbook_variables.items() if one.external}
    run = response.runs.start(kept.id, incident, known, "ada")
    for _ in range(3):
        response.runs.step(watchword.clock.now())
    wait = response.runs.get(run).waits[0]
    page = ada.get(f"/incidents/{incident}/paper").text
    step = re.search(rf'value="({run}:{re.escape(wait.path.rpartition("/")[2])})"', page)[1]
    values = ", ".join(f"{name.strip('_')}=true" if "loss" not in name else f"{name.strip('_')}=stolen" for name in wait.out_args)
    first = {"step": step, "result": "done", "time": "08:41", "initials": "AR", "values": values, "note": "she was at home"}
    note = {"step": "", "result": "done", "time": "08:44", "initials": "OK", "note": "Guard posted at door 3"}
    bad = {"step": "", "result": "done", "time": "25:99", "initials": "OK", "note": "x"}
    answer = ada.post(f"/incidents/{incident}/paper", data=sheet(r1=first, r3=note, r5=bad))
    assert answer.status_code == 422
    assert "is no time" in answer.text
    assert "25:99" in answer.text
    assert "Guard posted" in answer.text
    assert [one.path for one in response.runs.get(run).waits] != [wait.path]
    entries = [entry for entry in response.incidents.timeline(incident) if entry.text.startswith("Paper log")]
    assert [(f"{entry.occurred_at:%H:%M}", entry.recorded_by) for entry in entries] == [("07:41", "ada"), ("07:44", "ada")]
    assert "by AR. she was at home" in entries[0].text
    done = ada.post(f"/incidents/{incident}/paper", data=sheet(r1={**bad, "time": "08:45"}))
    assert done.status_code == 303
    again = ada.post(f"/incidents/{incident}/paper", data=sheet(r1=first))  # it waits no longer: the timeline takes it
    assert again.status_code == 303
    assert ada.post(f"/incidents/{incident}/paper", data=sheet()).status_code == 422


@pytest.mark.parametrize(
    ("row", "word"),
    [
        ({"note": "x", "initials": "A"}, "What time"),
        ({"note": "x", "time": "08:00"}, "initials"),
        ({"time": "08:00", "initials": "A"}, "Choose a step"),
        ({"step": "nonsense", "time": "08:00", "initials": "A"}, "from the list"),
        ({"note": "x", "time": "2027-01-01 08:00", "initials": "A"}, "not come yet"),
    ],
)
def test_a_row_that_says_too_little_stays_with_its_fault(ada, incident, row, word):
    answer = ada.post(f"/incidents/{incident}/paper", data=sheet(r1=row))
    assert answer.status_code == 422
    assert word in answer.text
