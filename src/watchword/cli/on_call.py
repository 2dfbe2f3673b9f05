"""``watchword on-call``: who is on duty and who is next, rotas and their shifts, gaps ahead, calendars in and out."""

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from watchword.cli.opening import actor, opened
from watchword.cli.options import Filters, Form, Limit, Since, Until, now, span
from watchword.cli.output import Format, plain, print_object, print_rows
from watchword.kit.errors import InputError, Unavailable

if TYPE_CHECKING:
    from watchword.respond.on_call_service import KeptRota

app = typer.Typer(no_args_is_help=True)
COLUMNS = ("rota", "team", "zone", "layers", "people", "version", "changed_at", "changed_by")
WHO = ("team", "rota", "person", "since", "until", "reason", "when")
SHIFT = ("since", "until", "person", "reason", "layer", "turn", "instead_of")
GAP = ("rota", "team", "since", "until")
AHEAD = timedelta(days=28)
MOST_BYTES = 2 * 1024**2
Rota = Annotated[str, typer.Argument(help="The rota's name.", metavar="ROTA")]


def row_of(kept: "KeptRota") -> dict[str, Any]:
    """Return a rota as it is printed."""
    rota = kept.rota
    return {
        "rota": rota.name,
        "team": rota.team,
        "zone": rota.zone,
        "layers": [layer.name for layer in rota.layers],
        "people": sorted({person for layer in rota.layers for person in layer.people}),
        "swaps": plain(rota.swaps),
        "overrides": plain(rota.overrides),
        "version": kept.version,
        "changed_at": plain(kept.changed_at),
        "changed_by": kept.changed_by,
    }


@app.command("list")
def list_rotas(
    ctx: typer.Context,
    form: Form = Format.TABLE,
    since: Since = None,
    until: Until = None,
    filters: Filters = None,
    limit: Limit = 1_000,
) -> None:
    """List rotas by team and name; --since and --until ask when they were changed. Filters: team, person."""
    from watchword.app.questions import read_filters

    chosen = read_filters(filters or [], ("team", "person"))
    first, last = span(since, until)
    with opened(ctx) as watchword:
        rows = [
            row_of(each)
            for each in watchword.response.on_call.rotas()
            if (first is None or each.changed_at >= first) and (last is None or each.changed_at < last)
        ]
    kept = [
        row
        for row in rows
        if (not chosen.get("team") or row["team"] in chosen["team"])
        and (not chosen.get("person") or set(chosen["person"]) & set(row["people"]))
    ]
    print_rows(kept[:limit], form, COLUMNS)


@app.command()
def who(
    ctx: typer.Context,
    form: Form = Format.TABLE,
    team: Annotated[str, typer.Option("--team", help="Only this team: it, physical, management.")] = "",
    at: Annotated[str, typer.Option("--at", metavar="TIME", help="At which moment.")] = "now",
) -> None:
    """Say who is on call, and who is next, in every rota."""
    from watchword.app.questions import read_moment
    from watchword.model import Team

    if team and team not in set(Team):
        raise InputError(f"{team!r} is no team; known are {', '.join(Team)}", "team")
    moment = read_moment(at, now())
    with opened(ctx) as watchword:
        on_call = watchword.response.on_call
        rows = [
            {"team": duty.team, "rota": duty.rota, **plain(duty.shift), "when": when}
            for each in ([team] if team else list(Team))
            for when, found in (("now", on_call.who(each, moment)), ("next", on_call.next(each, moment)))
            for duty in found
        ]
    print_rows(rows, form, WHO)


@app.command()
def shifts(ctx: typer.Context, rota: Rota, form: Form = Format.TABLE, since: Since = None, until: Until = None) -> None:
    """List a rota's shifts: the four weeks ahead, or a stretch of at most 800 days."""
    first, last = span(since, until)
    start = first or now()
    with opened(ctx) as watchword:
        found = watchword.response.on_call.shifts(rota, start, last or start + AHEAD)
    print_rows([plain(each) for each in found], form, SHIFT)


@app.command()
def gaps(
    ctx: typer.Context,
    form: Form = Format.TABLE,
    days: Annotated[int, typer.Option("--days", min=1, max=366, help="How far ahead.")] = 28,
) -> None:
    """List the stretches ahead in which nobody is on call; exit status 1 when there is one."""
    with opened(ctx) as watchword:
        found = watchword.response.on_call.gaps(watchword.clock.now() + timedelta(days=days))
    print_rows([plain(each) for each in found], form, GAP)
    raise typer.Exit(1 if found else 0)


@app.command("export")
def export_calendar(
    ctx: typer.Context,
    rota: Rota,
    output: Annotated[Path | None, typer.Option("--output", "-o", metavar="FILE", help="Where to; else stdout.")] = None,
) -> None:
    """Write a rota's shifts as an iCalendar file: 30 days back, 180 ahead."""
    with opened(ctx) as watchword:
        text = watchword.response.on_call.calendar(rota)
    if output is None:
        print(text.decode("utf-8"), end="")
    else:
        output.write_bytes(text)


@app.command("import")
def import_calendar(
    ctx: typer.Context,
    rota: Rota,
    file: Annotated[Path, typer.Argument(help="An iCalendar file; its summaries name accounts.")],
) -> None:
    """Take a calendar's duties as overrides; the same file again replaces what it brought, and one wrong entry keeps all of it out."""
    try:
        with file.open("rb") as opened_file:
            data = opened_file.read(MOST_BYTES + 1)
    except OSError as error:
        raise Unavailable(f"{file}: cannot be read: {error.strerror or error}") from error
    with opened(ctx) as watchword:
        found = watchword.response.on_call.import_calendar(rota, data, file.name[:100], by=actor())
    print_object({"rota": rota, "duties": len(found.overrides), "outside": found.outside})
