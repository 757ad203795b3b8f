"""The dialogue about money between people: from the words to an order, or to a request."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from lapel.assistant.ordering import Costless, Ordering, told
from lapel.assistant.pay import amounts, cues, grammar
from lapel.assistant.pay.grammar import (
    Answer,
    Ask,
    FixShare,
    RemoveContact,
    SaveContact,
    Send,
    Split,
    WhoOwes,
    Wish,
)
from lapel.assistant.pay.tools import TOOLS
from lapel.assistant.politeness import is_no, is_yes
from lapel.assistant.skills import Heard, Outcome
from lapel.brain.tools import Tool
from lapel.commerce import (
    Address,
    DraftLine,
    Money,
    Order,
    OrderDraft,
    Orders,
    OrderState,
    PortError,
    ShareError,
    Transfer,
    split_bill,
    spoken,
)
from lapel.devices import Card, CardLine
from lapel.services import (
    Contact,
    ContactError,
    Contacts,
    MoneyRequest,
    Owed,
    OwedRecord,
    OwedWish,
    Party,
    Payee,
    Requests,
    Scanned,
)

PAID = frozenset({OrderState.PLACED, OrderState.DELIVERED})
KEPT_S = 120.0
"""A question that nobody answered for so long is forgotten."""
NOT_SENT = "It is not sent yet. Confirm it on the screen that shows it, or say cancel."
COSTLESS = Costless("The bank does not answer.", "Nothing was sent.")
NOWHERE = Address("", "", "", "", "", 0.0, 0.0)


class PayPort(Protocol):
    """What the skill needs of `services.Pay`."""

    async def payee(self, handle: str) -> Payee: ...
    async def requests(self, user_id: str) -> Requests: ...
    async def close(self, user_id: str, request_id: str, *, declines: bool) -> None: ...


@dataclass(frozen=True, slots=True)
class _Sharing:
    """A bill on its way to be split: everybody with the share that was named, or None."""

    what: str
    total: Money
    note: str
    about: str
    parties: tuple[tuple[Party, Money | None], ...]


@dataclass(frozen=True, slots=True)
class _Question:
    """What was asked last: `kind` is "who", "amount", "ask", "split" or "scan"."""

    kind: str
    at: float
    wish: Wish | None = None
    among: tuple[Contact, ...] = ()
    known: tuple[tuple[str, Contact], ...] = ()
    """Names that were settled already, with whom they mean."""
    unclear: str = ""
    sharing: _Sharing | None = None
    scanned: Scanned | None = None


class _Unclear(Exception):
    """A name means nobody, or several; `among` are those."""

    def __init__(self, name: str, among: Sequence[Contact]) -> None:
        super().__init__(name)
        self.name = name
        self.among = tuple(among)


@dataclass(slots=True)
class PaySkill:
    """One user's money; implements `Skill`."""

    user_id: str
    orders: Orders
    pay: PayPort
    contacts: Contacts
    owed: OwedRecord
    _asked: _Question | None = None
    _serial: int = 0
    _requested: dict[int, list[str]] = field(default_factory=dict[int, list[str]])
    """Turn -> what it asked for, while that can be taken back."""
    _ordering: Ordering = field(init=False)

    def __post_init__(self) -> None:
        self._ordering = Ordering(
            self.user_id, self.orders, lambda x: x.transfer is not None, waits=NOT_SENT
        )

    async def hear(self, heard: Heard) -> Outcome | None:
        """Claims a whole utterance about money, and the answer to its own question."""
        asked = self._asked
        if asked is not None and heard.at - asked.at > KEPT_S:
            asked = self._asked = None
        wish = grammar.read(heard.words.text)
        if isinstance(wish, FixShare):
            doing = self._fix(wish, asked, heard)
        elif wish is not None:
            doing = self._act(wish, heard)
        elif asked is not None and not heard.cart_open:
            doing = self._answered(asked, heard)
        else:
            doing = self._ordering.about_waiting(heard)
        return await told(doing, COSTLESS, ContactError, ShareError)

    async def undo(self, turn: int) -> None:
        """Drop what this turn began; what is paid for already stays."""
        self._asked = None
        await self._ordering.undo(turn)
        for id in self._requested.pop(turn, []):
            await self._withdraw(id)

    async def pressed(self, topic: str, action: str) -> Outcome | None:
        """A button of a request, or of a bill that is to be split."""
        kind, _, rest = action.partition(":")
        if kind == "split":
            return await self._pressed_split(rest)
        if not topic.startswith(cues.TOPIC) or kind not in ("pay", "decline"):
            return None
        return await told(self._pressed_request(topic, rest, pays=kind == "pay"), COSTLESS)

    async def _pressed_request(self, topic: str, id: str, *, pays: bool) -> Outcome:
        request = await self._request_with(id)
        if request is None:
            return Outcome("That request is paid, declined or expired.", closes=(topic,))
        if not pays:
            return replace(await self._decline(request), closes=(topic,))
        await self._pay_request(request, "", None)
        return Outcome(closes=(topic,))

    def tools(self) -> Sequence[Tool]:
        return TOOLS

    def hints(self) -> Sequence[str]:
        return ("send", "euros", "ask", "split", "owe", "request", "decline", "contacts")

    async def scanned(self, found: Scanned, at: float) -> Outcome:
        """A code was scanned: a question of a purchase, or how much. It authorises nothing."""
        if found.amount is None:
            self._asked = _Question("scan", at, scanned=found)
            return Outcome(f"{cues.named(found.payee.party)}. How much do you want to pay?")
        return await self._pay_code(found, found.amount, "", None)

    # What was wished. -----------------------------------------------------------------------------

    async def _act(
        self, wish: Wish, heard: Heard, known: tuple[tuple[str, Contact], ...] = ()
    ) -> Outcome | None:
        self._asked = None
        try:
            match wish:
                case Send():
                    return await self._send(wish, heard, dict(known))
                case Ask():
                    return await self._ask(wish, heard, dict(known))
                case Split():
                    return await self._split(wish, heard, dict(known))
                case Answer(pays=pays, who=who):
                    return await self._answer(pays, who, heard)
                case WhoOwes(mine=mine):
                    return await self._owes(mine=mine)
                case SaveContact(name=name, handle=handle):
                    return await self._save(name, handle)
                case RemoveContact(name=name):
                    return await self._remove(await self._contact(name, dict(known)))
                case _:
                    return await self._list()
        except _Unclear as unclear:
            return self._which(unclear, wish, heard, known)

    def _which(
        self, unclear: _Unclear, wish: Wish, heard: Heard, known: tuple[tuple[str, Contact], ...]
    ) -> Outcome | None:
        if not unclear.among:
            if isinstance(wish, Send | Ask) and not wish.sure:
                return None  # "send two to the office" is not about money
            name = unclear.name.title()
            return Outcome(f"I do not know {name}. Say: save {name} as, and their handle.")
        self._asked = _Question("who", heard.at, wish, unclear.among, known, unclear=unclear.name)
        names = [_full(contact) for contact in unclear.among]
        return Outcome(f"Which one: {', '.join(names[:-1])} or {names[-1]}?")

    async def _send(self, wish: Send, heard: Heard, known: dict[str, Contact]) -> Outcome:
        payee = await self._payee(wish.who, known)
        if wish.amount is None:
            self._asked = _Question("amount", heard.at, wish, known=tuple(known.items()))
            return Outcome(f"How much for {payee.party.name}?")
        transfer = Transfer("send", *_of(payee), wish.amount, wish.note)
        return await self._begin(payee.merchant_id, transfer, heard.words.text, heard)

    async def _ask(self, wish: Ask, heard: Heard, known: dict[str, Contact]) -> Outcome:
        payees = [await self._payee(name, known) for name in wish.who]
        if wish.amount is None:
            self._asked = _Question("amount", heard.at, wish, known=tuple(known.items()))
            return Outcome("How much?")
        parties = tuple((payee.party, wish.amount) for payee in payees)
        sharing = _Sharing("", wish.amount, wish.note, "", parties)
        self._asked = _Question("ask", heard.at, wish, sharing=sharing)
        who = " and ".join(cues.named(party) for party, _ in parties)
        note = f" for {wish.note}" if wish.note else ""
        each = " each" if len(parties) > 1 else ""
        return Outcome(f"Ask {who} for {spoken(wish.amount)}{each}{note}?")

    async def _split(self, wish: Split, heard: Heard, known: dict[str, Contact]) -> Outcome:
        fixed = dict(wish.fixed)
        parties = [((await self._payee(x, known)).party, fixed.get(x)) for x in wish.who]
        if wish.amount is not None:
            note = wish.note
            return self._offer(_Sharing("it", wish.amount, note, "", tuple(parties)), heard.at)
        order = await self._last_paid()
        if order is None or order.total is None:
            return Outcome("There is no order to split.")
        about = f"order:{order.id}"
        before = {x.handle for x in await self.owed.about(self.user_id, about)}
        again = [party.name for party, _ in parties if party.handle in before]
        if again:
            return Outcome(f"I have asked {' and '.join(again)} for that order already.")
        what = f"{order.merchant_name}, {spoken(order.total)}"
        note = wish.note or order.merchant_name
        return self._offer(_Sharing(what, order.total, note, about, tuple(parties)), heard.at)

    def _offer(self, sharing: _Sharing, at: float) -> Outcome:
        """Tell the shares, and ask whether they are to be asked for."""
        shares, own = _shares(sharing)
        self._serial += 1
        self._asked = _Question("split", at, sharing=sharing)
        what = sharing.what if sharing.what != "it" else spoken(sharing.total)
        card = cues.split_card(what, shares, own, sharing.total, self._serial)
        return Outcome(cues.split_text(what, shares, own), card)

    async def _fix(self, wish: FixShare, asked: _Question | None, heard: Heard) -> Outcome | None:
        """Somebody pays another share, while the shares of a bill are being asked about."""
        sharing = None if asked is None or asked.kind != "split" else asked.sharing
        if sharing is None:
            return None
        meant = [x for x, _ in sharing.parties if _is_called(x, wish.who)]
        contacts = {x.handle for x in await self.contacts.called(self.user_id, wish.who)}
        meant = meant or [x for x, _ in sharing.parties if x.handle in contacts]
        if len(meant) != 1:
            return Outcome(f"{wish.who.capitalize()} is not among those who share it.")
        parties = tuple(
            (party, wish.amount if party == meant[0] else share) for party, share in sharing.parties
        )
        return self._offer(replace(sharing, parties=parties), heard.at)

    async def _answer(self, pays: bool, who: str, heard: Heard) -> Outcome | None:
        """To somebody's request; without a name the words may be for the open question."""
        if not who and not pays:
            dropped = await self._ordering.drop_waiting()
            if dropped is not None:
                return dropped
        known = await self.contacts.called(self.user_id, who) if who else []
        handles = {contact.handle for contact in known}
        found = [
            x
            for x in (await self.pay.requests(self.user_id)).incoming
            if x.state == "open"
            and (not who or x.other.handle in handles or _is_called(x.other, who))
        ]
        if not found:
            if not who and not pays:
                return None
            return Outcome(
                f"{who.capitalize()} asks for nothing." if who else "Nobody asks you for money."
            )
        if len(found) > 1:
            return Outcome(cues.requests_text(found))
        if not pays:
            return await self._decline(found[0])
        return await self._pay_request(found[0], heard.words.text, heard)

    # From words to money, or to a request. --------------------------------------------------------

    async def _pay_request(self, request: MoneyRequest, said: str, heard: Heard | None) -> Outcome:
        payee = await self.pay.payee(request.other.handle)
        transfer = Transfer("request", *_of(payee), request.amount, request.note, request.id)
        return await self._begin(payee.merchant_id, transfer, said, heard)

    async def _pay_code(
        self, found: Scanned, amount: Money, said: str, heard: Heard | None
    ) -> Outcome:
        transfer = Transfer("code", *_of(found.payee), amount, found.note, code=found.code)
        return await self._begin(found.payee.merchant_id, transfer, said, heard)

    async def _begin(
        self, merchant_id: str, transfer: Transfer, said: str, heard: Heard | None
    ) -> Outcome:
        """Ask for it like for any purchase."""
        return await self._ordering.begin(transfer_draft(merchant_id, transfer, said), heard)

    async def _request(self, sharing: _Sharing, heard: Heard | None) -> Outcome:
        """Ask everybody for their share; durable on return."""
        self._asked = None
        shares = [(x, s) for x, s in sharing.parties if s is not None]
        if sharing.what:
            shares = _shares(sharing)[0]
        wishes = [
            OwedWish(party.handle, party.name, share, sharing.note, sharing.about)
            for party, share in shares
        ]
        made = await self.owed.ask(self.user_id, wishes)
        if heard is not None:
            self._requested = {heard.turn: made}
        said = " and ".join(f"{party.name} for {spoken(share)}" for party, share in shares)
        return Outcome(f"I ask {said}.")

    async def _decline(self, request: MoneyRequest) -> Outcome:
        await self.pay.close(self.user_id, request.id, declines=True)
        said = f"I declined the request of {request.other.name}. Nothing was sent."
        return Outcome(said, closes=(f"{cues.TOPIC}{request.id}",))

    async def _withdraw(self, id: str) -> None:
        sent = await self.owed.withdraw(id)
        if sent is not None and sent.bank_id:
            try:
                await self.pay.close(self.user_id, sent.bank_id, declines=False)
            except PortError:
                return  # it stays asked; the other one may decline it
            await self.owed.set(id, "canceled")

    # Answers. -------------------------------------------------------------------------------------

    async def _answered(self, asked: _Question, heard: Heard) -> Outcome | None:
        """The answer to the last question; None when the words are about something else."""
        text = heard.words.text
        if is_no(text):
            self._asked = None
            return Outcome("All right, nothing was sent.")
        match asked.kind:
            case "who":
                return await self._chosen(asked, heard)
            case "amount" | "scan":
                amount = amounts.read(grammar.tidy(text))
                if amount is None:
                    return None
                if asked.scanned is not None:
                    self._asked = None
                    return await self._pay_code(asked.scanned, amount, text, heard)
                if isinstance(asked.wish, Send | Ask):
                    return await self._act(replace(asked.wish, amount=amount), heard, asked.known)
                return None
            case _:
                if not is_yes(text) or asked.sharing is None:
                    return None
                return await self._request(asked.sharing, heard)

    async def _chosen(self, asked: _Question, heard: Heard) -> Outcome | None:
        """Which of several of the same name."""
        said = grammar.tidy(heard.words.text)
        ordinals = {"the first": 0, "first": 0, "the second": 1, "second": 1, "the third": 2}
        at = ordinals.get(said.removesuffix(" one"), -1)
        meant = [x for x in asked.among if said in _full(x).casefold() or x.is_called(said)]
        if 0 <= at < len(asked.among):
            meant = [asked.among[at]]
        if len(meant) != 1 or asked.wish is None:
            return None
        return await self._act(asked.wish, heard, (*asked.known, (asked.unclear, meant[0])))

    async def _pressed_split(self, rest: str) -> Outcome:
        serial, _, answer = rest.partition(":")
        asked = self._asked
        stale = asked is None or asked.kind != "split" or serial != str(self._serial)
        if stale or asked is None or asked.sharing is None:
            return Outcome("Those shares are out of date. Ask me again.")
        if answer != "yes":
            self._asked = None
            return Outcome("All right, I ask nobody.")
        return await self._request(asked.sharing, None)

    # People. --------------------------------------------------------------------------------------

    async def _contact(self, name: str, known: dict[str, Contact]) -> Contact:
        if name in known:
            return known[name]
        found = await self.contacts.called(self.user_id, name)
        if len(found) != 1:
            raise _Unclear(name, found)
        known[name] = found[0]
        return found[0]

    async def _payee(self, name: str, known: dict[str, Contact]) -> Payee:
        """Who is meant, as the bank names them now."""
        if name[:1] in "@+":
            return await self.pay.payee(name)
        return await self.pay.payee((await self._contact(name, known)).handle)

    async def _save(self, name: str, handle: str) -> Outcome:
        party = (await self.pay.payee(handle)).party
        called = name if name[:1].isupper() else name.title()
        saved = await self.contacts.save(self.user_id, called, party.handle, party.name)
        return Outcome(f"Saved {saved.name}: at the bank that is {cues.named(party)}.")

    async def _remove(self, contact: Contact) -> Outcome:
        await self.contacts.remove(self.user_id, contact.id)
        return Outcome(f"I removed {contact.name} from your contacts.")

    async def _list(self) -> Outcome:
        found = await self.contacts.all(self.user_id)
        if not found:
            return Outcome("You have no contacts yet. Say: save Anna as @anna.")
        lines = tuple(CardLine(x.name, x.handle) for x in found[:30])
        names = ", ".join(x.name for x in found[:8])
        return Outcome(f"You know {names}.", Card(title="Contacts", lines=lines))

    async def _owes(self, *, mine: bool) -> Outcome:
        if mine:
            asked = [
                x for x in (await self.pay.requests(self.user_id)).incoming if x.state == "open"
            ]
            rows = [(cues.named(x.other), x.amount) for x in asked]
            return Outcome(cues.requests_text(asked), cues.list_card("You are asked for", rows))
        owed: list[Owed] = await self.owed.of(self.user_id, "out", "sending", "open")
        rows = [(x.name, x.amount) for x in owed]
        return Outcome(cues.owed_text(owed), cues.list_card("You are owed", rows))

    # Looking things up. ---------------------------------------------------------------------------

    async def _request_with(self, id: str) -> MoneyRequest | None:
        found = (await self.pay.requests(self.user_id)).incoming
        return next((x for x in found if x.state == "open" and x.id == id), None)

    async def _last_paid(self) -> Order | None:
        """The newest thing that was bought, and is no money for somebody."""
        for order in await self.orders.list(self.user_id, limit=20):
            if order.draft.transfer is None and order.state in PAID and order.total is not None:
                return order
        return None


def transfer_draft(merchant_id: str, transfer: Transfer, said: str) -> OrderDraft:
    """A transfer as an order like any other."""
    line = DraftLine("transfer", f"To {transfer.name}", 1)
    return OrderDraft(merchant_id, (line,), NOWHERE, said, transfer=transfer)


def _of(payee: Payee) -> tuple[str, str]:
    return payee.party.handle, payee.party.name


def _full(contact: Contact) -> str:
    return contact.bank_name or contact.name


def _is_called(party: Party, said: str) -> bool:
    word = said.casefold()
    return word in (
        party.handle.casefold(),
        party.name.casefold(),
        party.name.casefold().split(" ")[0],
    )


def _shares(sharing: _Sharing) -> tuple[list[tuple[Party, Money]], Money]:
    """Everybody's share, and what stays with the user."""
    shares = split_bill(sharing.total, [share for _, share in sharing.parties])
    own = sharing.total.minor - sum(share.minor for share in shares)
    parties = [party for party, _ in sharing.parties]
    return list(zip(parties, shares, strict=True)), Money(own, sharing.total.currency)
