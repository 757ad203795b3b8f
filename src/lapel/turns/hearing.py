"""One microphone: when does speech start on it."""

from __future__ import annotations

from collections import deque

from lapel.turns.events import MicrophoneMode, VoiceJudged
from lapel.turns.settings import TurnSettings

EPSILON = 1e-6
"""Times are compared with this tolerance: 8 x 0.02 s is 0.16 s, and timers come a little early."""

_FRAMES = 64
"""Most speech frames that a start window keeps."""


class Ear:
    """Finds the start of speech on one microphone; keeps its stream time and loudness."""

    __slots__ = (
        "_settings",
        "_window",
        "arrived",
        "deaf",
        "frame_s",
        "heard_s",
        "interrupts",
        "manual",
        "opened_s",
        "quiet_s",
        "source",
        "used_s",
    )

    def __init__(
        self,
        source: str,
        mode: MicrophoneMode,
        interrupts: bool,
        now: float,
        settings: TurnSettings,
    ) -> None:
        self._settings = settings
        self._window: deque[tuple[float, float, float]] = deque(
            maxlen=_FRAMES
        )  # end, length, level
        self.source = source
        self.manual = mode is MicrophoneMode.MANUAL
        self.interrupts = interrupts
        self.arrived = now
        """When the last frame came, on the caller's clock."""
        self.frame_s = 0.0
        """Length of the last frame."""
        self.opened_s: float | None = None
        """Stream time of the first sample since the microphone was opened."""
        self.heard_s = 0.0
        """Stream time up to which audio was judged."""
        self.used_s = 0.0
        """Stream time up to which audio belongs to an earlier turn."""
        self.deaf = False
        """True while what is heard belongs to nobody: until it has been quiet for a moment."""
        self.quiet_s = 0.0

    def hear(self, frame: VoiceJudged, now: float) -> bool:
        """Take one frame; False if it is not new."""
        end = frame.start_s + frame.duration_s
        if frame.duration_s <= 0 or (self.opened_s is not None and end <= self.heard_s + EPSILON):
            return False
        if self.opened_s is None:
            self.opened_s = frame.start_s
        self.heard_s = end
        self.frame_s = frame.duration_s
        self.arrived = now
        if frame.speech:
            self.quiet_s = 0.0
            if not self.deaf:
                self._window.append((end, frame.duration_s, frame.level_db))
        elif self.deaf:
            self.quiet_s += frame.duration_s
            if self.quiet_s + EPSILON >= self._settings.start_window_s:
                self.deaf = False
        return True

    def speech_started(self, needed_s: float) -> bool:
        """Whether the last window holds this much speech."""
        window = self._window
        if not window:
            return False
        oldest = self.heard_s - self._settings.start_window_s + EPSILON
        while window and window[0][0] <= oldest:
            window.popleft()
        return self.voiced_s + EPSILON >= needed_s

    @property
    def voiced_s(self) -> float:
        """Seconds of speech in the window."""
        return sum(entry[1] for entry in self._window)

    @property
    def level_db(self) -> float:
        """Mean loudness of the speech in the window."""
        window = self._window
        return sum(entry[2] for entry in window) / len(window) if window else float("-inf")

    @property
    def onset_s(self) -> float:
        """Stream time at which the speech in the window begins."""
        first = self._window[0]
        return first[0] - first[1]

    @property
    def speech_end_s(self) -> float:
        """Stream time at which the speech in the window ends."""
        return self._window[-1][0]

    def at(self, stream_s: float) -> float:
        """The caller's time at which this second of the stream was heard."""
        return self.arrived - (self.heard_s - stream_s)

    def forget(self) -> None:
        """Start counting anew: the speech so far has been taken up."""
        self._window.clear()

    def ignore(self) -> None:
        """Let nothing start until the sound that goes on now has ended."""
        self.deaf = True
        self.quiet_s = 0.0
        self._window.clear()
