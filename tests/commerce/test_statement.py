"""All receipts in one file: what was taken out, put in or moved is found."""

from __future__ import annotations

import itertools

import pytest
from test_receipt import KEY, file

from lapel.commerce import ReceiptError, is_statement, statement, verify_statement
from lapel.commerce import keys as signing

pytestmark = pytest.mark.unit


def chain(count: int) -> list[str]:
    made: list[str] = []
    for n in range(count):
        made.append(file(f"Latte {n}", f"o_{n}", made[-1] if made else None))
    return made


def closed(receipts: list[str], user_id: str = "u_1") -> bytes:
    return statement.make(KEY, user_id, receipts, 1764000009.5).encode()


def code(data: bytes, **options: str) -> str:
    with pytest.raises(ReceiptError) as caught:
        verify_statement(data, **options)
    return caught.value.code


@pytest.mark.parametrize("count", [0, 1, 4])
def test_a_whole_file_is_valid_and_says_until_when(count: int):
    data = closed(chain(count))
    assert is_statement(data)
    found = verify_statement(data, key=KEY.id)
    assert [receipt.order_id for receipt in found.receipts] == [f"o_{n}" for n in range(count)]
    assert (found.end.count, found.end.exported_at) == (count, "2025-11-24T16:00:09.500Z")


def test_every_receipt_that_is_taken_out_is_missed():
    lines = closed(chain(4)).splitlines(keepends=True)
    for gone in range(4):
        assert code(b"".join(lines[:gone] + lines[gone + 1 :])) == "broken_chain"


def test_a_file_without_its_end_is_not_whole():
    data = closed(chain(3))
    lines = data.splitlines(keepends=True)
    assert code(b"".join(lines[:-1])) == "broken_chain"
    assert code(data[:-1]) == "broken_chain"
    assert code(b"") == "broken_chain"


def test_every_other_order_of_the_lines_is_found():
    lines = closed(chain(3)).splitlines(keepends=True)
    for moved in itertools.permutations(range(4)):
        if list(moved) != [0, 1, 2, 3]:
            with pytest.raises(ReceiptError):
                verify_statement(b"".join(lines[i] for i in moved))


def test_a_receipt_put_in_is_found():
    lines = closed(chain(3)).splitlines(keepends=True)
    foreign = file("Cake", "o_9").encode() + b"\n"
    for place in range(4):
        assert code(b"".join([*lines[:place], foreign, *lines[place:]])) == "broken_chain"


def test_every_changed_byte_of_the_closing_line_is_found():
    lines = closed(chain(2)).splitlines(keepends=True)
    before, last = b"".join(lines[:-1]), lines[-1]
    for i in range(len(last)):
        changed = last[:i] + bytes([last[i] ^ 1]) + last[i + 1 :]
        with pytest.raises(ReceiptError):
            verify_statement(before + changed, key=KEY.id)


def test_a_file_closed_by_somebody_else_is_found_when_the_key_is_named():
    other = signing.new_key()
    forged = statement.make(other, "u_1", chain(2), 0.0).encode()
    assert verify_statement(forged).end.key_id == other.id
    assert code(forged, key=KEY.id) == "other_key"


def test_another_users_receipts_are_found():
    assert code(closed(chain(2), user_id="u_2")) == "broken_chain"


def test_receipts_of_an_earlier_key_of_the_same_lapel_stay_valid():
    renewed = signing.new_key()
    data = statement.make(renewed, "u_1", chain(2), 0.0).encode()
    assert verify_statement(data, key=renewed.id).end.count == 2
