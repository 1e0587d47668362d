"""A store is taken away: its token first, then its rows, whatever happens in between."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx
import pytest
from sqlalchemy import Table, text

from syncline.apps.commerce.app import APP
from syncline.apps.commerce.contract import (
    ChangeQuery,
    PullAlreadyRunning,
    PullMode,
    PushAlreadyRunning,
    StoreNotFound,
)
from syncline.apps.commerce.facade import LocalCommerce
from syncline.apps.commerce.removal import repository, service
from syncline.apps.commerce.removal.jobs import LOOK_AGAIN, remove_store_rows
from syncline.apps.commerce.schedule_contract import ScheduledAction
from syncline.apps.commerce.tables import METADATA
from syncline.kernel import clock
from syncline.kernel.paging import PageRequest
from syncline.kernel.tenant import PERMISSIONS, Actor, TenantId
from syncline.runtime.audit.trail import EntryQuery, list_entries
from syncline.runtime.controls import stops
from syncline.runtime.http.factory import create_app
from syncline.runtime.jobs import JobContext
from syncline.runtime.jobs.testing import FakeJobQueue

DEMO = "/api/shopify/stores/demo"


@pytest.fixture
async def used(pulled: Any) -> Any:
    """A store with something in every table: changes that were pushed, one that waits, a schedule and a pause."""
    commerce, actor = pulled.commerce, pulled.actor
    batch = await commerce.stage_edit(actor=actor, store="demo", where="vendor:Acme", edits=["price=+1"])
    await commerce.approve(actor=actor, query=ChangeQuery(batch_id=batch.id))
    await pulled.push()
    await commerce.stage_edit(actor=actor, store="demo", where="handle:mug", edits=["title=Cup"])
    await commerce.add_schedule(actor=actor, store="demo", action=ScheduledAction.PULL, timing="every 1h")
    await commerce.reconcile(actor=actor, store="demo")
    return pulled


async def rows(pulled: Any) -> dict[str, int]:
    """Of the tenant, by table; those without any are left out."""
    found = {}
    async with pulled.commerce.runtime.database.reading(pulled.actor.tenant_id) as session:
        for table in (one for one in METADATA.sorted_tables if {"tenant", "tenant_id"} & set(one.c.keys())):
            count = await session.scalar(
                text(f"SELECT count(*) FROM {table.fullname} WHERE {_own(table)}"), _of(pulled)
            )
            found[table.name] = count
    return {name: count for name, count in found.items() if count}


def _own(table: Table) -> str:
    return "tenant_id = :tenant" if "tenant_id" in table.c else "tenant = :tenant"


def _of(pulled: Any) -> dict[str, Any]:
    return {"tenant": pulled.actor.tenant_id}


async def remove(pulled: Any, **more: Any) -> Any:
    return await pulled.commerce.remove_store(actor=pulled.actor, store="demo", **more)


def test_every_table_is_known_to_go() -> None:
    hanging = {table.name for pairs in repository.HANGING_ON.values() for table, _ in pairs}
    known = {table.name for table in repository.tables_of_a_store()} | hanging | repository.AT_ONCE
    # The tenant's own; gone within a day; goes with its schedule or webhook, or when its date comes; stays, so that
    # who was erased for good does not come back; stays as the proof of what was done; is nobody's.
    apart = {
        "review_rule",
        "sheet_mapping",
        "change_selection",
        "schedule_due",
        "webhook_dead",
        "change_expiry",
        "kept_out",
    }
    apart |= {"shopify_app", "privacy_request", "webhook_refusal"}
    assert {table.name for table in METADATA.sorted_tables} == known | apart


async def test_a_dry_run_says_what_would_go_and_takes_nothing(used: Any) -> None:
    before = await rows(used)
    found = await remove(used, dry_run=True)
    assert (found.store.name, found.schedules) == ("demo", 1)
    assert found.changes == {"applied": 2, "pending": 1}
    assert (found.records["product"], found.records["variant"]) == (3, 4)
    assert (await rows(used), used.queue.waiting) == (before, [])


async def test_token_name_and_schedules_go_at_once_and_the_rows_by_a_job(used: Any) -> None:
    said = await remove(used, dry_run=True)
    assert await remove(used) == said
    left = await rows(used)
    assert not {"store", "schedule", "schedule_due", "store_grant", "shop_directory"} & left.keys()
    assert {"product", "variant", "receipt", "pull_run", "staged_change"} <= left.keys()
    with pytest.raises(StoreNotFound):
        await remove(used)
    await used.work()
    assert await rows(used) == {}


async def test_what_is_left_of_it_is_not_shown(used: Any) -> None:
    await remove(used)
    assert await used.commerce.list_stores(actor=used.actor) == []
    assert await used.commerce.list_schedules(actor=used.actor) == []
    for listed in (
        await used.commerce.list_batches(actor=used.actor, store=None, page=PageRequest()),
        await used.commerce.list_changes(actor=used.actor, query=ChangeQuery(), page=PageRequest()),
    ):
        assert (listed.items, listed.total) == ([], 0)


async def test_a_crash_in_the_middle_loses_nothing_and_the_next_try_ends_it(
    used: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "AT_ONCE", 1)
    await remove(used)
    told: Counter[str] = Counter()

    def die(table: str, count: int) -> None:
        told[table] = count
        if sum(told.values()) == 5:
            raise KeyboardInterrupt

    store_id = used.queue.waiting[0].payload["store_id"]
    before = sum((await rows(used)).values())
    with pytest.raises(KeyboardInterrupt):
        await service.remove_rows(used.commerce.runtime.database, used.actor.tenant_id, store_id, die)
    assert sum((await rows(used)).values()) <= before - 5
    await used.work()
    assert await rows(used) == {}


async def test_with_progress_the_rows_are_gone_on_return_and_the_job_finds_none(used: Any) -> None:
    told: dict[str, int] = {}
    await remove(used, progress=told.__setitem__)
    assert (await rows(used), told["product"], told["variant"]) == ({}, 3, 4)
    await used.work()


async def test_it_is_looked_at_once_more_later_and_never_again(used: Any) -> None:
    await remove(used)
    due = []
    for _ in range(2):
        job = used.queue.waiting.pop()
        due.append(job.run_at)
        context = JobContext(runtime=used.commerce.runtime, job_id=1, attempt=1, tenant=job.tenant)
        await remove_store_rows(context, job.payload)
    assert used.queue.waiting == []
    assert due[0] is None
    assert due[1] - clock.now() > LOOK_AGAIN / 2


async def test_rows_of_a_store_that_is_connected_are_not_touched(used: Any) -> None:
    before = await rows(used)
    (store,) = await used.commerce.list_stores(actor=used.actor)
    assert await service.remove_rows(used.commerce.runtime.database, used.actor.tenant_id, store.id) == 0
    assert await rows(used) == before


async def test_connected_again_it_begins_from_nothing(used: Any) -> None:
    await remove(used)
    await used.connect()
    await used.pull()
    await used.work()
    changes = await used.commerce.list_changes(actor=used.actor, query=ChangeQuery(), page=PageRequest())
    overview = await used.commerce.overview(actor=used.actor, store="demo")
    assert (changes.total, overview.records["product"], overview.last_push) == (0, 3, None)


async def test_while_a_pull_runs_it_is_refused(used: Any) -> None:
    run = await used.commerce.start_pull(actor=used.actor, store="demo", mode=PullMode.INCREMENTAL)
    for dry_run in (True, False):
        with pytest.raises(PullAlreadyRunning, match=str(run.id)):
            await remove(used, dry_run=dry_run)
    await used.work()
    await remove(used)


async def test_while_a_push_runs_it_is_refused(used: Any) -> None:
    await used.commerce.approve(actor=used.actor, query=ChangeQuery(store="demo"))
    run = await used.commerce.start_push(actor=used.actor, store="demo")
    with pytest.raises(PushAlreadyRunning, match=str(run.id)):
        await remove(used)


async def test_a_pull_and_a_removal_at_once_leave_either_the_pull_or_nothing(used: Any) -> None:
    outcomes = await asyncio.gather(
        *(used.commerce.start_pull(actor=used.actor, store="demo", mode=PullMode.FULL) for _ in range(3)),
        *(remove(used) for _ in range(3)),
        return_exceptions=True,
    )
    names = Counter(type(one).__name__ for one in outcomes)
    assert names["PullRun"] + names["StoreRemoval"] == 1
    assert set(names) <= {"PullRun", "StoreRemoval", "PullAlreadyRunning", "StoreNotFound"}


async def test_the_trail_tells_who_removed_what(used: Any) -> None:
    await remove(used)
    async with used.commerce.runtime.database.reading(used.actor.tenant_id) as session:
        found = await list_entries(session, EntryQuery(action="stores.remove"), PageRequest())
    (entry,) = found.items
    assert entry.before is not None
    assert (entry.actor, entry.subject, entry.before["changes"]) == ("the owner", "store demo", 3)
    assert "shpat_" not in str(entry)


async def test_its_pause_goes_with_it(used: Any) -> None:
    (store,) = await used.commerce.list_stores(actor=used.actor)
    async with used.commerce.runtime.database.writing(used.actor.tenant_id) as session:
        await stops.pause(session, store_id=store.id, reason="It moves", actor="ann")
    await remove(used)
    async with used.commerce.runtime.database.reading(used.actor.tenant_id) as session:
        assert await stops.list_pauses(session) == []


async def test_another_tenant_neither_sees_nor_removes_it(used: Any, stranger: Actor) -> None:
    before = await rows(used)
    for dry_run in (True, False):
        with pytest.raises(StoreNotFound):
            await used.commerce.remove_store(actor=stranger, store="demo", dry_run=dry_run)
    (store,) = await used.commerce.list_stores(actor=used.actor)
    assert await service.remove_rows(used.commerce.runtime.database, stranger.tenant_id, store.id) == 0
    assert await rows(used) == before


# Over HTTP.

Call = Callable[..., Awaitable[httpx.Response]]


@pytest.fixture
async def call(commerce: LocalCommerce, tenant_id: TenantId) -> AsyncIterator[Call]:
    async def authenticate(role: str) -> Actor | None:
        return Actor(tenant_id, f"the {role}", role)

    app = create_app(commerce.runtime, [APP], authenticate=authenticate)
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://syncline.test") as client:

        async def send(path: str = DEMO, *, role: str = "owner") -> httpx.Response:
            return await client.delete(path, headers={"Authorization": f"Bearer {role}"})

        yield send


async def test_over_http_it_is_looked_at_and_then_removed(used: Any, call: Call, queue: FakeJobQueue) -> None:
    looked = await call(f"{DEMO}?dry_run=true")
    removed = await call()
    assert (looked.status_code, removed.status_code) == (200, 202)
    assert looked.json() == removed.json()
    assert (looked.json()["store"]["name"], looked.json()["changes"]) == ("demo", {"applied": 2, "pending": 1})
    again = await call()
    assert (again.status_code, again.json()["code"]) == (404, "STORE_001")
    await queue.run_waiting(used.commerce.runtime)
    assert await rows(used) == {}


async def test_over_http_a_running_pull_is_409(used: Any, call: Call) -> None:
    run = await used.commerce.start_pull(actor=used.actor, store="demo", mode=PullMode.FULL)
    answer = await call()
    assert (answer.status_code, answer.json()["code"], answer.json()["run_id"]) == (409, "PULL_003", str(run.id))


async def test_only_who_manages_stores_may(used: Any, call: Call) -> None:
    answers = {role: (await call(f"{DEMO}?dry_run=1", role=role)).status_code for role in PERMISSIONS}
    assert {role for role, status in answers.items() if status == 200} == {"owner", "admin"}
    assert {status for role, status in answers.items() if role not in {"owner", "admin"}} == {403}
