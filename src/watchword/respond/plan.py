"""What the interpreter walks: the steps of one pinned playbook, with commands already turned into actions or words for people."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from watchword.kit.duration import say_duration
from watchword.respond.approval import ApprovalRule
from watchword.respond.condition import Condition

LOOP_LIMIT = 100
"""Turns of a while when its extension says nothing."""
MOST_TURNS = 10_000
MACHINE_TIMEOUT = timedelta(minutes=10)
"""How long a machine's step may take when the playbook says nothing; people get SLA timers instead."""


class StepType(StrEnum):
    """The eight types of step; there are no others."""

    START = "start"
    END = "end"
    ACTION = "action"
    PLAYBOOK = "playbook-action"
    PARALLEL = "parallel"
    IF = "if-condition"
    WHILE = "while-condition"
    SWITCH = "switch-condition"


@dataclass(frozen=True, slots=True)
class Declared:
    """A variable as its playbook or step declares it."""

    type: str
    value: str | None = None
    """None: unknown."""
    constant: bool = False
    external: bool = False
    description: str = ""


@dataclass(frozen=True, slots=True)
class Machine:
    """An action of the catalogue with variables still in it, once per target."""

    verb: str
    targets: tuple[str, ...]
    parameters: Mapping[str, str] = field(default_factory=dict)
    revert_after: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Sla:
    """A time within which people should have come so far."""

    clock: str
    """``acknowledge``: until somebody took the step; any other word: until the step has ended."""
    within: timedelta
    on_breach: str
    """``page`` or ``note``."""

    @property
    def key(self) -> str:
        """Return what tells it from the step's other timers."""
        return f"{self.clock}/{say_duration(self.within)}"


@dataclass(frozen=True, slots=True)
class PlanStep:
    """One step, ready to be walked."""

    id: str
    type: StepType
    name: str = ""
    on_completion: str = ""
    on_success: str = ""
    on_failure: str = ""
    continue_on_failure: bool = False
    delay: timedelta = timedelta()
    timeout: timedelta | None = None
    variables: Mapping[str, Declared] = field(default_factory=dict)
    in_args: tuple[str, ...] = ()
    out_args: tuple[str, ...] = ()
    words: str = ""
    """Of an action: what a person is to do, with variables still in it."""
    machine: Machine | None = None
    """Of an action: what the gateway is to do; None: a person does it."""
    approval: ApprovalRule | None = None
    """What the playbook asks for, beside what the catalogue asks for."""
    exercise_allowed: bool = True
    slas: tuple[Sla, ...] = ()
    team: str = ""
    """Which team is responsible; empty: the playbook names none."""
    responsible: str = ""
    """The team, or the role of the incident, that is."""
    evidence: int = 0
    """How many pieces of evidence a record of it must name."""
    evidence_kinds: tuple[str, ...] = ()
    condition: Condition | None = None
    condition_text: str = ""
    on_true: str = ""
    on_false: str = ""
    loop_limit: int = LOOP_LIMIT
    switch: str = ""
    cases: Mapping[str, str] = field(default_factory=dict)
    next_steps: tuple[str, ...] = ()
    book: str = ""
    """Of a playbook-action: key of the pinned playbook that it runs."""

    @property
    def after_success(self) -> str:
        """Return the step that follows success; empty when none does."""
        return self.on_completion or self.on_success

    @property
    def after_failure(self) -> str:
        """Return the step that follows failure; empty when the failure goes on outwards."""
        return self.on_failure or (self.on_completion if self.continue_on_failure else "")

    @property
    def title(self) -> str:
        """Return what people call it."""
        return self.name or self.id


@dataclass(frozen=True, slots=True)
class Plan:
    """One pinned playbook."""

    key: str
    """``id@modified``."""
    name: str
    start: str
    exception: str
    steps: Mapping[str, PlanStep]
    variables: Mapping[str, Declared] = field(default_factory=dict)
