"""The editor's fields: what people type, as members of a playbook's JSON; what cannot be read is kept as typed, so that lint says so."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from watchword.kit.duration import read_duration
from watchword.kit.errors import InputError
from watchword.respond.catalogue import Catalogue
from watchword.respond.extensions import PLAYBOOK, STEP
from watchword.respond.playbook_edit import Value, rename_case, ways_in

Typed = Mapping[str, Sequence[str]]
"""A form: every value of every field."""
PARAMETER: Final = "p."
MOST_ROWS: Final = 100
TIMERS: Final = 3
LONGEST: Final = 20_000
HEAD_TEXTS: Final = ("name", "description", "valid_from", "valid_until")
HEAD_NUMBERS: Final = ("priority", "severity", "impact")


def one(typed: Typed, name: str, most: int = LONGEST) -> str:
    """Return a field's text, with lines ending as JSON's do."""
    values = typed.get(name) or ("",)
    return values[0].replace("\r\n", "\n").strip()[:most]


def words(typed: Typed, name: str) -> list[str]:
    """Return a field's words: of several boxes, or separated by commas."""
    found = [part.strip() for value in typed.get(name) or () for part in value.split(",")]
    return list(dict.fromkeys(part[:200] for part in found if part))[:MOST_ROWS]


def in_order(before: Any, chosen: list[str]) -> list[str]:
    """Return what is chosen in the order in which it stood before, what is new last: boxes know no order."""
    kept = [word for word in before if word in chosen] if isinstance(before, list) else []
    return [*dict.fromkeys(kept), *(word for word in chosen if word not in kept)]


def put(holder: Value, name: str, value: Any) -> None:
    """Set a member, or take it out when nothing is said."""
    if value in ("", None, [], {}):
        holder.pop(name, None)
    else:
        holder[name] = value


def set_head(value: Value, typed: Typed) -> None:
    """Take over what a playbook says of itself."""
    for name in HEAD_TEXTS:
        put(value, name, one(typed, name))
    value.setdefault("name", "")
    for name in HEAD_NUMBERS:
        put(value, name, _number(one(typed, name)))
    for name in ("playbook_types", "playbook_activities", "labels"):
        put(value, name, in_order(value.get(name), words(typed, name)))
    extensions = dict(value.get("playbook_extensions") or {})
    ours = dict(extensions.get(PLAYBOOK) or {})
    put(ours, "teams", in_order(ours.get("teams"), words(typed, "teams")))
    put(ours, "review_due", one(typed, "review_due"))
    rules = words(typed, "rules")
    put(ours, "triggers", {"rules": rules, "start": one(typed, "start") or "suggest"} if rules else None)
    put(extensions, PLAYBOOK, ours)
    put(value, "playbook_extensions", extensions)


def set_variables(value: Value, typed: Typed) -> None:
    """Take over the table of variables; a row without a name, or marked, is taken out. Foreign members of a row stay."""
    before = value.get("playbook_variables")
    known = before if isinstance(before, dict) else {}
    found: Value = {}
    for number in range(MOST_ROWS):
        row = f"{number}."
        name = one(typed, row + "name", 250)
        if not name or f"{row}remove" in typed:
            continue
        name = name if name.startswith("__") else f"__{name.strip('_')}__"
        if name in found:
            raise InputError(f"{name} is there twice: each variable has a name of its own", "variables")
        old = known.get(one(typed, row + "old"))
        kept = dict(old) if isinstance(old, dict) else {}
        kept["type"] = one(typed, row + "type", 40) or "string"
        given = one(typed, row + "value")
        kept["value"] = given if given or f"{row}known" in typed else None
        for flag in ("external", "constant"):
            put(kept, flag, True if row + flag in typed else None)
        put(kept, "description", one(typed, row + "description"))
        found[name] = kept
    rest = {name: variable for place, (name, variable) in enumerate(known.items()) if place >= MOST_ROWS - 1}
    put(value, "playbook_variables", {**found, **rest})


def set_agents(value: Value, typed: Typed, new_id: str) -> None:
    """Take over the table of those who carry steps out; one that a step still names stays."""
    agents = dict(value.get("agent_definitions") or {})
    named = {str(step.get("agent")) for step in value.get("workflow", {}).values() if isinstance(step, dict)}
    for number in range(MOST_ROWS):
        row = f"{number}."
        identifier, name = one(typed, row + "id", 250), one(typed, row + "name")
        if not identifier and name:
            kind = one(typed, row + "type", 40) or "group"
            agents[f"{kind}--{new_id}"] = {"type": kind, "name": name}
        elif identifier in agents and f"{row}remove" in typed:
            if identifier in named:
                raise InputError(f"{name or identifier} still carries out steps: give these to another first", "agents")
            agents.pop(identifier)
        elif identifier in agents and isinstance(agents[identifier], dict):
            agents[identifier] = {**agents[identifier], "name": name}
            put(agents[identifier], "description", one(typed, row + "description"))
    put(value, "agent_definitions", agents)


# one step


def set_step(step: Value, typed: Typed, catalogue: Catalogue) -> None:
    """Take over what is typed of a step."""
    for name in ("name", "description"):
        put(step, name, one(typed, name))
    for name in ("delay", "timeout"):
        put(step, name, _milliseconds(one(typed, name)))
    _set_failure(step, one(typed, "on_failure", 250))
    kind = step.get("type")
    if kind == "action":
        _set_action(step, typed)
    elif kind in {"if-condition", "while-condition"}:
        step["condition"] = one(typed, "condition")
    elif kind == "switch-condition":
        step["switch"] = _reference(one(typed, "switch", 250))
        for way, _ in ways_in(step):
            rename_case(step, way, one(typed, f"case.{way}", 250))
    elif kind == "playbook-action":
        step["playbook_id"] = one(typed, "playbook_id", 250)
        put(step, "playbook_version", one(typed, "playbook_version", 40))
        put(step, "in_args", words(typed, "in_args"))
        put(step, "out_args", words(typed, "out_args"))
    extensions = dict(step.get("step_extensions") or {})
    ours = dict(extensions.get(STEP) or {})
    _set_ours(step, ours, typed, catalogue)
    put(extensions, STEP, ours)
    put(step, "step_extensions", extensions)


def _set_failure(step: Value, target: str) -> None:
    if target and step.get("type") not in {"start", "end"}:
        if "on_completion" in step:
            step["on_success"] = step.pop("on_completion")
        step["on_failure"] = target
    elif "on_failure" in step:
        del step["on_failure"]
        if "on_success" in step and "on_completion" not in step:
            step["on_completion"] = step.pop("on_success")


def _set_action(step: Value, typed: Typed) -> None:
    commands = [dict(command) for command in step.get("commands") or [] if isinstance(command, dict)]
    if commands and commands[0].get("type") == "manual":
        commands[0].pop("command_b64", None)
        commands[0]["command"] = one(typed, "text")
        step["commands"] = commands
    step["agent"] = one(typed, "agent", 250)
    put(step, "out_args", words(typed, "out_args"))


def to_person(step: Value, text: str) -> None:
    """Let a person do what another product's commands did; they are kept whole beside it."""
    extensions = dict(step.get("step_extensions") or {})
    ours = dict(extensions.get(STEP) or {})
    if "mapped_from" not in ours:
        ours["mapped_from"] = {"commands": step.get("commands"), "agent": step.get("agent")}
    extensions[STEP] = ours
    step["step_extensions"] = extensions
    step["commands"] = [{"type": "manual", "command": text or "Say here what a person does"}]


def _set_ours(step: Value, ours: Value, typed: Typed, catalogue: Catalogue) -> None:
    raci: Value = dict(ours.get("raci") or {})
    for name in ("responsible", "accountable"):
        put(raci, name, one(typed, name, 60))
    for name in ("consulted", "informed"):
        put(raci, name, in_order(raci.get(name), words(typed, name)))
    put(ours, "raci", raci)
    timers = []
    for number in range(TIMERS):
        if within := one(typed, f"within.{number}", 40):
            breach = one(typed, f"on_breach.{number}", 20) or "page"
            timers.append({"clock": one(typed, f"clock.{number}", 40) or "complete", "within": within, "on_breach": breach})
    put(ours, "sla_timers", timers + list(ours.get("sla_timers") or [])[TIMERS:])
    _set_approvals(ours, typed)
    if step.get("type") == "while-condition":
        put(ours, "loop_limit", _number(one(typed, "loop_limit", 20)))
    put(ours, "continue_on_failure", True if "continue_on_failure" in typed else None)
    if step.get("type") == "action":
        minimum, kinds = _number(one(typed, "evidence_minimum", 20)), words(typed, "evidence_kinds")
        put(ours, "evidence", ({"kinds": kinds} if kinds else {}) | ({} if minimum is None else {"minimum": minimum}))
        _set_catalogue_action(ours, typed, catalogue)
        exercise = dict(ours.get("exercise") or {})
        if "talk" in typed:
            ours["exercise"] = {**exercise, "allowed": False}
        elif exercise.get("allowed") is False:
            put(ours, "exercise", {key: kept for key, kept in exercise.items() if key != "allowed"})


def _set_approvals(ours: Value, typed: Typed) -> None:
    hazard, count, teams = one(typed, "hazard", 4), _number(one(typed, "count", 20)), words(typed, "approve_teams")
    if not hazard and count is None:
        ours.pop("approvals", None)
        return
    before = ours.get("approvals") or {}
    kept = {key: held for key, held in before.items() if key not in {"hazard", "count", "teams"}}
    if hazard:  # written 2 or H2: as it was
        kept["hazard"] = before["hazard"] if str(before.get("hazard")).removeprefix("H") == hazard else _number(hazard)
    kept |= {} if count is None else {"count": count}
    if teams:
        kept["teams"] = in_order(before.get("teams"), teams)
    elif (many := _number(one(typed, "team_count", 20))) is not None:
        kept["teams"] = many
    if "include_requester" in typed or "exclude_requester" in before:
        kept["exclude_requester"] = "include_requester" not in typed
    put(kept, "expires_after", one(typed, "expires_after", 40))
    ours["approvals"] = kept


def _set_catalogue_action(ours: Value, typed: Typed, catalogue: Catalogue) -> None:
    name = one(typed, "verb", 100)
    if not name:
        ours.pop("catalogue_action", None)
        return
    before = ours.get("catalogue_action") or {}
    known = catalogue.verbs[name].parameters if name in catalogue.verbs else {}
    parameters = (
        {} if before.get("name") != name else {key: kept for key, kept in (before.get("parameters") or {}).items() if key not in known}
    )
    for key in known:
        if given := one(typed, PARAMETER + key):
            parameters[key] = given
    action: Value = {"name": name}
    put(action, "target", [line.strip() for line in one(typed, "target").split("\n") if line.strip()][:MOST_ROWS])
    put(action, "parameters", parameters)
    put(action, "revert_after", one(typed, "revert_after", 40))
    ours["catalogue_action"] = action


def _number(text: str) -> int | str | None:
    """Return the whole number that a text says; the text itself when it says none, so that lint names it."""
    return None if not text else int(text) if text.isascii() and text.isdigit() and len(text) < 12 else text


def _milliseconds(text: str) -> int | str | None:
    if not text:
        return None
    try:
        return read_duration(text) // timedelta(milliseconds=1)
    except InputError:
        return text


def _reference(name: str) -> str:
    return f"{name}:value" if name and not name.endswith(":value") else name
