"""Controls: pass, fail and unknown of each, always together; the evidence on each thing; and the events that were read for it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any, Final

from fastapi import APIRouter, Form
from markupsafe import Markup
from starlette.responses import Response

from watchword.app.controlling import record_check
from watchword.app.principal import Permission
from watchword.govern.control_evidence import ControlState, Evidence
from watchword.govern.control_facts import CHECKS
from watchword.govern.framework_service import CSF, SP800
from watchword.kit.duration import read_duration
from watchword.kit.errors import InputError, WatchwordError
from watchword.measure.compliance import Compliance, Result, Way, automation, freshness, of_all
from watchword.model import EventQuery
from watchword.model.event import Event
from watchword.web.pages import Ask, Asked, Responding, Stewarding

router = APIRouter()
WIDTH: Final = 120.0
MOST: Final = 200
"""Things of one control on its page: those that need somebody come first."""
RANK: Final = {Result.FAIL: 0, Result.INSUFFICIENT: 1, Result.PASS: 2, Result.NOT_APPLICABLE: 3}
WORDS: Final = {"fail": "fails", "unknown": "unknown", "pass": "passes", "not applicable": "does not apply"}
SIDES: Final = (("it", "IT"), ("physical", "physical"), ("joint", "joint"))
PERSONAL: Final = ("person:", "badge:", "account:", "plate:")
"""Things whose events would show where one person was: they are opened through the person's trail, with a reason."""


@dataclass(frozen=True, slots=True)
class Line:
    """One piece of evidence as a line says it."""

    evidence: Evidence
    name: str
    href: str
    fresh: float
    """Below 1 it has outlived its TTL."""


def shares_bar(found: Compliance, *, wide: bool = False) -> Markup:
    """Return the three shares as one bar: full height passes, full and dark fails, a dashed box is unknown."""
    if not found.n:
        return Markup('<span class="quiet">?</span>')
    parts, at = [], 0.0
    for kind, share, y, height in (("pass", found.passed, 3.5, 7), ("fail", found.failed, 0.5, 13), ("unknown", found.unknown, 1.5, 11)):
        width = WIDTH * (share or 0.0)
        if width > 0:
            parts.append(
                Markup('<rect class="{}" x="{}" y="{}" width="{}" height="{}"/>').format(kind, round(at, 2), y, round(width, 2), height)
            )
        at += width
    kind = Markup("shares wide") if wide else Markup("shares")
    head = Markup('<svg class="{}" viewBox="0 0 120 14" preserveAspectRatio="none" role="img" aria-label="{}">').format(
        kind, shares_words(found)
    )
    return head + Markup("").join(parts) + Markup("</svg>")


def percent(share: float | None) -> str:
    """Return a share in words; what is not known is '?'."""
    return "?" if share is None else "under 1 %" if 0 < share < 0.005 else f"{100 * share:.0f} %"


def shares_words(found: Compliance) -> str:
    """Return the three shares in words."""
    return f"{percent(found.passed)} pass, {percent(found.failed)} fail, {percent(found.unknown)} unknown"


def name_of(ask: Ask, asset: str) -> tuple[str, str]:
    """Return the words for a thing that evidence is about, and where it is shown."""
    kind, _, rest = asset.partition(":")
    if not asset:
        return "the whole house", ""
    if kind == "source":
        return rest, f"/sources/{rest}"
    if kind == "incident":
        number = ask.watchword.response.incidents.reader.names([rest]).get(rest)
        return (f"incident #{number[0]}" if number else "an incident"), f"/incidents/{rest}"
    if kind == "asset":
        return ask.label(asset), f"/assets/{asset}"
    if kind == "person":
        return ask.label(asset), f"/people/{asset}"
    known = ask.directory.place(asset) is not None or ask.directory.door(asset) is not None
    return ask.label(asset), f"/places/{asset}" if known else ""


def line_of(ask: Ask, evidence: Evidence) -> Line:
    """Return evidence as a line."""
    name, href = name_of(ask, evidence.asset)
    return Line(evidence, name, href, freshness(ask.now - evidence.collected, evidence.ttl))


def context_of(ask: Ask, side: str, state: str, position: int) -> dict[str, Any]:
    """Return what the list shows."""
    controls = ask.watchword.governance.controls
    states = controls.results(ask.now)
    held = [[each.held() for each in one.evidence] for one in states]
    order = {word: rank for rank, word in enumerate(WORDS)}
    shown = [one for one in states if (not side or one.domain == side) and (not state or one.word == state)]
    return {
        "states": sorted(shown, key=lambda one: order[one.word]),
        "all": states,
        "shares": of_all(held, ask.now),
        "automation": automation([each for group in held for each in group]),
        "exemptions": controls.exemptions.all(),
        "frameworks": _reach(ask),
        "baselines": ask.watchword.governance.frameworks.baselines(),
        "book": controls.book_text()[0],
        "looked": max((each.collected for one in states for each in one.evidence if each.test), default=None),
        "side": side,
        "state": state,
        "position": position,
        **SHOWN,
    }


def _reach(ask: Ask) -> list[tuple[str, Mapping[str, int], int]]:
    """Return, by framework, how many of its controls our tests reach whole, in part and not at all."""
    frameworks = ask.watchword.governance.frameworks
    found: list[tuple[str, Mapping[str, int], int]] = []
    for name in (SP800, CSF, "iso27001-2022"):
        reached = frameworks.reached(name)
        found.append(
            (name, {word: sum(each.reach.value == word for each in reached) for word in ("whole", "partial", "none")}, len(reached))
        )
    return found


SHOWN: Final[dict[str, Any]] = {
    "bar": shares_bar, "percent": percent, "shares_words": shares_words, "Result": Result, "word_of": WORDS, "sides": SIDES,
}  # fmt: skip


@router.get("/controls")
def controls(ask: Asked, side: str = "", state: str = "") -> Response:
    """List the controls, those that fail first."""
    position = ask.watchword.ledger.last_position()
    side = side if side in dict(SIDES) else ""
    return ask.page("controls/list.html", **context_of(ask, side, state if state in WORDS else "", position))


@router.get("/controls/evidence/{uid}")
def evidence(ask: Asked, uid: str) -> Response:
    """Show one piece of evidence with the very events that were read for it."""
    kept = ask.watchword.governance.controls
    found = kept.evidence(uid)
    inputs = kept.inputs(uid)
    personal = found.asset.startswith(PERSONAL)
    events = [] if personal else _events(ask, [each for kind, each in inputs if kind == "event"])
    return ask.page(
        "controls/evidence.html",
        line=line_of(ask, found),
        state=kept.control(found.control, ask.now),
        test=kept.tests.get(found.test),
        rows=[ask.row(event) for event in events],
        others=[(kind, each) for kind, each in inputs if kind != "event"],
        missing=sum(kind == "event" for kind, _ in inputs) - len(events),
        personal=personal,
        intact=found.digest == found.hashed(),
        **SHOWN,
    )


def _events(ask: Ask, uids: Sequence[str]) -> list[Event]:
    if not uids:
        return []
    found = ask.watchword.events.events(EventQuery(uids=tuple(uids), limit=MOST))
    return sorted(found, key=lambda event: event.order)


@router.get("/controls/{control}")
def control(ask: Asked, control: str) -> Response:
    """Show one control."""
    return control_page(ask, control)


def control_page(ask: Ask, control: str, status: int = 200, **more: Any) -> Response:
    """Return the page of a control; after a form with a fault, with what is wrong."""
    kept = ask.watchword.governance.controls
    found = kept.control(control, ask.now)
    lines = sorted((line_of(ask, each) for each in found.evidence), key=lambda line: (RANK[line.evidence.result], line.name))
    since = ask.now - timedelta(days=30)
    context = {
        "state": found,
        "lines": lines[:MOST],
        "hidden": max(0, len(lines) - MOST),
        "tests": [kept.tests[name] for name in found.tests],
        "history": [line_of(ask, each) for each in kept.history(control, limit=40) if not each.current],
        "reliability": kept.reliability(control, since, ask.now),
        "baselines": ask.watchword.governance.frameworks.baselines_of(control),
        "title_of": ask.watchword.governance.frameworks.title,
        "kinds": sorted(_kinds(found, ask)),
        "check_words": CHECKS,
        "fault": "",
        "where": "",
        "may_steward": ask.may(Permission.STEWARD),
        **SHOWN,
    }
    return ask.page("controls/control.html", status, **context | more)


def _kinds(found: ControlState, ask: Ask) -> set[str]:
    """Return the kinds of checks that a control's tests ask for."""
    tests = ask.watchword.governance.controls.tests
    return {use.params.word("kind") for name in found.tests for use in tests[name].checks if use.name == "checked"}


@router.post("/controls/{control}/word")
def attest(
    ask: Stewarding,
    control: str,
    result: Annotated[str, Form()] = "",
    asset: Annotated[str, Form()] = "",
    statement: Annotated[str, Form()] = "",
    lasts: Annotated[str, Form()] = "30d",
    way: Annotated[str, Form()] = "attested",
) -> Response:
    """Keep somebody's word on a control."""
    if result not in set(Result) or way not in set(Way):
        return control_page(ask, control, 422, fault="Choose what you say, and how you know", where="word")
    try:
        kept = ask.watchword.governance.controls
        kept.attest(control, asset.strip(), Result(result), statement, by=ask.who.actor, lasts=read_duration(lasts), way=Way(way))
    except InputError as error:
        return control_page(ask, control, 422, fault=str(error), where="word")
    return ask.see(f"/controls/{control}#word")


@router.post("/controls/{control}/checks")
def check(
    ask: Responding,
    control: str,
    kind: Annotated[str, Form()] = "",
    target: Annotated[str, Form()] = "",
    passed: Annotated[str, Form()] = "yes",
    note: Annotated[str, Form()] = "",
) -> Response:
    """Record a check that somebody made; the next look counts it."""
    try:
        record_check(ask.watchword, kind, target.strip(), by=ask.who.actor, note=note, passed=passed == "yes")
    except WatchwordError as error:
        return control_page(ask, control, 422, fault=str(error), where="check")
    return control_page(ask, control, where="check", said="Recorded. The next look, within a quarter of an hour, counts it.")


@router.post("/controls/exceptions/{uid}/end")
def end_exception(ask: Stewarding, uid: str, reason: Annotated[str, Form()] = "", control: Annotated[str, Form()] = "") -> Response:
    """Say that an exception is no longer needed."""
    try:
        ask.watchword.governance.controls.exemptions.end(uid, reason, by=ask.who.actor)
    except InputError as error:
        return control_page(ask, control, 422, fault=str(error), where="exceptions")
    return ask.see(f"/controls/{control}#exceptions" if control else "/controls#exceptions")
