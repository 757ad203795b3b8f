"""The crowd before Lapel starts: users with tokens and addresses, and what each of them says."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from lapel.assistant import SavedPlaces
from lapel.commerce import Address
from lapel.devices import StoredAccounts
from lapel.store import Store

SENTENCES = (
    (
        "two iced lattes and a blueberry muffin to my office",
        (("Iced latte", 2), ("Blueberry muffin", 1)),
    ),
    ("a large cappuccino and a croissant to my office", (("Cappuccino", 1), ("Croissant", 1))),
    ("three americanos to my office", (("Americano", 3),)),
    ("one flat white and two croissants to my office", (("Flat white", 1), ("Croissant", 2))),
    ("a mocha and a blueberry muffin to my office", (("Mocha", 1), ("Blueberry muffin", 1))),
)
"""What is said, and the cart that it must become: titles on the menu and quantities."""


@dataclass(frozen=True, slots=True)
class Person:
    """`wanted` is the cart that the sentence asks for."""

    user_id: str
    token: str
    sentence: str
    wanted: tuple[tuple[str, int], ...]


async def settle(folder: Path, addresses_url: str, count: int) -> list[Person]:
    """Make `count` users on a fresh record, each with the City's office as their own."""
    async with httpx.AsyncClient(trust_env=False) as http:
        places: list[dict[str, Any]] = (await http.get(addresses_url)).json()["addresses"]
    office = next(place for place in places if place["label"] == "office")
    store = await Store.open(folder / "lapel.db")
    try:
        accounts = StoredAccounts(store)
        people: list[Person] = []
        for index in range(count):
            user = await accounts.create_user(f"Person {index}")
            await SavedPlaces(store, user.id).save(_address(office), default=True)
            sentence, wanted = SENTENCES[index % len(SENTENCES)]
            token = await accounts.create_token(user.id)
            people.append(Person(user.id, token, sentence, wanted))
        return people
    finally:
        await store.close()


def _address(place: dict[str, Any]) -> Address:
    return Address(
        label=place["label"],
        street=place["street_address"],
        city=place["address_locality"],
        postal_code=place["postal_code"],
        country=place["address_country"],
        latitude=place["latitude"],
        longitude=place["longitude"],
    )
