"""Asking for the way with real programs: the City's map, a position from a terminal, a card on the phone."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from lapel.devices import Family
from town import Town
from wearer import Wearer

pytestmark = pytest.mark.net

LAPEL = str(Path(sys.executable).with_name("lapel"))


def lapel(town: Town, *arguments: str) -> str:
    command = [LAPEL, *arguments, "--data", str(town.folder / "lapel")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    return done.stdout + done.stderr


async def test_the_way_to_the_station_is_shown_and_followed(text_town: Town):
    async with Wearer(text_town.device_url, text_town.token, Family.PHONE) as me:
        me.type("how far is it to the station")
        await me[Family.PHONE].says("station is", "on foot")
        me.type("navigate to the station")
        cue = await me[Family.PHONE].cue(
            lambda cue: cue.card is not None and cue.card.map is not None
        )
        assert cue.card is not None
        assert cue.card.map is not None
        assert len(cue.card.map.route) > 2
        latitude, longitude = cue.card.map.route[1]
        assert "latitude" in lapel(text_town, "position", str(latitude), str(longitude))
        await me[Family.PHONE].cue(lambda cue: cue.topic == "navigation")
    assert "degrees" in lapel(text_town, "position", "91", "0")
