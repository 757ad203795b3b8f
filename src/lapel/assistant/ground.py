"""What every assistant stands on: made once, where all rooms are put together."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from lapel.assistant.conversation import Carts, Places
from lapel.assistant.lost import Hint, nobody_knows
from lapel.assistant.skills import Skill
from lapel.assistant.thinking import Nobody
from lapel.brain import Brain
from lapel.brain.tools import Thinker
from lapel.commerce import Orders, Plans
from lapel.services import Tracking
from lapel.settings import Conversation as ConversationSettings
from lapel.speech import SpeechEngines
from lapel.store import Store


@dataclass(frozen=True, slots=True)
class Ground:
    """What every assistant stands on; one for the process."""

    store: Store
    orders: Orders
    brain: Callable[[str], Awaitable[Brain]]
    places: Callable[[str], Places]
    track: Callable[[str, str], Awaitable[Tracking | None]]
    engines: SpeechEngines | None = None
    settings: ConversationSettings = field(default_factory=ConversationSettings)
    clock: Callable[[], float] = time.time
    plans: Plans | None = None
    skills: Callable[[str], Sequence[Skill]] = lambda user_id: ()
    """The skills of one user, in the order in which they are asked."""
    carts: Carts | None = None
    lost: Hint = nobody_knows
    thinker: Thinker = field(default_factory=Nobody)
    """What is asked about words that nobody understood."""
