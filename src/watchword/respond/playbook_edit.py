"""Changes to the steps of a playbook as its JSON holds them: put in, taken out, moved, branches added; what is not touched stays."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from watchword.kit.errors import InputError
from watchword.respond.extensions import AGENT_TARGET, CREATED_BY, DEFINITIONS, PLAYBOOK, STEP
from watchword.respond.lint import MOST_STEPS

Value = dict[str, Any]
Ids = Callable[[], str]
"""Makes UUIDs of version 4."""
KINDS: Final[Mapping[str, str]] = {
    "action": "a step",
    "parallel": "branches at the same time",
    "if-condition": "a choice: yes or no",
    "while-condition": "a loop",
    "switch-condition": "a choice by value",
    "playbook-action": "another playbook",
}
"""Types of step that people put in, in words."""
POINTERS: Final = ("on_completion", "on_success", "on_failure", "on_true", "on_false")
MOST_WAYS: Final = 20


def new_playbook(name: str, ids: Ids, now: str) -> Value:
    """Return a playbook with one step that says nothing yet: the linter asks for the rest.

    Args:
        name: its name.
        ids: makes UUIDs.
        now: as `created` and `modified` write it.
    """
    teams = {f"group--{ids()}": {"type": "group", "name": word} for word in ("IT security", "Physical security")}
    start, end = f"start--{ids()}", f"end--{ids()}"
    value: Value = {
        "type": "playbook",
        "spec_version": "cacao-2.0",
        "id": f"playbook--{ids()}",
        "name": name,
        "created_by": CREATED_BY,
        "created": now,
        "modified": now,
        "workflow_start": start,
        "workflow": {start: {"type": "start", "on_completion": end}, end: {"type": "end"}},
        "agent_definitions": teams,
    }
    insert_after(value, start, "action", ids)
    return value


def copy_of(value: Mapping[str, Any], name: str, ids: Ids, now: str) -> Value:
    """Return a playbook of one's own that begins as another: a new id, no signatures, and where it comes from."""
    kept = {key: one for key, one in value.items() if key not in {"signatures", "revoked"}}
    derived = [*_list(value, "derived_from"), str(value.get("id"))]
    return {**kept, "id": f"playbook--{ids()}", "name": name, "created": now, "modified": now, "derived_from": list(dict.fromkeys(derived))}


def steps_of(value: Mapping[str, Any]) -> dict[str, Value]:
    """Return the steps that are objects."""
    found = value.get("workflow")
    return {name: one for name, one in found.items() if isinstance(one, dict)} if isinstance(found, dict) else {}


def step_of(value: Mapping[str, Any], name: str) -> Value:
    """Return a step.

    Raises:
        InputError: there is none of this name.
    """
    found = steps_of(value).get(name)
    if found is None:
        raise InputError("This step is not in the playbook any more: choose another", "step")
    return found


def next_key(step: Mapping[str, Any]) -> str:
    """Return the member that says what follows success."""
    return "on_success" if "on_success" in step or "on_failure" in step else "on_completion"


def ways_in(step: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the branches of a step: the word by which a change names each, and its first step."""
    kind = step.get("type")
    if kind == "parallel":
        return [(str(number), str(head)) for number, head in enumerate(_list(step, "next_steps"))]
    if kind == "switch-condition":
        cases = step.get("cases")
        return [(f"case:{key}", str(head)) for key, head in cases.items()] if isinstance(cases, dict) else []
    if kind in {"if-condition", "while-condition"}:
        return [(key, str(step[key])) for key in ("on_true", "on_false") if key in step]
    return []


# putting in


def insert_after(value: Value, after: str, kind: str, ids: Ids) -> str:
    """Put a new step after another and return its id."""
    step = step_of(value, after)
    if step.get("type") == "end":
        raise InputError("Nothing follows an end: choose the step before it", "step")
    new = _make(value, kind, ids)
    step_of(value, new)[next_key(step_of(value, new))] = step.get(next_key(step), "")
    step[next_key(step)] = new
    return new


def insert_first(value: Value, owner: str, way: str, kind: str, ids: Ids) -> str:
    """Put a new step at the beginning of a branch and return its id."""
    head = dict(ways_in(step_of(value, owner))).get(way)
    if head is None:
        raise InputError("This branch is not there any more", "way")
    new = _make(value, kind, ids)
    step_of(value, new)["on_completion"] = head
    _set_way(step_of(value, owner), way, new)
    return new


def catch_failures(value: Value, ids: Ids) -> str:
    """Give the playbook a step for failures that nothing else catches, and return its id."""
    end = _end(value, ids)
    new = _make(value, "action", ids)
    step_of(value, new)["on_completion"] = end
    value["workflow_exception"] = new
    return new


def _make(value: Value, kind: str, ids: Ids) -> str:
    if kind not in KINDS:
        raise InputError("Choose what to put in", "kind")
    workflow = value.setdefault("workflow", {})
    if len(workflow) + 4 > MOST_STEPS:
        raise InputError(f"A playbook has at most {MOST_STEPS:,} steps: part it, and let one run the other", "kind")
    name = f"{kind}--{ids()}"
    step: Value = {"type": kind, "name": ""}
    if kind == "action":
        step |= {"commands": [{"type": "manual", "command": ""}], "agent": next(iter(_dict(value, "agent_definitions")), "")}
    elif kind == "parallel":
        step["next_steps"] = [_branch(value, ids), _branch(value, ids)]
    elif kind == "if-condition":
        step |= {"condition": "", "on_true": _branch(value, ids), "on_false": _end(value, ids)}
    elif kind == "while-condition":
        step |= {"condition": "", "on_true": _branch(value, ids)}
    elif kind == "switch-condition":
        step |= {"switch": "", "cases": {"default": _end(value, ids)}}
    else:
        step["playbook_id"] = ""
    workflow[name] = {key: one for key, one in step.items() if key != "name" or one}
    return name


def _branch(value: Value, ids: Ids) -> str:
    end = _end(value, ids)
    head = _make(value, "action", ids)
    step_of(value, head)["on_completion"] = end
    return head


def _end(value: Value, ids: Ids) -> str:
    name = f"end--{ids()}"
    value["workflow"][name] = {"type": "end"}
    return name


# branches


def add_way(value: Value, owner: str, ids: Ids, case: str = "") -> None:
    """Give a step a further branch: of a parallel one more, of a switch the case of a value, of an if the other answer."""
    step = step_of(value, owner)
    kind, ways = step.get("type"), ways_in(step)
    if len(ways) >= MOST_WAYS:
        raise InputError(f"A step has at most {MOST_WAYS} branches", "way")
    if kind == "parallel":
        step["next_steps"] = [*_list(step, "next_steps"), _branch(value, ids)]
    elif kind == "switch-condition":
        if not case or f"case:{case}" in dict(ways):
            raise InputError("Say which value the new case is for; each value has one case", "case")
        step["cases"] = {**_dict(step, "cases"), case: _branch(value, ids)}
    elif kind == "if-condition" and "on_false" not in step:
        step["on_false"] = _branch(value, ids)
    else:
        raise InputError("This step takes no further branch", "way")


def remove_way(value: Value, owner: str, way: str) -> None:
    """Take a branch out, with the steps that nothing else leads to."""
    before, step = reached(value), step_of(value, owner)
    if step.get("type") == "parallel" and way.isdigit() and len(_list(step, "next_steps")) > 2:
        step["next_steps"] = [one for number, one in enumerate(_list(step, "next_steps")) if number != int(way)]
    elif step.get("type") == "switch-condition" and way.startswith("case:") and len(_dict(step, "cases")) > 1:
        step["cases"] = {key: one for key, one in _dict(step, "cases").items() if f"case:{key}" != way}
    elif step.get("type") == "if-condition" and way == "on_false":
        step.pop("on_false", None)
    else:
        raise InputError("This branch cannot be taken out: the step would be none of its kind", "way")
    _sweep(value, before)


def rename_case(step: Value, way: str, to: str) -> None:
    """Let a branch of a switch be for another value."""
    cases = _dict(step, "cases")
    old = way.removeprefix("case:")
    if old in cases and to and to != old and to not in cases:
        step["cases"] = {(to if key == old else key): one for key, one in cases.items()}


def _set_way(step: Value, way: str, head: str) -> None:
    if way.isdigit():
        step["next_steps"][int(way)] = head
    elif way.startswith("case:"):
        step["cases"][way.removeprefix("case:")] = head
    else:
        step[way] = head


# taking out and moving


def remove(value: Value, name: str) -> None:
    """Take a step out: what led to it leads to what followed it; its branches go with it."""
    before, step = reached(value), step_of(value, name)
    if step.get("type") in {"start", "end"}:
        raise InputError("A start and an end stay", "step")
    follows = str(step.get(next_key(step), ""))
    _repoint(value, name, follows)
    value["workflow"].pop(name)
    if not follows and value.get("workflow_exception") == "":
        value.pop("workflow_exception")
    _sweep(value, before)


def move(value: Value, name: str, after: str, way: str = "") -> None:
    """Move a step, with its branches, after another, or to the beginning of one of its branches."""
    step = step_of(value, name)
    if step.get("type") in {"start", "end"}:
        raise InputError("A start and an end stay where they are", "step")
    if after == name or after in inside(value, name):
        raise InputError("A step cannot stand within itself: choose another place", "to")
    target = step_of(value, after)
    if not way and target.get("type") == "end":
        raise InputError("Nothing follows an end: choose the step before it", "to")
    if "on_failure" in step and (way or _level(value, name) != _level(value, after) or after in _walk(value, [str(step["on_failure"])])):
        raise InputError("It goes elsewhere when it fails, which does not fit there: take that away first", "to")
    if way and way not in dict(ways_in(target)):
        raise InputError("This branch is not there any more", "to")
    _repoint(value, name, str(step.get(next_key(step), "")))
    if way:
        step[next_key(step)] = dict(ways_in(target))[way]
        _set_way(target, way, name)
    else:
        step[next_key(step)] = target.get(next_key(target), "")
        target[next_key(target)] = name


def move_up(value: Value, name: str) -> None:
    """Change places with the step before it; the first of its branch stays."""
    before = next((one for one, step in steps_of(value).items() if step.get(next_key(step)) == name), "")
    if before and step_of(value, before).get("type") != "start":
        move(value, before, name)


def move_down(value: Value, name: str) -> None:
    """Change places with the step after it; the last of its branch stays."""
    step = step_of(value, name)
    follows = str(step.get(next_key(step), ""))
    if follows in steps_of(value) and step_of(value, follows).get("type") != "end":
        move(value, name, follows)


def inside(value: Mapping[str, Any], name: str) -> set[str]:
    """Return the steps within a step's branches."""
    return _walk(value, [head for _, head in ways_in(step_of(value, name))])


def reached(value: Mapping[str, Any]) -> set[str]:
    """Return the steps that the start or the exception leads to."""
    return _walk(value, [str(value.get("workflow_start", "")), str(value.get("workflow_exception", ""))])


def _walk(value: Mapping[str, Any], heads: list[str]) -> set[str]:
    steps, found, todo = steps_of(value), set[str](), list(heads)
    while todo:
        name = todo.pop()
        if name in found or name not in steps:
            continue
        found.add(name)
        step = steps[name]
        todo += [str(step[key]) for key in POINTERS if key in step] + [head for _, head in ways_in(step)]
    return found


def _level(value: Mapping[str, Any], name: str) -> tuple[str, str]:
    """Return the branch that a step stands in: its composite and the branch's first step; empty words for the main flow."""
    steps = steps_of(value)
    for owner, step in steps.items():
        for _, head in ways_in(step):
            todo, seen = [head], set[str]()
            while todo:
                here = todo.pop()
                if here == name:
                    return owner, head
                if here not in seen and here in steps:
                    seen.add(here)
                    todo += [str(steps[here][key]) for key in ("on_completion", "on_success", "on_failure") if key in steps[here]]
    return "", ""


def _repoint(value: Value, old: str, new: str) -> None:
    """Let everything that leads to a step lead to another."""
    for holder, key in _pointers(value):
        if holder[key] == old:
            holder[key] = new


def _pointers(value: Value) -> Iterator[tuple[Any, Any]]:
    yield from ((value, key) for key in ("workflow_start", "workflow_exception") if key in value)
    for step in steps_of(value).values():
        yield from ((step, key) for key in POINTERS if key in step)
        yield from ((step["next_steps"], number) for number in range(len(_list(step, "next_steps"))))
        yield from ((step["cases"], key) for key in _dict(step, "cases"))


def _sweep(value: Value, before: set[str]) -> None:
    """Take out the steps that were led to and are no more."""
    for name in before - reached(value):
        value["workflow"].pop(name, None)


# what goes with any change


def finish(value: Value) -> None:
    """Bring what a playbook says of itself in line with its steps: extension definitions, and the summary where it has one."""
    steps = steps_of(value).values()
    used = {STEP} if any(STEP in _dict(step, "step_extensions") for step in steps) else set[str]()
    used |= {PLAYBOOK} if PLAYBOOK in _dict(value, "playbook_extensions") else set()
    agents = [*_dict(value, "agent_definitions").values(), *_dict(value, "target_definitions").values()]
    used |= (
        {AGENT_TARGET} if any(isinstance(one, dict) and AGENT_TARGET in _dict(one, "agent_target_extensions") for one in agents) else set()
    )
    known = _dict(value, "extension_definitions")
    if missing := {name: dict(DEFINITIONS[name]) for name in sorted(used) if name not in known}:
        value["extension_definitions"] = {**known, **missing}
    summary = value.get("playbook_processing_summary")
    if isinstance(summary, dict):
        kinds = {step.get("type") for step in steps}
        said = {
            "parallel_processing": "parallel" in kinds,
            "if_logic": "if-condition" in kinds,
            "while_logic": "while-condition" in kinds,
            "switch_logic": "switch-condition" in kinds,
            "external_playbooks": "playbook-action" in kinds,
            "extensions": bool(value.get("extension_definitions")),
        }
        summary |= {key: one for key, one in said.items() if one or summary.get(key)}


def _dict(value: Mapping[str, Any], key: str) -> dict[str, Any]:
    found = value.get(key)
    return found if isinstance(found, dict) else {}


def _list(value: Mapping[str, Any], key: str) -> list[Any]:
    found = value.get(key)
    return found if isinstance(found, list) else []
