"""Parameters in force as rooms see them: what a decision set goes before the settings file, and is logged once per change."""

from datetime import UTC, datetime, timedelta

import pytest

from watchword.app.parameters import LANDINGS, Followed, approval_life, leaver_limit, page_severity, with_parameters
from watchword.app.settings import read_settings
from watchword.app.watchword import open_watchword
from watchword.detect.loader import load_rules, shipped_rules
from watchword.govern.parameter import Parameter
from watchword.govern.policy import shipped_policies
from watchword.kit.clock import ManualClock
from watchword.kit.errors import InputError
from watchword.model.decision import Decision, Direction, Expectation, Method

NOW = datetime(2026, 5, 1, 9, tzinfo=UTC)


@pytest.fixture
def house(tmp_path):
    clock = ManualClock(NOW)
    with open_watchword(read_settings(environment={}, overrides={"data": tmp_path}), clock) as watchword:
        yield watchword


def decide(house, number, sets, *, in_force=None, **more):
    now = house.clock.now()
    decision = Decision(
        uid=f"{number:032x}", number=0, body="b", question="?", choice="Yes.", because="So.", version_hash="0" * 64, method=Method.CONSENT,
        decided=now, in_force=in_force or now, review_on=(now + timedelta(days=90)).date(), expects=Expectation("", Direction.NONE),
        sets=sets, **more,
    )  # fmt: skip
    with house.records.begin() as connection:
        return house.governance.decisions.put(connection, decision, "ana").uid


def test_every_landing_names_a_parameter_that_is_shipped_and_every_rule_has_the_setting():
    parameters = {name: each for policy in shipped_policies().values() for name, each in policy.parameters().items()}
    rules = {rule.id: rule for rule in load_rules(shipped_rules())}
    for landing in LANDINGS:
        assert landing.parameter in parameters, landing
        if landing.is_rule:
            assert landing.setting in rules[landing.rule].settings, landing
    assert load_rules(shipped_rules(), with_parameters({}, parameters)), "with every parameter in force all rules still load"


def test_what_was_decided_goes_before_the_settings_file_and_other_settings_stay():
    parameter = Parameter("leaver-access.1.badge_off_within", timedelta(minutes=90), "leaver-access", 1, "d")
    before = {"ww_007": {"level": "critical", "settings": {"quiet": "5m", "deadline": "9h"}}}
    after = with_parameters(before, {parameter.name: parameter})
    assert after["ww_007"] == {"level": "critical", "settings": {"quiet": "5m", "deadline": "1h30m", "refused_grace": "1h30m"}}
    assert before["ww_007"]["settings"]["deadline"] == "9h", "the settings themselves are untouched"


def test_rooms_follow_what_is_in_force_and_fall_back_to_their_own(house):
    policies, followed = house.governance.policies, Followed(house.governance.policies, "respond")
    assert (approval_life(policies), page_severity(followed), leaver_limit(policies, NOW)) == (None, 4, timedelta(hours=24))
    decide(house, 1, {"severity-ladder.1.page_severity": "critical", "severity-ladder.3.approval_lasts": "PT5M"})
    assert (approval_life(policies), page_severity(followed)) == (timedelta(minutes=5), 5)
    assert leaver_limit(policies, NOW) == timedelta(hours=24), "another policy is another decision"


def test_a_version_that_comes_into_force_tomorrow_acts_tomorrow(house):
    policies = house.governance.policies
    decide(house, 1, {"severity-ladder.3.approval_lasts": "PT5M"}, in_force=NOW + timedelta(days=1))
    assert (policies.version(), approval_life(policies)) == (0, None)
    house.clock.advance(timedelta(days=1, seconds=1))
    assert (policies.version(), approval_life(policies)) == (1, timedelta(minutes=5))
    assert policies.parameters(NOW) == {}, "and what held yesterday is still known"


def test_each_change_is_logged_once_with_what_was_before(house):
    followed = Followed(house.governance.policies, "respond")
    assert followed.tell() == 0, "nothing was decided: nothing is told"
    first = decide(house, 1, {"severity-ladder.3.approval_lasts": "PT5M"})
    assert followed.tell() == 2
    assert Followed(house.governance.policies, "respond").tell() == 0, "a restart repeats nothing"
    second = decide(house, 2, {"severity-ladder.3.approval_lasts": "PT4M"})
    followed.tell()
    told = [(each.before, each.value, each.decision) for each in house.governance.policies.applied("severity-ladder.3.approval_lasts")]
    assert told == [('"PT5M"', '"PT4M"', second), ("", '"PT5M"', first)]
    assert house.audit.entries(action="parameter.applied")[0].detail["decision"] == second


def test_a_draft_is_adopted_word_for_word_or_not_at_all(house):
    policies = house.governance.policies
    mine = shipped_policies()["leaver-access"]
    draft = policies.put_draft(mine, by="ana")
    with pytest.raises(InputError, match="another text"):
        decide(house, 1, {"leaver-access.draft": "0" * 64}, kind="policy", subject="leaver-access")
    decide(house, 2, {"leaver-access.draft": draft.hash}, kind="policy", subject="leaver-access")
    [version] = policies.versions("leaver-access")
    assert version.hash == draft.hash
    assert policies.draft("leaver-access") is None
    with pytest.raises(InputError, match="word for word"):
        policies.put_draft(mine, by="ana")
