"""What words about tables in restaurants mean, and which words are about none at all."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import msgspec
import pytest

from lapel.assistant.tables import load_table_words, reading
from lapel.assistant.tables.choosing import called, choose, exact, listed
from lapel.assistant.tables.reading import Pick, Request, Wish
from lapel.commerce import (
    Address,
    Money,
    Restaurant,
    Table,
    TableOffer,
    TableTerms,
    table_words,
)
from lapel.commerce.times import time_of_day
from lapel.services.personal import AlreadyPast, At, Clock, InDays, Part, Weekday, resolve

pytestmark = pytest.mark.unit

WORDS = load_table_words()
HELSINKI = ZoneInfo("Europe/Helsinki")
SEVEN, HALF = Clock(7, half="pm"), Clock(7, 30, "pm")
EIGHT = Clock(8, half="pm")
TOMORROW = InDays(1)


def clock(hour: int, minute: int = 0, half: str = "pm") -> At:
    return At(None, Clock(hour, minute, half))


BOOKS = {
    "Book a table for two at seven.": Wish(2, At(None, SEVEN)),
    "Hey Lapel, could you book us a table for two at seven, please?": Wish(2, At(None, SEVEN)),
    "I'd like to reserve a table for two at 7": Wish(2, At(None, SEVEN)),
    "book a table at seven for two people": Wish(2, At(None, SEVEN)),
    "make a reservation for two at seven": Wish(2, At(None, SEVEN)),
    "is there a table for the two of us at seven": Wish(2, At(None, SEVEN)),
    "a table for two at seven thirty": Wish(2, At(None, HALF)),
    "a table for two for eight pm": Wish(2, At(None, EIGHT)),
    "table for two, tomorrow, eight pm, near the station please": Wish(
        2, At(TOMORROW, EIGHT), place="station"
    ),
    "dinner for two tonight at half past seven near the station": Wish(
        2, At(InDays(0), HALF), "dinner", place="station"
    ),
    "a table for four on Friday at Kuu": Wish(4, At(Weekday(4)), name="Kuu"),
    "get me a table for two at Kumo tomorrow at 7 pm": Wish(2, At(TOMORROW, SEVEN), name="Kumo"),
    "reserve a table at the Juniper Room for two at 8": Wish(
        2, At(None, EIGHT), name="Juniper Room"
    ),
    "somewhere Italian tomorrow at eight": Wish(0, At(TOMORROW, EIGHT), cuisine="Italian"),
    "find me a nice Italian place for two tomorrow at eight": Wish(
        2, At(TOMORROW, EIGHT), cuisine="Italian"
    ),
    "a table at an Italian restaurant for two tomorrow at eight": Wish(
        2, At(TOMORROW, EIGHT), cuisine="Italian"
    ),
    "a sushi place for two adults and one child tonight at seven": Wish(
        3, At(InDays(0), SEVEN), cuisine="sushi"
    ),
    "book a table for a party of six next Friday at seven": Wish(6, At(Weekday(4, True), SEVEN)),
    "a table for four people tomorrow evening at eight": Wish(4, At(TOMORROW, EIGHT)),
    "can you book us a table near my office at noon": Wish(0, clock(12), place="office"),
    "lunch for three tomorrow at one": Wish(3, At(TOMORROW, Clock(1, half="pm")), "lunch"),
    "brunch for two on Sunday at eleven": Wish(
        2, At(Weekday(6), Clock(11, half="am")), "breakfast"
    ),
    "a table for two tonight": Wish(2, At(InDays(0), None, Part.NIGHT)),
    "a table for two around eight near me": Wish(2, At(None, EIGHT), place="here"),
    "dinner for two": Wish(2, meal="dinner"),
    "book a table": Wish(),
    "book dinner at Kumo for two at eight under the name Anna Virtanen": Wish(
        2, At(None, EIGHT), "dinner", name="Kumo", guest="Anna Virtanen"
    ),
}
OTHERS = {
    "what times can we get a table for two tomorrow": Request(
        "times", Wish(2, At(TOMORROW), any_time=True)
    ),
    "when can I get a table for four near the station": Request(
        "times", Wish(4, place="station", any_time=True)
    ),
    "when is my table": Request("status"),
    "what time is my reservation": Request("status", sure=False),
    "cancel my table": Request("cancel"),
    "cancel my table at Kumo": Request("cancel", named="Kumo"),
    "cancel my reservation": Request("cancel", sure=False),
    "cancel my dinner": Request("cancel", sure=False),
    "move my table to eight": Request("change", Wish(when=At(None, EIGHT))),
    "make our table for three": Request("change", Wish(3)),
    "change my table": Request("change_ask"),
    "take me there": Request("guide"),
}
UNSURE = (
    "a table for two",
    "I need a table for four",
    "find me a table for six",
    "a table at the store",
    "what time can I get",
)
ABOUT_SOMETHING_ELSE = (
    "I might book a table",
    "don't book a table for two at seven",
    "did you book a table?",
    "if we booked a table for two at seven",
    "she booked a table for two at seven",
    "should I book a table for two at seven",
    "add a table for two to my list",
    "a table for my living room",
    "a dinner table for four",
    "compare tables",
    "buy a table for two",
    "how much is a table for two",
    "order dinner for two",
    "dinner for two at home",
    "dinner for two from Kuu",
    "dinner tonight",
    "dinner was nice",
    "two ramen at seven",
    "find an Italian restaurant",
    "where is the nearest restaurant",
    "take me to the restaurant by taxi",
    "remind me to book a table at seven",
    "book a flight for two at seven",
    "book a room for two tomorrow",
    "a taxi for four at seven",
    "set a table for two",
    "clear the table",
    "book a table for two and a taxi home",
    "a table for two hundred at seven",
    "",
)


@pytest.mark.parametrize("text", BOOKS)
def test_a_table_that_is_wanted(text: str) -> None:
    assert reading.read(text, WORDS) == Request("book", BOOKS[text])


@pytest.mark.parametrize("text", OTHERS)
def test_what_else_is_wanted(text: str) -> None:
    assert reading.read(text, WORDS) == OTHERS[text]


@pytest.mark.parametrize("text", UNSURE)
def test_words_that_may_be_about_furniture_are_not_sure(text: str) -> None:
    request = reading.read(text, WORDS)

    assert request is not None
    assert not request.sure


@pytest.mark.parametrize("text", ABOUT_SOMETHING_ELSE)
def test_words_about_something_else_are_left_alone(text: str) -> None:
    assert reading.read(text, WORDS) is None


@pytest.mark.parametrize(
    ("text", "party"),
    [("two", 2), ("for four people", 4), ("just me", 1), ("the two of us", 2), ("we are six", 6)],
)
def test_for_how_many(text: str, party: int) -> None:
    assert reading.party(text, WORDS) == Wish(party)


def test_an_answer_may_say_more_than_was_asked() -> None:
    assert reading.party("for two at eight", WORDS) == Wish(2, At(None, EIGHT))
    assert reading.when("tomorrow at seven near the station", WORDS, "") == Wish(
        when=At(TOMORROW, SEVEN), place="station"
    )
    assert reading.when("any time", WORDS, "") == Wish(any_time=True)


@pytest.mark.parametrize(
    ("text", "pick"),
    [
        ("the second one", Pick("nth", 2)),
        ("I'll take the cheaper one, please", Pick("cheapest")),
        ("the nearest", Pick("nearest")),
        ("the one at half past seven", Pick("clock", clock=Clock(7, 30))),
        ("Kumo", Pick("name", words="Kumo")),
        ("the one at Trattoria Lume", Pick("name", words="Trattoria Lume")),
        ("the one with the harvest menu", Pick("menu", words="harvest menu")),
    ],
)
def test_one_of_the_list(text: str, pick: Pick) -> None:
    assert reading.picked(text, WORDS) == pick


@pytest.mark.parametrize(
    ("text", "wish"),
    [
        ("make it eight o'clock", Wish(when=At(None, EIGHT))),
        ("make it for three", Wish(3)),
        ("what about tomorrow", Wish(when=At(TOMORROW))),
        ("somewhere Italian", Wish(cuisine="Italian")),
        ("near the office instead", Wish(place="office")),
    ],
)
def test_what_is_to_be_otherwise(text: str, wish: Wish) -> None:
    assert reading.refined(text, WORDS) == wish


def moment(text: str, now: datetime) -> datetime:
    request = reading.read(text, WORDS)
    assert request is not None
    assert request.wish.around is not None
    due = resolve(request.wish.around, now.timestamp(), HELSINKI).due_at
    return datetime.fromtimestamp(due, HELSINKI).replace(tzinfo=None)


NOON = datetime(2026, 11, 24, 12, 0, tzinfo=HELSINKI)
NIGHT = NOON.replace(hour=21)


@pytest.mark.parametrize(
    ("text", "now", "at"),
    [
        ("a table for two at seven", NOON, datetime(2026, 11, 24, 19)),
        ("a table for two at seven", NIGHT, datetime(2026, 11, 25, 19)),
        ("a table for two tonight at seven", NOON, datetime(2026, 11, 24, 19)),
        ("a table for two tomorrow at seven", NIGHT, datetime(2026, 11, 25, 19)),
        ("a table for two at one", NOON, datetime(2026, 11, 24, 13)),
        ("lunch for two at eleven tomorrow", NOON, datetime(2026, 11, 25, 11)),
        ("a table for two at 18:30", NOON, datetime(2026, 11, 24, 18, 30)),
        ("a table for two in two hours", NOON, datetime(2026, 11, 24, 14)),
        ("a table for two on Friday at seven", NOON, datetime(2026, 11, 27, 19)),
    ],
)
def test_a_time_without_its_half_is_one_at_which_people_eat(
    text: str, now: datetime, at: datetime
) -> None:
    assert moment(text, now) == at


def test_tonight_is_never_tomorrow() -> None:
    with pytest.raises(AlreadyPast):
        moment("dinner for two tonight at seven", NIGHT)


def test_the_clock_on_the_day_it_changes() -> None:
    before = datetime(2026, 10, 24, 22, 0, tzinfo=HELSINKI)

    assert moment("a table for two tomorrow at seven", before) == datetime(2026, 10, 25, 19)


def offer(
    name: str,
    hour: int,
    minute: int = 0,
    price: int = 1000,
    away: int | None = None,
    menu: str = "",
) -> TableOffer:
    begins = datetime.combine(date(2026, 11, 27), time(hour, minute), HELSINKI)
    place = Restaurant(name.lower(), name, "Mikonkatu 8", "00100", "Helsinki", "FI", HELSINKI.key)
    table = Table(
        f"{name}.{hour}.{minute}.{menu}",
        place,
        begins.isoformat(),
        (begins + timedelta(minutes=90)).isoformat(),
        2,
        "menu" if menu else "deposit",
        price // 2,
        TableTerms((begins - timedelta(hours=2)).isoformat(), price),
        menu,
    )
    at = Address(name, "Mikonkatu 8", "Helsinki", "00100", "FI", 60.17, 24.94)
    return TableOffer("satama", "Satama", table, Money(price, "EUR"), at, (), away)


KUMO, LUME = offer("Kumo", 19, price=2000, away=60), offer("Trattoria Lume", 19, 30, away=400)
DEARER = offer("Kumo", 19, price=15000, menu="Omakase at the counter")


def test_one_table_a_restaurant_is_listed_and_the_cheapest_of_a_time() -> None:
    assert listed([DEARER, KUMO, LUME]) == [KUMO, LUME]
    assert exact([DEARER, KUMO, LUME], datetime(2026, 11, 27, 19)) == KUMO


def test_times_are_listed_where_there_is_one_restaurant() -> None:
    late, early = offer("Kumo", 20), offer("Kumo", 18, 30)

    assert listed([KUMO, DEARER, late, early]) == [early, KUMO, late]


@pytest.mark.parametrize(
    ("pick", "meant"),
    [
        (Pick("nth", 2), LUME),
        (Pick("nth", 3), None),
        (Pick("cheapest"), LUME),
        (Pick("nearest"), KUMO),
        (Pick("latest"), LUME),
        (Pick("clock", clock=Clock(7, 30)), LUME),
        (Pick("clock", clock=Clock(9)), None),
        (Pick("name", words="lume"), LUME),
        (Pick("name", words="Kuumo"), KUMO),
        (Pick("name", words="send money"), None),
        (Pick("menu", words="omakase menu"), DEARER),
    ],
)
def test_the_one_that_is_meant(pick: Pick, meant: TableOffer | None) -> None:
    assert choose(pick, [KUMO, LUME], [KUMO, DEARER, LUME]) == meant


def test_a_name_without_its_accents() -> None:
    plain = offer("Été à la mer", 19)

    assert called("ete a la mer", [KUMO, plain]) == [plain]


@pytest.mark.parametrize(
    ("hour", "minute", "said"),
    [
        (19, 0, "seven in the evening"),
        (19, 30, "half past seven in the evening"),
        (19, 45, "a quarter to eight in the evening"),
        (11, 15, "a quarter past eleven in the morning"),
        (12, 0, "noon"),
        (13, 5, "five past one in the afternoon"),
        (22, 40, "twenty to eleven at night"),
        (18, 7, "six oh 7 in the evening"),
    ],
)
def test_a_time_in_words(hour: int, minute: int, said: str) -> None:
    assert time_of_day(datetime(2026, 11, 27, hour, minute)) == said


def test_all_that_is_agreed_to_is_read_out() -> None:
    table = msgspec.structs.replace(DEARER.table, guest="Anna Virtanen")

    free_s = datetime.fromisoformat(table.cancellation.free_until).timestamp()
    before, after = (
        table_words.agreed(table, DEARER.price, "Satama", free_s + late_s) for late_s in (-1, 1)
    )
    assert before == (
        "A table for 2 people at Kumo, Mikonkatu 8, on Friday 27 November at seven in the evening, "
        "under the name Anna Virtanen. Satama takes the booking. Omakase at the counter, 75 euros a "
        "person, is paid now. 150 euros in all. Cancelling is free until five in the evening that "
        "day, then it costs 150 euros."
    )
    assert after.endswith(" 150 euros in all. Cancelling costs 150 euros, even now.")
