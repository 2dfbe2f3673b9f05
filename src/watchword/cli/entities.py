"""``watchword entities``: who and what stands behind several findings, and whom the badge log excludes."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from watchword.cli.opening import opened, read_trail
from watchword.cli.options import Filters, Form, Limit, Reason, Since, Until, span
from watchword.cli.output import Format, plain, print_object, print_rows
from watchword.kit.errors import InputError, NotFound

if TYPE_CHECKING:
    from watchword.app.watchword import Watchword
    from watchword.detect.pivot import Kind
    from watchword.detect.ranking import Ranked

app = typer.Typer(invoke_without_command=True)
COLUMNS = ("rank", "score", "kind", "entity", "label", "for", "against", "because")
MOST = 10_000


@app.callback()
def entities(
    ctx: typer.Context,
    rank: Annotated[bool, typer.Option("--rank", help="The ranking: the same as `entities rank`.")] = False,
    form: Form = Format.TABLE,
    since: Since = None,
    until: Until = None,
    filters: Filters = None,
    limit: Limit = 20,
) -> None:
    """Say who and what stands behind several findings."""
    if ctx.invoked_subcommand is not None:
        return
    if not rank:
        print(ctx.get_help())
        raise typer.Exit(2)
    print_ranking(ctx, form, since, until, filters, limit)


@app.command("rank")
def rank_entities(
    ctx: typer.Context,
    form: Form = Format.TABLE,
    since: Since = None,
    until: Until = None,
    filters: Filters = None,
    limit: Limit = 20,
) -> None:
    """Rank persons, assets, credentials and addresses, the most suspicious first; --limit is per kind. Filters: kind, entity.

    Without --since: the 31 days before the newest event.
    """
    print_ranking(ctx, form, since, until, filters, limit)


@app.command("list")
def list_entities(
    ctx: typer.Context,
    form: Form = Format.TABLE,
    since: Since = None,
    until: Until = None,
    filters: Filters = None,
    limit: Limit = None,
) -> None:
    """List every person, asset, credential and address that a finding names, by uid. Filters: kind, entity."""
    chosen = _chosen(filters)
    with opened(ctx) as watchword:
        rows = [row for row in _rows(watchword, chosen, since, until, MOST) if not chosen["entity"] or row["entity"] in chosen["entity"]]
    print_rows(sorted(rows, key=lambda row: row["entity"])[:limit], form, COLUMNS)


@app.command()
def show(
    ctx: typer.Context,
    entity: Annotated[str, typer.Argument(help="Uid, or an address.")],
    since: Since = None,
    until: Until = None,
    reason: Reason = "",
) -> None:
    """Show one entity with the findings that count for and against it, and for a person the alibi, which needs a --reason."""
    with opened(ctx) as watchword:
        rows = _rows(watchword, _chosen(None), since, until, MOST)
        row = next((each for each in rows if each["entity"] == entity), None)
        if row is None:
            raise NotFound(f"No finding of this window names {entity!r}; watchword entities list shows those that are named")
        if row["kind"] == "person":
            read_trail(watchword, [entity], reason)
        print_object(row | {"findings": [watchword.findings.get(uid) for uid in row["findings_for"]]})


def print_ranking(
    ctx: typer.Context, form: Format, since: str | None, until: str | None, filters: list[str] | None, limit: int | None
) -> None:
    """Print the ranking."""
    chosen = _chosen(filters)
    with opened(ctx) as watchword:
        rows = _rows(watchword, chosen, since, until, limit or MOST)
    print_rows([row for row in rows if not chosen["entity"] or row["entity"] in chosen["entity"]], form, COLUMNS)


def _chosen(filters: list[str] | None) -> dict[str, list[str]]:
    from watchword.app.questions import read_filters

    return {"kind": [], "entity": []} | read_filters(filters or [], ("kind", "entity"))


def _kinds(names: list[str]) -> "tuple[Kind, ...]":
    from watchword.detect.pivot import Kind

    try:
        return tuple(Kind(name) for name in names) or tuple(Kind)
    except ValueError as error:
        raise InputError(f"{error}; known are {', '.join(Kind)}", "kind") from error


def _rows(watchword: "Watchword", chosen: dict[str, list[str]], since: str | None, until: str | None, limit: int) -> list[dict[str, Any]]:
    first, last = span(since, until)
    ranked = watchword.insight.rank(first, last, _kinds(chosen["kind"]), limit)
    return [row_of(each, place) for place, each in enumerate(ranked, 1)]


def row_of(ranked: "Ranked", place: int) -> dict[str, Any]:
    """Return a ranked entity as it is printed."""
    row: dict[str, Any] = plain(ranked)
    row["score"] = round(ranked.score, 3)
    return {
        "rank": place,
        **row,
        "for": len(ranked.findings_for),
        "against": len(ranked.findings_against),
        "alibi_in_words": ranked.alibi.sentence() if ranked.alibi else "",
    }
