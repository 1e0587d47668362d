"""Whom a webhook of a shop may be for, and the secrets that Shopify may have signed it with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from syncline.apps.commerce.contract import Store
from syncline.apps.commerce.stores import repository
from syncline.apps.commerce.stores.credentials import repository as credentials
from syncline.apps.commerce.stores.directory import repository as directory
from syncline.apps.commerce.stores.directory.repository import Entry
from syncline.apps.commerce.stores.tokens import repository as grants
from syncline.kernel.tenant import TenantId
from syncline.runtime.db.engine import Database
from syncline.runtime.db.session import Session
from syncline.runtime.observe.logs import get_logger
from syncline.runtime.secrets import SecretBox, SecretKeyMissing

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Recipient:
    """A store that a webhook of its shop may be for: it is, when one of the secrets signed it. `secrets` are at most
    two, the newest first; none for a custom app whose API secret key was never given. `is_closed`: there is one that
    none of our keys opens, so that what it signed cannot be told from a forgery."""

    tenant_id: TenantId
    store_id: UUID
    name: str
    secrets: Sequence[str] = field(repr=False)
    uninstalled_at: datetime | None
    is_closed: bool = False


@dataclass(frozen=True, slots=True)
class WebhookSecrets:
    """Of one store. `opened` are at most two, the newest first; `trouble` is why another could not be opened."""

    opened: Sequence[str] = field(default=(), repr=False)
    trouble: SecretKeyMissing | None = None


async def recipients_of(database: Database, box: SecretBox, shop_domain: str) -> Sequence[Recipient]:
    """Every store of the shop, of whichever tenant; empty for a shop that nobody here has connected.

    After a rotation Shopify signs with the oldest secret that is not revoked, up to an hour behind, so both are given.
    The answer is as of now: who keeps it finds a new secret or store no sooner than he asks again. A secret that cannot
    be opened is its tenant's trouble and none of the others': it is logged, and the store stands there without it.
    """
    async with database.system() as session:
        entries = await directory.list_of_shop(session, shop_domain)
    found: list[Recipient] = []
    for entry in entries:
        async with database.reading(entry.tenant) as reading:
            row = await repository.find_by_id(reading, entry.store_id)
            if row is not None:
                found.append(_recipient(entry, row.store, await webhook_secrets(reading, box, entry.store_id)))
    return found


def _recipient(entry: Entry, store: Store, secrets: WebhookSecrets) -> Recipient:
    if secrets.trouble is not None:
        log.error(
            "webhooks of a store cannot be verified",
            tenant=str(entry.tenant),
            store=store.name,
            shop_domain=store.shop_domain,
            reason=secrets.trouble.sentence,
        )
    is_closed = secrets.trouble is not None
    return Recipient(entry.tenant, entry.store_id, store.name, secrets.opened, store.uninstalled_at, is_closed)


async def webhook_secrets(session: Session, box: SecretBox, store_id: UUID) -> WebhookSecrets:
    """Of one store of the session's tenant."""
    grant = await grants.find(session, store_id)
    if grant is None:
        return WebhookSecrets()
    app = None if grant.app_id is None else await credentials.find_by_id(session, grant.app_id)
    opened, trouble = [], None
    for one in grant.secrets_sealed if app is None else app.secrets_sealed:
        try:
            opened.append(box.open(one))
        except SecretKeyMissing as error:
            trouble = error
    return WebhookSecrets(tuple(opened), trouble)
