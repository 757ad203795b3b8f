"""What can go wrong with the record.

StoreError
  StoreClosed    a call after `close`: start Lapel again
  StoreFenced    this process no longer owns its part of a shared record; it begins anew by itself
  StoreFull      the disk refused the write: nothing of it was kept; free space and repeat
  StoreTooNew    it was written by a newer Lapel: upgrade Lapel, or give it another record
"""

from __future__ import annotations

from lapel.failures import Code


class StoreError(Exception):
    code: Code = "store_error"


class StoreClosed(StoreError):
    code = "store_closed"


class StoreFenced(StoreError):
    code = "store_fenced"


class StoreFull(StoreError):
    code = "store_full"


class StoreTooNew(StoreError):
    code = "store_too_new"
