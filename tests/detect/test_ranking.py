"""The ranking: the law of entity risk, and what it makes of findings."""

from datetime import timedelta

from tests.detect.story import Story, at, directory

from watchword.detect.insight import insight_of, own_network_of
from watchword.detect.pivot import Kind
from watchword.detect.ranking import HALF_LIFE, RULE_CAP, SEVERITY_WEIGHTS, ZETA, Evidence, rank, risk, score_of
from watchword.model import Finding, FindingState

NOW = at("12:00", day=1)


def finding(uid: str, rule: str = "r1", severity: int = 3, **more: object) -> Finding:
    values: dict[str, object] = {"time": NOW, "first_time": NOW, "last_time": NOW, "because": "", "confidence": 0.8, **more}
    return Finding(uid, rule, 1, "t", severity, **values)  # type: ignore[arg-type]


def test_any_number_of_findings_of_score_s_weighs_less_than_one_of_262_s() -> None:
    many = {f"r{index}": [0.1] for index in range(10_000)}
    assert risk(many) < risk({"one": [0.1 * 2.62]})


def test_no_number_of_a_level_outranks_one_of_the_next_at_equal_confidence() -> None:
    for level in range(1, 5):
        assert SEVERITY_WEIGHTS[level] * ZETA < SEVERITY_WEIGHTS[level + 1]
    lows = [finding(f"l{index}", f"r{index}", 2, assets=("asset:low",)) for index in range(500)]
    found = rank(Evidence([*lows, finding("h", "h", 3, assets=("asset:one",))]), directory(), own_network_of(directory()), at=NOW)
    assert [item.entity for item in found] == ["asset:one", "asset:low"]


def test_one_rule_counts_at_most_three_times_its_largest_and_more_never_weighs_less() -> None:
    one_rule = [risk({"r": [0.3] * number}) for number in range(1, 8)]
    assert one_rule == sorted(one_rule)
    assert one_rule[int(RULE_CAP) - 1] == one_rule[-1]
    assert risk({"r": [0.3] * 7}) < risk({f"r{number}": [0.3] for number in range(7)})


def test_scores_decay_and_withdrawn_findings_do_not_count() -> None:
    old = finding("a", time=NOW - HALF_LIFE)
    assert abs(score_of(old, NOW) - score_of(finding("b"), NOW) / 2) < 1e-12
    assert score_of(finding("c", time=NOW + timedelta(days=1)), NOW) == score_of(finding("d"), NOW)
    withdrawn = finding("e", assets=("asset:x",), state=FindingState.WITHDRAWN)
    assert rank(Evidence([withdrawn]), directory(), own_network_of(directory()), at=NOW) == []


def test_an_address_behind_several_findings_rises_and_inner_ones_are_left_out() -> None:
    found = [finding(f"f{n}", addresses=("203.0.113.9", f"10.0.0.{n}"), assets=(f"asset:ws-{n}",)) for n in (1, 2)]
    found.append(finding("f3", addresses=("198.51.100.1",)))
    ranked = rank(Evidence(found), directory(), own_network_of(directory()), at=NOW, kinds=[Kind.ADDRESS])
    assert [item.entity for item in ranked] == ["203.0.113.9", "198.51.100.1"]
    assert ranked[0].findings_for == ("f2", "f1")
    assert "2 findings of 1 rule on 2 machines" in ranked[0].because


def test_an_address_that_everybody_uses_weighs_less() -> None:
    story = Story()
    rare = story.flow(at("9:00"), "ws-1", "203.0.113.9")
    popular = story.flow(at("9:00"), "ws-2", "198.51.100.20")
    for minute in range(50):
        story.flow(at(f"10:{minute:02}"), "ws-2", "198.51.100.20")
    found = [
        finding("rare", addresses=("203.0.113.9",), events=(rare.uid,)),
        finding("popular", addresses=("198.51.100.20",), events=(popular.uid,)),
    ]
    ranked = insight_of(found, story.events, story.directory, at=NOW).rank([Kind.ADDRESS])
    assert [item.entity for item in ranked] == ["203.0.113.9", "198.51.100.20"]
    assert ranked[0].score > 2 * ranked[1].score


def test_the_person_whom_no_badge_excludes_rises_and_the_owner_is_cleared() -> None:
    """Persons 1 and 2 are in the closet in turn while their machines send; person 6 is never read there."""
    story = Story()
    for number in (1, 2, 6):
        story.enter(at("7:00"), "front", number)
        story.enter(at("7:05"), "office", number)
    story.leave(at("18:00"), "front", 3)
    findings = []
    for hour, number in ((8, 1), (10, 2), (12, 1), (14, 2)):
        inside = story.enter(at(f"{hour}:00"), "server", number)
        flow = story.flow(at(f"{hour}:10"), f"ws-{number}")
        story.enter(at(f"{hour}:40"), "office", number)
        findings.append(
            finding(
                f"f{hour}",
                severity=4,
                persons=(f"person:{number}",),
                addresses=("203.0.113.9",),
                assets=(f"asset:ws-{number}",),
                events=(inside.uid, flow.uid),
                time=flow.time,
            )
        )
    book = story.directory
    # the server room has no exit reader, so its door alone excludes nobody: give it one
    from dataclasses import replace

    from watchword.model import Reader
    from watchword.resolve.directory import Directory

    server = book.door("hq/doors/server")
    assert server is not None
    read = replace(server, readers=(*server.readers, Reader("server-out", server.uid, "out")))
    site = replace(book.site, doors={**book.site.doors, read.uid: read})
    closed = Directory(site, book.people, book.assets)
    ranked = insight_of(findings, story.events, closed, at=at("18:00")).rank([Kind.PERSON])
    assert ranked[0].entity == "person:6"
    first = {item.entity: item for item in ranked}
    assert first["person:6"].alibi is not None
    assert first["person:6"].alibi.excluded == 0
    assert first["person:6"].alibi.present == 4
    assert first["person:6"].hub == "203.0.113.9"
    assert set(first["person:1"].findings_against) == {"f8", "f12"}
    assert first["person:1"].alibi is not None
    assert first["person:1"].alibi.excluded == 2
    assert first["person:6"].score > first["person:1"].score
    assert ranked == insight_of(list(reversed(findings)), list(reversed(story.events)), closed, at=at("18:00")).rank([Kind.PERSON])
