"""Several workers on one record, and indexes for what a million orders would make slow."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

INDEXES = {
    "orders_by_checkout": ("merchant_id", "checkout_id"),
    "orders_by_state": ("state", "updated_at"),
    "orders_of_a_user_there": ("user_id", "merchant_id", "created_at"),
}


def upgrade() -> None:
    op.create_table(
        "workers",
        sa.Column("epoch", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("lease_s", sa.Float(), nullable=False),
        sa.Column("joined_at", sa.Float(), nullable=False),
        sa.Column("beat_at", sa.Float(), nullable=False),
        sa.Column("ended_at", sa.Float(), nullable=True),
        sa.Column("heir", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("epoch"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "homes",
        sa.Column("user_id", sa.String(length=64), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"]),
        sa.PrimaryKeyConstraint("user_id"),
    )
    op.add_column("orders", sa.Column("owner", sa.Integer(), nullable=True))
    for name, columns in INDEXES.items():
        op.create_index(name, "orders", list(columns))


def downgrade() -> None:
    for name in INDEXES:
        op.drop_index(name, "orders")
    op.drop_column("orders", "owner")
    op.drop_table("homes")
    op.drop_table("workers")
