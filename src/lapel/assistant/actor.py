"""The assistant of one user: owns the conversation, wherever the devices are.

One inbox, one task: what the user does and what happens to orders is handled one thing after the
other. Only audio goes past the inbox, straight to the turn machine, because it must not wait for a
merchant.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import msgspec

from lapel.assistant import compose
from lapel.assistant.consenting import Consenting
from lapel.assistant.conversation import ASKING_THE_SHOP, Conversation
from lapel.assistant.deciding import Deciding
from lapel.assistant.delivery import is_worn
from lapel.assistant.following import Following
from lapel.assistant.ground import Ground
from lapel.assistant.matters import (
    Acted,
    Began,
    Gestured,
    Joined,
    Kept,
    Left,
    Listens,
    Matter,
    Moved,
    OrdersMoved,
    QuoteIsSlow,
    ThinkingIsSlow,
    ThoughtOver,
    Undone,
)
from lapel.assistant.memory import ConversationState, Memory
from lapel.assistant.news import News, OrderNews
from lapel.assistant.outbox import Outbox
from lapel.assistant.politeness import is_no
from lapel.assistant.skills import Asker, Outcome
from lapel.assistant.speaking import Saying, Speaking
from lapel.assistant.telling import Sent, Telling
from lapel.assistant.thinking import LEFT, LET_ME_THINK, Thinking
from lapel.assistant.voice import Voice
from lapel.brain import Brain, Source, Utterance
from lapel.devices import (
    AudioArrived,
    Card,
    Cue,
    DeviceEvent,
    GestureMade,
    Link,
    ListenStarted,
    ListenStopped,
    PlaybackReported,
    PositionReported,
    TextTyped,
    WearChanged,
)
from lapel.faults import fault
from lapel.store import StoreError
from lapel.turns import (
    Interpret,
    PlaybackFinished,
    PlaybackLost,
    PlaybackStarted,
    PlaybackStopped,
    ReplyReady,
    TextEntered,
    TurnDropped,
    TurnEnded,
)

log = logging.getLogger(__name__)

INBOX = 256
"""Most things waiting for one user. When full the link that brings more waits (back-pressure)."""
AGAIN_S = 1.0
"""What could not be told for a fault of ours is tried again after this."""
SORRY = "Something went wrong on my side. Nothing new was ordered. Say it again, please."
TIMINGS = 200
"""Turns whose timings are kept for `lapel bench` and the console."""


@dataclass(slots=True)
class _Asked:
    """A turn whose answer is the next news of an order. `turn` is None once it was put off."""

    turn: int | None
    session_id: str
    order_id: str
    notes: tuple[str, ...] = ()


class Assistant:
    """Create it, then `run` it in a task; call the rest from the event loop at any time."""

    def __init__(self, user_id: str, ground: Ground) -> None:
        self._user_id = user_id
        self.ground = ground
        self.timings: deque[TurnEnded] = deque(maxlen=TIMINGS)
        self._inbox: asyncio.Queue[Matter] = asyncio.Queue(INBOX)
        self._asked: _Asked | None = None
        self._cancelled_turns: deque[int] = deque(maxlen=16)
        self._hints: tuple[str, ...] = ()
        self._brain: Brain | None = None
        self._moved = False
        self._serial = 0
        self._back: dict[str, float] = {}
        self._slow: asyncio.TimerHandle | None = None
        self.telling = Telling(Outbox(ground.store, user_id, ground.clock))
        self._thinking = Thinking(ground.thinker, self._offer)
        self._deciding = Deciding(
            user_id,
            ground.orders,
            self.telling,
            settle_s=ground.settings.settle_s,
            hush=self._withdraw,
            reply=self._reply,
            plans=ground.plans,
        )
        self._consenting = Consenting(
            lambda: [skill for skill in self.conversation.skills if isinstance(skill, Asker)],
            self.telling,
            settle_s=ground.settings.settle_s,
            hush=self._withdraw,
            reply=self._reply,
            answer=self._answer,
        )
        self._news = OrderNews(
            ground.orders, user_id, self._deciding.how, ground.clock, ground.plans
        )
        self.voice = Voice(self, ground.engines)
        self.conversation = Conversation(
            self.user_id,
            Memory(ground.store, self.user_id, ground.clock),
            ground.orders,
            ground.places(self.user_id),
            self._deciding.how,
            ground.clock,
            ground.settings.frame_kept_s,
            ground.skills(self.user_id),
            ground.carts,
            ground.lost,
            lambda: ground.thinker.ready,
        )
        self._following = Following(ground.track, self._show_map, ground.settings.map_every_s)
        self._speaking = (
            None
            if ground.engines is None
            else Speaking(
                ground.engines,
                self.telling.links.get,
                self.telling.speaker,
                self.voice.feed,
            )
        )

    @property
    def user_id(self) -> str:
        return self._user_id

    async def run(self) -> None:
        """Handle what comes, until cancelled."""
        self.conversation.state = await self._remember()
        self._offer(Began())
        self.orders_moved()
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._handle_all())
                if self._speaking is not None:
                    group.create_task(self._speaking.run())
        finally:
            self._following.stop()
            self._thinking.stop()
            self.voice.close()

    async def _remember(self) -> ConversationState:
        """The conversation as it stood; without it everything would be told again."""
        while True:
            try:
                return await self.conversation.memory.load()
            except StoreError as error:
                log.error("cannot read the record, again in %s s: %s", AGAIN_S, fault(error))
                await asyncio.sleep(AGAIN_S)

    # What devices and orders bring. ------------------------------------------------------------

    async def joined(self, link: Link) -> None:
        self.telling.add(link)
        self._back[link.session_id] = asyncio.get_running_loop().time()
        link.on_acked = lambda cue_id: self._acted(link, cue_id)
        link.show_state(self.voice.state.value)
        await self._inbox.put(Joined(link))

    def _acted(self, link: Link, cue_id: str) -> None:
        self._offer(Acted(link, cue_id))

    async def resumed(self, link: Link) -> None:
        self._back[link.session_id] = asyncio.get_running_loop().time()
        link.show_state(self.voice.state.value)
        await self._inbox.put(Joined(link))

    def lost(self, link: Link) -> None:
        self.voice.stop_listening(link)

    def left(self, link: Link) -> None:
        self.voice.forget(link)
        self._back.pop(link.session_id, None)
        self._gone(link)

    def _gone(self, link: Link) -> None:
        """In its turn: what the device acted on before it left stands before this."""
        if not self._offer(Left(link)):
            self._later(lambda: self._gone(link))

    async def happened(self, link: Link, event: DeviceEvent) -> None:
        match event:
            case AudioArrived():
                self.voice.hear(link, event)
            case ListenStarted():
                self._offer(Listens())
                self.voice.listen(link, event)
            case ListenStopped():
                await self.voice.finish_listening(link)
            case TextTyped(id=text_id, text=text):
                self.voice.feed(TextEntered(link.session_id, text_id, text))
            case PlaybackReported():
                self._playback(link, event)
            case GestureMade():
                now = asyncio.get_running_loop().time()
                back_s = now - self._back.get(link.session_id, now)
                await self._inbox.put(Gestured(link, event, self.ground.clock(), back_s))
            case PositionReported():
                self._offer(Moved(event))  # when the inbox is full the next position will do
            case WearChanged():
                await self._inbox.put(Joined(link))
            case _:
                pass

    def orders_moved(self) -> None:
        """Something happened to an order of this user; what it is stands in the record."""
        if not self._moved:
            self._moved = self._offer(OrdersMoved())
            if not self._moved:
                self._later(self.orders_moved)

    def kept(self) -> None:
        """Cues were written into this user's outbox."""
        if not self._offer(Kept()):
            self._later(self.kept)

    # What the turn machine asks for (VoiceHost). -----------------------------------------------

    def links(self) -> Iterable[Link]:
        return self.telling.connected

    def interpret(self, wanted: Interpret) -> None:
        if not self._offer(wanted):
            self._fail(wanted)

    def cancelled(self, turn: int) -> None:
        self._cancelled_turns.append(turn)
        self._offer(Undone(turn))

    def stop_speaking(self, cue_id: str) -> None:
        if self._speaking is not None:
            self._speaking.stop(cue_id)

    def resume_speaking(self, cue_id: str, from_s: float) -> None:
        if self._speaking is None or not self._speaking.again(cue_id, from_s):
            self.voice.feed(PlaybackLost(cue_id))

    def drop_speaking(self, cue_id: str) -> None:
        if self._speaking is not None:
            self._speaking.drop(cue_id)

    def quiet(self, quiet: bool) -> None:
        if self._speaking is not None:
            self._speaking.set_quiet(quiet)

    def turn_ended(self, ended: TurnEnded) -> None:
        self.timings.append(ended)

    def hints(self) -> tuple[str, ...]:
        return self._hints

    def looks_complete(self, text: str) -> bool | None:
        return None if self._brain is None else self._brain.complete_hint(text)

    # The one task. ------------------------------------------------------------------------------

    def _offer(self, item: Matter) -> bool:
        """Put without waiting; a full inbox drops it and says so."""
        try:
            self._inbox.put_nowait(item)
        except asyncio.QueueFull:
            log.error("an assistant's inbox is full; dropped %s", type(item).__name__)
            return False
        return True

    def _later(self, do: Callable[[], object]) -> None:
        asyncio.get_running_loop().call_later(AGAIN_S, do)

    async def _handle_all(self) -> None:
        while True:
            item = await self._inbox.get()
            try:
                await self._handle(item)
            except Exception as error:  # the boundary of one matter: the next one must be served
                log.error("could not handle %s: %s", type(item).__name__, fault(error))
                self._fail(item)
            finally:
                self._inbox.task_done()

    async def settled(self) -> None:
        """Until what was brought so far is handled."""
        await self._inbox.join()

    async def _handle(self, item: Matter) -> None:
        match item:
            case Interpret():
                await self._interpret(item)
            case Undone(turn=turn):
                await self._undo(turn)
            case Acted() | Left() | Moved():
                await self._settle(item)
            case Began() | OrdersMoved() | Kept():
                await self._bring_up(item)
            case QuoteIsSlow() | ThinkingIsSlow():
                self._excuse(item)
            case ThoughtOver():
                await self._thought(item)
            case Listens():
                await self._renew_brain()
            case Gestured():
                await self._gesture(item)
            case Joined(link=link):
                await self._present(link)

    async def _bring_up(self, item: Began | OrdersMoved | Kept) -> None:
        match item:
            case Began():
                self._follow(await self._news.under_way(self.conversation.state.told_event))
            case OrdersMoved():
                await self._tell_orders()
            case Kept():
                await self._flush()

    async def _settle(self, item: Acted | Left | Moved) -> None:
        match item:
            case Acted(link=link, cue_id=cue_id):
                await self.telling.arrived(link, cue_id)
            case Left(link=link):
                self.telling.remove(link)
                self.orders_moved()  # what was on its way there is told elsewhere
            case Moved(report=report):
                for cue in await self.conversation.moved(report):
                    self._say(self.telling.now(cue), None)

    async def _gesture(self, done: Gestured) -> None:
        made = done.made
        if made.topic is not None and made.action:
            outcome = await self.conversation.pressed(made.topic, made.action, self._renew_brain)
            if outcome is not None:
                await self._answer(outcome, done)
                return
        alone = not await self.ground.orders.pending_approvals(self.user_id)
        if await self._consenting.gesture(done, alone=alone):
            return
        if await self._deciding.gesture(done):
            self.orders_moved()

    async def _answer(self, outcome: Outcome, done: Gestured) -> None:
        """Tell what a gesture came to."""
        await self._close(outcome)
        if outcome.text or outcome.card:
            self._reply(outcome.text, None, done.link.session_id, outcome.card)

    async def _close(self, outcome: Outcome) -> None:
        """Nothing more is to be told or shown of what a skill has finished with."""
        for topic in outcome.closes:
            await self.telling.take_down(topic)
            self._withdraw(topic)

    async def _flush(self) -> None:
        for sent in await self.telling.flush():
            self._say(sent, None)

    async def _undo(self, turn: int) -> None:
        self._thinking.undo(turn)
        if self._asked is not None and self._asked.turn == turn:
            self._asked = None
        await self.conversation.undo(turn)

    def _excuse(self, slow: QuoteIsSlow | ThinkingIsSlow) -> None:
        """Answer the turn now: the price is told when it comes, and the user may go on."""
        if isinstance(slow, ThinkingIsSlow):
            if self._thinking.is_slow(slow):
                self._reply(LET_ME_THINK, slow.wanted.turn, slow.wanted.source)
            return
        asked = self._asked
        if asked is not None and asked.order_id == slow.order_id and asked.turn is not None:
            self._reply(ASKING_THE_SHOP, asked.turn, asked.session_id)
            asked.turn = None

    def _fail(self, item: Matter) -> None:
        """What the user asked for is answered with an excuse, the rest is tried again."""
        match item:
            case Interpret():
                self._reply(SORRY, item.turn, item.source)
                self.voice.feed(TurnDropped(item.turn))
            case ThoughtOver():
                self._reply(SORRY, None, item.wanted.source)
                self.voice.feed(TurnDropped(item.wanted.turn))
            case Gestured():
                self._reply(SORRY)
            case OrdersMoved():
                self._later(self.orders_moved)
            case Joined():
                self._later(lambda: self._offer(item))
            case _:
                pass

    async def _interpret(self, wanted: Interpret) -> None:
        if wanted.turn in self._cancelled_turns:
            return
        thought, turn = self._thinking.stop()
        if turn is not None:
            self.voice.feed(ReplyReady(turn, None))  # what it waited for is not wanted any more
        if thought and is_no(wanted.text):
            self._reply(LEFT, wanted.turn, wanted.source)
            return
        brain = await self._renew_brain()
        outcome = await self.conversation.hear(_heard(wanted), brain, wanted.turn)
        if outcome.thinks is not None:
            self._thinking.start(wanted, outcome.thinks)
            return
        self._thinking.dialogue.forget()
        await self._tell(wanted, outcome, wanted.turn, brain)

    async def _thought(self, over: ThoughtOver) -> None:
        counts, turn = self._thinking.over(over)
        if not counts:
            return
        wanted, brain = over.wanted, await self._renew_brain()
        outcome = await self.conversation.thought(over.thought, _heard(wanted), brain, wanted.turn)
        await self._tell(wanted, outcome, turn, brain)

    async def _tell(
        self, wanted: Interpret, outcome: Outcome, turn: int | None, brain: Brain
    ) -> None:
        """Answer what the user wanted; `turn` waits for that, unless it was answered for now."""
        self._hints = self.conversation.hints(brain)
        await self._note(wanted, outcome)
        await self._close(outcome)
        if wanted.turn in self._cancelled_turns:
            return
        if outcome.awaited is not None:
            self._await_news(wanted, turn, outcome.awaited, outcome.notes)
            return
        text, card = outcome.text, outcome.card
        last = self.telling.last_said() if outcome.repeat else None
        if last is not None:
            # Its buttons belong to the topic that it was told under.
            text, card = last.speech, last.card and msgspec.structs.replace(last.card, actions=())
        self._reply(text or "I have not said anything yet.", turn, wanted.source, card)

    async def _renew_brain(self) -> Brain:
        """The brain with today's menus, and the words that the recogniser may expect."""
        self._brain = await self.ground.brain(self.user_id)
        self._hints = self.conversation.hints(self._brain)
        return self._brain

    async def _note(self, wanted: Interpret, outcome: Outcome) -> None:
        link = self.telling.links.get(wanted.source)
        device_id, source = "" if link is None else link.device_id, _heard(wanted).source
        await self.conversation.memory.note(device_id, source, wanted.text, outcome.text)

    def _await_news(
        self, wanted: Interpret, turn: int | None, order_id: str, notes: tuple[str, ...]
    ) -> None:
        self._close_asked()
        self._asked = _Asked(turn, wanted.source, order_id, notes)
        slow = QuoteIsSlow(order_id)
        loop = asyncio.get_running_loop()
        if self._slow is not None:
            self._slow.cancel()
        self._slow = loop.call_later(self.ground.settings.quote_patience_s, self._offer, slow)
        self.orders_moved()

    def _reply(
        self,
        text: str,
        turn: int | None = None,
        asked_on: str | None = None,
        card: Card | None = None,
    ) -> None:
        self._serial += 1
        cue = compose.reply(f"reply:{self.user_id}:{time.time_ns()}:{self._serial}", text, card)
        self._say(self.telling.now(cue, asked_on), turn)

    def _say(self, sent: Sent, turn: int | None) -> None:
        """Speak what was told, and tell the turn whether it has to wait for that."""
        speaks = self._speaking is not None and sent.voice is not None
        if self._speaking is not None and sent.voice is not None:
            cue = sent.cue
            self._speaking.say(Saying(cue.id, cue.topic, cue.speech, sent.voice, turn))
        if turn is not None:
            self.voice.feed(ReplyReady(turn, sent.cue.id if speaks else None))

    def _playback(self, link: Link, report: PlaybackReported) -> None:
        match report.state:
            case "started":
                self.voice.feed(PlaybackStarted(report.cue))
            case "finished":
                self.telling.played(link, report.cue)
                self.voice.feed(PlaybackFinished(report.cue))
            case "stopped":
                self.voice.feed(PlaybackStopped(report.cue, report.played_s))

    async def _tell_orders(self) -> None:
        self._moved = False
        asked = self._asked
        notes = {} if asked is None else {asked.order_id: asked.notes}
        news = await self._news.since(
            self.conversation.state.told_event, notes, self.conversation.replaced
        )
        for topic in news.taken_down:
            await self.telling.take_down(topic)
            self._withdraw(topic)
        await self.telling.keep(news.cues, news.after)
        self.conversation.state.told_event = news.after
        for order_id in news.over:
            await self.conversation.over(order_id)
        self._follow(news)
        for sent in await self.telling.flush(None if asked is None else asked.session_id):
            self._say(sent, self._turn_of(sent.cue, news))
        if self._asked is not None and self._asked.order_id in news.answers:
            # The answer is known but nobody is there to be told now.
            self._close_asked()
        if news.more:
            self.orders_moved()

    def _withdraw(self, topic: str) -> None:
        """Nothing about `topic` is worth saying any more."""
        if self._speaking is not None:
            self._speaking.withdraw(topic)

    def _close_asked(self) -> None:
        """The turn that waits for a price is over, whatever becomes of the order."""
        asked, self._asked = self._asked, None
        turn = None if asked is None else asked.turn
        if turn is not None and turn not in self._cancelled_turns:
            self.voice.feed(ReplyReady(turn, None))

    def _turn_of(self, cue: Cue, news: News) -> int | None:
        """The turn that waits for this cue, which it then no longer does."""
        asked = self._asked
        answer = None if asked is None else news.answers.get(asked.order_id)
        if asked is None or answer is None or answer.id != cue.id:
            return None
        self._asked = None
        return None if asked.turn in self._cancelled_turns else asked.turn

    def _follow(self, news: News) -> None:
        if news.track is not None:
            self._following.start(*news.track)
        for order_id in news.untrack:
            self._following.stop(order_id)

    def _show_map(self, cue: Cue) -> None:
        for link in self.telling.connected:
            if any("map" in display.layouts for display in link.profile.displays):
                link.tell(cue.for_profile(link.profile))

    async def _present(self, link: Link) -> None:
        """A device has joined or come back: what is open is shown on it, what waits is told."""
        if not link.connected:  # gone again: who only comes and goes must cost little
            return
        await self._flush()
        told = self.conversation.state.told_event
        running = await self._news.under_way(told)
        asked = [each.cue for each in await self._consenting.questions()]
        for cue in [*running.cues, *await self._news.pending(told), *asked]:
            if is_worn(link):
                self.telling.present(link, cue)


def _heard(wanted: Interpret) -> Utterance:
    """What was said or typed, as the user's own."""
    source = Source.TYPED if wanted.typed else Source.VOICE
    return Utterance(wanted.text, source, wanted.confidence)
