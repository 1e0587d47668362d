"""What is told of how a store is connected: its token's kind and end, and which features lack scopes."""

from __future__ import annotations

from collections.abc import Sequence

from syncline.apps.commerce.contract.connecting import StoreAccess
from syncline.apps.commerce.stores import repository
from syncline.apps.commerce.stores.credentials import repository as credentials
from syncline.apps.commerce.stores.credentials.repository import AppRow
from syncline.apps.commerce.stores.features import lacking, missing_by_feature
from syncline.apps.commerce.stores.repository import StoreRow
from syncline.apps.commerce.stores.tokens import repository as grants
from syncline.apps.commerce.stores.tokens.repository import GrantKind, GrantRow
from syncline.runtime.db.session import Session


async def list_access(session: Session) -> Sequence[StoreAccess]:
    apps = {app.id: app for app in await credentials.list_all(session)}
    granted = await grants.list_all(session)
    found: list[StoreAccess] = []
    for row in await repository.list_all(session):
        grant = granted.get(row.store.id)
        app = None if grant is None or grant.app_id is None else apps.get(grant.app_id)
        found.append(_access(row, grant, app))
    return found


def _access(row: StoreRow, grant: GrantRow | None, app: AppRow | None) -> StoreAccess:
    store = row.store
    not_granted = lacking(store.scopes, app.scopes if app is not None else ())
    return StoreAccess(
        store=store.name,
        shop_domain=store.shop_domain,
        kind=GrantKind.CUSTOM if grant is None else grant.kind,
        client_id=None if app is None else app.client_id,
        has_webhook_secret=app is not None or (grant is not None and bool(grant.secrets_sealed)),
        issued_at=None if grant is None else grant.issued_at,
        expires_at=None if grant is None else grant.expires_at,
        refresh_expires_at=None if grant is None else grant.refresh_expires_at,
        uninstalled_at=store.uninstalled_at,
        trouble=None if grant is None else grant.trouble,
        needs_consent=(grant is not None and grant.needs_consent) or bool(not_granted),
        granted=store.scopes,
        missing=missing_by_feature(store.scopes),
        not_granted=not_granted,
    )
