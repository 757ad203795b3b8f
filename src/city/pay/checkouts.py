"""Checkouts of transfers: made, replaced, read, completed.

Bank and Siirto share one database: the money moves, and what it answers is closed, in one
transaction.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import replace

import msgspec

from city.bank import ledger
from city.clock import stamp
from city.errors import BankRefusal
from city.faults import Fault
from city.pay import codes, requests
from city.pay.people import SLUG, by_account, by_handle
from city.pay.wire import TransferCheckoutRequest, TransferRequest
from city.replay import Answer
from city.store import Transaction
from city.ucp.checkout_json import order_label
from city.ucp.counter import (
    OPEN,
    Counter,
    Session,
    Sessions,
    session_json,
    settled,
    token_of,
)
from city.ucp.envelope import metadata
from city.ucp.platforms import Platform
from city.ucp.quote import Json, Note
from city.ucp.vocabulary import ORDER
from city.ucp.wire import CompleteRequest
from city.webhooks import enqueue
from city.world import World, payee

LIFE_S = 900.0
ITEM = "transfer"


class Terms(msgspec.Struct, frozen=True):
    """What is moved: from whoever pays into `account`, which is of `handle` and `name`."""

    kind: str
    account: str
    handle: str
    name: str
    amount: int
    note: str = ""
    request_id: str = ""
    code: str = ""
    code_id: str = ""

    def json(self) -> Json:
        return {
            "kind": self.kind,
            "payee": {"handle": self.handle, "name": self.name},
            "amount": self.amount,
            "currency": ledger.CURRENCY,
            "note": self.note,
            "request_id": self.request_id,
            "code": self.code,
        }


Stored = Session[TransferRequest, Terms]
SESSIONS = Sessions("pay_checkouts", TransferRequest, Terms)


def show(counter: Counter, stored: Stored, notes: Sequence[Note] = (), status: int = 200) -> Answer:
    wrong = stored.status == OPEN and not notes and counter.strikes(Fault.WRONG_TOTAL)
    shown: Json = {
        "currency": ledger.CURRENCY,
        "line_items": [_line(stored.terms)],
        "totals": _totals(stored.terms, 100 if wrong else 0),
        "transfer": stored.terms.json(),
    }
    account = stored.terms.account
    return counter.respond(session_json(counter, stored, notes, shown, account), status)


def create(counter: Counter, request: TransferCheckoutRequest) -> Answer:
    """There is no checkout where nothing can be moved."""
    terms = terms_of(counter.world, counter.tx, request.transfer)
    if isinstance(terms, Note):
        return counter.refuse(replace(terms, severity="unrecoverable"))
    expires_s = counter.world.real_s() + LIFE_S
    id = f"chk_{secrets.token_hex(12)}"
    stored = Session(id, OPEN, request.transfer, terms, expires_s)
    SESSIONS.insert(counter, stored)
    return show(counter, stored, status=201)


def update(counter: Counter, id: str, request: TransferCheckoutRequest) -> Answer:
    """Replace everything; a checkout that is settled comes back as it is."""
    stored = SESSIONS.load(counter, id)
    if stored is None:
        return counter.missing("Checkout")
    if (why := settled(stored)) is not None:
        return show(counter, stored, [why])
    terms = terms_of(counter.world, counter.tx, request.transfer)
    if isinstance(terms, Note):
        return counter.refuse(terms)
    fresh = replace(stored, request=request.transfer, terms=terms)
    return show(counter, SESSIONS.requote(counter, fresh))


def read(counter: Counter, id: str) -> Answer:
    return SESSIONS.read(counter, id, show)


def cancel(counter: Counter, id: str) -> Answer:
    return SESSIONS.drop(counter, id, show)


def complete(counter: Counter, id: str, request: CompleteRequest) -> Answer:
    """Move the money and close what it answers, or do neither and say why."""
    stored = SESSIONS.load(counter, id)
    if stored is None:
        return counter.missing("Checkout")
    if (why := settled(stored)) is not None:
        return show(counter, stored, [why])
    fresh = terms_of(counter.world, counter.tx, stored.request)
    if isinstance(fresh, Note):
        return show(counter, stored, [fresh])
    token = token_of(request)
    if isinstance(token, Note):
        return show(counter, stored, [token])
    return _pay(counter, stored, token)


def order(counter: Counter, id: str) -> Answer:
    """The transfer as an order of the platform's own."""
    row = counter.tx.execute("SELECT platform FROM pay_orders WHERE id = ?", (id,)).fetchone()
    if row is None or row[0] != counter.platform.profile_url or not counter.platform.signed:
        return counter.missing("Order")
    return counter.respond(entity(counter.world, counter.tx, id))


def entity(world: World, tx: Transaction, id: str) -> Json:
    """UCP's order: one line, and the event that the money was moved."""
    shared, checkout_id, terms_text, placed_s = tx.execute(
        "SELECT capabilities, checkout_id, terms, placed_s FROM pay_orders WHERE id = ?", (id,)
    ).fetchone()
    terms = msgspec.json.decode(terms_text, type=Terms)
    quantity = {"original": 1, "total": 1, "fulfilled": 1}
    event = {
        "id": f"evt_{id[4:]}",
        "occurred_at": stamp(placed_s),
        "type": "transferred",
        "line_items": [{"id": "li_1", "quantity": 1}],
        "description": f"{terms.name} has the money.",
    }
    return {
        "ucp": metadata(msgspec.json.decode(shared, type=dict[str, str]), ORDER),
        "id": id,
        "label": order_label(id),
        "checkout_id": checkout_id,
        "permalink_url": f"{world.urls[SLUG]}/o/{id}",
        "currency": ledger.CURRENCY,
        "line_items": [{**_line(terms), "quantity": quantity, "status": "fulfilled"}],
        "fulfillment": {"expectations": [], "events": [event]},
        "adjustments": [],
        "totals": _totals(terms),
        "transfer": terms.json(),
    }


def terms_of(world: World, tx: Transaction, asked: TransferRequest) -> Terms | Note:
    """What would be moved, in the bank's own words; a Note says why nothing can be."""
    if asked.currency != ledger.CURRENCY:
        text = f"{asked.currency} cannot be sent; send {ledger.CURRENCY}"
        return Note("error", "currency_unsupported", text, "$.transfer.currency")
    party = by_handle(tx, asked.payee)
    if party is None:
        text = f"nobody has the handle {asked.payee!r}"
        return Note("error", "payee_not_found", text, "$.transfer.payee")
    terms = Terms(asked.kind, party.account, party.handle, party.name, asked.amount, asked.note)
    match asked.kind:
        case "request":
            return _of_request(world, tx, asked, terms)
        case "code":
            return _of_code(world, tx, asked, terms)
        case _:
            return terms


def _of_request(
    world: World, tx: Transaction, asked: TransferRequest, terms: Terms
) -> Terms | Note:
    found = requests.find(tx, asked.request_id or "", world.real_s())
    if found is None or found.payee != terms.account:
        return Note("error", "request_not_found", "there is no such request", "$.transfer")
    if found.state != "open":
        return Note("error", "request_closed", f"the request is {found.state}", "$.transfer")
    if found.amount != asked.amount:
        return Note("error", "amount_changed", f"the request is for {found.amount}", "$.transfer")
    return msgspec.structs.replace(terms, note=found.note, request_id=found.id)


def look_at_code(world: World, tx: Transaction, text: str) -> Terms | Note:
    """Whom a code pays and how much, 0 where it is open."""
    try:
        code = codes.read(world, SLUG, text)
    except codes.CodeError as error:
        return Note("error", error.code, str(error), "$.code", severity="unrecoverable")
    party = by_account(tx, payee(code.shop))
    if party is None:
        return Note("error", "code_invalid", "the shop is gone", severity="unrecoverable")
    if tx.execute("SELECT 1 FROM paid_codes WHERE id = ?", (code.id,)).fetchone() is not None:
        return Note("error", "code_paid", "this code is paid", "$.code", severity="unrecoverable")
    if code.expires_s <= world.real_s():
        return Note("error", "code_expired", "this code is too old", severity="unrecoverable")
    return Terms(
        "code",
        party.account,
        party.handle,
        party.name,
        code.amount or 0,
        code.note,
        code=text,
        code_id=code.id,
    )


def _of_code(world: World, tx: Transaction, asked: TransferRequest, terms: Terms) -> Terms | Note:
    found = look_at_code(world, tx, asked.code)
    if isinstance(found, Note):
        return found
    if found.account != terms.account:
        return Note("error", "code_invalid", "the code pays somebody else", "$.transfer.payee")
    if found.amount not in (0, asked.amount):
        return Note("error", "amount_changed", f"the code is for {found.amount}", "$.transfer")
    return msgspec.structs.replace(found, amount=asked.amount)


def _pay(counter: Counter, stored: Stored, token: str) -> Answer:
    world, tx, terms = counter.world, counter.tx, stored.terms
    over = counter.strikes(Fault.OVERCHARGE, "complete")
    amount = terms.amount + (terms.amount // 10 if over else 0)
    try:
        paid = ledger.capture(tx, token, amount, terms.account, stored.id, world.real_s())
    except BankRefusal as error:
        text = f"the bank refused the payment ({error.code}): {error.text}"
        return show(counter, stored, [Note("error", "payment_failed", text, "$.payment")])
    if terms.request_id:
        requests.close(tx, requests.load(tx, terms.request_id, world.real_s()), "paid")
    if terms.code_id:
        row = (terms.code_id, paid.id, world.real_s())
        tx.execute("INSERT INTO paid_codes VALUES (?, ?, ?)", row)
    order_id = _place(counter.platform, world, tx, stored, paid.id)
    done = SESSIONS.complete(counter, stored, order_id)
    if counter.platform.webhook_url:
        body = msgspec.json.encode(entity(world, tx, order_id))
        enqueue(world, tx, order_id, SLUG, counter.platform.webhook_url, body)
    return show(counter, done)


def _place(
    platform: Platform, world: World, tx: Transaction, stored: Stored, authorization_id: str
) -> str:
    id = f"trf_{secrets.token_hex(12)}"
    tx.execute(
        "INSERT INTO pay_orders VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            id,
            platform.profile_url,
            msgspec.json.encode(platform.shared).decode(),
            stored.id,
            authorization_id,
            msgspec.json.encode(stored.terms).decode(),
            world.clock.now_s(),
        ),
    )
    return id


def _line(terms: Terms) -> Json:
    return {
        "id": "li_1",
        "item": {"id": ITEM, "title": f"To {terms.name}", "price": terms.amount},
        "quantity": 1,
        "totals": [
            {"type": "subtotal", "amount": terms.amount},
            {"type": "total", "amount": terms.amount},
        ],
    }


def _totals(terms: Terms, surplus: int = 0) -> list[Json]:
    """`surplus` makes the total wrong on purpose."""
    return [
        {"type": "subtotal", "display_text": "Amount", "amount": terms.amount},
        {"type": "total", "display_text": "Total", "amount": terms.amount + surplus},
    ]
