"""What respond keeps of incidents: cases, what they hold, their moments, roles, ratings, timeline, tasks, mentions and hand-overs."""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, String, Table, Text, false

from watchword.kit.instant import Instant
from watchword.kit.tables import metadata

incident = Table(
    "incident",
    metadata,
    Column("uid", String(32), primary_key=True),
    Column("number", Integer, nullable=False, unique=True, comment="for people, from 1"),
    Column("title", Text, nullable=False),
    Column("summary", Text, nullable=False, default=""),
    Column("because", Text, nullable=False, comment="why it was opened"),
    Column("state", String(16), nullable=False, comment="derived from the moments: triage, active, contained, restored, closed, learned"),
    Column("open", Boolean, nullable=False, comment="not closed and not merged"),
    Column("severity", Integer, nullable=False, comment="1 gravest to 4"),
    Column("declared_severity", Integer, nullable=False, default=0),
    Column("closing_severity", Integer, nullable=False, default=0),
    Column("exercise", Boolean, nullable=False, server_default=false()),
    Column("safety", Boolean, nullable=False, server_default=false(), comment="a door, lift or alarm is involved"),
    Column("touched", Boolean, nullable=False, server_default=false(), comment="a person has worked on it: no longer merged by machine"),
    Column("teams", String(64), nullable=False, comment="words joined by spaces"),
    Column("lead", String(128), nullable=False, default=""),
    Column("closure", String(16), nullable=False, default="", comment="true, benign, false or undecided"),
    Column("merged_into", String(32), nullable=False, default=""),
    Column("reopened", Integer, nullable=False, default=0),
    Column("opened_by", String(128), nullable=False),
    Column("opened_at", Instant, nullable=False),
    Column("changed_at", Instant, nullable=False),
    Column("last_time", Instant, nullable=False, comment="event time of its newest finding; triage looks for neighbours of it"),
    Column("entries", Integer, nullable=False, default=0, comment="seq of the newest timeline entry"),
    Column("head", String(64), nullable=False, comment="chain head of the newest timeline entry"),
    Column("pieces", Integer, nullable=False, default=0, comment="number of the newest moment entry"),
    Index("ix_incident_open", "open", "severity", "opened_at", "uid"),
    Index("ix_incident_opened_at", "opened_at", "uid"),
    Index("ix_incident_last_time", "open", "last_time"),
    Index("ix_incident_merged_into", "merged_into"),
)

incident_finding = Table(
    "incident_finding",
    metadata,
    Column("incident", String(32), ForeignKey("incident.uid"), primary_key=True),
    Column("finding", String(32), primary_key=True),
    Column("time", Instant, nullable=False, comment="the finding's time"),
    Column("held", Boolean, nullable=False, comment="false: taken out by a person or by a merge; triage does not put it back"),
    Column("by", String(128), nullable=False),
    Column("at", Instant, nullable=False),
    Column("because", Text, nullable=False),
    Index("ix_incident_finding_finding", "finding"),
    Index("ix_incident_finding_time", "held", "time"),
)

incident_entity = Table(
    "incident_entity",
    metadata,
    Column("incident", String(32), ForeignKey("incident.uid"), primary_key=True),
    Column("kind", String(16), primary_key=True, comment="person, asset, place, credential, address, rule or attack"),
    Column("entity", String(200), primary_key=True),
    Index("ix_incident_entity_entity", "kind", "entity"),
)

incident_link = Table(
    "incident_link",
    metadata,
    Column("one", String(32), ForeignKey("incident.uid"), primary_key=True),
    Column("other", String(32), ForeignKey("incident.uid"), primary_key=True),
    Column("kind", String(16), primary_key=True, comment="merged, split, suggested, recurs or similar"),
    Column("because", Text, nullable=False),
    Column("by", String(128), nullable=False),
    Column("at", Instant, nullable=False),
    Index("ix_incident_link_other", "other"),
)

incident_entry = Table(
    "incident_entry",
    metadata,
    Column("incident", String(32), ForeignKey("incident.uid"), primary_key=True),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("kind", String(32), nullable=False),
    Column("text", Text, nullable=False),
    Column("occurred_at", Instant, nullable=False),
    Column("entered_at", Instant, nullable=False),
    Column("recorded_by", String(128), nullable=False),
    Column("team", String(16), nullable=False),
    Column("refs", Text, nullable=False, comment="JSON: word to uid"),
    Column("corrects", Integer, nullable=False),
    Column("head", String(64), nullable=False),
    Index("ix_incident_entry_kind", "incident", "kind", "seq"),
    Index("ix_incident_entry_occurred", "incident", "occurred_at", "seq"),
)

incident_mention = Table(
    "incident_mention",
    metadata,
    Column("incident", String(32), primary_key=True),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("name", String(64), primary_key=True, comment="an account's name, or a team"),
    Column("at", Instant, nullable=False),
    Column("seen_at", Instant),
    Index("ix_incident_mention_name", "name", "seen_at", "at"),
)

incident_moment = Table(
    "incident_moment",
    metadata,
    Column("incident", String(32), ForeignKey("incident.uid"), primary_key=True),
    Column("piece", Integer, primary_key=True, autoincrement=False, comment="order of entry"),
    Column("moment", String(4), nullable=False),
    Column("team", String(16), nullable=False),
    Column("at", Instant, comment="null: void from here on"),
    Column("source", String(128), nullable=False),
    Column("manual", Boolean, nullable=False),
    Column("uncertainty_ms", BigInteger, nullable=False),
    Column("evidence", Text, nullable=False),
    Column("recorded_by", String(128), nullable=False),
    Column("entered_at", Instant, nullable=False),
    Column("reason", Text, nullable=False),
)

incident_team = Table(
    "incident_team",
    metadata,
    Column("incident", String(32), ForeignKey("incident.uid"), primary_key=True),
    Column("team", String(16), primary_key=True),
    Column("notified_at", Instant),
    Column("acknowledged_at", Instant),
    Column("acknowledged_by", String(128), nullable=False, default=""),
    Column("engaged_at", Instant),
    Index("ix_incident_team_waiting", "engaged_at", "acknowledged_at"),
)
"""The present t3, t4 and t5 of each team, derived from the moments, so that lists need not read these."""

incident_role = Table(
    "incident_role",
    metadata,
    Column("uid", String(32), primary_key=True),
    Column("incident", String(32), ForeignKey("incident.uid"), nullable=False),
    Column("role", String(32), nullable=False),
    Column("person", String(128), nullable=False),
    Column("since", Instant, nullable=False),
    Column("until", Instant),
    Column("by", String(128), nullable=False),
    Index("ix_incident_role_incident", "incident", "until"),
    Index("ix_incident_role_person", "person", "until"),
)

incident_rating = Table(
    "incident_rating",
    metadata,
    Column("uid", String(32), primary_key=True),
    Column("incident", String(32), ForeignKey("incident.uid"), nullable=False),
    Column("people", Integer, nullable=False),
    Column("operations", Integer, nullable=False),
    Column("data", Integer, nullable=False),
    Column("money", Integer, nullable=False),
    Column("law", Integer, nullable=False),
    Column("in_doubt", String(64), nullable=False),
    Column("severity", Integer, nullable=False),
    Column("occasion", String(16), nullable=False, comment="opened, changed, declared or closed"),
    Column("status", String(16), nullable=False, comment="in_force, waiting (a downgrade that needs a second person) or refused"),
    Column("reason", Text, nullable=False),
    Column("by", String(128), nullable=False),
    Column("at", Instant, nullable=False),
    Column("second", String(128), nullable=False, default=""),
    Column("second_at", Instant),
    Index("ix_incident_rating_incident", "incident", "at"),
)

incident_task = Table(
    "incident_task",
    metadata,
    Column("uid", String(32), primary_key=True),
    Column("incident", String(32), ForeignKey("incident.uid"), nullable=False),
    Column("title", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("team", String(16), nullable=False),
    Column("owner", String(128), nullable=False, comment="account name; empty: the team's"),
    Column("state", String(16), nullable=False, comment="open, done or dropped"),
    Column("due", Instant),
    Column("sla_ms", BigInteger, comment="how long it may take from its making"),
    Column("by", String(128), nullable=False),
    Column("at", Instant, nullable=False),
    Column("ended_by", String(128), nullable=False, default=""),
    Column("ended_at", Instant),
    Column("note", Text, nullable=False, default=""),
    Index("ix_incident_task_incident", "incident", "state", "due"),
    Index("ix_incident_task_team", "state", "team", "due"),
)

hand_over = Table(
    "hand_over",
    metadata,
    Column("uid", String(32), primary_key=True),
    Column("incident", String(32), ForeignKey("incident.uid"), nullable=False),
    Column("role", String(32), nullable=False),
    Column("outgoing", String(128), nullable=False),
    Column("incoming", String(128), nullable=False),
    Column("note", Text, nullable=False),
    Column("state", String(16), nullable=False, comment="open, done or cancelled"),
    Column("at", Instant, nullable=False),
    Column("ended_at", Instant),
    Index("ix_hand_over_incident", "incident", "state"),
    Index("ix_hand_over_incoming", "incoming", "state"),
)

hand_over_item = Table(
    "hand_over_item",
    metadata,
    Column("hand_over", String(32), ForeignKey("hand_over.uid"), primary_key=True),
    Column("kind", String(24), primary_key=True),
    Column("item", String(128), primary_key=True),
    Column("text", Text, nullable=False),
    Column("due", Instant),
    Column("at", Instant, nullable=False, comment="when it came onto the list"),
    Column("acknowledged_at", Instant),
    Column("gone_at", Instant, comment="when it was no longer open"),
)
