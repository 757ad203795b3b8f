"""The console in a real browser, on what a real Lapel and City have done."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from lapel.devices import Family
from town import Town, opened
from wearer import Wearer

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.timeout(120),
]


@pytest.fixture(scope="module")
def used(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    yield from opened(tmp_path_factory.mktemp("town"), "--text", speed=600)


@pytest_asyncio.fixture(loop_scope="session")
async def console(browser: Browser, used: Town) -> AsyncIterator[Page]:
    """The console of somebody who has signed in; a script error fails the test."""
    context = await browser.new_context(viewport={"width": 1200, "height": 800})
    faults: list[str] = []
    context.on("weberror", lambda error: faults.append(str(error.error)))
    page = await context.new_page()
    await page.goto(f"{used.url}/console?token={used.token}")
    assert "token" not in page.url
    yield page
    await context.close()
    assert faults == []


async def test_a_bought_pizza_in_orders_and_money(used: Town, console: Page):
    await console.get_by_role("tab", name="Money").click()
    await expect(console.get_by_text("No money moved yet.")).to_be_visible()
    async with Wearer(used.device_url, used.token, Family.GLASSES, Family.RING, Family.PHONE) as me:
        me.type("a margherita to my office")
        card = (await me[Family.GLASSES].asks()).card
        assert card is not None
        await asyncio.sleep(0.6)  # longer than a gesture must come after the question
        me.press()
        await asyncio.to_thread(used.wait_for_order, "delivered")
    await console.reload()
    tab = console.get_by_role("tab", name="Money")
    await expect(tab).to_have_attribute("aria-selected", "true")  # the address names the section
    sums = console.locator(".sums > div", has_text="Spent").locator("dd")
    await expect(sums).to_have_text(card.total)
    figure = console.locator("figure.chart")
    await expect(figure.locator("figcaption")).to_contain_text(card.total)
    await expect(figure.locator(".chart-key")).to_have_text("Forno Nero")
    await expect(console.locator(".entries tr[data-step=capture] .amount")).to_have_text(card.total)
    await console.get_by_role("button", name="Compare with the bank").click()
    agreed = "1 payment: the ledger and the bank agree."
    await expect(console.locator(".check-word")).to_have_text(agreed)
    await console.get_by_role("tab", name="Orders").click()
    order = console.locator("details.order")
    await expect(order).to_have_attribute("data-state", "delivered")
    async with console.expect_download() as saved:
        await order.get_by_text("Receipt").click()
    assert "Forno Nero" in Path(await (await saved.value).path()).read_text("utf-8")


async def test_a_shop_is_checked_and_one_that_is_none_is_refused_in_words(
    used: Town, console: Page
):
    await console.get_by_role("tab", name="Shops").click()
    shop = console.locator(".shop", has_text="Forno Nero")
    await shop.get_by_role("button", name="Check").click()
    await expect(shop.locator(".check-word")).to_have_text("Lapel can buy here.")
    await console.get_by_label("The shop's address").fill(f"{used.urls['city']}/")
    await console.get_by_role("button", name="Add", exact=True).click()
    await expect(console.locator("#panel-shops [role=alert]")).not_to_be_empty()


async def test_a_reminder_and_a_note_come_and_go(used: Town, console: Page):
    await console.get_by_role("tab", name="Reminders and notes").click()
    page = console.locator("#panel-later")
    await page.get_by_label("What").fill("call Anna")
    await page.get_by_label("When").fill("tomorrow at 9")
    await page.get_by_role("button", name="Remind me").click()
    row = page.locator("li", has_text="call Anna")
    await expect(row).to_contain_text("tomorrow at 9 am")
    assert [each["text"] for each in used.api("/api/reminders")] == ["call Anna"]
    await row.get_by_role("button").click()
    await expect(page.get_by_text("Nothing waits.")).to_be_visible()
    await page.get_by_label("Note").fill("<b>4711</b>")
    await page.get_by_role("button", name="Write down").click()
    await expect(page.locator("li strong")).to_have_text("<b>4711</b>")  # text stays text


async def test_a_new_key_is_made_at_the_second_press_only(used: Town, console: Page):
    await console.get_by_role("tab", name="Consent").click()
    keys = console.locator("#panel-consent .device-row")
    await expect(keys).to_have_count(1)
    button = console.get_by_role("button", name="Retire the key and make a new one")
    await button.click()
    await expect(button).to_have_text("Really?")
    assert len(used.api("/api/keys")) == 1
    await button.click()
    await expect(keys).to_have_count(2)
    await expect(keys.nth(1)).to_contain_text("retired")


async def test_nobody_sees_it_without_signing_in(used: Town):
    answer = used.http.get(f"{used.url}/console")
    assert answer.status_code == 401
    assert "Sign in" in answer.text
