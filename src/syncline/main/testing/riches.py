"""A tenant that has one of everything the API names, for the tests that ask for it from outside."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
from sqlalchemy import text

from syncline.apps.accounts.contract import KeyRing
from syncline.apps.accounts.oidc import service as identities
from syncline.apps.accounts.oidc.id_token import Identity
from syncline.apps.accounts.providers import service as providers
from syncline.apps.accounts.providers.provider import Provider
from syncline.apps.commerce.compliance.receiving import receive
from syncline.apps.commerce.contract import ChangeBatch, Commerce
from syncline.apps.outreach.connections import repository as connections
from syncline.apps.outreach.sync import service as full_sync
from syncline.apps.outreach.sync_contract import Platform, SyncMode, SyncRequest
from syncline.kernel import clock
from syncline.kernel.ids import new_id
from syncline.kernel.tenant import TenantId
from syncline.main.testing.shop import Shop
from syncline.main.testing.web import Signed, bearing, register
from syncline.main.testing.works import Works, eventually

STORE = "alpine-outfitters"
_OF_A_TENANT = ("register", "list", "delete-all", "check", "reconcile", "events", "retry-failed", "stats")
_LETTER = text("""
    INSERT INTO jobs.dead_letter (id, job_id, job, tenant, payload, priority, attempts, reason, first_at, last_at)
    VALUES (:id, 1, 'commerce.push_changes', :tenant, CAST(:payload AS jsonb), 0, 8, 'Nobody was in.', now(), now())
""")
_WEBHOOK = text("""
    INSERT INTO commerce.webhook_event (id, tenant_id, store_id, delivery_id, topic, api_version, received_at,
        correlation_id, body_bytes, body_hash, state, due_at, attempts, kind, number)
    VALUES (:id, :tenant, :store, :delivery, 'products/update', '2026-10', :at,
        'none', 20, 1, 'failed', :at, 1, 'product', 7)
""")
_BODY = text(
    "INSERT INTO commerce.webhook_body (event_id, tenant_id, store_id, body) VALUES (:id, :tenant, :store, :body)"
)


@dataclass(frozen=True)
class Riches:
    """`rows` has a value of this tenant for every place of an address (`stores/{name}`) and every field that names a
    row (`batch_id`), `others` what requests need that is no row of its own; `marks` are texts that only this tenant's
    answers may hold."""

    owner: Signed
    tenant_id: str
    rows: Mapping[str, Any]
    others: Mapping[str, Any]

    @property
    def known(self) -> Mapping[str, Any]:
        return {**self.rows, **self.others}

    @property
    def marks(self) -> Sequence[str]:
        return [self.owner["user"]["email"], *(str(one) for one in self.rows.values() if len(str(one)) > 8)]


async def fill(works: Works, client: httpx.AsyncClient, shop: Shop) -> Riches:
    """Made over HTTP, as its owner would; the runs by a worker."""
    ada = await register(client, "ada@alpine.example")
    desk = Desk(client, bearing(ada))
    theirs = replace(works, actor=replace(works.actor, tenant_id=TenantId(UUID(ada["tenant"]["id"]))))
    subject = {"email": ada["user"]["email"]}
    doors = await _doors(desk)
    await desk.post("/api/shopify/stores", name=STORE, shop_domain=shop.domain, token=shop.token, base_url=shop.url)
    rows = {
        **_own(ada),
        **doors,
        **await _runs(theirs, desk, shop, subject),
        **await _waiting(theirs, desk),
        **await _operation(desk),
        **await _outreach(theirs, desk),
        **await _shopify_app(desk),
        **_bought(shop),
        **await _webhooks(theirs, ada["tenant"]["id"]),
        **await _friend(works, desk),
        **await _sign_in_provider(works, ada),
        "dead-letters/{letter_id}": await bury(theirs),
    }
    # The addresses keep requests on this machine; a rule is named by the code.
    others: dict[str, Any] = {"base_url": shop.url, "issuer": "https://127.0.0.1", "subject": subject}
    others["trigger/{name}"] = others["jobs/{name}"] = "periodic_sync"
    others |= {f"{place}/{{tenantId}}": ada["tenant"]["id"] for place in _OF_A_TENANT}
    others["retention/{rule}"] = (await desk.get("/api/privacy/retention"))["rules"][0]["name"]
    return Riches(owner=ada, tenant_id=ada["tenant"]["id"], rows=rows, others=others)


@dataclass(frozen=True)
class Desk:
    """The owner's requests; one that is refused ends the test with what was said."""

    client: httpx.AsyncClient
    headers: Mapping[str, str]

    async def post(self, path: str, **body: Any) -> Any:
        answer = await self.client.post(path, json=body, headers=dict(self.headers))
        assert answer.is_success, answer.text
        return {**answer.json(), "asked as": answer.headers["X-Correlation-ID"]}

    async def put(self, path: str, **body: Any) -> Any:
        answer = await self.client.put(path, json=body, headers=dict(self.headers))
        assert answer.is_success, answer.text
        return answer.json()

    async def get(self, path: str) -> Any:
        answer = await self.client.get(path, headers=dict(self.headers))
        assert answer.is_success, answer.text
        return answer.json()


def _own(ada: Signed) -> dict[str, Any]:
    """Who the owner is and where she is signed in."""
    return {
        "members/{user_id}": ada["user"]["id"],
        "sessions/{session_id}": ada["session_id"],
        "tenant": ada["tenant"]["slug"],
    }


async def _doors(desk: Desk) -> dict[str, Any]:
    """What lets somebody or something in."""
    key = await desk.post("/api/keys", name="nightly", role="viewer")
    invited = await desk.post("/api/invitations", email="bob@alpine.example", role="editor")
    return {
        "keys/{key_id}": key["id"],
        "invitations/{invitation_id}": invited["id"],
        "correlation_id": key["asked as"],
    }


async def _dispute(theirs: Works, shop: Shop) -> ChangeBatch:
    """An approved batch whose product moved in the shop: pushed, it is in conflict."""
    product = next(iter(shop.store.products))
    disputed = await theirs.stage(f"id:{product}", "title=Ours", store=STORE)
    await theirs.approve(disputed)
    await shop.edit("update", "product", product, set={"title": "Theirs"})
    return disputed


async def _runs(theirs: Works, desk: Desk, shop: Shop, subject: Mapping[str, str]) -> dict[str, Any]:
    """A pull, a batch that was pushed, and what a worker did for a person's rights."""
    pull = await theirs.pull(store=STORE)
    batch = await theirs.stage("", "tags=+sale", store=STORE)
    change = (await theirs.changes(batch))[0]
    await theirs.approve(batch)
    disputed = await _dispute(theirs, shop)
    push = await theirs.start_push(store=STORE)
    export = await desk.post("/api/privacy/exports", subject=subject)
    gone = {"email": "gone@alpine.example"}
    erasure = await desk.post("/api/privacy/erasures", subject=gone, reason="asked for by letter")

    async def exported() -> Any:
        return (await desk.get(f"/api/privacy/exports/{export['id']}"))["status"]

    async with theirs.working():
        await theirs.push_ends(push.id)
        await eventually(exported, lambda status: status == "completed")
    return {
        "stores/{name}": STORE,
        "store": STORE,
        "pulls/{run_id}": str(pull.id),
        "pushes/{run_id}": str(push.id),
        "runId": str(push.id),
        "staged-changes/{change_id}": str(change.id),
        "change_ids": str(change.id),
        "batches/{batch_id}": str(batch.id),
        "conflicts/{change_id}": str((await theirs.changes(disputed))[0].id),
        "rollback/{batch_id}": str(batch.id),
        "exports/{export_id}": export["id"],
        "erasures/{erasure_id}": erasure["id"],
    }


async def _waiting(theirs: Works, desk: Desk) -> dict[str, Any]:
    """A batch that nobody approved yet, a selection of it, a rule for conflicts, a schedule that is not due, a
    channel that was told nothing and a mapping of columns."""
    waiting = await theirs.stage("", "vendor=Alpine", store=STORE)
    rule = await desk.put("/api/enhanced-sync/conflicts/rules", field="tags", choice="merge", store=STORE)
    selection = await desk.post("/api/enhanced-sync/selections", batch_id=str(waiting.id))
    schedule = await desk.post(f"/api/shopify/stores/{STORE}/schedules", timing="every 1h")
    channel = await desk.post(
        "/api/notifications/channels", name="alpine-watch", kind="email", target="ops@alpine.example"
    )
    mapping = await desk.put("/api/enhanced-sync/mappings", name="alpine-prices", columns={"Preis": "price"})
    return {
        "mappings/{mapping}": mapping["name"],
        "batch_id": str(waiting.id),
        "batchId": str(waiting.id),
        "ids": str((await theirs.changes(waiting))[0].id),
        "rules/{rule_id}": rule["id"],
        "selections/{selection_id}": selection["id"],
        "selection_id": selection["id"],
        "schedules/{schedule_id}": schedule["id"],
        "channels/{name}": channel["channel"]["name"],
    }


async def _operation(desk: Desk) -> dict[str, Any]:
    asked = {"operation": "status", "filter": "", "updates": {"status": "draft"}}
    operation = await desk.post("/api/batch/process", store=STORE, **asked)
    return {f"{place}/{{run_id}}": operation["id"] for place in ("status", "cancel", "results", "retry")}


async def _shopify_app(desk: Desk) -> dict[str, Any]:
    """An app at Shopify, and a shop that was asked to allow it."""
    made = await desk.put("/api/shopify/apps", client_id="alpine-app-of-shopify", secret=new_id().hex)
    begun = await desk.get("/api/shopify/oauth/install?shop=alpine-second-shop")
    return {"apps/{client_id}": made["client_id"], "installs/{install_id}": begun["id"]}


async def _outreach(theirs: Works, desk: Desk) -> dict[str, Any]:
    """A namespace, a connection that was not asked (it would be called), a run that waits, and a webhook's address."""
    made = await desk.post("/api/namespaces", name="alpine-north", keywords=["alpine"])
    async with theirs.runtime.database.writing(theirs.actor.tenant_id) as session:
        sealed = theirs.runtime.secrets.seal('{"api_key": "alpine-lemlist-key"}')
        now = clock.now()
        facts = {"base_url": "http://127.0.0.1:9"}
        values = {"facts": facts, "sealed": sealed, "created_by": "ada", "created_at": now, "checked_at": now}
        await connections.put(session, "lemlist", {**values, "sentence": None})
        request = SyncRequest(platforms=(Platform.LEMLIST,), mode=SyncMode.COMPARE, namespaces=("alpine-north",))
        run = await full_sync.start(session, theirs.runtime, request, actor=theirs.actor, config={})
    door = await desk.post("/api/outreach/webhooks", platform="smartlead")
    places = ("reconciliations", "status", "cancel")
    return {
        "namespaces/{name}": made["namespace"]["name"],
        "connections/{platform}": "lemlist",
        "webhooks/{webhook_id}": door["webhook"]["id"],
        **{f"{place}/{{job_id}}": str(run.id) for place in places},
    }


async def _webhooks(theirs: Works, tenant_id: str) -> dict[str, Any]:
    """Two webhooks of one product, and a request for a customer's data. No shop sends them here."""
    actor, runtime = theirs.actor, theirs.runtime
    (store,) = await runtime.contract(Commerce).list_stores(actor=actor)
    now, ids = clock.now(), [str(new_id()), str(new_id())]
    async with runtime.database.writing(actor.tenant_id) as session:
        for place, event_id in enumerate(ids):
            values = {"id": event_id, "tenant": tenant_id, "store": store.id}
            came = {"at": now + timedelta(seconds=place), "delivery": f"delivery {place}"}
            await session.execute(_WEBHOOK, {**values, **came})
            await session.execute(_BODY, {**values, "body": json.dumps({"id": 7, "title": f"T{place}"}).encode()})
        asked = await receive(
            session,
            runtime.queue,
            store,
            topic="customers/data_request",
            payload={"customer": {"id": 71}, "data_request": {"id": 9}},
            event_id=UUID(ids[0]),
            delivery="none",
            received_at=now,
        )
    assert asked is not None
    return {
        "event/{eventId}": ids[1],
        "retry/{eventId}": ids[1],
        "mark-failed/{eventId}": ids[1],
        "diff/{otherId}": ids[0],
        "requests/{request_id}": str(asked.id),
    }


def _bought(shop: Shop) -> dict[str, Any]:
    product = next(iter(shop.store.products))
    return {
        "product_ids": product,
        "products/{product_id}": product,
        "orders/{order_id}": next(iter(shop.store.sales.orders)),
        "customers/{customer_id}": next(iter(shop.store.sales.customers)),
    }


async def bury(works: Works) -> str:
    """A job of the tenant that was given up; its letter's id."""
    tenant, letter = str(works.actor.tenant_id), str(new_id())
    values = {"id": letter, "tenant": tenant, "payload": json.dumps({"run_id": letter, "tenant_id": tenant})}
    async with works.runtime.database.system() as session:
        await session.execute(_LETTER, values)
    return letter


async def _friend(works: Works, desk: Desk) -> dict[str, Any]:
    """Somebody who came by an invitation and was asked to be a friend."""
    await desk.post("/api/invitations", email="carl@alpine.example", role="learner")
    mails = await works.runtime.contract(KeyRing).list_mails()
    letter = next(one.text or "" for one in mails if one.kind == "invitation" and one.recipient.startswith("carl"))
    token = letter.partition("#token=")[2].split()[0]
    body = {"token": token, "name": "Carl Gruber", "password": "five words in a row"}
    came = await desk.client.post("/api/invitations/accept", json=body)
    came.raise_for_status()
    carl: str = came.json()["user"]["id"]
    await desk.post("/api/friends", user_id=carl)
    return {"friends/{user_id}": carl, "user_id": carl}


async def _sign_in_provider(works: Works, ada: Signed) -> dict[str, Any]:
    """One of the tenant and the owner's identity there. Not over HTTP: it would be called. At an address that the guard
    refuses, so that whoever uses it does not lead out of this machine."""
    tenant_id, key = TenantId(UUID(ada["tenant"]["id"])), str(new_id())
    made = Provider(key, "alpine-login", "Alpine login", "https://127.0.0.1:9", "us", None, tenant_id)
    owner = replace(works.actor, tenant_id=tenant_id)
    async with works.runtime.database.writing(tenant_id) as session:
        await providers.create(session, owner, made, secrets=works.runtime.secrets)
        said = Identity(made.issuer, "ada-there", "ada@alpine.example", email_is_verified=True, name=None)
        await identities.link(session, UUID(ada["user"]["id"]), made, said)
        (row,) = await identities.list_identities(session, UUID(ada["user"]["id"]))
    return {"sign-in-providers/{provider_id}": key, "provider": key, "identities/{identity_id}": str(row.id)}
