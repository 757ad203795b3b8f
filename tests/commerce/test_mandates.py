"""Closed mandates: what they prove, and a corpus of attacks on the verifier."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import replace

import pytest
from commerce_town import OFFICE, TARGET
from commerce_world import TAP, running
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from lapel.commerce import (
    Approval,
    ApprovalState,
    Checkout,
    CheckoutLine,
    CheckoutStatus,
    MandateError,
    Money,
    OrderState,
    ReceiptError,
    Total,
    verify,
)
from lapel.commerce import keys as signing
from lapel.commerce.checkout import SignedTerms
from lapel.commerce.consent import close, closed, public_keys, verify_checkout, verify_payment
from lapel.commerce.consent.sdjwt import issue, present
from lapel.commerce.keys import base64url
from lapel.commerce.receipt import Signer, canonical
from lapel.store import schema

pytestmark = pytest.mark.unit

KEY = signing.new_key()
THIEF = signing.new_key()
MERCHANT = signing.new_key()
AT = 1764000000.0
ORDER_N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def checkout(price: int = 490, id: str = "c_1", payee: str = "blue-door") -> Checkout:
    money = Money(price, "EUR")
    body = {"id": id, "currency": "EUR", "totals": [{"type": "total", "amount": price}]}
    jws = signing.sign_jws(MERCHANT, "checkout", json.dumps(body).encode())
    return Checkout(
        "blue", "Blue Door", id, CheckoutStatus.READY_FOR_COMPLETE,
        (CheckoutLine("latte", "Latte", 1, money, money),), (Total("total", "Total", money),), money, OFFICE,
        replace(TARGET, payee=payee), signed=SignedTerms(jws, "https://blue.example", json.dumps(dict(MERCHANT.public))),
    )  # fmt: skip


def approval(of: Checkout) -> Approval:
    return Approval(
        "a_1", "o_1", "u_0", of.hash(), of.total, of.payment.payee, "Blue Door", "office", AT - 5, AT + 55,
        ApprovalState.APPROVED, AT, TAP,
    )  # fmt: skip


def made(price: int = 490, id: str = "c_1", payee: str = "blue-door", key=KEY):
    of = checkout(price, id, payee)
    return of, close(key, of, approval(of), valid_s=600)


CART, MANDATES = made()
TRANSACTION = closed.hash_of(CART.signed.jws)


def check_checkout(mandate: str = MANDATES.checkout, **changed) -> str:
    """The code of the refusal, empty when the mandate is good."""
    expected = {
        "key": KEY.public, "audience": "https://blue.example", "nonce": TRANSACTION, "at": AT + 10,
        "checkout_jwt": CART.signed.jws, **changed,
    }  # fmt: skip
    try:
        verify_checkout(mandate, **expected)
    except MandateError as error:
        return error.code
    return ""


def check_payment(mandate: str = MANDATES.shared_payment, **changed) -> str:
    expected = {
        "key": KEY.public, "audience": "https://blue.example", "nonce": TRANSACTION, "at": AT + 10,
        "transaction": TRANSACTION, "amount": Money(490, "EUR"), "payee": "blue-door", **changed,
    }  # fmt: skip
    try:
        verify_payment(mandate, **expected)
    except MandateError as error:
        return error.code
    return ""


def test_a_good_mandate_proves_what_it_should():
    assert check_checkout() == check_payment() == check_payment(MANDATES.payment) == ""
    shared = verify_payment(
        MANDATES.shared_payment, key=KEY.public, audience="https://blue.example", nonce=TRANSACTION, at=AT,
        transaction=TRANSACTION, amount=Money(490, "EUR"), payee="blue-door",
    )  # fmt: skip
    assert shared.risk is None  # the merchant does not learn on what the user pressed


def test_its_form_is_that_of_rfc_9901():
    """Read here without our own reader: digests, binding, hashes by hand."""
    jwt, disclosure, binding = MANDATES.checkout.split("~")

    def part(text: str):
        return json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))

    header, payload = (part(text) for text in jwt.split(".")[:2])
    assert (header["alg"], header["typ"], header["kid"]) == ("ES256", "dc+sd-jwt", KEY.id)
    assert payload["vct"] == "mandate.checkout.1"
    assert payload["cnf"] == {"jwk": dict(KEY.public)}
    digest = hashlib.sha256(disclosure.encode()).digest()
    assert payload["_sd"] == [base64.urlsafe_b64encode(digest).rstrip(b"=").decode()]
    assert part(disclosure)[1:] == ["checkout_jwt", CART.signed.jws]
    assert "checkout_jwt" not in payload
    bound = part(binding.split(".")[1])
    assert part(binding.split(".")[0])["typ"] == "kb+jwt"
    over = hashlib.sha256(f"{jwt}~{disclosure}~".encode()).digest()
    assert bound["sd_hash"] == base64.urlsafe_b64encode(over).rstrip(b"=").decode()
    transaction = hashlib.sha256(CART.signed.jws.encode()).digest()
    assert payload["checkout_hash"] == base64.urlsafe_b64encode(transaction).rstrip(b"=").decode()


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"audience": "https://red.example"}, "other_audience"),
        ({"nonce": "another"}, "other_nonce"),
        ({"at": AT + 600}, "expired"),
        ({"at": AT - 61}, "not_yet"),
        ({"key": THIEF.public}, "wrong_key"),
    ],
)  # fmt: skip
def test_what_is_expected_comes_from_the_verifier(changed, code):
    assert check_checkout(**changed) == check_payment(**changed) == code


def test_a_mandate_for_something_else():
    other, mandates = made(id="c_2")
    assert (
        check_checkout(mandates.checkout, nonce=closed.hash_of(other.signed.jws))
        == "other_checkout"
    )
    assert check_checkout(mandates.checkout) == "other_nonce"
    dear, mandates = made(price=999)
    nonce = closed.hash_of(dear.signed.jws)
    assert check_payment(mandates.shared_payment, nonce=nonce) == "other_checkout"
    assert check_payment(mandates.shared_payment, nonce=nonce, transaction=nonce) == "other_amount"
    assert check_payment(amount=Money(490, "USD")) == "other_amount"
    _, mandates = made(payee="a-thief")
    hers = {"nonce": mandates.nonce, "transaction": mandates.nonce}
    assert check_payment(mandates.shared_payment, **hers) == "other_payee"


def test_one_kind_does_not_pass_for_the_other():
    assert check_checkout(MANDATES.shared_payment) == "not_terminal"
    assert check_payment(MANDATES.checkout) == "not_terminal"


def claims(**changed) -> dict[str, object]:
    return {
        "vct": "mandate.checkout.1", "checkout_hash": TRANSACTION, "iat": int(AT), "exp": int(AT) + 600, **changed,
    }  # fmt: skip


def shown(of: dict[str, object], hidden=None, key=KEY) -> str:
    hidden = {"checkout_jwt": CART.signed.jws} if hidden is None else hidden
    issued = issue(key, of, hidden)
    return present(
        key, issued, hidden, audience="https://blue.example", nonce=TRANSACTION, at=int(AT)
    )


def test_an_open_or_intermediate_mandate_is_not_taken():
    assert check_checkout(shown(claims())) == ""
    assert check_checkout(shown(claims(vct="mandate.checkout.open.1"))) == "not_terminal"
    jwt, disclosure, binding = MANDATES.checkout.split("~")
    assert check_checkout(f"{jwt}~{disclosure}~") == "not_terminal"
    assert check_checkout(jwt) == "not_terminal"
    assert check_checkout(f"{jwt}~~{jwt}~{disclosure}~{binding}") == "not_terminal"
    payload = base64.urlsafe_b64decode(binding.split(".")[1] + "==")
    for kind in ("kb+sd-jwt+kb", "kb+sd-jwt", "JWT"):
        hop = signing.sign_jws(KEY, kind, payload)
        assert check_checkout(f"{jwt}~{disclosure}~{hop}") == "not_terminal"


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"exp": int(AT)}, "expired"),
        ({"exp": int(AT) - 5}, "expired"),
        ({"exp": 1e12}, "not_a_mandate"),
        ({"exp": "never"}, "not_a_mandate"),
        ({"iat": True}, "not_a_mandate"),
        ({"checkout_hash": "x"}, "other_checkout"),
        ({"checkout_hash": None}, "not_a_mandate"),
    ],
)  # fmt: skip
def test_claims_that_make_no_sense(changed, code):
    assert check_checkout(shown(claims(**changed))) == code


def test_disclosures_cannot_be_changed_dropped_or_added():
    jwt, disclosure, binding = MANDATES.checkout.split("~")
    salt, name, value = json.loads(base64.urlsafe_b64decode(disclosure + "=="))
    forged = base64url(json.dumps([salt, name, value + "x"]).encode())
    for parts in ([jwt, forged, binding], [jwt, binding], [jwt, disclosure, disclosure, binding]):
        assert check_checkout("~".join(parts)) == "altered"

    def bound_anew(*disclosures: str) -> str:
        """By somebody who holds the key, but not the issuer's digests."""
        text = "~".join([jwt, *disclosures]) + "~"
        over = base64url(hashlib.sha256(text.encode()).digest())
        payload = {
            "aud": "https://blue.example",
            "iat": int(AT),
            "nonce": TRANSACTION,
            "sd_hash": over,
        }
        return text + signing.sign_jws(KEY, "kb+jwt", json.dumps(payload).encode())

    assert check_checkout(bound_anew(disclosure)) == ""
    assert check_checkout(bound_anew(forged)) == "altered"
    assert check_checkout(bound_anew(disclosure, disclosure)) == "altered"
    assert check_checkout(bound_anew()) == "not_a_mandate"


@pytest.mark.parametrize("name", ["exp", "cnf", "checkout_hash", "_sd"])
def test_a_disclosure_does_not_override_a_claim(name):
    hidden = {"checkout_jwt": CART.signed.jws, name: int(AT) + 10**6}
    assert check_checkout(shown(claims(), hidden)) == "altered"


def resigned(position: int, sign) -> str:
    """The mandate with one of its two JWTs signed otherwise."""
    parts = MANDATES.checkout.split("~")
    parts[position] = sign(*parts[position].split("."))
    return "~".join(parts)


def header(**values: object) -> str:
    return base64url(json.dumps(values, separators=(",", ":")).encode())


def der(head: str, payload: str, _: str) -> str:
    signed = f"{head}.{payload}"
    return f"{signed}.{base64url(KEY.private.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))}"


def twin(head: str, payload: str, signature: str) -> str:
    raw = base64.urlsafe_b64decode(signature + "==")
    return f"{head}.{payload}.{base64url(raw[:32] + (ORDER_N - int.from_bytes(raw[32:])).to_bytes(32))}"


def without(head: str, payload: str, _: str) -> str:
    kind = json.loads(base64.urlsafe_b64decode(head + "=="))["typ"]
    return f"{header(alg='none', kid=KEY.id, typ=kind)}.{payload}."


def by_hmac(head: str, payload: str, _: str) -> str:
    """The public key taken for a shared secret."""
    kind = json.loads(base64.urlsafe_b64decode(head + "=="))["typ"]
    signed = f"{header(alg='HS256', kid=KEY.id, typ=kind)}.{payload}"
    import hmac

    secret = json.dumps(dict(KEY.public)).encode()
    return f"{signed}.{base64url(hmac.new(secret, signed.encode(), 'sha256').digest())}"


def own_key(head: str, payload: str, _: str) -> str:
    """The thief's key in the header, as if that proved anything."""
    kind = json.loads(base64.urlsafe_b64decode(head + "=="))["typ"]
    signed = f"{header(alg='ES256', kid=KEY.id, typ=kind, jwk=dict(THIEF.public))}.{payload}"
    r, s = decode_dss_signature(THIEF.private.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
    return f"{signed}.{base64url(r.to_bytes(32) + min(s, ORDER_N - s).to_bytes(32))}"


@pytest.mark.parametrize("position", [0, 2])
@pytest.mark.parametrize("sign", [der, twin, without, by_hmac, own_key])
def test_a_signature_has_one_form(position, sign):
    assert check_checkout(resigned(position, sign)) == "bad_signature"


def test_somebody_elses_mandate_or_binding():
    _, hers = made(key=THIEF)
    assert check_checkout(hers.checkout) == "wrong_key"
    jwt, disclosure, _ = MANDATES.checkout.split("~")
    assert check_checkout(f"{jwt}~{disclosure}~{hers.checkout.split('~')[2]}") == "wrong_key"
    of = {**claims(), "cnf": {"jwk": dict(THIEF.public)}}
    issued = issue(KEY, of, {"checkout_jwt": CART.signed.jws})
    assert json.loads(base64.urlsafe_b64decode(issued.jwt.split(".")[1] + "=="))["cnf"][
        "jwk"
    ] == dict(KEY.public)


def test_any_changed_character_is_found():
    text = MANDATES.checkout
    for i in range(0, len(text), 7):
        other = "A" if text[i] != "A" else "B"
        assert check_checkout(text[:i] + other + text[i + 1 :]) != ""


@pytest.mark.parametrize("junk", ["", "~", "~~", "a.b.c", "a.b.c~", "." * 9, "ä~b", "x" * 300000])
def test_junk_is_refused(junk):
    assert check_checkout(junk) in ("not_a_mandate", "not_terminal")


# In an order. ----------------------------------------------------------------------------------


async def test_an_approval_and_its_mandates_are_one_transaction(tmp_path):
    async with running(tmp_path) as world:
        order_id, asked = await world.asked()
        approval_id = asked.data["approval_id"]
        assert await world.store.read(lambda c: closed.find(c, approval_id)) is None
        order = await world.placed()
        mandates = await world.store.read(lambda c: closed.find(c, order.approval.id))
        assert mandates.jwk in [
            key.jwk for key in await world.store.read(lambda c: public_keys(c, "u_0"))
        ]
        receipt = verify(order.receipt, key=world.orders.receipt_key_id)
        assert receipt.mandates.checkout == mandates.checkout
        assert receipt.version == 2


async def test_a_refusal_signs_nothing(tmp_path):
    async with running(tmp_path) as world:
        order_id, asked = await world.asked()
        await world.orders.decide(asked.data["approval_id"], "refuse", TAP, checkout_hash="")
        await world.state(order_id, OrderState.REFUSED)
        count = "select count(*) from closed_mandates"
        assert await world.store.read(lambda c: c.exec_driver_sql(count).scalar()) == 0


async def test_a_new_price_needs_new_mandates(tmp_path):
    """The mandates of the first round are never used for the second."""
    async with running(tmp_path) as world:
        order_id, asked = await world.asked()
        world.town.set("price:latte", 550)
        await world.approve(order_id)
        again = await world.event(order_id, "approval_needed", 2)
        first, second = asked.data["approval_id"], again.data["approval_id"]
        assert await world.store.read(lambda c: closed.find(c, first)) is not None
        assert await world.store.read(lambda c: closed.find(c, second)) is None
        await world.approve(order_id, 2)
        order = await world.state(order_id, OrderState.PLACED)
        old, new = [
            await world.store.read(lambda c, id=id: closed.find(c, id)) for id in (first, second)
        ]
        receipt = verify(order.receipt)
        assert receipt.mandates.payment == new.payment != old.payment


async def placed_receipt(tmp_path):
    async with running(tmp_path) as world:
        order = await world.placed()
        rows = await world.store.read(lambda c: c.execute(schema.keys.select()).all())
        other = await world.placed(user="u_1")
        return verify(order.receipt), verify(other.receipt), rows


async def test_lapel_alone_cannot_forge_what_the_user_agreed_to(tmp_path):
    """Whoever holds the receipt key still needs the user's: every lie is found by the mandates."""
    receipt, other, _ = await placed_receipt(tmp_path)
    forger = signing.new_key()

    def lie(**changed: object) -> str:
        file = Signer(forger).sign(replace_struct(receipt, key_id=forger.id, **changed))
        with pytest.raises(ReceiptError) as caught:
            verify(file)
        return caught.value.code

    from msgspec.structs import replace as replace_struct

    assert verify(Signer(forger).sign(replace_struct(receipt, key_id=forger.id)))
    consent, payment = receipt.consent, receipt.payment
    assert lie(total=replace_struct(receipt.total, minor=1)) == "other_cart"
    assert lie(lines=receipt.lines[:1]) == "other_cart"
    assert lie(payment=replace_struct(payment, payee="a-thief")) == "other_cart"
    assert (
        lie(payment=replace_struct(payment, amount=replace_struct(payment.amount, minor=9)))
        == "bad_mandate"
    )
    assert lie(address=replace_struct(receipt.address, street="Elsewhere 1")) == "other_cart"
    for name in ("gesture", "device_id", "device_name", "device_family", "approval_id"):
        assert lie(consent=replace_struct(consent, **{name: "another"})) == "bad_mandate"
    assert lie(consent=replace_struct(consent, shown_on=())) == "bad_mandate"
    assert (
        lie(consent=replace_struct(consent, gesture_at="2020-01-01T00:00:00.000Z")) == "bad_mandate"
    )
    assert lie(consent=replace_struct(consent, at="2020-01-01T00:00:00.000Z")) == "bad_mandate"
    assert lie(mandates=other.mandates) == "bad_mandate"
    assert lie(mandates=replace_struct(receipt.mandates, nonce="x")) == "bad_mandate"
    assert lie(mandates=None) == "bad_signature"
    assert lie(version=1) == "bad_signature"


async def test_a_receipt_of_before_there_were_mandates_is_still_good(tmp_path):
    from msgspec.structs import replace as replace_struct

    receipt, _, _ = await placed_receipt(tmp_path)
    key = signing.new_key()
    old = replace_struct(receipt, version=1, mandates=None, key_id=key.id)
    assert b"mandates" not in canonical(old)
    assert verify(Signer(key).sign(old)) == old
