"""The record on SQLite or PostgreSQL: one order of changes, several readers, migrations."""

from lapel.store import schema
from lapel.store.errors import (
    StoreClosed,
    StoreError,
    StoreFenced,
    StoreFull,
    StoreTooNew,
)
from lapel.store.once import insert
from lapel.store.postgresql import notify
from lapel.store.store import Store
from lapel.store.workers import Heir, Worker, is_live

__all__ = [
    "Heir",
    "Store",
    "StoreClosed",
    "StoreError",
    "StoreFenced",
    "StoreFull",
    "StoreTooNew",
    "Worker",
    "insert",
    "is_live",
    "notify",
    "schema",
]
