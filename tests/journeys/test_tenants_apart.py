"""Every address of the OpenAPI document, asked by the owner of another tenant with this tenant's ids: nothing is found,
nothing is told, nothing is changed. The requests are made from the document, so a new route is covered by itself; one
whose address or body the test cannot fill fails it with a sentence: add such a row in `main/testing/riches.py`.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from itertools import count
from typing import Any

import httpx
import psycopg
import pytest

from syncline.main.targets import APPS
from syncline.main.testing.document import Operation, operations
from syncline.main.testing.riches import Riches, fill
from syncline.main.testing.shop import NewShop
from syncline.main.testing.web import Signed, bearing, open_web, register
from syncline.main.testing.works import Works
from syncline.runtime.db.settings import DatabaseSettings
from syncline.runtime.http.factory import create_app

SAFE = frozenset({"GET", "HEAD"})
HIDDEN = frozenset({403, 404})
# Named by the code: each tenant has its own of that name, and a stranger reaches his.
NAMED_BY_CODE = frozenset({"connections/{platform}", "jobs/{name}", "retention/{rule}", "trigger/{name}"})
# A browser is led somewhere by it, so it is no list: it begins something in the caller's own tenant.
BEGINNING = frozenset({"GET /api/shopify/oauth/install"})
ANSWERED = frozenset({200})
ANY_BUT_FAILED = frozenset(range(200, 500))
ALL = [one for one in operations(create_app(None, APPS).openapi()) if one.permission is not None]
EVERY = [one for one in ALL if not one.is_stream]
TABLES = """
    SELECT c.oid::regclass::text FROM pg_class c
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped
    WHERE c.relkind = 'r' ORDER BY 1
"""


@pytest.fixture(autouse=True)
def _cheap_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stranger for every address would else spend its time on passwords."""
    for name, value in {"MEMORY_KIB": "8", "PASSES": "1", "LANES": "1"}.items():
        monkeypatch.setenv(f"SYNCLINE_ACCOUNTS_HASH_{name}", value)


@pytest.fixture
async def client(works: Works) -> AsyncIterator[httpx.AsyncClient]:
    async with open_web(works) as opened:
        yield opened


@pytest.fixture
async def riches(works: Works, client: httpx.AsyncClient, new_shop: NewShop) -> Riches:
    return await fill(works, client, await new_shop(products=12))


async def ask(
    client: httpx.AsyncClient, one: Operation, known: Mapping[str, Any], headers: Mapping[str, str]
) -> httpx.Response:
    return await client.request(
        one.method, one.address(known), params=one.query(known), json=one.body(known), headers=dict(headers)
    )


def told_of(answer: httpx.Response, riches: Riches, sent: httpx.Request) -> Sequence[str]:
    """What the answer tells of the tenant that the request did not say itself."""
    said = f"{sent.url} {sent.content.decode()}"
    return [mark for mark in riches.marks if mark in answer.text and mark not in said]


def rows_of(database: DatabaseSettings, tenant_id: str) -> dict[str, Any]:
    """Table -> a digest of the tenant's rows, as the database's owner sees them."""
    with psycopg.connect(str(database.admin_url)) as operator:
        operator.execute("SET row_security = off")
        tables = [name for (name,) in operator.execute(TABLES).fetchall()]
        query = "SELECT md5(string_agg(t::text, '\n' ORDER BY t::text)) FROM {} t WHERE tenant_id = %s"
        return {name: operator.execute(query.format(name).encode(), (tenant_id,)).fetchone() for name in tables}


def verdict(one: Operation, answer: httpx.Response, riches: Riches) -> str | None:
    """What is wrong with the answer to a stranger; None for nothing."""
    where = f"{one} -> {answer.status_code} {answer.text[:200]}"
    leaked = told_of(answer, riches, answer.request)
    right = {
        leaked == []: f"{where}: tells {leaked}",
        answer.status_code in allowed(one): f"{where}: is none of {sorted(allowed(one))}",
    }
    return right.get(False)


def allowed(one: Operation) -> frozenset[int]:
    """What names a row of the other tenant finds none. A list may also be empty; what names nothing works as always, on
    the stranger's own tenant."""
    if set(one.places) - NAMED_BY_CODE or (one.references and one.method not in SAFE):
        return HIDDEN
    if str(one) in BEGINNING:
        return ANY_BUT_FAILED
    return HIDDEN | ANSWERED if one.references else ANSWERED if one.method in SAFE else ANY_BUT_FAILED


async def strangers(client: httpx.AsyncClient) -> AsyncIterator[Signed]:
    """The owner of a new tenant, each time: one that ended its sessions or paused itself is of no more use."""
    for number in count():
        yield await register(client, f"eve{number}@example.com")


async def test_with_the_ids_of_another_tenant_nothing_is_found_told_or_changed(
    client: httpx.AsyncClient, riches: Riches, database_settings: DatabaseSettings
) -> None:
    before = rows_of(database_settings, riches.tenant_id)
    answers = [
        (one, await ask(client, one, riches.known, bearing(eve))) async for one, eve in paired(EVERY, strangers(client))
    ]
    assert [wrong for one, answer in answers if (wrong := verdict(one, answer, riches))] == []
    assert rows_of(database_settings, riches.tenant_id) == before


async def paired(every: Sequence[Operation], people: AsyncIterator[Signed]) -> AsyncIterator[tuple[Operation, Signed]]:
    for one in every:
        yield one, await anext(people)


def test_only_streams_are_left_out_and_their_rooms_are_tested_where_they_are() -> None:
    assert [str(one) for one in ALL if one not in EVERY] == ["GET /api/live/events"]  # tests/runtime/http/test_live.py


async def test_lists_without_any_filter_hold_nothing_of_another_tenant(
    client: httpx.AsyncClient, riches: Riches
) -> None:
    eve = await register(client, "eve@example.com")
    lists = [one for one in EVERY if one.method in SAFE and not one.places and str(one) not in BEGINNING]
    answers = [await client.get(one.path, headers=bearing(eve)) for one in lists]
    assert [(str(answer.url), answer.status_code) for answer in answers if answer.status_code != 200] == []
    assert [(str(answer.url), told) for answer in answers if (told := told_of(answer, riches, answer.request))] == []


async def test_naming_the_other_tenant_in_the_header_opens_nothing(
    client: httpx.AsyncClient, riches: Riches, database_settings: DatabaseSettings
) -> None:
    eve = await register(client, "eve@example.com")
    before = rows_of(database_settings, riches.tenant_id)
    headers = {**bearing(eve), "X-Tenant": riches.tenant_id}
    answers = [(one, await ask(client, one, riches.known, headers)) for one in EVERY]
    assert [f"{one}: {answer.status_code}" for one, answer in answers if answer.status_code != 403] == []
    assert rows_of(database_settings, riches.tenant_id) == before


async def test_the_tenant_itself_finds_all_of_it(client: httpx.AsyncClient, riches: Riches) -> None:
    """So that the tests above ask for what is there."""
    looks = [one for one in EVERY if one.method in SAFE]
    answers = [(one, await ask(client, one, riches.known, bearing(riches.owner))) for one in looks]
    assert [f"{one}: {answer.text}" for one, answer in answers if answer.status_code != 200] == []
    seen = json.dumps([answer.text for _, answer in answers])
    assert [mark for mark in riches.marks if mark not in seen] == []
