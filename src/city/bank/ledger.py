"""The bank's books: accounts, holds and a double-entry ledger. Money moves only in `_transfer`."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from typing import NoReturn

from city.errors import BankRefusal
from city.store import Transaction

CURRENCY = "EUR"
OPENING_BALANCE = 50_000
PAYMENT_LIMIT = 30_000
MINT = "mint"


@dataclass(frozen=True, slots=True)
class Account:
    id: str
    owner: str
    kind: str
    currency: str


@dataclass(frozen=True, slots=True)
class Hold:
    """What a payer asks for: this amount, to this payee, until `expires_s`.

    `at_most` lets the payee capture less, as for goods that are weighed after the order.
    """

    account: str
    payee: str
    amount: int
    currency: str
    handler_id: str
    reference: str
    expires_s: float
    at_most: bool = False
    session: str = ""
    """The one checkout that may capture it; any of the payee's where it is empty."""


@dataclass(frozen=True, slots=True)
class Authorization:
    id: str
    account: str
    payee: str
    amount: int
    currency: str
    reference: str
    token: str
    state: str
    expires_s: float
    capture_reference: str
    captured: int
    refunded: int
    at_most: bool
    session: str


def open_account(tx: Transaction, owner: str, kind: str, id: str, secret: str, at_s: float) -> None:
    """Customers and the City's people start with `OPENING_BALANCE`, from the mint."""
    tx.execute(
        "INSERT INTO accounts VALUES (?, ?, ?, ?, ?, ?)",
        (id, owner, kind, CURRENCY, _hashed(secret), at_s),
    )
    if kind in ("customer", "person"):
        _transfer(tx, Move(MINT, id, OPENING_BALANCE, "opening"), at_s)


def ensure_account(
    tx: Transaction, owner: str, kind: str, id: str, secret: str, at_s: float
) -> None:
    """Open the account unless it is there."""
    if tx.execute("SELECT 1 FROM accounts WHERE id = ?", (id,)).fetchone() is None:
        open_account(tx, owner, kind, id, secret, at_s)


def login(tx: Transaction, secret: str) -> Account | None:
    """Whose secret this is."""
    row = tx.execute(
        "SELECT id, owner, kind, currency, secret_hash FROM accounts WHERE secret_hash = ?",
        (_hashed(secret),),
    ).fetchone()
    if row is None or not hmac.compare_digest(str(row[4]), _hashed(secret)):
        return None
    return Account(*row[:4])


def balance(tx: Transaction, account: str) -> int:
    row = tx.execute(
        "SELECT COALESCE(SUM(amount), 0) FROM entries WHERE account = ?", (account,)
    ).fetchone()
    return int(row[0])


def held(tx: Transaction, account: str, now_s: float) -> int:
    """The sum of holds that could still be captured."""
    row = tx.execute(
        "SELECT COALESCE(SUM(amount), 0) FROM authorizations "
        "WHERE account = ? AND state = 'authorized' AND expires_s > ?",
        (account, now_s),
    ).fetchone()
    return int(row[0])


def entries(tx: Transaction, account: str) -> list[tuple[int, int, int, str, str, str, str, float]]:
    """(id, transfer, amount, kind, counterparty, reference, authorization, at), oldest first."""
    return tx.execute(
        "SELECT e.id, e.transfer, e.amount, t.kind, e.counterparty, t.reference, "
        "t.authorization, t.at_s "
        "FROM entries e JOIN transfers t ON t.id = e.transfer WHERE e.account = ? ORDER BY e.id",
        (account,),
    ).fetchall()


def authorize(tx: Transaction, hold: Hold, now_s: float) -> Authorization:
    """Hold the amount. Raises BankRefusal when the payer may not or cannot pay it."""
    payee = tx.execute(
        "SELECT currency FROM accounts WHERE id = ? AND kind != 'mint'", (hold.payee,)
    ).fetchone()
    if payee is None:
        _refuse(
            404, "unknown_payee", f"nobody has the account {hold.payee!r}; read the payee again"
        )
    if hold.payee == hold.account:
        _refuse(422, "own_account", "an account cannot pay itself")
    if hold.currency != CURRENCY:
        _refuse(422, "currency_unsupported", f"{hold.currency!r} is not {CURRENCY}")
    if hold.amount > PAYMENT_LIMIT:
        _refuse(402, "limit_exceeded", "the payment is over the limit of 300.00 EUR")
    if hold.amount > balance(tx, hold.account) - held(tx, hold.account, now_s):
        _refuse(402, "insufficient_funds", "the account does not cover the payment")
    id = f"auth_{secrets.token_hex(12)}"
    tx.execute(
        "INSERT INTO authorizations (id, account, payee, amount, currency, handler_id, reference, "
        "token, state, expires_s, at_most, session) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'authorized', ?, ?, ?)",
        (
            id,
            hold.account,
            hold.payee,
            hold.amount,
            hold.currency,
            hold.handler_id,
            hold.reference,
            f"tok_{secrets.token_urlsafe(24)}",
            hold.expires_s,
            hold.at_most,
            hold.session,
        ),
    )
    return _again(tx, id, now_s)


def find(tx: Transaction, id: str, now_s: float) -> Authorization | None:
    return _read(tx, "id", id, now_s)


def capture(
    tx: Transaction, token: str, amount: int, payee: str, reference: str, now_s: float
) -> Authorization:
    """Move the held money to its payee, once: the same reference again gives the same answer.

    A hold with `at_most` may be captured below its amount; the rest is free again.
    """
    found = _read(tx, "token", token, now_s)
    if found is None or found.payee != payee:
        _refuse(404, "unknown_token", "the token is not for this payee")
    if found.session and found.session != reference:
        _refuse(409, "session_mismatch", f"the token is for the checkout {found.session!r} alone")
    if found.at_most and not 0 < amount <= found.amount:
        _refuse(409, "amount_mismatch", f"the hold is for at most {found.amount}, not {amount}")
    if amount != found.amount and not found.at_most:
        _refuse(409, "amount_mismatch", f"the hold is for exactly {found.amount}, not {amount}")
    if found.state == "captured" and (found.capture_reference, found.captured) == (
        reference,
        amount,
    ):
        return found
    if found.state != "authorized":
        code = "already_captured" if found.state == "captured" else found.state
        _refuse(409, code, f"the hold is {found.state}; ask for a new one")
    _transfer(tx, Move(found.account, payee, amount, "payment", reference, found.id), now_s)
    tx.execute(
        "UPDATE authorizations SET state = 'captured', captured = ?, capture_reference = ? "
        "WHERE id = ?",
        (amount, reference, found.id),
    )
    return _again(tx, found.id, now_s)


def held_for(tx: Transaction, token: str, amount: int, payee: str, now_s: float) -> Authorization:
    """The hold of at most `amount` for this payee, to be captured later. Raises BankRefusal."""
    found = _read(tx, "token", token, now_s)
    if found is None or found.payee != payee:
        _refuse(404, "unknown_token", "the token is not for this payee")
    if not found.at_most or found.amount != amount:
        _refuse(409, "amount_mismatch", f"the hold must be for at most {amount}")
    if found.state != "authorized":
        _refuse(409, found.state, f"the hold is {found.state}; ask for a new one")
    return found


def give_back(tx: Transaction, id: str, now_s: float) -> Authorization:
    """Let go of a hold, or refund all of it where it was captured."""
    if _again(tx, id, now_s).state in ("authorized", "expired", "voided"):
        return void(tx, id, now_s)
    return refund(tx, id, now_s)


def void(tx: Transaction, id: str, now_s: float) -> Authorization:
    """Let go of a hold. Raises BankRefusal when its money has moved."""
    found = _again(tx, id, now_s)
    if found.state == "captured":
        _refuse(409, "already_captured", "the payment was captured; refund it instead")
    if found.state == "refunded":
        _refuse(409, "already_refunded", "the payment was captured and refunded")
    tx.execute("UPDATE authorizations SET state = 'voided' WHERE id = ?", (id,))
    return _again(tx, id, now_s)


def refund(
    tx: Transaction, id: str, now_s: float, amount: int | None = None, reference: str = ""
) -> Authorization:
    """Give captured money back: `amount` of it, or all that was not given back yet.

    The state stays `captured` until nothing is left. Raises BankRefusal when nothing was captured
    or less is left than `amount`.
    """
    found = _again(tx, id, now_s)
    if found.state == "refunded" and amount is None:
        return found
    if found.state == "refunded":
        _refuse(409, "already_refunded", "all of it was given back")
    if found.state != "captured":
        _refuse(409, "not_captured", f"the hold is {found.state}; void it instead")
    left = found.captured - found.refunded
    amount = left if amount is None else amount
    if not 0 < amount <= left:
        _refuse(409, "refund_too_large", f"only {left} of {found.captured} can still go back")
    why = reference or found.reference
    _transfer(tx, Move(found.payee, found.account, amount, "refund", why, found.id), now_s)
    tx.execute(
        "UPDATE authorizations SET refunded = refunded + ?, state = ? WHERE id = ?",
        (amount, "refunded" if amount == left else "captured", id),
    )
    return _again(tx, id, now_s)


def give(tx: Transaction, source: str, target: str, amount: int, note: str, now_s: float) -> None:
    """Pay at once, without a hold. Raises BankRefusal when the account does not cover it."""
    if amount > balance(tx, source) - held(tx, source, now_s):
        _refuse(402, "insufficient_funds", "the account does not cover the payment")
    _transfer(tx, Move(source, target, amount, "payment", note), now_s)


@dataclass(frozen=True, slots=True)
class Move:
    """Money that goes from one account to another, and why."""

    source: str
    target: str
    amount: int
    kind: str
    reference: str = ""
    authorization: str = ""


def _transfer(tx: Transaction, move: Move, at_s: float) -> None:
    made = tx.execute(
        "INSERT INTO transfers (kind, reference, at_s, authorization) VALUES (?, ?, ?, ?)",
        (move.kind, move.reference, at_s, move.authorization),
    ).lastrowid
    tx.executemany(
        "INSERT INTO entries (transfer, account, counterparty, amount) VALUES (?, ?, ?, ?)",
        [
            (made, move.source, move.target, -move.amount),
            (made, move.target, move.source, move.amount),
        ],
    )


def _read(tx: Transaction, column: str, value: str, now_s: float) -> Authorization | None:
    row = tx.execute(
        "SELECT id, account, payee, amount, currency, reference, token, "
        "CASE WHEN state = 'authorized' AND expires_s <= ? THEN 'expired' ELSE state END, "
        "expires_s, capture_reference, captured, refunded, session, at_most "
        f"FROM authorizations WHERE {column} = ?",
        (now_s, value),
    ).fetchone()
    return None if row is None else Authorization(*row[:-2], session=row[-2], at_most=bool(row[-1]))


def _again(tx: Transaction, id: str, now_s: float) -> Authorization:
    found = find(tx, id, now_s)
    if found is None:
        _refuse(404, "not_found", f"there is no authorization {id!r}")
    return found


def _hashed(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _refuse(status: int, code: str, text: str) -> NoReturn:
    raise BankRefusal(text, code=code, status=status)
