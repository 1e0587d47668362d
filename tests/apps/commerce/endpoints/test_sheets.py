"""Products made and deleted, sheets mapped and marked, and stores aligned, over HTTP."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest

CATALOG = "/api/shopify/products"
PRODUCTS = "/api/enhanced-sync/products"
MAPPINGS = "/api/enhanced-sync/mappings"
MARKED = "/api/enhanced-sync/import/marked"
COLUMNS = "/api/enhanced-sync/import/columns"
ALIGN = "/api/enhanced-sync/align"
CAP = {"title": "Cap", "variants": [{"sku": "CAP", "price": "12"}]}


async def test_products_are_staged_to_be_made_and_to_be_deleted(call: Any, pulled: Any, problem: Any) -> None:
    made = await call("POST", PRODUCTS, json={"store": "demo", "products": [CAP]})
    assert (made.status_code, made.json()["kind"], made.json()["counts"]) == (201, "creation", {"pending": 1})
    gone = await call("POST", f"{PRODUCTS}/delete", json={"store": "demo", "where": "handle:mug"})
    assert (gone.status_code, gone.json()["kind"]) == (201, "deletion")
    wrong = await call("POST", PRODUCTS, json={"store": "demo", "products": [{"title": "Mug"}]})
    assert "choose another" in problem(wrong, 400, wrong.json()["code"])["error"]
    problem(await call("POST", f"{PRODUCTS}/delete", json={"store": "demo", "where": "handle:boat"}), 409, "CHANGE_004")


async def test_the_catalog_takes_new_products_and_deletions_into_review(call: Any, pulled: Any, problem: Any) -> None:
    listed = (await call("GET", CATALOG)).json()["products"]
    made = await call("POST", CATALOG, json={"store": "demo", "products": [CAP]})
    assert (made.status_code, made.json()["kind"], made.json()["counts"]) == (201, "creation", {"pending": 1})
    gone = await call("DELETE", f"{CATALOG}/{listed[0]['id']}", params={"store": "demo", "note": "sold out"})
    assert (gone.status_code, gone.json()["kind"], gone.json()["counts"]) == (201, "deletion", {"pending": 1})
    staged = await call("GET", "/api/enhanced-sync/staged-changes", params={"batch_id": gone.json()["id"]})
    assert [(one["product_id"], one["note"]) for one in staged.json()["changes"]] == [(listed[0]["id"], "sold out")]
    assert (await call("GET", CATALOG)).json()["products"] == listed
    problem(await call("DELETE", f"{CATALOG}/{listed[0]['id']}", tenant="other"), 404, "CATALOG_001")
    problem(await call("DELETE", f"{CATALOG}/404", params={"store": "demo"}), 404, "CATALOG_001")
    problem(await call("DELETE", f"{CATALOG}/404", params={"store": "boat"}), 404, "STORE_001")


@pytest.mark.parametrize("spoilt", [b'"a\\u0000b"', b'"\\ud800"'])
async def test_a_text_that_no_database_keeps_is_refused(call: Any, pulled: Any, spoilt: bytes) -> None:
    body = b'{"store": "demo", "products": [{"title": "Cap", "variants": [{"sku": ' + spoilt + b"}]}]}"
    answer = await call("POST", PRODUCTS, content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (PRODUCTS, {"store": "demo", "products": [CAP], "note": "a\x00b"}),
        (f"{PRODUCTS}/delete", {"store": "demo", "where": "handle:mug", "note": "a\x00b"}),
        ("/api/enhanced-sync/stage", {"store": "demo", "edits": ["price=+1"], "note": "a\x00b"}),
        ("/api/enhanced-sync/stage", {"store": "demo", "edits": ["price=" + "9" * 200]}),
        (PRODUCTS, {"store": "demo", "products": [{"title": "C", "variants": [{"price": "9" * 200}]}]}),
        (PRODUCTS, {"store": "demo", "products": [{"title": "C", "variants": [{"weight": "1e400"}]}]}),
        (f"{PRODUCTS}/delete", {"store": "demo", "where": f"id:{'9' * 40}"}),
    ],
)
async def test_what_the_database_itself_refuses_is_400_with_a_sentence(
    call: Any, pulled: Any, path: str, body: Any
) -> None:
    answer = await call("POST", path, json=body)
    assert answer.status_code == 400
    assert answer.json()["error"].endswith(".")
    assert (await call("GET", "/api/enhanced-sync/staged-changes")).json()["changes"] == []


async def test_a_mapping_is_kept_used_and_removed(call: Any, pulled: Any, problem: Any) -> None:
    kept = await call("PUT", MAPPINGS, json={"name": "Acme", "columns": {"Slug": "handle", "Preis": "price"}})
    assert (kept.status_code, kept.json()["columns"]) == (200, {"Slug": "handle", "Preis": "price"})
    assert [one["name"] for one in (await call("GET", MAPPINGS)).json()["mappings"]] == ["Acme"]
    assert (await call("GET", MAPPINGS, tenant="other")).json() == {"mappings": []}
    sheet = b"Slug,Preis\nmug,12\n"
    shown = (await call("POST", COLUMNS, params={"mapping": "Acme"}, content=sheet)).json()["columns"]
    assert [(one["field"], one["how"], one["sample"]) for one in shown] == [
        ("handle", "mapped", "mug"),
        ("price", "mapped", "12"),
    ]
    asked = {"store": "demo", "mapping": "Acme"}
    assert (await call("POST", "/api/enhanced-sync/import", params=asked, content=sheet)).json()["staged"] == 1
    assert (await call("DELETE", f"{MAPPINGS}/Acme")).status_code == 204
    problem(await call("DELETE", f"{MAPPINGS}/Acme"), 404, "IMPORT_002")
    problem(await call("POST", COLUMNS, params={"mapping": "Acme"}, content=sheet), 404, "IMPORT_002")


async def test_a_sheet_comes_back_with_its_errors_marked(call: Any, pulled: Any, problem: Any) -> None:
    answer = await call("POST", MARKED, params={"store": "demo"}, content=b"Handle,Variant Price\nmug,12o\n")
    assert (answer.status_code, answer.headers["x-error-count"]) == (200, "1")
    assert answer.headers["content-disposition"] == 'attachment; filename="marked.csv"'
    rows = list(csv.reader(io.StringIO(answer.text, newline="")))
    assert rows[1][:2] == ["mug", "12o"]
    assert "is not an amount" in rows[1][2]
    problem(await call("POST", MARKED, params={"store": "demo"}, content=b""), 400, "IMPORT_001")
    problem(await call("POST", MARKED, params={"store": "boat"}, content=b"Handle\nx\n"), 404, "STORE_001")


@pytest.mark.parametrize(("format", "start"), [("csv", b"URL handle,"), ("xlsx", b"PK")])
async def test_a_template_is_downloaded(call: Any, format: str, start: bytes) -> None:  # noqa: A002
    answer = await call("GET", "/api/enhanced-sync/templates", params={"kind": "prices", "format": format})
    assert (answer.status_code, answer.content.startswith(start)) == (200, True)
    assert answer.headers["content-disposition"] == f'attachment; filename="prices.{format}"'


async def test_a_store_is_aligned_with_one_that_is_there(call: Any, pulled: Any, problem: Any) -> None:
    asked = {"store": "demo", "source": "demo", "fields": ["price"]}
    assert "the same store twice" in (await call("POST", ALIGN, json=asked)).json()["error"]
    problem(await call("POST", ALIGN, json={**asked, "source": "boat"}), 404, "STORE_001")


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", PRODUCTS, {"store": "demo", "products": [CAP]}),
        ("POST", f"{PRODUCTS}/delete", {"store": "demo", "where": "handle:mug"}),
        ("PUT", MAPPINGS, {"name": "Acme", "columns": {"Preis": "price"}}),
        ("DELETE", f"{MAPPINGS}/Acme", None),
        ("POST", ALIGN, {"store": "demo", "source": "demo", "fields": ["price"]}),
    ],
)
async def test_nobody_and_a_viewer_may_not(call: Any, pulled: Any, method: str, path: str, body: Any) -> None:
    assert (await call(method, path, role=None, json=body)).status_code == 401
    assert (await call(method, path, role="viewer", json=body)).status_code == 403
