"""Every wait and limit of a turn, in one place: each default that a user can feel stands here."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TurnSettings:
    """How patient and how quick a turn is. All `_s` values are seconds."""

    # Start of speech: this much speech within the window. Felt only as the delay of the light.
    start_speech_s: float = 0.16
    start_window_s: float = 0.3
    # Start of speech while Lapel speaks or is about to: the time from the user's first sound to
    # `StopSpeaking`. Higher than the ordinary start, because a false one is heard by the user.
    interrupt_speech_s: float = 0.2
    # An utterance with less speech than this is a noise: nothing is recognised or interpreted.
    minimum_speech_s: float = 0.2
    # Speech within a pause counts once it has lasted this long; shorter is a click.
    resume_speech_s: float = 0.06

    # Silence before recognition begins on a guess. Costs no latency; it hides the recogniser's.
    speculate_after_s: float = 0.15
    # Guesses a turn, so that a slow speaker does not occupy the recogniser.
    speculations: int = 4

    # Deliberate silence before the turn ends: the largest part of what the user waits for.
    complete_delay_s: float = 0.35  # the words so far make a whole request
    unknown_delay_s: float = 0.7  # nobody has judged the words (yet)
    incomplete_delay_s: float = 1.5  # the words so far ask for more

    # Speech that begins this soon after the end of the last one continues it, as long as the
    # microphone stayed open.
    join_window_s: float = 1.0
    # Longest utterance, pauses included; the recogniser's window is 30 s.
    utterance_limit_s: float = 25.0

    # What is recognised begins this long before the first speech, and ends so long after the last.
    preroll_s: float = 0.3
    tail_s: float = 0.15

    # A second microphone may take the turn over this soon after its start, if louder by the margin.
    arbitration_s: float = 0.1
    arbitration_margin_db: float = 3.0

    # A transcript with less confidence than this does not count as an interruption: speech goes on.
    # Above the recogniser's own limit for noise; single clean words reach 0.43.
    interrupt_confidence: float = 0.35
    # How long `ResumeSpeaking` waits for the device to report where it stopped.
    stop_report_s: float = 0.5

    # Watchdogs, never felt while all is well. No audio from an open microphone in mid-speech:
    stall_s: float = 1.0
    # no transcript after the turn's end;
    recognition_limit_s: float = 10.0
    # no reply after `Interpret`;
    interpretation_limit_s: float = 30.0
    # no `PlaybackStarted` after the reply was ready;
    playback_start_limit_s: float = 10.0
    # no `PlaybackFinished` this long after the expected end;
    playback_margin_s: float = 3.0
    # the expected length of speech whose length nobody has told.
    speech_limit_s: float = 60.0
