"""Writing down how a store's token came, when it ends and when it is renewed, whatever it was before."""

from __future__ import annotations

from uuid import UUID

from syncline.apps.commerce.stores import repository
from syncline.apps.commerce.stores.directory import repository as directory
from syncline.apps.commerce.stores.tokens import repository as grants
from syncline.apps.commerce.stores.tokens.repository import GrantKind
from syncline.apps.commerce.stores.uninstalling import installed_again
from syncline.kernel import clock
from syncline.runtime.db.session import WriteSession


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
