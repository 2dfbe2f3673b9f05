"""The foundation: every table of the first release."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "account",
        sa.Column("uid", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("full_name", sa.String(length=200), server_default="", nullable=False),
        sa.Column("role", sa.String(length=32), nullable=False),
        sa.Column("password", sa.String(length=200), nullable=False),
        sa.Column("disabled", sa.Boolean(), nullable=False),
        sa.Column("must_change", sa.Boolean(), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("password_changed", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("uid", name=op.f("pk_account")),
        sa.UniqueConstraint("name", name=op.f("uq_account_name")),
    )
    op.create_table(
        "api_token",
        sa.Column("uid", sa.String(length=32), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("account", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("expires", sa.BigInteger(), nullable=True),
        sa.Column("last_used", sa.BigInteger(), nullable=True),
        sa.Column("revoked", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("uid", name=op.f("pk_api_token")),
        sa.UniqueConstraint("digest", name=op.f("uq_api_token_digest")),
    )
    with op.batch_alter_table("api_token", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_api_token_account"), ["account"], unique=False)

    op.create_table(
        "audit",
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.String(length=200), nullable=False),
        sa.Column("action", sa.String(length=64), nullable=False),
        sa.Column("target", sa.String(length=400), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("head", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_audit")),
    )
    with op.batch_alter_table("audit", schema=None) as batch_op:
        batch_op.create_index("ix_audit_actor_seq", ["actor", "seq"], unique=False)
        batch_op.create_index("ix_audit_target_seq", ["target", "seq"], unique=False)

    op.create_table(
        "audit_check",
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.Column("entries", sa.Integer(), nullable=False),
        sa.Column("head", sa.String(length=64), nullable=False),
        sa.Column("problems", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("time", name=op.f("pk_audit_check")),
    )
    op.create_table(
        "audit_head",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("head", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_head")),
    )
    op.create_table(
        "change",
        sa.Column("position", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("uid", sa.String(length=128), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False, comment="JSON object"),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_change")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("change", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_change_at"), ["at"], unique=False)

    op.create_table(
        "directory_document",
        sa.Column(
            "position",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
            comment="the newest one is the version of the whole directory",
        ),
        sa.Column("kind", sa.String(length=16), nullable=False, comment="site, geometry or people"),
        sa.Column("name", sa.String(length=200), nullable=False, comment="file name"),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column(
            "digest", sa.String(length=64), nullable=False, comment="SHA-256 of the text; of people files keyed, as they hold card numbers"
        ),
        sa.Column("text", sa.Text(), nullable=False, comment="the file, or the book read from it as JSON; empty: taken away"),
        sa.Column("loaded_at", sa.BigInteger(), nullable=False),
        sa.Column("loaded_by", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_directory_document")),
        sa.UniqueConstraint("kind", "name", "version", name="uq_directory_document_version"),
    )
    op.create_table(
        "finding",
        sa.Column("uid", sa.String(length=32), nullable=False),
        sa.Column("rule", sa.String(length=128), nullable=False),
        sa.Column("rule_version", sa.Integer(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("severity", sa.Integer(), nullable=False),
        sa.Column("confidence", sa.Float(), nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.Column("first_time", sa.BigInteger(), nullable=False),
        sa.Column("last_time", sa.BigInteger(), nullable=False),
        sa.Column("because", sa.Text(), nullable=False),
        sa.Column("mode", sa.String(length=8), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False, comment="provisional, final or withdrawn"),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("refuted_by", sa.String(length=32), nullable=False),
        sa.Column("named", sa.Text(), nullable=False, comment="JSON: persons, assets, places, credentials, addresses, events, attack"),
        sa.Column("kept_at", sa.BigInteger(), nullable=False, comment="when it was first written"),
        sa.Column("changed_at", sa.BigInteger(), nullable=False, comment="when the detector last said otherwise"),
        sa.Column("work", sa.String(length=16), nullable=False, comment="open, acknowledged or closed"),
        sa.Column("disposition", sa.String(length=16), nullable=False, comment="true, benign, false or undecided; empty while not closed"),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("work_by", sa.String(length=128), nullable=False),
        sa.Column("work_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("uid", name=op.f("pk_finding")),
    )
    with op.batch_alter_table("finding", schema=None) as batch_op:
        batch_op.create_index("ix_finding_last_time", ["last_time"], unique=False)
        batch_op.create_index("ix_finding_rule", ["rule", "time"], unique=False)
        batch_op.create_index("ix_finding_time", ["time", "uid"], unique=False)
        batch_op.create_index("ix_finding_work", ["work", "time"], unique=False)

    op.create_table(
        "idempotent",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("request", sa.String(length=64), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_idempotent")),
    )
    with op.batch_alter_table("idempotent", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_idempotent_at"), ["at"], unique=False)

    op.create_table(
        "login_attempt",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.Column("blocked_until", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_login_attempt")),
    )
    with op.batch_alter_table("login_attempt", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_login_attempt_last"), ["last"], unique=False)

    op.create_table(
        "mapping",
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("kept_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", "version", name=op.f("pk_mapping")),
    )
    op.create_table(
        "reparse_request",
        sa.Column("source", sa.String(length=128), nullable=False),
        sa.Column("by", sa.String(length=200), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("source", name=op.f("pk_reparse_request")),
    )
    op.create_table(
        "segment",
        sa.Column("uid", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("writer", sa.String(length=64), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False, comment="place in the writer's chain, from 1"),
        sa.Column("arrival", sa.String(length=10), nullable=False, comment="arrival date of all its records, YYYY-MM-DD"),
        sa.Column("records", sa.Integer(), nullable=False),
        sa.Column("events", sa.Integer(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("file", sa.Text(), nullable=False, comment="path below the archive folder"),
        sa.Column("digest", sa.String(length=64), nullable=False, comment="SHA-256 of the archive file"),
        sa.Column("previous", sa.String(length=64), nullable=False),
        sa.Column("chain", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False, comment="sealed, inserted or judged"),
        sa.Column("sealed_at", sa.BigInteger(), nullable=False),
        sa.Column("inserted_at", sa.BigInteger(), nullable=True),
        sa.Column("judged_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("uid", name=op.f("pk_segment")),
        sa.UniqueConstraint("writer", "number", name="uq_segment_writer_number"),
    )
    with op.batch_alter_table("segment", schema=None) as batch_op:
        batch_op.create_index("ix_segment_state", ["state", "uid"], unique=False)

    op.create_table(
        "session",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("account", sa.String(length=32), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("last_used", sa.BigInteger(), nullable=False),
        sa.Column("expires", sa.BigInteger(), nullable=False),
        sa.Column("address", sa.String(length=64), server_default="", nullable=False),
        sa.Column("agent", sa.String(length=200), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_session")),
    )
    with op.batch_alter_table("session", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_session_account"), ["account"], unique=False)
        batch_op.create_index(batch_op.f("ix_session_expires"), ["expires"], unique=False)

    op.create_table(
        "source",
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("domain", sa.String(length=16), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("connector", sa.String(length=32), nullable=False),
        sa.Column("mapping", sa.String(length=128), nullable=False),
        sa.Column("site", sa.String(length=128), nullable=False),
        sa.Column("lateness_ms", sa.BigInteger(), nullable=False),
        sa.Column("resolution_ms", sa.BigInteger(), nullable=False),
        sa.Column("skew_ms", sa.BigInteger(), nullable=False),
        sa.Column("rhythm_ms", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_source")),
    )
    op.create_table(
        "source_key",
        sa.Column("source", sa.String(length=128), nullable=False),
        sa.Column("token_digest", sa.String(length=64), server_default="", nullable=False),
        sa.Column("signing_id", sa.String(length=32), server_default="", nullable=False),
        sa.Column("made", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("source", name=op.f("pk_source_key")),
    )
    op.create_table(
        "source_status",
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("accepted", sa.BigInteger(), nullable=False),
        sa.Column("parsed", sa.BigInteger(), nullable=False),
        sa.Column("unparsed", sa.BigInteger(), nullable=False),
        sa.Column("unmapped", sa.BigInteger(), nullable=False),
        sa.Column("duplicate", sa.BigInteger(), nullable=False),
        sa.Column("lost", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("unresolved", sa.BigInteger(), nullable=False),
        sa.Column("events", sa.BigInteger(), nullable=False),
        sa.Column("last_received", sa.BigInteger(), nullable=True),
        sa.Column("last_time", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_source_status")),
    )
    op.create_table(
        "trail_grant",
        sa.Column("session", sa.String(length=64), nullable=False),
        sa.Column("person", sa.String(length=200), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("session", "person", name=op.f("pk_trail_grant")),
    )
    with op.batch_alter_table("trail_grant", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_trail_grant_until"), ["until"], unique=False)

    op.create_table(
        "unparsed",
        sa.Column("record", sa.String(length=32), nullable=False),
        sa.Column("source", sa.String(length=128), nullable=False),
        sa.Column("received", sa.BigInteger(), nullable=False),
        sa.Column("fault", sa.Text(), nullable=False),
        sa.Column("sample", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("record", name=op.f("pk_unparsed")),
    )
    with op.batch_alter_table("unparsed", schema=None) as batch_op:
        batch_op.create_index("ix_unparsed_received", ["received", "record"], unique=False)
        batch_op.create_index("ix_unparsed_source", ["source", "received", "record"], unique=False)

    op.create_table(
        "finding_entity",
        sa.Column("finding", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False, comment="person, asset, place, credential, address or event"),
        sa.Column("entity", sa.String(length=200), nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False, comment="the finding's time"),
        sa.ForeignKeyConstraint(["finding"], ["finding.uid"], name=op.f("fk_finding_entity_finding_finding"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("finding", "kind", "entity", name=op.f("pk_finding_entity")),
    )
    with op.batch_alter_table("finding_entity", schema=None) as batch_op:
        batch_op.create_index("ix_finding_entity_entity", ["kind", "entity", "time"], unique=False)
        batch_op.create_index("ix_finding_entity_time", ["time"], unique=False)

    op.create_table(
        "segment_batch",
        sa.Column("batch", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("part", sa.Integer(), autoincrement=False, nullable=False, comment="partition of the stream; 0 on one machine"),
        sa.Column("segment", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["segment"], ["segment.uid"], name=op.f("fk_segment_batch_segment_segment"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("batch", "part", name=op.f("pk_segment_batch")),
    )
    with op.batch_alter_table("segment_batch", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_segment_batch_segment"), ["segment"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("segment_batch", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_segment_batch_segment"))

    op.drop_table("segment_batch")
    with op.batch_alter_table("finding_entity", schema=None) as batch_op:
        batch_op.drop_index("ix_finding_entity_time")
        batch_op.drop_index("ix_finding_entity_entity")

    op.drop_table("finding_entity")
    with op.batch_alter_table("unparsed", schema=None) as batch_op:
        batch_op.drop_index("ix_unparsed_source")
        batch_op.drop_index("ix_unparsed_received")

    op.drop_table("unparsed")
    with op.batch_alter_table("trail_grant", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_trail_grant_until"))

    op.drop_table("trail_grant")
    op.drop_table("source_status")
    op.drop_table("source_key")
    op.drop_table("source")
    with op.batch_alter_table("session", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_session_expires"))
        batch_op.drop_index(batch_op.f("ix_session_account"))

    op.drop_table("session")
    with op.batch_alter_table("segment", schema=None) as batch_op:
        batch_op.drop_index("ix_segment_state")

    op.drop_table("segment")
    op.drop_table("reparse_request")
    op.drop_table("mapping")
    with op.batch_alter_table("login_attempt", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_login_attempt_last"))

    op.drop_table("login_attempt")
    with op.batch_alter_table("idempotent", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_idempotent_at"))

    op.drop_table("idempotent")
    with op.batch_alter_table("finding", schema=None) as batch_op:
        batch_op.drop_index("ix_finding_work")
        batch_op.drop_index("ix_finding_time")
        batch_op.drop_index("ix_finding_rule")
        batch_op.drop_index("ix_finding_last_time")

    op.drop_table("finding")
    op.drop_table("directory_document")
    with op.batch_alter_table("change", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_change_at"))

    op.drop_table("change")
    op.drop_table("audit_head")
    op.drop_table("audit_check")
    with op.batch_alter_table("audit", schema=None) as batch_op:
        batch_op.drop_index("ix_audit_target_seq")
        batch_op.drop_index("ix_audit_actor_seq")

    op.drop_table("audit")
    with op.batch_alter_table("api_token", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_api_token_account"))

    op.drop_table("api_token")
    op.drop_table("account")
