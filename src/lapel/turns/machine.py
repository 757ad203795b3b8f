"""The turn machine of one user: from the first sound on any microphone to the end of the reply."""

from __future__ import annotations

from lapel.turns.book import Book
from lapel.turns.commands import Command, Interpret, Outcome, ShowState, State, WakeAt
from lapel.turns.events import (
    Announced,
    CompletenessJudged,
    Event,
    MicrophoneClosed,
    MicrophoneOpened,
    PlaybackFinished,
    PlaybackLost,
    PlaybackStarted,
    PlaybackStopped,
    ReplyReady,
    SpeechMeasured,
    TextEntered,
    Tick,
    Transcribed,
    TurnDropped,
    VoiceJudged,
)
from lapel.turns.listening import Listening
from lapel.turns.settings import TurnSettings
from lapel.turns.utterance import UNANSWERED, UNDECIDED, Phase


class TurnMachine:
    """Decides when the user has finished, what is to be answered, and when Lapel must be silent.

    Feed it every event in order with a clock that does not go back, carry out the commands in
    order, and feed a `Tick` when the time of the last `WakeAt` has come.
    """

    __slots__ = ("_book", "_listening", "_now", "_settings", "_shown", "_wake")

    def __init__(self, settings: TurnSettings | None = None) -> None:
        self._settings = settings or TurnSettings()
        self._book = Book(self._settings)
        self._listening = Listening(self._book)
        self._shown: tuple[State, str | None] = (State.IDLE, None)
        self._wake: float | None = None
        self._now = float("-inf")

    @property
    def state(self) -> State:
        """What the last `ShowState` said; idle before the first."""
        return self._shown[0]

    def feed(self, event: Event, now: float) -> list[Command]:
        """Take one event at the caller's time `now`; what to do, in order."""
        self._now = now = max(now, self._now)
        book = self._book
        if not isinstance(event, VoiceJudged):
            self._take(event, now)
        elif not self._listening.judged(event, now):
            return []
        self._settle(now)
        commands, book.commands = book.commands, []
        return commands

    def _take(self, event: Event, now: float) -> None:
        match event:
            case Tick():
                self._expire(now)
            case MicrophoneOpened():
                self._listening.opened(event, now)
            case MicrophoneClosed(source):
                self._listening.closed(source, now)
            case Transcribed():
                self._listening.transcribed(event, now)
            case CompletenessJudged():
                self._listening.completeness(event, now)
            case TextEntered():
                self._typed(event, now)
            case ReplyReady():
                self._replied(event, now)
            case TurnDropped(number):
                turn = self._book.find(number)
                if turn is not None and turn.phase is Phase.INTERPRETING:
                    self._book.end(turn, Outcome.DROPPED)
            case _:
                self._played(event, now)

    def _typed(self, event: TextEntered, now: float) -> None:
        text = event.text.strip()
        if not text:
            return
        book = self._book
        self._listening.ignore_present_speech()
        for turn in [turn for turn in book.turns if not turn.typed and turn.phase in UNANSWERED]:
            book.cancel(turn, Outcome.CANCELLED)
        refused = book.full
        turn = book.begin(event.source, Phase.READY, now)
        turn.typed, turn.text_id = True, event.id
        turn.marks.speech_end = turn.marks.ended = now
        book.ready(turn, text, 1.0, now)
        if refused:
            book.end(turn, Outcome.REFUSED)

    def _replied(self, event: ReplyReady, now: float) -> None:
        book, cue = self._book, event.cue
        turn = book.find(event.turn)
        if turn is None or turn.phase not in (Phase.INTERPRETING, Phase.REPLYING):
            if cue is not None:  # the reply of a turn that is no more
                book.commands += book.playing.refuse(cue)
            return
        if turn.phase is Phase.INTERPRETING:
            turn.phase = Phase.REPLYING
            turn.deadline = None
            turn.marks.reply_ready = now
            if cue is None:
                book.end(turn, Outcome.SILENT)
        if cue is None:
            return
        later = {other.phase for other in book.turns if other.number > turn.number}
        book.commands += book.playing.expect(
            cue, turn.number, event.length_s, now, hold=bool(later & UNDECIDED)
        )
        if not book.playing.has_turn(turn.number):
            book.end(turn, Outcome.LOST)
        elif Phase.READY in later:  # the user has said more meanwhile
            book.drop_cue(cue, Outcome.INTERRUPTED, now)

    def _played(self, event: Event, now: float) -> None:
        book = self._book
        match event:
            case Announced(cue, length_s):
                book.commands += book.playing.expect(cue, None, length_s, now, hold=book.undecided)
            case SpeechMeasured(cue, length_s):
                book.playing.measured(cue, length_s)
            case PlaybackStarted(cue):
                spoken = book.playing.started(cue, now)
                turn = None if spoken is None or spoken.turn is None else book.find(spoken.turn)
                if turn is not None and turn.marks.first_audio is None:
                    turn.marks.first_audio = now
            case PlaybackFinished(cue):
                self._cue_ended(cue, Outcome.REPLIED, now)
            case PlaybackLost(cue):
                self._cue_ended(cue, Outcome.LOST, now)
            case PlaybackStopped(cue, played_s):
                by_itself, commands = book.playing.reported(cue, played_s, now)
                book.commands += commands
                if by_itself:
                    self._cue_ended(cue, Outcome.INTERRUPTED, now)
            case _:
                pass

    def _cue_ended(self, cue: str, outcome: Outcome, now: float) -> None:
        spoken = self._book.playing.ended(cue, now)
        if spoken is not None:
            self._book.cue_over(spoken.turn, outcome, now)

    def _expire(self, now: float) -> None:
        """Stop waiting for what should have come by now."""
        self._wake = None
        book = self._book
        self._listening.expire(now)
        book.commands += book.playing.resume_unreported(now)
        for cue in book.playing.overdue(now):
            book.drop_cue(cue, Outcome.LOST, now)

    def _settle(self, now: float) -> None:
        """What follows from the new state: the next turn, speech that goes on, light, timer."""
        book = self._book
        if book.turns:
            self._interpret_next(now)
        if book.playing and not book.undecided:
            book.commands += book.playing.resume(now)
        shown = self._derive_state()
        if shown != self._shown:
            self._shown = shown
            book.commands.append(ShowState(*shown))
        due = self._due()
        if due is not None and (self._wake is None or due < self._wake):
            self._wake = max(due, now)
            book.commands.append(WakeAt(self._wake))

    def _interpret_next(self, now: float) -> None:
        """Turns are interpreted one after the other, in the order in which they were said."""
        turn = next((turn for turn in self._book.turns if turn.phase in UNANSWERED), None)
        if turn is None or turn.phase is not Phase.READY:
            return
        turn.phase = Phase.INTERPRETING
        turn.deadline = now + self._settings.interpretation_limit_s
        turn.marks.interpreted = now
        self._book.commands.append(
            Interpret(
                turn.number, turn.source, turn.text, turn.confidence, turn.typed, turn.text_id
            )
        )

    def _derive_state(self) -> tuple[State, str | None]:
        book = self._book
        source = None if book.hearing is None else book.hearing.source
        if book.playing.silenced:
            return State.INTERRUPTED, source
        if book.hearing is not None:
            return State.LISTENING, source
        if book.playing.audible:
            return State.SPEAKING, None
        return (State.THINKING if book.turns else State.IDLE), None

    def _due(self) -> float | None:
        """When something is to be done if no event comes before."""
        waits = [turn.deadline for turn in self._book.turns if turn.deadline is not None]
        for wait in (self._listening.due(), self._book.playing.due()):
            if wait is not None:
                waits.append(wait)
        return min(waits, default=None)
