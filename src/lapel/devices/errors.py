"""What can go wrong between a device and Lapel; the codes are those of the device protocol.

DeviceError                 `close_code` is set where the error also closes the link
  WireError                 what the parser refuses
    BadJson                 not JSON, or not an object
    BadMessage              a field is missing or of the wrong type
    TooLarge                over the size limits
    UnknownType             a `type` that this version does not know
    BadProtocol             not version 1
    BadAudio                not a frame of the negotiated kind
  HelloExpected             another message first, or none in time
  Unauthorized              wrong key, token or code
  Revoked                   the device's key was revoked
  NotPaired                 anything but `ping` and `bye` while pairing
  TooManyTries              too many wrong codes
  AudioNotOpen              audio without `listen start`
  AudioOrder                a frame from the past
  Unavailable               Lapel runs without speech, or the device has no microphone
  Busy                      the inbox is full: the message was dropped
  UnknownCue                `playback` for a cue that this session never had
  TooSlow                   the device does not read, or does not acknowledge
  GoingAway                 Lapel is stopping
  Elsewhere                 the user's assistant lives on another worker: connect there
  CueTooLarge               raised to the caller of `Link.tell`: the cue fits in no message
"""

from __future__ import annotations

from typing import ClassVar

from lapel.failures import Code


class DeviceError(Exception):
    """`message` is for the maker of the device; `ref` names the message it is about."""

    code: ClassVar[Code] = "device_error"
    close_code: ClassVar[int | None] = None

    def __init__(self, message: str, ref: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.ref = ref


class WireError(DeviceError):
    code = "bad_message"


class BadJson(WireError):
    code = "bad_json"


class BadMessage(WireError):
    code = "bad_message"


class TooLarge(WireError):
    code = "too_large"
    close_code = 4413


class UnknownType(WireError):
    code = "unknown_type"


class BadProtocol(WireError):
    code = "bad_protocol"
    close_code = 4406


class BadAudio(WireError):
    code = "bad_audio"


class HelloExpected(DeviceError):
    code = "hello_expected"
    close_code = 4401


class Unauthorized(DeviceError):
    code = "unauthorized"
    close_code = 4401


class Revoked(DeviceError):
    code = "revoked"
    close_code = 4403


class NotPaired(DeviceError):
    code = "not_paired"


class TooManyTries(DeviceError):
    code = "too_many_tries"
    close_code = 4429


class AudioNotOpen(DeviceError):
    code = "audio_not_open"


class AudioOrder(DeviceError):
    code = "audio_order"


class Unavailable(DeviceError):
    code = "unavailable"


class Busy(DeviceError):
    code = "busy"


class UnknownCue(DeviceError):
    code = "unknown_cue"


class TooSlow(DeviceError):
    code = "too_slow"
    close_code = 4408


class GoingAway(DeviceError):
    code = "going_away"
    close_code = 1001


class Elsewhere(DeviceError):
    """`url` is where that worker is reached."""

    code = "elsewhere"
    close_code = 4421

    def __init__(self, url: str) -> None:
        super().__init__(f"this user's assistant is at {url}: connect there")
        self.url = url


class CueTooLarge(DeviceError):
    code = "cue_too_large"


CLOSE_BAD_MESSAGES = 4400
"""Twenty bad messages in a minute."""
CLOSE_TAKEN_OVER = 4409
"""Another link of the same device took over; the device must not connect again by itself."""
CLOSE_SILENT = 4408
"""Nothing was heard for too long. The session can be resumed."""
CLOSE_BYE = 1000
CLOSE_GOING_AWAY = 1001
CLOSE_CROWDED = 1013
"""Too many links are in their handshake; try again later."""
