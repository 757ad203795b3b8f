"""What one utterance does: understanding in; an order begun, changed or cancelled; words out."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from lapel.assistant import words
from lapel.assistant.afterwards import FRESH_S, Afterwards, Wanted, says
from lapel.assistant.cart_tools import CART_TOOLS
from lapel.assistant.lost import Hint, nobody_knows
from lapel.assistant.memory import ConversationState, Memory
from lapel.assistant.offers import AGAIN, ELSEWHERE, REPEATS, REST, failed
from lapel.assistant.politeness import is_yes
from lapel.assistant.skills import Follower, Heard, Outcome, Skill, Tooled
from lapel.assistant.usual import Usual
from lapel.brain import (
    USERS_OWN,
    Action,
    Affirm,
    AskMenu,
    AskStatus,
    Brain,
    CancelOrder,
    CartLine,
    Deny,
    Frame,
    Menu,
    MenuItem,
    RepeatLast,
    Source,
    Understanding,
    Utterance,
    Words,
)
from lapel.brain.tools import Answer, Ask, Call, Request, Thought
from lapel.brain.withheld import withheld
from lapel.commerce import (
    TO_BE_FETCHED,
    Address,
    DraftLine,
    Money,
    Order,
    OrderDraft,
    Orders,
    OrderState,
    spoken,
)
from lapel.devices import Card, CardLine, Cue, PositionReported
from lapel.failures import FAILURES, Code, Way

CHANGEABLE = frozenset({OrderState.QUOTING, OrderState.AWAITING_APPROVAL, OrderState.ESCALATED})
AT_THE_SHOP = "The shop waits for you on its own page. The link is on your phone."
IN_A_MOMENT = "I order it in a moment, within your limit. Say stop to undo."
ASKING_THE_SHOP = "I am asking the shop for the price."
RUNNING = frozenset(
    {OrderState.PAYING, OrderState.PLACING, OrderState.PLACED, OrderState.REFUNDING}
)


OUT_OF_DATE = "That is out of date. Nothing was ordered. Tell me what you would like."
_OFFERED = frozenset({AGAIN.action, ELSEWHERE.action, REST.action})
_NONE_BEGUN = (-1, "")


class Places(Protocol):
    """The user's own addresses."""

    async def find(self, label: str) -> Address | None: ...


class KeptCart(Protocol):
    """A cart at a shop: `total` is what is in it, without delivery."""

    @property
    def id(self) -> str: ...
    @property
    def total(self) -> Money: ...


class Carts(Protocol):
    """Carts at the shops: `keep` gives the cart with exactly these lines, or None without one."""

    async def keep(self, draft: OrderDraft) -> KeptCart | None: ...


@dataclass(frozen=True, slots=True)
class _Before:
    """How things stood before a turn, so that it can be taken back."""

    turn: int
    frame: Frame
    order: Order | None


@dataclass(slots=True)
class Conversation:
    """One user's dialogue; the caller runs one `hear` at a time."""

    user_id: str
    memory: Memory
    orders: Orders
    places: Places
    confirm_how: Callable[[], str]
    clock: Callable[[], float] = time.time
    frame_kept_s: float = 1800.0
    skills: Sequence[Skill] = ()
    """Asked in this order, before the brain's catalogue grammar."""
    carts: Carts | None = None
    """Keeps at the shops what is being chosen, where they offer that."""
    lost: Hint = nobody_knows
    """What to say to words that nobody understood."""
    thinks: Callable[[], bool] = lambda: False
    """Whether a model can be asked about such words."""
    state: ConversationState = field(default_factory=ConversationState)
    replaced: deque[str] = field(default_factory=lambda: deque[str](maxlen=16))
    """The last orders dropped for what was said instead: the user need not be told of it."""
    _before: _Before | None = None
    _heard_at: float = 0.0
    _spoke_before: tuple[int, float, tuple[str, float, Code] | None] = (-1, 0.0, None)
    """The last turn, and what the two others were before it."""
    _unheard: tuple[str, float, Code] | None = None
    """What was said and could not be done, when, and why."""
    _begun: tuple[int, str] = _NONE_BEGUN
    """The turn that took up an order that is no cart, and the new order."""
    _afterwards: Afterwards = field(init=False)

    def __post_init__(self) -> None:
        self._afterwards = Afterwards(self.user_id, self.orders)

    async def hear(
        self, utterance: Utterance, brain: Brain, turn: int = 0, *, thought: bool = False
    ) -> Outcome:
        """Understand and act. An utterance that is no order changes nothing.

        `thought` of what a model has made of words: it is not asked again.
        """
        order = await self._open_order()
        before = self._heard_at
        self._spoke_before = (turn, before, self._unheard)
        self._heard_at = self.clock()
        claimed = await self._ask_skills(utterance, turn, order)
        if claimed is None:
            claimed = await self._take_up(utterance, brain, turn, order, before)
        if claimed is not None:
            return self._failing(claimed, utterance)
        if not brain.menus:
            return self._thinking(utterance, brain, thought) or Outcome(
                "I know no shops yet. Add one with: lapel merchants add, and its address."
            )
        self._refresh(order)
        frame = self.state.frame
        self._before = _Before(turn, frame, order)
        outcome = None if frame.lines else await self._again(utterance, brain)
        if outcome is None:
            understood = brain.understand(utterance, frame)
            outcome = await self._act(understood, frame, brain)
        await self.memory.save(self.state)
        if outcome is None:
            outcome = self._thinking(utterance, brain, thought)
        return outcome or Outcome(await self.lost(utterance.text))

    def _thinking(self, utterance: Utterance, brain: Brain, thought: bool) -> Outcome | None:
        """What a model is to be asked about words that nobody understood, if one may be."""
        if thought or utterance.source not in USERS_OWN or not self.thinks():
            return None
        of_skills = [skill.tools() for skill in self.skills if isinstance(skill, Tooled)]
        tools = tuple(tool for tools in (CART_TOOLS, *of_skills) for tool in tools)
        asked = Request(Words(utterance), tools, brain.places_on_record, withheld(utterance.text))
        return Outcome(thinks=asked)

    async def thought(
        self, thought: Thought, utterance: Utterance, brain: Brain, turn: int
    ) -> Outcome:
        """What comes of what a model made of the words: a call is said, and so understood."""
        match thought:
            case Call():
                return await self.hear(thought.sentence().utterance, brain, turn, thought=True)
            case Ask(text=text):
                return Outcome(text)
            case Answer(text=text, model=model):
                return Outcome(text, Card(title=f"{model} says", body=text))
            case None:
                return Outcome(await self.lost(utterance.text))

    async def _ask_skills(
        self, utterance: Utterance, turn: int, order: Order | None
    ) -> Outcome | None:
        """The answer of the skill that claims the user's own words, if there is one."""
        if utterance.source not in USERS_OWN:
            return None
        cart_open = bool(self.state.frame.lines) or order is not None
        heard = Heard(Words(utterance), turn, self.clock(), cart_open)
        for skill in self.skills:
            outcome = await skill.hear(heard)
            if outcome is not None:
                return outcome
        return None

    def _failing(self, outcome: Outcome, utterance: Utterance) -> Outcome:
        """With what can be done, where it could not be done; the words may be tried again."""
        if outcome.failed is None:
            return outcome
        self._unheard = (utterance.text, self.clock(), outcome.failed)
        text, card = failed(outcome.text, outcome.failed)
        return replace(outcome, text=text, card=outcome.card or card)

    async def _take_up(
        self, utterance: Utterance, brain: Brain, turn: int, order: Order | None, before: float
    ) -> Outcome | None:
        """Words about what has just come to nothing; None while a cart is open."""
        if utterance.source not in USERS_OWN or order is not None or self.state.frame.lines:
            return None
        text, unheard = utterance.text, self._unheard
        if unheard is not None and self.clock() - unheard[1] < FRESH_S:
            way = FAILURES[unheard[2]].way
            asked = way is Way.AGAIN and is_yes(text) and before <= unheard[1]
            if asked or (way in REPEATS and says("again", text)):
                self._unheard = None
                outcome = await self.hear(replace(utterance, text=unheard[0]), brain, turn)
                return replace(outcome, failed=None)  # what can be done is told with it already
        wanted = await self._afterwards.hear(text, brain, self.clock(), before)
        return await self._want(wanted, brain, turn)

    async def _want(self, wanted: Wanted | None, brain: Brain, turn: int) -> Outcome | None:
        match wanted:
            case Understanding():
                self._before = _Before(turn, self.state.frame, None)
                outcome = await self._price(wanted, brain)
            case OrderDraft():
                order_id = await self.orders.begin(self.user_id, wanted)
                self._begun = (turn, order_id)
                outcome = Outcome(awaited=order_id)
            case _:
                return wanted
        await self.memory.save(self.state)
        return outcome

    async def _again(self, utterance: Utterance, brain: Brain) -> Outcome | None:
        """What was had before, priced as it is today; None for everything else that was said."""
        if utterance.source not in USERS_OWN:
            return None
        usual = Usual(self.user_id, self.orders, brain.reorder_phrases)
        again = await usual.hear(utterance.text, brain.menus, brain.address_called)
        if again is None or again.frame is None:
            return None if again is None else Outcome(again.text)
        wanted = Understanding(again.frame, is_order=True, notes=again.notes)
        return await self._price(wanted, brain)

    async def moved(self, report: PositionReported) -> list[Cue]:
        """What the skills that follow the user have to tell of it."""
        found: list[Cue] = []
        for skill in self.skills:
            if isinstance(skill, Follower):
                found += await skill.moved(report)
        return found

    async def pressed(
        self, topic: str, action: str, brain: Callable[[], Awaitable[Brain]]
    ) -> Outcome | None:
        """The answer of the skill whose card was pressed, or what was offered after a failure."""
        for skill in self.skills:
            outcome = await skill.pressed(topic, action)
            if outcome is not None:
                return outcome
        if action not in _OFFERED:
            return None
        unheard = self._unheard
        if topic == "reply":
            if unheard is None or action != AGAIN.action:
                return Outcome(OUT_OF_DATE)
            self._unheard = None
            return await self.hear(Utterance(unheard[0], Source.TYPED), await brain())
        if await self._open_order() is not None:
            return Outcome(OUT_OF_DATE)
        knows = await brain()
        wanted = await self._afterwards.pressed(topic, action, knows, self.clock())
        outcome = await self._want(wanted, knows, 0)
        if outcome is None:
            return Outcome(OUT_OF_DATE)
        return replace(outcome, closes=(*outcome.closes, topic))

    def hints(self, brain: Brain) -> tuple[str, ...]:
        """The words that the recogniser may expect now, the likeliest first."""
        of_skills = (hint for skill in self.skills for hint in skill.hints())
        return (*brain.hints(self.state.frame), *of_skills)

    async def undo(self, turn: int) -> None:
        """Take back what the turn did to the cart and to the order that is still open."""
        for skill in self.skills:
            await skill.undo(turn)
        if self._spoke_before[0] == turn:
            _, self._heard_at, self._unheard = self._spoke_before
        if self._begun[0] == turn:
            order_id, self._begun = self._begun[1], _NONE_BEGUN
            begun = await self.orders.get(order_id)
            if begun is not None and begun.state in CHANGEABLE:
                await self.orders.cancel(order_id)
        before = self._before
        if before is None or before.turn != turn:
            return
        self._before = None
        self.state.frame = before.frame
        order = await self._open_order()
        if order is not None and (before.order is None or before.order.id != order.id):
            await self._replace(order)
            self.state.order_id = None
        elif order is not None and before.order is not None and order.draft != before.order.draft:
            await self.orders.revise(order.id, before.order.draft)
        await self.memory.save(self.state)

    async def over(self, order_id: str) -> None:
        """The order left the user's hands, approved or not: the cart is empty again."""
        if self.state.order_id == order_id:
            self.state = ConversationState(
                told_event=self.state.told_event, updated_at=self.clock()
            )
            await self.memory.save(self.state)

    def _refresh(self, order: Order | None) -> None:
        """Forget a cart that nobody touched for long, or whose order is past changing."""
        stale = self.clock() - self.state.updated_at > self.frame_kept_s
        if order is not None:
            self.state.order_id = order.id
        elif self.state.order_id is not None or stale:
            self.state = ConversationState(told_event=self.state.told_event)
        self.state.updated_at = self.clock()

    async def _open_order(self) -> Order | None:
        """The order that the user can still change: there is never more than one."""
        if self.state.order_id is not None:
            order = await self.orders.get(self.state.order_id)
            if order is not None and order.state in CHANGEABLE and order.draft.is_cart:
                return order
        orders = await self.orders.list(self.user_id, limit=20)
        found = (each for each in orders if each.draft.is_cart and each.state in CHANGEABLE)
        return next(found, None)

    async def _replace(self, order: Order) -> None:
        """Drop an order in favour of what the user has said instead."""
        self.replaced.append(order.id)
        await self.orders.cancel(order.id)

    async def _act(self, understood: Understanding, before: Frame, brain: Brain) -> Outcome | None:
        """None for words that say nothing."""
        for action in understood.actions:
            outcome = await self._ask(action, understood, brain)
            if outcome is not None:
                return outcome
        if understood.frame != before:
            self.state.frame = understood.frame
        if understood.question is not None:
            so_far = await self._so_far(understood.frame, brain)
            parts = [*_unknown(understood), so_far, understood.question.text]
            return Outcome(" ".join(part for part in parts if part))
        if understood.is_order and understood.frame.lines:
            return await self._price(understood, brain)
        if understood.is_order and before.lines:
            return await self._cancel()
        said = " ".join([*_unknown(understood), understood.reply]).strip()
        return Outcome(said) if said else None

    async def _ask(self, action: Action, understood: Understanding, brain: Brain) -> Outcome | None:
        """What is answered at once; None for actions that have changed the cart."""
        asked = self.state.order_id is not None and not understood.is_order
        match action:
            case CancelOrder():
                return await self._cancel()
            case AskStatus():
                return Outcome(await self._status())
            case AskMenu(query=query, merchant_id=merchant_id):
                asked_of = merchant_id or understood.frame.merchant_id
                return _menu_card(brain.menus, asked_of, query)
            case RepeatLast():
                return Outcome(repeat=True)
            case Affirm() if asked:
                return Outcome(await self._status())
            case Deny() if asked:
                return await self._cancel()
            case _:
                return None

    def _how(self, order: Order) -> str:
        """How to answer the question of the order, or to undo what answers itself."""
        asked = order.approval
        return IN_A_MOMENT if asked is not None and asked.limit_id else self.confirm_how()

    async def _price(self, understood: Understanding, brain: Brain) -> Outcome:
        frame = understood.frame
        menu = next(menu for menu in brain.menus if menu.merchant_id == frame.merchant_id)
        address = TO_BE_FETCHED if frame.pickup else await self.places.find(frame.address or "")
        if address is None:
            return Outcome("Where should it go? You can say home, or another place you have saved.")
        draft = draft_of(frame, menu, address)
        order = await self._open_order()
        if order is not None and order.merchant_id == draft.merchant_id:
            if order.draft == draft and order.state is OrderState.AWAITING_APPROVAL:
                return Outcome(" ".join([*_unknown(understood), self._how(order)]))
            if order.draft == draft and order.state is OrderState.ESCALATED:
                return Outcome(" ".join([*_unknown(understood), AT_THE_SHOP]))
            if order.draft != draft:
                await self.orders.revise(order.id, draft)
            order_id = order.id
        else:
            if order is not None:
                await self._replace(order)
            order_id = await self.orders.begin(self.user_id, draft)
        self.state.order_id = order_id
        self.state.frame = frame
        return Outcome(awaited=order_id, notes=tuple(_unknown(understood)))

    async def _so_far(self, frame: Frame, brain: Brain) -> str:
        """What is chosen comes to about so much, where the shop keeps it while it is chosen."""
        menu = next((x for x in brain.menus if x.merchant_id == frame.merchant_id), None)
        if self.carts is None or menu is None or not frame.lines:
            return ""
        kept = await self.carts.keep(draft_of(frame, menu, TO_BE_FETCHED))
        if kept is None:
            return ""
        self.state.frame = replace(frame, cart_id=kept.id)
        return f"That is about {spoken(kept.total)} so far."

    async def _cancel(self) -> Outcome:
        order = await self._open_order()
        had_cart = bool(self.state.frame.lines)
        self.state = ConversationState(told_event=self.state.told_event, updated_at=self.clock())
        if order is not None:
            await self.orders.cancel(order.id)
            return Outcome("Cancelled. Nothing was ordered.", awaited=order.id)
        if had_cart:
            return Outcome("All right, I have emptied the cart.")
        running = await self._latest(RUNNING)
        if running is not None:
            return Outcome(
                f"Your order from {running.merchant_name} is already placed; "
                "only the shop can cancel it now."
            )
        return Outcome("There is nothing to cancel.")

    async def _latest(self, states: frozenset[OrderState]) -> Order | None:
        """The newest order of goods in one of these states: all else is its skill's."""
        orders = await self._of_goods()
        return next((order for order in orders if order.state in states), None)

    async def _of_goods(self) -> list[Order]:
        orders = await self.orders.list(self.user_id, limit=20)
        return [order for order in orders if order.draft.is_goods]

    async def _status(self) -> str:
        order = await self._open_order()
        if order is not None:
            if order.state is OrderState.ESCALATED:
                return AT_THE_SHOP
            asking = order.state is OrderState.QUOTING
            return ASKING_THE_SHOP if asking else self._how(order)
        orders = await self.orders.list(self.user_id, limit=1)  # of whatever kind
        if not orders:
            return "You have no orders yet."
        if orders[0].state is OrderState.AWAITING_APPROVAL:
            return self._how(orders[0])
        events = await self.orders.history(orders[0].id)
        last = next((event.text for event in reversed(events) if event.text), "I am working on it.")
        cart = words.cart(orders[0].draft.lines).capitalize()
        return f"{cart} from {orders[0].merchant_name}. {last}"


def _unknown(understood: Understanding) -> list[str]:
    notes = list(understood.notes)
    if understood.unknown:
        notes.append(f"I could not find {words.joined(understood.unknown)}.")
    return notes


def draft_of(frame: Frame, menu: Menu, address: Address) -> OrderDraft:
    """The cart of `frame` as it is sent to the merchant whose `menu` it was made from."""
    items = {item.id: item for item in menu.items}
    lines = tuple(_draft_line(line, items[line.item_id]) for line in frame.lines)
    return OrderDraft(
        merchant_id=menu.merchant_id,
        lines=lines,
        address=address,
        said=" ".join(frame.said[-3:]),
        codes=frame.codes,
        fastest=frame.fastest,
        pickup=frame.pickup,
        cart_id=frame.cart_id,
    )


def _draft_line(line: CartLine, item: MenuItem) -> DraftLine:
    chosen = {value for _, values in line.options for value in values}
    titles: list[str] = []
    ids: list[str] = []
    for group in item.groups:
        for value in group.values:
            if value.id in chosen:
                ids.append(value.id)
                if value.id != group.default:
                    titles.append(value.title)
    return DraftLine(
        item_id=item.id,
        title=item.title,
        quantity=line.quantity,
        options=tuple(ids),
        option_titles=tuple(titles),
        note=line.note,
    )


def _menu_card(menus: Sequence[Menu], merchant_id: str | None, query: str) -> Outcome:
    """A screenful of what there is, and a few names to be heard."""
    chosen = [menu for menu in menus if merchant_id in (None, menu.merchant_id)]
    if len(chosen) > 1 and not query:
        names = [menu.merchant_name for menu in chosen if menu.open_now]
        card = Card(
            title="Open now",
            lines=tuple(
                CardLine(menu.merchant_name, "" if menu.open_now else "closed") for menu in chosen
            ),
        )
        return Outcome(f"I can order from {words.joined(names)}.", card)
    found = [(menu, item) for menu in chosen for item in _matching(menu, query)][:12]
    if not found:
        return Outcome(f"I found nothing for {query}." if query else "No shop is open right now.")
    card = Card(
        title=query.capitalize() or chosen[0].merchant_name,
        lines=tuple(CardLine(item.title, str(item.price)) for _, item in found),
    )
    names = [item.title.lower() for _, item in found[:5]]
    more = f", and {len(found) - 5} more" if len(found) > 5 else ""
    return Outcome(f"There is {words.joined(names)}{more}.", card)


def _matching(menu: Menu, query: str) -> list[MenuItem]:
    wanted = query.lower()
    return [
        item
        for item in menu.items
        if item.available
        and (not wanted or wanted in item.title.lower() or wanted in item.category.lower())
    ]
