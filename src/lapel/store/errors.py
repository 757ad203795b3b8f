"""What can go wrong with the record.

StoreError
  StoreClosed    a call after `close`: start Lapel again
  StoreFull      the disk refused the write: nothing of it was kept; free space and repeat
  StoreTooNew    the file was written by a newer Lapel: upgrade Lapel, or take another `--data`
"""

from __future__ import annotations


class StoreError(Exception):
    code = "store_error"


class StoreClosed(StoreError):
    code = "store_closed"


class StoreFull(StoreError):
    code = "store_full"


class StoreTooNew(StoreError):
    code = "store_too_new"
