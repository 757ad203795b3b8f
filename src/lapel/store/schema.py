"""Every table, in one place. Structured values are JSON texts; times are seconds since 1970."""

from __future__ import annotations

import sqlalchemy as sa

metadata = sa.MetaData()


def _id(name: str = "id") -> sa.Column[str]:
    return sa.Column(name, sa.String(64), primary_key=True)


def _user() -> sa.Column[str]:
    return sa.Column("user_id", sa.String(64), sa.ForeignKey("users.id"), nullable=False)


def _text(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=nullable)


def _time(name: str, *, nullable: bool = False) -> sa.Column[float]:
    return sa.Column(name, sa.Float, nullable=nullable)


users = sa.Table("users", metadata, _id(), _text("name"), _time("created_at"))

sign_in_tokens = sa.Table(
    "sign_in_tokens",
    metadata,
    _id("hash"),
    _user(),
    _time("created_at"),
    _time("revoked_at", nullable=True),
)

devices = sa.Table(
    "devices",
    metadata,
    _id(),
    _user(),
    sa.Column("key_hash", sa.String(64), unique=True, nullable=False),
    _text("family"),
    _text("name"),
    _text("model"),
    _text("profile"),
    _time("created_at"),
    _time("last_seen_at"),
    _time("revoked_at", nullable=True),
)

addresses = sa.Table(
    "addresses",
    metadata,
    sa.Column("user_id", sa.String(64), sa.ForeignKey("users.id"), primary_key=True),
    sa.Column("label", sa.String(64), primary_key=True),
    _text("aliases"),
    _text("street"),
    _text("city"),
    _text("postal_code"),
    _text("country"),
    sa.Column("latitude", sa.Float, nullable=False),
    sa.Column("longitude", sa.Float, nullable=False),
    _text("instructions"),
    sa.Column("is_default", sa.Boolean, nullable=False),
)

merchants = sa.Table(
    "merchants",
    metadata,
    _id(),
    sa.Column("url", sa.Text, unique=True, nullable=False),
    _text("name"),
    _text("profile"),
    _time("added_at"),
    _time("checked_at"),
    sa.Column("protocol", sa.String(16), nullable=False, server_default="ucp"),
)

mcp_servers = sa.Table("mcp_servers", metadata, _id(), _text("body"), _time("added_at"))

tool_calls = sa.Table(
    "tool_calls",
    metadata,
    _id(),
    _user(),
    sa.Column("state", sa.String(16), nullable=False),
    _time("asked_at"),
    _text("body"),
    sa.Index("tool_calls_of_a_user", "user_id", "state"),
)

acp_access = sa.Table(
    "acp_access",
    metadata,
    sa.Column("merchant_id", sa.String(64), primary_key=True),
    _text("access"),
)

wallets = sa.Table(
    "wallets",
    metadata,
    sa.Column("user_id", sa.String(64), sa.ForeignKey("users.id"), primary_key=True),
    sa.Column("endpoint", sa.String(512), primary_key=True),
    _text("handler"),
    _text("account"),
    _text("secret"),
)

keys = sa.Table(
    "keys",
    metadata,
    _id(),
    _text("purpose"),
    _text("private_pem"),
    _text("public_jwk"),
    _time("created_at"),
    _time("retired_at", nullable=True),
)

orders = sa.Table(
    "orders",
    metadata,
    _id(),
    _user(),
    sa.Column("merchant_id", sa.String(64), nullable=False),
    _text("merchant_name"),
    sa.Column("state", sa.String(32), nullable=False),
    sa.Column("revision", sa.Integer, nullable=False),
    _text("draft"),
    _text("checkout", nullable=True),
    sa.Column("total_minor", sa.BigInteger, nullable=True),
    sa.Column("currency", sa.String(3), nullable=True),
    sa.Column("checkout_id", sa.String(128), nullable=True),
    sa.Column("merchant_order_id", sa.String(128), nullable=True),
    sa.Column("authorization_id", sa.String(128), nullable=True),
    _text("receipt", nullable=True),
    _time("created_at"),
    _time("updated_at"),
    # The epoch of the worker that drives it; empty where only one works on the record.
    sa.Column("owner", sa.Integer, nullable=True),
    # 1 while the merchant was asked something about it and has not answered, else empty.
    sa.Column("asked", sa.Integer, nullable=True),
    sa.Index("orders_of_a_user", "user_id", "created_at"),
    sa.Index(
        "orders_asked_about",
        "asked",
        sqlite_where=sa.text("asked IS NOT NULL"),
        postgresql_where=sa.text("asked IS NOT NULL"),
    ),
    sa.Index("orders_at_a_merchant", "merchant_id", "merchant_order_id"),
    sa.Index("orders_by_checkout", "merchant_id", "checkout_id"),
    sa.Index("orders_by_state", "state", "updated_at"),
    sa.Index("orders_of_a_user_there", "user_id", "merchant_id", "created_at"),
)

approvals = sa.Table(
    "approvals",
    metadata,
    _id(),
    sa.Column("order_id", sa.String(64), sa.ForeignKey("orders.id"), nullable=False),
    _user(),
    sa.Column("checkout_hash", sa.String(64), nullable=False),
    sa.Column("amount_minor", sa.BigInteger, nullable=False),
    sa.Column("currency", sa.String(3), nullable=False),
    _text("payee"),
    sa.Column("state", sa.String(16), nullable=False),
    _time("asked_at"),
    _time("expires_at"),
    _time("decided_at", nullable=True),
    _text("evidence", nullable=True),
    sa.Column("limit_id", sa.String(64), nullable=True),
    sa.Index("approvals_of_a_user", "user_id", "state"),
    sa.Index("approvals_of_an_order", "order_id"),
)

order_events = sa.Table(
    "order_events",
    metadata,
    sa.Column("n", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("order_id", sa.String(64), sa.ForeignKey("orders.id"), nullable=False),
    _user(),
    sa.Column("kind", sa.String(32), nullable=False),
    sa.Column("key", sa.String(128), nullable=False),
    _time("at"),
    _text("text"),
    _text("data"),
    sa.UniqueConstraint("order_id", "key", name="order_events_once"),
    sa.Index("order_events_of_a_user", "user_id", "n"),
    sqlite_autoincrement=True,
)

inbound_events = sa.Table(
    "inbound_events",
    metadata,
    _id(),
    sa.Column("merchant_id", sa.String(64), nullable=False),
    _time("received_at"),
)

conversations = sa.Table(
    "conversations",
    metadata,
    sa.Column("user_id", sa.String(64), sa.ForeignKey("users.id"), primary_key=True),
    _text("frame"),
    sa.Column("order_id", sa.String(64), nullable=True),
    sa.Column("told_event", sa.Integer, nullable=False),
    _time("updated_at"),
)

utterances = sa.Table(
    "utterances",
    metadata,
    sa.Column("n", sa.Integer, primary_key=True, autoincrement=True),
    _user(),
    sa.Column("device_id", sa.String(64), nullable=False),
    sa.Column("source", sa.String(16), nullable=False),
    _text("text"),
    _text("reply"),
    _time("at"),
    sa.Index("utterances_of_a_user", "user_id", "n"),
    sqlite_autoincrement=True,
)

cues = sa.Table(
    "cues",
    metadata,
    sa.Column("n", sa.Integer, primary_key=True, autoincrement=True),
    _user(),
    sa.Column("id", sa.String(128), nullable=False, unique=True),
    sa.Column("topic", sa.String(128), nullable=False),
    _text("body"),
    _time("created_at"),
    _time("expires_at", nullable=True),
    _time("delivered_at", nullable=True),
    sa.Column("delivered_to", sa.String(64), nullable=True),
    sa.Index("cues_to_deliver", "user_id", "delivered_at"),
    sqlite_autoincrement=True,
)

# Consent: the keys that users hold, and the mandates signed with them.

user_keys = sa.Table(
    "user_keys",
    metadata,
    _id(),
    _user(),
    _text("sealed"),
    _text("public_jwk"),
    _time("created_at"),
    _time("retired_at", nullable=True),
    sa.Index("keys_of_a_user", "user_id", "created_at"),
)

closed_mandates = sa.Table(
    "closed_mandates",
    metadata,
    _id("approval_id"),
    sa.Column("order_id", sa.String(64), sa.ForeignKey("orders.id"), nullable=False),
    _user(),
    _text("body"),
    _time("created_at"),
    sa.Index("mandates_of_an_order", "order_id"),
)

# Standing limits: what may be bought without asking, and what was bought within them.

standing_limits = sa.Table(
    "standing_limits",
    metadata,
    _id(),
    _user(),
    sa.Column("state", sa.String(16), nullable=False),
    _text("terms"),
    _time("asked_at"),
    _time("expires_at"),
    _time("decided_at", nullable=True),
    _time("ended_at", nullable=True),
    _text("evidence", nullable=True),
    sa.Column("key_id", sa.String(64), nullable=True),
    _text("mandates", nullable=True),
    sa.Index("limits_of_a_user", "user_id", "state"),
)

limit_bookings = sa.Table(
    "limit_bookings",
    metadata,
    _id("approval_id"),
    sa.Column("limit_id", sa.String(64), sa.ForeignKey("standing_limits.id"), nullable=False),
    sa.Column("order_id", sa.String(64), sa.ForeignKey("orders.id"), nullable=False),
    _user(),
    sa.Column("amount_minor", sa.BigInteger, nullable=False),
    _time("at"),
    sa.Index("bookings_of_a_limit", "limit_id", "at"),
)

passkeys = sa.Table(
    "passkeys",
    metadata,
    _id(),
    _user(),
    _text("name"),
    _text("credential_id"),
    _text("public_key"),
    sa.Column("rp_id", sa.String(255), nullable=False),
    sa.Column("sign_count", sa.BigInteger, nullable=False),
    _time("created_at"),
    _time("used_at", nullable=True),
    sa.Index("passkeys_of_a_user", "user_id", "created_at"),
)

# What a user keeps for themselves.

reminders = sa.Table(
    "reminders",
    metadata,
    _id(),
    _user(),
    sa.Column("kind", sa.String(16), nullable=False),
    _text("text"),
    _time("due_at"),
    _text("rule"),
    sa.Column("zone", sa.String(64), nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    _time("created_at"),
    _time("told_at", nullable=True),
    sa.Index("reminders_to_tell", "state", "due_at"),
    sa.Index("reminders_of_a_user", "user_id", "state"),
)

notes = sa.Table(
    "notes",
    metadata,
    _id(),
    _user(),
    _text("text"),
    _time("created_at"),
    sa.Index("notes_of_a_user", "user_id", "created_at"),
)

shopping_items = sa.Table(
    "shopping_items",
    metadata,
    _id(),
    _user(),
    _text("text"),
    sa.Column("amount", sa.Integer, nullable=False),
    sa.Column("unit", sa.String(8), nullable=False),
    sa.Column("item_id", sa.String(255), nullable=False),
    sa.Column("order_id", sa.String(64), nullable=True),
    _time("created_at"),
    sa.Index("shopping_items_of_a_user", "user_id", "created_at"),
)

shopping_lists = sa.Table(
    "shopping_lists",
    metadata,
    sa.Column("user_id", sa.String(64), sa.ForeignKey("users.id"), primary_key=True),
    sa.Column("substitution", sa.String(16), nullable=False),
)

# Money between people: whom the user knows, who is asked for what, and what the user was told.

ceilings = sa.Table(
    "ceilings",
    metadata,
    sa.Column("user_id", sa.String(64), sa.ForeignKey("users.id"), primary_key=True),
    sa.Column("kind", sa.String(16), primary_key=True),
    sa.Column("currency", sa.String(3), primary_key=True),
    sa.Column("minor", sa.BigInteger, nullable=False),
    _time("set_at"),
)

contacts = sa.Table(
    "contacts",
    metadata,
    _id(),
    _user(),
    _text("name"),
    _text("aliases"),
    sa.Column("handle", sa.String(64), nullable=False),
    _text("bank_name"),
    _time("added_at"),
    sa.UniqueConstraint("user_id", "handle", name="contacts_once"),
)

money_requests = sa.Table(
    "money_requests",
    metadata,
    _id(),
    _user(),
    sa.Column("direction", sa.String(8), nullable=False),
    sa.Column("bank_id", sa.String(128), nullable=False),
    sa.Column("handle", sa.String(64), nullable=False),
    _text("name"),
    sa.Column("amount_minor", sa.BigInteger, nullable=False),
    sa.Column("currency", sa.String(3), nullable=False),
    _text("note"),
    sa.Column("about", sa.String(128), nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    _time("created_at"),
    sa.Index("money_requests_of_a_user", "user_id", "direction", "state"),
    sa.Index("money_requests_to_send", "state"),
    sa.Index("money_requests_about", "user_id", "about"),
)

pay_cursors = sa.Table(
    "pay_cursors",
    metadata,
    sa.Column("user_id", sa.String(64), sa.ForeignKey("users.id"), primary_key=True),
    sa.Column("entry", sa.BigInteger, nullable=False),
)

plans = sa.Table(
    "plans",
    metadata,
    _id(),
    _user(),
    sa.Column("state", sa.String(16), nullable=False),
    _text("body"),
    _time("created_at"),
    _time("updated_at"),
    sa.Column("owner", sa.Integer),
    sa.Index("plans_open", "state", "owner"),
    sa.Index("plans_of_a_user", "user_id", "state"),
)

# The ledger: entries of lines that sum to zero, never changed.

ledger_entries = sa.Table(
    "ledger_entries",
    metadata,
    sa.Column("n", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("key", sa.String(128), nullable=False, unique=True),
    sa.Column("order_id", sa.String(64), sa.ForeignKey("orders.id"), nullable=False),
    _user(),
    sa.Column("step", sa.String(16), nullable=False),
    sa.Column("authorization_id", sa.String(128), nullable=False),
    _time("at"),
    sa.Index("ledger_entries_of_an_order", "order_id"),
    sa.Index("ledger_entries_of_a_user", "user_id", "n"),
    sqlite_autoincrement=True,
)

ledger_postings = sa.Table(
    "ledger_postings",
    metadata,
    sa.Column("entry", sa.Integer, sa.ForeignKey("ledger_entries.n"), primary_key=True),
    sa.Column("account", sa.String(128), primary_key=True),
    sa.Column("currency", sa.String(3), primary_key=True),
    _user(),
    sa.Column("amount_minor", sa.BigInteger, nullable=False),
    sa.Index("ledger_postings_of_a_user", "user_id", "currency", "account", "amount_minor"),
    sa.Index("ledger_postings_of_an_account", "account", "entry"),
)

# Several processes on one record.

workers = sa.Table(
    "workers",
    metadata,
    sa.Column("epoch", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("id", sa.String(64), nullable=False),
    _text("url"),
    sa.Column("lease_s", sa.Float, nullable=False),
    _time("joined_at"),
    _time("beat_at"),
    _time("ended_at", nullable=True),
    # The epoch of the worker that took over; empty while nobody has.
    sa.Column("heir", sa.Integer, nullable=True),
    sqlite_autoincrement=True,
)

homes = sa.Table(
    "homes",
    metadata,
    sa.Column("user_id", sa.String(64), sa.ForeignKey("users.id"), primary_key=True),
    sa.Column("epoch", sa.Integer, nullable=False),
)
