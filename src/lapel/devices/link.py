"""What the assistant holds of a device: valid over all reconnects of one session."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Literal

from lapel.devices.alarm import Alarm
from lapel.devices.commands import (
    AddSpeech,
    Attached,
    ClearTopic,
    Close,
    Disconnected,
    End,
    Ended,
    EndSpeech,
    Fail,
    SessionInput,
    Settled,
    ShowState,
    ShowTranscript,
    SpeechOver,
    StartSpeech,
    StopSpeech,
    Tell,
    Tick,
)
from lapel.devices.connection import Connection
from lapel.devices.cues import Cue, fitted
from lapel.devices.errors import CueTooLarge, DeviceError, WireError
from lapel.devices.host import DeviceHost
from lapel.devices.profile import DeviceProfile
from lapel.devices.session import DeviceSession
from lapel.devices.wire import MAX_AUDIO, MAX_TEXT, AudioFrame, DeviceMessage, Resume, State
from lapel.faults import fault
from lapel.speech.formats import AudioFormat

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Played:
    """How a speech ended, and how much of it was heard.

    `finished` and `stopped` are the device's word; `unreported`: the word never came; `gone`: the
    session is over, or has no audio down.
    """

    state: Literal["finished", "stopped", "unreported", "gone"]
    played_s: float


class Link:
    """One device's session, as the assistant sees it. Made by `Links`."""

    def __init__(
        self, session: DeviceSession, host: DeviceHost, on_ended: Callable[[Link], None]
    ) -> None:
        loop = asyncio.get_running_loop()
        self.on_acked: Callable[[str], None] | None = None
        """Called with the id of a cue that need not be told again: the device acted on it, or it
        expired, or a later cue of its topic replaced it."""
        self._session = session
        self._host = host
        self._on_ended = on_ended
        self._loop = loop
        self._connection: Connection | None = None
        self._alarm = Alarm(loop, self._tick)
        self._news = asyncio.Event()
        self._room = asyncio.Event()
        self._voice = asyncio.Lock()
        self._over: tuple[str, asyncio.Future[Played]] | None = None
        self._barges = 0
        self._attachments = 0

    @property
    def session_id(self) -> str:
        return self._session.identity.session_id

    @property
    def device_id(self) -> str:
        return self._session.identity.device_id

    @property
    def user_id(self) -> str:
        return self._session.identity.user_id

    @property
    def ephemeral(self) -> bool:
        """Whether the device is forgotten when it leaves."""
        return self._session.identity.ephemeral

    @property
    def profile(self) -> DeviceProfile:
        return self._session.profile

    @property
    def up(self) -> AudioFormat | None:
        return self._session.audio.up

    @property
    def down(self) -> AudioFormat | None:
        return self._session.audio.down

    @property
    def on_body(self) -> bool:
        return self._session.on_body

    @property
    def connected(self) -> bool:
        return self._session.connected

    @property
    def ended(self) -> bool:
        return self._session.ended

    # Telling.

    def tell(self, cue: Cue) -> bool:
        """Tell what this device can carry of `cue`; False if that is nothing, or the device left.

        Raises CueTooLarge when even without its map it fits in no message.
        """
        part = cue.for_profile(self.profile)
        if part.empty or self.ended:
            return False
        fit = fitted(part, MAX_TEXT - 64)
        if fit is None:
            raise CueTooLarge(f"cue {cue.id!r} is over {MAX_TEXT} bytes; shorten its card", cue.id)
        self._feed(Tell(fit))
        return not self.ended

    def clear(self, topic: str) -> None:
        """Take down the card with this topic."""
        self._feed(ClearTopic(topic))

    def show_state(self, state: State) -> None:
        self._feed(ShowState(state))

    def show_transcript(self, text: str, final: bool, turn: str) -> None:
        self._feed(ShowTranscript(text, final, turn))

    def fail(self, code: str, message: str, ref: str | None = None) -> None:
        """Tell the device that something it sent could not be done."""
        self._feed(Fail(code, message, ref))

    # Speaking.

    async def play(self, cue_id: str, text: str, frames: AsyncIterator[bytes]) -> Played:
        """Speak: returns when the user has heard it, or it was stopped, or the session is gone.

        One frame of the `down` format each; the iterator is held back to half a second ahead of
        the wire. A second call waits for the first one.
        """
        barges = self._barges
        async with self._voice:
            if barges != self._barges:
                return Played("stopped", 0.0)
            if self.ended or self.down is None:
                return Played("gone", 0.0)
            return await self._play(cue_id, text, frames)

    def stop_playing(self) -> float | None:
        """Barge-in: silence now; no frame of the speech is sent after `speech_stop`.

        Returns how much of it was heard as far as Lapel knows, None where nothing was playing.
        Speech that waits for its turn is dropped too.
        """
        self._barges += 1
        heard = self._session.heard_s(self._loop.time())
        if self._over is not None:
            self._feed(StopSpeech(self._over[0]))
        return heard

    async def _play(self, cue_id: str, text: str, frames: AsyncIterator[bytes]) -> Played:
        self._feed(StartSpeech(cue_id, text))
        if self.ended:
            return Played("gone", 0.0)
        over: asyncio.Future[Played] = self._loop.create_future()
        self._over = (cue_id, over)
        pump = asyncio.create_task(self._pump(cue_id, frames))
        try:
            await asyncio.wait({over, pump}, return_when=asyncio.FIRST_COMPLETED)
            if not over.done():
                pump.result()
            return await over
        finally:
            if not over.done():
                self._feed(StopSpeech(cue_id))
            self._over = None
            pump.cancel()
            await asyncio.gather(pump, return_exceptions=True)
            if isinstance(frames, AsyncGenerator):
                await frames.aclose()

    async def _pump(self, cue_id: str, frames: AsyncIterator[bytes]) -> None:
        async for payload in frames:
            if not 0 < len(payload) <= MAX_AUDIO - 8:
                raise ValueError(f"a speech frame of {len(payload)} bytes; send 1 to 8184")
            while not self._session.speech_room:
                self._room.clear()
                await self._room.wait()
            self._feed(AddSpeech(cue_id, payload))
        self._feed(EndSpeech(cue_id))

    # The connection's side.

    def attach(self, connection: Connection, profile: DeviceProfile, resume: Resume | None) -> None:
        """Carry the session over this connection from now on."""
        if self._connection is not None:
            self._connection.take_over()
        self._connection = connection
        self._attachments += 1
        self._feed(Attached(profile, resume))

    def receive(
        self, connection: Connection, event: DeviceMessage | AudioFrame | WireError
    ) -> None:
        if connection is self._connection:
            self._feed(event)

    def disconnected(self, connection: Connection) -> None:
        if connection is self._connection:
            self._connection = None
            self._feed(Disconnected())

    def end(self, end: End) -> None:
        """The session is over, for a reason that the device did not give."""
        self._feed(end)

    def send_away(self, error: DeviceError) -> None:
        """End the session for this reason, which the device is told."""
        self.end(End(error.close_code or 0, error, discard=True))

    # The host's side.

    async def run(self) -> None:
        """Tell the host in order what happens, until the session is over; then `left`."""
        await self._told(self._host.joined(self))
        told, lost = 1, False
        while True:
            if told != self._attachments:
                if not lost:
                    await self._told(self._host.lost(self))
                told, lost = self._attachments, False
                await self._told(self._host.resumed(self))
            elif (event := self._session.inbox.take()) is not None:
                await self._told(self._host.happened(self, event))
            elif self.ended:
                break
            elif not self.connected and not lost:
                lost = True
                await self._told(self._host.lost(self))
            else:
                self._news.clear()
                await self._news.wait()
        await self._told(self._host.left(self))

    async def _told(self, call: Awaitable[None]) -> None:
        try:
            await call
        except Exception as error:  # the boundary: an assistant's fault must not end this session
            log.error("the assistant failed on an event of a device: %s", fault(error))

    # The session's side.

    def _tick(self) -> None:
        self._feed(Tick())

    def _feed(self, event: SessionInput) -> None:
        commands = self._session.feed(event, self._loop.time())
        connection = self._connection
        if connection is not None and commands:
            connection.execute(commands)
        for command in commands:
            match command:
                case Close():
                    self._connection = None
                case Settled(cues):
                    self._settle(cues)
                case SpeechOver(cue, state, played_s):
                    if self._over is not None and self._over[0] == cue:
                        self._resolve(self._over[1], Played(state, played_s))
                case Ended():
                    self._on_ended(self)
                case _:
                    pass
        self._alarm.set(self._session.wake_at())
        if self._session.speech_room:
            self._room.set()
        self._news.set()

    def _settle(self, cues: tuple[str, ...]) -> None:
        if self.on_acked is not None:
            for cue in cues:
                self.on_acked(cue)

    @staticmethod
    def _resolve(future: asyncio.Future[Played], played: Played) -> None:
        if not future.done():
            future.set_result(played)
