"""Who can be paid by a name: the City's people, its shops, and whoever has an account."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass

from city.bank import ledger
from city.store import Transaction
from city.world import World, payee

SLUG = "siirto"
NAME = "Siirto"
ALIASES = ("siirto",)

PAYS_SOON, PAYS_LATE, DECLINES, FORGETS = "pays_soon", "pays_late", "declines", "forgets"
ANSWERS_S = {PAYS_SOON: 240.0, PAYS_LATE: 900.0, DECLINES: 180.0}
"""City seconds until somebody of this habit answers a request."""

_PEOPLE = (
    ("@anna", "Anna Korhonen", "+358401000001", PAYS_SOON),
    ("@ben", "Ben Laine", "+358401000002", PAYS_LATE),
    ("@anna.v", "Anna Virtanen", "+358401000003", PAYS_SOON),
    ("@cleo", "Cleo Niemi", "+358401000004", DECLINES),
    ("@dan", "Dan Heikkinen", "+358401000005", FORGETS),
)


@dataclass(frozen=True, slots=True)
class Party:
    """Somebody with an account. `habit` is how one of the City's people answers requests."""

    handle: str
    account: str
    name: str
    habit: str = ""


def settle_in(world: World, tx: Transaction, now_s: float) -> None:
    """Open the accounts of the City's people, and name those of its shops; once."""
    for handle, name, phone, habit in _PEOPLE:
        account = f"per_{handle[1:]}"
        ledger.ensure_account(tx, name, "person", account, secrets.token_urlsafe(24), now_s)
        _name(tx, handle, account, name, phone, habit)
    for slug, shop in world.shops.items():
        _name(tx, f"@{slug}", payee(slug), shop.name)


def welcome(tx: Transaction, account: str, owner: str) -> Party:
    """The customer's handle; made out of the owner's name at the first time."""
    known = by_account(tx, account)
    if known is not None:
        return known
    word = re.sub(r"[^a-z0-9]+", "", owner.lower())[:24] or "you"
    handle, number = f"@{word}", 1
    while by_handle(tx, handle) is not None:
        number += 1
        handle = f"@{word}{number}"
    _name(tx, handle, account, owner)
    return Party(handle, account, owner)


def by_handle(tx: Transaction, said: str) -> Party | None:
    """Somebody by handle or telephone number."""
    word = said.strip().lower()
    digits = re.sub(r"[ ()-]", "", word)
    column, value = ("phone", digits) if digits[:1] in "+0" and digits else ("handle", word)
    return _find(tx, column, value)


def by_account(tx: Transaction, account: str) -> Party | None:
    return _find(tx, "account", account)


def told(tx: Transaction, account: str, authorization: str) -> dict[str, object]:
    """What a statement says of an entry besides the sum: the other's name, and what for."""
    other = by_account(tx, account)
    row = tx.execute(
        "SELECT json_extract(terms, '$.note') FROM pay_orders WHERE authorization_id = ?",
        (authorization,),
    ).fetchone()
    note = str(row[0]) if row is not None and authorization else ""
    return {"counterparty_name": other.name if other else "", "note": note}


def newest_customer(tx: Transaction) -> Party | None:
    """Whom the City's people turn to when nobody is named."""
    row = tx.execute(
        "SELECT id, owner FROM accounts WHERE kind = 'customer' ORDER BY at_s DESC LIMIT 1"
    ).fetchone()
    return None if row is None else welcome(tx, row[0], row[1])


def _find(tx: Transaction, column: str, value: str) -> Party | None:
    row = tx.execute(
        f"SELECT handle, account, name, habit FROM handles WHERE {column} = ?", (value,)
    ).fetchone()
    return None if row is None else Party(*row)


def _name(
    tx: Transaction, handle: str, account: str, name: str, phone: str | None = None, habit: str = ""
) -> None:
    tx.execute(
        "INSERT OR IGNORE INTO handles VALUES (?, ?, ?, ?, ?)",
        (handle, account, name, phone, habit),
    )
