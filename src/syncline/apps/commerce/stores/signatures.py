"""Whom a webhook of a shop may be for, and the secrets that Shopify may have signed it with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from syncline.apps.commerce.stores import repository
from syncline.apps.commerce.stores.credentials import repository as credentials
from syncline.apps.commerce.stores.directory import repository as directory
from syncline.apps.commerce.stores.tokens import repository as grants
from syncline.kernel.tenant import TenantId
from syncline.runtime.db.engine import Database
from syncline.runtime.db.session import Session
from syncline.runtime.secrets import SecretBox


@dataclass(frozen=True, slots=True)
class Recipient:
    """A store that a webhook of its shop may be for: it is, when one of the secrets signed it. `secrets` are at most
    two, the newest first; none for a custom app whose API secret key was never given."""

    tenant_id: TenantId
    store_id: UUID
    name: str
    secrets: Sequence[str] = field(repr=False)
    uninstalled_at: datetime | None


async def recipients_of(database: Database, box: SecretBox, shop_domain: str) -> Sequence[Recipient]:
    """Every store of the shop, of whichever tenant; empty for a shop that nobody here has connected.

    After a rotation Shopify signs with the oldest secret that is not revoked, up to an hour behind, so both are given.
    The answer is as of now: who keeps it finds a new secret or store no sooner than he asks again.
    """
    async with database.system() as session:
        entries = await directory.list_of_shop(session, shop_domain)
    found: list[Recipient] = []
    for entry in entries:
        async with database.reading(entry.tenant) as reading:
            row = await repository.find_by_id(reading, entry.store_id)
            if row is not None:
                secrets = await webhook_secrets(reading, box, entry.store_id)
                found.append(Recipient(entry.tenant, entry.store_id, row.store.name, secrets, row.store.uninstalled_at))
    return found


async def webhook_secrets(session: Session, box: SecretBox, store_id: UUID) -> Sequence[str]:
    """Of one store of the session's tenant, the newest first."""
    grant = await grants.find(session, store_id)
    if grant is None:
        return ()
    app = None if grant.app_id is None else await credentials.find_by_id(session, grant.app_id)
    sealed = grant.secrets_sealed if app is None else app.secrets_sealed
    return tuple(box.open(one) for one in sealed)
