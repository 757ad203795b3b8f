"""A code and a fast courier by words, with real programs: shown before it is paid, and said when it is wrong."""

from __future__ import annotations

import pytest

from lapel.devices import Family
from town import Town
from wearer import Wearer, text_of

pytestmark = pytest.mark.net


async def test_a_code_reaches_the_shop_and_a_wrong_one_gets_a_word(text_town: Town):
    families = (Family.GLASSES, Family.RING, Family.PHONE)
    async with Wearer(text_town.device_url, text_town.token, *families) as me:
        glasses = me[Family.GLASSES]
        me.type("three lattes to my office")
        plain = await glasses.asks()
        glasses.forget()
        me.type("use the code summer 10")
        hud = await glasses.asks()
        assert "Summer, 10 % off -" in text_of(hud)
        assert hud.card is not None
        assert plain.card is not None
        assert float(hud.card.total.split()[0]) < float(plain.card.total.split()[0])
        glasses.forget()
        me.type("no code, but use the code NOPE1 and express delivery")
        wrong = await glasses.asks()
        assert "does not know the code NOPE1" in text_of(wrong)
        assert "% off" not in text_of(wrong)
        assert wrong.card is not None
        assert float(wrong.card.total.split()[0]) == float(plain.card.total.split()[0]) + 2
        glasses.forget()
        me.press(long=True)
        await glasses.says("did not order")
