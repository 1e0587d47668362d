"""What Shopify sends, and what it is answered."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import httpx
import pytest
from tests.apps.commerce.webhooks.conftest import Hooked, give_secret, served, signature

from syncline.apps.commerce.contract import Commerce
from syncline.apps.commerce.stores import repository as stores
from syncline.apps.commerce.stores.tokens import repository as grants
from syncline.apps.commerce.webhook_contract import WebhookState
from syncline.apps.commerce.webhooks import keeping, repository, writing
from syncline.apps.commerce.webhooks.patience import Patience
from syncline.apps.commerce.webhooks.refusals import count_unverifiable, list_refusals
from syncline.kernel import clock
from syncline.kernel.tenant import Actor, TenantId
from syncline.runtime.controls import stops
from syncline.runtime.db.group_commit import NotWrittenInTime
from syncline.runtime.http import hot
from syncline.runtime.jobs.testing import eventually
from syncline.runtime.limits.limiter import Limiter
from syncline.runtime.limits.memory import MemoryCounts
from syncline.runtime.limits.policy import with_settings
from syncline.runtime.secrets import SecretBox, new_key

BODY = b'{"id":1}'


@pytest.mark.parametrize(
    "path",
    [
        "/api/webhooks",
        "/api/webhooks/shopify",
        "/api/webhooks/shopify/orders",
        "/api/webhooks/shopify/products",
        "/api/webhooks/shopify/customers",
    ],
)
async def test_signed_webhook_is_kept_as_it_came(hooked: Hooked, path: str) -> None:
    body = b'{ "id": 1,\n "title": "\xc3\xa9" }'
    answer = await hooked.send("products/update", body, path=path, name="mine")
    assert (answer.status_code, answer.json()["idempotent"]) == (200, False)
    event = await hooked.event()
    assert (str(event.id), event.topic, event.state, event.name) == (
        answer.json()["id"],
        "products/update",
        WebhookState.WAITING,
        "mine",
    )
    assert event.correlation_id == answer.headers["X-Correlation-ID"]
    async with hooked.runtime.database.reading(hooked.tenant) as session:
        assert await repository.find_body(session, event.id) == body


async def test_correlation_id_of_the_caller_is_kept(hooked: Hooked) -> None:
    headers = {**hooked.headers(BODY, "products/update"), "X-Correlation-ID": "mine-1"}
    answer = await hooked.client.post("/api/webhooks/shopify", content=BODY, headers=headers)
    assert (answer.headers["X-Correlation-ID"], (await hooked.event()).correlation_id) == ("mine-1", "mine-1")


async def test_headers_of_the_newer_form(hooked: Hooked) -> None:
    headers = {name.removeprefix("X-").lower(): value for name, value in hooked.headers(BODY, "orders/create").items()}
    answer = await hooked.client.post("/api/webhooks", content=BODY, headers=headers)
    assert answer.status_code == 200
    assert (await hooked.event()).topic == "orders/create"


async def test_same_delivery_again_is_known(hooked: Hooked) -> None:
    again = str(uuid4())
    first, second = [await hooked.send("products/update", BODY, webhook_id=again) for _ in range(2)]
    assert (first.json()["idempotent"], second.status_code, second.json()["idempotent"]) == (False, 200, True)
    assert len(await hooked.events()) == 1


async def test_same_delivery_at_the_same_moment_at_two_processes_is_kept_once(
    hooked: Hooked, make_client: Callable[..., Awaitable[httpx.AsyncClient]]
) -> None:
    other = await make_client(hooked.runtime)
    ids = [str(uuid4()) for _ in range(20)]
    headers = [hooked.headers(BODY, "products/update", webhook_id=one) for one in ids]
    clients = (hooked.client, other)
    answers = await asyncio.gather(
        *(client.post("/api/webhooks", content=BODY, headers=one) for one in headers for client in clients)
    )
    assert [answer.status_code for answer in answers] == [200] * 40
    assert sum(not answer.json()["idempotent"] for answer in answers) == 20
    assert len(await hooked.events()) == 20


async def test_wrong_signature_is_401_and_nothing_is_kept(hooked: Hooked) -> None:
    answer = await hooked.send("products/update", BODY, hmac_sha256=signature(BODY, "another"))
    assert (answer.status_code, answer.json()["code"]) == (401, "HOOK_002")
    assert answer.headers["WWW-Authenticate"].startswith("HMAC-SHA256")
    assert answer.json()["correlation_id"] == answer.headers["X-Correlation-ID"]
    assert await hooked.events() == []


async def test_body_changed_on_its_way_is_401(hooked: Hooked) -> None:
    headers = hooked.headers(BODY, "products/update")
    answer = await hooked.client.post("/api/webhooks", content=BODY + b" ", headers=headers)
    assert answer.status_code == 401


async def test_both_secrets_of_a_rotation_are_believed(hooked: Hooked) -> None:
    await give_secret(hooked.runtime, hooked.tenant, hooked.store_id, "the new one", "the old one")
    answers = [
        await hooked.send("products/update", BODY, hmac_sha256=signature(BODY, secret))
        for secret in ("the new one", "the old one")
    ]
    assert [answer.status_code for answer in answers] == [200, 200]


async def test_new_secret_is_believed_although_the_old_one_is_in_memory(
    hooked: Hooked, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (await hooked.send("products/update", BODY)).status_code == 200
    await give_secret(hooked.runtime, hooked.tenant, hooked.store_id, "the new one")
    monkeypatch.setattr("syncline.apps.commerce.webhooks.doors.AT_ONCE_SECONDS", 0.0)
    answer = await hooked.send("products/update", BODY, hmac_sha256=signature(BODY, "the new one"))
    assert answer.status_code == 200


async def test_unopened_secret_is_503_until_it_opens_and_those_of_others_are_believed(
    hooked: Hooked, other_tenant_id: TenantId
) -> None:
    lost = SecretBox([new_key()]).seal("lost")
    domain = hooked.shop.domain
    async with hooked.runtime.database.writing(other_tenant_id) as session:
        values = {"name": "theirs", "shop_domain": domain, "api_version": "2026-10", "shop_name": "Theirs"}
        more: dict[str, Any] = {"base_url": None, "currency": "USD", "plan": "Basic", "scopes": []}
        made = await stores.add(session, token_sealed=lost, values={**values, **more})
        now = clock.now()
        grant = {"kind": grants.GrantKind.CUSTOM, "secret_sealed": lost, "granted_at": now, "issued_at": now}
        await grants.put(session, made.store.id, grant)
    mine = await hooked.send("products/update", BODY)
    theirs = await hooked.send("products/update", BODY, hmac_sha256=signature(BODY, "lost"))
    assert (mine.status_code, theirs.status_code, theirs.json()["code"]) == (200, 503, "SEC_001")
    assert "stores app set" in theirs.json()["error"]
    assert theirs.headers["Retry-After"] == "60"

    async def counted() -> bool:
        async with hooked.runtime.database.system() as session:
            found = [one for one in await list_refusals(session, 1_000) if one.shop_domain == domain]
            closed = await count_unverifiable(session, now)
        return [one.reason for one in found] == ["unverifiable"] and closed >= 1

    await eventually(counted)
    async with hooked.runtime.database.system() as session:
        assert await count_unverifiable(session, clock.now() + timedelta(hours=1)) == 0


@pytest.mark.parametrize("is_known", [False, True])
async def test_database_that_hangs_is_503_before_shopify_hangs_up(
    hooked: Hooked, monkeypatch: pytest.MonkeyPatch, is_known: bool
) -> None:
    """Whether it hangs at the look-up of the shop or, when that is in memory, at the commit."""

    async def hang(*_: object) -> None:
        await released.wait()

    released = asyncio.Event()
    for _ in range(is_known):
        assert (await hooked.send("products/update", BODY)).status_code == 200
    monkeypatch.setattr("syncline.apps.commerce.webhooks.intake.PATIENCE_SECONDS", 0.05)
    monkeypatch.setattr(hooked.runtime.database, "_begin", hang)
    answer = await hooked.send("products/update", BODY)
    assert (answer.status_code, answer.json()["code"], answer.headers["Retry-After"]) == (503, "DB_009", "1")
    monkeypatch.undo()
    released.set()


async def test_what_was_waited_for_once_is_not_waited_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[float] = []

    def noted(seconds: float) -> asyncio.Timeout:
        given.append(seconds)
        return asyncio.timeout(seconds)

    watched = SimpleNamespace(timeout=noted, get_running_loop=asyncio.get_running_loop)
    monkeypatch.setattr("syncline.apps.commerce.webhooks.patience.asyncio", watched)
    patience = Patience(0.05)
    assert await patience.over(asyncio.sleep(0, "found")) == "found"
    for _ in range(2):
        with pytest.raises(NotWrittenInTime):
            await patience.over(asyncio.Event().wait())
    whole, left, nothing = given
    assert (whole, nothing) == (0.05, 0.0)
    assert 0 < left < whole


async def test_a_time_out_of_the_work_itself_is_not_ours() -> None:
    async def fails() -> None:
        raise TimeoutError

    with pytest.raises(TimeoutError):
        await Patience(10).over(fails())


async def test_unknown_shop_is_404_and_counted_once_for_all(hooked: Hooked) -> None:
    domain = f"nobody-{uuid4().hex[:8]}.myshopify.com"
    answers = [await hooked.send("products/update", BODY, shop_domain=domain) for _ in range(3)]
    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(404, "HOOK_003")] * 3

    async def counted() -> bool:
        async with hooked.runtime.database.system() as session:
            found = [one for one in await list_refusals(session, 1_000) if one.shop_domain == domain]
        return [(one.reason, one.count) for one in found] == [("unknown_shop", 3)]

    await eventually(counted)


async def test_store_that_was_removed_a_moment_ago_is_404(hooked: Hooked) -> None:
    assert (await hooked.send("products/update", BODY)).status_code == 200
    await hooked.pulled.commerce.remove_store(actor=hooked.pulled.actor, store="demo")
    answers = [await hooked.send("products/update", BODY) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [404, 404]


@pytest.mark.parametrize("missing", ["hmac_sha256", "topic", "shop_domain", "api_version", "webhook_id"])
async def test_missing_header_is_named(hooked: Hooked, missing: str) -> None:
    name = "API-Version" if missing == "api_version" else missing.replace("_", "-").title()
    headers = hooked.headers(BODY, "products/update")
    del headers[f"X-Shopify-{name}"]
    answer = await hooked.client.post("/api/webhooks", content=BODY, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "HOOK_001")
    assert name.lower() in answer.json()["error"].lower()


async def test_stated_length_beyond_the_limit_is_refused_unread(hooked: Hooked) -> None:
    async def never() -> AsyncIterator[bytes]:
        read.append(True)
        yield b"{}"

    read: list[bool] = []
    headers = {**hooked.headers(BODY, "products/update"), "Content-Length": "5000001"}
    answer = await hooked.client.post("/api/webhooks", content=never(), headers=headers)
    assert (answer.status_code, answer.headers["Connection"], read) == (413, "close", [])


async def test_body_that_grows_beyond_the_limit_is_read_no_further(hooked: Hooked) -> None:
    given = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal given
        while True:
            given += 100_000
            yield b"x" * 100_000

    answer = await hooked.client.post(
        "/api/webhooks", content=endless(), headers=hooked.headers(BODY, "products/update")
    )
    assert answer.status_code == 413
    assert given <= 5_200_000


async def test_body_that_comes_byte_by_byte_is_waited_for_no_longer_than_it_may_take(
    hooked: Hooked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hot, "BODY_SECONDS", 0.2)

    async def dribble() -> AsyncIterator[bytes]:
        while True:
            yield b" "
            await asyncio.sleep(0.01)

    answer = await hooked.client.post(
        "/api/webhooks", content=dribble(), headers=hooked.headers(BODY, "products/update")
    )
    assert (answer.status_code, answer.json()["code"], answer.headers["Connection"]) == (408, "REQ_408", "close")


@pytest.mark.parametrize("body", [b"{", b"", b"not json", b'{"id": 1} {'])
async def test_signed_but_malformed_is_kept_as_a_dead_letter(hooked: Hooked, body: bytes) -> None:
    answer = await hooked.send("products/update", body)
    assert answer.status_code == 200
    await hooked.work()
    event = await hooked.event()
    assert event.state is WebhookState.DEAD
    assert event.reason is not None
    assert "not JSON" in event.reason


async def test_other_tenant_with_the_same_shop_and_another_app_gets_nothing_of_it(
    hooked: Hooked, stranger: Actor, other_tenant_id: TenantId
) -> None:
    commerce: Any = hooked.runtime.contract(Commerce)
    theirs = await commerce.add_store(
        actor=stranger, name="theirs", shop_domain=hooked.shop.domain, token="shpat_sandbox", base_url=hooked.shop.url
    )
    await give_secret(hooked.runtime, other_tenant_id, theirs.id, "their app's secret")
    assert (await hooked.send("products/update", BODY)).status_code == 200
    assert len(await hooked.events()) == 1
    async with hooked.runtime.database.reading(other_tenant_id) as session:
        assert await repository.count_states(session) == {}
    answer = await hooked.send("products/update", BODY, hmac_sha256=signature(BODY, "their app's secret"))
    assert answer.status_code == 200
    async with hooked.runtime.database.reading(other_tenant_id) as session:
        assert await repository.count_states(session) == {WebhookState.WAITING: 1}
    assert len(await hooked.events()) == 1


async def test_database_that_is_away_is_503_and_says_when_to_come_again(
    hooked: Hooked, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def killed(session: Any, deliveries: Any) -> Any:
        await (await session.driver()).execute("select pg_terminate_backend(pg_backend_pid())")

    assert (await hooked.send("products/update", BODY)).status_code == 200
    monkeypatch.setattr(writing, "keep", killed)
    answers = await asyncio.gather(*(hooked.send("products/update", BODY) for _ in range(5)))
    assert [answer.status_code for answer in answers] == [503] * 5
    assert answers[0].headers["Retry-After"]
    monkeypatch.undo()
    assert len(await hooked.events()) == 1


async def test_crash_between_commit_and_answer_is_a_repeated_delivery(
    hooked: Hooked, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def lost(session: Any, deliveries: Any) -> Any:
        await keeping.keep(session, deliveries)
        connection = await session.connection()
        await connection.commit()
        raise RuntimeError("the answer is lost")

    again = str(uuid4())
    monkeypatch.setattr(writing, "keep", lost)
    assert (await hooked.send("products/update", BODY, webhook_id=again)).status_code == 500
    monkeypatch.undo()
    answer = await hooked.send("products/update", BODY, webhook_id=again)
    assert (answer.status_code, answer.json()["idempotent"]) == (200, True)
    assert len(await hooked.events()) == 1


async def test_caller_that_goes_away_while_it_sends_leaves_nothing_and_is_not_answered(hooked: Hooked) -> None:
    received: list[Any] = [
        {"type": "http.request", "body": b"{", "more_body": True},
        {"type": "http.disconnect"},
    ]
    sent: list[Any] = []

    async def receive() -> Any:
        return received.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [(name.lower().encode(), value.encode()) for name, value in hooked.headers(b"{", "x/y").items()]
    scope = {"type": "http", "method": "POST", "path": "/api/webhooks", "headers": headers, "state": {}}
    await served(hooked.runtime)(scope, receive, send)
    assert (sent, received) == ([], [])
    assert await hooked.events() == []


async def test_beyond_its_pace_a_webhook_is_taken_and_waits(
    hooked: Hooked, make_client: Callable[..., Awaitable[httpx.AsyncClient]]
) -> None:
    hooked.client = await make_client(hooked.runtime, Limiter(MemoryCounts(), with_settings({"webhooks": "2/15min"})))
    answers = [await hooked.send("products/update", BODY) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert [answer.headers["X-RateLimit-Remaining"] for answer in answers] == ["1", "0", "0"]
    waits = sorted((one.due_at - one.received_at).total_seconds() for one in await hooked.events())
    assert waits == [0.0, 0.0, 5.0]


async def test_under_maintenance_webhooks_are_still_taken(hooked: Hooked) -> None:
    async with hooked.runtime.database.writing(hooked.tenant) as session:
        await stops.pause(session, store_id=None, reason="A stocktake.", actor="the owner")
    assert (await hooked.send("products/update", hooked.payload("mug", title="Cup"))).status_code == 200


async def test_other_methods_and_addresses_are_the_frameworks(hooked: Hooked) -> None:
    assert (await hooked.client.get("/api/webhooks/shopify")).status_code in {401, 404, 405}
