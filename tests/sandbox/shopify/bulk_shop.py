"""A store of twenty products with its bulk operations and their files over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import msgspec
from graphql import GraphQLObjectType
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from syncline.sandbox.shopify import resolvers_catalog, resolvers_inventory, resolvers_root, resolvers_shop
from syncline.sandbox.shopify.bulk import BulkOperation, BulkOperations, CompiledBulk
from syncline.sandbox.shopify.bulk_query import BulkQuery
from syncline.sandbox.shopify.compiler import Compiler
from syncline.sandbox.shopify.context import Context
from syncline.sandbox.shopify.faults import parse_faults
from syncline.sandbox.shopify.files import FOLDER
from syncline.sandbox.shopify.generator import generate
from syncline.sandbox.shopify.options import SandboxOptions
from syncline.sandbox.shopify.schema import AdminSchema, load_schema
from syncline.sandbox.shopify.staged_uploads import UPLOAD_PATH
from syncline.sandbox.shopify.state import Store
from syncline.sandbox.shopify.world import World

BASE = "http://shop.test"
SERVED = resolvers_root.TYPES | resolvers_catalog.TYPES | resolvers_inventory.TYPES | resolvers_shop.TYPES
PRODUCTS = "{ products { edges { node { id title variants { edges { node { id sku } } } } } } }"
LEVELS = "{ locations { edges { node { id inventoryLevels { edges { node { id item { id } } } } } } } }"
Line = dict[str, Any]


class Shop:
    def __init__(self, folder: Path) -> None:
        self.store = Store()
        generate(self.store, 20, variants_per_product=3)
        self.world = World.make(self.store, SandboxOptions())
        self.applied: list[Mapping[str, Any]] = []
        self.is_denied = False
        self.bulk = BulkOperations(
            self.store, self.world.faults, folder, compile_query=self.compile, execute=self.execute
        )
        self.new, self.old = load_schema("2026-10"), load_schema("2025-10")
        routes = [
            Route(f"{FOLDER}/{{name}}", self.download, methods=["GET"]),
            Route(UPLOAD_PATH, self.bulk.uploads.receive, methods=["POST"]),
        ]
        transport = httpx.ASGITransport(app=Starlette(routes=routes))
        self.http = httpx.AsyncClient(transport=transport, base_url=BASE)

    async def download(self, request: Request) -> Response:
        return await self.bulk.files.answer(request, request.path_params["name"])

    def compile(self, schema: AdminSchema, query: BulkQuery) -> CompiledBulk:
        context = Context(self.world, schema, self.world.options.granted(), in_bulk=True)
        root = schema.graphql.query_type
        assert isinstance(root, GraphQLObjectType)
        compiler = Compiler(context, SERVED, lambda _: "", query.fragments)
        line = compiler.bulk(root, query.operation.selection_set)
        return CompiledBulk(line, self.is_denied)

    def execute(self, schema: AdminSchema, text: str, variables: Mapping[str, Any]) -> dict[str, Any]:
        self.applied.append(variables)
        return {"data": {"tagsAdd": {"node": {"id": variables["id"]}, "userErrors": []}}}

    def fault(self, text: str) -> None:
        self.world.faults.active.extend(parse_faults(text))

    def start(self, text: str = PRODUCTS, *, schema: AdminSchema | None = None) -> BulkOperation:
        operation, errors = self.bulk.run_query(schema or self.new, text)
        assert errors == []
        assert operation is not None
        return operation

    async def run(self, text: str = PRODUCTS, *, schema: AdminSchema | None = None) -> BulkOperation:
        operation = self.start(text, schema=schema)
        await operation.ended.wait()
        return operation

    async def lines(self, operation: BulkOperation) -> list[Line]:
        file = operation.result or operation.partial
        assert file is not None
        answer = await self.http.get(self.bulk.files.url(BASE, file))
        assert answer.status_code == 200
        return [msgspec.json.decode(line) for line in answer.content.splitlines()]

    async def upload(self, content: bytes) -> str:
        given = {"resource": "BULK_MUTATION_VARIABLES", "filename": "v", "mimeType": "text/jsonl", "httpMethod": "POST"}
        targets, errors = self.bulk.uploads.create([given], BASE)
        assert errors == []
        fields = {one["name"]: one["value"] for one in targets[0]["parameters"]}
        answer = await self.http.post(targets[0]["url"], data=fields, files={"file": ("v", content, "text/jsonl")})
        assert answer.status_code == 201
        return str(fields["key"])


@asynccontextmanager
async def open_shop(folder: Path) -> AsyncIterator[Shop]:
    shop = Shop(folder)
    yield shop
    await shop.bulk.close()
    await shop.http.aclose()
