"""Trains the router from labelled utterances, in about two minutes on two cores.

    .venv/bin/python scripts/train_router.py --data ../shared/data/clinc150/data_full.json.gz

Reads CLINC150 (Larson et al. 2019, CC-BY 3.0): `train` and `oos_train` for the weights, `val` and
`oos_val` for the threshold. `test` and `oos_test` are not opened. What it makes is
src/lapel/brain/router/weights.npz. The encoder, all-MiniLM-L6-v2 (Apache-2.0), is used as it is.

Threshold, and how much nearness counts, are where errors cost least on the validation part. An
utterance about something known that is refused or mistaken costs 1: the user must find other words.
Talk that is taken for something known costs 0.5: the router acts on nothing, so all that comes of
it is a hint that was not wanted. One utterance in six is talk.
"""

from __future__ import annotations

import argparse
import gzip
import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix, hstack, vstack
from sklearn.cluster import KMeans
from sklearn.svm import LinearSVC

from lapel.brain.router import RouterWeights, grams
from lapel.brain.router.encoder import SIZE, Encoder
from lapel.brain.router.router import MEANING, Router, weighed

OUT = Path(__file__).parent.parent / "src" / "lapel" / "brain" / "router" / "weights.npz"
SOFTNESS, PROTOTYPES = 0.5, 20
NEARNESS = (0.0, 1.0, 2.0, 3.0, 4.0)
TALK_COSTS, TALK_SHARE = 0.5, 1 / 6


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--data", type=Path, required=True)
    arguments.add_argument("--out", type=Path, default=OUT)
    chosen = arguments.parse_args()
    started = time.monotonic()
    with gzip.open(chosen.data, "rt", encoding="utf-8") as file:
        data: dict[str, list[list[str]]] = json.load(file)
    texts = {
        part: [row[0] for row in data[part]] for part in ("train", "oos_train", "val", "oos_val")
    }
    labels = [row[1] for row in data["train"]]
    intents = sorted(set(labels))
    encoder = Encoder()
    vectors = {part: encoder.encode(found) for part, found in texts.items()}
    print(
        f"{sum(map(len, texts.values())):,} sentences encoded, {time.monotonic() - started:.0f} s"
    )

    rarity = np.stack([idf(texts["train"], gram) for gram in (grams.letters, grams.words)])
    known = features(texts["train"], vectors["train"], rarity)
    talk = features(texts["oos_train"], vectors["oos_train"], rarity)
    target = np.array([intents.index(label) for label in labels] + [-1] * len(texts["oos_train"]))
    machine = LinearSVC(C=SOFTNESS).fit(vstack([known, talk]), target)
    means, labelled = vectors["train"][:, :SIZE], target[: len(labels)]
    seen = np.stack([prototypes(means[labelled == i]) for i in range(len(intents))])
    linear, bias = machine.coef_[1:].T, machine.intercept_[1:]
    tried: list[tuple[float, RouterWeights]] = []
    for nearness in NEARNESS:
        weights = RouterWeights(tuple(intents), linear, bias, rarity, seen, nearness, 0.0)
        weights.save(chosen.out)  # the threshold is chosen for the weights as they are read back
        router = Router(RouterWeights.load(chosen.out), encoder)
        cost, threshold = cheapest(router, data, vectors)
        tried.append((cost, replace(weights, threshold=threshold)))
    min(tried, key=lambda x: x[0])[1].save(chosen.out)
    print(f"{chosen.out}: {chosen.out.stat().st_size:,} bytes, {time.monotonic() - started:.0f} s")


def idf(texts: list[str], gram: Any) -> Any:
    """How rare each gram is, smoothed."""
    count = np.zeros(grams.SIZE)
    for text in texts:
        count[list(gram(text))] += 1
    return np.log((1 + len(texts)) / (1 + count)) + 1


def features(texts: list[str], vectors: Any, rarity: Any) -> Any:
    """Rows of letters, words and meaning, as the router sees them."""
    blocks: list[Any] = []
    for row, gram in zip(rarity, (grams.letters, grams.words), strict=True):
        columns, values, ends = [], [], [0]
        for text in texts:
            places, weight = weighed(gram(text), row)
            columns.append(places)
            values.append(weight)
            ends.append(ends[-1] + len(places))
        shape = (len(texts), grams.SIZE)
        blocks.append(
            csr_matrix((np.concatenate(values), np.concatenate(columns), ends), shape=shape)
        )
    return hstack([*blocks, csr_matrix(vectors * MEANING)]).tocsr()


def prototypes(vectors: Any) -> Any:
    """A few sentences' vectors that stand for all of an intent."""
    centres = KMeans(PROTOTYPES, n_init=2, random_state=0).fit(vectors).cluster_centers_
    return centres / np.linalg.norm(centres, axis=1, keepdims=True)


def cheapest(
    router: Router, data: dict[str, list[list[str]]], vectors: dict[str, Any]
) -> tuple[float, float]:
    """The least cost on the validation part, and the threshold that has it."""
    routed = router.route_all([row[0] for row in data["val"]], vectors["val"])
    right = np.array([x.intent == row[1] for x, row in zip(routed, data["val"], strict=True)])
    scores = np.array([x.score for x in routed])
    other = router.route_all([row[0] for row in data["oos_val"]], vectors["oos_val"])
    talk = np.array([x.score for x in other])

    def cost(at: float) -> float:
        wrong = float((~right | (scores < at)).mean())
        taken = float((talk >= at).mean())
        return (1 - TALK_SHARE) * wrong + TALK_SHARE * TALK_COSTS * taken

    tried = np.quantile(np.concatenate([scores, talk]), np.linspace(0, 0.4, 400))
    best = min((float(at) for at in tried), key=cost)
    kept, refused = float((right & (scores >= best)).mean()), float((talk < best).mean())
    print(
        f"nearness {router.weights.nearness:g}, threshold {best:.3f}: cost {cost(best):.4f}, "
        f"{kept:.1%} in scope, {refused:.1%} of talk refused"
    )
    return cost(best), best


if __name__ == "__main__":
    main()
