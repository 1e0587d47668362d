"""Dead letters over HTTP: each tenant's own, looked at, retried once and discarded."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx
import psycopg
import pytest
from cryptography.fernet import Fernet

from syncline.kernel.ids import new_id
from syncline.kernel.tenant import PERMISSIONS, Actor, TenantId
from syncline.runtime.app import Runtime
from syncline.runtime.db.engine import Database
from syncline.runtime.db.settings import DatabaseSettings
from syncline.runtime.http.factory import create_app
from syncline.runtime.http.letters import MOST, router
from syncline.runtime.jobs import Job, JobContext, JobQueue
from syncline.runtime.secrets import SecretBox

BASE = "/api/operations/dead-letters"
NOWHERE = "01a20193-4e72-70e7-a846-5fae67bee546"
Call = Callable[..., Awaitable[httpx.Response]]
Bury = Callable[..., str]
Count = Callable[[str], int]

# Address, a body that is understood, and the permission it takes.
ENDPOINTS: dict[str, tuple[Any, str]] = {
    f"GET {BASE}": (None, "operations:read"),
    f"GET {BASE}/{{letter_id}}": (None, "operations:read"),
    f"POST {BASE}/retry": ({"ids": [NOWHERE]}, "operations:manage"),
    f"POST {BASE}/discard": ({"ids": [NOWHERE]}, "operations:manage"),
    f"POST {BASE}/{{letter_id}}/retry": (None, "operations:manage"),
    f"DELETE {BASE}/{{letter_id}}": (None, "operations:manage"),
}


async def nothing(_ctx: JobContext, _payload: dict[str, Any]) -> None: ...


@pytest.fixture
async def call(database: Database, tenant_id: TenantId, other_tenant_id: TenantId) -> AsyncIterator[Call]:
    """`await call("POST", path, role="editor", tenant="other", json=...)`; role None is nobody."""
    tenants = {"mine": tenant_id, "other": other_tenant_id}

    async def authenticate(bearer: str) -> Actor | None:
        role, _, tenant = bearer.partition("@")
        return Actor(tenants[tenant], f"the {role}", role)

    secrets = SecretBox([Fernet.generate_key().decode()])
    queue = JobQueue([Job(name="things.do", run=nothing)])
    runtime = Runtime(database=database, queue=queue, secrets=secrets, settings={})
    app = create_app(runtime, (), authenticate=authenticate)
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://syncline.test") as client:

        async def send(
            method: str, path: str = BASE, *, role: str | None = "owner", tenant: str = "mine", **request: Any
        ) -> httpx.Response:
            headers = {"Authorization": f"Bearer {role}@{tenant}"} if role else {}
            return await client.request(method, path, headers=headers, **request)

        yield send


@pytest.fixture
def operator(database_settings: DatabaseSettings) -> Callable[..., Any]:
    def execute(statement: str, *values: Any) -> Any:
        with psycopg.connect(str(database_settings.admin_url), autocommit=True) as connection:
            return connection.execute(statement, values).fetchone()

    return execute


@pytest.fixture
def bury_job(operator: Any, tenant_id: TenantId) -> Bury:
    """A job that was given up so many hours ago, of this tenant unless another is named; its id."""

    def make(*, hours: int = 1, tenant: TenantId | None = tenant_id, job: str = "things.do") -> str:
        payload = json.dumps({"thing": hours, "tenant_id": str(tenant)})
        row = operator(
            "INSERT INTO jobs.dead_letter"
            " (id, job_id, job, tenant, payload, priority, attempts, reason, first_at, last_at)"
            " VALUES (%s, 1, %s, %s, %s, 3, 8, 'The shop is on fire.', now(), now() - make_interval(hours => %s))"
            " RETURNING id::text",
            *(new_id(), job, tenant, payload, hours),
        )
        return str(row[0])

    return make


@pytest.fixture
def bury_event(operator: Any, tenant_id: TenantId) -> Bury:
    def make(*, hours: int = 1) -> str:
        row = operator(
            "INSERT INTO bus.dead_letter (id, handler, event_id, name, tenant, occurred_at, payload, attempts, reason,"
            " first_at, last_at) VALUES (%s, 'mail.tell', %s, 'things.done', %s, now(), '{\"who\": \"ann\"}', 8,"
            " 'No post.', now(), now() - make_interval(hours => %s)) RETURNING id::text",
            *(new_id(), new_id(), tenant_id, hours),
        )
        return str(row[0])

    return make


@pytest.fixture
def waiting(operator: Any) -> Callable[[], tuple[int, int]]:
    """How many jobs and how many deliveries wait."""

    def count() -> tuple[int, int]:
        jobs = operator("SELECT count(*) FROM jobs.pgqueuer WHERE status = 'queued'")
        deliveries = operator("SELECT count(*) FROM bus.delivery WHERE handler = 'mail.tell'")
        return int(jobs[0]), int(deliveries[0])

    return count


async def listed(call: Call, **params: Any) -> list[str]:
    return [one["id"] for one in (await call("GET", params=params)).json()["letters"]]


def test_the_table_above_holds_every_endpoint() -> None:
    routes = {f"{method} {route.path}" for route in router.routes for method in route.methods}  # type: ignore[attr-defined]
    assert routes == set(ENDPOINTS)


@pytest.mark.parametrize("address", ENDPOINTS)
async def test_nobody_is_401_and_each_role_may_what_it_holds(call: Call, address: str) -> None:
    body, permission = ENDPOINTS[address]
    method, path = address.replace("{letter_id}", NOWHERE).split(" ")
    request = {} if body is None else {"json": body}
    assert (await call(method, path, role=None, **request)).status_code == 401
    answers = {role: await call(method, path, role=role, **request) for role in PERMISSIONS}
    refused = {role for role, answer in answers.items() if answer.status_code == 403}
    assert refused == PERMISSIONS.keys() - {"owner", "admin"}
    assert all(permission in answers[role].json()["error"] for role in refused)


async def test_both_kinds_are_listed_the_latest_first_and_in_pages(
    call: Call, bury_job: Bury, bury_event: Bury
) -> None:
    third, second, first = bury_job(hours=3), bury_event(hours=2), bury_job(hours=1)
    assert await listed(call) == [first, second, third]
    assert await listed(call, kind="job") == [first, third]
    assert await listed(call, kind="event") == [second]
    page = (await call("GET", params={"limit": 2, "page": 2})).json()
    assert [one["id"] for one in page["letters"]] == [third]
    assert (page["pagination"]["totalItems"], page["pagination"]["totalPages"]) == (3, 2)
    assert "payload" not in page["letters"][0]


async def test_one_is_shown_with_its_payload_and_leaves_an_entry(call: Call, bury_job: Bury, bury_event: Bury) -> None:
    job = (await call("GET", f"{BASE}/{bury_job()}")).json()
    assert (job["kind"], job["name"], job["attempts"], job["reason"]) == ("job", "things.do", 8, "The shop is on fire.")
    assert job["payload"]["thing"] == 1
    event = (await call("GET", f"{BASE}/{bury_event()}")).json()
    assert (event["kind"], event["name"], event["payload"]) == ("event", "things.done for mail.tell", {"who": "ann"})
    entries = (await call("GET", "/api/audit")).json()["entries"]
    assert [one["action"] for one in entries] == [f"GET {BASE}/{{letter_id}}"] * 2


async def test_one_is_retried_once(call: Call, bury_job: Bury, waiting: Any) -> None:
    letter = bury_job()
    assert (await call("POST", f"{BASE}/{letter}/retry")).json() == {"retried": 1}
    again = await call("POST", f"{BASE}/{letter}/retry")
    assert (again.status_code, again.json()["code"]) == (409, "LETTER_003")
    assert (await call("DELETE", f"{BASE}/{letter}")).status_code == 409
    assert waiting() == (1, 0)
    assert (await listed(call), await listed(call, retried=True)) == ([], [letter])


async def test_many_of_both_kinds_are_retried(call: Call, bury_job: Bury, bury_event: Bury, waiting: Any) -> None:
    letters = [bury_job(), bury_job(), bury_event()]
    bury_job()
    answer = await call("POST", f"{BASE}/retry", json={"ids": [*letters, letters[0]]})
    assert (answer.status_code, answer.json(), waiting()) == (200, {"retried": 3}, (2, 1))
    assert (await call("POST", f"{BASE}/retry", json={"everything": True})).json() == {"retried": 1}
    assert (await call("POST", f"{BASE}/retry", json={"everything": True})).json() == {"retried": 0}


async def test_all_of_a_kind_are_discarded_and_nothing_is_done(
    call: Call, bury_job: Bury, bury_event: Bury, waiting: Any
) -> None:
    jobs, event = [bury_job(), bury_job()], bury_event()
    answer = await call("POST", f"{BASE}/discard", json={"everything": True, "kind": "job"})
    assert (answer.json(), await listed(call), waiting()) == ({"discarded": 2}, [event], (0, 0))
    assert (await call("DELETE", f"{BASE}/{event}")).json() == {"discarded": 1}
    assert (await call("GET", f"{BASE}/{jobs[0]}")).status_code == 404


async def test_a_job_of_another_version_keeps_the_others_from_being_retried(
    call: Call, bury_job: Bury, waiting: Any
) -> None:
    known, unknown = bury_job(), bury_job(job="things.undo")
    answer = await call("POST", f"{BASE}/retry", json={"ids": [known, unknown]})
    assert (answer.status_code, answer.json()["code"]) == (409, "LETTER_002")
    assert (waiting(), len(await listed(call))) == ((0, 0), 2)
    assert (await call("DELETE", f"{BASE}/{unknown}")).status_code == 200


@pytest.mark.parametrize(("method", "path"), [("GET", ""), ("POST", "/retry"), ("DELETE", "")])
async def test_one_that_is_not_there_is_404(call: Call, method: str, path: str) -> None:
    answer = await call(method, f"{BASE}/{NOWHERE}{path}")
    assert (answer.status_code, answer.json()["code"]) == (404, "LETTER_001")
    assert (await call(method, f"{BASE}/x{path}")).status_code == 400


@pytest.mark.parametrize("what", ["retry", "discard"])
@pytest.mark.parametrize(
    "body",
    [
        {},
        {"ids": []},
        {"everything": False, "kind": "job"},
        {"ids": [NOWHERE], "everything": True},
        {"ids": [NOWHERE], "kind": "job"},
        {"ids": [NOWHERE] * (MOST + 1)},
        {"everything": True, "kind": "letter"},
        {"everything": True, "force": True},
        [],
    ],
)
async def test_what_is_not_clear_is_400_and_moves_nothing(call: Call, bury_job: Bury, what: str, body: Any) -> None:
    letter = bury_job()
    answer = await call("POST", f"{BASE}/{what}", json=body)
    assert (answer.status_code, answer.json()["code"]) == (400, "REQ_001")
    assert answer.json()["fields"]
    assert await listed(call) == [letter]


async def test_one_that_is_not_there_keeps_the_others_as_they_are(call: Call, bury_job: Bury) -> None:
    letter = bury_job()
    for what in ("retry", "discard"):
        assert (await call("POST", f"{BASE}/{what}", json={"ids": [letter, NOWHERE]})).status_code == 404
    assert await listed(call) == [letter]


async def test_another_tenant_sees_and_moves_nothing(
    call: Call, bury_job: Bury, other_tenant_id: TenantId, waiting: Any
) -> None:
    mine, theirs, nobodys = bury_job(), bury_job(tenant=other_tenant_id), bury_job(tenant=None)
    assert await listed(call) == [mine]
    for letter in (theirs, nobodys):
        assert (await call("GET", f"{BASE}/{letter}")).status_code == 404
        assert (await call("DELETE", f"{BASE}/{letter}")).status_code == 404
        assert (await call("POST", f"{BASE}/{letter}/retry")).status_code == 404
        assert (await call("POST", f"{BASE}/discard", json={"ids": [letter]})).status_code == 404
    assert (await call("POST", f"{BASE}/discard", json={"everything": True})).json() == {"discarded": 1}
    assert (await call("GET", f"{BASE}/{theirs}", tenant="other")).status_code == 200
    assert waiting() == (0, 0)


async def test_every_write_leaves_an_entry(call: Call, bury_job: Bury) -> None:
    letter = bury_job()
    await call("POST", f"{BASE}/{letter}/retry")
    await call("POST", f"{BASE}/discard", json={"everything": True})
    entries = (await call("GET", "/api/audit")).json()["entries"]
    assert [one["action"] for one in entries] == [f"POST {BASE}/discard", f"POST {BASE}/{{letter_id}}/retry"]
