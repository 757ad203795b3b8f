"""Devices: profiles, pairing, links. The gateway's side of the device protocol and a client."""

from lapel.devices.accounts import Accounts, StoredAccounts, User
from lapel.devices.adapters.lapel_ws import device_route
from lapel.devices.cues import (
    Card,
    CardAction,
    CardLine,
    Cue,
    CueKind,
    MapView,
    Progress,
)
from lapel.devices.errors import CueTooLarge, DeviceError
from lapel.devices.events import (
    AudioArrived,
    BatteryReported,
    DeviceEvent,
    GestureMade,
    ListenStarted,
    ListenStopped,
    PlaybackReported,
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
    "Cue",
    "CueKind",
    "CueTooLarge",
    "Device",
    "DeviceError",
    "DeviceEvent",
    "DeviceHost",
    "DeviceProfile",
    "Display",
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
    "Progress",
    "Speaker",
    "StoredAccounts",
    "TextTyped",
    "User",
    "Wear",
    "WearChanged",
    "device_route",
]
