"""A merchant's catalogue as an index of names, built once a menu version."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import combinations

from lapel.brain.language import Language
from lapel.brain.menu import Menu, MenuItem, OptionGroup, OptionValue

EXACT = 1.0
_MOST_WORDS = 6


@dataclass(slots=True)
class Name:
    """What a phrase names in one catalogue.

    `items` maps an item's place in the menu to how well the phrase fits it.
    """

    key: str
    items: dict[int, float] = field(default_factory=dict[int, float])
    value: bool = False
    weak_value: bool = False
    group: bool = False
    category: bool = False
    words: int = 1

    @property
    def exact_items(self) -> tuple[int, ...]:
        return tuple(i for i, fit in self.items.items() if fit >= EXACT)


@dataclass(frozen=True, slots=True)
class Choice:
    """A value in a group of an item; `weak` when only part of its name was said."""

    group: int
    value: int
    weak: bool = False


@dataclass(slots=True)
class ItemIndex:
    """Names of one item's own options."""

    values: dict[str, list[Choice]] = field(default_factory=dict[str, list[Choice]])
    groups: dict[str, int] = field(default_factory=dict[str, int])
    amounts: dict[int, dict[str, int]] = field(default_factory=dict[int, dict[str, int]])
    none: dict[int, int] = field(default_factory=dict[int, int])
    words: tuple[str, ...] = ()
    kinds: dict[str, bool] = field(default_factory=dict[str, bool])


class MenuIndex:
    """Finds items and options by what people call them."""

    def __init__(self, menu: Menu, language: Language) -> None:
        self.menu = menu
        self.names: dict[str, Name] = {}
        self.items: list[ItemIndex] = []
        self.vocabulary: set[str] = set()
        self._stems: dict[str, tuple[str, ...]] = {}
        self._amounts: dict[OptionGroup, tuple[int | None, dict[str, int]]] = {}
        self._language = language
        self._group_cache: dict[OptionGroup, dict[int, list[tuple[tuple[str, ...], bool]]]] = {}
        for place, item in enumerate(menu.items):
            self._index_item(place, item)
        self._index_categories()
        self._index_kinds()
        self.longest = max((name.words for name in self.names.values()), default=1)
        titles = {frozenset(item.words) for item in self.items}
        self.telling_apart = {
            word for title in titles for word in title if title - {word} in titles
        }
        self.options = frozenset(key for key, name in self.names.items() if name.value)
        self.numbered: dict[str, list[str]] = {}
        for key, name in self.names.items():
            digits = key[: len(key) - len(key.lstrip("0123456789"))]
            if digits and digits != key and name.value:
                self.numbered.setdefault(digits, []).append(key)
        self.spoken = [
            key
            for key, name in self.names.items()
            if len(key) >= language.shortest
            and not key.isdigit()
            and (name.exact_items or name.value)
        ]

    def stems(self, title: str) -> tuple[str, ...]:
        found = self._stems.get(title)
        if found is None:
            tokens = self._language.tokens(title)
            found = self._stems[title] = tuple(self._language.stem(t.text) for t in tokens)
        return found

    def variant(self, place: int, words: Iterable[str]) -> int | None:
        """The item whose title is this one's with `words` in it: latte and iced, iced latte."""
        own, said = frozenset(self.items[place].words), frozenset(words)
        # A set of 8 pieces and "16 pieces" make the set of 16 pieces.
        uncounted = frozenset(word for word in own if not word.isdigit())
        for wanted in (own | said, uncounted | said):
            if wanted != own:
                for other, item in enumerate(self.items):
                    if frozenset(item.words) == wanted:
                        return other
        return None

    def _name(self, words: Iterable[str]) -> Name:
        parts = tuple(words)
        key = "".join(parts)
        name = self.names.get(key)
        if name is None:
            name = self.names[key] = Name(key, words=len(parts))
        name.words = max(name.words, len(parts))
        return name

    def _index_item(self, place: int, item: MenuItem) -> None:
        index = ItemIndex(words=self.stems(item.title))
        self.items.append(index)
        for title in (item.title, *item.aliases):
            words = self.stems(title)
            if all(map(self._language.is_function, words)):
                continue  # a dish called "Make it" is not what "make it three" is about
            self.vocabulary.update(words)
            for part, fit in self._parts(words):
                self.vocabulary.update(part)
                name = self._name(part)
                name.items[place] = max(fit, name.items.get(place, 0.0))
        for group_place, group in enumerate(item.groups):
            self._index_amounts(index, group_place, group)
        for group_place, group in enumerate(item.groups):
            if group_place not in index.amounts:
                self._index_group(index, group_place, group)
        for group_place in index.amounts:
            self._index_group(index, group_place, item.groups[group_place])

    def _parts(self, words: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], float]]:
        """The title itself, and what is left of it when words are left out."""
        for form in self._language.forms(words):
            yield form, EXACT
        bare = tuple(w for w in words if w not in self._language.name_glue)
        if bare and bare != words:
            yield bare, EXACT
        bare = bare[:_MOST_WORDS]
        for size in range(len(bare) - 1, 0, -1):
            for part in combinations(bare, size):
                # "6 pieces" of a title counts something; it names nothing by itself. Nor do the
                # words that orders are made of.
                if not part[0].isdigit() and not all(map(self._language.is_function, part)):
                    head = 0.1 if part[-1] == bare[-1] else 0.0
                    yield part, 0.4 + 0.4 * size / len(bare) + head

    def _index_group(self, index: ItemIndex, place: int, group: OptionGroup) -> None:
        spoken = self._group_cache.get(group)
        if spoken is None:
            spoken = self._group_cache[group] = self._value_names(group)
        for value_place, names in spoken.items():
            for words, weak in names:
                if place in index.amounts and self._measures_known(index, words):
                    continue
                name = self._name(words)
                name.value = name.value or not weak
                name.weak_value = name.weak_value or weak
                self.vocabulary.update(words)
                choice = Choice(place, value_place, weak)
                choices = index.values.setdefault("".join(words), [])
                if not any(c.group == place and c.value == value_place for c in choices):
                    choices.append(choice)
        title = self.stems(group.title)
        if title:
            self._name(title).group = True
            index.groups.setdefault("".join(title), place)
            self.vocabulary.update(title)

    def _measures_known(self, index: ItemIndex, words: tuple[str, ...]) -> bool:
        """Whether a name is an amount and an option ("a bit of milk"), to be read in two parts."""
        for start in range(1, len(words)):
            key = "".join(words[start:])
            if key in index.values or key in index.groups:
                return True
        return False

    def _value_names(self, group: OptionGroup) -> dict[int, list[tuple[tuple[str, ...], bool]]]:
        """For each value its full names, then the short ones that only a context makes clear."""
        titles = [
            [words for title in self._called(value) if (words := self.stems(title))]
            for value in group.values
        ]
        heads = Counter(words[0][-1] for words in titles if words and len(words[0]) > 1)
        names: dict[int, list[tuple[tuple[str, ...], bool]]] = {}
        for place, phrases in enumerate(titles):
            found = [(form, False) for words in phrases for form in self._language.forms(words)]
            for words in phrases:
                if counted := self._counted(words):
                    found.append((counted, False))
                short = all(self._language.is_function(word) for word in words[:-1])
                if len(words) > 1 and heads[words[-1]] > 1 and not short:
                    found.append((words[:-1], True))
            names[place] = list(dict.fromkeys(found))
        return names

    def _called(self, value: OptionValue) -> list[str]:
        """What an option is called in its catalogue, then what else in this language."""
        titles = [value.title, *value.aliases]
        return [
            *titles,
            *(other for title in titles for other in self._language.other_names(title)),
        ]

    def _counted(self, words: tuple[str, ...]) -> tuple[str, ...]:
        """The other way to say a multiple: "double shot" is "two shots"."""
        if len(words) < 2:
            return ()
        first, rest = words[0], words[1:]
        multiples = self._language.multiples
        if first in multiples:
            return (str(multiples[first]), *rest)
        return next(((w, *rest) for w, number in multiples.items() if first == str(number)), ())

    def _index_amounts(self, index: ItemIndex, place: int, group: OptionGroup) -> None:
        """A group whose values all name amounts ("A little", "Extra") measures another group."""
        known = self._amounts.get(group)
        if known is None:
            known = self._amounts[group] = self._amounts_of(group)
        none, amounts = known
        if none is not None:
            index.none[place] = none
        if len(amounts) > 1:
            index.amounts[place] = amounts

    def _amounts_of(self, group: OptionGroup) -> tuple[int | None, dict[str, int]]:
        """The value that means none of it, and the values by the amounts that all of them name."""
        none: int | None = None
        amounts: dict[str, int] = {}
        for value_place, value in enumerate(group.values):
            if self._is_none(value):
                none = value_place
        for value_place, value in enumerate(group.values):
            if self._is_none(value):
                continue
            amount = next(
                (a for t in (value.title, *value.aliases) if (a := self._language.amount_of(t))), ""
            )
            if not amount:
                return none, {}
            amounts.setdefault(amount, value_place)
        return none, amounts

    def _is_none(self, value: OptionValue) -> bool:
        first = self._language.tokens(value.title)[:1]
        return bool(first) and first[0].text in self._language.none_words

    def _index_categories(self) -> None:
        """A category's name stands for any of its items, unless an item is called so itself."""
        for place, item in enumerate(self.menu.items):
            words = self.stems(item.category)
            if not words:
                continue
            known = self.names.get("".join(words))
            if known and known.exact_items:
                continue
            name = self._name(words)
            name.category = True
            name.items.setdefault(place, 0.3)
            self.vocabulary.update(words)

    def is_kind(self, place: int, stems: Iterable[str], *, closely: bool) -> bool:
        """Whether all words say what kind of thing an item is; `closely` by its category alone."""
        kinds = self.items[place].kinds
        return all(kinds.get(stem, False) if closely else stem in kinds for stem in stems)

    def _index_kinds(self) -> None:
        """What an item may be called beside its name: its category, its shop's tags, its making."""
        glue = self._language.name_glue
        everywhere = [*self._language.servings, *self.menu.tags]
        for index, item in zip(self.items, self.menu.items, strict=True):
            for text in (*everywhere, item.title, *item.aliases, item.category, item.description):
                for stem in self.stems(text):
                    if len(stem) > 2 and stem not in glue:
                        index.kinds.setdefault(stem, False)
            # "Tea and more" are teas.
            head: list[str] = []
            for stem in self.stems(item.category):
                if stem in glue:
                    break
                head.append(stem)
            if head:
                index.kinds[head[-1]] = True
