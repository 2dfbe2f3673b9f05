"""Pages of credibility: what counting rewards, closures looked at again blind, and what the gaming detectors ask the teams."""

from datetime import timedelta
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends
from starlette.responses import Response

from watchword.app.principal import Permission
from watchword.kit.errors import InputError
from watchword.measure.review_service import DISAGREEMENT
from watchword.model.incident import Closure
from watchword.model.metric import Flag
from watchword.web.forms import Fields
from watchword.web.pages import Ask, Asked, Measuring, Responding, needs
from watchword.web.queue_picture import says, turn_over

router = APIRouter()
Persons = Annotated[Ask, Depends(needs(Permission.PERSON_MEASURES))]
SHOWN: Final = 50
VERDICTS: Final = {
    Closure.TRUE.value: "True: it was what it looked like",
    Closure.BENIGN.value: "Benign: it happened, and was allowed",
    Closure.FALSE.value: "False: it did not happen so",
    Closure.UNDECIDED.value: "Cannot be told",
}
SEVERITIES: Final = {1: "1, the gravest", 2: "2", 3: "3", 4: "4, the least grave"}
FLAGS: Final = {
    Flag.SELECTION: "Easy items picked",
    Flag.BULK: "Closed in bulk",
    Flag.DOWNGRADE: "Marked down",
    Flag.REOPEN: "Comes back",
    Flag.HEAPING: "Heaped below the promise",
    Flag.DIVERGENCE: "Better at a cost",
    Flag.DENOMINATOR: "Divided by less",
}
MEANINGS: Final = {
    Flag.SELECTION: "Low items are taken while graver ones wait, more often than colleagues, or the same team before, took them then.",
    Flag.BULK: "So many closures within 15 minutes as never before; closures by a rule or a merge do not count.",
    Flag.DOWNGRADE: "Of closures that detectors and assets rate grave, more are marked down than by colleagues.",
    Flag.REOPEN: "What was closed is reopened within 14 days more often than what colleagues close.",
    Flag.HEAPING: "More times lie just below the promise than just above it, beyond what their neighbours explain.",
    Flag.DIVERGENCE: "A measure improves beyond chance while the one that watches it gets worse beyond chance.",
    Flag.DENOMINATOR: "What a measure divides by shrinks, or what it leaves out grows, beyond chance.",
}
EXAMPLES: Final = {
    Flag.SELECTION: "D1",
    Flag.BULK: "D2",
    Flag.DOWNGRADE: "D3",
    Flag.REOPEN: "D4",
    Flag.HEAPING: "D5",
    Flag.DIVERGENCE: "D6",
    Flag.DENOMINATOR: "D7",
}


@router.get("/metrics/closures-versus-value")
def closures_versus_value(ask: Asked) -> Response:
    """Show what ranking by closures rewards; computed the first time, then kept."""
    made, at = ask.watchword.measures.studies.closures_versus_value()
    stories = {each.name: each for each in made.stories}
    pictures = [(league, turn_over(league), says(league)) for league in made.leagues]
    return ask.page("metrics_gaming/closures_versus_value.html", made=made, made_at=at, stories=stories, pictures=pictures)


@router.get("/metrics/re-review")
def reviews(ask: Asked) -> Response:
    """Show how often a second look differs, and, to whoever reviews, what waits."""
    service = ask.watchword.measures.reviews
    waiting = service.waiting(ask.who.name, SHOWN) if ask.may(Permission.MEASURE) else []
    metric = ask.watchword.measures.metrics.latest(DISAGREEMENT)
    since = ask.now - timedelta(days=182)
    return ask.page(
        "metrics_gaming/reviews.html",
        waiting=waiting,
        metric=metric,
        done=service.done(since, limit=SHOWN),
        rates=service.rates_by_severity(),
        verdicts=VERDICTS,
    )


@router.get("/metrics/re-review/{uid}")
def review(ask: Measuring, uid: str) -> Response:
    """Show one closure without who closed it and as what."""
    return _review(ask, uid)


def _review(ask: Ask, uid: str, status: int = 200, **more: Any) -> Response:
    blind = ask.watchword.measures.reviews.blind(uid, ask.who.name)
    kept = {"fault": "", "typed": {}, **more}
    return ask.page("metrics_gaming/review.html", status, blind=blind, verdicts=VERDICTS, severities=SEVERITIES, **kept)


@router.post("/metrics/re-review/{uid}")
def give(ask: Measuring, uid: str, fields: Fields) -> Response:
    """Keep what the second look found, and show both results."""
    typed = fields.get("severity", "")
    severity = int(typed) if typed.isascii() and typed.isdigit() else 0
    service = ask.watchword.measures.reviews
    try:
        done = service.give(uid, fields.get("verdict", ""), severity, fields.get("note", "").strip(), ask.who.name)
    except InputError as error:
        return _review(ask, uid, 422, fault=str(error), typed=fields)
    return ask.see(f"/metrics/re-review#done-{done.uid}")


@router.get("/metrics/gaming")
def gaming(ask: Asked) -> Response:
    """Show what the detectors ask the teams."""
    return _gaming(ask)


def _gaming(ask: Ask, status: int = 200, fault: str = "", where: str = "") -> Response:
    service = ask.watchword.measures.gaming
    prompts = service.prompts()
    titles = {each.name: each.title for each in ask.watchword.measures.metrics.definitions()}
    return ask.page(
        "metrics_gaming/gaming.html",
        status,
        standing=[each for each in prompts if each.ended_at is None],
        past=[each for each in prompts if each.ended_at is not None],
        titles=titles,
        flags=FLAGS,
        meanings=MEANINGS,
        numbers=EXAMPLES,
        persons=service.persons,
        fault=fault,
        where=where,
    )


@router.post("/metrics/gaming/{uid}")
def answer(ask: Responding, uid: str, fields: Fields) -> Response:
    """Write down what the team found behind a prompt."""
    try:
        ask.watchword.measures.gaming.answer(uid, fields.get("answer", ""), ask.who.name)
    except InputError as error:
        return _gaming(ask, 422, str(error), uid)
    return ask.see(f"/metrics/gaming#prompt-{uid}")


@router.get("/metrics/gaming/people")
def people(ask: Persons) -> Response:
    """Show signs and error rates of single persons, where the house allows it; the reading is logged."""
    measures = ask.watchword.measures
    signs = measures.gaming.people(ask.who.actor)
    rates = measures.reviews.rates_by_closer(ask.who.actor, allowed=measures.gaming.persons)
    return ask.page("metrics_gaming/people.html", signs=signs, rates=rates, flags=FLAGS)
