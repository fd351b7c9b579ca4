"""What became of a broadcast's copies, kept when its recipients are forgotten."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.add_column("broadcasts", sa.Column("report", sa.Text(), nullable=True))
