"""What a shop does with what it is asked, and leaves unsaid: learned from recorded dialogues.

An API can be used in more ways than one, and its recordings have their habits: whether a question
is answered by the menu or by a look-up, which words of a customer are written down. They are
counted, no more: what was done most often when something like it was asked.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field

from lapel.brain.questions import Asks

Names = tuple[str, ...]
_UNSAID_AT_LEAST = 2
_MOSTLY = 0.4


@dataclass(slots=True)
class Habits:
    """`unsaid` are words that no note repeats. Answers are counted by what was asked about."""

    unsaid: set[str] = field(default_factory=set[str])
    _by_topic: dict[tuple[Asks, str], Counter[Names]] = field(
        default_factory=lambda: defaultdict(Counter)
    )

    def count(self, asks: Asks, topic: str, answered: Names) -> None:
        """Notes how a question was answered: by its words, by each of them, and by its kind."""
        for words in _scopes(topic):
            self._by_topic[asks, words][answered] += 1

    def answer(self, asks: Asks, topic: str) -> Names:
        """What was mostly done: for the same words, else for some of them, else for any."""
        for words in _scopes(topic):
            found = self._by_topic.get((asks, words))
            if found:
                return found.most_common(1)[0][0]
        return ("show_menu",) if not topic else ("get_menu_items",)

    def leave_unsaid(self, heard: Counter[str], noted: Counter[str]) -> None:
        """Words that were heard several times, and mostly not for a note that held them."""
        self.unsaid |= {
            word
            for word, times in heard.items()
            if times >= _UNSAID_AT_LEAST and noted[word] < times * _MOSTLY
        }


def _scopes(topic: str) -> list[str]:
    words = topic.split()
    return [topic, *(f"*{word}" for word in words if len(words) > 1 or topic), "**"]
