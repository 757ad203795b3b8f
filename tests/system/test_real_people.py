"""Recordings of real people who order coffee, spoken into glasses, over the whole road, to the City's coffee merchant."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path
from typing import Any

import pytest

from lapel.devices import CueKind, Family
from town import Town
from wearer import Wearer, text_of

pytestmark = pytest.mark.data

HERE = Path(__file__).parent
FOLDER = (
    Path(os.environ.get("LAPEL_DATA") or HERE.parent.parent.parent / "shared" / "data")
    / "coffee_speech"
)
EVERY = 40
"""One recording in so many: five of two hundred, in real time. `bench/coffee_speech.py` takes all."""
AMOUNTS = ("a little bit of ", "a bit of ", "a lot of ", "lots of ", "some ")
SIZES = {
    "eight ounce": "small",
    "twelve ounce": "medium",
    "sixteen ounce": "large",
    "twenty ounce": "extra large",
}
DRINKS = {
    "coffee": ("coffee",),
    "house coffee": ("house coffee", "coffee"),
    "drip coffee": ("drip coffee", "coffee"),
}


def words_wanted(slots: dict[str, str]) -> list[tuple[str, ...]]:
    """For each labelled slot the words of which one must stand on the card."""
    wanted: list[tuple[str, ...]] = []
    for slot, value in slots.items():
        plain = value.strip().lower()
        for amount in AMOUNTS:
            plain = plain.removeprefix(amount)
        if slot == "coffeeDrink":
            wanted.append(DRINKS.get(plain, (plain,)))
        elif slot == "size":
            wanted.append((SIZES.get(plain, plain),))
        elif slot == "numberOfShots":
            wanted.append((plain.split()[0],))
        elif slot == "milkAmount":
            wanted.append((plain.removesuffix(" milk"), plain))
        else:
            wanted.append((plain,))
    return wanted


def is_default(slot: str, value: str) -> bool:
    """A choice that the shop makes anyway is not written on the card."""
    return (slot, value.strip()) in {
        ("size", "medium"),
        ("size", "twelve ounce"),
        ("milkAmount", "whole milk"),
    }


def spoken(name: str) -> bytes:
    import numpy as np
    import soundfile

    sound, rate = soundfile.read(FOLDER / "clips" / f"{name}.flac", dtype="float32")
    assert rate == 16_000
    return (np.clip(sound, -1, 1) * 32767).astype("<i2").tobytes() + bytes(2 * rate * 2)


async def cart_of(me: Wearer, name: str) -> str:
    """What the glasses show for one recording; then the cart is emptied again."""
    glasses = me[Family.GLASSES]
    me.forget()
    await glasses.client.stream_audio(spoken(name))
    cue = await glasses.cue(
        lambda cue: cue.kind in (CueKind.APPROVAL, CueKind.REPLY, CueKind.NOTICE), 15
    )
    shown = text_of(cue).lower() if cue.kind is CueKind.APPROVAL else ""
    me.forget()
    me.type("cancel that")
    await me[Family.PHONE].cue(lambda cue: cue.kind in (CueKind.REPLY, CueKind.NOTICE), 15)
    return shown


@pytest.mark.timeout(400)
async def test_real_people_get_what_they_ordered(spoken_town: Town, record_property: Any):
    if not FOLDER.is_dir():
        pytest.skip(f"no recordings in {FOLDER}; LAPEL_DATA names the folder that has them")
    labels: dict[str, dict[str, Any]] = json.loads((FOLDER / "labels.json").read_text("utf-8"))
    chosen = sorted(labels)[::EVERY]
    accepted: list[str] = []
    failed: list[str] = []
    async with Wearer(
        spoken_town.device_url, spoken_town.token, Family.GLASSES, Family.PHONE
    ) as me:
        for name in chosen:
            slots = {k: v for k, v in labels[name]["slots"].items() if not is_default(k, v)}
            card = await cart_of(me, name)
            right = all(any(word in card for word in choice) for choice in words_wanted(slots))
            (accepted if card and right else failed).append(f"{slots} -> {card!r}")
            await asyncio.sleep(0.2)
    record_property("accepted", f"{len(accepted)} of {len(chosen)}")
    print(
        f"accepted {len(accepted)} of {len(chosen)} spoken orders of real people", *failed, sep="\n"
    )
    assert len(accepted) >= 0.7 * len(chosen), failed
    states = {order["state"] for order in spoken_town.orders()}
    assert states <= {"canceled", "failed"}, "nothing may be bought without a press"
