"""What a grocer may keep: never more than the bound, whatever its bill says."""

from __future__ import annotations

from dataclasses import replace

import pytest
from commerce_town import OFFICE, TARGET
from hypothesis import given
from hypothesis import strategies as st

from lapel.commerce import Checkout, CheckoutLine, CheckoutStatus, Money, Total
from lapel.commerce.checkout import Weighing
from lapel.commerce.ports import BilledLine
from lapel.commerce.weighing import judge, price_of

pytestmark = pytest.mark.unit


def eur(minor: int) -> Money:
    return Money(minor, "EUR")


APPLES = CheckoutLine(
    "apples", "Apples", 1, eur(548), eur(548), id="li_1", substitution="similar",
    weighing=Weighing(2000, 2200, eur(249), eur(498)),
)  # fmt: skip
BREAD = CheckoutLine("bread", "Bread", 2, eur(199), eur(398), id="li_2", substitution="none")
AGREED = Checkout(
    "tori", "Tori", "c_1", CheckoutStatus.READY_FOR_COMPLETE, (APPLES, BREAD),
    (Total("subtotal", "", eur(946)), Total("fulfillment", "", eur(290)), Total("total", "", eur(1236))),
    eur(1236), OFFICE, replace(TARGET, at_most=True),
)  # fmt: skip


def line(of: CheckoutLine, total: int, item: str = "", grams: int = 0) -> BilledLine:
    return BilledLine(of.id, item or of.item_id, of.title, of.quantity, eur(total), grams)


def test_the_estimate_is_what_it_weighs_and_the_total_what_it_can():
    assert AGREED.billed_later
    assert AGREED.estimate == eur(1186)
    assert AGREED.total == eur(1236)


def test_an_honest_bill_is_fair_to_the_cent():
    bill = [line(APPLES, price_of(249, 2100), grams=2100), line(BREAD, 398)]
    total = eur(price_of(249, 2100) + 398 + 290)
    assert judge(AGREED, bill, total) == type(judge(AGREED, bill, total))(total)


def test_every_agreed_term_is_part_of_the_hash():
    other = [
        replace(APPLES, substitution="none"),
        replace(APPLES, substitution_max=500),
        *(
            replace(APPLES, weighing=replace(APPLES.weighing, **change))
            for change in (
                {"grams": 1999}, {"max_grams": 2201}, {"unit_price": eur(248)}, {"estimate": eur(1)},
            )
        ),
    ]  # fmt: skip
    hashes = {replace(AGREED, lines=(x, BREAD)).hash() for x in (APPLES, *other)}
    assert len(hashes) == 7


@pytest.mark.parametrize(
    ("most", "billed", "fair", "faults"),
    [
        (0, 548, 548, ()),
        (0, 560, 548, ("Apples",)),
        (300, 290, 290, ()),
        (300, 400, 300, ("Apples",)),
        (9999, 560, 548, ("Apples",)),  # something else is never dearer than the line
    ],
)
def test_something_else_costs_at_most_its_bound(most, billed, fair, faults):
    agreed = replace(AGREED, lines=(replace(APPLES, substitution_max=most), BREAD))
    bill = [line(APPLES, billed, item="pears", grams=2000), line(BREAD, 398)]
    verdict = judge(agreed, bill, eur(billed + 398 + 290))
    assert (verdict.fair, verdict.faults) == (eur(fair + 398 + 290), faults)


bills = st.lists(
    st.builds(
        BilledLine,
        st.sampled_from(["li_1", "li_2", "li_3"]),
        st.sampled_from(["apples", "bread", "cake"]),
        st.just("X"),
        st.integers(0, 5),
        st.integers(0, 3000).map(eur),
        st.integers(0, 5000),
        st.none(),
        st.booleans(),
    ),
    max_size=6,
)


@given(bills, st.integers(0, 5000), st.booleans())
def test_no_bill_makes_more_fair_than_was_agreed(bill, total, yes):
    verdict = judge(AGREED, bill, eur(total), [("li_2", "cake")] if yes else [])
    assert 0 <= verdict.fair.minor <= min(AGREED.total.minor, total)
    if total > verdict.fair.minor + 2 and sum(x.total.minor for x in bill) + 290 >= total:
        assert verdict.faults
    if not yes:
        swapped = [x for x in bill if (x.line_id, x.item_id) == ("li_2", "cake")]
        kept = [x for x in bill if x not in swapped]
        allowed = sum(x.total.minor for x in kept) + 290
        assert verdict.fair.minor <= max(allowed, total - sum(x.total.minor for x in swapped))
