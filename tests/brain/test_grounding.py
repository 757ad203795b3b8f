"""What a model gives is found in the user's words, or it is not there; a no and a maybe are known; the matter is kept."""

from __future__ import annotations

import pytest

from lapel.brain import Source, Utterance, Words
from lapel.brain.dialogue import Dialogue
from lapel.brain.grounding import grounded, located
from lapel.brain.provenance import Facts, Known, Said, Thing
from lapel.brain.tools import Answer, Ask, Call, Parameter, Proposal, Request, Thought, Tool
from lapel.brain.withheld import withheld

pytestmark = pytest.mark.unit

FACTS = Facts({Thing.ADDRESS: {"a1": "home", "a2": "office"}})
PAY = Tool(
    "pay",
    "pay somebody",
    ("send {amount} to {person}", " for {reason}"),
    (
        Parameter("person", "who", required=True, ask="To whom?"),
        Parameter("amount", "how much", required=True, ask="How much?"),
        Parameter("reason", "what for"),
    ),
)


def words(text: str) -> Words:
    return Words(Utterance(text, Source.VOICE))


@pytest.mark.parametrize(
    ("value", "text", "found"),
    [
        ("two hundred", "send ben two hundred", "two hundred"),
        ("200", "send ben two hundred", "two hundred"),
        ("205", "send him two hundred and five euros", "two hundred and five"),
        ("25 minutes", "twenty five minutes please", "twenty five minutes"),
        ("$20", "send twenty dollars to Anna", "twenty dollars"),
        ("7:30 pm", "dinner at half past seven", "half past seven"),
        ("quarter to nine", "at 8:45", "8:45"),
        ("the Airport", "could you run me over to the airport?", "airport"),
        ("two lattes", "a latte, two latte in fact", "two latte"),
        ("a large pepperoni pizza", "pizza with pepperoni, a large one", "pizza with pepperoni, a large"),
        ("milk and eggs", "put milk, eggs on it", "milk, eggs"),
        ("机场", "帮我叫车去机场", "机场"),
        ("7 am", "早上七点叫我", "7 am"),
        ("tomorrow", "明天叫车", "tomorrow"),
        ("10 minutes", "定十分钟", "10 minutes"),
    ],
)  # fmt: skip
def test_what_was_said_is_found(value: str, text: str, found: str):
    argument = located(value, words(text), FACTS)
    assert isinstance(argument, Said)
    assert argument.text == found


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("20000", "send ben two hundred"), ("2", "send ben two hundred"), ("now", "get me a ride"), ("", "get me a ride"),
        ("8 pm", "dinner at seven"), ("7 am", "dinner at seven pm"), ("large", "a small pizza"), ("the", "the pizza"),
        ("home", "take me to the office"), ("airport", "take me to the port"), ("walking", "take me there"),
    ],
)  # fmt: skip
def test_what_was_not_said_is_not_there(value: str, text: str):
    assert located(value, words(text), FACTS) is None


@pytest.mark.parametrize(
    ("value", "text", "key"), [("home", "叫车回家", "a1"), ("公司", "打车去公司", "a2")]
)
def test_a_place_of_the_users_by_another_name(value: str, text: str, key: str):
    argument = located(value, words(text), FACTS)
    assert isinstance(argument, Known)
    assert argument.id == key


def test_an_invented_amount_is_asked_for_and_an_invented_reason_dropped():
    request = Request(words("ben gets two hundred from me"), (PAY,))
    asked = grounded(
        Proposal("pay", {"person": "Ben", "amount": "20000", "reason": "rent"}), request
    )
    assert isinstance(asked, Ask)
    assert (asked.text, asked.missing, set(asked.call.arguments)) == (
        "How much?",
        "amount",
        {"person"},
    )


@pytest.mark.parametrize(
    "text",
    [
        "don't order anything", "do not send Ben any money", "I might get a pizza later", "if I took a cab I'd be there",
        "we took a taxi yesterday", "no need for a table", "I would have booked it", "maybe a ride", "别订了", "如果打车", "昨天打车了",
    ],
)  # fmt: skip
def test_a_no_a_maybe_and_a_memory(text: str):
    assert withheld(text)


@pytest.mark.parametrize(
    "text",
    [
        "get me a taxi", "I was wondering if you could get me a cab", "don't let me forget to call mum", "why don't you call a cab",
        "could you order it if possible", "make sure I don't miss the train", "能不能帮我叫车", "订一个桌子", "get me home before nine",
    ],
)  # fmt: skip
def test_polite_words_are_no_maybe(text: str):
    assert not withheld(text)


class Scripted:
    ready = True

    def __init__(self, *proposals: Proposal | Answer) -> None:
        self.proposals = list(proposals)
        self.heard: list[str] = []

    async def think(self, request: Request) -> Thought:
        self.heard.append(request.words.text)
        made = self.proposals.pop(0)
        return made if isinstance(made, Answer) else grounded(made, request)


async def hear(dialogue: Dialogue, text: str, at: float = 0.0) -> Thought:
    return await dialogue.hear(Request(words(text), (PAY,)), at)


async def test_an_answer_completes_the_call_without_a_model():
    model = Scripted(Proposal("pay", {"person": "Ben"}))
    dialogue = Dialogue(model)
    assert isinstance(await hear(dialogue, "Ben wants his money back"), Ask)
    call = await hear(dialogue, "it is twelve euros")
    assert isinstance(call, Call)
    assert call.sentence().text == "send twelve euros to Ben"
    assert len(model.heard) == 1


async def test_what_is_added_is_joined_to_what_was_said():
    model = Scripted(
        Proposal("pay", {"person": "Ben", "amount": "ten euros"}),
        Proposal("pay", {"person": "Ben", "amount": "ten euros", "reason": "the cinema"}),
    )
    dialogue = Dialogue(model)
    await hear(dialogue, "Ben gets ten euros")
    call = await hear(dialogue, "it was for the cinema")
    assert isinstance(call, Call)
    assert call.sentence().text == "send ten euros to Ben for cinema"
    assert model.heard[-1] == "Ben gets ten euros. it was for the cinema"


async def test_other_words_do_not_do_the_same_again():
    again = Proposal("pay", {"person": "Ben", "amount": "ten euros"})
    dialogue = Dialogue(Scripted(again, again, Proposal()))
    await hear(dialogue, "Ben gets ten euros")
    assert await hear(dialogue, "what a lovely day") is None


async def test_a_matter_is_forgotten_after_two_minutes():
    model = Scripted(Proposal("pay", {"person": "Ben"}), Proposal())
    dialogue = Dialogue(model)
    await hear(dialogue, "Ben wants his money back", 0.0)
    assert await hear(dialogue, "twelve euros", 121.0) is None
    assert model.heard[-1] == "twelve euros"
