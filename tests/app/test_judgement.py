"""A verdict and its entry in the audit log are kept together, or neither is."""

from datetime import UTC, datetime

import pytest

from watchword.app.judgement import work_on
from watchword.app.settings import read_settings
from watchword.app.watchword import open_watchword
from watchword.detect.service import Disposition, WorkState
from watchword.kit.errors import Conflict, Full
from watchword.model import Finding

AT = datetime(2026, 6, 1, 8, tzinfo=UTC)
FINDING = Finding("a" * 32, "ww_001", 1, "Somebody", 3, 0.8, AT, AT, AT, "because")


@pytest.fixture
def watchword(tmp_path):
    with open_watchword(read_settings(environment={}, overrides={"data": tmp_path})) as opened:
        opened.findings.put([FINDING])
        yield opened


def test_a_verdict_stands_in_the_audit_log(watchword):
    done = work_on(watchword, FINDING.uid, WorkState.CLOSED, by="olga", disposition=Disposition.BENIGN, note="drill")
    assert (done.work.state, done.work.note) == (WorkState.CLOSED, "drill")
    [entry] = watchword.audit.entries()
    assert (entry.actor, entry.action, entry.target, entry.reason) == ("olga", "finding.close", FINDING.uid, "drill")
    assert entry.detail == {"disposition": "benign"}


def test_a_verdict_that_cannot_be_audited_is_not_kept(watchword, monkeypatch):
    def fail(*_, **__):
        raise Full("the disk is full")

    position = watchword.ledger.last_position()
    monkeypatch.setattr(watchword.audit, "_write", fail)
    with pytest.raises(Full):
        work_on(watchword, FINDING.uid, WorkState.ACKNOWLEDGED, by="olga")
    assert watchword.findings.get(FINDING.uid).work.state is WorkState.OPEN
    assert watchword.ledger.last_position() == position, "nobody hears of a verdict that was not kept"


def test_a_refused_verdict_leaves_no_entry(watchword):
    seen = watchword.findings.get(FINDING.uid).work
    work_on(watchword, FINDING.uid, WorkState.ACKNOWLEDGED, by="olga", seen=seen)
    with pytest.raises(Conflict):
        work_on(watchword, FINDING.uid, WorkState.CLOSED, by="ben", disposition=Disposition.TRUE, seen=seen)
    assert [entry.actor for entry in watchword.audit.entries()] == ["olga"]
