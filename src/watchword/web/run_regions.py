"""Live regions of runs: what news of a run or an approval may change, and how it is drawn anew."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final

from watchword.ingest.ledger import Change
from watchword.web.pages import Ask
from watchword.web.regions import Region, partial
from watchword.web.runs import list_context, run_context

NEWS: Final = frozenset({"run", "approval"})
AGES: Final = timedelta(seconds=30)
PARTS: Final = ("head", "waiting", "picture", "log", "side")


def _list(ask: Ask, parameters: Mapping[str, str], changes: Sequence[Change]) -> str:
    del changes
    return partial("#run-rows", ask.html("runs/rows.html", **list_context(ask, parameters)))


def _run(ask: Ask, parameters: Mapping[str, str], changes: Sequence[Change]) -> str:
    """Draw a run's parts anew; the news of approvals say not of which run they are, so that any of them draws it."""
    uid = parameters.get("uid", "")
    if changes and not any(change.uid == uid or change.kind == "approval" for change in changes):
        return ""
    context = run_context(ask, uid) | {"fault": "", "where": "", "typed": {}}
    return "".join(partial(f"#run-{name}", ask.html(f"runs/{name}.html", **context)) for name in PARTS)


PAGES: Final[dict[str, tuple[Region, ...]]] = {
    "runs": (Region("list", NEWS, _list, least=timedelta(seconds=2), most=AGES),),
    "run": (Region("run", NEWS, _run, most=AGES),),
}
"""By the word in the stream's address."""
