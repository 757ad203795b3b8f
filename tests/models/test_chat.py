"""A real server answers well, wrongly or without end: what comes of it is a call, words or a ModelFailed."""

from __future__ import annotations

import asyncio
import logging
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from starlette.responses import RedirectResponse

from lapel.brain import Source, Utterance
from lapel.brain.provenance import Said, Words
from lapel.brain.tools import Answer, Ask, Call, Parameter, Proposal, Request, Tool
from lapel.models import Cascade, Chat, Endpoint, Listing, ModelFailed, open_models
from serving import serving
from talker import Talker, breaks, calls, endless, pieces, refuses, says, whole

pytestmark = pytest.mark.net

RIDE = Tool(
    "ride",
    "get a ride",
    ("a ride", " from {pickup}", " to {destination}"),
    (
        Parameter("destination", "where to", required=True, ask="Where to?"),
        Parameter("pickup", "where from"),
    ),
    said="run me over to the station",
    example={"destination": "the station"},
)
STATUS = Tool("status", "where the order is", ("where is my order",), effect=False)


def request(
    text: str = "could somebody run me over to the airport", *, withheld: bool = False
) -> Request:
    return Request(Words(Utterance(text, Source.VOICE)), (RIDE, STATUS), withheld=withheld)


async def propose(talker: Talker, style: str = "tools", key: str = "") -> Proposal:
    async with serving(talker.app) as origin, open_models() as http:
        return await Chat(http, f"{origin}/v1", "m", key, style, True).propose(request())  # type: ignore[arg-type]


async def test_a_call_in_pieces_and_what_was_sent():
    talker = Talker([calls("ride", destination="the airport")])
    assert await propose(talker, key="sk-1") == Proposal("ride", {"destination": "the airport"})
    (body,) = talker.asked
    assert talker.keys == ["Bearer sk-1"]
    assert body["stream"] is True
    assert body["messages"][-1] == {
        "role": "user",
        "content": "could somebody run me over to the airport",
    }
    assert [tool["function"]["name"] for tool in body["tools"]] == ["ride", "status"]
    assert body["tools"][0]["function"]["parameters"]["required"] == ["destination"]


async def test_without_a_key_none_is_sent():
    talker = Talker([says("hello")])
    await propose(talker)
    assert talker.keys == [None]


async def test_json_for_models_without_calls():
    talker = Talker(
        [says('{"tool": "ride", "arguments": {"destination": "the airport", "pickup": null}}')]
    )
    assert await propose(talker, "json") == Proposal("ride", {"destination": "the airport"})
    (body,) = talker.asked
    assert "tools" not in body
    assert body["response_format"]["type"] == "json_schema"
    assert {"role": "user", "content": "run me over to the station"} in body["messages"]


@pytest.mark.parametrize(
    ("text", "style", "proposal"),
    [
        ("Paris is the capital of France.", "tools", Proposal(text="Paris is the capital of France.")),
        ('{"tool": "none"}', "json", Proposal()),
        ('{"tool": "none", "say": "Paris."}', "json", Proposal(text="Paris.")),
        ('```json\n{"name": "ride", "arguments": {"destination": ["a", "b"]}}\n```', "tools",
         Proposal("ride", {"destination": "a and b"})),
        ('{"tool": "ride", "arguments": "x"}', "json", Proposal("ride")),
    ],
)  # fmt: skip
async def test_words(text: str, style: str, proposal: Proposal):
    assert await propose(Talker([whole(text)]), style) == proposal
    assert await propose(Talker([says(text)]), style) == proposal


@pytest.mark.parametrize(
    "reply",
    [
        refuses(401),
        refuses(500),
        breaks,
        whole("not json at all"),
        pieces(
            {"tool_calls": [{"index": 0, "function": {"name": "ride", "arguments": "{broken"}}]}
        ),
        lambda body: RedirectResponse("http://elsewhere.example/"),
    ],
)
async def test_what_cannot_be_used(reply):
    with pytest.raises(ModelFailed) as failed:
        await propose(Talker([reply]), "json")
    assert "airport" not in str(failed.value)


async def test_an_answer_that_does_not_end_is_cut_off_and_ends_at_the_server():
    talker = Talker([])
    talker.replies.append(endless(talker))
    with pytest.raises(ModelFailed, match="does not end"):
        await propose(talker)
    async with asyncio.timeout(30):
        await talker.left.wait()


async def test_nobody_there():
    async with open_models() as http:
        with pytest.raises(ModelFailed, match="cannot be reached"):
            await Chat(http, "http://127.0.0.1:9/v1", "m").propose(request())


# The cascade. ---------------------------------------------------------------------------------


async def think(
    tmp_path: Path, *talkers: Talker, asked: Request | None = None, patience_s: float = 20.0
):
    """What models at these servers come to, asked in this order; and the cascade."""
    listing = Listing(tmp_path)
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(open_models())
        cascade = Cascade(listing, http, patience_s=patience_s)
        assert not cascade.ready
        assert await cascade.think(request()) is None
        for at, talker in enumerate(talkers):
            origin = await stack.enter_async_context(serving(talker.app))
            listing.add(Endpoint(f"m{at}", f"{origin}/v1", "m"))
        assert cascade.ready
        return await cascade.think(asked or request()), cascade


async def test_the_next_model_is_asked_when_one_does_not_help(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.DEBUG, "lapel")
    first, second = (
        Talker([refuses(503)]),
        Talker([calls("ride", destination="airport", pickup="my hotel")]),
    )
    third = Talker([calls("status")])
    thought, cascade = await think(tmp_path, first, second, third)
    assert isinstance(thought, Call)
    assert {name: said.text for name, said in thought.arguments.items()} == {
        "destination": "airport"
    }
    assert thought.sentence().text == "a ride to airport"
    assert third.asked == []
    assert (cascade.used["m0"].failed, cascade.used["m1"].helped) == (1, 1)
    assert "airport" not in caplog.text


async def test_an_argument_is_the_users_words_and_not_the_models(tmp_path: Path):
    thought, _ = await think(tmp_path, Talker([calls("ride", destination="The Airport!")]))
    assert isinstance(thought, Call)
    said = thought.arguments["destination"]
    assert isinstance(said, Said)
    assert said.words.text[said.start : said.end] == said.text == "airport"


async def test_an_invented_argument_is_asked_for(tmp_path: Path):
    thought, _ = await think(tmp_path, Talker([calls("ride", destination="Heathrow Terminal 5")]))
    assert isinstance(thought, Ask)
    assert (thought.text, thought.missing) == ("Where to?", "destination")


async def test_a_tool_that_there_is_not(tmp_path: Path):
    thought, _ = await think(tmp_path, Talker([calls("delete_everything", path="the airport")]))
    assert thought is None


async def test_words_that_ask_for_nothing_call_nothing(tmp_path: Path):
    withheld = request("don't run me over to the airport", withheld=True)
    thought, _ = await think(
        tmp_path / "a", Talker([calls("ride", destination="airport")]), asked=withheld
    )
    assert thought is None
    thought, _ = await think(tmp_path / "b", Talker([calls("status")]), asked=withheld)
    assert isinstance(thought, Call)  # to be told something is no effect


async def test_words_count_when_no_model_finds_a_call(tmp_path: Path):
    thought, _ = await think(
        tmp_path, Talker([says("It is about ten kilometres away.")]), Talker([whole("")])
    )
    assert thought == Answer("It is about ten kilometres away.", "m0")


async def test_words_that_claim_a_deed_are_not_told(tmp_path: Path):
    thought, _ = await think(tmp_path, Talker([says("I have ordered your ride to the airport.")]))
    assert thought is None


async def test_the_patience_is_for_all_together(tmp_path: Path):
    talker = Talker([])
    talker.replies.append(endless(talker, every_s=0.05))
    second = Talker([calls("ride", destination="airport")])
    thought, cascade = await think(tmp_path, talker, second, patience_s=0.3)
    assert thought is None
    assert second.asked == []
    assert cascade.used["m0"].failed == 1
