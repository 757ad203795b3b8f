"""What a model may say in its own words, and that it never sounds as if it had done something."""

from __future__ import annotations

import pytest

from lapel.models.speaking import fit_to_say

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    "text",
    [
        "I have ordered a pizza for you.", "I've booked it!", "I\u2019ll send the money now.", "We have placed the order.",
        "Your order has been placed.", "Your ride is on the way.", "The table is now booked.", "Done! It is Paris.",
        "Booked. Anything else?", "Let me get that for you.", "我已经帮您下单了。", "已为您预订。", "It has been delivered.", "",
    ],
)  # fmt: skip
def test_claims_are_not_told(text: str):
    assert fit_to_say(text) == ""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Paris is the capital of France.", "Paris is the capital of France."),
        ("**Boil** it for `ten` minutes.", "Boil it for ten minutes."),
        ("See [this page](https://x.example/y) for more.", "See this page for more."),
        ("巴黎是法国的首都。", "巴黎是法国的首都。"),
    ],
)
def test_plain_answers(text: str, said: str):
    assert fit_to_say(text) == said


def test_long_answers_end_with_a_sentence():
    said = fit_to_say("One sentence is here. " * 40)
    assert len(said) <= 300
    assert said.endswith("here.")
