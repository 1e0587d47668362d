"""Passwords: which are accepted, and how they are hashed without stopping everything else."""

from __future__ import annotations

import asyncio
import secrets
import unicodedata

from pwdlib import PasswordHash
from pwdlib.exceptions import UnknownHashError
from pwdlib.hashers.argon2 import Argon2Hasher

from syncline.apps.accounts.contract import WeakPassword
from syncline.apps.accounts.settings import AccountsSettings
from syncline.kernel.errors import FieldError

SHORTEST, LONGEST = 10, 200

# Of the lists of leaked passwords, what is long enough to pass the rule of length.
_LEAKED = """
1234567890 12345678910 123456789a 0123456789 0987654321 1q2w3e4r5t 1q2w3e4r5t6y qwertyuiop qwerty12345 qwerty123456
password12 password123 password1234 password12345 password123456 passw0rd123 p@ssw0rd123 administrator admin12345
admin123456 administrator1 welcome123 welcome1234 iloveyou12 iloveyou123 letmein123 letmein1234 changeme123 changeit123
football123 baseball123 superman123 sunshine123 princess123 dragon12345 monkey12345 michael123 abcdefghij abcd123456
abc1234567 abcdef1234 a123456789 aa12345678 asdfghjkl1 asdfghjkl; zxcvbnm123 zaq12wsxcde qazwsxedcrf qwertyuiop123
1qaz2wsx3edc 1qazxsw23edc q1w2e3r4t5 q1w2e3r4t5y6 trustno1234 whatever123 starwars123 computer123 internet123
myspace123 linkedin123 facebook123 shopify123 shopify1234 syncline123 secret12345 testtest123 test123456 test1234567
default123 master12345 liverpool123 manchester1 correcthorsebatterystaple 1234512345 1231231234 9876543210
"""
COMMONEST = frozenset(_LEAKED.split())


def check_password(password: str, *, email: str) -> None:
    """Raises `WeakPassword`, whose sentence says which rule it breaks."""
    # A character like “¼” becomes three, which makes nothing harder to guess: it is the typed ones that count.
    short = password if len(password) < SHORTEST else _normal(password)
    reason = _weakness(short, email)
    if reason is not None:
        raise WeakPassword(reason, fields=[FieldError("password", reason)])


def _weakness(password: str, email: str) -> str | None:
    small, address = password.casefold(), email.strip().casefold()
    if len(password) < SHORTEST:
        return f"Choose a password of at least {SHORTEST} characters; a few words in a row are easy to keep in mind."
    if len(password) > LONGEST:
        return f"Choose a password of at most {LONGEST} characters."
    if small in {address, address.partition("@")[0]}:
        return "Choose a password that is not your e-mail address."
    if small in COMMONEST:
        return "This password is among the first that anybody would try. Choose another."
    if len(set(small)) <= 2:
        return "This password repeats one or two characters. Choose one with more variety."
    return None


class Passwords:
    """Hashes with Argon2id in threads, a few at a time: each takes memory, and a crowd must not take all of it."""

    def __init__(self, settings: AccountsSettings) -> None:
        self._hasher = PasswordHash(
            (
                Argon2Hasher(
                    time_cost=settings.hash_passes,
                    memory_cost=settings.hash_memory_kib,
                    parallelism=settings.hash_lanes,
                ),
            )
        )
        self._turn = asyncio.Semaphore(settings.hash_concurrency)
        self._nobodys: str | None = None

    async def hash(self, password: str) -> str:
        async with self._turn:
            return await asyncio.to_thread(self._hasher.hash, _normal(password))

    async def verify(self, password: str, stored: str | None) -> tuple[bool, str | None]:
        """Whether it is the password, and the hash to store instead when `stored` was made with other parameters.

        With nothing stored the work is done all the same, so that time does not tell whether there is an account.
        """
        async with self._turn:
            return await asyncio.to_thread(self._verify, _normal(password), stored)

    def _verify(self, password: str, stored: str | None) -> tuple[bool, str | None]:
        # Made by the first that is verified, whoever it is: a process that verifies none does not pay for it.
        nobodys = self._nobodys = self._nobodys or self._hasher.hash(secrets.token_urlsafe(32))
        try:
            is_right, better = self._hasher.verify_and_update(password, stored or nobodys)
        except UnknownHashError:
            return False, None
        return (is_right, better) if stored is not None else (False, None)


def _normal(password: str) -> str:
    # The same characters typed on another system may be composed otherwise (NIST SP 800-63B, 5.1.1.2).
    return unicodedata.normalize("NFKC", password)
