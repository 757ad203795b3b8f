"""The ledger of the users' money, with the entries that the orders there would have had."""

import json

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

TABLES = ("ledger_entries", "ledger_postings")
POSTGRESQL = "postgresql"


def upgrade() -> None:
    op.create_table(
        "ledger_entries",
        sa.Column("n", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("key", sa.String(length=128), nullable=False),
        sa.Column("order_id", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.String(length=64), nullable=False),
        sa.Column("step", sa.String(length=16), nullable=False),
        sa.Column("authorization_id", sa.String(length=128), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"]),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"]),
        sa.PrimaryKeyConstraint("n"),
        sa.UniqueConstraint("key"),
        sqlite_autoincrement=True,
    )
    op.create_index("ledger_entries_of_an_order", "ledger_entries", ["order_id"])
    op.create_index("ledger_entries_of_a_user", "ledger_entries", ["user_id", "n"])
    op.create_table(
        "ledger_postings",
        sa.Column("entry", sa.Integer(), nullable=False),
        sa.Column("account", sa.String(length=128), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("user_id", sa.String(length=64), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["entry"], ["ledger_entries.n"]),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"]),
        sa.PrimaryKeyConstraint("entry", "account", "currency"),
    )
    op.create_index(
        "ledger_postings_of_a_user",
        "ledger_postings",
        ["user_id", "currency", "account", "amount_minor"],
    )
    _carry_over(op.get_bind())
    _append_only()


def downgrade() -> None:
    op.drop_table("ledger_postings")
    op.drop_table("ledger_entries")


def _append_only() -> None:
    """The database itself refuses to change or delete what was written."""
    if op.get_bind().dialect.name == POSTGRESQL:
        op.execute(
            "CREATE OR REPLACE FUNCTION ledger_append_only() RETURNS trigger AS $$ BEGIN "
            "RAISE EXCEPTION 'the ledger is append-only'; END $$ LANGUAGE plpgsql"
        )
        for table in TABLES:
            op.execute(
                f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} "
                "FOR EACH ROW EXECUTE FUNCTION ledger_append_only()"
            )
        return
    for table in TABLES:
        for change in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{change.lower()} BEFORE {change} ON {table} "
                "BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END"
            )


def _carry_over(connection: sa.Connection) -> None:
    orders = connection.execute(
        sa.text(
            "SELECT id, user_id, merchant_id, revision, state, total_minor, currency, "
            "authorization_id, updated_at FROM orders WHERE authorization_id IS NOT NULL "
            "AND total_minor IS NOT NULL AND total_minor > 0 ORDER BY updated_at, id"
        )
    ).mappings()
    for order in orders.all():
        for step, source, target in _movements(connection, order):
            _enter(connection, order, step, source, target)


def _movements(connection: sa.Connection, order: sa.RowMapping) -> list[tuple[str, str, str]]:
    """(step, from, to) of what has happened to the order's money so far."""
    spent = f"spent:{order['merchant_id']}"
    hold, capture = ("hold", "available", "held"), ("capture", "held", spent)
    due = ("refund_due", spent, "in_transit")
    told = connection.execute(
        sa.text("SELECT kind, data FROM order_events WHERE order_id = :id"), {"id": order["id"]}
    ).all()
    was_placed = any(kind == "placed" for kind, _ in told)
    match order["state"]:
        case "placed" | "delivered":
            return [hold, capture]
        case "placing" | "trouble" | "refunding":
            return [hold, capture, due] if was_placed else [hold]
        case "refunded":
            back = [json.loads(data) for kind, data in told if kind == "refunded"]
            if any(entry.get("captured") for entry in back):
                return [hold, capture, due, ("refund", "in_transit", "available")]
            return [hold, ("release", "held", "available")]
        case _:
            return []


def _enter(
    connection: sa.Connection, order: sa.RowMapping, step: str, source: str, target: str
) -> None:
    names = {"refund_due": "due:all", "refund": f"refund:{order['total_minor']}"}
    n = connection.execute(
        sa.text(
            "INSERT INTO ledger_entries (key, order_id, user_id, step, authorization_id, at) "
            "VALUES (:key, :order, :user, :step, :authorization, :at) RETURNING n"
        ),
        {
            "key": f"{order['id']}:{order['revision']}:{names.get(step, step)}",
            "order": order["id"],
            "user": order["user_id"],
            "step": step,
            "authorization": order["authorization_id"],
            "at": order["updated_at"],
        },
    ).scalar_one()
    for account, sign in ((source, -1), (target, 1)):
        connection.execute(
            sa.text(
                "INSERT INTO ledger_postings (entry, account, currency, user_id, amount_minor) "
                "VALUES (:entry, :account, :currency, :user, :minor)"
            ),
            {
                "entry": n,
                "account": account,
                "currency": order["currency"],
                "user": order["user_id"],
                "minor": sign * order["total_minor"],
            },
        )
