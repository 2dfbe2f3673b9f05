"""``watchword policies``: what holds, which parameters act where, conflicts, drafts; days of the event log that go or are held."""

from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer

from watchword.cli.opening import actor, opened
from watchword.cli.options import Form
from watchword.cli.output import Format, plain, print_object, print_rows, say

app = typer.Typer(no_args_is_help=True)
COLUMNS = ("policy", "title", "version", "in_force", "parameters", "conflicts", "review_by", "decision")
PARAMETERS = ("name", "value", "follows", "version", "decision")
APPLIED = ("at", "lands", "parameter", "before", "value", "process", "decision")
CONFLICTS = ("kind", "one", "other", "because")
DAYS = ("day", "state", "events", "records", "because")
Policy = Annotated[str, typer.Argument(metavar="POLICY", help="As leaver-access.")]
Uid = Annotated[str, typer.Argument(help="Uid of a hold.")]
Day = Annotated[str, typer.Option(metavar="YYYY-MM-DD", help="Arrival day; empty: no bound.")]


@app.command("list")
def list_policies(ctx: typer.Context, form: Form = Format.TABLE) -> None:
    """List policies: a version where a body decided, none where the text only lies there."""
    with opened(ctx, only_look=True) as watchword:
        kept = watchword.governance.policies
        in_force, conflicts, rows = kept.in_force(), kept.conflicts(), list[dict[str, Any]]()
        for name in kept.names():
            version, policy = in_force.get(name), kept.get(name)
            rows.append(
                {
                    "policy": name, "title": policy.title, "version": version.version if version else None,
                    "in_force": version.in_force if version else None, "parameters": sum(len(each.params) for each in policy.statements),
                    "conflicts": sum(name in {each.one.partition(".")[0], each.other.partition(".")[0]} for each in conflicts),
                    "review_by": min(each.review_by for each in policy.statements), "decision": version.decision if version else "",
                }
            )  # fmt: skip
    print_rows(rows, form, COLUMNS)


@app.command()
def show(ctx: typer.Context, policy: Policy) -> None:
    """Show a policy with its statements, versions and exceptions, as JSON."""
    from watchword.govern.policy import document_of

    with opened(ctx, only_look=True) as watchword:
        kept = watchword.governance.policies
        version = kept.in_force().get(policy)
        versions = [
            {"version": each.version, "hash": each.hash, "decision": each.decision, "in_force": plain(each.in_force)}
            for each in kept.versions(policy)
        ]
        print_object(
            {
                **document_of(kept.get(policy)),
                "version": version.version if version else None,
                "versions": versions,
                "exceptions": [plain(each) for each in kept.exceptions(policy)],
            }
        )


@app.command()
def parameters(ctx: typer.Context, form: Form = Format.TABLE) -> None:
    """List the parameters in force and what follows each by itself."""
    from watchword.app.parameters import landings_of
    from watchword.govern.parameter import plain as value_of

    with opened(ctx, only_look=True) as watchword:
        found = watchword.governance.policies.parameters()
    rows = [
        {
            "name": name, "value": value_of(each.value), "follows": ", ".join(one.lands for one in landings_of(name)),
            "version": each.version, "decision": each.decision,
        }
        for name, each in sorted(found.items())
    ]  # fmt: skip
    print_rows(rows, form, PARAMETERS)


@app.command()
def applied(ctx: typer.Context, form: Form = Format.TABLE) -> None:
    """List when a running process began to act on which parameter, the newest first."""
    with opened(ctx, only_look=True) as watchword:
        rows = [plain(each) for each in watchword.governance.policies.applied()]
    print_rows(rows, form, APPLIED)


@app.command()
def conflicts(
    ctx: typer.Context,
    form: Form = Format.TABLE,
    sets: Annotated[
        list[str] | None, typer.Option("--set", metavar="STATEMENT.KEY=VALUE", help="Try this value; nothing is changed.")
    ] = None,
) -> None:
    """List conflicts between policies in force; with --set those that a change would bring. Exit status 1 where there are any."""
    from watchword.kit.errors import InputError

    wanted: dict[str, object] = {}
    for each in sets or []:
        name, equals, value = each.partition("=")
        if not equals:
            raise InputError(f"{each[:60]!r}: write leaver-access.1.badge_off_within=PT1H", "set")
        wanted[name.strip()] = value.strip()
    with opened(ctx, only_look=True) as watchword:
        kept = watchword.governance.policies
        rows = [plain(each) for each in (kept.conflicts_with(wanted) if wanted else kept.conflicts())]
    print_rows(rows, form, CONFLICTS)
    raise typer.Exit(1 if rows else 0)


@app.command()
def draft(ctx: typer.Context, file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A policy file.")]) -> None:
    """Check a policy file and keep it as the draft of its policy; print the hash that a decision names."""
    from watchword.govern.policy import read_policy

    policy = read_policy(file.read_text(encoding="utf-8"), str(file))
    with opened(ctx) as watchword:
        kept = watchword.governance.policies.put_draft(policy, by=actor())
    say(f"A decision that sets {policy.uid}.draft to this hash makes it a version.")
    print_object({"policy": policy.uid, "hash": kept.hash, "statements": len(policy.statements)})


@app.command()
def retention(ctx: typer.Context, form: Form = Format.TABLE) -> None:
    """List days of the event log that are over: those that go next, those that stay and why, those that went."""
    from watchword.app.retention import Retention

    with opened(ctx) as watchword:
        kept = Retention(watchword)
        plan = kept.plan(watchword.clock.now())
        rows: list[dict[str, Any]] = [{"day": day, "state": "due", "because": ""} for day in plan.due]
        rows += [{"day": day, "state": "held", "because": why} for day, why in plan.held]
        rows += [{**plain(each), "because": f"decision {each.decision}"} for each in kept.days()]
        holds = [each for each in kept.holds() if each.released_at is None]
    said = f"kept for {plan.kept_for.days} days" if plan.kept_for is not None else "no policy in force says for how long days are kept"
    say(f"event log: {said}; {len(holds)} legal holds")
    for each in holds:
        say(f"  {each.uid} {each.since or '…'} to {each.until or '…'}: {each.reason}")
    print_rows(rows, form, DAYS)


@app.command()
def hold(
    ctx: typer.Context,
    reason: Annotated[str, typer.Argument(help="Why.")],
    since: Day = "",
    until: Day = "",
) -> None:
    """Order that nothing that arrived between two days is dropped; print the hold."""
    from watchword.app.retention import Retention
    from watchword.kit.errors import InputError

    try:
        days = [date.fromisoformat(each) if each else None for each in (since, until)]
    except ValueError as error:
        raise InputError(f"{error}: write 2026-03-01", "since") from error
    with opened(ctx) as watchword:
        print_object(plain(Retention(watchword).hold(reason, days[0], days[1], by=actor())))


@app.command()
def release(ctx: typer.Context, uid: Uid, reason: Annotated[str, typer.Argument(help="Why.")]) -> None:
    """Release a hold."""
    from watchword.app.retention import Retention

    with opened(ctx) as watchword:
        Retention(watchword).release(uid, reason, by=actor())
