"""``watchword playbooks``: what the house does in an incident, written down; checked, exchanged, signed and drilled."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from watchword.cli.opening import actor, opened
from watchword.cli.options import DryRun, Filters, Form, Limit, Since, Until, span
from watchword.cli.output import Format, plain, print_object, print_rows, say
from watchword.kit.errors import InputError

if TYPE_CHECKING:
    from watchword.app.drilling import Drilled
    from watchword.respond.library_service import Library
    from watchword.respond.library_view import KeptPlaybook
    from watchword.respond.plan import Plan, PlanStep

app = typer.Typer(no_args_is_help=True)
COLUMNS = ("name", "id", "modified", "errors", "warnings", "signed", "review_due", "shipped")
STEPS = ("step", "type", "team", "responsible", "action", "approvals", "times")
FAULTS = ("path", "line", "severity", "code", "text")
VERDICTS = ("signee", "algorithm", "mathematics", "window", "trust", "because")
BRANCHES = ("branch", "run", "ends", "steps", "actions", "approvals", "refusals")
LISTS = ("steps", "actions", "approvals", "refusals")
LARGEST = 5_000_000
"""Bytes of a playbook's file; the linter takes no more."""
Name = Annotated[str, typer.Argument(help="Its name (stolen-laptop), or its id.")]
Version = Annotated[str, typer.Option("--version", metavar="MODIFIED", help="Another version than the newest, by its time.")]
Files = Annotated[list[Path], typer.Argument(help="Files of CACAO JSON.", metavar="FILE...")]


@contextmanager
def library_of(ctx: typer.Context, *, only_look: bool = True) -> "Iterator[Library]":
    """Open the library with the shipped playbooks in it."""
    with opened(ctx, only_look=only_look) as watchword:
        watchword.response.library.install_shipped()
        yield watchword.response.library


@app.command("list")
def list_playbooks(
    ctx: typer.Context,
    form: Form = Format.TABLE,
    since: Since = None,
    until: Until = None,
    filters: Filters = None,
    limit: Limit = None,
) -> None:
    """List the newest version of every playbook. Filters: name, team, rule (that it answers), shipped (yes or no).

    With --since or --until: only those whose newest version came in that time.
    """
    from watchword.app.questions import read_filters

    chosen = read_filters(filters or [], ("name", "team", "rule", "shipped"))
    first, last = span(since, until)
    with library_of(ctx) as library:
        kept = [library.get(one.id) for one in library.list()]
    rows = [_row(one) for one in kept if (not first or one.at >= first) and (not last or one.at < last)]
    print_rows([row for row in rows if _wanted(row, chosen)][:limit], form, COLUMNS)


def _wanted(row: dict[str, Any], chosen: dict[str, list[str]]) -> bool:
    from watchword.respond.library_view import slug_of

    held = {
        "name": {row["name"], slug_of(row["name"])},
        "team": set(row["teams"]),
        "rule": set(row["rules"]),
        "shipped": {"yes" if row["shipped"] else "no"},
    }
    return all(held[key] & set(values) for key, values in chosen.items())


def _row(kept: "KeptPlaybook") -> dict[str, Any]:
    from watchword.respond.extensions import ExtensionFault, PlaybookExtension, playbook_extension

    try:
        said = playbook_extension(kept.playbook)
    except ExtensionFault:
        said = PlaybookExtension()
    return {
        "name": kept.name,
        "id": kept.id,
        "modified": kept.modified,
        "errors": len(kept.errors),
        "warnings": len(kept.faults) - len(kept.errors),
        "signed": "no" if not kept.signatures else "good" if any(one.good for one in kept.signatures) else "not good",
        "review_due": kept.review_due.isoformat(),
        "shipped": kept.shipped,
        "teams": list(said.teams),
        "rules": [] if said.triggers is None else list(said.triggers.rules),
        "start": "" if said.triggers is None else said.triggers.start,
        "by": kept.by,
        "at": plain(kept.at),
        "sha256": kept.sha256,
    }


@app.command()
def show(ctx: typer.Context, name: Name, version: Version = "", form: Form = Format.TABLE) -> None:
    """Show a playbook's steps as they follow each other: who does what, who agrees, within which time. ``export`` prints it whole."""
    with library_of(ctx) as library:
        kept = _found(library, name, version)
    print_rows(_steps(kept, form), form, STEPS)


def _found(library: "Library", name: str, version: str = "") -> "KeptPlaybook":
    kept = library.find(name)
    return library.get(kept.id, version) if version else kept


def _steps(kept: "KeptPlaybook", form: Format) -> Iterator[dict[str, Any]]:
    from watchword.kit.duration import say_duration
    from watchword.respond.approval import say_rule
    from watchword.respond.plan_making import plan_of

    key = f"{kept.id}@{kept.modified}"
    if kept.errors:
        raise InputError(f"{kept.name!r} has {len(kept.errors)} errors, the first: {kept.errors[0]}; watchword playbooks lint lists them")
    plan = plan_of(kept.playbook, key, [key], {kept.id: key})
    for step, depth in _walked(plan):
        machine = step.machine
        yield {
            "step": "  " * depth + (step.name or step.type.value) if form is Format.TABLE else step.name,
            "type": step.type.value,
            "team": step.team,
            "responsible": step.responsible,
            "action": "" if machine is None else machine.verb,
            "approvals": "" if step.approval is None or not step.approval.needed else say_rule(step.approval),
            "times": [f"{one.clock} {say_duration(one.within)}" for one in step.slas],
            "id": step.id,
            "depth": depth,
            "condition": step.condition_text,
            "words": step.words,
            "reverts_after": "" if machine is None or machine.revert_after is None else say_duration(machine.revert_after),
            "evidence": step.evidence,
        }


def _walked(plan: "Plan") -> "Iterator[tuple[PlanStep, int]]":
    """Yield the steps as they follow each other, branches before what comes after them, each once with how deep it lies."""
    from watchword.respond.start_check import inner_starts

    todo, seen = [(plan.exception, 0), (plan.start, 0)], {""}
    while todo:
        name, depth = todo.pop()
        if name in seen:
            continue
        seen.add(name)
        step = plan.steps[name]
        yield step, depth
        todo += [(one, depth) for one in (step.after_success, step.after_failure)]
        todo += [(one, depth + 1) for one in reversed(inner_starts(step))]


@app.command()
def lint(
    ctx: typer.Context,
    files: Annotated[list[Path] | None, typer.Argument(help="Files of CACAO JSON; without any, the newest versions here.")] = None,
    form: Form = Format.TABLE,
) -> None:
    """Check playbooks against the schema and the linter: every fault with path, line and code; exit status 1 if there is any."""
    from watchword.respond.lint import validate

    texts = [(str(file), _read(file)) for file in files or ()]
    if not files:
        with library_of(ctx) as library:
            texts = [(one.name, library.get(one.id).text.encode()) for one in library.list()]
    faults = [plain(fault) for name, text in texts for fault in validate(text, name)]
    if faults or form is not Format.TABLE:
        print_rows(faults, form, FAULTS)
    errors = sum(fault["severity"] == "error" for fault in faults)
    say(f"{len(texts)} playbooks: {errors} errors, {len(faults) - errors} warnings")
    raise typer.Exit(1 if faults else 0)


def _read(file: Path) -> bytes:
    try:
        if file.stat().st_size > LARGEST:
            raise InputError(f"{file}: has more than {LARGEST:,} bytes, which no playbook needs")
        return file.read_bytes()
    except OSError as error:
        raise InputError(f"{file}: cannot be read: {error.strerror}") from error


@app.command("import")
def import_playbooks(ctx: typer.Context, files: Files, dry_run: DryRun = False) -> None:
    """Keep playbooks from files, each as the version that it says it is; secrets in clear are cut out. Exit status 1 if one has errors.

    One with errors is kept, so that it can be mended, and does not start.
    """
    from watchword.respond.lint import validate

    errors = 0
    with library_of(ctx, only_look=dry_run) as library:
        for file in files:
            text = _read(file)
            if dry_run:
                faults = [fault for fault in validate(text, str(file)) if fault.severity == "error"]
                print_object({"file": str(file), "errors": len(faults)})
            else:
                kept = library.put(text, actor())
                faults = list(kept.errors)
                print_object(
                    {
                        "file": str(file),
                        "name": kept.name,
                        "id": kept.id,
                        "modified": kept.modified,
                        "errors": len(faults),
                        "cut": list(kept.cut),
                    }
                )
            for fault in faults:
                say(str(fault))
            errors += len(faults)
    raise typer.Exit(1 if errors else 0)


@app.command()
def export(
    ctx: typer.Context,
    name: Name,
    version: Version = "",
    to: Annotated[
        Path | None, typer.Option("--to", metavar="FILE", help="Write it there; a file that is there already is left alone.")
    ] = None,
) -> None:
    """Print a playbook as CACAO JSON, as it was kept: signatures and the extensions of others included."""
    with library_of(ctx) as library:
        text = _found(library, name, version).text
    if to is None:
        sys.stdout.write(text)
        return
    try:
        with to.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except FileExistsError as error:
        raise InputError(f"{to} is there already; name another file") from error
    except OSError as error:
        raise InputError(f"{to}: cannot be written: {error.strerror}") from error
    print_object({"file": str(to), "bytes": len(text.encode())})


@app.command()
def sign(ctx: typer.Context, name: Name, version: Version = "") -> None:
    """Put this site's signature on a playbook without errors; its version stays what it is."""
    with library_of(ctx, only_look=False) as library:
        kept = _found(library, name, version)
        signed = library.sign(kept.id, actor(), modified=kept.modified)
    print_object({"name": signed.name, "id": signed.id, "modified": signed.modified, "signatures": [str(one) for one in signed.signatures]})


@app.command()
def verify(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="Name or id of a playbook here, or a file.")],
    version: Version = "",
    form: Form = Format.TABLE,
) -> None:
    """Judge a playbook's signatures: mathematics, time and revocation, trust in the key.

    Exit status 1 unless there is one and all are good.
    """
    file = Path(name)
    with library_of(ctx) as library:
        found = library.judge(_read(file)) if file.is_file() else _found(library, name, version).signatures
    print_rows([plain(one) for one in found], form, VERDICTS)
    raise typer.Exit(0 if found and all(one.good for one in found) else 1)


@app.command()
def drill(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="Name or id of a playbook here, or a file.")] = "",
    every: Annotated[bool, typer.Option("--all", help="Drill every playbook here.")] = False,
    values: Annotated[
        list[str] | None,
        typer.Option("--value", metavar="NAME=VALUE", help="What a variable holds where any text would do; again for more."),
    ] = None,
    form: Form = Format.TABLE,
) -> None:
    """Run a playbook on simulated devices again and again, until its every branch was taken; nothing real is touched.

    One row per branch: the run that takes it first, how that run ends, its steps, actions, approvals and refusals. Exit status 1 if a
    branch is never taken, or a run goes another way than it should.
    """
    from watchword.app.drilling import drill_texts

    if bool(name) == every:
        raise InputError("name one playbook, or say --all")
    given = _values(values or [])
    with library_of(ctx) as library:
        wanted = [_texts(library, one) for one in ([each.id for each in library.list()] if every else [name])]
    bad = 0
    for texts in wanted:
        done = drill_texts(texts, given)
        print_rows(_branches(done, form), form, BRANCHES)
        bad += _say(done)
    raise typer.Exit(1 if bad else 0)


def _values(said: list[str]) -> dict[str, str]:
    found = {}
    for one in said:
        name, equals, value = one.partition("=")
        if not equals:
            raise InputError(f"--value {one}: write NAME=VALUE")
        found[f"__{name.strip('_')}__"] = value
    return found


def _texts(library: "Library", name: str) -> list[str | bytes]:
    """Return a playbook's text and those of all that it runs."""
    from watchword.respond.cacao import decode
    from watchword.respond.plan_making import calls_of

    file = Path(name)
    texts: list[str | bytes] = [_read(file)] if file.is_file() else [library.find(name).text]
    todo, seen = [decode(texts[0])], set[tuple[str, str]]()
    while todo:
        for _, called, version in calls_of(todo.pop()):
            if (called, version) not in seen:
                seen.add((called, version))
                kept = library.get(called, version)
                texts.append(kept.text)
                todo.append(kept.playbook)
    return texts


def _branches(done: "Drilled", form: Format) -> Iterator[dict[str, Any]]:
    """Yield one row per branch; a table counts what the other forms list."""
    for played in done.played:
        held = {key: list(getattr(played, key)) for key in LISTS}
        said: dict[str, Any] = {key: len(value) for key, value in held.items()} if form is Format.TABLE else held
        for way in played.ways:
            yield {"playbook": done.name, "branch": done.words(way), "run": played.number, "ends": played.status, **said}
    for way in done.found.missed:
        nothing: dict[str, Any] = {key: 0 if form is Format.TABLE else [] for key in LISTS}
        yield {"playbook": done.name, "branch": done.words(way), "run": 0, "ends": "never taken", **nothing}


def _say(done: "Drilled") -> int:
    """Say what is wrong, then how many branches were taken in how many runs; return 1 when anything is wrong."""
    for played in done.played:
        for fault in played.faults:
            say(f"{done.name}: run {played.number}: {fault}")
    for way in done.found.missed:
        say(f"{done.name}: never taken: {done.words(way)}")
    taken = len(done.found.wanted) - len(done.found.missed)
    say(f"{done.name}: {taken} of {len(done.found.wanted)} branches taken in {len(done.played)} runs")
    return 0 if done.good else 1
