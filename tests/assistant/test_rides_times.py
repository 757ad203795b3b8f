"""What words about rides for later mean, and which times are no times of a ride."""

from __future__ import annotations

import pytest

from lapel.assistant.rides import grammar
from lapel.assistant.rides.grammar import (
    AskRide,
    AskStatus,
    CancelRide,
    ChangeDestination,
    ChangeTime,
)
from lapel.services.personal import After, At, Clock, InDays, Part, Weekday

pytestmark = pytest.mark.unit

TEN, FIVE, SEVEN = At(clock=Clock(10)), At(clock=Clock(5)), At(clock=Clock(7))
HALF_PAST_TEN = At(clock=Clock(10, 30))
TOMORROW = At(InDays(1), Clock(6, 30))
AIRPORT = "the airport"


def to(where: str, when: object, **more: object) -> AskRide:
    return AskRide(destination=where, at=when, **more)  # type: ignore[arg-type]


MEANS = {
    "a taxi home at ten": to("home", TEN),
    "A taxi home at ten, please.": to("home", TEN),
    "at ten a taxi home": to("home", TEN),
    "get me a taxi home at ten": to("home", TEN),
    "get me a taxi at ten to the office": to("the office", TEN),
    "a ride to the airport tomorrow at 6:30": to(AIRPORT, TOMORROW),
    "a ride to the airport tomorrow at 6.30": to(AIRPORT, TOMORROW),
    "tomorrow at 6:30 I need a ride to the airport": to(AIRPORT, TOMORROW),
    "Book me a ride to the airport tomorrow at half past six": to(AIRPORT, TOMORROW),
    "book a taxi for tomorrow at 6:30 to the airport": to(AIRPORT, TOMORROW),
    "book a taxi home for ten": to("home", TEN),
    "a taxi home at 06:30": to("home", At(clock=Clock(6, 30, "am"))),
    "a taxi home at 18:30": to("home", At(clock=Clock(18, 30))),
    "a taxi home at 7 pm": to("home", At(clock=Clock(7, half="pm"))),
    "a taxi home at 7 p.m.": to("home", At(clock=Clock(7, half="pm"))),
    "a taxi home around ten": to("home", TEN),
    "a comfort to the office on friday at nine": AskRide(
        "comfort", "", "the office", at=At(Weekday(4), Clock(9))
    ),
    "pick me up at the office at five": AskRide(pickup="the office", at=FIVE),
    "pick me up at five": AskRide(at=FIVE),
    "pick me up at five at the office": AskRide(pickup="the office", at=FIVE),
    "pick me up from the gym at five and take me home": AskRide("", "the gym", "home", at=FIVE),
    "pick me up at the office": AskRide(pickup="the office"),
    "a taxi from the station to the office at five": AskRide(
        "", "the station", "the office", at=FIVE
    ),
    "a car home at ten": to("home", TEN),
    "a car to the airport tomorrow at 6:30": to(AIRPORT, TOMORROW),
    "have a taxi ready at ten": AskRide(at=TEN),
    "I need a taxi home in an hour": to("home", After(3600.0)),
    "a taxi home in half an hour": to("home", After(1800.0)),
    "a taxi home in two hours": to("home", After(7200.0)),
    "get me a ride home tomorrow": to("home", At(InDays(1))),
    "a taxi home tonight": to("home", At(part=Part.NIGHT)),
    "a taxi home later": to("home", At()),
    "how much is a taxi home at ten": AskRide("", "", "home", True, TEN),
    "a taxi to the airport by seven": to(AIRPORT, SEVEN, arrives=True),
    "get me to the airport by seven": to(AIRPORT, SEVEN, arrives=True),
    "I need to be at the airport by seven": to(AIRPORT, SEVEN, arrives=True),
    "pick me up at the office by five": AskRide(pickup="the office", at=FIVE),
    "take me to the airport at seven": to(AIRPORT, SEVEN),
    "make my ride half past ten": ChangeTime(HALF_PAST_TEN),
    "change my ride to half past ten": ChangeTime(HALF_PAST_TEN),
    "move my taxi to tomorrow at 6:30": ChangeTime(TOMORROW),
    "change the pickup time to half past ten": ChangeTime(HALF_PAST_TEN),
    "make it half past ten": ChangeTime(HALF_PAST_TEN, it=True),
    "make it at half past ten instead": ChangeTime(HALF_PAST_TEN, it=True),
    "change it to half past ten": ChangeTime(HALF_PAST_TEN, it=True),
    "pick me up at half past ten instead": ChangeTime(HALF_PAST_TEN, it=True),
    "make it half an hour later": ChangeTime(shift_s=1800.0, it=True),
    "move my ride an hour earlier": ChangeTime(shift_s=-3600.0),
    "change my ride to the station": ChangeDestination("the station"),
    "cancel my ride": CancelRide(),
    "cancel my ride home": CancelRide("home"),
    "cancel my ride to the airport": CancelRide(AIRPORT),
    "cancel the taxi tomorrow": CancelRide(at=At(InDays(1))),
    "cancel my ride at ten": CancelRide(at=TEN),
    "cancel all my rides": CancelRide(every=True),
    "cancel both rides": None,
    "cancel both my rides": CancelRide(every=True),
    "when is my ride": AskStatus(),
    "when is my ride to the airport": AskStatus(booked=True),
    "when is my taxi tomorrow": AskStatus(booked=True),
    "what rides do I have": AskStatus(booked=True),
    "do I have a ride booked": AskStatus(booked=True),
    "where is my driver": AskStatus(),
    # Not of a ride, or not one ride.
    "a taxi home every day at nine": None,
    "two lattes to my office at ten": None,
    "make it two": None,
    "make it a large": None,
    "make it spicy": None,
    "remind me at ten to call a taxi": None,
    "wake me at six": None,
    "don't get me a taxi at ten": None,
    "if I took a taxi at ten": None,
    "a table at seven": None,
    "take me to the office": None,
    "I need to be at the office": None,
    "flights to berlin tomorrow at nine": None,
    "change it to oat milk": None,
    "a taxi to Mannerheimintie 10": AskRide(destination="mannerheimintie 10"),
}


@pytest.mark.parametrize(("said", "meant"), MEANS.items())
def test_words_about_rides_for_later(said: str, meant: object) -> None:
    assert grammar.read(said) == meant
