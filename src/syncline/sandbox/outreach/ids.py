"""Ids that look drawn by lot, made from numbers and read back without a table."""

from __future__ import annotations

import string
import uuid
from functools import lru_cache

ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
LENGTH = 17
"""As in `act_x6esGLhoPa2SMHCZ7`."""
_PAIRS = tuple(first + second for second in ALPHABET for first in ALPHABET)
"""Two letters for a number below 62 * 62, the lower one first."""
_SPACE = len(ALPHABET) ** LENGTH
# Coprime to 62, so that multiplying by it visits every id once.
_STEP = 1_234_567_890_123_456_789_012_345_678_901
_BACK = pow(_STEP, -1, _SPACE)
_HIGHEST = 2**40
_UUID_STEP = 0x9E3779B97F4A7C15F39CC0605CEDC835


@lru_cache(maxsize=65_536)
def word_id(prefix: str, number: int) -> str:
    """Kept for a while: a page of activities names the same campaign, sender and steps over and over."""
    left, letters = number * _STEP % _SPACE, [prefix, "_"]
    for _ in range(LENGTH // 2):
        left, digits = divmod(left, len(_PAIRS))
        letters.append(_PAIRS[digits])
    letters.append(ALPHABET[left])
    return "".join(letters)


def word_number(prefix: str, text: str) -> int | None:
    """None for what is no id of this kind."""
    head, _, tail = text.partition("_")
    if head != prefix or len(tail) != LENGTH or any(letter not in ALPHABET for letter in tail):
        return None
    value = 0
    for letter in reversed(tail):
        value = value * len(ALPHABET) + ALPHABET.index(letter)
    number = value * _BACK % _SPACE
    return number if number < _HIGHEST else None


def uuid_id(number: int) -> str:
    return str(uuid.UUID(int=number * _UUID_STEP % 2**128))
