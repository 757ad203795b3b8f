"""The City's bank: a double-entry ledger, and the HTTP interface to it."""
