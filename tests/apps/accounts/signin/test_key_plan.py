from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from syncline.apps.accounts.signin.key_plan import KeyPlan, KeyTimes, plan_keys

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
LIFE, LEAD, TOKEN = timedelta(days=90), timedelta(minutes=15), timedelta(minutes=10)


def plan(*keys: KeyTimes, now: datetime = NOON) -> KeyPlan:
    return plan_keys(keys, now=now, lifetime=LIFE, lead=LEAD, token_lifetime=TOKEN)


def test_with_no_key_one_is_made_that_signs_at_once() -> None:
    assert plan() == KeyPlan(signer=None, published=frozenset(), new_signs_from=NOON)


def test_a_young_key_signs_and_nothing_is_due() -> None:
    assert plan(KeyTimes("a", NOON - timedelta(days=1))) == KeyPlan("a", frozenset("a"), None)


def test_a_key_of_its_age_gets_a_successor_that_is_published_first() -> None:
    assert plan(KeyTimes("a", NOON - LIFE)) == KeyPlan("a", frozenset("a"), NOON + LEAD)


def test_a_successor_is_published_while_the_old_one_still_signs() -> None:
    assert plan(KeyTimes("a", NOON - LIFE), KeyTimes("b", NOON + LEAD)) == KeyPlan("a", frozenset("ab"), None)


def test_the_old_one_is_published_as_long_as_its_tokens_can_be_good() -> None:
    keys = KeyTimes("a", NOON - LIFE), KeyTimes("b", NOON)
    assert plan(*keys).published == frozenset("ab")
    assert plan(*keys, now=NOON + TOKEN).published == frozenset("ab")
    assert plan(*keys, now=NOON + 2 * TOKEN).published == frozenset("b")


@given(
    st.lists(st.integers(min_value=1, max_value=400 * 24 * 60), min_size=1, max_size=8, unique=True),
    st.integers(min_value=0, max_value=400 * 24 * 60),
    st.integers(min_value=0, max_value=int(TOKEN.total_seconds())),
)
def test_a_token_can_be_checked_from_its_signing_until_it_expires(minutes: list[int], signed: int, later: int) -> None:
    keys = [KeyTimes(f"k{at}", NOON + timedelta(minutes=at)) for at in (0, *minutes)]
    at = NOON + timedelta(minutes=signed)
    signer = plan(*keys, now=at).signer
    assert signer is not None
    assert signer in plan(*keys, now=at).published
    assert signer in plan(*keys, now=at + timedelta(seconds=later)).published
