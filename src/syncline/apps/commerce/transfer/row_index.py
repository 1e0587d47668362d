"""Remembers in which row each of millions of keys stood first, in 16 bytes a slot instead of a dictionary's 200 an
entry."""

from __future__ import annotations

from array import array

import xxhash


def key_of(*parts: str) -> int:
    """64 bits over the parts, never 0. Among 2,000,000 different keys the chance that any two meet is one in ten
    million, and then a sheet's row is called a duplicate that is none: it is reported, not lost."""
    return xxhash.xxh3_64_intdigest("\x1f".join(parts).encode()) or 1


class RowIndex:
    """Open addressing with linear probing over two arrays; at most two slots in three are taken."""

    def __init__(self, capacity: int = 1 << 10) -> None:
        self._mask = capacity - 1
        self._keys = array("Q", bytes(8 * capacity))
        self._values = array("Q", bytes(8 * capacity))
        self._size = 0

    def __len__(self) -> int:
        return self._size

    def __contains__(self, key: int) -> bool:
        keys, mask = self._keys, self._mask
        slot = key & mask
        while found := keys[slot]:
            if found == key:
                return True
            slot = (slot + 1) & mask
        return False

    def put(self, key: int, value: int) -> int | None:
        """The value stored for `key` before, which stays; None when it is new and `value` is stored now."""
        keys, mask = self._keys, self._mask
        slot = key & mask
        while found := keys[slot]:
            if found == key:
                return self._values[slot]
            slot = (slot + 1) & mask
        keys[slot] = key
        self._values[slot] = value
        self._size += 1
        if 3 * self._size > 2 * (mask + 1):
            self._grow()
        return None

    def _grow(self) -> None:
        old_keys, old_values = self._keys, self._values
        capacity = 2 * (self._mask + 1)
        mask = self._mask = capacity - 1
        keys = self._keys = array("Q", bytes(8 * capacity))
        values = self._values = array("Q", bytes(8 * capacity))
        for position, key in enumerate(old_keys):
            if key:
                slot = key & mask
                while keys[slot]:
                    slot = (slot + 1) & mask
                keys[slot] = key
                values[slot] = old_values[position]
