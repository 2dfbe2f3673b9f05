"""Lint of variables and conditions: declared, named and typed rightly, used where they are seen, written where they may be."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from watchword.respond.condition import ConditionFailed, parse, type_faults
from watchword.respond.extensions import STEP
from watchword.respond.json_text import Key
from watchword.respond.lint_flow import Flow
from watchword.respond.lint_report import Report, items, objects, word
from watchword.respond.variables import BARE, TYPES, WHOLE, argument_name, bare_names, fits, has_reference, is_name, references

BODIES: Final = ("command", "content")
CREDENTIALS: Final = ("user_id", "username", "password", "oauth_header", "token", "kms_key_identifier")

Text = tuple[str, tuple[Key, ...]]
"""A text and the pointer to it."""


def variable_like(text: str) -> bool:
    """Tell whether a text stands for something that only a run knows."""
    return has_reference(text) or BARE.search(text) is not None


class _Scope:
    """Which declaration each step sees."""

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self.outer = objects(flow.playbook, "playbook_variables")
        self.own = {one: objects(step, "step_variables") for one, step in flow.steps.items()}
        self.declarers: dict[str, list[str]] = {}
        for one, declared in self.own.items():
            for name in declared:
                self.declarers.setdefault(name, []).append(one)
        self.inner = {name: _union(flow.inside[one] for one in steps) for name, steps in self.declarers.items()}
        """Name → the steps inside the branches of one that declares it."""

        self.visible = {name: inner | _union(flow.bit(one) for one in self.declarers[name]) for name, inner in self.inner.items()}
        """Name → the steps that see a declaration in a step; those in the playbook are seen everywhere."""
        self._seen: dict[tuple[str, str], Mapping[str, Any] | None] = {}

    def declared(self, name: str) -> bool:
        return name in self.outer or name in self.declarers

    def hidden(self, name: str, users: int) -> bool:
        """Tell whether one of a set of steps does not see a declared variable; no step at all sees what the playbook declares."""
        return name not in self.outer and (not users or bool(users & ~self.visible[name]))

    def seen(self, name: str, step: str) -> Mapping[str, Any] | None:
        """Return the nearest declaration that a step sees."""
        if (name, step) not in self._seen:
            self._seen[name, step] = self._nearest(name, step)
        return self._seen[name, step]

    def _nearest(self, name: str, step: str) -> Mapping[str, Any] | None:
        if name in self.own[step]:
            return self.own[step][name]
        bit = self.flow.bit(step)
        if self.inner.get(name, 0) & bit:
            around = [one for one in self.declarers[name] if self.flow.inside[one] & bit]
            nearest = min(around, key=lambda one: self.flow.inside[one].bit_count())
            return self.own[nearest][name]
        return self.outer.get(name)


def lint_scope(flow: Flow, report: Report) -> None:
    """Report what is wrong with variables and conditions."""
    scope = _Scope(flow)
    for name, variable in scope.outer.items():
        _lint_declaration(name, variable, ("playbook_variables", name), report)
    for identifier, step in flow.steps.items():
        at = ("workflow", identifier)
        for name, variable in scope.own[identifier].items():
            pointer = (*at, "step_variables", name)
            _lint_declaration(name, variable, pointer, report)
            if name in scope.outer or scope.inner.get(name, 0) & flow.bit(identifier):
                report.add("variable-shadow", f"{name[:80]} is declared around this step too", *pointer)
        _lint_arguments(scope, identifier, step, report)
        _lint_decision(scope, identifier, step, report)
    _lint_uses(scope, report)
    _lint_parallel_writes(scope, report)


def _lint_declaration(name: str, variable: Mapping[str, Any], at: tuple[Key, ...], report: Report) -> None:
    if not is_name(name):
        report.add(
            "variable-name", f"{name[:80]!r} is no name of a variable: two underscores, a letter, letters and digits, two underscores", *at
        )
    kind, value = word(variable, "type"), variable.get("value")
    if kind and kind not in TYPES:
        report.add("variable-type", f"{kind[:40]!r} is no type of the specification, so any text fits it", *at, "type")
    elif isinstance(value, str) and not fits(kind, value):
        report.add("variable-type", f"{value[:60]!r} is no {kind}", *at, "value")


def _lint_arguments(scope: _Scope, identifier: str, step: Mapping[str, Any], report: Report) -> None:
    for member in ("in_args", "out_args"):
        for place, argument in enumerate(items(step, member)):
            if not isinstance(argument, str):
                continue
            name, at = argument_name(argument), ("workflow", identifier, member, place)
            if not scope.declared(name) and not is_name(name):
                report.add("variable-name", f"{name[:80]!r} is no name of a variable", *at)
            else:
                _lint_use(scope, name, scope.flow.bit(identifier), at, report)
            seen = scope.seen(name, identifier)
            if member == "out_args" and seen is not None and seen.get("constant") is True:
                report.add("constant-output", f"{name} is constant", *at)


def _lint_decision(scope: _Scope, identifier: str, step: Mapping[str, Any], report: Report) -> None:
    """Report what is wrong with a condition or a switch."""
    kind, at = word(step, "type"), ("workflow", identifier)
    if kind == "switch-condition" and isinstance(step.get("switch"), str):
        found = WHOLE.fullmatch(step["switch"])
        if found is None:
            report.add("switch-variable", f"{step['switch'][:80]!r} is not exactly one variable, __name__:value", *at, "switch")
        else:
            _lint_use(scope, found[1], scope.flow.bit(identifier), (*at, "switch"), report)
    if kind not in ("if-condition", "while-condition") or not isinstance(step.get("condition"), str):
        return
    at_condition = (*at, "condition")
    try:
        condition = parse(step["condition"])
    except ConditionFailed as error:
        report.add("condition-syntax", str(error), *at_condition)
        return
    types = {}
    for name in sorted(condition.variables):
        _lint_use(scope, name, scope.flow.bit(identifier), at_condition, report)
        seen = scope.seen(name, identifier) or next((scope.own[one][name] for one in scope.declarers.get(name, ())), None)
        if seen is not None and word(seen, "type"):
            types[name] = word(seen, "type")
    for fault in type_faults(condition, types):
        report.add("condition-type", fault, *at_condition)


def _lint_use(scope: _Scope, name: str, users: int, at: tuple[Key, ...], report: Report) -> None:
    if not scope.declared(name):
        report.add("undeclared-variable", f"{name} is declared nowhere", *at)
    elif scope.hidden(name, users):
        report.add("variable-scope", f"{name[:80]} is declared, but not where this sees it", *at)


# uses in texts


def _lint_uses(scope: _Scope, report: Report) -> None:
    """Report on every text that is sent: those of commands, and those of agents and targets in the scope of each step that uses them."""
    playbook = scope.flow.playbook
    users: dict[tuple[str, str], int] = {}
    for identifier, step in scope.flow.steps.items():
        bit = scope.flow.bit(identifier)
        for text, pointer in _step_texts(step):
            _lint_text(scope, text, bit, ("workflow", identifier, *pointer), report)
        named = [("agent_definitions", word(step, "agent"))]
        named += [("target_definitions", target) for target in items(step, "targets") if isinstance(target, str)]
        for one in named:
            users[one] = users.get(one, 0) | bit
    proofs: dict[str, int] = {}
    for member in ("agent_definitions", "target_definitions"):
        for identifier, agent in objects(playbook, member).items():
            found = users.get((member, identifier), 0)
            proof = word(agent, "authentication_info")
            proofs[proof] = proofs.get(proof, 0) | found
            for text, pointer in _agent_texts(agent):
                _lint_text(scope, text, found, (member, identifier, *pointer), report)
    for identifier, info in objects(playbook, "authentication_info_definitions").items():
        for name in CREDENTIALS:
            at = ("authentication_info_definitions", identifier, name)
            _lint_text(scope, word(info, name), proofs.get(identifier, 0), at, report)


def _lint_text(scope: _Scope, text: str, users: int, at: tuple[Key, ...], report: Report) -> None:
    if "__" not in text:
        return
    for name in sorted(set(bare_names(text))):
        report.add("bare-variable", f"{name} stands without :value, so the name itself is sent", *at)
    for name in sorted(set(references(text))):
        _lint_use(scope, name, users, at, report)


def _step_texts(step: Mapping[str, Any]) -> Iterator[Text]:
    for place, command in enumerate(items(step, "commands")):
        for name in BODIES:
            if word(command, name):
                yield word(command, name), ("commands", place, name)
        if isinstance(command, dict):
            yield from _listed(command, "headers", ("commands", place))
    extension = objects(step, "step_extensions").get(STEP, {})
    action = extension.get("catalogue_action")
    if isinstance(action, dict):
        at = ("step_extensions", STEP, "catalogue_action")
        if word(action, "target"):
            yield word(action, "target"), (*at, "target")
        yield from ((one, (*at, "target", place)) for place, one in enumerate(items(action, "target")) if isinstance(one, str))
        parameters = action.get("parameters")
        if isinstance(parameters, dict):
            yield from ((one, (*at, "parameters", name)) for name, one in parameters.items() if isinstance(one, str))


def _agent_texts(agent: Mapping[str, Any]) -> Iterator[Text]:
    yield from _listed(agent, "address", ())
    if word(agent, "port"):
        yield word(agent, "port"), ("port",)


def _listed(value: Mapping[str, Any], member: str, at: tuple[Key, ...]) -> Iterator[Text]:
    """Yield the texts of a dictionary of lists."""
    lists = value.get(member)
    if isinstance(lists, dict):
        for name in lists:
            yield from ((one, (*at, member, name, place)) for place, one in enumerate(items(lists, name)) if isinstance(one, str))


# writes


def _lint_parallel_writes(scope: _Scope, report: Report) -> None:
    """Report variables that two branches of a parallel write. Sets of names are integers with one bit per name."""
    flow = scope.flow
    number: dict[str, int] = {}

    def bits(names: Iterator[str]) -> int:
        return _union(1 << number.setdefault(name, len(number)) for name in names)

    written: dict[str, int] = {}
    for one in flow.order:
        step = flow.steps[one]
        outputs = bits(argument_name(name) for name in items(step, "out_args") if isinstance(name, str))
        inner = _union(written.get(head, 0) for head in flow.heads[one])
        own = bits(iter(scope.own[one]))
        written[one] = ((outputs | inner) & ~own) | _union(written.get(to, 0) for to in flow.next[one])
    names = list(number)
    for one, heads in flow.heads.items():
        if word(flow.steps[one], "type") != "parallel":
            continue
        once = twice = 0
        for head in heads:
            twice |= once & written[head]
            once |= written[head]
        for place in range(twice.bit_length()):
            if twice >> place & 1:
                report.add("parallel-write", f"two branches write {names[place][:80]}; the later branch's value stays", "workflow", one)


def _union(parts: Iterator[int]) -> int:
    found = 0
    for part in parts:
        found |= part
    return found
