"""The town's merchants that do more than deliver: a grocer, rides, flights, tables, a shop that takes back."""

from __future__ import annotations

from dataclasses import replace

from commerce_town import OFFICE, Town

from lapel.commerce import (
    Address,
    Cancel,
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
PRICES = {"apples": 548, "bread": 199, "ride": 1900, "flight": 15000, "table": 4000}
EACH = 490
"""What one thing is worth that is sent back."""
KEEPS = 400
"""What a ride or a journey costs that is given back, in minor units."""

GROCERIES = OrderDraft(
    "tori",
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
    """The knob `billed_later` makes the merchant a grocer, who weighs first."""

    def _price(self, checkout_id: str, wanted: OrderDraft) -> Checkout:
        checkout = super()._price(checkout_id, wanted)
        if not self.knob("billed_later"):
            return checkout
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
        weighed = replace(checkout, lines=lines)
        self._save(weighed)
        return weighed

    def _unit(self, item: str) -> int:
        return PRICES[item] if item in PRICES else super()._unit(item)

    def _capture(self, credential: Credential, amount: int) -> None:
        if not self.knob("billed_later"):
            super()._capture(credential, amount)

    def _order(
        self, order_id: str, checkout_id: str, total: int, kinds: list[str], canceled: bool
    ) -> MerchantOrder:
        order = super()._order(order_id, checkout_id, total, kinds, canceled)
        checkout = self._load(checkout_id)
        kept = eur(KEEPS) if canceled else None
        if checkout.journey is not None:
            status = JourneyStatus(
                checkout.journey,
                "canceled" if canceled else "booked",
                refund_now=eur(total - KEEPS),
                fee_kept=kept,
            )
            return replace(order, journey=status)
        if checkout.table is not None:
            stands = "canceled" if canceled else "booked"
            fee = None if canceled else eur(KEEPS)
            table = TableStatus(checkout.table, stands, OFFICE, fee_now=fee, fee_kept=kept)
            return replace(order, table=table)
        if checkout.trip is not None:
            status = "canceled" if canceled else "driver_assigned"
            at = self.knob("pickup_at") or checkout.trip.trip.pickup_at
            ride = RideStatus(status, fee_now=eur(KEEPS), fee_kept=kept, pickup_at=at)
            return replace(order, ride=ride)
        if self.knob("billed_later"):
            return self._grocery(order, checkout)
        if self.knob("sent_back"):
            state = "completed" if self.knob("returned") else "pending"
            back = eur(-int(self.knob("sent_back")))
            lines = (("li_0", int(self.knob("sent_back")) // EACH),)
            sent = MerchantAdjustment("r_1", "return", state, back, lines=lines)
            return replace(order, adjustments=(sent,))
        return order

    def _grocery(self, order: MerchantOrder, checkout: Checkout) -> MerchantOrder:
        apples, bread = checkout.lines
        if not self.knob("answer"):
            asks = SubstitutionQuestion(bread.id, "Bread", LEFT_OUT, "Rye bread", eur(RYE))
            return replace(order, questions=(asks,))
        if not self.knob("packed"):
            return order
        bill = (
            BilledLine(apples.id, "apples", "Apples", 1, eur(APPLES), 1900, eur(249)),
            BilledLine(bread.id, LEFT_OUT, "Rye bread", 2, eur(RYE)),
        )
        return replace(order, bill=bill)

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
            self.set("answer", "yes" if accept else "no")

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
            match request:
                case Cancel():
                    return self._given_back(order_id, request)
                case PutOff(pickup_at=pickup_at):
                    self.set("pickup_at", pickup_at)
                    return self.report(self._row(order_id)[0], "pickup_changed")
                case SendBack():
                    return self._sent_back(order_id, request)
                case _:
                    raise Refused("Nothing is changed here.", code="closed")

        if self.knob("forgets"):
            key = f"{key}:{self.calls('ask')}"
        return await self._write("ask", key, f"{order_id}:{request}", work, MerchantOrder)

    def _given_back(self, order_id: str, asked: Cancel) -> MerchantOrder:
        checkout_id, total, canceled = self._row(order_id)
        if canceled or asked.most.minor < KEEPS or asked.least.minor > total - KEEPS:
            raise Refused("That is not to be had any more.", code="closed")
        self.promise_back(checkout_id, total - KEEPS)
        self.give_part(self._payer(total), total - KEEPS)
        self.db.execute("update orders set canceled=1 where id=?", (order_id,))
        return self._order(order_id, checkout_id, total, [], True)

    def _sent_back(self, order_id: str, asked: SendBack) -> MerchantOrder:
        checkout_id, total, _ = self._row(order_id)
        if self.knob("sent_back"):
            raise Refused("That is on its way back already.", code="closed")
        self.set("sent_back", sum(line.quantity for line in asked.lines) * EACH)
        return self._order(order_id, checkout_id, total, ["delivered"], False)

    # What they do by themselves: wholly or not at all.

    def pack(self, order_id: str) -> None:
        """Weigh, take the money and hand over; a second time changes nothing."""
        self.db.execute("begin immediate")
        try:
            if self.knob("packed"):
                return
            checkout_id, total, _ = self._row(order_id)
            fee = total - sum(line.total.minor for line in self._load(checkout_id).lines)
            hold, sum_ = self._payer(), APPLES + RYE + fee
            super()._capture(Credential(hold, f"t_{hold}", "", ""), sum_)
            change = "update orders set total=?, events='delivered' where id=?"
            self.db.execute(change, (sum_, order_id))
            self.set("packed", 1)
        finally:
            self.db.execute("commit")

    def take_back(self) -> None:
        """The parcel is here: the money goes back; a second time changes nothing."""
        self.db.execute("begin immediate")
        try:
            if not self.knob("returned"):
                self.give_part(self._payer(), int(self.knob("sent_back")))
                self.set("returned", 1)
        finally:
            self.db.execute("commit")

    def _payer(self, amount: int = 0) -> str:
        """The only hold of such a town, or its only one of that amount."""
        query = "select id from holds where ? in (0, amount)"
        [(hold,)] = self.db.execute(query, (amount,)).fetchall()
        return hold

    def _row(self, order_id: str) -> tuple[str, int, int]:
        query = "select checkout_id,total,canceled from orders where id=?"
        return self.db.execute(query, (order_id,)).fetchone()
