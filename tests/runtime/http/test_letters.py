"""Dead letters over HTTP: each tenant's own, looked at, retried once and discarded."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import psycopg
import pytest
from cryptography.fernet import Fernet

from syncline.kernel import clock
from syncline.kernel.ids import new_id
from syncline.kernel.tenant import PERMISSIONS, Actor, TenantId
from syncline.runtime.app import Runtime
from syncline.runtime.db.engine import Database
from syncline.runtime.db.session import Session, WriteSession
from syncline.runtime.db.settings import DatabaseSettings
from syncline.runtime.http.factory import create_app
from syncline.runtime.http.letters import MOST, router
from syncline.runtime.jobs import Job, JobContext, JobQueue
from syncline.runtime.letters import Letter, LetterKind, LetterQuery, Letters
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
def runtime(database: Database) -> Runtime:
    secrets = SecretBox([Fernet.generate_key().decode()])
    queue = JobQueue([Job(name="things.do", run=nothing)])
    return Runtime(database=database, queue=queue, secrets=secrets, settings={})


@pytest.fixture
async def call(runtime: Runtime, tenant_id: TenantId, other_tenant_id: TenantId) -> AsyncIterator[Call]:
    """`await call("POST", path, role="editor", tenant="other", json=...)`; role None is nobody."""
    tenants = {"mine": tenant_id, "other": other_tenant_id}

    async def authenticate(bearer: str) -> Actor | None:
        role, _, tenant = bearer.partition("@")
        return Actor(tenants[tenant], f"the {role}", role)

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
        {"ids": [NOWHERE], "reason": "fire"},
        {"reason": "fire"},
        {"everything": True, "name": ""},
        {"everything": True, "since": "yesterday"},
        {"everything": True, "since": "2026-11-22T08:00:00"},
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


async def test_they_are_found_by_name_reason_and_time(call: Call, bury_job: Bury, bury_event: Bury) -> None:
    burning, other = bury_job(hours=3), bury_job(hours=2, job="things.undo")
    unread = bury_event(hours=1)
    three_hours_ago = (clock.now() - timedelta(hours=2, minutes=30)).isoformat()
    assert await listed(call, name="THINGS.do") == [unread, burning]
    assert await listed(call, name="for mail.tell") == [unread]
    assert await listed(call, reason="on FIRE") == [other, burning]
    assert await listed(call, reason="100 %") == []
    assert await listed(call, since=three_hours_ago) == [unread, other]
    assert await listed(call, until=three_hours_ago) == [burning]
    assert await listed(call, name="things.do", reason="fire", kind="job") == [burning]
    assert (await call("GET", params={"since": "yesterday"})).status_code == 400


async def test_those_that_a_filter_names_are_retried_and_no_others(
    call: Call, bury_job: Bury, bury_event: Bury, waiting: Any
) -> None:
    bury_job(), bury_job(job="things.undo")
    event = bury_event()
    answer = await call("POST", f"{BASE}/retry", json={"everything": True, "name": "things.do", "kind": "job"})
    assert (answer.json(), waiting()) == ({"retried": 1}, (1, 0))
    answer = await call("POST", f"{BASE}/discard", json={"everything": True, "reason": "fire"})
    assert (answer.json(), await listed(call)) == ({"discarded": 1}, [event])


class Shelf:
    """An app's own letters, here kept in memory."""

    kind = LetterKind.WEBHOOK

    def __init__(self) -> None:
        self.letters: list[Letter] = []
        self.retried: list[UUID] = []

    def put(self, hours: int, tenant: TenantId) -> str:
        at = clock.now() - timedelta(hours=hours)
        letter = Letter(new_id(), self.kind, "orders/create", tenant, 5, "No such order.", at, at, None, {"id": hours})
        self.letters.append(letter)
        return str(letter.id)

    def _of(self, session: Session, query: LetterQuery) -> list[Letter]:
        mine = [one for one in self.letters if one.tenant_id == session.tenant_id]
        found = [one for one in mine if query.reason is None or query.reason in one.reason]
        return sorted(found, key=lambda letter: letter.last_at, reverse=True)

    async def list(self, session: Session, query: LetterQuery, limit: int) -> Sequence[Letter]:
        return self._of(session, query)[:limit]

    async def count(self, session: Session, query: LetterQuery) -> int:
        return len(self._of(session, query))

    async def find(self, session: Session, letter_id: UUID) -> Letter | None:
        return next((one for one in self._of(session, LetterQuery()) if one.id == letter_id), None)

    async def retry(self, session: WriteSession, ids: Sequence[UUID]) -> int:
        assert session.tenant_id is not None
        self.retried += ids
        return len(ids)

    async def discard(self, session: WriteSession, ids: Sequence[UUID]) -> int:
        kept = [one for one in self.letters if one.tenant_id != session.tenant_id or one.id not in ids]
        count, self.letters = len(self.letters) - len(kept), kept
        return count


@pytest.fixture
def shelf(runtime: Runtime) -> Shelf:
    made = Shelf()
    runtime.letter_sources = [made]
    return made


async def test_an_apps_own_letters_stand_among_the_others(
    call: Call, bury_job: Bury, shelf: Shelf, tenant_id: TenantId, other_tenant_id: TenantId, waiting: Any
) -> None:
    shelf.put(1, other_tenant_id)
    fourth, third = shelf.put(4, tenant_id), bury_job(hours=3)
    second, first = shelf.put(2, tenant_id), bury_job(hours=1)
    assert await listed(call) == [first, second, third, fourth]
    assert await listed(call, kind="webhook") == [second, fourth]
    assert await listed(call, kind="job") == [first, third]
    page = (await call("GET", params={"limit": 2, "page": 2})).json()
    assert ([one["id"] for one in page["letters"]], page["pagination"]["totalItems"]) == ([third, fourth], 4)
    assert (await call("GET", f"{BASE}/{second}")).json()["payload"] == {"id": 2}
    assert (await call("POST", f"{BASE}/retry", json={"ids": [second, first]})).json() == {"retried": 2}
    assert ([str(one) for one in shelf.retried], waiting()) == ([second], (1, 0))
    assert (await call("DELETE", f"{BASE}/{fourth}")).json() == {"discarded": 1}
    assert await listed(call, kind="webhook") == [second]


def test_two_sources_of_one_kind_are_a_mistake() -> None:
    with pytest.raises(ValueError, match="same kind"):
        Letters(JobQueue([]), [Shelf(), Shelf()])


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
