"""When to owe what comes before a reminder, to people to whom something does."""

import sqlalchemy as sa
from alembic import op

from db import types

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.add_column("users", sa.Column("owe_at", types.Utc(), nullable=True))
    op.create_index(
        op.f("ix_users_owe_at"),
        "users",
        ["owe_at"],
        unique=False,
        postgresql_where=sa.text("owe_at IS NOT NULL"),
        sqlite_where=sa.text("owe_at IS NOT NULL"),
    )
