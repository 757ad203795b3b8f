"""From microphones to words: when speech starts, which turn it belongs to, when it has ended."""

from __future__ import annotations

from lapel.turns.book import Book
from lapel.turns.commands import CancelTurn, Outcome, Recognize
from lapel.turns.events import (
    CompletenessJudged,
    MicrophoneMode,
    MicrophoneOpened,
    Transcribed,
    VoiceJudged,
)
from lapel.turns.hearing import EPSILON, Ear
from lapel.turns.utterance import UNANSWERED, UNDECIDED, Phase, Turn

MICROPHONES = 16
"""Most open microphones of one user; one more is not listened to."""


class Listening:
    """The open microphones of one user, of which one at a time owns the turn."""

    __slots__ = ("_book", "_ears", "_last_heard", "_request", "_settings")

    def __init__(self, book: Book) -> None:
        self._book = book
        self._settings = book.settings
        self._ears: dict[str, Ear] = {}
        self._last_heard = ("", float("-inf"))  # the microphone of the last turn, and until when
        self._request = 0

    def opened(self, event: MicrophoneOpened, now: float) -> None:
        self.closed(event.source, now)
        if len(self._ears) >= MICROPHONES:
            return
        ear = Ear(event.source, event.mode, event.interrupts, now, self._settings)
        self._ears[event.source] = ear
        if event.mode is MicrophoneMode.MANUAL:
            self._pressed(ear, now)

    def closed(self, source: str, now: float) -> None:
        ear = self._ears.pop(source, None)
        turn = self._book.hearing
        if ear is not None and turn is not None and turn.source == source:
            self._end(turn, ear, now)

    def judged(self, frame: VoiceJudged, now: float) -> bool:
        """Hear one frame; whether anything may have changed."""
        ear = self._ears.get(frame.source)
        if ear is None or not ear.hear(frame, now):
            return False
        turn = self._book.hearing
        if turn is not None and turn.source == frame.source:
            self._follow(turn, ear, frame, now)
            return True
        if not frame.speech or ear.deaf or ear.manual:
            return False
        playing = self._book.playing
        if not ear.interrupts and playing.audible:
            ear.forget()
            return False
        settings = self._settings
        if not ear.speech_started(
            settings.interrupt_speech_s if playing else settings.start_speech_s
        ):
            return False
        self._started(ear, now)
        return True

    def transcribed(self, event: Transcribed, now: float) -> None:
        turn = self._book.find(event.turn)
        if turn is None or turn.request != event.request or turn.phase not in UNDECIDED:
            return
        if turn.transcribed:
            return
        turn.transcribed = True
        turn.text = event.text.strip()
        turn.confidence = event.confidence
        if turn.phase is Phase.RECOGNISING:
            self._understood(turn, now)
        else:
            self._end_if_silent(turn, self._ears[turn.source], now)

    def completeness(self, event: CompletenessJudged, now: float) -> None:
        turn = self._book.hearing
        if turn is None or turn.number != event.turn or turn.request != event.request:
            return
        turn.complete = event.complete
        self._end_if_silent(turn, self._ears[turn.source], now)

    def ignore_present_speech(self) -> None:
        """What is being said belongs to nobody until there is a pause."""
        turn = self._book.hearing
        if turn is not None:
            self._ears[turn.source].ignore()

    def expire(self, now: float) -> None:
        """End what has been silent, and stop waiting for transcripts that do not come."""
        turn = self._book.hearing
        if turn is not None:
            self._end_if_silent(turn, self._ears[turn.source], now)
        for turn in list(self._book.turns):
            if turn.deadline is None or turn.deadline > now + EPSILON:
                continue
            if turn.phase is Phase.RECOGNISING and turn.earlier is not None:
                self._book.forget_words(turn)
                self._understood(turn, now)
            elif turn.phase in UNANSWERED:
                self._book.cancel(turn, Outcome.TIMED_OUT)

    def due(self) -> float | None:
        """When the speech that is heard ends if no more audio comes."""
        turn = self._book.hearing
        return None if turn is None else self._silent_at(turn, self._ears[turn.source])

    # The start of speech

    def _started(self, ear: Ear, now: float) -> None:
        turn = self._book.hearing
        onset = ear.at(ear.onset_s)
        source, until = self._last_heard
        if turn is not None:
            if not self._hears_better(ear, turn, now):
                ear.ignore()
                return
            self._ears[turn.source].ignore()
            turn.source, turn.start_s, turn.voiced_s = ear.source, None, 0.0
        elif source != ear.source and onset < until:
            ear.ignore()  # the end of what another microphone has heard already
            return
        else:
            turn = self._turn_for(ear, onset, now)
            if turn is None:
                ear.ignore()
                return
        if turn.start_s is None:
            preroll = ear.onset_s - self._settings.preroll_s
            turn.start_s = max(preroll, ear.opened_s or 0.0, ear.used_s)
        turn.end_s = ear.speech_end_s
        turn.voiced_s += ear.voiced_s
        turn.level_db = ear.level_db
        turn.marks.speech_end = now
        ear.forget()

    def _hears_better(self, ear: Ear, turn: Turn, now: float) -> bool:
        """Whether this microphone may take over a turn that has begun on another one."""
        if turn.manual or turn.continues:
            return False
        early = now - turn.began <= self._settings.arbitration_s + EPSILON
        return early and ear.level_db > turn.level_db + self._settings.arbitration_margin_db

    def _pressed(self, ear: Ear, now: float) -> None:
        """A button was pressed to talk: as deliberate as a start can be."""
        turn = self._book.hearing
        if turn is not None and not turn.manual:
            heard = self._ears[turn.source]
            self._end(turn, heard, now)
            heard.ignore()
            turn = None
        if turn is None:
            turn = self._turn_for(ear, now, now)
            if turn is not None:
                turn.marks.speech_end = now

    def _turn_for(self, ear: Ear, onset: float, now: float) -> Turn | None:
        """The turn that speech beginning at `onset` belongs to; None if there are too many."""
        book = self._book
        last = book.turns[-1] if book.turns else None
        if last is not None and self._continues(last, ear, onset):
            turn = self._continued(last, now)
        elif book.full:
            return None
        else:
            turn = book.begin(ear.source, Phase.HEARING, now)
        turn.manual = ear.manual
        book.hearing = turn
        book.commands += book.playing.stop(now)
        return turn

    def _continues(self, last: Turn, ear: Ear, onset: float) -> bool:
        spoken = last.marks.speech_end
        if last.typed or last.source != ear.source or spoken is None or last.start_s is None:
            return False
        if ear.opened_s is None or last.start_s < ear.opened_s:
            return False  # the audio of an earlier opening is not one piece with this one
        if last.phase not in UNANSWERED or onset - spoken > self._settings.join_window_s:
            return False
        return ear.heard_s - last.start_s < self._settings.utterance_limit_s

    def _continued(self, last: Turn, now: float) -> Turn:
        """The end was decided too early: hear the rest.

        A turn that is being interpreted gets a successor, so that each is interpreted once.
        """
        book = self._book
        earlier = last.earlier
        if last.phase in (Phase.READY, Phase.INTERPRETING):
            earlier = (last.text, last.confidence)
        turn = last
        if last.phase is Phase.INTERPRETING:
            book.commands.append(CancelTurn(last.number))
            book.end(last, Outcome.CONTINUED)
            turn = book.begin(last.source, Phase.HEARING, now)
            turn.start_s, turn.end_s = last.start_s, last.end_s
            turn.voiced_s = last.voiced_s
        book.forget_words(turn)
        turn.phase = Phase.HEARING
        turn.deadline = None
        turn.paused = False
        turn.resumed_s = 0.0
        turn.earlier = earlier
        turn.marks.ended = turn.marks.recognised = None
        turn.continues = True
        return turn

    # The end of speech

    def _follow(self, turn: Turn, ear: Ear, frame: VoiceJudged, now: float) -> None:
        settings = self._settings
        if turn.start_s is None:  # pressed to talk: all of it counts
            turn.start_s = turn.end_s = frame.start_s
        was_paused = turn.paused
        if turn.heard(ear.heard_s, frame.duration_s, frame.speech, settings):
            self._book.forget_words(turn)
        if frame.speech and not turn.paused:
            turn.marks.speech_end = now
        if ear.heard_s - turn.start_s + EPSILON >= settings.utterance_limit_s:
            self._end(turn, ear, now)
            ear.ignore()
            return
        if turn.paused and not was_paused:
            self._speculate(turn, ear)
        self._end_if_silent(turn, ear, now)

    def _speculate(self, turn: Turn, ear: Ear) -> None:
        enough = turn.voiced_s + EPSILON >= self._settings.minimum_speech_s
        if enough and turn.speculations < self._settings.speculations:
            turn.speculations += 1
            self._recognise(turn, ear, speculative=True)

    def _end_if_silent(self, turn: Turn, ear: Ear, now: float) -> None:
        if now + EPSILON >= self._silent_at(turn, ear):
            self._end(turn, ear, now)

    def _silent_at(self, turn: Turn, ear: Ear) -> float:
        """When the turn ends if nothing more is heard.

        Silence is counted in the stream, not on the clock, so that audio held up by the network
        does not end a turn. Only one frame is taken on trust, to end within it rather than after.
        """
        if turn.paused and not turn.manual:
            left = turn.delay_s(self._settings) - (ear.heard_s - turn.end_s)
            if left <= ear.frame_s + EPSILON:
                return ear.arrived + left
        return ear.arrived + self._settings.stall_s

    def _end(self, turn: Turn, ear: Ear, now: float) -> None:
        self._book.hearing = None
        self._last_heard = (turn.source, now)
        turn.marks.ended = now
        turn.phase = Phase.RECOGNISING
        ear.forget()
        ear.used_s = max(ear.used_s, turn.end_s)
        if turn.voiced_s + EPSILON < self._settings.minimum_speech_s:
            self._book.forget_words(turn)
            self._understood(turn, now)
        elif turn.transcribed:
            self._understood(turn, now)
        else:
            turn.deadline = now + self._settings.recognition_limit_s
            if turn.request is None:
                self._recognise(turn, ear, speculative=False)

    def _recognise(self, turn: Turn, ear: Ear, *, speculative: bool) -> None:
        self._request += 1
        turn.request = self._request
        start_s = turn.start_s or 0.0
        end_s = max(start_s, min(ear.heard_s, turn.end_s + self._settings.tail_s))
        self._book.commands.append(
            Recognize(turn.number, self._request, turn.source, start_s, end_s, speculative)
        )

    def _understood(self, turn: Turn, now: float) -> None:
        """The end of speech is decided and its words are known: is it a turn?"""
        sure = turn.confidence >= self._settings.interrupt_confidence
        if turn.text and (sure or not self._book.playing.silenced):
            self._book.ready(turn, turn.text, turn.confidence, now)
        elif turn.earlier is not None:
            self._book.ready(turn, *turn.earlier, now)
        else:
            self._book.end(turn, Outcome.NOTHING_HEARD)
