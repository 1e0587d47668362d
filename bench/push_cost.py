"""What the same 2,000 changes cost at the store: one product a request, and packed.

Load model: three sandbox processes with the same store (same seed) on the plan `plus`, limits on; changes of six kinds
(vendor, price, stock, metafield, collection, alt text), staged and approved once. The naive program below reads each
product and then writes each kind of change of it, in requests of their own, four at a time. It is run twice: reading
the product the same way each time, with what hangs on it at Shopify's page of 50, and reading only what it is about to
change. Syncline's push runs with its defaults. Points and requests are counted by the sandboxes. At the end the stores
are compared: products, variants, levels, metafields, memberships, alt texts.

    python -m bench.push_cost [--products 420] [--changes 2000] [--write-docs]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import tempfile
import time
from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import httpx
from bench.harness import STORE, Bench, connect_store, machine, opened, print_table, write_between

from syncline.apps.commerce.contract import ChangeQuery, ChangeStatus, PullMode, RunStatus, StagedChange
from syncline.kernel.ids import new_id
from syncline.kernel.paging import PageRequest
from syncline.main.sandbox_process import RunningSandbox, running_sandbox
from syncline.main.targets import APPS
from syncline.runtime.jobs import Worker

PAGE = Path(__file__).parents[1] / "docs" / "explanation" / "performance.md"
COLUMNS = ("2,000 changes", "requests", "points requested", "points charged", "seconds", "throttled")
SHARES = {
    "product": (0.2, "vendor=Acme Packed"),
    "variant": (0.325, "price=+7%"),
    "inventory_level": (0.225, "inventory=+3@{place}"),
    "product_metafield": (0.125, "metafield.bench.batch:single_line_text_field=B7"),
    "collection_membership": (0.075, "collections=+{collection}"),
    "product_media": (0.05, "image_alt=Seen from the front"),
}

# What the naive program reads before it writes: the product with what hangs on it, 50 of each.
_VARIANTS = "variants(first: 50) { nodes { id price compareAtPrice } }"
_STOCK = (
    "variants(first: 50) { nodes { id inventoryItem { id inventoryLevels(first: 50) "
    '{ nodes { location { id } quantities(names: ["available"]) { name quantity } } } } } }'
)
READS = {
    "product": "title vendor productType status tags seo { title description }",
    "variant": _VARIANTS,
    "inventory_level": _STOCK,
    "product_metafield": "metafields(first: 50) { nodes { id namespace key value compareDigest } }",
    "collection_membership": "inCollection(id: $collection)",
    "product_media": "media(first: 50) { nodes { id alt } }",
}
WHOLE = (
    "title descriptionHtml vendor productType status tags seo { title description } "
    "variants(first: 50) { nodes { id sku price compareAtPrice inventoryItem { id tracked } } } "
    "metafields(first: 50) { nodes { id namespace key value compareDigest } } media(first: 50) { nodes { id alt } }"
)
"""What a program reads that asks for the product the same way whatever it is about to change."""
NEEDED = {"inventory_level", "collection_membership"}
"""The product alone does not tell these: either program asks for them in the same words."""
WRITES = {
    "product": "mutation W($product: ProductUpdateInput!) { productUpdate(product: $product) "
    "{ product { id vendor } userErrors { field message } } }",
    "variant": "mutation W($id: ID!, $rows: [ProductVariantsBulkInput!]!) "
    "{ productVariantsBulkUpdate(productId: $id, variants: $rows) "
    "{ productVariants { id price } userErrors { field message } } }",
    "inventory_level": "mutation W($input: InventorySetQuantitiesInput!, $key: String!) "
    "{ inventorySetQuantities(input: $input) @idempotent(key: $key) { userErrors { field message } } }",
    "product_metafield": "mutation W($rows: [MetafieldsSetInput!]!) { metafieldsSet(metafields: $rows) "
    "{ metafields { id value } userErrors { field message } } }",
    "collection_membership": "mutation W($id: ID!, $products: [ID!]!) "
    "{ collectionAddProducts(id: $id, productIds: $products) { userErrors { field message } } }",
    "product_media": "mutation W($id: ID!, $rows: [UpdateMediaInput!]!) { productUpdateMedia(productId: $id, "
    "media: $rows) { media { id alt } mediaUserErrors { field message } } }",
}


def gid(kind: str, number: object) -> str:
    return f"gid://shopify/{kind}/{number}"


def variables_of(kind: str, product: int, rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What the write of one product's changes of one kind is given."""
    match kind:
        case "product":
            return {"product": {"id": gid("Product", product), "vendor": rows[0]["after"]["vendor"]}}
        case "variant":
            given = [{"id": gid("ProductVariant", r["resource"]), "price": r["after"]["price"]} for r in rows]
            return {"id": gid("Product", product), "rows": given}
        case "inventory_level":
            quantities = [
                {
                    "inventoryItemId": gid("InventoryItem", row["resource"]),
                    "locationId": row["place"],
                    "quantity": row["after"]["available"],
                    "changeFromQuantity": row["before"]["available"],
                }
                for row in rows
            ]
            input_ = {"name": "available", "reason": "correction", "quantities": quantities}
            return {"input": input_, "key": new_id().hex}
        case "product_metafield":
            ((_, value),) = rows[0]["after"].items()
            row = {"ownerId": gid("Product", product), "namespace": "bench", "key": "batch", "compareDigest": None}
            return {"rows": [{**row, "type": value["type"], "value": value["value"]}]}
        case "collection_membership":
            return {"id": gid("Collection", rows[0]["resource"]), "products": [gid("Product", product)]}
        case _:
            given = [{"id": gid("MediaImage", r["resource"]), "alt": r["after"]["image_alt"]} for r in rows]
            return {"id": gid("Product", product), "rows": given}


async def push_naively(sandbox: RunningSandbox, changes: Sequence[Mapping[str, Any]], *, is_tailored: bool) -> float:
    """Seconds. A product's changes of one kind are read and written on their own, four at a time."""
    turn = asyncio.Semaphore(4)
    headers = {"X-Shopify-Access-Token": sandbox.token}

    async with httpx.AsyncClient(base_url=sandbox.url, headers=headers, timeout=60) as http:

        async def ask(query: str, variables: Mapping[str, Any]) -> None:
            while True:
                answer = await http.post(
                    "/admin/api/2026-10/graphql.json", json={"query": query, "variables": variables}
                )
                body = answer.raise_for_status().json()
                codes = {one.get("extensions", {}).get("code") for one in body.get("errors") or ()}
                if "THROTTLED" not in codes:
                    break
                await asyncio.sleep(1)
            refused = [payload for payload in body["data"].values() if payload and payload.get("userErrors")]
            if body.get("errors") or refused:
                raise SystemExit(f"the naive program was refused: {body}")

        async def one(kind: str, product: int, rows: Sequence[Mapping[str, Any]]) -> None:
            async with turn:
                given = {"id": gid("Product", product)}
                more, read = "", READS[kind] if is_tailored or kind in NEEDED else WHOLE
                if kind == "collection_membership":
                    more = ", $collection: ID!"
                    given["collection"] = gid("Collection", rows[0]["resource"])
                await ask(f"query R($id: ID!{more}) {{ product(id: $id) {{ id {read} }} }}", given)
                await ask(WRITES[kind], variables_of(kind, product, rows))

        began = time.monotonic()
        ordered = sorted(changes, key=lambda change: (change["kind"], change["product"]))
        groups = groupby(ordered, key=lambda change: (change["kind"], change["product"]))
        await asyncio.gather(*(one(kind, product, list(rows)) for (kind, product), rows in groups))
        return time.monotonic() - began


async def stage(bench: Bench, http: httpx.AsyncClient, wanted: int) -> list[StagedChange]:
    """So many changes of all kinds, approved."""
    place = await _first(http, "locations", "name")
    collections = [
        json.loads(line) for line in (await http.get("/sandbox/state/collections")).text.strip("\n").split("\n")
    ]
    by_hand = next(one["handle"] for one in collections if not one.get("rules") and not one.get("rule_set"))
    chosen: list[StagedChange] = []
    for kind, (share, edit) in SHARES.items():
        made = edit.format(place=f'"{place}"', collection=by_hand)
        batch = await bench.commerce.stage_edit(actor=bench.actor, store=STORE, where="", edits=[made])
        found: list[StagedChange] = []
        page = 1
        while len(found) < share * wanted:
            listed = await bench.commerce.list_changes(
                actor=bench.actor, query=ChangeQuery(batch_id=batch.id), page=PageRequest(page=page, limit=100)
            )
            if not listed.items:
                raise SystemExit(f"there are only {len(found)} changes of the kind {kind}; take more products")
            found += [one for one in listed.items if one.kind == kind]
            page += 1
        found = found[: round(share * wanted)]
        ids = [one.id for one in found]
        await bench.commerce.approve(actor=bench.actor, query=ChangeQuery(batch_id=batch.id, ids=ids))
        chosen += found
    return chosen


async def _first(http: httpx.AsyncClient, kind: str, name: str) -> str:
    rows = [json.loads(line) for line in (await http.get(f"/sandbox/state/{kind}")).text.strip("\n").split("\n")]
    return str(next(row[name] for row in rows if row.get("is_active", True)))


async def push(bench: Bench) -> tuple[float, Any]:
    stop = asyncio.Event()
    worker = Worker(bench.runtime.database, [job for app in APPS for job in app.jobs], runtime=bench.runtime)
    working = asyncio.create_task(worker.run(stop))
    began = time.monotonic()
    run = await bench.commerce.start_push(actor=bench.actor, store=STORE)
    while not run.status.is_final:
        await asyncio.sleep(0.05)
        run = await bench.commerce.get_push(actor=bench.actor, run_id=run.id)
    seconds = time.monotonic() - began
    stop.set()
    await working
    if set(run.counts) != {ChangeStatus.APPLIED}:
        raise SystemExit(f"not everything was applied: {run.counts} {run.error}")
    return seconds, run


async def pull(bench: Bench) -> None:
    stop = asyncio.Event()
    worker = Worker(bench.runtime.database, [job for app in APPS for job in app.jobs], runtime=bench.runtime)
    working = asyncio.create_task(worker.run(stop))
    run = await bench.commerce.start_pull(actor=bench.actor, store=STORE, mode=PullMode.FULL)
    while not run.status.is_final:
        await asyncio.sleep(0.1)
        run = await bench.commerce.get_pull(actor=bench.actor, run_id=run.id)
    stop.set()
    await working
    if run.status is not RunStatus.COMPLETED:
        raise SystemExit(f"the pull ended as {run.status}: {run.error}")


async def stats(http: httpx.AsyncClient) -> dict[str, Any]:
    found: dict[str, Any] = (await http.get("/sandbox/stats")).json()
    return found


async def state(http: httpx.AsyncClient) -> dict[str, Any]:
    """What the changes were about, as the store keeps it."""
    fields = {
        "products": ("id", "vendor"),
        "variants": ("id", "price"),
        "levels": ("item_id", "location_id", "available"),
    }
    fields |= {
        "memberships": ("collection_id", "product_id"),
        "media": ("id", "alt"),
        "metafields": ("owner_id", "namespace", "key", "value"),
    }
    kept = {}
    for kind, names in fields.items():
        rows = [json.loads(line) for line in (await http.get(f"/sandbox/state/{kind}")).text.strip("\n").split("\n")]
        kept[kind] = sorted(json.dumps([row.get(name) for name in names]) for row in rows)
    return kept


def same_or_exit(one: Mapping[str, Sequence[str]], other: Mapping[str, Sequence[str]]) -> None:
    for kind, rows in one.items():
        if rows != other[kind]:
            differing = sorted(set(rows) ^ set(other[kind]))[:4]
            raise SystemExit(f"the {kind} of two stores are not the same: {differing}")


def as_row(change: StagedChange, places: Mapping[int, str]) -> dict[str, Any]:
    return {
        "kind": change.kind,
        "product": change.product_id,
        "resource": change.resource_id,
        "before": change.before,
        "after": change.after,
        "place": places.get(change.resource_id),
    }


async def measure(options: argparse.Namespace) -> None:
    made = ["--products", str(options.products), "--plan", "plus", "--port", "0", "--collections", "4"]
    made += ["--metafields-per-product", "1", "--media-per-product", "1"]
    folder = Path(tempfile.mkdtemp(prefix="syncline-push-cost-"))
    try:
        async with (
            running_sandbox(made) as ours,
            running_sandbox(made) as generic,
            running_sandbox(made) as tailored,
            httpx.AsyncClient(base_url=ours.url, timeout=60) as packed,
            httpx.AsyncClient(base_url=generic.url, timeout=60) as whole,
            httpx.AsyncClient(base_url=tailored.url, timeout=60) as fitted,
            opened(folder) as bench,
        ):
            await connect_store(bench, ours)
            await pull(bench)
            changes = await stage(bench, packed, options.changes)
            place = await _location(packed)
            rows = [as_row(change, dict.fromkeys([change.resource_id], place)) for change in changes]
            found = {}
            for http in (packed, whole, fitted):
                await http.delete("/sandbox/stats")
            for what, sandbox, http, is_tailored in (
                ("one product a request, read whole", generic, whole, False),
                ("one product a request, read as needed", tailored, fitted, True),
            ):
                seconds = await push_naively(sandbox, rows, is_tailored=is_tailored)
                found[what] = {**await stats(http), "took": seconds}
            seconds, run = await push(bench)
            found["Syncline"] = {**await stats(packed), "took": seconds}
            ours_now = await state(packed)
            for http in (whole, fitted):
                same_or_exit(ours_now, await state(http))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    report(found, run, options)


async def _location(http: httpx.AsyncClient) -> str:
    return gid("Location", await _first(http, "locations", "id"))


def report(found: Mapping[str, Mapping[str, Any]], run: Any, options: argparse.Namespace) -> None:
    lines: list[Sequence[object]] = []
    for what, one in found.items():
        bucket = one["bucket"]
        lines.append(
            (
                *(what, one["requests"], round(bucket["requested"]), round(bucket["charged"])),
                *(f"{one['took']:.1f}", bucket["throttled"]),
            )
        )
    *others, ours = found.values()
    for what, theirs in zip(found, others, strict=False):
        fewer = theirs["requests"] / ours["requests"]
        points = 1 - ours["bucket"]["charged"] / theirs["bucket"]["charged"]
        lines.append((f"saved against {what}", f"{fewer:.0f} x fewer", "", f"{points:.0%}", "", ""))
    title = (
        f"{run.total:,} changes of {options.products:,} products, plan plus; the stores are the same afterwards. The "
        f"push itself said {run.engine.cost.points_saved:.0%} saved. {machine()}"
    )
    shown = print_table(title, COLUMNS, lines)
    if options.write_docs:
        write_between(PAGE, "push-cost", f"{title}\n\n{shown}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--products", type=int, default=420)
    parser.add_argument("--changes", type=int, default=2_000)
    parser.add_argument("--write-docs", action="store_true")
    asyncio.run(measure(parser.parse_args()))


if __name__ == "__main__":
    main()
