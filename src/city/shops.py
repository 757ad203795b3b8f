"""The merchants of the city, from data files: who they are, when they open, what they sell."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from importlib import resources
from typing import Literal

import msgspec

from city.clock import city_time
from city.errors import DataError
from city.ucp import vocabulary

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Choice:
    """One value of a modifier group; `id` is unique within the merchant."""

    id: str
    title: str
    aliases: tuple[str, ...]
    price_delta: int


@dataclass(frozen=True, slots=True)
class ChoiceGroup:
    id: str
    title: str
    values: tuple[Choice, ...]
    required: bool
    multiple: bool
    default: str | None


@dataclass(frozen=True, slots=True)
class Dish:
    """One thing on the menu. `stock` is how many a restocking gives; None means made to order."""

    id: str
    title: str
    price: int
    category: str
    description: str
    aliases: tuple[str, ...]
    groups: tuple[ChoiceGroup, ...]
    stock: int | None
    age: int = 0
    """The youngest that may buy it; 0 where anybody may."""
    size: str = ""
    """What is in one of them ("1 l")."""
    kilo: bool = False
    """Sold by weight: `price` is for a kilogram, and nobody knows it before it is weighed."""
    piece_g: int = 0
    """What one of them weighs, about; of what is sold by weight."""
    gtin: str = ""
    """The number under which every store has the same thing."""
    like: str = ""
    """What it can stand in for: things with the same word are alike."""

    @property
    def product_id(self) -> str:
        return f"prod_{self.id}"


@dataclass(frozen=True, slots=True)
class Hours:
    """Opening hours a weekday, in minutes from midnight; closing may lie beyond 24 h."""

    week: tuple[tuple[int, int] | None, ...]

    def is_open(self, at: datetime) -> bool:
        return self._span(at) is not None

    def text(self, at: datetime) -> str:
        """For people: "open until 18:00", "opens at 07:00", "opens on Monday at 07:00"."""
        if self._always:
            return "open around the clock"
        span = self._span(at)
        if span is not None:
            return f"open until {_clock(span[1])}"
        midnight = at.replace(hour=0, minute=0, second=0, microsecond=0)
        for ahead in range(8):
            day = midnight + ahead * _DAY
            hours = self.week[day.weekday()]
            if hours is not None and day + timedelta(minutes=hours[0]) > at:
                when = "" if ahead == 0 else f"on {_NAMES[day.weekday()]} "
                return f"opens {when}at {_clock(hours[0])}"
        return "closed"

    @property
    def _always(self) -> bool:
        return all(day == (0, 24 * 60) for day in self.week)

    def _span(self, at: datetime) -> tuple[int, int] | None:
        """The opening that covers `at`: today's, or yesterday's when it runs past midnight."""
        minute = at.hour * 60 + at.minute
        for back in (0, 1):
            hours = self.week[(at - back * _DAY).weekday()]
            if hours is not None and hours[0] <= minute + back * 24 * 60 < hours[1]:
                return hours
        return None


@dataclass(frozen=True, slots=True)
class Discount:
    """What is taken off the goods: by a code, or of itself where `code` is empty."""

    code: str
    title: str
    percent: int
    amount: int
    minimum: int
    expired: bool

    def off(self, subtotal: int) -> int:
        """Minor units; 0 where the goods cost too little."""
        if subtotal < max(self.minimum, 1):
            return 0
        return min(self.amount + subtotal * self.percent // 100, subtotal)


@dataclass(frozen=True, slots=True)
class DeliveryTerms:
    """A way in which a store brings things; free of charge from `free_from` on, if that is set."""

    id: str
    title: str
    price: int
    minutes: tuple[int, int]
    free_from: int | None = None

    def cost(self, subtotal: int) -> int:
        free = self.free_from is not None and subtotal >= self.free_from
        return 0 if free else self.price


@dataclass(frozen=True, slots=True)
class ReturnTerms:
    """Until when a store takes things back, and what it keeps for that."""

    days: int
    fee: int
    post_paid_by: str


@dataclass(frozen=True, slots=True)
class Shop:
    slug: str
    name: str
    aliases: tuple[str, ...]
    tags: tuple[str, ...]
    street_address: str
    hours: Hours
    hours_text: Mapping[str, str]
    preparing_s: tuple[float, float]
    dishes: Mapping[str, Dish]
    mandates: bool = True
    """Whether the merchant speaks AP2."""
    kind: str = "food"
    """`food`, `groceries` or `retail`."""
    protocol: str = "ucp"
    """What its platforms speak with it: `ucp`, `acp`, or `ucp-2026-01-11`, an older UCP."""
    delivery: tuple[DeliveryTerms, ...] = ()
    """Of a retail store; the others send a courier at once."""
    returns: ReturnTerms | None = None
    discounts: tuple[Discount, ...] = ()
    pickup: bool = False
    """Whether people may fetch what they order."""
    transports: tuple[str, ...] = ("rest",)
    """How it is spoken to: `rest`, `mcp` or both."""

    def offers(self, capability: str) -> bool:
        """Whether it implements a capability that not every merchant has."""
        match capability:
            case vocabulary.AP2:
                return self.mandates
            case vocabulary.GROCERIES:
                return self.kind == "groceries"
            case vocabulary.RETAIL:
                return self.kind == "retail"
            case vocabulary.MODIFIERS:
                return self.kind != "retail"
            case _:
                return True

    def dish(self, id: str) -> Dish | None:
        """By variant id or product id."""
        return self.dishes.get(id) or self.dishes.get(id.removeprefix("prod_"))

    def is_open(self, city_s: float) -> bool:
        return self.hours.is_open(city_time(city_s))

    def opens_text(self, city_s: float) -> str:
        return self.hours.text(city_time(city_s))


class _Value(msgspec.Struct, forbid_unknown_fields=True):
    id: str
    title: str
    aliases: tuple[str, ...] = ()
    delta: int = 0


class _Group(msgspec.Struct, forbid_unknown_fields=True):
    title: str
    values: list[_Value]
    required: bool = False
    multiple: bool = False
    default: str | None = None


class _Item(msgspec.Struct, forbid_unknown_fields=True):
    id: str
    title: str
    price: int
    aliases: tuple[str, ...] = ()
    description: str = ""
    groups: tuple[str, ...] = ()
    stock: int | None = None
    age: int = 0
    size: str = ""
    kilo: bool = False
    piece_g: int = 0
    like: str = ""
    gtin: str = ""


class _Discount(msgspec.Struct, forbid_unknown_fields=True):
    title: str
    code: str = ""
    percent: int = 0
    amount: int = 0
    minimum: int = 0
    expired: bool = False


class _Delivery(msgspec.Struct, forbid_unknown_fields=True):
    id: str
    title: str
    price: int
    minutes: tuple[int, int]
    free_from: int | None = None


class _Returns(msgspec.Struct, forbid_unknown_fields=True):
    days: int
    fee: int
    post_paid_by: Literal["buyer", "merchant"]


class _File(msgspec.Struct, forbid_unknown_fields=True):
    slug: str
    name: str
    street_address: str
    hours: dict[str, str]
    menu: dict[str, list[_Item]]
    aliases: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    preparing_minutes: tuple[float, float] = (4.0, 8.0)
    mandates: bool = True
    pickup: bool = False
    transports: tuple[Literal["rest", "mcp"], ...] = ("rest",)
    kind: Literal["food", "groceries", "retail"] = "food"
    protocol: Literal["ucp", "acp", "ucp-2026-01-11"] = "ucp"
    delivery: tuple[_Delivery, ...] = ()
    returns: _Returns | None = None
    groups: dict[str, _Group] = {}
    discounts: tuple[_Discount, ...] = ()


@cache
def city_shops() -> Mapping[str, Shop]:
    """The merchants of food by slug, in the order of their ports."""
    return _read_folder("merchants")


@cache
def city_stores() -> Mapping[str, Shop]:
    """The merchants of everything else by slug, in the order of their ports."""
    return _read_folder("stores")


@cache
def acp_shops() -> Mapping[str, Shop]:
    """Those that speak ACP."""
    return _read_folder("acp")


@cache
def older_shops() -> Mapping[str, Shop]:
    """Those that speak UCP 2026-01-11 alone."""
    return _read_folder("older")


def _read_folder(name: str) -> Mapping[str, Shop]:
    folder = resources.files("city").joinpath(f"data/{name}")
    files = sorted(f.name for f in folder.iterdir() if f.name.endswith(".toml"))
    shops = [read_shop(folder.joinpath(name).read_text("utf-8"), name) for name in files]
    return {shop.slug: shop for shop in shops}


def read_shop(text: str, source: str) -> Shop:
    """Raises DataError naming the file and what is wrong in it."""
    try:
        file = msgspec.convert(tomllib.loads(text), _File)
        dishes = [
            _dish(item, category, file.groups)
            for category, items in file.menu.items()
            for item in items
        ]
        by_id = {dish.id: dish for dish in dishes}
        if len(by_id) != len(dishes):
            raise ValueError("an item id occurs twice")
        if any(dish.kilo != bool(dish.piece_g) for dish in dishes):
            raise ValueError("what is sold by weight needs `piece_g`, and nothing else has it")
        return Shop(
            slug=file.slug,
            name=file.name,
            aliases=file.aliases,
            tags=file.tags,
            street_address=file.street_address,
            hours=_hours(file.hours),
            hours_text=file.hours,
            preparing_s=(file.preparing_minutes[0] * 60, file.preparing_minutes[1] * 60),
            dishes=by_id,
            mandates=file.mandates,
            transports=file.transports,
            kind=file.kind,
            protocol=file.protocol,
            pickup=file.pickup,
            delivery=tuple(
                DeliveryTerms(x.id, x.title, x.price, x.minutes, x.free_from) for x in file.delivery
            ),
            returns=None if file.returns is None else _returns(file.returns),
            discounts=tuple(
                Discount(d.code, d.title, d.percent, d.amount, d.minimum, d.expired)
                for d in file.discounts
            ),
        )
    except (ValueError, KeyError, msgspec.ValidationError) as error:
        raise DataError(f"merchant file {source!r}: {error}") from error


def _returns(terms: _Returns) -> ReturnTerms:
    return ReturnTerms(terms.days, terms.fee, terms.post_paid_by)


def _dish(item: _Item, category: str, groups: Mapping[str, _Group]) -> Dish:
    return Dish(
        id=item.id,
        title=item.title,
        price=item.price,
        category=category,
        description=item.description,
        aliases=item.aliases,
        groups=tuple(_group(reference, groups) for reference in item.groups),
        stock=item.stock,
        age=item.age,
        size=item.size,
        kilo=item.kilo,
        piece_g=item.piece_g,
        like=item.like,
        gtin=item.gtin,
    )


def _group(reference: str, groups: Mapping[str, _Group]) -> ChoiceGroup:
    """`reference` is a group's name; "=value" after it changes the default for one item."""
    name, changed, default = reference.partition("=")
    group = groups[name]
    chosen = (default or None) if changed else group.default
    values = tuple(Choice(f"{name}.{v.id}", v.title, v.aliases, v.delta) for v in group.values)
    if chosen is not None and all(v.id != chosen for v in group.values):
        raise ValueError(f"group {name!r} has no value {chosen!r}")
    return ChoiceGroup(
        id=name,
        title=group.title,
        values=values,
        required=group.required,
        multiple=group.multiple,
        default=None if chosen is None else f"{name}.{chosen}",
    )


def _hours(written: Mapping[str, str]) -> Hours:
    """From {"mon": "07:00-18:00"}; "all" is every day, "closed" none of it."""
    week: list[tuple[int, int] | None] = []
    for day in _DAYS:
        text = written.get(day, written.get("all", "closed"))
        match = re.fullmatch(r"(\d\d):(\d\d)-(\d\d):(\d\d)", text)
        if match is None and text != "closed":
            raise ValueError(f"hours {text!r} are not HH:MM-HH:MM")
        if match is None:
            week.append(None)
            continue
        opens, closes = (int(match[i]) * 60 + int(match[i + 1]) for i in (1, 3))
        week.append((opens, closes if closes > opens else closes + 24 * 60))
    return Hours(tuple(week))


def _clock(minutes: int) -> str:
    return f"{minutes // 60 % 24:02d}:{minutes % 60:02d}"
