"""What the pages of bodies share: who may do what, words for states, and reading of forms about decisions."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Annotated, Any, Final
from zoneinfo import ZoneInfo

from fastapi import Depends
from starlette.responses import Response

from watchword.app.governance import Governance
from watchword.app.principal import Permission
from watchword.govern.body import Body
from watchword.govern.consent import Stage
from watchword.govern.decision_rules import Text
from watchword.kit.errors import Conflict, Forbidden, InputError, NotFound
from watchword.model.decision import Direction
from watchword.web.pages import Ask, needs

Governing = Annotated[Ask, Depends(needs(Permission.GOVERN))]
Stewarding = Annotated[Ask, Depends(needs(Permission.STEWARD))]
MOST_SETS: Final = 50

STAGE_WORDS: Final[Mapping[Stage, tuple[str, str]]] = {
    Stage.DRAFT: ("off", "draft"),
    Stage.QUESTION: ("now", "questions"),
    Stage.REVISION: ("waits", "being revised"),
    Stage.OBJECTION: ("now", "objections"),
    Stage.INTEGRATION: ("waits", "objections being integrated"),
    Stage.ESCALATED: ("waits", "before the body"),
    Stage.CONSENTED: ("done", "consented"),
    Stage.DECIDED: ("done", "decided, not by consent"),
    Stage.TABLED: ("off", "tabled"),
}
METHOD_WORDS: Final = {"consent": "by consent", "supermajority": "by two thirds of the members", "decider": "by its named decider"}
KIND_WORDS: Final = {
    "decision": "decision",
    "policy": "policy",
    "exception": "exception",
    "acceptance": "acceptance of a risk",
    "investment": "investment",
    "target": "target",
}
FAULTS: Final = {InputError: 422, Conflict: 409, Forbidden: 403, NotFound: 404}


def governance(ask: Ask) -> Governance:
    """Return the governance of the house."""
    return ask.watchword.governance


def tried(deed: Callable[[], object]) -> tuple[int, str]:
    """Do a deed; return the status and, where it was refused, why."""
    try:
        deed()
    except (InputError, Conflict, Forbidden, NotFound) as error:
        return next((code for kind, code in FAULTS.items() if isinstance(error, kind)), 422), str(error)
    return 200, ""


def answered(ask: Ask, deed: Callable[[], object], path: str, page: Callable[[int, str], Response]) -> Response:
    """Do a deed and go to a path, or show the page anew with what stands against it."""
    status, fault = tried(deed)
    return page(status, fault) if fault else ask.see(path)


def seat_of(ask: Ask, body: Body) -> str:
    """Return for which domain the asker sits in a body; empty: they do not, or may not take part."""
    return body.seats.get(ask.who.name, "") if ask.may(Permission.GOVERN) else ""


def moment_of(text: str, zone: str, field: str) -> datetime:
    """Return a moment by the clock of a zone, as a browser's field for date and time sends it."""
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise InputError(f"{text[:40]!r} is no date and time: write 2026-03-01 10:00", field) from error
    return (found if found.tzinfo else found.replace(tzinfo=ZoneInfo(zone))).astimezone(UTC)


def day_of(text: str, field: str) -> date:
    """Return a day as a browser's field sends it."""
    try:
        return date.fromisoformat(text.strip())
    except ValueError as error:
        raise InputError(f"{text[:40]!r} is no day: write 2026-03-01", field) from error


def whole(text: str, field: str) -> int:
    """Return a whole number of at most nine digits."""
    if not (text.strip().isascii() and text.strip().isdigit() and len(text.strip()) < 10):
        raise InputError(f"{text[:40]!r} is no whole number", field)
    return int(text)


def sets_of(text: str) -> dict[str, Any]:
    """Return policy parameters from lines ``STATEMENT.KEY = VALUE``; a value that is JSON is read as such, else it is text."""
    found: dict[str, Any] = {}
    for line in filter(str.strip, text.splitlines()[:MOST_SETS]):
        key, equals, value = line.partition("=")
        if not equals or not key.strip() or not value.strip():
            raise InputError(f"{line[:60]!r} sets nothing: write leaver-access.1.badge_off_within = PT1H", "sets")
        try:
            found[key.strip()] = json.loads(value, parse_constant=_refused)
        except ValueError:
            found[key.strip()] = value.strip()
    return found


def _refused(name: str) -> Any:
    raise ValueError(f"{name} is no number")


def sets_text(sets: Mapping[str, Any]) -> str:
    """Return policy parameters as the form's lines."""
    return "\n".join(f"{key} = {value if isinstance(value, str) else json.dumps(value)}" for key, value in sets.items())


def text_of(ask: Ask, fields: Mapping[str, str]) -> Text:
    """Return the text of a proposal from its form; the newest value of the measure named is frozen with it.

    Raises:
        InputError: a field cannot be read.
    """
    metric, subject = fields.get("metric", "").strip(), fields.get("metric-subject", "").strip()
    direction = fields.get("direction", "none") if metric else Direction.NONE.value
    expects: dict[str, Any] = {"metric": metric, "direction": direction, "subject": subject}
    if metric:
        try:
            expects["size"] = float(fields.get("size", "0") or 0)
        except ValueError as error:
            raise InputError("the expected change is a number", "size") from error
        expects["by"] = day_of(fields.get("by", ""), "by").isoformat()
    metrics: tuple[str, ...] = ()
    if metric:
        latest = ask.watchword.measures.metrics.latest(metric, subject)
        metrics = (latest.uid,) if latest else ()
    expires = fields.get("expires", "").strip()
    return Text(
        fields.get("title", "").strip(),
        fields.get("question", "").strip(),
        fields.get("choice", "").replace("\r\n", "\n").strip(),
        fields.get("because", "").replace("\r\n", "\n").strip(),
        day_of(fields.get("review_on", ""), "review_on"),
        expects,
        sets_of(fields.get("sets", "")),
        metrics,
        day_of(expires, "expires") if expires else None,
        fields.get("kind", "decision"),
        fields.get("subject", "").strip(),
        fields.get("supersedes", "").strip(),
    )


def fields_of(text: Text) -> dict[str, str]:
    """Return the form's fields of a text."""
    expects = text.expects
    return {
        "title": text.title,
        "question": text.question,
        "choice": text.choice,
        "because": text.because,
        "review_on": text.review_on.isoformat(),
        "expires": text.expires.isoformat() if text.expires else "",
        "kind": text.kind,
        "subject": text.subject,
        "supersedes": text.supersedes,
        "metric": str(expects.get("metric", "")),
        "metric-subject": str(expects.get("subject", "")),
        "direction": str(expects.get("direction", "none")),
        "size": str(expects.get("size", "")),
        "by": str(expects.get("by") or ""),
        "sets": sets_text(text.sets),
    }


def measure_choices(ask: Ask) -> list[tuple[str, str]]:
    """Return (name, title) of every measure, for a form."""
    return [(each.name, each.title) for each in ask.watchword.measures.metrics.definitions()]


def words() -> dict[str, Any]:
    """Return the words that the templates of bodies need."""
    return {"stages": {stage.value: word for stage, word in STAGE_WORDS.items()}, "methods": METHOD_WORDS, "kinds": KIND_WORDS}
