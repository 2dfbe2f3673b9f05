"""Live regions: the parts of each page that news may change, how often they are drawn anew, and how."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Final

from starlette.datastructures import QueryParams

from watchword.ingest.ledger import Change
from watchword.model import Order
from watchword.web.controls import SIDES, WORDS
from watchword.web.controls import context_of as controls_context
from watchword.web.filters import read_event_filters
from watchword.web.findings import read_finding_filter
from watchword.web.governing_regions import PAGES as GOVERNING_PAGES
from watchword.web.metrics import board_context
from watchword.web.overview import needs_context, response_context, side_context
from watchword.web.pages import Ask
from watchword.web.places import board_context as place_context
from watchword.web.regions import Region, partial
from watchword.web.response_regions import PAGES as RESPONSE_PAGES
from watchword.web.response_regions import RESPONSE
from watchword.web.risk_regions import PAGES as RISK_PAGES
from watchword.web.run_regions import PAGES as RUN_PAGES
from watchword.web.sources import rows_of
from watchword.web.uptime import context_of as uptime_context
from watchword.web.wall import wall_context

MOST_ROWS: Final = 100
ALERT_LEAST: Final = 5


def _newest(changes: Sequence[Change]) -> int:
    return changes[-1].position if changes else 0


def _needs(ask: Ask, _: Mapping[str, str], changes: Sequence[Change]) -> str:
    del changes
    return partial("#needs", ask.html("overview/needs.html", **needs_context(ask)))


def _response(ask: Ask, _: Mapping[str, str], changes: Sequence[Change]) -> str:
    del changes
    return partial("#open-incidents", ask.html("overview/incidents.html", **response_context(ask)))


def _side(ask: Ask, _: Mapping[str, str], changes: Sequence[Change]) -> str:
    del changes
    return partial("#side", ask.html("overview/side.html", **side_context(ask)))


def _alert(ask: Ask, _: Mapping[str, str], changes: Sequence[Change]) -> str:
    """Return one sentence for the newest critical finding among the news."""
    critical = [
        c
        for c in changes
        if int(c.summary.get("severity") or 0) >= ALERT_LEAST and c.summary.get("state") != "withdrawn" and "work" not in c.summary
    ]
    if not critical:
        return ""
    kept = ask.watchword.findings.get(critical[-1].uid)
    return partial("#alert", ask.html("overview/alert.html", kept=kept), "innerHTML")


def _timeline(ask: Ask, parameters: Mapping[str, str], changes: Sequence[Change]) -> str:
    """Return rows for the events of new segments that pass the page's filters; a person's only while their trail is open."""
    filters = read_event_filters(
        QueryParams({key: value for key, value in parameters.items() if key not in {"page", "after"}}), ask.directory, ask.now, ask.domains
    )
    if any(ask.watchword.accounts.trail_until(ask.who, person) is None for person in filters.persons):
        return ""
    rows = []
    for change in changes[-20:]:
        query = replace(filters.query, segment=int(change.uid), order=Order.NEWEST, limit=MOST_ROWS, after=None)
        rows += ask.watchword.events.events(query)
    newest = sorted(rows, key=lambda event: event.order, reverse=True)[:MOST_ROWS]
    if not newest:
        return ""
    return partial("#waiting", ask.html("timeline/new_rows.html", rows=[ask.row(event) for event in newest]), "afterbegin")


def _findings(ask: Ask, parameters: Mapping[str, str], changes: Sequence[Change]) -> str:
    """Return new and changed findings that pass the page's filters as waiting rows; a row that is there already gives way."""
    wanted = {change.uid for change in changes}
    _, chosen, _ = read_finding_filter(ask, parameters)
    fresh = [kept for kept in ask.watchword.findings.list(chosen, limit=MOST_ROWS) if kept.finding.uid in wanted]
    return partial("#waiting", ask.html("findings/new_rows.html", findings=fresh), "afterbegin") if fresh else ""


def _work(ask: Ask, parameters: Mapping[str, str], changes: Sequence[Change]) -> str:
    uid = parameters.get("uid", "")
    if changes and not any(change.uid == uid for change in changes):
        return ""
    kept = ask.watchword.findings.get(uid)
    return partial("#state", ask.html("findings/state.html", kept=kept, finding=kept.finding, place=(kept.finding.places or ("",))[0]))


def _board(ask: Ask, parameters: Mapping[str, str], changes: Sequence[Change]) -> str:
    site = parameters.get("site", "")
    if ask.directory.place(site) is None:
        return ""
    return partial("#board", ask.html("places/board.html", **place_context(ask, site, _newest(changes))))


def _sources(ask: Ask, _: Mapping[str, str], changes: Sequence[Change]) -> str:
    del changes
    return partial("#source-table", ask.html("sources/table.html", rows=rows_of(ask)))


def _wall(ask: Ask, _: Mapping[str, str], changes: Sequence[Change]) -> str:
    return partial("#wall", ask.html("wall_body.html", **wall_context(ask, _newest(changes))))


def _dashboard(ask: Ask, _: Mapping[str, str], changes: Sequence[Change]) -> str:
    del changes
    return partial("#board", ask.html("metrics/body.html", **board_context(ask)))


def _controls(ask: Ask, parameters: Mapping[str, str], changes: Sequence[Change]) -> str:
    side, state = parameters.get("side", ""), parameters.get("state", "")
    shown = controls_context(ask, side if side in dict(SIDES) else "", state if state in WORDS else "", _newest(changes))
    return partial("#controls-body", ask.html("controls/body.html", **shown))


def _uptime(ask: Ask, parameters: Mapping[str, str], changes: Sequence[Change]) -> str:
    side = parameters.get("side", "")
    shown = uptime_context(ask, parameters.get("span", "30d"), side if side in {"it", "physical"} else "", _newest(changes))
    return partial("#uptime-body", ask.html("uptime/body.html", **shown))


FINDING: Final = frozenset({"finding"})
SEGMENT: Final = frozenset({"segment"})
BOTH: Final = FINDING | SEGMENT
ALERT: Final = Region("alert", FINDING, _alert, least=timedelta(seconds=10))
PAGES: Final[dict[str, tuple[Region, ...]]] = {
    "overview": (
        ALERT,
        Region("incidents", RESPONSE, _response, most=timedelta(seconds=30)),
        Region("needs", FINDING, _needs, most=timedelta(seconds=30)),
        Region("side", BOTH, _side, least=timedelta(seconds=10), most=timedelta(seconds=30)),
    ),
    "timeline": (ALERT, Region("rows", SEGMENT, _timeline)),
    "findings": (ALERT, Region("rows", FINDING, _findings)),
    "finding": (ALERT, Region("state", FINDING, _work, most=timedelta(seconds=30))),
    "place": (ALERT, Region("board", SEGMENT, _board, least=timedelta(seconds=2), most=timedelta(seconds=15))),
    "metrics": (
        ALERT,
        Region("board", frozenset({"metric"}), _dashboard, least=timedelta(seconds=15), most=timedelta(minutes=10)),
    ),
    "controls": (
        ALERT,
        Region("body", frozenset({"control"}), _controls, least=timedelta(seconds=5), most=timedelta(seconds=60)),
    ),
    "uptime": (
        ALERT,
        Region("body", frozenset({"uptime"}), _uptime, least=timedelta(seconds=5), most=timedelta(seconds=60)),
    ),
    "sources": (ALERT, Region("table", SEGMENT, _sources, least=timedelta(seconds=4), most=timedelta(seconds=15))),
    **{page: (ALERT, *regions) for page, regions in {**RESPONSE_PAGES, **RUN_PAGES, **GOVERNING_PAGES, **RISK_PAGES}.items()},
    "wall": (Region("wall", BOTH, _wall, least=timedelta(seconds=2), most=timedelta(seconds=5)),),
}
"""By the word in the stream's address."""
