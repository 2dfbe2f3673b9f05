"""Policies as data: what a file may say, what contradicts what, and what only a Decision changes."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchword.govern.conflict import FORBIDDEN, INTERSECT, ORDER, PURPOSE, find_conflicts, shared_parameters
from watchword.govern.parameter import KEYS, Kind, Sense, plain, read_iso, read_value, say_value, write_iso
from watchword.govern.policy import Scope, changed, document_of, policy_of, read_policy, shipped_policies
from watchword.kit.errors import ContentError

TEXT = """policy: {uid}
title: A policy
purpose: So that something holds.
owner: {{it: one, physical: two}}
statements:
  - id: {uid}.1
    text: It holds.
    params: {{{params}}}
    controls: [pe-3]
    review_by: 2027-06-30
    scope: {{{scope}}}
    concerns: [all]
"""


def policy(uid, params, scope=""):
    return read_policy(TEXT.format(uid=uid, params=params, scope=scope), f"{uid}.yaml")


def kinds(*policies):
    return [each.kind for each in find_conflicts(policies)]


def test_twelve_policies_of_both_trades_come_with_it_and_contradict_each_other_nowhere():
    shipped = shipped_policies()
    assert len(shipped) == 12
    assert find_conflicts(shipped.values()) == []
    for each in shipped.values():
        assert each.owner_it != each.owner_physical
        assert all(statement.controls and statement.text for statement in each.statements)
    shared = {KEYS[parameter.key].quantity for each in shipped.values() for parameter in each.parameters().values()}
    assert {"retention of footage", "end of badges", "rights after a transfer", "escorted zones", "length of a lock-out"} <= shared
    assert {"clock tolerance", "life of credentials", "vendor sessions", "notification of authorities", "changes in a freeze"} <= shared


def test_what_a_file_says_comes_back_word_for_word_and_its_hash_with_it():
    for each in shipped_policies().values():
        again = policy_of(document_of(each))
        assert again.hash == each.hash
        assert again.parameters() == each.parameters()


def test_ranges_that_do_not_meet_contradict_each_other_where_their_scopes_overlap():
    long, short = "footage_kept_at_least: P90D", "footage_kept_at_most: P30D"
    assert kinds(policy("video", long), policy("privacy", short)) == [INTERSECT]
    assert kinds(policy("video", long, "places: [hq]"), policy("privacy", short, "places: [far]")) == []
    assert kinds(policy("video", long, "places: [hq/main]"), policy("privacy", short, "places: [hq]")) == [INTERSECT]
    assert kinds(policy("video", long, "roles: [guard]"), policy("privacy", short, "roles: [cleaner]")) == []


def test_one_must_not_demand_what_the_other_forbids():
    [found] = find_conflicts([policy("a", "escort_zones: [critical, office]"), policy("b", "unescorted_zones: [office]")])
    assert found.kind == FORBIDDEN
    assert "office" in found.because
    assert "critical" not in found.because.partition("disagree on")[2]
    assert kinds(policy("a", "duress_silent: true"), policy("b", "duress_silent: false")) == [FORBIDDEN]


def test_a_badge_must_not_outlive_its_account():
    assert kinds(policy("a", "badge_off_within: PT4H, account_off_within: PT1H")) == [ORDER]
    assert kinds(policy("a", "badge_off_within: PT1H, account_off_within: PT1H")) == []


def test_what_is_kept_lives_as_long_as_whoever_needs_it():
    assert kinds(policy("a", "footage_kept_at_most: P14D"), policy("b", "log_review_every: P30D")) == [PURPOSE]
    assert kinds(policy("a", "event_log_kept_for: P7D"), policy("b", "log_review_every: P30D")) == [PURPOSE]


def test_conflicts_are_the_same_in_whatever_order_policies_come():
    mine = [policy("a", "footage_kept_at_least: P90D"), policy("b", "footage_kept_at_most: P30D"), policy("c", "log_review_every: P60D")]
    assert find_conflicts(mine) == find_conflicts(mine[::-1])
    assert len(find_conflicts(mine)) == 2
    assert "retention of footage" in shared_parameters(mine)


@given(
    st.sampled_from(["places", "roles", "assets"]),
    st.lists(st.sampled_from(["a", "a/b", "c"]), max_size=3),
    st.lists(st.sampled_from(["a", "b", "c"])),
)
def test_scopes_overlap_both_ways_and_everywhere_overlaps_all(part, one, other):
    a, b = replace(Scope(), **{part: tuple(one)}), replace(Scope(), **{part: tuple(other)})
    assert a.overlaps(b) == b.overlaps(a)
    assert a.overlaps(Scope())


@given(st.integers(min_value=0, max_value=10**8))
def test_durations_are_written_as_they_are_read(seconds):
    duration = timedelta(seconds=seconds)
    assert read_iso(write_iso(duration)) == duration


@pytest.mark.parametrize("text", ["", "P", "PT", "1h", "P1M", "P1Y", "PT1H ", "P200000D", "-PT1H", "P1DT"])
def test_what_is_no_fixed_duration_is_refused(text):
    if text == "PT1H ":
        assert read_iso(text) == timedelta(hours=1)
        return
    with pytest.raises(ValueError, match=r"duration|century|long"):
        read_iso(text)


def test_every_key_reads_what_it_wrote_and_refuses_what_is_of_another_kind():
    samples = {Kind.DURATION: "PT1H", Kind.NUMBER: 3, Kind.FLAG: True, Kind.WORD: "high", Kind.WORDS: ["b", "a"]}
    for name, key in KEYS.items():
        value = read_value(name, samples[key.kind])
        assert read_value(name, plain(value)) == value
        assert say_value(value)
        wrong = 7 if key.kind is not Kind.NUMBER else "seven"
        with pytest.raises(ValueError, match="no"):
            read_value(name, wrong)
        assert key.sense in set(Sense)


def test_a_wrong_file_is_refused_with_every_fault_and_its_line():
    text = TEXT.format(uid="a", params="badge_off_within: soon, nonsense: 1", scope="planets: [x]").replace("title: A policy\n", "")
    with pytest.raises(ContentError) as refused:
        read_policy(text, "a.yaml")
    said = str(refused.value)
    assert "a.yaml:7: badge_off_within: 'soon' is no ISO duration" in said
    assert "'nonsense' is no key" in said
    assert "lacks 'title'" in said
    assert "scope has places, roles and assets" in said


def test_a_parameter_is_set_in_its_statement_alone_and_the_hash_tells():
    mine = shipped_policies()["leaver-access"]
    after, faults = changed(mine, {"leaver-access.1.badge_off_within": "PT30M"})
    assert faults == []
    assert after.hash != mine.hash
    assert after.statements[0].params["badge_off_within"] == timedelta(minutes=30)
    assert after.statements[1] == mine.statements[1]
    same, faults = changed(mine, {"leaver-access.9.badge_off_within": "PT30M", "leaver-access.1.badge_off_within": 3})
    assert same is mine
    assert len(faults) == 2
