"""Words for incidents: how grave, whose, how far, what a timeline entry is."""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from markupsafe import Markup, escape

from watchword.model.incident import Closure, IncidentRole, IncidentState, Moment
from watchword.respond.casebook_service import WORDS as MOMENT_WORDS
from watchword.respond.hand_over import ItemKind
from watchword.respond.roles import WORDS as ROLE_WORDS
from watchword.respond.severity import STAKES
from watchword.respond.severity import WORDS as GRAVITY_WORDS
from watchword.web.words import age_words

TEAM_WORDS: Final = {"it": "IT", "physical": "Physical security", "management": "Management"}
STATE_STEPS: Final = (
    (IncidentState.TRIAGE, "triage"),
    (IncidentState.ACTIVE, "declared"),
    (IncidentState.CONTAINED, "contained"),
    (IncidentState.RESTORED, "restored"),
    (IncidentState.CLOSED, "closed"),
    (IncidentState.LEARNED, "learned"),
)
STAKE_WORDS: Final = {
    "people": "People's safety",
    "operations": "Operations",
    "data": "Data",
    "money": "Money",
    "law": "Law and contracts",
}
CLOSURE_WORDS: Final = {
    Closure.TRUE: ("True", "it was what it looked like, and it should not have been"),
    Closure.BENIGN: ("True, but allowed", "it happened, and it was in order"),
    Closure.FALSE: ("False", "it was not what it looked like"),
    Closure.UNDECIDED: ("Undecided", "nobody can tell any more"),
}
ITEM_WORDS: Final = {
    ItemKind.WAIT: "Step",
    ItemKind.APPROVAL: "Approval",
    ItemKind.TIMER: "Clock",
    ItemKind.TEMPORARY_ACTION: "In force",
    ItemKind.UNANSWERED_PAGE: "Page",
    ItemKind.EVIDENCE: "Evidence",
    ItemKind.TASK: "Task",
    ItemKind.RATING: "Downgrade",
}
KIND_WORDS: Final = {
    "finding": "Finding",
    "note": "Note",
    "said": "Said",
    "moment": "Moment",
    "step": "Step",
    "run": "Playbook",
    "action": "Action",
    "page": "Page",
    "approval": "Approval",
    "evidence": "Evidence",
    "role": "Role",
    "severity": "Severity",
    "state": "State",
    "task": "Task",
    "hand_over": "Hand-over",
    "correction": "Correction",
    "described": "Described",
    "review": "Review",
    "merged": "Merged",
    "split": "Split",
    "opened": "Opened",
}
KIND_GROUPS: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = {
    "people": ("What people say", ("said", "note", "correction", "described")),
    "deeds": ("Deeds", ("action", "step", "run", "approval", "task", "evidence")),
    "calls": ("Calls and roles", ("page", "role", "hand_over", "moment", "severity", "state")),
}
STATUS_WORDS: Final = {
    "done": "done",
    "refused": "refused",
    "failed": "failed",
    "unknown": "unknown: the device did not answer",
    "open": "under way",
}
RUN_WORDS: Final = {"running": "running", "completed": "done", "failed": "failed", "handled": "done after a failure", "cancelled": "ended"}
REACH_WORDS: Final = {
    "due": "about to be sent",
    "sending": "being sent",
    "sent": "sent; who read it, nobody knows yet",
    "failed": "failed",
    "timed_out": "no answer from the service",
    "dropped": "not needed any more",
    "nobody": "nobody to call",
}
MARKS: Final = {1: 5, 2: 4, 3: 3, 4: 2}
"""Severity of an incident (1 gravest) → the mark of the same word."""


def gravity_word(severity: int) -> str:
    """Return the word of an incident's severity."""
    return GRAVITY_WORDS.get(severity, "unknown")


def team_word(team: str) -> str:
    """Return how people call a team."""
    return TEAM_WORDS.get(team, team or "Anybody")


def kind_word(kind: str) -> str:
    """Return what a timeline entry is."""
    return KIND_WORDS.get(kind, kind.replace("_", " ").capitalize())


def left_words(left: timedelta) -> str:
    """Return time left, or time gone by: ``12 min left``, ``3 min late``."""
    return f"{age_words(left)} left" if left >= timedelta() else f"{age_words(-left)} late"


def mentioned(text: str) -> Markup:
    """Return what was said, with ``@name`` set apart."""
    return Markup(_MENTION.sub(r'<strong class="mention">@\1</strong>', str(escape(text))))  # noqa: S704 - escaped above


_MENTION: Final = re.compile(r"(?<![\w.@;&#])@([A-Za-z0-9][A-Za-z0-9._-]{0,63})")
WORDS: Final = {
    "mentioned": mentioned,
    "gravity_word": gravity_word,
    "gravity_marks": MARKS,
    "team_word": team_word,
    "kind_word": kind_word,
    "left_words": left_words,
    "state_steps": STATE_STEPS,
    "stakes": [(name, STAKE_WORDS[name]) for name in STAKES],
    "closures": [(each.value, *words) for each, words in CLOSURE_WORDS.items()],
    "closure_words": {each.value: words[0].lower() for each, words in CLOSURE_WORDS.items()},
    "item_words": {each.value: word for each, word in ITEM_WORDS.items()},
    "role_words": {each.value: word for each, word in ROLE_WORDS.items()},
    "role_choices": [(each.value, ROLE_WORDS[each]) for each in IncidentRole],
    "moment_words": {each.value: word for each, word in MOMENT_WORDS.items()},
    "moment_choices": [(each.value, f"{each.value} {MOMENT_WORDS[each]}") for each in Moment if each is not Moment.CLOSED],
    "status_words": STATUS_WORDS,
    "run_words": RUN_WORDS,
    "reach_words": REACH_WORDS,
}
"""What templates about incidents are given."""
