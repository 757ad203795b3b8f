from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lapel.services.connectors.ucp.structured import (
    InnerList,
    Item,
    StructuredError,
    parse_dictionary,
    write_inner_list,
)

pytestmark = pytest.mark.unit

PRINTABLE = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=30)
BARE = st.one_of(PRINTABLE, st.integers(-(10**14), 10**14), st.binary(max_size=40), st.booleans())
KEY = st.from_regex(r"\A[a-z*][a-z0-9_.*-]{0,8}\Z")
PARAMETERS = st.dictionaries(KEY, BARE, max_size=4).map(lambda found: tuple(found.items()))


@given(st.lists(st.builds(Item, PRINTABLE, PARAMETERS), max_size=6), PARAMETERS)
def test_what_is_written_is_read_again(items: list[Item], parameters: tuple):
    value = InnerList(tuple(items), parameters)
    assert parse_dictionary(f"sig1={write_inner_list(value)}") == {"sig1": value}


def test_an_agent_header():
    found = parse_dictionary(
        'profile="https://p.example/.well-known/ucp", other;x=1, n=-5;y="a\\"b"'
    )
    assert found["profile"] == Item("https://p.example/.well-known/ucp")
    assert found["other"] == Item(True, (("x", 1),))
    assert found["n"] == Item(-5, (("y", 'a"b'),))


def test_the_last_of_two_members_counts():
    assert parse_dictionary("a=1, a=2") == {"a": Item(2)}


@pytest.mark.parametrize(
    "text",
    [
        "a=",
        "=1",
        "a=1,",
        "A=1",
        'a="x',
        'a=("b"',
        'a=("b""c")',
        "a=1 b=2",
        "a=:?:",
        "a=1.5",
        'a="ä"',
        "a;",
    ],
)
def test_what_is_no_dictionary_is_refused(text: str):
    with pytest.raises(StructuredError):
        parse_dictionary(text)


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str):
    with suppress(StructuredError):
        parse_dictionary(text)
