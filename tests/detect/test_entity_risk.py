"""Entity risk: the law K3 of measures, and the line that calls for people."""

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.detect.story import OFFICE, SERVER, at, directory

from watchword.detect.entity_risk import EntityKind, RiskSettings, crossings, domains_of, entities_of, entity_risks, joined
from watchword.detect.ranking import ZETA, risk
from watchword.model import Domain, Finding, FindingState

NOW = at("12:00", day=1)
BOOK = directory()


def finding(uid: str, rule: str = "r1", severity: int = 4, hours: float = 0, **more) -> Finding:
    when = NOW - timedelta(hours=hours)
    return Finding(uid, rule, 1, "t", severity, 0.8, when, when, when, "because", **more)


def score(found: list[Finding], entity: str, **more) -> float:
    return next((one.score for one in entity_risks(found, BOOK, NOW, **more) if one.entity == entity), 0.0)


def test_ten_thousand_findings_of_score_s_rank_below_one_of_262_s() -> None:
    for s in (0.001, 0.05, 0.2, 0.38):
        assert risk({f"r{n}": [s] for n in range(10_000)}) < risk({"one": [2.62 * s]})


def test_no_number_of_findings_of_a_level_outranks_one_of_the_next() -> None:
    for level in range(1, 5):
        many = [finding(f"f{n}", f"r{n}", level, credentials=("badge:1",)) for n in range(150)]
        assert score(many, "person:1") < score([finding("one", "r", level + 1, credentials=("badge:1",))], "person:1"), level


def test_more_findings_never_lower_a_risk_and_one_rule_counts_three_times_its_largest() -> None:
    alike = [finding(f"f{n}", credentials=("badge:1",)) for n in range(6)]
    scores = [score(alike[:number], "person:1") for number in range(1, 7)]
    assert scores == sorted(scores)
    assert scores[2] == scores[5]


def test_findings_fade_with_a_day_or_a_fortnight() -> None:
    fresh = score([finding("f", assets=("asset:srv-1",), severity=3)], "asset:srv-1")
    assert score([finding("f", hours=24, assets=("asset:srv-1",), severity=3)], "asset:srv-1") == pytest.approx(fresh / 2)
    assert score([finding("f", "ww_008", hours=14 * 24, assets=("asset:srv-1",), severity=3)], "asset:srv-1") == pytest.approx(fresh / 2)
    assert score([finding("f", hours=-1, assets=("asset:srv-1",), severity=3)], "asset:srv-1") == 0, "what is yet to come does not weigh"


def test_what_is_critical_weighs_more_and_nothing_weighs_more_than_all() -> None:
    plain, critical = score([finding("f", places=(OFFICE,))], OFFICE), score([finding("f", places=(SERVER,))], SERVER)
    assert critical == pytest.approx(1.5 * plain)
    assert score([finding("f", severity=6, places=("hq/doors/server",))], SERVER) == pytest.approx(100 / ZETA)


def test_account_badge_and_own_machine_meet_in_one_person_and_an_unknown_badge_stands_alone() -> None:
    assert entities_of(finding("f", credentials=("badge:1",)), BOOK) == {"person:1": EntityKind.PERSON}
    assert entities_of(finding("f", assets=("asset:ws-1",)), BOOK) == {"asset:ws-1": EntityKind.ASSET, "person:1": EntityKind.PERSON}
    assert entities_of(finding("f", credentials=("badge:x",)), BOOK) == {"badge:x": EntityKind.CREDENTIAL}
    both = [finding("a", "r1", credentials=("badge:1",), places=(OFFICE,)), finding("b", "r2", credentials=("account:p1",))]
    assert {one.entity for one in entity_risks(both, BOOK, NOW)} == {"person:1", OFFICE}


def test_domains_are_read_off_what_a_finding_names() -> None:
    assert domains_of(finding("f", places=(OFFICE,)), BOOK) == {Domain.PHYSICAL}
    assert domains_of(finding("f", assets=("asset:cam-in",)), BOOK) == {Domain.PHYSICAL}
    assert domains_of(finding("f", assets=("asset:srv-1",), addresses=("10.0.0.1",)), BOOK) == {Domain.IT}
    assert domains_of(finding("f", credentials=("badge:1", "account:p1")), BOOK) == set(Domain)
    assert domains_of(finding("f", persons=("person:1",)), BOOK) == set(Domain)


def test_domains_are_joined_as_chances_not_by_bonus() -> None:
    assert joined({"it": 20.0, "physical": 20.0}) == pytest.approx(36.0)
    assert joined({"it": 20.0}) == pytest.approx(20.0)
    assert joined({}) == 0
    found = [finding("a", "r1", credentials=("badge:1",), places=(OFFICE,)), finding("b", "r2", credentials=("account:p1",))]
    one = next(each for each in entity_risks(found, BOOK, NOW) if each.entity == "person:1")
    part = 100 * 0.35 * 0.8 / ZETA
    assert one.by_domain == {"it": pytest.approx(part), "physical": pytest.approx(part)}
    assert one.score == pytest.approx(100 * (1 - (1 - part / 100) ** 2))
    assert one.because == "A. Reyes: risk 20 of 100 from 2 findings of 2 rules in 2 domains."
    assert one.crossed


def test_the_line_needs_two_rules_in_two_domains() -> None:
    badge = finding("a", "r1", 5, credentials=("badge:1",), places=(OFFICE,))
    assert not crossings([badge, finding("b", "r1", 5, credentials=("account:p1",))], BOOK)
    assert not crossings([badge, finding("b", "r2", 5, credentials=("badge:1",), places=(OFFICE,))], BOOK)
    assert [one.entity for one in crossings([badge, finding("b", "r2", 5, credentials=("account:p1",))], BOOK)] == ["person:1"]
    assert not crossings([badge, finding("b", "r2", 5, credentials=("account:p1",), state=FindingState.WITHDRAWN)], BOOK)
    mild = [finding("a", "r1", 3, credentials=("badge:1",)), finding("b", "r2", 3, credentials=("account:p1",))]
    assert not crossings(mild, BOOK)
    assert crossings(mild, BOOK, RiskSettings(line=5))


def test_a_crossing_is_found_even_when_it_has_faded_since_and_more_findings_take_none_away() -> None:
    old = [finding("a", "r1", 5, 60, credentials=("badge:1",)), finding("b", "r2", 5, 59, credentials=("account:p1",))]
    found = crossings(old, BOOK)
    assert [(one.entity, one.at) for one in found] == [("person:1", NOW - timedelta(hours=59))]
    assert not entity_risks(old, BOOK, NOW)[0].crossed
    later = [*old, finding("c", "r3", 2, 1, credentials=("badge:1",)), finding("z", "r4", 2, 61, credentials=("badge:1",))]
    again = crossings(later, BOOK)[0]
    assert set(found[0].findings) <= set(again.findings)
    assert crossings([replace(one) for one in reversed(later)], BOOK)[0] == again
