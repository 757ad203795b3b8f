"""What was ordered: forms with a count and what was said about each."""

from __future__ import annotations

from dataclasses import dataclass, field

from lapel.brain.forms.schema import Values
from lapel.brain.forms.tree import Node


@dataclass(frozen=True, slots=True)
class Said:
    """One value of an order: unwanted when `negative`, with an amount where one was said.

    It is said by tokens `start` to `end` (exclusive), with its amount from `opens` on.
    """

    slot: str
    values: Values
    negative: bool = False
    amount: str = ""
    shared: bool = False
    start: int = field(default=-1, compare=False)
    end: int = field(default=-1, compare=False)
    opens: int = field(default=-1, compare=False)


@dataclass(frozen=True, slots=True)
class Ordered:
    """One order: a form, how many, and what was said about it in the order in which it was.

    While it is read, `each` is true for a number of all the orders before, too, and `named` is 2
    where the form was called by its name, 1 where a value tells it, 0 where it is a guess.
    `noun` are the tokens that only say what kind of thing it is, if any do.
    """

    form: str
    number: int
    said: tuple[Said, ...]
    each: bool = False
    named: int = 0
    noun: tuple[int, int] | None = field(default=None, compare=False)

    def tree(self) -> Node:
        """As in the PIZZA sets: amounts are COMPLEX, unwanted values NOT, several meanings OR."""
        nodes = [Node.of("NUMBER", [str(self.number)])]
        for said in self.said:
            leaf: Node | str = said.values[0]
            if len(said.values) > 1:
                leaf = Node.of("OR", said.values)
            node = Node.of(said.slot, [leaf])
            if said.amount:
                node = Node.of("COMPLEX", [Node.of("QUANTITY", [said.amount]), node])
            nodes.append(Node.of("NOT", [node]) if said.negative else node)
        return Node.of(self.form, nodes)


@dataclass(frozen=True, slots=True)
class Read:
    """The orders of a sentence and what it cost to find them.

    `unknown` are the places of tokens that mean nothing; `talk` counts phrases no order is made of.
    """

    orders: tuple[Ordered, ...]
    cost: float
    unknown: tuple[int, ...]
    talk: int
