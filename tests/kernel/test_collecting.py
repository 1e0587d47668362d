from __future__ import annotations

import gc

from syncline.kernel.collecting import none_collected


def test_while_it_is_made_nothing_is_collected_and_afterwards_it_is_as_before() -> None:
    with none_collected():
        with none_collected():
            pass
        assert not gc.isenabled()
    assert gc.isenabled()
