"""The record: one SQLite file, one group-commit writer, several readers, migrations."""

from lapel.store import schema
from lapel.store.errors import StoreClosed, StoreError, StoreFull, StoreTooNew
from lapel.store.sqlite import Store

__all__ = ["Store", "StoreClosed", "StoreError", "StoreFull", "StoreTooNew", "schema"]
