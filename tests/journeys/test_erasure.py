"""Somebody is erased from every app, and stays so: after a crash, a second run, the next pull, a restored backup."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import UUID
from zipfile import ZipFile

import psycopg
import pytest

from syncline.apps.accounts.contract import Erasure, KeyRing, SubjectRef
from syncline.apps.accounts.facade import LocalKeyRing
from syncline.apps.commerce.contract import PullMode
from syncline.kernel.ids import new_id
from syncline.kernel.tenant import Actor, TenantId
from syncline.main.testing.farm import Farm
from syncline.main.testing.shop import NewShop, Shop
from syncline.main.testing.works import Works, eventually, open_works
from syncline.runtime.db.server import ServerHandle

ADA, PHONE, STREET = "ada.lovelace@example.com", "+442079460123", "12 St James's Square"
TRACES = (ADA, PHONE, STREET, "Lovelace", "RR123456785GB", "call before noon", "allergic to lanolin")
ABOUT_ADA = SubjectRef(email=ADA)
METAFIELDS = (
    "select value, compare_digest from commerce.customer_metafield where key = 'care' and namespace = 'custom'"
    " and type = 'single_line_text_field' union all"
    " select value, compare_digest from commerce.order_metafield where key = 'care' and namespace = 'custom'"
    " and type = 'single_line_text_field'"
)


@pytest.fixture
async def shop(new_shop: NewShop) -> Shop:
    """A few customers, and Ada, who has bought twice: once with her account, once as a guest."""
    opened = await new_shop(products=8, more={"orders": 4, "customers": 3})
    address = {"first_name": "Ada", "last_name": "Lovelace", "address1": STREET, "city": "London", "zip": "SW1Y 4JH"}
    ada = await opened.edit(
        "create",
        "customer",
        set={
            "first_name": "Ada",
            "last_name": "Lovelace",
            "email": ADA,
            "phone": PHONE,
            "note": "call before noon",
            "tags": ["Lovelace family"],
            "addresses": [address],
        },
    )
    variant = next(iter(opened.store.variants))
    lines = [{"variant": variant, "quantity": 1}]
    order = {"lines": lines, "note": "call before noon", "shipping_address": address}
    mine = await opened.edit("create", "order", set={**order, "customer": ada["id"]})
    await opened.edit("fulfill", "order", mine["id"], set={"tracking": "RR123456785GB"})
    as_guest = await opened.edit("create", "order", set={**order, "email": ADA.upper()})
    for kind, one in (("Customer", ada), ("Order", mine), ("Order", as_guest)):
        opened.store.metafields.set(kind, one["id"], "custom", "care", "single_line_text_field", "allergic to lanolin")
    return opened


@pytest.fixture
async def ring(works: Works) -> LocalKeyRing:
    found = works.runtime.contract(KeyRing)
    assert isinstance(found, LocalKeyRing)
    return found


async def left_behind(works: Works) -> None:
    """What quotes her besides: a job that was given up, an event, a pull's note, a consent."""
    ring = works.runtime.contract(KeyRing)
    await ring.record_consent(
        actor=works.actor, subject=ABOUT_ADA, document="newsletter", version="1", is_given=True, method="web form"
    )
    payload = json.dumps({"email": ADA, "text": f"write to {ADA.upper()}"})
    async with works.runtime.database.writing(works.actor.tenant_id) as session:
        driver = await session.driver()
        await driver.execute(
            "insert into jobs.dead_letter values (%s, 1, 'accounts.x', %s, %s, 0, 1, %s, now(), now())",
            (new_id(), works.actor.tenant_id, payload, f"could not reach {ADA}"),
        )
        await driver.execute(
            "insert into bus.outbox (id, name, tenant, occurred_at, data) values (%s, 'x.y', %s, now(), %s)",
            (new_id(), works.actor.tenant_id, payload),
        )
        await driver.execute("update commerce.pull_stream set notes = jsonb_build_array(%s::text)", (f"read {ADA}",))


def dump(works: Works, server: ServerHandle) -> str:
    """What pg_dump writes of the whole database, in clear also where columns hold bytes."""
    done = subprocess.run(
        [str(server.bin_dir / "pg_dump"), "--data-only", str(works.settings.database_admin_url)],
        capture_output=True,
        text=True,
        check=True,
        env={"LD_LIBRARY_PATH": str(server.bin_dir.parent / "lib"), "PATH": os.environ["PATH"]},
    )
    return done.stdout


def traces_in(dumped: str) -> list[str]:
    """Also as the hexadecimal digits in which a dump writes bytes."""
    lower = dumped.lower()
    return [one for one in TRACES if one.lower() in lower or one.lower().encode().hex() in lower]


async def erase(works: Works, subject: SubjectRef = ABOUT_ADA, **more: Any) -> Erasure:
    ring = works.runtime.contract(KeyRing)
    asked = await ring.start_erasure(actor=works.actor, subject=subject, reason="asked for by letter", **more)
    async with works.working():
        return await ended(works, asked.id)


async def ended(works: Works, erasure_id: UUID) -> Erasure:
    ring = works.runtime.contract(KeyRing)
    return await eventually(
        lambda: ring.get_erasure(actor=works.actor, erasure_id=erasure_id), lambda one: one.status == "completed"
    )


async def test_after_an_erasure_a_dump_of_the_database_knows_nothing_of_her(
    works: Works, shop: Shop, ring: LocalKeyRing, server: ServerHandle
) -> None:
    await works.connect(shop)
    assert (await works.pull(PullMode.FULL)).error is None
    await left_behind(works)
    assert set(traces_in(dump(works, server))) == set(TRACES)
    planned = await ring.plan_erasure(actor=works.actor, subject=ABOUT_ADA)
    assert set(traces_in(dump(works, server))) == set(TRACES)
    done = await erase(works)
    assert traces_in(dump(works, server)) == []
    assert {step.app: step.counts for step in done.steps} == {step.app: step.counts for step in planned.steps}
    counts = {step.app: step.counts for step in done.steps}
    commerce = counts["commerce"]
    assert commerce is not None
    assert (commerce["customer"], commerce["order"], commerce["customer_address"]) == (1, 2, 1)
    assert (commerce["customer_metafield"], commerce["order_metafield"]) == (1, 2)
    assert counts["queues"] == {"job_dead_letter": 1, "event": 1}


async def test_the_export_holds_every_row_in_which_a_dump_finds_her(
    works: Works, shop: Shop, ring: LocalKeyRing
) -> None:
    await works.connect(shop)
    await works.pull(PullMode.FULL)
    await left_behind(works)
    file = BytesIO()
    manifest = await ring.export_person(actor=works.actor, subject=ABOUT_ADA, file=file)
    with ZipFile(file) as archive:
        names, texts = archive.namelist(), {name: archive.read(name).decode() for name in archive.namelist()}
    assert manifest["counts"]["commerce"]["customer"] == 1
    assert manifest["counts"]["commerce"]["order"] == 2
    assert {name.rpartition(".")[2] for name in names} == {"json", "csv"}
    for trace in TRACES:
        assert any(trace.lower() in text.lower() for text in texts.values()), trace
    for kind in ("queues/job_dead_letter", "queues/event", "commerce/quoted", "accounts/subject"):
        assert ADA in texts[f"{kind}.json"], kind
    for name, kinds in manifest["counts"].items():
        for kind, count in kinds.items():
            assert len(json.loads(texts[f"{name}/{kind}.json"])) == count


async def test_a_pull_does_not_bring_back_whom_an_erasure_took_out(works: Works, shop: Shop) -> None:
    store = await works.connect(shop)
    await works.pull(PullMode.FULL)
    await erase(works)
    (ada,) = (one for one in shop.store.sales.customers.values() if one.email == ADA)
    await shop.edit("update", "customer", ada.id, set={"note": "Lovelace again"})
    run = await works.pull(PullMode.FULL)
    assert run.error is None
    held = await works.rows(
        "select first_name, email, note, tags from commerce.customer where store_id = %(s)s and id = %(id)s",
        s=store.id,
        id=ada.id,
    )
    assert held == [(None, None, None, [])]
    assert await works.rows("select from commerce.customer_address where customer_id = %(id)s", id=ada.id) == []
    assert await works.rows("select from commerce.shop_order where lower(email) = %(e)s", e=ADA) == []
    assert await works.rows(METAFIELDS) == [(None, None)] * 3
    shop.store.metafields.set("Customer", ada.id, "custom", "care", "single_line_text_field", "allergic to wool")
    await works.pull()
    assert await works.rows(METAFIELDS) == [(None, None)] * 3
    found = await works.reconcile("content")
    assert found.agreed, found.kinds


async def test_a_new_customer_with_her_address_is_a_new_one(works: Works, shop: Shop) -> None:
    await works.connect(shop)
    await works.pull(PullMode.FULL)
    await erase(works)
    again = await shop.edit("create", "customer", set={"first_name": "Ada", "email": f"new-{ADA}"})
    await works.pull()
    held = await works.rows("select email from commerce.customer where id = %(id)s", id=again["id"])
    assert held == [(f"new-{ADA}",)]


async def test_an_order_from_before_that_comes_only_after_the_erasure_comes_without_her(
    works: Works, shop: Shop
) -> None:
    await works.connect(shop)
    await works.pull(PullMode.FULL)
    (ada,) = (one for one in shop.store.sales.customers.values() if one.email == ADA)
    late = await shop.edit(
        "create",
        "order",
        set={"lines": [{"variant": next(iter(shop.store.variants)), "quantity": 1}], "customer": ada.id},
    )
    await erase(works)
    await works.pull(PullMode.FULL)
    assert await works.rows("select email from commerce.shop_order where id = %(id)s", id=late["id"]) == [(None,)]


async def test_a_store_that_is_removed_and_connected_again_does_not_bring_her_back(works: Works, shop: Shop) -> None:
    first = await works.connect(shop)
    await works.pull(PullMode.FULL)
    await erase(works)
    await works.commerce.remove_store(actor=works.actor, store="demo", progress=lambda _table, _rows: None)
    assert await works.rows("select from commerce.redaction") == []
    kept = await works.rows("select kind, number from commerce.kept_out")
    (ada,) = (one for one in shop.store.sales.customers.values() if one.email == ADA)
    assert ("customer", ada.id) in kept
    second = await works.connect(shop, "again")
    assert second.id != first.id
    assert await works.rows("select from commerce.kept_out") == []
    await works.pull(PullMode.FULL, store="again")
    held = await works.rows("select store_id, email from commerce.customer where id = %(id)s", id=ada.id)
    assert held == [(second.id, None)]
    assert await works.rows("select from commerce.shop_order where lower(email) = %(e)s", e=ADA) == []


async def test_until_pulled_lets_the_store_bring_her_back(works: Works, shop: Shop) -> None:
    await works.connect(shop)
    await works.pull(PullMode.FULL)
    await erase(works, keep_out=False)
    assert await works.rows("select from commerce.customer where email = %(e)s", e=ADA) == []
    await works.pull(PullMode.FULL)
    assert len(await works.rows("select from commerce.customer where email = %(e)s", e=ADA)) == 1


async def test_a_second_erasure_finds_nothing_more(works: Works, shop: Shop, ring: LocalKeyRing) -> None:
    await works.connect(shop)
    await works.pull(PullMode.FULL)
    first = await erase(works)
    second = await erase(works)
    assert [step.app for step in second.steps if step.counts] == []
    (told, *_) = await ring.list_erasures(actor=works.actor, subject=ABOUT_ADA)
    assert (told.id, told.reference) == (second.id, second.reference)
    assert first.id != second.id


async def test_a_customer_who_is_gone_from_the_store_is_erased_too(works: Works, shop: Shop) -> None:
    await works.connect(shop)
    await works.pull(PullMode.FULL)
    (ada,) = (one for one in shop.store.sales.customers.values() if one.email == ADA)
    await shop.edit("delete", "customer", ada.id)
    await works.pull(PullMode.FULL)
    (row,) = await works.rows("select email, deleted_at from commerce.customer where id = %(id)s", id=ada.id)
    assert row[0] == ADA
    assert row[1] is not None
    await erase(works, SubjectRef(store="demo", customer=ada.id))
    assert await works.rows("select email from commerce.customer where id = %(id)s", id=ada.id) == [(None,)]


async def test_the_trail_keeps_the_fact_and_not_the_person(works: Works, shop: Shop) -> None:
    await works.connect(shop)
    await works.pull(PullMode.FULL)
    done = await erase(works)
    entries = [text for (text,) in await works.rows("select content from audit.entry order by number")]
    assert [ADA in text for text in entries] == [False] * len(entries)
    assert any(done.reference in text and '"commerce"' in text for text in entries)


@pytest.mark.process
async def test_killed_between_two_apps_the_next_worker_goes_on_with_the_second(
    works: Works, shop: Shop, farm: Farm, server: ServerHandle
) -> None:
    await works.connect(shop)
    await works.pull(PullMode.FULL)
    await left_behind(works)
    ring = works.runtime.contract(KeyRing)
    asked = await ring.start_erasure(actor=works.actor, subject=ABOUT_ADA, reason="asked for by letter")
    query = "select finished_at from accounts.erasure_step where erasure_id = %(id)s and app = 'commerce'"
    async with await psycopg.AsyncConnection.connect(works.runtime.database.operator_url) as holding:
        # Stands in the way of the second app, and lets the first one pass.
        await holding.execute("select from jobs.dead_letter for update")
        worker = await farm.start()
        ((first_done,),) = await eventually(lambda: works.rows(query, id=asked.id), lambda rows: rows[0][0] is not None)
        farm.kill(worker)
    assert (await ring.get_erasure(actor=works.actor, erasure_id=asked.id)).status == "running"
    assert ADA in dump(works, server)
    await farm.bury()
    await farm.start()
    await ended(works, asked.id)
    assert await works.rows(query, id=asked.id) == [(first_done,)]
    assert traces_in(dump(works, server)) == []


async def test_what_a_restored_backup_brings_back_is_erased_again_from_the_list(
    works: Works, shop: Shop, databases: Any, tmp_path: Path
) -> None:
    await works.connect(shop)
    await works.pull(PullMode.FULL)
    before = f"before_{new_id().hex}"
    ((source,),) = await works.rows("select current_database()")
    await asyncio.to_thread(copy_database, databases, source, before)
    done = await erase(works)
    try:
        async with open_works(databases.settings(before), tmp_path) as restored:
            restored_ring = restored.runtime.contract(KeyRing)
            assert len(await restored.rows("select from commerce.customer where email = %(e)s", e=ADA)) == 1
            told = await restored_ring.replay_erasures(is_dry_run=True)
            assert told.started == [done.id]
            began = await restored_ring.replay_erasures()
            async with restored.working():
                await eventually(lambda: restored_ring.count_unfinished(started=began), lambda left: left == 0)
            assert await restored.rows("select from commerce.customer where email = %(e)s", e=ADA) == []
            assert (await restored_ring.replay_erasures()).started == []
    finally:
        databases.drop(before)
    listed = (tmp_path / "erasures.jsonl").read_text()
    assert ADA not in listed
    assert str(done.id) in listed


def copy_database(databases: Any, source: str, name: str) -> None:
    """What a backup that was restored elsewhere is. A template must have no other users for a moment."""
    with psycopg.connect(databases.server.url("operator", "postgres"), autocommit=True) as connection:
        query = "select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = %s"
        connection.execute(query, (source,))
    databases.create(name, source)


async def test_another_tenant_neither_exports_nor_erases_nor_sees(works: Works, shop: Shop, ring: LocalKeyRing) -> None:
    await works.connect(shop)
    await works.pull(PullMode.FULL)
    stranger = Actor(TenantId(new_id()), "eve", "owner")
    planned = await ring.plan_erasure(actor=stranger, subject=ABOUT_ADA)
    assert planned.total == 0
    file = BytesIO()
    assert (await ring.export_person(actor=stranger, subject=ABOUT_ADA, file=file))["records"] == 0
    asked = await ring.start_erasure(actor=stranger, subject=ABOUT_ADA, reason="mischief")
    async with works.working():
        await eventually(
            lambda: ring.get_erasure(actor=stranger, erasure_id=asked.id), lambda one: one.status == "completed"
        )
    assert len(await works.rows("select from commerce.customer where email = %(e)s", e=ADA)) == 1
    assert await ring.list_erasures(actor=works.actor) == []
