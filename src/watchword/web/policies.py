"""Policies: those in force with their parameters, what follows them, who has read them; and one policy with its versions and conflicts."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Form
from starlette.responses import Response

from watchword.app.parameters import Landing, landings_of
from watchword.app.principal import Permission
from watchword.app.retention import Retention
from watchword.govern.conflict import Conflict
from watchword.govern.parameter import KEYS, read_value, say_value
from watchword.govern.policy import Statement, params_differ, shipped_policies
from watchword.govern.policy_service import Applied, PolicyVersion
from watchword.kit.errors import InputError, NotFound
from watchword.web.governing import governance, sets_of, tried
from watchword.web.pages import Ask, Asked, Stewarding

router = APIRouter()
MOST_APPLIED: Final = 12
KIND_WORDS: Final = {
    "a": "cannot both hold",
    "b": "one demands what the other forbids",
    "c": "a required order breaks",
    "d": "gone before it is needed",
}


@dataclass(frozen=True, slots=True)
class ParameterLine:
    """One parameter as the page shows it."""

    name: str
    words: str
    value: str
    landings: tuple[Landing, ...]
    applied: Mapping[str, Applied]
    """Landing → when a process began to act on it."""


def lines_of(ask: Ask, statement: Statement) -> list[ParameterLine]:
    """Return a statement's parameters with what follows them."""
    found = []
    for key, value in statement.params.items():
        name = f"{statement.id}.{key}"
        applied = {each.lands: each for each in reversed(governance(ask).policies.applied(name))}
        found.append(ParameterLine(name, KEYS[key].words, say_value(value), landings_of(name), applied))
    return found


def said(parameter: str, kept: str) -> str:
    """Return a kept value, which is JSON, for people; empty: as it was shipped."""
    if not kept:
        return "as shipped"
    try:
        return say_value(read_value(parameter.rpartition(".")[2], json.loads(kept)))
    except ValueError:
        return kept


@router.get("/policies")
def policies(ask: Asked) -> Response:
    """List the policies."""
    position = ask.watchword.ledger.last_position()
    return ask.page("policies/list.html", position=position, **list_context(ask))


def list_context(ask: Ask) -> dict[str, Any]:
    """Return every policy, in force or not, with what is the matter with it."""
    kept = governance(ask).policies
    in_force, conflicts, today = kept.in_force(), kept.conflicts(), ask.now.date()
    unread = {each.policy.uid for each in kept.unread(ask.who.name, [ask.who.role])}
    rows = []
    for name in kept.names():
        version = in_force.get(name)
        policy = version.policy if version is not None else kept.get(name)
        rows.append(
            {
                "policy": policy,
                "version": version,
                "conflicts": [each for each in conflicts if each.one.startswith(name + ".") or each.other.startswith(name + ".")],
                "review": min(each.review_by for each in policy.statements),
                "exceptions": [each for each in kept.exceptions(name) if each.ended is None],
                "followed": sum(bool(landings_of(f"{each.id}.{key}")) for each in policy.statements for key in each.params),
                "params": sum(len(each.params) for each in policy.statements),
                "unread": name in unread,
                "draft": kept.draft(name),
            }
        )
    return {
        "rows": sorted(rows, key=lambda row: (row["version"] is None, row["policy"].title)),
        "conflicts": conflicts,
        "kinds": KIND_WORDS,
        "applied": kept.applied(limit=MOST_APPLIED),
        "retention": Retention(ask.watchword).plan(ask.now),
        "dropped": Retention(ask.watchword).days()[:MOST_APPLIED],
        "holds": [each for each in Retention(ask.watchword).holds() if each.released_at is None],
        "today": today,
        "said": said,
        "stewards": ask.may(Permission.STEWARD),
    }


@router.get("/policies/{uid}")
def policy(ask: Asked, uid: str, sets: str = "") -> Response:
    """Show one policy; with `sets`, also which conflicts a change would bring."""
    return _page(ask, uid, sets=sets)


def _page(ask: Ask, uid: str, status: int = 200, fault: str = "", sets: str = "") -> Response:
    kept = governance(ask).policies
    found = kept.get(uid)
    version = kept.in_force().get(uid)
    trial: Sequence[Conflict] | None = None
    if sets.strip():
        try:
            trial = kept.conflicts_with(sets_of(sets))
        except InputError as error:
            status, fault = 422, str(error)
    read = {each.version for each in kept.acknowledgements(uid, account=ask.who.name)}
    versions = kept.versions(uid)
    context = {
        "policy": found,
        "version": version,
        "statements": [(each, lines_of(ask, each)) for each in found.statements],
        "versions": [(each, _changes(each, versions), _number(ask, each.decision)) for each in versions],
        "conflicts": [each for each in kept.conflicts() if each.one.startswith(uid + ".") or each.other.startswith(uid + ".")],
        "exceptions": kept.exceptions(uid),
        "extract": found.extract([ask.who.role]) if version is not None else (),
        "read": version is not None and version.version in read,
        "readers": kept.acknowledgements(uid)[:50],
        "draft": kept.draft(uid),
        "shipped": uid in shipped_policies(),
        "trial": trial,
        "sets": sets,
        "kinds": KIND_WORDS,
        "tested": {each.control for each in governance(ask).controls.tests.values()},
        "fault": fault,
        "said": said,
        "today": ask.now.date(),
        "stewards": ask.may(Permission.STEWARD),
        "propose": "/proposals/new?" + urlencode({"kind": "policy", "subject": uid}),
    }
    position = ask.watchword.ledger.last_position()
    return ask.page("policies/policy.html", status, position=position, **context)


def _changes(version: PolicyVersion, versions: Sequence[PolicyVersion]) -> Sequence[tuple[str, str, str]]:
    before = next((each.policy for each in versions if each.version == version.version - 1), None)
    return params_differ(before, version.policy) if before is not None else ()


def _number(ask: Ask, decision: str) -> int | None:
    try:
        return governance(ask).decisions.get(decision).number
    except NotFound:
        return None


@router.post("/policies/{uid}/read")
def acknowledge(ask: Asked, uid: str) -> Response:
    """Keep that the asker has read what concerns their role."""
    status, fault = tried(lambda: governance(ask).policies.acknowledge(uid, account=ask.who.name, roles=[ask.who.role]))
    return _page(ask, uid, status, fault) if fault else ask.see(f"/policies/{uid}#read")


@router.post("/policies/exceptions/{decision}/end")
def end_exception(ask: Stewarding, decision: str, policy: Annotated[str, Form()] = "", reason: Annotated[str, Form()] = "") -> Response:
    """End an exception."""
    status, fault = tried(lambda: governance(ask).policies.end_exception(decision, by=ask.who.name, reason=reason))
    return _page(ask, policy, status, fault) if fault else ask.see(f"/policies/{policy}#exceptions")
