"""Tracing: walks from any thing up to the Decisions that caused it, and down to the raw records that it rests on."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Final

from watchword.app.parameters import LANDINGS, landings_of
from watchword.app.trace_titles import title_of
from watchword.detect.service import FindingFilter
from watchword.govern.policy_service import PolicyVersion
from watchword.govern.trace import MOST, Edge, Node, NodeKind, Trace
from watchword.kit.errors import NotFound
from watchword.model import EventQuery
from watchword.model.decision import Direction

if TYPE_CHECKING:
    from watchword.app.watchword import Watchword

K = NodeKind
FEW: Final = 5
"""Things of one kind that a step shows: the newest."""
LOOKED_AT: Final = 100
INPUTS: Final = {
    "event": K.EVENT,
    "finding": K.FINDING,
    "incident": K.INCIDENT,
    "run": K.RUN,
    "decision": K.DECISION,
    "policy": K.POLICY,
    "source": K.SOURCE,
    "evidence": K.EVIDENCE,
    "metric": K.METRIC,
}
"""Kinds of what a value or a piece of evidence was computed from → what they are in a trace."""
Steps = Iterator[Edge]


class Tracer:
    """Reads the links that the rooms keep; it keeps nothing itself, so a trace is never staler than they are."""

    def __init__(self, watchword: "Watchword") -> None:
        self._house = watchword
        self._versions: dict[str, list[PolicyVersion]] = {}
        self._down: dict[NodeKind, Callable[[str], Steps]] = {
            K.DECISION: self._decision_down,
            K.POLICY: self._policy_down,
            K.STATEMENT: self._statement_down,
            K.PARAMETER: self._parameter_down,
            K.LANDING: self._landing_down,
            K.CONTROL: self._control_down,
            K.TEST: self._test_down,
            K.EVIDENCE: self._evidence_down,
            K.MEASURE: self._measure_down,
            K.METRIC: self._metric_down,
            K.INCIDENT: self._incident_down,
            K.FINDING: self._finding_down,
            K.EVENT: self._event_down,
        }
        self._up: dict[NodeKind, Callable[[str], Steps]] = {
            K.POLICY: self._policy_up,
            K.STATEMENT: self._statement_up,
            K.PARAMETER: self._parameter_up,
            K.LANDING: self._landing_up,
            K.CONTROL: self._control_up,
            K.TEST: self._test_up,
            K.EVIDENCE: self._evidence_up,
            K.MEASURE: self._measure_up,
            K.METRIC: self._metric_up,
            K.FINDING: self._finding_up,
            K.EVENT: self._event_up,
            K.RECORD: self._record_up,
        }

    def trace(self, kind: str, uid: str, at: datetime | None = None) -> Trace:
        """Return everything between the Decisions above a thing and the records below it.

        Args:
            kind: What it is, as `NodeKind` names it.
            uid: Its uid, name or id.
            at: Only links that were true then; None: all, with their times.

        Raises:
            NotFound: there is no such kind of thing, or nothing is known of it.
        """
        try:
            root = Node(NodeKind(kind), uid)
        except ValueError as error:
            raise NotFound(f"a trace begins at one of {', '.join(each.value for each in NodeKind)}") from error
        if root.kind is K.POLICY and "@" not in uid:
            root = Node(K.POLICY, self._newest(uid))
        cut = False
        edges: dict[Edge, None] = {}
        for ways in (self._up, self._down):
            cut |= self._walk(root, ways, edges, at)
        if not edges:
            raise NotFound(f"nothing is linked with {kind} {uid}")
        nodes = {root, *(each for edge in edges for each in (edge.source, edge.target))}
        return Trace(root, tuple(edges), {each: title_of(self._house, each) for each in nodes}, cut)

    def walk_to_bytes(self, decision: str) -> list[Edge]:
        """Return the shortest way from a Decision to a raw record; empty: it rests on none (yet).

        Raises:
            NotFound: there is no such Decision.
        """
        self._house.governance.decisions.get(decision)
        try:
            found = self.trace(K.DECISION, decision)
        except NotFound:
            return []
        records = found.reaches(K.RECORD)
        return list(found.path(records[0])) if records else []

    def _walk(self, root: Node, ways: dict[NodeKind, Callable[[str], Steps]], edges: dict[Edge, None], at: datetime | None) -> bool:
        seen, waiting = {root}, deque([root])
        while waiting:
            here = waiting.popleft()
            follow = ways.get(here.kind)
            if follow is None:
                continue
            try:
                steps = list(follow(here.uid))
            except NotFound:
                continue
            for edge in steps:
                if not edge.holds(at):
                    continue
                other = edge.target if edge.source == here else edge.source
                if other not in seen:
                    if len(seen) >= MOST:
                        return True
                    seen.add(other)
                    waiting.append(other)
                edges.setdefault(edge)
        return False

    # decisions and policies

    def _decision_down(self, uid: str) -> Steps:
        governance, here = self._house.governance, Node(K.DECISION, uid)
        decision = governance.decisions.get(uid)
        for version in governance.policies.of_decision(uid):
            yield Edge(here, "made", self._policy_node(version), version.in_force, self._until(version))
        for exception in governance.policies.exceptions(decision=uid):
            yield Edge(here, "excepts from", Node(K.STATEMENT, exception.statement), exception.since, exception.ended)
        if decision.expects.direction is not Direction.NONE:
            yield Edge(here, "expects to move", Node(K.MEASURE, decision.expects.metric), decision.in_force)
        for metric in decision.metrics[:FEW]:
            yield Edge(here, "stood on", Node(K.METRIC, metric), decision.decided)
        effect = governance.retrospectives.effect(uid)
        for metric in effect.verdict.metrics[-FEW:] if effect is not None else ():
            yield Edge(here, "is judged by", Node(K.METRIC, metric), decision.in_force)
        if decision.subject and decision.kind == "exception" and decision.subject in self._tested():
            yield Edge(here, "excepts from", Node(K.CONTROL, decision.subject), decision.in_force)

    def _policy_down(self, uid: str) -> Steps:
        version = self._version(uid)
        if version is not None:
            for statement in version.policy.statements:
                yield Edge(Node(K.POLICY, uid), "says", Node(K.STATEMENT, statement.id), version.in_force, self._until(version))

    def _policy_up(self, uid: str) -> Steps:
        version = self._version(uid)
        if version is not None:
            yield Edge(Node(K.DECISION, version.decision), "made", Node(K.POLICY, uid), version.in_force, self._until(version))

    def _statement_down(self, uid: str) -> Steps:
        version, here = self._of_statement(uid), Node(K.STATEMENT, uid)
        statement = version.policy.statement(uid) if version is not None else None
        if version is None or statement is None:
            return
        for key in statement.params:
            yield Edge(here, "sets", Node(K.PARAMETER, f"{uid}.{key}"), version.in_force)
        for control in statement.controls:
            yield Edge(here, "is carried by", Node(K.CONTROL, control), version.in_force)

    def _statement_up(self, uid: str) -> Steps:
        version = self._of_statement(uid)
        if version is not None:
            yield Edge(self._policy_node(version), "says", Node(K.STATEMENT, uid), version.in_force)

    def _parameter_down(self, uid: str) -> Steps:
        applied = {each.lands: each for each in reversed(self._house.governance.policies.applied(uid))}
        for landing in landings_of(uid):
            since = applied[landing.lands].at if landing.lands in applied else None
            yield Edge(Node(K.PARAMETER, uid), "is followed by", Node(K.LANDING, landing.lands), since)

    def _parameter_up(self, uid: str) -> Steps:
        statement = uid.rpartition(".")[0]
        version = self._of_statement(statement)
        yield Edge(Node(K.STATEMENT, statement), "sets", Node(K.PARAMETER, uid), version.in_force if version is not None else None)

    def _landing_down(self, uid: str) -> Steps:
        landing = next((each for each in LANDINGS if each.lands == uid), None)
        if landing is not None and landing.is_rule:
            found = self._house.findings.list(FindingFilter(rules=(landing.rule,)), limit=LOOKED_AT)
            seen = sorted(found, key=lambda kept: not kept.finding.events)  # those first that rest on events; else the newest
            for kept in seen[:FEW]:
                yield Edge(Node(K.LANDING, uid), "decides", Node(K.FINDING, kept.finding.uid), kept.finding.time)
        if landing is not None and landing.measure:
            yield Edge(Node(K.LANDING, uid), "decides", Node(K.MEASURE, landing.measure))

    def _landing_up(self, uid: str) -> Steps:
        for landing in LANDINGS:
            if landing.lands == uid and landing.parameter in self._house.governance.policies.parameters():
                yield Edge(Node(K.PARAMETER, landing.parameter), "is followed by", Node(K.LANDING, uid))

    # controls and evidence

    def _tested(self) -> set[str]:
        return {each.control for each in self._house.governance.controls.tests.values()}

    def _control_down(self, uid: str) -> Steps:
        for name, test in self._house.governance.controls.tests.items():
            if test.control == uid:
                yield Edge(Node(K.CONTROL, uid), "is tested by", Node(K.TEST, name))

    def _control_up(self, uid: str) -> Steps:
        for version in self._house.governance.policies.in_force().values():
            for statement in version.policy.statements:
                if uid in statement.controls:
                    yield Edge(Node(K.STATEMENT, statement.id), "is carried by", Node(K.CONTROL, uid), version.in_force)

    def _test_down(self, uid: str) -> Steps:
        controls = self._house.governance.controls
        test = controls.tests.get(uid)
        if test is not None:
            for evidence in [each for each in controls.history(test.control) if each.test == uid][:FEW]:
                yield Edge(Node(K.TEST, uid), "gives", Node(K.EVIDENCE, evidence.uid), evidence.collected, evidence.expires)

    def _test_up(self, uid: str) -> Steps:
        test = self._house.governance.controls.tests.get(uid)
        if test is not None:
            yield Edge(Node(K.CONTROL, test.control), "is tested by", Node(K.TEST, uid))

    def _evidence_down(self, uid: str) -> Steps:
        yield from self._read(Node(K.EVIDENCE, uid), self._house.governance.controls.inputs(uid))

    def _evidence_up(self, uid: str) -> Steps:
        evidence = self._house.governance.controls.evidence(uid)
        above = Node(K.TEST, evidence.test) if evidence.test else Node(K.CONTROL, evidence.control)
        yield Edge(above, "gives", Node(K.EVIDENCE, uid), evidence.collected, evidence.expires)

    # measures

    def _measure_down(self, uid: str) -> Steps:
        values = [*self._house.measures.metrics.series(uid)[-FEW:]]
        latest = self._house.measures.metrics.latest(uid)
        for metric in {each.uid: each for each in [*values, *([latest] if latest is not None else [])]}.values():
            yield Edge(Node(K.MEASURE, uid), "has the value", Node(K.METRIC, metric.uid), metric.window.until)

    def _measure_up(self, uid: str) -> Steps:
        for decision in self._house.governance.decisions.list():
            if decision.expects.metric == uid:
                yield Edge(Node(K.DECISION, decision.uid), "expects to move", Node(K.MEASURE, uid), decision.in_force)

    def _metric_down(self, uid: str) -> Steps:
        yield from self._read(Node(K.METRIC, uid), self._house.measures.metrics.inputs(uid))

    def _metric_up(self, uid: str) -> Steps:
        metric = self._house.measures.metrics.get(uid)
        yield Edge(Node(K.MEASURE, metric.name), "has the value", Node(K.METRIC, uid), metric.window.until)
        for decision in self._house.governance.decisions.list():
            if uid in decision.metrics:
                yield Edge(Node(K.DECISION, decision.uid), "stood on", Node(K.METRIC, uid), decision.decided)

    def _read(self, here: Node, inputs: Iterable[tuple[str, str]]) -> Steps:
        shown: dict[str, int] = {}
        for kind, uid in inputs:
            if kind in INPUTS and shown.get(kind, 0) < FEW:
                shown[kind] = shown.get(kind, 0) + 1
                yield Edge(here, "was computed from", Node(INPUTS[kind], uid))

    # down to the bytes

    def _incident_down(self, uid: str) -> Steps:
        incident = self._house.response.incidents.get(uid).incident
        for finding in incident.findings[:FEW]:
            yield Edge(Node(K.INCIDENT, uid), "is about", Node(K.FINDING, finding), incident.opened_at)

    def _finding_down(self, uid: str) -> Steps:
        for event in self._house.findings.get(uid).finding.events[:FEW]:
            yield Edge(Node(K.FINDING, uid), "rests on", Node(K.EVENT, event))

    def _finding_up(self, uid: str) -> Steps:
        finding = self._house.findings.get(uid).finding
        for landing in LANDINGS:
            if landing.rule == finding.rule and landing.parameter in self._house.governance.policies.parameters():
                yield Edge(Node(K.LANDING, landing.lands), "decides", Node(K.FINDING, uid), finding.time)

    def _event_down(self, uid: str) -> Steps:
        for event in self._house.events.events(EventQuery(uids=(uid,), limit=1)):
            yield Edge(Node(K.EVENT, uid), "was read from", Node(K.RECORD, event.record), event.received)

    def _event_up(self, uid: str) -> Steps:
        for finding in self._house.findings.of_events([uid]).get(uid, ())[:FEW]:
            yield Edge(Node(K.FINDING, finding), "rests on", Node(K.EVENT, uid))

    def _record_up(self, uid: str) -> Steps:
        for event in self._house.events.events(EventQuery(records=(uid,), limit=FEW)):
            yield Edge(Node(K.EVENT, event.uid), "was read from", Node(K.RECORD, uid), event.received)

    # versions

    def _history(self, policy: str) -> list[PolicyVersion]:
        if policy not in self._versions:
            self._versions[policy] = list(self._house.governance.policies.versions(policy))
        return self._versions[policy]

    def _newest(self, policy: str) -> str:
        found = self._house.governance.policies.in_force().get(policy)
        return f"{policy}@{found.version}" if found is not None else policy

    def _version(self, uid: str) -> PolicyVersion | None:
        policy, _, number = uid.partition("@")
        return next((each for each in self._history(policy) if str(each.version) == number), None)

    def _of_statement(self, uid: str) -> PolicyVersion | None:
        found = self._house.governance.policies.in_force().get(uid.partition(".")[0])
        return found if found is not None and found.policy.statement(uid) is not None else None

    def _policy_node(self, version: PolicyVersion) -> Node:
        return Node(K.POLICY, f"{version.policy.uid}@{version.version}")

    def _until(self, version: PolicyVersion) -> datetime | None:
        later = [each.in_force for each in self._history(version.policy.uid) if each.version == version.version + 1]
        return later[0] if later else None
