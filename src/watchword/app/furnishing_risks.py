"""The demo's risks: the starter register with events counted, an appetite, an insurance, a budget, and a past that was judged."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from watchword.app.feeder import FILE
from watchword.app.watchword import Watchword
from watchword.govern.appetite import Appetite
from watchword.govern.budget_service import Plan
from watchword.govern.register_file import shipped_register
from watchword.govern.risk_event_service import SUGGESTED
from watchword.govern.risk_treatment_service import Terms
from watchword.govern.treatment import Treats

BY: Final = "manager"
COUNTED: Final = timedelta(days=300)
IN_PLACE: Final = timedelta(days=700)
APPETITE: Final = Appetite(3_000_000.0, 0.15)
PLAN: Final = Plan(budget=150_000.0, people_days=120.0, horizon=3.0, day_rate=600.0, floor_it=20_000.0, floor_physical=20_000.0)
INSURED: Final = "ransomware-stops-doors"
COST: Final = {"leaver-keeps-access": 12_000.0, "stolen-laptop": 6_500.0}
"""Of these scenarios one incident of the past was an event, and cost this; the others ended without a loss."""
SETTLED: Final = timedelta(days=7)


def furnish_risks(watchword: Watchword) -> None:
    """Fill an empty register; one that holds anything is left alone."""
    book = watchword.governance.risks
    if book.register.scenarios(retired=True):
        return
    today = watchword.clock.now().date()
    found = shipped_register()
    scenarios = tuple(replace(each, counted_since=today - COUNTED) for each in found.scenarios)
    safeguards = tuple(replace(each, since=today - IN_PLACE) if each.standing.value == "in place" else each for each in found.safeguards)
    book.register.load(replace(found, scenarios=scenarios, safeguards=safeguards), by=BY)
    book.register.set_appetite(APPETITE, by=BY)
    book.budgets.set_plan(PLAN, by=BY)
    terms = Terms(
        note="Insurance against loss of data and standstill; each event keeps the first part with the house",
        expires=today + timedelta(days=240),
        retention=100_000.0,
        cover=1_500_000.0,
    )
    book.treatments.treat(INSURED, Treats.TRANSFER, terms, by=BY)


def judge_past(watchword: Watchword, now: datetime) -> int:
    """Say of the demo's older incidents whether they were events of a risk, as its manager would have; return how many were judged.

    Any other data folder is left alone: there, people say so.
    """
    if not (watchword.settings.data / "run" / FILE).is_file():
        return 0
    events = watchword.governance.risks.events
    events.suggest(now)
    known = {each.scenario for each in events.listed(state="confirmed")}
    judged = 0
    for each in reversed(events.listed(state=SUGGESTED, limit=1_000)):
        if now - each.at < SETTLED:
            continue
        cost = COST.get(each.scenario) if each.scenario not in known and now - each.at < COUNTED - SETTLED else None
        if cost is not None:
            known.add(each.scenario)
            events.judge(each.uid, is_one=True, loss=cost, because="Things were taken before it was noticed.", by=BY)
        else:
            events.judge(each.uid, is_one=False, because="It ended without a loss.", by=BY)
        judged += 1
    return judged
