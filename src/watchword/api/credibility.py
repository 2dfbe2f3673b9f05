"""Credibility over HTTP: closures reviewed blind, the detectors' questions, what counting closures rewards."""

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Query

from watchword.api.bounds import Uid
from watchword.api.credibility_models import (
    AnswerNew,
    BlindRead,
    Blinds,
    DemonstrationRead,
    LeagueRead,
    PromptRead,
    Prompts,
    RateRead,
    ReviewNew,
    ReviewRead,
    ReviewsRead,
    StoryRead,
)
from watchword.api.identity import House, Measurer, Reader, Responder
from watchword.api.problems import RESPONSES, also
from watchword.measure.gaming_service import Prompt
from watchword.measure.review_service import Reviewed

routes = APIRouter(tags=["credibility"])
Limit = Annotated[int, Query(ge=1, le=500, description="At most so many.")]


def _taken(names: Any, made: Any) -> dict[str, Any]:
    return {name: getattr(made, name) for name in names.model_fields}


def _review(done: Reviewed) -> ReviewRead:
    return ReviewRead(**_taken(ReviewRead, done))


def _prompt(each: Prompt) -> PromptRead:
    return PromptRead(**_taken(PromptRead, each) | {"flag": each.flag.value})


@routes.get("/reviews", responses=RESPONSES, summary="List re-reviews that are done")
def list_reviews(watchword: House, _: Reader, limit: Limit = 100) -> ReviewsRead:
    """Both results side by side, newest first, and how often they differ by severity. Nobody's name as closer."""
    service = watchword.measures.reviews
    rates = [RateRead(of=str(severity), **asdict(rate)) for severity, rate in service.rates_by_severity().items()]
    return ReviewsRead(items=[_review(each) for each in service.done(limit=limit)], by_severity=rates)


@routes.get("/reviews/waiting", responses=RESPONSES, summary="List what waits for a second look")
def list_waiting(watchword: House, caller: Measurer, limit: Limit = 50) -> Blinds:
    """Closures drawn at random; those that the caller closed are left to others."""
    waiting = watchword.measures.reviews.waiting(caller.name, limit)
    return Blinds(items=[BlindRead(**asdict(each)) for each in waiting])


@routes.post("/reviews/{uid}", responses=also(404, 409), summary="Give a second verdict")
def give_review(watchword: House, caller: Measurer, uid: Uid, new: ReviewNew) -> ReviewRead:
    """Keep what the second look found; the answer holds both results."""
    return _review(watchword.measures.reviews.give(uid, new.verdict.value, new.severity, new.note.strip(), caller.name))


@routes.get("/gaming", responses=RESPONSES, summary="List the detectors' questions")
def list_prompts(watchword: House, _: Reader, limit: Limit = 100) -> Prompts:
    """What the detectors ask the teams; nobody is named."""
    return Prompts(items=[_prompt(each) for each in watchword.measures.gaming.prompts(limit)])


@routes.post("/gaming/{uid}/answer", responses=also(404, 409), summary="Answer a detector's question")
def answer_prompt(watchword: House, caller: Responder, uid: Uid, new: AnswerNew) -> PromptRead:
    """Write down what the team found behind it."""
    return _prompt(watchword.measures.gaming.answer(uid, new.answer, caller.actor))


@routes.get("/closures-versus-value", responses=RESPONSES, summary="Read what counting closures rewards")
def read_demonstration(watchword: House, _: Reader) -> DemonstrationRead:
    """From simulation: ten analysts by count and by value; a team before and after. Computed the first time, then kept."""
    made, at = watchword.measures.studies.closures_versus_value()
    return DemonstrationRead(
        made_at=at,
        leagues=[LeagueRead(**asdict(each)) for each in made.leagues],
        stories=[StoryRead(**_taken(StoryRead, each)) for each in made.stories],
    )
