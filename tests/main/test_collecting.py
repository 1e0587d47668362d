from __future__ import annotations

import gc
import weakref

import pytest

from syncline.main.collecting import YOUNGEST, leave_loaded_out, start_left_out


class Ring:
    """Garbage that only the collector finds."""

    def __init__(self) -> None:
        self.itself = self


def test_what_was_there_is_left_out_until_the_end() -> None:
    was, before = gc.get_freeze_count(), gc.get_threshold()
    with start_left_out():
        assert gc.get_freeze_count() > was
        assert gc.get_threshold() == (YOUNGEST, *before[1:])
    assert (gc.get_freeze_count(), gc.get_threshold()) == (0, before)


def test_what_comes_later_is_collected() -> None:
    with start_left_out():
        ring = weakref.ref(Ring())
        gc.collect()
        assert ring() is None


def test_an_error_puts_it_back() -> None:
    before = gc.get_threshold()
    with pytest.raises(KeyError), start_left_out():
        raise KeyError
    assert (gc.get_freeze_count(), gc.get_threshold()) == (0, before)


def test_what_was_loaded_is_left_out_from_then_on() -> None:
    was, before = gc.get_freeze_count(), gc.get_threshold()
    leave_loaded_out()
    assert gc.get_freeze_count() > was
    assert gc.get_threshold() == (YOUNGEST, *before[1:])
    gc.set_threshold(*before)
    gc.unfreeze()
