"""Checks of response: alarms that reach an incident, drills, complete time lines, joined incidents, the plan, the canary."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from watchword.govern.control_facts import Facts, refs
from watchword.govern.control_test import Outcome, Params
from watchword.measure.compliance import Result
from watchword.model.ocsf import EventClass

ALARMS: Final = frozenset({1, 2, 3, 4})
"""Intrusion, perimeter, hold-up, panic."""
TAMPER: Final = 5
BOTH: Final = frozenset({"it", "physical"})
NEEDED: Final = ("detected", "acknowledged", "resolved")


def alarms_reach(facts: Facts, params: Params) -> Iterator[Outcome]:
    """Each alarm reached an incident, or somebody disposed of it, in time. ``only: tamper`` looks at tamper signals."""
    within = params.duration("within", "15m")
    wanted = frozenset({TAMPER}) if params.word("only") == "tamper" else ALARMS
    disposed = list(facts.of_class(EventClass.ALARM_DISPOSITION))
    for site in facts.sites() or [""]:
        mine = [e for e in facts.of_class(EventClass.ALARM_SIGNAL) if e.activity_id in wanted and _site_of(facts, e.asset, e.place) == site]
        mine = [event for event in mine if event.data.get("ww_lifecycle_id") not in {2, 4, 6, 8}]
        odd = []
        for event in mine:
            heard = any(
                timedelta() <= each.time - event.time <= within and {each.asset, each.place} & {event.asset, event.place} - {""}
                for each in disposed
            )
            if not heard and facts.reached(event, within) is None and facts.now - event.time > within:
                odd.append(event)
        if odd:
            yield Outcome(site, Result.FAIL, f"{len(odd)} alarms reached nobody in time", refs(odd), read=len(mine))
        else:
            words = "each alarm reached somebody in time" if mine else "no alarm in the window"
            yield Outcome(site, Result.PASS, words, refs(mine[-20:]), read=len(mine))


def _site_of(facts: Facts, asset: str, place: str) -> str:
    found = facts.directory.asset(asset)
    return (place or (found.place if found else "")).partition("/")[0]


def drilled(facts: Facts, params: Params) -> Iterator[Outcome]:
    """A drill lately led to a finding and a started playbook within the limit."""
    within, period = params.duration("within", "15m"), params.duration("period", "30d")
    drills = sorted((each for each in facts.incidents if each.exercise), key=lambda each: each.opened)
    if not drills:
        yield Outcome("", Result.INSUFFICIENT, "no drill was ever held")
        return
    last = drills[-1]
    read = (("incident", last.uid), *(("finding", uid) for uid in last.findings[:3]))
    if facts.now - last.opened > period:
        yield Outcome("", Result.FAIL, f"the last drill was on {last.opened:%d %b %Y}", read)
    elif last.run_started is None or last.run_started - last.opened > within:
        yield Outcome("", Result.FAIL, f"drill {last.number} started no playbook in time", read)
    else:
        yield Outcome("", Result.PASS, f"drill {last.number} led to a playbook in time", read)


def handled(facts: Facts, params: Params) -> Iterator[Outcome]:
    """Incidents that closed lately have complete time lines, both teams where both sides are in it, and were looked back at."""
    period, back, grave = params.duration("period", "90d"), params.duration("look_back", "14d"), params.number("severity", 2)
    closed = [each for each in facts.incidents if each.closed is not None and not each.exercise and facts.now - each.closed <= period]
    if not closed:
        yield Outcome("", Result.INSUFFICIENT, "no incident closed in the period: nothing shows how one is handled")
    for each in closed:
        name, read = f"incident:{each.uid}", (("incident", each.uid),)
        missing = [word for word in NEEDED if word not in each.moments]
        late = each.closed is not None and facts.now - each.closed > back
        looked = each.looked_back or _looked_back(facts, each.uid)
        if missing:
            yield Outcome(name, Result.FAIL, f"its time line lacks {', '.join(missing)}", read)
        elif each.domains >= BOTH and not each.teams >= BOTH:
            yield Outcome(name, Result.FAIL, "both sides are in it, one team never took part", read)
        elif each.severity <= grave and not looked and late:
            yield Outcome(name, Result.FAIL, "nobody has looked back at it", read)
        else:
            yield Outcome(name, Result.PASS, "handled whole", read)


def _looked_back(facts: Facts, incident: str) -> bool:
    return facts.newest_exact("after-action", incident) is not None


def exercised(facts: Facts, params: Params) -> Iterator[Outcome]:
    """The plan was exercised within the period, with both sides taking part."""
    period = params.duration("period", "365d")
    drills = [each for each in facts.incidents if each.exercise and facts.now - each.opened <= period]
    joint = [each for each in drills if each.teams >= BOTH]
    written = facts.newest_exact("plan-exercise", "")
    if joint:
        yield Outcome("", Result.PASS, f"exercise {joint[-1].number} had both sides", (("incident", joint[-1].uid),))
    elif written is not None:
        good = written.passed and facts.now - written.at <= period
        words = f"exercised on {written.at:%d %b %Y}" + ("" if good else ", too long ago or not with both sides")
        yield Outcome("", Result.PASS if good else Result.FAIL, words, (written.ref,), written.way)
    elif drills:
        yield Outcome("", Result.FAIL, "exercises were held, none with both sides", tuple(("incident", each.uid) for each in drills[-3:]))
    else:
        yield Outcome("", Result.INSUFFICIENT, "no exercise was ever held")


def canary(facts: Facts, params: Params) -> Iterator[Outcome]:
    """A canary sent through the pipeline within the day came out as a finding in time."""
    rule, within, every = params.word("rule", "ww_canary"), params.duration("within", "15m"), params.duration("every", "26h")
    sent = facts.newest_exact("canary", "")
    found = [each for each in facts.findings if each.rule == rule]
    newest = max((each.time for each in found), default=None)
    if sent is None or facts.now - sent.at > every:
        yield Outcome("", Result.INSUFFICIENT, "no canary was sent within the day")
    elif newest is not None and newest >= sent.at - timedelta(seconds=1) and newest - sent.at <= within:
        yield Outcome("", Result.PASS, "the canary became a finding", (sent.ref, ("finding", found[-1].uid)))
    elif facts.now - sent.at > within:
        yield Outcome("", Result.FAIL, "the canary became no finding in time", (sent.ref,))
    else:
        yield Outcome("", Result.INSUFFICIENT, "the canary is under way", (sent.ref,))
