"""Live regions of bodies, meetings, proposals and decisions: what news may change, and how it is drawn anew."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final

from watchword.ingest.ledger import Change
from watchword.web.committees import body_context
from watchword.web.committees import list_context as committee_list
from watchword.web.decisions import list_context as decision_list
from watchword.web.meetings import meeting_context
from watchword.web.pages import Ask
from watchword.web.proposals import proposal_context
from watchword.web.regions import Region, partial

GOVERNING: Final = frozenset({"meeting", "proposal", "decision"})
AGES: Final = timedelta(seconds=60)


def _meeting(target: str, template: str, *, ages: bool = False) -> Region:
    def draw(ask: Ask, parameters: Mapping[str, str], changes: Sequence[Change]) -> str:
        context = meeting_context(ask, parameters.get("uid", ""))
        body = context["body"].uid
        if changes and not any(body in {change.uid, change.summary.get("body")} or change.uid == parameters["uid"] for change in changes):
            return ""
        return partial(target, ask.html(template, **context, fault="", where="", typed={}))

    return Region(target.lstrip("#"), GOVERNING, draw, most=AGES if ages else None)


def _proposal(ask: Ask, parameters: Mapping[str, str], changes: Sequence[Change]) -> str:
    uid = parameters.get("uid", "")
    if changes and not any(change.uid == uid for change in changes):
        return ""
    return partial("#proposal", ask.html("proposals/body.html", **proposal_context(ask, uid), fault="", typed={}))


def _body(ask: Ask, parameters: Mapping[str, str], changes: Sequence[Change]) -> str:
    uid = parameters.get("uid", "")
    if changes and not any(uid in {change.uid, change.summary.get("body")} for change in changes):
        return ""
    return partial("#body-work", ask.html("committees/work.html", **body_context(ask, uid), fault="", where="", typed={}))


def _committees(ask: Ask, _: Mapping[str, str], changes: Sequence[Change]) -> str:
    del changes
    return partial("#committee-rows", ask.html("committees/rows.html", **committee_list(ask)))


def _decisions(ask: Ask, parameters: Mapping[str, str], changes: Sequence[Change]) -> str:
    del changes
    return partial("#decision-rows", ask.html("decisions/rows.html", **decision_list(ask, dict(parameters))))


PAGES: Final[dict[str, tuple[Region, ...]]] = {
    "committees": (Region("rows", GOVERNING, _committees),),
    "committee": (Region("work", GOVERNING, _body),),
    "meeting": (_meeting("#meeting-head", "meetings/head.html", ages=True), _meeting("#meeting-items", "meetings/items.html"),
                _meeting("#meeting-voices", "meetings/voices.html"), _meeting("#meeting-people", "meetings/people.html")),
    "meeting-screen": (_meeting("#meeting-screen", "meetings/screen_body.html"),),
    "proposal": (Region("proposal", GOVERNING, _proposal, most=AGES),),
    "decisions": (Region("rows", GOVERNING, _decisions),),
}  # fmt: skip
"""By the word in the stream's address."""
