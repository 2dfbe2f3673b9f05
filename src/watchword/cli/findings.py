"""``watchword findings``: what looks wrong, and why; and what people made of it."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from watchword.cli.opening import actor, opened
from watchword.cli.options import DryRun, Filters, Form, Limit, Since, Until, span
from watchword.cli.output import Format, plain, print_object, print_rows
from watchword.kit.errors import InputError

if TYPE_CHECKING:
    from watchword.app.watchword import Watchword
    from watchword.detect.service import FindingFilter, KeptFinding

app = typer.Typer(no_args_is_help=True)
COLUMNS = ("time", "severity", "rule", "confidence", "work", "uid", "because")
ONE = ("person", "asset", "place", "credential", "address", "event", "text")
KEYS = (*ONE, "rule", "severity", "mode", "state", "work")
PAGE = 500
Uid = Annotated[str, typer.Argument(help="The finding's uid.", metavar="UID")]
Note = Annotated[str, typer.Option("--note", help="Why.", metavar="TEXT")]


def finding_row(kept: "KeptFinding") -> dict[str, Any]:
    """Return a finding as it is printed: as the API shows it."""
    from watchword.detect.service import finding_json

    work = kept.work
    disposition = work.disposition.value if work.disposition else None
    words = {"work": work.state.value, "disposition": disposition, "note": work.note, "worked_by": work.by, "worked_at": plain(work.at)}
    return finding_json(kept.finding) | words


def filter_of(filters: list[str] | None, since: str | None, until: str | None) -> "FindingFilter":
    """Return the filter for ``key=value`` texts and a time span.

    Raises:
        InputError: a filter or time is not acceptable.
    """
    from watchword.app.questions import read_filters, read_severity
    from watchword.detect.service import FindingFilter, WorkState
    from watchword.model import FindingState, Mode

    chosen = read_filters(filters or [], KEYS)
    first, last = span(since, until)
    twice = [key for key in (*ONE, "severity", "mode") if len(chosen.get(key, ())) > 1]
    if twice:
        raise InputError(f"--filter {twice[0]} may be given once", "filter")
    try:
        return FindingFilter(
            since=first,
            until=last,
            rules=tuple(chosen.get("rule", ())),
            severity=read_severity(chosen["severity"][0]) if "severity" in chosen else 0,
            mode=Mode(chosen["mode"][0]) if "mode" in chosen else None,
            states=tuple(FindingState(each) for each in chosen.get("state", ())) or (FindingState.PROVISIONAL, FindingState.FINAL),
            work=tuple(WorkState(each) for each in chosen.get("work", ())),
            **{key: chosen[key][0] for key in ONE if key in chosen},
        )
    except ValueError as error:
        raise InputError(f"{error}", "filter") from error


def all_findings(watchword: "Watchword", wanted: "FindingFilter", limit: int) -> "Iterator[KeptFinding]":
    """Yield at most `limit` findings, newest first, read page by page."""
    after, left = None, limit
    while left > 0:
        page = watchword.findings.list(wanted, after=after, limit=min(PAGE, left))
        yield from page
        if len(page) < min(PAGE, left):
            return
        left, after = left - len(page), (page[-1].finding.time, page[-1].finding.uid)


@app.command("list")
def list_findings(
    ctx: typer.Context,
    form: Form = Format.TABLE,
    since: Since = None,
    until: Until = None,
    filters: Filters = None,
    limit: Limit = 10_000,
) -> None:
    """List findings, newest first.

    Filters: rule, severity (at least), mode (page, risk), state (provisional, final, withdrawn), work (open, acknowledged, closed),
    person, asset, place, credential, address, event, text. Withdrawn ones only with state=withdrawn.
    """
    wanted = filter_of(filters, since, until)
    with opened(ctx) as watchword:
        print_rows((finding_row(each) for each in all_findings(watchword, wanted, limit or 0)), form, COLUMNS)


@app.command()
def show(
    ctx: typer.Context,
    uid: Uid,
    related: Annotated[bool, typer.Option("--related", help="Also what it shares with other events and findings.")] = False,
) -> None:
    """Show one finding, with its events and, if asked, what it shares with others."""
    from watchword.cli.events import event_row
    from watchword.model import EventQuery

    with opened(ctx) as watchword:
        kept = watchword.findings.get(uid)
        events = (
            watchword.events.events(EventQuery(uids=kept.finding.events, limit=len(kept.finding.events) or 1))
            if kept.finding.events
            else []
        )
        row = finding_row(kept) | {"event_details": [event_row(each) for each in sorted(events, key=lambda each: each.order)]}
        if related:
            row["related"] = [plain(each) for each in watchword.insight.related(uid)]
        print_object(row)


@app.command()
def acknowledge(ctx: typer.Context, uid: Uid, note: Note = "", dry_run: DryRun = False) -> None:
    """Say that someone is looking at it."""
    _work(ctx, uid, "acknowledged", None, note, dry_run=dry_run)


@app.command()
def reopen(ctx: typer.Context, uid: Uid, note: Note = "", dry_run: DryRun = False) -> None:
    """Open a closed or acknowledged finding again."""
    _work(ctx, uid, "open", None, note, dry_run=dry_run)


@app.command()
def close(
    ctx: typer.Context,
    uid: Uid,
    verdict: Annotated[str, typer.Option("--verdict", help="What it was: true, benign, false or undecided.")],
    note: Note = "",
    dry_run: DryRun = False,
) -> None:
    """Close a finding, saying what it was."""
    _work(ctx, uid, "closed", verdict, note, dry_run=dry_run)


def _work(ctx: typer.Context, uid: str, state: str, verdict: str | None, note: str, *, dry_run: bool) -> None:
    from watchword.app.judgement import work_on
    from watchword.detect.service import Disposition, WorkState

    try:
        disposition = Disposition(verdict) if verdict is not None else None
    except ValueError as error:
        raise InputError(f"{verdict!r} is no verdict; known are {', '.join(Disposition)}", "verdict") from error
    with opened(ctx, only_look=dry_run) as watchword:
        kept = watchword.findings.get(uid)
        if not dry_run:
            kept = work_on(watchword, uid, WorkState(state), by=actor(), disposition=disposition, note=note, seen=kept.work)
        print_object(finding_row(kept) | ({"dry_run": True} if dry_run else {}))
