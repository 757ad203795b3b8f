"""Whether a town's money is right: the bank's books, Lapel's ledger, the receipts and the merchants' orders.

Everything is read from the files, with statements of their own: the product's code is not asked.
"""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

UNDER_WAY = {"paying", "placing", "refunding", "trouble"}
STANDS = {"placed", "delivered"}


def check_books(folder: Path) -> list[str]:
    """What is wrong in the books of a town whose programs have stopped; nothing, if all is well."""
    city, record = folder / "city" / "city.sqlite3", folder / "lapel" / "lapel.db"
    if not city.exists():
        return []
    with closing(sqlite3.connect(city)) as bank:
        wrong = _bank(bank)
        if record.exists():
            with closing(sqlite3.connect(record)) as lapel:
                wrong += _lapel(lapel)
                wrong += _both(lapel, bank)
    return wrong


def _bank(bank: sqlite3.Connection) -> list[str]:
    wrong = [
        f"the bank's transfer {id} does not sum to zero"
        for (id,) in bank.execute(
            "SELECT transfer FROM entries GROUP BY transfer HAVING SUM(amount)"
        )
    ]
    for id, state, amount, captured, refunded in bank.execute(
        "SELECT id, state, amount, captured, refunded FROM authorizations"
    ):
        took, back = (
            bank.execute(
                "SELECT COALESCE(SUM(e.amount), 0) FROM entries e JOIN transfers t ON t.id = e.transfer "
                "WHERE t.authorization = ? AND t.kind = ? AND e.amount > 0",
                (id, kind),
            ).fetchone()[0]
            for kind in ("payment", "refund")
        )
        if (took, back) != (captured, refunded) or not 0 <= back <= took <= amount:
            wrong.append(f"{id} ({state}, {amount}): {took} taken, {back} back in the entries")
    return wrong


def _lapel(lapel: sqlite3.Connection) -> list[str]:
    wrong = [
        f"entry {entry} of the ledger does not sum to zero"
        for (entry,) in lapel.execute(
            "SELECT entry FROM ledger_postings GROUP BY entry, currency HAVING SUM(amount_minor)"
        )
    ]
    for row in lapel.execute(
        "SELECT id, state, total_minor, receipt FROM orders WHERE draft NOT LIKE '%\"trip\":{%'"
    ):
        wrong += _order(lapel, *row)
    return wrong


def _order(
    lapel: sqlite3.Connection, id: str, state: str, total: int, receipt: str | None
) -> list[str]:
    wrong: list[str] = []
    now = _standing(lapel, id)
    kept = sum(minor for account, minor in now.items() if account.startswith(("spent:", "tip:")))
    if any(minor < 0 for account, minor in now.items() if account != "available"):
        wrong.append(f"order {id} ({state}) has an account below zero: {now}")
    if state in STANDS or (state == "canceled" and receipt):  # a fee may have been kept
        wrong += _standing_order(lapel, id, state, total, receipt)
    elif state not in UNDER_WAY and any(now.values()):
        wrong.append(f"order {id} ({state}) is over, but its accounts are {now}")
    elif kept and state in ("paying", "placing"):
        wrong.append(f"order {id} ({state}) has spent {kept} before it was placed")
    return wrong


def _standing_order(
    lapel: sqlite3.Connection, id: str, state: str, total: int, receipt: str | None
) -> list[str]:
    now = _standing(lapel, id)
    if _paid_there(lapel, id):
        wrong = bool(receipt or now)
        return [f"order {id} was paid at the shop, but has a receipt or entries"] if wrong else []
    if _is_unbilled(now, receipt):
        if now != {"available": -total, "held": total}:
            return [f"order {id} ({state}) is not billed, but its accounts are {now}"]
        return []
    # What came back is known by the entries; the receipt says what was paid.
    paid = _of_receipt(receipt)
    if paid != total or paid != _sum(lapel, id, "capture", "held", -1) or now.get("held"):
        return [f"order {id} ({state}): receipt {paid}, total {total}, ledger {now}"]
    return []


def _is_unbilled(now: dict[str, Any], receipt: str | None) -> bool:
    """A grocer has not weighed it yet: nothing was taken, and all of it is held."""
    return receipt is None and bool(now.get("held"))


def _both(lapel: sqlite3.Connection, bank: sqlite3.Connection) -> list[str]:
    known: set[str] = set()
    wrong: list[str] = []
    for id, state, merchant_order, authorization in lapel.execute(
        "SELECT o.id, o.state, COALESCE(o.merchant_order_id, ''), e.authorization_id FROM orders o "
        "JOIN ledger_entries e ON e.order_id = o.id GROUP BY o.id, e.authorization_id"
    ):
        known.add(authorization)
        found = bank.execute(
            "SELECT captured, refunded, payee FROM authorizations WHERE id = ?", (authorization,)
        ).fetchone()
        if found is None:
            continue  # another bank than the City's
        took, back, payee = found
        ours = _sum(lapel, id, "capture", "held", -1, authorization)
        returned = _sum(lapel, id, "refund", "available", 1, authorization)
        if _is_ride(lapel, id):
            continue  # a fee may be kept of a ride that was canceled
        held = _standing(lapel, id).get("held", 0)
        billing = state in STANDS and 0 < took <= held  # taken, and about to be booked
        if state not in UNDER_WAY and took != ours and not billing:
            wrong.append(f"order {id} ({state}): ledger {ours} paid, bank {took}")
        if back < returned or (back > returned and state not in {*UNDER_WAY, *STANDS}):
            wrong.append(f"order {id} ({state}): ledger {returned} back, bank {back}")
        there = (id, state, merchant_order, authorization, took - back)
        if _is_transfer(lapel, id) and state in STANDS and _current(lapel, id) == authorization:
            wrong += _transferred(bank, id, state, merchant_order, authorization, took)
        elif not _is_transfer(lapel, id):
            wrong += _there(lapel, bank, there, payee)
    return wrong + _unknown(lapel, bank, known)


def _unknown(lapel: sqlite3.Connection, bank: sqlite3.Connection, known: set[str]) -> list[str]:
    accounts = [row[0] for row in lapel.execute("SELECT account FROM wallets")]
    return [
        f"the bank shows a payment {authorization} that the ledger lacks"
        for account in accounts
        for (authorization,) in bank.execute(
            "SELECT id FROM authorizations WHERE account = ? AND captured > 0", (account,)
        )
        if authorization not in known
    ]


def _there(
    lapel: sqlite3.Connection,
    bank: sqlite3.Connection,
    order: tuple[str, str, str, str, int],
    payee: str,
) -> list[str]:
    """What the City's own book of such orders says."""
    id, state, merchant_order, authorization, kept = order
    if not payee.startswith("mer_"):
        return []  # another's shop has its orders in books of its own
    book = _book_of(lapel, id)
    if book:
        return _at_company(bank, book, id, merchant_order, authorization, kept)
    if state in STANDS and _current(lapel, id) == authorization:
        return _at_merchant(bank, id, state, merchant_order, authorization, kept)
    return []


def _at_merchant(
    bank: sqlite3.Connection,
    id: str,
    state: str,
    merchant_order: str,
    authorization: str,
    kept: int,
) -> list[str]:
    orders = bank.execute(
        "SELECT id, status, contents FROM orders WHERE authorization_id = ?", (authorization,)
    ).fetchall()
    if len(orders) != 1 or orders[0][0] != merchant_order:
        return [f"order {id} ({state}) is {orders} at its merchant, not {merchant_order!r}"]
    [(_, status, contents)] = orders
    totals = json.loads(contents)["totals"]
    total = next(entry["amount"] for entry in totals if entry["type"] == "total")
    if status == "canceled" and kept:
        return [f"order {id} is canceled at its merchant, which keeps {kept}"]
    if status != "canceled" and not 0 <= kept <= total:
        return [f"order {id} costs {total} at its merchant, which keeps {kept}"]
    return []


def _transferred(
    bank: sqlite3.Connection,
    id: str,
    state: str,
    merchant_order: str,
    authorization: str,
    took: int,
) -> list[str]:
    """A transfer is at the payment service once, with what was taken, into the account it names."""
    orders = bank.execute(
        "SELECT o.id, o.terms, a.payee FROM pay_orders o JOIN authorizations a "
        "ON a.id = o.authorization_id WHERE o.authorization_id = ?",
        (authorization,),
    ).fetchall()
    if len(orders) != 1 or orders[0][0] != merchant_order:
        return [f"transfer {id} ({state}) is {orders} at the bank, not {merchant_order!r}"]
    [(_, text, payee)] = orders
    terms = json.loads(text)
    if (terms["amount"], terms["account"]) != (took, payee):
        return [f"transfer {id} moved {took} to {payee!r}, but says {terms}"]
    return []


def _is_transfer(lapel: sqlite3.Connection, order_id: str) -> bool:
    (draft,) = lapel.execute("SELECT draft FROM orders WHERE id = ?", (order_id,)).fetchone()
    return bool(json.loads(draft).get("transfer"))


def _at_company(
    bank: sqlite3.Connection, book: str, id: str, merchant_order: str, authorization: str, kept: int
) -> list[str]:
    """A booking lists every payment for it; what was never placed has none."""
    payments = [
        payment
        for (contents,) in bank.execute(f"SELECT contents FROM {book}")
        for payment in json.loads(contents)["payments"]
        if payment["authorization_id"] == authorization
    ]
    if not payments and not kept:
        return []
    stands = [(x["order_id"], x["amount"] - x["refunded"]) for x in payments]
    if stands != [(merchant_order, kept)]:
        return [f"order {id} is {stands} at its company, not {merchant_order!r} with {kept}"]
    return []


def _standing(lapel: sqlite3.Connection, order_id: str) -> dict[str, Any]:
    return dict(
        lapel.execute(
            "SELECT p.account, SUM(p.amount_minor) FROM ledger_postings p JOIN ledger_entries e "
            "ON e.n = p.entry WHERE e.order_id = ? GROUP BY p.account",
            (order_id,),
        ).fetchall()
    )


def _sum(
    lapel: sqlite3.Connection,
    order_id: str,
    step: str,
    account: str,
    sign: int,
    authorization: str | None = None,
) -> int:
    return lapel.execute(
        "SELECT COALESCE(SUM(p.amount_minor), 0) * ? FROM ledger_postings p JOIN ledger_entries e "
        "ON e.n = p.entry WHERE e.order_id = ? AND e.step = ? AND p.account = ? "
        "AND COALESCE(?, e.authorization_id) = e.authorization_id",
        (sign, order_id, step, account, authorization),
    ).fetchone()[0]


def _is_ride(lapel: sqlite3.Connection, order_id: str) -> bool:
    (draft,) = lapel.execute("SELECT draft FROM orders WHERE id = ?", (order_id,)).fetchone()
    return bool(json.loads(draft).get("trip"))


def _book_of(lapel: sqlite3.Connection, order_id: str) -> str:
    """The City's book of journeys or of tables; empty for an order of anything else."""
    (draft,) = lapel.execute("SELECT draft FROM orders WHERE id = ?", (order_id,)).fetchone()
    books = {"journey": "bookings", "table": "table_bookings"}
    return next((book for member, book in books.items() if json.loads(draft).get(member)), "")


def _of_receipt(receipt: str | None) -> int | None:
    if not receipt:
        return None
    content = json.loads(receipt)["receipt"]
    return content["payment"].get("paid", content["total"])["minor"]


def _paid_there(lapel: sqlite3.Connection, order_id: str) -> bool:
    """The buyer paid on the shop's own page, with money that Lapel does not know."""
    told = lapel.execute(
        "SELECT data FROM order_events WHERE order_id = ? AND kind = 'placed'", (order_id,)
    ).fetchall()
    return any(json.loads(data).get("paid_at_shop") for (data,) in told)


def _current(lapel: sqlite3.Connection, order_id: str) -> str:
    return lapel.execute(
        "SELECT COALESCE(authorization_id, '') FROM orders WHERE id = ?", (order_id,)
    ).fetchone()[0]
