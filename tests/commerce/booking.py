"""The part of a random story (`stateful.py`) in which users book, send money, and ask companies for something.

What holds is asked of the bank, of the companies and of what the users said, never of what Lapel believes.
"""

from __future__ import annotations

import asyncio
from typing import Any

from commerce_market import (
    FLIGHT,
    GROCERIES,
    KEEPS,
    RIDE,
    RIDE_LATER,
    TABLE,
    TIP,
    eur,
)
from commerce_town import OFFICE, sending
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule
from msgspec.structs import replace

from lapel.commerce import (
    Cancel,
    Change,
    DraftLine,
    Order,
    OrderDraft,
    OrderState,
    PutOff,
    Redirect,
    ReturnLine,
    SendBack,
    Trip,
    cancellation,
)

USERS = st.integers(0, 2)
WHICH = st.integers(0, 1000)
BOOKINGS = {
    "ride": RIDE,
    "ride for later": RIDE_LATER,
    "flight": FLIGHT,
    "table": TABLE,
    "groceries": GROCERIES,
}
TIMES = tuple(f"2030-06-01T{hour:02}:30:00+03:00" for hour in (5, 6, 7, 8))
WAYS = {
    "ride": (
        *("driver_assigned", "driver_arriving", "arrived", "driver_canceled", "delayed"),
        *("destination_changed", "picked_up", "dropped_off"),
    ),
    "journey": ("delayed", "disrupted", "begun", "ended"),
    "table": ("reminder", "delayed", "seated", "no_show", "ended"),
    "transfer": ("transferred",),
    "change": ("delayed",),
}
"""What may be reported of each; of a change nothing that ends it, which it does itself."""
CANCELED = ("ride_canceled", "journey_canceled", "table_canceled")
CHANGES = (
    *(("keeps", "400"), ("keeps", "900"), ("cheaper", "150"), ("refuses", "1")),
    *(("transfer_fee", "50"), ("full:kyyti", "There is no car.")),
)
"""A company's."""


def kind_of(draft: OrderDraft) -> str:
    """The way that an order of it goes; empty for what is brought."""
    if draft.is_change or (draft.trip is not None and draft.trip.kind != "ride"):
        return "change"
    if draft.transfer is not None:
        return "transfer"
    found = {"ride": draft.trip, "journey": draft.journey, "table": draft.table}
    return next((kind for kind, what in found.items() if what is not None), "")


class Bookings:
    """Rides, journeys, tables, groceries and transfers. The story has the world and the orders."""

    world: Any
    run: Any
    may: Any
    get: Any
    begins: Any
    there: Any
    one_at_a_merchant: Any
    ids: list[str]
    reports: list[Any]

    def __init__(self) -> None:
        super().__init__()
        self.most: dict[str, int] = {}
        """The highest fee that a user may have agreed to."""

    @precondition(lambda self: len(self.ids) < 10)
    @rule(user=USERS, what=st.sampled_from(sorted(BOOKINGS)), seconds=st.sampled_from((0.0, 3.0)))
    def books(self, user: int, what: str, seconds: float) -> None:
        self.begins(user, BOOKINGS[what], True)
        self.run(asyncio.sleep(seconds))

    @precondition(lambda self: len(self.ids) < 10)
    @rule(user=USERS, payee=st.sampled_from(("@anna", "@ben")), minor=st.integers(1, 3000))
    def sends_money(self, user: int, payee: str, minor: int) -> None:
        self.begins(user, sending(minor, payee), True)

    @precondition(lambda self: self.ids and len(self.ids) < 10)
    @rule(which=WHICH, pickup_at=st.sampled_from(TIMES), tip=st.booleans())
    def pays_for_a_change(self, which: int, pickup_at: str, tip: bool) -> None:
        order = self.a_booking(which)
        if order is None:
            return
        draft, number = order.draft, order.merchant_order_id
        offer = f"of_{len(self.ids) + 10}"
        line = DraftLine("change", "Change", 1)
        if draft.journey is not None:
            changed = replace(draft.journey, offer_id=offer, booking_id=number)
            wanted = replace(draft, lines=(line,), journey=changed)
        elif draft.table is not None:
            moved = replace(draft.table, offer_id=offer, booking_id=number)
            wanted = replace(draft, lines=(line,), table=moved)
        else:
            assert draft.trip is not None
            trip = Trip("change", OFFICE, ride_id=number)
            if tip:
                line, trip = DraftLine("tip", "Tip", 1), Trip("tip", OFFICE, None, number, TIP)
            elif draft.trip.pickup_at:
                trip = Trip("time", OFFICE, ride_id=number, pickup_at=pickup_at)
            wanted = replace(draft, lines=(line,), address=OFFICE, trip=trip)
        self.begins(int(order.user_id[2:]), replace(wanted, plan=""), True)

    @precondition(lambda self: self.ids)
    @rule(which=WHICH, what=st.sampled_from(("cancel", "cancel", "change")), less=st.booleans())
    def asks_a_company(self, which: int, what: str, less: bool) -> None:
        """To give it back at what that costs now, or at less; or for another that costs nothing."""
        order = self.a_booking(which)
        if order is None:
            return
        draft, n = order.draft, which % len(TIMES)
        kind: Any = kind_of(draft)
        if what == "cancel":
            left = self.world.town.left(order.merchant_order_id)
            fee = min(left, int(self.world.town.knob("keeps", str(KEEPS))))
            gone = order.total.minor - left  # of what went back already, nothing comes again
            most = max(0, fee + gone - less)
            self.most[order.id] = max(self.most.get(order.id, 0), most)
            request: Any = cancellation(order, eur(most))
        elif kind != "ride":
            request = Change(kind, f"of_{n}")
        elif draft.trip.pickup_at and less:
            request = PutOff(TIMES[n])
        else:
            request = Redirect(OFFICE)
        self.may(self.world.orders.ask(order.id, request))

    @rule(which=WHICH, quantity=st.sampled_from((1, 2)))
    def sends_back(self, which: int, quantity: int) -> None:
        brought = [x for x in self.all_orders if x.state is OrderState.DELIVERED]
        goods = [x for x in brought if not kind_of(x.draft)]
        if goods:
            request = SendBack((ReturnLine("li_0", quantity),), eur(0), "it")
            self.may(self.world.orders.ask(goods[which % len(goods)].id, request))

    @rule(which=WHICH)
    def a_return_arrives(self, which: int) -> None:
        order = self.one_at_a_merchant(which)
        if order is not None:
            self.world.town.take_back(f"m_{order.checkout_id}")
            self.reports.append(self.world.town.report(order.checkout_id))

    @rule(which=WHICH, accept=st.booleans())
    def answers_the_grocer(self, which: int, accept: bool) -> None:
        order = self.one_at_a_merchant(which)
        if order is not None and order.draft.kind == "groceries":
            orders = self.world.orders
            self.may(orders.answer_substitution(order.id, "li_1", "rye", accept))

    @rule(which=WHICH)
    def the_grocer_packs(self, which: int) -> None:
        order = self.one_at_a_merchant(which)
        if order is not None and order.draft.kind == "groceries":
            self.packs(order)

    def packs(self, order: Order) -> None:
        town, number = self.world.town, f"m_{order.checkout_id}"
        if town._hold_of(town.hold_for(number))[1] == "authorized":
            town.pack(number)
            self.reports.append(town.report(order.checkout_id))

    @property
    def all_orders(self) -> list[Order]:
        return [self.get(order_id) for order_id in self.ids]

    def a_booking(self, which: int) -> Order | None:
        """One that stands at a company as far as Lapel knows."""
        placed = (x for x in self.all_orders if x.state is OrderState.PLACED)
        found = [x for x in placed if kind_of(x.draft) in ("ride", "journey", "table")]
        return found[which % len(found)] if found else None

    def the_companies_are_answered(self) -> None:
        """All groceries are weighed, all returns have come."""
        for order in self.all_orders:
            if self.there(order):
                self.world.town.take_back(f"m_{order.checkout_id}")
                if order.draft.kind == "groceries":
                    self.packs(order)

    def every_request_has_ended(self, order: Order) -> None:
        """Once, and a booking is given back exactly if the company says so."""
        told = [event.kind for event in self.run(self.world.orders.history(order.id))]
        asks = self.run(self.world.orders.asks(order.id))
        assert [x for x in asks if x.state == "open"] == [], f"{order.id} waits for an answer"
        ends = sum(kind in ("ask_done", "ask_refused", "ask_unanswered") for kind in told)
        assert ends == len(asks), f"{order.id}: {told}"
        for ask in asks:
            if isinstance(ask.request, Cancel) and ask.state == "done":
                assert order.state in (OrderState.CANCELED, OrderState.REFUNDED), order.id
        given_back = order.state is OrderState.CANCELED and order.receipt is not None
        assert given_back == any(kind in CANCELED for kind in told), f"{order.id}: {told}"

    def fee_of(self, order: Order) -> int:
        """What a company has of a booking that was given back: no more than was agreed to."""
        left = self.world.town.left(order.merchant_order_id)
        assert left <= self.most.get(order.id, 0), f"{order.id} costs {left} that nobody agreed to"
        return left
