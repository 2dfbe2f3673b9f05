"""``watchword after-actions``: reviews, their actions with done and worked, and judging effects now."""

from typing import Annotated, Any

import typer

from watchword.cli.opening import actor, opened
from watchword.cli.options import Form
from watchword.cli.output import Format, plain, print_object, print_rows, say

app = typer.Typer(no_args_is_help=True)
COLUMNS = ("held", "of", "facilitator", "actions", "done", "worked", "uid")
ACTIONS = ("due", "text", "owner", "team", "done", "effect", "carried", "recurrences", "uid")
Uid = Annotated[str, typer.Argument(help="Uid of a review.")]


@app.command("list")
def list_reviews(ctx: typer.Context, form: Form = Format.TABLE) -> None:
    """List reviews, the newest first."""
    from watchword.learn.after_action import worked

    with opened(ctx, only_look=True) as watchword:
        reviews = watchword.governance.retrospectives.list()
    rows = [
        {
            "held": each.review.held, "of": each.review.of, "facilitator": each.review.facilitator, "actions": len(each.review.actions),
            "done": sum(one.done is not None for one in each.review.actions),
            "worked": sum(worked(one) is True for one in each.review.actions), "uid": each.review.uid,
        }
        for each in reviews
    ]  # fmt: skip
    print_rows(rows, form, COLUMNS)


@app.command()
def show(ctx: typer.Context, uid: Uid) -> None:
    """Show a review, as JSON."""
    with opened(ctx, only_look=True) as watchword:
        print_object(plain(watchword.governance.retrospectives.get(uid)))


@app.command()
def actions(
    ctx: typer.Context,
    form: Form = Format.TABLE,
    only_open: Annotated[bool, typer.Option("--open", help="Those that open the next review.")] = False,
) -> None:
    """List corrective actions: done, and whether they worked."""
    with opened(ctx, only_look=True) as watchword:
        found = watchword.governance.retrospectives.actions(only_open=only_open)
    rows: list[dict[str, Any]] = [{**plain(each.action), "recurrences": each.recurrences} for each in found]
    print_rows(rows, form, ACTIONS)


@app.command()
def done(
    ctx: typer.Context,
    uid: Annotated[str, typer.Argument(help="Uid of an action.")],
    note: Annotated[str, typer.Argument(help="What was done.")],
) -> None:
    """Say that an action is done; whether it worked is told by measuring."""
    with opened(ctx) as watchword:
        watchword.governance.retrospectives.done(uid, note, by=actor())


@app.command()
def judge(ctx: typer.Context) -> None:
    """Judge now what came of decisions and actions; print what is known of each decision."""
    from watchword.app.effects import judge_effects

    with opened(ctx) as watchword:
        judge_effects(watchword, watchword.clock.now())
        effects = watchword.governance.retrospectives.effects()
        numbers = {each.uid: each.number for each in watchword.governance.decisions.list()}
    for uid, each in sorted(effects.items(), key=lambda pair: numbers.get(pair[0], 0)):
        say(f"decision {numbers.get(uid, '?')}: {each.verdict.effect.value}. {each.verdict.because}")
