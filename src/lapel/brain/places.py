"""Names of shops and of the user's own addresses, the same for every catalogue."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from lapel.brain.language import Language
from lapel.brain.menu import Menu


@dataclass(frozen=True, slots=True)
class AddressLabel:
    """One of the user's addresses by the names that the user has for it."""

    label: str
    aliases: tuple[str, ...] = ()
    default: bool = False


@dataclass(slots=True)
class Place:
    """What a phrase names: shops that could be meant, or an address."""

    merchants: dict[str, bool] = field(default_factory=dict[str, bool])
    address: str = ""


class PlaceIndex:
    """Finds shops by their names or part of them, and addresses by label or alias."""

    def __init__(
        self, menus: Sequence[Menu], addresses: Sequence[AddressLabel], language: Language
    ) -> None:
        self.names: dict[str, Place] = {}
        self.vocabulary: set[str] = set()
        self.longest = 1
        self._language = language
        for menu in menus:
            self._add_merchant(menu.merchant_id, menu.merchant_name, parts=True)
            for alias in menu.aliases:
                self._add_merchant(menu.merchant_id, alias, parts=False)
        for address in addresses:
            translated = language.addresses.get(address.label.lower(), ())
            for title in (address.label, *address.aliases, *translated):
                words = self._words(title)
                bare = tuple(w for w in words if w not in {"my", "the", "our"}) or words
                for key in {words, bare}:
                    if key:
                        self._place(key).address = address.label
        self.spoken = [key for key in self.names if len(key) > language.shortest]

    def address(self, title: str) -> str | None:
        """The label of the address that is called this, if one is."""
        words = self._words(title)
        bare = tuple(w for w in words if w not in {"my", "the", "our"}) or words
        found = (self.names.get("".join(key)) for key in (words, bare))
        return next((place.address for place in found if place and place.address), None)

    def _words(self, title: str) -> tuple[str, ...]:
        return tuple(self._language.stem(token.text) for token in self._language.tokens(title))

    def _place(self, words: tuple[str, ...]) -> Place:
        self.vocabulary.update(words)
        self.longest = max(self.longest, len(words))
        return self.names.setdefault("".join(words), Place())

    def _add_merchant(self, merchant_id: str, title: str, *, parts: bool) -> None:
        words = self._words(title)
        if not words:
            return
        self._place(words).merchants[merchant_id] = True
        bare = tuple(w for w in words if w not in self._language.name_glue)
        for size in range(1 if parts else len(bare), len(bare) + 1):
            part = bare[:size]
            if len("".join(part)) >= min(3, self._language.shortest) and part != words:
                self._place(part).merchants.setdefault(merchant_id, size == len(bare))
