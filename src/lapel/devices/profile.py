"""What a device is and can do: typed, plural, negotiated. The wire form is the same as JSON."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from lapel.speech.formats import AudioFormat


class Family(StrEnum):
    GLASSES = "glasses"
    RING = "ring"
    EARBUDS = "earbuds"
    PENDANT = "pendant"
    PIN = "pin"
    WATCH = "watch"
    WRISTBAND = "wristband"
    RECORDER = "recorder"
    SPEAKER = "speaker"
    PHONE = "phone"
    BROWSER = "browser"
    TERMINAL = "terminal"


class Gesture(StrEnum):
    PRESS = "press"
    DOUBLE_PRESS = "double_press"
    LONG_PRESS = "long_press"
    SWIPE_FORWARD = "swipe_forward"
    SWIPE_BACK = "swipe_back"


class Pattern(StrEnum):
    PULSE = "pulse"
    DOUBLE = "double"
    LONG = "long"


class Microphone(msgspec.Struct, frozen=True):
    id: str = "mic"
    formats: tuple[AudioFormat, ...] = ()
    push_to_talk: bool = False
    echo_cancelled: bool = False


class Speaker(msgspec.Struct, frozen=True):
    id: str = "speaker"
    formats: tuple[AudioFormat, ...] = ()
    private: bool = False


class Display(msgspec.Struct, frozen=True):
    """A screen: pixels, and how much text it really shows."""

    id: str = "display"
    width: int = 0
    height: int = 0
    lines: int = 5
    columns: int = 32
    color: bool = False
    layouts: tuple[str, ...] = ("card",)


class Input(msgspec.Struct, frozen=True):
    id: str = "button"
    kind: str = "button"
    gestures: tuple[Gesture, ...] = ()


class Haptics(msgspec.Struct, frozen=True):
    patterns: tuple[Pattern, ...] = (Pattern.PULSE,)


class Camera(msgspec.Struct, frozen=True):
    id: str = "camera"
    width: int = 0
    height: int = 0
    indicator: bool = False


class Wear(msgspec.Struct, frozen=True):
    """Whether the device knows that it is worn; one that does not counts as worn while linked."""

    detects: bool = False
    on_body: bool = True


class Confirm(msgspec.Struct, frozen=True):
    """What the device may do for an approval; derived, never sent."""

    shows_amount: bool
    reads_aloud: bool
    gesture: bool


class DeviceProfile(msgspec.Struct, frozen=True):
    family: Family
    model: str = ""
    name: str = ""
    firmware: str = ""
    microphones: tuple[Microphone, ...] = ()
    speakers: tuple[Speaker, ...] = ()
    displays: tuple[Display, ...] = ()
    cameras: tuple[Camera, ...] = ()
    inputs: tuple[Input, ...] = ()
    haptics: tuple[Haptics, ...] = ()
    wear: Wear = Wear()
    extra: dict[str, object] = {}

    @property
    def confirm(self) -> Confirm:
        """What this device can contribute to an approval."""
        deliberate = {Gesture.PRESS, Gesture.DOUBLE_PRESS}
        return Confirm(
            shows_amount=bool(self.displays),
            reads_aloud=bool(self.speakers),
            gesture=any(deliberate & set(entry.gestures) for entry in self.inputs),
        )
