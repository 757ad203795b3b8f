"""Money on its way back is looked for at every start: find it without reading the ledger."""

from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.create_index("ledger_postings_of_an_account", "ledger_postings", ["account", "entry"])


def downgrade() -> None:
    op.drop_index("ledger_postings_of_an_account", "ledger_postings")
