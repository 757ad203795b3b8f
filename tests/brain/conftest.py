"""Catalogues and a short way to speak to a brain."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from lapel.brain import AddressLabel, Brain, Frame, Menu, Source, Understanding, Utterance

DATA = Path(__file__).parent / "data"


def load_menus() -> list[Menu]:
    data: dict[str, Any] = yaml.safe_load((DATA / "menus.yaml").read_text(encoding="utf-8"))
    for menu in data["menus"]:
        for number, item in enumerate(menu["items"]):
            item.setdefault("price", {"minor": 300 + number * 10, "currency": "EUR"})
    return msgspec.convert(data["menus"], list[Menu])


ADDRESSES = (
    AddressLabel("office", ("work", "my office", "the office")),
    AddressLabel("home", ("my place", "the flat")),
)


@pytest.fixture(scope="session")
def menus() -> list[Menu]:
    return load_menus()


@pytest.fixture(scope="session")
def brain(menus: list[Menu]) -> Brain:
    return Brain(menus, ADDRESSES)


@pytest.fixture(scope="session")
def say(brain: Brain) -> Callable[..., Understanding]:
    """`say("a latte", "make it two")` is the last understanding of that conversation."""

    def speak(*texts: str, frame: Frame | None = None) -> Understanding:
        understood = Understanding(frame or Frame())
        for text in texts:
            understood = brain.understand(Utterance(text, Source.VOICE), understood.frame)
        return understood

    return speak
