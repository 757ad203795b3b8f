"""Whisper's log-mel spectrogram in numpy: 25 ms windows, 10 ms hop, Slaney mel bands."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

RATE = 16_000
WINDOW = 400
HOP = 160

Floats = NDArray[np.float32]

_LINEAR_HZ_PER_MEL = 200.0 / 3.0
_LOG_FROM_HZ = 1000.0
_LOG_STEP = np.log(6.4) / 27.0
_HANN = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WINDOW) / WINDOW)).astype(np.float32)


def _mel_to_hz(mels: NDArray[np.float64]) -> NDArray[np.float64]:
    corner = _LOG_FROM_HZ / _LINEAR_HZ_PER_MEL
    return np.where(
        mels < corner,
        mels * _LINEAR_HZ_PER_MEL,
        _LOG_FROM_HZ * np.exp(_LOG_STEP * (mels - corner)),
    )


def mel_bands(count: int) -> Floats:
    """Triangular filters of equal area, shape [count, WINDOW // 2 + 1]."""
    top = _LOG_FROM_HZ / _LINEAR_HZ_PER_MEL + np.log(RATE / 2 / _LOG_FROM_HZ) / _LOG_STEP
    edges = _mel_to_hz(np.linspace(0.0, float(top), count + 2))
    bins = np.linspace(0.0, RATE / 2, WINDOW // 2 + 1)
    rising = (bins - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    falling = (edges[2:, None] - bins) / (edges[2:] - edges[1:-1])[:, None]
    bands = np.maximum(0.0, np.minimum(rising, falling))
    return (bands * (2.0 / (edges[2:] - edges[:-2]))[:, None]).astype(np.float32)


def log_mel(samples: Floats, bands: Floats) -> Floats:
    """Samples in -1..1 at 16 kHz -> [bands, len(samples) // HOP], scaled as Whisper expects."""
    padded = np.pad(samples, WINDOW // 2, mode="reflect")
    frames = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::HOP]
    frames = frames[: len(samples) // HOP]
    spectrum = np.fft.rfft(frames * _HANN, axis=1)
    power = (spectrum.real**2 + spectrum.imag**2).astype(np.float32)
    logs = np.log10(np.maximum(bands @ power.T, 1e-10))
    return ((np.maximum(logs, logs.max() - 8.0) + 4.0) / 4.0).astype(np.float32)
