"""UCP's AP2 extension against the City: what it takes, what it refuses, what Lapel refuses."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import msgspec
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from lapel.commerce import Approval, ApprovalState, Evidence, Money
from lapel.commerce.checkout import Checkout, CheckoutStatus, OrderDraft, SignedTerms
from lapel.commerce.consent import KEY_LEAD_S, ClosedMandates, Vault, close
from lapel.commerce.keys import SigningKey, base64url, new_key, sign_jws
from lapel.commerce.ports import Credential, Nonsense, Refused
from lapel.services import BankPayments, Merchant
from lapel.services.connectors.ucp.ap2 import TermsClient
from lapel.services.connectors.ucp.requests import complete_body
from lapel.services.connectors.ucp.wire.checkout import CheckoutBody
from lapel.store import Store
from services.shopper import World, build
from services.test_city import Shopper
from serving import serving
from town import Town

pytestmark = pytest.mark.net

TAP = Evidence("d_ring", "Ring", "ring", "press", 1764000000.0)


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    running = Town(tmp_path_factory.mktemp("city"), speed=600)
    yield running
    running.close()


@dataclass
class Buyer:
    """A shopper with a key of its own, at one merchant."""

    shopper: Shopper
    key: SigningKey

    @property
    def world(self) -> World:
        return self.shopper.world

    def signs(
        self,
        quoted: Checkout,
        *,
        key: SigningKey | None = None,
        at: float | None = None,
        amount: Money | None = None,
    ) -> ClosedMandates:
        """The user's yes; what is given differs from what an honest one would sign."""
        total = amount or quoted.total
        lied = replace(quoted, total=total)
        approval = Approval(
            "a_1", "o_1", "u_1", lied.hash(), total, quoted.payment.payee, quoted.merchant_name, "office", 0.0, 0.0,
            ApprovalState.APPROVED, time.time() if at is None else at, TAP,
        )  # fmt: skip
        return close(key or self.key, lied, approval, valid_s=600)

    async def credential(self, quoted: Checkout) -> Credential:
        return await self.shopper.bank.authorize(
            "u_1", quoted.payment, quoted.total, quoted.hash(), self.shopper.key("pay")
        )

    async def complete(
        self, quoted: Checkout, held: Credential, mandates: ClosedMandates | None
    ) -> Checkout:
        if mandates is not None:
            held = with_mandates(held, mandates.checkout, mandates.shared_payment)
        return await self.world.merchants.complete_checkout(
            quoted.merchant_id, quoted.id, held, self.shopper.key("place")
        )

    async def refused(self, quoted: Checkout, body: dict[str, object]) -> str:
        """The merchant's own code for why it does not complete."""
        merchant = await self.world.registry.get(quoted.merchant_id)
        answer = await self.world.client.write(
            merchant, "POST", f"/checkout-sessions/{quoted.id}/complete", body, self.shopper.key("place"), CheckoutBody
        )  # fmt: skip
        assert answer.status == "ready_for_complete"
        return next(message.code for message in answer.messages if message.type == "error")


def with_mandates(held: Credential, checkout: str, payment: str) -> Credential:
    return replace(held, checkout_mandate=checkout, payment_mandate=payment)


@pytest.fixture
async def buyer(
    store: Store, http: httpx.AsyncClient, city: Town, tmp_path: Path
) -> AsyncIterator[Buyer]:
    held: list[World] = []

    async def profile(_: Request) -> Response:
        made = held[0].profile
        return JSONResponse(await made.document(), headers={"cache-control": made.CACHE_CONTROL})

    async with serving(Starlette(routes=[Route("/.well-known/ucp", profile)])) as origin:
        world = build(store, http, None, time.time, origin, timeout_s=10.0, mandates=True)
        held.append(world)
        vault = Vault.open(tmp_path)
        key = await store.write(lambda at: vault.ensure(at, "u_1", time.time()))
        shopper = Shopper(world, city, BankPayments(store, http, sandboxes=[city.urls["bank"]]))
        await meet(shopper, city.urls["merchants"][0])
        yield Buyer(shopper, key)
        await world.food.close()


async def meet(shopper: Shopper, url: str) -> Merchant:
    merchant = shopper.merchant = await shopper.world.food.add_merchant(url)
    menus = await shopper.world.food.menus(refresh=True)
    shopper.menu = next(menu for menu in menus if menu.merchant_id == merchant.id)
    return merchant


async def test_an_order_with_mandates_and_one_at_a_shop_without(buyer: Buyer, city: Town):
    quoted = await buyer.shopper.quote()
    assert quoted.signed is not None
    held = await buyer.credential(quoted)
    with pytest.raises(Refused) as caught:
        await buyer.complete(quoted, held, None)
    assert caught.value.code == "mandate_refused"
    done = await buyer.complete(quoted, held, buyer.signs(quoted))
    assert done.status is CheckoutStatus.COMPLETED
    assert done.signed is not None

    umi = next(
        url
        for url in city.urls["merchants"]
        if "ap2" not in city.http.get(f"{url}/.well-known/ucp").text
    )
    await meet(buyer.shopper, umi)
    plain = await buyer.shopper.quote()
    assert plain.signed is None
    done = await buyer.complete(plain, await buyer.credential(plain), None)
    assert done.status is CheckoutStatus.COMPLETED


def der(jws: str, key: SigningKey) -> str:
    signed = jws.rpartition(".")[0]
    return f"{signed}.{base64url(key.private.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))}"


def unsigned(jws: str) -> str:
    head, payload, _ = jws.split(".")
    header = json.loads(base64.urlsafe_b64decode(head + "==")) | {"alg": "none"}
    return f"{base64url(json.dumps(header).encode())}.{payload}."


def at_part(mandate: str, index: int, change) -> str:
    parts = mandate.split("~")
    parts[index] = change(parts[index])
    return "~".join(parts)


async def test_the_city_refuses_every_other_mandate(buyer: Buyer):
    """All at one checkout, which the right mandates then complete: a refusal changes nothing."""
    quoted, other = await buyer.shopper.quote(), await buyer.shopper.quote(2)
    held = await buyer.credential(quoted)
    good, hers = buyer.signs(quoted), buyer.signs(other)
    thief = new_key()
    dear = buyer.signs(quoted, amount=Money(quoted.total.minor + 100, "EUR"))
    elsewhere = buyer.signs(
        replace(quoted, signed=replace(quoted.signed, audience="https://red.example"))
    )
    robbed = buyer.signs(replace(quoted, payment=replace(quoted.payment, payee="mer_umi")))
    made_up = replace(
        quoted, signed=SignedTerms(sign_jws(thief, "x", b"{}"), quoted.signed.audience, "{}")
    )

    async def code(checkout: str = good.checkout, payment: str = good.shared_payment) -> str:
        return await buyer.refused(quoted, complete_body(with_mandates(held, checkout, payment)))

    bad = "mandate_invalid_signature"
    assert await code("") == await code(payment="") == "mandate_required"
    assert await code(buyer.signs(quoted, key=thief).checkout) == bad
    assert await code(hers.checkout, hers.shared_payment) == "mandate_scope_mismatch"
    assert await code(payment=hers.shared_payment) == "mandate_scope_mismatch"
    assert await code(payment=dear.shared_payment) == "mandate_scope_mismatch"
    assert await code(payment=robbed.shared_payment) == "mandate_scope_mismatch"
    assert await code(elsewhere.checkout) == "mandate_scope_mismatch"
    assert (
        await code(good.shared_payment)
        == await code(payment=good.checkout)
        == "mandate_scope_mismatch"
    )
    old = buyer.signs(quoted, at=time.time() - 700)
    assert await code(old.checkout, old.shared_payment) == "mandate_expired"
    assert await code(buyer.signs(made_up).checkout) == "merchant_authorization_invalid"
    assert await code(good.checkout.rpartition("~")[0] + "~") == bad
    assert await code(at_part(good.checkout, 0, unsigned)) == bad
    assert await code(at_part(good.checkout, 2, unsigned)) == bad
    assert await code(at_part(good.checkout, 0, lambda jws: der(jws, buyer.key))) == bad
    assert await code(at_part(good.checkout, 2, lambda jws: der(jws, buyer.key))) == bad
    assert await code(at_part(good.checkout, 1, lambda text: text[:-2] + "AA")) == bad
    binding = good.checkout.split("~")[2]
    hop = sign_jws(
        buyer.key, "kb+sd-jwt+kb", base64.urlsafe_b64decode(binding.split(".")[1] + "==")
    )
    assert await code(at_part(good.checkout, 2, lambda _: hop)) == bad
    assert (
        await code(good.checkout, good.payment) == bad
    )  # what it must not learn, it does not take

    done = await buyer.complete(quoted, held, good)
    assert done.status is CheckoutStatus.COMPLETED


async def test_a_changed_cart_voids_the_mandate(buyer: Buyer):
    draft = buyer.shopper.order()
    quoted = await buyer.world.merchants.create_checkout(draft, buyer.shopper.key("quote"))
    mandates = buyer.signs(quoted)
    more = msgspec.structs.replace(draft.lines[0], quantity=2)
    changed = OrderDraft(draft.merchant_id, (more,), draft.address)
    again = await buyer.world.merchants.update_checkout(
        quoted.id, changed, buyer.shopper.key("update")
    )
    assert again.id == quoted.id
    held = await buyer.credential(again)
    body = complete_body(with_mandates(held, mandates.checkout, mandates.shared_payment))
    assert await buyer.refused(again, body) == "mandate_scope_mismatch"


async def test_no_merchant_refuses_a_new_key_that_was_published_first(
    buyer: Buyer, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """The profile is read once, with both keys, and that is enough before and after the change."""
    vault, begun = Vault.open(tmp_path), time.time()
    await store.write(lambda at: vault.rotate(at, "u_1", begun, lead_s=KEY_LEAD_S))
    fetched = 0
    honest = buyer.world.profile.document

    async def document() -> dict[str, object]:
        nonlocal fetched
        fetched += 1
        return await honest()

    monkeypatch.setattr(buyer.world.profile, "document", document)
    signed: list[str] = []
    for at in (begun + 1, begun + KEY_LEAD_S):
        quoted = await buyer.shopper.quote()
        buyer.key = await store.write(lambda c, at=at: vault.ensure(c, "u_1", at))
        done = await buyer.complete(quoted, await buyer.credential(quoted), buyer.signs(quoted))
        assert done.status is CheckoutStatus.COMPLETED
        signed.append(buyer.key.id)
    assert len(set(signed)) == 2
    assert fetched <= 1


async def test_a_key_made_later_is_looked_up(buyer: Buyer, store: Store, tmp_path: Path):
    """The merchant has kept the profile from before the user had this key."""
    quoted = await buyer.shopper.quote()
    vault = Vault.open(tmp_path)
    time.sleep(1.1)  # how long the City does not ask again
    buyer.key = await store.write(lambda at: vault.rotate(at, "u_1", time.time()))
    done = await buyer.complete(quoted, await buyer.credential(quoted), buyer.signs(quoted))
    assert done.status is CheckoutStatus.COMPLETED


# What a merchant signs, Lapel checks before anybody sees it. --------------------------------------


class Canned:
    """A client that has one answer."""

    def __init__(self, raw: bytes) -> None:
        self.raw = raw

    async def read(self, merchant: Merchant, path: str, shape: object) -> msgspec.Raw:
        return msgspec.Raw(self.raw)


async def test_terms_that_the_merchant_did_not_sign_are_not_shown(buyer: Buyer):
    quoted = await buyer.shopper.quote()
    world = buyer.world
    merchant = await world.registry.get(quoted.merchant_id)
    raw = bytes(await world.client.read(merchant, f"/checkout-sessions/{quoted.id}", msgspec.Raw))

    async def read(text: bytes, *, mandates: bool = True) -> CheckoutBody:
        client = TermsClient(Canned(text), world.registry, mandates)  # type: ignore[arg-type]
        return await client.read(merchant, "/", CheckoutBody)

    async def code(text: bytes | dict[str, object]) -> str:
        given = text if isinstance(text, bytes) else json.dumps(text).encode()
        with pytest.raises(Nonsense) as caught:
            await read(given)
        return caught.value.code

    good = json.loads(raw)
    assert (await read(raw)).signed is not None
    reordered = json.dumps(dict(reversed(list(good.items()))), indent=2).encode()
    assert (await read(reordered)).signed is not None  # canonical, so the bytes do not matter
    head, _, signature = good["ap2"]["merchant_authorization"].split(".")

    def authorized(text: str) -> dict[str, object]:
        return {**good, "ap2": {"merchant_authorization": text}}

    def titled(title: str) -> list[dict[str, object]]:
        line = good["line_items"][0]
        return [{**line, "item": {**line["item"], "title": title}}, *good["line_items"][1:]]

    missing, invalid = "merchant_authorization_missing", "merchant_authorization_invalid"
    assert await code({name: value for name, value in good.items() if name != "ap2"}) == missing
    assert await code({**good, "ap2": {}}) == await code({**good, "ap2": None}) == missing
    assert await code({**good, "line_items": titled("Something else")}) == invalid
    assert await code({**good, "continue_url": "https://thief.example"}) == invalid
    assert await code({**good, "added": 1}) == invalid
    assert await code(raw.replace(b'"status"', b'"id":"chk_other","status"', 1)) == invalid
    assert await code(authorized(f"{head}.{signature}")) == invalid
    assert await code(authorized(f"{head}.e30.{signature}")) == invalid
    assert await code(authorized(f"{head}..{signature[:-2]}AA")) == invalid
    other = new_key()
    unknown = base64url(json.dumps({"alg": "ES256", "kid": other.id}).encode())
    assert await code(authorized(f"{unknown}..{signature}")) == invalid
    none = base64url(json.dumps({"alg": "none", "kid": merchant.profile.keys[0].kid}).encode())
    assert await code(authorized(f"{none}..")) == invalid
    spoofed = {**good, "dev.lapel.signed": {"jws": "x", "audience": "y", "key": "{}"}}
    assert await code(spoofed) == invalid
    assert (await read(json.dumps(spoofed).encode(), mandates=False)).signed is None
