"""Incidents: cases with their findings, moments, roles, timeline, tasks, chat and hand-overs."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "incident",
        sa.Column("uid", sa.String(length=32), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False, comment="for people, from 1"),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("because", sa.Text(), nullable=False, comment="why it was opened"),
        sa.Column(
            "state",
            sa.String(length=16),
            nullable=False,
            comment="derived from the moments: triage, active, contained, restored, closed, learned",
        ),
        sa.Column("open", sa.Boolean(), nullable=False, comment="not closed and not merged"),
        sa.Column("severity", sa.Integer(), nullable=False, comment="1 gravest to 4"),
        sa.Column("declared_severity", sa.Integer(), nullable=False),
        sa.Column("closing_severity", sa.Integer(), nullable=False),
        sa.Column("exercise", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("safety", sa.Boolean(), server_default=sa.false(), nullable=False, comment="a door, lift or alarm is involved"),
        sa.Column(
            "touched",
            sa.Boolean(),
            server_default=sa.false(),
            nullable=False,
            comment="a person has worked on it: no longer merged by machine",
        ),
        sa.Column("teams", sa.String(length=64), nullable=False, comment="words joined by spaces"),
        sa.Column("lead", sa.String(length=128), nullable=False),
        sa.Column("closure", sa.String(length=16), nullable=False, comment="true, benign, false or undecided"),
        sa.Column("merged_into", sa.String(length=32), nullable=False),
        sa.Column("reopened", sa.Integer(), nullable=False),
        sa.Column("opened_by", sa.String(length=128), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.Column(
            "last_time", sa.BigInteger(), nullable=False, comment="event time of its newest finding; triage looks for neighbours of it"
        ),
        sa.Column("entries", sa.Integer(), nullable=False, comment="seq of the newest timeline entry"),
        sa.Column("head", sa.String(length=64), nullable=False, comment="chain head of the newest timeline entry"),
        sa.Column("pieces", sa.Integer(), nullable=False, comment="number of the newest moment entry"),
        sa.PrimaryKeyConstraint("uid", name=op.f("pk_incident")),
        sa.UniqueConstraint("number", name=op.f("uq_incident_number")),
    )
    with op.batch_alter_table("incident", schema=None) as batch_op:
        batch_op.create_index("ix_incident_last_time", ["open", "last_time"], unique=False)
        batch_op.create_index("ix_incident_merged_into", ["merged_into"], unique=False)
        batch_op.create_index("ix_incident_open", ["open", "severity", "opened_at", "uid"], unique=False)
        batch_op.create_index("ix_incident_opened_at", ["opened_at", "uid"], unique=False)

    op.create_table(
        "incident_mention",
        sa.Column("incident", sa.String(length=32), nullable=False),
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False, comment="an account's name, or a team"),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("incident", "seq", "name", name=op.f("pk_incident_mention")),
    )
    with op.batch_alter_table("incident_mention", schema=None) as batch_op:
        batch_op.create_index("ix_incident_mention_name", ["name", "seen_at", "at"], unique=False)

    op.create_table(
        "hand_over",
        sa.Column("uid", sa.String(length=32), nullable=False),
        sa.Column("incident", sa.String(length=32), nullable=False),
        sa.Column("role", sa.String(length=32), nullable=False),
        sa.Column("outgoing", sa.String(length=128), nullable=False),
        sa.Column("incoming", sa.String(length=128), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False, comment="open, done or cancelled"),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["incident"], ["incident.uid"], name=op.f("fk_hand_over_incident_incident")),
        sa.PrimaryKeyConstraint("uid", name=op.f("pk_hand_over")),
    )
    with op.batch_alter_table("hand_over", schema=None) as batch_op:
        batch_op.create_index("ix_hand_over_incident", ["incident", "state"], unique=False)
        batch_op.create_index("ix_hand_over_incoming", ["incoming", "state"], unique=False)

    op.create_table(
        "incident_entity",
        sa.Column("incident", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False, comment="person, asset, place, credential, address, rule or attack"),
        sa.Column("entity", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(["incident"], ["incident.uid"], name=op.f("fk_incident_entity_incident_incident")),
        sa.PrimaryKeyConstraint("incident", "kind", "entity", name=op.f("pk_incident_entity")),
    )
    with op.batch_alter_table("incident_entity", schema=None) as batch_op:
        batch_op.create_index("ix_incident_entity_entity", ["kind", "entity"], unique=False)

    op.create_table(
        "incident_entry",
        sa.Column("incident", sa.String(length=32), nullable=False),
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("occurred_at", sa.BigInteger(), nullable=False),
        sa.Column("entered_at", sa.BigInteger(), nullable=False),
        sa.Column("recorded_by", sa.String(length=128), nullable=False),
        sa.Column("team", sa.String(length=16), nullable=False),
        sa.Column("refs", sa.Text(), nullable=False, comment="JSON: word to uid"),
        sa.Column("corrects", sa.Integer(), nullable=False),
        sa.Column("head", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["incident"], ["incident.uid"], name=op.f("fk_incident_entry_incident_incident")),
        sa.PrimaryKeyConstraint("incident", "seq", name=op.f("pk_incident_entry")),
    )
    with op.batch_alter_table("incident_entry", schema=None) as batch_op:
        batch_op.create_index("ix_incident_entry_kind", ["incident", "kind", "seq"], unique=False)
        batch_op.create_index("ix_incident_entry_occurred", ["incident", "occurred_at", "seq"], unique=False)

    op.create_table(
        "incident_finding",
        sa.Column("incident", sa.String(length=32), nullable=False),
        sa.Column("finding", sa.String(length=32), nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False, comment="the finding's time"),
        sa.Column("held", sa.Boolean(), nullable=False, comment="false: taken out by a person or by a merge; triage does not put it back"),
        sa.Column("by", sa.String(length=128), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("because", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["incident"], ["incident.uid"], name=op.f("fk_incident_finding_incident_incident")),
        sa.PrimaryKeyConstraint("incident", "finding", name=op.f("pk_incident_finding")),
    )
    with op.batch_alter_table("incident_finding", schema=None) as batch_op:
        batch_op.create_index("ix_incident_finding_finding", ["finding"], unique=False)
        batch_op.create_index("ix_incident_finding_time", ["held", "time"], unique=False)

    op.create_table(
        "incident_link",
        sa.Column("one", sa.String(length=32), nullable=False),
        sa.Column("other", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False, comment="merged, split, suggested, recurs or similar"),
        sa.Column("because", sa.Text(), nullable=False),
        sa.Column("by", sa.String(length=128), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["one"], ["incident.uid"], name=op.f("fk_incident_link_one_incident")),
        sa.ForeignKeyConstraint(["other"], ["incident.uid"], name=op.f("fk_incident_link_other_incident")),
        sa.PrimaryKeyConstraint("one", "other", "kind", name=op.f("pk_incident_link")),
    )
    with op.batch_alter_table("incident_link", schema=None) as batch_op:
        batch_op.create_index("ix_incident_link_other", ["other"], unique=False)

    op.create_table(
        "incident_moment",
        sa.Column("incident", sa.String(length=32), nullable=False),
        sa.Column("piece", sa.Integer(), autoincrement=False, nullable=False, comment="order of entry"),
        sa.Column("moment", sa.String(length=4), nullable=False),
        sa.Column("team", sa.String(length=16), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=True, comment="null: void from here on"),
        sa.Column("source", sa.String(length=128), nullable=False),
        sa.Column("manual", sa.Boolean(), nullable=False),
        sa.Column("uncertainty_ms", sa.BigInteger(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("recorded_by", sa.String(length=128), nullable=False),
        sa.Column("entered_at", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["incident"], ["incident.uid"], name=op.f("fk_incident_moment_incident_incident")),
        sa.PrimaryKeyConstraint("incident", "piece", name=op.f("pk_incident_moment")),
    )
    op.create_table(
        "incident_rating",
        sa.Column("uid", sa.String(length=32), nullable=False),
        sa.Column("incident", sa.String(length=32), nullable=False),
        sa.Column("people", sa.Integer(), nullable=False),
        sa.Column("operations", sa.Integer(), nullable=False),
        sa.Column("data", sa.Integer(), nullable=False),
        sa.Column("money", sa.Integer(), nullable=False),
        sa.Column("law", sa.Integer(), nullable=False),
        sa.Column("in_doubt", sa.String(length=64), nullable=False),
        sa.Column("severity", sa.Integer(), nullable=False),
        sa.Column("occasion", sa.String(length=16), nullable=False, comment="opened, changed, declared or closed"),
        sa.Column(
            "status", sa.String(length=16), nullable=False, comment="in_force, waiting (a downgrade that needs a second person) or refused"
        ),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("by", sa.String(length=128), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("second", sa.String(length=128), nullable=False),
        sa.Column("second_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["incident"], ["incident.uid"], name=op.f("fk_incident_rating_incident_incident")),
        sa.PrimaryKeyConstraint("uid", name=op.f("pk_incident_rating")),
    )
    with op.batch_alter_table("incident_rating", schema=None) as batch_op:
        batch_op.create_index("ix_incident_rating_incident", ["incident", "at"], unique=False)

    op.create_table(
        "incident_role",
        sa.Column("uid", sa.String(length=32), nullable=False),
        sa.Column("incident", sa.String(length=32), nullable=False),
        sa.Column("role", sa.String(length=32), nullable=False),
        sa.Column("person", sa.String(length=128), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=True),
        sa.Column("by", sa.String(length=128), nullable=False),
        sa.ForeignKeyConstraint(["incident"], ["incident.uid"], name=op.f("fk_incident_role_incident_incident")),
        sa.PrimaryKeyConstraint("uid", name=op.f("pk_incident_role")),
    )
    with op.batch_alter_table("incident_role", schema=None) as batch_op:
        batch_op.create_index("ix_incident_role_incident", ["incident", "until"], unique=False)
        batch_op.create_index("ix_incident_role_person", ["person", "until"], unique=False)

    op.create_table(
        "incident_task",
        sa.Column("uid", sa.String(length=32), nullable=False),
        sa.Column("incident", sa.String(length=32), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("team", sa.String(length=16), nullable=False),
        sa.Column("owner", sa.String(length=128), nullable=False, comment="account name; empty: the team's"),
        sa.Column("state", sa.String(length=16), nullable=False, comment="open, done or dropped"),
        sa.Column("due", sa.BigInteger(), nullable=True),
        sa.Column("sla_ms", sa.BigInteger(), nullable=True, comment="how long it may take from its making"),
        sa.Column("by", sa.String(length=128), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("ended_by", sa.String(length=128), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["incident"], ["incident.uid"], name=op.f("fk_incident_task_incident_incident")),
        sa.PrimaryKeyConstraint("uid", name=op.f("pk_incident_task")),
    )
    with op.batch_alter_table("incident_task", schema=None) as batch_op:
        batch_op.create_index("ix_incident_task_incident", ["incident", "state", "due"], unique=False)
        batch_op.create_index("ix_incident_task_team", ["state", "team", "due"], unique=False)

    op.create_table(
        "incident_team",
        sa.Column("incident", sa.String(length=32), nullable=False),
        sa.Column("team", sa.String(length=16), nullable=False),
        sa.Column("notified_at", sa.BigInteger(), nullable=True),
        sa.Column("acknowledged_at", sa.BigInteger(), nullable=True),
        sa.Column("acknowledged_by", sa.String(length=128), nullable=False),
        sa.Column("engaged_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["incident"], ["incident.uid"], name=op.f("fk_incident_team_incident_incident")),
        sa.PrimaryKeyConstraint("incident", "team", name=op.f("pk_incident_team")),
    )
    with op.batch_alter_table("incident_team", schema=None) as batch_op:
        batch_op.create_index("ix_incident_team_waiting", ["engaged_at", "acknowledged_at"], unique=False)

    op.create_table(
        "hand_over_item",
        sa.Column("hand_over", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("item", sa.String(length=128), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("due", sa.BigInteger(), nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False, comment="when it came onto the list"),
        sa.Column("acknowledged_at", sa.BigInteger(), nullable=True),
        sa.Column("gone_at", sa.BigInteger(), nullable=True, comment="when it was no longer open"),
        sa.ForeignKeyConstraint(["hand_over"], ["hand_over.uid"], name=op.f("fk_hand_over_item_hand_over_hand_over")),
        sa.PrimaryKeyConstraint("hand_over", "kind", "item", name=op.f("pk_hand_over_item")),
    )


def downgrade() -> None:
    op.drop_table("hand_over_item")
    op.drop_table("incident_team")
    op.drop_table("incident_task")
    op.drop_table("incident_role")
    op.drop_table("incident_rating")
    op.drop_table("incident_moment")
    op.drop_table("incident_link")
    op.drop_table("incident_finding")
    op.drop_table("incident_entry")
    op.drop_table("incident_entity")
    op.drop_table("hand_over")
    op.drop_table("incident_mention")
    op.drop_table("incident")
