"""What a process shows of the whole installation."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from syncline.apps.commerce.schedule_contract import ScheduledAction
from syncline.kernel import clock
from syncline.main.testing.shop import open_shop
from syncline.main.testing.works import open_works
from syncline.main.watch import _look
from syncline.runtime.db.settings import DatabaseSettings
from syncline.runtime.observe.metrics import REGISTRY


async def test_a_schedule_that_waits_is_seen(database_settings: DatabaseSettings, tmp_path: Path) -> None:
    async with open_works(database_settings, tmp_path) as works, open_shop(products=1) as shop:
        await works.connect(shop)
        await _look(works.runtime)
        assert REGISTRY.get_sample_value("syncline_schedule_overdue_seconds") == 0
        made = await works.commerce.add_schedule(
            actor=works.actor, store="demo", action=ScheduledAction.PULL, timing="every 1h"
        )
        with clock.frozen(made.next_run_at + timedelta(minutes=10)):
            await _look(works.runtime)
        assert REGISTRY.get_sample_value("syncline_schedule_overdue_seconds") == 600
