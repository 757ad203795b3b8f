from __future__ import annotations

import itertools

import pytest

from lapel.devices.errors import TooManyTries, Unauthorized
from lapel.devices.pairing_codes import PairingCodes

pytestmark = pytest.mark.unit


def codes() -> PairingCodes[str]:
    numbers = itertools.count(1)
    return PairingCodes(draw=lambda: f"{next(numbers):06d}")


def test_a_code_works_once() -> None:
    book = codes()
    code = book.issue("ada", "what it stands for", 0.0).code
    assert book.redeem(code, 1.0) == "what it stands for"
    with pytest.raises(Unauthorized):
        book.redeem(code, 1.0)


def test_a_code_expires_after_five_minutes() -> None:
    book = codes()
    first, second = (book.issue("ada", "x", 0.0).code for _ in range(2))
    assert book.redeem(first, 299.9) == "x"
    with pytest.raises(Unauthorized):
        book.redeem(second, 300.0)


def test_after_five_wrong_tries_even_the_right_code_must_wait() -> None:
    book = codes()
    code = book.issue("ada", "x", 0.0).code
    for index in range(5):
        with pytest.raises(Unauthorized):
            book.redeem("nope", index * 10.0)
    with pytest.raises(TooManyTries):
        book.redeem(code, 59.9)
    assert book.redeem(code, 60.0) == "x"


def test_codes_that_wait_are_bounded_for_each_owner_and_in_all() -> None:
    book = codes()
    for _ in range(8):
        book.issue("ada", "x", 0.0)
    with pytest.raises(TooManyTries):
        book.issue("ada", "x", 0.0)
    for owner in range(7):
        for _ in range(8):
            book.issue(f"owner {owner}", "x", 0.0)
    with pytest.raises(TooManyTries):
        book.issue("one more", "x", 0.0)
    assert book.issue("ada", "x", 300.0).code


def test_two_codes_that_wait_are_never_the_same() -> None:
    draws = iter(["000007", "000007", "000007", "000008"])
    book: PairingCodes[str] = PairingCodes(draw=lambda: next(draws))
    assert book.issue("ada", "x", 0.0).code == "000007"
    assert book.issue("ada", "x", 0.0).code == "000008"


def test_codes_are_six_random_digits() -> None:
    book: PairingCodes[str] = PairingCodes()
    drawn = {book.issue(f"owner {index}", "x", 0.0).code for index in range(50)}
    assert len(drawn) == 50
    assert all(len(code) == 6 and code.isdigit() for code in drawn)
