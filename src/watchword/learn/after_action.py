"""After-action reviews: what a good one holds, which actions open the next one, and what is due of them."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Final

from watchword.model.after_action import AfterAction, CorrectiveAction
from watchword.model.decision import Direction, Effect

MOST_ACTIONS: Final = 3
"""More are not done: the rest waits for the next review."""
LONGEST: Final = 2_000
MOST_LINES: Final = 30
TEAMS: Final = ("it", "physical", "management")


def faults_of(review: AfterAction) -> Sequence[str]:
    """Return what keeps a review from being kept; empty: it is well formed."""
    faults = []
    if not review.facilitator.strip():
        faults.append("a review has a facilitator")
    if not review.present:
        faults.append("name who was present, and from which team")
    faults += [f"{team!r} is no team: one of {', '.join(TEAMS)}" for _, team in review.present if team not in TEAMS]
    if not review.helped and not review.hindered:
        faults.append("say what helped or what hindered")
    for name in ("helped", "hindered", "skills_used", "skills_missing"):
        lines = getattr(review, name)
        if len(lines) > MOST_LINES or any(not each.strip() or len(each) > LONGEST for each in lines):
            faults.append(f"{name.replace('_', ' ')}: at most {MOST_LINES} lines of at most {LONGEST:,} characters")
    if len(review.actions) > MOST_ACTIONS:
        faults.append(f"at most {MOST_ACTIONS} actions: choose those that would have mattered most")
    for number, action in enumerate(review.actions, 1):
        faults += [f"action {number}: {fault}" for fault in action_faults(action, review.held.date())]
    return faults


def action_faults(action: CorrectiveAction, held: date) -> Sequence[str]:
    """Return what an action lacks: an owner, dates in order, and what it is expected to move."""
    faults = []
    if not action.text.strip() or len(action.text) > LONGEST:
        faults.append(f"say what is changed, in at most {LONGEST:,} characters")
    if not action.owner.strip():
        faults.append("it has no owner")
    if action.team not in TEAMS:
        faults.append(f"{action.team!r} is no team")
    if action.due < held:
        faults.append("it is due before the review was held")
    if action.verify_on <= action.due:
        faults.append("its effect is looked at after it is due")
    if not action.expects.metric and action.expects.direction is not Direction.NONE:
        faults.append("name the measure that it should move, or say that no measurable effect is expected")
    return faults


def worked(action: CorrectiveAction) -> bool | None:
    """Tell whether an action worked: another question than whether it was done. None: not known (yet)."""
    if action.effect is Effect.AS_EXPECTED:
        return True
    if action.effect in {Effect.CONTRARY, Effect.NONE_DETECTED}:
        return False
    return None


def is_open(action: CorrectiveAction) -> bool:
    """Tell whether an action still opens the next review: it is not done, or it was done and did not work."""
    return action.done is None or action.effect in {Effect.CONTRARY, Effect.NONE_DETECTED}


def opening(actions: Iterable[CorrectiveAction]) -> Sequence[CorrectiveAction]:
    """Return the actions that open a review, those longest due first."""
    return sorted((each for each in actions if is_open(each)), key=lambda each: (each.due, each.uid))


def overdue(actions: Iterable[CorrectiveAction], today: date) -> Sequence[CorrectiveAction]:
    """Return the actions that are not done though their day is past."""
    return [each for each in actions if each.done is None and each.due < today]


def to_verify(actions: Iterable[CorrectiveAction], today: date) -> Sequence[CorrectiveAction]:
    """Return the actions whose effect is to be looked at: done, their day has come, and the verdict is still open."""
    return [each for each in actions if each.done is not None and each.verify_on <= today and each.effect is Effect.TOO_EARLY]
