"""From a playbook to the plan that the interpreter walks: commands become catalogue actions or words for people, texts conditions."""

import base64
import binascii
from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from watchword.kit.clock import EPOCH
from watchword.model.action import Team
from watchword.model.playbook import (
    ActionStep,
    Command,
    IfStep,
    ParallelStep,
    Playbook,
    PlaybookActionStep,
    Step,
    SwitchStep,
    Variable,
    WhileStep,
)
from watchword.respond.condition import parse
from watchword.respond.extensions import ExtensionFault, StepExtension, agent_target_extension, step_extension
from watchword.respond.plan import LOOP_LIMIT, Declared, Machine, Plan, PlanStep, Sla, StepType
from watchword.respond.start_check import Refusal, Standing
from watchword.respond.variables import argument_name

KNOWN_AGENTS: Final = frozenset(
    "group individual organization location sector http-api linux net-address security-category ssh".split()  # noqa: SIM905 - one line
)
"""Types of agent that the specification names; another one must be mapped, because nobody here knows what it can do."""
NEVER: Final = datetime(9999, 12, 31, tzinfo=UTC)
LONGEST_WORDS: Final = 20_000
"""Characters of a command as a person is shown it."""


def plan_of(playbook: Playbook, key: str, pinned: Collection[str], latest: Mapping[str, str]) -> Plan:
    """Return the plan of a playbook that the linter has nothing against.

    Args:
        playbook: decoded.
        key: ``id@modified``.
        pinned: keys of every playbook that may be run from here.
        latest: by id, the key that a call without version means.
    """
    steps = {name: _step(playbook, name, step, pinned, latest) for name, step in playbook.workflow.items()}
    variables = {name: _declared(one) for name, one in playbook.playbook_variables.items()}
    return Plan(key, playbook.name, playbook.workflow_start, playbook.workflow_exception, steps, variables)


def calls_of(playbook: Playbook) -> Iterator[tuple[str, str, str]]:
    """Yield every playbook that this one runs: step, id, version (empty: the newest)."""
    for name, step in playbook.workflow.items():
        if isinstance(step, PlaybookActionStep):
            yield name, step.playbook_id, step.playbook_version


def standing_of(playbook: Playbook, key: str, signature: str) -> Standing:
    """Return whether and when a playbook may be started; `signature` says what is wrong with its signature, if anything is."""
    return Standing(
        key,
        playbook.name,
        playbook.revoked,
        "attack" in playbook.playbook_types,
        _moment(playbook.valid_from, NEVER),
        _moment(playbook.valid_until, EPOCH),
        signature,
    )


def unmapped(playbook: Playbook) -> list[Refusal]:
    """Return the action steps whose commands or agent nobody here can carry out: they are mapped first, or the playbook does not start."""
    found = []
    for name, step in playbook.workflow.items():
        if not isinstance(step, ActionStep):
            continue
        try:
            mapped = step_extension(step).mapped_from is not None
        except ExtensionFault as error:
            found.append(Refusal("extension", str(error), name))
            continue
        if mapped:
            continue
        foreign = sorted({command.type for command in step.commands} - {"manual"})
        if foreign:
            what = f"commands of type {', '.join(foreign)} are not carried out here: map the step to a catalogue action or to a person"
            found.append(Refusal("unmapped_command", what, name))
        agent = playbook.agent_definitions.get(step.agent)
        if agent is not None and agent.type not in KNOWN_AGENTS:
            found.append(Refusal("unmapped_agent", f"an agent of type {agent.type!r} is not known here: map the step", name))
    return found


def _step(playbook: Playbook, name: str, step: Step, pinned: Collection[str], latest: Mapping[str, str]) -> PlanStep:
    said = step_extension(step)
    kind = StepType(step.type)
    responsible = said.raci.responsible if said.raci is not None else ""
    special: dict[str, object] = {}
    if isinstance(step, ActionStep):
        special = {
            "in_args": _names(step.in_args),
            "out_args": _names(step.out_args),
            "words": _words(playbook, step),
            "machine": _machine(playbook, step, said),
        }
    elif isinstance(step, PlaybookActionStep):
        special = {"in_args": _names(step.in_args), "out_args": _names(step.out_args), "book": _called(step, pinned, latest)}
    elif isinstance(step, ParallelStep):
        special = {"next_steps": step.next_steps}
    elif isinstance(step, IfStep):
        special = {"condition": parse(step.condition), "condition_text": step.condition, "on_true": step.on_true, "on_false": step.on_false}
    elif isinstance(step, WhileStep):
        limit = LOOP_LIMIT if said.loop_limit is None else said.loop_limit
        special = {"condition": parse(step.condition), "condition_text": step.condition, "on_true": step.on_true, "loop_limit": limit}
    elif isinstance(step, SwitchStep):
        special = {"switch": argument_name(step.switch), "cases": dict(step.cases)}
    return PlanStep(
        name,
        kind,
        name=step.name,
        on_completion=step.on_completion,
        on_success=step.on_success,
        on_failure=step.on_failure,
        continue_on_failure=said.continue_on_failure,
        delay=timedelta(milliseconds=step.delay),
        timeout=timedelta(milliseconds=step.timeout) if step.timeout else None,
        variables={one: _declared(variable) for one, variable in step.step_variables.items()},
        approval=None if said.approvals is None else said.approvals.rule,
        exercise_allowed=said.exercise is None or said.exercise.allowed,
        slas=tuple(Sla(timer.clock, timer.within, timer.on_breach) for timer in said.sla_timers),
        team=responsible if responsible in set(Team) else "",
        responsible=responsible,
        evidence=0 if said.evidence is None else said.evidence.minimum,
        evidence_kinds=() if said.evidence is None else said.evidence.kinds,
        **special,  # type: ignore[arg-type] # each type of step names members of PlanStep only
    )


def _machine(playbook: Playbook, step: ActionStep, said: StepExtension) -> Machine | None:
    action = said.catalogue_action
    if action is None:
        return None
    targets = action.target or tuple(uid for target in step.targets if (uid := _uid(playbook, target)))
    return Machine(action.name, targets, dict(action.parameters), action.revert_after)


def _uid(playbook: Playbook, target: str) -> str:
    defined = playbook.target_definitions.get(target) or playbook.agent_definitions.get(target)
    if defined is None:
        return ""
    said = agent_target_extension(defined)
    return said.door or said.place or said.asset or said.person


def _called(step: PlaybookActionStep, pinned: Collection[str], latest: Mapping[str, str]) -> str:
    key = f"{step.playbook_id}@{step.playbook_version}" if step.playbook_version else latest.get(step.playbook_id, "")
    return key if key in pinned else ""


def _words(playbook: Playbook, step: ActionStep) -> str:
    lines = [step.description] if step.description else []
    lines += [text for command in step.commands if (text := _command(command))]
    targets = [playbook.target_definitions[one].name for one in step.targets if one in playbook.target_definitions]
    if targets:
        lines.append("On: " + ", ".join(targets))
    return "\n".join(lines)[:LONGEST_WORDS]


def _command(command: Command) -> str:
    text = command.command
    if not text and command.command_b64:
        try:
            text = base64.b64decode(command.command_b64, validate=True).decode("utf-8", "replace")
        except (binascii.Error, ValueError):
            text = command.command_b64
    text = text or command.description
    return text if command.type == "manual" or not text else f"({command.type}) {text}"


def _declared(variable: Variable) -> Declared:
    return Declared(variable.type, variable.value, variable.constant, variable.external, variable.description)


def _names(names: Collection[str]) -> tuple[str, ...]:
    return tuple(argument_name(name) for name in names)


def _moment(text: str, unreadable: datetime) -> datetime | None:
    """Return the moment that a text says; one that cannot be read is taken as the worst."""
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return unreadable
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
