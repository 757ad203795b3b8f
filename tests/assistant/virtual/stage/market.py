"""A grocer in the street: weighs after the order, asks about what is missing, takes its money then."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec

from lapel.commerce import Checkout, CheckoutLine, MerchantOrder, Money, OrderDraft
from lapel.commerce.checkout import Weighing
from lapel.commerce.ports import BilledLine, SubstitutionQuestion
from lapel.commerce.weighing import price_of
from lapel.services.goods import Good, Grocer
from stage.shops import Street
from stage.wearing import Worn
from stage.world import World

EUR = "EUR"
GOODS = (
    Good("milk", "Whole milk", Money(125, EUR), ("milk",), "1 l"),
    Good("eggs", "Free-range eggs", Money(299, EUR), ("eggs",), "10 pieces"),
    Good("apples", "Red apples", Money(249, EUR), ("apples",), by_weight=True, piece_grams=170),
    Good("orange", "Orange juice", Money(229, EUR), (), "1 l"),
    Good("apple", "Apple juice", Money(199, EUR), (), "1 l"),
    Good("butter", "Butter", Money(429, EUR), (), "500 g", available=False),
)


class Market(Street):
    """Also what `ListSkill` needs of `Groceries`."""

    def __init__(self) -> None:
        super().__init__()
        self.set("at_most", "1")
        self.shelves = GOODS
        self.down = False
        self.asks: tuple[SubstitutionQuestion, ...] = ()
        self.bill: tuple[BilledLine, ...] | None = None
        self.answers: list[tuple[str, str, bool]] = []

    async def grocers(self) -> list[Grocer]:
        return [] if self.down else [Grocer("market", "Tori", self.shelves)]

    def sold_out(self, merchant_id: str) -> None:
        pass

    def _price(self, checkout_id: str, wanted: OrderDraft) -> Checkout:
        goods = {good.id: good for good in GOODS}
        lines: list[CheckoutLine] = []
        for n, line in enumerate(wanted.lines):
            each = goods[line.item_id].price.minor
            weighing = None
            if line.grams:
                most = line.grams + line.grams // 10
                about = Money(price_of(each, line.grams), EUR)
                weighing = Weighing(line.grams, most, Money(each, EUR), about)
                each = price_of(each, most)
            self.set(f"price:{line.item_id}", each)
            nothing = Money(0, EUR)
            lines.append(
                CheckoutLine(
                    line.item_id, line.title, line.quantity, nothing, nothing, id=f"li_{n}",
                    substitution=line.substitution, weighing=weighing,
                    substitution_max=line.substitution_max,
                )
            )  # fmt: skip
        made = super()._price(checkout_id, msgspec.structs.replace(wanted, lines=()))
        whole = self._priced(replace(made, lines=tuple(lines), merchant_name="Tori"))
        self._save(whole)
        return whole

    def _unit(self, item: str) -> int:
        return int(self.knob(f"price:{item}"))

    def _capture(self, credential: Any, amount: int) -> None:
        """Nothing yet: it is weighed first."""

    def _order(self, *args: Any) -> MerchantOrder:
        return replace(super()._order(*args), bill=self.bill, questions=self.asks)

    async def answer_substitution(
        self, merchant_id: str, order_id: str, line_id: str, item_id: str, accept: bool, key: str
    ) -> None:
        def told() -> str:
            self.answers.append((line_id, item_id, accept))
            self.asks = tuple(x for x in self.asks if x.line_id != line_id)
            return ""

        await self._write("answer", key, f"{line_id}{item_id}{accept}", told, str)

    def pack(self, checkout_id: str, grams: int, **instead: tuple[str, str, int]) -> MerchantOrder:
        """Everything as it was ordered but `grams` of apples, and others `instead` by line id."""
        checkout = self._load(checkout_id)
        bill: list[BilledLine] = []
        for line in checkout.lines:
            item, title, total = line.item_id, line.title, line.total.minor
            if line.weighing is not None:
                total = price_of(line.weighing.unit_price.minor, grams)
            item, title, total = instead.get(line.id, (item, title, total))
            weighed = grams if line.weighing else 0
            missing = not item
            money = Money(total, EUR)
            bill.append(
                BilledLine(line.id, item, title, line.quantity, money, weighed, missing=missing)
            )
        self.bill, self.asks = tuple(bill), ()
        fee = checkout.total.minor - sum(x.total.minor for x in checkout.lines)
        total = sum(x.total.minor for x in bill) + fee
        self.db.execute("update orders set total=? where checkout_id=?", (total, checkout_id))
        self.db.execute("update holds set state='captured', captured=?", (total,))
        for (hold,) in self.db.execute("select id from holds").fetchall():
            self._moved(hold, "payment", -total)
        return self.report(checkout_id, "packed")


async def says(world: World, phone: Worn, text: str, *words: str) -> str:
    """Type it; the first text after it that has all of the words."""
    before = len(phone.texts())
    phone.type(text)

    def found() -> list[str]:
        return [x for x in phone.texts()[before:] if all(word in x for word in words)]

    await world.until(found)
    return found()[0]
