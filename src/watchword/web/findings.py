"""Findings: the list with its filters and bulk acknowledgement, and the finding with its evidence and people's verdict."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Any
from urllib.parse import parse_qsl, urlencode

from fastapi import APIRouter, Form
from starlette.responses import Response

from watchword.app.judgement import work_on
from watchword.app.principal import Permission
from watchword.app.questions import SEVERITIES, read_cursor, read_moment, write_cursor
from watchword.detect.detector import Rule
from watchword.detect.loader import load_rules, shipped_rules
from watchword.detect.pivot import Kind, Shared
from watchword.detect.service import Disposition, FindingFilter, WorkState
from watchword.kit.errors import ContentError, InputError
from watchword.model import Event, EventQuery, FindingState, Mode
from watchword.web.filters import find_asset, find_person, find_place
from watchword.web.login import inside
from watchword.web.pages import Ask, Asked, Judging
from watchword.web.rows import EventRow
from watchword.web.time_axis import AxisMark, time_axis
from watchword.web.timeline import document_text, names, record_text
from watchword.web.words import SEVERITY_WORDS

router = APIRouter()
ROWS = 60
MOST_EVENTS = 200
"""Events of one finding that its page shows."""
WORK_WORDS = {"open": "open", "acknowledged": "acknowledged", "closed": "closed", "all": "all"}
VERDICTS = (
    (Disposition.TRUE, "True", "it is what it says, and it should not be"),
    (Disposition.BENIGN, "True, but allowed", "it happened, and it was in order"),
    (Disposition.FALSE, "False", "it is not what it says"),
    (Disposition.UNDECIDED, "Undecided", "nobody can tell any more"),
)


@dataclass(frozen=True, slots=True)
class Evidence:
    """One event of a finding as its page shows it."""

    number: int
    row: EventRow
    document: str
    raw: str


@router.get("/findings")
def findings(ask: Asked) -> Response:
    """List findings, newest first."""
    typed, wanted, faults = read_finding_filter(ask, ask.request.query_params)
    position = ask.watchword.ledger.last_position()
    after = None
    if ask.request.query_params.get("after"):
        try:
            after = read_cursor(ask.request.query_params["after"])
        except InputError as error:
            faults["after"] = str(error)
    found = ask.watchword.findings.list(wanted, after=after, limit=ROWS + 1)
    return ask.page(
        "findings/list.html",
        422 if faults else 200,
        findings=found[:ROWS],
        older=write_cursor(found[ROWS - 1].finding.time, found[ROWS - 1].finding.uid) if len(found) > ROWS else "",
        newest=after is None,
        typed=typed,
        faults=faults,
        filtered=any(value for name, value in typed.items() if not (name == "work" and value == "open")),
        works=list(WORK_WORDS.items()),
        severities=[(word, f"{word} and above") for level, word in SEVERITY_WORDS.items() if 1 < level < 6],
        rules=sorted(((rule.id, rule.title) for rule in rules_of(ask).values()), key=lambda pair: pair[1]),
        names=names(ask),
        position=position,
    )


def read_finding_filter(ask: Ask, parameters: Mapping[str, str]) -> tuple[dict[str, str], FindingFilter, dict[str, str]]:
    """Return the filters as typed, as a filter, and what is wrong with them; without a word on work: what is open."""
    typed = {
        name: parameters.get(name, "").strip()[:300]
        for name in ("q", "severity", "mode", "rule", "person", "asset", "place", "since", "until")
    }
    typed["work"] = parameters.get("work", "open") if parameters.get("work", "open") in WORK_WORDS else "open"
    faults: dict[str, str] = {}
    times: dict[str, Any] = {}
    for name in ("since", "until"):
        try:
            times[name] = read_moment(typed[name], ask.now) if typed[name] else None
        except InputError as error:
            faults[name] = str(error)
    named = {}
    for name, find in (("person", find_person), ("asset", find_asset), ("place", find_place)):
        named[name] = find(ask.directory, typed[name])
        if typed[name] and not named[name]:
            faults[name] = f"No {name} is called so, or several are"
    wanted = FindingFilter(
        since=times.get("since"),
        until=times.get("until"),
        rules=(typed["rule"],) if typed["rule"] else (),
        severity=SEVERITIES.get(typed["severity"], 0),
        mode=Mode(typed["mode"]) if typed["mode"] in set(Mode) else None,
        work=() if typed["work"] == "all" else (WorkState(typed["work"]),),
        states=tuple(FindingState) if typed["work"] == "all" else (FindingState.PROVISIONAL, FindingState.FINAL),
        text=typed["q"],
        **named,
    )
    return typed, wanted, faults


@router.post("/findings/acknowledge")
def acknowledge_many(ask: Judging, uid: Annotated[list[str] | None, Form()] = None, back: Annotated[str, Form()] = "") -> Response:
    """Acknowledge the selected findings."""
    for each in (uid or [])[:ROWS]:
        _acknowledge(ask, each)
    return ask.see(inside(back or "/findings"))


@router.get("/findings/{uid}")
def finding(ask: Asked, uid: str) -> Response:
    """Show one finding."""
    return _page(ask, uid)


def _page(ask: Ask, uid: str, status: int = 200, fault: str = "") -> Response:
    position = ask.watchword.ledger.last_position()
    kept = ask.watchword.findings.get(uid)
    found = kept.finding
    place = found.places[0] if found.places else ""
    events = ask.watchword.events.events(EventQuery(uids=found.events[:MOST_EVENTS], limit=MOST_EVENTS)) if found.events else []
    evidence = evidence_of(ask, sorted(events, key=lambda event: event.order))
    alike = [other for other in ask.watchword.findings.list(FindingFilter(rules=(found.rule,)), limit=7) if other.finding.uid != uid][:6]
    return ask.page(
        "findings/finding.html",
        status,
        kept=kept,
        finding=found,
        place=place,
        evidence=evidence,
        missing=len(found.events) - len(events),
        axis=axis_of(ask, evidence, found.time, place),
        rule=rules_of(ask).get(found.rule),
        alike=alike,
        closed=_record_of(ask, found.rule),
        verdicts=VERDICTS,
        fault=fault,
        position=position,
    )


def evidence_of(ask: Ask, events: Sequence[Event]) -> list[Evidence]:
    """Return a finding's events with their documents and raw records."""
    records = {record.uid: record for record in ask.watchword.events.records(list({event.record for event in events}))} if events else {}
    return [
        Evidence(
            number,
            ask.row(event),
            document_text(event.data),
            record_text(records[event.record]) if event.record in records else "",
        )
        for number, event in enumerate(events, 1)
    ]


def axis_of(ask: Ask, evidence: Iterable[Evidence], moment: Any, place: str) -> str:
    """Return the picture of both sides' events on one time axis."""
    zone = ask.zone_at(place)
    marks = [
        AxisMark(
            item.number,
            item.row.at,
            item.row.domain == "physical",
            f"{item.number}. {item.row.at.astimezone(zone):%H:%M:%S} {item.row.kind}: {item.row.words}",
            f"#event-{item.row.uid}",
        )
        for item in evidence
    ]
    return time_axis(marks, moment, zone)


def rules_of(ask: Ask) -> dict[str, Rule]:
    """Return the shipped rules by id, with the installation's own settings."""
    overrides = ask.watchword.settings.detect_overrides
    return _rules(repr(sorted(overrides.items())), _Overrides(overrides))


class _Overrides:
    """Carries the settings past the cache, which goes by their text."""

    def __init__(self, values: Any) -> None:
        self.values = values

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Overrides)

    def __hash__(self) -> int:
        return 0


@lru_cache(maxsize=4)
def _rules(text: str, overrides: _Overrides) -> dict[str, Rule]:
    del text
    try:
        return {rule.id: rule for rule in load_rules(shipped_rules(), overrides.values)}
    except ContentError:
        return {}


def _record_of(ask: Ask, rule: str) -> Counter[str]:
    """Return how the last 200 closed findings of a rule were closed."""
    closed = ask.watchword.findings.list(FindingFilter(rules=(rule,), work=(WorkState.CLOSED,)), limit=200)
    return Counter(kept.work.disposition.value for kept in closed if kept.work.disposition)


@router.get("/findings/{uid}/related")
def related(ask: Asked, uid: str) -> Response:
    """Show what a finding shares with other events; as a part of its page, or as a page of its own."""
    kept = ask.watchword.findings.get(uid)
    shared = ask.watchword.insight.related(uid, limit=20)
    found = {other: ask.watchword.findings.get(other) for each in shared for other in each.findings[:8]}
    template = "findings/related_part.html" if ask.partial else "findings/related.html"
    return ask.page(template, kept=kept, finding=kept.finding, shared=[_shown(ask, each) for each in shared], found=found)


def _shown(ask: Ask, shared: Shared) -> dict[str, Any]:
    """Return one shared thing; the other events of somebody's credential are their trail, and stay closed without a reason."""
    link = ask.directory.holder(shared.value, ask.now) if shared.kind is Kind.CREDENTIAL else None
    closed = link is not None and (not ask.may(Permission.TRAIL) or ask.watchword.accounts.trail_until(ask.who, link.person) is None)
    filters = {Kind.ADDRESS: "address", Kind.CREDENTIAL: "credential", Kind.ASSET: "asset"}
    return {
        "shared": shared,
        "holder": link.person if link else "",
        "closed": closed,
        "rows": [] if closed else [ask.row(event) for event in shared.events],
        "filter": {filters[shared.kind]: shared.value} if shared.kind in filters else {},
    }


@router.post("/findings/{uid}/acknowledge")
def acknowledge(ask: Judging, uid: str, back: Annotated[str, Form()] = "") -> Response:
    """Say that one has seen it and looks after it."""
    _acknowledge(ask, uid)
    return ask.see(_with_done(inside(back), uid) if back else f"/findings/{uid}")


def _with_done(address: str, uid: str) -> str:
    """Return the address with the finding whose acknowledgement can be undone there."""
    path, _, query = address.partition("?")
    kept = [(name, value) for name, value in parse_qsl(query) if name != "done"]
    return f"{path}?{urlencode([*kept, ('done', uid)])}"


def _acknowledge(ask: Ask, uid: str) -> None:
    kept = ask.watchword.findings.get(uid)
    if kept.work.state is WorkState.OPEN:
        work_on(ask.watchword, uid, WorkState.ACKNOWLEDGED, by=ask.who.actor, note=kept.work.note, seen=kept.work)


@router.post("/findings/{uid}/verdict")
def verdict(ask: Judging, uid: str, disposition: Annotated[str, Form()] = "", note: Annotated[str, Form()] = "") -> Response:
    """Close it with what it was found to be."""
    if disposition not in set(Disposition):
        return _page(ask, uid, 422, "Choose what it was found to be")
    chosen = Disposition(disposition)
    note = note.strip()[:4000]
    if chosen in {Disposition.FALSE, Disposition.BENIGN} and len(note) < 3:
        return _page(ask, uid, 422, "Say in a few words why, so that the rule can be mended")
    work_on(ask.watchword, uid, WorkState.CLOSED, by=ask.who.actor, disposition=chosen, note=note)
    return ask.see(f"/findings/{uid}")


@router.post("/findings/{uid}/reopen")
def reopen(ask: Judging, uid: str, back: Annotated[str, Form()] = "") -> Response:
    """Undo an acknowledgement or a verdict."""
    kept = ask.watchword.findings.get(uid)
    work_on(ask.watchword, uid, WorkState.OPEN, by=ask.who.actor, note=kept.work.note)
    return ask.see(inside(back) if back else f"/findings/{uid}")
