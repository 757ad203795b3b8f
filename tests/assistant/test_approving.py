"""What a gesture may do to a pending purchase."""

from dataclasses import dataclass

import pytest

from lapel.assistant.approving import Meaning, Told, meaning
from lapel.commerce import Approval, ApprovalState, Money
from lapel.devices import DeviceProfile, Display, Family, Gesture, GestureMade, Input, Wear

pytestmark = pytest.mark.unit

ASKED = Approval(
    id="a1", order_id="o1", user_id="u", checkout_hash="h", amount=Money(1640, "EUR"), payee="p",
    merchant_name="Blue Door", address_label="office", asked_at=100.0, expires_at=160.0,
    state=ApprovalState.PENDING,
)  # fmt: skip
SHOWN = Told(shown_on=("glasses",))


@dataclass
class Worn:
    session_id: str
    profile: DeviceProfile
    on_body: bool = True


def ring(on_body: bool = True) -> Worn:
    inputs = (Input(gestures=(Gesture.PRESS, Gesture.LONG_PRESS)),)
    return Worn("r", DeviceProfile(Family.RING, inputs=inputs, wear=Wear(detects=True)), on_body)


PHONE = Worn("p", DeviceProfile(Family.PHONE, displays=(Display(),)))
EARBUDS = Worn("e", DeviceProfile(Family.EARBUDS))


def judge(device: Worn, gesture: Gesture = Gesture.PRESS, *, asked: Approval | None = ASKED, told: Told = SHOWN,
          now: float = 105.0, action: str | None = None, topic: str | None = None) -> Meaning:  # fmt: skip
    made = GestureMade("g", "pad", gesture, action, topic)
    return meaning(made, device, asked, told, now=now, settle_s=0.4)


def test_a_press_of_the_worn_ring_approves_and_a_long_one_refuses():
    assert judge(ring()) is Meaning.APPROVE
    assert judge(ring(), Gesture.LONG_PRESS) is Meaning.REFUSE


@pytest.mark.parametrize(
    "gesture", [Gesture.SWIPE_BACK, Gesture.SWIPE_FORWARD, Gesture.DOUBLE_PRESS]
)
def test_other_gestures_mean_nothing(gesture: Gesture):
    assert judge(ring(), gesture) is Meaning.NOTHING


def test_nothing_is_approved_unseen_and_unheard():
    assert judge(ring(), told=Told()) is Meaning.NOT_SHOWN
    assert judge(ring(), told=Told(read_on=("earbuds",))) is Meaning.APPROVE


def test_a_ring_on_the_table_cannot_buy_but_can_refuse():
    assert judge(ring(on_body=False)) is Meaning.NOT_WORN
    assert judge(ring(on_body=False), Gesture.LONG_PRESS) is Meaning.REFUSE


def test_a_press_right_after_the_question_was_meant_for_something_else():
    assert judge(ring(), now=100.2) is Meaning.TOO_SOON


def test_a_bare_touch_of_a_screen_means_nothing_and_its_button_counts():
    assert judge(PHONE) is Meaning.NOTHING
    assert judge(PHONE, action="approve", topic="approval:a1") is Meaning.APPROVE
    assert judge(PHONE, action="refuse", topic="approval:a1") is Meaning.REFUSE
    assert judge(PHONE, action="dance", topic="approval:a1") is Meaning.NOTHING


def test_the_button_of_an_old_card_is_outdated():
    assert judge(PHONE, action="approve", topic="approval:a0") is Meaning.OUTDATED
    assert judge(PHONE, action="approve", topic="approval:a1", asked=None) is Meaning.OUTDATED


def test_a_device_without_a_deliberate_gesture_cannot_confirm():
    assert judge(EARBUDS) is Meaning.CANNOT_CONFIRM


def test_with_nothing_pending_a_press_is_just_a_press():
    assert judge(ring(), asked=None) is Meaning.NOTHING
