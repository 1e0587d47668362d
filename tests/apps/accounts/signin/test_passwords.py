from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncline.apps.accounts.contract import WeakPassword
from syncline.apps.accounts.settings import AccountsSettings
from syncline.apps.accounts.signin.passwords import Passwords, check_password

CHEAP = AccountsSettings(hash_memory_kib=8, hash_passes=1, hash_lanes=1)


@pytest.mark.parametrize(
    ("password", "sentence"),
    [
        ("", "at least 10"),
        ("ninechars", "at least 10"),
        ("x" * 201, "at most 200"),
        ("ada@example.com", "not your e-mail"),
        ("ADA@Example.com", "not your e-mail"),
        ("Password123", "first that anybody would try"),
        ("qwertyuiop", "first that anybody would try"),
        ("aaaaaaaaaaaa", "one or two characters"),
        ("abababababab", "one or two characters"),
    ],
)
def test_a_password_that_is_easy_to_guess_is_refused_with_its_reason(password: str, sentence: str) -> None:
    with pytest.raises(WeakPassword, match=sentence) as refused:
        check_password(password, email="ada@example.com")
    assert refused.value.fields[0].field == "password"


@pytest.mark.parametrize("password", ["four words in a row", "пароль из слов", "ten chars!", "x7" + "é" * 8])
def test_a_password_of_ten_characters_that_is_not_common_is_taken(password: str) -> None:
    check_password(password, email="ada@example.com")


async def test_a_hash_is_argon2id_salted_and_verifies_only_its_own_password() -> None:
    passwords = Passwords(CHEAP)
    one, two = await passwords.hash("four words in a row"), await passwords.hash("four words in a row")
    assert one.startswith("$argon2id$")
    assert one != two
    assert await passwords.verify("four words in a row", one) == (True, None)
    assert await passwords.verify("four words in a roW", one) == (False, None)


async def test_the_same_characters_composed_otherwise_are_the_same_password() -> None:
    passwords = Passwords(CHEAP)
    assert (await passwords.verify("cafe\u0301 au lait", await passwords.hash("caf\u00e9 au lait")))[0]


async def test_with_nothing_stored_no_password_is_right() -> None:
    passwords = Passwords(CHEAP)
    assert await passwords.verify("four words in a row", None) == (False, None)


async def test_what_is_no_hash_is_wrong_and_not_an_error() -> None:
    assert await Passwords(CHEAP).verify("four words in a row", "not a hash") == (False, None)


async def test_a_hash_of_weaker_parameters_is_right_and_comes_back_anew() -> None:
    stored = await Passwords(CHEAP).hash("four words in a row")
    stronger = Passwords(CHEAP.model_copy(update={"hash_passes": 2}))
    is_right, better = await stronger.verify("four words in a row", stored)
    assert is_right
    assert better is not None
    assert await stronger.verify("four words in a row", better) == (True, None)


async def test_no_more_are_hashed_at_once_than_said(monkeypatch: pytest.MonkeyPatch) -> None:
    passwords = Passwords(CHEAP.model_copy(update={"hash_concurrency": 2}))
    stored = await passwords.hash("four words in a row")
    under_way, most = 0, 0
    verify = passwords._verify

    async def watched(function: object, *args: str) -> object:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0)
        under_way -= 1
        return verify(*args)

    monkeypatch.setattr(asyncio, "to_thread", watched)
    answers = await asyncio.gather(*(passwords.verify("four words in a row", stored) for _ in range(10)))
    assert answers == [(True, None)] * 10
    assert most == 2


@given(st.text(max_size=9))
def test_no_password_that_is_too_short_is_taken(password: str) -> None:
    with pytest.raises(WeakPassword):
        check_password(password, email="ada@example.com")


@given(st.text(alphabet="abcdefghijkl0123456789 -äß", min_size=25, max_size=200).filter(lambda one: len(set(one)) > 2))
def test_a_long_password_is_taken_whatever_it_is_of(password: str) -> None:
    check_password(password, email="ada@example.com")
