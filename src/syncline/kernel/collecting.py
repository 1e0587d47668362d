"""Making much at once without the collector of cyclic garbage walking through it again and again."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def none_collected() -> Iterator[None]:
    """For what is made to stay: nothing of it is garbage, and looking for some costs from a fifth to half of the time.
    Whoever had collections off already has them off afterwards too."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()
