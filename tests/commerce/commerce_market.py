"""The town's merchants that do more than deliver: a grocer, rides, flights, tables, a shop that takes back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import msgspec
from commerce_town import OFFICE, Town
from msgspec.structs import replace as renew

from lapel.commerce import (
    Address,
    Cancel,
    Change,
    Checkout,
    Credential,
    DraftLine,
    FareRules,
    Journey,
    JourneyStatus,
    MerchantAdjustment,
    MerchantOrder,
    Money,
    OrderDraft,
    PutOff,
    Redirect,
    Refused,
    RideStatus,
    SendBack,
    Stop,
    Traveller,
    Trip,
)
from lapel.commerce.checkout import Weighing
from lapel.commerce.ports import BilledLine, SubstitutionQuestion, TableStatus
from lapel.commerce.request import Request
from lapel.commerce.table import Restaurant, Table, TableTerms

APPLES, RYE, LEFT_OUT = 473, 380, "rye"
"""What 1.9 kg of apples come to, and what the grocer brings for the bread that it has not."""
TIP = 200
PRICES = {
    "apples": 548,
    "bread": 199,
    "ride": 1900,
    "flight": 15000,
    "table": 4000,
    "change": 700,
    "tip": TIP,
}
EACH = 490
"""What one thing is worth that is sent back."""
KEEPS = 400
"""What a booking costs that is given back, in minor units."""

GROCER = "tori"
OVER = frozenset({"delivered", "transferred", "dropped_off", "ended", "seated", "no_show", "begun"})
"""Events after which a merchant cancels and changes nothing any more."""

GROCERIES = OrderDraft(
    GROCER,
    (
        DraftLine("apples", "Apples", 1, grams=2000, substitution="similar"),
        DraftLine("bread", "Bread", 2, substitution="ask"),
    ),
    OFFICE,
    kind="groceries",
)
AIRPORT = Address("airport", "Lentäjäntie 1", "Vantaa", "01530", "FI", 60.32, 24.97)
RIDE = OrderDraft(
    "kyyti", (DraftLine("ride", "Ride", 1),), AIRPORT, trip=Trip("ride", AIRPORT, OFFICE)
)
RIDE_LATER = OrderDraft(
    "kyyti",
    RIDE.lines,
    AIRPORT,
    trip=Trip("ride", AIRPORT, OFFICE, pickup_at="2030-06-01T06:30:00+03:00"),
)
FLIGHT = OrderDraft(
    "siivet",
    (DraftLine("flight", "Flight", 1),),
    OFFICE,
    journey=Journey(
        "flight",
        "of_1",
        "SV 12",
        Stop("HEL", "Helsinki Airport", "Helsinki", "FI", "Europe/Helsinki"),
        Stop("ARN", "Arlanda", "Stockholm", "SE", "Europe/Stockholm"),
        "2030-06-01T08:00:00+03:00",
        "2030-06-01T08:00:00+02:00",
        FareRules("Flex", 0, KEEPS, "2030-06-01T08:00:00+03:00"),
        (Traveller("Aino", "Korhonen"),),
    ),
)
TABLE = OrderDraft(
    "sointu",
    (DraftLine("table", "Table for 2", 1),),
    OFFICE,
    table=Table(
        "tb_1",
        Restaurant("r_1", "Sointu", "Aleksi 1", "00100", "Helsinki", "FI", "Europe/Helsinki"),
        "2030-06-01T19:00:00+03:00",
        "2030-06-01T21:00:00+03:00",
        2,
        "deposit",
        2000,
        TableTerms("2030-05-31T19:00:00+03:00", KEEPS),
        guest="Aino",
    ),
)


def eur(minor: int) -> Money:
    return Money(minor, "EUR")


class Market(Town):
    """Companies beside the shops. The knob `keeps` is what they keep of what is given back, `cheaper` what
    comes back with a change, and with `refuses` they do nothing that they are asked.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.db.executescript(
            """
            create table if not exists facts(order_id text, name text, value text,
                primary key(order_id, name));
            create table if not exists returns(n integer primary key, order_id text, lines text,
                amount int, state text);
            """
        )

    def note(self, order_id: str, name: str, value: object) -> None:
        self.db.execute("insert or replace into facts values(?,?,?)", (order_id, name, str(value)))

    def fact(self, order_id: str, name: str) -> str:
        query = "select value from facts where order_id=? and name=?"
        row = self.db.execute(query, (order_id, name)).fetchone()
        return row[0] if row else ""

    def left(self, order_id: str) -> int:
        """What was taken for it and is not said to go back."""
        query = "select hold,refunds from orders where id=?"
        hold, said = self.db.execute(query, (order_id,)).fetchone()
        if not hold:
            return 0
        _, state, captured, refunded = self._hold_of(hold)
        query = "select coalesce(sum(amount),0) from returns where order_id=?"
        [(back,)] = self.db.execute(query, (order_id,)).fetchall()
        left = min(captured - refunded, captured - sum(map(int, said.split())) - back)
        return max(0, left) if state == "captured" else 0

    def _price(self, checkout_id: str, wanted: OrderDraft) -> Checkout:
        checkout = super()._price(checkout_id, wanted)
        if wanted.merchant_id != GROCER:
            return checkout
        assert checkout.payment is not None
        lines = tuple(
            replace(
                line,
                id=f"li_{n}",
                substitution=asked.substitution,
                substitution_max=asked.substitution_max,
                weighing=Weighing(asked.grams, 2200, eur(249), eur(498)) if asked.grams else None,
            )
            for n, (line, asked) in enumerate(zip(checkout.lines, wanted.lines, strict=True))
        )
        weighed = replace(checkout, lines=lines, payment=replace(checkout.payment, at_most=True))
        self._save(weighed)
        return weighed

    def _unit(self, item: str) -> int:
        return PRICES[item] if item in PRICES else super()._unit(item)

    def _weighs_first(self, checkout: Checkout) -> bool:
        return checkout.merchant_id == GROCER

    def _order(
        self, order_id: str, checkout_id: str, total: int, kinds: list[str], canceled: bool
    ) -> MerchantOrder:
        order = super()._order(order_id, checkout_id, total, kinds, canceled)
        order = replace(order, adjustments=(*order.adjustments, *self._returns(order_id)))
        checkout = self._load(checkout_id)
        left = self.left(order_id)
        fee = min(left, int(self.knob("keeps", str(KEEPS))))
        kept = eur(int(self.fact(order_id, "kept") or KEEPS)) if canceled else None
        stands = "canceled" if canceled else "booked"
        offer = self.fact(order_id, "offer")
        if checkout.journey is not None:
            journey = renew(checkout.journey, offer_id=offer or checkout.journey.offer_id)
            status = JourneyStatus(journey, stands, refund_now=eur(left - fee), fee_kept=kept)
            return replace(order, journey=status)
        if checkout.table is not None:
            booked = renew(checkout.table, offer_id=offer or checkout.table.offer_id)
            fee_now = None if canceled else eur(fee)
            table = TableStatus(booked, stands, OFFICE, fee_now=fee_now, fee_kept=kept)
            return replace(order, table=table)
        if checkout.trip is not None:
            status = "canceled" if canceled else "driver_assigned"
            at = self.fact(order_id, "pickup_at") or checkout.trip.trip.pickup_at
            to = self.fact(order_id, "destination")
            going = msgspec.json.decode(to, type=Address) if to else checkout.trip.trip.destination
            ride = RideStatus(
                status, fee_now=eur(fee), fee_kept=kept, pickup_at=at, destination=going
            )
            return replace(order, ride=ride)
        if checkout.merchant_id == GROCER:
            return self._grocery(order, checkout)
        return order

    def _returns(self, order_id: str) -> list[MerchantAdjustment]:
        rows = self.db.execute(
            "select n,lines,amount,state from returns where order_id=?", (order_id,)
        )
        return [
            MerchantAdjustment(f"r_{n}", "return", state, eur(-amount), lines=(("li_0", int(q)),))
            for n, q, amount, state in rows
        ]

    def _grocery(self, order: MerchantOrder, checkout: Checkout) -> MerchantOrder:
        apples, bread = checkout.lines
        if not self.fact(order.id, "packed"):
            asks = SubstitutionQuestion(bread.id, "Bread", LEFT_OUT, "Rye bread", eur(RYE))
            answered = self.fact(order.id, "answer")
            return order if answered else replace(order, questions=(asks,))
        brought = self.fact(order.id, "answer") == "yes"
        bill = (
            BilledLine(apples.id, "apples", "Apples", 1, eur(APPLES), 1900, eur(249)),
            BilledLine(bread.id, LEFT_OUT, "Rye bread", 2, eur(RYE))
            if brought
            else BilledLine(bread.id, "bread", "Bread", 2, eur(0), missing=True),
        )
        return replace(order, bill=bill)

    # What is bought to change a booking.

    def _admit(self, checkout: Checkout) -> None:
        booking = self._booking(checkout)
        if booking and self._row(booking) is not None and not self.may_change(booking):
            raise Refused("There is nothing to change any more.", code="closed")

    def _placed(self, done: Checkout) -> None:
        """A change is made with its payment, and both orders say so."""
        trip, booking = done.trip.trip if done.trip else None, self._booking(done)
        if trip is not None and trip.kind == "tip":
            self._happens(done.order_id, "tipped")
        if not booking or self._row(booking) is None:
            return
        self.note(done.order_id, "of", booking)
        if trip is None:
            changed = done.journey or done.table
            assert changed is not None
            self.note(booking, "offer", changed.offer_id)
            self._happens(done.order_id, "changed")
            self._happens(booking, "changed")
        elif trip.kind == "time":
            self.note(booking, "pickup_at", trip.pickup_at)
            self._happens(done.order_id, "pickup_changed")
            self._happens(booking, "pickup_changed")
        else:
            self._sends(booking, trip.destination)
            self._happens(done.order_id, "destination_changed")

    def _booking(self, checkout: Checkout) -> str:
        """The order that it changes; empty for what changes none."""
        if checkout.trip is not None:
            return checkout.trip.trip.ride_id if checkout.trip.trip.kind != "tip" else ""
        changed = checkout.journey or checkout.table
        return changed.booking_id if changed is not None else ""

    def may_change(self, order_id: str) -> bool:
        query = "select events,canceled from orders where id=?"
        events, canceled = self.db.execute(query, (order_id,)).fetchone()
        return not canceled and OVER.isdisjoint(events.split())

    def _happens(self, order_id: str, kind: str) -> None:
        self.db.execute(
            "update orders set events = events || ' ' || ? where id=?", (kind, order_id)
        )

    def _sends(self, order_id: str, destination: Address) -> None:
        self.note(order_id, "destination", msgspec.json.encode(destination).decode())

    # What Lapel asks of them.

    async def complete_checkout(
        self, merchant_id: str, checkout_id: str, credential: Credential, key: str
    ) -> Checkout:
        """With the knob `full:` and a merchant's id, that one takes no more orders."""
        if said := self.knob(f"full:{merchant_id}"):
            raise Refused(said, code="refused")
        return await super().complete_checkout(merchant_id, checkout_id, credential, key)

    async def answer_substitution(
        self, merchant_id: str, order_id: str, line_id: str, item_id: str, accept: bool, key: str
    ) -> None:
        def work() -> None:
            if not self.fact(order_id, "answer"):
                self.note(order_id, "answer", "yes" if accept else "no")

        body = f"{order_id}:{line_id}:{item_id}:{accept}"
        await self._write("answer", key, body, work, None)

    async def look(self, merchant_id: str, order_id: str) -> MerchantOrder:
        return await self.get_order(merchant_id, order_id)

    async def ask(
        self, merchant_id: str, order_id: str, request: Request, key: str
    ) -> MerchantOrder:
        def work() -> MerchantOrder:
            if self.knob("refuses"):
                raise Refused("Not today.", code="closed")
            if isinstance(request, SendBack):
                return self._sent_back(order_id, request)
            if not self.may_change(order_id):
                raise Refused("It is too late for that.", code="closed")
            match request:
                case Cancel():
                    return self._given_back(order_id, request)
                case Change(offer_id=offer_id):
                    self.note(order_id, "offer", offer_id)
                    self._happens(order_id, "changed")
                case PutOff(pickup_at=pickup_at):
                    self.note(order_id, "pickup_at", pickup_at)
                    self._happens(order_id, "pickup_changed")
                case Redirect(destination=destination):
                    self._sends(order_id, destination)
            return self._cheaper(order_id)

        if self.knob("forgets"):
            key = f"{key}:{self.calls('ask')}"
        return await self._write("ask", key, f"{order_id}:{request}", work, MerchantOrder)

    def _cheaper(self, order_id: str) -> MerchantOrder:
        """As it is after a change, with what that brings."""
        self._returns_part(order_id, min(int(self.knob("cheaper", "0")), self.left(order_id)))
        return self.report(self._row(order_id)[0])

    def _given_back(self, order_id: str, asked: Cancel) -> MerchantOrder:
        """The fee is kept of the booking's own payment; each order tells what comes back of its."""
        checkout_id, total, _ = self._row(order_id)
        left = self.left(order_id)
        fee = min(left, int(self.knob("keeps", str(KEEPS))))
        if asked.most.minor < fee or asked.least.minor > left - fee:
            raise Refused("That is not to be had any more.", code="closed")
        query = "select order_id from facts where name='of' and value=?"
        for (change,) in self.db.execute(query, (order_id,)).fetchall():
            self._returns_part(change, self.left(change))
        self._returns_part(order_id, left - fee)
        self.note(order_id, "kept", fee)
        self.db.execute("update orders set canceled=1 where id=?", (order_id,))
        return self.report(checkout_id)

    def _returns_part(self, order_id: str, minor: int) -> None:
        if minor > 0:
            self.promise_back(self._row(order_id)[0], minor)
            self.give_part(self.hold_for(order_id), minor)

    def _sent_back(self, order_id: str, asked: SendBack) -> MerchantOrder:
        checkout_id, _, canceled = self._row(order_id)
        quantity = sum(line.quantity for line in asked.lines)
        amount = min(quantity * EACH, self.left(order_id))
        query = "select 1 from returns where order_id=? and state='pending'"
        under_way = self.db.execute(query, (order_id,)).fetchone()
        if canceled or amount <= 0 or under_way:
            raise Refused("That is on its way back already.", code="closed")
        self.db.execute(
            "insert into returns(order_id,lines,amount,state) values(?,?,?,'pending')",
            (order_id, quantity, amount),
        )
        return self.report(checkout_id)

    # What they do by themselves: wholly or not at all.

    def pack(self, order_id: str) -> None:
        """Weigh, take the money and hand over; a second time changes nothing."""
        self.db.execute("begin immediate")
        try:
            if self.fact(order_id, "packed"):
                return
            checkout_id, total, _ = self._row(order_id)
            fee = total - sum(line.total.minor for line in self._load(checkout_id).lines)
            rye = RYE if self.fact(order_id, "answer") == "yes" else 0
            hold, sum_ = self.hold_for(order_id), APPLES + rye + fee
            self._capture(Credential(hold, f"t_{hold}", "", ""), sum_, at_most=True)
            change = "update orders set total=?, events='delivered' where id=?"
            self.db.execute(change, (sum_, order_id))
            self.note(order_id, "packed", 1)
        finally:
            self.db.execute("commit")

    def take_back(self, order_id: str) -> None:
        """The parcels are here: the money goes back; a second time changes nothing."""
        self.db.execute("begin immediate")
        try:
            query = "select n,amount from returns where order_id=? and state='pending'"
            for n, amount in self.db.execute(query, (order_id,)).fetchall():
                _, _, captured, refunded = self._hold_of(self.hold_for(order_id))
                if amount <= captured - refunded:
                    self.give_part(self.hold_for(order_id), amount)
                    self.db.execute("update returns set state='completed' where n=?", (n,))
        finally:
            self.db.execute("commit")

    def hold_for(self, order_id: str) -> str:
        query = "select hold from orders where id=?"
        return self.db.execute(query, (order_id,)).fetchone()[0]

    def _row(self, order_id: str) -> tuple[str, int, int]:
        query = "select checkout_id,total,canceled from orders where id=?"
        return self.db.execute(query, (order_id,)).fetchone()
