"""Completing a checkout: remember the attempt, take the money, place the order. Each a transaction.

A crash between any two leaves an attempt that `finish` brings to its one end: captured and ordered,
or refused. The capture is idempotent by the checkout's id.
"""

from __future__ import annotations

from dataclasses import replace

import msgspec

from city.bank import ledger
from city.errors import BankRefusal
from city.faults import Fault
from city.replay import Answer, Key, keep, kept
from city.shelves import look, sell, upset
from city.store import Database, Transaction
from city.ucp.checkout_json import line_json
from city.ucp.checkouts import Counter, Stored, load, load_any, priced, requote, settled
from city.ucp.mandates import MandateRefusal, Terms, check, split_token
from city.ucp.orders import Placing, place
from city.ucp.platforms import Platform
from city.ucp.quote import Note, Quote
from city.ucp.vocabulary import AP2, GROCERIES, HANDLER_ID, Shared
from city.ucp.wire import CompleteRequest, parse
from city.world import World, payee


class Attempt(msgspec.Struct, frozen=True):
    """What is needed to finish after a crash, and to answer under the same key."""

    scope: str
    key: str
    fingerprint: str
    token: str
    amount: int
    instrument_id: str
    instrument_type: str
    shared: dict[str, str]
    webhook_url: str
    signed: bool


def complete(
    world: World, database: Database, slug: str, platform: Platform, key: Key, id: str, body: bytes
) -> Answer:
    """The whole of it, for one request."""
    request = parse(body, CompleteRequest)
    world.crash.passing("before_attempt")
    with database.transaction() as tx:
        if (before := kept(tx, key)) is not None:
            return before
        counter = Counter(world, slug, platform, tx)
        refusal = _begin(counter, key, id, request)
        if refusal is not None:
            return keep(tx, key, refusal, world.real_s())
    world.crash.passing("after_attempt")
    return finish(world, database, id)


def finish(world: World, database: Database, id: str) -> Answer:
    """Bring an attempt to its end; also after a restart."""
    with database.transaction() as tx:
        slug, attempt = _attempt(tx, id)
    world.crash.passing("before_capture")
    refusal: BankRefusal | None = None
    authorization = ""
    try:
        with database.transaction() as tx:
            authorization = _take(tx, attempt, payee(slug), id, world.real_s())
            world.crash.passing("in_capture")
    except BankRefusal as error:
        refusal = error
    world.crash.passing("after_capture")
    world.crash.passing("before_order")
    with database.transaction() as tx:
        stored = load_any(tx, id)
        platform = Platform(stored.platform, attempt.shared, attempt.webhook_url, attempt.signed)
        counter = Counter(world, slug, platform, tx)
        if refusal is not None:
            answer = _not_paid(counter, stored, refusal)
        else:
            answer = _order(counter, stored, attempt, authorization)
        key = Key(attempt.scope, attempt.key, attempt.fingerprint)
        keep(tx, key, answer, world.real_s())
        world.crash.passing("in_order")
    world.crash.passing("after_order")
    return answer


def _take(tx: Transaction, attempt: Attempt, account: str, id: str, real_s: float) -> str:
    """Capture, or see that it can be captured once the goods are weighed."""
    if GROCERIES in attempt.shared:
        return ledger.held_for(tx, attempt.token, attempt.amount, account, real_s).id
    return ledger.capture(tx, attempt.token, attempt.amount, account, id, real_s).id


def recover(world: World, database: Database) -> int:
    """Finish what a crash interrupted; gives how many. To be called before serving."""
    with database.transaction() as tx:
        rows = tx.execute(
            "SELECT id FROM checkouts WHERE status = 'complete_in_progress'"
        ).fetchall()
    for (id,) in rows:
        finish(world, database, id)
    return len(rows)


def _begin(counter: Counter, key: Key, id: str, request: CompleteRequest) -> Answer | None:
    """Check everything again and remember the attempt; an answer says that it goes no further."""
    stored = load(counter, id)
    if stored is None:
        return counter.missing()
    if (why := settled(stored)) is not None:
        return counter.show(stored, [why])
    if (why := _without_consent(counter, stored, request)) is not None:
        return counter.show(stored, [why])
    _mishaps(counter, stored)
    shelf = counter.shelf("complete")
    quote = priced(counter, stored.request, shelf, stored.id)
    if not quote.is_ready:
        return counter.show(requote(counter, stored, stored.request, quote))
    if _terms(quote, counter.shared) != _shown_terms(stored):
        text = "a price has changed; confirm the new total"
        changed = requote(counter, stored, stored.request, quote)
        return counter.show(changed, [Note("error", "price_changed", text, "$.totals")])
    instrument = request.chosen()
    if instrument is None or instrument.handler_id != HANDLER_ID or instrument.credential is None:
        text = f"select one instrument of handler {HANDLER_ID!r} with a credential"
        note = Note("error", "payment_failed", text, "$.payment.instruments")
        return counter.show(stored, [note])
    over = counter.world.faults.strike(counter.tx, Fault.OVERCHARGE, counter.slug, "complete")
    attempt = Attempt(
        scope=key.scope,
        key=key.key,
        fingerprint=key.fingerprint,
        token=_bank_token(counter, instrument.credential.token),
        amount=stored.total if over is None else stored.total + stored.total // 10,
        instrument_id=instrument.id,
        instrument_type=instrument.type,
        shared=dict(counter.shared),
        webhook_url=counter.platform.webhook_url,
        signed=counter.platform.signed,
    )
    counter.tx.execute(
        "UPDATE checkouts SET status = 'complete_in_progress', attempt = ? WHERE id = ?",
        (msgspec.json.encode(attempt).decode(), id),
    )
    return None


def _without_consent(counter: Counter, stored: Stored, request: CompleteRequest) -> Note | None:
    """Why the mandates do not prove that the user agreed; None where they do, or none are due."""
    if AP2 not in counter.shared:
        return None
    world, slug = counter.world, counter.slug
    instrument = request.chosen()
    credential = instrument.credential if instrument else None
    mandate = request.ap2.checkout_mandate if request.ap2 else ""
    try:
        if not mandate or credential is None:
            raise MandateRefusal("mandate_required", "complete takes `ap2.checkout_mandate`")
        _, payment_mandate = split_token(credential.token)
        terms = Terms(
            checkout={"id": stored.id, **msgspec.to_builtins(stored.body)},
            total=stored.total,
            currency=stored.body.currency,
            payee=payee(slug),
            audience=world.urls[slug],
            now_s=world.real_s(),
        )
        check(mandate, payment_mandate, counter.platform.keys, world.keys[slug], terms)
    except MandateRefusal as error:
        return Note("error", error.code, error.text, "$.ap2.checkout_mandate")
    return None


def _bank_token(counter: Counter, token: str) -> str:
    return split_token(token)[0] if AP2 in counter.shared else token


def _mishaps(counter: Counter, stored: Stored) -> None:
    """What may go wrong between the quote and now."""
    shop = counter.world.shops[counter.slug]
    dish = shop.dish(stored.request.line_items[0].item.id)
    if dish is None:
        return

    def strikes(fault: Fault) -> bool:
        found = counter.world.faults.strike(counter.tx, fault, counter.slug, "complete")
        return found is not None

    world, real_s = counter.world, counter.world.real_s()
    if strikes(Fault.PRICE_RAISE):
        price = look(counter.tx, shop, world.clock.now_s(), real_s, world.seed).price(dish)
        upset(counter.tx, shop, dish.id, price + max(10, price // 10), real_s)
    if strikes(Fault.SOLD_OUT):
        upset(counter.tx, shop, dish.id, None, real_s)


def _terms(quote: Quote, shared: Shared) -> tuple[object, ...]:
    return quote.total, [line_json(line, shared) for line in quote.lines]


def _shown_terms(stored: Stored) -> tuple[object, ...]:
    return stored.total, stored.body.line_items


def _attempt(tx: Transaction, id: str) -> tuple[str, Attempt]:
    row = tx.execute("SELECT merchant, attempt FROM checkouts WHERE id = ?", (id,)).fetchone()
    return row[0], msgspec.json.decode(row[1], type=Attempt)


def _not_paid(counter: Counter, stored: Stored, refusal: BankRefusal) -> Answer:
    counter.tx.execute(
        "UPDATE checkouts SET status = 'ready_for_complete', attempt = NULL WHERE id = ?",
        (stored.id,),
    )
    text = f"the bank refused the payment ({refusal.code}): {refusal.text}"
    note = Note("error", "payment_failed", text, "$.payment.instruments[0]")
    return counter.show(replace(stored, status="ready_for_complete"), [note])


def _order(counter: Counter, stored: Stored, attempt: Attempt, authorization: str) -> Answer:
    paid_with = {
        "id": attempt.instrument_id,
        "handler_id": HANDLER_ID,
        "type": attempt.instrument_type,
        "selected": True,
    }
    stored.body.payment = {"instruments": [paid_with]}
    return counter.show(place_order(counter, stored, authorization))


def place_order(counter: Counter, stored: Stored, authorization: str) -> Stored:
    """The paid checkout as an order; without an authorisation the courier is paid at the door."""
    world, tx = counter.world, counter.tx
    shelf = look(tx, world.shops[counter.slug], world.clock.now_s(), world.real_s(), world.seed)
    quote = priced(counter, stored.request, shelf, stored.id)
    door = quote.delivery.point if quote.delivery else None
    if door is None:
        raise AssertionError("a checkout without a door was completed")
    placing = Placing(
        stored, quote, door, counter.shared, counter.platform.webhook_url, authorization
    )
    order_id = place(world, tx, placing)
    sell(tx, shelf, [(line.dish, line.quantity) for line in quote.lines], world.clock.now_s())
    tx.execute(
        "UPDATE checkouts SET status = 'completed', order_id = ?, body = ? WHERE id = ?",
        (order_id, msgspec.json.encode(stored.body).decode(), stored.id),
    )
    return replace(stored, status="completed", order_id=order_id)
