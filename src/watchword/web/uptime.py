"""Uptime: zones and their cover, services and their budgets, every component of both sides in one table, and who loses by whose cause."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from fastapi import APIRouter
from markupsafe import Markup
from starlette.responses import Response

from watchword.app.principal import Permission
from watchword.kit.errors import NotFound
from watchword.measure.component import Component, Way
from watchword.measure.objective_service import Service
from watchword.measure.uptime import Shares, Span, State, outages
from watchword.measure.uptime_interval import highest, lowest
from watchword.measure.uptime_view import House, ranked, worst_first
from watchword.model import Domain
from watchword.web.pages import Ask, Asked
from watchword.web.uptime_pictures import budget_bar, minutes_words, share_words, strip

router = APIRouter()
SPANS: Final = {"24h": (timedelta(days=1), "24 hours"), "7d": (timedelta(days=7), "7 days"), "30d": (timedelta(days=30), "30 days")}
ROWS: Final = 60
"""Components on one page: those that need somebody come first."""
CAUSES: Final = 8
GONE: Final = 60
MINUTE: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Row:
    """A zone or component as one line says it."""

    uid: str
    name: str
    now: Span | None
    shares: Shares
    strip: Markup
    outages: int
    component: Component | None = None
    lo: float | None = None
    hi: float | None = None
    least: int = 0
    members: int = 0
    assumed: bool = False
    objective: Service | None = None

    @property
    def lost(self) -> float:
        """Minutes that count against it."""
        return self.shares.lost / MINUTE


def house_of(ask: Ask, word: str) -> tuple[House, str]:
    """Return the house over the span that a page asks for, and the span's word."""
    word = word if word in SPANS else "30d"
    return ask.watchword.measures.uptime.lately(SPANS[word][0] / timedelta(days=1)), word


def component_row(ask: Ask, house: House, uid: str) -> Row:
    """Return a component's line."""
    spans, component = house.spans(uid), house.components[uid]
    picture = strip(spans, house.zone_window, ask.zone_at(component.place), ask.label(uid))
    return Row(uid, ask.label(uid), house.now(uid), house.shares(uid), picture, len(outages(spans)), component)


def zone_row(ask: Ask, house: House, uid: str, services: dict[str, Service]) -> Row:
    """Return a zone's line, with the interval of its share."""
    spans, shares, zone = house.zone_spans(uid), house.zone_shares(uid), house.zones[uid]
    picture = strip(spans, house.zone_window, ask.zone_at(uid), ask.label(uid))
    return Row(
        uid,
        ask.label(uid),
        house.now(uid),
        shares,
        picture,
        len(outages(spans)),
        None,
        lowest(spans, shares),
        highest(spans, shares),
        zone.cover.least,
        len(zone.members),
        zone.assumed,
        services.get(uid),
    )


def context_of(ask: Ask, span: str, side: str, position: int) -> dict[str, Any]:
    """Return what the page shows."""
    house, span = house_of(ask, span)
    measures = ask.watchword.measures
    month = house if span == "30d" else measures.uptime.lately(30)
    services = measures.objectives.services(month)
    uids = [uid for uid, each in house.components.items() if each.conditions and side in {"", each.domain.value}]
    order = ranked(house, uids)
    states = {state: sum(1 for uid in uids if (now := house.now(uid)) is not None and now.state is state) for state in State}
    return {
        "span": span,
        "spans": [(key, words) for key, (_, words) in SPANS.items()],
        "side": side,
        "states": states,
        "total": len(uids),
        "zones": [zone_row(ask, house, uid, {each.kept.objective.subject: each for each in services}) for uid in worst_first(house)],
        "mean": house.zone_mean,
        "fifth": house.zone_fifth,
        "worst": house.worst_zone,
        "services": services,
        "burning": measures.objectives.burning(),
        "rows": [component_row(ask, house, uid) for uid in order[:ROWS]],
        "more": max(0, len(order) - ROWS),
        "lost": house.lost,
        "domains": list(Domain),
        "causes": [(cause, _domain(house, cause.root)) for cause in house.causes if len(cause.outages) > 1][:CAUSES],
        "work": measures.uptime.work(),
        "window": house.window,
        "began": house.zone_window.since,
        "position": position,
        **WORDS,
    }


def _domain(house: House, uid: str) -> str:
    return house.domain_of(uid).value


WORDS: Final[dict[str, Any]] = {"share": share_words, "minutes": minutes_words, "budget_bar": budget_bar, "MINUTE": MINUTE, "State": State}


@router.get("/uptime")
def uptime(ask: Asked, span: str = "30d", side: str = "") -> Response:
    """Show both sides' uptime on one page, the worst first."""
    position = ask.watchword.ledger.last_position()
    return ask.page("uptime/list.html", **context_of(ask, span, side if side in {"it", "physical"} else "", position))


@router.get("/uptime/{uid:path}")
def component(ask: Asked, uid: str, span: str = "30d") -> Response:
    """Show one component or zone: what makes it work, its outages and their causes, its tests, its objective."""
    return component_page(ask, uid, span)


def component_page(ask: Ask, uid: str, span: str = "30d", status: int = 200, **more: Any) -> Response:
    """Answer with the page of a component or a zone; a form that was refused stands there with its fault.

    Raises:
        NotFound: the uid names neither.
    """
    house, span = house_of(ask, span)
    if uid not in house.components and uid not in house.zones:
        raise NotFound(f"{uid!r} is not watched: describe it in the site file, with a kind, a probe or an objective.")
    measures = ask.watchword.measures
    services = {each.kept.objective.subject: each for each in measures.objectives.services(measures.uptime.lately(30))}
    shown: dict[str, Any] = {
        "uid": uid,
        "span": span,
        "spans": [(key, words) for key, (_, words) in SPANS.items()],
        "window": house.window,
        "service": services.get(uid),
        "burning": measures.objectives.burning(),
        "gone": outages(house.subject_spans(uid))[::-1][:GONE],
        "fault": "",
        "where": "",
        "may_measure": ask.may(Permission.MEASURE),
        **WORDS,
    }
    if uid in house.zones and uid not in house.components:
        zone = house.zones[uid]
        shown |= {"row": zone_row(ask, house, uid, services), "members": [component_row(ask, house, each) for each in zone.members]}
        return ask.page("uptime/zone.html", status, **(shown | more))
    row = component_row(ask, house, uid)
    found = house.components[uid]
    spans = house.spans(uid)
    shown |= {
        "row": row,
        "lo": lowest(spans, row.shares),
        "hi": highest(spans, row.shares),
        "conditions": [(each, _last(house.condition(found, each, house.window_of(uid)))) for each in found.conditions],
        "tests": measures.uptime.tests(uid, 20),
        "kinds": [(each.name, each.words) for each in found.conditions if each.way in {Way.TEST, Way.FAULT}],
        "causes": _causes(house, uid),
        "below": sorted(house.graph.watched_below(uid), key=ask.label)[:ROWS],
        "asset": ask.directory.asset(uid) is not None,
    }
    return ask.page("uptime/component.html", status, **(shown | more))


def _last(spans: list[Span]) -> Span | None:
    return spans[-1] if spans else None


def _causes(house: House, uid: str) -> dict[datetime, str]:
    """Return, by start of outage, the other component that explains it."""
    return {one.span.since: cause.root for cause in house.causes for one in cause.outages if one.component == uid and cause.root != uid}
