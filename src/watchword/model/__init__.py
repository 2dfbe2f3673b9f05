"""The types that flow, in the order in which they flow: frozen, no I/O; the first chapter of the book.

`RawRecord` (record) → `Event` (event, with its numbers in ocsf and its words in field) → `Finding` (finding) → `Incident` (incident),
worked with a `Playbook` (playbook) whose steps ask for an `Action` (action). Beside the flow stand `Source`, the places (place) and the
entities (entity); `EventQuery` (query) asks for what has flowed.
"""

from watchword.model.action import Action, Hazard, Outcome, OutcomeStatus, Team
from watchword.model.entity import (
    Asset,
    AssetBook,
    AssetKind,
    Credential,
    CredentialKind,
    Lease,
    Link,
    PeopleBook,
    Person,
    PersonKind,
)
from watchword.model.event import Event, value_at
from watchword.model.finding import Finding, FindingState, Mode
from watchword.model.place import (
    FREE_MECHANICAL,
    OUTSIDE,
    Calendar,
    Door,
    Period,
    Place,
    PlaceKind,
    Reader,
    SiteBook,
    Travel,
    ZoneKind,
)
from watchword.model.query import Count, CountQuery, EventQuery, Grouping, Order
from watchword.model.record import RawRecord, Unparsed
from watchword.model.source import Domain, Source, SourceKind, SourceStatus

__all__ = [
    "FREE_MECHANICAL",
    "OUTSIDE",
    "Action",
    "Asset",
    "AssetBook",
    "AssetKind",
    "Calendar",
    "Count",
    "CountQuery",
    "Credential",
    "CredentialKind",
    "Domain",
    "Door",
    "Event",
    "EventQuery",
    "Finding",
    "FindingState",
    "Grouping",
    "Hazard",
    "Lease",
    "Link",
    "Mode",
    "Order",
    "Outcome",
    "OutcomeStatus",
    "PeopleBook",
    "Period",
    "Person",
    "PersonKind",
    "Place",
    "PlaceKind",
    "RawRecord",
    "Reader",
    "SiteBook",
    "Source",
    "SourceKind",
    "SourceStatus",
    "Team",
    "Travel",
    "Unparsed",
    "ZoneKind",
    "value_at",
]
