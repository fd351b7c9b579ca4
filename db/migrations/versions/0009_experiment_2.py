"""The second version of the self-experiment: two questions, a seed of two parties, looks, the guess at the bags."""

import sqlalchemy as sa
from alembic import op

from db import types

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    # A test without a seed of the bot's and a word is one of the first version, and ends as it began.
    op.add_column(
        "experiments", sa.Column("design", sa.String(length=8), server_default=sa.text("'nightly'"), nullable=False)
    )
    op.add_column("experiments", sa.Column("bots_seed", sa.LargeBinary(length=32), nullable=True))
    op.add_column("experiments", sa.Column("word", sa.String(length=60), nullable=True))
    op.add_column("experiments", sa.Column("word_drawn", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("experiments", sa.Column("looks", sa.SmallInteger(), server_default="0", nullable=False))
    op.add_column("experiments", sa.Column("over_after", types.Civil(), nullable=True))
    op.add_column("experiments", sa.Column("guess", sa.String(length=12), nullable=True))
    op.add_column("experiments", sa.Column("packed", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.create_table(
        "experiment_drafts",
        sa.Column("user_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("bots_seed", sa.LargeBinary(length=32), nullable=False),
        sa.Column("length", sa.SmallInteger(), nullable=False),
        sa.Column("design", sa.String(length=8), nullable=False),
        sa.Column("blind", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_experiment_drafts")),
    )
