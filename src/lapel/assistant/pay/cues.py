"""What is shown and said of money between people."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from lapel.assistant.skills import Teller
from lapel.commerce import Checkout, Money, Transfer, spoken
from lapel.devices import Card, CardAction, CardLine, Cue, CueKind, Pattern
from lapel.services import MoneyRequest, Owed, Party, Received

TOPIC = "pay:asked:"


def named(party: Party) -> str:
    return f"{party.name} ({party.handle})" if party.name else party.handle


def question(checkout: Checkout, transfer: Transfer) -> str:
    """The approval read out: how much, to whom as the bank names them, what for."""
    note = f", for {transfer.note}" if transfer.note else ""
    origin = {"request": " They asked for it.", "code": " From the code that you scanned."}
    said = f"{spoken(checkout.total)} to {transfer.name}, {transfer.payee}{note}."
    return f"{said}{origin.get(transfer.kind, '')}"


def way_of(transfer: Transfer) -> str:
    """What stands on the card."""
    note = f"For {transfer.note}. " if transfer.note else ""
    origin = {"request": "They asked for it.", "code": "From a code that you scanned."}
    return f"{note}{origin.get(transfer.kind, '')}".strip()


def split_text(what: str, shares: Sequence[tuple[Party, Money]], own: Money) -> str:
    said = ", ".join(f"{party.name} {spoken(share)}" for party, share in shares)
    return f"{what}: {said}, you {spoken(own)}. Shall I ask them?"


def split_card(
    what: str, shares: Sequence[tuple[Party, Money]], own: Money, total: Money, serial: int
) -> Card:
    lines = [CardLine(named(party), str(share)) for party, share in shares]
    return Card(
        title=f"Split {what}",
        lines=(*lines, CardLine("You", str(own))),
        total=str(total),
        body="Odd cents are yours.",
        actions=(CardAction(f"split:{serial}:yes", "Ask"), CardAction(f"split:{serial}:no", "No")),
    )


def owed_text(owed: Sequence[Owed]) -> str:
    if not owed:
        return "Nobody owes you anything that I have asked for."
    said = [f"{x.name} owes you {spoken(x.amount)}{_for(x.note)}" for x in owed[:5]]
    more = f", and {len(owed) - 5} more" if len(owed) > 5 else ""
    return f"{'. '.join(said)}{more}."


def requests_text(asked: Sequence[MoneyRequest]) -> str:
    if not asked:
        return "Nobody asks you for money."
    said = [f"{x.other.name} asks for {spoken(x.amount)}{_for(x.note)}" for x in asked[:5]]
    more = f", and {len(asked) - 5} more" if len(asked) > 5 else ""
    return f"{'. '.join(said)}{more}. Say pay, or decline, and whose request."


def list_card(title: str, rows: Sequence[tuple[str, Money]]) -> Card | None:
    if not rows:
        return None
    return Card(title=title, lines=tuple(CardLine(who, str(x)) for who, x in rows[:20]))


class Telling:
    """Brings up what the bank says; implements `services.PayTeller`."""

    def __init__(self, teller: Teller) -> None:
        self._teller = teller

    async def asked(self, user_id: str, request: MoneyRequest) -> None:
        note = _for(request.note)
        text = f"{request.other.name} asks you for {spoken(request.amount)}{note}."
        topic = f"{TOPIC}{request.id}"
        card = Card(
            title="Payment request",
            lines=(CardLine(named(request.other), str(request.amount)),),
            body=text,
            actions=(
                CardAction(f"pay:{request.id}", "Pay"),
                CardAction(f"decline:{request.id}", "Decline"),
            ),
        )
        cue = Cue(topic, topic, CueKind.NOTICE, text, card=card, haptic=Pattern.PULSE)
        await self._teller.tell(user_id, [cue])

    async def received(self, user_id: str, received: Received) -> None:
        text = f"{received.sender} paid you {spoken(received.amount)}{_for(received.note)}."
        await self._tell(user_id, f"pay:in:{user_id}:{received.n}", text, Pattern.DOUBLE)

    async def answered(self, owed: Owed, state: str, why: str) -> None:
        if state in ("paid", "canceled"):
            return  # the money itself is told, and what the user took back the user knows
        what = f"your request for {spoken(owed.amount)}"
        match state:
            case "declined":
                text = f"{owed.name} declined {what}."
            case "expired":
                text = f"{what.capitalize()} to {owed.name} has expired unpaid."
            case _:
                text = f"I could not ask {owed.name} for {spoken(owed.amount)}. {why}".strip()
        await self._tell(owed.user_id, f"pay:out:{owed.id}:{state}", text, Pattern.LONG)

    async def _tell(self, user_id: str, id: str, text: str, haptic: Pattern) -> None:
        card = Card(title="Money", body=text)
        await self._teller.tell(
            user_id, [Cue(id, id, CueKind.NOTICE, text, card=card, haptic=haptic)]
        )


def asked_about_code(text: str) -> Cue:
    """What has to be asked about a scanned code; the next code takes its place."""
    id = f"pay:scan:{secrets.token_hex(8)}"
    card = Card(title="Scanned code", body=text)
    return Cue(
        id, "pay:scan", CueKind.NOTICE, text, card=card, haptic=Pattern.PULSE, expires_s=120.0
    )


def _for(note: str) -> str:
    return f" for {note}" if note else ""
