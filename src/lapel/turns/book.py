"""The live turns of one user, what is spoken for them, and the commands of the present step."""

from __future__ import annotations

from lapel.turns.commands import CancelRecognition, CancelTurn, Command, Outcome, TurnEnded
from lapel.turns.playing import Playing
from lapel.turns.settings import TurnSettings
from lapel.turns.utterance import UNDECIDED, Phase, Turn

TURNS = 8
"""Most turns that live at a time; a typed text beyond it is refused, speech is not listened to."""


class Book:
    """Keeps turns in the order in which they were said. Every turn ends here, once."""

    __slots__ = ("_number", "commands", "hearing", "playing", "settings", "turns")

    def __init__(self, settings: TurnSettings) -> None:
        self.settings = settings
        self.turns: list[Turn] = []
        self.hearing: Turn | None = None
        """The turn whose speech is being heard."""
        self.playing = Playing(settings)
        self.commands: list[Command] = []
        self._number = 0

    @property
    def full(self) -> bool:
        return len(self.turns) >= TURNS

    @property
    def undecided(self) -> bool:
        """Whether it is open if something that was heard is speech."""
        return any(turn.phase in UNDECIDED for turn in self.turns)

    def begin(self, source: str, phase: Phase, now: float) -> Turn:
        self._number += 1
        turn = Turn(self._number, source, phase, now)
        self.turns.append(turn)
        return turn

    def find(self, number: int) -> Turn | None:
        return next((turn for turn in self.turns if turn.number == number), None)

    def end(self, turn: Turn, outcome: Outcome) -> None:
        if turn is self.hearing:
            self.hearing = None
        self.turns.remove(turn)
        self.commands.append(TurnEnded(turn.number, outcome, turn.marks.frozen()))

    def cancel(self, turn: Turn, outcome: Outcome) -> None:
        """End a turn that is not answered yet, with the work for it."""
        if turn.phase is Phase.INTERPRETING:
            self.commands.append(CancelTurn(turn.number))
        elif turn.phase in UNDECIDED:
            self.forget_words(turn)
        self.end(turn, outcome)

    def forget_words(self, turn: Turn) -> None:
        """What was understood of the turn is not the whole, or not wanted."""
        if turn.request is not None and not turn.transcribed:
            self.commands.append(CancelRecognition(turn.number, turn.request))
        turn.forget_words()

    def ready(self, turn: Turn, text: str, confidence: float, now: float) -> None:
        """The user has said something: it is next, and what was spoken to them is over."""
        turn.phase = Phase.READY
        turn.deadline = None
        turn.text, turn.confidence = text, confidence
        turn.marks.recognised = now
        self.drop_speech(now)

    def drop_speech(self, now: float) -> None:
        """Silence everything for good: the user has answered."""
        for cue in self.playing.names():
            self.drop_cue(cue, Outcome.INTERRUPTED, now)

    def drop_cue(self, cue: str, outcome: Outcome, now: float) -> None:
        dropped = self.playing.drop(cue, now)
        if dropped is not None:
            spoken, commands = dropped
            self.commands += commands
            self.cue_over(spoken.turn, outcome, now)

    def cue_over(self, number: int | None, outcome: Outcome, now: float) -> None:
        """A cue of this turn is over: so is the turn, if it was the last one."""
        turn = None if number is None else self.find(number)
        if turn is None:
            return
        if outcome is Outcome.REPLIED:
            turn.marks.played = now
        else:
            turn.outcome = outcome
        if turn.phase is Phase.REPLYING and not self.playing.has_turn(turn.number):
            self.end(turn, turn.outcome)
