"""Rule 5: one badge at two sites."""

from tests.detect.story import Story, at, verdict

from watchword.model.ocsf import Access


def test_two_sites_within_the_best_case() -> None:
    story = Story()
    a = story.enter(at("8:00"), "front", 1)
    b = story.enter(at("10:00"), "far", 1, site="far")
    found = verdict("ww_005", story)
    assert [finding.events for finding in found] == [(a.uid, b.uid)]
    assert found[0].credentials == ("badge:1",)
    assert "Far site" in found[0].because


def test_a_denied_showing_counts_and_persons_need_not_be_known() -> None:
    story = Story()
    story.door(at("8:00"), "front", Access.DENIED, 77)
    story.enter(at("10:00"), "far", 77, site="far")
    assert len(verdict("ww_005", story)) == 1


def test_near_misses() -> None:
    enough = Story()
    enough.enter(at("8:00"), "front", 1)
    enough.enter(at("11:00"), "far", 1, site="far")
    within_tolerance = Story()
    within_tolerance.enter(at("8:00"), "front", 1)
    within_tolerance.enter(at("10:59:59"), "far", 1, site="far")
    two_badges = Story()
    two_badges.enter(at("8:00"), "front", 1)
    two_badges.enter(at("8:10"), "far", 2, site="far")
    one_site = Story()
    one_site.enter(at("8:00"), "front", 1)
    one_site.enter(at("8:01"), "server", 1)
    for story in (enough, within_tolerance, two_badges, one_site):
        assert verdict("ww_005", story) == []


def test_late_upload_counts_with_its_own_time() -> None:
    story = Story()
    story.enter(at("8:00"), "front", 1)
    late = story.add(
        at("9:00"),
        "far-doors",
        7731001,
        int(Access.TAKEN),
        received=at("5:00", day=1),
        credential="badge:1",
        place="far/doors/far",
        data={"ww_reader": {"uid": "far-in", "direction": "in"}},
    )
    found = verdict("ww_005", story)
    assert late.uid in found[0].events
    assert "came in late" in found[0].because
