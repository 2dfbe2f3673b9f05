"""``watchword runs``: playbooks under way: listed, started, answered, ended."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from watchword.cli.incidents import uid_of
from watchword.cli.opening import actor, opened
from watchword.cli.options import Filters, Form, Limit, Since, Until, span
from watchword.cli.output import Format, plain, print_object, print_rows
from watchword.kit.errors import InputError

if TYPE_CHECKING:
    from watchword.app.watchword import Watchword
    from watchword.respond.run_service import RunFilter
    from watchword.respond.run_view import RunView

app = typer.Typer(no_args_is_help=True)
COLUMNS = ("started_at", "status", "name", "incident", "exercise", "started_by", "uid", "said")
LONG = frozenset({"steps", "waits", "timers", "attempts", "approvals", "variables"})
PAGE = 200
Uid = Annotated[str, typer.Argument(help="The run's uid.", metavar="RUN")]
Sets = Annotated[list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="A variable's value; again for more.")]


def row_of(run: "RunView") -> dict[str, Any]:
    """Return a run as the list prints it."""
    return {key: value for key, value in plain(run).items() if key not in LONG}


def _all(watchword: "Watchword", wanted: "RunFilter", limit: int) -> "Iterator[RunView]":
    from dataclasses import replace

    left = limit
    while left > 0:
        wanted = replace(wanted, limit=min(PAGE, left))
        page = watchword.response.runs.list(wanted)
        yield from page
        if len(page) < wanted.limit:
            return
        left, wanted = left - len(page), replace(wanted, after=(page[-1].started_at, page[-1].uid))


@app.command("list")
def list_runs(
    ctx: typer.Context,
    form: Form = Format.TABLE,
    since: Since = None,
    until: Until = None,
    filters: Filters = None,
    limit: Limit = 1_000,
) -> None:
    """List runs, newest first. Filters: status (running, completed, handled, failed, cancelled), incident, playbook, exercise (yes, no)."""
    from watchword.app.questions import read_filters
    from watchword.respond.run_service import RunFilter
    from watchword.respond.run_state import RunStatus

    chosen = read_filters(filters or [], ("status", "incident", "playbook", "exercise"))
    first, last = span(since, until)
    one = {key: values[-1] for key, values in chosen.items()}
    if one.get("exercise", "no") not in {"yes", "no"}:
        raise InputError(f"--filter exercise is yes or no, not {one['exercise'][:40]!r}", "filter")
    try:
        status = tuple(RunStatus(each) for each in chosen.get("status", ()))
    except ValueError as error:
        raise InputError(f"{error}; known are {', '.join(RunStatus)}", "filter") from error
    exercise = one["exercise"] == "yes" if "exercise" in one else None
    with opened(ctx) as watchword:
        incident = uid_of(watchword, one["incident"]) if one.get("incident") else ""
        wanted = RunFilter(incident, one.get("playbook", ""), status, exercise, first, last)
        print_rows((row_of(each) for each in _all(watchword, wanted, limit or 0)), form, COLUMNS)


@app.command()
def show(
    ctx: typer.Context,
    uid: Uid,
    status: Annotated[bool, typer.Option("--status", help="Instead: execution-status objects for other tools, one a line.")] = False,
) -> None:
    """Show one run: its steps by path, whom it waits for, its timers, actions and requests for approval."""
    with opened(ctx) as watchword:
        if not status:
            print_object(watchword.response.runs.get(uid))
            return
        for each in watchword.response.runs.export(uid):
            print_object(each)


def values_of(texts: list[str] | None) -> dict[str, str]:
    """Return ``NAME=VALUE`` texts by name; names may leave out the underscores around them.

    Raises:
        InputError: a text has no ``=``.
    """
    found = {}
    for each in texts or ():
        name, equals, value = each.partition("=")
        if not equals or not name.strip("_ "):
            raise InputError(f"{each[:80]!r} is no NAME=VALUE", "set")
        found[f"__{name.strip('_ ')}__"] = value
    return found


@app.command()
def start(
    ctx: typer.Context,
    playbook: Annotated[str, typer.Argument(help="Its id or name, as in stolen-laptop.")],
    incident: Annotated[str, typer.Option("--incident", metavar="INCIDENT", help="Number or uid of the incident that it answers.")] = "",
    sets: Sets = None,
    exercise: Annotated[bool, typer.Option("--exercise", help="An exercise: every action goes to twins.")] = False,
    override: Annotated[
        str, typer.Option("--override", metavar="TEXT", help="Why it is started outside the time for which it is valid.")
    ] = "",
) -> None:
    """Start a playbook on an incident, or as an exercise; a running Watchword carries it on.

    Values that the incident's findings give are filled in.
    """
    from watchword.app.starting import variables_of
    from watchword.kit.errors import NotFound

    if not incident and not exercise:
        raise InputError("name the incident that it answers (--incident), or start it as an exercise (--exercise)", "incident")
    with opened(ctx) as watchword:
        kept = watchword.response.library.find(playbook)
        values: dict[str, str | None] = {}
        uid = ""
        if incident:
            uid = uid_of(watchword, incident)
            answered = watchword.response.incidents.get(uid).incident
            exercise = exercise or answered.exercise
            findings = []
            for each in answered.findings[:50]:
                try:
                    findings.append(watchword.findings.get(each).finding)
                except NotFound:
                    continue
            values |= variables_of(kept, findings, uid, watchword.registry.directory())
        values |= values_of(sets)
        run = watchword.response.runs.start(kept.id, uid, values, actor(), exercise, override)
        print_object(row_of(watchword.response.runs.get(run)))


@app.command()
def answer(
    ctx: typer.Context,
    uid: Uid,
    path: Annotated[str, typer.Argument(help="Of the step, as `runs show` prints it.")],
    result: Annotated[str, typer.Option("--result", help="done, failed or not_applicable.")],
    sets: Sets = None,
    note: Annotated[str, typer.Option("--note", metavar="TEXT", help="What was done.")] = "",
    evidence: Annotated[list[str] | None, typer.Option("--evidence", metavar="UID", help="A piece of evidence; again for more.")] = None,
    team: Annotated[str, typer.Option("--team", help="For which team: it, physical, management.")] = "",
) -> None:
    """Record a step that a person does."""
    from watchword.model import Team

    if team and team not in set(Team):
        raise InputError(f"{team!r} is no team; known are {', '.join(Team)}", "team")
    with opened(ctx) as watchword:
        runs = watchword.response.runs
        runs.answer(uid, path, result, values_of(sets), actor(), team, note, evidence or ())
        print_object(next(each for each in runs.get(uid).steps if each.path == path))


@app.command()
def cancel(
    ctx: typer.Context,
    uid: Uid,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why it is ended.")],
) -> None:
    """End a run: nothing more is asked or done; what is in force stays until it reverts or is released."""
    with opened(ctx) as watchword:
        watchword.response.runs.cancel(uid, actor(), reason)
        print_object(row_of(watchword.response.runs.get(uid)))
