"""device/client.js against the scripted gateway: what it says, acknowledges, resumes and never repeats."""

from __future__ import annotations

import asyncio

import pytest
from playwright.async_api import Page, expect

from .conftest import Alone
from .scripted_gateway import TOKEN, Link, ScriptedGateway

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

CARD = {"title": "Blue Door Coffee", "lines": [{"text": "2 x Iced latte", "value": "9.80 EUR"}]}


async def notice(link: Link, id: str, text: str, topic: str | None = None) -> int:
    return await link.cue(id=id, topic=topic or id, kind="notice", card={"title": text})


async def test_hello_carries_the_profile_and_pairs_by_the_sign_in(
    alone: Alone, gateway: ScriptedGateway
) -> None:
    link = await alone("ring")
    hello = link.hello
    assert hello["protocol"] == 1
    assert hello["auth"] == {"token": TOKEN}
    assert hello["profile"]["family"] == "ring"
    assert hello["profile"]["inputs"] == [
        {"id": "pad", "kind": "touch", "gestures": ["press", "double_press", "long_press"]}
    ]
    assert hello["audio"] == {"up": None, "down": None}
    assert "resume" not in hello


async def test_the_key_of_a_pairing_is_kept_and_used_in_another_tab(
    alone: Alone, gateway: ScriptedGateway
) -> None:
    await alone("ring")
    other = await alone.page.context.new_page()
    await other.goto("/d/ring")
    link = await gateway.link("ring", 2)
    assert link.hello["auth"] == {"key": "dk_secret"}
    assert "resume" not in link.hello


async def test_messages_are_acknowledged_up_to_the_last(alone: Alone) -> None:
    link = await alone("phone")
    for number in range(3):
        await notice(link, f"c_{number}", f"Note {number}")
    await link.next("received", cursor=3)
    assert [each["cursor"] for each in link.all("received")] == sorted(
        {each["cursor"] for each in link.all("received")}
    )


async def test_a_dropped_link_resumes_and_neither_loses_nor_repeats_a_cue(
    alone: Alone, gateway: ScriptedGateway
) -> None:
    link = await alone("phone")
    await notice(link, "c_1", "First")
    await notice(link, "c_2", "Second")
    await link.next("received", cursor=2)
    await link.cut()
    await notice(link, "c_3", "Missed")
    again = await gateway.link("phone", 2)
    assert again.hello["resume"] == {"session": link.session.id, "cursor": 2}
    await again.next("received", cursor=3)
    await notice(again, "c_4", "Live")
    await expect(alone.page.locator(".bubble")).to_have_text(["First", "Second", "Missed", "Live"])


async def test_a_cue_that_was_acted_on_but_not_acknowledged_is_not_shown_again(
    alone: Alone, gateway: ScriptedGateway
) -> None:
    link = await alone("phone")
    await notice(link, "c_1", "Only once")
    await expect(alone.page.locator(".bubble")).to_have_count(1)
    await link.cut()
    again = await gateway.link("phone", 2)
    assert again.hello["resume"]["cursor"] == 1
    await notice(again, "c_2", "Next")
    await expect(alone.page.locator(".bubble")).to_have_text(["Only once", "Next"])


async def test_a_number_that_comes_again_is_not_acted_on(alone: Alone) -> None:
    link = await alone("phone")
    await notice(link, "c_1", "Once")
    repeated = dict(link.session.kept[0])
    repeated["cue"] = {**repeated["cue"], "id": "c_x", "topic": "c_x", "card": {"title": "Twice"}}
    await link.send(repeated)
    await notice(link, "c_2", "After")
    await expect(alone.page.locator(".bubble")).to_have_text(["Once", "After"])


async def test_numbers_that_expired_meanwhile_leave_a_gap(alone: Alone) -> None:
    link = await alone("phone")
    await notice(link, "c_1", "One")
    link.session.n = 6
    await notice(link, "c_7", "Seven")
    await link.next("received", cursor=7)
    await expect(alone.page.locator(".bubble")).to_have_text(["One", "Seven"])
    assert not link.closed


async def test_a_reload_of_the_page_resumes_with_the_cards_it_had(
    alone: Alone, gateway: ScriptedGateway, page: Page
) -> None:
    link = await alone("glasses")
    await link.cue(id="c_1", topic="order:o_1", kind="order", card=CARD)
    await link.next("received", cursor=1)
    await page.reload()
    again = await gateway.link("glasses", 2)
    assert again.hello["resume"] == {"session": link.session.id, "cursor": 1}
    await expect(page.locator(".hud-title")).to_have_text("Blue Door Coffee")


async def test_a_fresh_session_shows_a_known_cue_without_haptic(
    alone: Alone, gateway: ScriptedGateway, page: Page
) -> None:
    link = await alone("ring")
    approval = {"id": "c_1", "topic": "approval:a_1", "kind": "approval", "haptic": "pulse"}
    await link.cue(**approval)
    await page.wait_for_selector(".tile.ring[data-haptic=pulse][data-waiting=true]")
    await page.evaluate("() => delete document.querySelector('.tile.ring').dataset.haptic")
    gateway.accept_resume = False
    await link.cut()
    again = await gateway.link("ring", 2)
    await page.wait_for_selector(".tile.ring[data-link=online][data-waiting=false]")
    await again.cue(**approval)
    await page.wait_for_selector(".tile.ring[data-waiting=true]")
    await again.next("received", cursor=1)
    assert await page.locator(".tile.ring[data-haptic]").count() == 0
    await again.cue(**{**approval, "id": "c_2"})
    await page.wait_for_selector(".tile.ring[data-haptic=pulse]")


async def test_a_link_dropped_on_purpose_stays_down_until_it_is_asked_back(
    alone: Alone, gateway: ScriptedGateway, page: Page
) -> None:
    link = await alone("ring")
    await page.click(".dot")
    await page.wait_for_selector(".tile.ring[data-link=down]")
    await link.until(lambda: link.closed)
    assert not link.all("bye")
    await page.click(".dot")
    again = await gateway.link("ring", 2)
    assert again.hello["resume"]["session"] == link.session.id
    await expect(page.locator(".notice")).to_have_text("Resumed where it left off.")


async def test_a_restart_of_lapel_is_waited_for(
    alone: Alone, gateway: ScriptedGateway, page: Page
) -> None:
    link = await alone("phone")
    await notice(link, "c_1", "Before")
    await link.next("received", cursor=1)
    port = int(gateway.url.rpartition(":")[2])
    await gateway.stop()
    await page.wait_for_selector(".tile.phone[data-link=waiting]")
    await asyncio.sleep(1)
    gateway.sessions.clear()
    await gateway.start(port)
    again = await gateway.link("phone", 2)
    await page.wait_for_selector(".tile.phone[data-link=online]")
    await notice(again, "c_2", "After")
    await expect(page.locator(".bubble").last).to_have_text("After")


@pytest.mark.parametrize(
    ("code", "close", "words"),
    [
        ("revoked", 4403, "This device was revoked. It has to be paired again."),
        ("unauthorized", 4401, "Lapel did not let this device in."),
    ],
)
async def test_a_refusal_ends_the_tries(
    alone: Alone, gateway: ScriptedGateway, page: Page, code: str, close: int, words: str
) -> None:
    gateway.refuse_with = (code, close)
    await page.goto("/d/ring")
    await page.wait_for_selector(".tile.ring[data-link=ended]")
    await expect(page.locator(".tile .notice")).to_contain_text(words)
    await asyncio.sleep(1)
    assert len(gateway.hellos) == 1


async def test_a_link_that_was_taken_over_does_not_fight_back(
    alone: Alone, gateway: ScriptedGateway, page: Page
) -> None:
    link = await alone("ring")
    await link.socket.close(4409)
    await page.wait_for_selector(".tile.ring[data-link=ended]")
    await expect(page.locator(".tile .notice")).to_have_text("Another tab took over this device.")
    assert len(gateway.hellos) == 1


async def test_a_revoked_device_forgets_its_key(
    alone: Alone, gateway: ScriptedGateway, page: Page
) -> None:
    link = await alone("ring")
    await link.send({"type": "error", "code": "revoked", "message": "This device was revoked."})
    await link.socket.close(4403)
    await page.wait_for_selector(".tile.ring[data-link=ended]")
    await page.click(".dot")
    again = await gateway.link("ring", 2)
    assert again.hello["auth"] == {"token": TOKEN}
    assert "resume" not in again.hello


async def test_backoff_grows_is_jittered_and_has_a_limit(page: Page) -> None:
    await page.goto("/d/ring")
    waits = await page.evaluate(
        """async () => {
            const { backoffSeconds } = await import("/static/device/client.js");
            return [0, 1, 5, 20].map((attempt) => [backoffSeconds(attempt, () => 0), backoffSeconds(attempt, () => 1)]);
        }"""
    )
    assert waits == [[0.125, 0.25], [0.25, 0.5], [4, 8], [4, 8]]


async def test_pairing_by_a_code_that_the_device_shows(
    gateway: ScriptedGateway, page: Page
) -> None:
    gateway.signed_in = False
    await page.goto("/d/ring")
    await page.click("text=Show a code to type into Lapel")
    await expect(page.locator(".pair-code")).to_have_text("135790")
    link = await gateway.link("ring")
    assert link.hello["auth"] == {"pair": True}
    await gateway.welcome(link, {"up": None, "down": None})
    await page.wait_for_selector(".tile.ring[data-link=online]")
    await expect(page.locator(".pair")).to_be_hidden()


async def test_pairing_by_a_code_that_is_typed_in(gateway: ScriptedGateway, page: Page) -> None:
    gateway.signed_in = False
    await page.goto("/d/earbuds")
    await page.fill(".pair-field", "482913")
    await page.click(".pair-form button")
    link = await gateway.link("earbuds")
    assert link.hello["auth"] == {"code": "482913"}
    await page.wait_for_selector(".tile.earbuds[data-link=online]")
    await page.reload()
    again = await gateway.link("earbuds", 2)
    assert again.hello["auth"] == {"key": "dk_secret"}


async def test_a_wrong_code_is_said_so(gateway: ScriptedGateway, page: Page) -> None:
    gateway.signed_in = False
    gateway.refuse_with = ("unauthorized", 4401)
    await page.goto("/d/ring")
    await page.fill(".pair-field", "000000")
    await page.click(".pair-form button")
    await expect(page.locator(".pair-word")).to_have_text(
        "That code was not right, or it has expired."
    )
