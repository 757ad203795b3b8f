"""Samples: 16-bit and float, resampling by a ratio, level, faded edges."""

from __future__ import annotations

from functools import cache
from math import gcd
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

SILENT_DB: Final = -100.0
_TAPS: Final = 32  # per phase and at the lower of both rates
_FADE_S: Final = 0.005


def to_floats(pcm: bytes) -> Floats:
    """Little-endian 16-bit -> -1..1; an odd last byte is left out."""
    whole = len(pcm) - len(pcm) % 2
    return np.frombuffer(pcm[:whole], "<i2").astype(np.float32) / 32768.0


def to_pcm(samples: Floats) -> bytes:
    return (np.clip(samples, -1.0, 1.0) * 32767.0).astype("<i2").tobytes()


def level_db(samples: Floats) -> float:
    """RMS level relative to full scale."""
    power = float(np.dot(samples, samples)) / max(len(samples), 1)
    return max(10.0 * float(np.log10(power + 1e-12)), SILENT_DB)


def fade_edges(samples: Floats, rate: int) -> Floats:
    """The samples with both ends brought to zero, so that clauses join without clicks."""
    length = min(int(rate * _FADE_S), len(samples) // 2)
    if length == 0:
        return samples
    ramp = np.linspace(0.0, 1.0, length, dtype=np.float32)
    faded = samples.copy()
    faded[:length] *= ramp
    faded[-length:] *= ramp[::-1]
    return faded


class Resampler:
    """One stream from one rate to another; pieces may have any size."""

    def __init__(self, source: int, target: int) -> None:
        shared = gcd(source, target)
        self._up, self._down = target // shared, source // shared
        self._phases = _filter(self._up, self._down)
        self._taps = self._phases.shape[1]
        self._held: Floats = np.zeros(self._taps // 2, np.float32)
        self._next = 0  # the next output, in steps of 1 / up of an input sample from _held[0]

    def feed(self, samples: Floats) -> Floats:
        if self._up == self._down:
            return samples
        held = np.concatenate([self._held, samples])
        last = (len(held) - self._taps) * self._up
        count = max(0, (last - self._next) // self._down + 1)
        at = self._next + self._down * np.arange(count)
        base, phase = at // self._up, at % self._up
        if count:
            windows = np.lib.stride_tricks.sliding_window_view(held, self._taps)
            out = np.einsum("ij,ij->i", windows[base], self._phases[phase])
        else:
            out = np.zeros(0, np.float32)
        self._next += self._down * count
        drop = min(self._next // self._up, len(held))
        self._held, self._next = held[drop:], self._next - drop * self._up
        return out.astype(np.float32)

    def flush(self) -> Floats:
        """The end of the stream that still waited for samples after it."""
        return self.feed(np.zeros(int(self._taps) // 2, np.float32))


@cache
def _filter(up: int, down: int) -> Floats:
    """A windowed sinc as [phase, tap]; tap t of phase p weighs the input at t - taps / 2 + ..."""
    widest = max(up, down)
    taps = _TAPS * widest // up
    taps += taps % 2
    centre = taps // 2
    place = np.arange(taps)[None, :] - centre - np.arange(up)[:, None] / up
    cutoff = 0.94 * up / widest
    window = np.kaiser(2001, 8.0)
    inside = np.interp(place, np.linspace(-centre - 1, centre + 1, 2001), window)
    phases = cutoff * np.sinc(cutoff * place) * inside
    return (phases / phases.sum(axis=1, keepdims=True)).astype(np.float32)
