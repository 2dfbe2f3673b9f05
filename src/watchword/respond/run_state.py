"""The state of a run of a playbook as values: open step instances, the flows they stand in, what comes in and what is asked for."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from watchword.model.action import Action, Outcome


class RunStatus(StrEnum):
    """Where a run stands."""

    RUNNING = "running"
    COMPLETED = "completed"
    """It reached its end."""
    HANDLED = "handled"
    """A step failed, and the playbook's exception flow ran to its end."""
    FAILED = "failed"
    """A step failed and nothing caught it: it halted and the lead was paged."""
    CANCELLED = "cancelled"


class StepStatus(StrEnum):
    """Where one step instance stands."""

    READY = "ready"
    """Reached, not begun."""
    DELAYED = "delayed"
    APPROVAL = "approval"
    """Waits for people to agree."""
    ACTING = "acting"
    """An action is with the gateway."""
    ASKING = "asking"
    """Waits for a person's record of a manual step."""
    OPEN = "open"
    """Its branches, turns or sub-playbook run."""
    DONE = "done"
    SKIPPED = "skipped"
    """A person said that it does not apply."""
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def ended(self) -> bool:
        """Tell whether nothing more comes of it."""
        return self in _ENDED


_ENDED = frozenset({StepStatus.DONE, StepStatus.SKIPPED, StepStatus.FAILED, StepStatus.CANCELLED})


class FlowKind(StrEnum):
    """What a flow of steps is a part of."""

    PLAYBOOK = "playbook"
    EXCEPTION = "exception"
    """The playbook's exception flow, once."""
    BRANCH = "branch"
    """One of a parallel step's."""
    CHOICE = "choice"
    """The way that an if or switch took."""
    TURN = "turn"
    """One turn of a while."""


Write = tuple[str, str]
"""(scope, variable): a scope is the path of a step, or of a playbook's flow followed by ``/``."""


@dataclass(frozen=True, slots=True)
class Flow:
    """One chain of steps, of which at most one is open at a time."""

    path: str
    """Empty for the run's own playbook."""
    kind: FlowKind
    owner: str
    """Path of the composite step that it belongs to; of an exception flow: that of its playbook's flow."""
    book: str
    """Key of the pinned playbook that its steps are in."""
    number: int = 0
    """Of a branch: its place in `next_steps`, from 1; of a turn: which one."""
    values: Mapping[str, str | None] = field(default_factory=dict)
    """Of a playbook's flow: its variables."""
    writes: Mapping[Write, str | None] = field(default_factory=dict)
    """Of a branch: what it wrote on variables outside; other branches see it only after the join."""
    ended: bool = False
    """A branch that waits for its siblings."""
    code: str = ""
    """Why it failed; empty: it did not."""
    said: str = ""
    caught: bool = False
    """Of a playbook's flow: its exception flow was opened already."""

    @property
    def scope(self) -> str:
        """Return the name of its variables' scope."""
        return self.path + "/"


@dataclass(frozen=True, slots=True)
class Step:
    """One instance of a step, keyed by its path."""

    path: str
    step: str
    """Id in the playbook."""
    flow: str
    book: str
    seq: int
    """In the order of reaching, from 1."""
    status: StepStatus
    reached_at: datetime
    began_at: datetime | None = None
    ended_at: datetime | None = None
    values: Mapping[str, str | None] = field(default_factory=dict)
    """Its own variables."""
    work: int = 0
    """Of an action: how many of its targets are done."""
    turn: int = 0
    """Of a while: how many turns were begun."""
    code: str = ""
    said: str = ""
    """One sentence on its outcome."""
    by: str = ""
    """Who recorded it."""
    team: str = ""


@dataclass(frozen=True, slots=True)
class RunState:
    """Everything that is open in a run. Steps that have ended are history and not in here."""

    uid: str
    book: str
    """Key of the run's own playbook."""
    incident: str = ""
    requested_by: str = ""
    exercise: bool = False
    status: RunStatus = RunStatus.RUNNING
    reached: int = 0
    """How many step instances there were so far."""
    code: str = ""
    said: str = ""
    steps: Mapping[str, Step] = field(default_factory=dict)
    flows: Mapping[str, Flow] = field(default_factory=dict)


# what comes in


@dataclass(frozen=True, slots=True)
class Begin:
    """The run starts, with the values that its caller gave."""

    values: Mapping[str, str | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class GoOn:
    """Go on where the last transition stopped for its bound."""


class TimerKind(StrEnum):
    """What a timer of a step is for."""

    DELAY = "delay"
    TIMEOUT = "timeout"
    SLA = "sla"


@dataclass(frozen=True, slots=True)
class Fired:
    """A timer of a step came due."""

    path: str
    kind: TimerKind
    clock: str = ""
    late: bool = False


@dataclass(frozen=True, slots=True)
class Decided:
    """People agreed to the action of a step, or did not."""

    path: str
    digest: str
    """Of the action that they were shown."""
    granted: bool
    approval: str = ""
    code: str = ""
    said: str = ""


@dataclass(frozen=True, slots=True)
class Performed:
    """The gateway says what came of one action."""

    path: str
    work: int
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Overran:
    """The gateway has not answered within the step's time."""

    path: str
    work: int


class Answer(StrEnum):
    """What a person records of a manual step."""

    DONE = "done"
    FAILED = "failed"
    NOT_APPLICABLE = "not_applicable"


@dataclass(frozen=True, slots=True)
class Answered:
    """A person recorded a manual step."""

    path: str
    result: Answer
    values: Mapping[str, str] = field(default_factory=dict)
    by: str = ""
    team: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Cancel:
    """A person ends the run."""

    by: str
    reason: str


Input = Begin | GoOn | Fired | Decided | Performed | Overran | Answered | Cancel


# what is asked for


@dataclass(frozen=True, slots=True)
class SetTimer:
    """Wake this step after a while."""

    path: str
    kind: TimerKind
    due: datetime
    clock: str = ""
    on_breach: str = ""


@dataclass(frozen=True, slots=True)
class AskApproval:
    """Ask people to agree to an action before it is performed."""

    path: str
    action: Action
    rule: object
    """What must agree, in the terms of whoever asks them."""


@dataclass(frozen=True, slots=True)
class AskPerson:
    """Ask a person to do something and to record it."""

    path: str
    title: str
    words: str
    team: str
    out_args: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Perform:
    """Hand an action to the gateway."""

    path: str
    work: int
    action: Action
    approval: str = ""


@dataclass(frozen=True, slots=True)
class Told:
    """Something that the incident's timeline should say."""

    kind: str
    """``run``, ``step`` or ``timer``."""
    text: str
    path: str = ""
    by: str = ""
    team: str = ""
    page: str = ""
    """``lead``: page whoever leads; ``team``: page the step's team; empty: nobody."""


Effect = SetTimer | AskApproval | AskPerson | Perform | Told


@dataclass(frozen=True, slots=True)
class Advance:
    """One transition: the new state, what it asks for, and which instances and flows it touched."""

    state: RunState
    effects: tuple[Effect, ...]
    steps: tuple[Step, ...]
    """Every instance that changed, also those that ended."""
    flows: tuple[Flow, ...]
    """Every flow that changed and is still needed."""
    closed: tuple[str, ...]
    """Paths of flows that are over."""
    more: bool = False
    """The bound of one transition was reached: send `GoOn`."""
