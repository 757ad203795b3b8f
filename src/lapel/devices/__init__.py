"""Devices: profiles, pairing, links. The gateway's side of the device protocol and a client.

Names are loaded when they are first asked for, so that a client needs neither database nor web.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lapel.devices.accounts import Accounts, StoredAccounts, User
    from lapel.devices.adapters.lapel_ws import device_route
    from lapel.devices.cues import (
        Card,
        CardAction,
        CardLine,
        CardLink,
        Cue,
        CueKind,
        MapView,
        Progress,
    )
    from lapel.devices.errors import CueTooLarge, DeviceError, Elsewhere
    from lapel.devices.events import (
        AudioArrived,
        BatteryReported,
        DeviceEvent,
        GestureMade,
        ListenStarted,
        ListenStopped,
        PlaybackReported,
        PositionReported,
        TextTyped,
        WearChanged,
    )
    from lapel.devices.host import DeviceHost
    from lapel.devices.link import Link, Played
    from lapel.devices.pairing import Device, IssuedCode, Pairing, Peer
    from lapel.devices.profile import (
        DeviceProfile,
        Display,
        Family,
        Gesture,
        Haptics,
        Input,
        Microphone,
        Pattern,
        Speaker,
        Wear,
    )
    from lapel.devices.registry import Links

__all__ = [
    "Accounts",
    "AudioArrived",
    "BatteryReported",
    "Card",
    "CardAction",
    "CardLine",
    "CardLink",
    "Cue",
    "CueKind",
    "CueTooLarge",
    "Device",
    "DeviceError",
    "DeviceEvent",
    "DeviceHost",
    "DeviceProfile",
    "Display",
    "Elsewhere",
    "Family",
    "Gesture",
    "GestureMade",
    "Haptics",
    "Input",
    "IssuedCode",
    "Link",
    "Links",
    "ListenStarted",
    "ListenStopped",
    "MapView",
    "Microphone",
    "Pairing",
    "Pattern",
    "Peer",
    "PlaybackReported",
    "Played",
    "PositionReported",
    "Progress",
    "Speaker",
    "StoredAccounts",
    "TextTyped",
    "User",
    "Wear",
    "WearChanged",
    "device_route",
]

_HOMES = {
    "adapters.lapel_ws": ("device_route",),
    "accounts": (
        "Accounts",
        "StoredAccounts",
        "User",
    ),
    "cues": (
        "Card",
        "CardAction",
        "CardLine",
        "CardLink",
        "Cue",
        "CueKind",
        "MapView",
        "Progress",
    ),
    "errors": (
        "CueTooLarge",
        "DeviceError",
        "Elsewhere",
    ),
    "events": (
        "AudioArrived",
        "BatteryReported",
        "DeviceEvent",
        "GestureMade",
        "ListenStarted",
        "ListenStopped",
        "PlaybackReported",
        "PositionReported",
        "TextTyped",
        "WearChanged",
    ),
    "host": ("DeviceHost",),
    "link": (
        "Link",
        "Played",
    ),
    "pairing": (
        "Device",
        "IssuedCode",
        "Pairing",
        "Peer",
    ),
    "profile": (
        "DeviceProfile",
        "Display",
        "Family",
        "Gesture",
        "Haptics",
        "Input",
        "Microphone",
        "Pattern",
        "Speaker",
        "Wear",
    ),
    "registry": ("Links",),
}


def __getattr__(name: str) -> object:
    for home, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f"lapel.devices.{home}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
