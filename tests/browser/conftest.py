"""Headless Chromium and a scripted gateway for it. Without the browser, the tests of this folder are skipped."""

from __future__ import annotations

import re
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio

from .scripted_gateway import Link, ScriptedGateway

if TYPE_CHECKING:
    from playwright.async_api import Browser, BrowserContext, Page

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
]


PATIENCE_MS = 30_000
"""What a page is given on a busy machine."""

EXPECTED = ("Failed to load resource", "net::ERR_CONNECTION_REFUSED")
"""What Chromium calls an error of the page where a test refuses it something."""


def chromium() -> str:
    path = next(
        (found for name in ("chromium", "chromium-browser") if (found := shutil.which(name))), None
    )
    if path is None:
        pytest.skip("no chromium on this machine: install the package `chromium`")
    return path


async def launch(playwright: Any, *flags: str) -> Browser:
    return await playwright.chromium.launch(executable_path=chromium(), args=[*FLAGS, *flags])


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def playwright() -> AsyncIterator[Any]:
    api = pytest.importorskip("playwright.async_api", reason="playwright is not installed")
    chromium()
    api.expect.set_options(timeout=PATIENCE_MS)
    async with api.async_playwright() as started:
        yield started


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser(playwright: Any) -> AsyncIterator[Browser]:
    started = await launch(playwright)
    yield started
    await started.close()


@pytest_asyncio.fixture(loop_scope="session")
async def gateway() -> AsyncIterator[ScriptedGateway]:
    started = ScriptedGateway()
    await started.start()
    yield started
    await started.stop()
    assert started.faults == [], "the page broke the device protocol"


@pytest_asyncio.fixture(loop_scope="session")
async def context(browser: Browser, gateway: ScriptedGateway) -> AsyncIterator[BrowserContext]:
    """A fresh browser profile with a microphone; a script error or a breach of the content policy fails the test."""
    opened = await browser.new_context(
        viewport={"width": 1440, "height": 900}, base_url=gateway.url, permissions=["microphone"]
    )
    faults: list[str] = []
    opened.on("weberror", lambda error: faults.append(str(error.error)))
    opened.on(
        "console",
        lambda line: (
            faults.append(line.text)
            if line.type == "error" and not any(word in line.text for word in EXPECTED)
            else None
        ),
    )
    yield opened
    await opened.close()
    assert faults == []


@pytest_asyncio.fixture(loop_scope="session")
async def page(context: BrowserContext) -> Page:
    return await context.new_page()


class Alone:
    """One device's own page and its link."""

    def __init__(self, page: Page, gateway: ScriptedGateway) -> None:
        self.page = page
        self.gateway = gateway

    async def __call__(self, family: str, query: str = "") -> Link:
        await self.page.goto(f"/d/{family}{query}")
        link = await self.gateway.link(family)
        await self.page.wait_for_selector(f".tile.{family}[data-link=online]")
        return link


@pytest.fixture
def alone(page: Page, gateway: ScriptedGateway) -> Alone:
    return Alone(page, gateway)


@pytest.fixture(scope="session")
def static() -> Path:
    return Path(__file__).parents[2] / "src/lapel/web/static"


def words(text: str | None) -> str:
    return re.sub(r"\s+", " ", text or "").strip()
