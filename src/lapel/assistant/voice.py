"""The asyncio shell of one user's turn machine: microphones, recognition, one timer."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from lapel.devices import AudioArrived, Link, ListenStarted
from lapel.faults import fault
from lapel.speech import MicrophoneStream, SpeechEngines, Transcript, VoiceFrame
from lapel.turns import (
    CancelRecognition,
    CancelTurn,
    Command,
    CompletenessJudged,
    DropSpeaking,
    Event,
    Interpret,
    MicrophoneClosed,
    MicrophoneMode,
    MicrophoneOpened,
    Recognize,
    ResumeSpeaking,
    ShowState,
    State,
    StopSpeaking,
    Tick,
    Transcribed,
    TurnEnded,
    TurnMachine,
    TurnSettings,
    VoiceJudged,
    WakeAt,
)

log = logging.getLogger(__name__)


class VoiceHost(Protocol):
    """What the shell asks of the assistant; every call returns at once."""

    @property
    def user_id(self) -> str: ...
    def links(self) -> Iterable[Link]: ...
    def interpret(self, wanted: Interpret) -> None: ...
    def cancelled(self, turn: int) -> None: ...
    def stop_speaking(self, cue_id: str) -> None: ...
    def resume_speaking(self, cue_id: str, from_s: float) -> None: ...
    def drop_speaking(self, cue_id: str) -> None: ...
    def quiet(self, quiet: bool) -> None: ...
    def turn_ended(self, ended: TurnEnded) -> None: ...
    def hints(self) -> tuple[str, ...]: ...
    def looks_complete(self, text: str) -> bool | None: ...


@dataclass(slots=True)
class _Ear:
    """A microphone and where its stream began on the clock of its source, which never goes back.

    It is kept after it was closed: the machine may still ask for what was said last.
    """

    link: Link
    microphone: MicrophoneStream
    base_s: float
    open: bool = True

    @property
    def end_s(self) -> float:
        return self.base_s + self.microphone.position_s


class Voice:
    """Feeds the turn machine and does what it says. Without engines only typed text gets in."""

    def __init__(
        self, host: VoiceHost, engines: SpeechEngines | None, settings: TurnSettings | None = None
    ) -> None:
        self.machine = TurnMachine(settings or TurnSettings())
        self._host = host
        self._engines = engines
        self._ears: dict[str, _Ear] = {}
        self._events: deque[Event] = deque()
        self._feeding = False
        self._timer: asyncio.TimerHandle | None = None
        self._recognitions: dict[int, asyncio.Task[None]] = {}

    @property
    def state(self) -> State:
        return self.machine.state

    def feed(self, event: Event) -> None:
        """Let the machine judge one event and carry out its commands.

        What a command brings about at once is judged after the other commands of its event.
        """
        self._events.append(event)
        if self._feeding:
            return
        self._feeding = True
        loop = asyncio.get_running_loop()
        try:
            while self._events:
                for command in self.machine.feed(self._events.popleft(), loop.time()):
                    self._carry_out(command, loop)
        finally:
            self._feeding = False

    def listen(self, link: Link, started: ListenStarted) -> None:
        """Open the microphone of `link`; says `unavailable` where there are no engines."""
        if self._engines is None or link.up is None:
            link.fail("unavailable", "Lapel runs without speech here; type instead")
            return
        self.stop_listening(link)
        source = link.session_id
        before = self._ears.get(source)
        base_s = 0.0 if before is None else before.end_s

        def judged(frame: VoiceFrame) -> None:
            self.feed(
                VoiceJudged(
                    source=source,
                    start_s=base_s + frame.start_s,
                    duration_s=frame.duration_s,
                    speech=frame.speech,
                    probability=frame.probability,
                    level_db=frame.level_db,
                )
            )

        microphone = self._engines.open_microphone(link.up, judged)
        self._ears[source] = _Ear(link, microphone, base_s)
        echo_free = any(entry.echo_cancelled for entry in link.profile.microphones)
        mode = MicrophoneMode(started.mode)
        self.feed(MicrophoneOpened(source, mode, interrupts=echo_free or not link.profile.speakers))

    def hear(self, link: Link, audio: AudioArrived) -> None:
        """One frame of a microphone."""
        ear = self._ears.get(link.session_id)
        if ear is None or not ear.open:
            return
        if audio.missing:
            ear.microphone.lost(audio.missing)
        ear.microphone.feed(audio.payload)

    async def finish_listening(self, link: Link) -> None:
        """The device closed its microphone: judge what it has sent, then close."""
        ear = self._ears.get(link.session_id)
        if ear is not None and ear.open:
            await ear.microphone.drain()
            self.stop_listening(link)

    def stop_listening(self, link: Link) -> None:
        """Close the microphone now; what was heard is still used."""
        ear = self._ears.get(link.session_id)
        if ear is None or not ear.open:
            return
        ear.open = False
        self.feed(MicrophoneClosed(link.session_id))
        ear.microphone.close()

    def forget(self, link: Link) -> None:
        """The device is gone for good."""
        self.stop_listening(link)
        self._ears.pop(link.session_id, None)

    def close(self) -> None:
        """Let go of the timer, the recognitions and every microphone."""
        if self._timer is not None:
            self._timer.cancel()
        for task in list(self._recognitions.values()):
            task.cancel()
        for ear in self._ears.values():
            ear.microphone.close()
        self._ears.clear()

    def _carry_out(self, command: Command, loop: asyncio.AbstractEventLoop) -> None:
        match command:
            case Recognize() | CancelRecognition():
                self._ask_recognizer(command)
            case Interpret():
                self._show(command.text, command.turn, final=True)
                self._host.interpret(command)
            case CancelTurn(turn=turn):
                self._host.cancelled(turn)
            case StopSpeaking() | ResumeSpeaking() | DropSpeaking():
                self._hush(command)
            case ShowState(state=state):
                self._light(state)
            case WakeAt(at=at):
                if self._timer is not None:
                    self._timer.cancel()
                self._timer = loop.call_at(at, self.feed, Tick())
            case TurnEnded():
                self._host.turn_ended(command)

    def _ask_recognizer(self, command: Recognize | CancelRecognition) -> None:
        if isinstance(command, Recognize):
            self._recognize(command)
        else:
            self._drop_recognition(command.request)

    def _hush(self, command: StopSpeaking | ResumeSpeaking | DropSpeaking) -> None:
        match command:
            case StopSpeaking(cue=cue):
                self._host.stop_speaking(cue)
            case ResumeSpeaking(cue=cue, from_s=from_s):
                self._host.resume_speaking(cue, from_s)
            case DropSpeaking(cue=cue):
                self._host.drop_speaking(cue)

    def _show(self, text: str, turn: int, *, final: bool) -> None:
        for link in self._host.links():
            link.show_transcript(text, final=final, turn=str(turn))

    def _light(self, state: State) -> None:
        for link in self._host.links():
            link.show_state(state.value)
        self._host.quiet(state is State.IDLE)

    def _drop_recognition(self, request: int) -> None:
        task = self._recognitions.pop(request, None)
        if task is not None:
            task.cancel()

    def _recognize(self, wanted: Recognize) -> None:
        ear = self._ears.get(wanted.source)
        if ear is None or self._engines is None:
            return
        # Taken now: the ring behind the microphone goes on turning.
        pcm = ear.microphone.audio(wanted.start_s - ear.base_s, wanted.end_s - ear.base_s)
        task = asyncio.create_task(self._transcribe(wanted, pcm, self._engines))
        self._recognitions[wanted.request] = task
        task.add_done_callback(lambda _: self._recognitions.pop(wanted.request, None))

    async def _transcribe(self, wanted: Recognize, pcm: bytes, engines: SpeechEngines) -> None:
        try:
            heard = await engines.recognize(pcm, hints=self._host.hints(), owner=self._host.user_id)
        except Exception as error:  # the boundary to a native engine: the ear must not end
            log.error("recognition failed: %s", fault(error))
            heard = Transcript(text="", confidence=0.0, no_speech=1.0, audio_s=0.0, compute_s=0.0)
        self._show(heard.text, wanted.turn, final=False)
        complete = self._host.looks_complete(heard.text)
        self.feed(CompletenessJudged(wanted.turn, wanted.request, complete))
        self.feed(Transcribed(wanted.turn, wanted.request, heard.text, heard.confidence))
