"""The demo site's policies and reviews: ten of twelve decided by its committee, one exception, and reviews of its gravest incidents."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from watchword.app.audit import Audit
from watchword.app.effects import pattern_of
from watchword.app.feeder import FILE
from watchword.app.furnishing_committees import NAME, SEATS
from watchword.app.governance import Governance, open_governance
from watchword.app.watchword import Watchword
from watchword.govern.decision_rules import Text
from watchword.govern.parameter import plain
from watchword.govern.policy import shipped_policies
from watchword.kit.clock import ManualClock, to_millisecond
from watchword.learn.retrospective_service import Retrospectives
from watchword.model.after_action import AfterAction, CorrectiveAction
from watchword.model.decision import Direction, Expectation
from watchword.respond.incident_filter_service import IncidentFilter

LEFT: Final = frozenset({"change-freeze", "vendor-access"})
"""Texts that the committee has not decided on: a policy that only lies there looks otherwise."""
ADOPTED: Final = timedelta(days=62)
MOST_REVIEWS: Final = 4
OLDEST: Final = timedelta(days=120)
SAYINGS: Final = (
    (
        ("Both desks saw one timeline.", "The guard knew the shortest way."),
        ("The list of leavers came a day late.", "Nobody at the IT desk could read the door's codes."),
        ("reading access logs", "de-escalation"),
        ("door controller events",),
        (
            ("One list of leavers for accounts and badges", "network", "it", "two_clock_gap", "down"),
            ("Door codes explained on the IT desk's runbook", "premises", "physical", "response.engage", "down"),
        ),
    ),
    (
        ("The call to the other desk was made within a minute.",),
        ("Two cameras hung on the switch that failed.",),
        ("evidence handling",),
        ("PoE and VLAN basics",),
        (("Cameras of one view on two switches", "premises", "physical", "uptime.zone", "up"),),
    ),
    (
        ("The playbook named who decides.",),
        ("The hand-over at shift change lost the thread.", "The same door had been held open the week before."),
        ("patrol",),
        ("writing a hand-over",),
        (
            ("Hand-over names open incidents, read back", "operator", "physical", "handoff_latency", "down"),
            ("Door held open calls after a minute", "analyst", "it", "risk_hours", "down"),
        ),
    ),
    (("Evidence was sealed before anybody asked.",), ("The site plan showed an old room.",), (), ("reading site plans",), ()),
)


def furnish_policies(watchword: Watchword) -> None:
    """Let the demo's committee decide on its policies, some weeks ago, by consent; once."""
    bodies = [each for each in watchword.governance.committees.list() if each.name == NAME]
    wanted = {uid: policy for uid, policy in shipped_policies().items() if uid not in LEFT}
    if not bodies or set(wanted) <= set(watchword.governance.policies.in_force()):
        return
    now = to_millisecond(watchword.clock.now())
    clock = ManualClock(now - ADOPTED)
    audit = Audit(watchword.records, clock)
    house = open_governance(watchword.records, clock, audit, watchword.response.roster, watchword.site_key, watchword.measures)
    missing = set(wanted) - set(watchword.governance.policies.in_force())
    sets = {
        name: plain(parameter.value) for uid, policy in wanted.items() if uid in missing for name, parameter in policy.parameters().items()
    }
    _decide(
        house,
        clock,
        bodies[0].uid,
        _text(
            now,
            "One set of policies for both sides",
            "Is it safe to try one set of policies for doors, accounts, footage and logs?",
            "The policies of both sides are joined, with the values that the two desks have worked by for a month.",
            "Two sets contradicted each other in five places; each desk believed the other's.",
            sets,
            expects={"metric": "policy_alignment", "direction": "up", "size": 0.1},
        ),
    )
    clock.at = now - ADOPTED / 2
    exception = _text(
        now,
        "Badges of the night cleaning",
        "Is it safe to try that the cleaning company's badges end at the end of the shift, not within the hour?",
        "The guard collects the badges at the gate and notes each one.",
        "The company reports who left once a day, in the morning.",
        {"scope": "people of the cleaning company", "compensating": "the guard collects the badges at the gate"},
        kind="exception",
        subject="leaver-access.1",
        expires=(now + timedelta(days=21)).date(),
    )
    _decide(house, clock, bodies[0].uid, exception)
    clock.at = now - ADOPTED / 4
    for account, role in (("analyst", "it_analyst"), ("operator", "control_room_operator")):
        for uid, version in sorted(house.policies.in_force().items()):
            if version.policy.extract([role]) and (account == "analyst" or uid != "clock-tolerance"):
                house.policies.acknowledge(uid, account=account, roles=[role])


def _text(now: datetime, title: str, question: str, choice: str, because: str, sets: Mapping[str, object], **more: Any) -> Text:
    review = (now + timedelta(days=120)).date()
    expects = more.pop("expects", {"metric": "", "direction": "none"})
    if expects["metric"]:
        expects = expects | {"by": review.isoformat(), "subject": ""}
    kind = more.pop("kind", "policy")
    return Text(title, question, choice, because, review, expects, dict(sets), kind=kind, **more)


def _decide(house: Governance, clock: ManualClock, body: str, text: Text) -> None:
    uid = house.proposals.draft(body, text, by="analyst")
    house.proposals.submit(uid, by="analyst")
    for person in SEATS:
        if person != "analyst":
            house.proposals.asked(uid, by=person)
    house.proposals.revise(uid, None, by="analyst")
    for person in SEATS:
        clock.advance(timedelta(minutes=9))
        house.proposals.agree(uid, by=person)


def review_past(watchword: Watchword, now: datetime) -> int:
    """Hold reviews of the demo's gravest closed incidents, as its desks would have; any other data folder is left alone."""
    if not (watchword.settings.data / "run" / FILE).is_file():
        return 0
    if len(watchword.governance.retrospectives.list()) >= MOST_REVIEWS:
        return 0
    wanted = IncidentFilter(open=False, worst=2, since=now - OLDEST)
    rows = watchword.response.incidents.list(wanted, limit=MOST_REVIEWS)
    made = 0
    for row, (helped, hindered, used, missing, actions) in zip(rows, SAYINGS, strict=False):
        held = min(to_millisecond(row.incident.opened_at) + timedelta(days=9), to_millisecond(now))
        kept = Retrospectives(watchword.records, ManualClock(held), Audit(watchword.records, ManualClock(held)))
        if kept.of_incident(row.incident.uid) is not None:
            continue
        review = AfterAction(
            "",
            row.incident.uid,
            held,
            "manager",
            (("analyst", "it"), ("operator", "physical"), ("premises", "physical"), ("manager", "management")),
            helped,
            hindered,
            used,
            missing,
            tuple(_action(held, *each, number) for number, each in enumerate(actions)),
        )
        done = kept.hold(review, pattern_of(watchword, row.incident.uid), by="manager")
        if done.review.actions and held + timedelta(days=12) < now:
            later = ManualClock(held + timedelta(days=12))
            book = Retrospectives(watchword.records, later, Audit(watchword.records, later))
            book.done(done.review.actions[0].uid, "Done, and shown to both shifts.", by=done.review.actions[0].owner)
        made += 1
    return made


def _action(held: datetime, text: str, owner: str, team: str, metric: str, direction: str, number: int) -> CorrectiveAction:
    due = (held + timedelta(days=21 + 14 * number)).date()
    verify = due + timedelta(days=70)
    return CorrectiveAction("", text, owner, team, due, Expectation(metric, Direction(direction), 0.0, verify), verify)
