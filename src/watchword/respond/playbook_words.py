"""A playbook's steps in words: who does what, who agrees first, by when, what is recorded, and where each leads."""

import base64
import binascii
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from watchword.kit.duration import say_duration
from watchword.model.action import Action
from watchword.model.playbook import ActionStep, Command, IfStep, Playbook, PlaybookActionStep, Step, SwitchStep, WhileStep
from watchword.respond.approval import ApprovalRule, say_rule, stricter
from watchword.respond.catalogue import Catalogue
from watchword.respond.extensions import CatalogueAction, ExtensionFault, StepExtension, step_extension
from watchword.respond.plan import LOOP_LIMIT
from watchword.respond.playbook_flow import Flow, after, ways_of
from watchword.respond.roles import WORDS as ROLE_WORDS

LONGEST: Final = 4_000
"""Characters of a step's text that a page shows."""
CLOCK_WORDS: Final = {"acknowledge": "taken", "complete": "done"}
TYPE_WORDS: Final = {
    "playbook-action": "another playbook",
    "parallel": "all at once",
    "if-condition": "a choice: yes or no",
    "while-condition": "repeated",
    "switch-condition": "a choice by value",
}
TEAM_WORDS: Final = {"it": "IT", "physical": "Physical security", "management": "Management"}
_ROLES: Final = {each.value: word for each, word in ROLE_WORDS.items()}


@dataclass(frozen=True, slots=True)
class Lead:
    """Where a step leads."""

    when: str
    number: int
    """0: it ends there."""
    title: str


@dataclass(frozen=True, slots=True)
class StepWords:
    """One step as people read it."""

    id: str
    number: int
    title: str
    kind: str
    team: str
    text: str
    facts: tuple[tuple[str, str], ...]
    leads: tuple[Lead, ...]
    links: tuple[tuple[str, str], ...]
    """Sources of good practice: words and address, which is empty where it is no web address."""


def steps_in_words(playbook: Playbook, flow: Flow, catalogue: Catalogue) -> Iterator[StepWords]:
    """Yield every step but starts and ends, in reading order; those that nothing leads to come last."""
    for name in (*flow.order, *flow.unreached):
        if name in flow.numbers:
            yield _words(playbook, flow, catalogue, name)


def _words(playbook: Playbook, flow: Flow, catalogue: Catalogue, name: str) -> StepWords:
    step = playbook.workflow[name]
    said = said_of(step)
    kind = TYPE_WORDS.get(step.type, "")
    if isinstance(step, ActionStep):
        kind = "an action" if said.catalogue_action else "a person does it"
    if name in flow.unreached:
        kind = f"{kind or step.type}; nothing leads to it"
    return StepWords(
        name,
        flow.numbers[name],
        title_of(step),
        kind or step.type[:60],
        said.raci.responsible if said.raci else "",
        _text(step),
        tuple(_facts(playbook, step, said, catalogue)),
        tuple(_leads(playbook, flow, step)),
        tuple((one.name or one.source or one.url, web_address(one.url)) for one in step.external_references[:20]),
    )


def title_of(step: Step) -> str:
    """Return what people call a step."""
    special = step.condition if isinstance(step, IfStep | WhileStep) else step.switch if isinstance(step, SwitchStep) else ""
    return (step.name or special or step.description or TYPE_WORDS.get(step.type, step.type) or "Step")[:300]


def web_address(url: str) -> str:
    """Return the address when a page may lead there: http and https only; else ''."""
    return url if url.lower().startswith(("https://", "http://")) and url.isprintable() and len(url) <= 2_000 else ""


def said_of(step: Step) -> StepExtension:
    """Return what we say of a step; all at its default where it cannot be read: lint says so where people look."""
    try:
        return step_extension(step)
    except ExtensionFault:
        return StepExtension()


def party(name: str) -> str:
    """Return how people call a team or a role of the incident."""
    return TEAM_WORDS.get(name) or _ROLES.get(name) or name


def _text(step: Step) -> str:
    parts = [step.description] if step.description and step.name else []
    if isinstance(step, ActionStep):
        parts += [text for command in step.commands if (text := command_text(command))]
    return "\n".join(parts)[:LONGEST]


def command_text(command: Command) -> str:
    """Return what a command says, with its type where no person is meant."""
    text = command.command
    if not text and command.command_b64:
        try:
            text = base64.b64decode(command.command_b64, validate=True).decode("utf-8", "replace")
        except (binascii.Error, ValueError):
            text = command.command_b64
    text = text or command.description
    return text if command.type == "manual" or not text else f"({command.type}) {text}"


def _facts(playbook: Playbook, step: Step, said: StepExtension, catalogue: Catalogue) -> Iterator[tuple[str, str]]:
    yield from _special(step, said)
    if isinstance(step, ActionStep):
        agent = playbook.agent_definitions.get(step.agent)
        yield "By", agent.name[:200] if agent else "nobody: its agent is not defined"
    if said.catalogue_action:
        yield from _action_facts(said.catalogue_action, catalogue)
    rule = rule_of(said, catalogue)
    if rule is not None and rule.needed:
        yield "Agree first", f"{say_rule(rule)}, within {say_duration(rule.expires_after)}"
    if said.raci:
        yield from _raci_facts(said)
    yield from _times(step, said)
    yield from _records(step, said)


def _times(step: Step, said: StepExtension) -> Iterator[tuple[str, str]]:
    for timer in said.sla_timers:
        breach = "page" if timer.on_breach == "page" else "note"
        yield "Clock", f"{CLOCK_WORDS.get(timer.clock, timer.clock)} within {say_duration(timer.within)}, else {breach}"
    if step.delay:
        yield "Begins", f"{say_duration(timedelta(milliseconds=step.delay))} later"
    if step.timeout:
        yield "Time", f"at most {say_duration(timedelta(milliseconds=step.timeout))}"


def _records(step: Step, said: StepExtension) -> Iterator[tuple[str, str]]:
    if isinstance(step, ActionStep | PlaybookActionStep) and step.out_args:
        yield "Records", ", ".join(name.removesuffix(":value") for name in step.out_args[:20])
    if said.evidence and said.evidence.minimum:
        yield "Evidence", f"at least {said.evidence.minimum}" + (f": {', '.join(said.evidence.kinds)}" if said.evidence.kinds else "")
    if said.continue_on_failure:
        yield "If it fails", "goes on all the same"
    if said.exercise and not said.exercise.allowed:
        yield "In an exercise", "only talked through"
    if said.mapped_from is not None:
        yield "Was", "a command of another product, mapped to what is said here"


def _special(step: Step, said: StepExtension) -> Iterator[tuple[str, str]]:
    if isinstance(step, IfStep):
        yield "If", step.condition[:500]
    elif isinstance(step, WhileStep):
        limit = LOOP_LIMIT if said.loop_limit is None else said.loop_limit
        yield "While", f"{step.condition[:500]}; {limit} turns at most, then it fails"
    elif isinstance(step, SwitchStep):
        yield "By the value of", step.switch.removesuffix(":value")[:250]
    elif isinstance(step, PlaybookActionStep):
        yield "Runs", step.playbook_id + (f", version {step.playbook_version}" if step.playbook_version else ", its newest version")
        if step.in_args:
            yield "Hands over", ", ".join(name.removesuffix(":value") for name in step.in_args[:20])


def _action_facts(wanted: CatalogueAction, catalogue: Catalogue) -> Iterator[tuple[str, str]]:
    verb = catalogue.verbs.get(wanted.name)
    target = " and ".join(wanted.target) or "what its targets name"
    if verb is None:
        yield "Action", f"{wanted.name}: the action catalogue has no such verb"
        return
    yield "Action", verb.words(Action(verb.name, target, wanted.parameters))
    yield "Hazard", f"H{int(verb.hazard)}" + ("; asks the life-safety interlock" if verb.life_safety.value == "securing" else "")
    if wanted.revert_after:
        yield "Ends by itself", f"after {say_duration(wanted.revert_after)}"
    if wanted.parameters:
        yield "With", ", ".join(f"{name} {value}" for name, value in wanted.parameters.items())[:500]


def _raci_facts(said: StepExtension) -> Iterator[tuple[str, str]]:
    raci = said.raci
    if raci is None:
        return
    groups: Mapping[str, tuple[str, ...]] = {
        "Responsible": (raci.responsible,),
        "Accountable": (raci.accountable,),
        "Consulted": raci.consulted,
        "Informed": raci.informed,
    }
    for word, names in groups.items():
        if shown := ", ".join(party(name) for name in names if name):
            yield word, shown


def rule_of(said: StepExtension, catalogue: Catalogue) -> ApprovalRule | None:
    """Return who must agree: the stricter of what the catalogue and the step ask for."""
    verb = catalogue.verbs.get(said.catalogue_action.name) if said.catalogue_action else None
    own = said.approvals.rule if said.approvals else None
    if verb is None or own is None:
        return own if verb is None else verb.rule
    return stricter(verb.rule, own)


def _leads(playbook: Playbook, flow: Flow, step: Step) -> Iterator[Lead]:
    for when, head in ways_of(step):
        yield _lead(playbook, flow, when, head)
    if follows := after(step):
        yield _lead(playbook, flow, "then", follows)
    if step.on_failure:
        yield _lead(playbook, flow, "if it fails", step.on_failure)


def _lead(playbook: Playbook, flow: Flow, when: str, head: str) -> Lead:
    step = playbook.workflow.get(head)
    if step is None:
        return Lead(when, 0, "a step that is not there")
    if step.type == "end":
        return Lead(when, 0, "the end")
    return Lead(when, flow.numbers.get(head, 0), title_of(step))
