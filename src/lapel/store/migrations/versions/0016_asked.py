"""Orders about which a merchant was asked something that it has not answered, found by an index."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    op.add_column("orders", sa.Column("asked", sa.Integer, nullable=True))
    where = sa.text("asked IS NOT NULL")
    op.create_index(
        "orders_asked_about", "orders", ["asked"], sqlite_where=where, postgresql_where=where
    )


def downgrade() -> None:
    op.drop_index("orders_asked_about", "orders")
    op.drop_column("orders", "asked")
