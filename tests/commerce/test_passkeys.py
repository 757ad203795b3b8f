"""Passkeys: what takes them, what they prove offline, and all that does not pass for one."""

from __future__ import annotations

import shutil
from contextlib import asynccontextmanager
from dataclasses import replace

import msgspec
import pytest
from commerce_town import TOTAL
from commerce_world import QUICK, TAP, running

from authenticator import UP, Authenticator
from lapel.commerce import (
    Evidence,
    LimitError,
    LimitTerms,
    OrderState,
    PasskeyError,
    ReceiptError,
    RelyingParty,
    verify,
)
from lapel.commerce import keys as signing
from lapel.commerce.consent.assertions import challenge_for
from lapel.commerce.receipt import Signer

pytestmark = pytest.mark.unit

PARTY = RelyingParty("lapel.example", "https://lapel.example")
BUTTON = Evidence("d_phone", "Phone", "phone", "approve", 1764000000.0, ("Phone",))
LARGE = replace(QUICK, screen_over={"EUR": TOTAL - 1})


@asynccontextmanager
async def with_passkey(folder, untouched, policy=LARGE):
    shutil.copytree(untouched, folder, dirs_exist_ok=True)
    async with running(folder, policy=policy) as world:
        yield world, await added(world)


async def added(world, user: str = "u_0") -> Authenticator:
    phone = Authenticator(PARTY)
    offer = await world.orders.passkeys.offer(user, "Ada", PARTY)
    await world.orders.passkeys.add(user, phone.register(offer), "Phone", PARTY)
    return phone


def agreed(phone: Authenticator, question: str, hash: str, **changed) -> Evidence:
    proof = phone.sign(challenge_for(question, hash))
    usual = Evidence("k", "Phone", "passkey", "passkey", 1764000000.0, ("Phone",), (), proof)
    return replace(usual, **changed)


def to(question) -> tuple[str, str]:
    return question.data["approval_id"], question.data["checkout_hash"]


async def test_what_took_a_screen_takes_the_passkey_and_the_receipt_proves_it(tmp_path, untouched):
    async with with_passkey(tmp_path, untouched) as (world, phone):
        order_id, question = await world.asked()
        assert await world.orders.takes(await world.orders.get(order_id)) == "passkey"
        for evidence in (TAP, BUTTON):
            assert await world.refused_decision(question, evidence=evidence) == "needs_passkey"
        await world.approve(order_id, evidence=agreed(phone, *to(question)))
        order = await world.state(order_id, OrderState.PLACED)
        world.balanced(TOTAL)
        (key,) = await world.orders.passkeys.of("u_0")
        assert key.sign_count == phone.count
        assert key.used_at
        _, other = await world.asked(user="u_1")  # who has none goes on using the button
        assert await world.refused_decision(other) == "needs_screen"
    receipt = verify(order.receipt)
    assert receipt.consent.gesture == "passkey"
    consent = receipt.consent
    thief = Authenticator(PARTY).sign(challenge_for(consent.approval_id, consent.checkout_hash))
    elsewhere = phone.sign(challenge_for(consent.approval_id, "0" * 64))
    lapel = Signer(signing.new_key())
    for changed in (
        {"passkey": None},
        {"passkey": thief},
        {"passkey": elsewhere},
        {"gesture": "press"},
        {"gesture": "press", "passkey": None},
    ):
        forged = msgspec.structs.replace(
            receipt, consent=msgspec.structs.replace(consent, **changed), key_id=lapel.key_id
        )
        with pytest.raises(ReceiptError) as caught:
            verify(lapel.sign(forged))
        assert caught.value.code == "bad_mandate"


async def test_what_is_no_passkey_of_theirs_for_this_question_is_refused(tmp_path, untouched):
    async with with_passkey(tmp_path, untouched) as (world, phone):
        _, question = await world.asked()
        _, other = await world.asked()
        id, hash = to(question)
        good = phone.sign(challenge_for(id, hash))
        stranger = Authenticator(PARTY)
        hers = await added(world, "u_1")
        absent = Authenticator(PARTY)
        absent.__dict__.update(phone.__dict__, flags=UP)  # there, but neither finger nor PIN
        old = Authenticator(PARTY)
        old.__dict__.update(phone.__dict__, count=-1)  # a copy, from before
        phone.count += 5
        wrong = {
            "another question": agreed(phone, *to(other)),
            "another price": agreed(phone, id, "0" * 64),
            "a stranger": agreed(stranger, id, hash),
            "another user": agreed(hers, id, hash),
            "not verified": agreed(absent, id, hash),
            "another site": replace(agreed(phone, id, hash), passkey=_moved(phone, id, hash)),
            "another key": replace(
                agreed(phone, id, hash),
                passkey=msgspec.structs.replace(good, public_key=stranger_key(stranger)),
            ),
            "no signature": replace(
                agreed(phone, id, hash), passkey=msgspec.structs.replace(good, signature="")
            ),
            "rubbish": replace(
                agreed(phone, id, hash),
                passkey=msgspec.structs.replace(good, authenticator_data="AA", client_data="!"),
            ),
        }
        for what, evidence in wrong.items():
            found = await world.refused_decision(question, evidence=evidence)
            assert (what, found) == (what, "bad_passkey")
        for evidence in (
            agreed(phone, id, hash, passkey=None),
            agreed(phone, id, hash, shown_on=()),
            agreed(phone, id, hash, gesture="press"),
        ):
            assert await world.refused_decision(question, evidence=evidence) == "needs_screen"
        await world.approve(question.order_id, evidence=agreed(phone, id, hash))
        await world.state(question.order_id, OrderState.PLACED)
        copied = await world.refused_decision(other, evidence=agreed(old, *to(other)))
        assert copied == "bad_passkey"  # its count lies behind
        world.balanced(TOTAL)


def _moved(phone: Authenticator, id: str, hash: str):
    """Signed for a page that only looks like Lapel."""
    proof = phone.sign(challenge_for(id, hash), "https://1apel.example")
    return msgspec.structs.replace(proof, origin=PARTY.origin)


def stranger_key(stranger: Authenticator) -> str:
    return signing.base64url(stranger.public_key)


async def test_a_removed_passkey_counts_for_nothing(tmp_path, untouched):
    async with with_passkey(tmp_path, untouched) as (world, phone):
        _, question = await world.asked()
        (key,) = await world.orders.passkeys.of("u_0")
        with pytest.raises(PasskeyError) as caught:
            await world.orders.passkeys.remove("u_1", key.id)
        assert caught.value.code == "unknown"
        await world.orders.passkeys.remove("u_0", key.id)
        signed = agreed(phone, *to(question))
        assert await world.refused_decision(question, evidence=signed) == "bad_passkey"
        await world.approve(question.order_id, evidence=BUTTON)
        await world.state(question.order_id, OrderState.PLACED)


async def test_an_offer_is_good_once_for_a_while_and_for_a_verified_user(tmp_path, untouched):
    async with with_passkey(tmp_path, untouched) as (world, phone):
        passkeys = world.orders.passkeys

        async def refusal(device: Authenticator, offer: str, origin: str = "") -> str:
            with pytest.raises(PasskeyError) as caught:
                await passkeys.add("u_0", device.register(offer, origin), "Other", PARTY)
            return caught.value.code

        other = Authenticator(PARTY)
        offer = await passkeys.offer("u_0", "Ada", PARTY)
        assert await refusal(other, offer, "https://1apel.example") == "bad_passkey"
        assert await refusal(other, offer) == "no_challenge"
        first = await passkeys.offer("u_0", "Ada", PARTY)
        await passkeys.offer("u_0", "Ada", PARTY)
        assert await refusal(other, first) == "bad_passkey"
        careless = Authenticator(PARTY)
        careless.flags = UP
        assert await refusal(careless, await passkeys.offer("u_0", "Ada", PARTY)) == "bad_passkey"
        assert await refusal(phone, await passkeys.offer("u_0", "Ada", PARTY)) == "known"
        offer = await passkeys.offer("u_0", "Ada", PARTY)
        world.skew = 301.0
        assert await refusal(other, offer) == "no_challenge"
        assert len(await passkeys.of("u_0")) == 1


async def test_who_has_a_passkey_sets_a_limit_with_it(tmp_path, untouched):
    async with with_passkey(tmp_path, untouched, QUICK) as (world, phone):
        standing = world.orders.standing
        until = int(world.clock()) + 86400
        limit = await standing.propose("u_0", LimitTerms("EUR", 2000, 5000, "week", until))
        hash = limit.terms.hash()
        with pytest.raises(LimitError) as caught:
            await standing.decide(limit.id, "approve", BUTTON, terms_hash=hash)
        assert caught.value.code == "needs_passkey"
        other = msgspec.structs.replace(limit.terms, most_minor=4000).hash()
        signed = agreed(phone, limit.id, other)
        with pytest.raises(LimitError) as caught:
            await standing.decide(limit.id, "approve", signed, terms_hash=hash)
        assert caught.value.code == "bad_passkey"
        await standing.decide(limit.id, "approve", agreed(phone, limit.id, hash), terms_hash=hash)
        await world.placed()
        await world.stop()
        await world.start(replace(QUICK, undo_s=0.05))
        order_id = await world.orders.begin("u_0", (await world.orders.list("u_0"))[0].draft)
        order = await world.state(order_id, OrderState.PLACED)
        assert verify(order.receipt).mandates.standing is not None
