from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest
from commerce_town import OFFICE, TARGET
from hypothesis import given
from hypothesis import strategies as st

from lapel.commerce import (
    Address,
    Checkout,
    CheckoutLine,
    CheckoutMessage,
    CheckoutStatus,
    Denied,
    DraftLine,
    Money,
    OrderDraft,
    Policy,
    Total,
)
from lapel.commerce.quoting import mismatch

pytestmark = pytest.mark.unit

texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
amounts = st.builds(Money, st.integers(0, 10**7), st.just("EUR"))
lines = st.builds(
    CheckoutLine,
    item_id=texts,
    title=texts,
    quantity=st.integers(1, 9),
    unit_price=amounts,
    total=amounts,
    options=st.lists(texts, max_size=3, unique=True).map(tuple),
    note=texts,
)
degrees = st.floats(-90, 90, allow_nan=False)
addresses = st.builds(Address, texts, texts, texts, texts, texts, degrees, degrees, texts)
checkouts = st.builds(
    Checkout,
    merchant_id=texts,
    merchant_name=texts,
    id=texts,
    status=st.just(CheckoutStatus.READY_FOR_COMPLETE),
    lines=st.lists(lines, min_size=1, max_size=4).map(tuple),
    totals=st.lists(
        st.builds(Total, st.sampled_from(["subtotal", "fee", "tax"]), texts, amounts), max_size=3
    ).map(tuple),
    total=amounts,
    address=addresses,
    payment=st.builds(lambda payee: replace(TARGET, payee=payee), texts),
)
FIELDS = [
    "merchant_id",
    "id",
    "payee",
    "total",
    "currency",
    "line",
    "one line less",
    "address",
    "totals",
]


def change(checkout: Checkout, field: str, data: st.DataObject) -> Checkout:
    """A checkout that differs in exactly one thing that the user agrees to."""
    draw = data.draw
    match field:
        case "merchant_id" | "id":
            return replace(checkout, **{field: getattr(checkout, field) + draw(texts)})
        case "payee":
            return replace(
                checkout,
                payment=replace(checkout.payment, payee=checkout.payment.payee + draw(texts)),
            )
        case "total":
            more = Money(draw(st.integers(1, 10**6)), "EUR")
            return replace(checkout, total=checkout.total + more)
        case "currency":
            return replace(checkout, total=Money(checkout.total.minor, "USD"))
        case "line":
            i = draw(st.integers(0, len(checkout.lines) - 1))
            kept = list(checkout.lines)
            kept[i] = change_line(kept[i], draw)
            return replace(checkout, lines=tuple(kept))
        case "one line less":
            return replace(checkout, lines=checkout.lines[1:])
        case "address":
            names = ["street", "city", "postal_code", "country", "instructions"]
            name = draw(st.sampled_from(names))
            value = getattr(checkout.address, name) + draw(texts)
            return replace(
                checkout, address=msgspec.structs.replace(checkout.address, **{name: value})
            )
        case _:
            return replace(
                checkout, totals=(*checkout.totals, Total("fee", "Fee", Money(1, "EUR")))
            )


def change_line(line: CheckoutLine, draw) -> CheckoutLine:
    match draw(st.sampled_from(["item_id", "title", "note", "quantity", "price", "options"])):
        case "quantity":
            return replace(line, quantity=line.quantity + draw(st.integers(1, 5)))
        case "price":
            return replace(line, unit_price=line.unit_price + Money(1, "EUR"))
        case "options":
            return replace(line, options=(*line.options, "x" * 13))
        case name:
            return replace(line, **{name: getattr(line, name) + draw(texts)})


@given(checkouts, st.sampled_from(FIELDS), st.data())
def test_every_change_of_what_is_agreed_changes_the_hash(checkout, field, data):
    assert change(checkout, field, data).hash() != checkout.hash()


@given(checkouts)
def test_what_is_not_agreed_to_leaves_the_hash(checkout):
    other = replace(
        checkout,
        status=CheckoutStatus.COMPLETED,
        order_id="m_1",
        eta_minutes=12,
        continue_url="https://shop.example",
        address=msgspec.structs.replace(checkout.address, label="home"),
    )
    assert other.hash() == checkout.hash()


@given(checkouts)
def test_a_checkout_survives_the_record(checkout):
    text = msgspec.json.encode(checkout)
    again = msgspec.json.decode(text, type=Checkout)
    assert again == checkout
    assert again.hash() == checkout.hash()


def quoted(wanted: OrderDraft) -> Checkout:
    """An honest answer to a draft."""
    priced = tuple(
        CheckoutLine(
            x.item_id,
            x.title,
            x.quantity,
            Money(100, "EUR"),
            Money(100 * x.quantity, "EUR"),
            x.options,
        )
        for x in wanted.lines
    )
    total = sum((x.total for x in priced), Money(0, "EUR"))
    return Checkout(
        wanted.merchant_id,
        "Shop",
        "c_1",
        CheckoutStatus.READY_FOR_COMPLETE,
        priced,
        (Total("total", "Total", total),),
        total,
        wanted.address,
        TARGET,
    )


WANTED = OrderDraft(
    "blue",
    (DraftLine("latte", "Latte", 2, ("oat", "iced")), DraftLine("muffin", "Muffin", 1)),
    OFFICE,
)
HONEST = quoted(WANTED)


def test_an_honest_quote_has_no_fault():
    assert mismatch(WANTED, HONEST) == ""
    split = (
        replace(HONEST.lines[0], quantity=1),
        replace(HONEST.lines[0], quantity=1, options=("iced", "oat")),
        HONEST.lines[1],
    )
    assert mismatch(WANTED, replace(HONEST, lines=split)) == ""


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (replace(HONEST, merchant_id="red"), "something else"),
        (replace(HONEST, lines=HONEST.lines[:1]), "something else"),
        (replace(HONEST, lines=(*HONEST.lines, HONEST.lines[1])), "something else"),
        (
            replace(HONEST, lines=(replace(HONEST.lines[0], options=()), HONEST.lines[1])),
            "something else",
        ),
        (
            replace(HONEST, address=msgspec.structs.replace(OFFICE, street="Elsewhere 2")),
            "another address",
        ),
        (replace(HONEST, total=Money(300, "USD")), "mixed up"),
        (replace(HONEST, total=Money(0, "EUR")), "mixed up"),
        (replace(HONEST, payment=None), "no way to pay"),
        (replace(HONEST, status=CheckoutStatus.REQUIRES_ESCALATION), "no link that I trust"),
        (
            replace(
                HONEST,
                status=CheckoutStatus.INCOMPLETE,
                messages=(CheckoutMessage("closed", "We are closed.", "unrecoverable"),),
            ),
            "We are closed. Nothing was ordered.",
        ),
    ],
)
def test_a_quote_for_something_else_is_no_quote(answer, said):
    assert said in mismatch(WANTED, answer)


def test_an_address_may_be_written_otherwise():
    shouted = msgspec.structs.replace(OFFICE, street=" MANNERHEIMINTIE  1", label="")
    assert mismatch(WANTED, replace(HONEST, address=shouted)) == ""


@pytest.mark.parametrize(
    ("total", "allowed"),
    [
        (Money(20000, "EUR"), True),
        (Money(20001, "EUR"), False),
        (Money(1, "USD"), False),
    ],
)
def test_the_limit_is_the_last_amount_that_is_allowed(total, allowed):
    verdict = Policy().judge(replace(HONEST, total=total), Policy().max_order.get(total.currency))
    assert isinstance(verdict, Denied) is not allowed
    if isinstance(verdict, Denied):
        assert verdict.code == "over_limit"
        assert "Nothing was ordered." in verdict.words
