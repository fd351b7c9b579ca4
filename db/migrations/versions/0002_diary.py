"""The diary: details, notes, pictures that Telegram has, and what people chose about them."""

import sqlalchemy as sa
from alembic import op

from db import types

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    for column in (
        sa.Column("detail", sa.SmallInteger(), nullable=True),
        sa.Column("ask_evening", sa.Boolean(), nullable=True),
        sa.Column("light", sa.Boolean(), nullable=True),
        sa.Column("no_digest", sa.Boolean(), nullable=True),
        sa.Column("stock", sa.SmallInteger(), nullable=True),
        sa.Column("stock_from", types.Civil(), nullable=True),
        sa.Column("stock_told", sa.Boolean(), nullable=True),
        sa.Column("pack", sa.SmallInteger(), nullable=True),
    ):
        op.add_column("users", column)
    op.create_table(
        "night_details",
        sa.Column("user_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("night", types.Civil(), nullable=False),
        sa.Column("note", sa.String(length=500), nullable=True),
        sa.Column("evening", sa.SmallInteger(), nullable=True),
        sa.Column("onset", sa.SmallInteger(), nullable=True),
        sa.Column("rested", sa.SmallInteger(), nullable=True),
        sa.Column("in_bed", sa.SmallInteger(), nullable=True),
        sa.Column("tried", sa.SmallInteger(), nullable=True),
        sa.Column("latency", sa.SmallInteger(), nullable=True),
        sa.Column("awakenings", sa.SmallInteger(), nullable=True),
        sa.Column("awake", sa.SmallInteger(), nullable=True),
        sa.Column("woke", sa.SmallInteger(), nullable=True),
        sa.Column("rose", sa.SmallInteger(), nullable=True),
        sa.Column("quality", sa.SmallInteger(), nullable=True),
        sa.Column("late", sa.Boolean(), nullable=True),
        sa.PrimaryKeyConstraint("user_id", "night", name=op.f("pk_night_details")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "pictures",
        sa.Column("user_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("name", sa.String(length=16), nullable=False),
        sa.Column("mark", sa.String(length=64), nullable=False),
        sa.Column("file_id", sa.String(length=255), nullable=False),
        sa.PrimaryKeyConstraint("user_id", "name", name=op.f("pk_pictures")),
        sqlite_with_rowid=False,
    )
