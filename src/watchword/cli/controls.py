"""``watchword controls``: how controls stand, the evidence behind them, looking now, checks and words by people, OSCAL."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from watchword.cli.opening import actor, opened
from watchword.cli.options import Filters, Form, span
from watchword.cli.output import Format, plain, print_object, print_rows, say

if TYPE_CHECKING:
    from watchword.govern.control_evidence import ControlState

app = typer.Typer(no_args_is_help=True)
COLUMNS = ("control", "title", "domain", "state", "pass", "fail", "unknown", "things", "fresh", "newest", "exceptions")
LINES = ("asset", "result", "because", "first", "collected", "expires", "way", "uid")
Control = Annotated[str, typer.Argument(metavar="CONTROL", help="Id of a control, as pe-3.")]
Target = Annotated[str, typer.Option("--on", metavar="UID", help="A place, door, asset, person or incident; else the whole house.")]


def row_of(state: "ControlState") -> dict[str, Any]:
    """Return a control as a row."""
    shares = state.shares
    return {
        "control": state.control, "title": state.title, "domain": state.domain, "state": state.word, "pass": shares.passed,
        "fail": shares.failed, "unknown": shares.unknown, "things": shares.n, "fresh": state.fresh, "newest": state.newest,
        "exceptions": len(state.exemptions),
    }  # fmt: skip


@app.command("list")
def list_controls(ctx: typer.Context, form: Form = Format.TABLE, filters: Filters = None) -> None:
    """List controls with pass, fail and unknown, which sum to 1. Filters: control, domain, state."""
    from watchword.app.questions import read_filters

    chosen = read_filters(filters or [], ("control", "domain", "state"))
    with opened(ctx, only_look=True) as watchword:
        rows = [row_of(state) for state in watchword.governance.controls.results()]
    print_rows((row for row in rows if all(row[key] in values for key, values in chosen.items())), form, COLUMNS)


@app.command()
def show(ctx: typer.Context, control: Control, form: Form = Format.TABLE) -> None:
    """Show a control: when it passes (on stderr), then the evidence that counts on each thing."""
    with opened(ctx, only_look=True) as watchword:
        state = watchword.governance.controls.control(control)
    if form is Format.TABLE:
        say(f"{state.control} {state.title}: {state.passes}")
        say(f"  CSF 2.0 {', '.join(state.csf)}; ISO 27001 {', '.join(state.iso27001)} (overlaps)")
        for each in state.exemptions:
            say(f"  exception until {each.until:%Y-%m-%d} on {each.asset or 'all'}: {each.reason}")
    print_rows((plain(each) for each in state.evidence), form, LINES)


@app.command()
def evidence(ctx: typer.Context, uid: Annotated[str, typer.Argument(help="Uid of evidence of a control.")]) -> None:
    """Show one piece of evidence with everything that was read for it."""
    with opened(ctx, only_look=True) as watchword:
        kept = watchword.governance.controls
        print_object(plain(kept.evidence(uid)) | {"inputs": [{"kind": kind, "uid": each} for kind, each in kept.inputs(uid)]})


@app.command()
def test(ctx: typer.Context) -> None:
    """Run every control test now; say on stderr how many results changed."""
    from watchword.app.controlling import look

    with opened(ctx) as watchword:
        changed = look(watchword, watchword.clock.now())
        say(f"controls: {changed} results changed")


@app.command()
def check(
    ctx: typer.Context,
    kind: Annotated[str, typer.Argument(metavar="KIND", help="lock-test, walk-test, access-review, backup, …")],
    on: Target = "",
    failed: Annotated[bool, typer.Option("--failed", help="Not all was well.")] = False,
    note: Annotated[str, typer.Option("--note", metavar="TEXT", help="What was seen; of a skill: its name.")] = "",
    at: Annotated[str, typer.Option("--at", metavar="TIME", help="When it was made; else now.")] = "",
    by_tool: Annotated[bool, typer.Option("--by-tool", help="A tool made it, not a person: it counts as telemetry.")] = False,
) -> None:
    """Record a check that was made; it comes in at the front door and counts from the next look on."""
    from watchword.app.controlling import record_check
    from watchword.measure.compliance import Way

    moment, _ = span(at or None, None)
    way = Way.TELEMETRY if by_tool else Way.SAMPLED
    with opened(ctx) as watchword:
        uid = record_check(watchword, kind, on, by=actor(), note=note, passed=not failed, at=moment, way=way)
    print_object({"record": uid, "kind": kind, "target": on or "house"})


@app.command()
def attest(
    ctx: typer.Context,
    control: Control,
    statement: Annotated[str, typer.Argument(metavar="STATEMENT", help="What was seen, in a sentence.")],
    on: Target = "",
    result: Annotated[str, typer.Option("--result", metavar="RESULT", help="pass, fail or 'not applicable'.")] = "pass",
    lasts: Annotated[str, typer.Option("--lasts", metavar="DURATION", help="For how long it counts.")] = "30d",
    sampled: Annotated[bool, typer.Option("--sampled", help="Some were tried: it counts nine tenths instead of six.")] = False,
) -> None:
    """Give your word on a control; it counts where no machine tells, and is logged with your name."""
    from watchword.kit.duration import read_duration
    from watchword.kit.errors import InputError
    from watchword.measure.compliance import Result, Way

    if result not in set(Result):
        raise InputError("write pass, fail or 'not applicable'", "result")
    way = Way.SAMPLED if sampled else Way.ATTESTED
    with opened(ctx) as watchword:
        kept = watchword.governance.controls
        made = kept.attest(control, on, Result(result), statement, by=actor(), lasts=read_duration(lasts), way=way)
    print_object(plain(made))


@app.command()
def configure(ctx: typer.Context, file: Annotated[Path, typer.Argument(metavar="FILE", help="The control book, YAML.")]) -> None:
    """Keep the control book: roles by zone, vestibules, posts, racks, power supplies, tagged things, backups, required skills."""
    from watchword.resolve.service import read_text

    text = read_text(file)
    with opened(ctx) as watchword:
        version = watchword.governance.controls.configure(text, file.name, by=actor())
    print_object({"book": file.name, "version": version})


@app.command()
def export(
    ctx: typer.Context,
    plan: Annotated[bool, typer.Option("--plan", help="The assessment plan with its frequencies, instead of the results.")] = False,
) -> None:
    """Write OSCAL assessment results (JSON): one observation for each piece of evidence, with its freshness and quality."""
    from watchword.govern import oscal_export

    with opened(ctx, only_look=True) as watchword:
        kept, name, now = watchword.governance.controls, watchword.settings.name, watchword.clock.now()
        if plan:
            found = oscal_export.plan(list(kept.tests.values()), name, now)
        else:
            found = oscal_export.results(kept.results(now), kept.all_inputs(), name, now)
    print_object(found)
