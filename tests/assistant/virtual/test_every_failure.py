"""Every code that there is, to what is heard, seen and printed of it: what happened, what it cost, what can be done."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from stage.failing import (
    OF_BANKS,
    OF_SHOPS,
    last,
    parts,
)
from stage.wearing import EARBUDS, PHONE, Worn
from stage.world import World
from typer.testing import CliRunner

from lapel.assistant.actor import SORRY
from lapel.assistant.approving import WORDS as GESTURES
from lapel.assistant.approving import Meaning
from lapel.assistant.consenting import _WORDS as QUESTIONS
from lapel.assistant.ordering import Costless, told
from lapel.assistant.skills import Heard, Outcome
from lapel.cli import app
from lapel.commerce import (
    Nonsense,
    Refused,
    Unreachable,
    words,
)
from lapel.devices import CardAction
from lapel.failures import FAILURES, SECTIONS, Code, Way
from lapel.services.connectors.ucp import refusals

pytestmark = pytest.mark.unit

PAGE = (Path(__file__).parents[3] / "docs" / "errors.md").read_text("utf-8")


class Failing:
    """A skill that fails as it is told to."""

    def __init__(self) -> None:
        self.error: Exception = Refused("")
        self.heard = 0

    async def hear(self, heard: Heard) -> Outcome | None:
        if heard.words.text != "do the thing":
            return None
        self.heard += 1
        return await told(self._fail(), Costless("Nobody answers.", "Nothing was booked."))

    async def _fail(self) -> Outcome:
        raise self.error

    async def undo(self, turn: int) -> None:
        pass

    async def pressed(self, topic: str, action: str) -> Outcome | None:
        return None

    def hints(self) -> tuple[str, ...]:
        return ()


SLOT = re.compile(
    r"[{}<>%]|\b(None|null|nan|ID|URL|FILE)\b|  | [.,;?!]|\.\.|\(\)|\"\"|''|^\W|[:,;]\.?$"
)
"""What is left where something should have been filled in."""
JARGON = re.compile(
    r"\b(protocol|payload|tokens?|JSON|HTTP|exceptions?|traceback|schema|UCP|AP2|ACP|MCP|API|hash|"
    r"webhooks?|idempoten\w+|endpoint|mandates?|nonce|epoch|workflow|stack|boolean|parse\w*)\b"
)
CODES = re.compile(rf"\b({'|'.join(code for code in FAILURES if '_' in code)})\b")
COST = re.compile(r"[Nn]othing (\w+ )?(was|is)\b|[Ii]t costs? |pay once|comes back")


def plain(text: str) -> None:
    """Whole sentences, in words that nobody has to look up."""
    bare = re.sub(r"`[^`]*`", "x", text)
    for pattern in (SLOT, JARGON, CODES):
        assert pattern.search(bare) is None, text
    assert all(part[0].isupper() or part[0] in '`"' for part in parts(bare)), text


def for_the_ear(text: str) -> None:
    plain(text)
    assert not re.search(r"[`\"_/()]|--", text), text
    assert len(parts(text)) <= 5, text


def printed(code: Code) -> str:
    return CliRunner().invoke(app, ["explain", code]).output


def holds_whole(code: Code, said: str, shown: str, actions: tuple[CardAction, ...]) -> None:
    """What happened, what it cost and what can be done: heard, seen, printed and on the page."""
    row = FAILURES[code]
    happened, cost, remedy = (f"{part}." for part in (row.happened, row.cost, row.remedy))
    for_the_ear(said)
    plain(shown)
    for text in (said, shown):
        assert text.startswith(happened)
        rest = text.removeprefix(happened).strip()
        assert COST.match(rest), text
        last = parts(text)[-1]
        assert len(last) > 8, text
        assert not COST.match(last), f"{text!r} says nothing of what can be done"
    if row.way not in (Way.ELSEWHERE, Way.REST, Way.PLACE, Way.AGAIN):  # of an order's cart alone
        assert shown.endswith(remedy.replace("`", ""))
    assert (actions != ()) == (row.way in (Way.AGAIN, Way.BANK, Way.LIMIT))
    explained = printed(code)
    page = re.search(rf'^\| .*<a id="{code}">.*$', PAGE, re.MULTILINE)
    assert page is not None
    for text in (explained, page[0]):
        assert all(part.rstrip(".") in text for part in (happened, cost, remedy))
    for part in (happened, cost, remedy):
        plain(part)


async def test_every_code_that_there_is_says_what_happened_what_it_cost_and_what_can_be_done() -> (
    None
):
    """By the lowest seam that all of them have: what a skill was refused. Each remedy works."""
    world, skill = World(), Failing()
    world.voices = None
    world.skills = lambda user_id: [skill]
    async with world:
        (phone,) = await world.wear(PHONE)
        for code in sorted(FAILURES):
            row = FAILURES[code]
            skill.error = Refused(f"{row.happened}.", code=code)
            heard, known = skill.heard, len(phone.told())
            phone.type("do the thing")
            await world.until(
                lambda heard=heard, known=known: (
                    skill.heard > heard and any(cue.card for cue in phone.told()[known:])
                )
            )
            cue = [cue for cue in phone.told() if cue.card is not None][-1]
            assert cue.card is not None
            said = cue.speech or speech_of(world)
            holds_whole(code, said, cue.card.body, cue.card.actions)
            if row.way in (Way.AGAIN, Way.BANK, Way.LIMIT):
                await is_tried_again(world, phone, skill, said)
        assert world.street.holds() == []


async def is_tried_again(world: World, phone: Worn, skill: Failing, said: str) -> None:
    """By each of the ways that were offered."""
    assert said.rstrip("?.").endswith("try again")
    for trial in (*(["yes"] if said.endswith("?") else []), "try again", "[again]"):
        count = skill.heard
        if trial == "[again]":
            phone.tap("again", "reply")
        else:
            phone.type(trial)
        await world.until(lambda count=count: skill.heard == count + 1)
        await world.passes(0.5)


WRITTEN = {
    **{f"gesture:{name}": text for name, text in GESTURES.items() if name is not Meaning.NOTHING},
    **{f"question:{name}": text for name, text in QUESTIONS.items()},
    "fault": SORRY,
}


@pytest.mark.parametrize("name", WRITTEN)
def test_a_gesture_that_does_nothing_says_so_and_what_to_do(name: str) -> None:
    text = WRITTEN[name]
    for_the_ear(text)
    assert re.search(r"othing (new )?was (ordered|done)", text), text
    assert not COST.match(parts(text)[-1]), text
    assert set(GESTURES) == set(QUESTIONS)


@pytest.mark.parametrize("code", sorted(refusals._WORDS))
def test_what_a_shop_refuses_is_said_with_its_name(code: Code) -> None:
    text = refusals.words_of(code, "Blue Door", "The muffin")
    for_the_ear(text)
    assert "Blue Door" in text or "The muffin" in text or "{" not in refusals._WORDS[code]


@pytest.mark.parametrize("name", [x for x in vars(words) if x.isupper()])
def test_the_words_of_an_order_are_plain(name: str) -> None:
    text = getattr(words, name)
    if isinstance(text, str) and text.endswith((".", "?")):
        plain(text)


def speech_of(world: World) -> str:
    cue = world.assistant.telling.last_said()
    assert cue is not None
    return cue.speech


async def test_a_service_that_is_silent_or_senseless() -> None:
    world, skill = World(), Failing()
    world.skills = lambda user_id: [skill]
    async with world:
        phone, earbuds = await world.wear(PHONE, EARBUDS)
        for error, said in (
            (Unreachable("x"), "Nobody answers. Nothing was booked. Shall I try again?"),
            (
                Nonsense("x"),
                "The answer that I got makes no sense. Nothing was booked. Tell me what you would like instead.",
            ),
        ):
            skill.error = error
            phone.type("do the thing")
            assert await last(world, earbuds) == said


ELSEWHERE_PROVOKED = {
    "What becomes of an order": "the user's own act, which needs no remedy: test_ordering.py",
    "When an order, a question or a limit is acted on": "a race of two answers, a question that is gone, words that say "
    "too little: test_confirming.py, test_consenting.py, test_limits.py, tests/commerce",
    "When a shop or a bank is asked": "of rides, journeys, tables, transfers and services, or a message that breaks the "
    "protocol and is taken for nonsense: tests/services, tests/system",
    "Receipts, keys and mandates": "a file of the user's, read by a command alone: tests/commerce, tests/cli",
    "Lapel itself": "a machine, a file or a command at fault: tests/cli, tests/system/test_starting.py, tests/store",
    "Devices": "told to a device's maker, in the protocol: tests/devices",
}
"""Why the other codes of a section are not provoked on the whole road; each is provoked at the seam of skills above."""


def test_every_code_is_provoked_or_there_is_a_reason() -> None:
    provoked = {
        *OF_SHOPS, *OF_BANKS, "quote_failed", "nonsense", "lapsed", "unreachable", "place_failed", "over_limit", "trouble",
        "price_changed", "merchant_canceled", "refunded", "refund_failed", "refund_overdue", "late",
        "escalated",
    }  # fmt: skip
    assert provoked <= set(FAILURES)
    left = {
        section.title: [c for row in section.rows for c in row.codes if c not in provoked]
        for section in SECTIONS
    }
    assert left["What becomes of an order"] == ["canceled", "refused"]
    assert set(left) == set(ELSEWHERE_PROVOKED)
    assert len(provoked) > 30
