"""What the assistant can do, as tools to choose from; and the seam of everything that chooses.

    Request (the user's words, the tools) --> Thinker --> Call | Ask | Answer | None

A call is acted on only by saying its tool's sentence to the assistant, with arguments that are the
user's own words or things on record. So whoever chooses, however cleverly or badly, reaches nothing
that the user could not have said, and limits, questions and approvals stay as they are.
"""

from __future__ import annotations

import string
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, LiteralString, Protocol

from lapel.brain.numerals import is_clock
from lapel.brain.provenance import Argument, Facts, Tainted, Words

_NOTHING: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class Parameter:
    """One argument of a tool. `required` where its sentence cannot do without.

    What the assistant asks for by itself is not required. `ask` is the question for it. `when` is
    set for times and days, which are said with small words of their own: "in an hour", "on Friday".
    """

    name: str
    description: str
    required: bool = False
    ask: str = ""
    when: bool = False


@dataclass(frozen=True, slots=True)
class Tool:
    """`phrase` is the sentence that does it, in parts; one with an argument that is not given is
    left out. `effect` is false where it only tells something.

    `said` is an example that the grammars need not understand, `example` its arguments. `asking`
    are the words by which people ask for it: without one of them it is not called for a request in
    which anybody else's text was read.
    """

    name: str
    description: str
    phrase: tuple[LiteralString, ...]
    parameters: tuple[Parameter, ...] = ()
    effect: bool = True
    calls_off: bool = False
    """Undoes something: a no in the words is what it is for."""
    said: str = ""
    example: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    asking: frozenset[str] = frozenset()

    def parameter(self, name: str) -> Parameter | None:
        """The parameter of that name."""
        return next((each for each in self.parameters if each.name == name), None)

    def template(self, given: Mapping[str, str]) -> LiteralString:
        """The sentence for these arguments, as a template for `Words.saying`."""
        sentence: LiteralString = ""
        for part in self.phrase:
            names = names_in(part)
            if names <= set(given):
                at = part.startswith(" at {") and not all(is_clock(given[name]) for name in names)
                bare = at and any(x.when and x.name in names for x in self.parameters)
                sentence += part.removeprefix(" at") if bare else part
        return sentence

    @property
    def schema(self) -> dict[str, Any]:
        """The parameters as JSON Schema: all are strings, in the user's words."""
        return {
            "type": "object",
            "properties": {
                each.name: {"type": "string", "description": each.description}
                for each in self.parameters
            },
            "required": [each.name for each in self.parameters if each.required],
            "additionalProperties": False,
        }


@dataclass(frozen=True, slots=True)
class Request:
    """`words` are the user's; `facts` what may be named by them.

    `withheld` where they ask for nothing, such as "don't order anything": then no tool with an
    effect is called for them. `read` is what the thinker is shown of anybody else: then a tool with
    an effect is called only where the user's own words ask for it.
    """

    words: Words
    tools: tuple[Tool, ...]
    facts: Facts = field(default_factory=lambda: Facts({}))
    withheld: bool = False
    read: tuple[Tainted, ...] = ()


@dataclass(frozen=True, slots=True)
class Call:
    """A tool, and each argument with where it comes from."""

    tool: Tool
    words: Words
    arguments: Mapping[str, Argument]

    def sentence(self) -> Words:
        """What does it, as the user could have said it."""
        template = self.tool.template({name: x.text for name, x in self.arguments.items()})
        used = {name: self.arguments[name] for name in names_in(template)}
        return self.words.saying(template, **used)


@dataclass(frozen=True, slots=True)
class Ask:
    """The one question that the call waits for; what answers it is its argument `missing`."""

    text: str
    call: Call
    missing: str

    def answered(self, said: Argument) -> Call:
        """The call with the answer."""
        return Call(self.call.tool, self.call.words, {**self.call.arguments, self.missing: said})


@dataclass(frozen=True, slots=True)
class Answer:
    """Words of a model named `model`: to be told as such, and never acted on."""

    text: str
    model: str


Thought = Call | Ask | Answer | None


class Thinker(Protocol):
    """What finds out what was meant where the grammars do not."""

    @property
    def ready(self) -> bool:
        """Whether there is anything that can be asked."""
        ...

    async def think(self, request: Request) -> Thought:
        """What the words call for; None when it is nothing that the tools can do.

        Raises nothing but cancellation: what cannot be reached is as good as none.
        """
        ...


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a model gave: a tool with arguments, or its own words. Nothing of it is trusted."""

    tool: str = ""
    arguments: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    text: str = ""


def names_in(template: str) -> set[str]:
    """The arguments that a part of a sentence needs."""
    return {name for _, name, _, _ in string.Formatter().parse(template) if name}
