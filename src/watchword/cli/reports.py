"""``watchword metrics report`` and ``watchword metrics share``: the board report as a file, links by which others read the dashboard."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from watchword.cli.opening import actor, opened
from watchword.cli.options import Form
from watchword.cli.output import Format, plain, print_rows, say

share = typer.Typer(no_args_is_help=True)
COLUMNS = ("uid", "title", "by", "made", "expires", "revoked", "readings", "last_read")


def report(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="Where to write it; ends in .pdf or .docx.")],
    days: Annotated[int, typer.Option("--days", min=1, max=366, help="Length of the period that ends now.")] = 30,
    month: Annotated[str, typer.Option("--month", help="A kept monthly report instead, as 2026-11.")] = "",
) -> None:
    """Write the board report, which names nobody: as PDF, or as a Word file that can be edited."""
    from watchword.app.board_report import board_docx, board_pdf, report_of
    from watchword.kit.errors import InputError

    kind = file.suffix.lower().removeprefix(".")
    if kind not in {"pdf", "docx"}:
        raise InputError("a board report is written as .pdf or .docx", "FILE")
    with opened(ctx) as watchword:
        if month:
            content = watchword.measures.reports.content(month, kind)
        else:
            now = watchword.clock.now()
            found = report_of(watchword, now - timedelta(days=days), now)
            content = board_pdf(watchword, found) if kind == "pdf" else board_docx(watchword, found)
        detail = {"kind": "board", "month": month} if month else {"kind": "board", "days": days}
        watchword.audit.write(actor(), "report.print", detail=detail)
    file.write_bytes(content)
    say(f"wrote {file}, {len(content):,} bytes")


@share.command("list")
def list_shares(ctx: typer.Context, form: Form = Format.TABLE) -> None:
    """List share links: for whom each is, until when it works, how often it was read."""
    with opened(ctx, only_look=True) as watchword:
        rows = [plain(each) for each in watchword.measures.shares.list()]
    print_rows(rows, form, COLUMNS)


@share.command()
def create(
    ctx: typer.Context,
    title: Annotated[str, typer.Argument(help="For whom it is.")],
    days: Annotated[int, typer.Option("--days", min=1, max=90, help="For how many days it works.")] = 7,
) -> None:
    """Make a link; prints the path of its address once, to be put behind the address of your Watchword."""
    with opened(ctx) as watchword:
        _, secret = watchword.measures.shares.create(title, timedelta(days=days), actor())
    typer.echo(f"/shared/{secret}")


@share.command()
def revoke(ctx: typer.Context, uid: Annotated[str, typer.Argument(help="Uid of the link.")]) -> None:
    """Make a link useless from now on."""
    with opened(ctx) as watchword:
        watchword.measures.shares.revoke(uid, actor())
