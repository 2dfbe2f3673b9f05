"""``watchword incidents``: what people are working on: listed, opened, noted, merged, closed, verified."""

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from watchword.cli.opening import actor, opened
from watchword.cli.options import DryRun, Filters, Form, Limit, Since, Until, now, span
from watchword.cli.output import Format, plain, print_object, print_rows, say
from watchword.kit.errors import InputError, NotFound

if TYPE_CHECKING:
    from watchword.app.watchword import Watchword
    from watchword.model.incident import Rating
    from watchword.respond.incident_filter_service import IncidentFilter
    from watchword.respond.incident_view import IncidentRow

app = typer.Typer(no_args_is_help=True)
COLUMNS = ("number", "severity", "state", "opened_at", "lead", "teams", "title", "next")
KEYS = ("state", "severity", "team", "person", "entity", "finding", "exercise", "open", "text")
PAGE = 500
Which = Annotated[str, typer.Argument(help="The incident's number or uid.", metavar="INCIDENT")]
Why = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; it goes into the timeline.")]
YES = {"yes": True, "true": True, "no": False, "false": False}


def uid_of(watchword: "Watchword", which: str) -> str:
    """Return the uid of an incident by its number or uid.

    Raises:
        NotFound: there is none.
    """
    word = which.strip().lstrip("#")
    if word.isascii() and word.isdigit() and len(word) < 10:
        found = watchword.response.incidents.reader.uid_of_number(int(word))
        if not found:
            raise NotFound(f"There is no incident {word}; watchword incidents list shows those that there are")
        return found
    return watchword.response.incidents.get(word).incident.uid


def row_of(row: "IncidentRow") -> dict[str, Any]:
    """Return an incident as it is printed."""
    return {
        **plain(row.incident),
        "open": row.incident.open,
        "open_tasks": row.open_tasks,
        "late_tasks": row.late_tasks,
        "next": f"{row.next_step.who}: {row.next_step.text}",
    }


def filter_of(filters: list[str] | None, since: str | None, until: str | None) -> "IncidentFilter":
    """Return the filter for ``key=value`` texts and a time span.

    Raises:
        InputError: a filter or time is not acceptable.
    """
    from watchword.app.questions import read_filters
    from watchword.model import Team
    from watchword.model.incident import IncidentState
    from watchword.respond.incident_filter_service import IncidentFilter

    chosen = read_filters(filters or [], KEYS)
    first, last = span(since, until)
    one = {key: values[-1] for key, values in chosen.items()}
    try:
        worst = int(one.get("severity", "4"))
        return IncidentFilter(
            open=_flag(one, "open"),
            states=tuple(IncidentState(each) for each in chosen.get("state", ())),
            worst=worst,
            teams=tuple(Team(each) for each in chosen.get("team", ())),
            person=one.get("person", ""),
            entity=one.get("entity", ""),
            finding=one.get("finding", ""),
            exercise=_flag(one, "exercise"),
            since=first,
            until=last,
            text=" ".join(chosen.get("text", ())),
        )
    except ValueError as error:
        raise InputError(f"{error}", "filter") from error


def _flag(one: dict[str, str], key: str) -> bool | None:
    if key not in one:
        return None
    if one[key].lower() not in YES:
        raise InputError(f"--filter {key} is yes or no, not {one[key][:40]!r}", "filter")
    return YES[one[key].lower()]


def _all(watchword: "Watchword", wanted: "IncidentFilter", limit: int) -> "Iterator[IncidentRow]":
    after, left = None, limit
    while left > 0:
        page = watchword.response.incidents.list(wanted, after=after, limit=min(PAGE, left))
        yield from page
        if len(page) < min(PAGE, left):
            return
        last = page[-1].incident
        left, after = left - len(page), (last.severity, last.opened_at, last.uid)


@app.command("list")
def list_incidents(
    ctx: typer.Context,
    form: Form = Format.TABLE,
    since: Since = None,
    until: Until = None,
    filters: Filters = None,
    limit: Limit = 1_000,
) -> None:
    """List incidents, the gravest first and of those the oldest.

    Filters: open (yes, no), state, severity (at least so grave: 1 is the gravest), team, person, entity, finding, exercise (yes, no), text.
    """
    wanted = filter_of(filters, since, until)
    with opened(ctx) as watchword:
        print_rows((row_of(each) for each in _all(watchword, wanted, limit or 0)), form, COLUMNS)


@app.command()
def show(
    ctx: typer.Context,
    which: Which,
    timeline: Annotated[bool, typer.Option("--timeline", help="Also what happened, entry by entry.")] = False,
) -> None:
    """Show one incident: moments, durations, teams, roles, tasks, what is open and who owes it."""
    with opened(ctx) as watchword:
        view = watchword.response.incidents.get(uid_of(watchword, which))
        row = plain(view.incident) | {
            "open": view.incident.open,
            "moments": list(view.moments.values()),
            "durations": {each.name: each.value for each in view.durations.values() if each.value is not None},
            "team_times": view.teams,
            "roles": [each for each in view.roles if each.until is None],
            "warnings": [each.text for each in view.warnings],
            "ratings": view.ratings,
            "tasks": view.tasks,
            "links": view.links,
            "hand_overs": view.hand_overs,
            "open_items": view.open_items,
            "owed": [{"who": each.who, "what": each.text, "due": each.due, "overdue": each.overdue} for each in view.owed],
        }
        if timeline:
            row["timeline"] = list(_entries(watchword, view.incident.uid))
        print_object(row)


def _entries(watchword: "Watchword", uid: str) -> Iterator[dict[str, Any]]:
    after = 0
    while page := watchword.response.incidents.timeline(uid, after, PAGE):
        yield from (plain(each) for each in page)
        after = page[-1].seq


@app.command("open")
def open_incident(
    ctx: typer.Context,
    title: Annotated[str, typer.Argument(help="What it is.")],
    because: Annotated[str, typer.Option("--because", metavar="TEXT", help="Why it is opened.")],
    severity: Annotated[int, typer.Option("--severity", min=1, max=4, help="1 is the gravest.")] = 3,
    finding: Annotated[
        list[str] | None, typer.Option("--finding", metavar="UID", help="A finding that belongs to it; again for more.")
    ] = None,
    team: Annotated[list[str] | None, typer.Option("--team", help="A team that it concerns: it, physical; again for more.")] = None,
    exercise: Annotated[bool, typer.Option("--exercise", help="It is an exercise: every action goes to twins.")] = False,
) -> None:
    """Open an incident by hand."""
    from watchword.model import Team

    try:
        teams = [Team(each) for each in team or ()]
    except ValueError as error:
        raise InputError(f"{error}; known are {', '.join(Team)}", "team") from error
    with opened(ctx) as watchword:
        uid = watchword.response.incidents.open(
            title, by=actor(), team="", because=because, severity=severity, findings=finding or (), teams=teams, exercise=exercise
        )
        print_object(watchword.response.incidents.get(uid).incident)


@app.command()
def note(
    ctx: typer.Context,
    which: Which,
    text: Annotated[str, typer.Argument(help="What happened.")],
    at: Annotated[str | None, typer.Option("--at", metavar="TIME", help="When it happened, as from a paper log; else now.")] = None,
) -> None:
    """Write into an incident's timeline what happened."""
    from watchword.app.questions import read_moment

    when: datetime | None = read_moment(at, now()) if at else None
    with opened(ctx) as watchword:
        print_object(watchword.response.incidents.note(uid_of(watchword, which), text, by=actor(), occurred_at=when))


@app.command()
def merge(
    ctx: typer.Context,
    which: Which,
    others: Annotated[list[str], typer.Argument(help="Those that it takes up.", metavar="OTHER...")],
    reason: Why,
    dry_run: DryRun = False,
) -> None:
    """Let one incident take others up."""
    with opened(ctx, only_look=dry_run) as watchword:
        into = uid_of(watchword, which)
        taken = [uid_of(watchword, each) for each in others]
        if into in taken:
            raise InputError("An incident is not merged with itself", "other")
        if not dry_run:
            watchword.response.incidents.merge(into, taken, by=actor(), reason=reason)
        shown = plain(watchword.response.incidents.get(into).incident)
        print_object(shown | ({"dry_run": True, "takes_up": taken} if dry_run else {}))


@app.command()
def close(
    ctx: typer.Context,
    which: Which,
    verdict: Annotated[str, typer.Option("--verdict", help="What it was: true, benign, false or undecided.")],
    note: Annotated[str, typer.Option("--note", metavar="TEXT", help="What it was, in a sentence.")],
    dry_run: DryRun = False,
) -> None:
    """Close an incident at the severity that it has; what is still open is said, and keeps it open."""
    from watchword.app import taking
    from watchword.model.incident import Closure
    from watchword.respond.next_step import closing_faults

    try:
        closure = Closure(verdict)
    except ValueError as error:
        raise InputError(f"{verdict!r} is no verdict; known are {', '.join(Closure)}", "verdict") from error
    with opened(ctx, only_look=dry_run) as watchword:
        uid = uid_of(watchword, which)
        view = watchword.response.incidents.get(uid)
        if dry_run:
            print_object(plain(view.incident) | {"dry_run": True, "still_open": list(closing_faults(view, closure))})
            return
        taking.close(watchword, uid, closure, _rating(view.incident.severity), by=actor(), team="", note=note)
        print_object(watchword.response.incidents.get(uid).incident)


def _rating(severity: int) -> "Rating":
    from watchword.respond.severity import rating_of

    return rating_of(severity)


@app.command()
def verify(ctx: typer.Context, which: Which) -> None:
    """Check that no entry of an incident's timeline was changed or taken away; exit status 1 when one was."""
    with opened(ctx) as watchword:
        uid = uid_of(watchword, which)
        entries = watchword.response.incidents.get(uid).incident.entries
        problems = list(watchword.response.incidents.verify(uid))
    for problem in problems:
        say(f"incidents: {problem}")
    print_object({"incident": uid, "intact": not problems, "entries": entries, "problems": problems})
    raise typer.Exit(1 if problems else 0)
