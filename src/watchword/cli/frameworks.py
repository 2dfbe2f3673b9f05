"""``watchword frameworks``: catalogues, baselines and maps that somebody imports, and how far the tests reach."""

from pathlib import Path
from typing import Annotated, Any

import typer

from watchword.cli.opening import actor, opened
from watchword.cli.options import Form
from watchword.cli.output import Format, plain, print_object, print_rows
from watchword.kit.errors import InputError

app = typer.Typer(no_args_is_help=True)
COLUMNS = ("name", "title", "version", "controls", "withdrawn", "imported_at", "imported_by")
Framework = Annotated[str, typer.Argument(metavar="FRAMEWORK", help="sp800-53, csf-2.0, iso27001-2022 or another that was imported.")]


@app.command("list")
def list_frameworks(ctx: typer.Context, form: Form = Format.TABLE) -> None:
    """List frameworks: imported ones, and those of which ids with our own titles are shipped."""
    with opened(ctx, only_look=True) as watchword:
        print_rows((plain(each) for each in watchword.governance.frameworks.all()), form, COLUMNS)


@app.command("import")
def import_file(
    ctx: typer.Context, files: Annotated[list[Path], typer.Argument(metavar="FILE…", help="OSCAL, flat list, or CSV.")]
) -> None:
    """Import OSCAL catalogues (JSON, XML, gzipped or not), profiles, resolved baselines, CSF's flat list, and maps as CSV."""
    with opened(ctx) as watchword:
        for path in files:
            try:
                raw = path.read_bytes()
            except OSError as error:
                raise InputError(f"{path}: {error.strerror or error}") from error
            found = watchword.governance.frameworks.take(raw, path.name, by=actor())
            print_object({"file": path.name, **_counts(found)})


def _counts(found: Any) -> dict[str, Any]:
    """Return what a file held, in numbers."""
    from watchword.govern.framework import Catalogue, Selection

    if isinstance(found, Catalogue):
        kinds = sorted({each.kind for each in found.controls})
        active = {kind: found.count(kind) for kind in kinds}
        withdrawn = sum(each.withdrawn for each in found.controls)
        return {"framework": found.name, "version": found.version, "active": active, "withdrawn": withdrawn}
    if isinstance(found, Selection):
        return {"baseline": found.name, "framework": found.framework, "version": found.version, "controls": len(found.ids)}
    return {"source": found.source, "target": found.target, "rows": len(found.rows)}


@app.command()
def show(ctx: typer.Context, framework: Framework, form: Form = Format.TABLE) -> None:
    """List a framework's controls and how far our tests reach each: whole, partial or none."""
    with opened(ctx, only_look=True) as watchword:
        kept = watchword.governance.frameworks
        titles = kept.titles(framework)
        rows = [
            {"id": each.id, "title": titles.get(each.id, ""), "reach": each.reach.value, "by": ", ".join(each.by)}
            for each in kept.reached(framework)
        ]
    print_rows(rows, form, ("id", "title", "reach", "by"))


@app.command("map")
def show_map(
    ctx: typer.Context,
    source: Framework,
    target: Annotated[str, typer.Argument(metavar="TARGET", help="The other.")],
    form: Form = Format.TABLE,
) -> None:
    """List the crosswalk between two frameworks; ``intersect`` is partial overlap, never coverage."""
    with opened(ctx, only_look=True) as watchword:
        rows = watchword.governance.frameworks.maps(source, target)
    print_rows((plain(row) for row in rows), form, ("source", "target", "relation"))
