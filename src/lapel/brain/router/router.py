"""The router: linear over meaning and spelling, with the distance to what it has seen.

Weights are made by `scripts/train_router.py`, which names what it reads.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, cast

from lapel.brain.router import grams
from lapel.brain.router.encoder import SIZE, Encoder, EncoderUnavailable

FORMAT = 2
MEANING = 2.0
"""How much each half of a sentence's vector counts beside its letters and words, of length 1."""
NEAR = 2.0
"""How much the likeness to what an intent has seen counts beside the linear score."""


@dataclass(frozen=True, slots=True)
class Route:
    """What an utterance is most likely about. `known` is false for talk about nothing of it.

    `score` is comparable between utterances only; at the weights' threshold it is known.
    """

    intent: str
    score: float
    known: bool


@dataclass(frozen=True, slots=True)
class RouterWeights:
    """`linear` is (2 * grams.SIZE + 768, intents), `seen` (intents, prototypes, 384), unit rows.

    `rarity` holds two rows of grams.SIZE. To the best score of an intent, `nearness` times the
    likeness to the nearest prototype of all is added.
    """

    intents: tuple[str, ...]
    linear: Any
    bias: Any
    rarity: Any
    seen: Any
    nearness: float
    threshold: float

    def save(self, path: Path) -> None:
        """Quantised to 8 bits by column, compressed."""
        import numpy as np

        linear, seen = self.linear, self.seen
        scale = np.abs(linear).max(0) / 127
        seen_scale = np.abs(seen).max() / 127
        np.savez_compressed(
            path,
            format=FORMAT,
            intents=np.array(self.intents),
            linear=_rounded(linear / scale),
            scale=scale.astype(np.float32),
            bias=self.bias.astype(np.float32),
            rarity=self.rarity.astype(np.float16),
            seen=_rounded(seen / seen_scale),
            seen_scale=np.float32(seen_scale),
            nearness=self.nearness,
            threshold=self.threshold,
        )

    @classmethod
    def load(cls, path: Path) -> RouterWeights:
        """EncoderUnavailable when the file is missing or of another format."""
        try:
            import numpy as np

            with np.load(path, allow_pickle=False) as found:
                if int(found["format"]) != FORMAT:
                    raise EncoderUnavailable(f"{path} is of another version; train it anew")
                return cls(
                    tuple(str(x) for x in found["intents"]),
                    found["linear"].astype(np.float32) * found["scale"],
                    found["bias"],
                    found["rarity"].astype(np.float32),
                    found["seen"].astype(np.float32) * found["seen_scale"],
                    float(found["nearness"]),
                    float(found["threshold"]),
                )
        except (ImportError, OSError, KeyError, ValueError) as error:
            raise EncoderUnavailable(f"{path} cannot be read: {error}") from error


class Router:
    """Routes utterances. Read-only after construction; `shared` loads it once a process."""

    def __init__(self, weights: RouterWeights, encoder: Encoder) -> None:
        self.weights = weights
        self._encoder = encoder

    @staticmethod
    @cache
    def shared() -> Router:
        """The router that comes with Lapel. EncoderUnavailable says what is missing."""
        path = Path(str(files("lapel.brain.router").joinpath("weights.npz")))
        return Router(RouterWeights.load(path), Encoder())

    def route(self, text: str) -> Route:
        """What the text is about: some 6 ms of one core."""
        return self.route_all([text])[0]

    def route_all(self, texts: Sequence[str], vectors: Any = None) -> list[Route]:
        """The same for many, quicker than one by one. `vectors` are theirs, where known."""
        vectors = self._encoder.encode(texts) if vectors is None else vectors
        weights = self.weights
        found: list[Route] = []
        for text, vector in zip(texts, vectors, strict=True):
            like = (weights.seen @ vector[:SIZE]).max(1)
            scores = weights.bias + (vector * MEANING) @ weights.linear[2 * grams.SIZE :]
            scores = scores + like * NEAR
            for block, counted in enumerate((grams.letters(text), grams.words(text))):
                places, values = weighed(counted, weights.rarity[block])
                if len(places):
                    scores = scores + values @ weights.linear[places + block * grams.SIZE]
            best = int(scores.argmax())
            score = float(scores[best] + weights.nearness * like.max())
            known = score >= weights.threshold
            found.append(Route(weights.intents[best], score, known))
        return found


def weighed(counted: Counter[int], rarity: Any) -> tuple[Any, Any]:
    """Places and values of a row of length 1: how often, damped, times how rare."""
    import numpy as np

    places = np.fromiter(counted.keys(), np.int64, len(counted))
    counts = np.fromiter(counted.values(), np.float32, len(counted))
    values = (1 + np.log(np.maximum(counts, 1))) * rarity[places]
    length = float(np.linalg.norm(values))
    return places, values / length if length else values


def _rounded(values: Any) -> Any:
    import numpy as np

    return cast("Any", np.round(values)).astype(np.int8)
