"""What the things of a trace are called: one line each, in the trade's words."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

from watchword.app.parameters import LANDINGS
from watchword.govern.parameter import KEYS, say_value
from watchword.govern.trace import Node, NodeKind
from watchword.kit.errors import NotFound
from watchword.model import EventQuery

if TYPE_CHECKING:
    from watchword.app.watchword import Watchword

LONGEST: Final = 240


def title_of(house: "Watchword", node: Node) -> str:
    """Return what a thing is called; its uid where nothing is known of it (any more)."""
    make = _TITLES.get(node.kind)
    try:
        return make(house, node.uid)[:LONGEST] if make is not None else node.uid
    except NotFound:
        return node.uid


def _decision(house: "Watchword", uid: str) -> str:
    decision = house.governance.decisions.get(uid)
    return f"Decision {decision.number}: {decision.question}"


def _policy(house: "Watchword", uid: str) -> str:
    name, _, number = uid.partition("@")
    return f"{house.governance.policies.get(name).title}, " + (f"version {number}" if number else "not in force")


def _statement(house: "Watchword", uid: str) -> str:
    statement = house.governance.policies.get(uid.partition(".")[0]).statement(uid)
    return f"{uid}: {statement.text}" if statement is not None else uid


def _parameter(house: "Watchword", uid: str) -> str:
    parameter = house.governance.policies.parameters().get(uid)
    key = uid.rpartition(".")[2]
    words = KEYS[key].words if key in KEYS else key
    return f"{words} {say_value(parameter.value)}" if parameter is not None else words


def _landing(house: "Watchword", uid: str) -> str:
    del house
    return next((each.words for each in LANDINGS if each.lands == uid), uid)


def _control(house: "Watchword", uid: str) -> str:
    found = next((each.title for each in house.governance.controls.tests.values() if each.control == uid), "")
    return f"{uid.upper()} {found}".strip()


def _test(house: "Watchword", uid: str) -> str:
    test = house.governance.controls.tests.get(uid)
    return f"{test.title}: passes when {test.passes}" if test is not None else uid


def _evidence(house: "Watchword", uid: str) -> str:
    evidence = house.governance.controls.evidence(uid)
    return f"{evidence.result.value}: {evidence.because}"


def _measure(house: "Watchword", uid: str) -> str:
    return house.measures.metrics.definition(uid).title


def _metric(house: "Watchword", uid: str) -> str:
    metric = house.measures.metrics.get(uid)
    value = "unknown" if metric.value is None else f"{metric.value:.3g} {metric.unit}"
    return f"{_measure(house, metric.name)}: {value}, {metric.window.since:%d %b %Y} to {metric.window.until:%d %b %Y}"


def _finding(house: "Watchword", uid: str) -> str:
    return house.findings.get(uid).finding.because


def _incident(house: "Watchword", uid: str) -> str:
    incident = house.response.incidents.get(uid).incident
    return f"Incident {incident.number}: {incident.title}"


def _event(house: "Watchword", uid: str) -> str:
    found = house.events.events(EventQuery(uids=(uid,), limit=1))
    if not found:
        return f"{uid}, older than the log keeps"
    event = found[0]
    what = event.message if not event.person and event.message else f"an event of {event.source}"  # a trace names nobody
    return f"{event.time:%d %b %Y %H:%M:%S} UTC, {what}"


_TITLES: Final[Mapping[NodeKind, Callable[["Watchword", str], str]]] = {
    NodeKind.DECISION: _decision,
    NodeKind.POLICY: _policy,
    NodeKind.STATEMENT: _statement,
    NodeKind.PARAMETER: _parameter,
    NodeKind.LANDING: _landing,
    NodeKind.CONTROL: _control,
    NodeKind.TEST: _test,
    NodeKind.EVIDENCE: _evidence,
    NodeKind.MEASURE: _measure,
    NodeKind.METRIC: _metric,
    NodeKind.FINDING: _finding,
    NodeKind.INCIDENT: _incident,
    NodeKind.EVENT: _event,
}
