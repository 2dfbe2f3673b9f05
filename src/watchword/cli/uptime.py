"""``watchword uptime``: components and zones, objectives and budgets, shared causes, planned work, tests by hand, probes."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from watchword.cli.opening import actor, opened
from watchword.cli.options import Form, Limit, now
from watchword.cli.output import Format, plain, print_object, print_rows

if TYPE_CHECKING:
    from watchword.measure.uptime_view import House

app = typer.Typer(no_args_is_help=True)
COLUMNS = ("uid", "kind", "side", "now", "value", "highest", "coverage", "lost_minutes", "outages", "because")
ZONES = ("uid", "needs", "now", "value", "lo", "hi", "coverage", "lost_minutes", "outages")
SPANS = ("since", "until", "state", "because", "event")
Days = Annotated[float, typer.Option("--days", min=0.01, max=92, help="The window: so many days up to now.")]
Thing = Annotated[str, typer.Argument(metavar="UID", help="An asset (asset:cam-01), a door (site/doors/D-01) or a covered place.")]


def _row(house: "House", uid: str) -> dict[str, Any]:
    from datetime import timedelta

    from watchword.measure.uptime import outages

    spans, last = house.subject_spans(uid), house.now(uid)
    shares = house.shares(uid) if uid in house.components else house.zone_shares(uid)
    return {
        "uid": uid,
        "now": last.state.value if last else "unknown",
        "value": shares.value,
        "highest": shares.highest,
        "coverage": shares.coverage,
        "lost_minutes": round(shares.lost / timedelta(minutes=1), 1),
        "outages": len(outages(spans)),
        "because": last.because if last else "",
    }


@app.command("list")
def list_components(ctx: typer.Context, form: Form = Format.TABLE, days: Days = 30, limit: Limit = None) -> None:
    """List components of both sides, those that need somebody first; a share counts unknown time as down."""
    from watchword.measure.uptime_view import ranked

    with opened(ctx, only_look=True) as watchword:
        house = watchword.measures.uptime.lately(days)
        uids = ranked(house, [uid for uid, each in house.components.items() if each.conditions])[:limit]
        kinds = house.components
        rows = [_row(house, uid) | {"kind": kinds[uid].kind.value, "side": kinds[uid].domain.value} for uid in uids]
    print_rows(rows, form, COLUMNS)


@app.command()
def zones(ctx: typer.Context, form: Form = Format.TABLE, days: Days = 30) -> None:
    """List covered places, the least covered first, each with its 95 % interval."""
    from watchword.measure.uptime_interval import highest, lowest
    from watchword.measure.uptime_view import worst_first

    with opened(ctx, only_look=True) as watchword:
        house = watchword.measures.uptime.lately(days)
        rows = []
        for uid in worst_first(house):
            spans, shares, zone = house.zone_spans(uid), house.zone_shares(uid), house.zones[uid]
            ends = {"lo": lowest(spans, shares), "hi": highest(spans, shares)}
            rows.append(_row(house, uid) | ends | {"needs": f"{zone.cover.least} of {len(zone.members)}"})
    print_rows(rows, form, ZONES)


@app.command()
def show(ctx: typer.Context, uid: Thing, form: Form = Format.TABLE, days: Days = 30) -> None:
    """Show the outages of a component or zone, each with its reason and the event with which it began."""
    from watchword.kit.errors import NotFound
    from watchword.measure.uptime import outages

    with opened(ctx, only_look=True) as watchword:
        house = watchword.measures.uptime.lately(days)
        if uid not in house.components and uid not in house.zones:
            raise NotFound(f"{uid!r} is neither a component nor a covered place (watchword uptime list and zones show those that are)")
        rows = [plain(span) for span in outages(house.subject_spans(uid))]
    print_rows(rows, form, SPANS)


@app.command()
def causes(ctx: typer.Context, form: Form = Format.TABLE, days: Days = 30, limit: Limit = None) -> None:
    """List what took components down, the most component-time lost first; outages with one cause are one line."""
    from datetime import timedelta

    with opened(ctx, only_look=True) as watchword:
        house = watchword.measures.uptime.lately(days)
        rows = [
            {
                "root": each.root,
                "side": house.domain_of(each.root).value,
                "since": plain(each.since),
                "until": plain(each.until),
                "lost_minutes": round(each.lost / timedelta(minutes=1), 1),
                "components": len({one.component for one in each.outages}),
                "inferred": each.inferred,
            }
            for each in house.causes[:limit]
        ]
    print_rows(rows, form, ("root", "side", "since", "until", "lost_minutes", "components", "inferred"))


@app.command()
def budgets(ctx: typer.Context, form: Form = Format.TABLE) -> None:
    """List objectives with their error budgets, the most overdrawn first."""
    from datetime import timedelta

    minute = timedelta(minutes=1)
    with opened(ctx, only_look=True) as watchword:
        measures = watchword.measures
        services = measures.objectives.services(measures.uptime.lately(measures.objectives.longest() / timedelta(days=1)))
        rows = [
            {
                "subject": each.kept.objective.subject,
                "share": each.kept.objective.share,
                "days": each.kept.objective.window / timedelta(days=1),
                "allowed_minutes": round(each.budget.allowed / minute, 1),
                "left_minutes": round(each.budget.left / minute, 1),
                "unknown_minutes": round(each.budget.unknown / minute, 1),
                "burn": round(each.burn, 3),
                "alerts": ", ".join(alert.rule.kind.value for alert in each.alerts),
                "by": each.kept.by or "site file",
            }
            for each in services
        ]
    print_rows(rows, form, ("subject", "share", "days", "allowed_minutes", "left_minutes", "unknown_minutes", "burn", "alerts", "by"))


@app.command()
def promise(
    ctx: typer.Context,
    uid: Thing,
    share: Annotated[float, typer.Argument(help="Promised share of the time, as 0.995.")],
    days: Annotated[float, typer.Option("--days", min=1, max=92, help="Length of the rolling window.")] = 30,
) -> None:
    """Set an objective; it takes the place of one of the site file."""
    from datetime import timedelta

    with opened(ctx) as watchword:
        print_object(watchword.measures.objectives.put(uid, share, timedelta(days=days), by=actor()))


@app.command()
def unpromise(ctx: typer.Context, uid: Thing) -> None:
    """Take an objective back that somebody set; one of the site file counts again."""
    with opened(ctx) as watchword:
        watchword.measures.objectives.remove(uid, by=actor())


@app.command("test")
def record(
    ctx: typer.Context,
    uid: Thing,
    kind: Annotated[str, typer.Argument(help="What was tried: lock, walk, footage, or a fault that was found mended.")],
    passed: Annotated[bool, typer.Option("--passed/--failed", help="Whether it works.")] = True,
    note: Annotated[str, typer.Option("--note", help="What was seen.")] = "",
    at: Annotated[str, typer.Option("--at", metavar="TIME", help="When; else now.")] = "",
) -> None:
    """Record that somebody tried a function by hand."""
    from watchword.app.questions import read_moment

    with opened(ctx) as watchword:
        moment = read_moment(at, now()) if at else None
        print_object(watchword.measures.uptime.record_test(uid, kind, passed=passed, by=actor(), at=moment, note=note))


@app.command()
def plan(
    ctx: typer.Context,
    uid: Thing,
    since: Annotated[str, typer.Argument(metavar="SINCE", help="When it begins: 2026-03-01T08:00:00Z.")],
    until: Annotated[str, typer.Argument(metavar="UNTIL", help="When it ends.")],
    ticket: Annotated[str, typer.Argument(metavar="TICKET", help="What for.")],
) -> None:
    """Announce planned work; what is announced after it began excuses only what comes later."""
    from watchword.app.questions import read_moment

    with opened(ctx) as watchword:
        print_object(watchword.measures.uptime.plan(uid, read_moment(since, now()), read_moment(until, now()), ticket, by=actor()))


@app.command()
def follow(ctx: typer.Context) -> None:
    """Take new events into account and watch the budgets now, as the measuring process does each minute."""
    from watchword.app.uptime_house import follow_uptime

    with opened(ctx) as watchword:
        follow_uptime(watchword, watchword.clock.now())


@app.command()
def probe(
    ctx: typer.Context,
    names: Annotated[list[str] | None, typer.Argument(metavar="NAME…", help="Names of probes; none: all.")] = None,
    form: Form = Format.TABLE,
) -> None:
    """Try probes of the settings once and say what they find; nothing is kept. Exits 1 when one does not succeed."""
    from watchword.app.probing import probe_now

    with opened(ctx, only_look=True) as watchword:
        found = probe_now(watchword, names or ())
    rows = [
        {
            "probe": probe.name,
            "asset": probe.asset,
            "kind": probe.kind,
            "state": outcome.verdict.value if outcome else "refused",
            "took_ms": round(outcome.took.total_seconds() * 1000) if outcome else None,
            "said": outcome.said if outcome else refused,
        }
        for probe, outcome, refused in found
    ]
    print_rows(rows, form, ("probe", "asset", "kind", "state", "took_ms", "said"))
    if any(row["state"] != "up" for row in rows):
        raise typer.Exit(1)
