"""What must hold for any catalogue and any order: catalogues and orders are generated."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lapel.brain import (
    AddressLabel,
    Brain,
    Frame,
    Menu,
    MenuItem,
    OptionGroup,
    OptionValue,
    Slot,
    Source,
    Understanding,
    Utterance,
)
from lapel.commerce.money import Money

pytestmark = pytest.mark.unit

# Invented words, so that nothing can be known beforehand; none is like another.
DISHES = ["velora", "taquin", "brosk", "mendolo", "pishka", "garuno", "whiffle", "yamtok", "drubel"]
KINDS = ["zintar", "oplek", "fusodo", "krevim"]
VALUES = ["juxal", "bimbor", "ethrod", "quonta", "lashpi", "nurvig", "wopsa", "corjek", "hyzel"]
GROUPS = ["Glaze", "Crust", "Filling"]
NUMBERS = {1: "a", 2: "two", 3: "three", 6: "half a dozen", 7: "seven", 12: "a dozen", 21: "21"}
HOME = AddressLabel("home", default=True)


@dataclass(frozen=True)
class Wanted:
    """A line to order: its item, how many, and values that are spoken before and after the name."""

    item: MenuItem
    quantity: int
    before: tuple[OptionValue, ...]
    after: tuple[OptionValue, ...]


@st.composite
def menus(draw: st.DrawFn) -> Menu:
    values = draw(st.permutations(VALUES))
    groups = [
        OptionGroup(
            f"g{i}",
            GROUPS[i],
            tuple(OptionValue(f"v-{word}", word.title()) for word in values[3 * i : 3 * i + 3]),
            required=draw(st.booleans()),
            multiple=draw(st.booleans()),
            default=draw(st.sampled_from([None, f"v-{values[3 * i]}"])),
        )
        for i in range(draw(st.integers(0, 3)))
    ]
    names = draw(st.lists(st.sampled_from(DISHES), min_size=1, max_size=6, unique=True))
    items: list[MenuItem] = []
    for number, name in enumerate(names):
        kind = draw(st.sampled_from(["", *KINDS]))
        title = f"{kind} {name}".strip().title()
        of_item = tuple(g for g in groups if draw(st.booleans()))
        items.append(MenuItem(f"i{number}", title, Money(100, "EUR"), groups=of_item))
    return Menu("shop", "Tivoli", tuple(items))


@st.composite
def orders(draw: st.DrawFn) -> tuple[Menu, list[Wanted]]:
    menu = draw(menus())
    items = draw(st.lists(st.sampled_from(menu.items), min_size=1, max_size=4, unique=True))
    wanted: list[Wanted] = []
    for item in items:
        before: list[OptionValue] = []
        after: list[OptionValue] = []
        for group in item.groups:
            if draw(st.booleans()):
                value = draw(st.sampled_from(group.values))
                (before if draw(st.booleans()) else after).append(value)
        quantity = draw(st.sampled_from(list(NUMBERS)))
        wanted.append(Wanted(item, quantity, tuple(before), tuple(after)))
    return menu, wanted


def spoken(wanted: list[Wanted]) -> str:
    phrases: list[str] = []
    for line in wanted:
        title = line.item.title.lower() + ("s" if line.quantity > 1 else "")
        words = [NUMBERS[line.quantity], *(v.title.lower() for v in line.before), title]
        if line.after:
            words += ["with", " and ".join(v.title.lower() for v in line.after)]
        phrases.append(" ".join(words))
    return "I'd like " + ", and ".join(phrases)


def hear(brain: Brain, text: str, frame: Frame) -> Understanding:
    return brain.understand(Utterance(text, Source.VOICE), frame)


def assert_valid(understood: Understanding, menu: Menu) -> None:
    items = {item.id: item for item in menu.items}
    for place, line in enumerate(understood.frame.lines):
        assert 1 <= line.quantity <= 99
        chosen = dict(line.options)
        groups = {group.id: group for group in items[line.item_id].groups}
        assert len(chosen) == len(line.options)
        assert set(chosen) <= set(groups)
        for group in groups.values():
            ids = chosen.get(group.id, ())
            assert set(ids) <= {value.id for value in group.values}
            assert len(set(ids)) == len(ids)
            assert group.multiple or len(ids) <= 1
            if group.required and not ids:
                question = understood.frame.question
                assert question is not None
                assert question.slot in {Slot.OPTION, Slot.WHICH_ITEM}
                assert question.slot is Slot.WHICH_ITEM or (question.line or 0) <= place


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(orders())
def test_what_is_ordered_is_in_the_cart(case: tuple[Menu, list[Wanted]]) -> None:
    menu, wanted = case
    understood = hear(Brain([menu], [HOME]), spoken(wanted), Frame())
    lines = understood.frame.lines
    assert understood.unknown == ()
    assert [line.item_id for line in lines] == [w.item.id for w in wanted]
    assert [line.quantity for line in lines] == [w.quantity for w in wanted]
    for line, w in zip(lines, wanted, strict=True):
        said = {value.id for value in (*w.before, *w.after)}
        got = {value for _, values in line.options for value in values}
        usual = {g.default for g in w.item.groups if g.default}
        assert said <= got
        assert got <= said | usual
    assert_valid(understood, menu)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(orders(), st.data())
def test_hesitation_and_politeness_change_nothing(
    case: tuple[Menu, list[Wanted]], data: st.DataObject
) -> None:
    menu, wanted = case
    brain = Brain([menu], [HOME])
    words = spoken(wanted).split()
    for _ in range(data.draw(st.integers(1, 4))):
        filler = data.draw(st.sampled_from(["um", "uh", "um,", "er", "hmm"]))
        words.insert(data.draw(st.integers(0, len(words))), filler)
    text = " ".join(words)
    text = data.draw(
        st.sampled_from(["{}", "{} please", "hi, {}", "{}, thank you", "so {}"])
    ).format(text)
    plain, filled = hear(brain, spoken(wanted), Frame()), hear(brain, text, Frame())
    assert filled.frame.lines == plain.frame.lines
    assert filled.unknown == plain.unknown


EDITS = [
    "make it {number}",
    "{number} more",
    "make it {value}",
    "actually {value}",
    "no {value}",
    "without {value}",
    "remove the {dish}",
    "no {dish}",
    "change the {dish} to a {other}",
    "a {other} instead",
    "{value} in the {ordinal} one",
    "make both {value}",
    "all with {value} and {value2}",
    "same again",
    "another {dish}",
    "just {number} {dish}s",
    "add {number} {other}s with {value}",
    "swap {value} for {value2}",
    "remove one {dish}",
    "remove everything",
    "the {ordinal} one",
    "yes",
    "no",
    "{value}",
    "{number}",
    "cancel that",
    "I think the {dish} was cold",
]


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(orders(), st.data())
def test_no_edit_makes_a_line_that_the_merchant_does_not_sell(
    case: tuple[Menu, list[Wanted]], data: st.DataObject
) -> None:
    menu, wanted = case
    brain = Brain([menu], [HOME])
    understood = hear(brain, spoken(wanted), Frame())
    for _ in range(data.draw(st.integers(1, 6))):
        template = data.draw(st.sampled_from(EDITS))
        text = template.format(
            number=data.draw(st.sampled_from(["two", "three", "99", "120", "zero"])),
            dish=data.draw(st.sampled_from(menu.items)).title.lower(),
            other=data.draw(st.sampled_from(menu.items)).title.lower(),
            value=data.draw(st.sampled_from(VALUES)),
            value2=data.draw(st.sampled_from(VALUES)),
            ordinal=data.draw(st.sampled_from(["first", "second", "last"])),
        )
        before = understood.frame
        understood = hear(brain, text, before)
        assert_valid(understood, menu)
        assert replayed(before, understood) == understood.frame.lines


def replayed(frame: Frame, understood: Understanding) -> tuple[object, ...]:
    """The lines that the actions alone make of the frame before them."""
    from lapel.brain import AddLine, CancelOrder, ChangeLine, RemoveLine

    lines = list(frame.lines)
    for action in understood.actions:
        match action:
            case AddLine(line=line):
                lines.append(line)
            case ChangeLine(index=index, line=line):
                lines[index] = line
            case RemoveLine(index=index):
                del lines[index]
            case CancelOrder():
                lines.clear()
            case _:
                pass
    return tuple(lines)


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=200))
def test_no_text_breaks_it(text: str) -> None:
    menu = Menu("shop", "Tivoli", (MenuItem("i0", "Brosk", Money(100, "EUR")),))
    assert_valid(hear(Brain([menu], [HOME]), text, Frame()), menu)
