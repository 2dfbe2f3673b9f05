"""Live regions of incidents, approvals, the phone page and on call: what news of the response may change, and how it is drawn anew."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final

from watchword.ingest.ledger import Change
from watchword.web import incident_page as parts
from watchword.web.approvals import waiting_context
from watchword.web.incidents import list_context
from watchword.web.pages import Ask
from watchword.web.regions import Region, partial

RESPONSE: Final = frozenset({"incident", "run", "approval", "page"})
OWN: Final = frozenset({"incident", "run"})
AGES: Final = timedelta(seconds=30)


def _list(ask: Ask, parameters: Mapping[str, str], changes: Sequence[Change]) -> str:
    del changes
    kept = {name: value for name, value in parameters.items() if name not in {"page", "after"}}
    return partial("#incident-table", ask.html("incidents/table.html", **list_context(ask, kept)))


def _mine(parameters: Mapping[str, str], changes: Sequence[Change]) -> bool:
    """Tell whether news concern the page's incident; without news it is drawn for its ages."""
    uid = parameters.get("uid", "")
    return not changes or any(change.uid == uid or change.summary.get("incident") == uid for change in changes)


def _now(ask: Ask, parameters: Mapping[str, str], changes: Sequence[Change]) -> str:
    if not _mine(parameters, changes):
        return ""
    view = parts.view_of(ask, parameters.get("uid", ""))
    now = partial("#now", ask.html("incidents/now.html", **parts.head_context(ask, view)))
    return now + partial("#open", ask.html("incidents/open.html", **parts.open_context(ask, view)))


def _work(ask: Ask, parameters: Mapping[str, str], changes: Sequence[Change]) -> str:
    if not changes or not _mine(parameters, changes):
        return ""
    view = parts.view_of(ask, parameters.get("uid", ""))
    drawn = partial("#run-list", ask.html("incidents/runs.html", **parts.runs_context(ask, view)))
    drawn += partial("#said", ask.html("incidents/talk.html", **parts.talk_context(ask, view)))
    drawn += partial("#reach-list", ask.html("incidents/reached.html", **parts.reached_context(ask, view)))
    if parameters.get("first") == "1":
        drawn += partial("#entries", ask.html("incidents/entries.html", **parts.timeline_context(ask, view, {})))
    return drawn


def _approvals(ask: Ask, _: Mapping[str, str], changes: Sequence[Change]) -> str:
    del changes
    return partial("#approvals", ask.html("approvals/waiting.html", **waiting_context(ask)))


PAGES: Final[dict[str, tuple[Region, ...]]] = {
    "incidents": (Region("list", RESPONSE, _list, most=AGES),),
    "incident": (Region("now", OWN, _now, most=AGES), Region("work", OWN, _work)),
    "approvals": (Region("waiting", frozenset({"approval"}), _approvals, most=AGES),),
}
"""By the word in the stream's address."""
