"""``watchword reviews``: closures drawn for a second, blind look, and what it found."""

import typer

from watchword.cli.opening import opened
from watchword.cli.options import Form, Limit, now
from watchword.cli.output import Format, plain, print_rows

app = typer.Typer(no_args_is_help=True)
COLUMNS = ("reviewed_at", "kind", "subject", "verdict", "severity", "second_verdict", "second_severity", "differs", "reviewer", "note")


@app.command("list")
def list_reviews(ctx: typer.Context, form: Form = Format.TABLE, limit: Limit = 100) -> None:
    """List re-reviews that are done, newest first, with both results. Who closed it first is not told."""
    with opened(ctx, only_look=True) as watchword:
        rows = [plain(each) for each in watchword.measures.reviews.done(limit=limit or 100)]
    print_rows(rows, form, COLUMNS)


@app.command()
def draw(ctx: typer.Context) -> None:
    """Draw closures of the last full weeks now, as the measuring process does; a week is drawn from once."""
    from watchword.cli.output import say

    with opened(ctx) as watchword:
        drawn = watchword.measures.reviews.draw(now())
    say(f"{drawn} drawn; whoever may measure reviews them on the page /metrics/re-review")
