"""``watchword trace``: why a thing is there, and what a decision did, down to the records."""

from typing import Annotated, Any

import typer

from watchword.cli.opening import opened
from watchword.cli.options import Form
from watchword.cli.output import Format, print_rows, say

app = typer.Typer(no_args_is_help=True)
COLUMNS = ("from", "verb", "to", "since", "until")
Kind = Annotated[str, typer.Argument(metavar="KIND", help="decision, policy, statement, control, metric, finding, event …")]
Uid = Annotated[str, typer.Argument(metavar="UID", help="Its uid, name or id.")]


@app.command()
def show(ctx: typer.Context, kind: Kind, uid: Uid, form: Form = Format.TABLE) -> None:
    """List every link between the decisions above a thing and the records below it."""
    from watchword.app.tracing import Tracer

    with opened(ctx) as watchword:
        found = Tracer(watchword).trace(kind, uid)
    rows: list[dict[str, Any]] = [
        {
            "from": f"{each.source.kind.value}:{each.source.uid}", "verb": each.verb, "to": f"{each.target.kind.value}:{each.target.uid}",
            "since": each.since, "until": each.until,
        }
        for each in found.edges
    ]  # fmt: skip
    print_rows(rows, form, COLUMNS)


@app.command()
def way(ctx: typer.Context, decision: Annotated[str, typer.Argument(help="Uid of a decision.")]) -> None:
    """Print the shortest way from a decision to bytes that arrived; exit status 1 where there is none."""
    from watchword.app.trace_titles import title_of
    from watchword.app.tracing import Tracer

    with opened(ctx) as watchword:
        steps = Tracer(watchword).walk_to_bytes(decision)
        for edge in steps:
            print(f"{edge.source.kind.value} {edge.verb} {edge.target.kind.value}: {title_of(watchword, edge.target)}")
        records = watchword.events.records([steps[-1].target.uid]) if steps else []
    for record in records:
        print(record.body.decode("utf-8", "replace"))
    if not records:
        say("This decision has not reached anything that was seen yet.")
    raise typer.Exit(0 if records else 1)
