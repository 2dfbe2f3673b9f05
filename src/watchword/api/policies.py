"""Policies over HTTP: what holds, which parameters act, conflicts, readings, exceptions, days dropped and held."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, Field

from watchword.api.bounds import Uid, Words
from watchword.api.identity import House, Reader, Steward
from watchword.api.problems import also
from watchword.app.retention import DroppedDay, Hold, Retention
from watchword.govern.conflict import Conflict
from watchword.govern.parameter import plain
from watchword.govern.policy import Policy, document_of, read_policy
from watchword.govern.policy_service import Acknowledgement, Applied, Draft, PolicyException

routes = APIRouter(tags=["policies"])
PolicyName = Annotated[str, Path(pattern=r"^[a-z][a-z0-9-]{0,63}$", description="As `leaver-access`.")]


class PolicyRead(BaseModel):
    """A policy: in force, or a text that nobody has decided on."""

    policy: dict[str, Any]
    hash: str
    version: int | None = Field(description="Null: it is not in force.")
    decision: str
    in_force: datetime | None


class PolicyList(BaseModel):
    """By name."""

    items: list[PolicyRead]


class VersionRead(BaseModel):
    """One version."""

    version: int
    hash: str
    decision: str
    in_force: datetime
    policy: dict[str, Any]


class PolicyDetail(PolicyRead):
    """A policy with its versions, exceptions and conflicts."""

    versions: list[VersionRead]
    exceptions: Sequence[PolicyException]
    conflicts: list[Conflict]


class ParameterRead(BaseModel):
    """A parameter in force."""

    name: str
    value: Any
    policy: str
    version: int
    decision: str


class ParameterList(BaseModel):
    """By name."""

    items: list[ParameterRead]


class AppliedList(BaseModel):
    """The newest first."""

    items: Sequence[Applied]


class Trial(BaseModel):
    """Parameters to be tried: nothing is changed."""

    model_config = ConfigDict(extra="forbid")

    sets: dict[str, Any] = Field(max_length=50, description="`STATEMENT.KEY` → value.")


class ConflictList(BaseModel):
    """Conflicts."""

    items: list[Conflict]


class DraftNew(BaseModel):
    """The text of a policy, as a file holds it."""

    model_config = ConfigDict(extra="forbid")

    text: str = Field(max_length=200_000)


class DraftRead(BaseModel):
    """A draft: a decision that sets `POLICY.draft` to its hash makes it a version."""

    policy: str
    hash: str
    by: str
    at: datetime


class RetentionRead(BaseModel):
    """What is kept, what is over and stays, what went."""

    kept_for_days: float | None
    due: list[date]
    held: list[tuple[date, str]]
    dropped: list[DroppedDay]
    holds: list[Hold]


class HoldNew(BaseModel):
    """Days of which nothing is dropped."""

    model_config = ConfigDict(extra="forbid")

    reason: Words
    since: date | None = None
    until: date | None = None


class Reason(BaseModel):
    """Why."""

    model_config = ConfigDict(extra="forbid")

    reason: Words


def _read(watchword: House, uid: str) -> PolicyRead:
    kept = watchword.governance.policies
    version = kept.in_force().get(uid)
    policy: Policy = version.policy if version is not None else kept.get(uid)
    if version is None:
        return PolicyRead(policy=document_of(policy), hash=policy.hash, version=None, decision="", in_force=None)
    return PolicyRead(
        policy=document_of(policy), hash=version.hash, version=version.version, decision=version.decision, in_force=version.in_force
    )


@routes.get("/policies", summary="List policies")
def list_policies(watchword: House, _: Reader) -> PolicyList:
    """Those in force and those that nobody has decided on."""
    return PolicyList(items=[_read(watchword, uid) for uid in watchword.governance.policies.names()])


@routes.get("/policies/parameters", summary="List parameters in force")
def list_parameters(watchword: House, _: Reader) -> ParameterList:
    """What machines and people are bound by now."""
    found = watchword.governance.policies.parameters()
    return ParameterList(
        items=[
            ParameterRead(name=each.name, value=plain(each.value), policy=each.policy, version=each.version, decision=each.decision)
            for _name, each in sorted(found.items())
        ]
    )


@routes.get("/policies/applied", summary="List what began to act")
def list_applied(watchword: House, _: Reader) -> AppliedList:
    """The moments at which running processes took up a parameter."""
    return AppliedList(items=watchword.governance.policies.applied())


@routes.get("/policies/conflicts", summary="List conflicts")
def list_conflicts(watchword: House, _: Reader) -> ConflictList:
    """Between statements in force whose scopes overlap."""
    return ConflictList(items=list(watchword.governance.policies.conflicts()))


@routes.post("/policies/try", summary="Try parameters")
def try_parameters(watchword: House, _: Reader, new: Trial) -> ConflictList:
    """Which conflicts would be new; nothing is changed."""
    return ConflictList(items=list(watchword.governance.policies.conflicts_with(new.sets)))


@routes.post("/policies/drafts", status_code=201, summary="Keep a draft")
def put_draft(watchword: House, caller: Steward, new: DraftNew) -> DraftRead:
    """Keep a policy's text for a body to decide on."""
    draft: Draft = watchword.governance.policies.put_draft(read_policy(new.text, "text"), by=caller.name)
    return DraftRead(policy=draft.policy.uid, hash=draft.hash, by=draft.by, at=draft.at)


@routes.get("/policies/retention", summary="Read retention")
def read_retention(watchword: House, _: Reader) -> RetentionRead:
    """Days of the event log: what goes next, what stays and why, what went."""
    retention = Retention(watchword)
    plan = retention.plan(watchword.clock.now())
    days = plan.kept_for.total_seconds() / 86_400 if plan.kept_for is not None else None
    return RetentionRead(kept_for_days=days, due=list(plan.due), held=list(plan.held), dropped=retention.days(), holds=retention.holds())


@routes.post("/policies/retention/holds", status_code=201, summary="Hold days")
def hold(watchword: House, caller: Steward, new: HoldNew) -> Hold:
    """Order that nothing that arrived on these days is dropped."""
    return Retention(watchword).hold(new.reason, new.since, new.until, by=caller.name)


@routes.post("/policies/retention/holds/{uid}/release", status_code=204, responses=also(404), summary="Release a hold")
def release(watchword: House, caller: Steward, uid: Uid, new: Reason) -> None:
    """End a hold."""
    Retention(watchword).release(uid, new.reason, by=caller.name)


@routes.get("/policies/{policy}", responses=also(404), summary="Read a policy")
def read(watchword: House, _: Reader, policy: PolicyName) -> PolicyDetail:
    """One policy with its versions, exceptions and conflicts."""
    kept = watchword.governance.policies
    head = _read(watchword, policy)
    versions = [
        VersionRead(version=each.version, hash=each.hash, decision=each.decision, in_force=each.in_force, policy=document_of(each.policy))
        for each in kept.versions(policy)
    ]
    mine = [each for each in kept.conflicts() if each.one.startswith(policy + ".") or each.other.startswith(policy + ".")]
    return PolicyDetail(**head.model_dump(), versions=versions, exceptions=kept.exceptions(policy), conflicts=mine)


@routes.post("/policies/{policy}/read", responses=also(404), summary="Acknowledge a policy")
def acknowledge(watchword: House, caller: Reader, policy: PolicyName) -> Acknowledgement:
    """Say that one has read what concerns one's role."""
    return watchword.governance.policies.acknowledge(policy, account=caller.name, roles=[caller.role])


@routes.post("/policies/exceptions/{uid}/end", status_code=204, responses=also(404), summary="End an exception")
def end_exception(watchword: House, caller: Steward, uid: Uid, new: Reason) -> None:
    """End an exception before its time; `uid` is that of its decision."""
    watchword.governance.policies.end_exception(uid, by=caller.name, reason=new.reason)
