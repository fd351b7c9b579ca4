"""Which tip a night's reminder carried."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.add_column("nights", sa.Column("tip", sa.Integer(), nullable=True))
    op.add_column("outbox", sa.Column("tip", sa.Integer(), nullable=True))
