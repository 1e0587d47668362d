"""Renewing a store's token: once, by one process, and without losing the store when that process dies.

Whoever renews takes the store's lease in a transaction of its own, asks Shopify with none open, and writes the new
tokens where the lease is still his. Until then the old access token is good, and everybody goes on with it.

A crash between Shopify's answer and our commit leaves the old refresh token in the row. Shopify takes that one again
until its replacement was used, for up to 30 days (shopify.dev, changelog of 28 August 2026), and nobody has the
replacement: the next who takes the lease gets a new pair. Were it refused all the same, the access token lasts until it
ends, the failure stands in the store's access, and the merchant is asked to allow the app again.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from uuid import UUID

import structlog

from syncline.apps.commerce.metrics import TOKENS_RENEWED
from syncline.apps.commerce.stores import repository
from syncline.apps.commerce.stores.credentials import repository as credentials
from syncline.apps.commerce.stores.directory import repository as directory
from syncline.apps.commerce.stores.repository import StoreRow
from syncline.apps.commerce.stores.tokens import repository as grants
from syncline.apps.commerce.stores.tokens.columns import columns_of, ends_at
from syncline.apps.commerce.stores.tokens.repository import GrantKind, GrantRow
from syncline.apps.commerce.stores.tokens.timing import AGAIN, LEASE, renew_at
from syncline.connectors.shopify.oauth_client import (
    Credentials,
    GrantRefused,
    OAuthClient,
    Tokens,
)
from syncline.kernel import clock
from syncline.kernel.errors import Fatal, Retriable, Unavailable
from syncline.kernel.ids import new_id
from syncline.kernel.tenant import TenantId
from syncline.runtime.app import Runtime
from syncline.runtime.db.session import WriteSession

log = structlog.get_logger(__name__)

_WRITES, _WAIT_SECONDS = 4, 1.0
"""Tries to write down what Shopify gave, so long and more apart: a database that comes back soon loses nothing."""


@dataclass(frozen=True, slots=True)
class _Held:
    row: StoreRow
    grant: GrantRow
    credentials: Credentials
    refresh_token: str | None
    lease: UUID


async def renew(runtime: Runtime, tenant_id: TenantId, store_id: UUID, *, seen: bytes | None) -> bool:
    """Replaces the token that was seen sealed as `seen`. False when there was nothing to do, or somebody else is at it.

    Raises `Fatal` when Shopify refuses and `Retriable` when it is not well; both stand in the store's access then.
    """
    held = await _take(runtime, tenant_id, store_id, seen)
    if held is None:
        return False
    try:
        tokens = await _ask(held)
    except Fatal as error:
        TOKENS_RENEWED.labels(outcome="refused").inc()
        needs_consent = isinstance(error, GrantRefused)
        log.warning("store.token_refused", store=held.row.store.name, reason=error.sentence, code=error.vendor_code)
        await _give_up(runtime, tenant_id, held, error.sentence, needs_consent=needs_consent)
        raise
    except Retriable as error:
        TOKENS_RENEWED.labels(outcome="failed").inc()
        await _give_up(runtime, tenant_id, held, error.sentence, needs_consent=False)
        raise
    await _write_down(runtime, tenant_id, held, tokens)
    return True


async def _take(runtime: Runtime, tenant_id: TenantId, store_id: UUID, seen: bytes | None) -> _Held | None:
    lease = new_id()
    async with runtime.database.writing(tenant_id) as session:
        grant = await grants.take_lease(session, store_id, lease=lease, lasts=LEASE)
        row = await repository.find_by_id(session, store_id)
        if grant is None or row is None:
            return None
        app = None if grant.app_id is None else await credentials.find_by_id(session, grant.app_id)
        is_renewable = grant.refresh_sealed is not None or grant.kind is GrantKind.CLIENT_CREDENTIALS
        if app is None or not is_renewable or grant.needs_consent or row.token_sealed != seen:
            await grants.end_lease(session, store_id, lease)
            return None
    return _Held(
        row=row,
        grant=grant,
        credentials=Credentials(app.client_id, runtime.secrets.open(app.secret_sealed)),
        refresh_token=None if grant.refresh_sealed is None else runtime.secrets.open(grant.refresh_sealed),
        lease=lease,
    )


async def _ask(held: _Held) -> Tokens:
    store = held.row.store
    async with OAuthClient(store.shop_domain, held.credentials, base_url=store.base_url) as client:
        if held.refresh_token is None:
            return await client.by_client_credentials()
        return await client.by_refresh(held.refresh_token)


async def _write_down(runtime: Runtime, tenant_id: TenantId, held: _Held, tokens: Tokens) -> None:
    """Raises `Unavailable` when the database stays away: then the old refresh token is tried again by the next."""
    for left in reversed(range(_WRITES)):
        try:
            async with runtime.database.writing(tenant_id) as session:
                is_ours = await _write(session, runtime, held, tokens)
        except Unavailable:
            if left == 0:
                raise
            await asyncio.sleep(_WAIT_SECONDS * (_WRITES - left))
        else:
            TOKENS_RENEWED.labels(outcome="renewed" if is_ours else "overtaken").inc()
            log.info("store.token_renewed", store=held.row.store.name, is_ours=is_ours)
            return


async def _write(session: WriteSession, runtime: Runtime, held: _Held, tokens: Tokens) -> bool:
    store_id, now = held.row.store.id, clock.now()
    written = columns_of(tokens, runtime.secrets, now)
    if tokens.refresh_token is None:  # an answer that says nothing of it leaves the one that we have
        written = {name: written[name] for name in ("issued_at", "expires_at")}
    is_ours = await grants.end_lease(session, store_id, held.lease, trouble=None, needs_consent=False, **written)
    if is_ours:
        await repository.change(session, store_id, {"token_sealed": runtime.secrets.seal(tokens.access_token)})
        await directory.set_renewal(session, store_id, renew_at(now, ends_at(tokens, now)))
    return is_ours


async def _give_up(runtime: Runtime, tenant_id: TenantId, held: _Held, sentence: str, *, needs_consent: bool) -> None:
    store_id = held.row.store.id
    async with runtime.database.writing(tenant_id) as session:
        if await grants.end_lease(session, store_id, held.lease, trouble=sentence, needs_consent=needs_consent):
            await directory.set_renewal(session, store_id, None if needs_consent else clock.now() + AGAIN)
