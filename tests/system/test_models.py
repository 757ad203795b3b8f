"""A model at work in the real program: words that no grammar reads become an order that is asked about as always."""

from __future__ import annotations

import asyncio

import pytest

from lapel.devices import Family
from lapel.models import Endpoint, Listing
from serving import serving
from talker import Talker, calls
from town import Town
from wearer import Wearer, text_of

pytestmark = pytest.mark.net

ODD = "somebody had better bring two iced lattes round to the office"


async def test_a_model_of_the_users_chooses_and_the_user_is_asked(text_town: Town):
    talker = Talker(
        [calls("order", items="two iced lattes", place="the office", shop="Starbucks Seattle")]
    )
    folder = text_town.folder / "lapel"
    async with (
        serving(talker.app) as origin,
        Wearer(text_town.device_url, text_town.token, Family.PHONE) as me,
    ):
        me.type(ODD)
        await me[Family.PHONE].says("did not understand")
        assert talker.asked == []
        Listing(folder).add(Endpoint("mine", f"{origin}/v1", "m"), key="sk-test")
        me.type(ODD)
        asked = await me[Family.PHONE].asks()
        assert "2 x Iced latte" in text_of(asked)
        assert talker.keys == ["Bearer sk-test"]
        (sent,) = talker.asked
        assert sent["messages"][-1]["content"] == ODD
        for place in text_town.api("/api/addresses"):
            assert place["street"] not in str(sent)
    await asyncio.to_thread(Listing(folder).remove, "mine")
    (use,) = [row for row in Listing(folder).used().items() if row[0] == "mine"]
    assert (use[1].asked, use[1].helped) == (1, 1)
