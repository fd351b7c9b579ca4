"""The self-experiment, what waits to be imported, and the ledger of erasures."""

import sqlalchemy as sa
from alembic import op

from db import types

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("users", sa.Column("exported_at", types.Utc(), nullable=True))
    op.add_column("users", sa.Column("warned_at", types.Utc(), nullable=True))
    _experiments()
    op.create_table(
        "experiment_nights",
        sa.Column("user_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("night", types.Civil(), nullable=False),
        sa.Column("revealed_at", types.Utc(), nullable=True),
        sa.Column("void", sa.String(length=12), nullable=True),
        sa.Column("rating", sa.SmallInteger(), nullable=True),
        sa.PrimaryKeyConstraint("user_id", "night", name=op.f("pk_experiment_nights")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "imports",
        sa.Column("user_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", types.Utc(), nullable=False),
        sa.Column("nights", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_imports")),
    )
    op.create_table(
        "erasures",
        sa.Column("who", sa.String(length=64), nullable=False),
        sa.Column("erased_on", types.Civil(), nullable=False),
        sa.PrimaryKeyConstraint("who", "erased_on", name=op.f("pk_erasures")),
    )


def _experiments() -> None:
    op.create_table(
        "experiments",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("start", types.Civil(), nullable=False),
        sa.Column("length", sa.SmallInteger(), nullable=False),
        sa.Column("seed", sa.LargeBinary(length=32), nullable=False),
        sa.Column("shifts", sa.String(length=500), server_default="", nullable=False),
        sa.Column("blind", sa.Boolean(), nullable=False),
        sa.Column("bags_code", sa.String(length=32), nullable=True),
        sa.Column("begun_at", types.Utc(), nullable=False),
        sa.Column("paused_since", types.Civil(), nullable=True),
        sa.Column("stopped_after", types.Civil(), nullable=True),
        sa.Column("look_at", types.Utc(), nullable=True),
        sa.Column("ended_at", types.Utc(), nullable=True),
        sa.Column("report", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_experiments")),
    )
    op.create_index(
        "ix_experiments_open",
        "experiments",
        ["user_id"],
        unique=True,
        postgresql_where=sa.text("ended_at IS NULL"),
        sqlite_where=sa.text("ended_at IS NULL"),
    )
    op.create_index("ix_experiments_user_id", "experiments", ["user_id"], unique=False)
    op.create_index("ix_experiments_bags_code", "experiments", ["bags_code"], unique=False)
    op.create_index(
        "ix_experiments_look_at",
        "experiments",
        ["look_at"],
        unique=False,
        postgresql_where=sa.text("look_at IS NOT NULL"),
        sqlite_where=sa.text("look_at IS NOT NULL"),
    )
