"""Nothing that is said and is not an order may become one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from lapel.brain import (
    AddLine,
    Brain,
    CartLine,
    ChangeLine,
    ChooseAddress,
    ChooseMerchant,
    Frame,
    RemoveLine,
    Source,
    Understanding,
    Utterance,
)

pytestmark = pytest.mark.unit

CORPUS: dict[str, list[str]] = yaml.safe_load(
    (Path(__file__).parent / "data" / "negative.yaml").read_text(encoding="utf-8")
)
CASES = [text for texts in CORPUS.values() for text in texts]
EFFECTS = AddLine | ChangeLine | RemoveLine | ChooseMerchant | ChooseAddress


@pytest.mark.parametrize("text", CASES)
def test_it_changes_nothing(text: str, say: Callable[..., Understanding]) -> None:
    understood = say(text)
    assert not any(isinstance(action, EFFECTS) for action in understood.actions)
    assert understood.frame.lines == ()
    assert understood.question is None
    assert not understood.is_order


@pytest.mark.parametrize(
    "text", [t for kind in CORPUS if kind not in {"noise", "negated"} for t in CORPUS[kind]]
)
def test_it_leaves_a_cart_alone(text: str, brain: Brain) -> None:
    frame = Frame("blue", (CartLine("tea", 1, (("size", ("m",)),)),), "office")
    understood = brain.understand(Utterance(text, Source.VOICE), frame)
    assert understood.frame.lines == frame.lines
    assert understood.frame.merchant_id == "blue"
    assert understood.frame.address == "office"


@pytest.mark.parametrize("source", [s for s in Source if s not in {Source.VOICE, Source.TYPED}])
def test_only_the_users_own_words_have_an_effect(source: Source, brain: Brain) -> None:
    frame = Frame()
    understood = brain.understand(Utterance("two lattes to my office", source), frame)
    assert understood.frame is frame
    assert understood.actions == ()
    assert not understood.is_order


def test_words_that_the_recogniser_does_not_believe_have_no_effect(brain: Brain) -> None:
    understood = brain.understand(Utterance("two lattes", Source.VOICE, 0.1), Frame())
    assert understood.actions == ()


def test_the_corpus_is_large_enough() -> None:
    assert len(set(CASES)) >= 150
