"""``watchword paper``: runbooks for when systems are down, and reports, as PDF."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from watchword.cli.evidence import incident_of
from watchword.cli.opening import actor, opened
from watchword.cli.options import Since, Until, now, span
from watchword.cli.output import print_object, say
from watchword.kit.errors import InputError

app = typer.Typer(no_args_is_help=True)
MONTH = timedelta(days=30)


@app.command()
def runbooks(
    ctx: typer.Context,
    folder: Annotated[Path | None, typer.Option("--folder", metavar="DIR", help="Where; else the folder paper in the data folder.")] = None,
) -> None:
    """Print every playbook with contacts and rota as of now, and an index; exit status 1 when one could not be printed."""
    from watchword.app.runbook import write_runbooks

    with opened(ctx) as watchword:
        made = write_runbooks(watchword, folder)
    for fault in made.faults:
        say(f"paper: {fault}")
    print_object({"folder": str(made.folder), "files": len(made.files), "faults": len(made.faults)})
    raise typer.Exit(1 if made.faults else 0)


@app.command()
def report(
    ctx: typer.Context,
    kind: Annotated[str, typer.Argument(help="incident, tactical or executive.", metavar="KIND")],
    out: Annotated[Path, typer.Argument(help="The PDF to be written.", metavar="FILE")],
    incident: Annotated[str, typer.Option("--incident", metavar="NUMBER", help="Number or uid: of one incident, not of a period.")] = "",
    since: Since = None,
    until: Until = None,
) -> None:
    """Print a report: on one incident, or (tactical, executive) on a period, the last 30 days unless said."""
    from watchword.app.paper import incident_paper, period_paper

    first, last = span(since, until)
    with opened(ctx) as watchword:
        if incident:
            uid = incident_of(watchword, incident)
            content = incident_paper(watchword, uid, kind)
            watchword.audit.write(actor(), "report.print", uid, detail={"kind": kind})
        elif kind == "incident":
            raise InputError("say which incident: --incident NUMBER", "incident")
        else:
            last = last or now()
            content = period_paper(watchword, kind, first or last - MONTH, last)
            watchword.audit.write(actor(), "report.print", detail={"kind": kind})
    out.write_bytes(content)
    print_object({"file": str(out), "bytes": len(content)})
