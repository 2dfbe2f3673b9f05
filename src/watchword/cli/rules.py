"""``watchword rules``: the detections that run."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from watchword.cli.opening import opened, settings_of
from watchword.cli.options import Filters, Form, Limit, Since, Until, span
from watchword.cli.output import Format, plain, print_object, print_rows, say
from watchword.kit.errors import ContentError, NotFound

if TYPE_CHECKING:
    from watchword.app.settings import Settings
    from watchword.detect.detector import Rule

app = typer.Typer(no_args_is_help=True)
COLUMNS = ("id", "severity", "mode", "confidence", "attack", "title")
KEYS = ("id", "mode", "severity", "attack")


def own_rules(settings: "Settings") -> "list[Rule]":
    """Return Watchword's own rules as they run under these settings; raises `ContentError` with all faults."""
    from watchword.detect.loader import load_rules, shipped_rules

    return load_rules(shipped_rules(), settings.detect_overrides)


def _row(rule: "Rule") -> dict[str, Any]:
    from watchword.app.questions import SEVERITIES

    words = {number: word for word, number in SEVERITIES.items()}
    row: dict[str, Any] = plain(rule)
    return row | {"severity": words.get(rule.severity, str(rule.severity))}


@app.command("list")
def list_rules(
    ctx: typer.Context,
    form: Form = Format.TABLE,
    since: Since = None,
    until: Until = None,
    filters: Filters = None,
    limit: Limit = None,
) -> None:
    """List the rules with the severity and mode that the settings give them. Filters: id, mode, severity, attack.

    With --since or --until: only those that gave a finding in that time.
    """
    from watchword.app.questions import read_filters

    chosen = read_filters(filters or [], KEYS)
    first, last = span(since, until)
    rows = [_row(rule) for rule in own_rules(settings_of(ctx))]
    rows = [row for row in rows if all(set(values) & {str(each) for each in _listed(row[key])} for key, values in chosen.items())]
    if first or last:
        from watchword.detect.service import FindingFilter

        with opened(ctx, only_look=True) as watchword:
            spoke = {rule for rule, _, _ in watchword.findings.counts(FindingFilter(since=first, until=last))}
        rows = [row for row in rows if row["id"] in spoke]
    print_rows(rows[:limit], form, COLUMNS)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


@app.command()
def show(ctx: typer.Context, rule: Annotated[str, typer.Argument(help="The rule's id.")]) -> None:
    """Show one rule: what it looks for, its settings, its sentence."""
    found = next((each for each in own_rules(settings_of(ctx)) if each.id == rule), None)
    if found is None:
        raise NotFound(f"There is no rule {rule!r}; watchword rules list shows those that are")
    print_object(_row(found))


@app.command()
def check(ctx: typer.Context) -> None:
    """Check every rule, your own Sigma rules and the overrides in the settings; all faults at once, exit status 1 if any."""
    settings = settings_of(ctx)
    faults = []
    count = 0
    for part in (_check_own, _check_sigma):
        try:
            count += part(settings)
        except ContentError as error:
            faults += list(error.faults)
    for fault in faults:
        say(str(fault))
    print_object({"rules": count, "faults": len(faults)})
    raise typer.Exit(1 if faults else 0)


def _check_own(settings: "Settings") -> int:
    return len(own_rules(settings))


def _check_sigma(settings: "Settings") -> int:
    from watchword.app.judging import sigma_files
    from watchword.detect.sigma import load_sigma

    found = load_sigma(sigma_files(settings.detect_rules))
    if found.rejected:
        raise ContentError(found.rejected)
    return len(found.loaded)
