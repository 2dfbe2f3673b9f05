"""``watchword metrics``: measures with interval and grade, series with limits, computing, backfill, targets and exports."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from watchword.cli.opening import actor, opened
from watchword.cli.options import Form, Since, span
from watchword.cli.output import Format, plain, print_object, print_rows, say
from watchword.cli.reports import report, share

if TYPE_CHECKING:
    from watchword.measure.compute_service import Outcome

app = typer.Typer(no_args_is_help=True)
app.command()(report)
app.add_typer(share, name="share", help="Links by which others read the dashboard: no log-in, no names, until they expire.")
COLUMNS = ("name", "subject", "value", "lo", "hi", "unit", "n", "coverage", "grade", "target", "because")
POINTS = ("since", "until", "value", "lo", "hi", "n", "coverage", "grade", "signal")
Name = Annotated[str, typer.Argument(metavar="NAME", help="Name of a measure, as risk_hours.")]
Names = Annotated[list[str] | None, typer.Argument(metavar="NAME…", help="Names of measures; none: all.")]
Subject = Annotated[str, typer.Option("--subject", metavar="SUBJECT", help="it, physical, joint, sev1 to sev4, or a uid; else the house.")]


@app.command("list")
def list_metrics(
    ctx: typer.Context,
    form: Form = Format.TABLE,
    every: Annotated[bool, typer.Option("--all", help="Every subject, and measures that have no value yet.")] = False,
) -> None:
    """List measures with their present value, interval, observations, coverage and grade; D is not credible, and says why."""
    from watchword.app.metric_export import present_rows

    with opened(ctx, only_look=True) as watchword:
        metrics = watchword.measures.metrics
        rows = present_rows(metrics, watchword.clock.now())
        if every:
            there = {row["name"] for row in rows}
            rows += [_missing(definition) for definition in metrics.definitions() if definition.name not in there]
        else:
            rows = [row for row in rows if not row["subject"]]
    print_rows(rows, form, COLUMNS)


def _missing(definition: Any) -> dict[str, Any]:
    return {"name": definition.name, "title": definition.title, "unit": definition.unit, "grade": "D", "because": "Not computed yet."}


@app.command()
def show(ctx: typer.Context, name: Name, form: Form = Format.TABLE, subject: Subject = "", since: Since = None) -> None:
    """Show a measure: what it says, its weaknesses, and its closed periods with limits and signals."""
    first, _ = span(since, None)
    with opened(ctx, only_look=True) as watchword:
        metrics = watchword.measures.metrics
        definition = metrics.definition(name)
        points = metrics.series(name, subject, first)
        valued = [point for point in points if point.value is not None]
        chart = metrics.chart_of(name, valued)
        code, subjects = metrics.code_hash(name), metrics.subjects(name)
    signals = {valued[each.index].uid: each.says for each in (chart.signals if chart else ())}
    if form is Format.TABLE:
        say(f"{definition.title} ({definition.unit}, better {definition.better.value}): {definition.because}")
        for weakness in definition.weaknesses:
            say(f"  {weakness}")
        say(f"  formula {definition.formula} ({code or 'not in this house'}), counter-metric {definition.counter or 'none'}")
        say(f"  subjects: {', '.join(each or 'the house' for each in subjects) or 'none yet'}")
        if chart is not None:
            say(f"  mean {chart.mean:.4g}, limits {chart.lower:.4g} to {chart.upper:.4g}{' (provisional)' if chart.provisional else ''}")
    print_rows(({**plain(point), **plain(point.window), "signal": signals.get(point.uid, "")} for point in points), form, POINTS)


@app.command()
def inputs(ctx: typer.Context, uid: Annotated[str, typer.Argument(help="Uid of a value.")], form: Form = Format.TABLE) -> None:
    """List what a value rests on: kind and uid of everything that was read for it."""
    with opened(ctx, only_look=True) as watchword:
        rows = [{"kind": kind, "uid": each} for kind, each in watchword.measures.metrics.inputs(uid)]
    print_rows(rows, form, ("kind", "uid"))


@app.command()
def compute(ctx: typer.Context, names: Names = None) -> None:
    """Compute the present value of measures now; prints what was done as one JSON object and exits 1 when a part failed."""
    with opened(ctx) as watchword:
        outcome = watchword.measures.computing.present(watchword.clock.now(), names or ())
    _done(outcome)


@app.command()
def backfill(
    ctx: typer.Context,
    names: Names = None,
    since: Since = None,
    anew: Annotated[bool, typer.Option("--anew", help="Compute periods that are there too.")] = False,
) -> None:
    """Compute every closed period that is missing, from the first data on, 400 days at most."""
    first, _ = span(since, None)
    with opened(ctx) as watchword:
        outcome = watchword.measures.computing.backfill(watchword.clock.now(), first, names or (), anew=anew)
    _done(outcome)


def _done(outcome: "Outcome") -> None:
    print_object(outcome)
    if outcome.faults:
        raise typer.Exit(1)


@app.command()
def target(
    ctx: typer.Context,
    name: Name,
    value: Annotated[float, typer.Argument(help="What it is to reach, in the measure's unit.")],
    owner_it: Annotated[str, typer.Option("--owner-it", help="Who answers for it on the IT side.")] = "",
    owner_physical: Annotated[str, typer.Option("--owner-physical", help="Who answers for it on the physical side.")] = "",
) -> None:
    """Set a target; owners are those of the definition unless they are given. A measure without a counter-metric gets none."""
    from watchword.kit.clock import to_millisecond
    from watchword.model.metric import Target

    with opened(ctx) as watchword:
        metrics = watchword.measures.metrics
        definition = metrics.definition(name)
        owners = (owner_it or definition.owner_it, owner_physical or definition.owner_physical)
        metrics.set_target(name, Target(value, *owners, to_millisecond(watchword.clock.now())), actor())


@app.command()
def export(
    ctx: typer.Context,
    names: Names = None,
    form: Annotated[Format, typer.Option("--format", "-f", help="ndjson or csv.")] = Format.NDJSON,
    series: Annotated[bool, typer.Option("--series", help="All closed periods; else the present values.")] = False,
    since: Since = None,
) -> None:
    """Write values as NDJSON or CSV, one row each, with interval, observations, coverage, grade, owners and the hash of the inputs."""
    import sys

    from watchword.app.metric_export import as_csv, as_ndjson, present_rows, series_rows

    first, _ = span(since, None)
    with opened(ctx, only_look=True) as watchword:
        metrics = watchword.measures.metrics
        wanted = {metrics.definition(name).name for name in names or ()}
        rows = series_rows(metrics, sorted(wanted), first) if series else present_rows(metrics, watchword.clock.now())
    rows = [row for row in rows if not wanted or row["name"] in wanted]
    sys.stdout.writelines(as_csv(rows) if form is Format.CSV else as_ndjson(rows))


@app.command()
def weights(ctx: typer.Context) -> None:
    """Check the weights of risk-hours against the house's own handling times: picking the easy item must never pay."""
    from datetime import timedelta

    from watchword.measure.response_times import WEIGHTS, handling_times, weight_rule
    from watchword.model.metric import Window

    with opened(ctx, only_look=True) as watchword:
        now = watchword.clock.now()
        cases = watchword.measures.incidents.at(now).cases
    handling = handling_times(cases, Window(now - timedelta(days=90), now))
    found = weight_rule(WEIGHTS, handling)
    print_object({"weights": WEIGHTS, "handling_hours": handling, "per_hour": found.per_hour, "holds": found.holds, "says": found.says})
    if not found.holds:
        raise typer.Exit(1)
