"""Live regions of incidents, approvals, the phone page and on call: what news of the response may change, and how it is drawn anew."""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from watchword.ingest.ledger import Change
from watchword.respond.incident_view import IncidentView
from watchword.web import incident_page as parts
from watchword.web.approvals import waiting_context
from watchword.web.incidents import list_context
from watchword.web.pages import Ask
from watchword.web.phone import phone_context
from watchword.web.regions import Draw, Region, partial

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


def _part(target: str, template: str, context: Callable[[Ask, IncidentView], dict[str, Any]], *, ages: bool = False) -> Draw:
    """Return how one part of an incident's page is drawn: each by itself, so that one that somebody stands in holds up no other."""

    def draw(ask: Ask, parameters: Mapping[str, str], changes: Sequence[Change]) -> str:
        if not _mine(parameters, changes) or not (changes or ages):
            return ""
        return partial(target, ask.html(template, **context(ask, parts.view_of(ask, parameters.get("uid", "")))))

    return draw


def _entries(ask: Ask, parameters: Mapping[str, str], changes: Sequence[Change]) -> str:
    if not changes or not _mine(parameters, changes) or parameters.get("first") != "1":
        return ""
    view = parts.view_of(ask, parameters.get("uid", ""))
    return partial("#entries", ask.html("incidents/entries.html", **parts.timeline_context(ask, view, {"verify": ""})))


def _approvals(ask: Ask, _: Mapping[str, str], changes: Sequence[Change]) -> str:
    del changes
    return partial("#approvals", ask.html("approvals/waiting.html", **waiting_context(ask)))


def _todo(ask: Ask, _: Mapping[str, str], changes: Sequence[Change]) -> str:
    del changes
    return partial("#todo", ask.html("phone/todo.html", **phone_context(ask)))


PAGES: Final[dict[str, tuple[Region, ...]]] = {
    "incidents": (Region("list", RESPONSE, _list, most=AGES),),
    "incident": (
        Region("now", OWN, _part("#now", "incidents/now.html", parts.head_context, ages=True), most=AGES),
        Region("open", OWN, _part("#open", "incidents/open.html", parts.open_context, ages=True), most=AGES),
        Region("runs", OWN, _part("#run-list", "incidents/runs.html", parts.runs_context)),
        Region("talk", OWN, _part("#said", "incidents/talk.html", parts.talk_context)),
        Region("reached", OWN, _part("#reach-list", "incidents/reached.html", parts.reached_context)),
        Region("entries", OWN, _entries),
    ),
    "phone": (Region("todo", RESPONSE, _todo, most=AGES),),
    "approvals": (Region("waiting", frozenset({"approval"}), _approvals, most=AGES),),
}
"""By the word in the stream's address."""
