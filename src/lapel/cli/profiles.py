"""What the command line is, when it is a device."""

from __future__ import annotations

from lapel.devices import (
    DeviceProfile,
    Display,
    Family,
    Gesture,
    Haptics,
    Input,
    Pattern,
    Wear,
)

_SCREEN = Display(width=80, height=24, lines=24, columns=80, layouts=("card",))
_PAD = Input(id="pad", kind="touch", gestures=(Gesture.PRESS, Gesture.LONG_PRESS))


def profile(family: Family) -> DeviceProfile:
    """A device of this family that lives in a terminal: it can show text, and be pressed."""
    wear = Wear(detects=False, on_body=True)
    name = f"Terminal {family.value}" if family is not Family.TERMINAL else "Terminal"
    match family:
        case Family.RING:
            haptics = (Haptics(patterns=tuple(Pattern)),)
            return DeviceProfile(
                family=family, name=name, inputs=(_PAD,), haptics=haptics, wear=wear
            )
        case Family.EARBUDS | Family.PENDANT:
            return DeviceProfile(family=family, name=name, inputs=(_PAD,), wear=wear)
        case _:
            return DeviceProfile(
                family=family, name=name, displays=(_SCREEN,), inputs=(_PAD,), wear=wear
            )
