"""``watchword approvals``: actions that wait for somebody's word; a word is given by a person at a terminal, with a password."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from watchword.cli.opening import opened
from watchword.cli.options import Filters, Form, Limit, Since, Until, span
from watchword.cli.output import Format, plain, print_object, print_rows, printable, say
from watchword.cli.person import must_be_terminal, person_at
from watchword.kit.errors import InputError

if TYPE_CHECKING:
    from watchword.app.watchword import Watchword
    from watchword.respond.asked_service import ApprovalView

app = typer.Typer(no_args_is_help=True)
COLUMNS = ("expires_at", "state", "asked_by", "missing", "incident", "uid", "words")
Uid = Annotated[str, typer.Argument(help="The request's uid.", metavar="REQUEST")]


def row_of(watchword: "Watchword", view: "ApprovalView") -> dict[str, Any]:
    """Return a request as it is printed."""
    verb = watchword.response.gateway.catalogue.verbs.get(view.action.verb)
    label = watchword.registry.directory().label(view.action.target)
    return {
        **plain(view),
        "words": verb.words(view.action, label) if verb else f"{view.action.verb} {view.action.target}",
        "missing": view.missing,
        "incident": view.action.incident,
    }


@app.command("list")
def list_approvals(
    ctx: typer.Context,
    form: Form = Format.TABLE,
    since: Since = None,
    until: Until = None,
    filters: Filters = None,
    limit: Limit = 1_000,
) -> None:
    """List what waits for somebody's word, the most urgent first; of an incident or run all of it. Filters: team, incident, run, state."""
    from watchword.app.questions import read_filters
    from watchword.cli.incidents import uid_of
    from watchword.respond.approval import ApprovalState

    chosen = read_filters(filters or [], ("team", "incident", "run", "state"))
    first, last = span(since, until)
    one = {key: values[-1] for key, values in chosen.items()}
    unknown = set(chosen.get("state", ())) - set(ApprovalState)
    if unknown:
        raise InputError(f"{min(unknown)[:40]!r} is no state; known are {', '.join(ApprovalState)}", "filter")
    with opened(ctx) as watchword:
        approvals = watchword.response.approvals
        if one.get("incident"):
            found = approvals.of_incident(uid_of(watchword, one["incident"]))
        else:
            found = approvals.of_run(one["run"]) if one.get("run") else approvals.waiting(one.get("team", ""))
        kept = [
            each
            for each in found
            if (not one.get("run") or each.run == one["run"])
            and (not chosen.get("state") or each.state in chosen["state"])
            and (not one.get("team") or not each.rule.of or one["team"] in each.rule.of)
            and (first is None or each.asked_at >= first)
            and (last is None or each.asked_at < last)
        ]
        print_rows((row_of(watchword, each) for each in kept[:limit]), form, COLUMNS)


@app.command()
def show(ctx: typer.Context, uid: Uid) -> None:
    """Show one request with its answers and what its action would do now."""
    with opened(ctx) as watchword:
        print_object(_shown(watchword, watchword.response.approvals.get(uid)))


def _shown(watchword: "Watchword", view: "ApprovalView") -> dict[str, Any]:
    from watchword.app import by_hand
    from watchword.kit.errors import NotFound
    from watchword.respond.approval import say_rule

    row = row_of(watchword, view) | {"rule_words": say_rule(view.rule)}
    try:
        return row | {"preview": plain(by_hand.look(watchword, view.action))}
    except NotFound as error:
        return row | {"preview": None, "fault": str(error)}


@app.command()
def answer(
    ctx: typer.Context,
    uid: Uid,
    account: Annotated[str, typer.Option("--account", metavar="NAME", help="Whose word it is.")],
) -> None:
    """Look at a request and agree to it, or stop it: at a terminal, with the account's password."""
    from watchword.app import by_hand
    from watchword.app.principal import Permission

    must_be_terminal()
    with opened(ctx) as watchword:
        view = watchword.response.approvals.get(uid)
        shown_at = watchword.clock.now()
        _say(_shown(watchword, view))
        word = str(typer.prompt("agree or stop", err=True)).strip().lower()
        if word not in {"agree", "stop"}:
            raise InputError("neither agree nor stop: nothing was done", "answer")
        reason = str(typer.prompt("Reason", default="" if word == "agree" else None, show_default=False, err=True))
        person = person_at(watchword, account)
        person.require(Permission.APPROVE)
        approver = by_hand.approver_of(watchword, person, watchword.clock.now())
        yes = word == "agree"
        view, outcome = by_hand.decide(watchword, uid, approver, yes=yes, reason=reason, digest=view.digest, shown_at=shown_at)
        print_object(row_of(watchword, view) | {"outcome": plain(outcome)})


def _say(row: dict[str, Any]) -> None:
    """Say to a person what they are asked to agree to."""
    say(printable(f"{row['words']}"))
    say(printable(f"asked by {row['asked_by']}: {row['action']['reason']}"))
    say(printable(f"needs {row['rule_words']}; has {len(row['votes'])} answers; until {row['expires_at']}"))
    preview = row["preview"] or {}
    blast = {key: value for key, value in (preview.get("blast") or {}).items() if value not in (None, [])}
    for key, value in blast.items():
        say(printable(f"{key.replace('_', ' ')}: {', '.join(map(str, value)) if isinstance(value, list) else value}"))
    for each in preview.get("refusals") or ():
        say(printable(f"would be refused now: {each['text']}"))
