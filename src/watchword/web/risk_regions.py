"""Live regions of risks and budget: drawn anew when a computation is done, an event is judged, or the register changes."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final

from watchword.ingest.ledger import Change
from watchword.kit.errors import NotFound
from watchword.web.budget import budget_context
from watchword.web.pages import Ask
from watchword.web.regions import Region, partial
from watchword.web.risks import risk_context, risks_context

RISK: Final = frozenset({"risk"})


def _risks(ask: Ask, _: Mapping[str, str], changes: Sequence[Change]) -> str:
    del changes
    return partial("#risks-body", ask.html("risks/body.html", **risks_context(ask)))


def _risk(ask: Ask, parameters: Mapping[str, str], changes: Sequence[Change]) -> str:
    del changes
    try:
        shown = risk_context(ask, parameters.get("uid", ""))
    except NotFound:
        return ""
    return partial("#risk-figures", ask.html("risks/figures.html", **shown))


def _budget(ask: Ask, _: Mapping[str, str], changes: Sequence[Change]) -> str:
    del changes
    return partial("#budget-body", ask.html("budget/body.html", **budget_context(ask)))


PAGES: Final[dict[str, tuple[Region, ...]]] = {
    "risks": (Region("body", RISK, _risks, least=timedelta(seconds=2), most=timedelta(minutes=10)),),
    "risk": (Region("figures", RISK, _risk, least=timedelta(seconds=2), most=timedelta(minutes=10)),),
    "budget": (Region("body", RISK, _budget, least=timedelta(seconds=2), most=timedelta(minutes=10)),),
}
"""By the word in the stream's address."""
