"""Standing limits, what was bought within them, and the questions that answer themselves."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "standing_limits",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("terms", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.Float(), nullable=False),
        sa.Column("expires_at", sa.Float(), nullable=False),
        sa.Column("decided_at", sa.Float(), nullable=True),
        sa.Column("ended_at", sa.Float(), nullable=True),
        sa.Column("evidence", sa.Text(), nullable=True),
        sa.Column("key_id", sa.String(length=64), nullable=True),
        sa.Column("mandates", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("limits_of_a_user", "standing_limits", ["user_id", "state"])
    op.create_table(
        "limit_bookings",
        sa.Column("approval_id", sa.String(length=64), nullable=False),
        sa.Column("limit_id", sa.String(length=64), nullable=False),
        sa.Column("order_id", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.String(length=64), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["limit_id"], ["standing_limits.id"]),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"]),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"]),
        sa.PrimaryKeyConstraint("approval_id"),
    )
    op.create_index("bookings_of_a_limit", "limit_bookings", ["limit_id", "at"])
    op.add_column("approvals", sa.Column("limit_id", sa.String(length=64), nullable=True))


def downgrade() -> None:
    op.drop_column("approvals", "limit_id")
    op.drop_table("limit_bookings")
    op.drop_table("standing_limits")
