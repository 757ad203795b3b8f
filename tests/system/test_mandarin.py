"""An order typed in Chinese at a shop that has Chinese names, with real programs: changed, and confirmed."""

from __future__ import annotations

import asyncio

import pytest

from lapel.devices import Family
from town import Town
from wearer import Wearer, text_of

pytestmark = pytest.mark.net


async def test_ordered_and_changed_in_chinese_and_confirmed_on_the_ring(text_town: Town):
    families = (Family.GLASSES, Family.RING, Family.PHONE)
    async with Wearer(text_town.device_url, text_town.token, *families) as me:
        glasses = me[Family.GLASSES]
        me.type("我不想点拿铁")
        me.type("两杯大杯拿铁\uff0c燕麦奶\uff0c再来一个可颂\uff0c送到公司")
        hud = await glasses.asks()
        assert "2 x Latte" in text_of(hud)
        assert "Large" in text_of(hud)
        assert "Oat milk" in text_of(hud)
        assert "1 x Croissant" in text_of(hud)
        glasses.forget()
        me.type("不要可颂了")
        hud = await glasses.asks()
        assert "2 x Latte" in text_of(hud)
        assert "Croissant" not in text_of(hud)
        await asyncio.sleep(0.6)  # longer than a gesture must come after the question
        me.press()
        await glasses.placed()
    text_town.wait_for_order("delivered")
