"""Carts by Mandarin, with an English Lapel whose shops have Chinese names."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from lapel.brain import (
    AddressLabel,
    Affirm,
    AskMenu,
    AskStatus,
    Brain,
    CancelOrder,
    CartLine,
    Deny,
    Frame,
    Menu,
    RepeatLast,
    Source,
    Understanding,
    Utterance,
)
from lapel.brain.language import language_of

pytestmark = pytest.mark.unit

DATA = Path(__file__).parent / "data" / "mandarin"
POSITIVE: list[dict[str, Any]] = yaml.safe_load((DATA / "positive.yaml").read_text("utf-8"))
NEGATIVE: list[str] = yaml.safe_load((DATA / "negative.yaml").read_text("utf-8"))
ADDRESSES = (AddressLabel("office", ("work", "my office")), AddressLabel("home"))
CART = Frame("cafe", (CartLine("croissant", 1, ()),), "office")


@pytest.fixture(scope="module")
def menus() -> list[Menu]:
    data = yaml.safe_load((DATA / "menus.yaml").read_text("utf-8"))
    for menu in data["menus"]:
        for number, item in enumerate(menu["items"]):
            item.setdefault("price", {"minor": 300 + number * 10, "currency": "EUR"})
    return msgspec.convert(data["menus"], list[Menu])


@pytest.fixture(scope="module")
def brain(menus: list[Menu]) -> Brain:
    return Brain(menus, ADDRESSES)


def turns(case: dict[str, Any]) -> list[str]:
    return case["say"] if isinstance(case["say"], list) else [case["say"]]


def say(brain: Brain, *texts: str, frame: Frame | None = None) -> Understanding:
    understood = Understanding(frame or Frame())
    for text in texts:
        understood = brain.understand(Utterance(text, Source.TYPED), understood.frame)
    return understood


def shown(line: CartLine, menus: list[Menu]) -> str:
    groups = [
        g for menu in menus for item in menu.items if item.id == line.item_id for g in item.groups
    ]
    usual = {group.id: (group.default,) for group in groups}
    options = [f"{g}={'+'.join(v)}" for g, v in line.options if v and v != usual.get(g)]
    return " ".join([f"{line.quantity} {line.item_id}", *sorted(options)])


@pytest.mark.parametrize("case", POSITIVE, ids=[" | ".join(turns(case)) for case in POSITIVE])
def test_an_order_becomes_its_cart(case: dict[str, Any], brain: Brain, menus: list[Menu]) -> None:
    if "weak" in case:
        pytest.xfail(case["weak"])
    frame = say(brain, *turns(case)).frame
    wanted = [" ".join([*line.split()[:2], *sorted(line.split()[2:])]) for line in case["cart"]]
    assert sorted(shown(line, menus) for line in frame.lines) == sorted(wanted)
    assert case.get("to") in (None, frame.address)
    assert case.get("at") in (None, frame.merchant_id)


@pytest.mark.parametrize("text", NEGATIVE)
def test_talk_is_no_order(text: str, brain: Brain) -> None:
    understood = say(brain, text)
    assert understood.frame.lines == ()
    assert understood.question is None
    assert not understood.is_order


@pytest.mark.parametrize("text", [text for text in NEGATIVE if "取消" not in text])
def test_talk_leaves_a_cart_alone(text: str, brain: Brain) -> None:
    frame = say(brain, text, frame=CART).frame
    assert (frame.lines, frame.address) == (CART.lines, CART.address)


@pytest.mark.parametrize(
    ("text", "action"),
    [
        *[(text, Affirm) for text in ("好的", "是的", "嗯", "对", "行", "没问题", "确认", "可以", "就这样")],
        *[(text, Deny) for text in ("不", "不用了", "不行", "不好", "先不了")],
        *[(text, CancelOrder) for text in ("取消", "算了", "不要了", "取消订单", "都不要了")],
        *[(text, AskStatus) for text in ("我的订单到哪了", "外卖到哪了", "还要多久", "什么时候到")],
        *[(text, AskMenu) for text in ("有什么推荐", "菜单", "有拿铁吗", "拿铁多少钱")],
        *[(text, RepeatLast) for text in ("再说一遍", "没听清")],
    ],
)  # fmt: skip
def test_what_is_no_order_is_understood(text: str, action: type, brain: Brain) -> None:
    understood = say(brain, text, frame=CART)
    assert [type(found) for found in understood.actions] == [action]


def test_the_script_tells_the_language(brain: Brain, menus: list[Menu]) -> None:
    assert language_of("两杯latte", "en") == "zh"
    assert language_of("two lattes", "zh") == "en"
    assert language_of("2", "zh") == "zh"
    assert language_of("ラテを二つ", "en") == "en"
    both = say(brain, "一杯latte", "make it two").frame
    assert [shown(line, menus) for line in both.lines] == ["2 latte"]


def test_a_brain_may_speak_mandarin_alone(menus: list[Menu]) -> None:
    frame = say(Brain(menus, ADDRESSES, language="zh"), "两杯拿铁送到公司").frame
    assert [shown(line, menus) for line in frame.lines] == ["2 latte"]
    assert frame.address == "office"


def test_any_words_in_any_order_are_survived(brain: Brain) -> None:
    chance = random.Random(42)
    words = [
        *"一两三个杯份把换成不要加去大小冰的和都送到了吗",
        "拿铁",
        "珍珠奶茶",
        "水煮鱼",
        "燕麦奶",
        "公司",
        "\uff0c",
    ]
    for _ in range(400):
        text = "".join(chance.choices(words, k=chance.randint(1, 12)))
        understood = say(brain, text, frame=chance.choice([Frame(), CART]))
        spans = [span for action in understood.actions for span in action.spans]
        assert all(0 <= span.start <= span.end <= len(text) for span in spans), text
