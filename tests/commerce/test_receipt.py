from __future__ import annotations

import base64
import json
from dataclasses import replace

import pytest
from commerce_town import OFFICE, TARGET
from hypothesis import given, settings
from hypothesis import strategies as st

from lapel.commerce import (
    Approval,
    ApprovalState,
    Checkout,
    CheckoutLine,
    CheckoutStatus,
    DraftLine,
    Evidence,
    Money,
    Order,
    OrderDraft,
    OrderState,
    ReceiptError,
    Total,
    verify,
    verify_chain,
)
from lapel.commerce import keys as signing
from lapel.commerce.receipt import TYPE, Signer, canonical, encoded, receipt_of

pytestmark = pytest.mark.unit

KEY = signing.new_key()
SIGNER = Signer(KEY)
TAP = Evidence("d_1", "Käsi", "ring", "press", 1764000000.25, ("d_2",), ())


def order(title: str = "Iced latte", order_id: str = "o_1") -> tuple[Order, Checkout]:
    price = Money(490, "EUR")
    checkout = Checkout(
        "blue",
        "Blue Door Coffee",
        "c_1",
        CheckoutStatus.COMPLETED,
        (CheckoutLine("latte", title, 1, price, price, ("oat",)),),
        (Total("total", "Total", price),),
        price,
        OFFICE,
        TARGET,
        order_id="m_1",
    )
    approval = Approval(
        "a_o_1_0",
        order_id,
        "u_1",
        checkout.hash(),
        price,
        TARGET.payee,
        "Blue Door Coffee",
        "office",
        1764000000.0,
        1764000060.0,
        ApprovalState.APPROVED,
        1764000000.5,
        TAP,
    )
    draft = OrderDraft("blue", (DraftLine("latte", title, 1, ("oat",)),), OFFICE)
    made = Order(
        order_id,
        "u_1",
        "blue",
        "Blue Door Coffee",
        OrderState.PLACING,
        0,
        draft,
        checkout,
        "c_1",
        price,
        approval,
        "",
        "au_1",
        None,
        0.0,
        0.0,
    )
    return made, checkout


def file(title: str = "Iced latte", order_id: str = "o_1", previous: str | None = None) -> str:
    made, checkout = order(title, order_id)
    return SIGNER.sign(receipt_of(made, checkout, 1764000001.0, SIGNER.key_id, previous))


def test_a_receipt_says_what_was_bought_and_who_agreed_how():
    receipt = verify(file(), key=KEY.id)
    assert receipt.total.minor == 490
    assert receipt.lines[0].title == "Iced latte"
    assert receipt.payment.payee == TARGET.payee
    assert receipt.payment.authorization_id == "au_1"
    assert receipt.merchant.order_id == "m_1"
    assert receipt.consent.gesture == "press"
    assert receipt.consent.device_name == "Käsi"
    assert receipt.consent.at == "2025-11-24T16:00:00.500Z"
    assert receipt.consent.checkout_hash == order()[1].hash()
    assert receipt.key_id == KEY.id


def test_any_changed_byte_is_found():
    data = file().encode()
    for i in range(len(data)):
        changed = data[:i] + bytes([data[i] ^ 1]) + data[i + 1 :]
        with pytest.raises(ReceiptError):
            verify(changed, key=KEY.id)


@pytest.mark.parametrize("edit", [b"\n", b" ", b"{}"])
def test_nothing_may_be_added(edit):
    with pytest.raises(ReceiptError):
        verify(file().encode() + edit)
    with pytest.raises(ReceiptError):
        verify(edit + file().encode())


def code(data: bytes | str, **options) -> str:
    with pytest.raises(ReceiptError) as caught:
        verify(data, **options)
    return caught.value.code


def test_each_way_to_fail_has_its_code():
    good = json.loads(file())
    other = signing.new_key()
    assert code("") == "not_a_receipt"
    assert code("[]") == "not_a_receipt"
    assert code("[" * 100000) == "not_a_receipt"
    assert code(b"x" * (1 << 21)) == "not_a_receipt"
    assert code(json.dumps(good, indent=1)) == "not_canonical"
    assert code(file().replace('"total":', '"total":{},"total":', 1)) == "not_a_receipt"
    assert code(file(), key=other.id) == "other_key"

    def edited(**changes: object) -> str:
        return json.dumps(
            {**good, **changes}, sort_keys=True, separators=(",", ":"), ensure_ascii=False
        )

    assert code(edited(jwk={**good["jwk"], "crv": "P-384"})) == "bad_key"
    assert code(edited(jwk={**good["jwk"], "x": "AA"})) == "bad_key"
    assert code(edited(jwk=dict(other.public))) == "bad_signature"
    cheaper = {**good["receipt"], "total": {"minor": 1, "currency": "EUR"}}
    assert code(edited(receipt=cheaper)) == "bad_signature"
    assert code(edited(jws="a.b")) == "bad_signature"
    header = base64.urlsafe_b64encode(b'{"alg":"none"}').rstrip(b"=").decode()
    stripped = ".".join([header, good["jws"].split(".")[1], ""])
    assert code(edited(jws=stripped)) == "bad_signature"


def test_the_other_form_of_the_same_signature_is_refused():
    good = json.loads(file())
    head, payload, signature = good["jws"].split(".")
    raw = base64.urlsafe_b64decode(signature + "==")
    order_n = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    high = raw[:32] + (order_n - int.from_bytes(raw[32:])).to_bytes(32)
    twin = base64.urlsafe_b64encode(high).rstrip(b"=").decode()
    changed = file().replace(good["jws"], f"{head}.{payload}.{twin}")
    good["jws"] = f"{head}.{payload}.{twin}"
    changed = json.dumps(good, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert code(changed) == "bad_signature"


def test_a_forger_with_a_key_of_his_own_is_found_by_the_pinned_key():
    forger = signing.new_key()
    made, checkout = order()
    forged = Signer(forger).sign(receipt_of(made, checkout, 1764000001.0, forger.id, None))
    assert verify(forged).key_id == forger.id
    assert code(forged, key=KEY.id) == "other_key"


def test_the_signature_is_plain_jose():
    """What any JWS library would do: header, payload, raw r||s over both."""
    head, payload, signature = json.loads(file())["jws"].split(".")
    assert json.loads(base64.urlsafe_b64decode(head + "==")) == {
        "alg": "ES256",
        "kid": KEY.id,
        "typ": TYPE,
    }
    assert len(base64.urlsafe_b64decode(signature + "==")) == 64
    assert json.loads(base64.urlsafe_b64decode(payload + "===")) == json.loads(file())["receipt"]


def test_receipts_form_a_chain():
    first = file(order_id="o_1")
    second = file(order_id="o_2", previous=first)
    third = file(order_id="o_3", previous=second)
    assert [x.order_id for x in verify_chain([first, second, third])] == ["o_1", "o_2", "o_3"]
    with pytest.raises(ReceiptError) as caught:
        verify_chain([first, third])
    assert caught.value.code == "broken_chain"


def test_without_an_approval_there_is_no_receipt():
    made, checkout = order()
    with pytest.raises(ReceiptError, match="not approved"):
        receipt_of(replace(made, approval=None), checkout, 1.0, KEY.id, None)


@settings(max_examples=50)
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=40))
def test_any_text_can_stand_in_a_receipt(title):
    assert verify(file(title)).lines[0].title == title


def test_the_encoding_is_that_of_rfc_8785():
    receipt = verify(file('é€\u001f"\\\u2028\x7f\n'))
    text = canonical(receipt).decode()
    assert 'é€\\u001f\\"\\\\\u2028\x7f\\n' in text
    assert text.index('"address"') < text.index('"consent"') < text.index('"id"')


TEXTS = st.text(max_size=12)
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | TEXTS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(max_codepoint=127)), inner, max_size=4)
    ),
)


@given(PLAIN)
def test_receipts_of_former_versions_have_the_same_bytes(plain):
    former = json.dumps(plain, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    assert encoded(plain) == former.encode()


@pytest.mark.parametrize("odd", [2**53, "\ud800", {"a": ["\udfff"]}])
def test_what_has_no_canonical_form_is_no_receipt(odd):
    with pytest.raises(ReceiptError) as refused:
        encoded(odd)
    assert refused.value.code == "not_canonical"


def test_a_number_that_no_json_reader_is_sure_of_is_found():
    file = json.loads(SIGNER.sign(receipt_of(*order(), 1764000010.0, SIGNER.key_id, None)))
    file["receipt"]["total"]["minor"] = 2**53
    text = json.dumps(file, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    assert code(text) == "not_canonical"
