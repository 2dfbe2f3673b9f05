"""``watchword budget``: what to buy together, which tools could go, and what may be spent."""

from dataclasses import asdict, replace
from typing import Annotated

import typer

from watchword.cli.opening import actor, opened
from watchword.cli.options import Form
from watchword.cli.output import Format, print_object, print_rows, say

app = typer.Typer(no_args_is_help=True)
OPTIONS = ("uid", "title", "domain", "chosen", "robust", "alone", "added", "cost", "people_days")
TOOLS = ("uid", "title", "domain", "mean", "lo", "hi", "yearly", "below", "could_go")
Amount = Annotated[float | None, typer.Option(metavar="EUROS")]


@app.command("list")
def list_options(ctx: typer.Context, form: Form = Format.TABLE) -> None:
    """List the options with the best choice among them, and how often each is in the best choice of a draw. Euros a year; costs in all."""
    with opened(ctx, only_look=True) as watchword:
        book = watchword.governance.risks
        found = book.budgets.latest()
        kept = {each.thing.uid: each.thing for each in book.register.kept_safeguards()}
    rows = [
        asdict(each) | {"title": kept[each.uid].title, "domain": kept[each.uid].domain}
        for each in (found.options if found else ())
        if each.uid in kept
    ]
    print_rows(({name: row[name] for name in OPTIONS} for row in rows), form, OPTIONS)
    if found and found.fault:
        say(found.fault)
    if found and found.best:
        low, high = found.band
        say(
            f"The best choice avoids {found.best.reduction:,.0f} euros a year ({low:,.0f} to {high:,.0f}) for {found.best.cost:,.0f} in all"
        )


@app.command()
def tools(ctx: typer.Context, form: Form = Format.TABLE) -> None:
    """List what each tool in place adds to the others, smallest first, and whether it could go."""
    with opened(ctx, only_look=True) as watchword:
        book = watchword.governance.risks
        found = book.budgets.latest()
        kept = {each.thing.uid: each.thing for each in book.register.kept_safeguards()}
    rows = [
        {
            "uid": each.uid,
            "title": kept[each.uid].title,
            "domain": kept[each.uid].domain,
            "mean": round(each.mean),
            "lo": round(each.band[0]),
            "hi": round(each.band[1]),
            "yearly": each.yearly,
            "below": round(each.below, 3),
            "could_go": each.redundant,
        }
        for each in (found.contributions if found else ())
        if each.uid in kept
    ]
    print_rows(rows, form, TOOLS)


@app.command()
def plan(
    ctx: typer.Context,
    budget: Amount = None,
    people_days: Annotated[float | None, typer.Option(metavar="DAYS", help="At most; 0: no limit.")] = None,
    horizon: Annotated[float | None, typer.Option(metavar="YEARS")] = None,
    day_rate: Amount = None,
    floor_it: Amount = None,
    floor_physical: Amount = None,
    threshold: Amount = None,
) -> None:
    """Show what may be spent as JSON; with options, change it."""
    given = {
        "budget": budget,
        "people_days": people_days,
        "horizon": horizon,
        "day_rate": day_rate,
        "floor_it": floor_it,
        "floor_physical": floor_physical,
        "threshold": threshold,
    }
    changed = {name: value for name, value in given.items() if value is not None}
    with opened(ctx, only_look=not changed) as watchword:
        budgets = watchword.governance.risks.budgets
        if changed:
            budgets.set_plan(replace(budgets.plan(), **changed), by=actor())
        print_object(asdict(budgets.plan()))
