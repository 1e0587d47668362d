"""The OpenAPI document against the application that runs: schemathesis makes requests from the document, good and bad
ones, and whatever comes back must be declared in it. The effort is bounded: so many requests for each operation, the
same ones each time. More of them: `SYNCLINE_FUZZ=200 pytest tests/journeys/test_document.py`."""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Any, Protocol

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis import Case
from schemathesis.checks import not_a_server_error
from schemathesis.config import SchemathesisConfig
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from syncline.kernel.ids import new_id
from syncline.main.targets import APPS
from syncline.main.testing.document import Operation, operations
from syncline.main.testing.riches import Riches, fill
from syncline.main.testing.shop import Shop, open_shop
from syncline.main.testing.web import PASSWORD, open_web
from syncline.main.testing.works import open_works
from syncline.main.web import make_web
from syncline.runtime.db.settings import DatabaseSettings
from syncline.runtime.http.factory import create_app
from syncline.sandbox.server import running

DOCUMENT = create_app(None, APPS).openapi()
EXAMPLES = int(os.environ.get("SYNCLINE_FUZZ", "5"))
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
BY_ADDRESS: Mapping[tuple[str, str], Operation] = {(one.method, one.path): one for one in operations(DOCUMENT)}
# Cheap hashes; and made-up passwords do not make the owner wait with his own.
SETTINGS = {"HASH_MEMORY_KIB": "8", "HASH_PASSES": "1", "HASH_LANES": "1", "THROTTLE_AFTER": "1000000"}
PAUSES = ("/api/controls/pause", "/api/shopify/stores/alpine-outfitters/pause")

schema = schemathesis.openapi.from_dict(
    DOCUMENT, config=SchemathesisConfig.from_dict({"phases": {"coverage": {"enabled": False}}})
).exclude(path="/api/live/events")  # it has no end
bounded = settings(
    max_examples=EXAMPLES, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck)
)


class Databases(Protocol):
    def create(self, name: str, template: str) -> DatabaseSettings: ...
    def drop(self, name: str) -> None: ...


@dataclass
class Site:
    """The application on a socket, in a thread of its own, with a tenant that has one of everything."""

    url: str
    shop: Shop
    riches: Riches


@pytest.fixture(scope="module")
def site(databases: Databases, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    name = f"document_{new_id().hex}"
    database, folder = databases.create(name, template), tmp_path_factory.mktemp("document")
    opened, made = Event(), list[tuple[Site, asyncio.AbstractEventLoop, asyncio.Event]]()

    async def serve() -> None:
        closed = asyncio.Event()
        async with AsyncExitStack() as stack:
            made.append((await open_site(stack, database, folder), asyncio.get_running_loop(), closed))
            opened.set()
            await closed.wait()

    with pytest.MonkeyPatch.context() as patch, ThreadPoolExecutor(1) as thread:
        for one, value in SETTINGS.items():
            patch.setenv(f"SYNCLINE_ACCOUNTS_{one}", value)
        serving = thread.submit(asyncio.run, serve())
        serving.add_done_callback(lambda _: opened.set())
        assert opened.wait(60)
        assert not serving.done(), serving.exception()
        site, loop, closed = made[0]
        yield site
        loop.call_soon_threadsafe(closed.set)
        serving.result(60)
    databases.drop(name)


async def open_site(stack: AsyncExitStack, database: DatabaseSettings, folder: Path) -> Site:
    works = await stack.enter_async_context(open_works(database, folder))
    shop = await stack.enter_async_context(open_shop(products=12))
    riches = await fill(works, await stack.enter_async_context(open_web(works)), shop)
    url = await stack.enter_async_context(running(make_web(works.runtime, works.settings, APPS, limiter=None)))
    return Site(url, shop, riches)


@pytest.fixture
def owner(site: Site) -> Iterator[Mapping[str, str]]:
    """The headers of the owner, in a session of its own; what was paused goes on afterwards."""
    credentials = {"email": site.riches.owner["user"]["email"], "password": PASSWORD}
    with httpx.Client(base_url=site.url, verify=False) as client:
        signed = client.post("/api/auth/login", json=credentials).raise_for_status().json()
        headers = {"Authorization": f"Bearer {signed['access_token']}"}
        yield headers
        for path in PAUSES:
            client.delete(path, headers=headers)


def aim(case: Case[Any], site: Site) -> None:
    """Half of the requests ask for what is there; and no request leads out of this machine."""
    operation = BY_ADDRESS[case.method.upper(), case.path]
    draw = random.Random(repr((case.path_parameters, case.query, case.body)))
    for place in operation.places:
        name = place.partition("{")[2].removesuffix("}")
        if draw.random() < 0.5 and place in site.riches.known:
            case.path_parameters[name] = site.riches.known[place]
    if isinstance(case.body, dict):
        for name in set(case.body) & set(site.riches.known):
            if draw.random() < 0.5 and isinstance(case.body[name], str):
                case.body[name] = site.riches.known[name]
        if any(isinstance(case.body.get(name), str) for name in ("shop_domain", "shop")):
            case.body["base_url"] = site.shop.url
        if str(case.body.get("public_url")).startswith("http"):
            del case.body["public_url"]  # a tool would be told of it, and none listens here
        if isinstance(case.body.get("issuer"), str):
            case.body["issuer"] = site.riches.others["issuer"]


@schema.parametrize()
@bounded
def test_an_owner_gets_only_what_is_declared(case: Case[Any], site: Site, owner: Mapping[str, str]) -> None:
    aim(case, site)
    case.call_and_validate(base_url=site.url, headers=dict(owner), checks=CHECKS)


@schema.parametrize()
@bounded
def test_a_stranger_gets_only_what_is_declared_and_is_asked_for_a_key(case: Case[Any], site: Site) -> None:
    aim(case, site)
    answer = case.call_and_validate(base_url=site.url, headers={"Authorization": "Bearer no"}, checks=CHECKS)
    asks = BY_ADDRESS[case.method.upper(), case.path].permission is not None
    assert (answer.status_code == 401) >= asks
