"""What Shopify asks for people: taken in once, begun by itself, seen through, and said before it is due."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import text
from tests.apps.commerce.webhooks.conftest import Hooked

from syncline.apps.accounts.contract import Erasure, ErasureObjected, KeyRing, PersonalExport, SubjectRef
from syncline.apps.commerce.compliance import service
from syncline.apps.commerce.compliance.endpoints import ROUTERS
from syncline.apps.commerce.compliance_contract import (
    PrivacyRequest,
    PrivacyRequestCompleted,
    PrivacyRequestNotFound,
    RequestStatus,
)
from syncline.apps.commerce.stores.uninstalling import uninstalled
from syncline.apps.commerce.webhook_contract import WebhookState
from syncline.kernel import clock
from syncline.kernel.tenant import Actor

Call = Callable[..., Awaitable[httpx.Response]]
ADA = {"id": 191167, "email": "ada@example.com", "phone": None}


@dataclass
class Desk:
    """The accounts app's part that commerce asks: notes what is begun, and ends it when told."""

    asked: list[tuple[str, SubjectRef]] = field(default_factory=list)
    status: str = "running"
    objection: str = ""

    async def start_export(self, *, actor: Actor, subject: SubjectRef) -> PersonalExport:
        self.asked.append(("export", subject))
        now = clock.now()
        return PersonalExport(uuid4(), "queued", actor.name, now, None, now, None, None, None)

    async def start_erasure(self, *, actor: Actor, subject: SubjectRef, reason: str) -> Erasure:
        if self.objection:
            raise ErasureObjected(self.objection)
        self.asked.append(("erasure", subject))
        return self._erasure(uuid4(), reason, actor.name)

    async def get_erasure(self, *, actor: Actor, erasure_id: UUID) -> Erasure:
        return self._erasure(erasure_id, "", actor.name)

    def _erasure(self, erasure_id: UUID, reason: str, by: str) -> Erasure:
        return Erasure(erasure_id, self.status, reason, True, "", by, clock.now(), None, None)


@pytest.fixture
def desk(hooked: Hooked) -> Desk:
    made = Desk()
    hooked.runtime.contracts[KeyRing] = made
    return made


async def requests(hooked: Hooked) -> list[PrivacyRequest]:
    return list(await hooked.pulled.commerce.list_privacy_requests(actor=hooked.pulled.actor))


async def told(hooked: Hooked) -> list[str]:
    """Sentences of what was announced to the channels."""
    query = text(
        "SELECT data->>'sentence' FROM bus.outbox WHERE tenant = :tenant AND data->>'kind' = 'privacy_request'"
        " ORDER BY position"
    )
    async with hooked.runtime.database.reading(hooked.tenant) as session:
        return list(await session.scalars(query, {"tenant": hooked.tenant}))


async def test_a_data_request_is_put_together_once_however_often_it_comes(hooked: Hooked, desk: Desk) -> None:
    body = {"shop_id": 1, "shop_domain": hooked.shop.domain, "customer": ADA, "orders_requested": [5],
            "data_request": {"id": 9999}}  # fmt: skip
    for _ in range(2):
        assert (await hooked.send("customers/data_request", body)).status_code == 200
    await hooked.work()
    (found,) = await requests(hooked)
    assert (found.topic, found.customer, found.orders) == ("customers/data_request", ADA["id"], (5,))
    assert found.due_at - found.received_at == timedelta(days=30)
    assert found.status is RequestStatus.READY
    assert desk.asked == [("export", SubjectRef(store="demo", customer=191167))]
    assert {one.state for one in await hooked.events()} <= {WebhookState.APPLIED, WebhookState.IGNORED}


async def test_a_person_completes_it_once(hooked: Hooked, desk: Desk, stranger: Actor) -> None:
    await hooked.send("customers/data_request", {"customer": ADA, "data_request": {"id": 1}})
    await hooked.work()
    (found,) = await requests(hooked)
    commerce, actor = hooked.pulled.commerce, hooked.pulled.actor
    with pytest.raises(PrivacyRequestNotFound):
        await commerce.complete_privacy_request(actor=stranger, request_id=found.id)
    done = await commerce.complete_privacy_request(actor=actor, request_id=found.id, note="Handed out")
    assert (done.status, done.completed_by, done.sentence) == (RequestStatus.COMPLETED, actor.name, "Handed out")
    with pytest.raises(PrivacyRequestCompleted):
        await commerce.complete_privacy_request(actor=actor, request_id=found.id)
    assert list(await commerce.list_privacy_requests(actor=actor, is_open=True)) == []
    assert list(await commerce.list_privacy_requests(actor=stranger)) == []


async def test_an_erasure_begins_by_itself_and_is_seen_through(hooked: Hooked, desk: Desk) -> None:
    await hooked.send("customers/redact", {"customer": ADA, "orders_to_redact": []})
    await hooked.work()
    (running,) = await requests(hooked)
    assert running.status is RequestStatus.RUNNING
    assert await service.follow(hooked.runtime, hooked.tenant, running.id) is not None
    desk.status = "completed"
    await service.follow(hooked.runtime, hooked.tenant, running.id)
    (done,) = await requests(hooked)
    assert (done.status, done.completed_by) == (RequestStatus.COMPLETED, "Shopify")
    assert await service.follow(hooked.runtime, hooked.tenant, running.id) is None
    assert desk.asked == [("erasure", SubjectRef(store="demo", customer=191167))]


async def test_what_stands_against_it_is_said_and_tried_again(hooked: Hooked, desk: Desk) -> None:
    desk.objection = "He is the last owner."
    await hooked.send("customers/redact", {"customer": ADA})
    await hooked.work()
    (stuck,) = await requests(hooked)
    assert (stuck.status, stuck.sentence) == (RequestStatus.STUCK, "He is the last owner.")
    desk.objection = ""
    await service.follow(hooked.runtime, hooked.tenant, stuck.id)
    assert (await requests(hooked))[0].status is RequestStatus.RUNNING


async def test_a_connected_shop_is_not_removed_and_an_uninstalled_one_is(hooked: Hooked, desk: Desk) -> None:
    await hooked.send("shop/redact", {"shop_id": 1, "shop_domain": hooked.shop.domain})
    await hooked.work()
    (stuck,) = await requests(hooked)
    assert stuck.status is RequestStatus.STUCK
    assert "connected still" in (stuck.sentence or "")
    async with hooked.runtime.database.writing(hooked.tenant) as session:
        assert await uninstalled(session, hooked.store_id, at=clock.now())
    assert await service.follow(hooked.runtime, hooked.tenant, stuck.id) is None
    (done,) = await requests(hooked)
    assert done.status is RequestStatus.COMPLETED
    assert await hooked.pulled.commerce.list_stores(actor=hooked.pulled.actor) == []


async def test_somebody_is_reminded_once_before_it_is_due(hooked: Hooked, desk: Desk) -> None:
    await hooked.send("customers/data_request", {"customer": ADA, "data_request": {"id": 2}})
    await hooked.work()
    (found,) = await requests(hooked)
    before = len(await told(hooked))
    async with hooked.runtime.database.writing(hooked.tenant) as session:
        soon = clock.now() + timedelta(days=3)
        await session.execute(text("UPDATE commerce.privacy_request SET due_at = :soon"), {"soon": soon})
    again_at = await service.follow(hooked.runtime, hooked.tenant, found.id)
    await service.follow(hooked.runtime, hooked.tenant, found.id)
    said = (await told(hooked))[before:]
    assert len(said) == 1
    assert "in 3 days" in said[0]
    assert again_at == soon - timedelta(days=1)


async def test_one_that_names_nobody_is_a_dead_letter(hooked: Hooked, desk: Desk) -> None:
    await hooked.send("customers/redact", {"customer": {"email": "ada@example.com"}})
    await hooked.work()
    event = await hooked.event()
    assert event.state is WebhookState.DEAD
    assert "which customer" in (event.reason or "")
    assert await requests(hooked) == []


ENDPOINTS = {
    "GET /api/privacy/requests": "privacy:read",
    "GET /api/privacy/requests/{request_id}": "privacy:read",
    "POST /api/privacy/requests/{request_id}/complete": "privacy:manage",
}


@pytest.mark.parametrize("address", ENDPOINTS)
async def test_only_who_looks_after_privacy_may(call: Call, address: str) -> None:
    method, path = address.replace("{request_id}", str(uuid4())).split(" ")
    answers = {role: (await call(method, path, role=role)).status_code for role in ("owner", "editor", "viewer")}
    assert (answers["editor"], answers["viewer"]) == (403, 403)
    assert answers["owner"] in {200, 404}
    assert (await call(method, path, role=None)).status_code == 401


def test_the_table_above_holds_every_endpoint() -> None:
    routes: set[Any] = {
        f"{method} {route.path}"  # type: ignore[attr-defined]
        for router in ROUTERS
        for route in router.routes
        for method in route.methods  # type: ignore[attr-defined]
    }
    assert routes == set(ENDPOINTS)
