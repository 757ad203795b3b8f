"""Every tool of every skill is a sentence that this skill claims, and that nobody before it does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from lapel.assistant.cart_tools import CART_TOOLS
from lapel.assistant.connected import grammar as asking
from lapel.assistant.connected.tools import tools as connected_tools
from lapel.assistant.goods import grammar as lists
from lapel.assistant.goods import shop_grammar
from lapel.assistant.goods.tools import LIST_TOOLS, SHOP_TOOLS
from lapel.assistant.guide import skill as guiding
from lapel.assistant.guide.tools import TOOLS as GUIDE
from lapel.assistant.pay import grammar as paying
from lapel.assistant.pay.tools import TOOLS as PAY
from lapel.assistant.personal import load_words
from lapel.assistant.personal.reading import requests
from lapel.assistant.personal.tools import TOOLS as PERSONAL
from lapel.assistant.rides import grammar as riding
from lapel.assistant.rides.tools import TOOLS as RIDES
from lapel.assistant.tables import load_table_words
from lapel.assistant.tables import reading as dining
from lapel.assistant.tables.tools import TOOLS as TABLES
from lapel.assistant.travel import load_travel_words
from lapel.assistant.travel import reading as travelling
from lapel.assistant.travel.tools import TOOLS as TRAVEL
from lapel.brain import AddressLabel, Brain, Frame, Menu, MenuItem, Source, Utterance
from lapel.brain.grounding import grounded, located
from lapel.brain.provenance import Words
from lapel.brain.tools import Ask, Call, Proposal, Request, Tool
from lapel.commerce import Money
from lapel.services.connected import Server
from lapel.services.connected import Tool as Forecast

pytestmark = pytest.mark.unit

MENU = Menu(
    "m",
    "Corner",
    (MenuItem("1", "Latte", Money(400, "EUR")), MenuItem("2", "Muffin", Money(300, "EUR"))),
)
BRAIN = Brain((MENU,), (AddressLabel("office"), AddressLabel("home")))
WORDS, TABLE_WORDS, TRAVEL_WORDS = load_words(), load_table_words(), load_travel_words()


def ordered(text: str) -> Any:
    understood = BRAIN.understand(Utterance(text, Source.TYPED), Frame())
    return understood if understood.actions or understood.is_order else None


READERS: tuple[tuple[str, tuple[Tool, ...], Callable[[str], Any]], ...] = (
    ("personal", PERSONAL, lambda text: requests(text, WORDS)),
    ("list", LIST_TOOLS, lists.read),
    ("rides", RIDES, riding.read),
    ("pay", PAY, paying.read),
    ("tables", TABLES, lambda text: dining.read(text, TABLE_WORDS)),
    ("travel", TRAVEL, lambda text: travelling.read(text, TRAVEL_WORDS)),
    ("guide", GUIDE, guiding.asked),
    ("shop", SHOP_TOOLS, shop_grammar.read),
    ("cart", CART_TOOLS, ordered),
)
"""In the order in which they are asked."""
ALL = [(owner, tool) for owner, tools, _ in READERS for tool in tools]


def cases() -> list[Any]:
    """Each tool with all of its example, and with what is required alone."""
    found = []
    for owner, tool in ALL:
        needed = {each.name for each in tool.parameters if each.required}
        few = tuple(name for name in tool.example if name in needed)
        for given in dict.fromkeys((tuple(tool.example), few)):
            arguments = {name: tool.example[name] for name in given}
            found.append(pytest.param(owner, tool, arguments, id=f"{tool.name}-{'-'.join(given)}"))
    return found


def sentence(tool: Tool, arguments: dict[str, str]) -> str:
    words = Words(Utterance(" , ".join(arguments.values()) or "x", Source.TYPED))
    said = {name: words.said(text) for name, text in arguments.items()}
    assert all(said.values())
    return Call(tool, words, said).sentence().text  # type: ignore[arg-type]


@pytest.mark.parametrize(("owner", "tool", "arguments"), cases())
def test_the_sentence_of_a_tool_is_claimed_by_its_skill(
    owner: str, tool: Tool, arguments: dict[str, str]
):
    said = sentence(tool, arguments)
    claimed = next((name for name, _, read in READERS if read(said) is not None), None)
    assert claimed == owner, said


def test_names_are_given_once_and_examples_are_complete():
    names = [tool.name for _, tool in ALL]
    assert len(set(names)) == len(names)
    for _, tool in ALL:
        parameters = {each.name: each for each in tool.parameters}
        assert set(tool.example) <= set(parameters), tool.name
        assert {name for name, each in parameters.items() if each.required} <= set(tool.example), (
            tool.name
        )
        assert all(each.ask for each in parameters.values() if each.required), tool.name


@pytest.mark.parametrize("tool", [tool for _, tool in ALL if tool.said], ids=lambda tool: tool.name)
def test_an_example_says_its_arguments(tool: Tool):
    words = Words(Utterance(tool.said, Source.TYPED))
    for name, value in tool.example.items():
        assert located(value, words) is not None, name


@pytest.mark.parametrize("tool", [tool for _, tool in ALL if tool.said], ids=lambda tool: tool.name)
def test_an_example_is_one_that_no_grammar_reads(tool: Tool):
    """Else it would never come to a model."""
    assert [name for name, _, read in READERS if read(tool.said) is not None] == []


@pytest.mark.parametrize(
    "time", ["nine", "9 am", "half past seven", "at eight", "tomorrow at six", "in ten minutes"]
)
@pytest.mark.parametrize("day", ["", "tomorrow", "on friday"])
@pytest.mark.parametrize("name", ["ride", "book_table", "remind", "alarm"])
def test_times_as_they_are_said(name: str, day: str, time: str):
    if day and time not in ("nine", "9 am", "half past seven", "at eight"):
        pytest.skip("a day is in it")
    owner, tool = next((owner, tool) for owner, tool in ALL if tool.name == name)
    given = {"time": time, **({"day": day} if day else {})}
    needed = {each.name: tool.example[each.name] for each in tool.parameters if each.required}
    said = sentence(tool, {**needed, **given})
    claimed = next((found for found, _, read in READERS if read(said) is not None), None)
    assert claimed == owner, said


def test_a_connected_service_is_asked_by_its_name():
    server = Server("s", "weather", tools=(Forecast("forecast"), Forecast("warnings " + "x" * 200)))
    (tool,) = connected_tools((server,))
    assert connected_tools(()) == ()
    assert "weather: forecast, warnings" in tool.description
    assert len(tool.description) < 200
    words = Words(Utterance("could weather do its forecast for Oslo", Source.TYPED))
    proposal = Proposal("ask_service", {"service": "weather", "thing": "forecast", "words": "Oslo"})
    call = grounded(proposal, Request(words, (tool,)))
    assert isinstance(call, Call)
    wish = asking.read(call.sentence().text, (server,))
    assert isinstance(wish, asking.UseTool)
    assert (wish.tool.name, wish.words) == ("forecast", "Oslo")
    unnamed = Request(Words(Utterance("what is the forecast for Oslo", Source.TYPED)), (tool,))
    assert isinstance(grounded(proposal, unnamed), Ask)
