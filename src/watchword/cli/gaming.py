"""``watchword gaming``: what the detectors of played measures ask the teams."""

from typing import Annotated

import typer

from watchword.cli.opening import actor, opened
from watchword.cli.options import Form, Limit, now
from watchword.cli.output import Format, plain, print_rows, say

app = typer.Typer(no_args_is_help=True)
COLUMNS = ("uid", "flag", "team", "metric", "opened_at", "ended_at", "because", "answer")


@app.command("list")
def list_prompts(ctx: typer.Context, form: Form = Format.TABLE, limit: Limit = 100) -> None:
    """List what the detectors ask, questions that stand first; nobody is named."""
    with opened(ctx, only_look=True) as watchword:
        rows = [plain(each) for each in watchword.measures.gaming.prompts(limit or 100)]
    print_rows(rows, form, COLUMNS)


@app.command()
def look(ctx: typer.Context) -> None:
    """Run the detectors now on the last full weeks, as the measuring process does daily."""
    with opened(ctx) as watchword:
        standing = watchword.measures.gaming.look(now())
    say(f"{standing} doubts stand")


@app.command()
def answer(
    ctx: typer.Context,
    uid: Annotated[str, typer.Argument(metavar="UID", help="The question.")],
    words: Annotated[str, typer.Argument(metavar="ANSWER", help="What the team found behind it.")],
) -> None:
    """Write down what the team found behind a question."""
    with opened(ctx) as watchword:
        watchword.measures.gaming.answer(uid, words, actor())
    say("written down")
