"""Who carries what: cards on every worn screen, one voice, and only what a device can carry."""

from dataclasses import dataclass

import pytest

from lapel.assistant.delivery import confirmers, is_worn, parcels
from lapel.devices import (
    Card,
    Cue,
    CueKind,
    DeviceProfile,
    Display,
    Family,
    Gesture,
    Haptics,
    Input,
    Pattern,
    Speaker,
    Wear,
)

pytestmark = pytest.mark.unit


@dataclass
class Worn:
    session_id: str
    profile: DeviceProfile
    on_body: bool = True


def device(
    name: str, family: Family, *, on_body: bool = True, detects: bool = True, **parts: object
) -> Worn:
    profile = DeviceProfile(family=family, name=name, wear=Wear(detects=detects), **parts)  # pyright: ignore
    return Worn(name, profile, on_body)


def glasses(**more: bool) -> Worn:
    return device("glasses", Family.GLASSES, displays=(Display(),), speakers=(Speaker(),), **more)


def ring(**more: bool) -> Worn:
    inputs = (Input(gestures=(Gesture.PRESS, Gesture.LONG_PRESS)),)
    return device("ring", Family.RING, haptics=(Haptics(),), inputs=inputs, **more)


def earbuds(**more: bool) -> Worn:
    return device("earbuds", Family.EARBUDS, speakers=(Speaker(private=True),), **more)


def phone() -> Worn:
    return device(
        "phone", Family.PHONE, displays=(Display(),), speakers=(Speaker(),), detects=False
    )


CUE = Cue("c1", "t", CueKind.APPROVAL, speech="words", card=Card("title"), haptic=Pattern.PULSE)


def shares(cue: Cue, *carriers: Worn, asked_on: str | None = None) -> dict[str, str]:
    made = parcels(cue, carriers, asked_on)
    return {
        parcel.session_id: "".join(
            letter
            for letter, part in zip(
                "csh", (parcel.cue.card, parcel.cue.speech, parcel.cue.haptic), strict=True
            )
            if part
        )
        for parcel in made
    }


def test_each_device_gets_its_part_and_one_speaks():
    assert shares(CUE, glasses(), ring(), earbuds(), phone()) == {
        "glasses": "c", "ring": "h", "earbuds": "s", "phone": "c",
    }  # fmt: skip


def test_without_earbuds_the_device_that_asked_speaks():
    assert shares(CUE, glasses(), phone(), asked_on="phone")["phone"] == "cs"
    assert shares(CUE, glasses(), phone())["glasses"] == "cs"


def test_what_is_not_worn_is_left_alone():
    assert shares(CUE, glasses(on_body=False), ring(on_body=False), earbuds(on_body=False)) == {}
    assert shares(CUE, earbuds(on_body=False), phone()) == {"phone": "cs"}


def test_a_device_that_does_not_know_counts_as_worn():
    assert is_worn(ring(on_body=False, detects=False))
    assert not is_worn(ring(on_body=False))


def test_nobody_there_means_no_parcels():
    assert parcels(CUE, []) == []
    assert shares(Cue("c", "t", CueKind.NOTICE, haptic=Pattern.PULSE), glasses()) == {}


def test_who_can_confirm():
    assert [c.session_id for c in confirmers([glasses(), ring(), phone(), earbuds()])] == [
        "ring",
        "phone",
    ]
    assert confirmers([ring(on_body=False)]) == []
