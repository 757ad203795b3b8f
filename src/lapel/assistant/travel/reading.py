"""What somebody wants of flights, trains and hotels, from a whole utterance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from lapel.assistant.grammar import Found
from lapel.assistant.personal.language import Words
from lapel.assistant.personal.reading import answer_when, number_of, when_of
from lapel.assistant.politeness import whole
from lapel.commerce import JourneyKind, Traveller
from lapel.services.personal import At, Clock, When

Fare = Literal["", "flexible", "rigid", "middle"]
Act = Literal[
    "status", "change", "change_ask", "cancel", "rebook", "refund", "hold", "book", "search"
]
_KINDS: dict[str, JourneyKind] = {"flight": "flight", "train": "train", "stay": "stay"}
_FARES: dict[str, Fare] = {"flexible": "flexible", "rigid": "rigid", "middle": "middle"}
LONGEST_STAY = 14


@dataclass(frozen=True, slots=True)
class Pick:
    """Which of the offers: `how` is a key of the grammar's `t_pick`; `nth` counts from 1."""

    how: str
    nth: int = 0
    fare: Fare = ""
    clock: Clock | None = None


@dataclass(frozen=True, slots=True)
class Wish:
    """One thing that is asked for; places are as they were said, `kind` is None for any."""

    act: Act
    kind: JourneyKind | None = None
    origin: str = ""
    destination: str = ""
    when: When | None = None
    till: When | None = None
    nights: int = 0
    fare: Fare = ""
    pick: Pick | None = None


def read(text: str, words: Words) -> Wish | None:
    """The wish in a whole utterance; None when any word of it is about something else."""
    found = _whole("t_command", text, words)
    if found is None:
        return None
    match found.key:
        case "flight" | "train" | "stay":
            return _search(found, _KINDS[found.key])
        case "status" | "change" | "change_ask" | "cancel" | "rebook" | "refund":
            return _about(found)
        case "hold" | "book":
            pick = found.part("pick")
            return Wish("hold" if found.key == "hold" else "book", pick=_pick(pick))
        case _:
            return None


def picked(text: str, words: Words) -> Pick | None:
    """`text` as the answer to a list of offers."""
    found = _whole("t_answer", text, words)
    return None if found is None else _pick(found.part("pick"))


def place(text: str, words: Words) -> str | None:
    """`text` as the answer to "where from?"."""
    found = _whole("t_place", text, words)
    return None if found is None else found.text("place")


def when(text: str, words: Words) -> When | None:
    """`text` as the answer to "on which day?"."""
    return answer_when(text, words)


def traveller(text: str, words: Words) -> Traveller | None:
    """`text` as the answer to "under which name?": first names, then the last one."""
    found = _whole("t_name", text, words)
    names = found.text("name").split() if found else []
    if len(names) < 2:
        return None
    said = [name[:1].upper() + name[1:] for name in names]
    return Traveller(" ".join(said[:-1]), said[-1])


def _whole(rule: str, text: str, words: Words) -> Found | None:
    return whole(words.grammar.read(text), rule)


def _search(found: Found, kind: JourneyKind) -> Wish | None:
    way = found.part("way") or found.part("where")
    fare = found.part("fare")
    wanted: Fare = "flexible" if fare is not None and fare.key == "flexible" else ""
    if way is None:
        return Wish("search", kind, fare=wanted)
    timed, till = way.part("when"), way.part("till")
    moment = None if timed is None else when_of(timed)
    if timed is not None and moment is None:
        return None
    nights = round(number_of(way.part("nights"))) if kind == "stay" else 0
    if nights > LONGEST_STAY:
        return None
    end = None if till is None else when_of(Found("at", {"day": till}))
    if till is not None and not isinstance(end, At):
        return None
    return Wish(
        "search",
        kind,
        origin=way.text("from"),
        destination=way.text("to"),
        when=moment,
        till=end,
        nights=nights,
        fare=wanted,
    )


def _about(found: Found) -> Wish | None:
    booked, timed = found.part("kind"), found.part("when")
    moment = None if timed is None else when_of(timed)
    if found.key == "change" and moment is None:
        return None
    kind = None if booked is None else _KINDS.get(booked.key)
    act: Act = found.key  # pyright: ignore[reportAssignmentType]  # the keys of the file
    return Wish(act, kind, when=moment)


def _pick(found: Found | None) -> Pick | None:
    if found is None:
        return None
    clock = found.part("clock")
    moment = None if clock is None else when_of(Found("at", {"clock": clock}))
    nth = found.part("nth")
    number = int(nth.key) if nth is not None else round(number_of(found.part("number")))
    rule = found.part("fare")
    return Pick(
        how=found.key,
        nth=number if found.key == "nth" else 0,
        fare="" if rule is None else _FARES[rule.key],
        clock=moment.clock if isinstance(moment, At) else None,
    )
