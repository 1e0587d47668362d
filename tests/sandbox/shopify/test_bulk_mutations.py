from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
from tests.sandbox.shopify.bulk_shop import PRODUCTS, Shop, open_shop

UPDATE = (
    "mutation($id: ID!, $tags: [String!]!) { tagsAdd(id: $id, tags: $tags) { node { id } userErrors { message } } }"
)


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    async with open_shop(tmp_path) as opened:
        yield opened


async def test_a_mutation_runs_every_line(shop: Shop) -> None:
    rows = [{"id": f"gid://shopify/Product/{at}", "tags": ["x"]} for at in range(50)]
    key = await shop.upload(b"\n".join(map(msgspec.json.encode, rows)) + b"\n")
    operation, errors = shop.bulk.run_mutation(shop.new, UPDATE, key)
    assert errors == []
    assert operation is not None
    await operation.ended.wait()
    lines = await shop.lines(operation)
    assert (operation.type, operation.status, operation.object_count) == ("MUTATION", "COMPLETED", 50)
    assert shop.applied == rows
    assert sorted(line["__lineNumber"] for line in lines) == list(range(50))
    assert [line["__lineNumber"] for line in lines] != list(range(50))
    assert all(line["data"]["tagsAdd"]["node"]["id"] == rows[line["__lineNumber"]]["id"] for line in lines)


async def test_a_bad_line_fails_alone(shop: Shop) -> None:
    key = await shop.upload(b'{"id":"a","tags":[]}\nnot json\n\n[1]\n{"id":"b","tags":[]}')
    operation, _ = shop.bulk.run_mutation(shop.new, UPDATE, key)
    assert operation is not None
    await operation.ended.wait()
    lines = {line["__lineNumber"]: line for line in await shop.lines(operation)}
    assert operation.status == "COMPLETED"
    assert {number: "errors" in line for number, line in lines.items()} == {0: False, 1: True, 3: True, 4: False}


async def test_a_file_changed_while_it_runs_fails_the_operation(shop: Shop) -> None:
    shop.bulk.delay = 0.05
    key = await shop.upload(b'{"id":"a","tags":[]}')
    operation, _ = shop.bulk.run_mutation(shop.new, UPDATE, key)
    assert operation is not None
    replaced = shop.bulk.uploads.find(key)
    assert replaced is not None
    shop.bulk.uploads._uploads[key] = dataclasses.replace(replaced, etag="another")
    await operation.ended.wait()
    assert (operation.status, operation.error_code) == ("FAILED", "INTERNAL_SERVER_ERROR")


@pytest.mark.parametrize(
    ("text", "field", "message", "code"),
    [
        (
            "mutation { not parseable",
            None,
            "Failed to parse the mutation - syntax error, unexpected end of file",
            "INVALID_MUTATION",
        ),
        (PRODUCTS, None, "Invalid operation type. Only `mutation` operations are supported.", "INVALID_MUTATION"),
        (
            'mutation { a: tagsAdd(id: "x", tags: []) { node { id } } b: tagsAdd(id: "x", tags: []) { node { id } } }',
            ["mutation"],
            "You must specify a single top level mutation.",
            None,
        ),
        (
            'mutation { bulkOperationCancel(id: "gid://shopify/BulkOperation/1") { userErrors { message } } }',
            ["mutation"],
            "You must use an allowed mutation name.",
            None,
        ),
    ],
)
async def test_a_wrong_mutation_starts_nothing(
    shop: Shop, text: str, field: list[str] | None, message: str, code: str | None
) -> None:
    key = await shop.upload(b"{}")
    operation, errors = shop.bulk.run_mutation(shop.new, text, key)
    assert operation is None
    assert [(e.field, e.message, e.code) for e in errors] == [(field, message, code)]


async def test_missing_and_empty_files_are_told_apart(shop: Shop) -> None:
    _, missing = shop.bulk.run_mutation(shop.new, UPDATE, "tmp/1/bulk/none/bulk_op_vars")
    _, empty = shop.bulk.run_mutation(shop.new, UPDATE, await shop.upload(b""))
    assert (missing[0].code, empty[0].code) == ("NO_SUCH_FILE", "INVALID_STAGED_UPLOAD_FILE")


async def test_queries_do_not_count_against_mutations(shop: Shop) -> None:
    shop.fault("bulk_stuck=1")
    shop.start(schema=shop.old)
    operation, errors = shop.bulk.run_mutation(shop.old, UPDATE, await shop.upload(b'{"id":"a","tags":[]}'))
    assert (operation is not None, errors) == (True, [])
