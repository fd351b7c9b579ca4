"""The first schema."""

import sqlalchemy as sa
from alembic import op

from db import types

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "dead_letters",
        sa.Column("update_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=True),
        sa.Column("at", types.Utc(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("update_id", name=op.f("pk_dead_letters")),
    )
    op.create_table(
        "inbox",
        sa.Column("update_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=True),
        sa.Column("received_at", types.Utc(), nullable=False),
        sa.Column("attempts", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("body", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("update_id", name=op.f("pk_inbox")),
    )
    op.create_index(
        "ix_inbox_waiting",
        "inbox",
        ["update_id"],
        unique=False,
        postgresql_where=sa.text("body IS NOT NULL"),
        sqlite_where=sa.text("body IS NOT NULL"),
    )
    op.create_table(
        "marks",
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_marks")),
    )
    op.create_table(
        "nights",
        sa.Column("user_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("night", types.Civil(), nullable=False),
        sa.Column("reminder", sa.SmallInteger(), nullable=True),
        sa.Column("intake", sa.SmallInteger(), nullable=True),
        sa.Column("intake_at", types.Utc(), nullable=True),
        sa.Column("reason", sa.String(length=8), nullable=True),
        sa.Column("rating", sa.SmallInteger(), nullable=True),
        sa.Column("rated_at", types.Utc(), nullable=True),
        sa.Column("late", sa.Boolean(), nullable=True),
        sa.PrimaryKeyConstraint("user_id", "night", name=op.f("pk_nights")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "outbox",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("night", types.Civil(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("planned_at", types.Utc(), nullable=False),
        sa.Column("due_at", types.Utc(), nullable=False),
        sa.Column("until_at", types.Utc(), nullable=False),
        sa.Column("bed_at", types.Utc(), nullable=False),
        sa.Column("close_at", types.Utc(), nullable=False),
        sa.Column("copies", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("tries", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("worker", sa.String(length=16), nullable=True),
        sa.Column("lease_until", types.Utc(), nullable=True),
        sa.Column("message_id", sa.BigInteger(), nullable=True),
        sa.Column("sent_at", types.Utc(), nullable=True),
        sa.Column("reason", sa.String(length=120), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
        sa.UniqueConstraint("user_id", "kind", "night", name=op.f("uq_outbox_user_id")),
    )
    op.create_index("ix_outbox_close", "outbox", ["close_at"], unique=False)
    op.create_index(
        "ix_outbox_due",
        "outbox",
        ["due_at"],
        unique=False,
        postgresql_where=sa.text("state = 'due'"),
        sqlite_where=sa.text("state = 'due'"),
    )
    op.create_index(
        "ix_outbox_lease",
        "outbox",
        ["lease_until"],
        unique=False,
        postgresql_where=sa.text("lease_until IS NOT NULL"),
        sqlite_where=sa.text("lease_until IS NOT NULL"),
    )
    op.create_table(
        "retired_tips",
        sa.Column("user_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("tip", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("user_id", "tip", name=op.f("pk_retired_tips")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "users",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("created_at", types.Utc(), nullable=False),
        sa.Column("seen_at", types.Utc(), nullable=False),
        sa.Column("consent", sa.SmallInteger(), nullable=True),
        sa.Column("language", sa.String(length=16), nullable=True),
        sa.Column("zone", sa.String(length=64), nullable=True),
        sa.Column("bedtimes", sa.String(length=40), nullable=True),
        sa.Column("lead", sa.SmallInteger(), nullable=True),
        sa.Column("check_ins", sa.String(length=40), nullable=True),
        sa.Column("form", sa.String(length=32), nullable=True),
        sa.Column("label", sa.String(length=64), nullable=True),
        sa.Column("remind_at", types.Utc(), nullable=True),
        sa.Column("remind_night", types.Civil(), nullable=True),
        sa.Column("reminded_at", types.Utc(), nullable=True),
        sa.Column("reminded_night", types.Civil(), nullable=True),
        sa.Column("away_zone", sa.String(length=64), nullable=True),
        sa.Column("away_until", types.Civil(), nullable=True),
        sa.Column("later_night", types.Civil(), nullable=True),
        sa.Column("later_bedtime", sa.SmallInteger(), nullable=True),
        sa.Column("paused_until", types.Civil(), nullable=True),
        sa.Column("awaiting", sa.String(length=12), nullable=True),
        sa.Column("awaiting_for", sa.String(length=32), nullable=True),
        sa.Column("awaiting_until", types.Utc(), nullable=True),
        sa.Column("cadence", sa.String(length=8), nullable=True),
        sa.Column("unanswered", sa.SmallInteger(), nullable=True),
        sa.Column("nudges", sa.SmallInteger(), nullable=True),
        sa.Column("snooze", sa.SmallInteger(), nullable=True),
        sa.Column("quiet", sa.Boolean(), nullable=True),
        sa.Column("discreet", sa.Boolean(), nullable=True),
        sa.Column("no_check_in", sa.Boolean(), nullable=True),
        sa.Column("muted", sa.String(length=255), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
    )
    op.create_index(
        op.f("ix_users_remind_at"),
        "users",
        ["remind_at"],
        unique=False,
        postgresql_where=sa.text("remind_at IS NOT NULL"),
        sqlite_where=sa.text("remind_at IS NOT NULL"),
    )
