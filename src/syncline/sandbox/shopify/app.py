"""The HTTP side of the double: paths, versions, tokens, headers, and the faults that act on a connection."""

from __future__ import annotations

import asyncio
import gc
import re
import shutil
import tempfile
import weakref
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from syncline.sandbox.server import drop
from syncline.sandbox.shopify.answers import answer
from syncline.sandbox.shopify.control import control_routes
from syncline.sandbox.shopify.engine import Asked, Engine
from syncline.sandbox.shopify.faults import DEFAULT_RETRY_AFTER, Fault
from syncline.sandbox.shopify.files import FOLDER
from syncline.sandbox.shopify.oauth import oauth_routes
from syncline.sandbox.shopify.options import LOOPBACK, SandboxOptions
from syncline.sandbox.shopify.problems import Refused
from syncline.sandbox.shopify.rest import CallLimit, call_limited, shop_body
from syncline.sandbox.shopify.schema import load_schema
from syncline.sandbox.shopify.staged_uploads import UPLOAD_PATH
from syncline.sandbox.shopify.state import Store

BAD_TOKEN = "[API] Invalid API key or access token (unrecognized login or wrong password)"  # noqa: S105 - a sentence
PROXY_PAGE = "<html><head><title>{title}</title></head><body><center><h1>{title}</h1></center></body></html>"
STATUS_TITLES = {502: "502 Bad Gateway", 503: "503 Service Temporarily Unavailable"}
LARGE_STORE = 10_000
"""Variants."""

_OPERATION = re.compile(r"\b(?:query|mutation)\s+(\w+)")


def create_app(store: Store, options: SandboxOptions | None = None, folder: Path | None = None) -> Starlette:
    """The double of one shop. `folder` keeps bulk results and uploads; without one a temporary folder is used and
    removed at the end. The engine is `app.state.engine`."""
    options = options or SandboxOptions()
    home = folder or Path(tempfile.mkdtemp(prefix="syncline-sandbox-"))
    engine = Engine(store, options, home)
    if folder is None:
        weakref.finalize(engine, shutil.rmtree, home, ignore_errors=True)  # an app that was never run has no end
    shop = ShopServer(engine)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        with _store_left_out_of_collection(store):
            async with engine.world.webhooks.deliverer.running():
                yield
        await engine.bulk.close()
        if folder is None:
            shutil.rmtree(home, ignore_errors=True)

    app = Starlette(
        routes=[
            Route("/admin/api/{version}/graphql.json", shop.graphql, methods=["POST"]),
            Route("/admin/api/graphql.json", shop.graphql, methods=["POST"]),
            Route("/admin/oauth/access_scopes.json", shop.access_scopes),
            Route("/admin/api/{version}/shop.json", shop.rest_shop),
            Route(f"{FOLDER}/{{name}}", shop.file, methods=["GET", "HEAD"]),
            Route(UPLOAD_PATH, shop.upload, methods=["POST"]),
            *oauth_routes(engine.world, shop.fail_early),
            *control_routes(engine),
        ],
        lifespan=lifespan,
    )
    app.state.engine = engine
    load_schema(shop.newest_version)
    return app


@contextmanager
def _store_left_out_of_collection(store: Store) -> Iterator[None]:
    """A full collection over a large store takes a quarter of a second, in the middle of some request."""
    if len(store.variants) < LARGE_STORE:
        yield
        return
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


class ShopServer:
    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.world = engine.world
        self.calls = CallLimit()

    async def graphql(self, request: Request) -> Response:
        self.world.counters.requests += 1
        request_id = str(uuid4())
        version = self._version(request)
        response = await self._graphql(request, request_id, version)
        response.headers["X-Request-Id"] = request_id
        response.headers["X-Shopify-API-Version"] = version
        return response

    async def _graphql(self, request: Request, request_id: str, version: str) -> Response:
        body = await request.body()
        try:
            sent = msgspec.json.decode(body)
        except msgspec.DecodeError:
            sent = None
        text = sent.get("query") if isinstance(sent, dict) else None
        name = self._operation_name(sent, text)
        early = await self.fail_early(request, name, text or "")
        if early is not None:
            return early
        refusal = self._refuse(request)
        if refusal is not None:
            return refusal
        if not isinstance(sent, dict) or not isinstance(text, str) or not text.strip():
            return answer({"errors": {"query": "Required parameter missing or invalid"}}, 400)
        variables = sent.get("variables") or {}
        if not isinstance(variables, dict):
            return answer({"errors": {"variables": "Required parameter missing or invalid"}}, 400)
        asked = Asked(
            version=version,
            query=text,
            variables=variables,
            operation_name=sent.get("operationName") or None,
            request_id=request_id,
            base_url=base_url(request),
            cost_debug=request.headers.get("Shopify-GraphQL-Cost-Debug") == "1",
            search_debug=request.headers.get("Shopify-Search-Query-Debug") == "1",
            token_scopes=self._scopes(request),
        )
        return await self._run(request, asked, name)

    async def _run(self, request: Request, asked: Asked, name: str | None) -> Response:
        engine, faults = self.engine, self.world.faults
        text = asked.query
        if faults.take("internal_error", name, text):
            return answer(internal_error(asked.request_id))
        try:
            plan = engine.plan(asked)
        except Refused as refused:
            self.world.counters.refused += 1
            return answer({"errors": [problem.shown() for problem in refused.problems]})
        if faults.take("throttle", name, text):
            return answer(engine.throttled(plan.requested))
        refusal = engine.admit(plan)
        if refusal is not None:
            return answer(refusal)
        slow = faults.take("slow", name, text)
        if slow:
            engine.reserve(plan)
            await asyncio.sleep(slow.seconds)
        body = engine.run(plan)
        if faults.take("drop_after", name, text):
            return await drop(request)
        return answer(body)

    def _operation_name(self, sent: Any, text: Any) -> str | None:
        """The operation's name, for faults and statistics."""
        given = sent.get("operationName") if isinstance(sent, dict) else None
        found = _OPERATION.search(text) if isinstance(text, str) else None
        name = given if isinstance(given, str) else found[1] if found else None
        counts = self.world.counters.by_operation
        counts[name or ""] = counts.get(name or "", 0) + 1
        return name

    async def fail_early(self, request: Request, name: str | None, text: str) -> Response | None:
        """Faults that strike before anything is read."""
        faults = self.world.faults
        if faults.take("drop_before", name, text):
            return await drop(request)
        if faults.take("http_500", name, text):
            return answer({"errors": "Internal Server Error"}, 500)
        for status in (502, 503):
            if faults.take(f"http_{status}", name, text):
                return Response(PROXY_PAGE.format(title=STATUS_TITLES[status]), status, media_type="text/html")
        if faults.take("html", name, text):
            page = "<!DOCTYPE html><html><head><title>Something went wrong</title></head><body></body></html>"
            return Response(page, 200, media_type="text/html")
        if fault := faults.take("retry_after", name, text):
            return too_many(fault)
        if faults.take("token_revoked", name, text):
            self.world.counters.unauthenticated += 1
            return answer({"errors": BAD_TOKEN}, 401)
        return None

    def _refuse(self, request: Request) -> Response | None:
        """Another shop's host, or no token of this one. An Authorization header does not count."""
        wanted = self.world.options.shop_domain
        host = (request.url.hostname or "").lower()
        if wanted is not None and host not in LOOPBACK | {wanted.lower()}:
            return answer({"errors": "Not Found"}, 404)
        if self._scopes(request) is None:
            self.world.counters.unauthenticated += 1
            return answer({"errors": BAD_TOKEN}, 401)
        return None

    def _scopes(self, request: Request) -> frozenset[str] | None:
        """What the request's token may do; None for one that is not good."""
        return self.world.authority.scopes_of(request.headers.get("X-Shopify-Access-Token"), self.world.options)

    def _version(self, request: Request) -> str:
        """Without a version in the path the newest stable one, which is what an app is pinned to by default."""
        asked = request.path_params.get("version")
        return self.newest_version if asked is None else self.engine.served_version(asked)

    @property
    def newest_version(self) -> str:
        versions = self.world.options.versions
        return max((one for one in versions if one != "unstable"), default=versions[-1])

    async def access_scopes(self, request: Request) -> Response:
        refusal = self._refuse(request)
        if refusal is not None:
            return refusal
        return answer({"access_scopes": [{"handle": one} for one in sorted(self._scopes(request) or ())]})

    async def rest_shop(self, request: Request) -> Response:
        """The shop as REST told it; the version that answers is in the header, as everywhere."""
        refusal = self._refuse(request)
        if refusal is not None:
            return refusal
        options = self.world.options
        level = self.calls.take(options.plan, is_on=options.limits)
        response = call_limited(options.plan, level, shop_body(self.world.store.shop, options.plan))
        response.headers["X-Shopify-API-Version"] = self._version(request)
        return response

    async def file(self, request: Request) -> Response:
        return await self.engine.bulk.files.answer(request, request.path_params["name"])

    async def upload(self, request: Request) -> Response:
        return await self.engine.bulk.uploads.receive(request)


def base_url(request: Request) -> str:
    return f"{request.url.scheme}://{request.url.netloc}"


def internal_error(request_id: str) -> dict[str, Any]:
    message = (
        "Internal error. Looks like something went wrong on our end.\n"
        f"Request ID: {request_id} (include this in support requests)."
    )
    return {"errors": [{"message": message, "extensions": {"code": "INTERNAL_SERVER_ERROR", "requestId": request_id}}]}


def too_many(fault: Fault) -> Response:
    """As REST says it; GraphQL sends it only when a shop creates too many variants in a day."""
    sentence = "Exceeded 4 calls per second for api client. Reduce request rates to resume uninterrupted service."
    response = answer({"errors": sentence}, 429)
    response.headers["Retry-After"] = str(float(fault.seconds or DEFAULT_RETRY_AFTER))
    return response
