"""A cart while it is being edited: lines against one catalogue, always valid."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from lapel.brain.frame import CartLine, Span
from lapel.brain.language import Language
from lapel.brain.lexicon import Choice, MenuIndex
from lapel.brain.menu import MenuItem, OptionGroup
from lapel.brain.phrases import ValueWord

MOST_OF_ONE = 99
_LONGEST_NOTE = 200


@dataclass(slots=True, eq=False)
class Line:
    """A line; `item` is a place in the menu, `was` its index in the frame or None when new."""

    item: int
    quantity: int = 1
    options: dict[int, list[int]] = field(default_factory=dict[int, list[int]])
    notes: list[str] = field(default_factory=list[str])
    was: int | None = None
    spans: list[Span] = field(default_factory=list[Span])

    def copy(self) -> Line:
        options = {group: list(values) for group, values in self.options.items()}
        return Line(self.item, self.quantity, options, list(self.notes))


class Cart:
    """Edits of lines by item and option. `notes` collects what was refused."""

    def __init__(self, index: MenuIndex, language: Language, lines: Iterable[CartLine]) -> None:
        self.index = index
        self._language = language
        self.lines: list[Line] = []
        self.notes: list[str] = []
        self.unknown: list[str] = []
        self.asked: list[tuple[Line, int]] = []
        places = {item.id: place for place, item in enumerate(index.menu.items)}
        for was, line in enumerate(lines):
            if line.item_id in places:
                self.lines.append(self._load(line, places[line.item_id], was))

    def item(self, line: Line) -> MenuItem:
        return self.index.menu.items[line.item]

    def _load(self, line: CartLine, place: int, was: int) -> Line:
        loaded = Line(place, line.quantity, was=was)
        loaded.notes = [line.note] if line.note else []
        chosen = dict(line.options)
        for group_place, group in enumerate(self.index.menu.items[place].groups):
            ids = chosen.get(group.id, ())
            values = [i for i, value in enumerate(group.values) if value.id in ids]
            if values:
                loaded.options[group_place] = values
        return loaded

    def dump(self, line: Line) -> CartLine:
        item = self.item(line)
        options = tuple(
            (item.groups[g].id, tuple(item.groups[g].values[v].id for v in values))
            for g, values in sorted(line.options.items())
            if values
        )
        note = ", ".join(dict.fromkeys(line.notes))[:_LONGEST_NOTE]
        return CartLine(item.id, line.quantity, options, note)

    def add(self, place: int, quantity: int) -> Line:
        line = Line(place)
        self.set_quantity(line, quantity)
        self.lines.append(line)
        for group_place, group in enumerate(self.index.menu.items[place].groups):
            default = self._default(group)
            if default is not None:
                line.options[group_place] = [default]
        return line

    def count_pieces(self, line: Line) -> None:
        """Makes "a dozen dumplings" one portion of twelve where the pieces are an option."""
        for choice in self.index.items[line.item].values.get(str(line.quantity), ()):
            values = self.item(line).groups[choice.group].values
            counts = all(self.index.stems(value.title)[0].isdigit() for value in values)
            if counts and line.quantity > 1 and values[choice.value].available:
                line.options[choice.group] = [choice.value]
                line.quantity = 1
                return

    def remove(self, line: Line) -> None:
        self.lines.remove(line)

    def set_quantity(self, line: Line, quantity: int) -> None:
        if quantity > MOST_OF_ONE:
            self.notes.append(f"{MOST_OF_ONE} is the most of one thing in an order.")
        line.quantity = max(1, min(MOST_OF_ONE, quantity))

    def become(self, line: Line, place: int) -> None:
        """Another item with the options of the old one, as far as it has them."""
        old = self.item(line)
        said = {
            old.groups[group].values[value].title
            for group, values in line.options.items()
            for value in values
            if value != self._default(old.groups[group])
        }
        line.item, line.options = place, {}
        for group_place, group in enumerate(self.item(line).groups):
            default = self._default(group)
            kept = [v for v, value in enumerate(group.values) if value.title in said]
            if kept:
                line.options[group_place] = kept if group.multiple else kept[:1]
            elif default is not None:
                line.options[group_place] = [default]

    def offers(self, place: int, value: ValueWord) -> bool:
        return value.name is not None and value.name.key in self.index.items[place].values

    def choose(self, line: Line, value: ValueWord) -> bool:
        """Sets or clears an option; false when the item has none of that name."""
        found = self._find(line, value)
        if value.negative and self._choose_absence(line, value):
            return True
        if found is None:
            return self._by_group(line, value)
        if value.negative:
            return self._without(line, found)
        group = self.item(line).groups[found.group]
        if not group.values[found.value].available:
            self.notes.append(
                f"{group.values[found.value].title} is not available for {self.item(line).title}."
            )
            return True
        if group.multiple:
            line.options.setdefault(found.group, [])
            if found.value not in line.options[found.group]:
                line.options[found.group].append(found.value)
        else:
            line.options[found.group] = [found.value]
        self._measure(line, found, value)
        return True

    def _choose_absence(self, line: Line, value: ValueWord) -> bool:
        """Some catalogues sell what is left out as an option of its own: "No onions"."""
        values = self.index.items[line.item].values
        for word in self._language.none_words if value.name else ():
            for choice in values.get(word + value.name.key, ()) if value.name else ():
                group = self.item(line).groups[choice.group]
                if not choice.weak and group.values[choice.value].available:
                    chosen = line.options.get(choice.group, []) if group.multiple else []
                    line.options[choice.group] = sorted({*chosen, choice.value})
                    return True
        return False

    def clear(self, line: Line, value: ValueWord) -> bool:
        """Takes an option away again; false when the line does not have it."""
        found = self._find(line, value)
        if found is None or found.value not in line.options.get(found.group, ()):
            return False
        return self._without(line, found)

    def has(self, line: Line, value: ValueWord) -> bool:
        found = self._find(line, value)
        return found is not None and found.value in line.options.get(found.group, ())

    def differs(self, line: Line, value: ValueWord) -> bool:
        """Whether the line has another option where only one can be."""
        found = self._find(line, value)
        if found is None or value.negative or self.item(line).groups[found.group].multiple:
            return False
        return found.value not in line.options.get(found.group, [found.value])

    def _find(self, line: Line, value: ValueWord) -> Choice | None:
        if value.name is None:
            return None
        choices = self.index.items[line.item].values.get(value.name.key, [])
        strong = [c for c in choices if not c.weak]
        choices = strong or choices
        empty = [c for c in choices if c.group not in line.options]
        return next(iter(empty or choices), None)

    def _by_group(self, line: Line, value: ValueWord) -> bool:
        """The group's own name was said: "no milk", "with milk"."""
        if value.name is None:
            return False
        place = self.index.items[line.item].groups.get(value.name.key)
        if place is None:
            return False
        if value.negative:
            return self._empty(line, place)
        if place not in line.options:
            self.asked.append((line, place))
        return True

    def _empty(self, line: Line, group_place: int) -> bool:
        none = self.index.items[line.item].none.get(group_place)
        group = self.item(line).groups[group_place]
        if none is not None:
            line.options[group_place] = [none]
        elif group.required:
            return False
        else:
            line.options.pop(group_place, None)
        return True

    def _without(self, line: Line, choice: Choice) -> bool:
        values = line.options.get(choice.group, [])
        group = self.item(line).groups[choice.group]
        if choice.value in values and len(values) > 1:
            values.remove(choice.value)
            return True
        if choice.value in values or not values:
            self._unmeasure(line, choice.group)
            if not self._empty(line, choice.group):
                default = self._default(group)
                if default is None or default == choice.value:
                    return False
                line.options[choice.group] = [default]
        return True

    def _measure(self, line: Line, choice: Choice, value: ValueWord) -> None:
        """An amount ("a little sugar") is an option itself, or else a note."""
        place = self._amount_group(line, choice)
        if value.number > 1 and not self._count(line, place, value):
            line.notes.append(f"{value.number} {value.words}")
        if not value.amount:
            return
        if place is not None:
            amounts = self.index.items[line.item].amounts[place]
            if value.amount in amounts:
                line.options[place] = [amounts[value.amount]]
                return
        if value.amount != "some":
            line.notes.append(value.words)

    def _count(self, line: Line, place: int | None, value: ValueWord) -> bool:
        """Sets "two sugars" where the catalogue counts spoons."""
        choices = self.index.items[line.item].values.get(str(value.number), [])
        counted = next((c for c in choices if c.group == place), None)
        if counted is not None:
            line.options[counted.group] = [counted.value]
        return counted is not None

    def _unmeasure(self, line: Line, group: int) -> None:
        place = self._amount_group(line, Choice(group, 0))
        if place is not None and not self.item(line).groups[place].required:
            line.options.pop(place, None)

    def _amount_group(self, line: Line, choice: Choice) -> int | None:
        """The group that measures the group of `choice`: their titles share a word."""
        groups = self.item(line).groups
        group = groups[choice.group]
        about = self._about(group) | set(self.index.stems(group.values[choice.value].title))
        places = [p for p in self.index.items[line.item].amounts if p != choice.group]
        shared = [(len(about & self._about(groups[p])), -p) for p in places]
        most, place = max(shared, default=(0, 0))
        return -place if most else None

    def _about(self, group: OptionGroup) -> set[str]:
        return {*self.index.stems(group.title), *self.index.stems(group.id.replace("_", " "))}

    def missing(self, line: Line) -> int | None:
        """The first group that must be chosen and has no default."""
        for place, group in enumerate(self.item(line).groups):
            if not group.required or line.options.get(place):
                continue
            default = self._default(group)
            if default is None:
                return place
            line.options[place] = [default]
        return next((p for asked, p in self.asked if asked is line and p not in line.options), None)

    @staticmethod
    def _default(group: OptionGroup) -> int | None:
        usable = [i for i, value in enumerate(group.values) if value.available]
        for place in usable:
            if group.values[place].id == group.default:
                return place
        return usable[0] if group.required and len(usable) == 1 else None

    def merge(self) -> None:
        """Equal lines become one; the older keeps its place."""
        kept: list[Line] = []
        for line in self.lines:
            same = next((k for k in kept if self._alike(k, line)), None)
            if same is None:
                kept.append(line)
            else:
                self.set_quantity(same, same.quantity + line.quantity)
                same.spans.extend(line.spans)
        self.lines = kept

    @staticmethod
    def _alike(one: Line, other: Line) -> bool:
        return (one.item, one.options, one.notes) == (other.item, other.options, other.notes)
