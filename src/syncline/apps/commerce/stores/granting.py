"""Writing down how a store's token came, when it ends and when it is renewed, whatever it was before."""

from __future__ import annotations

from uuid import UUID

from syncline.apps.commerce.stores import repository
from syncline.apps.commerce.stores.directory import repository as directory
from syncline.apps.commerce.stores.repository import StoreRow
from syncline.apps.commerce.stores.tokens import repository as grants
from syncline.apps.commerce.stores.tokens.repository import GrantKind
from syncline.apps.commerce.stores.uninstalling import installed_again
from syncline.kernel import clock
from syncline.kernel.errors import InvalidInput
from syncline.runtime.audit.changes import note_change
from syncline.runtime.db.session import WriteSession
from syncline.runtime.secrets import SecretBox


async def typed_in(session: WriteSession, store_id: UUID) -> None:
    """Somebody gave a custom app's token: an app's grant it had before is not used any more, and a store whose shop
    had uninstalled the app goes on. A custom app's API secret key stays."""
    before = await grants.find(session, store_id)
    if before is not None and before.kind is GrantKind.CUSTOM:
        moment = clock.now()
        await grants.change(session, store_id, granted_at=moment, issued_at=moment)
    elif before is not None:
        await grants.remove(session, store_id)
    await directory.change(session, store_id, client_id=None, renew_at=None)
    await repository.change(session, store_id, {"uninstalled_at": None})
    await installed_again(session, store_id)


async def keep_secret(session: WriteSession, box: SecretBox, row: StoreRow, secret: str) -> None:
    """A custom app's API secret key, which signs its webhooks; the one before is kept beside it. Raises
    `InvalidInput` for a store that an app of the tenant's signs for."""
    if row.client_id is not None:
        raise InvalidInput(
            f"{row.store.name} is connected through the app {row.client_id}, whose own secret signs its webhooks; "
            f"replace that with `syncline stores app rotate {row.client_id}`."
        )
    store_id = row.store.id
    before = await grants.find(session, store_id)
    sealed, moment = box.seal(secret), row.store.created_at
    note_change(f"store {row.store.name}", before={"api_secret": "before"}, after={"api_secret": "after"})
    if before is None:
        values = {"kind": GrantKind.CUSTOM, "secret_sealed": sealed, "granted_at": moment, "issued_at": moment}
        await grants.put(session, store_id, values)
    elif before.secret_sealed is None or box.open(before.secret_sealed) != secret:
        await grants.change(session, store_id, secret_sealed=sealed, other_secret_sealed=before.secret_sealed)
