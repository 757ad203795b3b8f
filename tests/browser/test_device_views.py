"""Each device draws the cues that it gets and sends what its user does."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from playwright.async_api import Page, expect

from .conftest import Alone
from .scripted_gateway import Link, ScriptedGateway

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

STEPS = ["Placed", "Preparing", "Picked up", "On its way", "Delivered"]
CART: dict[str, Any] = {
    "title": "Blue Door Coffee",
    "lines": [
        {"text": "2 x Iced latte", "value": "9.80 EUR"},
        {"text": "1 x Blueberry muffin", "value": "3.40 EUR"},
        {"text": "Delivery", "value": "2.90 EUR"},
    ],
    "total": "16.10 EUR",
    "footer": "Press to order, hold to refuse",
    "actions": [
        {"action": "approve", "label": "Order"},
        {"action": "refuse", "label": "Refuse"},
    ],
}
SCRIPT = '<img src=x onerror="window.broken = 1"><script>window.broken = 1</script>'


async def approval(link: Link, id: str = "c_1", **parts: Any) -> None:
    await link.cue(id=id, topic="approval:a_1", kind="approval", expires_s=60.0, **parts)


async def rows(page: Page) -> list[str]:
    return [
        " | ".join(
            text for text in (await row.locator("span.hud-text, .hud-value").all_inner_texts())
        )
        for row in await page.locator(".hud-card .hud-row").all()
    ]


async def test_glasses_show_the_cart_the_fee_and_the_total(alone: Alone, page: Page) -> None:
    link = await alone("glasses")
    await approval(link, card=CART)
    await page.wait_for_selector(".hud-total")
    assert await rows(page) == [
        "Blue Door Coffee",
        "2 x Iced latte | 9.80 EUR",
        "1 x Blueberry muffin | 3.40 EUR",
        "Delivery | 2.90 EUR",
        "Total | 16.10 EUR",
        "Press to order, hold to refuse",
    ]
    await expect(page.locator(".hud-timer .countdown-number")).to_have_text("60 s")
    await link.clear("approval:a_1")
    await expect(page.locator(".hud-card .hud-row")).to_have_count(0)


async def test_a_long_cart_keeps_seven_lines_and_is_paged_by_a_swipe(
    alone: Alone, page: Page
) -> None:
    link = await alone("glasses")
    lines = [{"text": f"Dish {number}", "value": f"{number}.00 EUR"} for number in range(1, 11)]
    await approval(link, card={**CART, "lines": lines})
    await page.wait_for_selector(".hud-more")
    assert await rows(page) == [
        "Blue Door Coffee",
        "Dish 1 | 1.00 EUR",
        "Dish 2 | 2.00 EUR",
        "Dish 3 | 3.00 EUR",
        "7 more | \u203a",
        "Total | 16.10 EUR",
        "Press to order, hold to refuse",
    ]
    await page.focus(".talk")
    await page.keyboard.press("ArrowDown")
    await link.next("gesture", input="temple", gesture="swipe_forward")
    assert "Dish 4 | 4.00 EUR" in await rows(page)


async def test_an_order_under_way_keeps_its_word_before_its_lines(alone: Alone, page: Page) -> None:
    link = await alone("glasses")
    card = {
        **CART,
        "lines": CART["lines"] * 2,
        "actions": [],
        "footer": "",
        "body": "About 8 min",
        "progress": {"steps": STEPS, "at": 3},
    }
    await link.cue(id="c_1", topic="order:o_1", kind="order", card=card)
    await page.wait_for_selector(".hud-progress")
    shown = await rows(page)
    assert len(shown) == 7
    assert shown[:2] == ["Blue Door Coffee", "About 8 min"]
    assert shown[-2:] == ["Total | 16.10 EUR", "On its way"]


async def test_a_later_card_of_the_same_topic_replaces_the_earlier(
    alone: Alone, page: Page
) -> None:
    link = await alone("glasses")
    for at, word in enumerate(STEPS):
        card = {"title": "Blue Door Coffee", "progress": {"steps": STEPS, "at": at}}
        await link.cue(id=f"c_{at}", topic="order:o_1", kind="order", card=card)
        await expect(page.locator(".hud-progress .hud-text")).to_have_text(word)
    await expect(page.locator(".hud-title")).to_have_count(1)


async def test_a_question_is_not_covered_by_an_answer_or_a_receipt(
    alone: Alone, page: Page
) -> None:
    link = await alone("glasses")
    await approval(link, card=CART)
    await link.cue(
        id="c_2", topic="reply", kind="reply", card={"title": "Lapel", "body": "One moment."}
    )
    await expect(page.locator(".hud-answer")).to_have_text("One moment.")
    assert "Total | 16.10 EUR" in await rows(page)
    await link.clear("approval:a_1")
    await expect(page.locator(".hud-body")).to_have_text("One moment.")
    order = {"title": "Blue Door Coffee", "progress": {"steps": STEPS, "at": 1}}
    await link.cue(id="c_3", topic="order:o_1", kind="order", card=order)
    receipt = {**CART, "title": "Receipt, Blue Door Coffee"}
    await link.cue(id="c_4", topic="receipt:o_1", kind="receipt", card=receipt)
    await link.next("received", cursor=5)
    await expect(page.locator(".hud-progress .hud-text")).to_have_text("Preparing")


async def test_an_expired_card_is_taken_down(alone: Alone, page: Page) -> None:
    link = await alone("glasses")
    await link.cue(id="c_1", topic="t", kind="approval", card=CART, expires_s=0.5)
    await page.wait_for_selector(".hud-total")
    await expect(page.locator(".hud-total")).to_have_count(0)


async def test_glasses_show_the_state_and_what_was_heard(alone: Alone, page: Page) -> None:
    link = await alone("glasses")
    await link.send({"type": "state", "state": "thinking"})
    await expect(page.locator(".hud-state-word")).to_have_text("Thinking")
    await link.send({"type": "transcript", "text": "two iced", "final": False, "turn": "t"})
    heard = page.locator(".hud-heard")
    await expect(heard).to_have_text("two iced")
    await expect(heard).to_have_attribute("data-final", "false")
    await link.send({"type": "transcript", "text": "two iced lattes", "final": True, "turn": "t"})
    await expect(heard).to_have_attribute("data-final", "true")


@pytest.mark.parametrize("pattern", ["pulse", "double", "long"])
async def test_the_ring_plays_each_haptic(alone: Alone, page: Page, pattern: str) -> None:
    link = await alone("ring")
    await link.cue(id="c_1", topic="t", kind="notice", haptic=pattern)
    await page.wait_for_selector(f".tile.ring[data-haptic={pattern}] .ring-pad.haptic-{pattern}")


async def test_the_ring_waits_while_an_approval_is_open(alone: Alone, page: Page) -> None:
    link = await alone("ring")
    await approval(link, haptic="pulse")
    await page.wait_for_selector(".tile.ring[data-waiting=true]")
    await link.clear("approval:a_1")
    await page.wait_for_selector(".tile.ring[data-waiting=false]")


async def gestures(link: Link, count: int) -> list[str]:
    await link.until(lambda: len(link.all("gesture")) >= count)
    return [message["gesture"] for message in link.all("gesture")]


async def test_press_double_press_and_long_press_are_told_apart(alone: Alone, page: Page) -> None:
    link = await alone("ring")
    pad = page.locator(".ring-pad")
    await pad.click()
    assert await gestures(link, 1) == ["press"]
    await pad.click(delay=750)
    assert await gestures(link, 2) == ["press", "long_press"]
    await pad.dblclick()
    assert await gestures(link, 3) == ["press", "long_press", "double_press"]
    await asyncio.sleep(0.5)
    sent = link.all("gesture")
    assert [message["input"] for message in sent] == ["pad"] * 3
    assert len({message["id"] for message in sent}) == 3


async def test_the_ring_is_pressed_and_held_by_keyboard(alone: Alone, page: Page) -> None:
    link = await alone("ring")
    await page.focus(".ring-pad")
    await page.keyboard.press("Enter")
    assert await gestures(link, 1) == ["press"]
    await page.keyboard.press(" ", delay=750)
    assert await gestures(link, 2) == ["press", "long_press"]


async def test_the_press_recogniser_needs_no_clock(page: Page) -> None:
    await page.goto("/d/ring")
    told = await page.evaluate(
        """async () => {
            const { PressRecogniser } = await import("/static/device/press.js");
            const play = (events) => {
                const recogniser = new PressRecogniser();
                return events.map(([what, at]) => recogniser[what](at)).filter(Boolean);
            };
            return [
                play([["down", 0], ["up", 0.1], ["wake", 0.2], ["wake", 0.39]]),
                play([["down", 0], ["up", 0.1], ["down", 0.2], ["up", 0.3], ["wake", 1]]),
                play([["down", 0], ["wake", 0.59], ["wake", 0.6], ["up", 2]]),
                play([["down", 0], ["up", 0.7]]),
                play([["down", 0], ["cancel", 0.1], ["up", 0.2], ["wake", 1]]),
                play([["up", 0.2]]),
            ];
        }"""
    )
    assert told == [["press"], ["double_press"], ["long_press"], ["long_press"], [], []]


async def test_the_wear_switch_is_told_and_kept(
    alone: Alone, gateway: ScriptedGateway, page: Page
) -> None:
    link = await alone("ring")
    assert link.hello["profile"]["wear"] == {"detects": True, "on_body": True}
    await page.click(".switch")
    await link.next("wear", on_body=False)
    await expect(page.locator(".switch")).to_have_attribute("aria-checked", "false")
    await page.reload()
    again = await gateway.link("ring", 2)
    assert again.hello["profile"]["wear"] == {"detects": True, "on_body": False}


async def test_the_phone_sends_what_is_typed(alone: Alone, page: Page) -> None:
    link = await alone("phone")
    await page.fill(".composer-field", "  two iced lattes ")
    await page.keyboard.press("Enter")
    await link.next("text", text="two iced lattes")
    await expect(page.locator(".bubble.mine")).to_have_text("two iced lattes")
    await expect(page.locator(".composer-field")).to_have_value("")


async def test_typing_without_a_link_keeps_the_words(alone: Alone, page: Page) -> None:
    await alone("phone")
    await page.click(".dot")
    await page.fill(".composer-field", "two iced lattes")
    await page.keyboard.press("Enter")
    await expect(page.locator(".notice")).to_have_text("The link is down: nothing was sent.")
    await expect(page.locator(".composer-field")).to_have_value("two iced lattes")
    await expect(page.locator(".bubble.mine")).to_have_count(0)


@pytest.mark.parametrize(("label", "action"), [("Order", "approve"), ("Refuse", "refuse")])
async def test_a_button_of_a_card_is_a_gesture_with_its_action(
    alone: Alone, page: Page, label: str, action: str
) -> None:
    link = await alone("phone")
    await approval(link, card=CART)
    await page.get_by_role("button", name=label).click()
    gesture = await link.next("gesture")
    assert gesture == {
        "type": "gesture",
        "id": gesture["id"],
        "input": "screen",
        "gesture": "press",
        "action": action,
        "topic": "approval:a_1",
    }
    button = page.get_by_role("button", name=label)
    await expect(button).to_be_disabled()
    await expect(button).to_be_enabled()


async def test_the_phone_shows_progress_map_and_receipt(alone: Alone, page: Page) -> None:
    link = await alone("phone")
    map_ = {
        "route": [[60.167, 24.940], [60.168, 24.942], [60.169, 24.942]],
        "courier": [60.167, 24.940],
        "destination": [60.169, 24.942],
        "streets": [[[60.166, 24.939], [60.170, 24.944]]],
    }
    order = {"title": "Blue Door Coffee", "progress": {"steps": STEPS, "at": 3}, "map": map_}
    await link.cue(id="c_1", topic="order:o_1", kind="order", card=order)
    await expect(page.locator(".step.now")).to_have_text("On its way")
    await expect(page.locator(".step.done")).to_have_count(3)
    rider = page.locator(".map-rider")
    before = await rider.get_attribute("transform")
    streets = await page.locator(".map-streets").get_attribute("d")
    assert streets is not None
    assert streets.startswith("M")
    moved = {**order, "map": {"courier": [60.168, 24.942]}}
    await link.cue(id="c_2", topic="order:o_1", kind="order", card=moved)
    await expect(rider).not_to_have_attribute("transform", before or "")
    assert await page.locator(".map-streets").get_attribute("d") == streets
    step = {**order, "map": None, "progress": {"steps": STEPS, "at": 3}}
    step["body"] = "Nearly there"
    await link.cue(id="c_3", topic="order:o_1", kind="order", card=step)
    await expect(page.locator(".card-body")).to_have_text("Nearly there")
    await expect(page.locator(".map")).to_have_count(1)
    done = {**step, "progress": {"steps": STEPS, "at": 5}}
    await link.cue(id="c_4", topic="order:o_1", kind="order", card=done)
    await expect(page.locator(".map")).to_have_count(0)
    await link.cue(id="c_5", topic="receipt:o_1", kind="receipt", card={**CART, "actions": []})
    receipt = page.locator(".card .receipt")
    await expect(receipt).to_have_attribute("href", "/api/orders/o_1/receipt")
    await expect(page.locator(".card")).to_have_count(2)


async def test_the_courier_glides_between_two_reports(page: Page) -> None:
    await page.goto("/d/phone")
    places = await page.evaluate(
        """async () => {
            const { MapPicture } = await import("/static/map.js");
            const picture = new MapPicture();
            document.body.append(picture.element);
            const seen = new Set();
            const note = () => seen.add(picture.rider.getAttribute("transform"));
            picture.update({ route: [[60, 24], [60, 24.01]], courier: [60, 24], destination: [60, 24.01] });
            picture.update({ courier: [60, 24.01] });
            const until = performance.now() + 1000;
            while (performance.now() < until) { await new Promise(requestAnimationFrame); note(); }
            return seen.size;
        }"""
    )
    assert places > 5


async def test_earbuds_caption_what_they_say_and_can_be_pressed(alone: Alone, page: Page) -> None:
    link = await alone("earbuds")
    await link.cue(id="c_1", topic="t", kind="reply", speech="Two iced lattes. Shall I order?")
    await expect(page.locator(".caption")).to_have_text("Two iced lattes. Shall I order?")
    await page.click(".stem")
    await link.next("gesture", input="stem", gesture="press")
    await page.click(".stem", delay=750)
    await link.next("gesture", input="stem", gesture="long_press")


async def test_text_from_a_menu_stays_text(alone: Alone, page: Page) -> None:
    link = await alone("phone")
    card = {
        "title": SCRIPT,
        "body": SCRIPT,
        "footer": SCRIPT,
        "total": SCRIPT,
        "lines": [{"text": SCRIPT, "value": SCRIPT}],
        "actions": [{"action": SCRIPT, "label": SCRIPT}],
        "progress": {"steps": [SCRIPT], "at": 0},
    }
    await link.cue(id="c_1", topic=SCRIPT, kind="order", card=card)
    await link.cue(id="c_2", topic="t", kind="reply", card={"title": SCRIPT})
    await expect(page.locator("h3")).to_have_text(SCRIPT)
    await expect(page.locator(".bubble")).to_have_text(SCRIPT)
    assert await page.locator(".thread img, .thread script").count() == 0
    assert await page.evaluate("window.broken") is None


async def test_text_on_the_glasses_and_in_the_ears_stays_text(
    alone: Alone, gateway: ScriptedGateway, page: Page
) -> None:
    link = await alone("glasses")
    await link.cue(id="c_1", topic="t", kind="order", card={**CART, "title": SCRIPT})
    await link.send({"type": "transcript", "text": SCRIPT, "final": True, "turn": "t"})
    await expect(page.locator(".hud-title")).to_have_text(SCRIPT)
    await expect(page.locator(".hud-heard")).to_have_text(SCRIPT)
    link = await alone("earbuds")
    await link.cue(id="c_1", topic="t", kind="reply", speech=SCRIPT)
    await expect(page.locator(".caption")).to_have_text(SCRIPT)
    assert await page.locator(".tile img, .tile script").count() == 0
    assert await page.evaluate("window.broken") is None


async def test_reduced_motion_is_respected(alone: Alone, page: Page) -> None:
    await page.emulate_media(reduced_motion="reduce")
    link = await alone("ring")
    await approval(link, haptic="long")
    await page.wait_for_selector(".tile.ring[data-waiting=true]")
    duration = await page.evaluate(
        "getComputedStyle(document.querySelector('.ring-light')).animationDuration"
    )
    assert float(duration.removesuffix("s")) <= 0.01


async def test_the_position_is_sent_only_while_it_is_shared_and_the_phone_says_so(
    alone: Alone, page: Page
) -> None:
    link = await alone("phone")
    await page.context.set_geolocation({"latitude": 60.1719, "longitude": 24.9414, "accuracy": 8})
    button = page.get_by_role("button", name="Share my position")
    await button.click()  # the browser was not asked yet, and does not allow it
    await expect(page.get_by_text("did not allow the position")).to_be_visible()
    await expect(button).to_have_attribute("aria-pressed", "false")
    await page.context.grant_permissions(["microphone", "geolocation"])
    await button.click()
    sent = await link.next("position")
    assert (sent["lat"], sent["lon"], sent["accuracy_m"]) == (60.1719, 24.9414, 8)
    await expect(page.get_by_text("Sharing position")).to_be_visible()
    await button.click()
    await expect(page.get_by_text("Sharing position")).to_be_hidden()
    await page.context.set_geolocation({"latitude": 60.2, "longitude": 24.9})
    await page.locator(".composer-field").fill("still here")
    await page.keyboard.press("Enter")
    await link.next("text", text="still here")  # whatever was sent before it has come
    assert len(link.all("position")) == 1
