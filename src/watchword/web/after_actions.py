"""After-action reviews: what both trades say of an incident, the few actions that follow, whether they were done and worked."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any, Final

from fastapi import APIRouter, Form
from starlette.responses import Response

from watchword.app.effects import pattern_of
from watchword.app.principal import Permission
from watchword.kit.errors import InputError, NotFound
from watchword.learn.after_action import MOST_ACTIONS, TEAMS, worked
from watchword.model.after_action import AfterAction, CorrectiveAction
from watchword.model.decision import Direction, Expectation
from watchword.respond.incident_filter_service import IncidentFilter
from watchword.respond.roles import Holding
from watchword.web.forms import Fields
from watchword.web.governing import Governing, day_of, governance, measure_choices, tried
from watchword.web.pages import Ask, Asked

router = APIRouter()
DIRECTIONS: Final = (("down", "falls"), ("up", "rises"), ("none", "no measurable effect"))
TEAM_WORDS: Final = (("it", "IT"), ("physical", "physical security"), ("management", "management"))
LATELY: Final = timedelta(days=120)


@router.get("/after-actions")
def after_actions(ask: Asked) -> Response:
    """List the open actions, then the reviews."""
    position = ask.watchword.ledger.last_position()
    return ask.page("after_actions/list.html", position=position, **list_context(ask))


def list_context(ask: Ask) -> dict[str, Any]:
    """Return actions and reviews, and grave incidents without a review."""
    kept = governance(ask).retrospectives
    reviews = kept.list()
    reviewed = {each.review.of for each in reviews}
    wanted = IncidentFilter(worst=2, since=ask.now - LATELY, newest=True, open=False)
    closed = [row.incident for row in ask.watchword.response.incidents.list(wanted, limit=30)]
    return {
        "opening": kept.actions(only_open=True),
        "reviews": reviews,
        "names": ask.watchword.response.incidents.reader.names([each.review.of for each in reviews]),
        "waiting": [each for each in closed if each.uid not in reviewed],
        "measure_names": dict(measure_choices(ask)),
        "worked": worked,
        "today": ask.now.date(),
        "teams": dict(TEAM_WORDS),
    }


@router.get("/after-actions/new")
def new(ask: Governing, incident: str = "") -> Response:
    """Show the form of a review; it opens with the actions that are open."""
    typed: dict[str, str] = {"of": incident, "facilitator": ask.who.name, "held": ask.now.date().isoformat()}
    if incident:
        view = ask.watchword.response.incidents.get(incident)
        typed["present"] = "\n".join(sorted({_present(ask, each) for each in view.roles}))
        typed["of"] = view.incident.uid
    return _form(ask, typed)


def _present(ask: Ask, holding: Holding) -> str:
    return f"{holding.person}, {ask.watchword.response.roster.team_of(holding.person) or 'management'}"


def _form(ask: Ask, typed: Mapping[str, str], status: int = 200, fault: str = "") -> Response:
    kept = governance(ask).retrospectives
    incidents = [row.incident for row in ask.watchword.response.incidents.list(IncidentFilter(newest=True), limit=60)]
    reviewed = {each.review.of for each in kept.list()}
    return ask.page(
        "after_actions/form.html",
        status,
        typed=typed,
        fault=fault,
        incidents=[(each.uid, f"{each.number} {each.title}") for each in incidents if each.uid not in reviewed],
        opening=kept.actions(only_open=True),
        measures=measure_choices(ask),
        directions=DIRECTIONS,
        teams=TEAM_WORDS,
        numbers=range(1, MOST_ACTIONS + 1),
        due=(ask.now.date() + timedelta(days=30)).isoformat(),
        verify=(ask.now.date() + timedelta(days=120)).isoformat(),
    )


@router.post("/after-actions")
def hold(ask: Governing, fields: Fields) -> Response:
    """Keep a review."""
    made: list[str] = []

    def keep() -> None:
        review = review_of(fields, ask.now.date())
        try:
            pattern = pattern_of(ask.watchword, review.of)
        except NotFound as error:
            raise InputError("choose the incident that is reviewed", "of") from error
        made.append(governance(ask).retrospectives.hold(review, pattern, by=ask.who.name).review.uid)

    status, fault = tried(keep)
    return _form(ask, fields, status, fault) if fault else ask.see(f"/after-actions/{made[0]}")


def review_of(fields: Mapping[str, str], today: date) -> AfterAction:
    """Return the review that a form says.

    Raises:
        InputError: a line, a day or a number cannot be read.
    """
    held = day_of(fields.get("held", "") or today.isoformat(), "held")
    actions = [_action(fields, number) for number in range(1, MOST_ACTIONS + 1) if fields.get(f"text-{number}", "").strip()]
    return AfterAction(
        uid="",
        of=fields.get("of", ""),
        held=datetime.combine(held, time(12), UTC),
        facilitator=fields.get("facilitator", "").strip(),
        present=tuple(_pair(line) for line in _lines(fields, "present")),
        helped=tuple(_lines(fields, "helped")),
        hindered=tuple(_lines(fields, "hindered")),
        skills_used=tuple(_lines(fields, "skills_used")),
        skills_missing=tuple(_lines(fields, "skills_missing")),
        actions=tuple(actions),
    )


def _lines(fields: Mapping[str, str], name: str) -> list[str]:
    return [line.strip() for line in fields.get(name, "").splitlines() if line.strip()]


def _pair(line: str) -> tuple[str, str]:
    name, comma, team = line.rpartition(",")
    if not comma or team.strip() not in TEAMS:
        raise InputError(f"{line[:60]!r}: write a name, a comma and it, physical or management", "present")
    return name.strip(), team.strip()


def _action(fields: Mapping[str, str], number: int) -> CorrectiveAction:
    direction = fields.get(f"direction-{number}", "none")
    if direction not in {each.value for each in Direction}:
        raise InputError(f"{direction[:20]!r} is no direction", f"direction-{number}")
    size = fields.get(f"size-{number}", "").strip()
    try:
        amount = float(size) if size else 0.0
    except ValueError as error:
        raise InputError(f"{size[:20]!r} is no number", f"size-{number}") from error
    verify = day_of(fields.get(f"verify-{number}", ""), f"verify-{number}")
    metric = fields.get(f"metric-{number}", "") if direction != "none" else ""
    return CorrectiveAction(
        "",
        fields[f"text-{number}"].strip(),
        fields.get(f"owner-{number}", "").strip(),
        fields.get(f"team-{number}", ""),
        day_of(fields.get(f"due-{number}", ""), f"due-{number}"),
        Expectation(metric, Direction(direction), amount, verify),
        verify,
    )


@router.get("/after-actions/{uid}")
def after_action(ask: Asked, uid: str) -> Response:
    """Show one review."""
    return _page(ask, uid)


def _page(ask: Ask, uid: str, status: int = 200, fault: str = "") -> Response:
    kept = governance(ask).retrospectives
    found = kept.get(uid)
    actions = {each.action.uid: each for each in kept.actions()}
    mine = [actions[each.uid] for each in found.review.actions]
    again = {each.action.uid: kept.recurrences(action=each.action.uid) for each in mine}
    incidents = [found.review.of, *(one.incident for each in again.values() for one in each)]
    return ask.page(
        "after_actions/review.html",
        status,
        kept=found,
        review=found.review,
        actions=mine,
        carried=[actions[each] for each in found.carried if each in actions],
        again=again,
        names=ask.watchword.response.incidents.reader.names(incidents),
        measure_names=dict(measure_choices(ask)),
        worked=worked,
        fault=fault,
        teams=dict(TEAM_WORDS),
        today=ask.now.date(),
        governs=ask.may(Permission.GOVERN),
    )


@router.post("/after-actions/actions/{uid}/done")
def done(ask: Governing, uid: str, note: Annotated[str, Form()] = "") -> Response:
    """Say that an action is done."""
    kept = governance(ask).retrospectives
    review = kept.action(uid).review
    status, fault = tried(lambda: kept.done(uid, note, by=ask.who.name))
    return _page(ask, review, status, fault) if fault else ask.see(f"/after-actions/{review}#actions")
