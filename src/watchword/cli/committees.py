"""``watchword committees``: bodies, meetings with their agendas, proposals under way, actions, and the calendar."""

from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer

from watchword.cli.opening import actor, opened
from watchword.cli.options import Form
from watchword.cli.output import Format, plain, print_object, print_rows, say
from watchword.kit.errors import InputError

app = typer.Typer(no_args_is_help=True)
COLUMNS = ("name", "members", "quorum", "next", "proposals", "actions", "uid")
MEETING = ("number", "starts", "state", "chair", "facilitator", "scribe", "uid")
ITEM = ("position", "title", "minutes", "domain", "value", "why")
PROPOSAL = ("number", "title", "stage", "until", "proposer", "waits_for", "uid")
ACTION = ("text", "owner", "due", "state", "uid")
Body = Annotated[str, typer.Argument(metavar="BODY", help="Name or uid of a body.")]


@app.command("list")
def list_bodies(ctx: typer.Context, form: Form = Format.TABLE) -> None:
    """List bodies with what is next in them."""
    with opened(ctx, only_look=True) as watchword:
        house, rows = watchword.governance, list[dict[str, Any]]()
        for body in house.committees.list():
            ahead = house.meetings.list(body.uid, ahead=True)
            rows.append(
                {
                    "name": body.name,
                    "uid": body.uid,
                    "members": [f"{each.person} ({each.seat.value})" for each in body.members],
                    "quorum": f"{body.rules.quorum}: {body.rules.quorum_it} it, {body.rules.quorum_physical} physical",
                    "next": plain(ahead[0].starts) if ahead else "",
                    "proposals": len(house.proposals.list(body.uid, under_way=True)),
                    "actions": len(house.minutes.actions(body.uid, open_only=True)),
                }
            )
    print_rows(rows, form, COLUMNS)


@app.command()
def meetings(ctx: typer.Context, body: Body, form: Form = Format.TABLE) -> None:
    """List a body's meetings with their roles."""
    with opened(ctx, only_look=True) as watchword:
        uid = watchword.governance.committees.get(body).uid
        rows = [{**plain(each), **each.roles} for each in watchword.governance.meetings.list(uid)]
    print_rows(rows, form, MEETING)


@app.command()
def agenda(ctx: typer.Context, meeting: Annotated[str, typer.Argument(help="Uid of a meeting.")], form: Form = Format.TABLE) -> None:
    """Show a meeting's agenda: what is frozen, or what it would be now; position 0 was left out."""
    with opened(ctx, only_look=True) as watchword:
        house = watchword.governance
        found = house.meetings.get(meeting)
        rows: list[dict[str, Any]] = [plain(each) for each in house.agendas.items(meeting)]
        dropped = found.agenda_dropped
        if found.state.value == "planned":
            preview = house.agendas.preview(found)
            weighed = [*enumerate(preview.chosen, 1), *((0, each) for each in preview.left)]
            rows = [{**plain(each.candidate), "position": position, "value": each.value} for position, each in weighed]
            dropped = preview.dropped
    if form is Format.TABLE and dropped:
        say(f"Cannot hold: {'; '.join(dropped)}")
    print_rows(rows, form, ITEM)


@app.command()
def proposals(
    ctx: typer.Context,
    body: Annotated[str, typer.Option("--body", help="Only of this body.")] = "",
    every: Annotated[bool, typer.Option("--all", help="Those that are settled too.")] = False,
    form: Form = Format.TABLE,
) -> None:
    """List proposals under way, and whom each waits for."""
    with opened(ctx, only_look=True) as watchword:
        house = watchword.governance
        uid = house.committees.get(body).uid if body else ""
        found = house.proposals.list(uid, under_way=not every)
        rows = [{**plain(each), "waits_for": list(house.proposals.get(each.uid).state.waiting)} for each in found]
    print_rows(rows, form, PROPOSAL)


@app.command()
def proposal(ctx: typer.Context, uid: Annotated[str, typer.Argument(help="Uid of a proposal.")]) -> None:
    """Show a proposal with its text, its round and its log, as JSON; a log that was changed is refused."""
    with opened(ctx, only_look=True) as watchword:
        print_object(plain(watchword.governance.proposals.get(uid)))


@app.command()
def actions(ctx: typer.Context, body: Body, form: Form = Format.TABLE) -> None:
    """List what a body wants done, the open ones by their due date."""
    with opened(ctx, only_look=True) as watchword:
        uid, today = watchword.governance.committees.get(body).uid, watchword.clock.now().date()
        found = watchword.governance.minutes.actions(uid)
    rows = [{**plain(each), "state": _state(each, today)} for each in found]
    print_rows(rows, form, ACTION)


def _state(action: Any, today: date) -> str:
    if action.done:
        return "dropped" if action.dropped else "done"
    return "overdue" if action.overdue(today) else "open"


@app.command()
def export(ctx: typer.Context, body: Body, path: Annotated[Path, typer.Argument(help="Where the calendar goes.")]) -> None:
    """Write a body's meetings as an iCalendar file."""
    with opened(ctx, only_look=True) as watchword:
        from watchword.app.committee_work import appointments
        from watchword.govern.meeting_calendar import feed

        kept, now = watchword.governance.committees.get(body), watchword.clock.now()
        found = feed(kept.name, appointments(watchword, kept, now.replace(year=1971)), now)
    try:
        path.write_bytes(found)
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error.strerror}", "path") from error


@app.command()
def plan(ctx: typer.Context, body: Body) -> None:
    """Make the meetings ahead that a body's rule asks for, and give roles to those without."""
    with opened(ctx) as watchword:
        house = watchword.governance
        made = house.meetings.plan(house.committees.get(body).uid, by=actor())
    say(f"{made} meetings made")
