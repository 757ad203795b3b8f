"""Whisper on CTranslate2 (int8), given only the utterance and one second, not thirty.

The one module that touches ctranslate2 and tokenizers, which ship without types.
"""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# (both packages are compiled; the Protocols below state what is used of them)

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from lapel.speech._mel import HOP, RATE, Floats, log_mel, mel_bands
from lapel.speech._signal import to_floats
from lapel.speech.errors import LanguageUnknown, ModelIncomplete
from lapel.speech.repeats import cut_repeats
from lapel.speech.results import Transcript
from lapel.speech.scripts import units

PAD_S: Final = 1.0  # silence after the utterance; less makes Whisper cut the last word
LEAST_ENCODED_S: Final = 2.0
LONGEST_S: Final = 28.0  # one pass; longer audio is cut at its quietest point before this
HINT_TOKENS: Final = 150  # a longer prompt costs more than it brings
# Text below this confidence is taken for noise. Measured: kitchen and white noise reach 0.27,
# orders spoken over the same kitchen at 3 dB fall to 0.36, clean single words to 0.43.
NOISE: Final = 0.3
# And below this one where Whisper itself doubts that it was speech.
DOUBTED: Final = 0.45
NO_SPEECH: Final = 0.6

# Measured among ten ways to put it: a question at the end makes the answer end, not repeat.
_HINT_TEXTS: Final = {"en": " The menu has {}. What would you like?"}
_HINT_TEXT: Final = " Menu: {}."
_SHORTEST_S: Final = 0.1
_SEARCH_S: Final = 6.0
_TOKENS_PER_S: Final = 5
_UNSPACED_TOKENS_PER_S: Final = 12
_UNSPACED_LANGUAGES: Final = {"zh", "yue", "ja", "ko", "th", "lo", "my", "km", "bo"}
_SPARE_TOKENS: Final = 8


class _Result(Protocol):
    sequences_ids: list[list[int]]
    no_speech_prob: float
    logits: list[list[object]]


class _Model(Protocol):
    is_multilingual: bool
    n_mels: int

    def generate(
        self,
        features: object,
        prompts: list[list[int]],
        *,
        beam_size: int,
        max_length: int,
        return_no_speech_prob: bool,
        return_logits_vocab: bool,
    ) -> list[_Result]: ...


class _Encoding(Protocol):
    ids: list[int]


class _Tokenizer(Protocol):
    def token_to_id(self, token: str) -> int | None: ...
    def encode(self, sequence: str, *, add_special_tokens: bool) -> _Encoding: ...
    def decode(self, ids: Sequence[int]) -> str: ...


class Whisper:
    """A loaded model; `recognize` may run in as many threads as there are workers.

    `least_s` of 30 is Whisper's own way, kept to compare with.
    """

    def __init__(
        self, folder: Path, workers: int, language: str, least_s: float = LEAST_ENCODED_S
    ) -> None:
        from ctranslate2.models import Whisper as Engine
        from tokenizers import Tokenizer

        self._model = cast(
            _Model,
            Engine(
                str(folder),
                device="cpu",
                compute_type="int8",
                inter_threads=workers,
                intra_threads=1,
            ),
        )
        self._tokenizer = cast(_Tokenizer, Tokenizer.from_file(str(folder / "tokenizer.json")))
        self._least_s = least_s
        self._bands = mel_bands(self._model.n_mels)
        names = ["<|startoftranscript|>", "<|notimestamps|>"]
        if self._model.is_multilingual:
            if self._tokenizer.token_to_id(f"<|{language}|>") is None:
                raise LanguageUnknown(language)
            names[1:1] = [f"<|{language}|>", "<|transcribe|>"]
        found = [self._tokenizer.token_to_id(name) for name in names]
        self._start = [token for token in found if token is not None]
        if len(self._start) < len(names):
            raise ModelIncomplete(folder, ["Whisper's own tokens in tokenizer.json"])
        unspaced = language in _UNSPACED_LANGUAGES
        self._tokens_per_s = _UNSPACED_TOKENS_PER_S if unspaced else _TOKENS_PER_S
        self._joint = "" if unspaced else " "
        self._hint_text = _HINT_TEXTS.get(language, _HINT_TEXT)

    def recognize(self, pcm: bytes, hints: Sequence[str]) -> Transcript:
        """One utterance, PCM at 16 kHz; blocks for about 0.1 CPU seconds."""
        started = time.perf_counter()
        samples = to_floats(pcm)
        audio_s = len(samples) / RATE
        said: list[_Said] = []
        if audio_s >= _SHORTEST_S and samples.any():
            prompt = self._prompt(hints)
            said = [self._pass(piece, prompt) for piece in _pieces(samples)]
        text = self._joint.join(part.text for part in said if part.text)
        weights = [max(len(units(part.text)), 1) for part in said] or [1]
        return Transcript(
            text=text,
            confidence=_mean([part.confidence for part in said] or [0.0], weights),
            no_speech=_mean([part.no_speech for part in said] or [1.0], weights),
            audio_s=audio_s,
            compute_s=time.perf_counter() - started,
        )

    def _prompt(self, hints: Sequence[str]) -> list[int]:
        """The menu's words as the text before; those that fit, in their order."""
        before = self._tokenizer.token_to_id("<|startofprev|>")
        if not hints or before is None:
            return []
        room = HINT_TOKENS
        fitting: list[str] = []
        for hint in hints:
            room -= len(self._tokenizer.encode(f" {hint},", add_special_tokens=False).ids)
            if room < 0:
                break
            fitting.append(hint)
        sentence = self._hint_text.format(", ".join(fitting))
        return [before, *self._tokenizer.encode(sentence, add_special_tokens=False).ids]

    def _pass(self, samples: Floats, prompt: list[int]) -> _Said:
        from ctranslate2 import StorageView

        audio_s = len(samples) / RATE
        length = int(max(audio_s + PAD_S, self._least_s) * RATE)
        length -= length % (2 * HOP)  # the encoder halves the time axis
        padded = np.pad(samples, (0, max(0, length - len(samples))))[:length]
        mel = np.ascontiguousarray(log_mel(padded, self._bands)[None])
        start = prompt + self._start
        most = int(audio_s * self._tokens_per_s) + _SPARE_TOKENS
        result = self._model.generate(
            cast(object, StorageView.from_array(mel)),
            [start],
            beam_size=1,
            # CTranslate2 gives a sequence half of this, and no more than what the prompt leaves
            max_length=min(448, max(2 * most, len(start) + most)),
            return_no_speech_prob=True,
            return_logits_vocab=True,
        )[0]
        return self._read(result, audio_s)

    def _read(self, result: _Result, audio_s: float) -> _Said:
        ids = result.sequences_ids[0]
        whole = self._tokenizer.decode(ids).strip()
        text = cut_repeats(whole, audio_s)
        kept = self._tokens_of(ids, text) if len(text) < len(whole) else len(ids)
        steps = [np.asarray(step).reshape(-1) for step in result.logits[0][:kept]]
        chosen = [_log_share(step, token) for step, token in zip(steps, ids, strict=False)]
        confidence = float(np.exp(np.mean(chosen))) if chosen else 0.0
        no_speech = float(result.no_speech_prob)
        doubted = confidence < NOISE or (confidence < DOUBTED and no_speech > NO_SPEECH)
        if doubted or not units(text):
            text = ""
        return _Said(text, confidence, no_speech)

    def _tokens_of(self, ids: Sequence[int], text: str) -> int:
        for count in range(1, len(ids)):
            if len(self._tokenizer.decode(ids[:count]).strip()) >= len(text):
                return count
        return len(ids)


class _Said:
    __slots__ = ("confidence", "no_speech", "text")

    def __init__(self, text: str, confidence: float, no_speech: float) -> None:
        self.text, self.confidence, self.no_speech = text, confidence, no_speech


def _log_share(logits: NDArray[np.float32], token: int) -> float:
    top = float(logits.max())
    return float(logits[token]) - top - float(np.log(np.exp(logits - top).sum()))


def _mean(values: Sequence[float], weights: Sequence[int]) -> float:
    return sum(v * w for v, w in zip(values, weights, strict=True)) / sum(weights)


def _pieces(samples: Floats) -> Iterator[Floats]:
    longest, search, step = int(LONGEST_S * RATE), int(_SEARCH_S * RATE), RATE // 10
    while len(samples) > longest:
        tail = samples[longest - search : longest].reshape(-1, step)
        quietest = int((tail**2).mean(axis=1).argmin())
        cut = longest - search + quietest * step + step // 2
        yield samples[:cut]
        samples = samples[cut:]
    yield samples
