"""Policies as text and as data: statements for people with parameters for machines, hashed, and changed only by what a Decision sets."""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from importlib.resources import files as package_files
from typing import Any, Final

from watchword.govern.parameter import Parameter, Value, plain, read_value
from watchword.kit.errors import ContentError, Fault
from watchword.kit.marked import Marked, read_marked

NAME: Final = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")
LONGEST: Final = 4_000
"""Characters of one text."""
MOST_STATEMENTS: Final = 40
DRAFT: Final = "draft"
"""``POLICY.draft`` in what a Decision sets: the hash of the draft that it adopts, so that no later text slips in."""
_KEYS: Final = frozenset({"policy", "title", "purpose", "owner", "statements"})
_STATEMENT_KEYS: Final = frozenset({"id", "text", "params", "controls", "review_by", "scope", "concerns"})
_SCOPES: Final = ("places", "roles", "assets")


@dataclass(frozen=True, slots=True)
class Scope:
    """Where and for whom a statement holds; an empty part means everywhere, everyone, everything."""

    places: tuple[str, ...] = ()
    """Uids of places; what lies inside is meant too."""
    roles: tuple[str, ...] = ()
    assets: tuple[str, ...] = ()
    """Kinds of assets."""

    def overlaps(self, other: "Scope") -> bool:
        """Tell whether something can fall under both."""
        places = not self.places or not other.places or any(_inside(a, b) or _inside(b, a) for a in self.places for b in other.places)
        roles = not self.roles or not other.roles or bool(set(self.roles) & set(other.roles))
        assets = not self.assets or not other.assets or bool(set(self.assets) & set(other.assets))
        return places and roles and assets


def _inside(inner: str, outer: str) -> bool:
    return inner == outer or inner.startswith(outer + "/")


@dataclass(frozen=True, slots=True)
class Statement:
    """One sentence of a policy that can be held: what people read, what machines do, which controls carry it."""

    id: str
    """``POLICY.NUMBER``."""
    text: str
    params: Mapping[str, Value]
    controls: tuple[str, ...]
    review_by: date
    scope: Scope = Scope()
    concerns: tuple[str, ...] = ()
    """Who must have read it: roles of people, or ``all``."""


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy of both trades: one owner on each side."""

    uid: str
    title: str
    purpose: str
    owner_it: str
    owner_physical: str
    statements: tuple[Statement, ...]
    path: str = ""

    def statement(self, uid: str) -> Statement | None:
        """Return a statement by its id."""
        return next((each for each in self.statements if each.id == uid), None)

    @property
    def hash(self) -> str:
        """Return the SHA-256 of everything that is decided: text, parameters, controls, scope, owners, review dates."""
        return hashlib.sha256(json.dumps(document_of(self), sort_keys=True, ensure_ascii=False).encode()).hexdigest()

    def parameters(self, version: int = 0, decision: str = "") -> dict[str, Parameter]:
        """Return ``STATEMENT.KEY`` → parameter."""
        return {
            f"{statement.id}.{key}": Parameter(f"{statement.id}.{key}", value, self.uid, version, decision)
            for statement in self.statements
            for key, value in statement.params.items()
        }

    def extract(self, roles: Iterable[str]) -> tuple[Statement, ...]:
        """Return the statements that concern somebody of these roles."""
        mine = {*roles, "all"}
        return tuple(each for each in self.statements if mine & set(each.concerns))


def document_of(policy: Policy) -> dict[str, Any]:
    """Return a policy as plain values: what a file holds; `read_policy` and `policy_of` read it back."""
    return {
        "policy": policy.uid,
        "title": policy.title,
        "purpose": policy.purpose,
        "owner": {"it": policy.owner_it, "physical": policy.owner_physical},
        "statements": [
            {
                "id": each.id,
                "text": each.text,
                "params": {key: plain(value) for key, value in each.params.items()},
                "controls": list(each.controls),
                "review_by": each.review_by.isoformat(),
                "scope": {name: list(getattr(each.scope, name)) for name in _SCOPES if getattr(each.scope, name)},
                "concerns": list(each.concerns),
            }
            for each in policy.statements
        ],
    }


def policy_of(document: Mapping[str, Any]) -> Policy:
    """Return the policy of plain values that `document_of` made."""
    return _policy(Marked(str(document.get("policy", "policy")), dict(document)))


def read_policy(text: str, path: str) -> Policy:
    """Read a policy file.

    Raises:
        ContentError: with every fault and its line.
    """
    return _policy(read_marked(text, path))


@cache
def shipped_policies() -> Mapping[str, Policy]:
    """Return the twelve policies that come with Watchword, by uid. They hold nowhere until a body decides so."""
    folder = package_files("watchword") / "content" / "policies"
    found = {}
    for item in sorted(folder.iterdir(), key=lambda each: each.name):
        if item.name.endswith(".yaml"):
            policy = read_policy(item.read_text(encoding="utf-8"), f"content/policies/{item.name}")
            found[policy.uid] = policy
    return found


def changed(policy: Policy, sets: Mapping[str, object]) -> tuple[Policy, list[str]]:
    """Return the policy with parameters set anew, and what is wrong with them (then the policy is as it was).

    Args:
        policy: As it is.
        sets: ``STATEMENT.KEY`` → plain value; a parameter may be added to a statement, none taken away.
    """
    faults: list[str] = []
    statements = {each.id: each for each in policy.statements}
    for name, raw in sets.items():
        uid, _, key = name.rpartition(".")
        if uid not in statements:
            faults.append(f"policy {policy.uid} has no statement {uid[:64]!r}")
            continue
        try:
            value = read_value(key, raw)
        except ValueError as error:
            faults.append(f"{name}: {error}")
            continue
        statements[uid] = replace(statements[uid], params={**statements[uid].params, key: value})
    if faults:
        return policy, faults
    return replace(policy, statements=tuple(statements[each.id] for each in policy.statements)), []


def policy_name(parameter: str) -> str:
    """Return the uid of the policy that a parameter's or a statement's name begins with."""
    return parameter.partition(".")[0]


@dataclass(slots=True)
class _Reader:
    document: Marked
    faults: list[Fault]

    def fault(self, message: str, *path: str | int, remedy: str = "") -> None:
        self.faults.append(self.document.fault(message, *path, remedy=remedy))

    def text(self, holder: Mapping[str, Any], key: str, *path: str | int) -> str:
        value = holder.get(key)
        if not isinstance(value, str) or not 0 < len(value.strip()) <= LONGEST:
            self.fault(f"lacks {key!r}, a text of 1 to {LONGEST:,} characters", *path, key, remedy=f"add {key}")
            return ""
        return " ".join(value.split())

    def words(self, holder: Mapping[str, Any], key: str, *path: str | int) -> tuple[str, ...]:
        value = holder.get(key, [])
        if not isinstance(value, list) or not all(isinstance(each, str) and each for each in value):
            self.fault(f"{key} is a list of words", *path, key)
            return ()
        return tuple(value)


def _policy(document: Marked) -> Policy:
    value = document.value
    if not isinstance(value, dict):
        raise ContentError([document.fault("a policy file is a mapping")])
    reader = _Reader(document, [document.fault(f"unknown key {key!r}", key, remedy="remove it") for key in value if key not in _KEYS])
    uid = str(value.get("policy", ""))
    if not NAME.fullmatch(uid):
        reader.fault("policy: lower-case words joined by hyphens, as in leaver-access", "policy")
    owner = value.get("owner")
    if not isinstance(owner, dict):
        reader.fault("a policy has an owner in each trade", "owner", remedy="owner: {it: ROLE, physical: ROLE}")
        owner = {"it": "?", "physical": "?"}
    title, purpose = reader.text(value, "title"), reader.text(value, "purpose")
    owner_it, owner_physical = reader.text(owner, "it", "owner"), reader.text(owner, "physical", "owner")
    entries = value.get("statements")
    if not isinstance(entries, list) or not 0 < len(entries) <= MOST_STATEMENTS:
        reader.fault(f"a policy has 1 to {MOST_STATEMENTS} statements", "statements")
        entries = []
    statements = [_statement(reader, uid, entry, index) for index, entry in enumerate(entries)]
    seen: set[str] = set()
    for index, each in enumerate(statements):
        if each is not None and each.id in seen:
            reader.fault(f"the statement {each.id!r} is there already", "statements", index, "id")
        seen |= {each.id} if each is not None else set()
    if reader.faults:
        raise ContentError(reader.faults)
    return Policy(uid, title, purpose, owner_it, owner_physical, tuple(each for each in statements if each is not None), document.name)


def _statement(reader: _Reader, policy: str, entry: Any, index: int) -> Statement | None:
    where: tuple[str | int, ...] = ("statements", index)
    if not isinstance(entry, dict):
        reader.fault("a statement is a mapping", *where)
        return None
    for key in entry:
        if key not in _STATEMENT_KEYS:
            reader.fault(f"unknown key {key!r}", *where, key, remedy="remove it")
    uid = str(entry.get("id", ""))
    if not re.fullmatch(re.escape(policy) + r"\.[1-9]\d?", uid):
        reader.fault(f"a statement's id is {policy}.NUMBER", *where, "id")
    params = entry.get("params", {})
    found: dict[str, Value] = {}
    if not isinstance(params, dict):
        reader.fault("params is a mapping", *where, "params")
        params = {}
    for key, raw in params.items():
        try:
            found[str(key)] = read_value(str(key), raw)
        except ValueError as error:
            reader.fault(f"{key}: {error}", *where, "params", key)
    scope = entry.get("scope") or {}
    if not isinstance(scope, dict) or not set(scope) <= set(_SCOPES):
        reader.fault("scope has places, roles and assets", *where, "scope")
        scope = {}
    return Statement(
        uid,
        reader.text(entry, "text", *where),
        found,
        reader.words(entry, "controls", *where),
        _date(reader, entry.get("review_by"), *where, "review_by"),
        Scope(*(reader.words(scope, name, *where, "scope") for name in _SCOPES)),
        reader.words(entry, "concerns", *where),
    )


def _date(reader: _Reader, raw: Any, *path: str | int) -> date:
    if isinstance(raw, date):
        return raw
    try:
        return date.fromisoformat(str(raw))
    except ValueError:
        reader.fault("a statement has a day by which it is reviewed", *path, remedy="review_by: 2027-06-30")
        return date.max


def params_differ(before: Policy | None, after: Policy) -> Sequence[tuple[str, str, str]]:
    """Return (name, value before, value after) of every parameter that differs; empty text where there was none."""
    old = before.parameters() if before is not None else {}
    new = after.parameters()
    return [
        (name, json.dumps(plain(old[name].value)) if name in old else "", json.dumps(plain(new[name].value)) if name in new else "")
        for name in sorted({*old, *new})
        if name not in old or name not in new or old[name].value != new[name].value
    ]
