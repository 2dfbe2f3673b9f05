"""``watchword evidence``: what is kept for an incident, taken in, handed out as a bundle, and a bundle checked on any machine."""

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from watchword.cli.opening import actor, opened
from watchword.cli.options import Form, Limit
from watchword.cli.output import Format, plain, print_object, print_rows, say
from watchword.kit.errors import InputError, NotFound

if TYPE_CHECKING:
    from watchword.app.watchword import Watchword
    from watchword.respond.evidence_view import Piece

app = typer.Typer(no_args_is_help=True)
COLUMNS = ("uid", "kind", "name", "size", "acquired", "custodian", "sha256")
IncidentWord = Annotated[str, typer.Option("--incident", metavar="NUMBER", help="Number or uid of the incident.")]
Why = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; it stands in the chain of custody.")]
Piece_ = Annotated[str, typer.Argument(help="Uid of the piece.", metavar="UID")]


@app.command("list")
def list_(ctx: typer.Context, incident: IncidentWord = "", form: Form = Format.TABLE, limit: Limit = None) -> None:
    """List pieces of evidence, the newest first."""
    with opened(ctx) as watchword:
        uid = incident_of(watchword, incident) if incident else ""
        found = watchword.response.evidence.list(uid, limit=limit or 1_000)
    print_rows((row_of(piece) for piece in found), form, COLUMNS)


@app.command()
def show(ctx: typer.Context, uid: Piece_) -> None:
    """Show one piece with its chain of custody, and whether it is intact; exit status 1 when it is not. Reads the file to its end."""
    with opened(ctx) as watchword:
        kept = watchword.response.evidence
        piece, entries, faults = kept.get(uid), kept.custody(uid), kept.verify(uid)
    print_object({**plain(piece), "custody": plain(entries), "intact": not faults, "faults": list(faults)})
    raise typer.Exit(1 if faults else 0)


@app.command()
def add(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="The file; it is copied as it is.", metavar="FILE")],
    incident: IncidentWord,
    kind: Annotated[str, typer.Option("--kind", metavar="KIND", help="clip, log, photo, document or record.")] = "document",
    source: Annotated[str, typer.Option("--source", metavar="TEXT", help="Device, product or person that it comes from.")] = "",
    offset: Annotated[
        float | None,
        typer.Option("--clock-offset", metavar="SECONDS", help="By how much the source's clock is ahead of ours; negative: behind."),
    ] = None,
    player: Annotated[str, typer.Option("--player", metavar="TEXT", help="What opens it.")] = "",
    note: Annotated[str, typer.Option("--note", metavar="TEXT", help="What else is to be said of it.")] = "",
    reason: Why = "",
) -> None:
    """Take a file into evidence: kept byte for byte, its SHA-256 taken as it comes in."""
    from watchword.respond.evidence_view import About, EvidenceKind

    if kind not in set(EvidenceKind):
        raise InputError(f"{kind[:40]!r} is no kind of evidence; one of {', '.join(EvidenceKind)}", "kind")
    if not file.is_file():
        raise InputError(f"{file}: there is no such file", "file")
    clock = None if offset is None else timedelta(seconds=offset)
    about = About(EvidenceKind(kind), file.name, source=source, clock_offset=clock, player=player, note=note)
    with opened(ctx) as watchword:
        uid = incident_of(watchword, incident)
        piece = watchword.response.evidence.acquire(file, about, incident=uid, by=actor(), reason=reason)
    print_object(row_of(piece))


@app.command()
def export(
    ctx: typer.Context,
    out: Annotated[Path, typer.Argument(help="The ZIP to be written.", metavar="FILE")],
    incident: IncidentWord,
    reason: Why,
    without: Annotated[
        list[str] | None, typer.Option("--without", metavar="UID", help="A piece whose file is damaged: it is named as left out.")
    ] = None,
) -> None:
    """Write an incident's originals, custody and timeline as a signed bundle; every chain of custody says that it was copied."""
    with opened(ctx) as watchword:
        uid = incident_of(watchword, incident)
        manifest = watchword.response.evidence.export(uid, out, by=actor(), reason=reason, without=without or ())
    entries = manifest["timeline"]["entries"]
    print_object({"file": str(out), "pieces": len(manifest["evidence"]), "timeline": entries, "key": manifest["key"]})
    say(f"tell whoever gets it, by another way than the bundle: its key is {manifest['key']}")


@app.command()
def verify(
    bundle: Annotated[Path, typer.Argument(help="The bundle.", metavar="BUNDLE")],
    key: Annotated[str, typer.Option("--key", metavar="HEX", help="The key that the house which made it told you: 64 hex digits.")] = "",
) -> None:
    """Check a bundle, without any data folder; exit status 1 when a single byte is not as it was made."""
    from watchword.respond.bundle_check import check

    with bundle.open("rb") as file:
        faults, manifest = check(file, key)
    for fault in faults:
        say(f"evidence: {fault}")
    pieces = manifest.get("evidence", []) if not faults else []
    print_object(
        {
            "intact": not faults,
            "originals": sum(not piece["left_out"] for piece in pieces),
            "left_out": [piece["name"] for piece in pieces if piece["left_out"]],
            "key": manifest.get("key", "") if not faults else "",
            "faults": faults,
        }
    )
    raise typer.Exit(1 if faults else 0)


def incident_of(watchword: "Watchword", word: str) -> str:
    """Return the uid of an incident named by number or uid.

    Raises:
        NotFound: there is none.
    """
    incidents = watchword.response.incidents
    number = word.lstrip("#")
    if number.isascii() and number.isdigit() and len(number) <= 9:
        uid = incidents.reader.uid_of_number(int(number))
        if not uid:
            raise NotFound(f"there is no incident {number}")
        return uid
    return incidents.get(word).incident.uid


def row_of(piece: "Piece") -> dict[str, Any]:
    """Return a piece as a row."""
    about = piece.about
    return {
        "uid": piece.uid,
        "incident": piece.incident,
        "kind": about.kind.value,
        "name": about.name,
        "size": piece.size,
        "acquired": piece.acquired_at,
        "custodian": piece.custodian,
        "offered_to": piece.offered_to,
        "sealed": piece.sealed,
        "released": piece.released,
        "source": about.source,
        "clock_offset": None if about.clock_offset is None else about.clock_offset.total_seconds(),
        "sha256": piece.sha256,
    }
