"""Broadcasts and their recipients, admins who claimed, and what admins did."""

import sqlalchemy as sa
from alembic import op

from db import types

revision = "0004"
down_revision = "0003"

_SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("users", sa.Column("no_news", sa.Boolean(), nullable=True))
    op.create_table(
        "broadcasts",
        sa.Column("id", _SERIAL, nullable=False),
        sa.Column("admin_id", sa.BigInteger(), nullable=False),
        sa.Column("message_id", sa.BigInteger(), nullable=False),
        sa.Column("phase", sa.String(length=10), nullable=False),
        sa.Column("created_at", types.Utc(), nullable=False),
        sa.Column("ended_at", types.Utc(), nullable=True),
        sa.Column("language", sa.String(length=16), nullable=True),
        sa.Column("awake_only", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("total", sa.Integer(), server_default="0", nullable=False),
        sa.Column("fed_to", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("fed", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("panel_id", sa.BigInteger(), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_broadcasts")),
        sa.UniqueConstraint("active", name=op.f("uq_broadcasts_active")),
    )
    op.create_table(
        "recipients",
        sa.Column("broadcast_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("user_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("fate", sa.String(length=10), nullable=False),
        sa.Column("due_at", types.Utc(), nullable=False),
        sa.Column("reason", sa.String(length=80), nullable=True),
        sa.PrimaryKeyConstraint("broadcast_id", "user_id", name=op.f("pk_recipients")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_recipients_due",
        "recipients",
        ["broadcast_id", "due_at"],
        unique=False,
        postgresql_where=sa.text("fate = 'pending'"),
        sqlite_where=sa.text("fate = 'pending'"),
    )
    op.create_table(
        "admins",
        sa.Column("user_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("since", types.Utc(), nullable=False),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_admins")),
    )
    op.create_table(
        "audit",
        sa.Column("id", _SERIAL, nullable=False),
        sa.Column("at", types.Utc(), nullable=False),
        sa.Column("admin_id", sa.BigInteger(), nullable=False),
        sa.Column("action", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
    )
