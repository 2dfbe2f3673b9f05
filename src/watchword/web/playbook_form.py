"""What the editor's page shows: the draft's picture, its steps with what is wrong in each, and the values of the form that is open."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from watchword.kit.duration import say_duration
from watchword.model.incident import IncidentRole
from watchword.respond.cacao import playbook_of
from watchword.respond.extensions import PLAYBOOK, STEP
from watchword.respond.lint import Fault
from watchword.respond.playbook_edit import KINDS, inside, next_key, step_of, steps_of, ways_in
from watchword.respond.playbook_flow import Flow, flow_of
from watchword.respond.playbook_words import command_text, party, title_of
from watchword.respond.variables import TYPES
from watchword.web.pages import Ask
from watchword.web.playbook_fields import TIMERS
from watchword.web.playbook_graph import playbook_svg

if TYPE_CHECKING:
    from watchword.web.playbook_editor import Draft

MEMBERS: Final[Mapping[str, str]] = {
    "name": "name",
    "description": "description",
    "delay": "delay",
    "timeout": "timeout",
    "commands": "text",
    "agent": "agent",
    "in_args": "in_args",
    "out_args": "out_args",
    "condition": "condition",
    "switch": "switch",
    "cases": "cases",
    "next_steps": "ways",
    "on_failure": "on_failure",
    "playbook_id": "playbook_id",
    "playbook_version": "playbook_version",
    "playbook_types": "playbook_types",
    "playbook_activities": "playbook_activities",
    "valid_from": "valid_from",
    "valid_until": "valid_until",
    "priority": "priority",
    "severity": "severity",
    "impact": "impact",
    "raci": "raci",
    "approvals": "approvals",
    "sla_timers": "sla_timers",
    "evidence": "evidence",
    "catalogue_action": "action",
    "loop_limit": "loop_limit",
    "triggers": "triggers",
    "teams": "teams",
    "review_due": "review_due",
}
"""Member of the JSON → the field that it is typed in."""
PLAYBOOK_TYPES: Final = ("detection", "investigation", "mitigation", "remediation", "notification", "prevention", "engagement", "attack")
ACTIVITIES: Final = (
    *("compose-content", "deliver-content", "identify-audience", "identify-channel", "scan-system", "match-indicator"),
    *("analyze-collected-data", "identify-indicators", "scan-vulnerabilities", "configure-systems", "restrict-access"),
    *("disconnect-system", "eliminate-risk", "revert-system", "restore-data", "restore-capabilities", "map-network"),
    *("identify-steps", "step-sequence", "prepare-engagement", "execute-operation", "analyze-engagement-results"),
)
"""The open terms of the specification for what a playbook does."""
AGENT_TYPES: Final = ("group", "individual", "organization", "location")
TEAMS: Final = ("it", "physical", "management")
MOST_SHOWN: Final = 300
SPARE_ROWS: Final = 3


class Loose(dict[str, Any]):
    """A JSON object in which a template finds nothing where nothing is said."""

    def __missing__(self, key: str) -> str:
        """Return the empty text."""
        del key
        return ""


def loose(value: Any) -> Any:
    """Return JSON with `Loose` objects; what is no object where one is expected is an empty one for the template."""
    if isinstance(value, dict):
        return Loose({key: loose(one) for key, one in value.items()})
    return [loose(one) for one in value] if isinstance(value, list) else value


def editor_context(ask: Ask, draft: "Draft", part: str, chosen: str, faults: Sequence[Fault]) -> dict[str, Any]:
    """Return everything that the editor's page shows."""
    playbook = playbook_of(draft.value)
    flow = flow_of(playbook)
    by_number = {str(number): name for name, number in flow.numbers.items()}
    chosen = by_number.get(chosen, chosen)
    step = steps_of(draft.value).get(chosen) if part == "step" else None
    counts = Counter(name for fault in faults if fault.severity == "error" if (name := _step_at(fault)))
    link = f"/playbooks/{draft.id}/edit?step={{}}#form"
    beside, rest = _beside(faults, chosen if step is not None else "", part)
    context: dict[str, Any] = {
        "draft": draft,
        "value": loose({key: one for key, one in draft.value.items() if key != "workflow"}),
        "name": playbook.name or "without a name",
        "part": part if step is not None or part != "step" else "head",
        "picture": playbook_svg(playbook, flow=flow, link=link, chosen=chosen, faulty=frozenset(counts)),
        "steps": _listed(playbook, flow, counts),
        "step_count": len(flow.numbers),
        "chosen": chosen,
        "step": None if step is None else loose(step),
        "faults": faults,
        "errors": sum(fault.severity == "error" for fault in faults),
        "beside": beside,
        "shown": rest,
        "kinds": KINDS,
        "party": party,
        "teams": TEAMS,
        "parties": [*TEAMS, *(role.value for role in IncidentRole)],
        "variables": list(playbook.playbook_variables),
        "verbs": [(verb.name, f"{verb.name}: {verb.says}"[:90]) for verb in ask.watchword.response.gateway.catalogue],
        "fields": sorted(set(MEMBERS.values())),
    }
    if step is not None:
        return context | _step_context(ask, draft, flow, chosen)
    if context["part"] == "variables":
        return context | {"rows": _variable_rows(draft.value), "types": sorted(TYPES)}
    if context["part"] == "agents":
        return context | {"rows": _agent_rows(draft.value), "types": AGENT_TYPES}
    return context | _head_context(draft.value)


def _listed(playbook: Any, flow: Flow, counts: Mapping[str, int]) -> list[dict[str, Any]]:
    names = [name for name in (*flow.order, *flow.unreached) if name in flow.numbers][:MOST_SHOWN]
    return [
        {
            "id": name,
            "number": flow.numbers[name],
            "title": title_of(playbook.workflow[name]),
            "errors": counts.get(name, 0),
            "loose": name in flow.unreached,
        }
        for name in names
    ]


def _step_at(fault: Fault) -> str:
    parts = fault.at.split("/")
    return parts[2].replace("~1", "/").replace("~0", "~") if len(parts) > 2 and parts[1] == "workflow" else ""


def _beside(faults: Sequence[Fault], chosen: str, part: str) -> tuple[dict[str, str], list[Fault]]:
    """Return what to say beside each field of the open form, and the faults that concern the form but none of its fields."""
    found: dict[str, str] = {}
    rest = []
    for fault in faults:
        parts = fault.at.split("/")[1:]
        if chosen:
            if _step_at(fault) != chosen:
                continue
            parts = parts[2:]
        elif part != "head" or parts[:1] in (["workflow"], ["playbook_variables"], ["agent_definitions"]):
            continue
        if parts[:1] in (["step_extensions"], ["playbook_extensions"]):
            parts = parts[2:]
        field = MEMBERS.get(parts[0], "") if parts else ""
        if field:
            found[field] = f"{found[field]}; {fault.text}"[:600] if field in found else fault.text
        else:
            rest.append(fault)
    return found, rest


def _head_context(value: Mapping[str, Any]) -> dict[str, Any]:
    ours = _ours(value.get("playbook_extensions"), PLAYBOOK)
    triggers = ours.get("triggers") if isinstance(ours.get("triggers"), dict) else {}
    return {
        "ours": loose(ours),
        "triggers": loose(triggers or {}),
        "playbook_types": PLAYBOOK_TYPES,
        "activities": ACTIVITIES,
        "has_exception": value.get("workflow_exception") in steps_of(value),
    }


def _ours(extensions: Any, name: str) -> dict[str, Any]:
    found = extensions.get(name) if isinstance(extensions, dict) else None
    return dict(found) if isinstance(found, dict) else {}


def _variable_rows(value: Mapping[str, Any]) -> list[Loose]:
    variables = value.get("playbook_variables")
    known = list(variables.items())[:97] if isinstance(variables, dict) else []
    rows = [Loose({"value": None, **one, "name": name}) for name, one in known if isinstance(one, dict)]
    return [*rows, *(Loose(name="", value=None) for _ in range(SPARE_ROWS))]


def _agent_rows(value: Mapping[str, Any]) -> list[Loose]:
    agents = value.get("agent_definitions")
    known = list(agents.items())[:98] if isinstance(agents, dict) else []
    return [*(Loose({**one, "id": name}) for name, one in known if isinstance(one, dict)), Loose()]


def _step_context(ask: Ask, draft: "Draft", flow: Flow, chosen: str) -> dict[str, Any]:
    value, step = draft.value, step_of(draft.value, chosen)
    ours = _ours(step.get("step_extensions"), STEP)
    commands = [one for one in step.get("commands") or [] if isinstance(one, dict)]
    playbook = playbook_of(value)
    typed = playbook.workflow[chosen]
    action = ours.get("catalogue_action") if isinstance(ours.get("catalogue_action"), dict) else {}
    target = (action or {}).get("target", [])
    timers = [one for one in ours.get("sla_timers") or [] if isinstance(one, dict)][:TIMERS]
    within, steps = inside(value, chosen), steps_of(value)
    numbered = [(name, flow.numbers[name], title_of(playbook.workflow[name])) for name in flow.order if name in flow.numbers]
    places = [(name, f"after {number}. {title[:60]}") for name, number, title in numbered if name != chosen and name not in within]
    places += [
        (f"{name} {way}", f"first in {number}. {title[:50]}, {_way_word(way)}")
        for name, number, title in numbered
        if name != chosen and name not in within
        for way, _ in ways_in(steps[name])
    ]
    agents = value.get("agent_definitions")
    start = str(value.get("workflow_start", ""))
    return {
        "number": flow.numbers.get(chosen, 0),
        "title": title_of(typed),
        "kind": step.get("type"),
        "manual": not commands or commands[0].get("type") == "manual",
        "text": commands[0].get("command", "") if commands and commands[0].get("type") == "manual" else "",
        "foreign": [command_text(one) for one in getattr(typed, "commands", ())],
        "ours": loose(ours),
        **{name: loose(ours[name] if isinstance(ours.get(name), dict) else {}) for name in ("raci", "approvals", "evidence")},
        "timers": [*(loose(one) for one in timers), *(Loose() for _ in range(TIMERS - len(timers)))],
        "action": loose(action or {}),
        "targets": "\n".join(target) if isinstance(target, list) and all(isinstance(one, str) for one in target) else str(target),
        "verb": ask.watchword.response.gateway.catalogue.verbs.get((action or {}).get("name", "")),
        "ways": [(way, _way_word(way), head, steps.get(head, {}).get("type") == "end") for way, head in ways_in(step)],
        "places": ([(start, "at the very beginning")] if start in steps else []) + places,
        "agents": [(name, one.get("name") or name) for name, one in agents.items() if isinstance(one, dict)]
        if isinstance(agents, dict)
        else [],
        "failure_steps": [(name, f"{number}. {title[:60]}") for name, number, title in numbered if name != chosen],
        "delay": _time(step.get("delay")),
        "timeout": _time(step.get("timeout")),
        "playbooks": sorted(ask.watchword.response.library.names().items(), key=lambda pair: pair[1])
        if step.get("type") == "playbook-action"
        else [],
        "follows": str(step.get(next_key(step), "")),
    }


def _way_word(way: str) -> str:
    if way.isdigit():
        return f"branch {int(way) + 1}"
    return {"on_true": "yes", "on_false": "no", "case:default": "otherwise"}.get(way, way.removeprefix("case:")[:60])


def _time(value: Any) -> str:
    """Return milliseconds as a duration; what is none as it stands."""
    if isinstance(value, bool) or not isinstance(value, int):
        return "" if value is None else str(value)[:60]
    return say_duration(timedelta(milliseconds=min(value, 10**13))) if value > 0 else str(value)
