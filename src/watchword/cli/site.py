"""``watchword site``: places, doors, readers, cameras, assets."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from watchword.cli.opening import actor, opened
from watchword.cli.options import DryRun, Filters, Form, Limit
from watchword.cli.output import Format, plain, print_object, print_rows, say
from watchword.kit.errors import ContentError

if TYPE_CHECKING:
    from watchword.app.watchword import Watchword
    from watchword.resolve.directory import Directory

app = typer.Typer(no_args_is_help=True)
COLUMNS = ("kind", "uid", "name", "detail")
SiteFile = Annotated[Path, typer.Argument(help="The site file.", metavar="FILE")]


@app.command()
def check(ctx: typer.Context, file: SiteFile) -> None:
    """Check a site file: all faults at once, as path:line; exit status 1 if there is any. Nothing is kept."""
    with opened(ctx, only_look=True) as watchword:
        check_file(watchword, file)


@app.command()
def load(ctx: typer.Context, file: SiteFile, dry_run: DryRun = False) -> None:
    """Load a site file, replacing the one of the same name."""
    with opened(ctx, only_look=dry_run) as watchword:
        if dry_run:
            check_file(watchword, file)
        else:
            load_file(watchword, file, "site")


@contextmanager
def named(file: Path) -> Iterator[None]:
    """Let faults name the file as it was typed, so that an editor finds it."""
    try:
        yield
    except ContentError as error:
        raise ContentError([replace(each, path=str(file)) if each.path == file.name else each for each in error.faults]) from error


def check_file(watchword: "Watchword", file: Path, kind: str = "site") -> None:
    """Check a site or people file and print what is doubtful; raises `ContentError` with all faults."""
    from watchword.resolve.service import geometry_beside, read_text

    text = read_text(file)
    with named(file):
        notes = watchword.registry.check(text, str(file), kind, geometry_beside(file, text) if kind == "site" else None)
    for note in notes:
        say(f"note: {note}")
    print_object({"file": str(file), "faults": 0, "notes": len(notes)})


def load_file(watchword: "Watchword", file: Path, kind: str) -> None:
    """Load a site or people file, note it in the audit log, print what became of it."""
    with named(file):
        loaded = watchword.registry.load_file(file, kind, actor())
    if loaded.changed:
        watchword.audit.write(actor(), f"{kind}.load", loaded.name, detail={"version": loaded.version})
    for note in loaded.notes:
        say(f"note: {note}")
    print_object(
        {"kind": loaded.kind, "name": loaded.name, "version": loaded.version, "changed": loaded.changed, "notes": len(loaded.notes)}
    )


@app.command()
def show(
    ctx: typer.Context,
    place: Annotated[str, typer.Argument(help="Uid of a place: only what lies in it.")] = "",
    form: Form = Format.TABLE,
    filters: Filters = None,
    limit: Limit = None,
) -> None:
    """Show places, doors and assets. Filters: kind (site, building, floor, zone, door, asset), uid."""
    from watchword.app.questions import read_filters

    chosen = read_filters(filters or [], ("kind", "uid"))
    with opened(ctx) as watchword:
        rows = [row for row in rows_of(watchword.registry.directory(), place) if all(row[key] in values for key, values in chosen.items())]
    print_rows(rows[:limit], form, COLUMNS)


def rows_of(directory: "Directory", within: str = "") -> Iterator[dict[str, Any]]:
    """Yield places, doors and assets as rows, those inside a place only when one is named."""
    for place in directory.site.places.values():
        if not within or directory.within(place.uid, within):
            kind = place.zone_kind.value if place.zone_kind else place.zone
            yield {"kind": place.kind.value, "uid": place.uid, "name": place.name, "detail": kind, "data": plain(place)}
    for door in directory.doors():
        if not within or directory.within(door.uid, within):
            readers = ", ".join(f"{reader.direction} {reader.uid}" for reader in door.readers)
            words = f"{door.from_zone} → {door.to_zone}" + (f"; readers {readers}" if readers else "")
            yield {"kind": "door", "uid": door.uid, "name": door.name, "detail": words, "data": plain(door)}
    for asset in directory.assets.assets.values():
        if not within or directory.within(asset.place, within):
            words = f"{asset.kind.value} in {asset.place}" + (f", {asset.owner}" if asset.owner else "")
            yield {"kind": "asset", "uid": asset.uid, "name": asset.name, "detail": words, "data": plain(asset)}
