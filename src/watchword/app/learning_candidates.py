"""What policies and retrospectives put forward for an agenda: conflicts, exceptions past their end, actions overdue or without effect."""

from datetime import datetime, timedelta

from watchword.govern.candidate import Candidate, IsoInput, urgency_of
from watchword.govern.decision_service import Decisions
from watchword.govern.policy_service import Policies
from watchword.learn.after_action import worked
from watchword.learn.retrospective_service import Retrospectives
from watchword.model.decision import Effect

AHEAD = timedelta(days=30)
FAILED = (Effect.CONTRARY, Effect.NONE_DETECTED)


def of_policies(policies: Policies, now: datetime) -> list[Candidate]:
    """Return conflicts between policies in force, exceptions that end or have ended, and statements due for review."""
    today, found = now.date(), []
    for conflict in policies.conflicts():
        title = f"{conflict.one.rpartition('.')[0]} and {conflict.other.rpartition('.')[0]} contradict each other"
        both = (f"policy:{conflict.one}", f"policy:{conflict.other}")
        found.append(Candidate("conflict", title, conflict.because, None, 3.0, 1.0, 15, "joint", IsoInput.NONCONFORMITIES, both))
    for each in policies.exceptions():
        if each.ended is None and each.expires <= (now + AHEAD).date():
            state = "has ended" if each.expired(today) else f"ends on {each.expires}"
            refs = (f"exception:{each.decision}",)
            why = f"The exception from {each.statement} {state}; instead, this is done: {each.compensating[:300]}"
            urgency = urgency_of(each.expires, today)
            title = f"Exception from {each.statement} {state}"
            found.append(Candidate("exception", title, why, None, urgency, 1.0, 10, "joint", IsoInput.CHANGES, refs))
    for version in policies.in_force().values():
        due = [each for each in version.policy.statements if each.review_by <= (now + AHEAD).date()]
        if due:
            first = min(each.review_by for each in due)
            why = f"{len(due)} of its statements are due for review, the first on {first}."
            refs = (f"policy:{version.policy.uid}",)
            urgency = urgency_of(first, today)
            found.append(
                Candidate("review", f"Review {version.policy.title}", why, None, urgency, 1.0, 15, "joint", IsoInput.IMPROVEMENT, refs)
            )
    return found


def of_retrospectives(retrospectives: Retrospectives, now: datetime) -> list[Candidate]:
    """Return actions that are overdue, that did not work, or whose incident came again; a recurrence raises their weight."""
    today, found = now.date(), []
    for kept in retrospectives.actions(only_open=True):
        action = kept.action
        failed = worked(action) is False
        if not failed and action.due > (now + AHEAD).date() and not kept.recurrences:
            continue
        state = "did not work" if failed else "is overdue" if action.due < today else f"is due on {action.due}"
        again = f" It has come again {kept.recurrences} times." if kept.recurrences else ""
        why = f"{action.owner} ({action.team}): {action.text[:200]} {action.effect_because}{again}"
        urgency = min(3.0, urgency_of(action.due, today) + (1.0 if kept.recurrences else 0.0))
        domain = action.team if action.team in {"it", "physical"} else "joint"
        staleness = min(3.0, 1.0 + action.carried)
        refs = (f"action:{action.uid}",)
        title = f"Action {state}: {action.text[:120]}"
        found.append(Candidate("action", title, why, None, urgency, staleness, 10, domain, IsoInput.ACTIONS, refs))
    return found


def of_effects(decisions: Decisions, retrospectives: Retrospectives, now: datetime) -> list[Candidate]:
    """Return Decisions without effect, or with the contrary one: an honest answer, which returns to the body."""
    found = []
    effects = retrospectives.effects()
    for kept in decisions.all_kept():
        decision = kept.decision
        effect = effects.get(decision.uid)
        if effect is None or effect.verdict.effect not in FAILED or kept.superseded_by or kept.reviewed is not None:
            continue
        title = f"Decision {decision.number}: {effect.verdict.effect.value}"
        urgency = urgency_of(decision.review_on, now.date())
        uids = effect.verdict.metrics[-1:]
        refs = (f"decision:{decision.uid}",)
        found.append(
            Candidate("decision", title, effect.verdict.because, None, urgency, 1.0, 15, "joint", IsoInput.IMPROVEMENT, refs, uids)
        )
    return found
