"""`lapel ask`: be a device in a terminal. `lapel press`: press it."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from lapel.cli.console import DataOption, JsonOption, Running, Trouble, running
from lapel.devices import Cue, CueKind, Family, Gesture
from lapel.failures import Code, code_of

if TYPE_CHECKING:
    from lapel.devices.client import DeviceClient

FamilyOption = Annotated[Family, typer.Option("--device", help="Which kind of device to be.")]
QUIET_S = 1.5
"""After an answer, how long to wait for something more."""
FOLLOW_S = 3600.0


def ask(
    text: Annotated[str, typer.Argument(help="What you would say.")],
    device: FamilyOption = Family.TERMINAL,
    follow: Annotated[
        bool, typer.Option("--follow", help="Stay until the order is at the door.")
    ] = False,
    wait: Annotated[float, typer.Option(help="Longest wait for an answer, in seconds.")] = 30.0,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say something to your assistant. A purchase is asked about; only a key press orders it."""
    if not text.strip():
        raise Trouble(
            "there is nothing to say",
            "empty",
            2,
            remedy="try: lapel ask 'two lattes to my office'",
        )
    found = running(data).reached()
    show = _json_line if as_json else _plain
    session = Asking(found, device, text, show, wait, follow, interactive=_interactive(as_json))
    asyncio.run(session.run())


def press(
    device: FamilyOption = Family.RING,
    long: Annotated[bool, typer.Option("--long", help="Hold: refuse instead of approve.")] = False,
    data: DataOption = None,
) -> None:
    """Press a device: approves what is pending and was shown; `--long` refuses it."""
    gesture = Gesture.LONG_PRESS if long else Gesture.PRESS
    asyncio.run(_press(running(data).reached(), device, gesture))


def position(
    latitude: float,
    longitude: float,
    accuracy: Annotated[float, typer.Option(help="How exact that is, in metres.")] = 10.0,
    device: FamilyOption = Family.PHONE,
    data: DataOption = None,
) -> None:
    """Say where you are, as a device with a position would: guides on, and is where ways begin."""
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
        raise Trouble("a latitude is -90 to 90 degrees, a longitude -180 to 180", "bad_request", 2)
    asyncio.run(_position(running(data).reached(), device, (latitude, longitude), accuracy))


def _code(text: str) -> Code:
    """A code that came over the wire, from a Lapel that may be newer."""
    return code_of(text) or "device_error"


def _interactive(as_json: bool) -> bool:
    return not as_json and sys.stdin.isatty() and sys.stdout.isatty()


def _json_line(cue: Cue) -> None:
    typer.echo(msgspec.json.encode(cue).decode())


def _plain(cue: Cue) -> None:
    card = cue.card
    if card is None:
        typer.echo(cue.speech)
        return
    if cue.kind is CueKind.REPLY and not card.lines:
        typer.echo(card.body or cue.speech)
        return
    typer.echo(f"\n{card.title}")
    for line in card.lines:
        typer.echo(f"  {line.text:<44} {line.value:>12}")
    if card.total:
        typer.echo(f"  {'total':<44} {card.total:>12}")
    if card.body:
        typer.echo(f"  {card.body}")
    if card.link:
        typer.echo(f"  {card.link.label}: {card.link.url}")


@dataclass(slots=True)
class Asking:
    """One utterance, its answer, and the order that may come of it."""

    found: Running
    family: Family
    text: str
    show: Callable[[Cue], None]
    wait_s: float
    follow: bool
    interactive: bool

    async def run(self) -> None:
        from lapel.cli.profiles import profile
        from lapel.devices.client import DeviceClient, LinkRefused
        from lapel.devices.client_events import CueShown, Failed, LinkClosed
        from lapel.devices.wire import Auth

        auth = Auth(token=self.found.token, remember=False)
        try:
            async with DeviceClient(
                self.found.device_url, profile(self.family), auth, tls=self.found.trust()
            ) as device:
                device.say(self.text)
                patience = self.wait_s
                while True:
                    try:
                        async with asyncio.timeout(patience):
                            event = await device.next_event()
                    except TimeoutError:
                        if patience == self.wait_s:
                            raise Trouble("no answer in time", "no_answer") from None
                        return
                    match event:
                        case CueShown(cue=cue):
                            self.show(cue)
                            patience = await self._next_wait(device, cue)
                        case Failed(code=code, message=message):
                            raise Trouble(message, _code(code))
                        case LinkClosed():
                            return
                        case _:
                            pass
        except LinkRefused as error:
            raise Trouble(str(error), _code(error.code)) from error

    async def _next_wait(self, device: DeviceClient, cue: Cue) -> float:
        if cue.kind is CueKind.APPROVAL:
            if self.interactive:
                answer = await asyncio.to_thread(input, "Enter orders, anything else refuses: ")
                gesture = Gesture.LONG_PRESS if answer.strip() else Gesture.PRESS
                action = "refuse" if answer.strip() else "approve"
                device.gesture("pad", gesture, action, cue.topic)
                return self.wait_s
            return FOLLOW_S if self.follow else QUIET_S
        progress = None if cue.card is None else cue.card.progress
        if not self.follow or (progress is not None and progress.at >= len(progress.steps)):
            return QUIET_S
        return FOLLOW_S


async def _press(found: Running, family: Family, gesture: Gesture) -> None:
    from lapel.assistant.approving import BACK_S
    from lapel.cli.profiles import profile
    from lapel.devices.client import DeviceClient, LinkRefused
    from lapel.devices.wire import Auth

    auth = Auth(token=found.token, remember=False)
    try:
        async with DeviceClient(
            found.device_url, profile(family), auth, tls=found.trust()
        ) as device:
            # A press of a device that has only just come back does not buy.
            await asyncio.sleep(BACK_S + 0.2)
            device.gesture("pad", gesture)
            await asyncio.sleep(0.5)
    except LinkRefused as error:
        raise Trouble(str(error), _code(error.code)) from error
    typer.echo(json.dumps({"device": family.value, "gesture": gesture.value}))


async def _position(
    found: Running, family: Family, point: tuple[float, float], accuracy_m: float
) -> None:
    from lapel.cli.profiles import profile
    from lapel.devices.client import DeviceClient, LinkRefused
    from lapel.devices.wire import Auth

    auth = Auth(token=found.token, remember=False)
    try:
        async with DeviceClient(
            found.device_url, profile(family), auth, tls=found.trust()
        ) as device:
            device.position(*point, accuracy_m)
            await asyncio.sleep(0.5)
    except LinkRefused as error:
        raise Trouble(str(error), _code(error.code)) from error
    typer.echo(json.dumps({"latitude": point[0], "longitude": point[1]}))
