"""The whole road in a real browser: Lapel and the City as programs, words in, one paid order out, followed to the door."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
import wave
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from speech.voices import say_pcm
from town import Town, opened

from .conftest import launch

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.timeout(300),
]

MICROPHONE_RATE = 48_000
WORDS = "Two iced lattes and a blueberry muffin to my office"
PATIENCE_MS = 60_000
WAY_MS = 120_000


@pytest.fixture
def words(tmp_path: Path) -> Path:
    """WORDS for Chromium's fake microphone: silence, the words once, silence."""
    path = tmp_path / "words.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(MICROPHONE_RATE)
        file.writeframes(bytes(2 * int(1.5 * MICROPHONE_RATE)))
        file.writeframes(say_pcm(WORDS, MICROPHONE_RATE))
        file.writeframes(bytes(2 * int(90 * MICROPHONE_RATE)))
    return path


@pytest.fixture
def spoken(words: Path, tmp_path: Path) -> Iterator[Town]:
    """Slow enough for every step to be seen; a test may hurry it."""
    yield from opened(tmp_path, speed=30)


@pytest.fixture
def typed(tmp_path: Path) -> Iterator[Town]:
    yield from opened(tmp_path, "--text")


@asynccontextmanager
async def lab(browser: Browser, town: Town) -> AsyncIterator[Page]:
    context = await browser.new_context(
        viewport={"width": 1440, "height": 900}, permissions=["microphone"]
    )
    faults: list[str] = []
    context.on("weberror", lambda error: faults.append(str(error.error)))
    try:
        page = await context.new_page()
        await page.goto(town.link)
        summary = page.locator("#summary")
        await expect(summary).to_contain_text("5 of 5 linked", timeout=PATIENCE_MS)
        await expect(summary).to_contain_text(re.compile(r"[1-9]\d* merch"), timeout=PATIENCE_MS)
        yield page
    finally:
        await context.close()
    assert faults == []


async def hud(page: Page) -> str:
    return " / ".join(await page.locator(".hud-card .hud-row").all_inner_texts())


async def until(page: Page, found: Callable[[str], bool], within_s: float = 60.0) -> str:
    """The display's text once `found` is true of it."""
    async with asyncio.timeout(within_s):
        while not found(text := await hud(page)):
            await asyncio.sleep(0.1)
    return text


async def orders(page: Page, town: Town) -> list[dict[str, Any]]:
    return await (await page.request.get(f"{town.url}/api/orders")).json()


def verify(file: Path) -> None:
    done = subprocess.run(
        [Path(sys.executable).with_name("lapel"), "receipt", "verify", file],
        capture_output=True,
        check=False,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr


async def picture(page: Page, name: str) -> None:
    """Keeps a picture of the lab, where LAB_PICTURES names a folder for it."""
    if folder := os.environ.get("LAB_PICTURES"):
        await asyncio.sleep(0.5)
        await page.screenshot(path=Path(folder) / name)


async def test_spoken_into_the_glasses_pressed_on_the_ring_followed_on_the_phone(
    playwright: Any, spoken: Town, words: Path, tmp_path: Path
) -> None:
    microphone = f"--use-file-for-fake-audio-capture={words}%noloop"
    async with await launch(playwright, microphone) as talking, lab(talking, spoken) as page:
        await page.click(".talk")
        await expect(page.locator(".hud-heard")).to_contain_text(
            re.compile("blueberry muffin", re.IGNORECASE), timeout=PATIENCE_MS
        )
        shown = await until(page, lambda text: "Total" in text)
        await page.wait_for_selector(".tile.ring[data-waiting=true][data-haptic=pulse]")
        await picture(page, "lab.png")
        assert "2 x Iced latte" in shown
        assert "1 x Blueberry muffin" in shown
        total = re.search(r"Total\s+([\d.]+ EUR)", shown)
        assert total is not None
        await expect(page.locator(".caption")).to_contain_text(
            re.compile("iced latte", re.IGNORECASE), timeout=PATIENCE_MS
        )
        await expect(page.locator(".tile.earbuds")).to_have_attribute(
            "data-speaking", "true", timeout=PATIENCE_MS
        )

        await page.click(".ring-pad")
        await page.wait_for_selector(".tile.ring[data-waiting=false]", timeout=PATIENCE_MS)
        await expect(page.locator(".step.now")).to_have_text("Preparing", timeout=PATIENCE_MS)
        await asyncio.to_thread(spoken.speed, 90)
        await expect(page.locator(".step.now")).to_have_text("On its way", timeout=WAY_MS)
        await asyncio.to_thread(spoken.speed, 30)
        await page.wait_for_selector(".map .map-rider:not([hidden])", timeout=PATIENCE_MS)
        assert (await page.locator(".map-streets").get_attribute("d") or "").count("M") > 10
        await picture(page, "lab-on-its-way.png")
        await asyncio.to_thread(spoken.speed, 600)
        await until(page, lambda text: "Delivered" in text, WAY_MS / 1000)

        async with page.expect_download() as download:
            await page.click(".card[data-kind=receipt] .receipt")
        receipt = tmp_path / "receipt.json"
        await (await download.value).save_as(receipt)
        verify(receipt)
        assert total.group(1).split()[0].replace(".", "") in receipt.read_text().replace(".", "")
        [order] = await orders(page, spoken)
        assert (order["state"], order["total"]) == ("delivered", total.group(1))
        assert [line["text"] for line in order["lines"]][:2] == [
            "2 x Iced latte",
            "1 x Blueberry muffin",
        ]


async def test_typed_on_the_phone_refused_by_a_hold_then_ordered_by_its_button(
    browser: Browser, typed: Town
) -> None:
    async with lab(browser, typed) as page:
        await page.get_by_role("button", name=WORDS).click()
        await until(page, lambda text: "Total" in text and "2 x Iced latte" in text)
        await page.wait_for_selector(".tile.ring[data-waiting=true]")
        await page.click(".ring-pad", delay=800)
        await page.wait_for_selector(".tile.ring[data-waiting=false]", timeout=PATIENCE_MS)
        [refused] = await orders(page, typed)
        assert refused["state"] == "refused"

        await page.fill(".composer-field", WORDS)
        await page.keyboard.press("Enter")
        order = page.get_by_role("button", name="Order", exact=True)
        await expect(order).to_be_visible(timeout=PATIENCE_MS)
        await asyncio.sleep(1)
        await order.click()
        await until(page, lambda text: "Delivered" in text, WAY_MS / 1000)
        states = sorted(each["state"] for each in await orders(page, typed))
        assert states == ["delivered", "refused"]


async def test_a_ring_alone_in_another_tab_approves_too(browser: Browser, typed: Town) -> None:
    async with lab(browser, typed) as page:
        alone = await page.context.new_page()
        await alone.goto(f"{typed.url}/d/ring")
        await alone.wait_for_selector(".tile.ring[data-link=online]")
        await page.click(".tile.ring .switch")
        await page.get_by_role("button", name=WORDS).click()
        await until(page, lambda text: "Total" in text)
        await alone.wait_for_selector(".tile.ring[data-waiting=true][data-haptic=pulse]")
        assert await page.locator(".tile.ring[data-haptic]").count() == 0
        await page.wait_for_timeout(800)
        await alone.click(".ring-pad")
        await until(page, lambda text: "Delivered" in text, WAY_MS / 1000)
        [order] = await orders(page, typed)
        events = json.dumps(order["events"])
        assert order["state"] == "delivered", events
        devices = await (await page.request.get(f"{typed.url}/api/devices")).json()
        kept = [device for device in devices if device["remembered"]]
        assert [device["family"] for device in kept] == ["ring"]
