"""The record on SQLite or PostgreSQL: one order of changes, several readers, migrations."""

from lapel.store import schema
from lapel.store.errors import (
    StoreClosed,
    StoreError,
    StoreFenced,
    StoreFull,
    StoreTaken,
    StoreTooNew,
)
from lapel.store.once import insert
from lapel.store.postgresql import notify
from lapel.store.store import Store

__all__ = [
    "Store",
    "StoreClosed",
    "StoreError",
    "StoreFenced",
    "StoreFull",
    "StoreTaken",
    "StoreTooNew",
    "insert",
    "notify",
    "schema",
]
