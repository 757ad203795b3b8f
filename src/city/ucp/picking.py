"""A grocer's order between the till and the courier: picked, asked about, weighed, then charged.

The courier is called when it is packed: so an answer that takes long holds nobody up.
"""

from __future__ import annotations

import msgspec

from city.bank import ledger
from city.deliveries import Errand, Mishaps, couriers, make_plan, occupy
from city.errors import BankRefusal
from city.faults import Fault
from city.shelves import look
from city.store import Transaction
from city.ucp.groceries import alike, bill, final_totals, lines_of, picks_of, total_of
from city.ucp.orders import Contents, Order, happen, load
from city.ucp.quote import Note
from city.ucp.wire import SubstitutionAnswer
from city.world import World, payee

PICKING, PACKED = "picking", "packed"
STEPS = frozenset({PICKING, PACKED})
ANSWER_S = 180.0
"""Real seconds for which a picker waits for an answer: people do not live in city time."""


def step(world: World, tx: Transaction, order_id: str, kind: str, at_s: float) -> None:
    """Look for everything on the shelves, or weigh and charge what was found."""
    if kind == PICKING:
        _look_for_all(world, tx, load(tx, order_id), at_s)
    else:
        _pack(world, tx, load(tx, order_id), at_s)


def answer(world: World, tx: Transaction, order: Order, given: SubstitutionAnswer) -> Note | None:
    """Note what the buyer says to an offer; a note where that is not asked, or not any more."""
    pick = picks_of(tx, order.id).get(given.line_item_id)
    if pick is not None and pick.offered == given.item_id and pick.answer is given.accept:
        return None
    if pick is None or pick.offered != given.item_id or not pick.waits(world.real_s()):
        return Note("error", "substitution_closed", "nothing is asked about this any more")
    item = given.item_id if given.accept else None
    tx.execute(
        "UPDATE picks SET answer = ?, item = ? WHERE order_id = ? AND line_id = ?",
        (given.accept, item, order.id, given.line_item_id),
    )
    _pack_if_settled(world, tx, order)
    return None


def overdue(tx: Transaction, real_s: float) -> str | None:
    """An order with an offer to which nobody has said anything in time."""
    row = tx.execute(
        "SELECT order_id FROM picks WHERE until_s <= ? AND answer IS NULL LIMIT 1", (real_s,)
    ).fetchone()
    return None if row is None else str(row[0])


def leave_out(world: World, tx: Transaction, order_id: str) -> None:
    """Silence is no yes."""
    tx.execute(
        "UPDATE picks SET answer = 0 WHERE order_id = ? AND until_s <= ? AND answer IS NULL",
        (order_id, world.real_s()),
    )
    _pack_if_settled(world, tx, load(tx, order_id))


def _look_for_all(world: World, tx: Transaction, order: Order, at_s: float) -> None:
    shop = world.shops[order.merchant]
    shelf = look(tx, shop, world.clock.now_s(), world.real_s(), world.seed)
    asks = False
    for line in lines_of(order.contents.line_items):
        if world.faults.strike(tx, Fault.SHELF_EMPTY, order.merchant) is None:
            continue
        found = None if line.groceries.substitution == "none" else alike(line, shelf)
        offered = found.id if found is not None else None
        ask = line.groceries.substitution == "ask" and offered is not None
        asks = asks or ask
        tx.execute(
            "INSERT INTO picks VALUES (?, ?, ?, ?, ?, NULL)",
            (
                order.id,
                line.id,
                None if ask else offered,
                offered if ask else None,
                world.real_s() + ANSWER_S if ask else None,
            ),
        )
    if asks:
        happen(world, tx, order.id, "substitution_asked", at_s)
    _pack_if_settled(world, tx, order)


def _pack_if_settled(world: World, tx: Transaction, order: Order) -> None:
    if not any(pick.is_open for pick in picks_of(tx, order.id).values()):
        due_s = max(order.plan.ready_s, world.clock.now_s())
        _add_steps(tx, order.id, [(PACKED, due_s)])


def _pack(world: World, tx: Transaction, order: Order, at_s: float) -> None:
    """Weigh, charge, call a courier. What came to nothing, or cannot be charged, is canceled."""
    shop = world.shops[order.merchant]
    number = tx.execute("SELECT number FROM orders WHERE id = ?", (order.id,)).fetchone()[0]
    contents = order.contents
    lines = bill(contents.line_items, picks_of(tx, order.id), shop, world.seed, number)
    subtotal = sum(line.item.price * line.quantity for line in lines_of(lines))
    totals = final_totals(contents.totals, subtotal)
    if not subtotal or not _charge(world, tx, order, total_of(totals)):
        ledger.give_back(tx, order.authorization_id, world.real_s())
        happen(world, tx, order.id, "canceled", at_s)
        return
    errand = Errand(
        number=number,
        placed_s=at_s,
        shop=world.door(order.merchant),
        door=order.plan.legs[-1].points[-1],
        preparing_s=(0.0, 0.0),
        hurry=False,
    )
    mishaps = Mishaps(order.plan.late_from_s is not None, order.plan.failed_s is not None)
    plan = make_plan(errand, couriers(tx), world.streets, world.seed, mishaps)
    occupy(tx, plan)
    packed = Contents(lines, totals, contents.destination, packed=True)
    tx.execute(
        "UPDATE orders SET contents = ?, plan = ? WHERE id = ?",
        (msgspec.json.encode(packed).decode(), msgspec.json.encode(plan).decode(), order.id),
    )
    _add_steps(tx, order.id, [due for due in plan.steps() if due[0] != "preparing"])
    happen(world, tx, order.id, "packed", at_s)


def _charge(world: World, tx: Transaction, order: Order, total: int) -> bool:
    """Capture what it came to, of what is held; False where the bank refuses."""
    real_s = world.real_s()
    hold = ledger.find(tx, order.authorization_id, real_s)
    if hold is None:
        return False
    try:
        ledger.capture(tx, hold.token, total, payee(order.merchant), order.checkout_id, real_s)
    except BankRefusal:
        return False
    return True


def _add_steps(tx: Transaction, order_id: str, steps: list[tuple[str, float]]) -> None:
    last = tx.execute(
        "SELECT COALESCE(MAX(seq), 0) FROM order_steps WHERE order_id = ?", (order_id,)
    ).fetchone()[0]
    for seq, (kind, due_s) in enumerate(steps, last + 1):
        tx.execute("INSERT INTO order_steps VALUES (?, ?, ?, ?)", (order_id, seq, kind, due_s))
