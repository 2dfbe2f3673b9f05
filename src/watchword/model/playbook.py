"""The playbook as CACAO 2.0 writes it: steps, commands, agents, variables, markings, signatures; what is unknown is kept in `extra`.

Every type has `extra`: members that the specification does not know, known ones of a wrong shape, and known ones written out at their
default (``"revoked": false``), so that writing a playbook again gives what was read, up to the order of keys. A field at its default is
not written. Times stay the text that they came as.
Source: CACAO Security Playbooks 2.0, OASIS Committee Specification 01, sections 3 to 10.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

SPEC_VERSION: Final = "cacao-2.0"

Extra = Mapping[str, Any]
Extensions = Mapping[str, Mapping[str, Any]]
"""Extension definition's identifier → what the extension says here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExternalReference:
    """A pointer to something outside: a source of good practice, a technique, a report."""

    name: str = ""
    description: str = ""
    source: str = ""
    url: str = ""
    external_id: str = ""
    reference_id: str = ""
    extra: Extra = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """A declared variable. Its value is always a text; the empty text is known to be empty, None is not known."""

    type: str = ""
    value: str | None = None
    constant: bool = False
    external: bool = False
    """Supplied by whoever starts the playbook."""
    description: str = ""
    extra: Extra = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One command of an action step. Which of its bodies it needs depends on its type."""

    type: str = ""
    description: str = ""
    command: str = ""
    command_b64: str = ""
    content: str = ""
    content_b64: str = ""
    headers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    version: str = ""
    playbook_activity: str = ""
    external_references: tuple[ExternalReference, ...] = ()
    extra: Extra = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What every step has. A start, an end and a step of a type that the specification does not know are of this class itself."""

    type: str = ""
    name: str = ""
    description: str = ""
    external_references: tuple[ExternalReference, ...] = ()
    delay: int = 0
    """Milliseconds before it begins."""
    timeout: int = 0
    """Milliseconds that it may take; 0: nothing is said."""
    step_variables: Mapping[str, Variable] = field(default_factory=dict)
    owner: str = ""
    step_extensions: Extensions = field(default_factory=dict)
    on_completion: str = ""
    on_success: str = ""
    on_failure: str = ""
    extra: Extra = field(default_factory=dict)

    @property
    def branches(self) -> tuple[str, ...]:
        """Return the first step of each branch that it opens, in the order in which they are written."""
        return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionStep(Step):
    """Commands carried out by one agent on targets."""

    commands: tuple[Command, ...] = ()
    agent: str = ""
    targets: tuple[str, ...] = ()
    in_args: tuple[str, ...] = ()
    out_args: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaybookActionStep(Step):
    """Another playbook, run as one step."""

    playbook_id: str = ""
    playbook_version: str = ""
    """Its `modified`; empty: the newest."""
    in_args: tuple[str, ...] = ()
    out_args: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ParallelStep(Step):
    """Branches that are open at the same time; it waits for all."""

    next_steps: tuple[str, ...] = ()

    @property
    def branches(self) -> tuple[str, ...]:
        """Return its next steps."""
        return self.next_steps


@dataclass(frozen=True, slots=True, kw_only=True)
class IfStep(Step):
    """One branch or the other."""

    condition: str = ""
    on_true: str = ""
    on_false: str = ""

    @property
    def branches(self) -> tuple[str, ...]:
        """Return where true and where false leads."""
        return tuple(head for head in (self.on_true, self.on_false) if head)


@dataclass(frozen=True, slots=True, kw_only=True)
class WhileStep(Step):
    """A branch that is run as long as its condition holds, tested before each turn."""

    condition: str = ""
    on_true: str = ""

    @property
    def branches(self) -> tuple[str, ...]:
        """Return the body."""
        return (self.on_true,) if self.on_true else ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchStep(Step):
    """A branch for each value of one variable."""

    switch: str = ""
    """``__name__:value``."""
    cases: Mapping[str, str] = field(default_factory=dict)
    """Value, or ``default`` → first step of the branch."""

    @property
    def branches(self) -> tuple[str, ...]:
        """Return the cases' heads."""
        return tuple(self.cases.values())


STEP_CLASSES: Final[Mapping[str, type[Step]]] = {
    "start": Step,
    "end": Step,
    "action": ActionStep,
    "playbook-action": PlaybookActionStep,
    "parallel": ParallelStep,
    "if-condition": IfStep,
    "while-condition": WhileStep,
    "switch-condition": SwitchStep,
}
"""Every type of step → its class."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CivicLocation:
    """Where on earth something is, in words and numbers that are texts."""

    name: str = ""
    description: str = ""
    building_details: str = ""
    network_details: str = ""
    region: str = ""
    country: str = ""
    administrative_area: str = ""
    city: str = ""
    street_address: str = ""
    postal_code: str = ""
    latitude: str = ""
    longitude: str = ""
    precision: str = ""
    extra: Extra = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """How to reach somebody. Contacts in playbooks that came from elsewhere are never paged."""

    email: Mapping[str, str] = field(default_factory=dict)
    phone: Mapping[str, str] = field(default_factory=dict)
    contact_details: str = ""
    extra: Extra = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentTarget:
    """Who carries out commands, or what they are carried out on. Which members it uses depends on its type."""

    type: str = ""
    name: str = ""
    description: str = ""
    location: CivicLocation | None = None
    contact: Contact | None = None
    logical: tuple[str, ...] = ()
    sector: str = ""
    category: tuple[str, ...] = ()
    address: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    """``url``, ``ipv4``, ``ipv6``, ``l2mac``, ``dname`` → texts; ``vlan`` → numbers."""
    port: str = ""
    authentication_info: str = ""
    agent_target_extensions: Extensions = field(default_factory=dict)
    extra: Extra = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthenticationInfo:
    """How an agent proves who it is. Secrets are named by `kms_key_identifier`; in clear they are cut out on import."""

    type: str = ""
    name: str = ""
    description: str = ""
    user_id: str = ""
    username: str = ""
    password: str = ""
    oauth_header: str = ""
    token: str = ""
    kms: bool = False
    kms_key_identifier: str = ""
    authentication_info_extensions: Extensions = field(default_factory=dict)
    extra: Extra = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class DataMarking:
    """How a playbook may be handled and shared. An information exchange policy keeps its own members in `extra`."""

    type: str = ""
    id: str = ""
    name: str = ""
    description: str = ""
    created_by: str = ""
    created: str = ""
    modified: str = ""
    revoked: bool = False
    valid_from: str = ""
    valid_until: str = ""
    labels: tuple[str, ...] = ()
    external_references: tuple[ExternalReference, ...] = ()
    tlpv2_level: str = ""
    statement: str = ""
    marking_extensions: Extensions = field(default_factory=dict)
    extra: Extra = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtensionDefinition:
    """What an extension is, who made it and where its schema is."""

    type: str = ""
    name: str = ""
    description: str = ""
    created_by: str = ""
    schema: str = ""
    version: str = ""
    external_references: tuple[ExternalReference, ...] = ()
    extra: Extra = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """A JSON signature of a playbook. A countersignature stays in `signature` as it came."""

    type: str = ""
    id: str = ""
    created_by: str = ""
    created: str = ""
    modified: str = ""
    revoked: bool = False
    signee: str = ""
    valid_from: str = ""
    valid_until: str = ""
    related_to: str = ""
    related_version: str = ""
    hash_algorithm: str = ""
    algorithm: str = ""
    public_key: str = ""
    public_cert_chain: tuple[str, ...] = ()
    cert_url: str = ""
    thumbprint: str = ""
    value: str = ""
    signature: Mapping[str, Any] = field(default_factory=dict)
    extra: Extra = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessingSummary:
    """What a playbook uses, for readers that do not read it whole."""

    manual_playbook: bool = False
    external_playbooks: bool = False
    parallel_processing: bool = False
    if_logic: bool = False
    while_logic: bool = False
    switch_logic: bool = False
    temporal_logic: bool = False
    data_markings: bool = False
    digital_signatures: bool = False
    countersigned_signatures: bool = False
    extensions: bool = False
    extra: Extra = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Playbook:
    """One version of a playbook: the same `id` with a later `modified` is the next one."""

    type: str = ""
    spec_version: str = ""
    id: str = ""
    name: str = ""
    description: str = ""
    playbook_types: tuple[str, ...] = ()
    playbook_activities: tuple[str, ...] = ()
    playbook_processing_summary: ProcessingSummary | None = None
    created_by: str = ""
    created: str = ""
    modified: str = ""
    revoked: bool = False
    valid_from: str = ""
    valid_until: str = ""
    derived_from: tuple[str, ...] = ()
    related_to: tuple[str, ...] = ()
    priority: int = 0
    """1 highest to 100; 0 undefined."""
    severity: int = 0
    """Of what it answers, 1 to 100 highest; 0 undefined."""
    impact: int = 0
    """Of running it, 1 to 100 highest; 0 undefined."""
    industry_sectors: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    external_references: tuple[ExternalReference, ...] = ()
    markings: tuple[str, ...] = ()
    playbook_variables: Mapping[str, Variable] = field(default_factory=dict)
    workflow_start: str = ""
    workflow_exception: str = ""
    workflow: Mapping[str, Step] = field(default_factory=dict)
    playbook_extensions: Extensions = field(default_factory=dict)
    authentication_info_definitions: Mapping[str, AuthenticationInfo] = field(default_factory=dict)
    agent_definitions: Mapping[str, AgentTarget] = field(default_factory=dict)
    target_definitions: Mapping[str, AgentTarget] = field(default_factory=dict)
    extension_definitions: Mapping[str, ExtensionDefinition] = field(default_factory=dict)
    data_marking_definitions: Mapping[str, DataMarking] = field(default_factory=dict)
    signatures: tuple[Signature, ...] = ()
    extra: Extra = field(default_factory=dict)
