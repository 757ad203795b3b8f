"""Which protocol a merchant speaks, and the keys to those that speak ACP."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    protocol = sa.Column("protocol", sa.String(length=16), nullable=False, server_default="ucp")
    op.add_column("merchants", protocol)
    op.create_table(
        "acp_access",
        sa.Column("merchant_id", sa.String(length=64), nullable=False),
        sa.Column("access", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("merchant_id"),
    )


def downgrade() -> None:
    op.drop_table("acp_access")
    op.drop_column("merchants", "protocol")
