"""What a process shows of the whole installation."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from syncline.apps.commerce.schedule_contract import ScheduledAction
from syncline.kernel import clock
from syncline.main import watch
from syncline.main.testing.shop import open_shop
from syncline.main.testing.works import open_works
from syncline.main.watch import _look, count_change
from syncline.runtime.connect.breaker import BreakerSettings
from syncline.runtime.connect.registry import Registry
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


async def test_dead_letters_of_the_installation_are_counted_by_kind(
    database_settings: DatabaseSettings, tmp_path: Path
) -> None:
    async with open_works(database_settings, tmp_path) as works:
        with psycopg.connect(str(database_settings.admin_url), autocommit=True) as operator:
            operator.execute(
                "INSERT INTO jobs.dead_letter (id, job_id, job, payload, priority, attempts, reason, first_at, last_at)"
                " VALUES (gen_random_uuid(), 1, 'things.do', '{}', 0, 8, 'No.', now(), now())"
            )
        await _look(works.runtime)
    found = [REGISTRY.get_sample_value("syncline_dead_letters", {"kind": kind}) for kind in ("job", "event", "webhook")]
    assert found == [1, 0, 0]


def test_a_breaker_is_shown_by_its_vendor_in_one_state_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    registry = Registry(settings=BreakerSettings(minimum_calls=1, cool_down=timedelta(hours=1)))
    registry.on_change.append(count_change)
    monkeypatch.setattr(watch, "PROCESS", registry)
    one, other = registry.breaker("trial:summer.example"), registry.breaker("trial:winter.example")
    other.succeeded(other.allow())
    one.failed(one.allow())
    states = {
        state: REGISTRY.get_sample_value("syncline_vendor_breakers", {"vendor": "trial", "state": state})
        for state in ("closed", "half-open", "open")
    }
    changes = {"vendor": "trial", "state": "open"}
    assert states == {"closed": 1, "half-open": 0, "open": 1}
    assert REGISTRY.get_sample_value("syncline_vendor_breaker_changes_total", changes) == 1
