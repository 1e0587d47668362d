import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncline.apps.commerce.gallery import (
    Medium,
    absent,
    among_of,
    is_made_from,
    ordered,
    same_medium,
    same_order,
)

ORDERS = st.lists(st.sampled_from("abcdef"), unique=True)


@given(ORDERS, ORDERS)
def test_order_that_was_put_on_what_is_shown_is_the_wanted_one(wanted: list[str], now: list[str]) -> None:
    after = ordered(wanted, now)
    assert sorted(after) == sorted(now)
    assert same_order(wanted, after)
    assert ordered(wanted, after) == after


@given(ORDERS)
def test_another_order_of_the_same_is_a_difference(now: list[str]) -> None:
    assert same_order(now, now)
    assert same_order(now, now[::-1]) == (len(now) < 2)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (None, None, True),
        (None, {"among": "1"}, True),
        (None, {"url": "a", "alt": ""}, False),
        ({"url": "a?v=1", "alt": "A"}, {"url": "a?v=2", "alt": "A"}, True),
        ({"url": "a", "alt": "A"}, {"url": "", "alt": "A"}, True),
        ({"url": "a", "alt": "A"}, {"url": "b", "alt": "A"}, False),
        ({"url": "a", "alt": "A"}, {"url": "a", "alt": ""}, False),
    ],
)
def test_same_medium(one: Medium | None, other: Medium | None, *, same: bool) -> None:
    assert same_medium(one, other) is same
    assert same_medium(other, one) is same


def test_what_was_there_before_is_remembered() -> None:
    assert among_of(absent(["1", "2"])) == frozenset({"1", "2"})
    assert among_of(absent([])) == frozenset()
    assert among_of(None) is among_of({"url": "a"}) is None


@pytest.mark.parametrize(
    ("url", "source", "is_it"),
    [
        ("https://cdn.example/files/front.jpg?v=1", "https://a.example/b/front.png", True),
        ("https://cdn.example/files/front_5f2e.jpg", "https://a.example/front.jpg", True),
        ("https://cdn.example/files/frontal.jpg", "https://a.example/front.jpg", False),
        ("https://cdn.example/files/back.jpg", "https://a.example/front.jpg", False),
    ],
)
def test_file_is_known_by_its_name(url: str, source: str, *, is_it: bool) -> None:
    assert is_made_from(url, source) is is_it
