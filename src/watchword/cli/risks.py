"""``watchword risks``: the register with its figures, one risk, computing now, events, and the register as a file."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from watchword.cli.opening import actor, opened
from watchword.cli.options import Form, span
from watchword.cli.output import Format, plain, print_object, print_rows, say

if TYPE_CHECKING:
    from watchword.app.watchword import Watchword

app = typer.Typer(no_args_is_help=True)
COLUMNS = ("scenario", "title", "expected", "lo", "hi", "any_event", "over", "stand", "avoided", "events_to_judge")
EVENTS = ("uid", "scenario", "state", "at", "loss", "number", "title", "because", "by")
Scenario = Annotated[str, typer.Argument(metavar="SCENARIO", help="Name of a scenario, as stolen-laptop.")]
Loss = Annotated[float | None, typer.Option("--loss", metavar="EUROS", help="What it cost, if known.")]


def _rows(watchword: "Watchword") -> list[dict[str, Any]]:
    from watchword.govern.appetite import Appetite, stand_of
    from watchword.govern.risk_run_service import BARE, NOW
    from watchword.measure.loss_simulation import HOUSE, difference

    book = watchword.governance.risks
    run, appetite = book.runs.latest(), book.register.appetite()
    now, bare = (book.runs.results(run.uid, world) if run else {} for world in (NOW, BARE))
    waiting, rows = book.events.waiting(), []
    named = [(each.uid, each.title, Appetite(each.appetite, each.appetite_share)) for each in book.register.scenarios()]
    for uid, title, mine in [*named, *([(HOUSE, "the whole house", appetite)] if HOUSE in now else [])]:
        found = now.get(uid)
        row: dict[str, Any] = {"scenario": uid, "title": title, "events_to_judge": waiting.get(uid, 0)}
        if found is not None:
            picture = found.picture
            row |= {"expected": round(picture.mean), "lo": round(picture.mean_band[0]), "hi": round(picture.mean_band[1])}
            row |= {"any_event": round(picture.any_event, 4), "over": round(picture.over, 4) if mine.said else None}
            row |= {"stand": stand_of(mine, picture.over, picture.over_band).value}
            row |= {"avoided": round(difference(bare[uid].picture, picture)[0]) if uid in bare else None}
        rows.append({name: row.get(name) for name in COLUMNS})
    return sorted(rows, key=lambda row: (row["scenario"] == HOUSE, -(row["expected"] or 0)))


@app.command("list")
def list_risks(ctx: typer.Context, form: Form = Format.TABLE) -> None:
    """List risks, the dearest first, with 90 % bands; the last row is the whole house. What was not computed is empty."""
    with opened(ctx, only_look=True) as watchword:
        rows = _rows(watchword)
    print_rows(rows, form, COLUMNS)


@app.command()
def show(ctx: typer.Context, scenario: Scenario) -> None:
    """Show a risk as JSON: the scenario, what was computed of it last with its curve, its treatments."""
    from watchword.govern.register_file import as_plain

    with opened(ctx, only_look=True) as watchword:
        book = watchword.governance.risks
        kept, run = book.register.scenario(scenario), book.runs.latest()
        result = book.runs.result(run.uid, "now", scenario) if run else None
        picture = {key: value for key, value in plain(result.picture).items() if key != "draws"} if result else None
        found = {
            "scenario": as_plain(kept.thing),
            "version": kept.version,
            "figures": picture,
            "assumed": list(result.assumed) if result else [],
        }
        print_object(found | {"treatments": [plain(each) for each in book.treatments.listed(scenario)]})


@app.command()
def compute(ctx: typer.Context) -> None:
    """Compute risks and the budget now, in this process, and say what it took."""
    with opened(ctx) as watchword:
        book, now = watchword.governance.risks, watchword.clock.now()
        uid = book.runs.ask(by=actor())
        book.settle(now)
        run = book.runs.run(uid)
        if run.state == "failed":
            say(f"It failed: {run.fault}")
            raise typer.Exit(1)
        say(f"{run.outer} draws of {run.inner} years each in {run.took_ms / 1000:.1f} s; inputs {run.inputs[:12]}, seed {run.seed}")


@app.command()
def load(
    ctx: typer.Context,
    file: Annotated[Path | None, typer.Argument(metavar="FILE", help="A register as YAML; without one, the starter register.")] = None,
) -> None:
    """Keep all scenarios and safeguards of a file; those that it does not name stay."""
    from watchword.govern.register_file import read_register, shipped_register

    found = shipped_register() if file is None else read_register(file.read_text("utf-8"), str(file))
    with opened(ctx) as watchword:
        scenarios, safeguards = watchword.governance.risks.register.load(found, by=actor())
    say(f"{scenarios} scenarios and {safeguards} safeguards are new or changed")


@app.command()
def export(ctx: typer.Context) -> None:
    """Print the register as YAML, as `load` reads it."""
    import yaml

    from watchword.govern.register_file import as_plain

    with opened(ctx, only_look=True) as watchword:
        register = watchword.governance.risks.register
        found = {
            "scenarios": [as_plain(each) for each in register.scenarios(retired=True)],
            "safeguards": [as_plain(each) for each in register.safeguards(dropped=True)],
        }
    print(yaml.safe_dump(found, sort_keys=False, allow_unicode=True), end="")


@app.command()
def events(
    ctx: typer.Context,
    scenario: Annotated[str, typer.Option("--scenario", metavar="NAME", help="Of this scenario only.")] = "",
    state: Annotated[str, typer.Option("--state", metavar="STATE", help="suggested, confirmed or rejected.")] = "",
    form: Form = Format.TABLE,
) -> None:
    """List events of risks, and incidents that may be one, newest first."""
    with opened(ctx, only_look=True) as watchword:
        found = watchword.governance.risks.events.listed(scenario, state)
    print_rows(({name: plain(each)[name] for name in EVENTS} for each in found), form, EVENTS)


@app.command()
def judge(
    ctx: typer.Context,
    uid: Annotated[str, typer.Argument(metavar="EVENT", help="Uid of a suggested event.")],
    no: Annotated[bool, typer.Option("--no", help="It was none.")] = False,
    loss: Loss = None,
    because: Annotated[str, typer.Option("--because", metavar="TEXT", help="Why.")] = "",
) -> None:
    """Say that a suggested incident was an event of its scenario, or that it was none."""
    with opened(ctx) as watchword:
        found = watchword.governance.risks.events.judge(uid, is_one=not no, loss=loss, because=because, by=actor())
    say(f"{found.scenario}: {found.state}")


@app.command()
def tell(
    ctx: typer.Context,
    scenario: Scenario,
    because: Annotated[str, typer.Option("--because", metavar="TEXT", help="What happened.")],
    at: Annotated[str, typer.Option("--at", metavar="TIME", help="When it happened; else now.")] = "",
    loss: Loss = None,
) -> None:
    """Tell of an event that no incident speaks of."""
    moment, _ = span(at or None, None)
    with opened(ctx) as watchword:
        found = watchword.governance.risks.events.tell(scenario, moment or watchword.clock.now(), loss=loss, because=because, by=actor())
    say(f"{found.scenario}: {found.uid}")
