"""Orders as trees: read from and written as s-expressions, compared without regard to order."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

_PIECE = re.compile(r"[()]|[^\s()]+")


@dataclass(frozen=True, slots=True, order=True)
class Node:
    """A node with its label; a leaf has no children. Children are kept sorted."""

    label: str
    children: tuple[Node, ...] = ()

    @classmethod
    def of(cls, label: str, children: Iterable[Node | str]) -> Node:
        """A node over nodes and words; several words become one leaf."""
        nodes = [child for child in children if isinstance(child, Node)]
        words = [child for child in children if isinstance(child, str)]
        return cls(label, tuple(sorted([*nodes, *(Node(word) for word in words)])))

    def __str__(self) -> str:
        if not self.children:
            return self.label
        return f"({self.label} {' '.join(str(child) for child in self.children)} )"


def read(text: str) -> tuple[Node, ...]:
    """The trees of an s-expression, sorted; ValueError when its brackets do not match."""
    stack: list[tuple[str, list[Node], list[str]]] = [("", [], [])]
    pieces = _PIECE.findall(text)
    at = 0
    while at < len(pieces):
        piece = pieces[at]
        if piece == "(":
            at += 1
            if at >= len(pieces) or pieces[at] in "()":
                raise ValueError("a bracket without a label")
            stack.append((pieces[at], [], []))
        elif piece == ")":
            if len(stack) == 1:
                raise ValueError("a bracket too many")
            label, nodes, words = stack.pop()
            leaves = _leaves(label, words)
            stack[-1][1].append(Node(label, tuple(sorted([*nodes, *leaves]))))
        else:
            stack[-1][2].append(piece)
        at += 1
    if len(stack) != 1 or stack[0][2]:
        raise ValueError("a bracket is missing")
    return tuple(sorted(stack[0][1]))


def _leaves(label: str, words: list[str]) -> list[Node]:
    """Words of one value are one leaf ("2 liter"); those of an OR are one each."""
    if label == "OR":
        return [Node(word) for word in words]
    return [Node("_".join(words))] if words else []
