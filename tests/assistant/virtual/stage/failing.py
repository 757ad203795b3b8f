"""Failures of an order provoked on the stage, and what is held against each of them."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from lapel.brain import AddressLabel, Brain, Menu
from lapel.commerce import (
    Order,
    OrderState,
    Policy,
    Refused,
)
from lapel.commerce.books import Books
from lapel.failures import FAILURES, Code, Way
from lapel.services.connectors.ucp import refusals
from stage.shops import MENUS
from stage.wearing import EARBUDS, PHONE, RING, Worn, text_of
from stage.world import World

SAID = "two lattes and a muffin to my office from Blue Door"
BRAIN = Brain(
    (*MENUS, Menu("green", "Green Cup", MENUS[0].items)),
    (AddressLabel("office", ("work", "my office")), AddressLabel("home", ("my place",))),
)
"""As the stage's, with another shop that has the same."""
COSTS_NOTHING = re.compile(r"[Nn]othing (was|is) (ordered|charged|sent|booked)|did not order")
NO_CART = {
    "already_paid", "bad_code", "booking_over", "change_not_allowed", "code_expired", "fee_changed", "no_connection",
    "no_driver", "no_table", "no_trip", "nothing_to_change", "other_amount", "own_account", "party_too_large",
    "place_unknown", "refund_changed", "request_closed", "return_closed", "ride_over", "ride_under_way", "unknown_payee",
    "pickup_fixed", "pickup_too_far", "pickup_too_soon", "unknown_request",
}  # fmt: skip
"""What only a ride, a journey, a table or a transfer can be refused for."""
OF_SHOPS = sorted(set(refusals.CODES.values()) - NO_CART - {"payment_declined", "price_changed"})
"""What a shop may answer about a cart, in Lapel's codes."""
OF_BANKS = (
    "payment_declined",
    "insufficient_funds",
    "limit_exceeded",
    "unknown_payee",
    "wallet_refused",
)


@asynccontextmanager
async def wearing(policy: Policy | None = None) -> AsyncIterator[tuple[World, Worn, Worn, Worn]]:
    world = World()
    if policy is not None:
        world.policy = policy

    async def brain(_: str) -> Brain:
        return BRAIN

    world._brain = brain
    async with world:
        phone, ring, earbuds = await world.wear(PHONE, RING, EARBUDS)
        yield world, phone, ring, earbuds


async def free(world: World) -> None:
    """The bank holds and took nothing, and the books say the same."""
    assert [row for row in world.street.holds() if row[1] in ("authorized", "captured")] == []
    assert world.street.money_kept() == 0
    books = Books(world.record, world.street)
    assert all(row.amount.minor == 0 for row in await books.balances(world.user_id))


async def last(world: World, earbuds: Worn) -> str:
    await world.passes(1)
    await world.quiet()
    return earbuds.heard()[-1][0]


def card_of(phone: Worn) -> tuple[str, str, list[str]]:
    """The topic, the words and the buttons of the card about the order."""
    topic = next(topic for topic in phone.cards if topic.startswith("order:"))
    card = phone.cards[topic]
    return topic, text_of(card), [action.action for action in card.actions]


def once(world: World, op: str, error: Exception) -> None:
    """The next call of that kind is answered by this error, later ones as always."""
    real = getattr(world.street, op)

    async def refusing(*arguments: object) -> object:
        setattr(world.street, op, real)
        await asyncio.sleep(0.1)
        raise error

    setattr(world.street, op, refusing)


def answered(earbuds: Worn, words: str) -> bool:
    return any(words in text for text in earbuds.spoken())


def parts(text: str) -> list[str]:
    return [x for x in re.split(r"(?<=[.?!])\s+", text) if x]


def trials(said: str, shown: str, actions: list[str]) -> list[str]:
    """Everything that was offered: a yes to a question, phrases, buttons."""
    found = ["yes"] if said.endswith("?") else []
    found += [
        x
        for x in ("try again", "another shop")
        if f"say {x}" in said.lower() or f"or {x}" in said.lower()
    ]
    found += re.findall(r'"([^"]+)"', shown)
    return [*dict.fromkeys(found), *(f"[{x}]" for x in actions)]


async def take(world: World, phone: Worn, trial: str) -> None:
    if trial.startswith("["):
        topic, _, _ = card_of(phone)
        phone.tap(trial.strip("[]"), topic)
    else:
        phone.type(trial)


Provoke = Callable[[World, Worn, Worn], Awaitable[None]]


async def priced(world: World, phone: Worn, ring: Worn) -> None:
    phone.type(SAID)
    await world.state(OrderState.FAILED)


async def confirmed(world: World, phone: Worn, ring: Worn) -> None:
    phone.type(SAID)
    await world.asked()
    ring.press()
    await world.state(OrderState.FAILED, OrderState.REFUNDED)


def refused(code: Code) -> Refused:
    text = refusals.words_of(code, "Blue Door", "Muffin") if code in refusals._WORDS else "No."
    item = "Muffin" if FAILURES[code].way is Way.REST else ""
    return Refused(text, code=code, item=item)


async def holds(code: str, op: str, provoke: Provoke, happened: str, most: int = 9) -> None:
    """The three parts are said and shown; then each thing that was offered is done, in a world of its own."""
    tried: set[str] = set()
    wanted: list[str] = [""]
    while wanted:
        trial = wanted.pop()
        async with wearing() as (world, phone, ring, earbuds):
            if op:
                once(world, op, refused(code))  # type: ignore[arg-type]
            await provoke(world, phone, ring)
            said = await last(world, earbuds)
            _, shown, actions = card_of(phone)
            heard = " ".join(text for text, _ in earbuds.heard())
            assert happened in heard, heard
            assert happened in shown
            assert COSTS_NOTHING.search(said), said
            assert COSTS_NOTHING.search(shown), shown
            assert len(parts(said)) <= 4, said
            assert len(parts(said)[-1]) > 10, said
            assert not COSTS_NOTHING.search(parts(said)[-1]), (
                f"{said!r} says nothing of what can be done"
            )
            await free(world)
            if not trial:
                wanted = trials(said, shown, actions)[:most]
                assert wanted or FAILURES[code].way in (
                    Way.OTHERWISE,
                    Way.SETUP,
                    Way.ANSWER,
                    Way.SHOP,
                    Way.NOTHING,
                )
                continue
            tried.add(trial)
            before = (await world.orders.list(world.user_id, 1))[0]
            await take(world, phone, trial)
            newest = await asked_anew(world, before.id)
            what = trial.strip("[]") if trial != "yes" else _meant(said)
            elsewhere, rest = what in ("another shop", "elsewhere"), what in ("the rest", "rest")
            fetched = what == "I fetch it"
            assert newest[0] == ("green" if elsewhere else "blue"), (trial, said)
            assert newest[1] == (["latte"] if rest else ["latte", "muffin"]), (trial, said)
            assert newest[2] is fetched
            await free(world)


def _meant(said: str) -> str:
    return {
        "Shall I try again?": "again",
        "Shall I look elsewhere?": "elsewhere",
        "Shall I order the rest?": "rest",
    }[parts(said)[-1]]


async def asked_anew(world: World, before: str) -> tuple[str, list[str], bool]:
    found: list[tuple[str, list[str], bool]] = []

    async def look() -> None:
        while not found:
            (newest,) = await world.orders.list(world.user_id, 1)
            if newest.id != before and newest.state is OrderState.AWAITING_APPROVAL:
                draft = newest.draft
                found.append(
                    (newest.merchant_id, sorted(x.item_id for x in draft.lines), draft.pickup)
                )
            await asyncio.sleep(0.1)

    try:
        async with asyncio.timeout(20):
            await look()
    except TimeoutError:
        raise AssertionError(world.story()) from None
    return found[0]


async def placed(world: World, phone: Worn, ring: Worn) -> Order:
    phone.type(SAID)
    await world.asked()
    ring.press()
    return await world.state(OrderState.PLACED)


def has_said(earbuds: Worn, *words: str) -> bool:
    return any(all(word in text for word in words) for text in earbuds.spoken())
