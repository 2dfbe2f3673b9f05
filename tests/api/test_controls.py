"""Controls and frameworks over HTTP."""

from datetime import timedelta

import pytest

from watchword.app.controlling import look
from watchword.app.pipeline import Pipeline
from watchword.model import EventQuery

V1 = "/api/v1"
UID = "0" * 32


@pytest.fixture(scope="module")
def looked(house):
    look(house, house.clock.now())
    return house


def test_controls_are_listed_with_shares_that_sum_to_one(looked, client, token):
    rows = client.get(f"{V1}/controls", headers=token("read")).json()
    assert len(rows) == 30
    for row in rows:
        if row["things"]:
            assert row["passed"] + row["failed"] + row["unknown"] == pytest.approx(1)
        else:
            assert row["passed"] is None


def test_a_control_leads_to_evidence_and_to_what_was_read(looked, client, token):
    reads = token("read")
    found = client.get(f"{V1}/controls/pe-3", headers=reads).json()
    assert found["evidence"]
    read = [
        each
        for one in found["evidence"]
        for each in client.get(f"{V1}/control-evidence/{one['uid']}/inputs", headers=reads).json()
        if each["kind"] == "event"
    ]
    assert read
    assert client.get(f"{V1}/events/{read[0]['uid']}", headers=reads).status_code == 200
    assert client.get(f"{V1}/controls/pe-99", headers=reads).status_code == 404
    assert client.get(f"{V1}/control-evidence/{UID}", headers=reads).status_code == 404


def test_words_and_checks_need_their_rights(looked, client, token):
    said = {"result": "pass", "statement": "Both team leads walked through the plan."}
    assert client.post(f"{V1}/controls/ir-8/word", json=said, headers=token("read")).status_code == 403
    made = client.post(f"{V1}/controls/ir-8/word", json=said, headers=token("steward"))
    assert made.status_code == 201, made.text
    assert made.json()["quality"] == 0.6
    assert client.post(f"{V1}/controls/ir-8/word", json=said | {"result": "insufficient"}, headers=token("steward")).status_code == 422
    check = {"kind": "walk-test", "target": "asset:panel-h", "note": "all detectors"}
    assert client.post(f"{V1}/control-checks", json=check, headers=token("read")).status_code == 403
    assert client.post(f"{V1}/control-checks", json=check, headers=token("respond")).status_code == 202
    assert client.post(f"{V1}/control-checks", json=check | {"kind": "moon-test"}, headers=token("respond")).status_code == 422


def test_exports_are_oscal(looked, client, token):
    found = client.get(f"{V1}/controls-export", headers=token("read")).json()
    assert found["assessment-results"]["results"][0]["observations"]
    plan = client.get(f"{V1}/controls-export?what=plan", headers=token("read")).json()
    assert len(plan["assessment-plan"]["tasks"]) == 30


def test_frameworks_are_imported_and_read(looked, client, token):
    raw = b"source,target,relationship\npe-3,9.9.9,intersect\n"
    assert client.post(f"{V1}/frameworks?name=map.csv", content=raw, headers=token("read")).status_code == 403
    made = client.post(f"{V1}/frameworks?name=map.csv", content=raw, headers=token("steward"))
    assert (made.status_code, made.json()["rows"]) == (201, 1)
    wrong = client.post(f"{V1}/frameworks?name=x.json", content=b"{}", headers=token("steward"))
    assert wrong.status_code == 422, wrong.text
    rows = client.get(f"{V1}/framework-maps?source=sp800-53&target=iso27001-2022", headers=token("read")).json()
    assert {"source": "pe-3", "target": "9.9.9", "relation": "intersect"} in rows
    assert {each["name"] for each in client.get(f"{V1}/frameworks", headers=token("read")).json()} >= {"sp800-53", "csf-2.0"}
    reached = client.get(f"{V1}/frameworks/csf-2.0", headers=token("read")).json()
    assert {each["reach"] for each in reached} == {"partial", "none"}
    assert client.get(f"{V1}/frameworks/cis", headers=token("read")).status_code == 404


def test_a_check_walks_back_from_evidence_to_the_bytes_that_arrived(looked, client, token):
    check = {"kind": "walk-test", "target": "asset:panel-h", "note": "forty detectors walked"}
    looked.clock.advance(timedelta(seconds=5))  # of two checks at one moment the first would count
    record = client.post(f"{V1}/control-checks", json=check, headers=token("respond")).json()["record"]
    pipeline = Pipeline(looked)
    pipeline.start()
    pipeline.run_until_empty()
    looked.clock.advance(timedelta(seconds=5))
    look(looked, looked.clock.now())
    evidence = next(e for e in looked.governance.controls.control("pe-6.1").evidence if e.asset == "asset:panel-h")
    uids = [uid for kind, uid in looked.governance.controls.inputs(evidence.uid) if kind == "event"]
    events = looked.events.events(EventQuery(uids=tuple(uids)))
    bodies = [each.body for each in looked.events.records([event.record for event in events])]
    assert any(record.encode() in body and b"forty detectors walked" in body for body in bodies)
