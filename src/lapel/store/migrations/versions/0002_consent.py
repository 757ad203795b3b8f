"""Keys that users hold, and the mandates that they signed."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "user_keys",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.String(length=64), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.Column("public_jwk", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.Column("retired_at", sa.Float(), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("keys_of_a_user", "user_keys", ["user_id", "created_at"], unique=False)
    op.create_table(
        "closed_mandates",
        sa.Column("approval_id", sa.String(length=64), nullable=False),
        sa.Column("order_id", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.String(length=64), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"]),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"]),
        sa.PrimaryKeyConstraint("approval_id"),
    )
    op.create_index("mandates_of_an_order", "closed_mandates", ["order_id"], unique=False)


def downgrade() -> None:
    op.drop_index("mandates_of_an_order", table_name="closed_mandates")
    op.drop_table("closed_mandates")
    op.drop_index("keys_of_a_user", table_name="user_keys")
    op.drop_table("user_keys")
