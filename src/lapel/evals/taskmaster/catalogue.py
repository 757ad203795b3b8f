"""The menu of the dialogues, learned from what their API answers: names, options, add-ons.

Nobody publishes the catalogue behind these dialogues, but recorded calls state it: what was looked
up and then ordered is an item, what an item was said to take is an option. Names are typed by many
hands; a rare one that is nearly a frequent one is another way to write it.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from rapidfuzz import fuzz, process

from lapel.brain import Menu, MenuItem, OptionGroup, OptionValue
from lapel.brain.language import load_language
from lapel.commerce.money import Money
from lapel.evals.taskmaster.dialogues import Call, Dialogue

ADDONS = "addons"
_ORDER_SCOPE = "order"
_LIKE_ENOUGH = 82.0
_MISSPELT = 84.0
_TIMES_RARER = 4
_KIND_TIMES = 2
_ID_TAIL = re.compile(r"[\s_-]*\d+[\w\s-]*$")
_KEY = re.compile(r"[^a-z0-9%]+")


def key(text: str) -> str:
    """A name without case, punctuation and extra blanks."""
    return _KEY.sub(" ", text.lower()).strip()


def _squeezed(name: str) -> str:
    return name.replace(" ", "")


@dataclass(slots=True)
class Names:
    """Names that mean the same thing, under the one that is used most."""

    main: dict[str, str] = field(default_factory=dict[str, str])

    @classmethod
    def of(cls, seen: Counter[str]) -> Names:
        names = cls()
        for name, count in seen.most_common():
            other = names.find(name, _MISSPELT)
            same = other is not None and _squeezed(other) == _squeezed(name)
            often = other is not None and seen[other] >= count * _TIMES_RARER
            main = other if other is not None and (same or often) else names._longer(name)
            names.main[name] = main or name
        return names

    def _longer(self, name: str) -> str | None:
        """A name that says one word more: "olive" is the "olive bread"."""
        return next(
            (
                x
                for x in self.all
                if x.startswith(f"{name} ") and x.count(" ") == name.count(" ") + 1
            ),
            None,
        )

    def find(self, name: str, like: float = _LIKE_ENOUGH) -> str | None:
        """The thing of that name, however it is written; None where there is none."""
        name = key(name)
        if name in self.main:
            return self.main[name]
        if part := self._of_part(name):
            return part
        squeezed = {_squeezed(known): known for known in self.main}
        close = process.extractOne(
            _squeezed(name), list(squeezed), scorer=fuzz.ratio, score_cutoff=like
        )
        return self.main[squeezed[close[0]]] if close else None

    def _of_part(self, name: str) -> str | None:
        """The thing with the fewest words more than were said, if there is one such thing."""
        said = set(name.split())
        more = [
            (len(words) - len(said), main)
            for known, main in self.main.items()
            if said and said < (words := set(known.split()))
        ]
        least = {main for extra, main in more if extra == min(more)[0]}
        return least.pop() if len(least) == 1 else None

    @property
    def all(self) -> list[str]:
        return list(dict.fromkeys(self.main.values()))

    def aliases(self, name: str) -> tuple[str, ...]:
        return tuple(other for other, main in self.main.items() if main == name != other)


@dataclass(slots=True)
class Catalogue:
    """Items, the option groups that they share, add-ons, and the options of a whole order."""

    items: Names
    groups: dict[str, Names]
    addons: Names
    order: dict[str, Names]
    kinds: dict[str, str]

    @classmethod
    def learn(cls, known: Sequence[Dialogue]) -> Catalogue:
        items: Counter[str] = Counter()
        addons: Counter[str] = Counter()
        groups: dict[str, Counter[str]] = defaultdict(Counter)
        order: dict[str, Counter[str]] = defaultdict(Counter)
        for dialogue in known:
            ids: dict[str, str] = {}
            for call in (call for turn in dialogue.turns for call in turn.calls):
                match call.name:
                    case "get_menu_items":
                        ids |= named(call, "menu_items", "menu_item_id")
                    case "add_order_item":
                        items[ids.get(str(call.request.get("menu_item_id")), "")] += 1
                    case "get_addons":
                        whole = call.request.get("scope") == _ORDER_SCOPE
                        for group, values in _options(call):
                            (order if whole else groups)[group].update(values)
                        addons.update(named(call, ADDONS, "addon_id").values())
                    case _:
                        pass
        del items[""]
        often = Counter(
            {name: n for name, n in items.items() if n > 1 and not _remarked(name, items)}
        )
        names = Names.of(often)
        kinds = _kinds(names, known)
        return cls(names, _merged(groups), Names.of(addons), _merged(order), kinds)

    def call(self, group: str, name: str, words: str) -> None:
        """Another name for an item (no group) or for a value of a group, if it is a free one."""
        names = {"": self.items, ADDONS: self.addons, **self.groups, **self.order}[group]
        if name in names.main.values():
            names.main.setdefault(words, name)

    def value(self, text: str) -> tuple[str, str] | None:
        """Group and value of an option or add-on of that name."""
        name = key(text)
        places = [*self.groups.items(), (ADDONS, self.addons), *self.order.items()]
        exact = [(group, names.main[name]) for group, names in places if name in names.main]
        near = [(group, found) for group, names in places if (found := names.find(name))]
        return next(iter(exact or near), None)

    def menu(self, *more: str) -> Menu:
        """The catalogue as the brain reads one, with items that it has just heard of."""
        shared = (
            *(_group(group, names) for group, names in self.groups.items()),
            *(_group(group, names, before="for") for group, names in self.order.items()),
            _group(ADDONS, self.addons, multiple=True),
        )
        items = tuple(
            MenuItem(
                name,
                name,
                Money(0, "USD"),
                self.items.aliases(name),
                self.kinds.get(name, ""),
                groups=shared,
            )
            for name in dict.fromkeys([*self.items.all, *more])
        )
        return Menu("shop", "the shop", items, currency="USD")


def _remarked(name: str, items: Counter[str]) -> bool:
    """Whether a name is that of a thing asked for more often, and then remarks about it."""
    often = items[name]
    return any(name.startswith(f"{other} ") and n > often for other, n in items.items() if other)


def _kinds(items: Names, known: Sequence[Dialogue]) -> dict[str, str]:
    """The word for the kind of an item, said right after its name: "an amber ale", "amber beer"."""
    after: dict[str, Counter[str]] = defaultdict(Counter)
    language = load_language("en")
    for dialogue in known:
        for turn in dialogue.turns:
            said = f" {key(turn.text)} "
            for name in items.all if turn.users else ():
                found = re.search(rf" {re.escape(name)} ([a-z]+) ", said)
                tokens = language.tokens(found[1]) if found else []
                if found and tokens and not language.match(tokens, 0):
                    after[name][found[1]] += 1
    return {
        name: word
        for name, words in after.items()
        for word, times in words.most_common(1)
        if times >= _KIND_TIMES
    }


def named(call: Call, member: str, id_name: str) -> dict[str, str]:
    """Ids to names of what a call answered."""
    return {
        str(entry.get(id_name)): key(str(entry.get("name") or ""))
        for entry in _entries(call.response, member)
    }


def name_of_id(item_id: str) -> str:
    """The name in an id that nothing explains: these APIs make ids of names."""
    return key(_ID_TAIL.sub("", item_id))


def _entries(answer: Any, member: str) -> list[dict[str, Any]]:
    found = cast("list[Any]", answer.get(member) or [])
    return [cast("dict[str, Any]", entry) for entry in found if isinstance(entry, dict)]


def _options(call: Call) -> Iterable[tuple[str, list[str]]]:
    for entry in _entries(call.response, "attributes"):
        yield key(str(entry.get("attribute_id"))), [key(str(x)) for x in entry.get("options") or ()]


def _merged(groups: dict[str, Counter[str]]) -> dict[str, Names]:
    """Groups with the same values are one, under the name that is used most."""
    found: dict[str, Counter[str]] = {}
    for group, values in sorted(groups.items(), key=lambda x: -x[1].total()):
        same = next((name for name, known in found.items() if set(values) <= set(known)), None)
        found.setdefault(same or group, Counter()).update(values)
    return {group: Names.of(values) for group, values in found.items()}


def _group(group: str, names: Names, *, multiple: bool = False, before: str = "") -> OptionGroup:
    values = tuple(
        OptionValue(name, name, (*names.aliases(name), *((f"{before} {name}",) if before else ())))
        for name in names.all
    )
    return OptionGroup(group, group, values, multiple=multiple)
