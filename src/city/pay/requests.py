"""Payment requests: one account asks another for an exact amount; paid once, declined or expired.

People of the City answer by their habits, in city time.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from city.bank import ledger
from city.clock import stamp_utc
from city.errors import BankRefusal
from city.pay.people import ANSWERS_S, DECLINES, Party, by_account
from city.store import Transaction
from city.ucp.quote import Json
from city.world import World

MOST = 100
"""Requests listed in each direction, the newest."""
_COLUMNS = "id, payee, payer, amount, note, state, made_s, expires_s"


@dataclass(frozen=True, slots=True)
class MoneyRequest:
    """`payee` asks `payer`, both by account. `state`: open, paid, declined, canceled, expired."""

    id: str
    payee: str
    payer: str
    amount: int
    note: str
    state: str
    made_s: float
    expires_s: float


@dataclass(frozen=True, slots=True)
class Wanted:
    payee: Party
    payer: Party
    amount: int
    note: str
    expires_s: float


def make(world: World, tx: Transaction, wanted: Wanted) -> MoneyRequest:
    """Raises BankRefusal when somebody asks themselves."""
    if wanted.payee.account == wanted.payer.account:
        raise BankRefusal("nobody can ask themselves", code="own_account", status=422)
    id, now_s = f"req_{secrets.token_hex(12)}", world.real_s()
    wait_s = ANSWERS_S.get(wanted.payer.habit)
    tx.execute(
        "INSERT INTO pay_requests (id, payee, payer, amount, note, state, made_s, expires_s, due_s)"
        " VALUES (?, ?, ?, ?, ?, 'open', ?, ?, ?)",
        (
            id,
            wanted.payee.account,
            wanted.payer.account,
            wanted.amount,
            wanted.note,
            now_s,
            now_s + wanted.expires_s,
            None if wait_s is None else world.clock.now_s() + wait_s,
        ),
    )
    return load(tx, id, now_s)


def find(tx: Transaction, id: str, now_s: float) -> MoneyRequest | None:
    row = tx.execute(f"SELECT {_COLUMNS} FROM pay_requests WHERE id = ?", (id,)).fetchone()
    return None if row is None else _of(row, now_s)


def load(tx: Transaction, id: str, now_s: float) -> MoneyRequest:
    found = find(tx, id, now_s)
    if found is None:
        raise BankRefusal("there is no such request", code="not_found", status=404)
    return found


def of(tx: Transaction, account: str, now_s: float) -> dict[str, list[MoneyRequest]]:
    """What others ask of the account and what it asks of others, the newest first."""

    def listed(column: str) -> list[MoneyRequest]:
        rows = tx.execute(
            f"SELECT {_COLUMNS} FROM pay_requests WHERE {column} = ? ORDER BY number DESC LIMIT ?",
            (account, MOST),
        )
        return [_of(row, now_s) for row in rows.fetchall()]

    return {"incoming": listed("payer"), "outgoing": listed("payee")}


def close(tx: Transaction, request: MoneyRequest, state: str) -> MoneyRequest:
    """From open to a state that it stays in; the same again changes nothing. Else BankRefusal."""
    if request.state == state:
        return request
    if request.state != "open":
        raise BankRefusal(
            f"the request is {request.state} already", code="request_closed", status=409
        )
    tx.execute("UPDATE pay_requests SET state = ?, due_s = NULL WHERE id = ?", (state, request.id))
    return MoneyRequest(
        request.id,
        request.payee,
        request.payer,
        request.amount,
        request.note,
        state,
        request.made_s,
        request.expires_s,
    )


def shown(tx: Transaction, request: MoneyRequest) -> Json:
    return {
        "id": request.id,
        "state": request.state,
        "payee": _party(tx, request.payee),
        "payer": _party(tx, request.payer),
        "amount": request.amount,
        "currency": ledger.CURRENCY,
        "note": request.note,
        "made_at": stamp_utc(request.made_s),
        "expires_at": stamp_utc(request.expires_s),
    }


def step(world: World, tx: Transaction) -> bool:
    """Let one person answer whose time has come; False when there is none."""
    row = tx.execute(
        "SELECT id FROM pay_requests WHERE due_s <= ? ORDER BY due_s LIMIT 1",
        (world.clock.now_s(),),
    ).fetchone()
    if row is None:
        return False
    now_s = world.real_s()
    request = load(tx, row[0], now_s)
    if request.state != "open":
        tx.execute("UPDATE pay_requests SET due_s = NULL WHERE id = ?", (request.id,))
        return True
    payer = by_account(tx, request.payer)
    try:
        if payer is None or payer.habit == DECLINES:
            raise BankRefusal("no", code="declined", status=402)
        ledger.give(tx, request.payer, request.payee, request.amount, request.note, now_s)
    except BankRefusal:
        close(tx, request, "declined")
    else:
        close(tx, request, "paid")
    return True


def _of(row: tuple[object, ...], now_s: float) -> MoneyRequest:
    id, payee, payer, amount, note, state, made_s, expires_s = row
    over = state == "open" and float(str(expires_s)) <= now_s
    return MoneyRequest(
        str(id),
        str(payee),
        str(payer),
        int(str(amount)),
        str(note),
        "expired" if over else str(state),
        float(str(made_s)),
        float(str(expires_s)),
    )


def _party(tx: Transaction, account: str) -> Json:
    found = by_account(tx, account)
    return {"handle": found.handle if found else "", "name": found.name if found else ""}
