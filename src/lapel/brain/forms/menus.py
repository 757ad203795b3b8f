"""A merchant's catalogue as a schema: items that share their options are one form."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from itertools import combinations

from lapel.brain.forms.schema import Form, Schema, Slot, Values
from lapel.brain.language import Language
from lapel.brain.menu import Menu, MenuItem, OptionGroup

ITEM = "item"
"""The slot that says which item it is; its values are places in the menu."""
_MOST_WORDS = 4


def schema_of(menu: Menu, language: Language) -> Schema:
    """The menu as forms "0", "1", ...: what is said of an option is its group's slot.

    A slot of options is called by its group's place among all groups, and its values by their ids.
    """
    slots: dict[OptionGroup, Slot] = {}
    forms: list[Form] = []
    for groups, places in _kinds(menu).items():
        for group in groups:
            if group not in slots:
                slots[group] = _options(group, f"{len(slots)}", language)
        items = _items(menu.items, places, f"{ITEM}{len(forms)}", language)
        nouns = _nouns(menu, places, items)
        forms.append(Form(f"{len(forms)}", (items, *(slots[group] for group in groups)), nouns))
    return Schema(tuple(forms))


def places_of(menu: Menu) -> list[list[int]]:
    """For each form of `schema_of` the places of its items in the menu."""
    return list(_kinds(menu).values())


def _kinds(menu: Menu) -> dict[tuple[OptionGroup, ...], list[int]]:
    """The places of the items that have the same options, by these; the first kind first."""
    kinds: dict[tuple[OptionGroup, ...], list[int]] = defaultdict(list)
    for place, item in enumerate(menu.items):
        kinds[item.groups].append(place)
    return kinds


def _items(items: Sequence[MenuItem], places: Sequence[int], name: str, language: Language) -> Slot:
    said: dict[str, set[str]] = defaultdict(set)
    short: dict[str, set[str]] = defaultdict(set)
    for place in places:
        for title in (items[place].title, *items[place].aliases):
            words = _words(title, language)
            said[" ".join(words)].add(str(place))
            bare = [word for word in words if language.stem(word) not in language.name_glue]
            for size in range(len(bare) - 1, 0, -1) if len(bare) <= _MOST_WORDS else ():
                for part in combinations(bare, size):
                    if not part[0].isdigit():
                        short[" ".join(part)].add(str(place))
    return Slot(name, _sorted(said), short=_sorted(short, said), core=True, titles=())


def _options(group: OptionGroup, name: str, language: Language) -> Slot:
    said: dict[str, set[str]] = defaultdict(set)
    short: dict[str, set[str]] = defaultdict(set)
    titles = [_words(value.title, language) for value in group.values]
    heads = Counter(words[-1] for words in titles if len(words) > 1)
    for value, words in zip(group.values, titles, strict=True):
        for title in (value.title, *value.aliases):
            said[" ".join(_words(title, language))].add(value.id)
        if len(words) > 1 and heads[words[-1]] > 1:
            short[" ".join(words[:-1])].add(value.id)
    topic = tuple(_words(group.title, language)) if group.multiple else ()
    # The values of a measure ("A little") are amounts of another group's: the cart sees to it.
    named = {words: values for words, values in said.items() if not language.amount_of(words)}
    return Slot(
        name,
        _sorted(named),
        qualified=group.multiple,
        negatable=group.multiple,
        short=_sorted(short, named),
        titles=topic,
    )


def _nouns(menu: Menu, places: Sequence[int], items: Slot) -> tuple[str, ...]:
    """What kinds of things the items are."""
    categories = {menu.items[place].category.lower() for place in places} - {""}
    return tuple(sorted(categories - set(items.said) - set(items.short)))


def _words(title: str, language: Language) -> list[str]:
    return [token.text for token in language.tokens(title)]


def _sorted(
    named: dict[str, set[str]], but: dict[str, set[str]] | None = None
) -> dict[str, Values]:
    return {
        words: tuple(sorted(v)) for words, v in named.items() if words and words not in (but or ())
    }
