"""Traces: why a thing is there, up to the Decisions; and what it did, down to the records that arrived."""

from typing import Any, Final

from fastapi import APIRouter
from starlette.responses import Response

from watchword.app.tracing import Tracer
from watchword.govern.trace import Edge, Node, NodeKind, Trace
from watchword.web.pages import Asked

router = APIRouter()
ORDER: Final = tuple(NodeKind)
PERSONAL: Final = (NodeKind.EVENT, NodeKind.RECORD)
LINKS: Final = {
    NodeKind.DECISION: "/decisions/{}",
    NodeKind.CONTROL: "/controls/{}",
    NodeKind.EVIDENCE: "/controls/evidence/{}",
    NodeKind.MEASURE: "/metrics/{}",
    NodeKind.FINDING: "/findings/{}",
    NodeKind.INCIDENT: "/incidents/{}",
    NodeKind.RUN: "/runs/{}",
    NodeKind.SOURCE: "/sources/{}",
    NodeKind.EVENT: "/events/{}",
}
"""Where a thing has its own page; `/policies` and `/trace` serve the others."""
WORDS: Final = {
    NodeKind.DECISION: "Decisions",
    NodeKind.POLICY: "Policy versions",
    NodeKind.STATEMENT: "Statements",
    NodeKind.PARAMETER: "Parameters",
    NodeKind.LANDING: "What follows them",
    NodeKind.CONTROL: "Controls",
    NodeKind.TEST: "Tests",
    NodeKind.EVIDENCE: "Evidence",
    NodeKind.METRIC: "Values",
    NodeKind.MEASURE: "Measures",
    NodeKind.FINDING: "Findings",
    NodeKind.INCIDENT: "Incidents",
    NodeKind.EVENT: "Events",
    NodeKind.RECORD: "Raw records",
    NodeKind.RUN: "Runs",
    NodeKind.SOURCE: "Sources",
    NodeKind.RISK: "Risks",
}


def link_of(node: Node) -> str:
    """Return where a thing is shown."""
    if node.kind in {NodeKind.POLICY, NodeKind.STATEMENT, NodeKind.PARAMETER}:
        return "/policies/" + node.uid.partition("@")[0].partition(".")[0]
    return LINKS[node.kind].format(node.uid) if node.kind in LINKS else f"/trace/{node.kind.value}/{node.uid}"


@router.get("/trace/{kind}/{uid:path}")
def trace(ask: Asked, kind: str, uid: str) -> Response:
    """Show everything between the Decisions above a thing and the records below it."""
    found = Tracer(ask.watchword).trace(kind, uid)
    return ask.page("trace/trace.html", **context_of(found))


def context_of(found: Trace) -> dict[str, Any]:
    """Return a trace as columns of things by kind, the steps between them, and the shortest way to the bytes."""
    groups: dict[NodeKind, list[Node]] = {}
    for node in found.nodes():
        groups.setdefault(node.kind, []).append(node)
    records, decisions = found.reaches(NodeKind.RECORD), found.reaches(NodeKind.DECISION)
    return {
        "trace": found,
        "groups": [(WORDS[kind], groups[kind]) for kind in ORDER if kind in groups],
        "down": _way(found, records[0]) if records else [],
        "ups": [_way(found, each) for each in decisions if each != found.root],
        "edges": sorted(found.edges, key=lambda edge: (ORDER.index(edge.source.kind), edge.source.uid, edge.target)),
        "link": link_of,
        "kinds": NodeKind,
    }


def _way(found: Trace, target: Node) -> list[tuple[Edge, Node, Node]]:
    """Return the steps to a thing with the two ends of each as they are walked."""
    steps, here = [], found.root
    for edge in found.path(target):
        other = edge.target if edge.source == here else edge.source
        steps.append((edge, here, other))
        here = other
    return steps
