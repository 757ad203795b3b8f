from __future__ import annotations

import subprocess
import sys

import pytest

import lapel.devices
from lapel.devices.cues import Card, Cue, CueKind, MapView, fitted
from lapel.devices.profile import (
    DeviceProfile,
    Display,
    Family,
    Gesture,
    Haptics,
    Input,
    Pattern,
    Speaker,
)

pytestmark = pytest.mark.unit


def test_every_name_of_the_public_face_is_there_and_sorted() -> None:
    names = lapel.devices.__all__
    assert names == sorted(names)
    for name in names:
        assert getattr(lapel.devices, name) is not None
    with pytest.raises(AttributeError):
        lapel.devices.Nothing  # noqa: B018


def test_a_client_needs_neither_database_nor_web() -> None:
    script = (
        "import sys, lapel.devices.client; "
        "heavy = {'sqlalchemy', 'starlette', 'uvicorn', 'lapel.store'} & set(sys.modules); "
        "sys.exit(str(heavy) if heavy else 0)"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


CUE = Cue("c", "t", CueKind.NOTICE, speech="words", card=Card("x"), haptic=Pattern.PULSE)


def test_a_device_gets_only_what_it_can_carry() -> None:
    ring = DeviceProfile(Family.RING, haptics=(Haptics((Pattern.LONG,)),))
    earbuds = DeviceProfile(Family.EARBUDS, speakers=(Speaker(),))
    glasses = DeviceProfile(Family.GLASSES, displays=(Display(),))
    assert CUE.for_profile(ring) == Cue("c", "t", CueKind.NOTICE, haptic=Pattern.LONG)
    assert CUE.for_profile(earbuds) == Cue("c", "t", CueKind.NOTICE, speech="words")
    assert CUE.for_profile(glasses) == Cue("c", "t", CueKind.NOTICE, card=Card("x"))
    assert CUE.for_profile(DeviceProfile(Family.RECORDER)).empty


def test_a_cue_that_is_too_large_loses_its_streets_then_its_map() -> None:
    streets = tuple(((60.1, 24.9), (60.2, 24.9)) for _ in range(200))
    route = tuple((60.1, 24.9) for _ in range(200))
    cue = Cue("c", "t", CueKind.ORDER, card=Card("x", map=MapView(route=route, streets=streets)))
    assert fitted(cue, 100_000) == cue
    smaller = fitted(cue, 5_000)
    assert smaller is not None
    assert smaller.card == Card("x", map=MapView(route=route))
    smallest = fitted(cue, 200)
    assert smallest is not None
    assert smallest.card == Card("x")
    assert fitted(cue, 20) is None


def test_only_a_deliberate_gesture_counts_for_an_approval() -> None:
    def confirms(*gestures: Gesture) -> bool:
        return DeviceProfile(Family.RING, inputs=(Input(gestures=gestures),)).confirm.gesture

    assert confirms(Gesture.PRESS)
    assert not confirms(Gesture.SWIPE_BACK, Gesture.LONG_PRESS)
