from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from xml.etree import ElementTree as ET

import httpx
import pytest
from tests.sandbox.shopify.bulk_shop import BASE, LEVELS, PRODUCTS, Line, Shop, open_shop

from syncline.kernel import clock
from syncline.sandbox.shopify.files import FOLDER
from syncline.sandbox.shopify.generator import generate


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    async with open_shop(tmp_path) as opened:
        yield opened


async def test_goes_from_created_over_running_to_completed(shop: Shop) -> None:
    shop.bulk.delay = 20
    operation = shop.start()
    assert (operation.status, operation.object_count, operation.file_size) == ("CREATED", 0, None)
    while operation.object_count == 0:  # noqa: ASYNC110 - what is waited for tells nobody
        await asyncio.sleep(0.01)
    assert operation.status == "RUNNING"
    assert operation.object_count < 80
    assert operation.result is None
    shop.bulk.delay = 0
    await operation.ended.wait()
    assert (operation.status, operation.object_count, operation.root_object_count) == ("COMPLETED", 80, 20)
    assert operation.completed_at is not None


async def test_the_file_has_every_object_once_with_its_parent(shop: Shop) -> None:
    operation = await shop.run()
    lines = await shop.lines(operation)
    products = {line["id"]: line for line in lines if "__parentId" not in line}
    variants = [line for line in lines if "__parentId" in line]
    assert [int(one.rpartition("/")[2]) for one in products] == list(shop.store.products)
    assert sorted(int(one["id"].rpartition("/")[2]) for one in variants) == list(shop.store.variants)
    assert {one["__parentId"] for one in variants} <= products.keys()
    assert list(variants[0]) == ["id", "sku", "__parentId"]
    assert all(list(one) == ["id", "title"] for one in products.values())
    first = next(iter(shop.store.products.values()))
    assert products[f"gid://shopify/Product/{first.id}"]["title"] == first.title


async def test_children_stand_apart_since_2026_01_and_together_before(shop: Shop) -> None:
    apart = await shop.lines(await shop.run())
    together = await shop.lines(await shop.run(schema=shop.old))
    asked, errors = shop.bulk.run_query(shop.new, PRODUCTS, group_objects=True)
    assert asked is not None
    await asked.ended.wait()
    assert _neighbours(apart) < 5
    assert _neighbours(together) == 60
    assert (errors, await shop.lines(asked)) == ([], together)


def _neighbours(lines: list[Line]) -> int:
    """How many children stand below their own parent with nothing but brothers between."""
    count, parent = 0, None
    for line in lines:
        parent = line["id"] if "__parentId" not in line else parent
        count += line.get("__parentId") == parent
    return count


async def test_connections_below_objects_belong_to_the_node_above(shop: Shop) -> None:
    text = (
        "{ productVariants { edges { node { id inventoryItem { id inventoryLevels { edges { node { id } } } } } } } }"
    )
    lines = await shop.lines(await shop.run(text))
    levels = [line for line in lines if "__parentId" in line]
    assert len(levels) == len(shop.store.levels)
    assert {one["__parentId"].split("/")[3] for one in levels} == {"ProductVariant"}
    assert list(lines[0]) == ["id", "inventoryItem"]


async def test_levels_of_locations(shop: Shop) -> None:
    operation = await shop.run(LEVELS)
    assert (operation.root_object_count, operation.object_count) == (2, 2 + len(shop.store.levels))


async def test_a_search_narrows_the_result(shop: Shop) -> None:
    first = next(iter(shop.store.products))
    operation = await shop.run(f'{{ products(query: "id:{first}") {{ edges {{ node {{ id }} }} }} }}')
    assert [line["id"] for line in await shop.lines(operation)] == [f"gid://shopify/Product/{first}"]


async def test_without_objects_there_is_no_file(shop: Shop) -> None:
    operation = await shop.run('{ products(query: "id:1") { edges { node { id } } } }')
    assert (operation.status, operation.object_count, operation.result) == ("COMPLETED", 0, None)


async def test_a_result_is_written_once_per_state_of_the_store(shop: Shop) -> None:
    prepared = await shop.bulk.prepare(shop.new, PRODUCTS)
    first = await shop.run()
    again = await shop.run(PRODUCTS.replace(" ", "\n "))
    assert first.result is not None
    assert again.result is not None
    assert {prepared.path, first.result.path} == {again.result.path}
    product = next(iter(shop.store.products.values()))
    shop.store.update_product(product, title="New")
    later = await shop.lines(await shop.run())
    assert later[0]["title"] == "New"
    assert (await shop.lines(first))[0]["title"] != "New"


async def test_what_is_deleted_while_it_runs_is_left_out(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    generate(shop.store, 1000, seed=2, variants_per_product=2)
    operation = shop.start()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert 0 < operation.progress.objects < 1000
    deleted = list(shop.store.products.values())[-100:]
    for product in deleted:
        shop.store.delete_product(product)
    await operation.ended.wait()
    lines = await shop.lines(operation)
    await shop.http.aclose()
    assert operation.root_object_count == 920
    assert {line["id"] for line in lines}.isdisjoint({f"gid://shopify/Product/{one.id}" for one in deleted})


async def test_since_2026_01_a_sixth_is_over_the_limit(shop: Shop) -> None:
    shop.fault("bulk_stuck")
    for _ in range(5):
        shop.start()
    operation, errors = shop.bulk.run_query(shop.new, PRODUCTS)
    assert operation is None
    assert [(e.field, e.message, e.code) for e in errors] == [
        (None, "Bulk operations limit reached. Please try again later.", "LIMIT_REACHED")
    ]


async def test_before_2026_01_a_second_is_refused_with_the_first_one_s_id(shop: Shop) -> None:
    shop.fault("bulk_stuck=1")
    first = shop.start(schema=shop.old)
    operation, errors = shop.bulk.run_query(shop.old, PRODUCTS)
    assert operation is None
    message = "A bulk query operation for this app and shop is already in progress: "
    assert (errors[0].message, errors[0].code) == (
        f"{message}gid://shopify/BulkOperation/{first.id}.",
        "OPERATION_IN_PROGRESS",
    )


async def test_a_wrong_query_starts_nothing(shop: Shop) -> None:
    operation, errors = shop.bulk.run_query(shop.new, "{ shop { id } }")
    assert operation is None
    assert [(e.field, e.code) for e in errors] == [(["query"], "INVALID")]
    assert shop.bulk.newest() == []


async def test_cancelling(shop: Shop) -> None:
    shop.fault("bulk_stuck=1")
    running = shop.start()
    await asyncio.sleep(0)
    cancelled, errors = shop.bulk.cancel(running.id)
    assert (cancelled, errors, running.status) == (running, [], "CANCELING")
    await running.ended.wait()
    assert (running.status, running.result) == ("CANCELED", None)
    again, errors = shop.bulk.cancel(running.id)
    assert (again, errors[0].field) == (running, None)
    assert errors[0].message == "A bulk operation cannot be canceled when it is canceled"
    unknown, errors = shop.bulk.cancel(1)
    assert (unknown, errors[0].field, errors[0].message) == (None, ["id"], "Bulk operation does not exist")


async def test_the_newest_come_first(shop: Shop) -> None:
    first, second = await shop.run(), await shop.run()
    assert shop.bulk.newest() == [second, first]
    assert shop.bulk.newest("MUTATION") == []


async def test_a_missing_scope_fails_the_operation(shop: Shop) -> None:
    shop.is_denied = True
    operation = await shop.run(LEVELS)
    assert (operation.status, operation.error_code, operation.result) == ("FAILED", "ACCESS_DENIED", None)


@pytest.mark.parametrize(
    ("fault", "code"), [("bulk_fail=1", "INTERNAL_SERVER_ERROR"), ("bulk_fail=1@TIMEOUT", "TIMEOUT")]
)
async def test_a_failure_leaves_partial_data(shop: Shop, fault: str, code: str) -> None:
    shop.fault(fault)
    operation = await shop.run()
    assert (operation.status, operation.error_code, operation.result) == ("FAILED", code, None)
    assert operation.object_count == 40
    assert len(await shop.lines(operation)) == 40
    assert (await shop.run()).status == "COMPLETED"


async def test_faulty_lines(shop: Shop) -> None:
    plain = await shop.lines(await shop.run())
    shop.fault("bulk_reorder=1")
    reordered = await shop.lines(await shop.run())
    shop.fault("bulk_duplicate_lines=1")
    doubled = await shop.lines(await shop.run())
    shop.fault("bulk_missing_objects=1")
    missing = await shop.run()
    assert _ids(reordered) != _ids(plain)
    assert sorted(_ids(reordered)) == sorted(_ids(plain))
    assert "__parentId" in reordered[0]
    assert len(doubled) > len(plain)
    assert set(_ids(doubled)) == set(_ids(plain))
    assert len(await shop.lines(missing)) < missing.object_count == len(plain)


def _ids(lines: list[Line]) -> list[str]:
    return [line["id"] for line in lines]


async def test_the_address_carries_shopify_s_parameters(shop: Shop) -> None:
    operation = await shop.run()
    assert operation.result is not None
    url = httpx.URL(shop.bulk.files.url(BASE, operation.result))
    name = f"bulk-{operation.id}.jsonl"
    assert url.params["response-content-disposition"] == f"attachment; filename=\"{name}\"; filename*=UTF-8''{name}"
    assert url.params["response-content-type"] == "application/jsonl"
    assert {"GoogleAccessId", "Expires", "Signature"} <= set(url.params)
    answer = await shop.http.get(url)
    assert answer.headers["content-disposition"].startswith("attachment")
    assert int(answer.headers["content-length"]) == operation.file_size == len(answer.content)
    assert "content-encoding" not in answer.headers


async def test_ranges(shop: Shop) -> None:
    operation = await shop.run()
    assert operation.result is not None
    url, size = shop.bulk.files.url(BASE, operation.result), operation.result.size
    whole = (await shop.http.get(url)).content
    tail = await shop.http.get(url, headers={"Range": "bytes=100-"})
    middle = await shop.http.get(url, headers={"Range": "bytes=10-19"})
    last = await shop.http.get(url, headers={"Range": "bytes=-5"})
    behind = await shop.http.get(url, headers={"Range": f"bytes={size}-"})
    changed = await shop.http.get(url, headers={"Range": "bytes=10-19", "If-Range": '"other"'})
    assert (tail.status_code, tail.content) == (206, whole[100:])
    assert (middle.content, middle.headers["content-range"]) == (whole[10:20], f"bytes 10-19/{size}")
    assert last.content == whole[-5:]
    assert (behind.status_code, behind.headers["content-range"]) == (416, f"bytes */{size}")
    assert (changed.status_code, changed.content) == (200, whole)


async def test_gzip_only_when_switched_on(shop: Shop) -> None:
    operation = await shop.run()
    assert operation.result is not None
    url = shop.bulk.files.url(BASE, operation.result)
    whole = (await shop.http.get(url)).content
    shop.bulk.files.gzip_allowed = True
    packed = await shop.http.get(url)
    assert (packed.headers["content-encoding"], packed.content) == ("gzip", whole)


async def test_after_seven_days_the_operation_and_its_address_expire(shop: Shop) -> None:
    operation = await shop.run()
    assert operation.result is not None
    url = shop.bulk.files.url(BASE, operation.result)
    with clock.frozen(clock.now() + timedelta(days=7, seconds=1)):
        answer = await shop.http.get(url)
        assert operation.status == "EXPIRED"
    assert answer.status_code == 400
    assert ET.fromstring(answer.text).findtext("Code") == "ExpiredToken"


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        ("bulk_expire_url=1", 400, "ExpiredToken"),
        ("bulk_expire_url=1@403", 403, "AccessDenied"),
        ("bulk_expire_url=1@404", 404, "NoSuchKey"),
    ],
)
async def test_an_expired_address_answers_in_the_storage_s_xml(shop: Shop, fault: str, status: int, code: str) -> None:
    operation = await shop.run()
    assert operation.result is not None
    url = shop.bulk.files.url(BASE, operation.result)
    shop.fault(fault)
    answer = await shop.http.get(url)
    assert (answer.status_code, ET.fromstring(answer.text).findtext("Code")) == (status, code)
    assert (await shop.http.get(url)).status_code == 200


async def test_an_altered_address_is_denied(shop: Shop) -> None:
    operation = await shop.run()
    assert operation.result is not None
    url = httpx.URL(shop.bulk.files.url(BASE, operation.result))
    assert (await shop.http.get(url.copy_set_param("Signature", "x"))).status_code == 403
    assert (await shop.http.get(f"{FOLDER}/unknown")).status_code == 404


async def test_a_file_that_ends_early(shop: Shop) -> None:
    operation = await shop.run()
    assert operation.result is not None
    url, size = shop.bulk.files.url(BASE, operation.result), operation.result.size
    shop.fault("bulk_truncate=1@silent")
    silent = await shop.http.get(url)
    assert (len(silent.content), silent.headers["content-length"]) == (size // 2, str(size // 2))
    shop.fault("bulk_truncate=1")
    broken = await shop.http.get(url)
    assert (len(broken.content), broken.headers["content-length"]) == (size // 2, str(size))
    assert len((await shop.http.get(url)).content) == size
