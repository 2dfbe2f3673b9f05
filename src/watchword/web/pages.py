"""Pages: the template environment, and `Ask`: who asks, how they want pages to look, and how a page is answered."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Annotated, Any, Final
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from fastapi import Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from starlette.responses import Response

from watchword.app.principal import Permission, Principal
from watchword.app.watchword import Watchword
from watchword.detect.service import KeptFinding, WorkState
from watchword.kit.errors import NotFound, WatchwordError
from watchword.model import Domain, Event
from watchword.resolve.directory import Directory
from watchword.web import incident_words, words
from watchword.web.bundle import asset, build_id
from watchword.web.cookies import SESSION, Look, look_of
from watchword.web.plain import plain
from watchword.web.rows import EventRow, event_row

UTC_ZONE: Final = ZoneInfo("UTC")
UID: Final = re.compile("[0-9a-f]{32}")
HTMX_CONFIG: Final = '{"noSwap":[204,304,"5xx"],"includeIndicatorCSS":false}'


class LogInNeeded(WatchwordError):
    """Nobody is logged in: the log-in page comes first."""


def environment() -> Environment:
    """Return the template environment: everything is escaped, and a missing name is an error."""
    made = Environment(
        loader=PackageLoader("watchword.web"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    made.globals |= {
        "bundled": asset,
        "build_id": build_id,
        "htmx_config": HTMX_CONFIG,
        "severity_word": words.severity_word,
        "class_word": words.class_word,
        "activity_word": words.activity_word,
        "domain_of": words.domain_of,
        "plural": words.plural,
        "number": words.number_words,
        "age_words": words.age_words,
        "confidence": words.confidence_words,
        "Permission": Permission,
        **incident_words.WORDS,
    }
    return made


@dataclass(slots=True)
class Web:
    """What every page needs: the running Watchword and the templates."""

    watchword: Watchword
    templates: Environment = field(default_factory=environment)

    def render(self, template: str, context: Mapping[str, Any]) -> str:
        """Return a template filled in."""
        return self.templates.get_template(template).render(context)


class Ask:
    """One request for a page: who asks, how pages look to them, and the answers."""

    def __init__(self, request: Request, principal: Principal | None, look: Look, web: Web) -> None:
        self.request = request
        self.principal = principal
        self.look = look
        self.web = web
        self.now = web.watchword.clock.now()

    @property
    def watchword(self) -> Watchword:
        """The running Watchword."""
        return self.web.watchword

    @property
    def who(self) -> Principal:
        """Who asks; raises `LogInNeeded` when nobody is logged in."""
        if self.principal is None:
            raise LogInNeeded("Log in first")
        return self.principal

    def may(self, permission: Permission) -> bool:
        """Tell whether the asker holds a permission."""
        return self.principal is not None and self.principal.may(permission)

    def require(self, permission: Permission) -> None:
        """Raise `LogInNeeded` or `Forbidden` unless the asker holds a permission."""
        self.who.require(permission)

    @cached_property
    def directory(self) -> Directory:
        """The directory as of now: one version for the whole page."""
        return self.watchword.registry.directory()

    @cached_property
    def domains(self) -> dict[str, Domain]:
        """The side of the house that each source speaks for."""
        return {source.name: source.domain for source in self.watchword.ledger.sources()}

    def row(self, event: Event) -> EventRow:
        """Return an event as a row of a list."""
        return event_row(event, self.directory, self.domains)

    @cached_property
    def house_zone(self) -> ZoneInfo:
        """The zone of what belongs to no place: the first site's."""
        sites = [place for place in self.directory.site.places.values() if place.kind.value == "site"]
        return ZoneInfo(sites[0].zone) if sites else UTC_ZONE

    def zone_at(self, place: str = "") -> ZoneInfo:
        """Return the zone in which a moment at a place is shown, by the asker's choice of clock."""
        if self.look.clock == "utc":
            return UTC_ZONE
        if self.look.clock == "mine":
            return self.look.mine()
        return self.directory.time_zone(place) if place and self.directory.place(place.partition("/")[0]) else self.house_zone

    @cached_property
    def times(self) -> words.Times:
        """Writer of moments as of this request."""
        return words.Times(self.now, self.zone_at())

    def when(self, moment: datetime | None, place: str = "", *, named: bool = True) -> Markup:
        """Return a moment as shown at a place."""
        return self.times.mark(moment, self.zone_at(place), named=named)

    def brief(self, moment: datetime, place: str = "") -> Markup:
        """Return a moment for a column whose head names the house's zone: the zone is named only where it is another."""
        zone = self.zone_at(place)
        return self.times.mark(moment, zone, named=zone.key != self.zone_at().key)

    @property
    def zone_word(self) -> str:
        """The name of the zone of what belongs to no place."""
        return words.zone_word(self.zone_at())

    def label(self, uid: str) -> str:
        """Return the words for a uid."""
        return self.directory.label(uid)

    def plain(self, text: str, place: str = "") -> str:
        """Return what was written for the chain as a person reads it."""
        return plain(text, self.directory, self.watchword.response.gateway.catalogue, self.zone_at(place))

    def context(self, **more: Any) -> dict[str, Any]:
        """Return what every template is given, and more."""
        return {
            "ask": self,
            "look": self.look,
            "now": self.now,
            "when": self.when,
            "brief": self.brief,
            "age": self.times.age,
            "label": self.label,
            "plain": self.plain,
            "may": self.may,
            "url": self.url,
            "house": self.watchword.settings.name,
            "path": self.request.url.path,
            **more,
        }

    def html(self, template: str, **context: Any) -> str:
        """Return a template filled in, for a part of a page."""
        return self.web.render(template, self.context(**context))

    def page(self, template: str, status: int = 200, **context: Any) -> HTMLResponse:
        """Answer with a page; a form redrawn with faults has status 422."""
        return HTMLResponse(self.html(template, **context), status, headers={"Vary": "HX-Request-Type, Cookie"})

    def see(self, path: str) -> Response:
        """Answer a form that was carried out: go and look there."""
        return RedirectResponse(path, 303)

    @property
    def done(self) -> KeptFinding | None:
        """The finding that the deed before this page was about, for as long as it can be undone."""
        uid = self.request.query_params.get("done", "")
        if not UID.fullmatch(uid) or not self.may(Permission.JUDGE):
            return None
        try:
            kept = self.watchword.findings.get(uid)
        except NotFound:
            return None
        return kept if kept.work.state is WorkState.ACKNOWLEDGED and kept.work.by == self.who.actor else None

    @property
    def partial(self) -> bool:
        """Whether htmx asks for a part only."""
        return self.request.headers.get("HX-Request-Type") == "partial"

    def url(self, path: str = "", **parameters: Any) -> str:
        """Return the present address with some parameters changed (None or '' takes one away), or another path with parameters."""
        kept: Iterable[tuple[str, str]] = () if path else self.request.query_params.multi_items()
        pairs = [(name, value) for name, value in kept if name not in parameters and value]
        pairs += [(name, str(value)) for name, value in parameters.items() if value not in {None, ""}]
        return (path or self.request.url.path) + (f"?{urlencode(pairs)}" if pairs else "")


def anyone(request: Request) -> Ask:
    """Return the request as an `Ask`, whoever it is."""
    web: Web = request.app.state.web
    token = request.cookies.get(SESSION, "")
    # A page that only keeps its stream open is no use of the session.
    principal = web.watchword.accounts.by_session(token, touch=request.url.path != "/live") if token else None
    return Ask(request, principal, look_of(request), web)


def asker(request: Request) -> Ask:
    """Return the request as an `Ask` of somebody logged in.

    Raises:
        LogInNeeded: nobody is.
    """
    found = anyone(request)
    _ = found.who
    return found


def needs(permission: Permission) -> Callable[[Request], Ask]:
    """Return a dependency that lets only those through who hold a permission."""

    def check(request: Request) -> Ask:
        found = asker(request)
        found.require(permission)
        return found

    return check


Anyone = Annotated[Ask, Depends(anyone)]
Asked = Annotated[Ask, Depends(needs(Permission.READ))]
"""Everything that a person who may read sees."""
Judging = Annotated[Ask, Depends(needs(Permission.JUDGE))]
Auditing = Annotated[Ask, Depends(needs(Permission.AUDIT))]
Responding = Annotated[Ask, Depends(needs(Permission.RESPOND))]
Approving = Annotated[Ask, Depends(needs(Permission.APPROVE))]
Planning = Annotated[Ask, Depends(needs(Permission.ROTA))]
Measuring = Annotated[Ask, Depends(needs(Permission.MEASURE))]
Stewarding = Annotated[Ask, Depends(needs(Permission.STEWARD))]
LoggedIn = Annotated[Ask, Depends(asker)]
