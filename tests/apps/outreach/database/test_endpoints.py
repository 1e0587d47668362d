"""`/api/database` and `/api/migrations`: figures that are measured, care that is done, and who may change what."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from syncline.apps.accounts.contract import KeyRing
from syncline.apps.outreach.app import APP
from syncline.apps.outreach.database.endpoints import ROUTERS
from syncline.apps.outreach.database.migrating import undoable
from syncline.main.testing.web import bearing, open_web, register
from syncline.main.testing.works import Works, open_works
from syncline.runtime.controls.stops import Mode, stop_installation
from syncline.runtime.db.errors import MigrationConflict
from syncline.runtime.db.migrate import Revision
from syncline.runtime.db.settings import DatabaseSettings

NEWEST = f"outreach_{max(path.name.split('_')[1] for path in APP.migrations.glob('*_*_*.py'))}"
ENDPOINTS: dict[str, Any] = {
    "GET /api/database/performance": None,
    "POST /api/database/optimize": {},
    "GET /api/migrations/status": None,
    "POST /api/migrations/run": None,
    "POST /api/migrations/rollback": {"migration": NEWEST},
}
CHANGING = [address for address in ENDPOINTS if address.startswith("POST")]
Call = Callable[..., Awaitable[httpx.Response]]


@pytest.fixture
async def works(database_settings: DatabaseSettings, tmp_path: Path) -> AsyncIterator[Works]:
    async with open_works(database_settings, tmp_path) as opened:
        yield opened


@pytest.fixture
async def client(works: Works) -> AsyncIterator[httpx.AsyncClient]:
    async with open_web(works) as opened:
        yield opened


@pytest.fixture
async def call(works: Works, client: httpx.AsyncClient) -> Call:
    """As the operator: an administrator of the tenant that the first migration makes."""
    key = await works.runtime.contract(KeyRing).create_key(
        tenant_id=works.actor.tenant_id, name="operator", role="admin", created_by="test"
    )

    async def send(method: str, path: str, **request: Any) -> httpx.Response:
        return await client.request(method, path, headers={"Authorization": f"Bearer {key.bearer}"}, **request)

    return send


def test_the_table_above_holds_every_endpoint() -> None:
    routes = {f"{method} {route.path}" for router in ROUTERS for route in router.routes for method in route.methods}  # type: ignore[attr-defined]
    assert routes == set(ENDPOINTS)


@pytest.mark.parametrize("address", CHANGING)
async def test_nobody_and_no_other_tenants_owner_may_change_the_installation(
    client: httpx.AsyncClient, address: str
) -> None:
    method, path = address.split(" ")
    assert (await client.request(method, path, json=ENDPOINTS[address])).status_code == 401
    owner = await register(client, "eve@example.com")
    refused = await client.request(method, path, json=ENDPOINTS[address], headers=dict(bearing(owner)))
    assert (refused.status_code, refused.json()["code"]) == (403, "API_002")
    assert "“main”" in refused.json()["error"]


async def test_figures_are_open_and_measured(client: httpx.AsyncClient, call: Call) -> None:
    event = {"platform": "lemlist", "campaignId": "c", "eventType": "sent", "email": "a@example.com"}
    events = [{**event, "activityId": str(number)} for number in range(200)]
    assert (await call("POST", "/api/event-keys/generate-batch", json={"events": events})).status_code == 200
    found = (await client.get("/api/database/performance")).json()["performance"]
    pool, queries, bulk = found["connection_pool"], found["query_performance"], found["bulk_operations"]
    assert pool["max"] >= pool["active"] + pool["idle"] > 0
    assert queries["avg_select_time"].endswith("ms")
    assert float(queries["avg_select_time"].removesuffix("ms")) > 0
    assert float(queries["avg_insert_time"].removesuffix("ms")) > 0
    assert (bulk["batches"], bulk["rows"]) >= (1, 200)
    assert bulk["rows_per_second"] > 0
    assert found["server"]["size_bytes"] > found["event_source"]["size_bytes"] > 0


async def test_all_four_are_done_and_nothing_is_lost(call: Call) -> None:
    answer = (await call("POST", "/api/database/optimize", json={"force_recreate": True})).json()
    assert answer["success"] is True
    assert {name: one["status"] for name, one in answer["optimizations"].items()} == dict.fromkeys(
        ["sync_indexes", "bulk_operations", "connection_pool", "query_optimization"], "done"
    )
    indexes = answer["optimizations"]["sync_indexes"]["facts"]
    assert indexes["recreated"] == indexes["indexes"] > 4
    assert (await call("GET", "/api/event-keys/stats")).status_code == 200


async def test_without_an_order_all_four_are_done(call: Call) -> None:
    answer = (await call("POST", "/api/database/optimize")).json()
    assert (answer["success"], len(answer["optimizations"])) == (True, 4)


async def test_an_index_that_is_not_valid_is_repaired(call: Call, database_settings: DatabaseSettings) -> None:
    broken = "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'outreach.event_source_email_idx'::regclass"
    with psycopg.connect(str(database_settings.admin_url), autocommit=True) as operator:
        operator.execute(broken)
        answer = await call("POST", "/api/database/optimize", json={"optimizations": ["sync_indexes"]})
        row = operator.execute(
            "SELECT indisvalid FROM pg_index WHERE indexrelid = 'outreach.event_source_email_idx'::regclass"
        ).fetchone()
    assert answer.json()["optimizations"]["sync_indexes"]["facts"]["repaired"] == ["event_source_email_idx"]
    assert row == (True,)


async def test_two_do_not_care_at_once(call: Call, database_settings: DatabaseSettings) -> None:
    with psycopg.connect(str(database_settings.admin_url)) as operator:
        operator.execute("SELECT pg_advisory_lock(%s)", (0x43415245,))
        answer = await call("POST", "/api/database/optimize", json={"optimizations": ["query_optimization"]})
    assert (answer.status_code, answer.json()["code"]) == (409, "DB_007")


async def test_what_stands_in_the_way_is_said(call: Call, database_settings: DatabaseSettings) -> None:
    with psycopg.connect(str(database_settings.admin_url)) as operator:
        operator.execute("LOCK TABLE outreach.event_source IN SHARE UPDATE EXCLUSIVE MODE")
        answer = await call("POST", "/api/database/optimize", json={"optimizations": ["bulk_operations"]})
    done = answer.json()["optimizations"]["bulk_operations"]
    assert (answer.json()["success"], done["status"]) == (False, "not finished")
    assert "Try again later" in done["sentence"]


@pytest.mark.parametrize(
    "body",
    [{"optimizations": ["defragment"]}, {"optimizations": []}, {"optimizations": "all"}, {"force": True}, [], "x"],
)
async def test_an_order_that_is_wrong_is_400(call: Call, body: Any) -> None:
    answer = await call("POST", "/api/database/optimize", json=body)
    assert (answer.status_code, answer.json()["code"]) == (400, "REQ_001")


async def test_what_is_applied_is_listed_and_running_again_does_nothing(call: Call) -> None:
    status = (await call("GET", "/api/migrations/status")).json()
    assert status["pending_migrations"] == []
    assert status["available_migrations"] == status["applied_migrations"]
    assert {"outreach_0001", NEWEST} <= set(status["applied_migrations"])
    again = (await call("POST", "/api/migrations/run")).json()
    assert (again["success"], again["applied"], again["failed"], again["details"]) == (True, [], [], [])


async def test_undone_while_changes_are_stopped_and_run_again(call: Call, works: Works) -> None:
    refused = await call("POST", "/api/migrations/rollback", json={"migration": NEWEST})
    assert (refused.status_code, refused.json()["code"]) == (409, "DB_002")
    assert "Stop changes first" in refused.json()["error"]
    async with works.runtime.database.system() as session:
        await stop_installation(session, Mode.NO_WRITES, reason="a release back", actor="test")
    undone = await call("POST", "/api/migrations/rollback", json={"migration": NEWEST})
    assert (undone.status_code, undone.json()["rolled_back"]) == (200, [NEWEST])
    assert (await call("GET", "/api/migrations/status")).json()["pending_migrations"] == [NEWEST]
    async with works.runtime.database.system() as session:
        await stop_installation(session, Mode.OPEN, reason="", actor="test")
    applied = (await call("POST", "/api/migrations/run")).json()
    assert [one["migration"] for one in applied["details"]] == applied["applied"] == [NEWEST]


def revision(name: str, down: str | None, *, is_applied: bool = True) -> Revision:
    return Revision(name, name.rpartition("_")[0], "", down, is_applied)


REVISIONS = [
    revision("accounts_0001", None),
    revision("accounts_0002", "accounts_0001"),
    revision("outreach_0001", None),
    revision("commerce_0001", None),
    revision("commerce_0002", "commerce_0001"),
    revision("commerce_0003", "commerce_0002", is_applied=False),
]


def test_the_newest_applied_one_can_be_undone() -> None:
    assert undoable(REVISIONS, "commerce_0002").down == "commerce_0001"


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("commerce_0001", "commerce_0002 came after"),
        ("commerce_0003", "is not applied"),
        ("nonsense'; --", "is not applied"),
        ("outreach_0001", "while Syncline runs"),
        ("accounts_0002", "while Syncline runs"),
    ],
)
def test_no_other_can(name: str, sentence: str) -> None:
    with pytest.raises(MigrationConflict, match=sentence):
        undoable(REVISIONS, name)
