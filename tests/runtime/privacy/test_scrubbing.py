from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncline.runtime.privacy.scrubbing import ERASED, pattern_of, scrubbed

_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


def pattern(*terms: str) -> re.Pattern[str]:
    found = pattern_of(terms)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("ada@x.org", ERASED),
        ("ADA@x.ORG", ERASED),
        ("mail to <ada@x.org>, twice: ada@x.org.", f"mail to <{ERASED}>, twice: {ERASED}."),
        ("clada@x.org", "clada@x.org"),
        ("ada@x.organ", "ada@x.organ"),
        ({"ada@x.org": ["ada@x.org", 1, None]}, {ERASED: [ERASED, 1, None]}),
    ],
)
def test_an_address_goes_wherever_it_stands_and_a_longer_one_stays(before: object, after: object) -> None:
    assert scrubbed(before, pattern("ada@x.org")) == after


def test_of_two_addresses_one_inside_the_other_both_go_whole() -> None:
    assert scrubbed("a.b@x.org b@x.org", pattern("b@x.org", "a.b@x.org")) == f"{ERASED} {ERASED}"


def test_without_terms_nothing_is_looked_for() -> None:
    assert pattern_of([]) is None
    assert pattern_of([""]) is None


@given(_JSON)
def test_what_does_not_quote_him_stays_as_it_is(value: object) -> None:
    assert scrubbed(value, pattern("nobody.at.all@example.invalid")) == value
