"""The state of one turn while it lives."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, auto

from lapel.turns.commands import Outcome, TurnTimings
from lapel.turns.hearing import EPSILON
from lapel.turns.settings import TurnSettings


class Phase(Enum):
    """How far a turn has come."""

    HEARING = auto()  # the user speaks, or pauses
    RECOGNISING = auto()  # the end is decided, the words are not known
    READY = auto()  # the words are known, an earlier turn goes first
    INTERPRETING = auto()
    REPLYING = auto()  # its effects are done, its speech is not


UNANSWERED = frozenset({Phase.HEARING, Phase.RECOGNISING, Phase.READY, Phase.INTERPRETING})
UNDECIDED = frozenset({Phase.HEARING, Phase.RECOGNISING})


@dataclass(slots=True)
class Marks:
    """`TurnTimings`, being filled."""

    speech_end: float | None = None
    ended: float | None = None
    recognised: float | None = None
    interpreted: float | None = None
    reply_ready: float | None = None
    first_audio: float | None = None
    played: float | None = None

    def frozen(self) -> TurnTimings:
        return TurnTimings(
            self.speech_end,
            self.ended,
            self.recognised,
            self.interpreted,
            self.reply_ready,
            self.first_audio,
            self.played,
        )


@dataclass(slots=True, eq=False)
class Turn:
    """One turn: where its speech is, what is known of its words, when each step came."""

    number: int
    source: str
    phase: Phase
    began: float
    manual: bool = False
    typed: bool = False
    text_id: str = ""

    start_s: float | None = None
    """Stream time of its first speech; None in manual mode until the first frame."""
    end_s: float = 0.0
    """Stream time up to which speech was heard."""
    voiced_s: float = 0.0
    level_db: float = float("-inf")
    paused: bool = False
    resumed_s: float = 0.0
    """Uninterrupted speech within the present pause, not yet counted."""

    request: int | None = None
    """The recognition of everything said so far, if it is under way or done."""
    speculations: int = 0
    transcribed: bool = False
    text: str = ""
    confidence: float = 0.0
    complete: bool | None = None
    earlier: tuple[str, float] | None = None
    """Words (and confidence) of before the user went on: used if the whole is not understood."""
    continues: bool = False
    """True once the user has gone on after a decided end."""

    deadline: float | None = None
    """When waiting for the next step ends, on the caller's clock."""
    outcome: Outcome = Outcome.REPLIED
    """How it ends once nothing of its speech is left."""
    marks: Marks = field(default_factory=Marks)

    def delay_s(self, settings: TurnSettings) -> float:
        """The silence after which this turn ends."""
        if self.transcribed and not self.text:  # a noise: nothing to wait for
            return settings.complete_delay_s
        if self.complete is None:
            return settings.unknown_delay_s
        return settings.complete_delay_s if self.complete else settings.incomplete_delay_s

    def heard(self, end_s: float, duration_s: float, speech: bool, settings: TurnSettings) -> bool:
        """Take one frame of the turn's microphone; True if it took the user out of a pause."""
        if not speech:
            self.resumed_s = 0.0
            if end_s - self.end_s + EPSILON >= settings.speculate_after_s:
                self.paused = True
            return False
        self.voiced_s += duration_s
        if not self.paused:
            self.end_s = end_s
            return False
        self.resumed_s += duration_s
        if self.resumed_s + EPSILON < settings.resume_speech_s:
            return False
        self.paused = False
        self.resumed_s = 0.0
        self.end_s = end_s
        return True

    def forget_words(self) -> None:
        """The user goes on: what was understood so far is not the whole."""
        self.request = None
        self.transcribed = False
        self.text = ""
        self.confidence = 0.0
        self.complete = None
