"""Cues that are spoken: which one sounds, which was stopped, when to give a device up."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from lapel.turns.commands import Command, DropSpeaking, ResumeSpeaking, StopSpeaking
from lapel.turns.hearing import EPSILON
from lapel.turns.settings import TurnSettings

CUES = 8
"""Most cues that are spoken or waited for at a time; one more is stopped at once."""


class Sound(Enum):
    """What a cue does."""

    EXPECTED = auto()  # sent or about to be; the device has not begun
    PLAYING = auto()
    STOPPED = auto()  # by the user's voice; whether it goes on is open
    RESUMING = auto()  # it goes on as soon as it is known where


@dataclass(slots=True, eq=False)
class Spoken:
    """One cue. `from_s` is where the present stretch of playback began within it."""

    cue: str
    turn: int | None
    length_s: float | None
    sound: Sound
    deadline: float
    from_s: float = 0.0
    since: float | None = None
    """When the present stretch began to sound."""
    stopped_at: float = 0.0
    played_s: float | None = None
    """How much of the present stretch the device says was heard."""

    def reached_s(self) -> float:
        """How much has been heard: as reported, or else by the clock."""
        stretch_s = self.played_s
        if stretch_s is None:
            stretch_s = 0.0 if self.since is None else max(0.0, self.stopped_at - self.since)
        reached = self.from_s + stretch_s
        return reached if self.length_s is None else min(reached, self.length_s)


class Playing:
    """The spoken cues of one user. Commands are appended to the list that each method is given."""

    __slots__ = ("_cues", "_settings")

    def __init__(self, settings: TurnSettings) -> None:
        self._settings = settings
        self._cues: dict[str, Spoken] = {}

    def __bool__(self) -> bool:
        return bool(self._cues)

    @property
    def audible(self) -> bool:
        """Whether a cue sounds now, or will in a moment because it goes on."""
        return any(
            cue.sound is Sound.PLAYING or (cue.sound is Sound.EXPECTED and cue.from_s > 0)
            for cue in self._cues.values()
        )

    @property
    def silenced(self) -> bool:
        """Whether a cue that had begun to sound was stopped by the user's voice, and may go on."""
        return any(
            cue.sound in (Sound.STOPPED, Sound.RESUMING)
            and (cue.since is not None or cue.from_s > 0)
            for cue in self._cues.values()
        )

    def has_turn(self, turn: int) -> bool:
        """Whether a cue of this turn is left."""
        return any(cue.turn == turn for cue in self._cues.values())

    def due(self) -> float | None:
        """When the next wait ends."""
        return min((wait for wait, _ in self._waits()), default=None)

    def expect(
        self, cue: str, turn: int | None, length_s: float | None, now: float, *, hold: bool
    ) -> list[Command]:
        """A cue is about to be spoken; with `hold` it is stopped before it begins."""
        if cue in self._cues:
            return []
        if len(self._cues) >= CUES:
            return self.refuse(cue)
        limit = now + self._settings.playback_start_limit_s
        spoken = Spoken(cue, turn, length_s, Sound.EXPECTED, limit)
        self._cues[cue] = spoken
        return self._stop(spoken, now) if hold else []

    def refuse(self, cue: str) -> list[Command]:
        """Silence a cue that is not to be spoken, unless it is one of ours."""
        return [] if cue in self._cues else [StopSpeaking(cue), DropSpeaking(cue)]

    def measured(self, cue: str, length_s: float) -> None:
        """The whole length is known."""
        spoken = self._cues.get(cue)
        if spoken is not None:
            spoken.length_s = length_s
            if spoken.sound is Sound.PLAYING and spoken.since is not None:
                spoken.deadline = self._end(spoken, spoken.since)

    def started(self, cue: str, now: float) -> Spoken | None:
        """The device plays; None for a cue that is not known."""
        spoken = self._cues.get(cue)
        if spoken is None:
            return None
        if spoken.since is None:
            spoken.since = now
        if spoken.sound is Sound.EXPECTED:
            spoken.sound = Sound.PLAYING
            spoken.deadline = self._end(spoken, now)
        return spoken

    def ended(self, cue: str, now: float) -> Spoken | None:
        """The cue is over, for whatever reason; None for a cue that is not known."""
        spoken = self._cues.pop(cue, None)
        if spoken is not None:
            for other in self._cues.values():
                if other.sound is Sound.EXPECTED:  # it may have waited for the speaker
                    other.deadline = now + self._settings.playback_start_limit_s
        return spoken

    def reported(self, cue: str, played_s: float, now: float) -> tuple[bool, list[Command]]:
        """The device has stopped; whether it did so by itself, and what follows."""
        spoken = self._cues.get(cue)
        if spoken is None:
            return False, []
        if spoken.sound is Sound.PLAYING:
            return True, []
        if spoken.sound is Sound.EXPECTED:
            return False, []
        spoken.played_s = max(0.0, played_s)
        return False, self._resume(spoken, now) if spoken.sound is Sound.RESUMING else []

    def stop(self, now: float) -> list[Command]:
        """Silence everything until it is clear who spoke."""
        commands: list[Command] = []
        for cue in self._cues.values():
            if cue.sound is Sound.RESUMING:
                cue.sound = Sound.STOPPED
            elif cue.sound is not Sound.STOPPED:
                commands += self._stop(cue, now)
        return commands

    def resume(self, now: float) -> list[Command]:
        """It was a noise: let what was stopped go on."""
        commands: list[Command] = []
        for cue in self._cues.values():
            if cue.sound is Sound.STOPPED:
                if cue.since is None or cue.played_s is not None:
                    commands += self._resume(cue, now)
                else:
                    cue.sound = Sound.RESUMING
                    cue.deadline = max(now, cue.stopped_at + self._settings.stop_report_s)
        return commands

    def drop(self, cue: str, now: float) -> tuple[Spoken, list[Command]] | None:
        """Give one cue up; None if it is not known."""
        spoken = self.ended(cue, now)
        if spoken is None:
            return None
        silent = spoken.sound in (Sound.STOPPED, Sound.RESUMING)
        return spoken, [DropSpeaking(cue)] if silent else [StopSpeaking(cue), DropSpeaking(cue)]

    def names(self) -> list[str]:
        """The cues that are spoken or waited for."""
        return list(self._cues)

    def resume_unreported(self, now: float) -> list[Command]:
        """Let go on what has waited long enough for the device to tell where it stopped."""
        late = [
            cue
            for wait, cue in self._waits()
            if wait <= now + EPSILON and cue.sound is Sound.RESUMING
        ]
        return [command for cue in late for command in self._resume(cue, now)]

    def overdue(self, now: float) -> list[str]:
        """The cues whose device has not answered in time."""
        return [cue.cue for wait, cue in self._waits() if wait <= now + EPSILON]

    def _waits(self) -> list[tuple[float, Spoken]]:
        cues = self._cues.values()
        playing = any(cue.sound is Sound.PLAYING for cue in cues)
        return [
            (cue.deadline, cue)
            for cue in cues
            if cue.sound is not Sound.STOPPED and not (playing and cue.sound is Sound.EXPECTED)
        ]

    def _stop(self, cue: Spoken, now: float) -> list[Command]:
        cue.sound = Sound.STOPPED
        cue.stopped_at = now
        cue.played_s = None
        return [StopSpeaking(cue.cue)]

    def _resume(self, cue: Spoken, now: float) -> list[Command]:
        cue.from_s = cue.reached_s()
        cue.sound = Sound.EXPECTED
        cue.since = None
        cue.played_s = None
        cue.deadline = now + self._settings.playback_start_limit_s
        return [ResumeSpeaking(cue.cue, cue.from_s)]

    def _end(self, cue: Spoken, since: float) -> float:
        length_s = self._settings.speech_limit_s if cue.length_s is None else cue.length_s
        return since + max(0.0, length_s - cue.from_s) + self._settings.playback_margin_s
