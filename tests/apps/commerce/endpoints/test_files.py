"""A sheet as a body, and a store as a file."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx
import pytest

from syncline.apps.commerce.endpoints import LARGEST_SHEET_BYTES

STORES, SYNC = "/api/shopify/stores", "/api/enhanced-sync"
Call = Callable[..., Awaitable[httpx.Response]]
Problem = Callable[[httpx.Response, int, str], dict[str, Any]]


async def sheet(call: Call, content: Any, **params: Any) -> httpx.Response:
    headers = {"Content-Type": "text/csv"}
    return await call("POST", f"{SYNC}/import", params={"store": "demo", **params}, content=content, headers=headers)


async def test_a_sheet_is_staged(pulled: Any, call: Call) -> None:
    content = b"Handle,Variant Price\nmug,9.50\nwool-hat,15.50\n"
    answer = await sheet(call, content, name="prices.csv")
    body = answer.json()
    assert (answer.status_code, body["rows"], body["staged"], body["unchanged"]) == (200, 2, 1, 1)
    assert (body["batch"]["summary"], body["batch"]["counts"]) == ("Import of prices.csv", {"pending": 1})
    again = (await sheet(call, content)).json()
    waits = {"waiting": 1, "waiting_in": [body["batch"]["id"]], "rivals": 0, "rivals_in": [], "replaced": 0}
    assert (again["batch"], again["staged"], again["overlap"]) == (None, 0, waits)
    other = (await sheet(call, content.replace(b"9.50", b"9.70"))).json()["batch"]
    assert (other["summary"], other["overlap"]["rivals_in"]) == ("Import of a sheet", [body["batch"]["id"]])


async def test_a_refused_sheet_lists_row_column_and_reason(pulled: Any, call: Call, problem: Problem) -> None:
    content = b'Handle,Variant Price,Colour\nmug,"12,5o",red\nmugg,1,red\n'
    body = problem(await sheet(call, content), 400, "IMPORT_001")
    assert [(one["row"], one["column"], one["severity"]) for one in body["result"]["problems"]] == [
        (1, "Colour", "error"),
        (2, "Variant Price", "error"),
        (3, "Handle", "error"),
    ]
    assert all(one["reason"] for one in body["result"]["problems"])
    assert (body["result"]["errors"], body["result"]["rows"]) == (3, 2)
    assert (await call("GET", f"{SYNC}/batches")).json()["batches"] == []


async def test_the_options_of_an_import_are_parameters(pulled: Any, call: Call, problem: Problem) -> None:
    content = "Handle;Title;Colour;Variant Inventory Qty\nmug;Été;red;7\nnobody;x;red;\n".encode("cp1252")
    options = {"keep_good": True, "ignore_unknown": True, "encoding": "cp1252", "location": "main warehouse"}
    body = (await sheet(call, content, **options)).json()
    assert (body["staged"], body["errors"], body["batch"]["counts"]) == (2, 1, {"pending": 2})
    found = problem(await sheet(call, content, location="nowhere"), 400, "REQ_001")
    assert "It has Main warehouse or Flagship store" in found["error"]


async def test_a_body_that_is_no_sheet_is_refused(pulled: Any, call: Call, problem: Problem) -> None:
    for content in (b"", b"\x89PNG\r\n\x1a\n\x00\x00", b'{"store": "demo"}', b"PK\x03\x04" + bytes(100)):
        problem(await sheet(call, content), 400, "IMPORT_001")


async def test_a_large_sheet_is_taken_in_pieces(pulled: Any, call: Call) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"Handle,Variant Price,Notes\nmug,9.50,\n"
        for _ in range(15):
            yield b"mug,," + b"x" * 1_000_000 + b"\n"

    answer = await sheet(call, pieces(), ignore_unknown=True)
    assert (answer.status_code, answer.json()["rows"], answer.json()["staged"]) == (200, 16, 1)


async def test_only_a_sheet_may_be_large(call: Call, problem: Problem) -> None:
    for path, limit in (("import?store=demo", LARGEST_SHEET_BYTES), ("stage", 10_000_000)):
        headers = {"Content-Length": str(limit + 1)}
        body = problem(await call("POST", f"{SYNC}/{path}", content=b"x", headers=headers), 413, "REQ_013")
        assert body["limit_bytes"] == limit


@pytest.mark.parametrize("form", ["csv", "xlsx", "json", "jsonl", "parquet"])
async def test_an_exported_store_comes_back_without_a_change(pulled: Any, call: Call, form: str) -> None:
    answer = await call("GET", f"{STORES}/demo/export", params={"format": form}, role="viewer")
    assert answer.status_code == 200
    assert answer.headers["content-disposition"] == f'attachment; filename="demo-products.{form}"'
    assert int(answer.headers["x-row-count"]) > 0
    body = (await sheet(call, answer.content)).json()
    assert (body["staged"], body["errors"], body["products"]) == (0, 0, len(pulled.shop.store.products))


async def test_an_export_has_a_search_columns_and_a_kind(pulled: Any, call: Call) -> None:
    params = {"q": "vendor:Globex", "columns": ["price", "sku"], "format": "jsonl"}
    answer = await call("GET", f"{STORES}/demo/export", params=params)
    (product,) = [json.loads(line) for line in answer.text.splitlines()]
    assert (product["handle"], list(product["variants"][0])) == ("mug", ["id", "options", "price", "sku"])
    stock = await call("GET", f"{STORES}/demo/export", params={"kind": "inventory", "q": "handle:mug"})
    assert stock.headers["content-type"] == "text/csv; charset=utf-8"
    assert stock.text.splitlines()[1].startswith("mug,Mug,Title,Default Title")


async def test_an_export_that_cannot_be_is_an_error_and_no_file(pulled: Any, call: Call, problem: Problem) -> None:
    path = f"{STORES}/demo/export"
    problem(await call("GET", f"{STORES}/nope/export"), 404, "STORE_001")
    problem(await call("GET", path, params={"format": "xls"}), 400, "REQ_001")
    problem(await call("GET", path, params={"columns": "prise"}), 400, "REQ_001")
    problem(await call("GET", path, params={"q": "vendr:x"}), 400, "REQ_001")
    problem(await call("GET", path, params={"q": "vendor:Nobody"}), 409, "CHANGE_004")
    problem(await call("GET", path, tenant="other"), 404, "STORE_001")
