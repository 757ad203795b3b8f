"""Names that were misheard or misspelt: the one in the catalogue that sounds most alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lapel.brain.lexicon import MenuIndex, Name
from lapel.brain.places import PlaceIndex
from lapel.brain.sound import Sounds

# A long name may differ more than a short one, because less is like it.
_LIKE_ENOUGH = ((5, 0.78), (8, 0.75), (99, 0.71))
# "Extra crispy" is not "extra cheese": a little word must not carry the likeness.
_WITH_LITTLE_WORD = 0.85
_BOLD = 0.62
_BOLD_CLEARLY_BETTER = 0.08
_REST_LIKE_ENOUGH = 0.5
_ADDRESS_LIKE_ENOUGH = 0.9
_PLACE_LIKE_ENOUGH = 0.78
_CLEARLY_BETTER = 0.04
_LETTERS_AT_LEAST = 38
_RANKED = 5


@dataclass(frozen=True, slots=True)
class Said:
    """Joined stems of a run of words, with the words that name nothing marked strange.

    `little_word` is true when it starts with an amount ("extra") or has an "a" inside.
    """

    key: str
    stems: tuple[str, ...]
    strange: tuple[bool, ...]
    bold: bool = False
    little_word: bool = False


@dataclass(frozen=True, slots=True)
class Alike:
    """The key of the name that was found, and other names that are as like."""

    key: str
    likeness: float
    rivals: tuple[Name, ...] = ()


class AlikeFinder:
    """Ranks names by letters and sound."""

    def __init__(self, sounds: Sounds, places: PlaceIndex) -> None:
        self._sounds = sounds
        self._places = places

    def name(self, said: Said, index: MenuIndex) -> Alike | None:
        measured = self._measure(said, index)
        if measured is not None:
            return measured
        if said.stems[0].isdecimal() or said.stems[-1].isdecimal():
            # A count is heard well: "3 cevichis" is three of something.
            return None
        known = index.vocabulary
        ranked = self._rank(said.key, index.spoken)
        ranked = [r for r in ranked if self._rest_fits(said, r[1], known)]
        if not ranked:
            return None
        best, key = ranked[0]
        enough = _WITH_LITTLE_WORD if said.little_word else _enough(key)
        if said.bold and (best < enough or len(said.key) < self._sounds.shortest):
            return self._boldly(ranked, index)
        if best < enough or len(said.key) < self._sounds.shortest:
            return None
        rivals = tuple(
            index.names[other]
            for likeness, other in ranked[1:]
            if best - likeness < _CLEARLY_BETTER and index.names[other].exact_items
        )
        return Alike(key, best, rivals)

    def place(self, said: Said) -> Alike | None:
        """A shop or an address; a wrong address costs more than a question."""
        if len(said.key) <= self._sounds.shortest:
            return None
        ranked = self._rank(said.key, self._places.spoken)
        if not ranked:
            return None
        likeness, key = ranked[0]
        address = bool(self._places.names[key].address)
        enough = _ADDRESS_LIKE_ENOUGH if address else _PLACE_LIKE_ENOUGH
        return Alike(key, likeness) if likeness >= enough else None

    def _boldly(self, ranked: list[tuple[float, str]], index: MenuIndex) -> Alike | None:
        """The item that stands out among all, even if it is not very like."""
        items = [(s, key) for s, key in ranked if index.names[key].exact_items]
        if not items or items[0][0] < _BOLD or items[0][1] != ranked[0][1]:
            return None
        places = set(index.names[items[0][1]].exact_items)
        others = [s for s, k in items[1:] if not places & set(index.names[k].exact_items)]
        if others and items[0][0] - others[0] < _BOLD_CLEARLY_BETTER:
            return None
        return Alike(items[0][1], items[0][0])

    def _measure(self, said: Said, index: MenuIndex) -> Alike | None:
        """A number before a strange word, where just one option has that number: "12 wounds"."""
        if len(said.stems) != 2 or not said.stems[0].isdecimal() or not said.strange[1]:
            return None
        keys = index.numbered.get(said.stems[0], ())
        return Alike(keys[0], 0.75) if len(keys) == 1 else None

    def _rest_fits(self, said: Said, key: str, vocabulary: set[str]) -> bool:
        """A word that was understood must not carry the likeness of one that was not."""
        known = "".join(s for s in said.stems if s in vocabulary)
        rest = "".join(s for s in said.stems if s not in vocabulary)
        if not known:
            return True
        if key.startswith(known):
            other = key[len(known) :]
        elif key.endswith(known):
            other = key[: -len(known)]
        else:
            return True
        return bool(other) and self._sounds.likeness(rest, other) >= _REST_LIKE_ENOUGH

    def _rank(self, said: str, names: Sequence[str]) -> list[tuple[float, str]]:
        close = self._sounds.closest(said, names, _RANKED, _LETTERS_AT_LEAST)
        ranked = [(self._sounds.likeness(said, name), name) for name in close]
        ranked.sort(reverse=True)
        return ranked


def _enough(key: str) -> float:
    return next(enough for longest, enough in _LIKE_ENOUGH if len(key) <= longest)
