"""Standing limits on real devices: set on a screen, told with time to undo, revoked by a word."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from stage.loop import wall
from stage.shops import price
from stage.wearing import EARBUDS, GLASSES, PHONE, RING
from stage.world import World

from lapel.assistant import LimitsSkill
from lapel.brain import Source, Utterance
from lapel.commerce import LimitState, OrderState, Party, Policy
from lapel.store import schema

pytestmark = pytest.mark.unit

LATTES = "two lattes to my office"
LET = "let Blue Door charge up to fifteen euros without asking, fifty a week"


async def shops() -> list[Party]:
    return [Party("blue", "Blue Door"), Party("red", "Red Bowl")]


def limits_in(world: World) -> World:
    world.skills = lambda user_id: (LimitsSkill(user_id, world.orders, shops, world.house, wall),)
    return world


async def asked_about_a_limit(world: World, phone) -> str:
    """The topic of the card that asks, once it is on the phone."""
    await world.until(lambda: [t for t in phone.cards if t.startswith("limit:")])
    await world.passes(0.3)
    return next(topic for topic in phone.cards if topic.startswith("limit:"))


async def allowed(world: World, phone) -> None:
    phone.type(LET)
    topic = await asked_about_a_limit(world, phone)
    phone.tap("approve", topic)
    await world.until(lambda: any("Done." in text for text in phone.texts()))
    await world.quiet()


async def told(world: World) -> None:
    await world.until(lambda: world.of_kind("within_limit"))
    await world.passes(0.5)


async def test_a_limit_is_set_on_the_phone_and_then_it_is_ordered_without_a_press() -> None:
    async with limits_in(World()) as world:
        phone, ring, earbuds = await world.wear(PHONE, RING, EARBUDS)
        phone.type(LET)
        topic = await asked_about_a_limit(world, phone)
        shown = [(line.text, line.value) for line in phone.cards[topic].lines]
        assert shown[:3] == [
            ("Shops", "Blue Door"),
            ("Most for one purchase", "15.00 EUR"),
            ("Most in any 7 days", "50.00 EUR"),
        ]
        ring.press()
        await world.passes(1)
        assert await world.orders.standing.live(world.user_id) == []
        phone.tap("approve", topic)
        await world.until(lambda: topic not in phone.cards)
        await world.quiet()
        phone.type(LATTES)
        await told(world)
        at = wall()
        ring.press()  # what orders itself is not confirmed by a press
        await world.state(OrderState.PLACED)
        assert wall() - at > 10
        await world.quiet()
        (said,) = [text for text in earbuds.spoken() if text.startswith("Ordering")]
        assert price(latte=2) in said
        assert said.endswith("It is within your limit. Say stop to undo.")
        assert [x.gesture for x in world.evidence()] == ["within_limit"]
        assert phone.questions == []


@pytest.mark.parametrize("how", ["word", "hold", "button", "cancel"])
async def test_it_is_undone_by_a_word_a_gesture_or_a_button(how) -> None:
    async with limits_in(World()) as world:
        phone, ring, _ = await world.wear(PHONE, RING, EARBUDS)
        await allowed(world, phone)
        phone.type(LATTES)
        await told(world)
        match how:
            case "word":
                phone.type("stop")
            case "cancel":
                phone.type("cancel")
            case "hold":
                ring.press(long=True)
            case _:
                assert [x.label for x in phone.question.actions] == ["Undo"]
                phone.tap("refuse", phone.questions[0])
        await world.state(OrderState.CANCELED, OrderState.REFUSED)
        await world.passes(30)
        assert "approved" not in world.kinds()
        assert world.street.holds() == []
        assert phone.questions == []


async def test_no_word_sets_a_limit_and_the_limit_can_be_refused() -> None:
    async with limits_in(World()) as world:
        phone, _, _ = await world.wear(PHONE, RING, EARBUDS)
        phone.type(LET)
        topic = await asked_about_a_limit(world, phone)
        phone.type("yes")
        await world.quiet()
        (limit,) = await world.orders.standing.asked(world.user_id)
        phone.tap("refuse", topic)
        await world.until(lambda: topic not in phone.cards)
        assert (await world.orders.standing.get(limit.id)).state is LimitState.REFUSED
        phone.type(LATTES)
        await world.asked()


async def test_a_bystander_sets_no_limit_and_orders_nothing_within_one() -> None:
    async with limits_in(World()) as world:
        (phone,) = await world.wear(PHONE)
        conversation = world.assistant.conversation
        brain = await world._brain(world.user_id)
        for n, source in enumerate((Source.OTHER_VOICE, Source.CAMERA, Source.WEB)):
            await conversation.hear(Utterance(LET, source, 1.0), brain, 100 + n)
        assert await world.orders.standing.asked(world.user_id) == []
        await allowed(world, phone)
        for n, source in enumerate((Source.OTHER_VOICE, Source.CAMERA, Source.MENU)):
            await conversation.hear(Utterance(LATTES, source, 1.0), brain, 200 + n)
        await world.passes(30)
        assert world.kinds() == []


async def test_revoked_while_it_can_be_undone_it_is_asked_about() -> None:
    async with limits_in(World()) as world:
        phone, ring, _ = await world.wear(PHONE, RING, EARBUDS)
        await allowed(world, phone)
        phone.type("what may you buy without asking?")
        await world.until(lambda: any("50.00 EUR left" in text for text in phone.texts()))
        await world.quiet()
        phone.type(LATTES)
        await told(world)
        phone.type("revoke the limit for Blue Door")
        await world.asked()
        await world.passes(20)
        assert "approved" not in world.kinds()
        assert [x.label for x in phone.question.actions] == ["Order", "Refuse"]
        ring.press()
        await world.state(OrderState.PLACED)
        phone.type("what may you buy without asking?")
        await world.until(lambda: any("no limits" in text for text in phone.texts()))


async def test_a_crash_in_the_window_orders_once_and_a_long_sleep_asks() -> None:
    async with limits_in(World()) as world:
        (phone,) = await world.wear(PHONE)
        await allowed(world, phone)
        phone.type(LATTES)
        await told(world)
        await world.crash()
        await world.open()
        await world.back()
        await world.state(OrderState.PLACED)
        assert len(world.of_kind("approved")) == 1
        phone.type("a latte to my office")
        await world.until(lambda: len(world.of_kind("within_limit")) == 2)
        await world.crash()
        await world.passes(60)
        await world.open()
        await world.back()
        await world.asked()
        assert len(world.of_kind("approved")) == 1


async def test_who_has_a_passkey_is_asked_for_it_on_the_phone_and_nowhere_else() -> None:
    async with limits_in(World()) as world:
        world.policy = Policy(screen_over={"EUR": 100})
        await world.crash()
        await world.open()
        await world.record.write(
            lambda c: c.execute(
                sa.insert(schema.passkeys).values(
                    id="k", user_id=world.user_id, name="Phone", credential_id="AA",
                    public_key="AA", rp_id="localhost", sign_count=0, created_at=wall(),
                )
            )
        )  # fmt: skip
        phone, glasses, ring, earbuds = await world.wear(PHONE, GLASSES, RING, EARBUDS)
        phone.type(LATTES)
        await world.asked()
        await world.quiet()
        assert [x.action for x in phone.question.actions] == ["passkey", "refuse"]
        assert [x.action for x in glasses.question.actions] == ["refuse"]
        assert "with your passkey" in earbuds.spoken()[-1]
        ring.press()
        await world.until(lambda: "passkey on your phone" in " ".join(earbuds.spoken()[1:]))
        phone.tap("approve", phone.questions[0])
        phone.tap("passkey", phone.questions[0])
        await world.passes(5)
        assert "approved" not in world.kinds()
        ring.press(long=True)  # no takes no passkey
        await world.state(OrderState.REFUSED)
