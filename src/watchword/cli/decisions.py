"""``watchword decisions``: what was decided, on which numbers, what was expected of it, and which reviews are due."""

from typing import Annotated

import typer

from watchword.cli.opening import actor, opened
from watchword.cli.options import Form
from watchword.cli.output import Format, plain, print_object, print_rows

app = typer.Typer(no_args_is_help=True)
COLUMNS = ("number", "question", "method", "decided", "review_on", "reviewed", "kind", "uid")
Uid = Annotated[str, typer.Argument(help="Uid of a decision.")]


@app.command("list")
def list_decisions(
    ctx: typer.Context,
    form: Form = Format.TABLE,
    kind: Annotated[str, typer.Option("--kind", help="Only decision, policy, exception, acceptance, investment or target.")] = "",
    due: Annotated[bool, typer.Option("--due", help="Only those whose review is due.")] = False,
) -> None:
    """List decisions, the newest first."""
    with opened(ctx, only_look=True) as watchword:
        service = watchword.governance.decisions
        late = {each.uid for each in service.due(watchword.clock.now().date())}
        found = [each for each in service.all_kept(kind) if not due or each.decision.uid in late]
    print_rows([{**plain(each.decision), "reviewed": plain(each.reviewed)} for each in found], form, COLUMNS)


@app.command()
def show(ctx: typer.Context, uid: Uid) -> None:
    """Show a decision with what came after it, as JSON."""
    with opened(ctx, only_look=True) as watchword:
        print_object(plain(watchword.governance.decisions.kept(uid)))


@app.command()
def review(ctx: typer.Context, uid: Uid, found: Annotated[str, typer.Argument(help="What the review found.")]) -> None:
    """Hold the review of a decision."""
    with opened(ctx) as watchword:
        watchword.governance.decisions.review(uid, found, by=actor())
