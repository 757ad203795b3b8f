"""Each open plan is carried on by one worker."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.add_column("plans", sa.Column("owner", sa.Integer(), nullable=True))
    op.drop_index("plans_open", "plans")
    op.create_index("plans_open", "plans", ["state", "owner"])


def downgrade() -> None:
    op.drop_index("plans_open", "plans")
    op.create_index("plans_open", "plans", ["state"])
    op.drop_column("plans", "owner")
