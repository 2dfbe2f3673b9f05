"""The responding process: it follows the news from where it left off, pages once, and its own deeds come in at the front door."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from watchword.app.demo import furnish
from watchword.app.principal import Role
from watchword.app.responding import GAP, Responding
from watchword.app.response import DEEDS
from watchword.app.settings import read_settings
from watchword.app.watchword import open_watchword
from watchword.detect.service import FindingFilter
from watchword.kit.clock import ManualClock
from watchword.kit.ids import uid_of
from watchword.model import Finding, FindingState, Mode
from watchword.respond.rota import Layer
from watchword.simulate import organisation

NOW = datetime(2026, 6, 2, 12, tzinfo=UTC)
DOOR = "harbour/doors/D-01"


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    chosen = replace(read_settings(environment={}, overrides={"data": tmp_path_factory.mktemp("respond") / "data"}), respond_simulated=True)
    with open_watchword(chosen, ManualClock(NOW)) as watchword:
        furnish(watchword, organisation(1))
    return chosen


@pytest.fixture
def house(settings):
    with open_watchword(settings, ManualClock(NOW)) as watchword:
        yield watchword


def finding(name, rule="ww_999", at=NOW, **more):
    said = {"mode": Mode.PAGE, "places": (DOOR,), **more}
    return Finding(uid_of("finding", name), rule, 1, "Door forced", 4, 0.9, at, at, at, f"{name} happened.", **said)


def responding(watchword):
    made = Responding(watchword)
    made.start()
    return made


def incident_of(watchword, uid):
    (held,) = watchword.response.incidents.reader.of_finding(uid)
    return held


def test_a_finding_becomes_one_incident_with_one_page_however_often_it_is_told(house):
    one = finding("one")
    made = responding(house)
    house.findings.put([one])
    made.step()
    held = incident_of(house, one.uid)
    assert held
    pages = house.response.pager.pages(held)
    assert [page.incident for page in pages] == [held]
    house.findings.put([replace(one, because="One happened, and more is known.")])
    made.step()
    assert [page.uid for page in house.response.pager.pages(held)] == [page.uid for page in pages]


def test_what_came_while_nobody_responded_is_taken_up(house):
    missed = finding("missed", places=("mill/doors/M-01",))
    house.findings.put([missed])
    responding(house).step()
    assert incident_of(house, missed.uid)


def test_old_findings_become_incidents_and_call_nobody(house):
    old = finding("old", at=NOW - timedelta(days=3), places=("harbour/doors/D-20",))
    made = responding(house)
    house.findings.put([old])
    made.step()
    assert house.response.pager.pages(incident_of(house, old.uid)) == []


def test_our_own_deeds_have_their_source(house):
    responding(house)
    assert DEEDS in house.mappings.sources()


def test_a_gap_in_the_rota_is_a_finding_once(house):
    house.accounts.create("ida", Role.IT_ANALYST, "a good long password", actor="test")
    house.response.on_call.put("IT", "it", "UTC", [Layer("desk", ("ida",), NOW.date(), until=(NOW + timedelta(days=3)).date())], by="test")
    made = responding(house)
    for _ in range(2):
        made.look_round()
    found = house.findings.list(FindingFilter(rules=(GAP,), states=tuple(FindingState)))
    assert len(found) == 1
    assert "Nobody" in found[0].finding.because
